// SPDX-License-Identifier: Apache-2.0
// Any text is a policy or diagnostics with positions in it; nothing else happens.
#include "base/check.h"
#include "policy/document.h"
#include "tests/kit/vocabulary.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  weir::policy::LoadOptions options;
  options.yaml.expanded_max = 2000;
  options.yaml.nodes_max = 20'000;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto loaded = weir::policy::load_policy_text("fuzz.yaml", text, weir::kit::vocabulary(), options);
  CHECK(loaded.policy.has_value() == (loaded.diagnostics.errors() == 0));
  for (const auto& d : loaded.diagnostics.all()) CHECK(d.line > 0 && d.column > 0 && !d.message.empty());
  return 0;
}
