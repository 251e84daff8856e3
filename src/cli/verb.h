// SPDX-License-Identifier: Apache-2.0
#pragma once

// A verb of the command line: its name, what it does in a line, and the function that adds its options and runs it. main.cc has
// the table of them. Exit status everywhere: 0 done; 1 done, and the answer is no; 2 the input or usage is wrong; 3 the system
// refused.

#include <functional>
#include <memory>
#include <string>

namespace CLI {
class App;
}

namespace weir::cli {

inline constexpr int kDone = 0, kNo = 1, kWrong = 2, kRefused = 3;

/// Adds its options to the verb's own app and gives what runs it once they are parsed.
using AddVerb = std::function<int()> (*)(CLI::App& app);

struct Verb {
  const char* name;
  const char* help;
  AddVerb add;
};

std::function<int()> add_check(CLI::App& app);
std::function<int()> add_replay(CLI::App& app);
std::function<int()> add_run(CLI::App& app);
std::function<int()> add_status(CLI::App& app);
std::function<int()> add_flows(CLI::App& app);
std::function<int()> add_events(CLI::App& app);
std::function<int()> add_top(CLI::App& app);
std::function<int()> add_reload(CLI::App& app);
std::function<int()> add_confirm(CLI::App& app);
std::function<int()> add_rollback(CLI::App& app);
std::function<int()> add_ban(CLI::App& app);
std::function<int()> add_unban(CLI::App& app);
std::function<int()> add_capture(CLI::App& app);
std::function<int()> add_export(CLI::App& app);
std::function<int()> add_import(CLI::App& app);
std::function<int()> add_explain(CLI::App& app);
std::function<int()> add_facts(CLI::App& app);
std::function<int()> add_ask(CLI::App& app);
std::function<int()> add_learn(CLI::App& app);
std::function<int()> add_diff(CLI::App& app);
std::function<int()> add_plan(CLI::App& app);
std::function<int()> add_profiles(CLI::App& app);
std::function<int()> add_prove(CLI::App& app);
std::function<int()> add_techniques(CLI::App& app);
std::function<int()> add_test(CLI::App& app);

/// A message on standard error, as `weir: …`.
void complain(const std::string& message);

}  // namespace weir::cli
