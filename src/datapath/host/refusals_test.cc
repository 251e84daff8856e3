// SPDX-License-Identifier: Apache-2.0
// What is refused at the call is what the engine would drop: the kernel's own lines (bpf/refusal.h) and the engine are
// asked about the same processes and destinations, under policies by hand and by chance.

#include "datapath/host/refusals.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "bpf/refusal.h"
#include "tests/kit/talk.h"

namespace weir::datapath {
namespace {

using namespace kit;

constexpr std::string_view kOwn = "10.78.0.1";

struct Process {
  std::string path;
  std::vector<std::string> parents;
  std::string user;
  std::uint32_t uid;
};

HostFacts facts_of_host() {
  HostFacts host;
  host.addresses = {ip_of(kOwn)};
  const std::map<std::string, std::uint32_t, std::less<>> ids{{"root", 0}, {"daemon", 1}, {"www", 33}};
  host.uid_of = host.gid_of = [ids](std::string_view name) {
    const auto found = ids.find(name);
    return found == ids.end() ? std::nullopt : std::optional(found->second);
  };
  return host;
}

struct Call {
  std::uint32_t at = WEIR_AT_CONNECT;
  std::uint8_t protocol = 6;
  std::string to = "10.78.0.2";
  std::uint16_t port = 80;
  bool begins = true;  ///< Of TCP by a packet socket.
};

weir_named key_of(std::string_view path) {
  weir_named key{};
  std::size_t at = 0;
  while (!path.empty()) {
    const std::size_t slash = path.rfind('/');
    path.substr(slash + 1).copy(key.path + at, sizeof key.path - at);
    at += path.size() - slash;
    path = path.substr(0, slash);
  }
  return key;
}

/// As bpf/refusals.h asks: the place of the rule that refuses.
std::optional<RuleId> refused(const Refusals& refusals, const Process& process, const Call& asked) {
  const auto bits_of = [&](const std::string& path) {
    const weir_named key = key_of(path);
    for (const WhoProgram::NamedPath& named : refusals.named)
      if (std::memcmp(named.path.path, key.path, sizeof key.path) == 0) return named.bits;
    return weir_bits{};
  };
  const std::uint64_t own = bits_of(process.path).own;
  std::uint64_t parents = 0;
  for (const std::string& parent : process.parents) parents |= bits_of(parent).parent;
  weir_call call{.netns = 7, .at = asked.at, .protocol = asked.protocol, .port = asked.port, .begins = asked.begins && asked.protocol == 6};
  const Ip to = asked.at == WEIR_AT_CREATE ? Ip{} : ip_of(asked.to);
  std::memcpy(call.address_be, to.bytes.data(), 16);
  weir_owner owner{};
  owner.uid = owner.gid = process.uid;
  for (std::size_t i = 0; i < refusals.rows.size(); ++i) {
    if (weir_holds(&refusals.rows[i], &call, &owner, own >> i & 1, parents >> i & 1, 7) == 0) continue;
    return refusals.rows[i].then == WEIR_THEN_REFUSE ? std::optional<RuleId>(refusals.rows[i].rule) : std::nullopt;
  }
  return std::nullopt;
}

std::string by_kernel(const std::shared_ptr<const policy::RuleSet>& rules, const Process& process, const Call& call) {
  const auto rule = refused(refusals_of(rules->policy(), facts_of_host()), process, call);
  return rule ? "drop " + rules->policy().rules[*rule].name : "ask";
}

std::string by_engine(const std::shared_ptr<const policy::RuleSet>& rules, const Process& process, const Call& call) {
  engine::EngineOptions options = small_engine();
  options.senders = true;
  Filter f(rules, options);
  Sender sender;
  sender.id = 1;
  sender.path = process.path;
  for (const std::string& parent : process.parents) sender.parents[sender.parents_count++] = parent;
  const std::string number = std::to_string(process.uid);
  sender.user = sender.group = process.user, sender.uid = sender.gid = number;
  f.by(&sender);
  if (call.protocol == 6) return Connection(f, kOwn, 40000, call.to, call.port).syn();
  return f.send(Eth() / Ipv4(kOwn, call.to) / Udp(40000, call.port) / "x");
}

const Process kVerclsid{"/opt/verclsid", {"/bin/bash", "/sbin/init"}, "root", 0}, kChild{"/bin/curl", {"/opt/verclsid", "/bin/bash"}, "root", 0},
    kCurl{"/bin/curl", {"/bin/bash"}, "daemon", 1}, kWeb{"/usr/sbin/nginx", {}, "www", 33};

std::shared_ptr<const policy::RuleSet> of(std::string_view rules, std::string_view before = "") {
  return rules_of("weir: 1\nzones: { here: { networks: [10.78.0.1/32] }, peer: { networks: [10.78.0.0/24] }, lan: { networks: [10.79.0.0/16] }, outside: {} }\n" +
                  std::string(before) + "rules:\n" + std::string(rules));
}

TEST(Refusals, AProgramThatMaySendNothing) {
  const auto rules = of("  - { name: no, match: { process.path: /opt/verclsid }, action: drop }\n"
                        "  - { name: children, match: { process.parent.path: /opt/verclsid }, action: reject }\n");
  for (const std::uint32_t at : {WEIR_AT_CONNECT, WEIR_AT_SEND, WEIR_AT_BIND, WEIR_AT_CREATE, WEIR_AT_PACKET})
    for (const std::uint8_t protocol : {std::uint8_t{6}, std::uint8_t{17}}) {
      EXPECT_EQ(by_kernel(rules, kVerclsid, {.at = at, .protocol = protocol}), "drop no") << at;
      EXPECT_EQ(by_kernel(rules, kChild, {.at = at, .protocol = protocol}), "drop children") << at;
      EXPECT_EQ(by_kernel(rules, kCurl, {.at = at, .protocol = protocol}), "ask") << at;
    }
}

TEST(Refusals, FromThisHostIsKnownBeforeTheAddressIs) {
  const auto rules = of("  - { name: no, match: { from: here, process.path: /opt/verclsid }, action: drop }\n");
  EXPECT_EQ(by_kernel(rules, kVerclsid, {}), "drop no");
  EXPECT_EQ(by_kernel(rules, kVerclsid, {.at = WEIR_AT_CREATE, .protocol = 1}), "drop no") << "what leaves by a raw socket has no process";
  EXPECT_EQ(by_kernel(rules, kVerclsid, {.at = WEIR_AT_SEND, .protocol = 17}), "ask") << "it may be an answer to somebody's question";
  EXPECT_EQ(by_kernel(rules, kVerclsid, {.at = WEIR_AT_BIND}), "ask");
  EXPECT_EQ(by_kernel(rules, kVerclsid, {.to = "127.0.0.1"}), "ask") << "loopback is not this zone";
  EXPECT_EQ(by_kernel(of("  - { name: no, match: { from: lan, process.path: /opt/verclsid }, action: drop }\n"), kVerclsid, {}), "ask");
}

TEST(Refusals, WhatMayLetPassComesFirst) {
  const auto rules = of("  - { name: agent, match: { to: 169.254.169.254, user: daemon, http.header: 'token: *' }, action: allow }\n"
                        "  - { name: metadata, match: { to: 169.254.169.254 }, action: reject }\n");
  const Call call{.to = "169.254.169.254"};
  EXPECT_EQ(by_kernel(rules, kVerclsid, call), "drop metadata");
  EXPECT_EQ(by_kernel(rules, kCurl, call), "ask") << "its header is not yet there";
  EXPECT_EQ(by_kernel(rules, kVerclsid, {}), "ask");
  EXPECT_EQ(by_kernel(rules, kVerclsid, {.at = WEIR_AT_SEND, .protocol = 17, .to = "169.254.169.254"}), "ask");
}

TEST(Refusals, WhatIsNotCertainAtTheCallIsTheEngines) {
  for (const std::string_view match :
       {"process.path: '/opt/*'", "process.path: { regex: verclsid }", "process.name: verclsid", "process.path: /opt/verclsid, app.protocol: http",
        "user: nobody-knows", "process.path: /opt/verclsid, to: outside", "process.path: unknown", "to: peer"})
    EXPECT_EQ(by_kernel(of("  - { name: no, match: { " + std::string(match) + " }, action: drop }\n"), kVerclsid, {}), "ask") << match;
  EXPECT_EQ(by_kernel(of("  - { name: no, match: { process.path: /opt/verclsid }, action: drop, mode: monitor }\n"), kVerclsid, {}), "ask");
  EXPECT_EQ(by_kernel(of("  - { name: no, match: { process.path: /opt/verclsid }, action: drop, expires: 2030-01-01 }\n"), kVerclsid, {}), "ask");
  EXPECT_EQ(by_kernel(of("  - { name: no, match: { process.path: /opt/verclsid }, action: drop, on: [bridge] }\n"), kVerclsid, {}), "ask");
  EXPECT_EQ(by_kernel(of("  - { name: no, match: { process.path: /opt/verclsid }, action: drop }\n", "mode: monitor\n"), kVerclsid, {}), "ask");
  EXPECT_EQ(by_kernel(of("  - { name: x, match: { port: 99 }, action: allow }\n", "default: drop\n"), kVerclsid, {}), "ask") << "a default may yield to an announced flow";
}

TEST(Refusals, APacketSocketShowsWhereItsFrameGoes) {
  const auto rules = of("  - { name: dns, match: { to: 10.78.0.53, port: 53 }, action: allow }\n  - { name: no, match: { process.path: /opt/verclsid }, action: drop }\n"
                        "  - { name: metadata, match: { to: 169.254.169.254 }, unless: [ { user: daemon } ], action: drop }\n  - { name: tcp, match: { ip.protocol: tcp, user: www }, action: drop }\n");
  constexpr std::uint32_t kAt = WEIR_AT_PACKET;
  EXPECT_EQ(by_kernel(rules, kVerclsid, {.at = kAt, .protocol = 17, .to = "10.78.0.53", .port = 53}), "ask");
  EXPECT_EQ(by_kernel(rules, kVerclsid, {.at = kAt, .protocol = 17, .to = "10.78.0.53", .port = 54}), "drop no");
  EXPECT_EQ(by_kernel(rules, kVerclsid, {.at = kAt, .protocol = 58, .to = "ff02::1"}), "drop no") << "what is essential does not count";
  EXPECT_EQ(by_kernel(rules, kChild, {.at = kAt, .to = "169.254.169.254"}), "drop metadata");
  EXPECT_EQ(by_kernel(rules, kCurl, {.at = kAt, .to = "169.254.169.254"}), "ask");
  EXPECT_EQ(by_kernel(rules, kChild, {.at = kAt, .to = "169.254.169.254", .begins = false}), "ask") << "it may be an answer";
  EXPECT_EQ(by_kernel(rules, kWeb, {.at = kAt, .begins = false}), "drop tcp");
  EXPECT_EQ(by_kernel(rules, kWeb, {.at = kAt, .protocol = 17}), "ask");
}

TEST(Refusals, ExceptionsAreHeardFirst) {
  const auto rules = of("  - { name: no, match: { process.path: /opt/verclsid }, unless: [ { to: lan, port: 443 }, { user: daemon } ], action: drop }\n");
  EXPECT_EQ(by_kernel(rules, kVerclsid, {}), "drop no");
  EXPECT_EQ(by_kernel(rules, kVerclsid, {.to = "10.79.1.2", .port = 443}), "ask");
  EXPECT_EQ(by_kernel(rules, kVerclsid, {.to = "10.79.1.2", .port = 444}), "drop no");
  EXPECT_EQ(by_kernel(rules, {"/opt/verclsid", {}, "daemon", 1}, {}), "ask");
}

TEST(Refusals, WhenThereAreTooManyTheRestIsTheEngines) {
  std::string many;
  for (int i = 0; i < 60; ++i) many += "  - { name: r" + std::to_string(i) + ", match: { process.path: /opt/p" + std::to_string(i) + " }, action: drop }\n";
  const Refusals refusals = refusals_of(of(many, "essential: false\n")->policy(), facts_of_host());
  EXPECT_EQ(refusals.rules, static_cast<std::uint32_t>(WEIR_REFUSALS_MAX));
  EXPECT_EQ(by_kernel(of(many, "essential: false\n"), {"/opt/p59", {}, "root", 0}, {}), "ask");
}

TEST(Refusals, AgreeWithTheEngineOnPoliciesByChance) {
  std::mt19937 random(7);
  const auto one_of = [&](const std::vector<std::string>& all) { return all[random() % all.size()]; };
  const std::vector<std::string> conditions{
      "process.path: /opt/verclsid", "process.path: [/bin/curl, /usr/sbin/nginx]", "not.process.path: /bin/curl", "process.parent.path: /opt/verclsid",
      "not.process.parent.path: /bin/bash", "user: daemon", "not.user: [root, 33]", "group: 33", "ip.protocol: tcp", "not.ip.protocol: udp", "port: [80, 1000-2000]",
      "not.port: 443", "to: lan", "to: 10.78.0.2", "not.to: 10.79.0.0/16", "to: [10.0.0.0/8, 198.51.100.0/24]", "from: here", "not.from: lan", "to: peer",
      "app.protocol: http", "flow.state: new", "to: '::/0'"};
  std::size_t refusals = 0, agreed = 0, questions = 0;
  for (int round = 0; round < 120; ++round) {
    std::string text;
    for (std::size_t i = 0, rules = 1 + random() % 5; i < rules; ++i) {
      std::map<std::string, std::string> match;  // Each key once.
      for (std::size_t c = 0, count = 1 + random() % 3; c < count; ++c) {
        const std::string condition = one_of(conditions);
        match.emplace(condition.substr(0, condition.find(':')), condition);
      }
      std::string all;
      for (const auto& [key, condition] : match) all += (all.empty() ? "" : ", ") + condition;
      const std::string unless = random() % 4 == 0 ? ", unless: [ { " + one_of(conditions) + " } ]" : "";
      text += "  - { name: r" + std::to_string(i) + ", match: { " + all + " }" + unless + ", action: " + one_of({"drop", "drop", "reject", "allow"}) + " }\n";
    }
    const auto rules = of(text);
    for (const Process& process : {kVerclsid, kChild, kCurl, kWeb})
      for (const char* to : {"10.78.0.2", "10.79.3.4", "198.51.100.7", "169.254.169.254", "224.0.0.251"})
        for (const auto& [port, at] : {std::pair<std::uint16_t, std::uint32_t>{80, WEIR_AT_CONNECT}, {443, WEIR_AT_CONNECT}, {1500, WEIR_AT_CONNECT}, {80, WEIR_AT_PACKET}, {1500, WEIR_AT_PACKET}})
          for (const std::uint8_t protocol : {std::uint8_t{6}, std::uint8_t{17}}) {
            const Call call{.at = at, .protocol = protocol, .to = to, .port = port};
            const std::string kernel = by_kernel(rules, process, call);
            ++questions;
            if (kernel == "ask") continue;
            ++refusals;
            const std::string engine = by_engine(rules, process, call);
            // Where an earlier rule would stop it too but is not certain at the call, the call is refused under the certain one.
            agreed += kernel == engine ? 1U : 0U;
            ASSERT_TRUE(engine.starts_with("drop")) << kernel << text << process.path << " to " << to << ":" << port << " by " << int{protocol};
          }
  }
  EXPECT_GT(agreed, refusals * 9 / 10);
  EXPECT_GT(refusals, questions / 20) << "and not for want of refusals";
}

}  // namespace
}  // namespace weir::datapath
