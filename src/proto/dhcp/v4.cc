// SPDX-License-Identifier: Apache-2.0
#include "base/hash.h"
#include "proto/dhcp/dhcp.h"

namespace weir::proto::dhcp {
namespace {

constexpr std::size_t kSnameOffset = 44, kFileOffset = 108, kCookieOffset = 236, kOptionsOffset = 240;
constexpr std::size_t kBootpBytesMin = 236;
constexpr std::uint32_t kCookie = 0x63825363;
constexpr std::uint8_t kEthernet = 1, kInfiniband = 32;

bool has_cookie(Bytes bytes) { return bytes.size() >= kOptionsOffset && load_be32(&bytes[kCookieOffset]) == kCookie; }

bool is_header_plausible(Bytes bytes) {
  if (bytes.size() < kBootpBytesMin) return false;
  const std::uint8_t op = bytes[0], htype = bytes[1], hlen = bytes[2], hops = bytes[3];
  if (op != 1 && op != 2) return false;
  if (hops > 16) return false;  // RFC 1542 4.1.1.
  if (htype == kEthernet) return hlen == 6;
  if (htype == kInfiniband) return hlen == 0;  // RFC 4390 2.1.
  return htype != 0 && htype <= 37 && hlen <= 16;
}

struct Options {
  std::uint8_t type = 0, overload = 0;
  bool has_server_id = false;
  Ip server_id;
  std::string_view hostname;
};

// One area of options. Its end mark may be missing (RFC 2131 4.1 asks for it, hosts do without).
void read_options(Bytes area, bool snapped, Options& options, Describer& describer) {
  Reader in(area);
  while (!in.at_end()) {
    const std::uint8_t code = in.u8();
    if (code == 0) continue;
    if (code == 255) return;
    const std::uint8_t size = in.u8();
    const Bytes value = in.bytes(size);
    if (!in.ok()) {
      if (!snapped) describer.flaw(Flaw::BadOption);
      return;
    }
    switch (code) {
      case 12:
        if (options.hostname.empty()) options.hostname = as_text(value);
        break;
      case 52:
        if (size != 1 || value[0] < 1 || value[0] > 3) describer.flaw(Flaw::BadOption);
        else options.overload = value[0];
        break;
      case 53:  // Two that differ are read differently by different hosts.
        if (size != 1 || (options.type != 0 && options.type != value[0])) describer.flaw(Flaw::BadOption);
        else options.type = value[0];
        break;
      case 54: {
        if (size != 4 || (options.has_server_id && options.server_id != Ip::v4_bytes(value.data()))) {
          describer.flaw(Flaw::BadOption);
          break;
        }
        options.has_server_id = true;
        options.server_id = Ip::v4_bytes(value.data());
        break;
      }
      default: break;
    }
  }
}

}  // namespace

Match identify_v4(const Evidence& e) {
  if (!e.is_udp()) return Match::No;
  const Bytes bytes = e.client.empty() ? e.server : e.client;
  if (!is_header_plausible(bytes)) return Match::No;
  if (has_cookie(bytes)) return Match::Yes;
  const auto bootp = [](std::uint16_t port) { return port == 67 || port == 68; };
  const bool plain = bytes[1] == kEthernet && bootp(e.client_port) && bootp(e.server_port);
  return plain ? Match::Yes : Match::No;
}

bool is_answer_v4(Bytes datagram) { return !datagram.empty() && datagram[0] == 2; }

Progress parse_v4(State&, const Input& input, Describer& describer) {
  const Bytes bytes = input.bytes;
  const Progress all{.consumed = bytes.size()};
  if (bytes.size() < kBootpBytesMin) {
    if (!input.truncated) describer.flaw(Flaw::Truncated);
    return all;
  }
  const bool answer = bytes[0] == 2;
  describer.begin_transaction(mix64(load_be32(&bytes[4]), hash_bytes(bytes.subspan(28, 16))), answer);
  if (!is_header_plausible(bytes)) describer.flaw(Flaw::BadMessage);
  if (bytes[1] == kEthernet && bytes[2] == 6) describer.mac(field::kClientMac, Mac::from_bytes(&bytes[28]));
  if (has_cookie(bytes)) {
    Options options;
    read_options(bytes.subspan(kOptionsOffset), input.truncated, options, describer);
    // RFC 2131 4.1: first file, then sname. What they hold may not overload again.
    const std::uint8_t overload = options.overload;
    if ((overload & 1) != 0) read_options(bytes.subspan(kFileOffset, kCookieOffset - kFileOffset), false, options, describer);
    if ((overload & 2) != 0) read_options(bytes.subspan(kSnameOffset, kFileOffset - kSnameOffset), false, options, describer);
    if (options.type != 0) describer.number(field::kType, options.type);
    else if (input.truncated) describer.hide(field::kType);
    if (options.has_server_id) describer.ip(field::kServerId, options.server_id);
    else if (input.truncated) describer.hide(field::kServerId);
    if (!options.hostname.empty()) describer.text(field::kHostname, options.hostname);
    else if (input.truncated) describer.hide(field::kHostname);
  }
  describer.reach(milestone::kTransaction);
  describer.described();
  describer.end_transaction();
  return all;
}

}  // namespace weir::proto::dhcp
