// SPDX-License-Identifier: Apache-2.0
#pragma once

// What parse.cc and nbns.cc share: the buffer that names are written to, and the walk over records.

#include "proto/dns/dns.h"
#include "proto/dns/name.h"

namespace weir::proto::dns {

/// Names as text, for as long as one message is described. The facts borrow it: it belongs to the thread, and whoever calls
/// parse() copies what must outlive the call before this thread parses anything else (facts.h, invariant 2).
class NameBuffer {
 public:
  void clear() { used_ = 0; }
  bool has_room() const { return sizeof bytes_ - used_ >= kNameTextMax; }
  /// Room for one name. Ask has_room() before.
  std::span<char, kNameTextMax> room() { return std::span<char, kNameTextMax>(bytes_ + used_, kNameTextMax); }
  /// What was written last stays.
  void keep(std::size_t size) { used_ += size; }

 private:
  char bytes_[16384];
  std::size_t used_ = 0;
};

/// One resource record; the name at `owner` is not yet read.
struct Record {
  std::size_t owner = 0;        ///< Offset of the name.
  std::uint16_t type = 0, klass = 0;
  std::uint32_t ttl_s = 0;
  std::size_t data_offset = 0;  ///< From the beginning of the message.
  Bytes data;
};

enum class RecordStatus : std::uint8_t { Good, BadName, Cut };

/// Reads the record at `offset` and moves behind it.
RecordStatus read_record(Bytes message, std::size_t& offset, Record& record);

/// Describes one whole NetBIOS name service message (RFC 1002 4.2).
void describe_nbns(Bytes message, bool snapped, NameBuffer& names, Describer& describer);

}  // namespace weir::proto::dns
