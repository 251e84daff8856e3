// SPDX-License-Identifier: Apache-2.0
// status: what is in force, how the ports are attached and why, what was counted, how full the tables are, what happens where they are.

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "report/reason.h"
#include "service/asking.h"
#include "service/control.h"
#include "service/flow_json.h"

namespace weir::service {
namespace {

using Json = nlohmann::ordered_json;

constexpr Nanoseconds kLaneAnswersWithin = 3 * kSecond;

/// What the lane copies for the socket's thread to tell.
struct Snapshot {
  std::shared_ptr<const policy::RuleSet> rules;
  std::uint32_t generation = 0;
  engine::Counters counters;
  std::vector<engine::TableFill> tables;
  std::string kind;
  datapath::Capabilities able;
  datapath::DatapathCounters path;
  datapath::StopState stops;
  std::vector<datapath::PortState> ports;
  std::vector<std::string> remarks;
  std::optional<datapath::EarlyStop> early;
  std::shared_ptr<const state::HostNames> host_names;
  std::optional<Asking::Numbers> asking;
  datapath::FailMode fail = datapath::FailMode::Closed;
  Nanoseconds uptime_ns = 0;
  std::uint64_t turns = 0, bans_made = 0;
};

Json describe_ports(const Snapshot& s) {
  Json out = Json::array();
  for (const datapath::PortState& port : s.ports) {
    Json one = {{"name", port.name}, {"attach", datapath::name_of(port.attach)}};
    if (!port.why.empty()) one["why"] = port.why;
    one["present"] = port.present;
    one["up"] = port.up;
    one["mtu"] = port.mtu;
    one["mac"] = render(port.mac);
    one["frames_in"] = port.frames_in;
    one["bytes_in"] = port.bytes_in;
    one["frames_out"] = port.frames_out;
    one["bytes_out"] = port.bytes_out;
    out.push_back(std::move(one));
  }
  return out;
}

Json describe_datapath(const Snapshot& s) {
  Json lost = Json::object();
  for (std::size_t i = 0; i < datapath::kLosses; ++i) lost[std::string(datapath::name_of(static_cast<datapath::Loss>(i)))] = s.path.lost[i];
  Json out = {{"kind", s.kind},
          {"settled_flows_without_the_engine", s.able.settles},
          {"fail_mode_outlives_the_process", s.able.outlives},
          {"remarks", s.remarks},
          {"received", s.path.received},
          {"sent", s.path.sent},
          {"emitted", s.path.emitted},
          {"held_now", s.path.held_now},
          {"held_bytes_now", s.path.held_bytes_now},
          {"lost", std::move(lost)}};
  if (s.stops.able)
    out["stopped_in_the_kernel"] = {{"packets", s.stops.packets}, {"sources_now", s.stops.sources_now}, {"budgets_now", s.stops.budgets_now}, {"no_room", s.stops.full}};
  return out;
}

/// What MITRE's port knocking and socket filters live off: a packet socket that sees what the rules deny.
Json describe_early_stop(const datapath::EarlyStop& early) {
  Json out = {{"techniques", {"T1205.001", "T1205.002"}}, {"holds", early.holds}};
  if (!early.why.empty()) out["why"] = early.why;
  out["stopped"] = early.stopped;
  out["untold"] = early.untold;
  return out;
}

/// The guard `syn-cookies`, where the policy has it; else null.
Json describe_cookies(const Snapshot& s) {
  const auto& rules = s.rules->policy().rules;
  for (std::size_t i = 0; i < rules.size() && i < s.counters.rules.size(); ++i) {
    if (!rules[i].limit.asks_source || rules[i].monitor) continue;
    const std::uint64_t stopped = s.counters.rules[i].packets, proven = s.counters.senders_proven;
    return {{"asked", stopped - std::min(stopped, proven)}, {"proven", proven}, {"asked_in_the_kernel", s.stops.able && s.stops.asks_senders}};
  }
  return nullptr;
}

Json describe_counters(const engine::Counters& c) {
  Json stopped = Json::object();
  for (std::size_t i = 0; i < report::kReasonsCount; ++i)
    if (c.stopped_by_reason[i] != 0) stopped[std::string(report::name_of(static_cast<Reason>(i)))] = c.stopped_by_reason[i];
  return {{"packets", c.packets},     {"bytes", c.bytes}, {"passed", c.passed}, {"dropped", c.dropped},
          {"rewritten", c.rewritten}, {"flows", c.flows}, {"held", c.held},     {"stopped_by_reason", std::move(stopped)}};
}

Json describe_rules(const Snapshot& s) {
  Json out = Json::array();
  const auto put = [&](const std::string& name, std::string_view action, const engine::Counters::PerRule& counted) {
    out.push_back({{"name", name}, {"action", action}, {"packets", counted.packets}, {"flows", counted.flows}});
  };
  const auto& rules = s.rules->policy().rules;
  for (std::size_t i = 0; i < rules.size() && i < s.counters.rules.size(); ++i) put(rules[i].name, policy::name_of(rules[i].action), s.counters.rules[i]);
  put("default", policy::name_of(s.rules->policy().default_action), s.counters.rules.back());
  return out;
}

Json describe_tables(const Snapshot& s) {
  Json out = Json::array();
  for (const engine::TableFill& t : s.tables) {
    Json one = {{"name", t.name}};
    if (t.used != UINT64_MAX) one["used"] = t.used;
    one["capacity"] = t.capacity;
    one["overflowed"] = t.evicted;
    one["when_full"] = t.when_full;
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace

void Control::status(ClientId client, const Request&) {
  // A lane that hangs answers nothing: then that is the status.
  const std::string timer = "status " + std::to_string(client);
  socket_->at(timer, ControlSocket::now_ns() + kLaneAnswersWithin, [this, client] {
    send_error(client, kSystemRefused, failed_.load(std::memory_order_relaxed) ? "the lane hangs, and its fail mode was carried out" : "the lane does not answer");
  });
  on_lane([this, client, timer](Service& service) {
    auto s = std::make_shared<Snapshot>();
    engine::Engine& engine = service.engine();
    s->rules = engine.rules_in_force();
    s->generation = engine.generation();
    s->counters = engine.counters();
    s->tables = engine.tables();
    s->bans_made = engine.bans_made();
    datapath::Datapath& path = service.path();
    s->kind = path.kind();
    s->able = path.capabilities();
    s->path = path.counters();
    s->stops = path.stop_state();
    s->ports.assign(path.ports().begin(), path.ports().end());
    s->remarks.assign(path.remarks().begin(), path.remarks().end());
    s->early = path.early_stop();
    s->host_names = engine.host_names();
    if (asking_ != nullptr) s->asking = asking_->numbers();
    s->fail = service.options().fail;
    s->uptime_ns = path.now().mono_ns - service.started().mono_ns;
    s->turns = service.turns();
    post([this, client, timer, s] {
      socket_->cancel(timer);
      const policy::Policy& policy = s->rules->policy();
      Json out;
      out["pid"] = ::getpid();
      out["uptime_seconds"] = s->uptime_ns / kSecond;
      Json in_force = {{"path", options_.policy}, {"files", policy.files}, {"rules", policy.rules.size()}, {"generation", s->generation}, {"confirmed", confirm_by_ns_ == 0}};
      if (confirm_by_ns_ != 0) in_force["goes_back_in_seconds"] = std::max<Nanoseconds>(0, confirm_by_ns_ - ControlSocket::now_ns()) / kSecond;
      in_force["can_roll_back"] = before_.rules != nullptr;
      out["policy"] = std::move(in_force);
      out["mode"] = policy.monitor ? "monitor" : "enforce";
      out["fail"] = datapath::name_of(s->fail);
      out["failed"] = failed_.load(std::memory_order_relaxed);
      out["ports"] = describe_ports(*s);
      out["datapath"] = describe_datapath(*s);
      if (s->early) out["before_packet_sockets"] = describe_early_stop(*s->early);
      if (Json cookies = describe_cookies(*s); !cookies.is_null()) out["syn_cookies"] = std::move(cookies);
      if (s->host_names != nullptr)
        out["host_names"] = {{"own_addresses", s->host_names->own.size()}, {"listed", s->host_names->listed.size()}, {"lines_skipped", s->host_names->lines_skipped}};
      if (s->asking)
        out["asking"] = {{"open", s->asking->open}, {"asked", s->asking->asked}, {"answered", s->asking->answered}, {"unanswered", s->asking->unanswered}, {"no_room", s->asking->no_room}};
      out["counters"] = describe_counters(s->counters);
      out["rules"] = describe_rules(*s);
      out["tables"] = describe_tables(*s);
      out["bans_made"] = s->bans_made;
      if (options_.kept_bindings) {
        const KeptBindings::Numbers kept = options_.kept_bindings();
        out["kept_bindings"] = {{"recalled", kept.recalled}, {"left_out", kept.left_out}, {"written", kept.written}};
        if (!kept.fault.empty()) out["kept_bindings"]["fault"] = kept.fault;
      }
      const EventNumbers events = options_.event_numbers ? options_.event_numbers() : EventNumbers();
      out["events"] = {{"lines_dropped", events.dropped}, {"bytes_written", events.written}, {"bytes_refused", events.refused}, {"followers", followers_.size()}};
      out["control"] = {{"clients", socket_->clients()}, {"refused", socket_->refused()}, {"let_go", socket_->let_go()}};
      send_result(client, out);
    });
  });
}

}  // namespace weir::service
