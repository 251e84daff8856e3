// SPDX-License-Identifier: Apache-2.0
#include "service/capture_tap.h"

#include <utility>

namespace weir::service {

void CaptureTap::on_frame(const View& view, const Decision& decision) {
  if (left_ == 0) return;
  const policy::CompiledRule& rule = filter_->rule(0);
  // Stage A is not asked: each condition is judged. Zones are those that the filter's own policy gives the ends.
  View seen = view;
  FlowFacts flow;
  if (view.flow != nullptr) {
    flow = *view.flow;
    flow.from = filter_->zones().zone_of(flow.ends.client, view.packet->frame->port, flow.ends.server);
    flow.to = filter_->zones().zone_of(flow.ends.server, view.packet->frame->port, flow.ends.client);
    seen.flow = &flow;
  }
  if (policy::judge(rule, seen, filter_->zones(), false).truth != policy::Truth::True) return;
  const Frame& frame = *view.packet->frame;
  if (waiting_.size() + held_.size() >= kWaitingMax || waiting_bytes_ + frame.bytes.size() > kWaitingBytesMax) {
    ++missed_;
    return;
  }
  --left_;
  Captured captured;
  captured.number = frame.number;
  captured.wall_ns = frame.time.wall_ns;
  captured.wire_bytes = frame.wire_bytes;
  captured.link = frame.link;
  captured.port = frame.port;
  captured.app = view.flow == nullptr ? kUnknownApp : view.flow->app.innermost();
  captured.bytes.assign(reinterpret_cast<const char*>(frame.bytes.data()), frame.bytes.size());
  captured.decision.frame = decision.frame;
  captured.decision.verdict = decision.verdict;
  captured.decision.reason = decision.reason;
  captured.decision.rule = decision.rule;
  captured.decision.settled = decision.settled;
  if (decision.verdict != Verdict::Hold) return give(std::move(captured));
  if (held_.size() == kHeldMax) {
    ++missed_;
    return;
  }
  held_.emplace(frame.number, std::move(captured));
}

void CaptureTap::on_released(const Decision& decision) {
  const auto found = held_.find(decision.frame);
  if (found == held_.end()) return;
  Captured captured = std::move(found->second);
  held_.erase(found);
  captured.decision.verdict = decision.verdict;
  captured.decision.rule = decision.rule;
  captured.decision.reason = decision.reason;
  give(std::move(captured));
}

void CaptureTap::give(Captured captured) {
  waiting_bytes_ += captured.bytes.size();
  waiting_.push_back(std::move(captured));
}

std::vector<Captured> CaptureTap::take() {
  waiting_bytes_ = 0;
  return std::exchange(waiting_, {});
}

}  // namespace weir::service
