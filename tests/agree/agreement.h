// SPDX-License-Identifier: Apache-2.0
#pragma once

// Agreement: the same frames at the same times through replay, the reference, and through a live datapath, whose ports are
// wires of a namespace of the test's own. They must give the same verdict for each frame, by the same rule, and the same
// events; and on the wires, what passed must come out whole at the right end, and nothing else.
//
// Time is the script's: the datapath under test takes its clock from the test.
//
// A datapath that carries settled flows without the engine (Capabilities::settles) brings fewer frames than were sent: verdicts are compared of
// those that it brings, the wires of all, and events without what counts frames (flow_id, pcap_cnt).

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cli/traffic.h"
#include "datapath/bridge/forwarder.h"
#include "datapath/capture/capture_reader.h"
#include "report/eve.h"
#include "service/service.h"
#include "tests/kit/filter.h"
#include "tests/kit/lab.h"

namespace weir::agree {

using Clock = std::function<Time()>;

struct Opened {
  std::unique_ptr<datapath::Datapath> path;  ///< nullptr: this machine cannot have it, and `why`.
  std::string why;
  /// What the engine must be told before it starts; may be empty.
  std::function<void(engine::EngineOptions&)> prepare;
};

/// A datapath that the suite runs over. `open` gets the names of its ports, in order, and the clock to stamp frames with.
struct Candidate {
  const char* name;
  Opened (*open)(const std::vector<std::string>& ports, Clock clock);
};

struct Step {
  std::string bytes;
  PortIndex port = 0;
  Time time;
};

/// Frames, the policy that they meet, and the ports that they come in by.
struct Script {
  std::string name, policy;
  std::vector<std::string> ports;
  std::vector<Step> steps;
};

/// What became of a frame: verdict, rule, reason. Of each, once.
struct Verdicts {
  std::map<std::uint64_t, std::string> by_number;
  void note(const Decision& d, const policy::Policy& policy) {
    if (d.verdict == Verdict::Hold) return;
    std::string text = d.verdict == Verdict::Pass ? "pass" : "drop";
    text += " " + std::to_string(static_cast<int>(d.reason));
    if (d.rule == kDefaultRule) text += " default";
    else if (d.rule < policy.rules.size()) text += " " + policy.rules[d.rule].name;
    const bool first = by_number.emplace(d.frame, text).second;
    EXPECT_TRUE(first) << "frame " << d.frame << " was decided twice";
  }
};

struct Outcome {
  Verdicts verdicts;
  std::string events;
  /// By port: what came out there, in order.
  std::map<PortIndex, std::vector<std::string>> out;
};

inline engine::EngineOptions engine_options() {
  engine::EngineOptions options = kit::small_engine();
  options.checksums = engine::Checksums::Auto;
  options.event_fields = report::Eve::record_fields();
  return options;
}

inline std::shared_ptr<const policy::RuleSet> rules_of(const Script& script) {
  policy::LoadOptions load;
  load.ports = script.ports;
  policy::Loaded loaded = policy::load_policy(script.policy, engine::vocabulary(), load);
  if (!loaded.policy) {
    ADD_FAILURE() << policy::render(loaded.diagnostics);
    return nullptr;
  }
  return std::make_shared<policy::RuleSet>(std::make_shared<policy::Policy>(std::move(*loaded.policy)), engine::vocabulary());
}

/// Where frames go, as the bridge has it.
class Wires {
 public:
  explicit Wires(std::size_t ports) : count_(ports) { forwarder_.ports(static_cast<datapath::PortMask>((1U << ports) - 1)); }
  void carry(std::string_view bytes, PortIndex in, Nanoseconds now_ns, Outcome& outcome) {
    forwarder_.learn(as_bytes(bytes), in, now_ns);
    to(forwarder_.ways(as_bytes(bytes), in, now_ns).out, bytes, outcome);
  }
  void emit(const Emit& answer, PortIndex in, Nanoseconds now_ns, Outcome& outcome) {
    const auto out = answer.port == kNoPort ? forwarder_.ways(answer.bytes, in, now_ns).out : datapath::PortMask{1} << answer.port;
    to(out, as_text(answer.bytes), outcome);
  }

 private:
  void to(datapath::PortMask out, std::string_view bytes, Outcome& outcome) const {
    for (std::size_t i = 0; i < count_; ++i)
      if ((out >> i & 1) != 0) outcome.out[static_cast<PortIndex>(i)].emplace_back(bytes);
  }
  datapath::Forwarder forwarder_;
  std::size_t count_;
};

/// Replay: one frame after the other through an engine, and what passes over wires of paper.
class Reference final : public engine::EventSink {
 public:
  Reference(const Script& script, std::shared_ptr<const policy::RuleSet> rules)
      : script_(script), rules_(std::move(rules)), wires_(script.ports.size()),
        eve_(report::Eve::to([this](std::string_view lines) { outcome_.events += lines; }, *rules_, {.flows = true, .records = true})) {}

  Outcome run() {
    engine::Engine engine(engine_options(), rules_, *this);
    std::uint64_t number = 0;
    for (const Step& step : script_.steps) {
      Frame frame;
      frame.bytes = as_bytes(step.bytes);
      frame.wire_bytes = static_cast<std::uint32_t>(step.bytes.size());
      frame.port = step.port;
      frame.number = ++number;
      frame.time = step.time;
      now_ns_ = step.time.mono_ns;
      Decision decision;
      engine.on_frames({&frame, 1}, {&decision, 1});
      outcome_.verdicts.note(decision, rules_->policy());
      if (decision.verdict == Verdict::Pass) wires_.carry(step.bytes, step.port, now_ns_, outcome_);
      for (std::size_t i = 0; i < decision.emits_count; ++i) wires_.emit(decision.emits[i], step.port, now_ns_, outcome_);
    }
    engine.finish();
    eve_->flush();
    return std::move(outcome_);
  }

 private:
  void on_alert(const engine::AlertRecord& record) override { eve_->on_alert(record); }
  void on_flow(const engine::FlowRecord& record) override { eve_->on_flow(record); }
  void on_transaction(const View& view, std::uint64_t flow_id) override { eve_->on_transaction(view, flow_id); }
  void on_released(const Decision& decision) override {
    outcome_.verdicts.note(decision, rules_->policy());
    const Step& step = script_.steps[decision.frame - 1];
    if (decision.verdict == Verdict::Pass) wires_.carry(step.bytes, step.port, now_ns_, outcome_);
  }

  const Script& script_;
  std::shared_ptr<const policy::RuleSet> rules_;
  Outcome outcome_;
  Wires wires_;
  Nanoseconds now_ns_ = 0;
  std::unique_ptr<report::Eve> eve_;
};

/// A datapath, with the decisions that it is given written down, by the place of the frame in the script.
class Tap final : public datapath::Datapath {
 public:
  Tap(datapath::Datapath& under, const Script& script, const policy::Policy& policy, Verdicts& verdicts)
      : under_(under), script_(script), policy_(policy), verdicts_(verdicts) {}
  /// Steps before this one are on the wire; those not brought yet may be.
  void sent(std::size_t steps) { sent_ = steps; }
  /// Every frame that was sent before this was brought or carried.
  std::size_t seen() const { return seen_; }
  std::string_view kind() const override { return under_.kind(); }
  datapath::Capabilities capabilities() const override { return under_.capabilities(); }
  std::span<const datapath::PortState> ports() override { return under_.ports(); }
  std::span<const std::string> remarks() const override { return under_.remarks(); }
  const datapath::DatapathCounters& counters() const override { return under_.counters(); }
  Time now() override { return under_.now(); }
  Result<std::size_t> poll(std::span<Frame> out, Nanoseconds wait_ns) override {
    auto count = under_.poll(out, wait_ns);
    for (std::size_t i = 0; count.ok() && i < count.value(); ++i) {
      std::size_t step = seen_;
      while (step < sent_ && (script_.steps[step].port != out[i].port || as_bytes(script_.steps[step].bytes).size() != out[i].bytes.size() ||
                              as_text(out[i].bytes) != script_.steps[step].bytes))
        ++step;
      EXPECT_LT(step, sent_) << "a frame came in that nobody sent, or not as it was sent";
      if (step < sent_) seen_ = step + 1;
      place_of_[out[i].number] = step + 1;
    }
    return count;
  }
  void release(const Decision& decision) override {
    note(decision);
    under_.release(decision);
  }
  void apply(std::span<const Frame> frames, std::span<const Decision> decisions) override {
    for (const Decision& d : decisions) note(d);
    under_.apply(frames, decisions);
  }
  std::optional<Error> fail(datapath::FailMode mode) override { return under_.fail(mode); }
  void close() override { under_.close(); }

 private:
  void note(Decision decision) {
    decision.frame = place_of_[decision.frame];
    verdicts_.note(decision, policy_);
  }
  datapath::Datapath& under_;
  const Script& script_;
  const policy::Policy& policy_;
  Verdicts& verdicts_;
  std::size_t sent_ = 0, seen_ = 0;
  std::map<std::uint64_t, std::uint64_t> place_of_;
};

/// The same over real wires. `batch`: as many frames of one port as are put on the wire before the filter looks.
class Live final : public engine::EventSink {
 public:
  Live(const Script& script, std::shared_ptr<const policy::RuleSet> rules)
      : script_(script), rules_(std::move(rules)),
        eve_(report::Eve::to([this](std::string_view lines) { outcome_.events += lines; }, *rules_, {.flows = true, .records = true})) {}

  /// False where the datapath cannot be had, and `why` it cannot.
  bool run(const Candidate& candidate, std::size_t batch, std::string& why) {
    time_ = script_.steps.front().time;
    const Opened opened = candidate.open(script_.ports, [this] { return time_; });
    why = opened.why;
    datapath::Datapath* const path = opened.path.get();
    if (path == nullptr) return false;
    settles_ = path->capabilities().settles;
    engine::EngineOptions options = engine_options();
    if (opened.prepare) opened.prepare(options);
    std::vector<std::unique_ptr<kit::FarEnd>> ends;
    for (std::size_t i = 0; i < script_.ports.size(); ++i) ends.push_back(std::make_unique<kit::FarEnd>("far" + std::to_string(i)));
    Tap tap(*path, script_, rules_->policy(), outcome_.verdicts);
    service::Service service({.engine = options, .wait_ns = (settles_ ? 2 : 20) * kMillisecond}, rules_, tap, this);
    const auto collect = [&] {
      for (std::size_t i = 0; i < ends.size(); ++i)
        for (std::string& bytes : ends[i]->take()) outcome_.out[static_cast<PortIndex>(i)].push_back(std::move(bytes));
    };
    std::size_t sent = 0;
    for (std::size_t at = 0; at < script_.steps.size();) {
      const Step& first = script_.steps[at];
      time_ = first.time;
      std::size_t count = 0;
      for (; count < batch && at < script_.steps.size(); ++count, ++at) {
        const Step& step = script_.steps[at];
        if (step.port != first.port || step.time.mono_ns != first.time.mono_ns) break;
        ends[step.port]->send(step.bytes);
      }
      sent += count;
      tap.sent(sent);
      // Where frames may go by without the engine, none need come.
      for (int turns = 0; tap.seen() < sent && turns < (settles_ ? 2 : 100); ++turns) {
        const std::size_t before = tap.seen();
        service.turn();
        if (tap.seen() != before) turns = 0;
      }
      if (tap.seen() != sent && !settles_) {
        ADD_FAILURE() << "frame " << sent << " did not come in; the last that did is " << tap.seen();
        return true;
      }
      if (sent % 32 < count) collect();
    }
    service.stop();
    service.run();
    collect();
    for (std::size_t i = 0; i < datapath::kLosses; ++i)
      if (const auto loss = static_cast<datapath::Loss>(i); loss != datapath::Loss::SamePort && loss != datapath::Loss::LinkLocal &&
                                                                loss != datapath::Loss::BadSource) {
        EXPECT_EQ(path->counters().of(loss), 0U) << name_of(loss);
      }
    path->close();
    eve_->flush();
    return true;
  }
  const Outcome& outcome() const { return outcome_; }
  bool settles() const { return settles_; }

 private:
  void on_alert(const engine::AlertRecord& record) override { eve_->on_alert(record); }
  void on_flow(const engine::FlowRecord& record) override { eve_->on_flow(record); }
  void on_transaction(const View& view, std::uint64_t flow_id) override { eve_->on_transaction(view, flow_id); }
  void on_released(const Decision&) override {}

  const Script& script_;
  std::shared_ptr<const policy::RuleSet> rules_;
  Outcome outcome_;
  std::unique_ptr<report::Eve> eve_;
  Time time_;
  bool settles_ = false;
};

}  // namespace weir::agree
