// SPDX-License-Identifier: Apache-2.0
#pragma once

// FakeDatapath: a datapath of two or more ports without a system behind it: frames are put in by a test, what goes out is kept as
// it was sent, time goes on only when the test says so. For tests of whatever stands above datapath.h.

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "datapath/datapath.h"

namespace weir::kit {

class FakeDatapath final : public datapath::Datapath {
 public:
  struct Sent {
    PortIndex out = kNoPort;      ///< kNoPort: by its destination.
    std::uint64_t number = 0;     ///< Of the frame; 0: the engine made it.
    std::vector<std::uint8_t> bytes;
  };

  explicit FakeDatapath(std::vector<std::string> names = {"p0", "p1"}) {
    for (std::string& name : names) {
      datapath::PortState& port = ports_.emplace_back();
      port.name = std::move(name);
      port.attach = datapath::Attach::Packet;
      port.present = port.up = true;
      port.mtu = 1500;
    }
    time_ = {.mono_ns = kSecond, .wall_ns = 1'704'067'200 * kSecond};
  }

  // What a test does.
  std::uint64_t put(PortIndex port, Bytes bytes) {
    Waiting& w = waiting_.emplace_back();
    w.bytes.assign(bytes.begin(), bytes.end());
    w.port = port;
    w.number = ++number_;
    return w.number;
  }
  void pass_time(Nanoseconds by) {
    time_.mono_ns += by;
    time_.wall_ns += by;
  }
  /// poll() gives this error once what was put in is taken: the end of run().
  void end_with(Error error) { end_ = std::move(error); }
  const Sender* sender = nullptr;         ///< Of every frame that is put in from now on.
  std::vector<Sent> sent;
  std::vector<Decision> dropped;          ///< Also those that were held and then dropped.
  std::map<std::uint64_t, std::vector<std::uint8_t>> held;
  std::optional<datapath::FailMode> failed;  ///< What fail() was called with.
  bool closed = false;
  std::function<void()> while_polling;    ///< Called at the start of each poll(): to hang, to stop.
  datapath::DatapathCounters counted;
  datapath::Capabilities able;
  std::vector<std::string> said;

  // What the service asks.
  std::string_view kind() const override { return "fake"; }
  datapath::Capabilities capabilities() const override { return able; }
  std::span<const datapath::PortState> ports() override { return ports_; }
  std::span<const std::string> remarks() const override { return said; }
  const datapath::DatapathCounters& counters() const override { return counted; }
  Time now() override { return time_; }
  Result<std::size_t> poll(std::span<Frame> out, Nanoseconds) override {
    if (while_polling) while_polling();
    batch_.clear();
    std::size_t count = 0;
    for (; count < out.size() && !waiting_.empty(); ++count) {
      batch_.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
    }
    if (count == 0 && end_) return *end_;
    for (std::size_t i = 0; i < count; ++i) {
      Frame& frame = out[i];
      frame = Frame{};
      frame.bytes = batch_[i].bytes;
      frame.wire_bytes = static_cast<std::uint32_t>(batch_[i].bytes.size());
      frame.port = batch_[i].port;
      frame.number = batch_[i].number;
      frame.time = time_;
      frame.sender = sender;
    }
    counted.received += count;
    return count;
  }
  void release(const Decision& decision) override {
    const auto found = held.find(decision.frame);
    if (found == held.end()) return;
    if (decision.verdict == Verdict::Pass) sent.push_back({kNoPort, decision.frame, std::move(found->second)});
    else dropped.push_back(decision);
    held.erase(found);
  }
  void apply(std::span<const Frame> frames, std::span<const Decision> decisions) override {
    for (std::size_t i = 0; i < frames.size(); ++i) {
      const Decision& d = decisions[i];
      const Bytes bytes = d.rewrite.empty() ? frames[i].bytes : d.rewrite;
      if (d.verdict == Verdict::Pass) sent.push_back({kNoPort, d.frame, {bytes.begin(), bytes.end()}});
      if (d.verdict == Verdict::Drop) dropped.push_back(d);
      if (d.verdict == Verdict::Hold) held[d.frame].assign(bytes.begin(), bytes.end());
      for (std::size_t k = 0; k < d.emits_count; ++k)
        sent.push_back({d.emits[k].port, 0, {d.emits[k].bytes.begin(), d.emits[k].bytes.end()}});
    }
    counted.sent = sent.size();
    counted.held_now = held.size();
  }
  std::optional<Error> fail(datapath::FailMode mode) override {
    failed = mode;
    return std::nullopt;
  }
  void close() override { closed = true; }

 private:
  struct Waiting {
    std::vector<std::uint8_t> bytes;
    PortIndex port;
    std::uint64_t number;
  };
  std::vector<datapath::PortState> ports_;
  std::deque<Waiting> waiting_;
  std::vector<Waiting> batch_;
  std::uint64_t number_ = 0;
  Time time_;
  std::optional<Error> end_;
};

}  // namespace weir::kit
