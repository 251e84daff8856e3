// SPDX-License-Identifier: Apache-2.0
#include "policy/match.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>
#include <string>

#include "policy/document.h"
#include "tests/kit/oracle.h"
#include "tests/kit/packet.h"
#include "tests/kit/vocabulary.h"

namespace weir::policy {
namespace {

/// Limits and bans by the rule's number alone: both matchers hear the same.
class FixedMeters final : public Meters {
 public:
  bool over_limit(RuleId id, const Rule&, const View&) override { return id % 2 == 0; }
  bool ban_begins(RuleId id, const Rule&, const View&) override { return id % 3 == 0; }
};

/// Texts and numbers at random, the same for the same seed.
class Dice {
 public:
  explicit Dice(std::uint32_t seed) : random_(seed) {}
  std::size_t below(std::size_t n) { return random_() % n; }
  bool one_in(std::size_t n) { return below(n) == 0; }
  template <std::size_t N>
  std::string pick(const char* const (&words)[N]) { return words[below(N)]; }
  /// One word, or a list of up to three.
  template <std::size_t N>
  std::string some(const char* const (&words)[N]) {
    if (!one_in(3)) return pick(words);
    std::string out = "[" + pick(words);
    for (std::size_t more = 1 + below(2); more-- > 0;) out += ", " + pick(words);
    return out + "]";
  }

 private:
  std::mt19937 random_;
};

constexpr const char* kZones[] = {"inside", "outside", "guests"};
constexpr const char* kPrefixes[] = {"10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "192.0.2.0/24", "0.0.0.0/0", "198.51.100.128/25",
                                     "\"::/0\"", "\"2001:db8::/32\"", "\"2001:db8:1::/48\"", "\"2001:db8::1\"", "\"fd00::/8\"", "255.255.255.255",
                                     "\"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff\""};
constexpr const char* kPorts[] = {"0", "53", "80", "443", "1-1024", "80-90", "1024-65535", "65535", "0-65535"};
constexpr const char* kProtocols[] = {"tcp", "udp", "icmp", "icmpv6", "sctp", "gre", "tcp", "ah"};
constexpr const char* kAppWords[] = {"dns", "http", "tls", "ssh", "smb", "unknown"};
constexpr const char* kFlags[] = {"S", "SA", "A", "FPU", "R"};
constexpr const char* kTypes[] = {"0", "3", "8", "128", "5"};
constexpr const char* kStates[] = {"new", "established", "related", "invalid"};
constexpr const char* kActionWords[] = {"allow", "drop", "reject", "alert", "allow", "drop", "{ban: source, for: 1m}",
                                        "{limit: {rate: 10/s, per: from}}", "{limit: {rate: 10 flows/s, per: from}}"};
constexpr const char* kAddresses[] = {"10.0.0.1", "10.1.0.1", "10.1.2.3", "192.0.2.255", "198.51.100.127", "198.51.100.128", "0.0.0.0", "9.255.255.255",
                                      "11.0.0.0", "255.255.255.255", "2001:db8::1", "2001:db8:1::9", "2001:db9::", "fd00::1", "::", "::1",
                                      "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"};

/// The conditions of a map; each key once.
std::string conditions(Dice& dice) {
  std::string out;
  const auto put = [&](std::size_t odds, const std::string& key, const std::string& values) {
    if (dice.one_in(odds)) out += (out.empty() ? "" : ", ") + std::string(dice.one_in(4) ? "not." : "") + key + ": " + values;
  };
  put(3, "from", dice.one_in(2) ? dice.some(kZones) : dice.some(kPrefixes));
  put(3, "to", dice.one_in(2) ? dice.some(kZones) : dice.one_in(5) ? "[inside, 192.0.2.0/24]" : dice.some(kPrefixes));
  put(3, "ip.protocol", dice.some(kProtocols));
  put(3, "port", dice.some(kPorts));
  put(6, "app.protocol", dice.some(kAppWords));
  put(8, "tcp.flags", dice.pick(kFlags));
  put(8, "icmp.type", dice.some(kTypes));
  put(8, "flow.state", dice.some(kStates));
  put(12, "tls.sni", "example.org");
  if (out.empty()) out = "port: 80";
  return out;
}

std::string policy_text(Dice& dice) {
  std::string text = "weir: 1\nessential: false\ndefault: " + std::string(dice.one_in(2) ? "allow" : "drop") +
                     "\nzones:\n  inside: {networks: [10.0.0.0/8, \"fd00::/8\"]}\n  guests: {networks: [10.1.0.0/16]}\n"
                     "  outside: {networks: [0.0.0.0/0, \"::/0\"]}\nrules:\n";
  for (std::size_t i = 0, n = 1 + dice.below(dice.one_in(10) ? 90 : 12); i < n; ++i) {
    text += "  - {name: r" + std::to_string(i) + ", match: {" + conditions(dice) + "}, action: " + dice.pick(kActionWords);
    if (dice.one_in(5)) text += ", unless: [{" + conditions(dice) + "}]";
    if (dice.one_in(10)) text += ", mode: monitor";
    text += "}\n";
  }
  return text;
}

/// A flow and one packet of it, either way.
struct Scene {
  Frame frame;
  Packet packet;
  FlowFacts flow;
  View view;
  std::deque<std::string> texts;  ///< What facts point into.

  Scene(Dice& dice, const RuleSet& rules) {
    const auto& words = kit::vocabulary();
    FlowEnds& ends = flow.ends;
    do {
      ends.client = kit::ip_of(dice.pick(kAddresses));
      ends.server = kit::ip_of(dice.pick(kAddresses));
    } while (ends.client.is_v4() != ends.server.is_v4());
    constexpr std::uint8_t kNumbers[] = {6, 6, 17, 1, 58, 132, 47, 255};
    ends.protocol = kNumbers[dice.below(8)];
    constexpr std::uint16_t kNumbersOfPorts[] = {0, 53, 79, 80, 90, 91, 443, 1024, 1025, 65535};
    const bool ports = ends.protocol == 6 || ends.protocol == 17 || ends.protocol == 132;
    if (ports) ends.client_port = 40000, ends.server_port = kNumbersOfPorts[dice.below(10)];
    flow.from = rules.zones().zone_of(ends.client, kNoPort, ends.server);
    flow.to = rules.zones().zone_of(ends.server, kNoPort, ends.client);
    flow.state = static_cast<FlowState>(dice.below(4));
    AppChain& app = flow.app;
    app.open = dice.one_in(2);
    for (const char* name : kAppWords)
      if (dice.one_in(2)) app.candidates.add(*words.app(name));
    if (!app.open || dice.one_in(4)) app.layers[app.count++] = *words.app(dice.pick(kAppWords));
    app.may_extend = dice.one_in(4);
    app.hidden = dice.one_in(12);

    const bool back = dice.one_in(3);
    IpLayer& layer = packet.layers[0];
    packet.layers_count = 1;
    packet.frame = &frame;
    layer.version = ends.client.is_v4() ? 4 : 6;
    layer.src = back ? ends.server : ends.client, layer.dst = back ? ends.client : ends.server;
    layer.src_port = back ? ends.server_port : ends.client_port, layer.dst_port = back ? ends.client_port : ends.server_port;
    layer.protocol = layer.protocols[0] = ends.protocol;
    layer.protocols_count = 1;
    if (dice.one_in(6)) layer.protocols[0] = ip_protocol::kAh, layer.protocols[layer.protocols_count++] = ends.protocol;
    layer.has_transport = true;
    constexpr std::uint8_t kBits[] = {0x02, 0x12, 0x10, 0x29, 0x04, 0};
    if (ends.protocol == 6) layer.tcp_flags = kBits[dice.below(6)];
    constexpr std::uint8_t kIcmpTypes[] = {0, 3, 5, 8, 128};
    if (layer.is_icmp()) layer.icmp_type = kIcmpTypes[dice.below(5)];
    view = {.vocabulary = &words, .packet = &packet, .layer = &layer, .flow = &flow};
    view.at_bound = dice.one_in(8);
    view.described_all = dice.one_in(4);
  }
  Scene(const Scene&) = delete;
};

TEST(Match, CandidatesDecideAsAllRulesInOrderDo) {
  FixedMeters meters;
  std::size_t denied = 0, uncertain = 0, settled = 0, asked = 0;
  for (std::uint32_t seed = 1; seed <= 2000; ++seed) {
    Dice dice(seed);
    const std::string text = policy_text(dice);
    Loaded loaded = load_policy_text("random.yaml", text, kit::vocabulary());
    if (!loaded.policy) GTEST_FAIL() << render(loaded.diagnostics) << text;
    const RuleSet rules(std::make_shared<const Policy>(std::move(*loaded.policy)), kit::vocabulary());
    for (int i = 0; i < 40; ++i) {
      const Scene scene(dice, rules);
      const Outcome outcome = match(rules, rules.candidates(scene.flow), scene.view, meters);
      const kit::OracleOutcome got = kit::of(outcome);
      const kit::OracleOutcome right = kit::oracle(rules, scene.view, meters);
      const FlowEnds& e = scene.flow.ends;
      ASSERT_EQ(kit::difference(right, outcome, scene.view), "")
          << "seed " << seed << " scene " << i << ": " << render(e.client) << " -> " << render(e.server) << " protocol " << int{e.protocol} << " port "
          << e.server_port << "\n" << text;
      ++asked;
      denied += !got.pass, uncertain += !got.certain, settled += got.settled;
    }
  }
  // Scenes that never differ in their answers would show nothing.
  EXPECT_EQ(asked, 80'000U);
  for (const std::size_t n : {denied, uncertain, settled}) {
    EXPECT_GT(n, asked / 100);
    EXPECT_LT(n, asked - asked / 100);
  }
}

// What may still grow: a lower bound is certain at once, an upper bound when nothing more comes or it is exceeded.
TEST(Match, OfANumberThatGrows) {
  const struct {
    const char *condition, *now;  ///< At 500 and growing.
    const char* closed;           ///< At 500, and that is all.
  } kRows[] = {
      {"http.body_bytes: 100-", "true", "true"},        {"http.body_bytes: 500-", "true", "true"},     {"http.body_bytes: 501-", "unknown", "false"},
      {"http.body_bytes: -1000", "unknown", "true"},    {"http.body_bytes: -499", "false", "false"},   {"http.body_bytes: 500", "unknown", "true"},
      {"http.body_bytes: 499", "false", "false"},       {"http.body_bytes: [-10, 400-]", "true", "true"},
      {"http.body_bytes: [400-600, 700-]", "unknown", "true"},
      {"not.http.body_bytes: 100-", "false", "false"},  {"not.http.body_bytes: -1000", "unknown", "false"},
      {"not.http.body_bytes: -499", "true", "true"},    {"http.body_bytes: present", "true", "true"},
      {"http.body_bytes: absent", "false", "false"},
  };
  const auto& words = kit::vocabulary();
  SlabPool pool(1 << 16);
  constexpr const char* kTruths[] = {"false", "true", "unknown"};
  for (const auto& row : kRows) {
    Loaded loaded = load_policy_text("p", "weir: 1\nessential: false\nzones: {inside: {networks: [10.0.0.0/8]}, outside: {}}\nrules: [{name: r, match: {" +
                                              std::string(row.condition) + "}, action: drop}]\n", words);
    ASSERT_TRUE(loaded.policy) << render(loaded.diagnostics);
    const RuleSet rules(std::make_shared<const Policy>(std::move(*loaded.policy)), words);
    Dice dice(1);
    Scene scene(dice, rules);
    scene.flow.ends.protocol = ip_protocol::kTcp;
    scene.flow.app = {};
    scene.flow.app.layers[scene.flow.app.count++] = *words.app("http");
    scene.flow.app.open = false;
    scene.view.at_bound = false;
    Facts facts(pool, rules.wanted());
    scene.view.facts = &facts;
    const FieldRow& field = *words.field("http.body_bytes");
    const auto truth = [&] { return std::string(kTruths[static_cast<int>(judge(rules.rule(0), scene.view, rules.zones(), false).truth)]); };
    facts.grow(field.id, field.scope, 17);
    facts.grow(field.id, field.scope, 500);
    EXPECT_EQ(truth(), row.now) << row.condition;
    facts.close(field.id, field.scope);
    EXPECT_EQ(truth(), row.closed) << row.condition << " at the end";
  }
}

constexpr const char* kPaths[] = {"/a", "/a*", "/*a?b", "'*.php'", "/x*y?.php", "'*x*'", "{regex: x+y}", "/A", "'?a*'", "absent"};
constexpr const char* kPathValues[] = {"/a", "/A", "/ab", "/xaab", "/x1y2.php", "/y.php", "/xy", "", "/zzz"};
constexpr const char* kNames[] = {"evil.example", ".evil.example", "www.evil.example", "'*evil*'", ".example", "'w?w.*'", "{regex: 'e.il'}", "hidden"};
constexpr const char* kNameValues[] = {"evil.example", "www.evil.example", "WWW.Evil.Example.", "example", "notevil.example", "other.test", "a..example"};

std::string text_policy(Dice& dice) {
  std::string text = "weir: 1\nessential: false\ndefault: " + std::string(dice.one_in(2) ? "allow" : "drop") +
                     "\nzones:\n  inside: {networks: [10.0.0.0/8, \"fd00::/8\"]}\n  outside: {}\nsets: {odd: {domains: [.odd.example]}}\nrules:\n";
  for (std::size_t i = 0, n = 20 + dice.below(60); i < n; ++i) {
    std::string match;
    const auto put = [&](std::size_t odds, const std::string& key, const std::string& values) {
      if (dice.one_in(odds)) match += (match.empty() ? "" : ", ") + std::string(dice.one_in(8) ? "not." : "") + key + ": " + values;
    };
    put(2, "http.path", dice.some(kPaths));
    put(3, "http.host", dice.some(kNames));
    put(3, "dns.qname", dice.one_in(8) ? "'@odd'" : dice.some(kNames));
    put(4, "from", "inside");
    put(6, "tcp.flags", "S");
    put(6, "app.protocol", "http");
    if (match.empty()) match = "http.path: /x*";
    text += "  - {name: r" + std::to_string(i) + ", match: {" + match + "}, action: " + (dice.one_in(3) ? dice.pick(kActionWords) : "drop");
    if (dice.one_in(6)) text += ", unless: [{http.path: " + dice.some(kPaths) + "}]";
    if (dice.one_in(8)) text += ", mode: monitor";
    text += "}\n";
  }
  return text;
}

TEST(Match, IndexedTextsDecideAsAllRulesInOrderDo) {
  FixedMeters meters;
  std::size_t denied = 0, uncertain = 0, settled = 0, indexed = 0, asked = 0;
  SlabPool pool(1 << 20);
  const auto& words = kit::vocabulary();
  for (std::uint32_t seed = 1; seed <= 400; ++seed) {
    Dice dice(seed);
    const std::string text = text_policy(dice);
    Loaded loaded = load_policy_text("random.yaml", text, words);
    if (!loaded.policy) GTEST_FAIL() << render(loaded.diagnostics) << text;
    const RuleSet rules(std::make_shared<const Policy>(std::move(*loaded.policy)), words);
    indexed += rules.groups().size();
    for (int i = 0; i < 60; ++i) {
      Scene scene(dice, rules);
      Facts facts(pool, rules.wanted());
      for (const auto& [key, value] : {std::pair{"http.path", dice.pick(kPathValues)}, {"http.host", dice.pick(kNameValues)}, {"dns.qname", dice.pick(kNameValues)}}) {
        const FieldRow& row = *words.field(key);
        const std::string& kept = scene.texts.emplace_back(value);
        if (dice.one_in(6)) continue;
        if (dice.one_in(8)) facts.close(row.id, row.scope);
        else if (dice.one_in(8)) facts.hide(row.id, row.scope);
        else facts.set(row.id, row.scope, Value::of_text(kept), true);
      }
      scene.view.facts = &facts;
      const Outcome got = match(rules, rules.candidates(scene.flow), scene.view, meters);
      ASSERT_EQ(kit::difference(kit::oracle(rules, scene.view, meters), got, scene.view), "") << "seed " << seed << " scene " << i << "\n" << text;
      ++asked;
      denied += !got.pass, uncertain += !got.certain, settled += got.settled;
    }
  }
  EXPECT_GT(indexed, 400U);
  for (const std::size_t n : {denied, uncertain, settled}) EXPECT_GT(n, asked / 200);
}

}  // namespace
}  // namespace weir::policy
