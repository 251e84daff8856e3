// SPDX-License-Identifier: Apache-2.0
// Properties of the engine over the captures beside the project, where they are: the oracle agrees with every judgement; two runs give the same;
// what was dropped changed no state; what passed and what was dropped are the input. Without the captures these tests skip with a word.
// WEIR_CAPTURES=all takes every capture, else a sample.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "datapath/capture/capture_reader.h"
#include "tests/kit/filter.h"
#include "tests/kit/oracle_probe.h"
#include "tests/kit/random_policy.h"
#include "wire/wire.h"

namespace weir::datapath {
namespace {

using namespace kit;

bool all_are_asked_for() {
  const char* asked = std::getenv("WEIR_CAPTURES");
  return asked != nullptr && std::string_view(asked) == "all";
}

/// Captures in the order of their names: a sample of those of a moderate size, unless all are asked for.
std::vector<std::string> captures() {
  const bool whole = all_are_asked_for();
  std::vector<std::string> all;
  for (const std::filesystem::path& root : {std::filesystem::path("../shared/cases"), std::filesystem::path("../../shared/cases")}) {
    std::error_code error;
    if (!std::filesystem::is_directory(root, error)) continue;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root, error)) {
      const std::string name = entry.path().string();
      if (!entry.is_regular_file() || (entry.file_size() > 600'000 && !whole)) continue;
      for (const std::string_view ending : {".pcap", ".pcapng", ".cap", ".trace", ".pcap.gz"})
        if (name.ends_with(ending)) all.push_back(name);
    }
    break;
  }
  std::sort(all.begin(), all.end());
  if (whole) return all;
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
        else held_.push_back(number);
      }
    }
    engine.finish();
  }
  const Outcome& outcome() const { return outcome_; }
  /// A frame that waited, while others passed on the strength of the flow that it opened, and was stopped in the end.
  bool stopped_what_it_held() const {
    return std::any_of(held_.begin(), held_.end(), [&](std::size_t number) { return outcome_.verdicts[number - 1].starts_with("drop"); });
  }
  std::size_t frames() const { return count_; }

 private:
  void note(const Decision& d) { outcome_.verdicts[d.frame - 1] = (d.verdict == Verdict::Pass ? "pass " : "drop ") + std::to_string(d.rule); }
  void on_alert(const engine::AlertRecord& r) override { outcome_.events.push_back("alert " + std::to_string(r.frame) + " " + std::to_string(r.rule) + " " + std::to_string(r.flow_id)); }
  void on_flow(const engine::FlowRecord& r) override { outcome_.events.push_back("flow " + std::to_string(r.flow_id) + " " + std::to_string(r.app) + " " + std::to_string(r.bytes[0])); }
  void on_transaction(const View& view, std::uint64_t id) override { outcome_.events.push_back("said " + std::to_string(view.parser) + " " + std::to_string(id)); }
  void on_released(const Decision& d) override { note(d); }

  Outcome outcome_;
  std::vector<std::size_t> held_;
  std::size_t count_ = 0;
};

/// The TCP flows of a capture and how they ended. `seed` other than 0: each segment over IPv4 is cut at random, and some pieces come twice.
class CutReplay final : public engine::EventSink {
 public:
  CutReplay(const std::string& path, const std::shared_ptr<const policy::RuleSet>& rules, std::uint32_t seed) : random_(seed) {
    engine::EngineOptions options = small_engine();
    options.checksums = engine::Checksums::Ignore;
    engine::Engine engine(options, rules, *this);
    auto reader = CaptureReader::open(path, {});
    if (!reader) return;
    Frame frames[32];
    while (const std::size_t n = reader->next(frames))
      for (std::size_t i = 0; i < n; ++i) {
        if (seed == 0 || !cut(engine, frames[i])) give(engine, frames[i], frames[i].bytes);
      }
    engine.finish();
  }
  std::map<std::string, std::string> flows;

 private:
  void give(engine::Engine& engine, Frame frame, Bytes bytes) {
    frame.number = ++number_;
    frame.bytes = bytes;
    frame.wire_bytes = std::max(frame.wire_bytes, static_cast<std::uint32_t>(bytes.size()));
    Decision decision;
    engine.on_frames({&frame, 1}, {&decision, 1});
  }
  bool cut(engine::Engine& engine, const Frame& frame) {
    Packet packet;
    wire::parse(frame, packet);
    if (packet.layers_count != 1) return false;
    const IpLayer& l = packet.layers[0];
    constexpr std::uint8_t kOthers = tcp_flag::kSyn | tcp_flag::kFin | tcp_flag::kRst;
    if (!l.is_tcp() || l.version != 4 || l.fragment != FragmentKind::No || l.payload_bytes < 2 || (l.tcp_flags & kOthers) != 0) return false;
    if (l.payload_wire_bytes != l.payload_bytes) return false;
    const std::size_t tcp_at = l.ip_payload_offset;
    for (std::size_t at = 0; at < l.payload_bytes;) {
      const std::size_t n = std::min<std::size_t>(l.payload_bytes - at, 1 + random_() % 500);
      std::vector<std::uint8_t> piece(frame.bytes.begin(), frame.bytes.begin() + static_cast<std::ptrdiff_t>(l.payload_offset));
      const Bytes payload = frame.bytes.subspan(l.payload_offset + at, n);
      piece.insert(piece.end(), payload.begin(), payload.end());
      store_be16(&piece[l.ip_offset + 2], static_cast<std::uint16_t>(piece.size() - l.ip_offset));
      store_be32(&piece[tcp_at + 4], l.tcp_seq + static_cast<std::uint32_t>(at));
      Frame shorter = frame;
      shorter.wire_bytes = static_cast<std::uint32_t>(piece.size());
      give(engine, shorter, piece);
      if (random_() % 4 == 0) give(engine, shorter, piece);
      at += n;
    }
    return true;
  }
  void on_alert(const engine::AlertRecord&) override {}
  void on_flow(const engine::FlowRecord& r) override {
    if (r.ends.protocol != ip_protocol::kTcp) return;
    std::string how = r.acted == engine::FlowRecord::Acted::Passed ? "passed" : "denied";
    for (std::size_t i = 0; i < r.chain_count; ++i) how += " " + std::string(engine::vocabulary().app(r.chain[i]).name);
    std::string& all = flows[render(r.ends.client) + ":" + std::to_string(r.ends.client_port) + " " + render(r.ends.server) + ":" + std::to_string(r.ends.server_port)];
    all += all.empty() ? how : ", " + how;
  }
  void on_transaction(const View&, std::uint64_t) override {}
  void on_released(const Decision&) override {}

  std::mt19937 random_;
  std::uint64_t number_ = 0;
};

std::map<std::string, std::string> flows_of(const std::string& path, const std::shared_ptr<const policy::RuleSet>& rules, std::uint32_t seed) {
  return std::move(CutReplay(path, rules, seed).flows);
}

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
  const std::size_t policies = all_are_asked_for() ? 8 : 1;  // For each capture.
  for (std::size_t i = 0; i < policies * all_.size(); ++i) {
    const std::string& path = all_[i % all_.size()];
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
// under the same rules. Policies without meters and rates: those count arrivals. A held frame opens its flow before it is decided.
TEST_F(Captures, WhatWasDroppedChangedNoState) {
  std::uint32_t seed = 2000;
  const std::size_t policies = all_are_asked_for() ? 8 : 1;
  for (std::size_t k = 0; k < policies * all_.size(); ++k) {
    const std::string& path = all_[k % all_.size()];
    SCOPED_TRACE(std::filesystem::path(path).filename().string() + ", seed " + std::to_string(++seed));
    RandomPolicy random(seed);
    const std::string yaml = random.yaml(false);
    if (yaml.find("flow.packets") != std::string::npos || yaml.find("flow.bytes") != std::string::npos) continue;
    const auto rules = rules_of(yaml);
    const Replay first(path, rules, nullptr);
    if (first.stopped_what_it_held()) continue;
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

// Cutting TCP into other segments, some of them sent twice, changes no verdict for what a flow says.
TEST_F(Captures, NoCutOfTheirStreamsChangesAVerdict) {
  const auto rules = rules_of(R"(weir: 1
idle: { tcp: 24h }
rules:
  - { name: sni, match: { tls.sni: present }, action: drop }
  - { name: version, match: { tls.version: present, not.tls.alpn: absent }, action: drop }
  - { name: host, match: { http.host: present, http.method: [ POST, PUT ] }, action: drop }
  - { name: status, match: { http.status: 404 }, action: drop }
  - { name: query, match: { dns.qname: present }, action: drop }
  - { name: share, match: { smb.share: present }, action: drop }
  - { name: dialect, match: { smb.dialect: '1' }, action: drop }
  - { name: ssh, match: { ssh.software: present }, action: drop }
  - { name: mail, match: { smtp.from: present }, action: drop }
  - { name: ftp, match: { ftp.command: [ STOR, RETR, PORT ] }, action: drop }
  - { name: names, match: { app.protocol: [ telnet, imap, pop3, irc, rdp ] }, action: drop })");
  std::size_t flows = 0, denied = 0, shown = 0;
  for (std::size_t i = 0; i < all_.size(); ++i) {
    const auto whole = flows_of(all_[i], rules, 0), cut = flows_of(all_[i], rules, static_cast<std::uint32_t>(i + 1));
    for (const auto& [ends, verdict] : whole) {
      ++flows;
      denied += verdict.starts_with("denied") ? 1U : 0U;
      const auto found = cut.find(ends);
      if (found != cut.end() && found->second == verdict) continue;
      if (++shown <= 8) ADD_FAILURE() << all_[i] << ": " << ends << " whole: " << verdict << ", cut: " << (found == cut.end() ? "no such flow" : found->second);
    }
  }
  EXPECT_EQ(shown, 0U) << "of " << flows << " flows, " << denied << " denied";
}

}  // namespace
}  // namespace weir::datapath
