// SPDX-License-Identifier: Apache-2.0
// What a policy says beyond its rules: what must hold whatever they are (`assert`), and who takes a flood before us (`upstream`).

#include <algorithm>
#include <array>

#include "policy/actions.h"
#include "policy/conditions.h"
#include "policy/sections.h"

namespace weir::policy {
namespace {

/// The name of an item of a list, which no other item has.
template <typename Items>
std::string read_item_name(Reading& reading, const Node& item, const Keys& keys, const MapRow& row, const Items& others) {
  const Node* name = keys.at("name");
  if (name == nullptr) return reading.error(item, sentence(row.title, " needs a `name`")), std::string();
  if (!reading.wants_text(*name, sentence("the name of ", row.title))) return {};
  for (const auto& other : others)
    if (other.name == name->text)
      reading.error(*name, sentence("there is ", row.title, " `", shown(name->text), "` already, in line ", other.position.line));
  return std::string(name->text);
}

void read_assertion(Reading& reading, const Node& item) {
  if (!reading.wants_map(item, "an assertion such as `{ name: dns, pass: { to: \"@resolvers\", port: 53 } }`")) return;
  const Keys keys(reading, item, grammar::kAssertion);
  Assertion out;
  out.position = reading.position(item);
  out.name = read_item_name(reading, item, keys, grammar::kAssertion, reading.policy.assertions);
  constexpr std::pair<std::string_view, Assertion::Kind> kKinds[] = {
      {"pass", Assertion::Kind::Pass}, {"never", Assertion::Kind::Never}, {"nothing_else", Assertion::Kind::NothingElse}};
  int kinds = 0;
  for (const auto& [key, kind] : kKinds) {
    const Node* match = keys.at(key);
    if (match == nullptr) continue;
    if (++kinds > 1) reading.error(*match, "an assertion has one of the keys `pass`, `never` or `nothing_else`");
    out.kind = kind;
    out.match = read_conditions(reading, *match);
    if (match->is_map() && match->count == 0) reading.error(*match, sentence("`", key, "` names no flows"));
  }
  if (kinds == 0) reading.error(item, "an assertion needs one of the keys `pass`, `never` or `nothing_else`");
  if (const Node* unless = keys.at("unless")) out.unless = read_unless(reading, *unless);
  if (const Node* technique = keys.at("technique")) out.techniques = reading.techniques(*technique);
  reading.policy.assertions.push_back(std::move(out));
}

/// `64500:1`: two numbers of 16 bits (RFC 1997), or three of 32 (RFC 8092).
bool is_community(std::string_view text) {
  std::size_t parts = 0;
  std::uint64_t largest = 0;
  for (bool more = true; more; ++parts) {
    const std::size_t colon = text.find(':');
    const auto number = parse_number(text.substr(0, colon));
    if (!number) return false;
    largest = std::max(largest, *number);
    more = colon != text.npos;
    text.remove_prefix(more ? colon + 1 : text.size());
  }
  return (parts == 2 && largest <= 65535) || (parts == 3 && largest <= UINT32_MAX);
}

void read_upstream_item(Reading& reading, const Node& item) {
  if (!reading.wants_map(item, "an upstream such as `{ name: transit, contact: noc@transit.example, announce: blackhole }`"))
    return;
  const Keys keys(reading, item, grammar::kUpstream);
  Upstream out;
  out.position = reading.position(item);
  out.name = read_item_name(reading, item, keys, grammar::kUpstream, reading.policy.upstreams);
  if (const Node* contact = keys.at("contact")) {
    reading.each(*contact, "addresses or telephone numbers", [&](const Node& one) {
      if (reading.wants_text(one, "an address or a telephone number")) out.contacts.emplace_back(one.text);
    });
  } else {
    reading.error(item, "an upstream needs a `contact`: whom to call when it floods");
  }
  if (const Node* announce = keys.at("announce"))
    reading.each(*announce, "what may be announced: blackhole, flowspec or scrubbing", [&](const Node& one) {
      constexpr std::string_view kWords[] = {"blackhole", "flowspec", "scrubbing"};
      if (const auto place = reading.choice(one, "what may be announced", kWords))
        out.announce = static_cast<std::uint8_t>(out.announce | 1U << *place);
    });
  if (const Node* prefixes = keys.at("prefixes"))
    reading.each(*prefixes, "prefixes of ours", [&](const Node& one) {
      if (const auto prefix = reading.prefix(one, "`prefixes`")) out.prefixes.push_back(*prefix);
    });
  if (const Node* neighbor = keys.at("neighbor")) out.neighbor = reading.ip(*neighbor, "`neighbor`").value_or(Ip{});
  if (const Node* as = keys.at("as")) out.as_number = reading.number(*as, "`as`", 1, UINT32_MAX).value_or(0);
  if (const Node* length = keys.at("length_max"))
    out.length_max = static_cast<std::uint8_t>(reading.number(*length, "`length_max`", 8, 128).value_or(32));
  if (const Node* community = keys.at("community"))
    reading.each(*community, "communities such as `65535:666`", [&](const Node& one) {
      if (!reading.wants_text(one, "a community such as `65535:666`")) return;
      if (is_community(one.text)) out.communities.emplace_back(one.text);
      else reading.error(one, sentence("`", shown(one.text), "` is no community such as `65535:666` or `64500:1:2`"));
    });
  if (const Node* capacity = keys.at("capacity"))
    if (const auto rate = read_rate(reading, *capacity, LimitUnit::Bits)) {
      if (rate->second == LimitUnit::Bits || rate->second == LimitUnit::Bytes)
        out.capacity_bits_per_s = rate->second == LimitUnit::Bits ? rate->first : rate->first * 8;
      else reading.error(*capacity, "`capacity` is in bits, such as `10 Gbit/s`");
    }
  if (out.announce != 0 && out.prefixes.empty())
    reading.error(item, "what may be announced needs `prefixes`: nothing outside them will be");
  reading.policy.upstreams.push_back(std::move(out));
}

void read_list(Reading& reading, const Node& node, std::string_view key, void (*read)(Reading&, const Node&)) {
  if (!node.is_list()) return void(reading.error(node, sentence("`", key, "` is a list of maps")));
  if (node.count == 0) return void(reading.error(node, sentence("`", key, "` says nothing; leave it out")));
  node.for_each_item([&](const Node& item) { read(reading, item); });
}

}  // namespace

void read_assertions(Reading& reading, const Node& node) { read_list(reading, node, "assert", read_assertion); }
void read_upstreams(Reading& reading, const Node& node) { read_list(reading, node, "upstream", read_upstream_item); }

}  // namespace weir::policy
