// SPDX-License-Identifier: Apache-2.0
// weir test: the unit tests of a policy. The cases themselves are test_case.cc.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/test_case.h"
#include "cli/verb.h"

namespace weir::cli {
namespace {

using nlohmann::ordered_json;

struct Options {
  std::vector<std::string> directories;
  std::string captures;
  bool json = false, verbose = false;
};

void print(const CaseResult& result, bool verbose) {
  if (!result.broken.empty()) {
    std::fprintf(stderr, "weir: %s: %s\n", result.name.c_str(), result.broken.c_str());
    return;
  }
  if (result.passed()) {
    if (verbose)
      std::printf("ok    %s (%zu packets, %zu expectations)\n", result.name.c_str(), result.packets, result.expectations);
    return;
  }
  std::printf("FAIL  %s: %zu of %zu expectations\n", result.name.c_str(), result.wrong, result.expectations);
  for (const Mismatch& m : result.mismatches) {
    if (!m.where.empty()) std::printf("  %s: %s\n", m.where.c_str(), m.packet.c_str());
    std::printf("    expected  %s\n    came      %s\n", m.expected.c_str(), m.came.c_str());
    for (const std::string& reason : m.why) std::printf("    %s\n", reason.c_str());
  }
}

ordered_json json_of(const CaseResult& result) {
  ordered_json out = {{"case", result.name},
                      {"result", result.passed()         ? "ok"
                                 : result.broken.empty() ? "failed"
                                                         : "broken"},
                      {"packets", result.packets},
                      {"expectations", result.expectations},
                      {"wrong", result.wrong}};
  if (!result.broken.empty()) out["error"] = result.broken;
  ordered_json list = ordered_json::array();
  for (const Mismatch& m : result.mismatches)
    list.push_back({{"where", m.where}, {"packet", m.packet}, {"expected", m.expected}, {"came", m.came}, {"why", m.why}});
  if (!list.empty()) out["mismatches"] = list;
  return out;
}

int test(const Options& options) {
  std::size_t passed = 0, failed = 0, broken = 0;
  ordered_json list = ordered_json::array();
  for (const std::string& directory : options.directories) {
    const std::vector<std::string> cases = cases_below(directory);
    if (cases.empty()) {
      complain(directory + ": no case there (a directory with policy.yaml and traffic.convo or expect.json)");
      ++broken;
    }
    for (const std::string& name : cases) {
      const CaseResult result = run_case(name, {.captures = options.captures});
      ++(result.passed() ? passed : result.broken.empty() ? failed : broken);
      if (options.json) list.push_back(json_of(result));
      else print(result, options.verbose);
    }
  }
  if (options.json) {
    const ordered_json out = {{"cases", list}, {"passed", passed}, {"failed", failed}, {"broken", broken}};
    std::printf("%s\n", out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
  } else {
    std::printf("%zu of %zu cases passed", passed, passed + failed + broken);
    if (broken != 0) std::printf(", %zu could not be played", broken);
    std::printf("\n");
  }
  return broken != 0 ? kWrong : failed != 0 ? kNo : kDone;
}

}  // namespace

std::function<int()> add_test(CLI::App& app) {
  auto o = std::make_shared<Options>();
  app.add_option("DIR", o->directories, "a case, or a directory that holds cases")->required();
  app.add_option("--captures", o->captures, "where captures are sought that a case names");
  app.add_flag("-v,--verbose", o->verbose, "name the cases that pass too");
  app.add_flag("--json", o->json, "print one JSON object");
  app.footer(
      "A case is a directory with policy.yaml and traffic.convo, or policy.yaml, a capture and expect.json.\n\n"
      "traffic.convo is a packet a line: time, ends, protocol, content, expected verdict, expected rule.\n"
      "  client 10.0.0.5 in lan0   resolver 10.0.0.53   other 198.51.100.53\n"
      "  0.000  client:40000 > resolver:53  udp dns? A www.example.com             pass\n"
      "  0.004  resolver:53 > client:40000  udp dns! A www.example.com 192.0.2.80  pass\n"
      "  1.000  client:40002 > other:53     udp dns? A www.example.com             drop  only-company-dns\n"
      "  2.000  client:40004 > other:80     tcp open                               pass\n"
      "  2.010  client:40004 > other:80     tcp http? GET /login shop.example      drop  no-login\n\n"
      "expect.json: {\"capture\": \"x.pcap\", \"drop\": \"7-92\", \"pass\": \"1-3\", \"rules\": [\"no-telnet\"], \"techniques\": "
      "[\"T1602.002\"]}\n\n"
      "Example:\n  weir test tests/cases\n\n"
      "Exit status 1 if a case fails, 2 if one cannot be played.");
  return [o] { return test(*o); };
}

}  // namespace weir::cli
