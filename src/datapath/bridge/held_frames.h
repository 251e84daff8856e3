// SPDX-License-Identifier: Apache-2.0
#pragma once

// HeldFrames: frames that wait for their verdict, by number. Their bytes are copied into a pool whose size is fixed at start; when it is
// full put() says no, and the frame is lost by that name. A frame may be as long as two blocks of the pool (128 KiB): a
// coalesced TCP segment with its headers.

#include <algorithm>
#include <vector>

#include "base/hash.h"
#include "base/slab_pool.h"
#include "facts/frame.h"

namespace weir::datapath {

/// What has to go with a frame's bytes when it is sent: Linux' virtio_net_hdr, opaque here. All zero: an ordinary frame.
struct Offload {
  std::uint8_t bytes[10] = {};
};

class HeldFrames {
 public:
  struct Held {
    std::uint64_t number = 0;  ///< 0: free.
    PortIndex port = kNoPort;
    std::uint32_t size = 0;
    Offload offload;
    std::uint8_t* head = nullptr;  ///< Its first bytes,
    std::uint8_t* tail = nullptr;  ///< and what is beyond kHeadMax.
    Bytes first() const { return {head, std::min<std::size_t>(size, kHeadMax)}; }
    Bytes rest() const { return size > kHeadMax ? Bytes{tail, size - kHeadMax} : Bytes{}; }
  };

  HeldFrames(std::size_t frames_max, std::size_t bytes_max);

  /// False: no room for it.
  bool put(std::uint64_t number, PortIndex port, Bytes bytes, const Offload& offload);
  /// The frame, which is no longer held but keeps its bytes until free(); nullptr if it is not there.
  Held* take(std::uint64_t number);
  void free(Held* held);
  /// All of them, with those taken and not yet freed.
  void clear();

  std::size_t count() const { return count_; }
  std::size_t bytes() const { return pool_.used(); }

 private:
  static constexpr std::size_t kHeadMax = SlabPool::kBlockMax;
  std::size_t home(std::uint64_t number) const { return static_cast<std::size_t>(mix64(number, 0)) & mask_; }

  SlabPool pool_;
  std::vector<Held> held_;
  std::vector<std::uint32_t> unused_;
  std::vector<std::uint32_t> places_;  ///< Open addressing by number: index into held_ and 1; 0: empty.
  std::size_t mask_, count_ = 0;
};

}  // namespace weir::datapath
