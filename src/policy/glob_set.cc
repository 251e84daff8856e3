// SPDX-License-Identifier: Apache-2.0
#include "policy/glob_set.h"

#include <algorithm>
#include <unordered_map>

namespace weir::policy {

namespace {

constexpr std::size_t kFewMax = 8;  // So many are compared one by one.
constexpr std::size_t kPairTableMax = 65536;

struct WindowKey {
  std::uint64_t word = 0;
  std::uint32_t size = 0;
  bool operator==(const WindowKey&) const = default;
};
struct WindowHash {
  std::uint64_t seed;
  std::size_t operator()(const WindowKey& key) const { return mix64(key.word + key.size, seed); }
};

std::uint64_t word_at(std::string_view glob, std::size_t at, std::size_t size, bool fold) {
  const std::uint64_t word = load_word(glob.data() + at, size);
  return fold ? fold_word(word) : word;
}

/// Calls with the beginning and size of each window: runs of bytes that are neither `*` nor `?`, cut into eights that overlap.
template <typename F>
void for_each_window(std::string_view glob, std::size_t window_max, F&& call) {
  for (std::size_t begin = 0; begin < glob.size();) {
    const std::size_t end = std::min(glob.find_first_of("*?", begin), glob.size());
    const std::size_t size = std::min(end - begin, window_max);
    for (std::size_t at = begin; size > 0 && at + size <= end; ++at) call(at, size);
    begin = end + 1;
  }
}

}  // namespace

void GlobSet::build(std::vector<std::string> globs, bool fold_case) {
  *this = GlobSet();
  globs_ = std::move(globs);
  fold_ = fold_case;
  seed_ = fresh_seed();
  const bool few = globs_.size() <= kFewMax;
  std::unordered_map<WindowKey, std::uint32_t, WindowHash> counts(16, WindowHash{seed_});
  if (!few)
    for (const std::string& glob : globs_)
      for_each_window(glob, kWindowMax, [&](std::size_t at, std::size_t size) {
        ++counts[{word_at(glob, at, size, fold_), static_cast<std::uint32_t>(size)}];
      });
  std::vector<Window> windows;
  for (std::uint32_t i = 0; i < globs_.size(); ++i) {
    const std::string& glob = globs_[i];
    Window best;
    std::uint32_t least = UINT32_MAX;
    if (!few)
      for_each_window(glob, kWindowMax, [&](std::size_t at, std::size_t size) {
        const auto bytes = static_cast<std::uint32_t>(size);
        const std::uint64_t word = word_at(glob, at, size, fold_);
        const std::uint32_t count = counts[{word, bytes}];
        if (count > least || (count == least && bytes <= best.window_bytes)) return;
        least = count;
        best = {word, bytes, {i, static_cast<std::uint32_t>(at), Anchor::None}};
      });
    if (best.window_bytes == 0) {
      alone_.push_back(i);
      continue;
    }
    const std::size_t at = best.entry.distance;
    if (at < glob.find('*')) best.entry.anchor = Anchor::Start;
    else if (at > glob.rfind('*'))
      best.entry.anchor = Anchor::End, best.entry.distance = static_cast<std::uint32_t>(glob.size() - at);
    windows.push_back(best);
  }
  fill_table(windows);
}

void GlobSet::fill_table(std::vector<Window>& windows) {
  if (windows.empty()) return;
  std::sort(windows.begin(), windows.end(), [](const Window& a, const Window& b) {
    return a.word != b.word ? a.word < b.word : a.window_bytes < b.window_bytes;
  });
  slots_.resize(std::bit_ceil(windows.size() * 2));
  lengths_by_pair_.resize(std::min(kPairTableMax, std::bit_ceil(windows.size() * 16)));
  Slot* slot = nullptr;
  for (const Window& window : windows) {
    if (slot == nullptr || slot->word != window.word || slot->window_bytes != window.window_bytes) {
      std::size_t at = slot_of(window.word, window.window_bytes);
      while (slots_[at].count != 0) at = (at + 1) & (slots_.size() - 1);
      slot = &slots_[at];
      *slot = {window.word, static_cast<std::uint32_t>(entries_.size()), 0, window.window_bytes, 0};
      const auto bit = static_cast<std::uint8_t>(1U << (window.window_bytes - 1));
      if (window.window_bytes == 1) lengths_by_byte_[window.word & 0xff] |= bit;
      else lengths_by_pair_[pair_of(window.word)] |= bit;
    }
    ++slot->count;
    entries_.push_back(window.entry);
  }
}

void GlobSet::forget_marks() const {
  for (const Slot& slot : slots_) slot.seen = 0;
  scans_ = 1;
}

std::size_t GlobSet::bytes() const {
  std::size_t sum = sizeof *this + alone_.capacity() * sizeof(std::uint32_t) + entries_.capacity() * sizeof(Entry) +
                    slots_.capacity() * sizeof(Slot) + lengths_by_pair_.capacity();
  for (const std::string& glob : globs_) sum += sizeof glob + glob.capacity();
  return sum;
}

}  // namespace weir::policy
