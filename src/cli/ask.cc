// SPDX-License-Identifier: Apache-2.0
// weir ask: the questions of a filter that runs with --ask, and their answers.

#include <CLI/CLI.hpp>
#include <cstdio>

#include "cli/control_client.h"

namespace weir::cli {
namespace {

using nlohmann::json;

struct Options {
  Spoken spoken;
  std::uint64_t id = 0;
  std::string answer, how_long = "once";
};

int ask(const Options& options) {
  json request = {{"verb", "ask"}}, result;
  if (options.id != 0) {
    if (options.answer.empty()) {
      complain("an answer is `allow` or `deny`, and `once`, `session` or `always`");
      return kWrong;
    }
    request["id"] = options.id;
    request["answer"] = options.answer + " " + options.how_long;
  }
  std::string all;
  const auto take = [&](const std::string& kind, const json& one, const std::string&) {
    if (kind != "question") return true;
    if (options.spoken.json) all += (all.empty() ? "" : ",\n ") + one.dump();
    else
      std::printf("%4llu  %s; %.0f s left\n", static_cast<unsigned long long>(one.value("id", std::uint64_t{0})), one.value("text", std::string()).c_str(),
                  one.value("seconds_left", 0.0));
    return true;
  };
  if (const int code = ask_filter(options.spoken, std::move(request), result, take); code != kDone) return code;
  if (options.id != 0) {
    if (options.spoken.json) std::printf("%s\n", result.dump().c_str());
    return kDone;
  }
  if (options.spoken.json) std::printf("[%s]\n", all.c_str());
  else if (result.value("open", 0) == 0) std::printf("no question waits\n");
  return kDone;
}

}  // namespace

std::function<int()> add_ask(CLI::App& app) {
  auto o = std::make_shared<Options>();
  add_spoken_options(app, o->spoken);
  app.add_option("ID", o->id, "the question that is answered; without it, those that wait are listed");
  app.add_option("ANSWER", o->answer, "allow or deny")->check(CLI::IsMember({"allow", "deny"}));
  app.add_option("FOR", o->how_long, "once: that connection; session: while the filter runs; always: also written to its file of answers")
      ->check(CLI::IsMember({"once", "session", "always"}))
      ->capture_default_str();
  app.footer("Examples:\n"
             "  weir ask\n"
             "  weir ask 7 allow always\n\n"
             "Exit status 1: no such question waits, or the filter runs without --ask.");
  return [o] { return ask(*o); };
}

}  // namespace weir::cli
