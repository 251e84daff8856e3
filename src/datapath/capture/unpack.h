// SPDX-License-Identifier: Apache-2.0
#pragma once

// Captures that were compressed: gzip (RFC 1952, also several members one after the other) and Zstandard (RFC 8878, also
// several frames and skippable ones). Unpacked as a stream into one buffer that is reused: a file that would swell to
// terabytes costs time, never memory. Zstandard windows are bounded at 128 MiB, the most that its tools use unasked.

#include <memory>

#include "datapath/capture/byte_source.h"

namespace weir::datapath {

/// What the first four bytes say about packing.
enum class Packing : std::uint8_t { None, Gzip, Zstd };
Packing packing_of(Bytes first);

/// A source of the unpacked bytes; trouble() says where the packed stream is broken. `packing` is not None.
std::unique_ptr<ByteSource> unpack(std::unique_ptr<ByteSource> packed, Packing packing);

}  // namespace weir::datapath
