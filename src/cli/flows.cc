// SPDX-License-Identifier: Apache-2.0
// weir flows and weir events: what passes the running filter, and what it tells.

#include <CLI/CLI.hpp>
#include <cstdio>

#include "cli/control_client.h"

namespace weir::cli {
namespace {

using nlohmann::json;

struct FlowsOptions {
  Spoken spoken;
  std::string address;
  std::uint64_t limit = 0;
};

int flows(const FlowsOptions& options) {
  json request = {{"verb", "flows"}}, result;
  if (!options.address.empty()) request["address"] = options.address;
  if (options.limit != 0) request["limit"] = options.limit;
  bool first = true;
  const auto take = [&](const std::string& kind, const json& flow, const std::string&) {
    if (kind != "flow") return true;
    if (options.spoken.json) {
      std::printf("%s%s", first ? "[" : ",\n ", flow.dump().c_str());
      first = false;
      return true;
    }
    const json& counted = flow["flow"];
    const json& weir = flow["weir"];
    std::printf("%s  %llu+%llu packets, %s%s%s%s\n", flow_line(flow).c_str(), static_cast<unsigned long long>(counted.value("pkts_toserver", std::uint64_t{0})),
                static_cast<unsigned long long>(counted.value("pkts_toclient", std::uint64_t{0})), counted.value("action", std::string()).c_str(),
                weir.contains("rule") ? (" by " + weir.value("rule", std::string())).c_str() : "", weir.value("settled", false) ? ", settled" : "",
                weir.value("held", false) ? ", held" : "");
    return true;
  };
  const int code = ask_filter(options.spoken, std::move(request), result, take);
  if (options.spoken.json && (code == kDone || !first)) std::printf("%s]\n", first ? "[" : "");
  return code;
}

struct EventsOptions {
  Spoken spoken;
  bool follow = false;
  std::int64_t last = -1;
};

int events(const EventsOptions& options) {
  json request = {{"verb", "events"}, {"follow", options.follow}}, result;
  if (options.last >= 0) request["last"] = options.last;
  // Events are JSON lines whether --json asks for it or not: they are for what reads EVE.
  return ask_filter(options.spoken, std::move(request), result, [](const std::string&, const json&, const std::string& line) {
    std::printf("%s\n", line.c_str());
    return std::fflush(stdout) == 0;
  });
}

}  // namespace

std::function<int()> add_flows(CLI::App& app) {
  auto o = std::make_shared<FlowsOptions>();
  add_spoken_options(app, o->spoken);
  app.add_option("--address", o->address, "only flows with this end");
  app.add_option("--limit", o->limit, "at most so many");
  app.footer("--json prints one list; fields are named as in flow events.");
  return [o] { return flows(*o); };
}

std::function<int()> add_events(CLI::App& app) {
  auto o = std::make_shared<EventsOptions>();
  add_spoken_options(app, o->spoken);
  app.add_flag("--follow", o->follow, "those that come, until it is stopped");
  app.add_option("--last", o->last, "so many of those that were [100; with --follow 0]")->check(CLI::NonNegativeNumber);
  app.footer("The same lines that `weir run --events` writes, JSON, one an event. About a megabyte of them is kept.");
  return [o] { return events(*o); };
}

}  // namespace weir::cli
