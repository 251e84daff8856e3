// SPDX-License-Identifier: Apache-2.0
// Whatever rules of Suricata say, what is imported of them is a policy without errors. The first line gives a variable,
// NAME=VALUE.

#include "base/bytes.h"
#include "base/check.h"
#include "cli/import/rule_text.h"
#include "engine/engine.h"
#include "policy/document.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  std::string_view text = as_text(Bytes(data, size));
  cli::SuricataVariables variables;
  if (const std::size_t end = text.find('\n'); end != std::string_view::npos && text.substr(0, end).find('=') < end) {
    const std::size_t equals = text.find('=');
    variables.values.emplace_back(text.substr(0, equals), text.substr(equals + 1, end - equals - 1));
    text.remove_prefix(end + 1);
  }
  const cli::Imported imported = cli::import_suricata(text, variables);
  if (imported.rules.size() > 2000) return 0;
  CHECK(policy::load_policy_text("imported", cli::policy_text(imported, "fuzz"), engine::vocabulary()).policy.has_value());
  return 0;
}
