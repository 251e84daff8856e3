// SPDX-License-Identifier: Apache-2.0
// weir status and weir top: what the running filter says of itself.

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <map>
#include <thread>

#include "cli/control_client.h"

namespace weir::cli {
namespace {

using nlohmann::json;

std::string text(const json& from, const char* key) { return from.value(key, std::string()); }
std::uint64_t number(const json& from, const char* key) { return from.value(key, std::uint64_t{0}); }

void print_policy(const json& s) {
  const json& policy = s["policy"];
  std::printf("policy      %s, %s rules, generation %s", text(policy, "path").c_str(), grouped(number(policy, "rules")).c_str(), grouped(number(policy, "generation")).c_str());
  if (!policy.value("confirmed", true)) std::printf("; goes back in %s s unless `weir confirm` comes", grouped(number(policy, "goes_back_in_seconds")).c_str());
  std::printf("\nmode        %s, fails %s%s\n", text(s, "mode").c_str(), text(s, "fail").c_str(), s.value("failed", false) ? "; THE LANE HUNG AND THIS WAS CARRIED OUT" : "");
}

void print_ports(const json& s) {
  const json& path = s["datapath"];
  std::printf("datapath    %s; settled flows %s; the fail mode %s a kill\n", text(path, "kind").c_str(),
              path.value("settled_flows_without_the_engine", false) ? "pass without the engine" : "pass through the engine",
              path.value("fail_mode_outlives_the_process", false) ? "outlives" : "does not outlive");
  for (const json& port : s["ports"]) {
    std::printf("  %-10s %s, %s, mtu %llu, in %s out %s frames", text(port, "name").c_str(), text(port, "attach").c_str(),
                !port.value("present", false) ? "vanished" : port.value("up", false) ? "up" : "down", static_cast<unsigned long long>(number(port, "mtu")),
                grouped(number(port, "frames_in")).c_str(), grouped(number(port, "frames_out")).c_str());
    if (port.contains("why")) std::printf("\n             %s", text(port, "why").c_str());
    std::printf("\n");
  }
  for (const json& remark : path.value("remarks", json::array())) std::printf("  note: %s\n", remark.get<std::string>().c_str());
  const json losses = path.value("lost", json::object());
  for (const auto& [name, lost] : losses.items())
    if (lost != 0) std::printf("  lost, %s: %s frames\n", name.c_str(), grouped(lost.get<std::uint64_t>()).c_str());
}

void print_counters(const json& s) {
  const json& c = s["counters"];
  std::printf("packets     %s: %s passed, %s stopped; %s flows\n", grouped(number(c, "packets")).c_str(), grouped(number(c, "passed")).c_str(),
              grouped(number(c, "dropped")).c_str(), grouped(number(c, "flows")).c_str());
  const json reasons = c.value("stopped_by_reason", json::object());
  for (const auto& [reason, count] : reasons.items())
    std::printf("  %-20s %s\n", reason.c_str(), grouped(count.get<std::uint64_t>()).c_str());
  if (s.contains("syn_cookies")) {
    const json& cookies = s["syn_cookies"];
    std::printf("syn-cookies %s senders of SYNs were asked%s, %s were proven\n", grouped(number(cookies, "asked")).c_str(),
                cookies.value("asked_in_the_kernel", false) ? " (in the kernel too)" : "", grouped(number(cookies, "proven")).c_str());
  }
  std::printf("rules\n");
  for (const json& rule : s["rules"])
    if (number(rule, "packets") != 0 || number(rule, "flows") != 0)
      std::printf("  %-32s %-8s %12s packets %10s flows\n", text(rule, "name").c_str(), text(rule, "action").c_str(), grouped(number(rule, "packets")).c_str(),
                  grouped(number(rule, "flows")).c_str());
  std::printf("tables\n");
  for (const json& table : s["tables"]) {
    const std::string used = table.contains("used") ? grouped(number(table, "used")) + " of " : std::string();
    std::printf("  %-10s %s%s", text(table, "name").c_str(), used.c_str(), grouped(number(table, "capacity")).c_str());
    if (number(table, "overflowed") != 0) std::printf(", overflowed %s times", grouped(number(table, "overflowed")).c_str());
    std::printf("; full: %s\n", text(table, "when_full").c_str());
  }
  if (s.contains("host_names")) {
    const json& names = s["host_names"];
    std::printf("names       %s addresses of this host; its file of hosts lists %s names, %s lines skipped\n", grouped(number(names, "own_addresses")).c_str(),
                grouped(number(names, "listed")).c_str(), grouped(number(names, "lines_skipped")).c_str());
  }
  const json& events = s["events"];
  std::printf("events      %s bytes written, %s lines dropped\n", grouped(number(events, "bytes_written")).c_str(), grouped(number(events, "lines_dropped")).c_str());
}

int status(const Spoken& spoken) {
  json s;
  if (const int code = ask_filter(spoken, {{"verb", "status"}}, s); code != kDone) return code;
  if (spoken.json) {
    std::printf("%s\n", s.dump().c_str());
    return kDone;
  }
  std::printf("running     for %s s, process %s\n", grouped(number(s, "uptime_seconds")).c_str(), std::to_string(number(s, "pid")).c_str());
  print_policy(s);
  print_ports(s);
  print_counters(s);
  return kDone;
}

struct TopOptions {
  Spoken spoken;
  std::uint64_t count = 20;
  double every_s = 1;
  std::uint64_t times = 0;
};

/// Two looks, and what grew between them.
int top(const TopOptions& options) {
  json before;
  if (const int code = ask_filter(options.spoken, {{"verb", "top"}, {"count", options.count}}, before); code != kDone) return code;
  for (std::uint64_t look = 0; options.times == 0 || look < options.times; ++look) {
    std::this_thread::sleep_for(std::chrono::duration<double>(options.every_s));
    json now;
    if (const int code = ask_filter(options.spoken, {{"verb", "top"}, {"count", options.count}}, now); code != kDone) return code;
    const auto rate = [&](const json& a, const json& b, const char* key) {
      const std::uint64_t x = number(a, key), y = number(b, key);
      return y > x ? static_cast<double>(y - x) / options.every_s : 0.0;
    };
    std::map<std::string, json> rules;
    for (const json& rule : before["rules"]) rules[text(rule, "name")] = rule;
    for (json& rule : now["rules"]) rule["packets_per_second"] = rate(rules[text(rule, "name")], rule, "packets");
    now["packets_per_second"] = rate(before, now, "packets");
    now["bytes_per_second"] = rate(before, now, "bytes");
    now["dropped_per_second"] = rate(before, now, "dropped");
    if (options.spoken.json) {
      std::printf("%s\n", now.dump().c_str());
    } else {
      if (options.times != 1) std::printf("\033[H\033[2J");
      std::printf("%s packets/s, %s bytes/s, %s stopped/s, %s flows\n", grouped(static_cast<std::uint64_t>(now["packets_per_second"].get<double>())).c_str(),
                  grouped(static_cast<std::uint64_t>(now["bytes_per_second"].get<double>())).c_str(),
                  grouped(static_cast<std::uint64_t>(now["dropped_per_second"].get<double>())).c_str(), grouped(number(now, "flows_seen")).c_str());
      for (const json& rule : now["rules"])
        std::printf("  rule %-32s %12s packets, %.1f/s\n", text(rule, "name").c_str(), grouped(number(rule, "packets")).c_str(), rule["packets_per_second"].get<double>());
      for (const json& flow : now["flows"])
        std::printf("  %14s bytes  %s\n", grouped(number(flow["flow"], "bytes_toserver") + number(flow["flow"], "bytes_toclient")).c_str(), flow_line(flow).c_str());
    }
    std::fflush(stdout);
    before = std::move(now);
  }
  return kDone;
}

}  // namespace

std::function<int()> add_status(CLI::App& app) {
  auto o = std::make_shared<Spoken>();
  add_spoken_options(app, *o);
  app.footer("Policy and generation, mode and fail mode, how each port is attached and why, counters, rules that stopped something, how\n"
             "full each table is and what happens where it is full, events that were dropped.");
  return [o] { return status(*o); };
}

std::function<int()> add_top(CLI::App& app) {
  auto o = std::make_shared<TopOptions>();
  add_spoken_options(app, o->spoken);
  app.add_option("--count", o->count, "flows to show")->check(CLI::Range(1, 100))->capture_default_str();
  app.add_option("--every", o->every_s, "seconds between looks")->check(CLI::Range(0.1, 3600.0))->capture_default_str();
  app.add_option("--times", o->times, "how often; 0: until it is stopped")->capture_default_str();
  return [o] { return top(*o); };
}

}  // namespace weir::cli
