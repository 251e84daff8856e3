// SPDX-License-Identifier: Apache-2.0
#pragma once

// GlobSet: many globs asked at once. `*` is any run of bytes, `?` any one byte, and a glob matches the whole text.
//
// 1. Each glob is known by one *window*: up to eight bytes that stand in it as they are, those that the fewest of the globs have.
// 2. One pass over the text finds the windows in it; only globs whose window is there are compared, each at most once, and one
// whose
//    window has a fixed distance from the beginning or the end only there.
// 3. Globs without any such byte (`*?`), and the globs of a set of few, are compared one by one.
//
// So ten thousand globs cost about what few do, unless the text holds what very many of them have as their rarest bytes.
// Building is linear in the globs' bytes. Asking allocates nothing.
//
// Threads: asking writes marks that belong to the set; one engine lane uses a set at a time (as TextSet).

#include <array>
#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "policy/fold.h"

namespace weir::policy {

class GlobSet {
 public:
  void build(std::vector<std::string> globs, bool fold_case);

  /// Calls with the place of each glob that matches, in no order, none twice, until it answers true; true if one did.
  template <typename F>
  bool any(std::string_view text, F&& call) const {
    for (const std::uint32_t i : alone_)
      if (glob_matches(globs_[i], text, fold_) && call(i)) return true;
    return !slots_.empty() && scan(text, call);
  }
  bool contains(std::string_view text) const {
    return any(text, [](std::uint32_t) { return true; });
  }
  /// The first of those that match, by place; kNone if none does.
  static constexpr std::uint32_t kNone = UINT32_MAX;
  std::uint32_t first(std::string_view text) const {
    std::uint32_t least = kNone;
    any(text, [&](std::uint32_t i) { return least = i < least ? i : least, false; });
    return least;
  }
  bool operator==(const GlobSet& other) const { return fold_ == other.fold_ && globs_ == other.globs_; }
  const std::string& glob(std::uint32_t place) const { return globs_[place]; }
  std::size_t size() const { return globs_.size(); }
  std::size_t bytes() const;

 private:
  static constexpr std::size_t kWindowMax = 8;

  enum class Anchor : std::uint8_t { Start, End, None };
  struct Entry {
    std::uint32_t glob = 0;
    std::uint32_t distance = 0;  ///< Start: bytes before the window. End: bytes from its beginning to the end of the text.
    Anchor anchor = Anchor::None;
  };
  struct Slot {
    std::uint64_t word = 0;
    std::uint32_t first = 0, count = 0;  ///< Entries; none: the slot is free.
    std::uint32_t window_bytes = 0;
    mutable std::uint32_t seen = 0;      ///< The scan that met this window last.
  };
  struct Window {
    std::uint64_t word = 0;
    std::uint32_t window_bytes = 0;
    Entry entry;
  };

  static std::uint64_t cut(std::uint64_t word, std::size_t size) {
    return size >= kWindowMax ? word : word & ((std::uint64_t{1} << (size * 8)) - 1);
  }
  std::size_t slot_of(std::uint64_t word, std::size_t size) const { return mix64(word + size, seed_) & (slots_.size() - 1); }
  std::size_t pair_of(std::uint64_t word) const { return ((word & 0xffff) * 0x9E3779B1U >> 15) & (lengths_by_pair_.size() - 1); }
  const Slot* find(std::uint64_t word, std::size_t size) const {
    for (std::size_t at = slot_of(word, size); slots_[at].count != 0; at = (at + 1) & (slots_.size() - 1))
      if (slots_[at].word == word && slots_[at].window_bytes == size) return &slots_[at];
    return nullptr;
  }
  void fill_table(std::vector<Window>& windows);

  template <typename F>
  bool scan(std::string_view text, F&& call) const {
    if (++scans_ == 0) forget_marks();
    for (std::size_t at = 0; at < text.size(); ++at) {
      const std::size_t left = text.size() - at;
      std::uint64_t word = load_word(text.data() + at, left < kWindowMax ? left : kWindowMax);
      if (fold_) word = fold_word(word);
      std::uint32_t lengths = lengths_by_byte_[word & 0xff] | (left > 1 ? lengths_by_pair_[pair_of(word)] : 0U);
      for (; lengths != 0; lengths &= lengths - 1) {
        const std::size_t size = static_cast<std::size_t>(std::countr_zero(lengths)) + 1;
        if (size > left) break;
        const Slot* slot = find(cut(word, size), size);
        if (slot == nullptr) continue;
        const bool again = slot->seen == scans_;
        slot->seen = scans_;
        for (std::uint32_t e = slot->first; e < slot->first + slot->count; ++e) {
          const Entry& entry = entries_[e];
          const bool here = entry.anchor == Anchor::None ? !again : entry.distance == (entry.anchor == Anchor::Start ? at : left);
          if (here && glob_matches(globs_[entry.glob], text, fold_) && call(entry.glob)) return true;
        }
      }
    }
    return false;
  }
  void forget_marks() const;

  bool fold_ = false;
  std::uint64_t seed_ = 0;
  std::vector<std::string> globs_;
  std::vector<std::uint32_t> alone_;
  std::vector<Entry> entries_;
  std::vector<Slot> slots_;  ///< At most half are used.
  std::array<std::uint8_t, 256> lengths_by_byte_{};  ///< Bit 0: a window of this one byte.
  std::vector<std::uint8_t> lengths_by_pair_;        ///< Bit n - 1: a window of n bytes may begin with such a pair.
  mutable std::uint32_t scans_ = 0;
};

}  // namespace weir::policy
