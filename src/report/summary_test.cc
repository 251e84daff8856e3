// SPDX-License-Identifier: Apache-2.0
#include "report/summary.h"

#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "engine/engine.h"
#include "report/reason.h"

namespace weir::report {
namespace {

using nlohmann::json;

policy::Rule rule(std::string name, policy::Action action, std::vector<std::string> techniques) {
  policy::Rule made;
  made.name = std::move(name);
  made.action = action;
  made.techniques = std::move(techniques);
  return made;
}

struct Case {
  std::shared_ptr<policy::Policy> policy = std::make_shared<policy::Policy>();
  engine::Counters counters;
  std::shared_ptr<const policy::RuleSet> rules;

  Case() {
    policy->rules = {rule("guard.flood", policy::Action::Drop, {"T1498"}), rule("guard.flood", policy::Action::Drop, {"T1499"}),
                     rule("smb \"leaves\"", policy::Action::Reject, {"T1187", "T1570"}), rule("watch", policy::Action::Alert, {"T1071"}),
                     rule("unused", policy::Action::Drop, {"T1572"})};
    policy->default_action = policy::Action::Drop;
    policy->default_techniques = {"T1571"};
    counters.packets = 1'234'567;
    counters.bytes = 987'654'321;
    counters.passed = 1'234'000;
    counters.dropped = 567;
    counters.flows = 4'321;
    counters.rules = {{5, 1}, {7, 2}, {100, 3}, {50, 50}, {0, 0}, {9, 9}};
    counters.apps.resize(engine::vocabulary().apps().size());
    counters.apps[*engine::vocabulary().app("dns")] = {10, 20, 3'000};
    counters.apps[*engine::vocabulary().app("http")] = {1, 200, 300'000};
    counters.flaws[static_cast<std::size_t>(Flaw::BadChecksum)] = 3;
    counters.stopped_by_reason[static_cast<std::size_t>(Reason::Rule)] = 558;
    counters.stopped_by_reason[static_cast<std::size_t>(Reason::Default)] = 9;
    build();
  }
  void build() { rules = std::make_shared<const policy::RuleSet>(policy, engine::vocabulary()); }
  Replayed run() const { return {.counters = counters, .rules = *rules, .seconds = 0.5, .fault = {}}; }
};

TEST(Summary, ForProgramsItIsWhatTheContractSays) {
  const Case c;
  EXPECT_EQ(json::parse(summary_json(c.run())), json::parse(R"({
    "packets": 1234567, "bytes": 987654321, "passed": 1234000, "dropped": 567, "rewritten": 0, "flows": 4321, "seconds": 0.5,
    "packets_per_second": 2469134.0,
    "rules": {"guard.flood": {"packets": 12, "flows": 3}, "smb \"leaves\"": {"packets": 100, "flows": 3}, "watch": {"packets": 50, "flows": 50},
              "default": {"packets": 9, "flows": 9}},
    "techniques": {"T1498": 5, "T1499": 7, "T1187": 100, "T1570": 100, "T1571": 9},
    "app_protocols": {"dns": {"flows": 10, "packets": 20, "bytes": 3000}, "http": {"flows": 1, "packets": 200, "bytes": 300000}},
    "errors": {"bad-checksum": 3}, "stopped_by_reason": {"rule": 558, "default": 9}})"));
}

TEST(Summary, AFaultIsPartOfIt) {
  const Case c;
  Replayed run = c.run();
  run.fault = "x.pcap: at byte 40: cut short";
  EXPECT_EQ(json::parse(summary_json(run))["fault"], "x.pcap: at byte 40: cut short");
  EXPECT_NE(summary_text(run).find("broken off: x.pcap: at byte 40: cut short"), std::string::npos);
}

TEST(Summary, MonitoredRulesStopNothing) {
  Case c;
  for (policy::Rule& r : c.policy->rules) r.monitor = true;
  c.policy->monitor = true;
  c.build();
  EXPECT_TRUE(json::parse(summary_json(c.run()))["techniques"].empty());
  EXPECT_NE(summary_text(c.run()).find("monitor"), std::string::npos);
}

TEST(Summary, NothingAtAllIsStillWhole) {
  const policy::RuleSet rules(std::make_shared<const policy::Policy>(), engine::vocabulary());
  const engine::Counters none;
  const json made = json::parse(summary_json({.counters = none, .rules = rules, .seconds = 0, .fault = {}}));
  for (const char* key : {"rules", "techniques", "app_protocols", "errors"}) EXPECT_TRUE(made[key].is_object() && made[key].empty()) << key;
  EXPECT_EQ(made["packets_per_second"], 0);
  EXPECT_EQ(summary_text({.counters = none, .rules = rules, .seconds = 0, .fault = {}}),
            "0 packets, 0 bytes, 0 flows in 0.00 s (0 packets a second)\n  passed                 0\n  stopped                0\n");
}

TEST(Summary, ForPeopleItIsAPage) {
  EXPECT_EQ(summary_text(Case().run()),
            "1,234,567 packets, 988 MB, 4,321 flows in 0.50 s (2,469,134 packets a second)\n"
            "  passed         1,234,000\n"
            "  stopped              567\n"
            "\n"
            "  rule                packets        flows  action    techniques\n"
            "  guard.flood              12            3  drop      T1498 T1499\n"
            "  smb \"leaves\"            100            3  reject    T1187 T1570\n"
            "  watch                    50           50  alert     T1071\n"
            "  default                   9            9  drop      T1571\n"
            "\n"
            "  protocol                flows        packets       bytes\n"
            "  http                        1            200      300 kB\n"
            "  dns                        10             20      3.0 kB\n"
            "\n"
            "  stopped because of: rule 558, default 9\n"
            "  malformed packets:  bad-checksum 3\n");
}

TEST(Summary, NoLineIsWiderThanAHundredColumns) {
  Case c;
  c.policy->rules[2].name = std::string(300, 'n');
  for (int i = 0; i < 45; ++i) c.policy->rules[2].techniques.push_back("T1" + std::to_string(100 + i) + ".001");
  for (std::size_t i = 0; i < c.counters.apps.size(); ++i) c.counters.apps[i] = {~std::uint64_t{0} >> 32, ~std::uint64_t{0} >> 24, ~std::uint64_t{0} >> 8};
  c.counters.flaws.fill(1'000'000);
  for (std::size_t i = 0; i < kReasonsCount; ++i) c.counters.stopped_by_reason[i] = 1'000'000;
  c.build();
  for_each_line(summary_text(c.run()), [](std::string_view line) { EXPECT_LE(line.size(), 100U) << line; });
}

TEST(Summary, EveryReasonHasItsOwnWord) {
  std::vector<std::string_view> words;
  for (std::size_t i = 0; i < kReasonsCount; ++i) {
    words.push_back(name_of(static_cast<Reason>(i)));
    EXPECT_EQ(std::count(words.begin(), words.end(), words.back()), 1) << words.back();
  }
}

}  // namespace
}  // namespace weir::report
