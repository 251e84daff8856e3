// SPDX-License-Identifier: Apache-2.0
#include "engine/engine.h"

#include <algorithm>

#include "engine/carrier.h"
#include "engine/detectors.h"
#include "engine/lane.h"
#include "engine/stopper.h"
#include "facts/field_ids.h"
#include "proto/registry.h"
#include "wire/wire.h"

namespace weir::engine {
namespace {

/// What rules and reports ask for, and what the readings that rules ask for are made of.
FieldSet wanted_fields(const policy::RuleSet& rules, const EngineOptions& options, const Vocabulary& words) {
  FieldSet wanted = rules.wanted() | options.event_fields;
  const auto also = [&](std::string_view name) {
    if (const FieldRow* row = words.field(name)) wanted.set(row->id);
  };
  if (rules.wants(field::kDnsTunnel)) also("dns.qname"), also("dns.domain");
  if (rules.wants(field::kAuthBinding)) also("auth.user");
  if (rules.wants(field::kDhcpMacMismatch)) also("dhcp.client_mac");
  Detectors::also_wanted(rules, wanted);
  // DNS is read for the names that its answers teach.
  if (rules.wants(field::kServerName) || rules.wants(field::kSniBinding)) also("dns.answer");
  if (rules.wants(field::kSniBinding)) also("tls.sni");
  return wanted;
}

/// What a first byte of either side rules out: asked once of each protocol, for all engines of the program.
const FirstBytes& first_bytes() {
  static const auto asked = [] {
    auto out = std::make_unique<FirstBytes>();
    for (const proto::Protocol* const& p : proto::protocols()) {
      if (!p->tcp || p->identify == nullptr) continue;
      const auto id = static_cast<AppId>(&p - proto::protocols().data());
      // Those that are told by their port too (LLMNR) are asked at one that they are registered for.
      const std::uint16_t port = p->tcp_ports.empty() ? std::uint16_t{0} : p->tcp_ports[0];
      for (std::size_t side = 0; side < 2; ++side)
        for (unsigned b = 0; b < 256; ++b) {
          const auto byte = static_cast<std::uint8_t>(b);
          const Bytes one(&byte, 1);
          proto::Evidence evidence{.client = side == 0 ? one : Bytes{}, .server = side == 0 ? Bytes{} : one, .server_first = side == 1};
          bool may = p->identify(evidence) != Match::No;
          if (!may && port != 0) {
            evidence.server_port = port;
            may = p->identify(evidence) != Match::No;
          }
          if (may) out->of[side][b].add(id);
        }
    }
    return out;
  }();
  return *asked;
}

/// Whether the rule answers otherwise for a flow that another announced than for a new one. (An essential rule asks for ICMP errors.)
bool tells_announced(const policy::CompiledRule& rule) {
  if (rule.rule->essential) return false;
  const auto tells = [](const policy::CompiledCondition& c) {
    if (c.condition->field != field::kFlowState) return false;
    const auto has = [&](FlowState state) {
      return std::any_of(c.condition->values.numbers.begin(), c.condition->values.numbers.end(), [state](const policy::NumberRange& range) {
        return range.first <= static_cast<std::uint64_t>(state) && static_cast<std::uint64_t>(state) <= range.last;
      });
    };
    return has(FlowState::New) != has(FlowState::Related);
  };
  return std::any_of(rule.match.begin(), rule.match.end(), tells) ||
         std::any_of(rule.unless.begin(), rule.unless.end(), [&](const auto& map) { return std::any_of(map.begin(), map.end(), tells); });
}

}  // namespace

Lane::Lane(const EngineOptions& options, std::shared_ptr<const policy::RuleSet> rules, EventSink& sink)
    : options_(options),
      rules_(std::move(rules)),
      sink_(sink),
      words_(vocabulary()),
      reports_facts_(options.event_fields.any()),
      pool_(options.pool_bytes),
      flows_(options.flows_max, options.seed),
      fragments_(pool_),
      denials_(options.table_entries),
      expectations_(options.table_entries / 8),
      names_(options.table_entries, pool_),
      buckets_(options.table_entries),
      bans_(options.table_entries),
      right_checksums_(options.table_entries),
      known_clients_(options.table_entries),
      cookies_(options.seed, options.table_entries),
      readings_(*rules_, options.table_entries, pool_),
      senders_(pool_, options.senders),
      first_bytes_(first_bytes()),
      gather_places_(4096) {
  view_.has_senders = options.senders;
  counters_.rules.resize(rules_->rules().size() + 1);
  counters_.apps.resize(words_.apps().size());
  whole_.reserve(65536 + 256);
  lessons_.reserve(kLessonsMax);
  lesson_text_.reserve(kLessonBytesMax);
  announcements_.reserve(kAnnouncementsMax);
  gathered_.reserve(4096);
  for (const proto::Protocol* const& p : proto::protocols()) {
    const auto id = static_cast<AppId>(&p - proto::protocols().data());
    if (p->may_extend) extending_apps_.add(id);
    if (id != kUnknownApp && p->identify == nullptr) continue;
    if (p->tcp || id == kUnknownApp) tcp_apps_.add(id);
    if (p->udp || id == kUnknownApp) udp_apps_.add(id);
    for (const std::uint16_t port : p->udp_ports)
      if (p->udp) udp_ports_.emplace_back(port, id);
    if (p->sctp || id == kUnknownApp) sctp_apps_.add(id);
  }
  std::sort(udp_ports_.begin(), udp_ports_.end());
  for (RuleId id = 0; id < rules_->rules().size(); ++id) meters_.push_back(meters_next_++);
  if (options_.stopper != nullptr) {
    constexpr std::size_t kServersApart = 1 << 16;
    serving_.resize(kServersApart);
    options_.stopper->on_cookie_key(cookies_.key());
    options_.stopper->on_rules(rules_, generation_);
  }
  take_rules();
}

/// What is made of the rules in force, beside counters and readings.
void Lane::take_rules() {
  wanted_ = wanted_fields(*rules_, options_, words_);
  const auto known = std::find(wanted_sets_.begin(), wanted_sets_.end(), wanted_);
  wanted_set_ = known != wanted_sets_.end() ? &*known : &wanted_sets_.emplace_back(wanted_);
  undecided_rule_ = kNoRule;
  asked_apps_ = AppSet();
  spares_known_ = false;
  cookies_rule_ = kNoRule;
  teachers_ = AppSet();
  const bool related_matters = rules_->policy().default_action != policy::Action::Allow ||
                               std::any_of(rules_->rules().begin(), rules_->rules().end(), tells_announced);
  for (const proto::Protocol* const& p : proto::protocols()) {
    const bool needed = p->teaches == proto::Teaches::Names ? wants_names()
                                                            : p->teaches == proto::Teaches::Flows && related_matters;
    if (needed) teachers_.add(static_cast<AppId>(&p - proto::protocols().data()));
  }
  anything_taught_ = !teachers_.empty();
  for (const policy::CompiledRule& rule : rules_->rules()) {
    if (rule.rule->name == "guard.undecided") undecided_rule_ = static_cast<RuleId>(&rule - rules_->rules().data());
    spares_known_ = spares_known_ || rule.rule->limit.spare_known;
    if (rule.rule->limit.asks_source && !rule.rule->monitor) cookies_rule_ = static_cast<RuleId>(&rule - rules_->rules().data());
    const auto ask = [this](const policy::CompiledCondition& c) {
      asked_apps_.add(c.condition->values.apps);
      asked_apps_.add(words_.owners(c.condition->field));
    };
    for (const policy::CompiledCondition& c : rule.match) ask(c);
    for (const auto& map : rule.unless)
      for (const policy::CompiledCondition& c : map) ask(c);
  }
  // Who is asked for its SYN answers by a reset, which may be of a flow from before.
  never_settled_ = static_cast<std::uint8_t>(tcp_flag::kSyn | (cookies_rule_ != kNoRule ? tcp_flag::kRst : 0));
}

void Lane::ban(const state::BanKey& key, Nanoseconds for_ns) {
  bans_.ban(key, kOperatorRule, now_.mono_ns + for_ns, now_.mono_ns);
  if (options_.carrier != nullptr) options_.carrier->on_banned(key);
  if (options_.stopper != nullptr) options_.stopper->on_wanted(key.ip);  // It may have been for longer.
}

/// The protocol that the port of a datagram is registered for, or kUnknownApp.
AppId Lane::app_of_udp_port(std::uint16_t port) const {
  const auto at = std::lower_bound(udp_ports_.begin(), udp_ports_.end(), std::pair<std::uint16_t, AppId>(port, 0));
  return at != udp_ports_.end() && at->first == port ? at->second : kUnknownApp;
}

Lane::~Lane() {
  flows_.for_each([this](std::uint32_t index) {
    free_live(flows_.at(index));
    release_kept(flows_.at(index));
  });
}

namespace {

constexpr std::size_t kCacheLine = 64;

void prefetch(Bytes bytes) {
  for (std::size_t at = 0; at < bytes.size(); at += kCacheLine) __builtin_prefetch(bytes.data() + at);
}

}  // namespace

/// Pass 1: headers, and which lines the second pass will touch: first the group of the flow table, then the flow.
void Lane::read_headers(std::span<const Frame> frames) {
  for (std::size_t i = 0; i < frames.size(); ++i) {
    wire::parse(frames[i], packets_[i]);
    if (packets_[i].layers_count == 0) continue;
    domains_[i] = domain_of(packets_[i]);
    // The key itself is made in pass 2: copied now, so soon after it was written in pieces, it would stall.
    const IpLayer& layer = packets_[i].layers[0];
    const Ports ports = ports_of(layer);
    hashes_[i] = flows_.hash(layer.src, layer.dst, ports.src, ports.dst, layer.protocol, domains_[i]);
    flows_.prefetch(hashes_[i]);
  }
  for (std::size_t i = 0; i < frames.size(); ++i) {
    likely_[i] = packets_[i].layers_count == 0 ? kNoFlow : flows_.likely(hashes_[i]);
    if (likely_[i] != kNoFlow) flows_.prefetch_flow(likely_[i]);
  }
}

/// What an unsettled flow's content is read into, shortly before.
void Lane::prefetch_content(std::size_t slot) const {
  if (likely_[slot] == kNoFlow) return;
  const Flow& flow = flows_.at(likely_[slot]);
  if (flow.live != nullptr) prefetch({reinterpret_cast<const std::uint8_t*>(flow.live), sizeof(Live)});
}

void Lane::on_frames(std::span<const Frame> frames, std::span<Decision> out, Bytes upcoming) {
  CHECK(frames.size() <= Engine::kBatchMax && out.size() >= frames.size());
  // Pass 2: in order. What comes next in memory is asked for evenly meanwhile: at once, the requests would wait for each other.
  constexpr std::size_t kContentAhead = 2;
  const std::size_t share = frames.empty() ? 0 : (upcoming.size() / frames.size() + kCacheLine) / kCacheLine * kCacheLine;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const std::size_t at = i % kPass;
    const std::size_t passed = std::min(kPass, frames.size() - (i - at));
    if (at == 0) read_headers(frames.subspan(i, passed));
    if (at + kContentAhead < passed) prefetch_content(at + kContentAhead);
    if (i * share < upcoming.size()) prefetch(upcoming.subspan(i * share, std::min(share, upcoming.size() - i * share)));
    on_time(frames[i].time);
    slot_ = i;
    out[i] = decide(frames[i], packets_[at]);
  }
}

void Lane::on_time(Time now) {
  now_.wall_ns = now.wall_ns;
  if (now.mono_ns > now_.mono_ns) now_.mono_ns = now.mono_ns;  // It never goes back.
  if (options_.carrier != nullptr) credit_due();
  if (options_.stopper != nullptr) credit_stopped();
  if (holds_first_ < holds_.size()) end_holds(false);
  if (flows_.anything_due(now_.mono_ns)) expire();
  if (fragments_.any())
    fragments_.for_each_due(now_.mono_ns, false, [this](state::Fragments::Datagram& d) {
      give_up(d);
      fragments_.release(d);
    });
  if (gather_flush_ns_ != 0) flush_gathered(false);
}

void Lane::finish() {
  end_holds(true);
  fragments_.for_each_due(now_.mono_ns, true, [this](state::Fragments::Datagram& d) {
    give_up(d);
    fragments_.release(d);
  });
  flush_gathered(true);
  std::vector<std::pair<std::uint64_t, std::uint32_t>> left;  // By the flow's first frame.
  left.reserve(flows_.size());
  flows_.for_each([&](std::uint32_t index) { left.emplace_back(flows_.at(index).first_frame, index); });
  std::sort(left.begin(), left.end());
  for (const auto& [first_frame, index] : left) {
    const Flow& flow = flows_.at(index);
    const bool closed = flow.phase == state::TcpPhase::Closed;
    close_flow(index, closed ? (flow.reset ? FlowRecord::Ended::Reset : FlowRecord::Ended::Closed) : FlowRecord::Ended::Shutdown);
  }
  flows_.clear();
}

Engine::Engine(const EngineOptions& options, std::shared_ptr<const policy::RuleSet> rules, EventSink& sink)
    : lane_(std::make_unique<Lane>(options, std::move(rules), sink)) {}
Engine::~Engine() = default;

void Engine::on_frames(std::span<const Frame> frames, std::span<Decision> out, Bytes upcoming) { lane_->on_frames(frames, out, upcoming); }
void Engine::on_time(Time now) { lane_->on_time(now); }
void Engine::finish() { lane_->finish(); }
Reloaded Engine::reload(std::shared_ptr<const policy::RuleSet> rules) {
  const policy::Changes changes = policy::changes_between(lane_->rules(), *rules);
  return lane_->reload(std::move(rules), changes);
}
Reloaded Engine::reload(std::shared_ptr<const policy::RuleSet> rules, const policy::Changes& changes) {
  return lane_->reload(std::move(rules), changes);
}
std::uint32_t Engine::generation() const { return lane_->generation(); }
Preview Engine::begin_preview(std::shared_ptr<const policy::RuleSet> rules, policy::Changes changes) const {
  return {.rules = std::move(rules), .changes = std::move(changes), .generation = lane_->generation()};
}
void Engine::go_on(Preview& preview, std::uint32_t slots, const std::function<void(const FlowNow&, RuleId)>& cut) {
  lane_->go_on(preview, slots, cut);
}
std::uint32_t Engine::walk_flows(std::uint32_t first, std::uint32_t slots, const std::function<void(const FlowNow&)>& call) const {
  return lane_->walk_flows(first, slots, call);
}
std::uint32_t Engine::walk_bans(std::uint32_t first, std::uint32_t slots, const std::function<void(const BanNow&)>& call) {
  return lane_->walk_bans(first, slots, call);
}
std::uint32_t Engine::walk_learned(std::uint32_t first, std::uint32_t slots, const std::function<void(const Learned&)>& call) {
  return lane_->walk_learned(first, slots, call);
}
std::size_t Engine::recall(std::span<const Learned> learned, Time now) { return lane_->recall(learned, now); }
void Engine::ban(const state::BanKey& key, Nanoseconds for_ns) { lane_->ban(key, for_ns); }
bool Engine::unban(const state::BanKey& key) { return lane_->unban(key); }
std::uint64_t Engine::bans_made() const { return lane_->bans_made(); }
void Engine::know_host(std::shared_ptr<const state::HostNames> names) { lane_->know_host(std::move(names)); }
std::vector<std::string> Engine::names_told(const Ip& client, const Ip& address) { return lane_->names_told(client, address); }
std::shared_ptr<const state::HostNames> Engine::host_names() const { return lane_->host_names(); }
void Engine::look_with(Tap* tap) { lane_->look_with(tap); }
std::shared_ptr<const policy::RuleSet> Engine::rules_in_force() const { return lane_->rules_in_force(); }
std::vector<TableFill> Engine::tables() const { return lane_->tables(); }
const Counters& Engine::counters() const { return lane_->counters(); }
const policy::RuleSet& Engine::rules() const { return lane_->rules(); }
const View* Engine::last_view() const { return lane_->last_view(); }
std::size_t Engine::pool_used() const { return lane_->pool_used(); }

}  // namespace weir::engine
