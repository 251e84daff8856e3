// SPDX-License-Identifier: Apache-2.0
// suricata: rules for its IPS mode. There `pass` goes before `drop` whatever the order of the file, so nothing is passed: each
// rule that stops is cut to what no earlier rule lets pass, and the default is written as what it stops. Contents are written
// where the two languages mean the same.

#include <fmt/format.h>

#include "base/text.h"
#include "cli/export/names.h"
#include "cli/export/target.h"
#include "facts/field_ids.h"
#include "facts/packet.h"

namespace weir::cli {
namespace {

constexpr std::size_t kRangesMax = 1000, kRulesMax = 50'000;
constexpr std::uint32_t kFirstSid = 7'800'000;

struct Buffer {
  std::string_view fact, keyword, protocol;  ///< Sticky buffer, and the protocol of its rules.
};
constexpr Buffer kBuffers[] = {
    {"dns.qname", "dns.query", "dns"},       {"tls.sni", "tls.sni", "tls"},          {"http.host", "http.host", "http"},
    {"http.path", "http.uri", "http"},       {"http.method", "http.method", "http"}, {"smb.share", "smb.share", "smb"},
    {"ssh.software", "ssh.software", "ssh"},
};

struct ProtocolName {
  std::string_view ours, theirs;
};
/// Protocols that Suricata identifies by content under the same meaning.
constexpr ProtocolName kProtocols[] = {
    {"dns", "dns"},   {"http", "http"}, {"tls", "tls"},
    {"smb", "smb"},   {"ssh", "ssh"},   {"ftp", "ftp"},
    {"smtp", "smtp"}, {"snmp", "snmp"}, {"tftp", "tftp"},
    {"rdp", "rdp"},   {"rfb", "rfb"},   {"krb5", "krb5"},
    {"ntp", "ntp"},   {"dhcp", "dhcp"}, {"nfs", "nfs"},
    {"sip", "sip"},   {"mqtt", "mqtt"}, {"modbus", "modbus"},
    {"dnp3", "dnp3"}, {"quic", "quic"}, {"bittorrent", "bittorrent-dht"},
};

/// Bytes of a content: what has a meaning there is written in hexadecimal.
std::string content_of(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte > 0x7e || c == '"' || c == ';' || c == ':' || c == '\\' || c == '|')
      out += fmt::format("|{:02X}|", byte);
    else
      out += c;
  }
  return out;
}

struct Part {
  std::string protocol;  ///< Empty: by the box.
  std::string keywords;
};

/// The alternatives of one condition; nothing if it cannot be said.
std::optional<std::vector<Part>> parts_of(const policy::Condition& c, const Vocabulary& words) {
  const policy::Values& v = c.values;
  if (v.absent || v.present || v.hidden) return std::nullopt;
  const std::string_view key = words.field(c.field)->name;
  std::vector<Part> out;
  if (c.field == field::kAppProtocol) {
    std::string negated;
    for (std::size_t id = 0; id < words.apps().size(); ++id) {
      if (!v.apps.has(static_cast<AppId>(id))) continue;
      const std::string_view ours = words.app(static_cast<AppId>(id)).name;
      const auto* const found =
          std::find_if(std::begin(kProtocols), std::end(kProtocols), [&](const ProtocolName& p) { return p.ours == ours; });
      if (found == std::end(kProtocols)) return std::nullopt;
      if (c.negated)
        negated += fmt::format(" app-layer-protocol:!{};", found->theirs);
      else
        out.push_back({"", fmt::format(" app-layer-protocol:{};", found->theirs)});
    }
    if (c.negated) out.push_back({"", negated});
    return out;
  }
  if (c.negated) return std::nullopt;
  const auto* const buffer =
      std::find_if(std::begin(kBuffers), std::end(kBuffers), [&](const Buffer& b) { return b.fact == key; });
  if (buffer == std::end(kBuffers)) return std::nullopt;
  if (words.field(c.field)->type == FieldType::Domain) {
    const auto names = names_of(c);
    if (!names || names->size() > kRulesMax) return std::nullopt;
    for (const HostName& name : *names) {
      if (name.below)
        out.push_back({std::string(buffer->protocol), fmt::format(" {}; {}content:\"{}{}\"; nocase; endswith;", buffer->keyword,
                                                                  name.itself ? "dotprefix; " : "", ".", content_of(name.name))});
      else
        out.push_back({std::string(buffer->protocol), fmt::format(" {}; content:\"{}\"; nocase; bsize:{};", buffer->keyword,
                                                                  content_of(name.name), name.name.size())});
    }
    return out;
  }
  if (!v.texts || v.texts->has_regexes() || v.names || !v.sets.empty()) return std::nullopt;
  const bool fold = words.field(c.field)->type == FieldType::TextFold;
  bool plain = true;
  v.texts->for_each_glob([&](std::string_view) { plain = false; });
  v.texts->for_each_exact([&](std::string_view text) {
    if (text.empty())
      plain = false;
    else
      out.push_back({std::string(buffer->protocol), fmt::format(" {}; content:\"{}\"; {}bsize:{};", buffer->keyword,
                                                                content_of(text), fold ? "nocase; " : "", text.size())});
  });
  if (!plain) return std::nullopt;
  return out;
}

std::string addresses(const AddressSet& set) {
  std::string out;
  const AddressSet as = as_written(set);
  for (const AddressSet::Range& r : as.ranges()) {
    const auto prefix = prefixes_of(AddressSet(r.first, r.last), 1);
    out += (out.empty() ? "" : ",") +
           (prefix ? render(prefix->front().network) +
                         (prefix->front().length == 128 ? "" : "/" + std::to_string(prefix->front().written_length()))
                   : render(ip_of(r.first)) + "-" + render(ip_of(r.last)));
  }
  return as.ranges().size() == 1 ? out : "[" + out + "]";
}

std::string ports(const NumberSet& set) {
  if (set == whole::ports()) return "any";
  std::string out;
  for (const NumberSet::Range& r : set.ranges())
    out += (out.empty() ? "" : ",") + (r.first == r.last ? std::to_string(r.first) : fmt::format("{}:{}", r.first, r.last));
  return set.ranges().size() == 1 && out.find(':') == std::string::npos ? out : "[" + out + "]";
}

class Writer {
 public:
  explicit Writer(const policy::RuleSet& rules)
      : set_(rules), original_(header_rules_over_open_ground(rules)), rules_(about_new_flows(original_, true, out_.losses)) {
    cut_by_passes(rules_);
  }

  Exported write() {
    for (HeaderRule& rule : original_)  // Those whose contents can be said are carried over.
      if (rule.effect == Effect::Stop && !rule.reason.empty() && contents(*rule.rule)) rule.reason.clear();
    for (std::size_t i = 0; i < rules_.size(); ++i) one(i);
    out_.remarks.push_back(
        "For Suricata 7 in IPS mode. Nothing is passed by a rule, so rules of others still stop what these do not.");
    out_.remarks.push_back(
        "A protocol that Suricata cannot tell yet passes until it can: `undecided: hold` has no counterpart there.");
    return std::move(out_);
  }

 private:
  void one(std::size_t i) {
    const HeaderRule& rule = rules_[i];
    if (rule.effect == Effect::Pass) {
      if (!rule.reason.empty())
        out_.losses.push_back(loss_of(original_, i, rule.reason + "; a rule that passes would go before everything"));
      return;
    }
    std::vector<Part> parts{{}};
    if (!rule.reason.empty()) {
      auto said = contents(*rule.rule);
      if (!said) return out_.losses.push_back(loss_of(original_, i, rule.reason));
      parts = std::move(*said);
    }
    std::string text;
    for (const Box& box : usual_protocols(original_, i, rule.boxes, out_.losses)) {
      if (box.from.ranges().size() > kRangesMax || box.to.ranges().size() > kRangesMax)
        return out_.losses.push_back(loss_of(original_, i, "it names too many addresses"));
      for (const Part& part : parts) lines(rule, box, part, text);
    }
    out_.text += text;
  }

  /// What a rule asks beyond headers, all alternatives laid out; nothing if some of it cannot be said.
  std::optional<std::vector<Part>> contents(const policy::Rule& rule) const {
    if (rule.action == policy::Action::Limit || rule.action == policy::Action::Ban || rule.action == policy::Action::Sinkhole ||
        rule.expires_wall_ns != INT64_MAX)
      return std::nullopt;
    for (const policy::AllOf& map : rule.unless)
      for (const policy::Condition& c : map)
        if (!is_header(c)) return std::nullopt;
    std::vector<Part> out{{}};
    for (const policy::Condition& c : rule.match) {
      if (is_header(c)) continue;
      const auto alternatives = parts_of(c, set_.vocabulary());
      if (!alternatives) return std::nullopt;
      std::vector<Part> next;
      for (const Part& before : out)
        for (const Part& one : *alternatives) {
          if (!before.protocol.empty() && !one.protocol.empty() && before.protocol != one.protocol) continue;
          next.push_back({before.protocol.empty() ? one.protocol : before.protocol, before.keywords + one.keywords});
        }
      if (next.size() > kRulesMax) return std::nullopt;
      out = std::move(next);
    }
    return out;
  }

  static bool is_header(const policy::Condition& c) {
    using namespace field;
    switch (c.field) {
      case kFrom:
      case kTo:
      case kPeer:
      case kClientIp:
      case kServerIp:
      case kFromZone:
      case kToZone:
      case kIpVersion:
      case kIpProtocol:
      case kPort:
      case kServerPort:
      case kClientPort:
      case kIcmpType:
      case kFlowState:
        return !c.values.absent && !c.values.present && !c.values.hidden;
      default:
        return false;
    }
  }

  void lines(const HeaderRule& rule, const Box& box, const Part& part, std::string& text) {
    const char* const action = rule.effect == Effect::Report ? "alert" : rule.refuses ? "reject" : "drop";
    for (const bool v6 : {false, true}) {
      const bool any = box.from == whole::addresses() && box.to == whole::addresses() && box.any_icmp();
      if (any && v6) break;
      for (const Box& of : of_version({box}, v6)) {
        const AddressSet& version = v6 ? whole::v6() : whole::v4();
        const std::string from = any || (of.from == version && of.to != version) ? "any" : addresses(of.from),
                          to = any || (of.to == version && of.from != version) ? "any" : addresses(of.to);
        for (const auto& [protocol, extra] : protocols(of, part, v6)) {
          const bool has_ports = protocol != "ip" && protocol != "icmp";
          text += fmt::format("{} {} {} {} -> {} {} (msg:\"weir {}\"; flow:to_server;{}{}{} sid:{}; rev:1;)\n", action, protocol,
                              from, has_ports ? ports(of.client_ports) : "any", to, has_ports ? ports(of.ports) : "any",
                              content_of(rule.name), part.keywords, extra, metadata(rule), kFirstSid + ++count_);
        }
      }
    }
  }

  static std::string metadata(const HeaderRule& rule) {
    if (rule.rule == nullptr || rule.rule->techniques.empty()) return {};
    std::string out;
    for (const std::string& technique : rule.rule->techniques)
      out += (out.empty() ? " metadata:" : ", ") + std::string("mitre_technique_id ") + technique;
    return out + ";";
  }

  /// Protocol of a rule's head, with keywords that narrow it.
  std::vector<std::pair<std::string, std::string>> protocols(const Box& box, const Part& part, bool v6) {
    std::vector<std::pair<std::string, std::string>> out;
    const auto has = [&](std::uint32_t p) { return box.protocols.contains(p); };
    if (!part.protocol.empty()) {
      const bool all = has(ip_protocol::kTcp) && has(ip_protocol::kUdp);
      if (all || has(part.protocol == "dns" || part.protocol == "quic" ? ip_protocol::kUdp : ip_protocol::kTcp) ||
          has(ip_protocol::kTcp))
        out.emplace_back(part.protocol, all ? "" : has(ip_protocol::kTcp) ? " ip_proto:6;" : " ip_proto:17;");
      return out;
    }
    if (box.protocols == whole::protocols()) return {{"ip", ""}};
    for (const NumberSet::Range& r : box.protocols.ranges())
      for (std::uint32_t p = r.first; p <= r.last; ++p) {
        if (p == ip_protocol::kTcp)
          out.emplace_back("tcp", "");
        else if (p == ip_protocol::kUdp)
          out.emplace_back("udp", "");
        else if (p == ip_protocol::kSctp)
          out.emplace_back("sctp", "");
        else if (p == (v6 ? ip_protocol::kIcmpv6 : ip_protocol::kIcmp)) {
          if (box.any_icmp()) out.emplace_back("icmp", fmt::format(" ip_proto:{};", p));
          const NumberSet types = box.icmp & (v6 ? NumberSet(256, 511) : NumberSet(0, 255));
          if (!box.any_icmp())
            for (const NumberSet::Range& t : types.ranges())
              for (std::uint32_t type = t.first; type <= t.last; ++type)
                out.emplace_back("icmp", fmt::format(" ip_proto:{}; itype:{};", p, type % 256));
        } else if (p != (v6 ? ip_protocol::kIcmp : ip_protocol::kIcmpv6)) {
          out.emplace_back("ip", fmt::format(" ip_proto:{};", p));
        }
      }
    return out;
  }

  const policy::RuleSet& set_;
  Exported out_;
  std::vector<HeaderRule> original_, rules_;
  std::uint32_t count_ = 0;
};

}  // namespace

Exported to_suricata(const policy::RuleSet& rules) { return Writer(rules).write(); }

}  // namespace weir::cli
