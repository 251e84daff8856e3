// SPDX-License-Identifier: Apache-2.0
#include "cli/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

namespace weir::cli {
namespace {

/// 1455 → "1,455".
std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, ",");
  return text;
}

/// 146185 → "146 kB".
std::string bytes_of(std::uint64_t bytes) {
  static constexpr const char* kUnits[] = {"bytes", "kB", "MB", "GB", "TB"};
  std::size_t unit = 0;
  auto value = static_cast<double>(bytes);
  for (; value >= 1000 && unit + 1 < std::size(kUnits); ++unit) value /= 1000;
  return fmt::format("{:.{}f} {}", value, unit > 0 && value < 10 ? 1 : 0, kUnits[unit]);
}

struct Line {
  std::string rule, action, techniques;
  std::uint64_t packets = 0, flows = 0;
};

/// What a rule does and what it is for; rules of one name (a guard's) are shown as one.
Line line_of(const std::string& name, const policy::Policy& policy) {
  Line line{.rule = name};
  std::vector<std::string> ids = policy.default_techniques;
  line.action = policy::name_of(policy.default_action);
  bool first = true;
  for (const policy::Rule& rule : policy.rules) {
    if (rule.name != name) continue;
    if (std::exchange(first, false)) {
      ids.clear();
      line.action = policy::name_of(rule.action);
    }
    for (const std::string& id : rule.techniques)
      if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
  }
  line.techniques = fmt::format("{}", fmt::join(ids, " "));
  return line;
}

}  // namespace

std::string render_summary(const nlohmann::ordered_json& summary, const policy::Policy& policy) {
  std::string out;
  const auto to = std::back_inserter(out);
  const auto count = [&](const char* key) { return summary.value(key, std::uint64_t{0}); };
  fmt::format_to(to, "{} packets, {}, {} flows in {:.2f} s\n", grouped(count("packets")), bytes_of(count("bytes")), grouped(count("flows")),
                 summary.value("seconds", 0.0));
  fmt::format_to(to, "  passed   {:>12}\n  {:<9}{:>12}\n", grouped(count("passed")), policy.monitor ? "would stop" : "stopped",
                 grouped(count("dropped")));
  if (count("rewritten") > 0) fmt::format_to(to, "  changed  {:>12}\n", grouped(count("rewritten")));

  std::vector<Line> lines;
  std::size_t widest = 4;
  for (const auto& [name, counted] : summary["rules"].items()) {
    Line line = line_of(name, policy);
    line.packets = counted.value("packets", std::uint64_t{0});
    line.flows = counted.value("flows", std::uint64_t{0});
    widest = std::max(widest, name.size());
    lines.push_back(std::move(line));
  }
  if (!lines.empty()) fmt::format_to(to, "\n  {:<{}}  {:>9}  {:>7}  {:<8}  {}\n", "rule", widest, "packets", "flows", "action", "techniques");
  for (const Line& line : lines) {
    fmt::format_to(to, "  {:<{}}  {:>9}  {:>7}  {:<8}  {}\n", line.rule, widest, grouped(line.packets), grouped(line.flows), line.action,
                   line.techniques.empty() ? "-" : line.techniques);
  }

  std::string spoken;
  for (const auto& [name, counted] : summary["app_protocols"].items())
    spoken += fmt::format("{}{} {}", spoken.empty() ? "" : ", ", name, grouped(counted.value("flows", std::uint64_t{0})));
  if (!spoken.empty()) fmt::format_to(to, "\n  flows by protocol: {}\n", spoken);
  std::string flaws;
  for (const auto& [name, counted] : summary["errors"].items())
    flaws += fmt::format("{}{} {}", flaws.empty() ? "" : ", ", name, grouped(counted.get<std::uint64_t>()));
  if (!flaws.empty()) fmt::format_to(to, "  malformed packets: {}\n", flaws);
  return out;
}

}  // namespace weir::cli
