// SPDX-License-Identifier: Apache-2.0
#include "service/asking.h"

#include <algorithm>

#include "facts/field_ids.h"
#include "wire/wire.h"

namespace weir::service {
namespace {

constexpr Nanoseconds kDeniedOnceFor = kMinute;
constexpr std::size_t kNotedMax = 256;

bool is_default_drop(const Decision& d) { return d.verdict == Verdict::Drop && d.rule == kDefaultRule && d.reason == Reason::Default; }

std::string key_of(const Question& q) {
  return q.process + '\n' + q.user + '\n' + (q.name.empty() ? render(q.server) : q.name) + '\n' + std::to_string(q.port) + '/' + std::to_string(q.protocol);
}

/// A port that servers use, as the engine has it.
bool likely_server(std::uint8_t protocol, std::uint16_t port) { return port < 1024 || engine::vocabulary().is_registered_port(protocol, port); }

}  // namespace

/// A sender with text of its own.
struct Asking::KeptSender {
  Sender sender;
  std::deque<std::string> texts;

  explicit KeptSender(const Sender& from) : sender(from) {
    for (std::string_view* text : {&sender.path, &sender.name, &sender.cmdline, &sender.sha256, &sender.user, &sender.uid, &sender.group, &sender.gid,
                                   &sender.cgroup, &sender.service, &sender.container_id, &sender.container_name, &sender.container_image})
      *text = texts.emplace_back(*text);
    for (std::string_view& parent : sender.parents) parent = texts.emplace_back(parent);
  }
};

Asking::Asking(Options options, datapath::Datapath& path, engine::EventSink& next) : options_(std::move(options)), path_(path), next_(next) {}
Asking::~Asking() = default;

Asking::Waiting Asking::keep(const Frame& frame, std::uint64_t number) {
  Waiting out{number, frame, std::string(as_text(frame.bytes)), frame.sender != nullptr ? std::make_shared<const KeptSender>(*frame.sender) : nullptr};
  out.frame.bytes = {};
  out.frame.sender = nullptr;
  return out;
}

Result<std::size_t> Asking::poll(std::span<Frame> out, Nanoseconds wait_ns) {
  expire();
  batch_.clear();
  inner_.clear();
  while (!again_.empty() && batch_.size() < out.size()) {
    batch_.push_back(std::move(again_.front()));
    again_.pop_front();
  }
  if (!batch_.empty()) {
    const Time time = path_.now();
    for (std::size_t i = 0; i < batch_.size(); ++i) {
      out[i] = batch_[i].frame;
      out[i].bytes = as_bytes(batch_[i].bytes);
      out[i].sender = batch_[i].sender != nullptr ? &batch_[i].sender->sender : nullptr;
      out[i].time = time;
      out[i].number = ++number_;
    }
    return batch_.size();
  }
  auto came = path_.poll(out, questions_.empty() ? wait_ns : std::min(wait_ns, 50 * kMillisecond));
  if (!came) return came;
  for (std::size_t i = 0; i < *came; ++i) {
    inner_.push_back(out[i].number);
    out[i].number = ++number_;
  }
  return came;
}

void Asking::drop(std::uint64_t number) {
  Decision decision;
  decision.frame = number;
  decision.verdict = Verdict::Drop;
  decision.rule = kDefaultRule;
  path_.release(decision);
}

/// Frames that waited and were given to the engine again are the datapath's held ones still.
void Asking::apply(std::span<const Frame> frames, std::span<const Decision> decisions) {
  if (!batch_.empty()) {
    for (std::size_t i = 0; i < frames.size(); ++i) {
      Decision decision = decisions[i];
      decision.frame = batch_[i].number;
      if (decision.verdict == Verdict::Hold) held_.emplace(frames[i].number, std::move(batch_[i]));
      else path_.release(decision);  // Not asked again: whoever sends it once more is.
    }
    batch_.clear();
    return path_.apply({}, {});
  }
  frames_.assign(frames.begin(), frames.end());
  decisions_.assign(decisions.begin(), decisions.end());
  for (std::size_t i = 0; i < frames.size(); ++i) {
    frames_[i].number = inner_[i];
    Decision& decision = decisions_[i];
    decision.frame = inner_[i];
    if (decision.verdict == Verdict::Hold) {
      held_.emplace(frames[i].number, keep(frames[i], inner_[i]));
    } else if (is_default_drop(decision) && waits(frames[i], inner_[i])) {
      decision.verdict = Verdict::Hold;
      decision.emits_count = 0;  // No refusal before the answer.
    }
  }
  path_.apply(frames_, decisions_);
}

/// The engine held it, and decided meanwhile.
void Asking::release(const Decision& decision) {
  const auto held = held_.find(decision.frame);
  if (held == held_.end()) return;
  Waiting waiting = std::move(held->second);
  held_.erase(held);
  Decision inner = decision;
  inner.frame = waiting.number;
  if (is_default_drop(decision) && waits(std::move(waiting))) return;
  path_.release(inner);
}

/// What the default drops of a process of this host that begins to speak.
std::optional<Question> Asking::question_of(const Frame& frame) const {
  if (frame.sender == nullptr || frame.sender->path.empty() || engine_ == nullptr) return std::nullopt;
  const auto host = engine_->host_names();
  Packet packet;
  wire::parse(frame, packet);
  if (packet.layers_count == 0 || host == nullptr) return std::nullopt;
  const IpLayer& layer = packet.layers[0];
  if (!host->is_own(layer.src)) return std::nullopt;
  if (layer.is_tcp() && (layer.tcp_flags & (tcp_flag::kFin | tcp_flag::kRst)) != 0) return std::nullopt;  // It ends, whatever it was.
  const bool has_ports = (layer.is_tcp() || layer.is_udp()) && layer.has_transport;
  // A server of this host that answers did not begin.
  if (has_ports && likely_server(layer.protocol, layer.src_port) && !likely_server(layer.protocol, layer.dst_port)) return std::nullopt;
  Question q;
  q.process = frame.sender->path;
  q.cmdline = frame.sender->cmdline;
  q.user = frame.sender->user;
  q.client = layer.src;
  q.server = layer.dst;
  q.protocol = layer.protocol;
  if (has_ports) q.client_port = layer.src_port, q.port = layer.dst_port;
  for (const Noted& noted : noted_)
    if (noted.frame == frame.number) q.name = noted.name, q.app = noted.app;
  if (q.name.empty())
    if (auto told = engine_->names_told(layer.src, layer.dst); !told.empty()) q.name = std::move(told.front());
  return q;
}

bool Asking::waits(const Frame& frame, std::uint64_t number) {
  Waiting waiting = keep(frame, number);
  return waits(std::move(waiting));
}

bool Asking::waits(Waiting waiting) {
  Frame frame = waiting.frame;
  frame.bytes = as_bytes(waiting.bytes);
  frame.sender = waiting.sender != nullptr ? &waiting.sender->sender : nullptr;
  auto question = question_of(frame);
  if (!question) return false;
  const Nanoseconds now_ns = path_.now().mono_ns;
  std::string key = key_of(*question);
  if (const auto denied = denied_.find(key); denied != denied_.end()) {
    if (now_ns < denied->second) return false;
    denied_.erase(denied);
  }
  auto known = by_key_.find(key);
  if (known == by_key_.end()) {
    if (questions_.size() == kQuestionsMax) {
      ++numbers_.no_room;
      return false;
    }
    question->id = ++last_id_;
    question->seconds_left = static_cast<double>(options_.timeout_ns) / kSecond;
    known = by_key_.emplace(key, question->id).first;
    Open& open = questions_[question->id];
    open.question = std::move(*question);
    open.key = std::move(key);
    open.until_ns = now_ns + options_.timeout_ns;
    ++numbers_.asked;
    if (options_.ask) options_.ask(open.question);
  }
  Open& open = questions_.at(known->second);
  ++open.question.packets;
  if (open.waiting.size() == kPacketsMax || open.bytes + waiting.bytes.size() > kBytesMax) {
    ++numbers_.no_room;
    return false;
  }
  open.bytes += waiting.bytes.size();
  open.waiting.push_back(std::move(waiting));
  return true;
}

void Asking::end(std::uint64_t id) {
  const auto open = questions_.find(id);
  for (const Waiting& w : open->second.waiting) drop(w.number);
  by_key_.erase(open->second.key);
  questions_.erase(open);
}

bool Asking::answer(std::uint64_t id, AskAnswer answer) {
  const auto found = questions_.find(id);
  if (found == questions_.end() || found->second.state != Open::State::Asked) return false;
  Open& open = found->second;
  const Nanoseconds now_ns = path_.now().mono_ns;
  ++numbers_.answered;
  if (answer.allow) {
    open.state = Open::State::Allowed;
    open.until_ns = now_ns + std::max(options_.timeout_ns, 10 * kSecond);  // For the rules to come into force.
    options_.remember(open.question, answer);
    return true;
  }
  if (denied_.size() == kDeniedMax) denied_.clear();  // They are asked again, which is no harm.
  denied_[open.key] = answer.how_long == AnswerFor::Once ? now_ns + kDeniedOnceFor : INT64_MAX;
  if (answer.how_long == AnswerFor::Always) options_.remember(open.question, answer);
  end(id);
  return true;
}

void Asking::ruled(std::uint64_t id) {
  if (const auto found = questions_.find(id); found != questions_.end() && found->second.state == Open::State::Allowed)
    found->second.state = Open::State::Ruled;
}

void Asking::rules_changed() {
  for (auto at = questions_.begin(); at != questions_.end();) {
    Open& open = at->second;
    if (open.state != Open::State::Ruled) {
      ++at;
      continue;
    }
    for (Waiting& w : open.waiting) again_.push_back(std::move(w));
    by_key_.erase(open.key);
    at = questions_.erase(at);
  }
}

void Asking::expire() {
  if (questions_.empty()) return;
  const Nanoseconds now_ns = path_.now().mono_ns;
  std::vector<std::uint64_t> over;
  for (const auto& [id, open] : questions_)
    if (now_ns >= open.until_ns) over.push_back(id);
  for (const std::uint64_t id : over) {
    Open& open = questions_.at(id);
    if (open.state != Open::State::Asked) {  // Its rule did not come into force.
      end(id);
      continue;
    }
    ++numbers_.unanswered;
    --numbers_.answered;  // answer() counts it as if somebody had.
    (void)answer(id, options_.unanswered);
  }
}

std::vector<Question> Asking::open() const {
  std::vector<Question> out;
  const Nanoseconds now_ns = path_.now().mono_ns;
  for (const auto& [id, open] : questions_) {
    if (open.state != Open::State::Asked) continue;
    out.push_back(open.question);
    out.back().seconds_left = static_cast<double>(std::max<Nanoseconds>(0, open.until_ns - now_ns)) / kSecond;
  }
  return out;
}

Asking::Numbers Asking::numbers() const {
  Numbers out = numbers_;
  out.open = questions_.size();
  return out;
}

/// The name that a flow says of itself is known only now.
void Asking::on_alert(const engine::AlertRecord& record) {
  const View* const view = engine_ != nullptr && record.rule == kDefaultRule && record.blocked ? engine_->last_view() : nullptr;
  if (view != nullptr && view->packet != nullptr && view->packet->frame != nullptr && view->packet->frame->number == record.frame) {
    Noted noted{record.frame, {}, {}};
    if (view->facts != nullptr)
      if (const Value* name = view->facts->value(field::kServerName)) noted.name = name->text();
    if (record.app != kUnknownApp) noted.app = engine::vocabulary().app(record.app).name;
    if (noted_.size() == kNotedMax) noted_.pop_front();
    noted_.push_back(std::move(noted));
  }
  next_.on_alert(record);
}

}  // namespace weir::service
