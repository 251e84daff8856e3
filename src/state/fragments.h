// SPDX-License-Identifier: Apache-2.0
#pragma once

// Fragments: IP datagrams put together again, IPv4 and IPv6, under budgets.
//
// A datagram is judged whole: its fragments wait until all are there and then share one verdict. Overlaps drop the whole
// datagram, for IPv4 too (RFC 5722). What is not whole after kWaitMax is given up: the caller says under which name.
// Bounds: kDatagramsMax at a time (the oldest is given up), kFramesMax fragments and 65,535 bytes each, all from the pool.

#include <array>
#include <cstdint>
#include <memory>

#include "base/address.h"
#include "base/slab_pool.h"
#include "facts/frame.h"

namespace weir::state {

struct FragmentKey {
  Ip src, dst;
  std::uint32_t id = 0, domain = 0;
  std::uint8_t protocol = 0;  ///< Zero in IPv6, where it is not part of the key.
  bool operator==(const FragmentKey&) const = default;
};

struct FragmentFrame {
  std::uint64_t number = 0;
  PortIndex port = kNoPort;
  Nanoseconds wall_ns = 0;
};

class Fragments {
 public:
  static constexpr std::size_t kDatagramsMax = 256, kFramesMax = 64, kHeaderMax = 128, kRangesMax = 64;
  static constexpr Nanoseconds kWaitMax = 30 * kSecond;

  struct Datagram {
    bool has_first = false, poisoned = false;
    FragmentKey key;
    std::uint8_t* bytes = nullptr;
    std::uint32_t capacity = 0, total = 0;  ///< total: 0 until the last fragment is there.
    std::uint32_t received = 0;
    std::uint8_t header[kHeaderMax];  ///< IP headers of the first fragment, as they came.
    std::uint8_t header_bytes = 0;
    std::uint8_t frames_count = 0, ranges_count = 0;
    std::array<FragmentFrame, kFramesMax> frames;
    struct Range {
      std::uint32_t begin, end;
    };
    std::array<Range, kRangesMax> ranges;
  };

  enum class Added : std::uint8_t { Waiting, Whole, Overlap, Poisoned, NoRoom };
  struct Result {
    Added added = Added::Waiting;
    Datagram* datagram = nullptr;  ///< Whole, Overlap: its frames are to be decided; then call release().
  };

  explicit Fragments(SlabPool& pool) : pool_(&pool), datagrams_(std::make_unique<Datagram[]>(kDatagramsMax)) {}
  ~Fragments();

  /// `header`: the IP headers of this fragment, kept from the first one. `evicted` is called with a datagram that must go to make room.
  template <typename OnEvict>
  Result add(const FragmentKey& key, std::uint32_t offset, bool more, Bytes bytes, Bytes header, const FragmentFrame& frame,
             Nanoseconds now_ns, OnEvict&& evicted) {
    Datagram* datagram = find(key);
    if (datagram == nullptr) {
      datagram = free_place();
      if (datagram == nullptr) {
        datagram = oldest();
        evicted(*datagram);
        release(*datagram);
      }
      begin(*datagram, key, now_ns);
    }
    return {put(*datagram, offset, more, bytes, header, frame), datagram};
  }
  void release(Datagram& datagram);
  bool any() const { return count_ != 0; }
  /// Calls with each datagram that has waited too long (`all`: with every one), oldest first; the callee releases it.
  template <typename F>
  void for_each_due(Nanoseconds now_ns, bool all, F&& call) {
    while (count_ != 0) {
      if (!all && now_ns - earliest_ns_ < kWaitMax) return;
      Datagram* datagram = oldest();
      earliest_ns_ = since_ns_[place_of(*datagram)];
      if (!all && now_ns - earliest_ns_ < kWaitMax) return;
      call(*datagram);
    }
  }

 private:
  std::size_t place_of(const Datagram& datagram) const { return static_cast<std::size_t>(&datagram - datagrams_.get()); }
  Datagram* find(const FragmentKey& key);
  Datagram* free_place();
  Datagram* oldest();
  void begin(Datagram& datagram, const FragmentKey& key, Nanoseconds now_ns);
  Added put(Datagram& datagram, std::uint32_t offset, bool more, Bytes bytes, Bytes header, const FragmentFrame& frame);
  bool grow(Datagram& datagram, std::uint32_t size);

  SlabPool* pool_;
  std::unique_ptr<Datagram[]> datagrams_;
  // What is searched lies together, beside the datagrams: a flood of fragments must not cost a walk over all of them.
  std::array<std::uint32_t, kDatagramsMax> tags_{};  ///< Of each one's key; 0: free.
  std::array<Nanoseconds, kDatagramsMax> since_ns_{};
  std::uint32_t count_ = 0;
  Nanoseconds earliest_ns_ = 0;  ///< No datagram began before: so that most packets need not look.
};

}  // namespace weir::state
