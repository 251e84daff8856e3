// SPDX-License-Identifier: Apache-2.0
// Whatever a listing of nftables says, what is imported of it is a policy without errors.

#include "base/bytes.h"
#include "base/check.h"
#include "cli/import/rule_text.h"
#include "engine/engine.h"
#include "policy/document.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  const cli::Imported imported = cli::import_nftables(as_text(Bytes(data, size)));
  if (imported.rules.size() > 2000) return 0;
  CHECK(policy::load_policy_text("imported", cli::policy_text(imported, "fuzz"), engine::vocabulary()).policy.has_value());
  return 0;
}
