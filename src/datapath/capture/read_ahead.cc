// SPDX-License-Identifier: Apache-2.0
#include "datapath/capture/read_ahead.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>

namespace weir::datapath {
namespace {

constexpr std::size_t kBatches = 8;
constexpr std::size_t kBatchFrames = 512;
constexpr std::size_t kBatchBytes = 512 * 1024;

struct Batch {
  std::array<Frame, kBatchFrames> frames;
  std::size_t count = 0;
  std::unique_ptr<std::uint8_t[]> bytes;
  std::size_t bytes_room = 0;
};

}  // namespace

// Batches first_ … first_ + full_ - 1 (mod kBatches) are full and belong to the lane, the others to the thread.
class ReadAhead::Ring {
 public:
  explicit Ring(CaptureReader reader) : reader_(std::move(reader)), thread_([this] { fill_all(); }) {}
  ~Ring() {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  std::size_t next(std::span<Frame> out) {
    if (out.empty()) return 0;
    if (holding_ && taken_ == batches_[first_].count) give_back();
    if (!holding_ && !take()) return 0;
    const Batch& batch = batches_[first_];
    const std::size_t count = std::min(out.size(), batch.count - taken_);
    std::copy_n(batch.frames.begin() + static_cast<std::ptrdiff_t>(taken_), count, out.begin());
    taken_ += count;
    return count;
  }
  const CaptureReader& reader() const { return reader_; }

 private:
  void give_back() {
    {
      const std::lock_guard lock(mutex_);
      first_ = (first_ + 1) % kBatches;
      --full_;
    }
    changed_.notify_all();
    holding_ = false;
    taken_ = 0;
  }
  bool take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return full_ > 0 || done_; });
    holding_ = full_ > 0;
    return holding_;
  }

  void fill_all() {
    for (std::size_t at = 0;; at = (at + 1) % kBatches) {
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return full_ < kBatches || stop_; });
        if (stop_) return;
      }
      const bool some = fill(batches_[at]);
      {
        const std::lock_guard lock(mutex_);
        if (some) ++full_;
        else done_ = true;
      }
      changed_.notify_all();
      if (!some) return;
    }
  }

  bool fill(Batch& batch) {
    batch.count = 0;
    if (reader_.bytes_stay()) {
      batch.count = reader_.next(batch.frames);
      touch(batch);
      return batch.count > 0;
    }
    // What was read but found no room in the batch before goes first.
    std::size_t used = 0;
    for (;;) {
      if (spare_at_ == spare_count_) {
        // Waiting for more is right only while there is nothing to hand out: a live pipe's frames go on at once.
        if (batch.count > 0) return true;
        spare_at_ = 0;
        spare_count_ = reader_.next(spare_);
        if (spare_count_ == 0) return false;
      }
      const Frame& frame = spare_[spare_at_];
      if (batch.count == kBatchFrames || !copy(batch, used, frame)) return true;
      ++spare_at_;
    }
  }

  // False if the batch has no room left for the frame. An empty batch makes room for any.
  bool copy(Batch& batch, std::size_t& used, const Frame& frame) {
    const std::size_t size = frame.bytes.size();
    if (batch.count == 0 && (size > batch.bytes_room || !batch.bytes)) {
      batch.bytes_room = std::max(kBatchBytes, size);
      batch.bytes = std::make_unique_for_overwrite<std::uint8_t[]>(batch.bytes_room);
    }
    if (size > batch.bytes_room - used) return false;
    if (size > 0) std::memcpy(batch.bytes.get() + used, frame.bytes.data(), size);
    Frame& kept = batch.frames[batch.count++];
    kept = frame;
    kept.bytes = {batch.bytes.get() + used, size};
    used += size;
    return true;
  }

  // On kernels that cannot map in a window at once, this thread takes the page faults: one byte of each page.
  static void touch(const Batch& batch) {
    constexpr std::size_t kPage = 4096;
    for (std::size_t i = 0; i < batch.count; ++i) {
      const Bytes bytes = batch.frames[i].bytes;
      for (std::size_t at = 0; at < bytes.size(); at += kPage) (void)*const_cast<const volatile std::uint8_t*>(&bytes[at]);
    }
  }

  CaptureReader reader_;
  std::array<Batch, kBatches> batches_;
  std::array<Frame, kBatchFrames> spare_;
  std::size_t spare_at_ = 0, spare_count_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t first_ = 0;  ///< Changed by the lane only.
  std::size_t full_ = 0;
  bool done_ = false;
  bool stop_ = false;
  bool holding_ = false;   ///< The lane's own: it reads from batch first_.
  std::size_t taken_ = 0;  ///< The lane's own: frames of that batch handed out.
  std::thread thread_;     ///< Last: it starts when all else is there.
};

ReadAhead::ReadAhead(CaptureReader reader, unsigned workers) {
  if (workers >= 2) ring_ = std::make_unique<Ring>(std::move(reader));
  else alone_ = std::make_unique<CaptureReader>(std::move(reader));
}
ReadAhead::ReadAhead(ReadAhead&&) noexcept = default;
ReadAhead::~ReadAhead() = default;

std::size_t ReadAhead::next(std::span<Frame> out) { return ring_ ? ring_->next(out) : alone_->next(out); }

const CaptureReader& ReadAhead::reader() const { return ring_ ? ring_->reader() : *alone_; }

}  // namespace weir::datapath
