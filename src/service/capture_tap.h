// SPDX-License-Identifier: Apache-2.0
#pragma once

// CaptureTap: frames that a filter in the language of rules selects, with what became of them, on their way from the lane to a person.
// The lane asks the filter once a frame and copies what it selects; the copies are bounded in number and bytes, and what finds
// no room is counted, not waited for. Frames that are held are told when they are decided.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/engine.h"

namespace weir::service {

struct Captured {
  std::uint64_t number = 0;
  Nanoseconds wall_ns = 0;
  std::uint32_t wire_bytes = 0;
  LinkType link = LinkType::Ethernet;
  PortIndex port = kNoPort;
  AppId app = kUnknownApp;
  std::string bytes;
  Decision decision;  ///< Without emits and rewrite.
};

class CaptureTap final : public engine::Tap {
 public:
  static constexpr std::size_t kWaitingMax = 8192, kHeldMax = 1024, kWaitingBytesMax = 16 << 20;

  /// `filter` has one rule. Ends after `count` frames.
  CaptureTap(std::shared_ptr<const policy::RuleSet> filter, std::uint64_t count) : filter_(std::move(filter)), left_(count) {}

  void on_frame(const View& view, const Decision& decision) override;
  /// A held frame is decided.
  void on_released(const Decision& decision);
  /// What came since, and room for more.
  std::vector<Captured> take();
  bool complete() const { return left_ == 0 && held_.empty(); }
  std::uint64_t missed() const { return missed_; }

 private:
  void give(Captured captured);

  std::shared_ptr<const policy::RuleSet> filter_;
  std::uint64_t left_, missed_ = 0;
  std::size_t waiting_bytes_ = 0;
  std::vector<Captured> waiting_;
  std::map<std::uint64_t, Captured> held_;
};

}  // namespace weir::service
