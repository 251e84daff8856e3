// SPDX-License-Identifier: Apache-2.0
// The guards of the local network: DHCP, router advertisements, and who owns which address.
#include "base/check.h"
#include "facts/field_ids.h"
#include "policy/guard_reader.h"

namespace weir::policy {
namespace {

using namespace field;

/// Packets a second by the port that they came in by; where no port is known by name, by the sender instead.
Limit per_port_or(const Policy& policy, double rate, FieldId sender) {
  Limit limit;
  limit.rate = rate;
  limit.unit = LimitUnit::Packets;
  limit.burst = default_burst(rate);
  PerKey key;
  key.field = policy.port_names.empty() ? sender : static_cast<FieldId>(kInPort);
  limit.per.push_back(key);
  return limit;
}

Condition words_of(const FieldRow& row, std::initializer_list<std::string_view> names) {
  Condition out;
  out.field = row.id;
  for (std::string_view name : names)
    for (const Word& word : row.words)
      if (word.name == name) {
        out.values.numbers.push_back({word.value, word.value});
        out.values.written.emplace_back(name);
      }
  return out;
}

std::vector<StateWishes::StaticBinding> read_bindings(GuardReader& guard) {
  std::vector<StateWishes::StaticBinding> out;
  const Node* list = guard.at("bindings");
  if (list == nullptr) return out;
  Reading& reading = guard.reading;
  reading.each(*list, "bindings such as `{ ip: 10.0.0.1, mac: \"00:11:22:33:44:55\" }`", [&](const Node& item) {
    if (!reading.wants_map(item, "a binding such as `{ ip: 10.0.0.1, mac: \"00:11:22:33:44:55\" }`")) return;
    const Keys keys(reading, item, grammar::kBinding);
    const Node* ip = keys.at("ip");
    const Node* mac = keys.at("mac");
    if (ip == nullptr || mac == nullptr) return void(reading.error(item, "a binding needs `ip` and `mac`"));
    const auto address = reading.ip(*ip, "`ip`");
    const auto hardware = reading.mac(*mac);
    if (!address || !hardware) return;
    StateWishes::StaticBinding binding{*address, *hardware, kNoPort};
    if (const Node* port = keys.at("port"); port != nullptr && reading.wants_text(*port, "the name of a port"))
      binding.port = reading.policy.port_index(port->text);
    out.push_back(binding);
  });
  return out;
}

/// What the three inspections share. `sender` counts where ports have no names; `seen` is what the rate counts.
void read_inspection(GuardReader& guard, StateWishes::BindingTable& table, FieldId reading_field, FieldId sender, AllOf seen) {
  table.on = true;
  table.bindings = read_bindings(guard);
  if (const Node* learn = guard.at("learn")) {
    constexpr std::string_view kLearn[] = {"none", "dhcp", "first"};
    if (const auto place = guard.reading.choice(*learn, "`learn`", kLearn)) table.learn = static_cast<StateWishes::Learn>(*place);
  }
  guard.add_rule({word(guard.words(), reading_field, {"contradicts"})});
  if (const Node* unlisted = guard.at("unlisted")) {
    constexpr std::string_view kUnlisted[] = {"pass", "drop"};
    const auto place = guard.reading.choice(*unlisted, "`unlisted`", kUnlisted);
    if (place && *place == 1) guard.add_rule({word(guard.words(), reading_field, {"unlisted"})});
  }
  if (const auto rate = guard.rate("rate", LimitUnit::Packets, {LimitUnit::Packets}))
    guard.add_limit(std::move(seen), per_port_or(guard.policy(), rate->first, sender));
}

}  // namespace

// RFC 2131: servers send offer, ack and nak. RFC 8415 section 7.3: advertise, reply, reconfigure, and relay-reply towards relays.
void read_dhcp_snooping(GuardReader& guard) {
  const std::vector<PortIndex> trusted = guard.datapath_ports("trusted");
  const std::optional<Values> servers = guard.addresses("servers");
  const std::optional<Values> relays = guard.addresses("relays");
  const bool verify_mac = guard.boolean("verify_mac", true);
  const auto rate = guard.rate("rate", LimitUnit::Packets, {LimitUnit::Packets, LimitUnit::Requests});
  if (trusted.empty() && !servers)
    guard.reading.warning(guard.node,
                          "the guard `dhcp-snooping` knows neither `trusted` ports nor `servers`: no DHCP server can answer");

  std::vector<AllOf> spared;
  if (!trusted.empty()) spared.push_back({ports(kInPort, trusted, guard.policy())});
  const FieldRow* server_id = !servers ? nullptr : guard.protocol_field("dhcp.server_id");
  const auto sent_by = [&](const Values& senders, bool check_id) {
    AllOf all{addresses(kSrcIp, senders)};
    // Both the sender and the server-id must be listed; through a relay the id alone tells the server.
    if (check_id && servers && server_id != nullptr && server_id->type == FieldType::Address)
      all.push_back(addresses(server_id->id, *servers));
    return all;
  };
  if (const FieldRow* type = guard.protocol_field("dhcp.type")) {
    std::vector<AllOf> spared4 = spared;
    if (servers) spared4.push_back(sent_by(*servers, true));
    if (relays) spared4.push_back(sent_by(*relays, true));
    guard.add_rule({words_of(*type, {"offer", "ack", "nak"})}, spared4);
    const FieldRow* client = guard.words().field("dhcp.client_mac");
    const double per_second = rate ? rate->first : 20;
    guard.add_limit({words_of(*type, {"discover", "request", "decline", "release", "inform"})},
                    per_port_or(guard.policy(), per_second, client != nullptr ? client->id : static_cast<FieldId>(kEthSrc)));
    // The reading is made where the engine has it; relayed messages carry the client's address behind another's.
    if (const FieldRow* forged = guard.words().field("dhcp.mac_mismatch"); forged != nullptr && verify_mac)
      guard.add_rule({boolean_is(forged->id, true)});
  }
  if (const FieldRow* type = guard.protocol_field("dhcpv6.type")) {
    std::vector<AllOf> spared6 = spared;
    if (servers) spared6.push_back(sent_by(*servers, false));
    if (relays) spared6.push_back(sent_by(*relays, false));
    guard.add_rule({words_of(*type, {"advertise", "reply", "reconfigure", "relay-reply"})}, spared6);
  }
}

// RFC 6105: ICMPv6 router advertisements (134) and redirects (137). IPv4 has redirects of its own, which `icmp.type: redirect`
// names.
void read_ra_guard(GuardReader& guard) {
  Reading& reading = guard.reading;
  const std::vector<PortIndex> trusted = guard.datapath_ports("trusted");
  std::vector<AllOf> spared;
  if (!trusted.empty()) spared.push_back({ports(kInPort, trusted, guard.policy())});
  std::vector<Prefix> plain;
  if (const Node* routers = guard.at("routers"))
    reading.each(*routers, "addresses, sets, or maps with `ip` and `mac`", [&](const Node& item) {
      if (item.is_scalar() && item.text.starts_with('@')) {
        const Reading::SetEntry* entry = reading.set(item);
        if (entry == nullptr || !entry->set) return;
        if (!entry->set->addresses) return void(reading.error(item, sentence("`", item.text, "` is no set of addresses")));
        Values values;
        values.sets.push_back(entry->set);
        values.written.emplace_back(item.text);
        return spared.push_back({addresses(kSrcIp, std::move(values))});
      }
      if (!item.is_map()) {
        if (const auto ip = reading.ip(item, "`routers`")) plain.push_back({*ip, 128});
        return;
      }
      const Keys keys(reading, item, grammar::kRouter);
      const Node* ip = keys.at("ip");
      const Node* mac = keys.at("mac");
      if (ip == nullptr || mac == nullptr) return void(reading.error(item, "a router written as a map needs `ip` and `mac`"));
      const auto address = reading.ip(*ip, "`ip`");
      const auto hardware = reading.mac(*mac);
      if (!address || !hardware) return;
      Condition sender;
      sender.field = kEthSrc;
      sender.values.macs.emplace_back(hardware->value(), 0xffffffffffffULL);
      sender.values.written.push_back(render(*hardware));
      spared.push_back({prefixes(kSrcIp, {{*address, 128}}), std::move(sender)});
    });
  if (!plain.empty()) spared.push_back({prefixes(kSrcIp, plain)});
  guard.add_rule({numbers(kIpProtocol, {{58, 58}}, "icmpv6"),
                  numbers(kIcmpType, {{256 + 134, 256 + 134}, {256 + 137, 256 + 137}}, "router-advertisement, redirect")},
                 std::move(spared));
}

void read_arp_inspection(GuardReader& guard) {
  guard.add_rule({word(guard.words(), kFlaw, {"bad-arp"})});
  Condition any;
  any.field = kArpOp;
  any.values.present = true;
  any.values.written.emplace_back("present");
  read_inspection(guard, guard.policy().wishes.arp, kArpBinding, kArpSenderMac, {any});
}

void read_nd_inspection(GuardReader& guard) {
  read_inspection(guard, guard.policy().wishes.nd, kNdBinding, kEthSrc,
                  {numbers(kIpProtocol, {{58, 58}}, "icmpv6"), numbers(kIcmpType, {{256 + 133, 256 + 136}}, "nd")});
}

void read_source_guard(GuardReader& guard) {
  read_inspection(guard, guard.policy().wishes.source, kSrcBinding, kEthSrc, {numbers(kIpVersion, {{4, 6}}, "4-6")});
}

}  // namespace weir::policy
