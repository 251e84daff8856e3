// SPDX-License-Identifier: Apache-2.0
// flows: those that live, in slices of the table, no faster than the client reads. top: the largest of them, and what rules count.

#include <algorithm>
#include <nlohmann/json.hpp>

#include "service/control.h"
#include "service/flow_json.h"

namespace weir::service {
namespace {

constexpr std::uint32_t kSlotsASlice = 2048;
constexpr std::size_t kTopMax = 100;

}  // namespace

struct Control::Walk {
  ClientId client = 0;
  bool top = false;
  std::uint64_t left = UINT64_MAX;  ///< Flows to show at most.
  std::size_t top_count = 0;
  std::optional<Ip> address;        ///< Either end.
  std::uint32_t next = 0;
  std::uint64_t seen = 0;
  std::vector<engine::FlowNow> flows;  ///< Of the slice at hand; for `top` the largest so far.
  std::shared_ptr<const policy::RuleSet> rules;
  engine::Counters counters;
};

void Control::flows(ClientId client, const Request& request) {
  auto walk = std::make_shared<Walk>();
  walk->client = client;
  walk->left = request.value("limit", std::uint64_t{UINT64_MAX});
  if (const auto address = request.find("address"); address != request.end()) {
    walk->address = address->is_string() ? parse_ip(address->get<std::string>()) : std::nullopt;
    if (!walk->address) return send_error(client, kInputWrong, "`address` is an IPv4 or IPv6 address");
  }
  walk_on(std::move(walk));
}

void Control::top(ClientId client, const Request& request) {
  auto walk = std::make_shared<Walk>();
  walk->client = client;
  walk->top = true;
  walk->top_count = std::min<std::size_t>(request.value("count", std::uint64_t{20}), kTopMax);
  walk_on(std::move(walk));
}

void Control::walk_on(std::shared_ptr<Walk> walk) {
  on_lane([this, walk = std::move(walk)](Service& service) mutable {
    const auto larger = [](const engine::FlowNow& a, const engine::FlowNow& b) {
      return a.record.bytes[0] + a.record.bytes[1] > b.record.bytes[0] + b.record.bytes[1];
    };
    walk->rules = service.engine().rules_in_force();
    walk->next = service.engine().walk_flows(walk->next, kSlotsASlice, [&](const engine::FlowNow& flow) {
      const FlowEnds& ends = flow.record.ends;
      if (walk->address && !(ends.client == *walk->address) && !(ends.server == *walk->address)) return;
      ++walk->seen;
      if (!walk->top) {
        if (walk->left == 0) return;
        --walk->left;
        walk->flows.push_back(flow);
        return;
      }
      // A heap of the largest, the smallest of them in front.
      walk->flows.push_back(flow);
      std::push_heap(walk->flows.begin(), walk->flows.end(), larger);
      if (walk->flows.size() <= walk->top_count) return;
      std::pop_heap(walk->flows.begin(), walk->flows.end(), larger);
      walk->flows.pop_back();
    });
    const bool done = walk->next == engine::Engine::kNoMore || walk->left == 0;
    if (walk->top && !done) return walk_on(std::move(walk));
    if (walk->top) walk->counters = service.engine().counters();
    post([this, walk = std::move(walk), done, larger] {
      const policy::Policy& policy = walk->rules->policy();
      if (walk->top) {
        std::sort(walk->flows.begin(), walk->flows.end(), larger);
        Json out = {{"flows_seen", walk->seen}, {"packets", walk->counters.packets}, {"bytes", walk->counters.bytes}, {"passed", walk->counters.passed},
                    {"dropped", walk->counters.dropped}, {"flows_opened", walk->counters.flows}};
        out["rules"] = Json::array();
        for (RuleId id = 0; id < policy.rules.size() && id < walk->counters.rules.size(); ++id)
          if (walk->counters.rules[id].packets != 0) out["rules"].push_back({{"name", policy.rules[id].name}, {"packets", walk->counters.rules[id].packets}, {"flows", walk->counters.rules[id].flows}});
        if (const auto& counted = walk->counters.rules.back(); counted.packets != 0) out["rules"].push_back({{"name", "default"}, {"packets", counted.packets}, {"flows", counted.flows}});
        out["flows"] = Json::array();
        for (const engine::FlowNow& flow : walk->flows) out["flows"].push_back(json_of(flow, policy));
        return send_result(walk->client, out);
      }
      for (const engine::FlowNow& flow : walk->flows)
        if (!send_item(walk->client, "flow", json_of(flow, policy))) return;
      walk->flows.clear();
      if (done) return send_result(walk->client, {{"flows", walk->seen}});
      walk_when_read(walk);
    });
  });
}

/// The next slice once the client has read most of this one.
void Control::walk_when_read(const std::shared_ptr<Walk>& walk) {
  if (socket_->waiting(walk->client) < ControlSocket::kWaitingBytesMax / 4) return walk_on(walk);
  socket_->at("walk " + std::to_string(walk->client), ControlSocket::now_ns() + 2 * kMillisecond, [this, walk] { walk_when_read(walk); });
}

}  // namespace weir::service
