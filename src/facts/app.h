// SPDX-License-Identifier: Apache-2.0
#pragma once

// Application protocols by number. The numbers are places in the registry (proto/registry.cc), joined into the
// Vocabulary at start; 0 is always `unknown`. AppSet is the set of candidates that `app.protocol` is until it is certain.

#include <array>
#include <bit>
#include <cstdint>
#include <cstddef>

namespace weir {

using AppId = std::uint16_t;
inline constexpr AppId kUnknownApp = 0;
inline constexpr AppId kNoApp = 0xffff;
inline constexpr std::size_t kAppsMax = 512;

class AppSet {
 public:
  constexpr AppSet() = default;
  static constexpr AppSet of(AppId id) {
    AppSet set;
    set.add(id);
    return set;
  }
  constexpr void add(AppId id) { words_[id / 64U] |= std::uint64_t{1} << (id % 64U); }
  constexpr void remove(AppId id) { words_[id / 64U] &= ~(std::uint64_t{1} << (id % 64U)); }
  constexpr bool has(AppId id) const { return (words_[id / 64U] >> (id % 64U) & 1) != 0; }
  constexpr bool empty() const {
    std::uint64_t any = 0;
    for (std::uint64_t w : words_) any |= w;
    return any == 0;
  }
  constexpr std::size_t size() const {
    std::size_t n = 0;
    for (std::uint64_t w : words_) n += static_cast<std::size_t>(std::popcount(w));
    return n;
  }
  constexpr bool intersects(const AppSet& other) const {
    std::uint64_t any = 0;
    for (std::size_t i = 0; i < words_.size(); ++i) any |= words_[i] & other.words_[i];
    return any != 0;
  }
  constexpr bool inside(const AppSet& other) const {
    std::uint64_t outside = 0;
    for (std::size_t i = 0; i < words_.size(); ++i) outside |= words_[i] & ~other.words_[i];
    return outside == 0;
  }
  constexpr void keep(const AppSet& other) {
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] &= other.words_[i];
  }
  constexpr void add(const AppSet& other) {
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] |= other.words_[i];
  }
  /// Calls with each id, ascending.
  template <typename F>
  constexpr void for_each(F&& call) const {
    for (std::size_t i = 0; i < words_.size(); ++i)
      for (std::uint64_t w = words_[i]; w != 0; w &= w - 1) call(static_cast<AppId>(i * 64 + static_cast<std::size_t>(std::countr_zero(w))));
  }
  /// The smallest id, or kNoApp.
  constexpr AppId first() const {
    for (std::size_t i = 0; i < words_.size(); ++i)
      if (words_[i] != 0) return static_cast<AppId>(i * 64 + static_cast<std::size_t>(std::countr_zero(words_[i])));
    return kNoApp;
  }
  bool operator==(const AppSet&) const = default;

 private:
  std::array<std::uint64_t, kAppsMax / 64> words_{};
};

}  // namespace weir
