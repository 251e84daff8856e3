// SPDX-License-Identifier: Apache-2.0
// Streams and datagrams to facts: what is read of a flow, by which protocol, until when.

#include <cmath>
#include <cstring>

#include "engine/flow_describer.h"
#include "facts/field_ids.h"
#include "proto/registry.h"
#include "state/tcp.h"

namespace weir::engine {
namespace {

constexpr std::size_t kFirstBytesMax = 16;        ///< Of `payload.first_bytes`.

/// Shannon entropy in bits a byte, rounded to the nearest whole (the fact is a number).
std::uint64_t entropy_bits(Bytes bytes) {
  std::uint32_t counts[256] = {};
  for (const std::uint8_t b : bytes) ++counts[b];
  double bits = 0;
  const double n = static_cast<double>(bytes.size());
  for (const std::uint32_t c : counts)
    if (c != 0) bits -= c / n * std::log2(c / n);
  return static_cast<std::uint64_t>(bits + 0.5);
}

void describe_first_payload(Live& live, Bytes payload) {
  if (live.facts.wanted(field::kPayloadEntropy) && live.facts.state(field::kPayloadEntropy) == FactState::NotYet)
    live.facts.set(field::kPayloadEntropy, Scope::Flow, Value::of_number(entropy_bits(payload)));
  if (live.facts.wanted(field::kPayloadFirstBytes) && live.facts.state(field::kPayloadFirstBytes) == FactState::NotYet) {
    constexpr char kDigits[] = "0123456789abcdef";
    char text[kFirstBytesMax * 2];
    const std::size_t n = std::min(payload.size(), kFirstBytesMax);
    for (std::size_t i = 0; i < n; ++i) text[i * 2] = kDigits[payload[i] >> 4], text[i * 2 + 1] = kDigits[payload[i] & 15];
    live.facts.set(field::kPayloadFirstBytes, Scope::Flow, Value::of_text({text, n * 2}), true);
    live.facts.persist();
  }
}

}  // namespace

void Lane::stop_reading(Live& live) {
  if (!live.reading) return;
  for (state::Stream& stream : live.streams) stream.release(pool_);
  for (Kept& kept : live.kept) {
    if (kept.bytes == nullptr) continue;
    live.facts.persist();
    pool_.release(kept.bytes, kept.capacity);
    kept = Kept{};
  }
  if (live.parser_state != nullptr) pool_.release(live.parser_state, proto::protocol(live.parser).state_bytes);
  live.parser_state = nullptr;
  live.parser_done = true;
  live.reading = false;
}

/// Facts that the innermost protocol still owed will not come.
void Lane::close_missing_facts(Live& live) {
  if (live.parser == kUnknownApp) return;
  for (const FieldRow& row : proto::protocol(live.parser).fields) {
    if (live.facts.complete(row.id)) continue;
    if (live.gap && live.facts.state(row.id) == FactState::NotYet) live.facts.hide(row.id, row.scope);
    else live.facts.close(row.id, row.scope);
  }
  live.facts.close(field::kServerName, Scope::Flow);
  live.facts.close(field::kSniBinding, Scope::Flow);
  live.matched = false;
}

/// A protocol without transactions (a hello, a banner) is reported once, when its parser has said all.
void Lane::tell_of_flow(Work& work) {
  Live& live = *work.live;
  if (live.parser_told || live.parser == kUnknownApp) return;
  live.parser_told = true;
  set_view(work, false);
  sink_.on_transaction(view_, flow_id(flows_.at(work.index)));
}

/// A flow ends, or is denied, within a transaction or a hello: what was read of it is reported all the same. Without a packet its record
/// belongs to no frame.
void Lane::tell_of_rest(const Flow& flow, Live& live, const Packet* packet) {
  if (live.parser == kUnknownApp || (live.parser_told && !live.transaction_open)) return;
  live.parser_told = true;
  live.transaction_open = false;
  Frame none;
  none.time = {.mono_ns = flow.last_ns, .wall_ns = flow.last_wall_ns};
  none.port = flow.port;
  Packet without;
  without.frame = &none;
  View view;
  view.vocabulary = &words_;
  view.packet = packet != nullptr ? packet : &without;
  view.flow = &live.flow;
  view.facts = &live.facts;
  view.parser = live.parser;
  view.now_ns = now_.mono_ns;
  sink_.on_transaction(view, flow_id(flow));
}

void Lane::finish_parser(Work& work) {
  close_missing_facts(*work.live);
  tell_of_flow(work);
  work.live->parser_done = true;
}

void Lane::start_parser(Live& live, AppId app) {
  const proto::Protocol& p = proto::protocol(app);
  if (live.parser_state != nullptr) pool_.release(live.parser_state, proto::protocol(live.parser).state_bytes);
  live.parser_state = nullptr;
  live.parser = app;
  live.parser_done = true;
  live.parser_told = false;
  if (host_ != nullptr && p.teaches == proto::Teaches::Names) note_resolver(flows_.at(current_->index));
  if (p.parse == nullptr) return;
  // What only rules ask for is of no interest on a flow whose verdict they cannot change any more.
  const bool settled = flows_.at(current_->index).settled || (current_->settles && !current_->uncertain);
  const FieldSet& of_interest = settled ? options_.event_fields : wanted_;
  bool asked = p.may_extend || teachers_.has(app) || (rules_->counts_requests() && !settled);
  for (const FieldRow& row : p.fields) asked = asked || of_interest.test(row.id);
  for (const FieldId shared : p.shared) asked = asked || of_interest.test(shared);
  if (!asked) return;
  if (p.state_bytes != 0) {
    live.parser_state = pool_.take(p.state_bytes);
    if (live.parser_state == nullptr) {
      ++counters_.pool_empty;
      for (const FieldRow& row : p.fields) live.facts.hide(row.id, row.scope);
      return;
    }
    std::memset(live.parser_state, 0, p.state_bytes);
  }
  live.parser_done = false;
}

void Lane::read_datagram(Work& work) {
  Live& live = *work.live;
  if (!live.reading) return;
  const IpLayer& layer = *work.layer;
  const Bytes payload = work.packet->payload(layer);
  if (payload.empty()) return;
  AppChain& chain = live.flow.app;
  identify_anew(work, payload);
  if (work.side == Side::Client) describe_first_payload(live, payload);
  if (chain.open) {
    if (!work.created) {
      identify_datagram(work, payload);
      // Noise that might become one protocol must not cover another that has had its turn.
      if (work.first_app == kUnknownApp) work.first_app = asked_app_of(work, evidence_of(work, payload));
    }
    ++live.datagrams;
    live.matched = false;
    if (work.first_app != kUnknownApp) {
      for (Kept& kept : live.kept) kept.size = 0;
      settle_identity(live, work.first_app);
      if (work.first_use != kUnknownApp && chain.count < kChainMax) chain.layers[chain.count++] = work.first_use;
    } else {
      // Candidates that have had their datagrams are out.
      AppSet left = AppSet::of(kUnknownApp);
      chain.candidates.for_each([&](AppId id) {
        if (id != kUnknownApp && proto::protocol(id).datagrams_max > live.datagrams) left.add(id);
      });
      chain.candidates = left;
      if (left.size() == 1) settle_identity(live, kUnknownApp);
      else keep_evidence(live, work.side, payload);
    }
  } else if (chain.count == 1 && live.parser == kUnknownApp && chain.layers[0] != kUnknownApp) {
    start_parser(live, chain.layers[0]);
  }
  if (live.parser_done || live.parser == kUnknownApp || chain.open) return;
  const proto::Protocol& p = proto::protocol(live.parser);
  FlowDescriber describer(*this, work, p);
  const proto::Input input{.side = work.side, .bytes = payload, .end = false, .datagram = true,
                           .truncated = layer.payload_wire_bytes > layer.payload_bytes, .now = now_};
  const proto::Progress progress = p.parse(live.parser_state, input, describer);
  if (progress.done) finish_parser(work);
  else if (describer.carried() && !work.denied) read_carried_datagram(work, payload);
}

/// What a protocol hands over to begins with the datagram that made it do so.
void Lane::read_carried_datagram(Work& work, Bytes payload) {
  Live& live = *work.live;
  tell_of_flow(work);
  identify_datagram(work, payload);
  settle_identity(live, work.first_app);
  if (live.parser_done || live.parser == kUnknownApp) return;
  const proto::Protocol& p = proto::protocol(live.parser);
  FlowDescriber describer(*this, work, p);
  const proto::Input input{.side = work.side, .bytes = payload, .end = false, .datagram = true,
                           .truncated = work.layer->payload_wire_bytes > work.layer->payload_bytes, .now = now_};
  if (p.parse(live.parser_state, input, describer).done) finish_parser(work);
}

/// `lost` bytes of that side will never come by here.
void Lane::lose_bytes(Work& work, Side side, std::uint64_t lost) {
  Live& live = *work.live;
  if (lost == 0) return;
  ++counters_.streams_lost;
  live.gap = true;
  live.matched = false;
  if (live.flow.app.open) {
    identify_stream(work, true);
    return;
  }
  if (live.parser_done) return;
  const proto::Protocol& p = proto::protocol(live.parser);
  if (p.resync != nullptr && p.resync(live.parser_state, side, lost)) return;
  if (side == Side::Server) {
    // What the client asks is read on: a client may not end that by acknowledging what it does not have.
    live.lost[1] = true;
    return;
  }
  finish_parser(work);
}

/// Gives the parser what is in order on one side, layer after layer.
void Lane::feed(Work& work, Side side) {
  Live& live = *work.live;
  for (int rounds = 0; rounds < 16; ++rounds) {
    if (work.denied) return;
    if (live.flow.app.open) {
      if (!identify_stream(work, false)) return;
      // What one side said waited until the other side's answer told the protocol (SOCKS): who spoke first is read first.
      const Side first = live.server_first ? Side::Server : Side::Client;
      if (side != first && live.flow.app.count == 1 && !live.streams[index_of(first)].ready().empty()) {
        feed(work, first);
        if (work.denied) return;
      }
    }
    if (live.parser_done || live.parser == kUnknownApp) return;
    const proto::Protocol& p = proto::protocol(live.parser);
    state::Stream& stream = live.streams[index_of(side)];
    const Bytes ready = stream.ready();
    const bool end = live.ended[index_of(side)] && stream.consumed() <= stream.in_order_end();
    if (ready.empty() && !end) return;
    if (live.lost[index_of(side)]) {
      stream.consume(ready.size());
      return;
    }
    if (side == Side::Client && live.transaction_ended && !ready.empty()) {
      // The next transaction begins with its first byte, whenever its parser can say what it is.
      live.facts.reset(Scope::Transaction);
      live.transaction_ended = false;
    }
    const AppId parser = live.parser;
    FlowDescriber describer(*this, work, p);
    const proto::Input input{.side = side, .bytes = ready, .end = end, .datagram = false, .truncated = false, .now = now_};
    const proto::Progress progress = p.parse(live.parser_state, input, describer);
    live.facts.persist();
    stream.consume(std::min(progress.consumed, ready.size()));
    if (progress.skip != 0) stream.skip(progress.skip);
    if (describer.stopped()) return;
    if (progress.done) {
      finish_parser(work);
      return;
    }
    if (describer.carried()) {
      tell_of_flow(work);
      // Both sides go on with the next layer: the other one's bytes may be waiting.
      if (!identify_stream(work, false)) return;
      feed(work, other(side));
      continue;
    }
    if (live.parser != parser) continue;
    if (progress.consumed == 0 && progress.skip == 0) {
      if (ready.size() >= proto::kUnconsumedMax) {
        live.gap = true;
        finish_parser(work);
      }
      return;
    }
    if (stream.ready().empty() && !end) return;
    if (end && stream.ready().empty()) return;
  }
}

void Lane::read_tcp(Work& work) {
  Live& live = *work.live;
  if (!live.reading) return;
  const IpLayer& layer = *work.layer;
  const Flow& flow = flows_.at(work.index);
  const std::size_t s = index_of(work.side);
  state::Stream& stream = live.streams[s];
  const bool syn = (layer.tcp_flags & tcp_flag::kSyn) != 0;
  const std::uint32_t sequence = layer.tcp_seq + (syn ? 1U : 0U);
  if ((layer.tcp_flags & tcp_flag::kAck) != 0) {
    state::Stream& acked = live.streams[1 - s];
    if (acked.started() && acked.acknowledge(layer.tcp_ack)) {
      lose_bytes(work, other(work.side), acked.pass_hole(pool_));
      feed(work, other(work.side));
      if (work.denied) return;
    }
  }
  const Bytes payload = work.packet->payload(layer);
  const bool fin = (layer.tcp_flags & tcp_flag::kFin) != 0;
  if (payload.empty() && !fin) return wind_up(flow, live);
  if (!stream.started()) stream.start(flow.tcp[s].seen && !flow.picked_up ? flow.tcp[s].initial : sequence);
  if (!payload.empty()) {
    if (live.streams[0].in_order_end() == 0 && live.streams[1].in_order_end() == 0) live.server_first = work.side == Side::Server;
    // The other end is seen, or will be: the handshake came by. Of a flow picked up in its middle, and of one whose server never
    // speaks, only one direction may pass here.
    const bool both_seen = flow.tcp[1 - s].seen;
    state::Stream::Outcome outcome = stream.insert(pool_, sequence, payload, both_seen);
    if (outcome.insert == state::Stream::Insert::NoRoom && stream.hole_acknowledged_before(sequence)) {
      // It lies too far ahead, but what is missing before it was acknowledged: it went by elsewhere (or the capture lost it).
      lose_bytes(work, work.side, stream.pass_hole(pool_, sequence));
      outcome = stream.insert(pool_, sequence, payload, both_seen);
    }
    const bool from_nowhere = !flow.picked_up && outcome.before_start;
    const bool untold = outcome.unverifiable && both_seen && work.side == Side::Client;
    if (outcome.conflict || from_nowhere || untold) {
      work.flaws.add(Flaw::Conflict);
      ++counters_.flaws[static_cast<std::size_t>(Flaw::Conflict)];
      view_.flaws.add(Flaw::Conflict);
      live.matched = false;
    }
    if (outcome.insert == state::Stream::Insert::Waiting && stream.hole_acknowledged()) lose_bytes(work, work.side, stream.pass_hole(pool_));
    if (outcome.insert == state::Stream::Insert::NoRoom) {
      // Of a server's bytes on a flow that was picked up nothing was whole from the start; what comes late there goes on unread.
      // What is larger than all that is ever kept (BIG TCP) would not fit the next time either.
      const bool patchy = (flow.picked_up && work.side == Side::Server) || payload.size() > state::Stream::kWindowMax / 2;
      if (both_seen && live.reading && !flow.settled && !patchy) {
        // Nothing proves that what is missing will not come: this segment waits its turn, TCP sends it again.
        work.denied = work.no_room = true;
        work.verdict = Verdict::Drop;
        work.reason = Reason::TableFull;
        work.reach = policy::Reach::Packet;
        work.rule = kNoRule;
        work.learns = false;
        return;
      }
      lose_bytes(work, work.side, stream.lies_ahead(sequence) ? stream.pass_hole(pool_, sequence) : stream.pass_hole(pool_));
      stream.insert(pool_, sequence, payload, false);
    }
    if (work.side == Side::Client) {
      if (outcome.insert == state::Stream::Insert::Fresh || outcome.insert == state::Stream::Insert::Waiting) {
        live.client_payload_bytes += payload.size();
      }
      if (stream.consumed() == 0 && !stream.ready().empty()) describe_first_payload(live, stream.ready());
    }
    if (layer.payload_wire_bytes > layer.payload_bytes) {
      // A snapped capture: the rest of the segment is lost for good.
      live.gap = true;
    }
  }
  if (fin && !stream.has_hole()) live.ended[s] = true;
  feed(work, work.side);
  // Bytes of the other side may have waited for these (a client that spoke before its CONNECT or STARTTLS was answered).
  if (!work.denied && !live.parser_done && !live.streams[1 - s].ready().empty()) feed(work, other(work.side));
  if (live.flow.app.count != 0 && !live.flow.app.confirmed && !live.flow.app.open && live.streams[0].in_order_end() != 0 &&
      live.streams[1].in_order_end() != 0) {
    live.flow.app.confirmed = true;
    live.matched = false;
  }
  wind_up(flow, live);
}

/// Where nothing more is read: what was is compared with what still comes until its receiver has it.
void Lane::wind_up(const Flow& flow, Live& live) {
  if (!live.parser_done || live.flow.app.open || live.flow.app.may_extend) return;
  for (state::Stream& each : live.streams) each.skip_rest();
  if (evidence_settled(flow, live)) stop_reading(live);
}

/// What was read of each side is acknowledged by the other, or there is no other to be seen (a flow picked up, one way).
bool Lane::evidence_settled(const Flow& flow, const Live& live) const {
  for (std::size_t s = 0; s < 2; ++s) {
    if (!live.streams[s].started() || live.streams[s].evidence_settled()) continue;
    if (!(flow.picked_up && !flow.tcp[1 - s].seen)) return false;
  }
  return true;
}

/// The verdict rests on what was read so far: it is final once that is acknowledged.
bool Lane::may_settle(const Flow& flow, Live& live) {
  if (flow.ends.protocol != ip_protocol::kTcp || !live.reading) return true;
  if (!live.settling) {
    live.settling = true;
    for (std::size_t s = 0; s < 2; ++s) live.settle_at[s] = live.streams[s].in_order_end();
  }
  for (std::size_t s = 0; s < 2; ++s) {
    if (!live.streams[s].started() || live.streams[s].acked() >= live.settle_at[s]) continue;
    if (!(flow.picked_up && !flow.tcp[1 - s].seen)) return false;
  }
  return true;
}

}  // namespace weir::engine
