// SPDX-License-Identifier: Apache-2.0
// weir profiles: the policies that the program carries, to be included.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/verb.h"
#include "policy/builtin.h"

namespace weir::cli {
namespace {

using nlohmann::ordered_json;

struct Options {
  std::string name;
  bool json = false;
};

/// What the profile's first comment says behind its name.
std::string meaning(const std::string& text) {
  std::string out;
  bool inside = false;
  for_each_line(text, [&](std::string_view line) {
    if (const std::size_t at = line.find("# weir:"); at == 0) {
      out = std::string(trim(line.substr(std::min(line.size(), line.find(": ", 7) + 1))));
      inside = true;
    } else if (inside && (line.size() < 3 || line[0] != '#')) {
      inside = false;
    } else if (inside) {
      out += " " + std::string(trim(line.substr(1)));
    }
  });
  return out;
}

int profiles(const Options& options) {
  if (!options.name.empty()) {
    const std::string_view given = options.name;
    const std::string_view name = given.starts_with("weir:") ? given.substr(5) : given;
    std::optional<std::string> text = policy::builtin_profile(name);
    if (!text) text = policy::builtin_profile("m1037/" + std::string(name));
    if (!text) {
      complain("there is no profile `" + options.name + "`; `weir profiles` lists them");
      return kWrong;
    }
    std::fputs(text->c_str(), stdout);
    return kDone;
  }
  ordered_json list = ordered_json::array();
  for (const std::string& name : policy::builtin_profile_names()) {
    const std::string about = meaning(policy::builtin_profile(name).value_or(""));
    if (options.json) list.push_back({{"name", "weir:" + name}, {"about", about}});
    else std::printf("%-24s  %s\n", ("weir:" + name).c_str(), about.c_str());
  }
  if (options.json) std::printf("%s\n", list.dump().c_str());
  return kDone;
}

}  // namespace

std::function<int()> add_profiles(CLI::App& app) {
  auto o = std::make_shared<Options>();
  app.add_option("NAME", o->name, "print this profile's policy, to be read or copied");
  app.add_flag("--json", o->json, "print JSON");
  app.footer(
      "Examples:\n  weir profiles\n  weir profiles lan\n\nA policy takes one by `include: [weir:m1037/lan]`. Its own sets and guards stand over "
      "the profile's by name;\nits roles say what the profile's `inside` and `outside` are, where its zones have other names.");
  return [o] { return profiles(*o); };
}

}  // namespace weir::cli
