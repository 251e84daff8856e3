// SPDX-License-Identifier: Apache-2.0
#pragma once

// GuardReader: one guard while it is read. It takes what all guards share (action, unless, technique, mode), checks the
// keys, and makes the guard's rules. Internal to guards.cc and guards_link.cc.

#include <span>

#include "policy/actions.h"
#include "policy/expansion.h"
#include "policy/reading.h"

namespace weir::policy {

class GuardReader {
 public:
  /// `node` is the guard's value, or an item of it where the guard is a list; `true` has no parameters.
  GuardReader(Reading& reading_in, std::string_view name, const Node& node_in, std::span<const KeyRow> parameters);

  Reading& reading;
  const Node& node;
  std::string_view name() const { return name_; }
  Policy& policy() { return reading.policy; }
  const Vocabulary& words() const { return reading.words; }

  /// A parameter, or nullptr.
  const Node* at(std::string_view key) const { return node.at(key); }
  std::uint32_t number(std::string_view key, std::uint32_t otherwise, std::uint64_t min, std::uint64_t max);
  double decimal(std::string_view key, double otherwise);
  Nanoseconds duration(std::string_view key, Nanoseconds otherwise);
  bool boolean(std::string_view key, bool otherwise);
  /// Units a second; nothing if the key is not there. Only the units given are allowed.
  std::optional<std::pair<double, LimitUnit>> rate(std::string_view key, LimitUnit bare,
                                                   std::initializer_list<LimitUnit> allowed);
  std::vector<PortIndex> datapath_ports(std::string_view key);
  /// Prefixes, addresses and `@sets`; nothing if the key is not there.
  std::optional<Values> addresses(std::string_view key);

  /// The rule with the guard's action. The guard's own `unless` and `more` both spare.
  void add_rule(AllOf match, std::vector<AllOf> more = {});
  /// A rule that stops what exceeds a rate: the guard's action stands in `over`.
  void add_limit(AllOf match, Limit limit, std::vector<AllOf> more = {});
  /// The row of a protocol's fact, or nullptr with a warning.
  const FieldRow* protocol_field(std::string_view field);

 private:
  Rule make(AllOf match, std::vector<AllOf> more) const;

  std::string_view name_;
  ActionOf action_;
  std::vector<AllOf> unless_;
  std::vector<std::string> techniques_;
  bool monitor_ = false;
};

void read_dhcp_snooping(GuardReader& guard);
void read_ra_guard(GuardReader& guard);
void read_arp_inspection(GuardReader& guard);
void read_nd_inspection(GuardReader& guard);
void read_source_guard(GuardReader& guard);

}  // namespace weir::policy
