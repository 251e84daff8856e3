// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the verbs that speak to a running filter have in common: the socket, a request, the lines that come back (docs/control.md). The
// filter's own exit status is the command's; where none answers it is 3.

#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/verb.h"

namespace CLI {
class App;
}

namespace weir::cli {

struct Spoken {
  std::string socket;
  bool json = false;
};
/// --socket and --json.
void add_spoken_options(CLI::App& app, Spoken& spoken);

/// Takes one line that is not the last: its kind ("flow", "packet", …, or "" for an event) and what it is, or for an event the line itself.
/// False: no more is wanted.
using TakeItem = std::function<bool(const std::string& kind, const nlohmann::json& item, const std::string& line)>;

/// A filter listens there.
bool filter_answers(const std::string& socket);
/// Sends the request and hands on what comes; errors go to standard error. The exit status; with kDone `result` is the answer.
int ask_filter(const Spoken& spoken, nlohmann::json request, nlohmann::json& result, const TakeItem& take = {});

/// "90s", "10m", "2h", "1d", or seconds. Nothing if it is none of these.
std::optional<double> seconds_of(const std::string& text);
/// 1234567 → "1,234,567".
std::string grouped(std::uint64_t number);
/// "10.0.0.5:40000 > 198.51.100.80:443 TCP tls" of a flow's JSON.
std::string flow_line(const nlohmann::json& flow);

}  // namespace weir::cli
