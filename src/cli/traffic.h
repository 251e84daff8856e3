// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where a verb's packets come from: a conversation or capture files. each() may be called again and gives the same frames with
// the same numbers and times, so that a question about one packet can be asked in a second run (standard input is read once
// only).

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/convo/conversation.h"
#include "facts/frame.h"
#include "policy/rule.h"

namespace weir::cli {

/// The policy's number for a port's name; kNoPort if it does not mention it.
PortIndex port_of(const policy::Policy& policy, std::string_view name);
/// "10.0.0.5:40000 > 198.51.100.53:53 udp", of the innermost IP layer; what it is, for frames without IP.
std::string ends_of(const Frame& frame);

class Traffic {
 public:
  static Traffic of_convo(Convo convo, const policy::Policy& policy);
  static Traffic of_capture(std::string path, const policy::Policy& policy);

  /// Calls with each frame until it answers false. An error if the traffic cannot be read; what came before it was given.
  Result<std::uint64_t> each(const std::function<bool(const Frame&)>& call) const;
  /// The step that a frame's number stands for; nullptr if this is a capture.
  const Step* step(std::uint64_t number) const;
  const std::vector<Step>& steps() const { return convo_.steps; }
  bool is_convo() const { return path_.empty(); }
  /// It plays on a host: frames say who sent them.
  bool has_senders() const { return convo_.has_senders; }
  const std::string& path() const { return path_; }

 private:
  Convo convo_;
  std::vector<PortIndex> ports_;  ///< Of the steps.
  std::string path_;
  const policy::Policy* policy_ = nullptr;
};

}  // namespace weir::cli
