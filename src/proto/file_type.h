// SPDX-License-Identifier: Apache-2.0
#pragma once

// What kind of file begins with these bytes. Signatures only, from the formats' own specifications: a name or a declared
// type is what the sender says and is not asked. Containers are told by their outside: a ZIP whose first entry is one
// that office documents begin with is `office`. An ISO 9660 image shows itself only at byte 32,769: fewer bytes do not tell.

#include <optional>

#include "base/bytes.h"
#include "facts/field_ids.h"

namespace weir::proto {

/// Bytes after which more would not change the answer, disk images without a leading signature aside.
inline constexpr std::size_t kFileTypeBytes = 512;

/// Empty: nothing that is known. Never a wrong guess for lack of bytes: fewer bytes only tell less.
std::optional<field::FileType> file_type(Bytes first);

}  // namespace weir::proto
