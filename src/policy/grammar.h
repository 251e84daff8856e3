// SPDX-License-Identifier: Apache-2.0
#pragma once

// The grammar of the policy file: which keys each map has and what stands under them. The reader takes the names from here (an
// unknown key is an error with the nearest known one), and the JSON Schema (`weir facts --schema`) is made of it. What a
// value must be beyond its form (a network without host bits, a known zone) is the reader's.
//
// A shape is written in one line:  A|B  either   'word'  that word   [A]  an A or a list of them   [A]!  a list   {A}  a map of A by name,
// else a name: of a map below, or one of  text number decimal boolean duration rate date address prefix mac technique match.

#include <span>
#include <string_view>

namespace weir::policy {

struct KeyRow {
  std::string_view name, shape, help;
  bool required = false;
};
struct MapRow {
  std::string_view name, title;  ///< Title: as messages call it.
  std::span<const KeyRow> keys;
};

namespace grammar {

// clang-format off
inline constexpr KeyRow kPolicyKeys[] = {
    {"weir", "number", "Version of the language: 1.", true},
    {"mode", "'enforce'|'monitor'", "monitor: decide and report, stop nothing."},
    {"zones", "{zone}", "Parts of the network by name."},
    {"sets", "{set}", "Lists by name, for `@name`."},
    {"default", "'allow'|'drop'|'reject'|default", "What no rule decides."},
    {"undecided", "'pass'|'hold'|undecided", "Client payload while a deny is still possible."},
    {"essential", "boolean|['nd'|'mld'|'pmtu'|'dhcp'|'dhcpv6']", "What passes after the guards and before the rules."},
    {"accounts", "{account-file|[text]}", "Accounts and the networks that each may be used from."},
    {"roles", "{[text]}", "Who is who, for `weir prove`."},
    {"guards", "guards", "Ready-made rules, before all others."},
    {"rules", "[rule]!", "In order; the first that matches decides."},
    {"include", "[text]", "Files, and built-in profiles such as `weir:m1037/client`."},
    {"trusted_proxies", "[text]", "Whose X-Forwarded-For and Forwarded are believed."},
    {"idle", "idle", "How long flows are remembered without a packet."},
    {"assert", "[assertion]!", "What must hold whatever the rules are."},
    {"upstream", "[upstream]!", "Who takes a flood before us."},
};
inline constexpr KeyRow kZoneKeys[] = {
    {"ports", "[text]", "Ports of the datapath."},
    {"networks", "[prefix]", "Networks; without them: what is in no other zone."},
};
inline constexpr KeyRow kSetKeys[] = {
    {"addresses", "'none'|address-file|[prefix]", "Addresses and prefixes."},
    {"domains", "'none'|domain-file|[text]", "Names: `example.org`, or `.example.org` with all below."},
    {"urls", "'none'|url-file|[text]", "URLs: `host/path`, or `host/path/` with all below."},
};
inline constexpr KeyRow kAddressFileKeys[] = {
    {"file", "text", "One prefix, address or range a line.", true},
    {"format", "'list'", ""},
};
inline constexpr KeyRow kDomainFileKeys[] = {
    {"file", "text", "A list of names.", true},
    {"format", "'list'|'hosts'|'rpz'|'adblock'", "list if it is not said."},
};
inline constexpr KeyRow kUrlFileKeys[] = {
    {"file", "text", "A list of URLs.", true},
    {"format", "'list'|'squidguard'|'urlhaus'", "list if it is not said."},
};
inline constexpr KeyRow kAccountFileKeys[] = {
    {"file", "text", "`name prefix` a line.", true},
};
inline constexpr KeyRow kDefaultKeys[] = {
    {"action", "'allow'|'drop'|'reject'", "", true},
    {"technique", "[technique]", "What the default stops."},
};
inline constexpr KeyRow kUndecidedKeys[] = {
    {"action", "'pass'|'hold'", ""},
    {"frames", "number", "Frames held a flow."},
    {"bytes", "number", "Bytes held a flow."},
    {"time", "duration", "How long."},
    {"server_bytes", "number", "Bytes of the server that pass meanwhile."},
};
inline constexpr KeyRow kIdleKeys[] = {
    {"tcp", "duration", "Established."},          {"tcp_unanswered", "duration", ""}, {"tcp_closing", "duration", ""},
    {"udp", "duration", "Unanswered."},           {"udp_answered", "duration", ""},   {"icmp", "duration", ""},
    {"other", "duration", "Every other protocol."},
};
inline constexpr KeyRow kRuleKeys[] = {
    {"name", "text", "As events and explain call it.", true},
    {"technique", "[technique]", "ATT&CK ids."},
    {"match", "match", "All keys must hold; `{}` always does.", true},
    {"unless", "[match]!", "If any of these maps holds, the rule does not match."},
    {"action", "action", "", true},
    {"mode", "'enforce'|'monitor'", ""},
    {"log", "'all'|'first'|'none'", ""},
    {"expires", "date", "From then on the rule sleeps."},
    {"on", "['capture'|'bridge'|'host']", "Datapaths that have the rule."},
    {"tunnel", "'opaque'", "What is inside a tunnel is not read."},
};
inline constexpr KeyRow kActionMapKeys[] = {
    {"sinkhole", "address", "DNS answers say this address."},
    {"limit", "limit", ""},
};
inline constexpr KeyRow kBanKeys[] = {
    {"ban", "'source'|'destination'|'port'|'protocol'", "What is stopped from then on.", true},
    {"for", "duration", "10m if it is not said."},
    {"after", "number", "From the N-th match."},
    {"within", "duration", ""},
};
inline constexpr KeyRow kLimitKeys[] = {
    {"rate", "rate", "", true},
    {"burst", "decimal", ""},
    {"per", "[text]", "Facts; addresses with a length: `from/24`."},
    {"over", "action", "drop if it is not said."},
};
inline constexpr KeyRow kValueKeys[] = {
    {"regex", "text", "A regular expression, sought anywhere."},
    {"exact", "text", "The text itself."},
};
inline constexpr KeyRow kBindingKeys[] = {
    {"ip", "address", "", true}, {"mac", "mac", "", true}, {"port", "text", "Of the datapath."},
};
inline constexpr KeyRow kRouterKeys[] = {
    {"ip", "address", "", true}, {"mac", "mac", "", true},
};
inline constexpr KeyRow kAssertionKeys[] = {
    {"name", "text", "As a report calls it.", true},
    {"pass", "match", "Flows that must pass."},
    {"never", "match", "Flows that must never pass."},
    {"nothing_else", "match", "Of these flows only those pass that a `pass` of the list names."},
    {"unless", "[match]!", "Flows that are not meant."},
    {"technique", "[technique]", ""},
};
inline constexpr KeyRow kUpstreamKeys[] = {
    {"name", "text", "", true},
    {"contact", "[text]", "Whom to call: addresses, telephone numbers.", true},
    {"announce", "['blackhole'|'flowspec'|'scrubbing']", "What may be announced to it."},
    {"prefixes", "[prefix]", "Of ours, and what lies in them: for these."},
    {"neighbor", "address", "Its router."},
    {"as", "number", "Its number."},
    {"community", "[text]", "Such as `65535:666` (RFC 7999)."},
    {"capacity", "rate", "Of the link: what is more, only upstream can stop."},
    {"length_max", "number", "The longest prefix it takes: 32 if it is not said."},
};

inline constexpr MapRow kPolicy = {"policy", "a policy", kPolicyKeys};
inline constexpr MapRow kZone = {"zone", "a zone", kZoneKeys};
inline constexpr MapRow kSet = {"set", "a set", kSetKeys};
inline constexpr MapRow kAddressFile = {"address-file", "a list of addresses", kAddressFileKeys};
inline constexpr MapRow kDomainFile = {"domain-file", "a list of domains", kDomainFileKeys};
inline constexpr MapRow kUrlFile = {"url-file", "a list of urls", kUrlFileKeys};
inline constexpr MapRow kAccountFile = {"account-file", "a group of accounts", kAccountFileKeys};
inline constexpr MapRow kDefault = {"default", "`default`", kDefaultKeys};
inline constexpr MapRow kUndecided = {"undecided", "`undecided`", kUndecidedKeys};
inline constexpr MapRow kIdle = {"idle", "`idle`", kIdleKeys};
inline constexpr MapRow kRule = {"rule", "a rule", kRuleKeys};
inline constexpr MapRow kActionMap = {"action-map", "an action", kActionMapKeys};
inline constexpr MapRow kBan = {"ban", "`ban`", kBanKeys};
inline constexpr MapRow kLimit = {"limit", "`limit`", kLimitKeys};
inline constexpr MapRow kValue = {"value", "a value", kValueKeys};
inline constexpr MapRow kBinding = {"binding", "a binding", kBindingKeys};
inline constexpr MapRow kRouter = {"router", "a router", kRouterKeys};
inline constexpr MapRow kAssertion = {"assertion", "an assertion", kAssertionKeys};
inline constexpr MapRow kUpstream = {"upstream", "an upstream", kUpstreamKeys};

inline constexpr const MapRow* kMaps[] = {&kPolicy, &kZone,  &kSet,    &kAddressFile, &kDomainFile, &kUrlFile, &kAccountFile, &kDefault, &kUndecided, &kIdle,
                                          &kRule,   &kActionMap, &kBan, &kLimit,       &kValue,      &kBinding, &kRouter,      &kAssertion, &kUpstream};

/// Shapes that several keys share, by name.
struct Shape {
  std::string_view name, shape;
};
inline constexpr Shape kShapes[] = {
    {"action", "'allow'|'drop'|'reject'|'alert'|action-map|ban"},
};

/// What every guard has beside its own.
inline constexpr KeyRow kGuardKeys[] = {
    {"action", "action", "drop if it is not said."},
    {"unless", "[match]!", "What is spared."},
    {"technique", "[technique]", ""},
    {"mode", "'enforce'|'monitor'", ""},
};
// clang-format on

}  // namespace grammar

struct GuardShape {
  std::string_view name;
  std::span<const KeyRow> parameters;
  bool list = false;  ///< A list of maps, else `true`, `false` or a map.
};

}  // namespace weir::policy
