// SPDX-License-Identifier: Apache-2.0
#include "service/kept_bindings.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cinttypes>
#include <cstdio>
#include <utility>

#include "base/hash.h"
#include "service/whole_file.h"

namespace weir::service {
namespace {

using Of = engine::Learned::Of;

constexpr std::string_view kFirstLine = "weir-bindings 1\n", kFile = "bindings";
constexpr std::array<std::string_view, 4> kWords = {"arp", "nd", "source", "station"};
constexpr std::size_t kLineBytesMax = 128, kPortBytesMax = 64;
constexpr std::uint64_t kChecksumSeed = 0x776569722d62696e;
constexpr std::uint32_t kSlots = 2048;
constexpr Nanoseconds kLongest = 10 * 365 * 24 * kHour;  ///< "For ever".

std::string line_of(const KeptBinding& b) {
  const std::string port = b.port.empty() ? "-" : b.port;
  if (b.of == Of::Station) return "station " + weir::render(b.mac) + ' ' + port + '\n';
  return std::string(kWords[static_cast<std::size_t>(b.of)]) + ' ' + weir::render(b.ip) + ' ' + weir::render(b.mac) + ' ' + port + ' ' + std::to_string(b.until_s) + '\n';
}

std::string checksum_of(std::string_view text) {
  char out[17];
  std::snprintf(out, sizeof out, "%016" PRIx64, hash_text(text, kChecksumSeed));
  return out;
}

template <typename Number>
std::optional<Number> number_of(std::string_view text) {
  Number out{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(out) : std::nullopt;
}

/// Words of a line with one space between each two; none if there are more than `out` has.
std::size_t split(std::string_view line, std::array<std::string_view, 5>& out) {
  std::size_t count = 0;
  for (;;) {
    const std::size_t space = line.find(' ');
    if (count == out.size()) return 0;
    out[count++] = line.substr(0, space);
    if (space == std::string_view::npos) return count;
    line.remove_prefix(space + 1);
  }
}

std::optional<KeptBinding> binding_of(std::string_view line) {
  std::array<std::string_view, 5> words;
  const std::size_t count = split(line, words);
  const auto of = std::find(kWords.begin(), kWords.end(), words[0]);
  if (count == 0 || of == kWords.end()) return std::nullopt;
  KeptBinding out{.of = static_cast<Of>(of - kWords.begin()), .ip = {}, .mac = {}, .port = {}, .until_s = 0};
  const bool station = out.of == Of::Station;
  if (count != (station ? 3U : 5U)) return std::nullopt;
  if (!station) {
    const auto ip = parse_ip(words[1]);
    const auto until = number_of<std::int64_t>(words[4]);
    if (!ip || !until || *until <= 0 || *until > INT64_MAX / kSecond) return std::nullopt;
    out.ip = *ip;
    out.until_s = *until;
  }
  const auto mac = parse_mac(words[station ? 1 : 2]);
  const std::string_view port = words[station ? 2 : 3];
  if (!mac || port.empty() || port.size() > kPortBytesMax) return std::nullopt;
  out.mac = *mac;
  if (port != "-") out.port = port;
  return out;
}

/// Some guard learns what is kept.
bool learns(const engine::Engine& engine) {
  const policy::StateWishes& wishes = engine.rules().policy().wishes;
  return wishes.arp.on || wishes.nd.on || wishes.source.on || wishes.port_macs_sticky;
}

Error broken(const std::string& why) { return {why, EBADMSG}; }

}  // namespace

std::string encode_bindings(const std::vector<KeptBinding>& bindings) {
  std::vector<std::string> lines;
  lines.reserve(bindings.size());
  for (const KeptBinding& binding : bindings) lines.push_back(line_of(binding));
  std::sort(lines.begin(), lines.end());
  std::string out(kFirstLine);
  for (const std::string& line : lines) out += line;
  return out + "end " + std::to_string(lines.size()) + ' ' + checksum_of(out) + '\n';
}

Result<std::vector<KeptBinding>> decode_bindings(std::string_view text) {
  if (!text.starts_with(kFirstLine)) return broken("it is none of this version");
  // The last line vouches for all before it.
  if (!text.ends_with('\n')) return broken("it is cut short");
  const std::size_t before = text.rfind('\n', text.size() - 2);
  const std::string_view body = text.substr(0, before + 1);
  std::array<std::string_view, 5> words;
  if (split(text.substr(before + 1, text.size() - before - 2), words) != 3 || words[0] != "end") return broken("it is cut short");
  if (words[2] != checksum_of(body)) return broken("its checksum is wrong");
  std::vector<KeptBinding> out;
  for (std::string_view rest = body.substr(kFirstLine.size()); !rest.empty();) {
    const std::size_t end = rest.find('\n');
    const auto binding = end <= kLineBytesMax ? binding_of(rest.substr(0, end)) : std::nullopt;
    if (!binding || out.size() == KeptBindings::kBindingsMax) return broken("line " + std::to_string(out.size() + 2) + " is no binding");
    out.push_back(*binding);
    rest.remove_prefix(end + 1);
  }
  if (number_of<std::size_t>(words[1]) != out.size()) return broken("lines are missing");
  return out;
}

KeptBindings::KeptBindings(std::string directory, std::function<void(const std::string&)> say)
    : directory_(std::move(directory)), say_(std::move(say)), writer_([this] { write_files(); }) {}

KeptBindings::~KeptBindings() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wakes_.notify_one();
  if (writer_.joinable()) writer_.join();
}

void KeptBindings::recall(engine::Engine& engine, const std::vector<std::string>& ports, Time now) {
  constexpr std::size_t kBytesMax = kBindingsMax * kLineBytesMax;
  ports_ = ports;
  const std::string path = directory_ + "/" + std::string(kFile);
  const auto text = read_whole(path, kBytesMax);
  if (!text.ok()) {
    if (text.error().code != ENOENT) say_("the bindings of the last run are not to be had: " + path + ": " + text.error().message);
    return;
  }
  const auto kept = decode_bindings(text.value());
  if (!kept.ok()) return say_("the bindings of the last run are ignored: " + path + ": " + kept.error().message);
  std::vector<engine::Learned> learned;
  for (const KeptBinding& one : kept.value()) {
    const auto at = std::find(ports.begin(), ports.end(), one.port);
    if (!one.port.empty() && at == ports.end()) continue;
    engine::Learned out{.of = one.of, .ip = one.ip, .mac = one.mac};
    if (!one.port.empty()) out.port = static_cast<PortIndex>(at - ports.begin());
    if (one.of != Of::Station) {
      const Nanoseconds left_ns = std::min(one.until_s * kSecond - now.wall_ns, kLongest);
      if (left_ns <= 0) continue;
      out.until_ns = now.mono_ns + left_ns;
    }
    learned.push_back(out);
  }
  const std::size_t taken = engine.recall(learned, now);
  const std::lock_guard lock(mutex_);
  numbers_.recalled = taken;
  numbers_.left_out = kept.value().size() - taken;
}

void KeptBindings::begin_walk(engine::Engine& engine, Time now) {
  if (!begun_) wall_offset_ns_ = now.wall_ns - now.mono_ns, last_end_ns_ = now.mono_ns + kLongest;  // Once: else ends would move with each walk.
  begun_ = true;
  ports_ = engine.rules().policy().port_names;
  gathered_.clear();
  next_ = 0;
}

void KeptBindings::walk(engine::Engine& engine, std::uint32_t slots) {
  next_ = engine.walk_learned(next_, slots, [this](const engine::Learned& learned) {
    if (gathered_.size() == kBindingsMax || (learned.port != kNoPort && learned.port >= ports_.size())) return;
    KeptBinding& out = gathered_.emplace_back(KeptBinding{.of = learned.of, .ip = learned.ip, .mac = learned.mac, .port = {}, .until_s = 0});
    if (learned.port != kNoPort) out.port = ports_[learned.port];
    if (learned.of != Of::Station) out.until_s = (std::min(learned.until_ns, last_end_ns_) + wall_offset_ns_) / kSecond;
  });
}

void KeptBindings::turn(engine::Engine& engine, Time now) {
  if (next_ == engine::Engine::kNoMore) {
    if (now.mono_ns < due_ns_) return;
    due_ns_ = now.mono_ns + kEvery;
    if (!learns(engine)) return;
    begin_walk(engine, now);
  }
  walk(engine, kSlots);
  if (next_ == engine::Engine::kNoMore) hand_over();
}

void KeptBindings::finish(engine::Engine& engine, Time now) {
  if (learns(engine)) {
    begin_walk(engine, now);
    while (next_ != engine::Engine::kNoMore) walk(engine, UINT32_MAX / 4);
    hand_over();
  }
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wakes_.notify_one();
  writer_.join();
}

void KeptBindings::hand_over() {
  const std::lock_guard lock(mutex_);  // Held by the writer for moves alone.
  waiting_ = std::exchange(gathered_, {});
  wakes_.notify_one();
}

void KeptBindings::write_files() {
  std::string last;
  std::unique_lock lock(mutex_);
  for (;;) {
    wakes_.wait(lock, [this] { return waiting_.has_value() || ending_; });
    if (!waiting_) return;
    const std::vector<KeptBinding> bindings = std::move(*waiting_);
    waiting_.reset();
    lock.unlock();
    std::string text = encode_bindings(bindings);
    std::optional<Error> fault;
    const bool changed = text != last;
    if (changed) fault = write_whole(directory_, std::string(kFile), text);
    lock.lock();
    if (!changed) continue;
    if (fault && numbers_.fault.empty()) say_("bindings are not kept for the next start: " + fault->message);
    numbers_.fault = fault ? fault->message : "";
    if (!fault) ++numbers_.written, last = std::move(text);
  }
}

KeptBindings::Numbers KeptBindings::numbers() const {
  const std::lock_guard lock(mutex_);
  return numbers_;
}

}  // namespace weir::service
