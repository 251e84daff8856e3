// SPDX-License-Identifier: Apache-2.0
#pragma once

// The engine: frames and time in, decisions out. A pure library: it opens no file or socket, reads no clock, starts no
// thread, and after construction takes memory only from its own pools. One engine is one ordered lane; it belongs to one thread.
//
//   decode → find the flow → (settled? done) → stream, identify, parse, describe → match → settle → commit → decide
//
// on_frames decides in order. A frame that must wait for others is answered Verdict::Hold, and its decision comes
// through EventSink::on_released later, in order within its flow; the datapath keeps its bytes until then.

#include <functional>
#include <memory>
#include <span>

#include "engine/event.h"
#include "facts/decision.h"
#include "policy/changes.h"
#include "policy/match.h"
#include "state/bans.h"
#include "state/host_names.h"

namespace weir::engine {

class Carrier;
class Stopper;

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

/// Sees every frame with its verdict so far, settled ones too: what `weir capture` looks at.
class Tap {
 public:
  virtual ~Tap() = default;
  /// The innermost layer, its flow and what is known of it. Valid during the call. A frame that is held is told again, without a
  /// view, by EventSink::on_released.
  virtual void on_frame(const View& view, const Decision& decision) = 0;
};

struct EngineOptions {
  std::uint32_t flows_max = 1 << 20;
  std::size_t pool_bytes = std::size_t{1} << 30;  ///< Address space for what unsettled flows hold; touched as used.
  std::size_t table_entries = 1 << 16;            ///< Of each bounded table (limits, names, denials …).
  std::uint64_t seed = 0x57656972;                ///< Fixed in replay, random inline.
  Checksums checksums = Checksums::Auto;
  bool reloads = false;       ///< Flows keep what a reload asks for again (names and the like). Never changes a verdict by itself.
  bool senders = false;       ///< Frames say who has their socket, or that nobody is known: the facts of a host's processes are there.
  bool identify = true;       ///< Seek the application of settled flows too, for reports. Never changes a verdict.
  FieldSet event_fields;      ///< Facts that reports want beyond those that rules ask for.
  Carrier* carrier = nullptr;  ///< Carries settled flows by itself; outlives the engine. nullptr: the engine sees every packet.
  Stopper* stopper = nullptr; ///< Stops by itself what headers alone condemn; outlives the engine. nullptr: the engine sees it all.
  Probe* probe = nullptr;     ///< Told each judgement of one frame: for explain. Never changes a verdict.
};

/// Every fact and protocol that this build knows. Made once; lives for the program.
const Vocabulary& vocabulary();

/// Facts of the vocabulary that this version never makes: a rule that asks for one does not match, and is warned of.
FieldSet unmade_fields();

/// A flow that lives, as a walk over them shows it.
struct FlowNow {
  FlowRecord record;       ///< So far; `ended` says nothing.
  bool denied = false, settled = false, held = false;
  Nanoseconds idle_ns = 0, idle_ns_max = 0;  ///< Since its last packet that counts; how long it may be.
};

struct BanNow {
  state::BanKey key;
  RuleId rule = kNoRule;   ///< kOperatorRule: a person's.
  Nanoseconds left_ns = 0;
};

/// What a reload did at once. Flows are looked at again with their next packet.
struct Reloaded {
  std::uint32_t generation = 0;
  bool identical = false;              ///< Nothing would be decided otherwise: no flow is looked at again.
  std::uint64_t bans_dropped = 0;      ///< Their rule is gone, as with
  std::uint64_t denials_dropped = 0;   ///< requests whose answers are no longer stopped for that, and
  std::uint32_t meters_dropped = 0;    ///< limits and bans whose counts begin anew.
  std::shared_ptr<const policy::RuleSet> before;
};

/// A question to the engine: which flows would a rule set cut? Asked in slices, between batches, of one and the same engine.
struct Preview {
  std::shared_ptr<const policy::RuleSet> rules;
  policy::Changes changes;        ///< From the rule set in force to `rules`.
  std::uint32_t generation = 0;   ///< Of the engine when it began; where that changed meanwhile, the answer is worth nothing.
  std::uint32_t next = 0;         ///< Where the next slice begins.
  std::uint64_t looked_at = 0, cut = 0;
  bool done = false;
};

/// Something that guards of the second layer have learned, for whoever keeps it over a restart.
struct Learned {
  enum class Of : std::uint8_t { Arp, Nd, Source, Station };  ///< The bindings of an inspection or of source-guard; a sticky address of port-security.
  Of of = Of::Arp;
  Ip ip;                             ///< Of a station: unspecified.
  Mac mac;
  PortIndex port = kNoPort;
  Nanoseconds until_ns = INT64_MAX;  ///< Monotonic.
};

/// How full a table is, and what happens where it is full.
struct TableFill {
  std::string_view name;
  std::uint64_t used = 0, capacity = 0;  ///< used: UINT64_MAX where it is not counted.
  std::uint64_t evicted = 0;             ///< Live entries that had to go for others, or news refused.
  std::string_view when_full;
};

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

  /// Another rule set from the next frame on, whole. Cheap: nothing is walked but what denials and bans keep. Limits, bans, names,
  /// rates and bindings go on where their rule is still there. `changes` may be made elsewhere: changes_between(rules(), *rules).
  Reloaded reload(std::shared_ptr<const policy::RuleSet> rules);
  Reloaded reload(std::shared_ptr<const policy::RuleSet> rules, const policy::Changes& changes);
  /// Rises with each reload: whoever keeps verdicts elsewhere asks again for those of an older one.
  std::uint32_t generation() const;

  Preview begin_preview(std::shared_ptr<const policy::RuleSet> rules, policy::Changes changes) const;
  /// Looks at the next `slots` places of the flow table; calls with each flow that would be cut, and by which of the new rules. What only
  /// a later packet can tell (a rate, a flag) is not foreseen.
  void go_on(Preview& preview, std::uint32_t slots, const std::function<void(const FlowNow&, RuleId)>& cut);

  /// Flows among the next `slots` places from `first` on. Returns where to go on; kNoMore where the table ends.
  static constexpr std::uint32_t kNoMore = 0xffffffff;
  std::uint32_t walk_flows(std::uint32_t first, std::uint32_t slots, const std::function<void(const FlowNow&)>& call) const;
  std::uint32_t walk_bans(std::uint32_t first, std::uint32_t slots, const std::function<void(const BanNow&)>& call);
  /// On a host: its own addresses, which are one client of DNS from now on, and the names that its file gives, for flows that begin from now on.
  void know_host(std::shared_ptr<const state::HostNames> names);
  /// nullptr: it was told of none.
  std::shared_ptr<const state::HostNames> host_names() const;
  /// What the client was told for the address, on a host also by its file. Nothing where no rule and no report asks for names.
  std::vector<std::string> names_told(const Ip& client, const Ip& address);
  /// By a person's word. A ban that a rule made for the same is replaced.
  void ban(const state::BanKey& key, Nanoseconds for_ns);
  /// False: there was none.
  bool unban(const state::BanKey& key);
  /// Bans made since the start, by rules and persons: verdicts kept elsewhere are to be asked again when it rises.
  std::uint64_t bans_made() const;
  /// What was learned and lasts, among the next `slots` places from `first` on. Returns where to go on; kNoMore at the end.
  std::uint32_t walk_learned(std::uint32_t first, std::uint32_t slots, const std::function<void(const Learned&)>& call);
  /// From an earlier run, before the first frame. What the rules in force do not learn, or has ended, is left out; how many were taken.
  std::size_t recall(std::span<const Learned> learned, Time now);
  std::vector<TableFill> tables() const;
  /// nullptr: nobody looks. The tap outlives the engine, or is taken off before it goes.
  void look_with(Tap* tap);

  const Counters& counters() const;
  const policy::RuleSet& rules() const;
  std::shared_ptr<const policy::RuleSet> rules_in_force() const;
  /// The facts of the last frame judged, as rules saw them: for explain. Valid until the next call.
  const View* last_view() const;
  /// What flows and tables hold of the pool now.
  std::size_t pool_used() const;

 private:
  std::unique_ptr<Lane> lane_;
};

}  // namespace weir::engine
