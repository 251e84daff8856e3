// SPDX-License-Identifier: Apache-2.0
#include "cli/learn/rehearsal.h"

#include <algorithm>
#include <set>

#include "base/check.h"
#include "cli/control_client.h"
#include "cli/traffic.h"
#include "datapath/capture/capture_reader.h"
#include "facts/field_ids.h"
#include "policy/document.h"

namespace weir::cli {
namespace {

engine::EngineOptions engine_options(std::uint32_t flows_max) {
  engine::EngineOptions out;
  out.flows_max = flows_max;
  out.table_entries = std::max<std::size_t>(flows_max / 16, 1024);
  return out;
}

/// All frames of the captures, in order. What broke one off, or nothing; an error if none of it can be read.
Result<std::string> play(const LearnOptions& options, engine::Engine& engine, const std::function<void(const Decision&)>& decided) {
  const policy::Policy& policy = engine.rules().policy();
  datapath::CaptureOptions how;
  how.port_of = [&policy](std::string_view name) { return port_of(policy, name); };
  std::string fault;
  Frame frames[32];
  Decision decisions[32];
  for (const CaptureInput& capture : options.captures) {
    how.port = capture.port.empty() ? kNoPort : port_of(policy, capture.port);
    auto reader = datapath::CaptureReader::open(capture.path, how);
    if (!reader) return reader.error();
    while (const std::size_t n = reader->next(frames)) {
      engine.on_frames({frames, n}, decisions);
      for (std::size_t i = 0; i < n; ++i) decided(decisions[i]);
    }
    if (const auto* broken = reader->fault()) {
      if (!broken->after_packets) return Error{broken->message};
      fault = broken->message;
    }
    how.first_number = reader->next_number();
    how.first_mono_ns = reader->mono_ns();
  }
  engine.finish();
  return fault;
}

/// What a policy stops that was not stopped before, by atom.
class Rehearsal final : public engine::EventSink, public engine::Tap, public engine::Probe {
 public:
  Rehearsal(const Observer& observer, const std::vector<bool>& stopped_before) : Probe(0), observer_(observer), stopped_before_(stopped_before) {}

  struct Stray {
    FlowEnds ends;
    int icmp_type = -1;
    std::uint64_t bytes = 0;
    Nanoseconds wall_ns = 0;
  };
  std::set<std::size_t> atoms;   ///< Of flows that were stopped.
  std::vector<Stray> strays;     ///< Packets of none, kStraysMax of them.
  std::uint64_t stopped = 0, first_stopped = 0;

  void on_alert(const engine::AlertRecord&) override {}
  void on_flow(const engine::FlowRecord&) override {}
  void on_transaction(const View&, std::uint64_t) override {}
  /// An error message is judged by the ends of what it quotes, and what a tunnel carries layer by layer.
  void on_judged(const View& view, const policy::Outcome& outcome) override {
    if (view.packet->frame->number != judged_frame_) judged_.clear();
    judged_frame_ = view.packet->frame->number;
    if (outcome.pass || view.flow == nullptr || view.layer == nullptr) return;
    Stray s{view.flow->ends, -1, view.layer->length, view.packet->frame->time.wall_ns};
    s.ends.protocol = view.layer->protocol;
    if (view.layer->is_icmp()) {
      s.ends.client_port = s.ends.server_port = 0;
      s.icmp_type = view.layer->icmp_type + (view.layer->protocol == ip_protocol::kIcmpv6 ? 256 : 0);
    }
    judged_.push_back(s);
  }
  void on_frame(const View& view, const Decision& decision) override {
    if (decision.verdict == Verdict::Pass || view.packet->layers_count == 0) return;
    std::vector<Stray> layers;
    for (std::size_t i = 0; i < view.packet->layers_count; ++i) {
      const IpLayer& l = view.packet->layers[i];
      Stray s{{l.src, l.dst, 0, 0, l.protocol}, -1, l.length, view.packet->frame->time.wall_ns};
      if (l.is_icmp()) s.icmp_type = l.icmp_type + (l.protocol == ip_protocol::kIcmpv6 ? 256 : 0);
      else if (l.has_transport) s.ends.client_port = l.src_port, s.ends.server_port = l.dst_port;
      layers.push_back(s);
    }
    if (judged_frame_ == view.packet->frame->number) layers.insert(layers.end(), judged_.begin(), judged_.end());
    if (decision.verdict == Verdict::Drop) return stop(view.packet->frame->number, layers);
    held_.emplace(view.packet->frame->number, std::move(layers));
  }
  void on_released(const Decision& decision) override {
    const auto held = held_.find(decision.frame);
    if (held == held_.end()) return;
    if (decision.verdict == Verdict::Drop) stop(decision.frame, held->second);
    held_.erase(held);
  }

 private:
  static constexpr std::size_t kStraysMax = 4096;
  void stop(std::uint64_t frame, const std::vector<Stray>& layers) {
    if (frame < stopped_before_.size() && stopped_before_[frame]) return;
    if (stopped++ == 0) first_stopped = frame;
    bool found = false;
    for (const Stray& layer : layers) {
      const std::ptrdiff_t atom = observer_.find(layer.ends);
      if (atom < 0) continue;
      found = true;
      atoms.insert(static_cast<std::size_t>(atom));
    }
    if (!found && strays.size() < kStraysMax) strays.push_back(layers.back());
  }

  const Observer& observer_;
  const std::vector<bool>& stopped_before_;
  std::map<std::uint64_t, std::vector<Stray>> held_;
  std::vector<Stray> judged_;        ///< With which ends it was denied, and
  std::uint64_t judged_frame_ = 0;   ///< which frame.
};

/// The next description that is any different. False: there is none.
bool describe_less(Atom& atom) {
  if (atom.closeness == Closeness::BothWays) return false;
  auto next = static_cast<Closeness>(static_cast<int>(atom.closeness) + 1);
  if (next == Closeness::Outer && atom.chain.size() < 2) next = Closeness::Address;
  if (next == Closeness::Address && (atom.name.empty() || atom.chain.empty())) next = Closeness::Headers;
  atom.closeness = next;
  return true;
}

}  // namespace

std::shared_ptr<const policy::RuleSet> behind(const policy::Policy* base, const std::string& text) {
  policy::Loaded loaded = policy::load_policy_text("learned", text, engine::vocabulary());
  CHECK(loaded.policy.has_value());
  policy::Policy policy = std::move(*loaded.policy);
  if (base != nullptr) {
    policy::Policy both = *base;
    for (policy::Rule& rule : policy.rules)
      if (!rule.guard && !rule.essential) both.rules.push_back(std::move(rule));
    both.default_action = policy::Action::Drop;
    policy = std::move(both);
  }
  return std::make_shared<const policy::RuleSet>(std::make_shared<const policy::Policy>(std::move(policy)), engine::vocabulary());
}

Heading heading_of(const Observer& seen, std::string_view from, bool has_base) {
  Heading out;
  out.included = has_base;
  std::string source(from);
  for (char& c : source) c = static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  out.lines.push_back("Learned by `weir learn` from " + source + ".");
  if (seen.flows() != 0)
    out.lines.push_back(grouped(seen.flows()) + " flows, " + grouped(seen.all().packets) + " packets, " + utc(seen.all().first_wall_ns) + " to " + utc(seen.all().last_wall_ns) + ".");
  if (has_base) {
    out.lines.push_back("Of these " + grouped(seen.covered()) + " pass by the rules of the base policy already, and " + grouped(seen.denied()) + " are denied by them: not proposed.");
    out.lines.push_back("To stand behind those rules: name this file under `include:` of that policy, with `default: drop`.");
  } else {
    if (seen.covered() != 0) out.lines.push_back(grouped(seen.covered()) + " of them are essential to the network, or belong to another, and need no rule.");
    out.lines.push_back("What is not here is stopped. Read it before it is put in force: whatever was spoken meanwhile is in it.");
  }
  if (seen.untold() != 0) out.lines.push_back(grouped(seen.untold()) + " flows were too many to be told apart, and are not covered.");
  return out;
}

Result<Learned> learn_from(const LearnOptions& options) {
  const auto watch = observing(options.base);
  Observer observer(*watch);
  Learned out;
  std::vector<bool> stopped_before;
  {
    engine::EngineOptions how = engine_options(options.flows_max);
    how.reloads = true;  // Settled flows keep their names.
    how.event_fields.set(engine::vocabulary().field("tls.sni")->id);
    engine::Engine engine(how, watch, observer);
    engine.look_with(&observer);
    const auto note = [&](const Decision& d) {
      if (stopped_before.size() <= d.frame) stopped_before.resize(d.frame + 1);
      if (d.verdict == Verdict::Drop) stopped_before[d.frame] = true;
    };
    observer.on_decided = note;
    auto played = play(options, engine, [&](const Decision& d) {
      ++out.frames;
      note(d);
    });
    if (!played) return played.error();
    out.fault = *played;
  }
  out.flows = observer.flows();
  out.covered = observer.covered();
  out.denied = observer.denied();
  out.untold = observer.untold();
  std::string from;
  for (const CaptureInput& capture : options.captures) {
    const std::string name = capture.path.substr(capture.path.rfind('/') + 1);
    from += (from.empty() ? "" : ", ") + (name == "-" ? "standard input" : name);
  }
  const bool again = std::none_of(options.captures.begin(), options.captures.end(), [](const CaptureInput& c) { return c.path == "-"; });
  constexpr int kRoundsMax = 12;
  for (int round = 0; round < kRoundsMax; ++round) {
    const auto proposals = propose(observer.atoms(), options.how);
    out.rules = proposals.size();
    out.text = render(proposals, heading_of(observer, from, options.base != nullptr));
    if (!again) break;
    Rehearsal rehearsal(observer, stopped_before);
    const auto rules = behind(options.base, out.text);
    engine::EngineOptions how = engine_options(options.flows_max);
    how.probe = &rehearsal;
    engine::Engine engine(how, rules, rehearsal);
    engine.look_with(&rehearsal);
    auto played = play(options, engine, [](const Decision&) {});
    if (!played) return played.error();
    out.stopped = rehearsal.stopped;
    out.first_stopped = rehearsal.first_stopped;
    if (rehearsal.stopped == 0) break;
    bool changed = false;
    for (const std::size_t atom : rehearsal.atoms) changed = describe_less(observer.atoms()[atom]) || changed;
    // Packets of no flow only where nothing else explains them: an error message about what was stopped passes with it.
    if (!changed)
      for (const auto& stray : rehearsal.strays) changed = observer.add_stray(stray.ends, stray.icmp_type, stray.bytes, stray.wall_ns) != SIZE_MAX || changed;
    if (!changed) break;
  }
  return out;
}

}  // namespace weir::cli
