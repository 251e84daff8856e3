// SPDX-License-Identifier: Apache-2.0
#pragma once

// Service: the running filter. It owns the engine, drives it from a datapath, and hands events to their sink. The thread that
// calls run() is the lane: it never waits for a file, a lock or a client.
//
// Other threads reach the lane by submit(): what they give runs between two batches. Signals reach it by stop() and
// ask_reload(), which are safe in a handler.

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "datapath/datapath.h"
#include "engine/engine.h"

namespace weir::service {

struct ServiceOptions {
  engine::EngineOptions engine;
  datapath::FailMode fail = datapath::FailMode::Closed;
  Nanoseconds wait_ns = 10 * kMillisecond;  ///< The longest that the lane sleeps where nothing comes: how late holds end.
  Nanoseconds stats_every_ns = 0;           ///< 0: never.
};

class Service final : public engine::EventSink {
 public:
  /// `path` and `events` (which may be nullptr) outlive it.
  Service(const ServiceOptions& options, std::shared_ptr<const policy::RuleSet> rules, datapath::Datapath& path, engine::EventSink* events);
  ~Service() override;

  /// Until stop(), or until the datapath can bring nothing more (then its error). Flows are ended and reported; the datapath stays open.
  std::optional<Error> run();
  /// One batch, or one wait without one: what run() repeats. False: over.
  bool turn();

  void stop() { stopping_.store(true, std::memory_order_relaxed); }
  void ask_reload() { reload_asked_.store(true, std::memory_order_relaxed); }
  /// Runs `task` on the lane between two batches, soon. From any thread; tasks run in the order given.
  void submit(std::function<void(Service&)> task);

  /// Called on the lane when a reload was asked for by signal, after each turn, and when statistics are due.
  std::function<void(Service&)> on_reload, on_turn, on_stats;

  engine::Engine& engine() { return *engine_; }
  datapath::Datapath& path() { return path_; }
  const ServiceOptions& options() const { return options_; }
  /// Turns of the lane: a watchdog sees that it still turns.
  std::uint64_t turns() const { return turns_.load(std::memory_order_relaxed); }
  Time started() const { return started_; }
  /// Time of the last turn. Of the lane.
  Time latest() const { return latest_; }

 private:
  void on_alert(const engine::AlertRecord& record) override;
  void on_flow(const engine::FlowRecord& record) override;
  void on_transaction(const View& view, std::uint64_t flow_id) override;
  void on_released(const Decision& decision) override;
  void run_tasks();

  ServiceOptions options_;
  datapath::Datapath& path_;
  engine::EventSink* events_;
  std::unique_ptr<engine::Engine> engine_;

  Frame frames_[engine::Engine::kBatchMax];
  Decision decisions_[engine::Engine::kBatchMax];
  /// Released while the batch at hand is decided: frames of the batch itself, which the datapath never held.
  std::vector<Decision> released_;
  std::uint64_t batch_first_ = 0;  ///< Number of the first frame of the batch at hand; 0 between batches.

  std::atomic<bool> stopping_{false}, reload_asked_{false}, has_tasks_{false};
  std::atomic<std::uint64_t> turns_{0};
  std::mutex tasks_mutex_;
  std::vector<std::function<void(Service&)>> tasks_;
  std::optional<Error> fault_;
  Time started_, latest_;
  Nanoseconds stats_due_ns_ = 0;
};

}  // namespace weir::service
