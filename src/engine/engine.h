// SPDX-License-Identifier: Apache-2.0
#pragma once

// The engine: frames and time in, decisions out. A pure library: it opens no file or socket, reads no clock, starts no
// thread, and after construction takes memory only from its own pools. One engine is one ordered lane; it belongs to one thread.
//
//   decode → find the flow → (settled? done) → stream, identify, parse, describe → match → settle → commit → decide
//
// on_frames decides in order. A frame that must wait for others is answered Verdict::Hold, and its decision comes
// through EventSink::on_released later, in order within its flow; the datapath keeps its bytes until then.

#include <memory>
#include <span>

#include "engine/event.h"
#include "facts/decision.h"
#include "policy/match.h"

namespace weir::engine {

class Carrier;

enum class Checksums : std::uint8_t { Auto, Verify, Ignore };

/// Sees what rules see while one frame is judged (number 0: each frame), before it is forgotten: what `weir explain` prints, and what
/// the oracle in the tests compares.
class Probe {
 public:
  explicit Probe(std::uint64_t frame) : frame_(frame) {}
  virtual ~Probe() = default;
  std::uint64_t frame() const { return frame_; }
  /// The view is valid during the call. A frame is judged several times: with its headers, with each transaction, at a bound.
  virtual void on_judged(const View& view, const policy::Outcome& outcome) = 0;

 private:
  std::uint64_t frame_;
};

struct EngineOptions {
  std::uint32_t flows_max = 1 << 20;
  std::size_t pool_bytes = std::size_t{1} << 30;  ///< Address space for what unsettled flows hold; touched as used.
  std::size_t table_entries = 1 << 16;            ///< Of each bounded table (limits, names, denials …).
  std::uint64_t seed = 0x57656972;                ///< Fixed in replay, random inline.
  Checksums checksums = Checksums::Auto;
  bool identify = true;       ///< Seek the application of settled flows too, for reports. Never changes a verdict.
  FieldSet event_fields;      ///< Facts that reports want beyond those that rules ask for.
  Carrier* carrier = nullptr;  ///< Carries settled flows by itself; outlives the engine. nullptr: the engine sees every packet.
  Probe* probe = nullptr;     ///< Told each judgement of one frame: for explain. Never changes a verdict.
};

/// Every fact and protocol that this build knows. Made once; lives for the program.
const Vocabulary& vocabulary();

/// Facts of the vocabulary that this version never makes: a rule that asks for one does not match, and is warned of.
FieldSet unmade_fields();

class Lane;

class Engine {
 public:
  static constexpr std::size_t kBatchMax = 64;

  Engine(const EngineOptions& options, std::shared_ptr<const policy::RuleSet> rules, EventSink& sink);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// At most kBatchMax frames; `out[i]` answers `frames[i]`. Bytes that decisions point to live until the next call.
  /// `upcoming`: bytes that the datapath will read next, if they lie in memory that is not in the caches (a mapped file); they are
  /// asked for while these frames are decided, and not read.
  void on_frames(std::span<const Frame> frames, std::span<Decision> out, Bytes upcoming = {});
  /// Ends holds and idle flows without a packet.
  void on_time(Time now);
  /// Nothing more comes: holds are decided, flows end and are reported.
  void finish();

  const Counters& counters() const;
  const policy::RuleSet& rules() const;
  /// The facts of the last frame judged, as rules saw them: for explain. Valid until the next call.
  const View* last_view() const;
  /// What flows and tables hold of the pool now.
  std::size_t pool_used() const;

 private:
  std::unique_ptr<Lane> lane_;
};

}  // namespace weir::engine
