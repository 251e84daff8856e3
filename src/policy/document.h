// SPDX-License-Identifier: Apache-2.0
#pragma once

// The policy file: YAML in, Policy out, or everything that is wrong with it (CONTRACT section 2). A policy with one error is none: the
// caller keeps what it had. Warnings do not stand in the way.
//
// Order of the rules in the policy: guards in their fixed order, what is essential, the file's own, those of its includes.
// Included files bring rules, sets and guards; where a name is there already, the includer's stands.
//
// load_policy reads files; load_policy_text reads none unless `options.read_file` is given.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "facts/vocabulary.h"
#include "policy/diagnostics.h"
#include "policy/rule.h"
#include "policy/yaml_tree.h"

namespace weir::policy {

struct LoadOptions {
  /// The text of a built-in profile by the name behind `weir:` (`m1037/lan`), or nothing if there is none. Without it those that
  /// the program carries are taken (policy/builtin.h).
  std::function<std::optional<std::string>(std::string_view name)> profile;
  /// The names that `profile` knows, for messages.
  std::vector<std::string> profile_names;
  /// Names of ports that have these numbers whatever the policy mentions: those of the datapath that runs.
  std::vector<std::string> ports;
  /// Instead of all guards and rules: one rule, `filter`, that alerts where this map, as `match:` takes it, holds. Zones and sets are
  /// the policy's, so that it means there what it would mean in a rule.
  std::optional<std::string> filter;
  /// How files are read; without it load_policy asks the system and load_policy_text refuses files.
  std::function<Result<std::string>(const std::string& path)> read_file;
  YamlLimits yaml;
};

struct Loaded {
  std::optional<Policy> policy;  ///< Not there if diagnostics has an error.
  Diagnostics diagnostics;       ///< Sorted.
};

Loaded load_policy(const std::string& path, const Vocabulary& words, const LoadOptions& options = {});
/// `name` stands in messages, and relative files are sought beside it.
Loaded load_policy_text(const std::string& name, std::string_view text, const Vocabulary& words, const LoadOptions& options = {});

}  // namespace weir::policy
