// SPDX-License-Identifier: Apache-2.0
// Response policy zones, as zone files (RFC 1035 section 5.1; draft-vixie-dnsop-dns-rpz). One line a record, as feeds write them;
// only a record in parentheses (the SOA) goes over several.

#include <string>

#include "policy/list_lines.h"

namespace weir::policy {

namespace {

using Reach = NameSet::Reach;

std::string_view without_dot(std::string_view name) {
  if (!name.empty() && name.back() == '.') name.remove_suffix(1);
  return name;
}

/// What is left of `name` before ".suffix"; the name itself if the suffix is empty; nothing if it is not below.
std::optional<std::string_view> strip(std::string_view name, std::string_view suffix) {
  if (suffix.empty()) return name;
  if (equals_nocase(name, suffix)) return std::string_view();
  if (name.size() <= suffix.size() || name[name.size() - suffix.size() - 1] != '.') return std::nullopt;
  if (!equals_nocase(name.substr(name.size() - suffix.size()), suffix)) return std::nullopt;
  return name.substr(0, name.size() - suffix.size() - 1);
}

bool is_class(std::string_view word) { return equals_nocase(word, "IN") || equals_nocase(word, "CH") || equals_nocase(word, "HS"); }

/// "3600" or "1h30m".
bool is_ttl(std::string_view word) {
  if (word.empty() || !is_digit(word.front())) return false;
  for (const char c : word)
    if (!is_digit(c) && std::string_view("smhdw").find(to_lower(c)) == std::string_view::npos) return false;
  return true;
}

bool is_zone_keeping(std::string_view type) {
  for (const std::string_view known : {"SOA", "NS", "DNSKEY", "RRSIG", "NSEC", "NSEC3", "NSEC3PARAM", "CDS", "CDNSKEY", "ZONEMD", "DS"})
    if (equals_nocase(type, known)) return true;
  return false;
}

bool is_record_type(std::string_view type) {
  for (const std::string_view known :
       {"CNAME", "A", "AAAA", "TXT", "MX", "DNAME", "PTR", "SRV", "NAPTR", "CAA", "HTTPS", "SVCB", "SPF", "LOC", "HINFO"})
    if (equals_nocase(type, known)) return true;
  return starts_nocase(type, "TYPE");
}

class RpzReader {
 public:
  RpzReader(ListLines& lines, NameSet::Builder& names) : lines_(lines), names_(names) {}

  void line(std::string_view line) {
    line = without_comment(line, ";");
    if (const std::size_t mark = line.find(';'); mark != line.npos) line = line.substr(0, mark);  // No blank is needed here.
    const bool continued = depth_ > 0;
    count_parentheses(line);
    if (continued || trim(line).empty()) return;
    std::string_view rest = line;
    if (!is_blank(line.front())) {
      const std::string_view word = next_word(rest);
      if (word.front() == '$') return directive(word, rest);
      if (word.size() > kOwnerBytesMax) return lines_.bad("the name is too long");
      owner_ = word;
    } else if (owner_.empty()) {
      return lines_.bad("a record without a name, and none before it");
    }
    record(rest);
  }

 private:
  static constexpr std::size_t kOwnerBytesMax = 1024;

  void count_parentheses(std::string_view line) {
    bool quoted = false;
    for (const char c : line) {
      if (c == '"') quoted = !quoted;
      else if (c == '(' && !quoted) ++depth_;
      else if (c == ')' && !quoted && depth_ > 0) --depth_;
    }
  }

  void directive(std::string_view word, std::string_view rest) {
    if (!equals_nocase(word, "$ORIGIN")) {
      if (!equals_nocase(word, "$TTL")) lines_.bad("only $TTL and $ORIGIN are understood");
      return;
    }
    const std::string_view name = next_word(rest);
    if (name.empty() || name.back() != '.' || name.size() > kOwnerBytesMax) return lines_.bad("$ORIGIN needs an absolute name");
    origin_ = without_dot(name);
    if (!apex_known_) apex_ = origin_, apex_known_ = true;
  }

  void record(std::string_view rest) {
    std::string_view type = next_word(rest);
    while (is_class(type) || is_ttl(type)) type = next_word(rest);
    if (equals_nocase(type, "SOA") && owner_ != "@" && owner_.back() == '.') {
      apex_ = without_dot(owner_);  // The SOA stands at the top of the zone, whatever $ORIGIN said (RFC 1035 section 5.2).
      apex_known_ = true;
      if (origin_.empty()) origin_ = apex_;
    }
    if (is_zone_keeping(type)) return lines_.skip(Skip::ZoneKeeping);
    if (!is_record_type(type)) return lines_.bad(type.empty() ? "a name without a record" : "not a record type that a policy zone has");
    const std::string_view target = next_word(rest);
    if (target.empty()) return lines_.bad("a record without its value");

    // The queried name: the owner below the top of the zone.
    if (owner_.back() == '.') {
      full_ = without_dot(owner_);
    } else {
      full_ = owner_ == "@" ? std::string() : owner_;
      if (!origin_.empty()) full_.append(full_.empty() ? "" : ".").append(origin_);
    }
    const auto trigger = strip(full_, apex_);
    if (!trigger) return lines_.bad("the name is outside the zone");
    entry(*trigger, equals_nocase(type, "CNAME") ? target : std::string_view());
  }

  void entry(std::string_view name, std::string_view target) {
    if (name.empty()) return lines_.skip(Skip::ZoneKeeping);
    const std::string_view last = name.substr(name.rfind('.') + 1);
    for (const std::string_view other : {"rpz-ip", "rpz-client-ip", "rpz-nsdname", "rpz-nsip"})
      if (equals_nocase(last, other)) return lines_.skip(Skip::Trigger);
    if (equals_nocase(target, "rpz-tcp-only.")) return lines_.skip(Skip::Trigger);
    Reach reach = Reach::Exact;
    std::string_view base = name;
    if (base.starts_with("*.")) base.remove_prefix(2), reach = Reach::Below;
    const std::string_view why = why_no_name(base);
    if (!why.empty()) return lines_.bad(why);
    // A CNAME to the name itself is how the first format said passthru.
    const bool exempts = equals_nocase(target, "rpz-passthru.") || (!target.empty() && equals_nocase(without_dot(target), name));
    const bool added = exempts ? names_.exempt(base, reach, NameSet::Exempt::Closest) : names_.add(base, reach, lines_.number());
    if (!added) return lines_.bad("not a name: a label is empty or longer than 63 bytes, or the whole longer than 253");
    ++(exempts ? lines_.report().exempted : lines_.report().taken);
  }

  ListLines& lines_;
  NameSet::Builder& names_;
  std::string owner_, origin_, apex_, full_;  // Without the dot at the end, except owner_, which is as written.
  bool apex_known_ = false;
  std::size_t depth_ = 0;
};

}  // namespace

void take_rpz(ListLines& lines, NameSet::Builder& names) {
  RpzReader reader(lines, names);
  for (std::string_view line; lines.next(line);) reader.line(line);
}

}  // namespace weir::policy
