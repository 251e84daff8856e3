// SPDX-License-Identifier: Apache-2.0
#include "proto/rdp/rdp.h"

#include "proto/identify/probe.h"
#include "proto/identify/signatures.h"

namespace weir::proto::rdp {
namespace {

using identify::Probe;

constexpr std::size_t kHeaderBytes = 11;
constexpr std::string_view kHash = "Cookie: mstshash=", kToken = "Cookie: msts=";

/// Type 0xE0 from the client, 0xD0 from the server, and what may follow it.
Match connection(Bytes b, std::uint8_t type, std::uint8_t negotiation_low, std::uint8_t negotiation_high) {
  Probe probe(b);
  probe.byte(0, 3).byte(1, 0).be16(2, kHeaderBytes, 512).byte(4, 6, 254).byte(5, type).byte(10, 0);
  if (type == 0xE0) probe.zero(6, 2);
  if (b.size() > 4) probe.that(b[4] + 5U == probe.be16_at(2));
  if (probe.match() != Match::Yes) return probe.match();
  if (probe.be16_at(2) == kHeaderBytes) return Match::Yes;
  const Bytes rest = b.subspan(kHeaderBytes);
  const Match negotiation = Probe(rest).byte(0, negotiation_low, negotiation_high).byte(2, 8).byte(3, 0).match();
  const Match cookie = type == 0xE0 ? Probe(rest).text(0, "Cookie: msts").match() : Match::No;
  return std::max(negotiation, cookie);
}
Match request(Bytes b) { return connection(b, 0xE0, 1, 1); }
Match confirm(Bytes b) { return connection(b, 0xD0, 2, 3); }

}  // namespace

Match identify(const Evidence& evidence) {
  if (evidence.is_udp()) return identify::is_rdp_udp_syn(evidence.client) ? Match::Yes : Match::No;
  return identify::sides(evidence, request, confirm);
}

Progress parse(State& state, const Input& input, Describer& describer) {
  if (input.datagram) {
    describer.reach(milestone::kOwn);
    return {.consumed = input.bytes.size(), .done = true};
  }
  if (input.side == Side::Server || state.read) return {.consumed = input.bytes.size()};
  const Bytes b = input.bytes;
  if (b.size() < 4) return {};
  const std::size_t size = load_be16(&b[2]);
  if (b[0] != 3 || size < kHeaderBytes || size > 512) {
    describer.reach(milestone::kOwn);
    return {.consumed = b.size(), .done = true};
  }
  if (b.size() < size) return {};
  state.read = true;
  std::string_view text = as_text(b.subspan(kHeaderBytes, size - kHeaderBytes));
  describer.begin_transaction();
  if (text.starts_with(kHash)) {
    text.remove_prefix(kHash.size());
    const std::size_t end = text.find("\r\n");
    if (end == std::string_view::npos) describer.flaw(Flaw::BadMessage);
    else describer.text(kCookie, text.substr(0, end)), describer.text(field::kAuthUser, text.substr(0, end));
  } else if (text.starts_with("Cookie: ") && !text.starts_with(kToken)) {
    describer.flaw(Flaw::BadMessage);
  }
  describer.reach(milestone::kOwn);
  describer.described();
  describer.end_transaction();
  return {.consumed = size, .done = true};
}

}  // namespace weir::proto::rdp
