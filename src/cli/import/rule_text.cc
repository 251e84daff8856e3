// SPDX-License-Identifier: Apache-2.0
#include "cli/import/rule_text.h"

#include "base/text.h"

namespace weir::cli {
namespace {

constexpr std::size_t kNameMax = 80;

/// A double-quoted scalar of YAML.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  constexpr char kDigits[] = "0123456789abcdef";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      out += '\\', out += c;
    else if (byte < 0x20 || byte >= 0x7f)
      out += "\\x", out += kDigits[byte >> 4], out += kDigits[byte & 15];
    else
      out += c;
  }
  return out + "\"";
}

/// A name without what would be hard to type.
std::string name_of(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, kNameMax)) {
    const bool plain = is_alpha(c) || is_digit(c) || c == '.' || c == '_' || c == '-';
    if (plain)
      out += c;
    else if (!out.empty() && out.back() != '-')
      out += '-';
  }
  while (!out.empty() && (out.back() == '-' || out.back() == '.')) out.pop_back();
  const std::size_t begin = out.find_first_not_of(".-");
  return begin == std::string::npos ? "rule" : out.substr(begin);
}

std::string text_of(const ImportedMatch& match) {
  std::string out = "{";
  for (const ImportedCondition& c : match) {
    out += (out.size() == 1 ? " " : ", ") + c.key + ": ";
    if (c.values.size() == 1) {
      out += quoted(c.values[0]);
      continue;
    }
    out += "[";
    for (std::size_t i = 0; i < c.values.size(); ++i) out += (i == 0 ? "" : ", ") + quoted(c.values[i]);
    out += "]";
  }
  return out + (out.size() == 1 ? "}" : " }");
}

std::string one_line(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, 300))
    out += static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f ? '?' : c;
  return out;
}

}  // namespace

void Imported::add(ImportedRule rule) {
  std::string base = name_of(rule.name);
  // Names of guards and of what is essential are ours; so is the default's.
  while (base.starts_with("guard.") || base.starts_with("essential.")) base = name_of(base.substr(base.find('.') + 1));
  if (base == "default") base = "default-rule";
  rule.name = base;
  auto [at, free] = names_.try_emplace(base, 2);
  while (!free) {
    rule.name = base + "-" + std::to_string(at->second++);
    free = names_.try_emplace(rule.name, 2).second;
  }
  rules.push_back(std::move(rule));
}

bool require(ImportedMatch& match, std::string key, std::vector<std::string> values) {
  for (const ImportedCondition& c : match)
    if (c.key == key) return c.values == values;
  match.push_back({std::move(key), std::move(values)});
  return true;
}

std::string policy_text(const Imported& imported, std::string_view source) {
  std::string out = "# Written by `weir import` from " + one_line(source) + ".\n";
  for (const std::string& remark : imported.remarks) out += "# " + one_line(remark) + "\n";
  if (!imported.unfit.empty()) out += "# Not taken over:\n";
  for (const Unfit& unfit : imported.unfit)
    out += "#   " + std::to_string(unfit.line) + ": " + one_line(unfit.reason) + ": " + one_line(unfit.what) + "\n";
  out += "weir: 1\n" + imported.preamble;
  if (imported.rules.empty()) return out + "rules: []\n";
  out += "rules:\n";
  for (const ImportedRule& rule : imported.rules) {
    out += "  - name: " + quoted(rule.name) + "\n";
    if (!rule.techniques.empty()) {
      out += "    technique: [";
      for (std::size_t i = 0; i < rule.techniques.size(); ++i) out += (i == 0 ? "" : ", ") + rule.techniques[i];
      out += "]\n";
    }
    out += "    match: " + text_of(rule.match) + "\n";
    if (!rule.unless.empty()) {
      out += "    unless: [";
      for (std::size_t i = 0; i < rule.unless.size(); ++i) out += (i == 0 ? " " : ", ") + text_of(rule.unless[i]);
      out += " ]\n";
    }
    out += "    action: " + rule.action + "\n";
  }
  return out;
}

}  // namespace weir::cli
