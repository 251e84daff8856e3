// SPDX-License-Identifier: Apache-2.0
// TCP (RFC 9293) with the options that state needs (RFC 7323). Which flags are no sound stack's (Flaw::BadFlags):
//
//   none of SYN, ACK, RST       RFC 9293, 3.5: only the first SYN and some resets lack ACK (NULL, FIN and XMAS scans)
//   SYN with FIN, SYN with RST  each undoes the other; pf's scrub and nf_conntrack drop them
//   SYN with URG                nothing to hurry for; nf_conntrack knows no SYN+ACK+URG, pf drops SYN+URG
//   FIN, PSH or URG without ACK  but SYN+PSH, which TCP Fast Open sends with its data (RFC 7413)
//
// Allowed though odd: RST with PSH or FIN beside ACK (receivers read it as RST), SYN+ACK+PSH, SYN with data.
// ECE, CWR and the reserved bits are never a flaw (RFC 3168, accurate ECN).

#include "wire/walk.h"

namespace weir::wire {

namespace {

constexpr bool is_sound(unsigned flags) {
  using namespace tcp_flag;
  const auto has = [flags](unsigned bit) { return (flags & bit) != 0; };
  if (!has(kSyn | kAck | kRst)) return false;
  if (has(kSyn) && has(kFin | kRst | kUrg)) return false;
  if (!has(kAck) && has(kFin | kUrg)) return false;
  return has(kAck) || has(kSyn) || !has(kPsh);
}

// One bit a combination of the six flags.
constexpr std::uint64_t sound_combinations() {
  std::uint64_t bits = 0;
  for (unsigned flags = 0; flags < 64; ++flags)
    if (is_sound(flags)) bits |= std::uint64_t{1} << flags;
  return bits;
}
constexpr std::uint64_t kSoundFlags = sound_combinations();

bool length_fits(std::uint8_t kind, std::uint8_t length) {
  switch (kind) {
    case 2: return length == 4;                                    // Maximum segment size
    case 3: return length == 3;                                    // Window scale
    case 4: return length == 2;                                    // SACK permitted
    case 5: return length >= 10 && length <= 34 && length % 8 == 2;  // SACK, RFC 2018: one to four blocks
    case 8: return length == 10;                                   // Timestamps
    case 19: return length == 18;                                  // MD5, RFC 2385
    default: return true;
  }
}

void read_timestamp(IpLayer& layer, const std::uint8_t* at) {
  layer.has_tcp_timestamp = true;
  layer.tcp_timestamp = load_be32(at);
  layer.tcp_timestamp_echo = load_be32(at + 4);
}

void options(Walk& walk, IpLayer& layer, const std::uint8_t* at, std::uint32_t size) {
  // RFC 7323, appendix A: what nearly every segment of an established connection carries.
  if (size == 12 && load_be32(at) == kTimestampHead) return read_timestamp(layer, at + 4);
  for (std::uint32_t i = 0; i < size;) {
    const std::uint8_t kind = at[i];
    if (kind == 0) return;
    if (kind == 1) {
      ++i;
      continue;
    }
    if (size - i < 2 || at[i + 1] < 2 || at[i + 1] > size - i) return walk.flaw(Flaw::BadOption);
    const std::uint8_t length = at[i + 1];
    if (!length_fits(kind, length)) {
      walk.flaw(Flaw::BadOption);
    } else if (kind == 3) {
      layer.has_tcp_window_scale = true;
      layer.tcp_window_scale = std::min<std::uint8_t>(at[i + 2], 14);  // RFC 7323, 2.3: more counts as 14.
    } else if (kind == 8) {
      read_timestamp(layer, at + i + 2);
    }
    i += length;
  }
}

}  // namespace

bool are_sound_flags(std::uint8_t flags) { return (kSoundFlags >> (flags & 0x3f) & 1) != 0; }

// ports 2, 2 · sequence 4 · acknowledgement 4 · data offset 4 bits, reserved 4, flags 8 · window 2 · checksum 2 · urgent 2
void tcp(Walk& walk, IpLayer& layer, Window window) {
  const std::uint8_t* h = walk.at(window);
  if (window.here() >= 4) {
    layer.src_port = load_be16(h);
    layer.dst_port = load_be16(h + 2);
  }
  if (!need_transport(walk, layer, window, 20)) return;
  const std::uint32_t header_bytes = (h[12] >> 4) * 4U;
  layer.tcp_seq = load_be32(h + 4);
  layer.tcp_ack = load_be32(h + 8);
  layer.tcp_flags = h[13];
  layer.tcp_window = load_be16(h + 14);
  layer.tcp_urgent = load_be16(h + 18);
  if (!are_sound_flags(h[13])) walk.flaw(Flaw::BadFlags);
  if (header_bytes < 20) return walk.flaw(Flaw::BadLength);
  if (!need_transport(walk, layer, window, header_bytes)) return;
  layer.has_transport = true;
  if (header_bytes > 20) options(walk, layer, h + 20, header_bytes - 20);
  set_payload(layer, window.after(header_bytes));
}

}  // namespace weir::wire
