// SPDX-License-Identifier: Apache-2.0
// Properties of the engine over the captures beside the project, where they are: the oracle agrees with every judgement; two runs give the same;
// what was dropped changed no state; what passed and what was dropped are the input. Without the captures these tests skip with a word.
// WEIR_CAPTURES=all takes every capture, else a sample.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "datapath/capture/capture_reader.h"
#include "tests/kit/filter.h"
#include "tests/kit/oracle_probe.h"
#include "tests/kit/random_policy.h"

namespace weir::datapath {
namespace {

using namespace kit;

/// Captures of a moderate size, in the order of their names; a sample of them unless all are asked for.
std::vector<std::string> captures() {
  std::vector<std::string> all;
  for (const std::filesystem::path& root : {std::filesystem::path("../shared/cases"), std::filesystem::path("../../shared/cases")}) {
    std::error_code error;
    if (!std::filesystem::is_directory(root, error)) continue;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root, error)) {
      const std::string name = entry.path().string();
      if (!entry.is_regular_file() || entry.file_size() > 600'000) continue;
      if (name.ends_with(".pcap") || name.ends_with(".pcapng") || name.ends_with(".cap")) all.push_back(name);
    }
    break;
  }
  std::sort(all.begin(), all.end());
  const char* asked = std::getenv("WEIR_CAPTURES");
  if (asked != nullptr && std::string_view(asked) == "all") return all;
  std::vector<std::string> sample;
  for (std::size_t i = 0; i < all.size(); i += 11) sample.push_back(all[i]);
  return sample;
}

struct Outcome {
  std::vector<std::string> verdicts;  ///< By frame, from 1, less 1: verdict, rule.
  std::vector<std::string> events;
};

/// Runs a capture through an engine; `left_out`: frames that are not shown to it.
class Replay final : public engine::EventSink {
 public:
  Replay(const std::string& path, const std::shared_ptr<const policy::RuleSet>& rules, engine::Probe* probe, const std::vector<bool>& left_out = {}) {
    engine::EngineOptions options = small_engine();
    options.probe = probe;
    options.checksums = engine::Checksums::Ignore;
    engine::Engine engine(options, rules, *this);
    auto reader = CaptureReader::open(path, {});
    if (!reader) return;
    Frame frames[32];
    while (const std::size_t n = reader->next(frames)) {
      for (std::size_t i = 0; i < n; ++i) {
        const std::size_t number = ++count_;
        outcome_.verdicts.resize(number);
        if (number < left_out.size() + 1 && left_out[number - 1]) continue;
        Decision decision;
        engine.on_frames({&frames[i], 1}, {&decision, 1});
        if (decision.verdict != Verdict::Hold) note(decision);
      }
    }
    engine.finish();
  }
  const Outcome& outcome() const { return outcome_; }
  std::size_t frames() const { return count_; }

 private:
  void note(const Decision& d) { outcome_.verdicts[d.frame - 1] = (d.verdict == Verdict::Pass ? "pass " : "drop ") + std::to_string(d.rule); }
  void on_alert(const engine::AlertRecord& r) override { outcome_.events.push_back("alert " + std::to_string(r.frame) + " " + std::to_string(r.rule) + " " + std::to_string(r.flow_id)); }
  void on_flow(const engine::FlowRecord& r) override { outcome_.events.push_back("flow " + std::to_string(r.flow_id) + " " + std::to_string(r.app) + " " + std::to_string(r.bytes[0])); }
  void on_transaction(const View& view, std::uint64_t id) override { outcome_.events.push_back("said " + std::to_string(view.parser) + " " + std::to_string(id)); }
  void on_released(const Decision& d) override { note(d); }

  Outcome outcome_;
  std::size_t count_ = 0;
};

class Captures : public ::testing::Test {
 protected:
  void SetUp() override {
    all_ = captures();
    if (all_.empty()) GTEST_SKIP() << "no captures beside the project";
  }
  std::vector<std::string> all_;
};

TEST_F(Captures, TheOracleAgreesWithEachJudgement) {
  std::uint64_t judged = 0, differences = 0;
  std::uint32_t seed = 0;
  for (const std::string& path : all_) {
    SCOPED_TRACE(std::filesystem::path(path).filename().string() + ", seed " + std::to_string(++seed));
    RandomPolicy random(seed);
    const auto rules = rules_of(random.yaml(false));
    OracleProbe probe(*rules);
    const Replay replay(path, rules, &probe);
    judged += probe.judged();
    differences += probe.differences();
  }
  EXPECT_EQ(differences, 0U);
  EXPECT_GT(judged, all_.size());
  std::printf("%zu captures, %llu judgements\n", all_.size(), static_cast<unsigned long long>(judged));
}

TEST_F(Captures, TwoRunsGiveTheSameAndEachFrameOneVerdict) {
  std::uint32_t seed = 1000;
  for (const std::string& path : all_) {
    SCOPED_TRACE(std::filesystem::path(path).filename().string() + ", seed " + std::to_string(++seed));
    RandomPolicy random(seed);
    const auto rules = rules_of(random.yaml(true));
    const Replay one(path, rules, nullptr), two(path, rules, nullptr);
    EXPECT_EQ(one.outcome().verdicts, two.outcome().verdicts);
    EXPECT_EQ(one.outcome().events, two.outcome().events);
    EXPECT_EQ(std::count(one.outcome().verdicts.begin(), one.outcome().verdicts.end(), ""), 0) << "passed and dropped together are the input";
  }
}

// DESIGN: state is written only by frames that pass, save for denials themselves. So a second run that is shown only what passed passes it all,
// under the same rules. Policies without meters and rates: those count arrivals.
TEST_F(Captures, WhatWasDroppedChangedNoState) {
  std::uint32_t seed = 2000;
  for (const std::string& path : all_) {
    SCOPED_TRACE(std::filesystem::path(path).filename().string() + ", seed " + std::to_string(++seed));
    RandomPolicy random(seed);
    const std::string yaml = random.yaml(false);
    if (yaml.find("flow.packets") != std::string::npos || yaml.find("flow.bytes") != std::string::npos) continue;
    const auto rules = rules_of(yaml);
    const Replay first(path, rules, nullptr);
    std::vector<bool> dropped;
    for (const std::string& v : first.outcome().verdicts) dropped.push_back(v.starts_with("drop"));
    const Replay second(path, rules, nullptr, dropped);
    std::size_t shown = 0;
    for (std::size_t i = 0; i < dropped.size(); ++i) {
      if (dropped[i] || first.outcome().verdicts[i] == second.outcome().verdicts[i]) continue;
      if (++shown <= 3) ADD_FAILURE() << "frame " << i + 1 << ": " << first.outcome().verdicts[i] << ", without those dropped " << second.outcome().verdicts[i] << "\n" << yaml;
    }
  }
}

}  // namespace
}  // namespace weir::datapath
