// SPDX-License-Identifier: Apache-2.0
// The catalogue and the profiles, and that each holds the other: no row without what shows it, no rule without a row that needs it.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "cli/prove/layout.h"
#include "cli/prove/prover.h"
#include "cli/prove/render.h"
#include "engine/engine.h"
#include "policy/builtin.h"
#include "policy/document.h"
#include "policy/techniques.h"

namespace weir::cli {
namespace {

using policy::catalog;
using policy::CatalogCase;
using policy::CatalogRow;

std::shared_ptr<const policy::RuleSet> compiled(policy::Loaded loaded) {
  EXPECT_EQ(loaded.diagnostics.errors(), 0U) << policy::render(loaded.diagnostics);
  if (!loaded.policy) return nullptr;
  return std::make_shared<const policy::RuleSet>(std::make_shared<const policy::Policy>(std::move(*loaded.policy)), engine::vocabulary());
}

std::shared_ptr<const policy::RuleSet> policy_of(std::string_view text) {
  return compiled(policy::load_policy_text("test.yaml", text, engine::vocabulary()));
}

std::shared_ptr<const policy::RuleSet> site() { return compiled(policy::load_policy("tests/prove/site.yaml", engine::vocabulary())); }

const RowProof& row_of(const Proofs& proofs, std::string_view id) {
  for (const RowProof& row : proofs.rows)
    if (row.row->id == id) return row;
  ADD_FAILURE() << "no row " << id;
  return proofs.rows.front();
}

std::string page(const std::string& name) {
  std::ifstream in("docs/profiles/" + name + ".md");
  return {std::istreambuf_iterator<char>(in), {}};
}

constexpr std::string_view kSmall =
    "weir: 1\n"
    "zones: { inside: { networks: [10.0.0.0/16] }, outside: {} }\n"
    "sets: { resolvers: { addresses: [10.0.0.53] } }\n"
    "roles: { inside: inside, outside: outside, resolver: \"@resolvers\" }\n";

TEST(Catalogue, HasEachTechniqueOnceInOrder) {
  ASSERT_EQ(catalog().rows.size(), policy::kTechniques.size());
  for (std::size_t i = 0; i < policy::kTechniques.size(); ++i) EXPECT_EQ(catalog().rows[i].id, policy::kTechniques[i]);
}

TEST(Catalogue, EachRowHasWhatShowsIt) {
  for (const CatalogRow& row : catalog().rows) {
    EXPECT_GE(row.attacks.size(), 3U) << row.id;
    EXPECT_GE(row.twins.size(), 2U) << row.id;
    EXPECT_FALSE(row.stand.empty()) << row.id;
    EXPECT_FALSE(row.d3fend.empty()) << row.id;
    EXPECT_FALSE(row.remains.empty()) << row.id;
    for (const std::string& role : row.needs) EXPECT_TRUE(catalog().has_role(role)) << row.id << ": " << role;
    for (const CatalogCase& attack : row.attacks) EXPECT_NE(attack.traffic.find("drop"), std::string::npos) << row.id << ": " << attack.name << " stops nothing";
  }
}

TEST(Catalogue, EachRowThatIsForTheBridgeOrAHostIsPlayedLive) {
  for (const CatalogRow& row : catalog().rows) {
    const bool live = std::any_of(row.stand.begin(), row.stand.end(), [](const std::string& where) { return where == "bridge" || where == "host"; });
    if (!live) continue;
    std::ifstream in("range/cases/" + row.id + ".sh");
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    EXPECT_NE(text.find("technique=" + row.id + " "), std::string::npos) << "range/cases/" << row.id << ".sh plays something else, or is missing";
  }
}

TEST(Catalogue, EachAttackNamesARuleOfAProfileThatNamesTheTechnique) {
  for (const CatalogRow& row : catalog().rows)
    for (const CatalogCase& attack : row.attacks) {
      const policy::ProfileRule rule = policy::profile_rule(attack.rule);
      EXPECT_FALSE(rule.text.empty()) << row.id << ": no profile has the rule " << attack.rule;
      const std::string& id = row.now.empty() ? row.id : row.now;
      EXPECT_TRUE(rule.text.find(id) != std::string::npos || rule.text.find(row.id) != std::string::npos)
          << row.id << ": " << attack.rule << " does not name it";
    }
}

TEST(Catalogue, AnOlderIdHasTheConversationsOfTheNewOne) {
  EXPECT_EQ(catalog().row("T1171")->attacks.size(), catalog().row("T1557.001")->attacks.size());
  EXPECT_EQ(catalog().row("T1188")->twins.front().traffic, catalog().row("T1090.003")->twins.front().traffic);
}

TEST(Catalogue, MistakesAreTold) {
  policy::Diagnostics out;
  policy::parse_catalog("c.yaml", "techniques:\n- id: T1\n  nonsense: 1\n  now: T2\n", out);
  const std::string told = policy::render(out);
  for (const char* part : {"unknown key `nonsense`", "`name` is missing", "`remains` is missing", "`now: T2` is no row"})
    EXPECT_NE(told.find(part), std::string::npos) << part << "\n" << told;
}

TEST(Profiles, EachIsSoundAloneWithTwoZones) {
  for (const std::string& name : policy::builtin_profile_names()) {
    const auto rules = policy_of("weir: 1\ninclude: [weir:" + name + "]\nzones: { inside: { networks: [10.0.0.0/8] }, outside: {} }\n");
    ASSERT_NE(rules, nullptr) << name;
    EXPECT_GT(rules->policy().rules.size(), 1U) << name;
  }
}

TEST(Profiles, RolesStandWhereZonesHaveOtherNames) {
  const auto rules = policy_of(
      "weir: 1\ninclude: [weir:m1037/dmz]\nzones: { lan: { networks: [10.0.0.0/16] }, branch: { networks: [10.1.0.0/16] }, wan: {} }\n"
      "roles: { inside: [lan, branch], outside: wan }\n");
  ASSERT_NE(rules, nullptr);
  const policy::Rule& rule = rules->policy().rules[rules->policy().rules.size() - 2];
  EXPECT_EQ(rule.name, "dmz-opens-nothing-inside");
  EXPECT_EQ(rule.match[1].values.zones.size(), 2U);
}

TEST(Profiles, EachHasAPageThatNamesItsRules) {
  for (const std::string& name : policy::builtin_profile_names()) {
    const std::string text = page(name.substr(6));
    EXPECT_FALSE(text.empty()) << "docs/profiles/" << name.substr(6) << ".md is missing";
    for (const char* heading : {"## What it stops", "## What it costs", "## What it may break", "## How to roll it out"})
      EXPECT_NE(text.find(heading), std::string::npos) << name << ": " << heading;
    const std::string profile = policy::builtin_profile(name).value_or("");
    for (std::size_t at = profile.find("- name: "); at != std::string::npos; at = profile.find("- name: ", at + 1)) {
      const std::string rule = profile.substr(at + 8, profile.find('\n', at) - at - 8);
      EXPECT_NE(text.find("`" + rule + "`"), std::string::npos) << name << ": the page does not name " << rule;
    }
  }
}

TEST(Prove, TheSiteWithEveryRoleIsProven) {
  Prover prover(catalog(), site());
  const Proofs proofs = prover.prove();
  EXPECT_EQ(proofs.count(Proof::NotProven), 0U);
  for (const RowProof& row : proofs.rows) {
    EXPECT_EQ(row.proof, Proof::Proven) << row.row->id << ": " << row.why;
    for (const auto* cases : {&row.attacks, &row.twins})
      for (const CaseProof& one : *cases) {
        if (one.proof != Proof::NotAssessed) continue;
        EXPECT_TRUE(one.why.starts_with("it rests on") || one.why.find("ipv4-only") != std::string::npos)
            << row.row->id << ", " << one.about->name << ": " << one.why;
      }
  }
}

TEST(Prove, WithoutAnyRuleOfAProfileARowFalls) {
  Prover prover(catalog(), site());
  for (const Prover::Mutation& m : prover.mutate(prover.prove())) {
    if (!m.unmade.empty()) continue;
    EXPECT_FALSE(m.falls.empty()) << "nothing falls without " << m.rule << " (" << m.place << ")";
  }
}

TEST(Prove, WhereIpv6IsNotInUseItsClientsAreStoppedToo) {
  const auto rules = policy_of(
      "weir: 1\ninclude: [weir:m1037/no-ipv6]\nzones: { inside: { networks: [10.0.0.0/16] }, outside: {} }\n"
      "guards: { dhcp-snooping: { servers: 10.0.0.67, technique: [T1557.003] } }\n"
      "roles: { inside: inside, outside: outside, dhcp-server: 10.0.0.67, ipv4-only: inside }\n");
  Prover prover(catalog(), rules);
  const Proofs proofs = prover.prove();
  for (const CaseProof& one : row_of(proofs, "T1557.003").attacks) {
    if (one.about->name != "ipv6-where-none-is" && one.about->name != "rogue-router") continue;
    EXPECT_EQ(one.proof, Proof::Proven) << one.about->name << ": " << one.why;
  }
}

TEST(Prove, AnEmptyPolicyProvesNothing) {
  Prover prover(catalog(), policy_of(std::string(kSmall) + "default: allow\n"));
  const Proofs proofs = prover.prove();
  EXPECT_EQ(proofs.count(Proof::Proven), 0U);
  const RowProof& dns = row_of(proofs, "T1071.004");
  EXPECT_EQ(dns.proof, Proof::NotProven);
  EXPECT_EQ(dns.why, "other-resolver: gets through");
}

TEST(Prove, APolicyThatStopsEverythingProvesNothing) {
  Prover prover(catalog(), policy_of(std::string(kSmall) + "default: { action: drop, technique: [T1071.004] }\n"));
  const RowProof dns = row_of(prover.prove(), "T1071.004");
  EXPECT_EQ(dns.proof, Proof::NotProven);
  EXPECT_EQ(dns.why, "the twin ordinary is stopped by default");
}

TEST(Prove, AMissingRoleIsNotAssessed) {
  Prover prover(catalog(), policy_of(
                               "weir: 1\nzones: { inside: { networks: [10.0.0.0/16] }, outside: {} }\n"
                               "roles: { inside: inside, outside: outside }\ndefault: allow\n"));
  const RowProof dns = row_of(prover.prove(), "T1071.004");
  EXPECT_EQ(dns.proof, Proof::NotAssessed);
  EXPECT_EQ(dns.why, "the policy tells no role `resolver`");
}

TEST(Prove, TheEventMustNameTheTechnique) {
  Prover prover(catalog(), policy_of(std::string(kSmall) + "default: allow\nrules:\n- name: no-vnc\n  technique: [T1219]\n"
                                                           "  match: { ip.protocol: tcp, port: [5500, 5800, 5900] }\n  action: drop\n"
                                                           "- name: rfb\n  match: { app.protocol: rfb }\n  action: drop\n"));
  const RowProof vnc = row_of(prover.prove(), "T1021.005");
  EXPECT_EQ(vnc.proof, Proof::NotProven);
  EXPECT_EQ(vnc.why, "viewer: stopped by no-vnc, which does not name T1021.005");
}

TEST(Prove, MonitorStopsNothing) {
  Prover prover(catalog(), policy_of("mode: monitor\n" + std::string(kSmall) + "include: [weir:m1037/workstation]\ndefault: allow\n"));
  const RowProof vnc = row_of(prover.prove(), "T1021.005");
  EXPECT_EQ(vnc.proof, Proof::NotProven);
  EXPECT_EQ(vnc.attacks.front().why, "gets through: the policy is in mode monitor");
}

TEST(Layout, HostsAreOfTheirZoneAndInNoSet) {
  const auto rules = policy_of(std::string(kSmall) + "default: allow\nrules: []\n");
  Layout layout(rules->policy());
  const LaidTraffic laid = layout.lay("inside:1 > resolver:53  udp dns? A x.example\ninside2:1 > outside:53  udp dns? A {inside}.x\n");
  EXPECT_EQ(laid.text,
            "inside 10.0.0.20\ninside2 10.0.0.21\noutside 198.51.100.20\nresolver 10.0.0.53\n"
            "inside:1 > resolver:53  udp dns? A x.example\ninside2:1 > outside:53  udp dns? A 10.0.0.20.x\n");
}

TEST(Layout, WhatIsMissingIsSaid) {
  const auto rules = policy_of(std::string(kSmall) + "default: allow\n");
  Layout layout(rules->policy());
  EXPECT_EQ(layout.lay("relay:1 > outside:25  tcp S\n").missing, "the policy tells no role `relay`");
  EXPECT_EQ(layout.lay("inside-v6:1 > outside:25  tcp S\n").missing, "the role `inside` has no IPv6 address");
  EXPECT_EQ(layout.lay("inside:1 > outside:25  tcp \"{bad-name.name}\"\n").missing, "the policy tells no role `bad-name`");
  EXPECT_EQ(layout.lay("inside:1 > outside:25 in {outside.port}  tcp S\n").missing, "the zone of `outside` has no port");
}

TEST(Layout, AnEmptyRoleIsNone) {
  const auto rules = policy_of(
      "weir: 1\nzones: { inside: { networks: [10.0.0.0/16] }, outside: {} }\nsets: { relays: { addresses: none } }\n"
      "roles: { inside: inside, outside: outside, relay: \"@relays\" }\ndefault: allow\n");
  Layout layout(rules->policy());
  const LaidTraffic laid = layout.lay("relay:1 > outside:25  tcp S\n");
  EXPECT_TRUE(laid.none);
  EXPECT_EQ(laid.missing, "the role `relay` is empty");
}

TEST(Layout, PortsAndBindingsComeWithTheHost) {
  const auto rules = policy_of(
      "weir: 1\nzones: { inside: { ports: [desk1, uplink, desk2], networks: [10.0.0.0/16] }, outside: { ports: [wan] } }\n"
      "guards: { dhcp-snooping: { trusted: [uplink] }, arp-inspection: { bindings: [ { ip: 10.0.0.1, mac: \"02:00:00:00:00:01\" } ] } }\n"
      "roles: { inside: inside, outside: outside, gateway: 10.0.0.1 }\ndefault: allow\n");
  Layout layout(rules->policy());
  EXPECT_EQ(layout.lay("inside > inside2  icmp echo-request\ngateway > outside  icmp echo-request\n").text,
            "gateway 10.0.0.1 mac 02:00:00:00:00:01 in uplink\ninside 10.0.0.20 in desk1\ninside2 10.0.0.21 in desk2\noutside 198.51.100.20 in wan\n"
            "inside > inside2  icmp echo-request\ngateway > outside  icmp echo-request\n");
}

class Rendered : public ::testing::Test {
 protected:
  static ProofReport report() {
    static const auto rules = site();
    static Prover prover(catalog(), rules);
    static const Proofs proofs = prover.prove();
    return {.policy_path = "tests/prove/site.yaml", .policy = rules->policy(), .proofs = proofs};
  }
};

TEST_F(Rendered, LayerIsAsTheNavigatorReadsIt) {
  const auto layer = nlohmann::json::parse(render_navigator(report()));
  EXPECT_EQ(layer["versions"]["layer"], "4.5");
  EXPECT_EQ(layer["domain"], "enterprise-attack");
  ASSERT_EQ(layer["techniques"].size(), 45U);
  for (const auto& technique : layer["techniques"]) {
    EXPECT_TRUE(technique["techniqueID"].is_string());
    EXPECT_TRUE(!technique.contains("score") || technique["score"].is_number());
    for (const auto& pair : technique["metadata"]) EXPECT_TRUE(pair["name"].is_string() && pair["value"].is_string());
  }
}

TEST_F(Rendered, BundleIsWhole) {
  const auto bundle = nlohmann::json::parse(render_stix(report()));
  EXPECT_EQ(bundle["type"], "bundle");
  std::vector<std::string> ids;
  for (const auto& object : bundle["objects"]) {
    EXPECT_EQ(object["spec_version"], "2.1");
    const std::string id = object["id"];
    EXPECT_TRUE(id.starts_with(object["type"].get<std::string>() + "--"));
    EXPECT_EQ(std::count(ids.begin(), ids.end(), id), 0) << id;
    ids.push_back(id);
  }
  for (const auto& object : bundle["objects"])
    for (const char* end : {"source_ref", "target_ref", "created_by_ref"})
      if (object.contains(end)) {
        EXPECT_EQ(std::count(ids.begin(), ids.end(), object[end].get<std::string>()), 1);
      }
}

TEST_F(Rendered, PageNeedsNothingElse) {
  const std::string html = render_html(report());
  for (const char* part : {"<script", "src=", "http://", "@import", "url("}) EXPECT_EQ(html.find(part), std::string::npos) << part;
  EXPECT_NE(html.find("viewport"), std::string::npos);
  EXPECT_NE(html.find("id=\"T1602.002\""), std::string::npos);
}

TEST_F(Rendered, TheSameProofsAreTheSameText) {
  EXPECT_EQ(render_stix(report()), render_stix(report()));
  EXPECT_EQ(render_navigator(report()), render_navigator(report()));
}

}  // namespace
}  // namespace weir::cli
