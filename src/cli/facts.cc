// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <cstdio>

#include "cli/verb.h"
#include "engine/engine.h"

namespace weir::cli {

std::function<int()> add_facts(CLI::App&) {
  return [] {
    const Vocabulary& words = engine::vocabulary();
    for (const std::string_view name : words.field_names()) {
      const FieldRow* row = words.field(name);
      std::printf("%-22.*s %.*s\n", static_cast<int>(name.size()), name.data(), static_cast<int>(row->help.size()), row->help.data());
    }
    return kDone;
  };
}

}  // namespace weir::cli
