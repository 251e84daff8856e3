// SPDX-License-Identifier: Apache-2.0
// weir explain: why a packet met its verdict, rule by rule, fact by fact.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/control_client.h"
#include "cli/policy_file.h"
#include "cli/trial.h"
#include "cli/verb.h"

namespace weir::cli {
namespace {

using nlohmann::ordered_json;

struct Options {
  std::string policy, where, packet;
  Spoken spoken;
  bool all = false;
};

std::string_view text_of(policy::Truth truth) {
  return truth == policy::Truth::True ? "holds" : truth == policy::Truth::False ? "fails" : "open";
}

std::string_view text_of(FactState state) {
  switch (state) {
    case FactState::NotYet: return "not-yet";
    case FactState::Absent: return "absent";
    case FactState::Hidden: return "hidden";
    case FactState::Known: return "known";
  }
  return "";
}

std::string_view text_of(policy::Fate fate) {
  switch (fate) {
    case policy::Fate::Decides: return "decides";
    case policy::Fate::NotMatched: return "not-matched";
    case policy::Fate::Open: return "open";
    case policy::Fate::GoesOn: return "matched-goes-on";
    case policy::Fate::Asleep: return "expired";
  }
  return "";
}

ordered_json json_of(const std::vector<policy::ConditionNow>& map) {
  ordered_json out = ordered_json::array();
  for (const policy::ConditionNow& c : map) {
    ordered_json one = {
        {"key", c.key}, {"asked", c.asked}, {"fact", text_of(c.state)}, {"values", c.values}, {"result", text_of(c.truth)}};
    if (c.open) one["more_may_come"] = true;
    if (!c.matched_by.empty()) one["met"] = c.matched_by;
    out.push_back(one);
  }
  return out;
}

std::vector<std::string> techniques_of(const policy::Policy& policy, RuleId rule) {
  if (rule == kDefaultRule) return policy.default_techniques;
  return rule < policy.rules.size() ? policy.rules[rule].techniques : std::vector<std::string>();
}

ordered_json json_of(const Why& why, const policy::Policy& policy, std::uint64_t number) {
  ordered_json out;
  out["packet"] = number;
  out["ends"] = why.ends;
  out["verdict"] = why.answer.verdict == Verdict::Drop ? "drop" : "pass";
  const std::string rule = policy::name_of_rule(policy, why.answer.rule);
  out["rule"] = rule.empty() ? ordered_json(nullptr) : ordered_json(rule);
  out["techniques"] = techniques_of(policy, why.answer.rule);
  out["reason"] = policy::describe(why.answer.reason);
  if (!why.explanation) return out;
  const policy::Explanation& e = *why.explanation;
  out["judged_at_packet"] = why.judged;
  out["certain"] = e.certain;
  out["settled"] = e.settled;
  out["flow"] = e.flow;
  ordered_json rules = ordered_json::array();
  for (const policy::RuleNow& r : e.rules) {
    ordered_json one = {{"name", r.name},
                        {"place", r.place},
                        {"action", policy::name_of(r.action)},
                        {"result", text_of(r.fate)},
                        {"match", json_of(r.match)}};
    ordered_json unless = ordered_json::array();
    for (const auto& map : r.unless) unless.push_back(json_of(map));
    one["unless"] = unless;
    if (!r.would_differ.empty()) one["would_differ"] = r.would_differ;
    rules.push_back(one);
  }
  out["rules"] = rules;
  return out;
}

void print(const Why& why, const policy::Policy& policy, std::uint64_t number, bool all) {
  const bool dropped = why.answer.verdict == Verdict::Drop;
  std::printf("packet %llu, %s: %s\n", static_cast<unsigned long long>(number), why.ends.c_str(), dropped ? "drop" : "pass");
  const std::string rule = policy::name_of_rule(policy, why.answer.rule);
  if (why.answer.rule < policy.rules.size()) {
    const policy::Rule& r = policy.rules[why.answer.rule];
    std::printf("by rule %s", rule.c_str());
    if (r.position.line != 0 && r.position.file < policy.files.size())
      std::printf(" (%s:%u)", policy.files[r.position.file].c_str(), r.position.line);
    std::printf(", %.*s", static_cast<int>(policy::name_of(r.action).size()), policy::name_of(r.action).data());
  } else {
    std::printf("by default");
  }
  if (dropped && why.answer.reason != Reason::Rule && why.answer.reason != Reason::Default)
    std::printf(": %.*s", static_cast<int>(policy::describe(why.answer.reason).size()),
                policy::describe(why.answer.reason).data());
  std::printf("\n");
  std::string techniques;
  for (const std::string& id : techniques_of(policy, why.answer.rule)) techniques += (techniques.empty() ? "" : ", ") + id;
  if (!techniques.empty()) std::printf("techniques: %s\n", techniques.c_str());
  if (!why.explanation) {
    std::printf("no rule was asked about it\n");
    return;
  }
  const auto judged = static_cast<unsigned long long>(why.judged);
  if (why.judged > number) {
    std::printf("It was held, and decided with packet %llu, which is explained here.\n", judged);
  } else if (why.judged != number) {
    std::printf("It was not judged anew: %s at packet %llu, which is explained here.\n",
                dropped ? "that was decided" : "its flow had settled", judged);
  } else if (why.answer.held) {
    std::printf("It was held until the time for that was over; this is what was known when it came.\n");
  }
  std::printf("%s", policy::render(*why.explanation, policy, all).c_str());
}

/// "CAPTURE:N" cut at its last colon.
bool cut(const std::string& where, std::string& path, std::uint64_t& number) {
  const std::size_t colon = where.rfind(':');
  if (colon == std::string::npos || colon == 0) return false;
  const auto n = parse_number(std::string_view(where).substr(colon + 1));
  if (!n) return false;
  path = where.substr(0, colon);
  number = *n;
  return true;
}

/// Of the running filter: an alert by its number, `pcap_cnt`.
int explain_event(const Options& options, std::uint64_t event) {
  nlohmann::json answer;
  const int code = ask_filter(options.spoken, {{"verb", "explain"}, {"event", event}, {"all", options.all}}, answer);
  if (code != kDone) return code;
  if (options.spoken.json) {
    std::printf("%s\n", answer.dump().c_str());
    return kDone;
  }
  const std::string rule = answer.value("rule", std::string());
  std::printf("event %llu: %s by %s, %s (%s)\n", static_cast<unsigned long long>(event), answer.value("verdict", std::string()).c_str(),
              rule.empty() ? "no rule" : rule.c_str(), answer.value("action", std::string()).c_str(), answer.value("reason", std::string()).c_str());
  if (!answer.value("whole", true)) std::printf("Not all that was known then fitted the note of it: some facts show as hidden.\n");
  std::printf("%s", answer.value("text", std::string()).c_str());
  return kDone;
}

int explain(const Options& options) {
  if (options.packet.empty() && options.where.empty())
    if (const auto event = parse_number(options.policy)) return explain_event(options, *event);
  if (options.packet.empty() == options.where.empty()) {
    complain("explain asks about --packet \"…\" or about CAPTURE:N, one of them");
    return kWrong;
  }
  Convo convo = parse_convo(options.packet);
  const auto rules = load_rules(options.policy, {}, convo.has_senders ? on::kHost : std::uint8_t{0});
  if (rules == nullptr) return kWrong;
  const policy::Policy& policy = rules->policy();
  std::optional<Traffic> traffic;
  std::uint64_t number = 0;
  if (!options.packet.empty()) {
    for (const ConvoMistake& mistake : convo.mistakes) complain("--packet: " + mistake.message);
    if (!convo.mistakes.empty()) return kWrong;
    if (convo.steps.empty()) {
      complain("--packet: there is no packet in it");
      return kWrong;
    }
    for (const Step& step : convo.steps) {
      if (step.port.empty() || port_of(policy, step.port) != kNoPort) continue;
      complain("--packet: the policy mentions no port " + step.port);
      return kWrong;
    }
    number = convo.steps.size();  // The last one: those before it are what led there.
    traffic.emplace(Traffic::of_convo(std::move(convo), policy));
  } else {
    std::string path;
    if (!cut(options.where, path, number)) {
      complain("`" + options.where + "`: the packet is named as CAPTURE:N, N from 1");
      return kWrong;
    }
    traffic.emplace(Traffic::of_capture(path, policy));
  }
  const auto why = ask_why(rules, *traffic, number);
  if (!why) {
    complain(why.error().message);
    return kWrong;
  }
  if (options.spoken.json)
    std::printf("%s\n",
                json_of(why.value(), policy, number).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
  else print(why.value(), policy, number, options.all);
  return kDone;
}

}  // namespace

std::function<int()> add_explain(CLI::App& app) {
  auto o = std::make_shared<Options>();
  app.add_option("POLICY", o->policy, "the policy file; or, alone, the number `pcap_cnt` of an alert of the running filter")->required();
  app.add_option("CAPTURE:N", o->where, "packet N, from 1, of a capture; the packets before it are replayed first");
  app.add_option("--packet", o->packet,
                 "a packet given by hand, in the language of conversations; of several lines the last one is explained");
  app.add_flag("--all", o->all, "tell guards' and essential rules that do not match one by one");
  add_spoken_options(app, o->spoken);
  app.footer(
      "Examples:\n"
      "  weir explain policy.yaml capture.pcap:17\n"
      "  weir explain policy.yaml --packet \"10.0.0.5:40000 > 198.51.100.53:53 udp dns? A evil.example\"\n"
      "  weir explain policy.yaml --packet \"10.0.0.5:40000 > 192.0.2.7:22 in lan0 tcp S\"\n"
      "  weir explain policy.yaml --packet \"10.0.0.5:40000 > 192.0.2.7:80 process /usr/bin/curl user ann tcp S\"   on a host\n"
      "  weir explain 4711                                    an alert of the running filter\n\n"
      "For each rule asked, in order: its conditions, the fact as it stands (a value, not yet known, absent, hidden), whether "
      "it\n"
      "holds, and what would have to differ.");
  return [o] { return explain(*o); };
}

}  // namespace weir::cli
