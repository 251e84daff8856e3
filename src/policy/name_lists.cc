// SPDX-License-Identifier: Apache-2.0
// The formats list, hosts and adblock; rpz_list.cc has the fourth.

#include <algorithm>

#include "policy/list_lines.h"

namespace weir::policy {

namespace {

using Reach = NameSet::Reach;

constexpr std::string_view kBadName = "not a name: a label is empty or longer than 63 bytes, or the whole longer than 253";

/// Names that hosts files carry for the machine and its links (RFC 6761 section 6.3, hosts(5) as systems ship it).
bool is_local_name(std::string_view name) {
  constexpr std::string_view kNames[] = {"localhost", "localhost.localdomain", "localhost4", "localhost4.localdomain4", "localhost6",
                                         "localhost6.localdomain6", "local", "broadcasthost", "loopback", "0.0.0.0"};
  if (!name.empty() && name.back() == '.') name.remove_suffix(1);
  return starts_nocase(name, "ip6-") ||
         std::any_of(std::begin(kNames), std::end(kNames), [&](std::string_view own) { return equals_nocase(name, own); });
}

}  // namespace

std::string_view why_no_name(std::string_view word) {
  bool digits_only = true;
  for (const char c : word) {
    if (static_cast<std::uint8_t>(c) <= ' ' || c == 0x7f) return "a control byte in a name";
    if (c == '*') return "a star may stand only in front, as *.name";
    if (c == '/' || c == '^' || c == '|' || c == '@' || c == ',') return "not a name but a URL or a rule of another format";
    if (c == ':') return "not a name: it has a colon (an address, a port or a URL?)";
    if (!is_digit(c) && c != '.') digits_only = false;
  }
  if (digits_only && parse_ip(word)) return "an address in a list of names";
  return {};
}

void take_list(ListLines& lines, NameSet::Builder& names) {
  for (std::string_view line; lines.next(line);) {
    std::string_view rest = without_comment(line, "#;");
    std::string_view name = next_word(rest);
    if (name.empty()) continue;
    if (const std::string_view more = next_word(rest); !more.empty()) {
      lines.bad(parse_ip(name) ? "more than one word: is this file in the format hosts?" : "more than one word");
      continue;
    }
    Reach reach = Reach::Exact;
    if (name.starts_with("*.")) name.remove_prefix(2), reach = Reach::ExactAndBelow;
    else if (name.starts_with('.')) name.remove_prefix(1), reach = Reach::ExactAndBelow;
    const std::string_view why = why_no_name(name);
    if (!why.empty()) lines.bad(why);
    else if (!names.add(name, reach, lines.number())) lines.bad(kBadName);
    else ++lines.report().taken;
  }
}

void take_hosts(ListLines& lines, NameSet::Builder& names) {
  for (std::string_view line; lines.next(line);) {
    std::string_view rest = without_comment(line, "#;");
    std::string_view address = next_word(rest);
    if (address.empty()) continue;
    address = address.substr(0, address.find('%'));  // "fe80::1%lo0" is usual there.
    if (!parse_ip(address)) {
      lines.bad("the line does not begin with an address");
      continue;
    }
    std::string_view name = next_word(rest);
    if (name.empty()) lines.bad("an address without a name");
    for (; !name.empty(); name = next_word(rest)) {
      if (is_local_name(name)) {
        lines.skip(Skip::LocalName);
        continue;
      }
      const std::string_view why = why_no_name(name);
      if (!why.empty()) lines.bad(why);
      else if (!names.add(name, Reach::Exact, lines.number())) lines.bad(kBadName);
      else ++lines.report().taken;
    }
  }
}

namespace {

bool is_cosmetic(std::string_view line) {
  for (const std::string_view mark : {"##", "#@#", "#?#", "#$#", "#%#", "#@?#", "#@$#", "#@%#", "$$", "$@$"})
    if (line.find(mark) != line.npos) return true;
  return false;
}

/// True if all options only strengthen the rule.
bool options_are_harmless(std::string_view options) {
  while (true) {
    const std::size_t comma = options.find(',');
    const std::string_view option = trim(options.substr(0, comma));
    const bool harmless = option.empty() || equals_nocase(option, "important") || equals_nocase(option, "all") ||
                          equals_nocase(option, "document") || equals_nocase(option, "doc");
    if (!harmless) return false;
    if (comma == options.npos) return true;
    options.remove_prefix(comma + 1);
  }
}

void take_adblock_rule(std::string_view line, ListLines& lines, NameSet::Builder& names) {
  const bool exempts = line.starts_with("@@");
  if (exempts) line.remove_prefix(2);
  if (!line.starts_with("||")) return lines.skip(Skip::Pattern);
  line.remove_prefix(2);
  const std::size_t end = line.find_first_of("^$/");
  if (end == line.npos || line[end] != '^') return lines.skip(Skip::Pattern);
  std::string_view name = line.substr(0, end), options = line.substr(end + 1);
  if (options.starts_with('|')) options.remove_prefix(1);
  if (!options.empty() && options.front() != '$') return lines.skip(Skip::Pattern);
  if (!options.empty() && !options_are_harmless(options.substr(1))) return lines.skip(Skip::Option);
  Reach reach = Reach::ExactAndBelow;
  if (name.starts_with("*.")) name.remove_prefix(2), reach = Reach::Below;
  if (name.find_first_of("*:") != name.npos) return lines.skip(Skip::Pattern);
  if (parse_ip(name)) return lines.skip(Skip::Address);
  const std::string_view why = why_no_name(name);
  if (!why.empty()) return lines.bad(why);
  const bool added = exempts ? names.exempt(name, reach, NameSet::Exempt::Always) : names.add(name, reach, lines.number());
  if (!added) return lines.bad(kBadName);
  ++(exempts ? lines.report().exempted : lines.report().taken);
}

}  // namespace

void take_adblock(ListLines& lines, NameSet::Builder& names) {
  for (std::string_view line; lines.next(line);) {
    line = trim(line);
    if (line.empty() || line.front() == '!' || line.front() == '[') continue;
    if (line.front() == '#' && (line.size() == 1 || is_blank(line[1]))) continue;  // A comment in mixed lists.
    if (is_cosmetic(line)) lines.skip(Skip::Cosmetic);
    else take_adblock_rule(line, lines, names);
  }
}

}  // namespace weir::policy
