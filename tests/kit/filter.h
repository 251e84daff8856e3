// SPDX-License-Identifier: Apache-2.0
#pragma once

// Filter: the whole engine under a policy written in place, so that a test reads like a case:
//
//   Filter f(R"(weir: 1
//   rules: [ { name: no-telnet, match: { port: 23 }, action: drop } ])");
//   EXPECT_EQ(f.send(Eth() / Ipv4() / Tcp(40000, 23).flags("S")), "drop no-telnet");
//
// An answer is the verdict and, where there is one, the rule: "pass", "drop default", "hold". What was held is looked up later with
// verdict(NUMBER), by the number of the frame (from 1). Time goes on by a millisecond a frame; after() lets it pass.
//
// At the end (end(), or the destructor) it asks what must always hold: each frame has one final verdict, what was counted adds up,
// and the pool has its memory back.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"
#include "policy/document.h"
#include "tests/kit/packet.h"

namespace weir::kit {

/// Tests keep their tables small; no test needs more.
inline engine::EngineOptions small_engine() {
  engine::EngineOptions options;
  options.flows_max = 4096;
  options.pool_bytes = std::size_t{64} << 20;
  options.table_entries = 1024;
  options.checksums = engine::Checksums::Verify;
  return options;
}

/// A policy that must be right; the test program stops where it is not.
inline std::shared_ptr<const policy::RuleSet> rules_of(std::string_view yaml) {
  policy::Loaded loaded = policy::load_policy_text("test.yaml", yaml, engine::vocabulary());
  if (!loaded.policy) {
    for (const auto& d : loaded.diagnostics.all()) std::fprintf(stderr, "%s\n", policy::render(d).c_str());
    std::fprintf(stderr, "%s\n", std::string(yaml).c_str());
    std::abort();
  }
  return std::make_shared<policy::RuleSet>(std::make_shared<policy::Policy>(std::move(*loaded.policy)), engine::vocabulary());
}

class Filter final : public engine::EventSink {
 public:
  explicit Filter(std::string_view yaml, engine::EngineOptions options = small_engine()) : Filter(rules_of(yaml), options) {}
  Filter(std::shared_ptr<const policy::RuleSet> rules, engine::EngineOptions options)
      : rules_(std::move(rules)), engine_(std::make_unique<engine::Engine>(options, rules_, *this)) {}
  ~Filter() override { end(); }

  /// The next frame, and what became of it so far.
  std::string send(std::string_view bytes, std::string_view port = {}) {
    const OwnedFrame owned(bytes, link_);
    Frame frame = owned.frame(++number_, {.mono_ns = now_ns_, .wall_ns = kWallBegins + now_ns_});
    now_ns_ += step_ns_;
    frame.port = port_of(port);
    frame.sender = sender_;
    Decision decision;
    engine_->on_frames({&frame, 1}, {&decision, 1});
    settled_ = decision.settled;
    emitted_.clear();
    for (std::size_t i = 0; i < decision.emits_count; ++i) emitted_.emplace_back(as_text(decision.emits[i].bytes));
    if (decision.verdict != Verdict::Hold) note(decision);
    return decision.verdict == Verdict::Hold ? "hold" : final_[number_];
  }
  std::string send(const Layers& layers, std::string_view port = {}) { return send(layers.bytes(), port); }

  Filter& after(Nanoseconds pause_ns) { return now_ns_ += pause_ns, *this; }
  Filter& step(Nanoseconds step_ns) { return step_ns_ = step_ns, *this; }
  Filter& link(LinkType link) { return link_ = link, *this; }
  /// Who has the socket of what is sent from now on; nullptr: nobody is known.
  Filter& by(const Sender* sender) { return sender_ = sender, *this; }
  /// Time alone, without a frame.
  Filter& wait(Nanoseconds pause_ns) {
    now_ns_ += pause_ns;
    engine_->on_time({.mono_ns = now_ns_, .wall_ns = kWallBegins + now_ns_});
    return *this;
  }

  /// Another policy from the next frame on.
  engine::Reloaded reload(std::shared_ptr<const policy::RuleSet> rules) {
    const engine::Reloaded done = engine_->reload(rules);
    rules_ = std::move(rules);
    return done;
  }
  engine::Reloaded reload(std::string_view yaml) { return reload(rules_of(yaml)); }

  std::uint64_t number() const { return number_; }  ///< Of the last frame.
  /// Final, or "hold" while it waits.
  std::string verdict(std::uint64_t number) const {
    const auto found = final_.find(number);
    return found == final_.end() ? "hold" : found->second;
  }
  Reason reason(std::uint64_t number) const { return reasons_.at(number); }
  Reason reason() const { return reasons_.at(number_); }
  bool settled() const { return settled_; }  ///< The flow of the last frame.
  std::vector<std::string> verdicts() const {
    std::vector<std::string> out;
    for (std::uint64_t n = 1; n <= number_; ++n) out.push_back(verdict(n));
    return out;
  }
  /// One line an event, in order: "alert blocked no-telnet x3", "flow tcp dns passed 2+1", "said dns".
  const std::vector<std::string>& events() const { return events_; }
  std::size_t count(std::string_view begins) const {
    return static_cast<std::size_t>(std::count_if(events_.begin(), events_.end(), [&](const std::string& e) { return e.starts_with(begins); }));
  }
  const std::vector<engine::FlowRecord>& flows() const { return flows_; }  ///< Those that ended.
  const std::vector<std::string>& emitted() const { return emitted_; }     ///< With the last frame.
  const engine::Counters& counters() const { return engine_->counters(); }
  const View* view() const { return engine_->last_view(); }
  engine::Engine& engine() { return *engine_; }
  /// So many packets were carried without the engine, which learned of them.
  Filter& carried(std::uint64_t packets) { return carried_ += packets, *this; }

  /// Nothing more comes.
  Filter& end() {
    if (ended_) return *this;
    ended_ = true;
    engine_->finish();
    const engine::Counters& c = engine_->counters();
    EXPECT_EQ(c.packets, number_ + carried_);
    EXPECT_EQ(c.packets, c.passed + c.dropped) << "each frame has a final verdict";
    for (std::uint64_t n = 1; n <= number_; ++n) EXPECT_TRUE(final_.contains(n)) << "frame " << n << " was held and never let go";
    // What readings and learned names keep lives as long as the engine; all that flows took is back.
    if (!rules_->wants(name_field())) {
      EXPECT_LE(engine_->pool_used(), 4096U) << "memory of flows was not given back";
    }
    return *this;
  }

 private:
  static constexpr Nanoseconds kWallBegins = 1'704'067'200 * kSecond;  ///< 2024-01-01.

  static FieldId name_field() { return engine::vocabulary().field("server.name")->id; }
  PortIndex port_of(std::string_view name) const {
    const auto& names = rules_->policy().port_names;
    for (std::size_t i = 0; i < names.size(); ++i)
      if (names[i] == name) return static_cast<PortIndex>(i);
    return kNoPort;
  }
  std::string name_of(RuleId rule) const {
    if (rule == kDefaultRule) return "default";
    return rule < rules_->policy().rules.size() ? rules_->policy().rules[rule].name : "";
  }
  static std::string by_text(const Sender* sender) { return sender == nullptr ? "" : " by " + std::string(sender->name); }
  void note(const Decision& d) {
    std::string text = d.verdict == Verdict::Pass ? "pass" : d.verdict == Verdict::Drop ? "drop" : "hold";
    if (const std::string name = name_of(d.rule); !name.empty()) text += " " + name;
    EXPECT_TRUE(final_.emplace(d.frame, text).second) << "frame " << d.frame << " was decided twice";
    reasons_[d.frame] = d.reason;
  }
  void on_alert(const engine::AlertRecord& r) override {
    events_.push_back(std::string("alert ") + (r.blocked ? "blocked " : r.monitored ? "would-block " : "allowed ") + name_of(r.rule) +
                      (r.count > 1 ? " x" + std::to_string(r.count) : "") + by_text(r.sender));
  }
  void on_flow(const engine::FlowRecord& r) override {
    flows_.push_back(r);
    const bool passed = r.acted == engine::FlowRecord::Acted::Passed;
    events_.push_back("flow " + std::to_string(r.ends.protocol) + " " + std::string(engine::vocabulary().app(r.app).name) + " " +
                      (passed ? "passed" : r.acted == engine::FlowRecord::Acted::Limited ? "limited" : "dropped") + " " +
                      std::to_string(r.packets[0]) + "+" + std::to_string(r.packets[1]) + by_text(r.sender));
    flows_.back().sender = nullptr;  // It lives as long as the call.
  }
  void on_transaction(const View& view, std::uint64_t) override {
    events_.push_back("said " + std::string(engine::vocabulary().app(view.parser).name));
  }
  void on_released(const Decision& d) override {
    EXPECT_NE(d.verdict, Verdict::Hold);
    note(d);
  }

  std::shared_ptr<const policy::RuleSet> rules_;
  std::map<std::uint64_t, std::string> final_;
  std::map<std::uint64_t, Reason> reasons_;
  std::vector<std::string> events_, emitted_;
  std::vector<engine::FlowRecord> flows_;
  std::unique_ptr<engine::Engine> engine_;
  std::uint64_t number_ = 0, carried_ = 0;
  Nanoseconds now_ns_ = kSecond, step_ns_ = kMillisecond;
  LinkType link_ = LinkType::Ethernet;
  const Sender* sender_ = nullptr;
  bool settled_ = false, ended_ = false;
};

}  // namespace weir::kit
