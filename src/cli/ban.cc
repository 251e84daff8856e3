// SPDX-License-Identifier: Apache-2.0
// weir ban and weir unban: shut somebody out by hand, beside the bans that rules make.

#include <CLI/CLI.hpp>
#include <cstdio>

#include "cli/control_client.h"

namespace weir::cli {
namespace {

using nlohmann::json;

struct Options {
  Spoken spoken;
  std::string address, for_time = "10m", protocol;
  bool destination = false;
  std::uint16_t port = 0;
};

std::string ban_line(const json& ban) {
  std::string line = ban.value("ban", std::string()) + " " + ban.value("address", std::string());
  if (ban.contains("proto")) line += " " + ban.value("proto", std::string());
  if (ban.contains("port")) line += " port " + std::to_string(ban.value("port", 0));
  return line;
}

json request_of(const Options& options, const char* verb) {
  json request = {{"verb", verb}};
  if (options.address.empty()) return request;
  request["address"] = options.address;
  request["what"] = options.port != 0 ? "port" : !options.protocol.empty() ? "protocol" : options.destination ? "destination" : "source";
  if (!options.protocol.empty()) request["protocol"] = options.protocol;
  if (options.port != 0) request["port"] = options.port;
  return request;
}

int ban(const Options& options) {
  json request = request_of(options, "ban"), result;
  if (!options.address.empty()) {
    const auto seconds = seconds_of(options.for_time);
    if (!seconds) {
      complain("--for takes a time such as 90s, 10m, 2h or 1d");
      return kWrong;
    }
    request["for_seconds"] = *seconds;
  }
  bool first = true;
  const bool lists = options.address.empty();
  const auto take = [&](const std::string& kind, const json& one, const std::string&) {
    if (kind != "ban") return true;
    if (options.spoken.json) std::printf("%s%s", first ? "[" : ",\n ", one.dump().c_str());
    else std::printf("%-50s %8.0f s left, by %s\n", ban_line(one).c_str(), one.value("seconds_left", 0.0), one.value("rule", std::string()).c_str());
    first = false;
    return true;
  };
  const int code = ask_filter(options.spoken, std::move(request), result, take);
  if (code != kDone) return code;
  if (lists && options.spoken.json) std::printf("%s]\n", first ? "[" : "");
  else if (lists && first) std::printf("no ban holds\n");
  else if (options.spoken.json && !lists) std::printf("%s\n", result.dump().c_str());
  else if (!lists) std::printf("banned: %s for %.0f s\n", ban_line(result).c_str(), result.value("seconds_left", 0.0));
  return kDone;
}

int unban(const Options& options) {
  json result;
  if (const int code = ask_filter(options.spoken, request_of(options, "unban"), result); code != kDone) return code;
  if (options.spoken.json) std::printf("%s\n", result.dump().c_str());
  else std::printf("no longer banned: %s\n", options.address.c_str());
  return kDone;
}

void add_key_options(CLI::App& app, Options& o) {
  add_spoken_options(app, o.spoken);
  app.add_flag("--destination", o.destination, "as a server, not as a client");
  app.add_option("--port", o.port, "only this port of it, as a server (tcp unless --protocol)")->check(CLI::Range(1, 65535));
  app.add_option("--protocol", o.protocol, "tcp, udp, sctp; without --port also icmp")->check(CLI::IsMember({"tcp", "udp", "sctp", "icmp"}));
}

}  // namespace

std::function<int()> add_ban(CLI::App& app) {
  auto o = std::make_shared<Options>();
  app.add_option("ADDRESS", o->address, "whom to shut out; without it, the bans that hold are listed");
  app.add_option("--for", o->for_time, "how long")->capture_default_str();
  add_key_options(app, *o);
  app.footer("Everything new and alive of that client (with the options: to that server, port, protocol) is stopped from then on, both ways.");
  return [o] { return ban(*o); };
}

std::function<int()> add_unban(CLI::App& app) {
  auto o = std::make_shared<Options>();
  app.add_option("ADDRESS", o->address, "who may pass again")->required();
  add_key_options(app, *o);
  app.footer("It takes the options that the ban was made with. Exit status 1: no such ban holds.");
  return [o] { return unban(*o); };
}

}  // namespace weir::cli
