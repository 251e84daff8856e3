// SPDX-License-Identifier: Apache-2.0
#pragma once

// View: everything that policy may look at, in one place, and look_up(), the one way to ask it for a fact by number.
// The matcher, the oracle, `explain` and events all read through here, so they cannot disagree about what is known.

#include <array>

#include "facts/facts.h"
#include "facts/flow.h"
#include "facts/packet.h"
#include "facts/vocabulary.h"

namespace weir {

struct View {
  const Vocabulary* vocabulary = nullptr;
  const Packet* packet = nullptr;
  const IpLayer* layer = nullptr;     ///< The IP layer that is judged; nullptr for frames without IP.
  const FlowFacts* flow = nullptr;    ///< nullptr where the packet belongs to no flow (ARP).
  const Facts* facts = nullptr;       ///< nullptr until something beyond the headers is known.
  const Facts* readings = nullptr;    ///< Readings made for this packet.
  AppId parser = kUnknownApp;         ///< The protocol that describes the flow's bytes now: which layer the facts are of.
  Nanoseconds now_ns = 0;
  Ip outer_from, outer_to;            ///< Ends of the outermost carrier, where packet->layers_count > 1.
  FlawSet flaws;                      ///< The packet's, and those found since (stream, fragments, message).
  /// The bound of undecided payload is reached: what is not yet there counts as absent, app.protocol as unknown.
  bool at_bound = false;
  /// The flow's parser wants no more bytes: facts of its transactions take no new value.
  bool described_all = false;
  /// The datapath tells who has a packet's socket; nullptr where it found nobody.
  bool has_senders = false;
  const Sender* sender = nullptr;
};

/// One fact as it stands now.
struct Fact {
  FactState state = FactState::Absent;
  bool complete = true;             ///< No further value will come in this scope.
  std::uint8_t count = 0;           ///< Values here …
  std::array<Value, 8> values;
  const Facts* more = nullptr;      ///< … or there, under `field`.
  FieldId field = kNoField;

  /// The first value as a number; 0 if nobody kept it.
  std::uint64_t least() const {
    if (count != 0) return values[0].number();
    const Value* kept = more == nullptr ? nullptr : more->value(field);
    return kept == nullptr ? 0 : kept->number();
  }
  template <typename F>
  bool any(F&& call) const {
    for (std::size_t i = 0; i < count; ++i)
      if (call(values[i])) return true;
    return more != nullptr && more->any_value(field, call);
  }
};

/// Whether a fact that is tied to protocols can come with the bytes at hand: the flow speaks one of them, or may yet turn out to.
bool may_come(const View& view, FieldId field);

/// `app.protocol` is answered by the layers that are certain; its candidates are in view.flow->app.
Fact look_up(const View& view, FieldId field);

}  // namespace weir
