// SPDX-License-Identifier: Apache-2.0
#pragma once

// ReadAhead: a CaptureReader with a thread of its own, so that finding pages, unpacking and parsing do not take time from
// the lane that decides. Same frames, same order, same next().
//
//   reader thread  --full batches-->  lane
//                  <--empty ones----
//
// The ring holds kBatches batches, made once and used again. Where a frame's bytes do not stay with the source (a pipe, a
// packed file) they are copied into the batch, up to kBatchBytes (or one larger frame); where the file is mapped nothing is
// copied, and the thread's work is to have the pages mapped in. With one worker there is no thread and no ring.
//
// Destroying it before the end stops the thread at its next batch: a pipe that says nothing is waited for.

#include <memory>
#include <span>

#include "datapath/capture/capture_reader.h"

namespace weir::datapath {

class ReadAhead {
 public:
  /// Takes over the reader; a thread starts if workers >= 2.
  ReadAhead(CaptureReader reader, unsigned workers);
  ReadAhead(ReadAhead&&) noexcept;
  ReadAhead& operator=(ReadAhead&&) = delete;
  ~ReadAhead();

  /// As CaptureReader::next(): the frames' bytes are valid until the next call.
  std::size_t next(std::span<Frame> out);
  /// What the lane's own thread will read for the next frames, as far as it is mapped: about as many bytes as the last frames took.
  Bytes upcoming() const { return alone_ ? alone_->upcoming() : Bytes{}; }
  /// The reader itself, for fault() and what else it knows; only before the first and after the last next() (which gave 0),
  /// and for what is fixed at its opening.
  const CaptureReader& reader() const;
  const CaptureFault* fault() const { return reader().fault(); }

 private:
  class Ring;
  std::unique_ptr<CaptureReader> alone_;
  std::unique_ptr<Ring> ring_;
};

}  // namespace weir::datapath
