// SPDX-License-Identifier: Apache-2.0
#include "state/fragments.h"

#include <algorithm>
#include <cstring>

namespace weir::state {

Fragments::~Fragments() {
  for (std::size_t i = 0; i < kDatagramsMax; ++i)
    if (datagrams_[i].in_use) release(datagrams_[i]);
}

Fragments::Datagram* Fragments::find(const FragmentKey& key) {
  if (count_ == 0) return nullptr;
  for (std::size_t i = 0; i < kDatagramsMax; ++i)
    if (datagrams_[i].in_use && datagrams_[i].key == key) return &datagrams_[i];
  return nullptr;
}

Fragments::Datagram* Fragments::free_place() {
  if (count_ == kDatagramsMax) return nullptr;
  for (std::size_t i = 0; i < kDatagramsMax; ++i)
    if (!datagrams_[i].in_use) return &datagrams_[i];
  return nullptr;
}

Fragments::Datagram* Fragments::oldest() {
  Datagram* found = nullptr;
  for (std::size_t i = 0; i < kDatagramsMax; ++i)
    if (datagrams_[i].in_use && (found == nullptr || datagrams_[i].since_ns < found->since_ns)) found = &datagrams_[i];
  return found;
}

void Fragments::begin(Datagram& d, const FragmentKey& key, Nanoseconds now_ns) {
  d.in_use = true;
  d.has_first = d.poisoned = false;
  d.key = key;
  d.since_ns = now_ns;
  d.total = d.received = 0;
  d.header_bytes = d.frames_count = d.ranges_count = 0;
  if (count_ == 0) earliest_ns_ = now_ns;
  ++count_;
}

bool Fragments::grow(Datagram& d, std::uint32_t size) {
  if (size <= d.capacity) return true;
  std::uint32_t capacity = std::max<std::uint32_t>(d.capacity, 2048);
  while (capacity < size) capacity *= 2;
  auto* grown = capacity > SlabPool::kBlockMax ? nullptr : static_cast<std::uint8_t*>(pool_->take(capacity));
  if (grown == nullptr) return false;
  if (d.bytes != nullptr) {
    std::memcpy(grown, d.bytes, d.capacity);
    pool_->release(d.bytes, d.capacity);
  }
  d.bytes = grown;
  d.capacity = capacity;
  return true;
}

Fragments::Added Fragments::put(Datagram& d, std::uint32_t offset, bool more, Bytes bytes, Bytes header, const FragmentFrame& frame) {
  if (d.poisoned) return Added::Poisoned;
  const std::uint32_t end = offset + static_cast<std::uint32_t>(bytes.size());
  if (d.frames_count == kFramesMax || end > 65535) return Added::NoRoom;
  // The same fragment once more (each packet captured or sent twice) is no overlap: it waits with the others.
  std::size_t at = 0;
  while (at < d.ranges_count && d.ranges[at].end <= offset) ++at;
  const bool meets = at < d.ranges_count && d.ranges[at].begin < end;
  const bool twin = meets && d.ranges[at].begin <= offset && end <= d.ranges[at].end &&
                    std::memcmp(d.bytes + offset, bytes.data(), bytes.size()) == 0;
  const bool past_end = d.total != 0 && (end > d.total || (!more && end != d.total));
  const bool before_known = !more && at < d.ranges_count && d.ranges[d.ranges_count - 1U].end > end;
  if ((meets && !twin) || past_end || before_known) {
    d.poisoned = true;
    return Added::Overlap;
  }
  if (!grow(d, std::max<std::uint32_t>(end, 1))) return Added::NoRoom;
  d.frames[d.frames_count++] = frame;
  if (offset == 0 && !d.has_first && header.size() <= kHeaderMax) {
    d.has_first = true;
    d.header_bytes = static_cast<std::uint8_t>(header.size());
    std::memcpy(d.header, header.data(), header.size());
  }
  if (!more) d.total = end;
  if (!twin && !bytes.empty()) {
    std::memcpy(d.bytes + offset, bytes.data(), bytes.size());
    d.received += static_cast<std::uint32_t>(bytes.size());
    const bool joins_before = at > 0 && d.ranges[at - 1].end == offset;
    const bool joins_after = at < d.ranges_count && d.ranges[at].begin == end;
    if (joins_before && joins_after) {
      d.ranges[at - 1].end = d.ranges[at].end;
      std::copy(d.ranges.begin() + static_cast<std::ptrdiff_t>(at) + 1, d.ranges.begin() + d.ranges_count,
                d.ranges.begin() + static_cast<std::ptrdiff_t>(at));
      --d.ranges_count;
    } else if (joins_before) {
      d.ranges[at - 1].end = end;
    } else if (joins_after) {
      d.ranges[at].begin = offset;
    } else {
      if (d.ranges_count == kRangesMax) return Added::NoRoom;
      std::copy_backward(d.ranges.begin() + static_cast<std::ptrdiff_t>(at), d.ranges.begin() + d.ranges_count,
                         d.ranges.begin() + d.ranges_count + 1);
      d.ranges[at] = {offset, end};
      ++d.ranges_count;
    }
  }
  return d.has_first && d.total != 0 && d.received == d.total ? Added::Whole : Added::Waiting;
}

void Fragments::release(Datagram& d) {
  if (d.bytes != nullptr) pool_->release(d.bytes, d.capacity);
  d.bytes = nullptr;
  d.capacity = 0;
  d.in_use = false;
  --count_;
}

}  // namespace weir::state
