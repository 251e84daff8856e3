// SPDX-License-Identifier: Apache-2.0
// capture: frames that a filter in the language of rules selects, each with its verdict, until so many came or so much time went by.

#include <algorithm>
#include <nlohmann/json.hpp>

#include "report/reason.h"
#include "service/control.h"
#include "service/flow_json.h"

namespace weir::service {
namespace {

constexpr std::uint64_t kFramesMax = 1'000'000;
constexpr double kSecondsMax = 24 * 3600;
constexpr Nanoseconds kDrainEvery = 50 * kMillisecond;

std::string base64(std::string_view bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) group = group << 8 | (i + k < bytes.size() ? static_cast<std::uint8_t>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k) out += i + k > bytes.size() ? '=' : kDigits[group >> (18 - 6 * k) & 63];
  }
  return out;
}

constexpr const char* kLinks[] = {"ethernet", "raw-ip", "null", "sll", "sll2", "cisco-hdlc", "ppi"};

}  // namespace

struct Control::Capturing {
  ClientId client = 0;
  Ready filter;
  std::unique_ptr<CaptureTap> tap;
  Nanoseconds until_ns = 0;
  std::uint64_t sent = 0, missed = 0;
  bool ending = false;
};

void Control::capture(ClientId client, const Request& request) {
  if (capturing_ != nullptr) return send_error(client, kAnswerNo, "another capture is under way");
  const double seconds = request.value("seconds", 60.0);
  const std::uint64_t count = request.value("count", std::uint64_t{10000});
  if (!(seconds > 0 && seconds <= kSecondsMax) || count == 0 || count > kFramesMax)
    return send_error(client, kInputWrong, "a capture takes up to 24 hours and 1000000 frames");
  auto capturing = std::make_shared<Capturing>();
  capturing->client = client;
  const std::string filter = request.value("match", std::string("{}"));
  const auto copy = std::make_shared<PolicyCopy>(now_.copy);
  capturing_ = capturing;
  const bool begun = on_worker(
      [this, capturing, copy, filter] { capturing->filter = read_policy(options_.policy, copy.get(), filter); },
      [this, capturing, seconds, count] {
        if (capturing_ != capturing) return;  // The client is gone.
        if (capturing->filter.rules == nullptr) {
          send_error(capturing->client, kInputWrong, "the filter has errors", &capturing->filter.diagnostics);
          capturing_ = nullptr;
          return;
        }
        capturing->tap = std::make_unique<CaptureTap>(capturing->filter.rules, count);
        capturing->until_ns = ControlSocket::now_ns() + static_cast<Nanoseconds>(seconds * kSecond);
        on_lane([this, capturing](Service& service) {
          tap_ = capturing->tap.get();
          service.engine().look_with(tap_);
          post([this, capturing] {
            send_item(capturing->client, "capturing", {{"match", "on"}});
            drain(capturing);
          });
        });
      });
  if (begun) return;
  capturing_ = nullptr;
  send_error(client, kAnswerNo, "the filter reads a policy just now; ask again");
}

/// What came since, to the client; again soon.
void Control::drain(std::shared_ptr<Capturing> capturing) {
  on_lane([this, capturing](Service& service) {
    auto frames = std::make_shared<std::vector<Captured>>(capturing->tap->take());
    const bool last = capturing->tap->complete() || capturing->ending || ControlSocket::now_ns() >= capturing->until_ns;
    const std::uint64_t missed = capturing->tap->missed();
    if (last) {
      tap_ = nullptr;
      service.engine().look_with(nullptr);
    }
    const auto rules = service.engine().rules_in_force();
    post([this, capturing, frames, rules, last, missed] {
      const policy::Policy& policy = rules->policy();
      capturing->missed = missed;
      for (const Captured& f : *frames) {
        const Decision& d = f.decision;
        Json packet = {{"number", f.number}, {"time_ns", f.wall_ns}, {"wire_bytes", f.wire_bytes}, {"link", kLinks[static_cast<std::size_t>(f.link)]}};
        if (f.port < policy.port_names.size()) packet["port"] = policy.port_names[f.port];
        packet["verdict"] = d.verdict == Verdict::Pass ? "pass" : d.verdict == Verdict::Drop ? "drop" : "hold";
        if (const std::string rule = rule_name(policy, d.rule); !rule.empty()) packet["rule"] = rule;
        if (d.verdict == Verdict::Drop) packet["reason"] = report::name_of(d.reason);
        packet["app_proto"] = engine::vocabulary().app(f.app).name;
        packet["bytes"] = base64(f.bytes);
        if (!send_item(capturing->client, "packet", packet)) {
          capturing->ending = true;
          break;
        }
        ++capturing->sent;
      }
      if (last) return end_capture(capturing);
      socket_->at("capture", ControlSocket::now_ns() + kDrainEvery, [this, capturing] { drain(capturing); });
    });
  });
}

void Control::end_capture(const std::shared_ptr<Capturing>& capturing) {
  send_result(capturing->client, {{"packets", capturing->sent}, {"missed", capturing->missed}});
  if (capturing_ == capturing) capturing_ = nullptr;
}

/// The client is gone: the lane is asked to look no more.
void Control::abandon_capture(ClientId client) {
  if (capturing_ == nullptr || capturing_->client != client) return;
  capturing_->ending = true;
  if (capturing_->tap == nullptr) capturing_ = nullptr;
}

}  // namespace weir::service
