// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "proto/file_type.h"
#include "proto/ftp/ftp.h"

namespace weir::proto::ftp {

Progress parse_data(DataState& state, const Input& input, Describer& describer) {
  if (input.bytes.size() < kFileTypeBytes && !input.end) return {};
  if (!state.told) {
    state.told = true;
    describer.begin_transaction();
    if (const auto type = file_type(input.bytes.first(std::min(input.bytes.size(), kFileTypeBytes)))) describer.word(field::kFileType, *type);
    describer.described();
    describer.end_transaction();
  }
  return {.consumed = input.bytes.size(), .done = true};
}

}  // namespace weir::proto::ftp
