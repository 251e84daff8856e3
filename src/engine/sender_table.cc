// SPDX-License-Identifier: Apache-2.0
#include "engine/sender_table.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "base/hash.h"

namespace weir::engine {
namespace {

constexpr std::size_t kBuckets = 65536;
constexpr std::size_t kTextMax = 4096;  ///< Of each part: a longer one is cut.

template <typename S, typename F>
void for_each_text(S& sender, F&& call) {
  for (auto* text : {&sender.path, &sender.name, &sender.cmdline, &sender.sha256, &sender.user, &sender.uid, &sender.group, &sender.gid, &sender.cgroup,
                     &sender.service, &sender.container_id, &sender.container_name, &sender.container_image})
    call(*text);
  for (std::size_t i = 0; i < sender.parents_count; ++i) call(sender.parents[i]);
}

}  // namespace

SenderTable::SenderTable(SlabPool& pool, bool on) : pool_(pool) {
  if (!on) return;
  slots_.resize(kPlacesMax + 1);
  buckets_.resize(kBuckets);
  for (std::size_t place = kPlacesMax; place != 0; --place) {
    slots_[place].next = free_;
    free_ = static_cast<Place>(place);
  }
}

SenderTable::~SenderTable() = default;  // The blocks go with the pool.

SenderTable::Place& SenderTable::bucket(std::uint64_t id) { return buckets_[mix64(id, 0) % kBuckets]; }

SenderTable::Place SenderTable::keep(const Sender& sender) {
  Place& first = bucket(sender.id);
  for (Place place = first; place != 0; place = slots_[place].next)
    if (slots_[place].sender->id == sender.id) return keep(place);
  std::size_t bytes = sizeof(Sender);
  for_each_text(sender, [&](std::string_view text) { bytes += std::min(text.size(), kTextMax); });
  void* const block = free_ == 0 ? nullptr : pool_.take(bytes);
  if (block == nullptr) {
    ++refused_;
    return 0;
  }
  auto* const copy = new (block) Sender(sender);
  char* at = static_cast<char*>(block) + sizeof(Sender);
  for_each_text(*copy, [&](std::string_view& text) {
    const std::size_t size = std::min(text.size(), kTextMax);
    if (size != 0) std::memcpy(at, text.data(), size);
    text = {at, size};
    at += size;
  });
  const Place place = free_;
  Slot& slot = slots_[place];
  free_ = slot.next;
  slot = {copy, static_cast<std::uint32_t>(bytes), 1, first};
  first = place;
  ++used_;
  return place;
}

void SenderTable::release(Place place) {
  if (place == 0 || --slots_[place].users != 0) return;
  Slot& slot = slots_[place];
  Place* link = &bucket(slot.sender->id);
  while (*link != place) link = &slots_[*link].next;
  *link = slot.next;
  pool_.release(slot.sender, slot.block_bytes);
  slot = {nullptr, 0, 0, free_};
  free_ = place;
  --used_;
}

}  // namespace weir::engine
