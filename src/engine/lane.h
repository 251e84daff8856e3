// SPDX-License-Identifier: Apache-2.0
#pragma once

// The inside of the engine: one ordered lane. The life of a frame reads down the declarations of Lane; each group of
// functions has a file of its own.

#include <deque>
#include <optional>
#include <vector>

#include "engine/engine.h"
#include "engine/live.h"
#include "engine/readings.h"
#include "engine/sender_table.h"
#include "facts/field_ids.h"
#include "policy/match.h"
#include "state/bans.h"
#include "state/buckets.h"
#include "state/denials.h"
#include "state/expectations.h"
#include "state/flow_table.h"
#include "state/fragments.h"
#include "state/names.h"
#include "state/syn_cookies.h"

namespace weir::engine {

using proto::Match;
using state::Flow;
using state::FlowKey;
using state::kNoFlow;

/// One IP layer of the frame at hand, on its way to a verdict.
struct Work {
  const Packet* packet = nullptr;
  const IpLayer* layer = nullptr;
  std::size_t depth = 0;
  FlowKey key;
  std::uint64_t hash = 0;
  std::uint32_t index = kNoFlow;
  Side side = Side::Client;
  bool created = false;       ///< The flow began with this packet.
  bool learns = true;         ///< False: nothing about the flow is remembered (an invalid packet, an ICMP error).
  bool unread = false;        ///< Bad checksum: its content is not read.
  bool right_checksum = false;  ///< It was looked at and is right.
  bool headers_unsure = false;  ///< No flow, and the direction is a guess: headers are judged with the ends both ways.
  Live* live = nullptr;
  FlowFacts* facts = nullptr;
  FlawSet flaws;
  AppChain app_before;        ///< UDP: restored if the datagram is dropped, once it is saved.
  bool app_saved = false;
  const state::Expected* expected = nullptr;
  AppId first_app = kUnknownApp, first_use = kUnknownApp;  ///< What identification of a first datagram found.

  Verdict verdict = Verdict::Pass;
  RuleId rule = kNoRule;
  Reason reason = Reason::Default;
  policy::Action action = policy::Action::Allow;
  policy::Reach reach = policy::Reach::Packet;
  bool denied = false;
  bool uncertain = false;     ///< A deny or pass is still possible.
  bool settles = false;
  bool no_room = false;      ///< A segment that fits nowhere now: dropped by name, sent again by TCP.
  bool uncounted = false;     ///< The answer to something denied, or a tombstone: no further alert.

  /// As new, for a layer of a packet. The key, its hash and `app_before` are set where they are used: not cleared.
  void begin(const Packet& of, const IpLayer* its_layer, std::size_t its_depth) {
    packet = &of;
    layer = its_layer;
    depth = its_depth;
    index = kNoFlow;
    side = Side::Client;
    created = unread = right_checksum = headers_unsure = denied = uncertain = settles = uncounted = no_room = app_saved = false;
    learns = true;
    live = nullptr;
    facts = nullptr;
    flaws = FlawSet{};
    expected = nullptr;
    first_app = kUnknownApp;
    verdict = Verdict::Pass;
    rule = kNoRule;
    reason = Reason::Default;
    action = policy::Action::Allow;
    reach = policy::Reach::Packet;
  }
};

class FlowDescriber;
struct Carried;
struct StoppedCount;

/// Protocols that a stream's first byte leaves possible, by side and byte.
struct FirstBytes {
  AppSet of[2][256];
};

class Lane final : public policy::Meters {
 public:
  Lane(const EngineOptions& options, std::shared_ptr<const policy::RuleSet> rules, EventSink& sink);
  ~Lane() override;

  void on_frames(std::span<const Frame> frames, std::span<Decision> out, Bytes upcoming);
  void on_time(Time now);
  void finish();

  // reload.cc: another rule set, and what becomes of flows that are older.
  Reloaded reload(std::shared_ptr<const policy::RuleSet> rules, const policy::Changes& changes);
  std::uint32_t generation() const { return generation_; }
  // survey.cc: what a person asks about a running engine.
  void go_on(Preview& preview, std::uint32_t slots, const std::function<void(const FlowNow&, RuleId)>& cut);
  std::uint32_t walk_flows(std::uint32_t first, std::uint32_t slots, const std::function<void(const FlowNow&)>& call) const;
  std::uint32_t walk_bans(std::uint32_t first, std::uint32_t slots, const std::function<void(const BanNow&)>& call);
  std::uint32_t walk_learned(std::uint32_t first, std::uint32_t slots, const std::function<void(const Learned&)>& call) {
    return readings_.walk_learned(first, slots, now_.mono_ns, call);
  }
  std::size_t recall(std::span<const Learned> learned, Time now) { return readings_.recall(learned, now.mono_ns); }
  void ban(const state::BanKey& key, Nanoseconds for_ns);
  bool unban(const state::BanKey& key);
  std::uint64_t bans_made() const { return bans_.made(); }
  std::vector<TableFill> tables() const;
  void look_with(Tap* tap) { tap_ = tap; }
  void know_host(std::shared_ptr<const state::HostNames> names) { host_ = std::move(names); }
  std::shared_ptr<const state::HostNames> host_names() const { return host_; }
  std::vector<std::string> names_told(const Ip& client, const Ip& address);
  std::shared_ptr<const policy::RuleSet> rules_in_force() const { return rules_; }

  const Counters& counters() const { return counters_; }
  const policy::RuleSet& rules() const { return *rules_; }
  std::size_t pool_used() const { return pool_.used(); }
  const View* last_view() const { return view_.packet == nullptr ? nullptr : &view_; }

 private:
  friend class FlowDescriber;

  // engine.cc: memory before it is needed.
  void read_headers(std::span<const Frame> frames);
  void prefetch_content(std::size_t slot) const;

  // settled.cc: the packets that most are.
  bool passes_as_settled(const Packet& packet, Decision& decision);

  // frame.cc: a frame, layer by layer; the strictest verdict wins.
  Decision decide(const Frame& frame, Packet& packet);
  Decision decide_packet(const Packet& packet);
  void judge_without_ip(const Packet& packet, Work& work);
  void judge_layer(Work& work);
  bool judge_fragment(Work& work);
  void judge_icmp_error(Work& work);
  void decide_datagram(state::Fragments::Datagram& datagram, const Packet& like, Decision& current);
  void give_up(state::Fragments::Datagram& datagram);
  void check_checksums(Work& work);
  struct Ports {
    std::uint16_t src, dst;
  };
  /// Of the flow's key: ICMP's identifier stands for both.
  static Ports ports_of(const IpLayer& layer) {
    if (!layer.has_transport) return {0, 0};
    if (layer.is_icmp()) return {layer.icmp_id, layer.icmp_id};
    return {layer.src_port, layer.dst_port};
  }
  static state::SynEnds syn_ends(const IpLayer& layer) { return {layer.src, layer.dst, layer.src_port, layer.dst_port}; }
  static void set_key(FlowKey& key, const IpLayer& layer, std::uint32_t domain);
  std::uint32_t domain_of(const Packet& packet) const;

  // flows.cc: finding, opening and ending flows.
  void find_flow(Work& work);
  void open_flow(Work& work);
  void choose_ends(Work& work);
  bool likely_server(const FlowKey& key, bool src) const;
  bool insert_flow(Work& work);
  void describe_ends(Work& work);
  void load_flow_facts(const Flow& flow, FlowFacts& facts) const;
  bool is_over(const Flow& flow) const;
  Nanoseconds idle_of(const Flow& flow) const;
  void end_flow(std::uint32_t index, FlowRecord::Ended ended);
  void close_flow(std::uint32_t index, FlowRecord::Ended ended);
  Live* make_live(Flow& flow);
  void free_live(Flow& flow);
  std::uint64_t flow_id(const Flow& flow) const;
  void expire();
  bool parent_denied(Flow& flow);
  const Sender* sender_of(const Work& work) const;
  void adopt_sender(Flow& flow, const Work& work);

  // content.cc: streams and datagrams to facts.
  void read_tcp(Work& work);
  void read_datagram(Work& work);
  void read_carried_datagram(Work& work, Bytes payload);
  void feed(Work& work, Side side);
  void start_parser(Live& live, AppId app);
  void finish_parser(Work& work);
  void stop_reading(Live& live);
  void lose_bytes(Work& work, Side side, std::uint64_t lost);
  void wind_up(const Flow& flow, Live& live);
  bool evidence_settled(const Flow& flow, const Live& live) const;
  bool may_settle(const Flow& flow, Live& live);
  void close_missing_facts(Live& live);
  void tell_of_flow(Work& work);
  void tell_of_rest(const Flow& flow, Live& live, const Packet* packet);

  // identify.cc: which protocol it is.
  bool identify_stream(Work& work, bool force);
  void identify_datagram(Work& work, Bytes payload);
  void identify_anew(Work& work, Bytes payload);
  AppId asked_app_of(const Work& work, const proto::Evidence& evidence) const;
  proto::Evidence evidence_of(const Work& work, Bytes payload) const;
  bool may_turn_out_otherwise(const Live& live, AppId app) const;
  void keep_evidence(Live& live, Side side, Bytes payload);
  AppId app_of_udp_port(std::uint16_t port) const;
  void settle_identity(Live& live, AppId app);

  // judge.cc: the rules.
  void judge(Work& work);
  bool judge_now(Work& work, bool at_bound);
  void show(const policy::Outcome& outcome) const {
    if (options_.probe == nullptr) return;
    if (options_.probe->frame() == 0 || view_.packet->frame->number == options_.probe->frame()) options_.probe->on_judged(view_, outcome);
  }
  bool inherits(const Work& work) const;
  bool take(Work& work, const policy::Outcome& judged);
  void judge_both_ways(Work& work);
  void read_further(Work& work);
  bool banned(Work& work);
  bool answers_for_syn(Work& work);
  void set_view(const Work& work, bool at_bound);

  // undecided.cc: payload while a deny is still possible.
  void resolve_undecided(Work& work);
  bool within_undecided_budget(Work& work);
  void release_held(Live& live, const Work& work);
  void end_holds(bool all);

  // commit.cc: what is remembered after the verdict.
  void commit(Work& work);
  void count(Flow& flow, Side side, const IpLayer& layer);
  void learn(std::uint32_t index, Side side, const IpLayer& layer, bool read);
  bool may_teach(const Flow& flow) const;
  bool seeks_on(const Flow& flow, const Live& live) const;
  void commit_denial(Work& work);
  void roll_back(Work& work);

  // meters.cc
  bool over_limit(RuleId id, const policy::Rule& rule, const View& view) override;
  bool ban_begins(RuleId id, const policy::Rule& rule, const View& view) override;
  std::optional<bool> counted_before(Live& live, RuleId id, bool of_transaction);
  std::uint64_t limit_key(const policy::Limit& limit, const View& view, bool enclosing) const;

  // reload.cc
  void take_rules();
  const policy::Changes& changes_since(std::uint32_t generation) const;
  void renew(std::uint32_t index);
  void renew_live(Flow& flow, Live& live, const policy::Changes& since);
  void reopen(Flow& flow, RuleId pinned);
  void keep_facts(Flow& flow, const Facts& facts);
  void release_kept(Flow& flow);
  void resume_reading(Live& live);
  void hide_unsaid(const FlowFacts& ends, Facts& facts) const;
  void recall_facts(const Flow& flow, const FlowFacts& ends, Facts& facts) const;
  policy::Outcome ask(const policy::RuleSet& rules, const policy::Candidates& candidates, const View& view, RuleId pinned, policy::Meters& meters) const;

  // survey.cc
  void show_to_tap(const Packet& packet, const Decision& decision);
  FlowNow flow_now(const Flow& flow) const;
  RuleId foresee(const Preview& preview, const Flow& flow);

  // alerts.cc
  struct GatherKey;
  struct Gathered;
  void describe_flow(const Flow& flow, FlowRecord& record) const;
  void report(const Work& work, const policy::Outcome& outcome);
  void alert(const Work& work, RuleId rule, policy::Action action, bool blocked, bool monitored);
  void alert_denial(Work& work);
  void fill(AlertRecord& record, const Work& work) const;
  void flush_gathered(bool all);
  GatherKey gather_key(RuleId rule, Reason reason, const Ip& src, const Ip& dst, std::uint16_t port, std::uint8_t protocol) const;
  Gathered* find_gathered(const GatherKey& key);
  Gathered& gather(const GatherKey& key);
  void report_flow(const Flow& flow, FlowRecord::Ended ended);

  // carrying.cc: settled flows that the datapath carries by itself.
  bool may_be_carried(const Flow& flow, const Work& work) const;
  void offer(Work& work);
  void catch_up(std::uint32_t index);
  void take_back(std::uint32_t index);
  void credit_due();
  void credit(const Carried& carried);

  // stopping.cc: what the datapath stops by itself.
  void tell_stopper(const Work& work);
  void serves(const FlowEnds& ends, bool more);
  void credit_stopped();
  void credit(const StoppedCount& stopped);

  // answers.cc
  void emit_answers(const Work& work, Decision& decision);

  const EngineOptions options_;
  std::shared_ptr<const policy::RuleSet> rules_;
  EventSink& sink_;
  Tap* tap_ = nullptr;
  const Vocabulary& words_;
  FieldSet wanted_;
  bool reports_facts_;  ///< Reports want facts of transactions, of settled flows too.
  std::deque<FieldSet> wanted_sets_;  ///< Of all generations, each once: facts of flows point into it.
  const FieldSet* wanted_set_ = nullptr;
  SlabPool pool_;
  state::FlowTable flows_;
  state::Fragments fragments_;
  state::Denials denials_;
  state::Expectations expectations_;
  state::Names names_;
  state::Buckets buckets_;
  state::Bans bans_;
  struct Offload {
    bool seen_right;
  };
  state::BoundedMap<Ip, Offload> right_checksums_;
  state::BoundedMap<Ip, std::uint8_t> known_clients_;
  state::SynCookies cookies_;
  Readings readings_;
  SenderTable senders_;
  Counters counters_;
  Time now_;
  std::uint32_t generation_ = 1;
  static constexpr std::size_t kGenerationsMax = 64;
  std::deque<std::shared_ptr<const policy::Changes>> since_;  ///< From earlier generations to the one in force, the latest last.
  std::vector<RuleId> meters_;       ///< By RuleId: the number under which a rule's limits and bans are counted, for good.
  RuleId meters_next_ = 0;

  // Candidates of identification: by transport, and for TCP by the first byte of the side that spoke first.
  AppSet tcp_apps_, udp_apps_, sctp_apps_;
  std::vector<std::pair<std::uint16_t, AppId>> udp_ports_;  ///< Registered ports, in order: who is asked first.
  const FirstBytes& first_bytes_;
  RuleId cookies_rule_ = kNoRule;  ///< guard.syn-cookies.
  std::uint8_t never_settled_ = tcp_flag::kSyn;  ///< A segment with one of these is looked at, whatever its flow.
  bool spares_known_ = false;  ///< A limit does not count known clients, so they are kept.
  RuleId undecided_rule_ = kNoRule;  ///< guard.undecided, where the policy writes it.
  AppSet asked_apps_;  ///< Protocols that rules ask about, by name or by a fact of theirs.
  AppSet extending_apps_;  ///< Protocols that may hand over to another.
  AppSet teachers_;        ///< Protocols that say what rules need to know of other flows.
  bool anything_taught_ = false;

  /// How many flows a server has, by a hash of its address: 0 is certain. Empty where there is no stopper.
  std::vector<std::uint32_t> serving_;

  // What the frame at hand teaches if it passes: names told by a DNS answer, flows announced.
  struct Lesson {
    std::uint32_t index;  ///< Of the flow that teaches.
    Ip address;
    std::uint32_t ttl_s, text_at, text_bytes;
  };
  struct Announcement {
    Ip client, server;
    std::uint16_t port;
    std::uint8_t protocol;
    state::Expected expected;
  };
  static constexpr std::size_t kLessonsMax = 128, kLessonBytesMax = 32768, kAnnouncementsMax = 16;
  std::vector<Lesson> lessons_;  ///< Reserved at start, as the two below.
  std::vector<char> lesson_text_;
  std::vector<Announcement> announcements_;
  // naming.cc: whom names are told to, and what a hello's name is worth.
  void learn_lessons();
  void forget_lessons();
  bool wants_names() const { return wanted_.test(field::kServerName) || wanted_.test(field::kSniBinding); }
  /// Who asked, for names: all addresses of a host are one.
  Ip asker(const Ip& client) const { return host_ != nullptr && host_->is_own(client) ? Ip{} : client; }
  void tell_names(const FlowEnds& ends, Facts& facts);
  void judge_hello_name(Live& live);
  void note_resolver(const Flow& flow);
  bool answers_others(const Flow& flow) const;
  std::shared_ptr<const state::HostNames> host_;
  /// Processes of this host that resolve names for others, the latest of them: what they ask is not asked by the host itself.
  static constexpr std::size_t kResolversMax = 8;
  std::array<std::uint64_t, kResolversMax> resolvers_{};
  std::size_t resolvers_next_ = 0;

  // Scratch of the frame at hand.
  /// What the first pass makes of this many frames, for the second: few enough that their headers stay in the innermost cache.
  static constexpr std::size_t kPass = 16;
  Packet packets_[kPass];
  std::uint64_t hashes_[kPass];  ///< Of the outermost layer's key.
  std::uint32_t domains_[kPass];
  std::uint32_t likely_[kPass];  ///< The flow that the second pass will most likely find.
  std::size_t slot_ = Engine::kBatchMax;  ///< Of the frame at hand; kBatchMax: a packet that was put together.
  Work works_[kLayersMax];
  FlowFacts scratch_facts_[kLayersMax];
  View view_;
  Work* current_ = nullptr;
  struct PacketMemo {
    RuleId rule;
    bool result;
  };
  PacketMemo packet_memo_[16];
  std::size_t packet_memo_count_ = 0;
  std::uint8_t emit_buffers_[Engine::kBatchMax][2][2048];  ///< Answers live until the next batch, so each frame has its own.
  std::vector<std::uint8_t> whole_;  ///< A datagram put together; its size is reserved at start.
  Packet whole_packet_;

  struct Hold {
    std::uint32_t flow;
    std::uint64_t first_frame;
    Nanoseconds deadline_ns;
  };
  std::vector<Hold> holds_;  ///< Ring of flows with held frames, by deadline.
  std::size_t holds_first_ = 0;

  /// Denials of packets without a flow, gathered so that a scan is not a million events.
  struct GatherKey {
    Ip src, dst;
    RuleId rule;
    std::uint16_t port;
    std::uint8_t protocol, kind;
    std::uint64_t sender;
    bool operator==(const GatherKey&) const = default;
  };
  struct Gathered {
    GatherKey key;
    AlertRecord first;
    SenderTable::Place sender = 0;  ///< Keeps what `first` points to.
    std::uint32_t more = 0;
  };
  struct GatherPlace {
    std::uint32_t index;
  };
  state::BoundedMap<GatherKey, GatherPlace> gather_places_;
  std::vector<Gathered> gathered_;
  static std::uint64_t hash(const GatherKey& key);
  Nanoseconds gather_flush_ns_ = 0;
};

}  // namespace weir::engine
