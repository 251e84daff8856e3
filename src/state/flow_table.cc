// SPDX-License-Identifier: Apache-2.0
#include "state/flow_table.h"

#include <emmintrin.h>
#include <sys/mman.h>

#include <algorithm>
#include <new>
#include <utility>

#include "base/check.h"
#include "base/hash.h"

namespace weir::state {
namespace {

void* reserve(std::size_t bytes) {
  void* region = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  CHECK(region != MAP_FAILED);
  madvise(region, bytes, MADV_HUGEPAGE);
  return region;
}

}  // namespace

FlowTable::FlowTable(std::uint32_t capacity, std::uint64_t seed) : capacity_(capacity), seed_(seed), wheel_(kWheelSlots, 0) {
  CHECK(capacity > 0);
  std::uint64_t groups = 1;
  while (groups * 8 < capacity) groups *= 2;  // At most two thirds of the slots are used.
  group_mask_ = groups - 1;
  groups_bytes_ = groups * sizeof(Group);
  flows_bytes_ = std::size_t{capacity} * sizeof(Flow);
  groups_ = static_cast<Group*>(reserve(groups_bytes_));
  flows_ = static_cast<Flow*>(reserve(flows_bytes_));
}

FlowTable::~FlowTable() {
  munmap(groups_, groups_bytes_);
  munmap(flows_, flows_bytes_);
}

std::uint64_t FlowTable::hash(const Ip& src, const Ip& dst, std::uint16_t src_port, std::uint16_t dst_port, std::uint8_t protocol,
                              std::uint32_t domain) const {
  // Each end by itself, then both joined so that the order does not matter.
  const std::uint64_t a = mix64(mix64(src.high() ^ seed_, src.low()), src_port);
  const std::uint64_t b = mix64(mix64(dst.high() ^ seed_, dst.low()), dst_port);
  return mix64((a + b) ^ (a ^ b) << 1, seed_ ^ (std::uint64_t{domain} << 8 | protocol));
}

FlowHit FlowTable::find(const FlowKey& key, std::uint64_t hash) const {
  const std::uint8_t tag = tag_of(hash);
  const __m128i wanted = _mm_set1_epi8(static_cast<char>(tag));
  std::uint64_t at = hash & group_mask_;
  for (std::uint64_t probes = 0; probes <= group_mask_; ++probes) {
    const Group& group = groups_[at];
    const __m128i tags = _mm_load_si128(reinterpret_cast<const __m128i*>(&group));
    auto hits = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(tags, wanted))) & 0xfffU;
    for (; hits != 0; hits &= hits - 1) {
      const std::uint32_t index = group.indices[__builtin_ctz(hits)];
      const Flow& flow = flows_[index];
      const FlowEnds& e = flow.ends;
      if (e.protocol != key.protocol || flow.domain != key.domain) continue;
      if (e.client_port == key.src_port && e.server_port == key.dst_port && e.client == key.src && e.server == key.dst)
        return {index, Side::Client};
      if (e.client_port == key.dst_port && e.server_port == key.src_port && e.client == key.dst && e.server == key.src)
        return {index, Side::Server};
    }
    if (group.overflow == 0) break;
    at = (at + 1) & group_mask_;
  }
  return {kNoFlow, Side::Client};
}

std::uint32_t FlowTable::likely(std::uint64_t hash) const {
  const Group& group = groups_[hash & group_mask_];
  const __m128i tags = _mm_load_si128(reinterpret_cast<const __m128i*>(&group));
  const __m128i wanted = _mm_set1_epi8(static_cast<char>(tag_of(hash)));
  const auto hits = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(tags, wanted))) & 0xfffU;
  return hits == 0 ? kNoFlow : group.indices[__builtin_ctz(hits)];
}

std::uint32_t FlowTable::insert(const FlowKey& key, std::uint64_t hash, Nanoseconds now_ns) {
  std::uint32_t index;
  if (!free_.empty()) {
    index = free_.back();
    free_.pop_back();
  } else if (high_ < capacity_) {
    index = high_++;
  } else {
    return kNoFlow;
  }
  std::uint64_t at = hash & group_mask_;
  for (;;) {
    Group& group = groups_[at];
    std::size_t slot = 0;
    while (slot < kSlots && group.tags[slot] != 0) ++slot;
    if (slot < kSlots) {
      group.tags[slot] = tag_of(hash);
      group.indices[slot] = index;
      break;
    }
    if (group.overflow < 255) ++group.overflow;  // At 255 it stays: lookups probe on for good.
    at = (at + 1) & group_mask_;
  }
  Flow& flow = *new (&flows_[index]) Flow();
  flow.ends = {.client = key.src, .server = key.dst, .client_port = key.src_port, .server_port = key.dst_port, .protocol = key.protocol};
  flow.domain = key.domain;
  flow.start_ns = flow.last_ns = now_ns;
  flow.in_use = true;
  ++size_;
  return index;
}

void FlowTable::remove(std::uint32_t index) {
  Flow& flow = flows_[index];
  CHECK(flow.in_use && flow.live == nullptr);
  unlink(index);
  const FlowKey key{flow.ends.client, flow.ends.server, flow.ends.client_port, flow.ends.server_port, flow.ends.protocol, flow.domain};
  const std::uint64_t hash = this->hash(key);
  std::uint64_t at = hash & group_mask_;
  for (;;) {
    Group& group = groups_[at];
    for (std::size_t slot = 0; slot < kSlots; ++slot) {
      if (group.tags[slot] == 0 || group.indices[slot] != index) continue;
      group.tags[slot] = 0;
      flow.in_use = false;
      free_.push_back(index);
      --size_;
      return;
    }
    if (group.overflow != 0 && group.overflow < 255) --group.overflow;
    at = (at + 1) & group_mask_;
  }
}

void FlowTable::clear() {
  for (const auto& [region, bytes] : {std::pair<void*, std::size_t>(groups_, groups_bytes_), {flows_, flows_bytes_}})
    CHECK(madvise(region, bytes, MADV_DONTNEED) == 0);  // Given back; read again, they are zero.
  std::fill(wheel_.begin(), wheel_.end(), 0);
  free_.clear();
  size_ = high_ = 0;
}

std::uint32_t FlowTable::evict_candidate() {
  // A hand goes round the array; a sample of bounded size keeps the cost of a flood constant.
  constexpr std::uint32_t kSample = 64;
  std::uint32_t unanswered = kNoFlow, idle = kNoFlow, settled = kNoFlow;
  for (std::uint32_t n = 0; n < kSample && n < high_; ++n) {
    clock_hand_ = clock_hand_ + 1 >= high_ ? 0 : clock_hand_ + 1;
    const Flow& flow = flows_[clock_hand_];
    if (!flow.in_use) continue;
    if (!flow.answered && !flow.settled) {
      if (unanswered == kNoFlow || flow.start_ns > flows_[unanswered].start_ns) unanswered = clock_hand_;
    } else if (!flow.settled) {
      if (idle == kNoFlow || flow.last_ns < flows_[idle].last_ns) idle = clock_hand_;
    } else if (settled == kNoFlow || flow.last_ns < flows_[settled].last_ns) {
      settled = clock_hand_;
    }
  }
  return unanswered != kNoFlow ? unanswered : idle != kNoFlow ? idle : settled;
}

void FlowTable::schedule(std::uint32_t index, Nanoseconds deadline_ns) {
  unlink(index);
  std::int64_t second = deadline_ns / kSecond;
  if (wheel_second_ >= 0) second = std::clamp<std::int64_t>(second, wheel_second_, wheel_second_ + kWheelSlots - 1);
  const auto slot = static_cast<std::uint32_t>(second % kWheelSlots);
  Flow& flow = flows_[index];
  flow.timer_slot = static_cast<std::uint16_t>(slot + 1);
  flow.timer_next = wheel_[slot];
  flow.timer_previous = 0;
  if (wheel_[slot] != 0) flows_[wheel_[slot] - 1].timer_previous = index + 1;
  wheel_[slot] = index + 1;
}

void FlowTable::unlink(std::uint32_t index) {
  Flow& flow = flows_[index];
  if (flow.timer_slot == 0) return;
  if (flow.timer_previous != 0) flows_[flow.timer_previous - 1].timer_next = flow.timer_next;
  else wheel_[flow.timer_slot - 1] = flow.timer_next;
  if (flow.timer_next != 0) flows_[flow.timer_next - 1].timer_previous = flow.timer_previous;
  flow.timer_slot = 0;
}

void FlowTable::take_slot(std::uint32_t slot) {
  due_.clear();
  while (wheel_[slot] != 0) {
    const std::uint32_t index = wheel_[slot] - 1;
    unlink(index);
    due_.push_back(index);
  }
  std::sort(due_.begin(), due_.end(), [&](std::uint32_t a, std::uint32_t b) {
    return flows_[a].last_ns != flows_[b].last_ns ? flows_[a].last_ns < flows_[b].last_ns : flows_[a].first_frame < flows_[b].first_frame;
  });
}

}  // namespace weir::state
