// SPDX-License-Identifier: Apache-2.0
// Which protocol a flow speaks: candidates against the bytes of both sides, until one is left or a bound is reached.

#include <cstring>

#include "engine/lane.h"
#include "proto/registry.h"

namespace weir::engine {
namespace {

// No bound in frames: eight segments of one byte would hide a request from us that the server reads whole.
constexpr std::uint64_t kClientBytesMax = 1024;   ///< After these bytes of the client the protocol is unknown, or
constexpr std::uint64_t kServerBytesMax = 4096;   ///< for the server's bytes where the client says nothing.

}  // namespace

/// The innermost layer is certain.
void Lane::settle_identity(Live& live, AppId app) {
  AppChain& chain = live.flow.app;
  chain.open = false;
  live.matched = false;
  if (app == kUnknownApp && chain.count == 0 && flows_.at(current_->index).picked_up) {
    chain.hidden = true;  // Picked up in its middle, and the bytes say nothing: it never counts as "cannot be X".
    live.parser_done = true;
    return;
  }
  if (app == kUnknownApp && chain.count != 0) {  // Inside a carrier: the carrier stays the innermost name.
    live.parser_done = true;
    live.parser = kUnknownApp;
    return;
  }
  if (chain.count < kChainMax) chain.layers[chain.count++] = app;
  chain.may_extend = extending_apps_.has(app) || may_turn_out_otherwise(live, app);
  start_parser(live, app);
}

/// A UDP flow whose later datagrams may be of a protocol that rules ask about.
bool Lane::may_turn_out_otherwise(const Live& live, AppId app) const {
  if (live.flow.ends.protocol != ip_protocol::kUdp || asked_apps_.empty()) return false;
  if (app == kUnknownApp) return true;
  const AppId of_port = app_of_udp_port(live.flow.ends.server_port);
  return of_port != kNoApp && of_port != app && asked_apps_.has(of_port);
}

/// True once the innermost layer is certain. `force`: the bound is reached, what is not certain is unknown.
bool Lane::identify_stream(Work& work, bool force) {
  Live& live = *work.live;
  AppChain& chain = live.flow.app;
  if (!chain.open) return true;
  const Bytes client = live.streams[0].ready(), server = live.streams[1].ready();
  if (client.empty() && server.empty()) return false;
  if (!force && client.size() == live.identified_bytes[0] && server.size() == live.identified_bytes[1]) return false;
  const bool first_look = live.identified_bytes[0] == 0 && live.identified_bytes[1] == 0;
  live.identified_bytes[0] = client.size();
  live.identified_bytes[1] = server.size();
  const FlowEnds& ends = live.flow.ends;
  const proto::Evidence evidence{
      .client = client.subspan(0, std::min(client.size(), proto::kEvidenceMax)),
      .server = server.subspan(0, std::min(server.size(), proto::kEvidenceMax)),
      .client_port = ends.client_port,
      .server_port = ends.server_port,
      .ip_protocol = ends.protocol,
      .server_first = live.server_first,
      .group_destination = false,
      .roles_unsure = flows_.at(work.index).picked_up && chain.count == 0,
  };
  AppSet before = chain.candidates;
  if (first_look && chain.count == 0 && !evidence.roles_unsure) {
    if (!client.empty()) chain.candidates.keep(first_bytes_.of[0][client[0]]);
    if (!server.empty()) chain.candidates.keep(first_bytes_.of[1][server[0]]);
    chain.candidates.add(kUnknownApp);
  }
  AppId certain = kNoApp;
  AppSet left;
  chain.candidates.for_each([&](AppId id) {
    if (id == kUnknownApp || certain != kNoApp) return;
    const proto::Protocol& p = proto::protocol(id);
    // A protocol that only its carrier can name (websocket after a 101) is what the carrier says.
    const Match m = p.identify == nullptr ? Match::Yes : p.identify(evidence);
    if (m == Match::Yes) certain = id;
    else if (m == Match::Maybe) left.add(id);
  });
  if (certain != kNoApp) {
    settle_identity(live, certain);
    return true;
  }
  left.add(kUnknownApp);
  chain.candidates = left;
  if (!(before == left)) live.matched = false;
  const bool over = live.client_payload_bytes >= kClientBytesMax || (live.ended[0] && !client.empty()) ||
                    (client.empty() && (server.size() >= kServerBytesMax || live.ended[1]));
  if (left.size() == 1 || over || force) {
    settle_identity(live, kUnknownApp);
    return true;
  }
  return false;
}

/// The first datagram, before a flow is there: leaves work.first_app and the candidates in work.facts.
void Lane::identify_datagram(Work& work, Bytes payload) {
  AppChain& chain = work.facts->app;
  const FlowEnds* ends = work.index == kNoFlow ? nullptr : &work.facts->ends;
  const bool from_client = ends == nullptr || work.side == Side::Client;
  Bytes before, opposite;
  if (work.live != nullptr) {
    const Kept &own = work.live->kept[index_of(work.side)], &others = work.live->kept[index_of(other(work.side))];
    before = Bytes(own.bytes, own.size), opposite = Bytes(others.bytes, others.size);
  }
  const proto::Evidence evidence{
      .client = from_client ? payload : opposite,
      .server = from_client ? opposite : payload,
      .before = before,
      .client_port = ends == nullptr ? work.key.src_port : ends->client_port,
      .server_port = ends == nullptr ? work.key.dst_port : ends->server_port,
      .ip_protocol = work.key.protocol,
      .server_first = !from_client,
      .group_destination = work.packet->eth_dst.is_group() || work.layer->dst.is_multicast(),
      .roles_unsure = ends == nullptr || flows_.at(work.index).unsolicited,
  };
  AppId certain = kNoApp;
  AppSet left;
  const auto ask = [&](AppId id) {
    if (id == kUnknownApp || certain != kNoApp) return;
    const Match m = proto::protocol(id).identify(evidence);
    if (m == Match::Yes) certain = id;
    else if (m == Match::Maybe) left.add(id);
  };
  // Whose port it is is asked first: mostly nobody else has to be.
  for (const std::uint16_t port : {evidence.server_port, evidence.client_port})
    if (const AppId likely = app_of_udp_port(port); chain.candidates.has(likely)) ask(likely);
  if (certain == kNoApp) chain.candidates.for_each(ask);
  work.first_app = certain == kNoApp ? kUnknownApp : certain;
  work.first_use = kUnknownApp;
  if (certain != kNoApp && proto::protocol(certain).use != nullptr)
    if (const std::string_view use = proto::protocol(certain).use(evidence); !use.empty()) work.first_use = words_.app(use).value_or(kUnknownApp);
  left.add(kUnknownApp);
  chain.candidates = certain == kNoApp ? left : AppSet::of(certain);
}

/// What identify() sees beside later datagrams: the latest of each side, in the blocks that no parser needs yet.
void Lane::keep_evidence(Live& live, Side side, Bytes payload) {
  Kept& kept = live.kept[index_of(side)];
  if (kept.bytes == nullptr) {
    kept.bytes = static_cast<std::uint8_t*>(pool_.take(proto::kEvidenceMax));
    if (kept.bytes == nullptr) {
      ++counters_.pool_empty;
      return;
    }
    kept.capacity = proto::kEvidenceMax;
  }
  kept.size = static_cast<std::uint32_t>(std::min(payload.size(), proto::kEvidenceMax));
  std::memcpy(kept.bytes, payload.data(), kept.size);
}

/// A protocol that rules ask about and that this datagram of the client's alone is certain to be; kUnknownApp if there is none.
AppId Lane::asked_app_of(const Work& work, const proto::Evidence& evidence) const {
  AppId certain = kUnknownApp;
  if (work.side != Side::Client) return certain;
  asked_apps_.for_each([&](AppId id) {
    if (certain == kUnknownApp && id != kUnknownApp && proto::protocol(id).udp && proto::protocol(id).identify != nullptr &&
        proto::protocol(id).identify(evidence) == Match::Yes)
      certain = id;
  });
  return certain;
}

/// The client's datagram by itself.
proto::Evidence Lane::evidence_of(const Work& work, Bytes payload) const {
  const FlowEnds& ends = work.live->flow.ends;
  return {.client = payload, .client_port = ends.client_port, .server_port = ends.server_port, .ip_protocol = ends.protocol,
          .group_destination = work.packet->eth_dst.is_group() || work.layer->dst.is_multicast()};
}

/// A server answers each datagram for itself. Where rules ask about a protocol that this flow was not told to be (it is unknown, or
/// the port is registered for that protocol), a client's datagram may still turn out to be that.
void Lane::identify_anew(Work& work, Bytes payload) {
  Live& live = *work.live;
  AppChain& chain = live.flow.app;
  if (chain.open || chain.count == 0 || !chain.may_extend || work.side != Side::Client) return;
  const proto::Evidence evidence = evidence_of(work, payload);
  if (chain.layers[0] != kUnknownApp && proto::protocol(chain.layers[0]).identify != nullptr &&
      proto::protocol(chain.layers[0]).identify(evidence) != Match::No)
    return;
  const AppId certain = asked_app_of(work, evidence);
  if (certain == kUnknownApp || certain == chain.layers[0]) return;
  chain.count = 0;
  settle_identity(live, certain);
}

}  // namespace weir::engine
