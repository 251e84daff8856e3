// SPDX-License-Identifier: Apache-2.0
#pragma once

// The rule language as data: what policy/document reads from YAML, guards expand to, compile and match work on, and
// explain prints. Everything here is immutable once a Policy is built, and is shared by reference between reloads.
//
// A rule holds if every condition of `match` holds and no map of `unless` does (all conditions of a map must hold for it to
// hold).

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/clock.h"
#include "facts/app.h"
#include "facts/decision.h"
#include "facts/field.h"
#include "facts/flow.h"
#include "facts/value.h"
#include "policy/name_set.h"
#include "policy/prefix_set.h"
#include "policy/text_set.h"
#include "policy/url_set.h"

namespace weir::policy {

/// Where something stands in the policy: the file's index in Policy::files, line and column from 1.
struct Position {
  std::uint16_t file = 0;
  std::uint32_t line = 0, column = 0;
};

struct NumberRange {
  std::uint64_t first = 0, last = 0;  ///< Both included.
  bool operator==(const NumberRange&) const = default;
};

/// A named set as the policy declares it. Exactly one of the kinds is there. Immutable, shared.
struct NamedSet {
  std::string name;
  std::shared_ptr<const PrefixSet> addresses;
  std::shared_ptr<const NameSet> domains;
  std::shared_ptr<const UrlSet> urls;
  Position position;
};

/// The values of one key: any of them. Which members are used depends on the field's type.
struct Values {
  bool absent = false, present = false, hidden = false;  ///< The words; they ask for the state of the fact.
  std::vector<NumberRange> numbers;   ///< Number, Boolean, Word, Zone (zone ids), Port: sorted, merged.
  AppSet apps;                        ///< App.
  std::vector<ZoneId> zones;          ///< Address: zones (`from: inside`).
  std::shared_ptr<const PrefixSet> prefixes;            ///< Address: written out, and
  std::vector<std::shared_ptr<const NamedSet>> sets;    ///< `@set`, of addresses, domains or urls.
  std::shared_ptr<const NameSet> names;                 ///< Domain: written out.
  std::shared_ptr<const TextSet> texts;                 ///< Text, TextFold, and globs or regular expressions on Domain.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> macs;  ///< Mac: (value, mask), 48 bits.
  std::vector<std::uint8_t> flags;    ///< Flags: exact sets, or for tcp.flags.any the bits.
  std::vector<std::string> written;   ///< As the user wrote them, for explain and diagnostics.
};

struct Condition {
  FieldId field = kNoField;
  bool negated = false;  ///< `not.KEY`: none of the values.
  Values values;
  Position position;
};
using AllOf = std::vector<Condition>;

enum class Action : std::uint8_t { Allow, Drop, Reject, Sinkhole, Limit, Ban, Alert };
std::string_view name_of(Action action);  ///< "allow", "drop", …

enum class LimitUnit : std::uint8_t { Requests, Flows, Packets, Bits, Bytes };
/// A part of the key that `per` names.
struct PerKey {
  FieldId field = kNoField;
  std::uint8_t prefix_v4 = 32, prefix_v6 = 64;  ///< Addresses: the enclosing prefix counts (`from/24`).
  bool operator==(const PerKey&) const = default;
};
struct Limit {
  double rate = 0;  ///< Units a second.
  LimitUnit unit = LimitUnit::Flows;
  double burst = 1;
  std::vector<PerKey> per;
  Action over = Action::Drop;
  Ip sinkhole;         ///< If `over` is a sinkhole.
  bool spare_known = false;  ///< flood guards: `spare: known` does not count clients that are known.
  bool asks_source = false;  ///< syn-cookies: who sent what is over it is asked, and who answers is let in.
  bool operator==(const Limit&) const = default;
};

enum class BanWhat : std::uint8_t { Source, Destination, Port, Protocol };
struct Ban {
  BanWhat what = BanWhat::Source;
  Nanoseconds for_ns = 10 * kMinute, within_ns = 0;
  std::uint32_t after = 1;
  bool operator==(const Ban&) const = default;
};

enum class Log : std::uint8_t { All, First, None };

struct Rule {
  std::string name;  ///< Guards: `guard.NAME`. Several rules of one guard share the name.
  std::vector<std::string> techniques;
  AllOf match;
  std::vector<AllOf> unless;
  Action action = Action::Allow;
  Ip sinkhole;
  Limit limit;
  Ban ban;
  Log log = Log::All;
  bool monitor = false;        ///< `mode: monitor`, of the rule or of the policy.
  bool tunnel_opaque = false;
  bool guard = false, essential = false;
  Nanoseconds expires_wall_ns = INT64_MAX;
  std::uint8_t datapaths = on::kAll;  ///< `on:`
  Position position;
};

struct ZoneDefinition {
  std::string name;
  std::vector<PortIndex> ports;
  std::vector<Prefix> networks;
  Position position;
};

/// What guards ask of the state tables; the engine hands it on (policy and state do not know each other).
struct StateWishes {
  bool tcp_state = false;       ///< Judge TCP windows and handshakes.
  bool tcp_midstream_drop = false;
  bool tcp_strict = false;
  bool anti_spoof = false;
  struct StaticBinding {
    Ip ip;
    Mac mac;
    PortIndex port = kNoPort;
    bool operator==(const StaticBinding&) const = default;
  };
  enum class Learn : std::uint8_t { None, Dhcp, First };
  struct BindingTable {
    bool on = false;
    Learn learn = Learn::Dhcp;
    std::vector<StaticBinding> bindings;
    bool operator==(const BindingTable&) const = default;
  } arp, nd, source;
  std::uint32_t port_macs_max = 0;
  bool port_macs_sticky = false;
  std::vector<std::uint16_t> knock_ports;
  Nanoseconds knock_within_ns = 15 * kSecond;
  std::uint32_t scan_ports = 0;  ///< 0: off.
  Nanoseconds scan_within_ns = 10 * kSecond;
  struct DnsTunnel {
    bool on = false;
    std::uint32_t queries = 30;
    Nanoseconds within_ns = 60 * kSecond;
    double unique = 0.8;
    std::uint32_t name_bytes = 52, label_bytes = 40;
    bool operator==(const DnsTunnel&) const = default;
  } dns_tunnel;
  struct IcmpTunnel {
    bool on = false;
    std::uint32_t payload_bytes = 128;
    double rate = 0;
    bool operator==(const IcmpTunnel&) const = default;
  } icmp_tunnel;
  struct SlowClient {
    bool on = false;
    Nanoseconds headers_within_ns = 10 * kSecond;
    double body_bytes_per_s = 500;
    bool operator==(const SlowClient&) const = default;
  } slow_client;
  /// `anti-spoof: {ports: {lan0: inside}}`
  std::vector<std::pair<PortIndex, ZoneId>> spoof_ports;
  bool operator==(const StateWishes&) const = default;
};

struct IdleTimes {
  Nanoseconds tcp_unanswered_ns = 60 * kSecond, tcp_ns = kHour, tcp_closing_ns = 60 * kSecond;
  Nanoseconds udp_ns = 60 * kSecond, udp_answered_ns = 180 * kSecond, icmp_ns = 30 * kSecond, other_ns = 120 * kSecond;
  bool operator==(const IdleTimes&) const = default;
};

struct UndecidedBounds {
  bool hold = false;
  std::uint32_t frames_max = 16, bytes_max = 16 * 1024;
  Nanoseconds time_max_ns = 300 * kMillisecond;
  std::uint32_t server_bytes_max = 4096;
  bool operator==(const UndecidedBounds&) const = default;
};

struct Account {
  std::string name;
  Prefix network;
  std::uint32_t line = 0;
};

/// `assert:` what must hold of the flows that match, whatever the rules are.
struct Assertion {
  enum class Kind : std::uint8_t {
    Pass,         ///< They pass.
    Never,        ///< None of them passes.
    NothingElse,  ///< Of them only those pass that an assertion of the kind Pass names.
  };
  Kind kind = Kind::Pass;
  std::string name;
  AllOf match;
  std::vector<AllOf> unless;
  std::vector<std::string> techniques;
  Position position;
};

/// `upstream:` who takes a flood before us.
struct Upstream {
  static constexpr std::uint8_t kBlackhole = 1, kFlowspec = 2, kScrubbing = 4;
  std::string name;
  std::vector<std::string> contacts;
  std::uint8_t announce = 0;       ///< What may be announced to it, and
  std::vector<Prefix> prefixes;    ///< for which of ours,
  std::uint8_t length_max = 32;    ///< at most so long.
  Ip neighbor;                     ///< All zeroes if it is not said.
  std::uint32_t as_number = 0;
  std::vector<std::string> communities;
  double capacity_bits_per_s = 0;  ///< Of the link; 0 if it is not said.
  Position position;
};

class ZoneMap;  // zone.h: address and port → zone

/// A policy: validated, immutable.
struct Policy {
  std::vector<std::string> files;  ///< Main file first.
  bool monitor = false;
  std::vector<std::string> port_names;  ///< PortIndex → name, those that the policy mentions.
  std::vector<ZoneDefinition> zones;
  std::vector<std::shared_ptr<const NamedSet>> sets;
  std::vector<Rule> rules;  ///< In order of asking: guards, essential, own. RuleId is the place.
  Action default_action = Action::Allow;
  std::vector<std::string> default_techniques;
  UndecidedBounds undecided;
  IdleTimes idle;
  StateWishes wishes;
  std::vector<Account> accounts;  ///< Sorted by name.
  std::shared_ptr<const PrefixSet> trusted_proxies;
  std::vector<std::pair<std::string, std::string>> roles;
  std::vector<Assertion> assertions;
  std::vector<Upstream> upstreams;

  /// Index of a port's name, adding it if it is new.
  PortIndex port_index(std::string_view name);
};

}  // namespace weir::policy
