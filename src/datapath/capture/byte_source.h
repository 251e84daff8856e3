// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where the bytes of a capture come from: a mapped file, bytes in memory, a descriptor, or an unpacker over another source
// (unpack.h). All show one thing: a piece of the stream that lies ahead, which grows by refill() and shrinks by skip().
// Memory is bounded: a mapped file gives back pages that were read, the others reuse one buffer, which is only as large as
// the largest piece that was asked for. A mapped file that another program cuts while we read is noticed at the next
// window (kMappedWindow); between two looks the kernel can still answer with SIGBUS, as for every program that maps.

#include <cstdint>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace weir::datapath {

class ByteSource {
 public:
  virtual ~ByteSource() = default;

  /// The unread bytes that are at hand, in one piece.
  Bytes ahead() const { return {at_, static_cast<std::size_t>(end_ - at_)}; }
  /// How many bytes of the stream were skipped.
  std::uint64_t offset() const { return offset_; }
  /// Goes on by `size`, at most ahead().size().
  void skip(std::size_t size) {
    at_ += size;
    offset_ += size;
  }
  /// Brings bytes until at least `want` are ahead in one piece. False if the stream ends before; what there is stays ahead.
  /// Bytes that were shown before are gone afterwards, unless bytes_stay().
  virtual bool refill(std::size_t want) = 0;
  /// Whether every byte shown stays where it is for as long as the source lives.
  virtual bool bytes_stay() const { return false; }
  /// Why the stream ended, if not by its end; empty otherwise.
  const std::string& trouble() const { return trouble_; }

 protected:
  const std::uint8_t* at_ = nullptr;
  const std::uint8_t* end_ = nullptr;
  std::uint64_t offset_ = 0;
  std::string trouble_;
};

/// A source with one buffer that is used again and again; what derives from it says only how to get more bytes.
class BufferedSource : public ByteSource {
 public:
  bool refill(std::size_t want) final;

 protected:
  /// Writes what is to be had into [out, out + room), room > 0; 0 at the end or in trouble (trouble_ is set then).
  virtual std::size_t pull(std::uint8_t* out, std::size_t room) = 0;

 private:
  std::unique_ptr<std::uint8_t[]> buffer_;
  std::size_t buffer_bytes_ = 0;
  bool ended_ = false;
};

/// Bytes that lie in memory and outlive the source.
std::unique_ptr<ByteSource> source_of_bytes(Bytes bytes);

/// Opens a path, or standard input for "-". Regular files are mapped (also as standard input, from where it stands), all
/// else is read as it comes. Errors name the path and what is wrong with it.
Result<std::unique_ptr<ByteSource>> open_source(const std::string& path);

}  // namespace weir::datapath
