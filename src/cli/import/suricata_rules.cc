// SPDX-License-Identifier: Apache-2.0
// Suricata's rules: heads with addresses, lists and variables; of the options those whose meaning our facts have. A rule of which
// anything else is asked is not taken over: without it the rule would mean more.

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "base/address.h"
#include "base/text.h"
#include "cli/import/rule_text.h"

namespace weir::cli {
namespace {

constexpr std::size_t kLineMax = 64 * 1024, kRulesMax = 200'000, kDepthMax = 8, kPartsMax = 20'000;

struct Buffer {
  std::string_view keyword, fact;
  bool domain = false;  ///< A name: compared without case whatever is asked.
  bool folds = false;   ///< Our fact is compared without case.
};
constexpr Buffer kBuffers[] = {
    {"dns.query", "dns.qname", true, true},       {"dns_query", "dns.qname", true, true},
    {"tls.sni", "tls.sni", true, true},           {"tls_sni", "tls.sni", true, true},
    {"http.host", "http.host", true, true},       {"http_host", "http.host", true, true},
    {"http.method", "http.method", false, false}, {"http.uri.raw", "http.uri", false, false},
    {"smb.share", "smb.share", false, true},      {"ssh.software", "ssh.software", false, false},
};

struct App {
  std::string_view theirs, ours;
};
constexpr App kApps[] = {{"dns", "dns"},      {"http", "http"}, {"http1", "http"},        {"tls", "tls"},   {"ssl", "tls"},
                         {"smb", "smb"},      {"ssh", "ssh"},   {"ftp", "ftp"},           {"smtp", "smtp"}, {"snmp", "snmp"},
                         {"tftp", "tftp"},    {"rdp", "rdp"},   {"rfb", "rfb"},           {"krb5", "krb5"}, {"ntp", "ntp"},
                         {"dhcp", "dhcp"},    {"nfs", "nfs"},   {"sip", "sip"},           {"mqtt", "mqtt"}, {"modbus", "modbus"},
                         {"dnp3", "dnp3"},    {"quic", "quic"}, {"ftp-data", "ftp-data"}, {"imap", "imap"}, {"pgsql", "pgsql"},
                         {"telnet", "telnet"}};

/// Options that say nothing about packets.
constexpr std::string_view kSilent[] = {"sid",      "rev",    "gid",          "classtype", "reference",
                                        "priority", "target", "fast_pattern", "noalert"};

std::string_view app_of(std::string_view theirs) {
  for (const App& app : kApps)
    if (app.theirs == theirs) return app.ours;
  return {};
}

struct Option {
  std::string_view name, value;
};

/// Cuts options at semicolons outside of quotes and not escaped.
bool cut_options(std::string_view text, std::vector<Option>& out) {
  while (!(text = trim(text)).empty()) {
    std::size_t end = 0;
    bool quoted = false;
    for (; end < text.size() && (quoted || text[end] != ';'); ++end) {
      if (text[end] == '\\')
        ++end;
      else if (text[end] == '"')
        quoted = !quoted;
    }
    if (end >= text.size()) return false;
    const std::string_view one = trim(text.substr(0, end));
    const std::size_t colon = one.find(':');
    out.push_back(
        {trim(one.substr(0, colon)), colon == std::string_view::npos ? std::string_view() : trim(one.substr(colon + 1))});
    text.remove_prefix(end + 1);
  }
  return true;
}

/// The text of a quoted value, `|41 42|` as bytes; nothing where it is none.
std::optional<std::string> content_of(std::string_view value) {
  if (value.size() < 2 || value.front() != '"' || value.back() != '"') return std::nullopt;
  value = value.substr(1, value.size() - 2);
  std::string out;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '\\') {
      if (++i < value.size()) out += value[i];
      continue;
    }
    if (value[i] != '|') {
      out += value[i];
      continue;
    }
    const std::size_t end = value.find('|', i + 1);
    if (end == std::string_view::npos) return std::nullopt;
    int high = -1;
    for (const char c : value.substr(i + 1, end - i - 1)) {
      const int digit = hex_value(c);
      if (digit < 0) {
        if (c != ' ') return std::nullopt;
        continue;
      }
      if (high < 0)
        high = digit;
      else
        out += static_cast<char>(high << 4 | digit), high = -1;
    }
    if (high >= 0) return std::nullopt;
    i = end;
  }
  return out;
}

/// What a list of addresses or ports says: those named, those excepted.
struct Listed {
  bool any = false;
  std::vector<std::string> named, excepted;
  std::size_t parts = 0;
};

class Lists {
 public:
  explicit Lists(const SuricataVariables& variables) {
    values_ = {{"HOME_NET", "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fd00::/8"},
               {"EXTERNAL_NET", "!$HOME_NET"},
               {"HTTP_SERVERS", "$HOME_NET"},
               {"SMTP_SERVERS", "$HOME_NET"},
               {"SQL_SERVERS", "$HOME_NET"},
               {"DNS_SERVERS", "$HOME_NET"},
               {"TELNET_SERVERS", "$HOME_NET"},
               {"AIM_SERVERS", "$EXTERNAL_NET"},
               {"DC_SERVERS", "$HOME_NET"},
               {"DNP3_SERVER", "$HOME_NET"},
               {"DNP3_CLIENT", "$HOME_NET"},
               {"MODBUS_CLIENT", "$HOME_NET"},
               {"MODBUS_SERVER", "$HOME_NET"},
               {"ENIP_CLIENT", "$HOME_NET"},
               {"ENIP_SERVER", "$HOME_NET"},
               {"HTTP_PORTS", "80"},
               {"SHELLCODE_PORTS", "!80"},
               {"ORACLE_PORTS", "1521"},
               {"SSH_PORTS", "22"},
               {"DNP3_PORTS", "20000"},
               {"MODBUS_PORTS", "502"},
               {"FTP_PORTS", "21"},
               {"FILE_DATA_PORTS", "80,110,143"},
               {"GENEVE_PORTS", "6081"},
               {"VXLAN_PORTS", "4789"},
               {"TEREDO_PORTS", "3544"}};
    for (const auto& [name, value] : variables.values) {
      const auto at = std::find_if(values_.begin(), values_.end(), [&](const auto& v) { return v.first == name; });
      if (at != values_.end())
        at->second = value;
      else
        values_.emplace_back(name, value);
    }
  }

  /// A reason where it cannot be read.
  std::string read(std::string_view text, bool ports, Listed& out, bool negated = false, std::size_t depth = 0) const {
    text = trim(text);
    if (depth > kDepthMax || ++out.parts > kPartsMax) return "lists nest too deep, or are too long";
    if (text.starts_with("!")) return read(text.substr(1), ports, out, !negated, depth + 1);
    if (text == "any") {
      if (negated) return "`!any` is nothing";
      out.any = true;
      return {};
    }
    if (text.starts_with("[")) {
      if (!text.ends_with("]")) return "a list without its end";
      return read_list(text.substr(1, text.size() - 2), ports, out, negated, depth);
    }
    if (text.starts_with("$")) {
      const auto at = std::find_if(values_.begin(), values_.end(), [&](const auto& v) { return v.first == text.substr(1); });
      if (at == values_.end()) return "the variable `" + std::string(text.substr(0, 60)) + "` is not known; give it with --var";
      std::string_view value = trim(at->second);
      if (value.starts_with("[") && value.ends_with("]")) value = value.substr(1, value.size() - 2);
      return read_list(value, ports, out, negated, depth);
    }
    const auto value = ports ? port(text) : address(text);
    if (!value) return std::string("`") + std::string(text.substr(0, 60)) + "` is no " + (ports ? "port" : "address");
    (negated ? out.excepted : out.named).push_back(*value);
    return {};
  }

 private:
  std::string read_list(std::string_view text, bool ports, Listed& out, bool negated, std::size_t depth) const {
    std::size_t begin = 0, nested = 0;
    for (std::size_t i = 0; i <= text.size(); ++i) {
      if (i < text.size() && text[i] == '[') ++nested;
      if (i < text.size() && text[i] == ']' && nested > 0) --nested;
      if (i < text.size() && (text[i] != ',' || nested > 0)) continue;
      if (const std::string reason = read(text.substr(begin, i - begin), ports, out, negated, depth + 1); !reason.empty())
        return reason;
      begin = i + 1;
    }
    return {};
  }

  static std::optional<std::string> address(std::string_view text) {
    const auto parsed = parse_prefix(text);
    if (!parsed) return std::nullopt;
    return render(parsed->prefix);
  }
  static std::optional<std::string> port(std::string_view text) {
    const std::size_t colon = text.find(':');
    const auto in_range = [](std::optional<std::uint64_t> n) { return n && *n <= 65535; };
    if (colon == std::string_view::npos) {
      const auto number = parse_number(text);
      return in_range(number) ? std::optional(std::to_string(*number)) : std::nullopt;
    }
    const std::string_view a = trim(text.substr(0, colon)), b = trim(text.substr(colon + 1));
    const auto first = a.empty() ? std::optional<std::uint64_t>(0) : parse_number(a),
               last = b.empty() ? std::optional<std::uint64_t>(65535) : parse_number(b);
    if (!in_range(first) || !in_range(last) || *first > *last) return std::nullopt;
    return std::to_string(*first) + "-" + std::to_string(*last);
  }

  std::vector<std::pair<std::string, std::string>> values_;
};

/// One rule on its way.
class Rule {
 public:
  explicit Rule(const Lists& lists) : lists_(lists) {}

  /// A reason where it does not fit.
  std::string read(std::string_view line, ImportedRule& out);

 private:
  std::string head(std::string_view text, ImportedRule& out);
  std::string options(std::string_view text, ImportedRule& out);
  std::string option(const Option& o, ImportedRule& out);
  std::string finish_content(ImportedRule& out);
  std::string end(std::string_view text, bool ports, const char* key, ImportedRule& out) const;

  const Lists& lists_;
  const Buffer* buffer_ = nullptr;
  std::optional<std::string> content_;
  bool nocase_ = false, starts_ = false, ends_ = false, dot_ = false;
  std::optional<std::uint64_t> bsize_;
};

std::string Rule::end(std::string_view text, bool ports, const char* key, ImportedRule& out) const {
  Listed listed;
  if (const std::string reason = lists_.read(text, ports, listed); !reason.empty()) return reason;
  if (!listed.any && !listed.named.empty() && !require(out.match, key, listed.named)) return "two conditions on one key";
  if (listed.excepted.empty()) return {};
  if (!require(out.match, std::string("not.") + key, listed.excepted)) return "two conditions on one key";
  return {};
}

std::string Rule::head(std::string_view text, ImportedRule& out) {
  std::vector<std::string_view> words;
  std::size_t nested = 0, begin = std::string_view::npos;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    const bool space = i == text.size() || text[i] == ' ' || text[i] == '\t';
    if (!space && text[i] == '[') ++nested;
    if (!space && text[i] == ']' && nested > 0) --nested;
    if (space && (nested == 0 || i == text.size())) {
      if (begin != std::string_view::npos) words.push_back(text.substr(begin, i - begin));
      begin = std::string_view::npos;
    } else if (begin == std::string_view::npos) {
      begin = i;
    }
  }
  if (words.size() != 7) return "it is no rule";
  constexpr std::pair<std::string_view, std::string_view> kActions[] = {
      {"pass", "allow"},       {"drop", "drop"},         {"reject", "reject"}, {"rejectsrc", "reject"},
      {"rejectdst", "reject"}, {"rejectboth", "reject"}, {"alert", "alert"}};
  for (const auto& [theirs, ours] : kActions)
    if (words[0] == theirs) out.action = ours;
  if (out.action.empty()) return "the action `" + std::string(words[0].substr(0, 40)) + "` has no counterpart";
  if (words[4] != "->") return "only `->` says who asks whom";
  const std::string_view protocol = words[1];
  if (protocol == "tcp" || protocol == "udp" || protocol == "icmp" || protocol == "sctp") {
    require(out.match, "ip.protocol",
            protocol == "icmp" ? std::vector<std::string>{"1", "58"} : std::vector<std::string>{std::string(protocol)});
  } else if (protocol != "ip") {
    const std::string_view app = app_of(protocol);
    if (app.empty()) return "the protocol `" + std::string(protocol.substr(0, 40)) + "` has no counterpart";
    require(out.match, "app.protocol", {std::string(app)});
  }
  for (const auto& [text_of, ports, key] : {std::tuple{words[2], false, "from"}, std::tuple{words[3], true, "client.port"},
                                            std::tuple{words[5], false, "to"}, std::tuple{words[6], true, "port"}})
    if (const std::string reason = end(text_of, ports, key, out); !reason.empty()) return reason;
  return {};
}

std::string Rule::finish_content(ImportedRule& out) {
  if (!content_) return buffer_ != nullptr && (bsize_ || dot_) ? "a condition without a content" : "";
  std::string text = *content_;
  const Buffer& buffer = *buffer_;
  content_.reset();
  if (!nocase_ && buffer.folds && !buffer.domain) return std::string(buffer.fact) + " is compared without case here";
  if (nocase_ && !buffer.folds) return std::string(buffer.fact) + " is compared with case here";
  for (const char c : text)
    if (static_cast<unsigned char>(c) < 0x21 || static_cast<unsigned char>(c) > 0x7e || c == '*' || c == '?' || c == '@')
      return "a content that is more than plain text";
  if (text.empty()) return "an empty content";
  const bool whole = (bsize_ && *bsize_ == text.size()) || (starts_ && ends_ && !dot_);
  if (bsize_ && *bsize_ != text.size()) return "`bsize` of another size than its content";
  std::string value;
  if (dot_ && ends_ && text.starts_with(".") && text.size() > 1)
    value = text;
  else if (dot_)
    return "`dotprefix` without `endswith`";
  else if (whole)
    value = text;
  else
    value = (starts_ ? "" : "*") + text + (ends_ ? "" : "*");
  if (!buffer.domain && (value.front() == '/' && value.back() == '/')) return "a text that would be read as a regular expression";
  if (value == "absent" || value == "present" || value == "hidden") return "a text that is a word of ours";
  if (buffer.domain && value.front() == '.' && !dot_) return "a name that begins with a dot";
  nocase_ = starts_ = ends_ = dot_ = false;
  bsize_.reset();
  return require(out.match, std::string(buffer.fact), {value}) ? std::string() : "two conditions on one fact";
}

std::string Rule::option(const Option& o, ImportedRule& out) {
  if (o.name == "msg") {
    if (const auto text = content_of(o.value)) out.name = *text;
    return {};
  }
  if (o.name == "metadata") {
    for (std::size_t at = o.value.find("mitre_technique_id "); at != std::string_view::npos;
         at = o.value.find("mitre_technique_id ", at + 1)) {
      const std::string_view id = o.value.substr(at + 19, o.value.substr(at + 19).find(','));
      const std::string_view trimmed = trim(id);
      const bool plain = trimmed.size() >= 5 && trimmed.size() <= 9 && trimmed[0] == 'T' &&
                         (trimmed.size() == 5 || (trimmed.size() == 9 && trimmed[5] == '.'));
      if (plain && std::all_of(trimmed.begin() + 1, trimmed.end(), [](char c) { return is_digit(c) || c == '.'; }) &&
          trimmed.substr(1, 4).find('.') == std::string_view::npos &&
          (trimmed.size() == 5 || trimmed.substr(6).find('.') == std::string_view::npos))
        out.techniques.emplace_back(trimmed);
    }
    return {};
  }
  if (std::find(std::begin(kSilent), std::end(kSilent), o.name) != std::end(kSilent)) return {};
  if (o.name == "flow") {
    std::string_view rest = o.value;
    while (!rest.empty()) {
      const std::size_t comma = rest.find(',');
      const std::string_view word = trim(rest.substr(0, comma));
      if (word != "to_server" && word != "from_client" && word != "established")
        return "`flow:" + std::string(word.substr(0, 40)) + "`";
      rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    }
    return {};
  }
  if (o.name == "app-layer-protocol") {
    const bool negated = o.value.starts_with("!");
    const std::string_view app = app_of(trim(negated ? o.value.substr(1) : o.value));
    if (app.empty()) return "the protocol `" + std::string(o.value.substr(0, 40)) + "` has no counterpart";
    return require(out.match, negated ? "not.app.protocol" : "app.protocol", {std::string(app)}) ? std::string()
                                                                                                 : "two conditions on one fact";
  }
  if (o.name == "itype" || o.name == "icode") {
    const auto number = parse_number(o.value);
    if (!number || *number > 255) return "a type that is no single number";
    return require(out.match, o.name == "itype" ? "icmp.type" : "icmp.code", {std::to_string(*number)})
               ? std::string()
               : "two conditions on one fact";
  }
  if (o.name == "ip_proto") {
    const auto number = parse_number(o.value);
    if (!number || *number > 255) return "a protocol that is no single number";
    std::erase_if(out.match, [&](const ImportedCondition& c) { return c.key == "ip.protocol" && c.values.size() == 2; });
    return require(out.match, "ip.protocol", {std::to_string(*number)}) ? std::string() : "two conditions on one fact";
  }
  for (const Buffer& buffer : kBuffers)
    if (o.name == buffer.keyword && o.value.empty()) {
      if (const std::string reason = finish_content(out); !reason.empty()) return reason;
      buffer_ = &buffer;
      return {};
    }
  if (o.name == "content") {
    if (buffer_ == nullptr) return "a content in bytes of any kind";
    if (content_) return "two contents in one place";
    content_ = content_of(o.value);
    return content_ ? std::string() : "a content that cannot be read";
  }
  if (buffer_ != nullptr && o.name == "nocase" && content_) return nocase_ = true, std::string();
  if (buffer_ != nullptr && o.name == "startswith" && content_) return starts_ = true, std::string();
  if (buffer_ != nullptr && o.name == "endswith" && content_) return ends_ = true, std::string();
  if (buffer_ != nullptr && o.name == "dotprefix" && !content_) return dot_ = true, std::string();
  if (buffer_ != nullptr && o.name == "bsize") {
    bsize_ = parse_number(o.value);
    return bsize_ ? std::string() : "`bsize` that is no single number";
  }
  return "the option `" + std::string(o.name.substr(0, 60)) + "` has no counterpart";
}

std::string Rule::options(std::string_view text, ImportedRule& out) {
  std::vector<Option> list;
  if (!cut_options(text, list)) return "options without their end";
  for (const Option& o : list)
    if (const std::string reason = option(o, out); !reason.empty()) return reason;
  return finish_content(out);
}

std::string Rule::read(std::string_view line, ImportedRule& out) {
  const std::size_t open = line.find('(');
  if (open == std::string_view::npos || line.back() != ')') return "it is no rule";
  if (const std::string reason = head(trim(line.substr(0, open)), out); !reason.empty()) return reason;
  return options(line.substr(open + 1, line.size() - open - 2), out);
}

}  // namespace

Imported import_suricata(std::string_view text, const SuricataVariables& variables) {
  Imported out;
  const Lists lists(variables);
  std::vector<ImportedRule> by_action[4];
  std::size_t number = 0;
  std::string joined;  // A line that ends in a backslash goes on.
  for_each_line(text, [&](std::string_view line) {
    ++number;
    if (joined.size() + line.size() > kLineMax)
      return void((out.unfit.push_back({number, "", "a line that is too long"}), joined.clear()));
    if (line.ends_with('\\')) return void(joined += line.substr(0, line.size() - 1));
    joined += line;
    const std::string whole = std::exchange(joined, std::string());
    const std::string_view rule = trim(whole);
    if (rule.empty() || rule.starts_with("#")) return;
    ImportedRule made;
    std::string reason = out.rules.size() + number > kRulesMax ? "there are too many rules" : Rule(lists).read(rule, made);
    if (!reason.empty())
      return void(
          out.unfit.push_back({number, made.name.empty() ? std::string(rule.substr(0, 120)) : made.name, std::move(reason)}));
    if (made.name.empty()) made.name = "line-" + std::to_string(number);
    const std::size_t place = made.action == "allow" ? 0 : made.action == "alert" ? 1 : made.action == "drop" ? 2 : 3;
    by_action[place].push_back(std::move(made));
  });
  if (!joined.empty()) out.unfit.push_back({number, joined.substr(0, 120), "the last line does not end"});
  // Suricata asks by action, not by place: pass, drop, reject. What reports does so where nothing passed before.
  for (std::vector<ImportedRule>& list : by_action)
    for (ImportedRule& rule : list) out.add(std::move(rule));
  out.preamble = "default: allow\n";
  out.remarks.push_back("In the order of Suricata: pass, alert, drop, reject.");
  return out;
}

}  // namespace weir::cli
