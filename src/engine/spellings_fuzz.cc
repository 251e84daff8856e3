// SPDX-License-Identifier: Apache-2.0
// The readings that look into text of an attacker's: any bytes give an answer, and a text that holds an address holds it with more before it.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "engine/generated_name.h"
#include "engine/metadata_address.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)engine::is_generated_name(text);
  if (engine::names_metadata(text) && size + 2 <= engine::kMetadataTextMax) CHECK(engine::names_metadata("//" + std::string(text)));
  return 0;
}
