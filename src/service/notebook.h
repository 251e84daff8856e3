// SPDX-License-Identifier: Apache-2.0
#pragma once

// Notebook: what was known when the last alerts came about, so that a person can ask why (`weir explain EVENT-ID`). The lane copies plain
// bytes into a ring of fixed size, and nothing is explained before somebody asks. An alert's id is the number of its frame, `pcap_cnt`.
//
// What does not fit a note (a frame's tail, long texts) is left out; the note says so.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/slab_pool.h"
#include "engine/engine.h"
#include "policy/explain.h"

namespace weir::service {

struct Note {
  static constexpr std::size_t kFrameBytesMax = 1536, kTextBytesMax = 1024, kValuesMax = 48, kReadingsMax = 24;
  struct Kept {
    FieldId field;
    Scope scope;
    std::uint16_t text_at, text_bytes;
    Value value;
  };

  engine::AlertRecord alert;
  std::uint32_t generation = 0;
  bool cut = false;           ///< Something did not fit.
  bool has_flow = false, has_facts = false, at_bound = false, described_all = false;
  std::uint8_t depth = 0;     ///< The layer that was judged.
  AppId parser = kUnknownApp;
  Ip outer_from, outer_to;
  FlawSet flaws;
  FlowFacts flow;
  Time time;
  LinkType link = LinkType::Ethernet;
  std::uint32_t wire_bytes = 0;
  std::uint16_t frame_bytes = 0, text_bytes = 0;
  std::uint8_t values_count = 0, readings_count = 0;
  FieldSet closed, hidden;
  std::array<Kept, kValuesMax> values;
  std::array<Kept, kReadingsMax> readings;
  std::array<char, kTextBytesMax> text;
  std::array<std::uint8_t, kFrameBytesMax> frame;
};

/// A note as the engine would have shown it. Not to be moved once made.
class Recollection {
 public:
  explicit Recollection(const Note& note);
  Recollection(const Recollection&) = delete;
  Recollection& operator=(const Recollection&) = delete;
  const View& view() const { return view_; }
  /// What was decided, as the alert tells it.
  policy::Outcome outcome() const;

 private:
  const Note& note_;
  FieldSet all_;
  SlabPool pool_;
  Facts facts_, readings_;
  Frame frame_;
  Packet packet_;
  View view_;
};

class Notebook {
 public:
  static constexpr std::size_t kNotesMax = 1024;
  Notebook() : notes_(kNotesMax) {}

  /// The lane, while the alert is told: `view` is what the engine judges now; nothing is kept if that is another frame.
  void keep(const engine::AlertRecord& alert, const View* view, std::uint32_t generation);
  /// The note of that frame, the latest if there are several; nullptr if it is not (any more) there.
  const Note* find(std::uint64_t frame) const;
  std::uint64_t kept() const { return kept_; }

 private:
  std::vector<Note> notes_;
  std::uint64_t kept_ = 0;
};

}  // namespace weir::service
