// SPDX-License-Identifier: Apache-2.0
#pragma once

// PcapWriter: frames into a capture file, their bytes as they are, so that what `--pass` and `--drop` write is together what
// was read. A pcap in the machine's byte order, with the link type and resolution of what is read (PcapLikeness).
//
// A pcap holds one link type. If frames of a second one come (a pcapng with several kinds of interfaces, several captures in
// one run), the file becomes a pcapng: what was written is read back once, and goes on in the new form under the same name.
// That needs a regular file; where it is none (standard output, a pipe) those frames are refused, and close() says so.
//
// Writes are gathered into one buffer. The first fault (a full disk) is kept, nothing more is written, and close() tells it.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "facts/frame.h"

namespace weir::datapath {

class CaptureReader;

/// What an output takes over from the capture that is read.
struct PcapLikeness {
  std::uint32_t link_number = 1;  ///< LINKTYPE_ number; kept for frames of its kind, so that RAW (12) stays 12.
  bool nanoseconds = false;
  std::uint32_t packet_bytes_max = 262'144;  ///< The snapshot length that the file states.
};
PcapLikeness likeness_of(const CaptureReader& reader);

class PcapWriter {
 public:
  /// Creates or empties the file; "-" is standard output. A file without frames has a header with the likeness's link type.
  static Result<PcapWriter> open(const std::string& path, PcapLikeness likeness);
  PcapWriter(PcapWriter&& other) noexcept;
  PcapWriter& operator=(PcapWriter&&) = delete;
  ~PcapWriter();

  /// Takes the frame's bytes, wire length and wall time; the frame is not needed afterwards.
  void write(const Frame& frame);
  /// Frames taken so far.
  std::uint64_t written() const { return written_; }
  /// Writes what is left; the number of frames, or the first fault since open().
  Result<std::uint64_t> close();

 private:
  PcapWriter(int fd, bool owned, std::string path, PcapLikeness likeness);

  void pcap_header(std::uint16_t number);
  void pcap_record(const Frame& frame);
  void pcapng_section();
  void pcapng_packet(const Frame& frame);
  void become_pcapng();
  std::uint16_t number_for(LinkType link) const;
  std::uint8_t* room(std::size_t size);
  void append(Bytes bytes);
  void flush();
  void write_out(const std::uint8_t* at, std::size_t size);
  void fail(std::string why, int code);

  int fd_;
  bool owned_;
  std::string path_;
  PcapLikeness likeness_;
  std::unique_ptr<std::uint8_t[]> buffer_;
  std::size_t used_ = 0;
  std::uint64_t written_ = 0;
  bool begun_ = false;
  bool pcapng_ = false;
  LinkType link_ = LinkType::Ethernet;  ///< Of the pcap, once begun.
  std::vector<LinkType> interfaces_;    ///< Of the pcapng, in order.
  Error error_;
};

}  // namespace weir::datapath
