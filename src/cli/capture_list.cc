// SPDX-License-Identifier: Apache-2.0
#include "cli/capture_list.h"

#include <algorithm>

namespace weir::cli {

Result<std::vector<CaptureInput>> capture_list(const std::vector<std::string>& captures, const std::vector<std::string>& ports) {
  std::vector<CaptureInput> list;
  for (const std::string& path : captures) list.push_back({path, {}});
  for (const std::string& text : ports) {
    const std::size_t equals = text.find('=');
    if (equals == 0 || equals == std::string::npos || equals + 1 == text.size())
      return Error{"--port `" + text + "`: it is NAME=FILE, such as lan0=inside.pcap"};
    const std::string name = text.substr(0, equals), path = text.substr(equals + 1);
    const auto known = std::find_if(list.begin(), list.end(), [&](const CaptureInput& input) { return input.path == path; });
    if (known == list.end()) list.push_back({path, name});
    else if (known->port.empty()) known->port = name;
    else return Error{"--port: " + path + " has a port already, " + known->port};
  }
  if (list.empty()) return Error{"replay needs a capture"};
  if (std::count_if(list.begin(), list.end(), [](const CaptureInput& input) { return input.path == "-"; }) > 1)
    return Error{"standard input can be read once"};
  return list;
}

std::vector<std::string> ports_of(const std::vector<CaptureInput>& list) {
  std::vector<std::string> out;
  for (const CaptureInput& input : list)
    if (!input.port.empty() && std::find(out.begin(), out.end(), input.port) == out.end()) out.push_back(input.port);
  return out;
}

}  // namespace weir::cli
