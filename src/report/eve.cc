// SPDX-License-Identifier: Apache-2.0
#include "report/eve.h"

#include <fmt/chrono.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "facts/packet.h"
#include "report/community_id.h"
#include "report/json.h"

namespace weir::report {
namespace {

constexpr std::size_t kFlushBytes = 1 << 18;

std::string_view reason_text(Reason reason) {
  switch (reason) {
    case Reason::Rule: return "rule";
    case Reason::Default: return "default";
    case Reason::Tombstone: return "denied-before";
    case Reason::Answer: return "answer-to-denied";
    case Reason::Related: return "parent-denied";
    case Reason::Banned: return "banned";
    case Reason::FragmentLost: return "fragment-lost";
    case Reason::HoldOverflow: return "hold-overflow";
    case Reason::UndecidedBudget: return "undecided-budget";
    case Reason::TableFull: return "table-full";
    case Reason::Conflict: return "stream-conflict";
    case Reason::Overlap: return "fragment-overlap";
  }
  return "rule";
}

/// RFC 3339 with microseconds; the seconds are rendered once for all events of one second.
class Timestamp {
 public:
  std::string_view text(Nanoseconds wall_ns) {
    std::int64_t second = wall_ns / kSecond, nanos = wall_ns % kSecond;
    if (nanos < 0) nanos += kSecond, --second;
    if (second != second_ || size_ == 0) {
      second_ = second;
      std::tm tm{};
      const std::time_t t = second;
      gmtime_r(&t, &tm);
      size_ = std::strftime(text_, sizeof text_, "%Y-%m-%dT%H:%M:%S", &tm);
    }
    fmt::format_to(text_ + size_, ".{:06d}+0000", nanos / 1000);
    return {text_, size_ + 12};
  }

 private:
  std::int64_t second_ = INT64_MIN;
  char text_[64];
  std::size_t size_ = 0;
};

}  // namespace

struct Eve::State {
  std::FILE* file = nullptr;
  bool owned = false;
  std::string path;
  const policy::RuleSet* rules = nullptr;
  EveOptions options;
  fmt::memory_buffer out;
  std::uint64_t written = 0;
  int fault = 0;
  Timestamp clock;

  void flush() {
    if (out.size() != 0 && fault == 0 && std::fwrite(out.data(), 1, out.size(), file) != out.size()) fault = errno != 0 ? errno : EIO;
    written += out.size();
    out.clear();
  }
  void line_done() {
    out.push_back('\n');
    if (out.size() >= kFlushBytes) flush();
  }
  std::string_view rule_name(RuleId id) const {
    if (id == kDefaultRule) return "default";
    return id < rules->rules().size() ? std::string_view(rules->policy().rules[id].name) : std::string_view();
  }
  const std::vector<std::string>& techniques(RuleId id) const {
    static const std::vector<std::string> none;
    if (id == kDefaultRule) return rules->policy().default_techniques;
    return id < rules->rules().size() ? rules->policy().rules[id].techniques : none;
  }
  std::string_view zone(ZoneId id) const {
    return id == kNoZone ? std::string_view() : std::string_view(rules->policy().zones[id].name);
  }
  std::string_view port_name(PortIndex port) const {
    const auto& names = rules->policy().port_names;
    return port < names.size() ? std::string_view(names[port]) : std::string_view();
  }
  std::string_view app_name(AppId app) const { return rules->vocabulary().app(app).name; }

  void proto(Json& json, std::uint8_t protocol) {
    switch (protocol) {
      case ip_protocol::kTcp: json.text("proto", "TCP"); return;
      case ip_protocol::kUdp: json.text("proto", "UDP"); return;
      case ip_protocol::kIcmp: json.text("proto", "ICMP"); return;
      case ip_protocol::kIcmpv6: json.text("proto", "IPv6-ICMP"); return;
      default: break;
    }
    for (const Word& word : rules->vocabulary().field("ip.protocol")->words) {
      if (word.value != protocol) continue;
      std::string upper(word.name);
      for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
      json.text("proto", upper);
      return;
    }
    json.text("proto", fmt::format("{}", protocol));
  }
  void address(Json& json, std::string_view key, const Ip& ip) {
    char text[64];
    json.text(key, {text, render_to(ip, text)});
  }
  static bool has_ports(std::uint8_t protocol) {
    return protocol == ip_protocol::kTcp || protocol == ip_protocol::kUdp || protocol == ip_protocol::kSctp;
  }
  /// The name that a flow shows: its innermost application; off TCP, UDP and SCTP that of the IP protocol.
  std::string app_proto(AppId app, std::uint8_t protocol) const {
    if (has_ports(protocol) || app != kUnknownApp) return std::string(app_name(app));
    for (const Word& word : rules->vocabulary().field("ip.protocol")->words)
      if (word.value == protocol) return std::string(word.name);
    return "unknown";
  }
};

Eve::Eve(std::unique_ptr<State> state) : state_(std::move(state)) {}
Eve::~Eve() {
  if (state_->owned && state_->file != nullptr) std::fclose(state_->file);
}

Result<std::unique_ptr<Eve>> Eve::open(const std::string& path, const policy::RuleSet& rules, EveOptions options) {
  auto state = std::make_unique<State>();
  state->path = path;
  state->rules = &rules;
  state->options = options;
  state->owned = path != "-";
  state->file = path == "-" ? stdout : std::fopen(path.c_str(), "w");
  if (state->file == nullptr) return Error{fmt::format("cannot write events to {}: {}", path, std::strerror(errno)), errno};
  return std::unique_ptr<Eve>(new Eve(std::move(state)));
}

Result<std::uint64_t> Eve::close() {
  State& s = *state_;
  s.flush();
  if (s.fault == 0 && std::fflush(s.file) != 0) s.fault = errno;
  if (s.owned) {
    if (std::fclose(s.file) != 0 && s.fault == 0) s.fault = errno;
    s.file = nullptr;
  }
  if (s.fault != 0) return Error{fmt::format("cannot write events to {}: {}", s.path, std::strerror(s.fault)), s.fault};
  return s.written;
}

void Eve::on_alert(const engine::AlertRecord& r) {
  State& s = *state_;
  Json json(s.out);
  json.begin().text("timestamp", s.clock.text(r.wall_ns)).text("event_type", "alert");
  if (r.flow_id != 0) json.number("flow_id", r.flow_id);
  if (const std::string_view port = s.port_name(r.port); !port.empty()) json.text("in_iface", port);
  json.number("pcap_cnt", r.frame);
  if (r.vlan != 0) json.begin_list("vlan").item_number(r.vlan).end_list();
  const bool ports = State::has_ports(r.protocol);
  if (r.has_ip) {
    s.address(json, "src_ip", r.src);
    if (ports) json.number("src_port", r.src_port);
    s.address(json, "dest_ip", r.dst);
    if (ports) json.number("dest_port", r.dst_port);
    if (r.protocol != 0) s.proto(json, r.protocol);
    if (r.protocol == ip_protocol::kIcmp || r.protocol == ip_protocol::kIcmpv6)
      json.number("icmp_type", r.icmp_type).number("icmp_code", r.icmp_code);
    const FlowEnds ends{r.src, r.dst, r.src_port, r.dst_port, r.protocol};
    if (r.protocol != 0) json.text("community_id", community_id(ends, r.icmp_type, r.icmp_code));
    if (ports) json.text("app_proto", s.app_name(r.app));
  }
  if (r.has_mac && !r.has_ip) json.text("ether_src", render(r.src_mac)).text("ether_dest", render(r.dst_mac));
  const std::string_view rule = s.rule_name(r.rule);
  json.begin("alert").text("action", r.blocked ? "blocked" : "allowed").number("gid", 1).number("signature_id", r.rule >= kDefaultRule ? 0 : r.rule + 1);
  json.number("rev", 1).text("signature", rule.empty() ? reason_text(r.reason) : rule).text("category", "").number("severity", r.blocked ? 1 : 3);
  const auto& techniques = s.techniques(r.rule);
  if (!techniques.empty()) {
    json.begin("metadata").begin_list("mitre_technique_id");
    for (const std::string& id : techniques) json.item(id);
    json.end_list().end();
  }
  json.end();
  json.begin("weir").text("rule", rule.empty() ? reason_text(r.reason) : rule);
  const std::string_view action = policy::name_of(r.action);
  json.text("action", r.monitored ? fmt::format("would-{}", action) : std::string(action));
  json.text("mode", r.monitored ? "monitor" : "enforce");
  if (r.from != kNoZone) json.text("from", s.zone(r.from));
  if (r.to != kNoZone) json.text("to", s.zone(r.to));
  json.text("reason", reason_text(r.reason));
  if (r.count != 1) json.number("count", r.count);
  json.end().end();
  s.line_done();
}

void Eve::on_flow(const engine::FlowRecord& r) {
  State& s = *state_;
  if (!s.options.flows) return;
  Json json(s.out);
  json.begin().text("timestamp", s.clock.text(r.end_wall_ns)).number("flow_id", r.flow_id);
  if (const std::string_view port = s.port_name(r.port); !port.empty()) json.text("in_iface", port);
  json.text("event_type", "flow");
  const bool ports = State::has_ports(r.ends.protocol);
  s.address(json, "src_ip", r.ends.client);
  if (ports) json.number("src_port", r.ends.client_port);
  s.address(json, "dest_ip", r.ends.server);
  if (ports) json.number("dest_port", r.ends.server_port);
  s.proto(json, r.ends.protocol);
  json.text("app_proto", s.app_proto(r.app, r.ends.protocol));
  if (r.chain_count > 1) {
    json.begin_list("app_proto_chain");
    for (std::size_t i = 0; i < r.chain_count; ++i) json.item(s.app_name(r.chain[i]));
    json.end_list();
  }
  json.text("community_id", community_id(r.ends));
  using Record = engine::FlowRecord;
  json.begin("flow").number("pkts_toserver", r.packets[0]).number("pkts_toclient", r.packets[1]);
  json.number("bytes_toserver", r.bytes[0]).number("bytes_toclient", r.bytes[1]);
  json.text("start", s.clock.text(r.start_wall_ns)).text("end", s.clock.text(r.end_wall_ns));
  json.number("age", (r.end_wall_ns - r.start_wall_ns) / kSecond);
  json.text("state", r.state == Record::State::New ? "new" : r.state == Record::State::Established ? "established" : "closed");
  constexpr std::string_view kEnded[] = {"timeout", "closed", "reset", "shutdown", "evicted", "replaced"};
  json.text("reason", kEnded[static_cast<std::size_t>(r.ended)]);
  json.text("action", r.acted == Record::Acted::Passed ? "passed" : r.acted == Record::Acted::Dropped ? "dropped" : "limited");
  if (r.dropped_packets != 0) json.number("pkts_dropped", r.dropped_packets);
  json.end();
  if (const std::string_view rule = s.rule_name(r.rule); !rule.empty()) json.begin("weir").text("rule", rule).end();
  json.end();
  s.line_done();
}

void Eve::on_transaction(const View&, std::uint64_t) {}

FieldSet Eve::record_fields() { return {}; }

}  // namespace weir::report
