// SPDX-License-Identifier: Apache-2.0
#pragma once

// The captures of a replay with the ports that they came in by: `--port lan0=FILE` gives FILE its port; a file that is not among
// the captures is added behind them, in the order of the options.

#include <string>
#include <vector>

#include "base/result.h"

namespace weir::cli {

struct CaptureInput {
  std::string path;
  std::string port;  ///< Empty: the interface's name in a pcapng, or none.
};

Result<std::vector<CaptureInput>> capture_list(const std::vector<std::string>& captures, const std::vector<std::string>& ports);
/// The names of ports that the list gives, each once.
std::vector<std::string> ports_of(const std::vector<CaptureInput>& list);

}  // namespace weir::cli
