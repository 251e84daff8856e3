// SPDX-License-Identifier: Apache-2.0
#include "policy/name_set.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <vector>

#include "base/check.h"
#include "policy/fold.h"

namespace weir::policy {

namespace {

constexpr std::size_t kNameMax = 253, kLabelMax = 63;  // So at most 127 labels.
constexpr std::size_t kGroup = 8, kGroupFill = 6;  // Tags looked at together; how many of them are used on average.
constexpr std::uint64_t kEach = 0x0101010101010101ULL;

// Bits of an entry, beside the two of Reach.
constexpr unsigned kReachBits = 3, kExempt = 4, kAlways = 8, kEntryBits = 4;

/// A name in lower case, without its trailing dot, cut into labels from the right, with the hash of each suffix.
class FoldedName {
 public:
  /// False if it is no name.
  bool assign(std::string_view name) {
    if (!name.empty() && name.back() == '.') name.remove_suffix(1);
    if (name.empty() || name.size() > kNameMax) return false;
    size_ = name.size();
    std::size_t at = 0;
    for (; at + 8 <= size_; at += 8) store(at, load_word(name.data() + at, 8));
    store(at, load_word(name.data() + at, size_ - at));
    return true;
  }
  /// Calls with (start, depth, hash) for each suffix, shortest first, until `call` says false. False if a label, of the
  /// whole name, is empty or too long.
  template <typename F>
  bool each_suffix(std::uint64_t seed, F&& call) const {
    std::size_t end = size_, depth = 0;
    std::uint64_t hash = seed;
    while (true) {
      const std::size_t start = label_start(end), length = end - start;
      if (length == 0 || length > kLabelMax) return false;
      hash = hash_label(hash, start, length);
      ++depth;
      if (!call(start, depth, hash)) return start == 0 || well_formed(start - 1);
      if (start == 0) return true;
      end = start - 1;
    }
  }
  bool well_formed() const { return well_formed(size_); }
  std::string_view from(std::size_t start) const { return {text_.data() + start, size_ - start}; }

 private:
  std::size_t label_start(std::size_t end) const {
    while (end > 0 && text_[end - 1] != '.') --end;
    return end;
  }
  bool well_formed(std::size_t end) const {
    while (true) {
      const std::size_t start = label_start(end);
      if (start == end || end - start > kLabelMax) return false;
      if (start == 0) return true;
      end = start - 1;
    }
  }
  void store(std::size_t at, std::uint64_t word) {
    word = fold_word(word);
    std::memcpy(&text_[at], &word, 8);
  }
  // Whole words, then one with the rest and the length in its top byte: no two labels give the same words.
  std::uint64_t hash_label(std::uint64_t hash, std::size_t at, std::size_t length) const {
    std::size_t left = length;
    for (; left >= 8; at += 8, left -= 8) hash = mix64(hash, load_word(&text_[at], 8));
    const std::uint64_t kept = (std::uint64_t{1} << (left * 8)) - 1;
    return mix64(hash, (load_word(&text_[at], 8) & kept) | std::uint64_t{length} << 56);
  }

  std::array<char, 264> text_;  // Room for a word that begins at the last byte. Never read beyond what assign wrote.
  std::size_t size_ = 0;
};

/// Entries one after the other: varint (line, then kEntryBits bits), length, name. In chunks, so that growing copies nothing
/// and takes no memory twice; an entry does not cross chunks.
class Arena {
 public:
  bool operator==(const Arena& other) const { return chunks_ == other.chunks_; }

  struct Entry {
    std::string_view name;
    std::uint32_t line;
    unsigned bits;
  };
  static constexpr std::size_t kChunkBits = 20, kChunk = std::size_t{1} << kChunkBits;

  /// False if the arena is full (4 GiB).
  bool add(std::string_view name, unsigned bits, std::uint32_t line) {
    std::array<char, 6> head;
    std::size_t head_size = 0;
    std::uint64_t number = std::uint64_t{line} << kEntryBits | bits;
    for (; number >= 0x80; number >>= 7) head[head_size++] = static_cast<char>(number | 0x80);
    head[head_size++] = static_cast<char>(number);
    const std::size_t need = head_size + 1 + name.size();
    if (chunks_.empty() || chunks_.back().size() + need > kChunk) {
      if (chunks_.size() == (std::size_t{1} << (32 - kChunkBits))) return false;
      chunks_.emplace_back();
      if (chunks_.size() > 1) chunks_.back().reserve(kChunk);
    }
    std::string& chunk = chunks_.back();
    chunk.append(head.data(), head_size);
    chunk.push_back(static_cast<char>(name.size()));
    chunk.append(name);
    return true;
  }
  Entry at(std::uint32_t offset) const {
    const char* p = chunks_[offset >> kChunkBits].data() + (offset & (kChunk - 1));
    std::uint64_t number = 0;
    for (unsigned shift = 0;; shift += 7) {
      const auto byte = static_cast<std::uint8_t>(*p++);
      number |= std::uint64_t{byte & 0x7fU} << shift;
      if (byte < 0x80) break;
    }
    const auto size = static_cast<std::uint8_t>(*p++);
    return {{p, size}, static_cast<std::uint32_t>(number >> kEntryBits), static_cast<unsigned>(number) & ((1U << kEntryBits) - 1)};
  }
  template <typename F>
  void for_each(F&& call) const {
    for (std::size_t i = 0; i < chunks_.size(); ++i) {
      for (std::size_t within = 0; within < chunks_[i].size();) {
        const auto offset = static_cast<std::uint32_t>(i << kChunkBits | within);
        const Entry entry = at(offset);
        call(offset, entry);
        within = static_cast<std::size_t>(entry.name.data() - chunks_[i].data()) + entry.name.size();
      }
    }
  }
  void trim() {
    if (!chunks_.empty()) chunks_.back().shrink_to_fit();
    chunks_.shrink_to_fit();
  }
  std::size_t bytes() const {
    std::size_t sum = chunks_.capacity() * sizeof(std::string);
    for (const std::string& chunk : chunks_) sum += chunk.capacity();
    return sum;
  }

 private:
  std::vector<std::string> chunks_;
};

std::string written(const Arena::Entry& entry) {
  const unsigned reach = entry.bits & kReachBits;
  return std::string(reach == 3 ? "." : reach == 2 ? "*." : "").append(entry.name);
}

}  // namespace

struct NameSet::Table {
  Arena arena;
  std::size_t added = 0;  ///< Entries in the arena.
  std::size_t entries = 0;
  bool has_exempt = false;
  std::uint64_t seed = 0;
  std::uint64_t groups = 0;
  std::vector<std::uint64_t> tags;     ///< A word a group; 0 is a free place.
  std::vector<std::uint32_t> offsets;  ///< Eight a group.
  std::array<std::uint64_t, 2> exact_depths{}, below_depths{};  ///< Bit n: an entry of n labels.

  bool add(std::string_view name, unsigned bits, std::uint32_t line) {
    FoldedName folded;
    if (!folded.assign(name) || !folded.well_formed()) return false;
    if (!arena.add(folded.from(0), bits, line)) return false;
    ++added;
    return true;
  }

  static std::uint64_t tag_of(std::uint64_t hash) { return std::max<std::uint64_t>(hash & 0xff, 1); }
  std::uint64_t group_of(std::uint64_t hash) const { return ((hash >> 32) * groups) >> 32; }

  /// Calls with each entry under `name` until `call` says false. There is always a free place, so it ends.
  template <typename F>
  void each_entry(std::string_view name, std::uint64_t hash, F&& call) const {
    const std::uint64_t tag = tag_of(hash) * kEach;
    for (std::uint64_t group = group_of(hash);; group = group + 1 == groups ? 0 : group + 1) {
      const std::uint64_t word = tags[group], different = word ^ tag;
      // Marks every byte that is zero; a byte above such a one may be marked wrongly, which the comparison finds out.
      for (std::uint64_t same = (different - kEach) & ~different & (kEach * 0x80); same != 0; same &= same - 1) {
        const auto place = static_cast<std::size_t>(std::countr_zero(same)) / 8;
        if ((word >> (place * 8) & 0xff) == 0) continue;
        const Arena::Entry entry = arena.at(offsets[group * kGroup + place]);
        if (entry.name == name && !call(entry)) return;
      }
      if (word >> 56 == 0) return;  // Groups fill from below.
    }
  }

  void insert(std::uint32_t offset, std::uint64_t hash) {
    std::uint64_t group = group_of(hash);
    while (tags[group] >> 56 != 0) group = group + 1 == groups ? 0 : group + 1;
    const auto place = static_cast<std::size_t>(8 - std::countl_zero(tags[group]) / 8);
    tags[group] |= tag_of(hash) << (place * 8);
    offsets[group * kGroup + place] = offset;
  }

  void build() {
    arena.trim();
    seed = fresh_seed();
    groups = added / kGroupFill + 1;
    tags.assign(groups, 0);
    offsets.assign(groups * kGroup, 0);
    arena.for_each([&](std::uint32_t offset, const Arena::Entry& entry) {
      FoldedName folded;
      CHECK(folded.assign(entry.name));
      std::uint64_t hash = 0;
      std::size_t depth = 0;
      folded.each_suffix(seed, [&](std::size_t, std::size_t d, std::uint64_t h) {
        hash = h, depth = d;
        return true;
      });
      bool known = false;
      each_entry(entry.name, hash, [&](const Arena::Entry& other) { return !(known = other.bits == entry.bits); });
      if (known) return;
      insert(offset, hash);
      if ((entry.bits & 1) != 0) exact_depths[depth / 64] |= std::uint64_t{1} << (depth % 64);
      if ((entry.bits & 2) != 0) below_depths[depth / 64] |= std::uint64_t{1} << (depth % 64);
      if ((entry.bits & kExempt) != 0) has_exempt = true;
      else ++entries;
    });
  }

  /// The entry that decides, `call`ed once. True if the name is in the set.
  template <typename F>
  bool match(std::string_view name, bool first_will_do, F&& call) const {
    FoldedName folded;
    if (entries == 0 || !folded.assign(name)) return false;
    bool in = false, exempt = false;
    Arena::Entry best{};
    const bool stop_early = first_will_do && !has_exempt;
    const bool well_formed = folded.each_suffix(seed, [&](std::size_t start, std::size_t depth, std::uint64_t hash) {
      const unsigned reach = start == 0 ? 1 : 2;
      const auto& depths = start == 0 ? exact_depths : below_depths;
      if ((depths[depth / 64] >> (depth % 64) & 1) == 0) return true;
      bool block_here = false, exempt_here = false;
      each_entry(folded.from(start), hash, [&](const Arena::Entry& entry) {
        if ((entry.bits & reach) == 0) return true;
        if ((entry.bits & kExempt) != 0) {
          exempt_here = true;
          if ((entry.bits & kAlways) != 0) exempt = true;
        } else if (!block_here || entry.line < best.line) {
          block_here = true;
          best = entry;
        }
        return !(stop_early && block_here);
      });
      if (exempt_here) in = false;
      else if (block_here) in = true;
      return !(stop_early && in);
    });
    if (!in || exempt || !well_formed) return false;
    call(best);
    return true;
  }
};

NameSet::NameSet() = default;
NameSet::NameSet(NameSet&&) noexcept = default;
NameSet& NameSet::operator=(NameSet&&) noexcept = default;
NameSet::~NameSet() = default;

bool NameSet::contains(std::string_view name) const {
  return table_ != nullptr && table_->match(name, true, [](const Arena::Entry&) {});
}

std::optional<NameSet::Hit> NameSet::find(std::string_view name) const {
  std::optional<Hit> hit;
  if (table_ != nullptr)
    table_->match(name, false, [&](const Arena::Entry& entry) { hit = Hit{.name = written(entry), .line = entry.line}; });
  return hit;
}

bool NameSet::same_as(const NameSet& other) const {
  if (table_ == nullptr || other.table_ == nullptr) return table_ == other.table_;
  return table_->arena == other.table_->arena;
}

std::size_t NameSet::size() const { return table_ == nullptr ? 0 : table_->entries; }

std::size_t NameSet::bytes() const {
  if (table_ == nullptr) return sizeof *this;
  return sizeof *this + sizeof *table_ + table_->arena.bytes() + table_->tags.capacity() * 8 + table_->offsets.capacity() * 4;
}

void NameSet::for_each(const std::function<void(std::string_view, Reach, std::uint32_t)>& call) const {
  if (table_ == nullptr) return;
  table_->arena.for_each([&](std::uint32_t, const Arena::Entry& entry) {
    if ((entry.bits & kExempt) == 0) call(entry.name, static_cast<Reach>(entry.bits & kReachBits), entry.line);
  });
}

NameSet::Builder::Builder() : table_(std::make_unique<Table>()) {}
NameSet::Builder::~Builder() = default;

bool NameSet::Builder::add(std::string_view name, Reach reach, std::uint32_t line) {
  return table_->add(name, static_cast<unsigned>(reach), line);
}

bool NameSet::Builder::add_written(std::string_view written, std::uint32_t line) {
  if (written.starts_with("*.")) return add(written.substr(2), Reach::Below, line);
  if (written.starts_with('.')) return add(written.substr(1), Reach::ExactAndBelow, line);
  return add(written, Reach::Exact, line);
}

bool NameSet::Builder::exempt(std::string_view name, Reach reach, Exempt exempt) {
  return table_->add(name, static_cast<unsigned>(reach) | kExempt | (exempt == Exempt::Always ? kAlways : 0), 0);
}

NameSet NameSet::Builder::build() {
  table_->build();
  NameSet set;
  set.table_ = std::move(table_);
  table_ = std::make_unique<Table>();
  return set;
}

}  // namespace weir::policy
