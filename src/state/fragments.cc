// SPDX-License-Identifier: Apache-2.0
#include "state/fragments.h"

#include <algorithm>
#include <cstring>

#include "base/hash.h"

namespace weir::state {

Fragments::~Fragments() {
  for (std::size_t i = 0; i < kDatagramsMax; ++i)
    if (tags_[i] != 0) release(datagrams_[i]);
}

namespace {

std::uint32_t tag_of(const FragmentKey& key) {
  const std::uint64_t h = mix64(hash_ip(key.src, key.id), hash_ip(key.dst, std::uint64_t{key.domain} << 8 | key.protocol));
  return static_cast<std::uint32_t>(h) | 1;  // 0 is a free place.
}

}  // namespace

Fragments::Datagram* Fragments::find(const FragmentKey& key) {
  if (count_ == 0) return nullptr;
  const std::uint32_t tag = tag_of(key);
  for (std::size_t i = 0; i < kDatagramsMax; ++i)
    if (tags_[i] == tag && datagrams_[i].key == key) return &datagrams_[i];
  return nullptr;
}

Fragments::Datagram* Fragments::free_place() {
  if (count_ == kDatagramsMax) return nullptr;
  return &datagrams_[static_cast<std::size_t>(std::find(tags_.begin(), tags_.end(), 0U) - tags_.begin())];
}

Fragments::Datagram* Fragments::oldest() {
  std::size_t found = kDatagramsMax;
  for (std::size_t i = 0; i < kDatagramsMax; ++i)
    if (tags_[i] != 0 && (found == kDatagramsMax || since_ns_[i] < since_ns_[found])) found = i;
  return found == kDatagramsMax ? nullptr : &datagrams_[found];
}

void Fragments::begin(Datagram& d, const FragmentKey& key, Nanoseconds now_ns) {
  const std::size_t at = place_of(d);
  tags_[at] = tag_of(key);
  since_ns_[at] = now_ns;
  d.has_first = d.poisoned = false;
  d.key = key;
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
  tags_[place_of(d)] = 0;
  --count_;
}

}  // namespace weir::state
