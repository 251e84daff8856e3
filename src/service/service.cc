// SPDX-License-Identifier: Apache-2.0
#include "service/service.h"

#include "base/check.h"

namespace weir::service {

Service::Service(const ServiceOptions& options, std::shared_ptr<const policy::RuleSet> rules, datapath::Datapath& path,
                 engine::EventSink* events)
    : options_(options), path_(path), events_(events), engine_(std::make_unique<engine::Engine>(options.engine, std::move(rules), *this)) {
  released_.reserve(4 * engine::Engine::kBatchMax);
  started_ = path_.now();
  stats_due_ns_ = started_.mono_ns + options_.stats_every_ns;
}

Service::~Service() = default;

std::optional<Error> Service::run() {
  while (turn()) {
  }
  batch_first_ = 0;
  engine_->finish();
  path_.apply({}, {});  // What was held to the end goes out.
  return fault_;
}

bool Service::turn() {
  if (stopping_.load(std::memory_order_relaxed)) return false;
  auto polled = path_.poll(frames_, options_.wait_ns);
  if (!polled) {
    fault_ = polled.error();
    return false;
  }
  Time now;
  if (const std::size_t count = *polled; count != 0) {
    now = frames_[count - 1].time;
    batch_first_ = frames_[0].number;
    released_.clear();
    engine_->on_frames({frames_, count}, decisions_);
    // What was held and decided within this batch is answered in its place.
    for (const Decision& r : released_) {
      CHECK(r.frame - batch_first_ < count);  // A datapath numbers frames in the order in which it gives them.
      Decision& held = decisions_[r.frame - batch_first_];
      held.verdict = r.verdict;
      held.reason = r.reason;
      held.rule = r.rule;
      if (!r.rewrite.empty()) held.rewrite = r.rewrite;
    }
    path_.apply({frames_, count}, {decisions_, count});
    batch_first_ = 0;
  } else {
    now = path_.now();
    engine_->on_time(now);
    path_.apply({}, {});
  }
  latest_ = now;
  turns_.fetch_add(1, std::memory_order_relaxed);
  if (has_tasks_.load(std::memory_order_acquire)) run_tasks();
  if (reload_asked_.exchange(false, std::memory_order_relaxed) && on_reload) on_reload(*this);
  if (options_.stats_every_ns != 0 && now.mono_ns >= stats_due_ns_) {
    stats_due_ns_ = now.mono_ns + options_.stats_every_ns;
    if (on_stats) on_stats(*this);
  }
  if (on_turn) on_turn(*this);
  return true;
}

void Service::submit(std::function<void(Service&)> task) {
  const std::lock_guard lock(tasks_mutex_);
  tasks_.push_back(std::move(task));
  has_tasks_.store(true, std::memory_order_release);
}

void Service::run_tasks() {
  std::vector<std::function<void(Service&)>> tasks;
  {
    const std::unique_lock lock(tasks_mutex_, std::try_to_lock);
    if (!lock.owns_lock()) return;  // Someone adds one: next turn.
    tasks.swap(tasks_);
    has_tasks_.store(false, std::memory_order_relaxed);
  }
  for (auto& task : tasks) task(*this);
}

void Service::on_alert(const engine::AlertRecord& record) {
  if (events_ != nullptr) events_->on_alert(record);
}

void Service::on_flow(const engine::FlowRecord& record) {
  if (events_ != nullptr) events_->on_flow(record);
}

void Service::on_transaction(const View& view, std::uint64_t flow_id) {
  if (events_ != nullptr) events_->on_transaction(view, flow_id);
}

void Service::on_released(const Decision& decision) {
  if (batch_first_ != 0 && decision.frame >= batch_first_) released_.push_back(decision);
  else path_.release(decision);
  if (events_ != nullptr) events_->on_released(decision);
}

}  // namespace weir::service
