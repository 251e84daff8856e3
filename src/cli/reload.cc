// SPDX-License-Identifier: Apache-2.0
// weir reload, confirm, rollback: another policy for the running filter, whole or not at all.

#include <CLI/CLI.hpp>
#include <cstdio>

#include "cli/control_client.h"

namespace weir::cli {
namespace {

using nlohmann::json;

struct Options {
  Spoken spoken;
  std::string confirm;
  bool preview = false;
};

void print_change(const json& r) {
  for (const json& warning : r.value("warnings", json::array())) std::fprintf(stderr, "%s\n", warning.get<std::string>().c_str());
  const std::uint64_t cut = r.value("flows_cut", std::uint64_t{0});
  const bool preview = r.value("preview", false);
  if (preview) std::printf("would put %s rules in force", grouped(r.value("rules", std::uint64_t{0})).c_str());
  else std::printf("generation %s, %s rules in force", grouped(r.value("generation", std::uint64_t{0})).c_str(), grouped(r.value("rules", std::uint64_t{0})).c_str());
  if (r.value("identical", false)) std::printf("; nothing is decided otherwise\n");
  else std::printf("; %s of %s flows %s cut\n", grouped(cut).c_str(), grouped(r.value("flows_looked_at", std::uint64_t{0})).c_str(), preview ? "would be" : "are");
  for (const json& flow : r.value("cut", json::array())) std::printf("  %s  by %s\n", flow_line(flow).c_str(), flow.value("cut_by", std::string()).c_str());
  if (const std::size_t shown = r.value("cut", json::array()).size(); cut > shown) std::printf("  and %s more\n", grouped(cut - shown).c_str());
  if (const auto bans = r.value("bans_dropped", std::uint64_t{0}); bans != 0) std::printf("  %s bans went with their rules\n", grouped(bans).c_str());
  if (r.contains("confirm_seconds")) std::printf("goes back in %.0f s unless `weir confirm` comes\n", r["confirm_seconds"].get<double>());
}

int reload(const Options& options) {
  json request = {{"verb", "reload"}, {"preview", options.preview}}, result;
  if (!options.confirm.empty()) {
    const auto seconds = seconds_of(options.confirm);
    if (!seconds) {
      complain("--confirm takes a time such as 60s or 5m");
      return kWrong;
    }
    request["confirm_seconds"] = *seconds;
  }
  const int code = ask_filter(options.spoken, std::move(request), result);
  if (code != kDone) return code;
  if (options.spoken.json) std::printf("%s\n", result.dump().c_str());
  else print_change(result);
  return kDone;
}

int simple(const Spoken& spoken, const char* verb) {
  json result;
  if (const int code = ask_filter(spoken, {{"verb", verb}}, result); code != kDone) return code;
  if (spoken.json) std::printf("%s\n", result.dump().c_str());
  else if (result.contains("confirmed")) std::printf("confirmed: generation %s stays\n", grouped(result.value("generation", std::uint64_t{0})).c_str());
  else print_change(result);
  return kDone;
}

}  // namespace

std::function<int()> add_reload(CLI::App& app) {
  auto o = std::make_shared<Options>();
  add_spoken_options(app, o->spoken);
  app.add_option("--confirm", o->confirm, "go back by itself after this time (60s, 5m) unless `weir confirm` comes, also if the filter is killed meanwhile");
  app.add_flag("--preview", o->preview, "say which flows would be cut, and change nothing");
  app.footer("The filter reads its policy file anew. A policy with errors is refused whole (exit status 2, with all of them), and the one\n"
             "in force stays. Flows that live are looked at again; bans, limits and names go on where their rule is still there.\n"
             "Exit status 1: another change is under way.");
  return [o] { return reload(*o); };
}

std::function<int()> add_confirm(CLI::App& app) {
  auto o = std::make_shared<Spoken>();
  add_spoken_options(app, *o);
  app.footer("Exit status 1: no reload waits to be confirmed.");
  return [o] { return simple(*o, "confirm"); };
}

std::function<int()> add_rollback(CLI::App& app) {
  auto o = std::make_shared<Spoken>();
  add_spoken_options(app, *o);
  app.footer("The policy file is not touched: until it changes, the filter starts with the policy that it went back to.\n"
             "Exit status 1: there is no policy before this one.");
  return [o] { return simple(*o, "rollback"); };
}

}  // namespace weir::cli
