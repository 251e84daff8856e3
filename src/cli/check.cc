// SPDX-License-Identifier: Apache-2.0
// weir check: what is wrong or odd about a policy, and at which packet flows settle under it.

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/assert/assertions.h"
#include "cli/policy_file.h"
#include "cli/verb.h"
#include "engine/engine.h"
#include "facts/packet.h"
#include "policy/check.h"
#include "policy/document.h"
#include "policy/settle.h"
#include "proto/registry.h"

namespace weir::cli {
namespace {

using nlohmann::ordered_json;

struct Options {
  std::string policy;
  std::vector<std::string> datapaths;
  bool settle = false, json = false;
};

struct SettleLine {
  std::string app, transport;
  policy::Settling settling;
};

std::vector<SettleLine> settle_lines(const policy::RuleSet& rules) {
  std::vector<SettleLine> lines;
  const auto protocols = proto::protocols();
  for (std::size_t id = 0; id < protocols.size(); ++id) {
    const proto::Protocol& p = *protocols[id];
    const bool any = id == kUnknownApp;
    const auto add = [&](bool speaks, std::uint8_t number, const char* transport) {
      if (speaks || any)
        lines.push_back({std::string(p.name), transport, policy::settling_of(rules, static_cast<AppId>(id), number)});
    };
    add(p.tcp, ip_protocol::kTcp, "tcp");
    add(p.udp, ip_protocol::kUdp, "udp");
  }
  return lines;
}

std::string text_of(const SettleLine& line) {
  const policy::Settling& s = line.settling;
  if (!s.settles) return "never: rule " + s.rule_name + ", " + s.when;
  return s.when + (s.rule_name.empty() ? "" : ", for rule " + s.rule_name);
}

/// Protocols that settle alike share a line; what most of them do comes last, as "all others".
void print_settling(const std::vector<SettleLine>& lines) {
  std::vector<std::pair<std::string, std::string>> groups;  // text, names
  std::vector<std::size_t> sizes;
  for (const SettleLine& line : lines) {
    const std::string text = text_of(line), name = line.app + "/" + line.transport;
    std::size_t i = 0;
    while (i < groups.size() && groups[i].first != text) ++i;
    if (i == groups.size()) groups.emplace_back(text, ""), sizes.push_back(0);
    groups[i].second += (groups[i].second.empty() ? "" : ", ") + name;
    ++sizes[i];
  }
  constexpr std::size_t kManyNames = 24;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (sizes[i] > kManyNames) continue;
    std::printf("  %s\n      settle %s\n", groups[i].second.c_str(), groups[i].first.c_str());
  }
  for (std::size_t i = 0; i < groups.size(); ++i)
    if (sizes[i] > kManyNames) std::printf("  %zu other protocols\n      settle %s\n", sizes[i], groups[i].first.c_str());
}

ordered_json json_of(const policy::Diagnostics& diagnostics) {
  ordered_json out = ordered_json::array();
  for (const policy::Diagnostic& d : diagnostics.all())
    out.push_back({{"severity", d.severity == policy::Severity::Error ? "error" : "warning"},
                   {"file", d.file},
                   {"line", d.line},
                   {"column", d.column},
                   {"message", d.message}});
  return out;
}

std::uint8_t datapaths_of(const Options& options) {
  std::uint8_t asked = 0;
  for (const std::string& name : options.datapaths)
    asked |= name == "capture" ? on::kCapture : name == "bridge" ? on::kBridge : on::kHost;
  return asked;
}

/// Rules for other datapaths than the one asked for, captures if none is, do not count.
policy::Diagnostics assertions_of(policy::Policy policy, const Options& options) {
  const std::uint8_t asked = datapaths_of(options), here = asked != 0 ? asked : on::kCapture;
  std::erase_if(policy.rules, [here](const policy::Rule& rule) { return (rule.datapaths & here) == 0; });
  return check_assertions(policy);
}

policy::Diagnostics diagnose(const policy::Policy& policy, const Options& options) {
  using namespace std::chrono;
  policy::Diagnostics out = policy::check_policy(
      policy, engine::vocabulary(), {.now_wall_ns = duration_cast<nanoseconds>(system_clock::now().time_since_epoch()).count()});
  const std::uint8_t asked = datapaths_of(options);
  // What was asked for must be able to carry out each rule; of the others it is only said.
  if (asked != 0) out.append(policy::check_for(policy, engine::vocabulary(), asked, policy::Severity::Error));
  else out.append(policy::check_for(policy, engine::vocabulary(), on::kAll, policy::Severity::Warning));
  out.sort();
  return out;
}

int check(const Options& options) {
  policy::Loaded loaded = policy::load_policy(options.policy, engine::vocabulary());
  policy::Diagnostics diagnostics = loaded.diagnostics;
  if (loaded.policy) {
    diagnostics.append(diagnose(*loaded.policy, options));
    diagnostics.append(warn_of_unmade(*loaded.policy));
    diagnostics.append(assertions_of(*loaded.policy, options));
    diagnostics.sort();
  }
  std::fputs(policy::render(diagnostics).c_str(), stderr);
  const bool sound = loaded.policy && diagnostics.errors() == 0;
  std::vector<SettleLine> lines;
  std::size_t own = 0, shipped = 0;
  if (loaded.policy) {
    for (const policy::Rule& rule : loaded.policy->rules) ++(rule.guard || rule.essential ? shipped : own);
    if (options.settle && sound) {
      const policy::RuleSet rules(std::make_shared<const policy::Policy>(std::move(*loaded.policy)), engine::vocabulary());
      lines = settle_lines(rules);
    }
  }
  if (options.json) {
    ordered_json out = {{"policy", options.policy},           {"sound", sound}, {"errors", diagnostics.errors()},
                        {"warnings", diagnostics.warnings()}, {"rules", own},   {"guard_rules", shipped},
                        {"diagnostics", json_of(diagnostics)}};
    if (options.settle) {
      ordered_json list = ordered_json::array();
      for (const SettleLine& line : lines) {
        const policy::Settling& s = line.settling;
        list.push_back({{"protocol", line.app},
                        {"transport", line.transport},
                        {"settles", s.settles},
                        {"when", s.when},
                        {"rule", s.rule_name},
                        {"key", s.key}});
      }
      out["settle"] = list;
    }
    std::printf("%s\n", out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
  } else if (sound) {
    std::printf("%s: %zu %s, and %zu of guards and of what is essential; no errors, %zu %s\n", options.policy.c_str(), own,
                own == 1 ? "rule" : "rules", shipped, diagnostics.warnings(),
                diagnostics.warnings() == 1 ? "warning" : "warnings");
    if (options.settle) print_settling(lines);
  }
  return sound ? kDone : kWrong;
}

}  // namespace

std::function<int()> add_check(CLI::App& app) {
  auto o = std::make_shared<Options>();
  app.add_option("POLICY", o->policy, "the policy file")->required();
  app.add_option("--for", o->datapaths,
                 "refuse rules that this datapath cannot carry out: bridge, host or capture; may be repeated")
      ->check(CLI::IsMember({"bridge", "host", "capture"}));
  app.add_flag("--settle", o->settle,
               "for each protocol, the packet at which its flows settle, or the rule and key that prevent it");
  app.add_flag("--json", o->json, "print one JSON object");
  app.footer(
      "Examples:\n"
      "  weir check policy.yaml\n"
      "  weir check policy.yaml --for bridge --settle\n\n"
      "Errors and warnings go to standard error as file:line:column: error: message, all of them in one run. Warnings tell of "
      "rules\n"
      "that are shadowed, contradict themselves or have expired, and of keys that a datapath does not have. An assertion that does\n"
      "not hold is an error, with a packet that breaks it and the rule that decided.\n"
      "Exit status 0: the policy is sound; 2: it has an error.");
  return [o] { return check(*o); };
}

}  // namespace weir::cli
