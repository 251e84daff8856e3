// SPDX-License-Identifier: Apache-2.0
#pragma once

// Filter: a policy as text and packets from tests/kit/packet.h, verdicts out. What is held is followed to its end.

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "policy/document.h"
#include "tests/kit/packet.h"

namespace weir::kit {

class Filter : public engine::EventSink {
 public:
  explicit Filter(const std::string& policy) {
    policy::Loaded loaded = policy::load_policy_text("policy", "weir: 1\n" + policy, engine::vocabulary());
    EXPECT_TRUE(loaded.policy.has_value()) << policy::render(loaded.diagnostics);
    rules_ = std::make_shared<const policy::RuleSet>(std::make_shared<const policy::Policy>(std::move(*loaded.policy)), engine::vocabulary());
    engine::EngineOptions options;
    options.flows_max = 4096;
    options.pool_bytes = 64 << 20;
    options.table_entries = 1024;
    engine_ = std::make_unique<engine::Engine>(options, rules_, *this);
  }

  /// The verdict now; frames are numbered from 1.
  Verdict send(const Layers& layers, double at_s = -1) {
    OwnedFrame& owned = frames_.emplace_back(layers);
    Frame frame = owned.frame();
    frame.number = frames_.size();
    now_s_ = at_s >= 0 ? at_s : now_s_ + 0.001;
    frame.time.mono_ns = kSecond + static_cast<Nanoseconds>(now_s_ * 1e9);
    frame.time.wall_ns = frame.time.mono_ns;
    Decision decision;
    engine_->on_frames({&frame, 1}, {&decision, 1});
    if (decision.verdict != Verdict::Hold) final_[frame.number] = decision;
    return decision.verdict;
  }
  bool passes(const Layers& layers, double at_s = -1) { return send(layers, at_s) == Verdict::Pass; }
  void finish() { engine_->finish(); }

  /// The final verdict of a frame; Hold if it was never released.
  Verdict verdict(std::uint64_t frame) const { return final_.contains(frame) ? final_.at(frame).verdict : Verdict::Hold; }
  std::string rule(std::uint64_t frame) const {
    const RuleId id = final_.contains(frame) ? final_.at(frame).rule : kNoRule;
    return id == kDefaultRule ? "default" : id < rules_->rules().size() ? rules_->policy().rules[id].name : "";
  }
  const engine::Counters& counters() const { return engine_->counters(); }
  const std::vector<engine::AlertRecord>& alerts() const { return alerts_; }
  const std::vector<engine::FlowRecord>& flows() const { return flows_; }

  void on_alert(const engine::AlertRecord& record) override { alerts_.push_back(record); }
  void on_flow(const engine::FlowRecord& record) override { flows_.push_back(record); }
  void on_transaction(const View&, std::uint64_t) override {}
  void on_released(const Decision& decision) override {
    EXPECT_FALSE(final_.contains(decision.frame)) << "frame " << decision.frame << " was decided twice";
    final_[decision.frame] = decision;
  }

 private:
  std::shared_ptr<const policy::RuleSet> rules_;
  std::unique_ptr<engine::Engine> engine_;
  std::deque<OwnedFrame> frames_;
  std::map<std::uint64_t, Decision> final_;
  std::vector<engine::AlertRecord> alerts_;
  std::vector<engine::FlowRecord> flows_;
  double now_s_ = 0;
};

}  // namespace weir::kit
