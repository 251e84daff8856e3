// SPDX-License-Identifier: Apache-2.0
#include "cli/test_case.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/text.h"
#include "cli/policy_file.h"
#include "cli/trial.h"

namespace weir::cli {
namespace {

namespace fs = std::filesystem;
using Ranges = std::vector<std::pair<std::uint64_t, std::uint64_t>>;
using RuleSetPtr = std::shared_ptr<const policy::RuleSet>;

constexpr std::size_t kMismatchesMax = 8, kReasonsMax = 3;

/// What one frame must come to.
struct Expected {
  std::uint64_t frame = 0;
  Verdict verdict = Verdict::Pass;
  std::string rule;  ///< Empty: any.
};

std::string read_text(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string text_of(Verdict verdict, const std::string& rule) {
  return std::string(verdict == Verdict::Drop ? "drop" : "pass") + (rule.empty() ? "" : " by " + rule);
}

std::string came_text(const Answer& answer, const policy::Policy& policy) {
  const std::string rule = policy::name_of_rule(policy, answer.rule);
  std::string out = text_of(answer.verdict, rule.empty() ? "default" : rule);
  if (answer.verdict == Verdict::Drop && answer.reason != Reason::Rule && answer.reason != Reason::Default)
    out += " (" + std::string(policy::describe(answer.reason)) + ")";
  return out;
}

/// The first reasons: the rule that was expected, or else those that were near to deciding, and the one that did decide.
std::vector<std::string> reasons(const RuleSetPtr& rules, const Traffic& traffic, const Expected& expected) {
  std::vector<std::string> out;
  const auto why = ask_why(rules, traffic, expected.frame);
  if (!why || !why.value().explanation) return out;
  const policy::Explanation& e = *why.value().explanation;
  if (why.value().judged != expected.frame) out.push_back("decided at packet " + std::to_string(why.value().judged));
  if (!e.flow.empty()) out.push_back(e.flow);
  bool told = false;
  for (const policy::RuleNow& rule : e.rules) {
    const bool wanted = !expected.rule.empty() && rule.name == expected.rule && rule.fate != policy::Fate::Decides;
    const bool near = expected.rule.empty() && !rule.guard && !rule.essential &&
                      (rule.action == policy::Action::Allow) == (expected.verdict == Verdict::Pass) &&
                      rule.fate != policy::Fate::Decides;
    if (!wanted && !near && rule.fate != policy::Fate::Decides) continue;
    told = told || wanted;
    if (out.size() > kReasonsMax + 1 || rule.would_differ.empty()) continue;
    out.push_back("rule " + rule.name + (rule.place.empty() ? "" : " (" + rule.place + ")") +
                  (rule.fate == policy::Fate::Decides ? " decided; " : ": ") + rule.would_differ);
  }
  const auto& all = rules->policy().rules;
  const bool exists = std::any_of(all.begin(), all.end(), [&](const policy::Rule& r) { return r.name == expected.rule; });
  if (!expected.rule.empty() && expected.rule != "default" && !exists) out.push_back("the policy has no rule " + expected.rule);
  else if (!expected.rule.empty() && expected.rule != "default" && !told)
    out.push_back("rule " + expected.rule + " was not reached");
  return out;
}

bool fits(const Expected& expected, const Answer& answer, const policy::Policy& policy) {
  if (answer.verdict != expected.verdict) return false;
  if (expected.rule.empty()) return true;
  const std::string rule = policy::name_of_rule(policy, answer.rule);
  return (rule.empty() ? "default" : rule) == expected.rule;
}

std::string place_of(const Traffic& traffic, const std::string& file, std::uint64_t first, std::uint64_t last) {
  if (const Step* step = traffic.step(first)) return file + ":" + std::to_string(step->line);
  if (first == last) return file + ", frame " + std::to_string(first);
  return file + ", frames " + std::to_string(first) + "-" + std::to_string(last);
}

std::string packet_of(const Traffic& traffic, std::uint64_t number) {
  if (const Step* step = traffic.step(number)) return step->text;
  std::string ends;
  (void)traffic.each([&](const Frame& frame) {
    if (frame.number == number) ends = ends_of(frame);
    return frame.number < number;
  });
  return ends;
}

void compare(const RuleSetPtr& rules, const Traffic& traffic, const Trial& trial, const std::vector<Expected>& expected,
             const std::string& file, CaseResult& result) {
  const policy::Policy& policy = rules->policy();
  std::uint64_t first = 0, last = 0;
  std::string came_before;
  for (const Expected& e : expected) {
    ++result.expectations;
    if (e.frame > trial.answers.size()) {
      if (++result.wrong <= kMismatchesMax)
        result.mismatches.push_back({.where = file, .expected = "a frame " + std::to_string(e.frame), .came = "none"});
      continue;
    }
    const Answer& answer = trial.answers[e.frame - 1];
    if (fits(e, answer, policy)) continue;
    ++result.wrong;
    const std::string wanted = text_of(e.verdict, e.rule), came = came_text(answer, policy);
    // Neighbours that fail alike are told once.
    if (!result.mismatches.empty() && e.frame == last + 1 && result.mismatches.back().expected == wanted && came_before == came) {
      last = e.frame;
      if (!traffic.is_convo()) result.mismatches.back().where = place_of(traffic, file, first, last);
      if (!traffic.is_convo() || traffic.step(last)->line == traffic.step(first)->line) continue;
    }
    first = last = e.frame;
    came_before = came;
    if (result.mismatches.size() >= kMismatchesMax) continue;
    result.mismatches.push_back({place_of(traffic, file, first, last), packet_of(traffic, e.frame), wanted, came, {}});
    if (result.mismatches.size() <= 2) result.mismatches.back().why = reasons(rules, traffic, e);
  }
}

void run_convo(const fs::path& file, const RuleSetPtr& rules, CaseResult& result) {
  Convo convo = parse_convo(read_text(file));
  for (const ConvoMistake& mistake : convo.mistakes)
    result.broken +=
        (result.broken.empty() ? "" : "\n") + file.string() + ":" + std::to_string(mistake.line) + ": error: " + mistake.message;
  for (const Step& step : convo.steps) {
    if (step.port.empty() || port_of(rules->policy(), step.port) != kNoPort) continue;
    result.broken += (result.broken.empty() ? "" : "\n") + file.string() + ":" + std::to_string(step.line) +
                     ": error: the policy mentions no port " + step.port;
    break;
  }
  if (!result.broken.empty()) return;
  const Traffic traffic = Traffic::of_convo(std::move(convo), rules->policy());
  const Trial trial = run_trial(rules, traffic);
  result.packets = trial.answers.size();
  std::vector<Expected> expected;
  for (std::size_t i = 0; i < traffic.steps().size(); ++i) {
    const Step& step = traffic.steps()[i];
    if (step.expected) expected.push_back({i + 1, *step.expected, step.expected_rule});
  }
  if (expected.empty()) {
    result.broken = file.string() + ": no line says what is expected of it (pass or drop at its end)";
    return;
  }
  compare(rules, traffic, trial, expected, file.filename().string(), result);
}

/// The capture that expect.json names: beside the case, above it, or below --captures.
fs::path find_capture(const fs::path& directory, const std::string& name, const CaseOptions& options) {
  if (!options.captures.empty() && fs::exists(fs::path(options.captures) / name)) return fs::path(options.captures) / name;
  std::error_code error;
  for (fs::path at = fs::absolute(directory, error);; at = at.parent_path()) {
    if (fs::exists(at / name, error)) return at / name;
    if (at == at.parent_path()) return {};
  }
}

void add_expected(const nlohmann::json& json, const char* key, Verdict verdict, std::vector<Expected>& out, CaseResult& result) {
  const auto found = json.find(key);
  if (found == json.end()) return;
  Ranges ranges;
  if (!found->is_string() || !parse_frames(found->get_ref<const std::string&>(), ranges)) {
    result.broken = std::string("expect.json: \"") + key + "\" is no list of frames such as \"1-3,7\"";
    return;
  }
  for (const auto& [first, last] : ranges)
    for (std::uint64_t n = first; n <= last; ++n) out.push_back({n, verdict, {}});
}

std::vector<std::string> words_in(const nlohmann::json& json, const char* key) {
  std::vector<std::string> out;
  const auto found = json.find(key);
  if (found == json.end() || !found->is_array()) return out;
  for (const auto& one : *found)
    if (one.is_string()) out.push_back(one.get<std::string>());
  return out;
}

std::string joined(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : ", ") + text;
  return out.empty() ? "none" : out;
}

/// Whether the events name one of the rules, and one of the techniques.
void compare_events(const RuleSetPtr& rules, const Trial& trial, const nlohmann::json& expect, bool stops, CaseResult& result) {
  const policy::Policy& policy = rules->policy();
  std::vector<std::string> names, ids;
  for (const RuleId id : trial.alerted) {
    const std::string name = policy::name_of_rule(policy, id);
    if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    const auto& techniques = id < policy.rules.size() ? policy.rules[id].techniques : policy.default_techniques;
    for (const std::string& technique : techniques)
      if (std::find(ids.begin(), ids.end(), technique) == ids.end()) ids.push_back(technique);
  }
  const auto check = [&](const std::vector<std::string>& wanted, const std::vector<std::string>& came, const char* what) {
    if (wanted.empty()) return;
    ++result.expectations;
    if (std::find_first_of(wanted.begin(), wanted.end(), came.begin(), came.end()) != wanted.end()) return;
    ++result.wrong;
    result.mismatches.push_back({"", "", std::string("an event that names ") + what + " " + joined(wanted), joined(came), {}});
  };
  check(words_in(expect, "rules"), names, "rule");
  if (stops) check(words_in(expect, "techniques"), ids, "technique");
}

void run_capture(const fs::path& directory, const nlohmann::json& expect, const RuleSetPtr& rules, const CaseOptions& options,
                 CaseResult& result) {
  std::string name = expect.value("capture", std::string());
  if (name.empty()) {
    for (const auto& entry : fs::directory_iterator(directory))
      if (entry.path().filename().string().find(".pcap") != std::string::npos) name = entry.path().filename().string();
  }
  const fs::path path = name.empty() ? fs::path() : find_capture(directory, name, options);
  if (path.empty()) {
    result.broken = name.empty() ? "neither traffic.convo nor a capture"
                                 : "the capture " + name + " is not to be found (--captures DIR says where)";
    return;
  }
  std::vector<Expected> expected;
  add_expected(expect, "drop", Verdict::Drop, expected, result);
  const bool stops = !expected.empty();
  add_expected(expect, "pass", Verdict::Pass, expected, result);
  if (!result.broken.empty()) return;
  std::sort(expected.begin(), expected.end(), [](const Expected& a, const Expected& b) { return a.frame < b.frame; });
  const Traffic traffic = Traffic::of_capture(path.string(), rules->policy());
  const Trial trial = run_trial(rules, traffic);
  result.packets = trial.answers.size();
  if (trial.fault && trial.answers.empty()) {
    result.broken = trial.fault->message;
    return;
  }
  compare(rules, traffic, trial, expected, path.filename().string(), result);
  compare_events(rules, trial, expect, stops, result);
}

}  // namespace

bool parse_frames(const std::string& text, Ranges& out) {
  constexpr std::uint64_t kFramesMax = 100'000'000;
  std::stringstream parts(text);
  for (std::string part; std::getline(parts, part, ',');) {
    const std::string_view range = trim(part);
    const std::size_t dash = range.find('-');
    const auto first = parse_number(range.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : parse_number(range.substr(dash + 1));
    if (!first || !last || *first == 0 || *last < *first || *last > kFramesMax) return false;
    out.emplace_back(*first, *last);
  }
  return true;
}

std::vector<std::string> cases_below(const std::string& path) {
  std::vector<std::string> out;
  std::error_code error;
  const auto is_case = [&](const fs::path& p) {
    return fs::exists(p / "policy.yaml", error) &&
           (fs::exists(p / "traffic.convo", error) || fs::exists(p / "expect.json", error));
  };
  if (is_case(path)) return {path};
  for (auto at = fs::recursive_directory_iterator(path, error); !error && at != fs::recursive_directory_iterator();
       at.increment(error))
    if (at->is_directory(error) && is_case(at->path())) out.push_back(at->path().string());
  std::sort(out.begin(), out.end());
  return out;
}

CaseResult run_case(const std::string& directory, const CaseOptions& options) {
  CaseResult result;
  result.name = directory;
  const fs::path at(directory);
  const fs::path talk = at / "traffic.convo";
  const bool on_host = fs::exists(talk) && parse_convo(read_text(talk)).has_senders;
  const RuleSetPtr rules = load_rules((at / "policy.yaml").string(), {}, on_host ? on::kHost : std::uint8_t{0});
  if (rules == nullptr) {
    result.broken = "policy.yaml has errors";
    return result;
  }
  if (fs::exists(talk)) {
    run_convo(talk, rules, result);
    return result;
  }
  const nlohmann::json expect = nlohmann::json::parse(read_text(at / "expect.json"), nullptr, false);
  if (!expect.is_object()) {
    result.broken = "expect.json is no JSON object";
    return result;
  }
  run_capture(at, expect, rules, options, result);
  return result;
}

}  // namespace weir::cli
