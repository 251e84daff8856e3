// SPDX-License-Identifier: Apache-2.0
#include "report/eve.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "engine/engine.h"
#include "facts/packet.h"
#include "report/community_id.h"
#include "report/json.h"
#include "report/reason.h"
#include "report/records.h"
#include "report/timestamp.h"

namespace weir::report {
namespace {

constexpr std::size_t kFlushBytes = 1 << 18;

bool has_ports(std::uint8_t protocol) {
  return protocol == ip_protocol::kTcp || protocol == ip_protocol::kUdp || protocol == ip_protocol::kSctp;
}

bool is_icmp(std::uint8_t protocol) { return protocol == ip_protocol::kIcmp || protocol == ip_protocol::kIcmpv6; }

/// Names of IP protocols as events show them, `proto` and (off TCP, UDP and SCTP) `app_proto`, made once.
struct ProtocolNames {
  std::array<std::string, 256> proto, app;

  explicit ProtocolNames(const Vocabulary& words) {
    for (std::size_t i = 0; i < 256; ++i) {
      proto[i] = std::to_string(i);
      app[i] = "unknown";
    }
    for (const Word& word : words.field("ip.protocol")->words) {
      if (word.value > 255 || app[word.value] != "unknown") continue;
      app[word.value] = word.name;
      proto[word.value] = word.name;
      for (char& c : proto[word.value]) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
    proto[ip_protocol::kIcmpv6] = "IPv6-ICMP";
  }
};

}  // namespace

struct Eve::State {
  State(const policy::RuleSet& set, EveOptions wishes)
      : rules(&set), options(wishes), names(set.vocabulary()), records(set.vocabulary()), told(2 * (set.rules().size() + 1)) {}

  std::FILE* file = nullptr;  ///< nullptr: lines go to `take`.
  std::function<void(std::string_view)> take;
  bool owned = false;
  std::string path;
  const policy::RuleSet* rules;
  EveOptions options;
  ProtocolNames names;
  Records records;
  std::vector<std::string> told;  ///< What alerts of a rule have in common, rendered at the first; by rule and `blocked`.
  fmt::memory_buffer out;
  std::uint64_t written = 0;
  int fault = 0;
  Timestamp clock, other_clock;
  CommunityId community;

  void flush() {
    if (out.size() != 0 && take) take({out.data(), out.size()});
    else if (out.size() != 0 && fault == 0 && std::fwrite(out.data(), 1, out.size(), file) != out.size()) fault = errno != 0 ? errno : EIO;
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
    return id < rules->policy().zones.size() ? std::string_view(rules->policy().zones[id].name) : std::string_view();
  }
  std::string_view port_name(PortIndex port) const {
    const auto& all = rules->policy().port_names;
    return port < all.size() ? std::string_view(all[port]) : std::string_view();
  }
  std::string_view app_name(AppId app) const { return rules->vocabulary().app(app).name; }
  /// The name that a flow shows: its innermost application; off TCP, UDP and SCTP that of the IP protocol.
  std::string_view app_proto(AppId app, std::uint8_t protocol) const {
    return has_ports(protocol) || app != kUnknownApp ? app_name(app) : std::string_view(names.app[protocol]);
  }

  void begin(Json& json, Nanoseconds wall_ns, std::uint64_t flow_id, PortIndex port, std::uint64_t frame, std::string_view event_type);
  void ends(Json& json, const FlowEnds& ends);
  void sender(Json& json, const Sender& sender);
  std::string_view verdict_of(RuleId id, Reason reason, bool blocked);
  void render_verdict(fmt::memory_buffer& into, RuleId id, std::string_view rule, bool blocked) const;
};

/// What every event begins with. `frame` 0: it belongs to no single packet.
void Eve::State::begin(Json& json, Nanoseconds wall_ns, std::uint64_t flow_id, PortIndex port, std::uint64_t frame, std::string_view event_type) {
  json.begin().word("timestamp", clock.text(wall_ns));
  if (flow_id != 0) json.number("flow_id", flow_id);
  if (const std::string_view name = port_name(port); !name.empty()) json.text("in_iface", name);
  if (frame != 0) json.number("pcap_cnt", frame);
  json.word("event_type", event_type);
}

void Eve::State::ends(Json& json, const FlowEnds& e) {
  char address[64];
  const bool ports = has_ports(e.protocol);
  json.word("src_ip", {address, render_to(e.client, address)});
  if (ports) json.number("src_port", e.client_port);
  json.word("dest_ip", {address, render_to(e.server, address)});
  if (ports) json.number("dest_port", e.server_port);
}

/// Who sent it, within `weir`: what is known of it.
void Eve::State::sender(Json& json, const Sender& who) {
  const auto told = [&json](std::string_view key, std::string_view value) {
    if (!value.empty()) json.text(key, value);
  };
  json.begin("process");
  told("path", who.path);
  told("name", who.name);
  told("cmdline", who.cmdline);
  told("sha256", who.sha256);
  if (who.pid != 0) json.number("pid", who.pid);
  if (who.parents_count != 0) {
    json.begin("parent").begin_list("path");
    for (std::size_t i = 0; i < who.parents_count; ++i) json.item(who.parents[i]);
    json.end_list().end();
  }
  json.end();
  told("user", who.user);
  told("group", who.group);
  told("cgroup", who.cgroup);
  told("service", who.service);
  if (who.container_id.empty()) return;
  json.begin("container");
  told("id", who.container_id);
  told("name", who.container_name);
  told("image", who.container_image);
  json.end();
}

/// `"alert":{…},"weir":{"rule":…`, open at its end.
void Eve::State::render_verdict(fmt::memory_buffer& into, RuleId id, std::string_view rule, bool blocked) const {
  Json json(into);
  json.begin("alert").word("action", blocked ? "blocked" : "allowed").number("gid", 1);
  json.number("signature_id", id >= kDefaultRule ? std::uint64_t{0} : std::uint64_t{id} + 1).number("rev", 1);
  json.text("signature", rule).word("category", "").number("severity", blocked ? 1 : 3);
  if (const auto& ids = techniques(id); !ids.empty()) {
    json.begin("metadata").begin_list("mitre_technique_id");
    for (const std::string& technique : ids) json.item(technique);
    json.end_list().end();
  }
  json.end().begin("weir").text("rule", rule);
}

std::string_view Eve::State::verdict_of(RuleId id, Reason reason, bool blocked) {
  const std::size_t place = id == kDefaultRule ? rules->rules().size() : std::size_t{id};
  static thread_local std::string unnamed;
  const bool named = place <= rules->rules().size();
  std::string& text = named ? told[place * 2 + (blocked ? 1 : 0)] : unnamed;
  if (!named || text.empty()) {
    fmt::memory_buffer made;
    render_verdict(made, id, named ? rule_name(id) : name_of(reason), blocked);
    text.assign(made.data(), made.size());
  }
  return text;
}

Eve::Eve(std::unique_ptr<State> state) : state_(std::move(state)) {}
Eve::~Eve() {
  if (state_->owned && state_->file != nullptr) std::fclose(state_->file);
}

Result<std::unique_ptr<Eve>> Eve::open(const std::string& path, const policy::RuleSet& rules, EveOptions options) {
  auto state = std::make_unique<State>(rules, options);
  state->path = path;
  state->owned = path != "-";
  state->file = path == "-" ? stdout : std::fopen(path.c_str(), "w");
  if (state->file == nullptr) return Error{fmt::format("cannot write events to {}: {}", path, std::strerror(errno)), errno};
  return std::unique_ptr<Eve>(new Eve(std::move(state)));
}

std::unique_ptr<Eve> Eve::to(std::function<void(std::string_view)> take, const policy::RuleSet& rules, EveOptions options) {
  auto state = std::make_unique<State>(rules, options);
  state->take = std::move(take);
  return std::unique_ptr<Eve>(new Eve(std::move(state)));
}

void Eve::use(const policy::RuleSet& rules) {
  state_->rules = &rules;
  state_->told.assign(2 * (rules.rules().size() + 1), {});
}

void Eve::flush() { state_->flush(); }

Result<std::uint64_t> Eve::close() {
  State& s = *state_;
  s.flush();
  if (s.take) return s.written;
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
  s.begin(json, r.wall_ns, r.flow_id, r.port, r.frame, "alert");
  if (r.vlan != 0) json.begin_list("vlan").item_number(r.vlan).end_list();
  if (r.has_ip) {
    const FlowEnds ends{r.src, r.dst, r.src_port, r.dst_port, r.is_arp ? std::uint8_t{0} : r.protocol};
    s.ends(json, ends);
    json.word("proto", r.is_arp ? std::string_view("ARP") : std::string_view(s.names.proto[r.protocol]));
    if (!r.is_arp) {
      if (is_icmp(r.protocol)) json.number("icmp_type", r.icmp_type).number("icmp_code", r.icmp_code);
      json.word("community_id", s.community.of(ends, r.icmp_type, r.icmp_code));
      if (has_ports(r.protocol)) json.word("app_proto", s.app_name(r.app));
    }
  }
  if (r.has_mac && (!r.has_ip || r.is_arp)) json.begin("ether").word("src_mac", render(r.src_mac)).word("dest_mac", render(r.dst_mac)).end();
  json.rendered(s.verdict_of(r.rule, r.reason, r.blocked)).inside();
  char action[32] = "would-";
  const std::string_view name = policy::name_of(r.action);
  json.word("action", r.monitored ? std::string_view(action, 6 + name.copy(action + 6, sizeof action - 6)) : name);
  json.word("mode", r.monitored ? "monitor" : "enforce");
  if (const std::string_view zone = s.zone(r.from); !zone.empty()) json.text("from", zone);
  if (const std::string_view zone = s.zone(r.to); !zone.empty()) json.text("to", zone);
  json.word("reason", name_of(r.reason));
  if (r.count != 1) json.number("count", r.count);
  if (r.sender != nullptr) s.sender(json, *r.sender);
  json.end().end();
  s.line_done();
}

void Eve::on_flow(const engine::FlowRecord& r) {
  State& s = *state_;
  if (!s.options.flows) return;
  Json json(s.out);
  s.begin(json, r.end_wall_ns, r.flow_id, r.port, 0, "flow");
  s.ends(json, r.ends);
  json.word("proto", s.names.proto[r.ends.protocol]);
  if (is_icmp(r.ends.protocol)) json.number("icmp_type", r.icmp_type).number("icmp_code", r.icmp_code);
  json.word("app_proto", s.app_proto(r.app, r.ends.protocol));
  if (r.chain_count > 1) {
    json.begin_list("app_proto_chain");
    for (std::size_t i = 0; i < r.chain_count; ++i) json.item(s.app_name(r.chain[i]));
    json.end_list();
  }
  FlowEnds ends = r.ends;
  if (r.icmp_by_server) std::swap(ends.client, ends.server);  // The type is of a packet that went the other way.
  json.word("community_id", s.community.of(ends, r.icmp_type, r.icmp_code));
  using Record = engine::FlowRecord;
  json.begin("flow").number("pkts_toserver", r.packets[0]).number("pkts_toclient", r.packets[1]);
  json.number("bytes_toserver", r.bytes[0]).number("bytes_toclient", r.bytes[1]);
  json.word("start", s.other_clock.text(r.start_wall_ns)).word("end", s.clock.text(r.end_wall_ns));
  json.number("age", r.end_wall_ns > r.start_wall_ns ? (r.end_wall_ns - r.start_wall_ns) / kSecond : 0);
  json.word("state", r.state == Record::State::New ? "new" : r.state == Record::State::Established ? "established" : "closed");
  constexpr std::string_view kEnded[] = {"timeout", "closed", "reset", "shutdown", "evicted", "replaced"};
  json.word("reason", kEnded[static_cast<std::size_t>(r.ended)]);
  json.word("action", r.acted == Record::Acted::Passed ? "passed" : r.acted == Record::Acted::Dropped ? "dropped" : "limited");
  if (r.dropped_packets != 0) json.number("pkts_dropped", r.dropped_packets);
  json.end();
  const std::string_view rule = s.rule_name(r.rule), from = s.zone(r.from), to = s.zone(r.to);
  if (!rule.empty() || !from.empty() || !to.empty() || r.sender != nullptr) {
    json.begin("weir");
    if (!rule.empty()) json.text("rule", rule);
    if (!from.empty()) json.text("from", from);
    if (!to.empty()) json.text("to", to);
    if (r.sender != nullptr) s.sender(json, *r.sender);
    json.end();
  }
  json.end();
  s.line_done();
}

void Eve::on_transaction(const View& view, std::uint64_t flow_id) {
  State& s = *state_;
  if (!s.options.records || view.facts == nullptr || view.flow == nullptr || view.packet == nullptr) return;
  const std::string_view event = s.records.event_type(view.parser);
  if (event.empty() || !s.records.has_any(view.parser, *view.facts)) return;
  const Frame& frame = *view.packet->frame;
  const FlowEnds& ends = view.flow->ends;
  Json json(s.out);
  s.begin(json, frame.time.wall_ns, flow_id, frame.port, frame.number, event);
  s.ends(json, ends);
  json.word("proto", s.names.proto[ends.protocol]).word("app_proto", s.app_name(view.parser));
  json.word("community_id", s.community.of(ends));
  s.records.render(json, view.parser, view);
  json.end();
  s.line_done();
}

void Eve::on_stats(const Stats& stats) {
  State& s = *state_;
  const engine::Counters& c = *stats.counters;
  Json json(s.out);
  s.begin(json, stats.wall_ns, 0, kNoPort, 0, "stats");
  json.begin("stats").number("uptime", stats.uptime_ns / kSecond);
  json.begin("decoder").number("pkts", c.packets).number("bytes", c.bytes).end();
  json.begin("weir").number("passed", c.passed).number("dropped", c.dropped).number("rewritten", c.rewritten).number("flows", c.flows);
  json.number("held", c.held).number("flows_evicted", c.flows_evicted).number("pool_empty", c.pool_empty);
  json.begin("stopped_by_reason");
  for (std::size_t i = 0; i < kReasonsCount; ++i)
    if (c.stopped_by_reason[i] != 0) json.number(name_of(static_cast<Reason>(i)), c.stopped_by_reason[i]);
  json.end().begin("datapath");
  for (const auto& [name, value] : stats.datapath) json.number(name, value);
  json.end().begin("events");
  for (const auto& [name, value] : stats.events) json.number(name, value);
  json.end().end().end().end();
  s.line_done();
}

FieldSet Eve::record_fields() { return Records(engine::vocabulary()).fields(); }

}  // namespace weir::report
