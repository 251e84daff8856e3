// SPDX-License-Identifier: Apache-2.0
#include "datapath/bridge/held_frames.h"

#include <bit>
#include <cstring>

namespace weir::datapath {

HeldFrames::HeldFrames(std::size_t frames_max, std::size_t bytes_max)
    : pool_(bytes_max), held_(frames_max), places_(std::bit_ceil(frames_max * 2)), mask_(places_.size() - 1) {
  unused_.reserve(frames_max);
  for (std::size_t i = frames_max; i-- > 0;) unused_.push_back(static_cast<std::uint32_t>(i));
}

bool HeldFrames::put(std::uint64_t number, PortIndex port, Bytes bytes, const Offload& offload) {
  if (unused_.empty() || bytes.size() > 2 * kHeadMax) return false;
  const std::size_t first = std::min(bytes.size(), kHeadMax), rest = bytes.size() - first;
  auto* head = static_cast<std::uint8_t*>(pool_.take(first));
  if (head == nullptr) return false;
  std::uint8_t* tail = nullptr;
  if (rest != 0) {
    tail = static_cast<std::uint8_t*>(pool_.take(rest));
    if (tail == nullptr) {
      pool_.release(head, first);
      return false;
    }
    std::memcpy(tail, bytes.data() + first, rest);
  }
  std::memcpy(head, bytes.data(), first);
  const std::uint32_t index = unused_.back();
  unused_.pop_back();
  held_[index] = {number, port, static_cast<std::uint32_t>(bytes.size()), offload, head, tail};
  std::size_t at = home(number);
  while (places_[at] != 0) at = (at + 1) & mask_;
  places_[at] = index + 1;
  ++count_;
  return true;
}

HeldFrames::Held* HeldFrames::take(std::uint64_t number) {
  std::size_t at = home(number);
  while (places_[at] != 0 && held_[places_[at] - 1].number != number) at = (at + 1) & mask_;
  if (places_[at] == 0) return nullptr;
  Held* const found = &held_[places_[at] - 1];
  // Close the gap, so that a search never ends too early (Knuth, 6.4, algorithm R).
  for (std::size_t next = (at + 1) & mask_; places_[next] != 0; next = (next + 1) & mask_) {
    const std::size_t wanted = home(held_[places_[next] - 1].number);
    if (((next - wanted) & mask_) < ((next - at) & mask_)) continue;
    places_[at] = places_[next];
    at = next;
  }
  places_[at] = 0;
  --count_;
  return found;
}

void HeldFrames::free(Held* held) {
  pool_.release(held->head, std::min<std::size_t>(held->size, kHeadMax));
  if (held->tail != nullptr) pool_.release(held->tail, held->size - kHeadMax);
  *held = Held{};
  unused_.push_back(static_cast<std::uint32_t>(held - held_.data()));
}

void HeldFrames::clear() {
  for (Held& held : held_)
    if (held.number != 0) free(&held);
  std::fill(places_.begin(), places_.end(), 0U);
  count_ = 0;
}

}  // namespace weir::datapath
