// SPDX-License-Identifier: Apache-2.0
#include "cli/trial.h"

#include <algorithm>
#include <unordered_map>

#include "wire/wire.h"

namespace weir::cli {
namespace {

constexpr std::size_t kExplanationsMax = 64;

/// One number for what two ends say to each other, whichever of them sends.
std::uint64_t flow_of(const Frame& frame) {
  Packet packet;
  wire::parse(frame, packet);
  if (packet.layers_count == 0) return 0;
  const IpLayer& l = packet.inner();
  const std::uint64_t a = mix64(hash_ip(l.src, 1), l.src_port), b = mix64(hash_ip(l.dst, 1), l.dst_port);
  return mix64(std::min(a, b), std::max(a, b)) ^ l.protocol;
}

class Remembering final : public engine::EventSink {
 public:
  explicit Remembering(Trial& trial) : trial_(trial) {}
  void on_alert(const engine::AlertRecord& record) override { trial_.alerted.insert(record.rule); }
  void on_flow(const engine::FlowRecord&) override {}
  void on_transaction(const View&, std::uint64_t) override {}
  void on_released(const Decision& decision) override {
    if (decision.frame == 0 || decision.frame > trial_.answers.size()) return;
    Answer& answer = trial_.answers[decision.frame - 1];
    answer.verdict = decision.verdict;
    answer.rule = decision.rule;
    answer.reason = decision.reason;
  }

 private:
  Trial& trial_;
};

class Explaining final : public engine::Probe {
 public:
  Explaining(std::uint64_t frame, const policy::RuleSet& rules) : Probe(frame), rules_(rules) {}
  void on_judged(const View& view, const policy::Outcome& outcome) override {
    if (seen_.size() < kExplanationsMax) seen_.push_back(policy::explain(rules_, view, outcome));
  }
  /// The judgement that the verdict came from.
  std::optional<policy::Explanation> chosen(const Answer& answer) const {
    const policy::Explanation* best = nullptr;
    std::size_t best_known = 0;
    for (const policy::Explanation& e : seen_) {
      if (answer.verdict == Verdict::Drop) {
        if (best == nullptr || (!e.pass && (best->pass || e.rule == answer.rule))) best = &e;
        continue;
      }
      // Of those that let it pass, the one that knew most: after a transaction its facts are gone again.
      std::size_t known = 0;
      for (const policy::RuleNow& rule : e.rules)
        for (const policy::ConditionNow& c : rule.match) known += c.state == FactState::Known;
      if (best == nullptr || known >= best_known) best = &e, best_known = known;
    }
    return best == nullptr ? std::nullopt : std::optional(*best);
  }

 private:
  const policy::RuleSet& rules_;
  std::vector<policy::Explanation> seen_;
};

/// The frame at which what befell `number` was decided; 0 if that is not to be found.
std::uint64_t deciding_frame(const Trial& trial, std::uint64_t number) {
  const Answer& of = trial.answers[number - 1];
  for (std::uint64_t n = 1; n < number; ++n) {
    const Answer& a = trial.answers[n - 1];
    const bool same_flow = a.flow == of.flow;
    if (of.verdict == Verdict::Drop ? a.verdict == Verdict::Drop && a.rule == of.rule &&
                                          (same_flow || of.reason == Reason::Banned || of.reason == Reason::Related)
                                    : same_flow && a.settled)
      return n;
  }
  return 0;
}

}  // namespace

Trial run_trial(const std::shared_ptr<const policy::RuleSet>& rules, const Traffic& traffic, std::uint64_t last,
                engine::Probe* probe, std::uint32_t flows_max) {
  Trial trial;
  Remembering sink(trial);
  engine::EngineOptions options;
  options.flows_max = flows_max;
  options.table_entries = flows_max / 4;
  options.probe = probe;
  options.senders = traffic.has_senders();
  engine::Engine engine(options, rules, sink);
  std::unordered_map<std::uint64_t, RuleId> passed_by;
  const auto read = traffic.each([&](const Frame& frame) {
    Decision decision;
    engine.on_frames({&frame, 1}, {&decision, 1});
    Answer answer{.verdict = decision.verdict, .reason = decision.reason, .settled = decision.settled, .rule = decision.rule};
    answer.held = decision.verdict == Verdict::Hold;
    answer.flow = flow_of(frame);
    // The engine does not look up again which rule passed a settled flow.
    if (answer.verdict == Verdict::Pass && answer.rule != kNoRule) passed_by[answer.flow] = answer.rule;
    else if (answer.verdict == Verdict::Pass && answer.settled && passed_by.contains(answer.flow))
      answer.rule = passed_by[answer.flow];
    trial.answers.push_back(answer);
    return last == 0 || frame.number < last || trial.answers[last - 1].verdict == Verdict::Hold;
  });
  if (!read) trial.fault = read.error();
  engine.finish();
  return trial;
}

Result<Why> ask_why(const std::shared_ptr<const policy::RuleSet>& rules, const Traffic& traffic, std::uint64_t number) {
  Why why;
  Explaining explaining(number, *rules);
  const Trial trial = run_trial(rules, traffic, number, &explaining);
  if (trial.fault && (number == 0 || number > trial.answers.size())) return *trial.fault;
  if (number == 0 || number > trial.answers.size())
    return Error{"there is no packet " + std::to_string(number) + "; the last one is " + std::to_string(trial.answers.size())};
  why.answer = trial.answers[number - 1];
  (void)traffic.each([&](const Frame& frame) {
    if (frame.number == number) why.ends = ends_of(frame);
    return frame.number < number;
  });
  why.explanation = explaining.chosen(why.answer);
  why.judged = why.explanation ? number : 0;
  const bool before = why.answer.reason == Reason::Tombstone || why.answer.reason == Reason::Answer ||
                      why.answer.reason == Reason::Related || why.answer.reason == Reason::Banned;
  // A held frame is decided with a later one of its flow, or when its time is over (then its own explanation is all there is).
  const std::uint64_t last = trial.answers.size();
  const bool waited = why.answer.held && last > number && trial.answers[last - 1].flow == why.answer.flow;
  if (why.explanation && !waited && !(before && why.answer.verdict == Verdict::Drop)) return why;
  const std::uint64_t decided = waited ? last : deciding_frame(trial, number);
  if (decided == 0) return why;
  Explaining earlier(decided, *rules);
  const Trial again = run_trial(rules, traffic, decided, &earlier);
  why.explanation = earlier.chosen(again.answers[decided - 1]);
  if (why.explanation) why.judged = decided;
  return why;
}

}  // namespace weir::cli
