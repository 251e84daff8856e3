// SPDX-License-Identifier: Apache-2.0
#pragma once

// CaptureReader: the frames of a capture file, in its order. pcap and pcapng, plain or packed by gzip or Zstandard, from a
// path or standard input; what it is says the content, never the name. Plain files are mapped and never copied; all else
// goes through one buffer that is used again.
//
// Time. wall_ns is the file's. mono_ns begins at kFirstMono with the first frame and follows wall_ns from there, but never
// goes back: a frame older than one before it has the mono_ns of that one. If the file jumps ahead, by years even, mono_ns
// jumps too, and what the engine keeps grows old and goes, as it would on a wire that was silent so long.
//
// Broken files. A file is read up to its fault: next() hands out every whole packet before it, then 0, and fault() says what
// is wrong and where. Offsets count bytes of the unpacked stream. What the file claims never costs memory beyond one
// packet's bound (16 MiB, and only if the file's snapshot length says so) and a Zstandard window.
//
// Not done here: order by time over several files, and repair.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>

#include "base/result.h"
#include "datapath/capture/byte_source.h"
#include "datapath/capture/pcap_format.h"
#include "datapath/capture/pcapng_format.h"
#include "facts/frame.h"

namespace weir::datapath {

/// Not 0, so that a time of 0 can mean "never" to the engine.
inline constexpr Nanoseconds kFirstMono = kSecond;

struct CaptureOptions {
  /// The port of every frame; wins over names in the file. This is `--port lan0=FILE`.
  PortIndex port = kNoPort;
  /// Else the port for the name of a pcapng interface; may be empty.
  PortOfName port_of;
  /// To go on where another capture ended: the number and mono_ns of the first frame.
  std::uint64_t first_number = 1;
  Nanoseconds first_mono_ns = kFirstMono;
};

struct CaptureFault {
  std::string message;        ///< A whole sentence: file, offset, what is wrong.
  std::uint64_t offset = 0;   ///< Of the record or block that cannot be read, in the unpacked stream.
  bool after_packets = false; ///< Whether a packet came before it: the exit status is 1 then, otherwise 2.
};

class CaptureReader {
 public:
  /// Opens a path, or standard input for "-". An error if there is nothing to read: no such file, a directory, empty, not a
  /// capture, a link type that we do not read. Reads ahead up to the first packet.
  static Result<CaptureReader> open(const std::string& path, CaptureOptions options = {});
  /// The same over bytes that outlive the reader; `name` stands for the path in messages.
  static Result<CaptureReader> from_bytes(Bytes bytes, CaptureOptions options = {}, std::string name = "capture");

  /// Fills `out` from the front and returns how many; at least one, unless the capture ends (0 from then on). A full batch
  /// is not promised. The frames' bytes are valid until the next call, or as long as the reader if bytes_stay().
  std::size_t next(std::span<Frame> out);
  /// Mapped bytes from where the next frames will be read, about as many as the last call of next() took. Where a record begins is
  /// known only when the length of the one before has come from memory; who asks for these lines beforehand, breaks that chain of waits.
  Bytes upcoming() const { return source_->ahead().first(std::min(source_->ahead().size(), last_bytes_)); }

  /// Why reading ended early; nullptr while it has not, and after a clean end.
  const CaptureFault* fault() const { return fault_ ? &*fault_ : nullptr; }
  bool bytes_stay() const { return source_->bytes_stay(); }
  /// Number and mono_ns that the next frame would have if no time passed: what another capture goes on with.
  std::uint64_t next_number() const { return number_; }
  Nanoseconds mono_ns() const { return mono_ns_; }
  /// Whether times are finer than microseconds, as far as was read.
  bool nanoseconds() const;
  /// LINKTYPE_ number of the file, or of a pcapng's first interface that we read.
  std::uint32_t link_number() const;
  /// The most bytes that a packet of it may have, as far as was read.
  std::uint32_t packet_bytes_max() const;
  const std::string& name() const { return name_; }

 private:
  using Format = std::variant<PcapFormat, PcapngFormat>;
  CaptureReader(std::unique_ptr<ByteSource> source, Format format, CaptureOptions options, std::string name);
  static Result<CaptureReader> begin(std::unique_ptr<ByteSource> source, CaptureOptions options, std::string name);

  template <typename F>
  std::size_t read(F& format, std::span<Frame> out);
  template <typename F>
  bool bring(F& format, std::uint64_t size);
  bool pass();
  template <typename F>
  void prime(F& format);
  void stamp(Frame& frame, const Record& record);
  void end_early(const std::string& why);

  std::unique_ptr<ByteSource> source_;
  Format format_;
  CaptureOptions options_;
  std::string name_;
  std::optional<CaptureFault> fault_;
  std::uint64_t number_;
  std::size_t last_bytes_ = 0;  ///< What the last next() went on by.
  std::uint64_t unit_offset_ = 0;  ///< Where the record or block at hand begins.
  std::uint64_t passing_ = 0;      ///< Bytes still to be passed over.
  bool ended_ = false;
  bool timed_ = false;
  Nanoseconds mono_ns_;
  Nanoseconds mono_minus_wall_ns_ = 0;
};

}  // namespace weir::datapath
