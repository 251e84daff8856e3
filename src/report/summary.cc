// SPDX-License-Identifier: Apache-2.0
#include "report/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

#include "report/json.h"
#include "report/reason.h"

namespace weir::report {
namespace {

constexpr std::size_t kColumnsMax = 100;
constexpr std::size_t kNameColumnsMax = 48;
constexpr std::size_t kProtocolsMax = 16;  ///< Lines of the table; the rest is summed up.

struct RuleLine {
  std::string_view name;
  std::string_view action;
  std::vector<std::string_view> techniques;
  std::uint64_t packets = 0, flows = 0;
};

struct AppLine {
  std::string_view name;
  engine::Counters::PerApp counted;
};

struct Tally {
  std::vector<RuleLine> rules;  ///< Rules of one name (a guard's) are one; in the policy's order.
  std::map<std::string_view, std::uint64_t> techniques;  ///< Packets stopped.
  std::vector<AppLine> apps;
};

/// What a match of the rule counts as: an alert, and what a monitored rule would have done, stop nothing.
bool stops(const policy::Rule& rule) {
  const auto denies = [](policy::Action action) { return action != policy::Action::Allow && action != policy::Action::Alert; };
  return !rule.monitor && denies(rule.action) && (rule.action != policy::Action::Limit || denies(rule.limit.over));
}

Tally tally_of(const Replayed& run) {
  Tally tally;
  std::unordered_map<std::string_view, std::size_t> places;
  const auto add = [&](std::string_view name, std::string_view action, bool stopped, const engine::Counters::PerRule& counted,
                       const std::vector<std::string>& techniques) {
    if (counted.packets == 0 && counted.flows == 0) return;
    const auto [at, fresh] = places.try_emplace(name, tally.rules.size());
    if (fresh) tally.rules.push_back({.name = name, .action = action});
    RuleLine& line = tally.rules[at->second];
    line.packets += counted.packets;
    line.flows += counted.flows;
    for (const std::string& id : techniques) {
      if (std::find(line.techniques.begin(), line.techniques.end(), id) == line.techniques.end()) line.techniques.push_back(id);
      if (stopped) tally.techniques[id] += counted.packets;
    }
  };
  const policy::Policy& policy = run.rules.policy();
  const engine::Counters& c = run.counters;
  for (std::size_t i = 0; i < policy.rules.size() && i < c.rules.size(); ++i) {
    const policy::Rule& rule = policy.rules[i];
    add(rule.name, policy::name_of(rule.action), stops(rule), c.rules[i], rule.techniques);
  }
  if (!c.rules.empty()) add("default", policy::name_of(policy.default_action), !policy.monitor, c.rules.back(), policy.default_techniques);
  for (std::size_t i = 0; i < c.apps.size(); ++i)
    if (c.apps[i].flows != 0) tally.apps.push_back({run.rules.vocabulary().app(static_cast<AppId>(i)).name, c.apps[i]});
  return tally;
}

/// 1455 → "1,455".
std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, 1, ',');
  return text;
}

/// 146185 → "146 kB".
std::string bytes_of(std::uint64_t bytes) {
  static constexpr const char* kUnits[] = {"bytes", "kB", "MB", "GB", "TB", "PB"};
  std::size_t unit = 0;
  auto value = static_cast<double>(bytes);
  for (; value >= 1000 && unit + 1 < std::size(kUnits); ++unit) value /= 1000;
  return fmt::format("{:.{}f} {}", value, unit > 0 && value < 10 ? 1 : 0, kUnits[unit]);
}

/// A name that fits its column; an overlong one is cut in its middle, between characters of UTF-8.
std::string fitted(std::string_view name, std::size_t columns) {
  if (name.size() <= columns) return std::string(name);
  const auto inside = [&](std::size_t at) { return at < name.size() && (static_cast<unsigned char>(name[at]) & 0xc0) == 0x80; };
  std::size_t head = (columns - 3) * 2 / 3, tail = name.size() - (columns - 3 - head);
  while (head > 0 && inside(head)) --head;
  while (inside(tail)) ++tail;
  return fmt::format("{}...{}", name.substr(0, head), name.substr(tail));
}

class Page {
 public:
  template <typename... Args>
  void line(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Args>(args)...);
    text_ += '\n';
  }
  /// Words after `lead`, broken at kColumnsMax; further lines begin under the first word.
  void words(std::string lead, const std::vector<std::string>& words) {
    const std::size_t indent = lead.size();
    std::string line = std::move(lead);
    bool first = true;
    for (const std::string& word : words) {
      if (!first && line.size() + 1 + word.size() > kColumnsMax) {
        text_ += line + '\n';
        line.assign(indent, ' ');
        first = true;
      }
      if (!first) line += ' ';
      line += word;
      first = false;
    }
    text_ += line + '\n';
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

void put_rules(Page& page, const Tally& tally) {
  if (tally.rules.empty()) return;
  std::size_t widest = 4;
  for (const RuleLine& rule : tally.rules) widest = std::max(widest, std::min(rule.name.size(), kNameColumnsMax));
  page.line("");
  page.line("  {:<{}}  {:>13}  {:>11}  {:<8}  techniques", "rule", widest, "packets", "flows", "action");
  for (const RuleLine& rule : tally.rules) {
    std::vector<std::string> ids(rule.techniques.begin(), rule.techniques.end());
    if (ids.empty()) ids.push_back("-");
    page.words(fmt::format("  {:<{}}  {:>13}  {:>11}  {:<8}  ", fitted(rule.name, widest), widest, grouped(rule.packets), grouped(rule.flows), rule.action), ids);
  }
}

void put_apps(Page& page, Tally& tally) {
  if (tally.apps.empty()) return;
  std::stable_sort(tally.apps.begin(), tally.apps.end(), [](const AppLine& a, const AppLine& b) { return a.counted.bytes > b.counted.bytes; });
  page.line("");
  page.line("  {:<16}  {:>11}  {:>13}  {:>10}", "protocol", "flows", "packets", "bytes");
  engine::Counters::PerApp rest;
  for (std::size_t i = 0; i < tally.apps.size(); ++i) {
    const AppLine& app = tally.apps[i];
    if (i < kProtocolsMax) {
      page.line("  {:<16}  {:>11}  {:>13}  {:>10}", app.name, grouped(app.counted.flows), grouped(app.counted.packets), bytes_of(app.counted.bytes));
      continue;
    }
    rest.flows += app.counted.flows;
    rest.packets += app.counted.packets;
    rest.bytes += app.counted.bytes;
  }
  if (tally.apps.size() > kProtocolsMax)
    page.line("  {:<16}  {:>11}  {:>13}  {:>10}", fmt::format("{} more", tally.apps.size() - kProtocolsMax), grouped(rest.flows), grouped(rest.packets),
              bytes_of(rest.bytes));
}

void put_counts(Page& page, std::string lead, const std::vector<std::pair<std::string_view, std::uint64_t>>& counts) {
  if (counts.empty()) return;
  std::vector<std::string> words;
  for (const auto& [name, count] : counts) words.push_back(fmt::format("{} {}{}", name, grouped(count), words.size() + 1 < counts.size() ? "," : ""));
  page.words(std::move(lead), words);
}

std::vector<std::pair<std::string_view, std::uint64_t>> flaws_of(const engine::Counters& c) {
  std::vector<std::pair<std::string_view, std::uint64_t>> counts;
  for (std::size_t i = 0; i < kFlawsCount; ++i)
    if (c.flaws[i] != 0) counts.emplace_back(kFlawNames[i], c.flaws[i]);
  return counts;
}

std::vector<std::pair<std::string_view, std::uint64_t>> reasons_of(const engine::Counters& c) {
  std::vector<std::pair<std::string_view, std::uint64_t>> counts;
  for (std::size_t i = 0; i < kReasonsCount; ++i)
    if (c.stopped_by_reason[i] != 0) counts.emplace_back(name_of(static_cast<Reason>(i)), c.stopped_by_reason[i]);
  return counts;
}

}  // namespace

std::string summary_json(const Replayed& run) {
  const engine::Counters& c = run.counters;
  const Tally tally = tally_of(run);
  fmt::memory_buffer out;
  Json json(out);
  json.begin().number("packets", c.packets).number("bytes", c.bytes).number("passed", c.passed).number("dropped", c.dropped);
  json.number("rewritten", c.rewritten).number("flows", c.flows).number("seconds", run.seconds);
  json.number("packets_per_second", run.seconds > 0 ? static_cast<double>(c.packets) / run.seconds : 0.0);
  json.begin("rules");
  for (const RuleLine& rule : tally.rules) json.begin_quoted(rule.name).number("packets", rule.packets).number("flows", rule.flows).end();
  json.end().begin("techniques");
  for (const auto& [id, stopped] : tally.techniques) json.number_quoted(id, stopped);
  json.end().begin("app_protocols");
  for (const AppLine& app : tally.apps)
    json.begin(app.name).number("flows", app.counted.flows).number("packets", app.counted.packets).number("bytes", app.counted.bytes).end();
  json.end().begin("errors");
  for (const auto& [name, count] : flaws_of(c)) json.number(name, count);
  json.end().begin("stopped_by_reason");
  for (const auto& [name, count] : reasons_of(c)) json.number(name, count);
  json.end();
  if (!run.fault.empty()) json.text("fault", run.fault);
  json.end();
  return fmt::to_string(out);
}

std::string summary_text(const Replayed& run) {
  const engine::Counters& c = run.counters;
  Tally tally = tally_of(run);
  Page page;
  page.line("{} packets, {}, {} flows in {:.2f} s ({} packets a second)", grouped(c.packets), bytes_of(c.bytes), grouped(c.flows), run.seconds,
            grouped(run.seconds > 0 ? static_cast<std::uint64_t>(static_cast<double>(c.packets) / run.seconds) : 0));
  page.line("  passed   {:>15}", grouped(c.passed));
  page.line("  stopped  {:>15}", grouped(c.dropped));
  if (c.rewritten != 0) page.line("  changed  {:>15}", grouped(c.rewritten));
  if (run.rules.policy().monitor) page.line("  mode: monitor. Rules only tell what they would have stopped.");
  if (!run.fault.empty()) page.line("  broken off: {}", run.fault);
  put_rules(page, tally);
  put_apps(page, tally);
  const auto reasons = reasons_of(c), flaws = flaws_of(c);
  if (!reasons.empty() || !flaws.empty()) page.line("");
  put_counts(page, "  stopped because of: ", reasons);
  put_counts(page, "  malformed packets:  ", flaws);
  return page.take();
}

}  // namespace weir::report
