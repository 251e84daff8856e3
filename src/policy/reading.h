// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reading: what the parts of the policy reader share while one policy is read: the policy as it grows, the diagnostics,
// names of zones and sets, and small questions about nodes that answer with an error where the user made a mistake.
// Internal to the reader (document.cc, conditions.cc, actions.cc, sections.cc, guards.cc).

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "facts/vocabulary.h"
#include "policy/diagnostics.h"
#include "policy/document.h"
#include "policy/grammar.h"
#include "policy/rule.h"
#include "policy/yaml_tree.h"

namespace weir::policy {

/// What a user wrote, for a message: cut if it is long.
std::string shown(std::string_view text);

class Reading {
 public:
  Reading(Policy& policy_in, const Vocabulary& words_in, const LoadOptions& options_in, Diagnostics& out_in)
      : policy(policy_in), words(words_in), options(options_in), out(out_in) {}

  Policy& policy;
  const Vocabulary& words;
  const LoadOptions& options;
  Diagnostics& out;

  /// Always false, so that a reader can `return reading.error(…)`.
  bool error(const Node& at, std::string message);
  void warning(const Node& at, std::string message);
  Position position(const Node& at) const { return {at.file, at.line, at.column}; }

  /// A scalar with something in it; else an error that says what was wanted.
  bool wants_text(const Node& node, std::string_view what);
  bool wants_map(const Node& node, std::string_view what);
  /// Calls with each item of a list that is not empty; a single value counts as a list of one.
  bool each(const Node& node, std::string_view what, const std::function<void(const Node&)>& call);
  /// One of the words, as its place; else an error that lists them.
  std::optional<std::size_t> choice(const Node& node, std::string_view what, std::span<const std::string_view> words_allowed);
  std::optional<bool> boolean(const Node& node, std::string_view what);
  std::optional<std::uint32_t> number(const Node& node, std::string_view what, std::uint64_t min, std::uint64_t max);
  std::optional<Nanoseconds> duration(const Node& node, std::string_view what);
  std::optional<Ip> ip(const Node& node, std::string_view what);
  /// Host bits are an error.
  std::optional<Prefix> prefix(const Node& node, std::string_view what);
  std::optional<Mac> mac(const Node& node);
  std::vector<std::string> techniques(const Node& node);

  /// kNoZone with an error if there is none of that name.
  ZoneId zone(const Node& node);
  std::optional<ZoneId> find_zone(std::string_view name) const;
  void add_zone(const std::string& name, ZoneId id);
  std::span<const std::string_view> zone_names() const { return zone_names_; }

  struct SetEntry {
    std::shared_ptr<const NamedSet> set;  ///< Empty if its definition was wrong (that has been said).
    const Node* at = nullptr;
    bool used = false;
  };
  /// nullptr with an error if there is none of that name. `node` is `@name`. Marks it used.
  const SetEntry* set(const Node& node);
  /// Likewise, of addresses; an error if it is of another kind.
  std::shared_ptr<const PrefixSet> address_set(const Node& node);
  /// Likewise by name, or nullptr without an error.
  const SetEntry* find_set(std::string_view name);
  bool has_set(std::string_view name) const { return sets_.contains(std::string(name)); }
  void add_set(const std::string& name, SetEntry entry);
  /// Of sets that nothing named.
  void warn_unused();

  /// "; did you mean `X`?" or nothing.
  std::string hint(std::string_view word, std::span<const std::string_view> known) const;

 private:
  std::unordered_map<std::string, ZoneId> zones_;
  std::vector<std::string_view> zone_names_;
  std::unordered_map<std::string, SetEntry> sets_;
  std::vector<std::string_view> set_names_;
};

/// A map with known keys: unknown ones are reported at once, with the nearest known one.
class Keys {
 public:
  Keys(Reading& reading, const Node& map, const MapRow& row);
  /// nullptr if it is not there, or the map is none.
  const Node* at(std::string_view key) const { return map_.at(key); }

 private:
  const Node& map_;
};

}  // namespace weir::policy
