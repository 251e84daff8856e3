// SPDX-License-Identifier: Apache-2.0
#pragma once

// Control: what people ask of the running filter, over its socket (docs/control.md has the protocol). It knows the policy in force and
// the one before, reloads, goes back, and answers the verbs; each has a file of its own (verb_*.cc).
//
// Three threads meet here, and none waits for another: the lane (what is submitted to it runs between two batches, in slices), the
// socket's thread, which owns everything below unless it says otherwise, and a worker for what takes long (reading and compiling a policy).
// As a sink it stands between the lane and the events: it notes what alerts rest on, and hands them on.

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <thread>

#include "policy/document.h"
#include "service/capture_tap.h"
#include "service/control_socket.h"
#include "service/notebook.h"
#include "service/kept_bindings.h"
#include "service/policy_store.h"
#include "service/service.h"

namespace weir::service {

inline constexpr int kProtocolVersion = 1;
inline constexpr const char* kDefaultSocket = "/run/weir/weir.sock";
/// `status` of an error, as the exit status of the command that asked.
inline constexpr int kAnswerNo = 1, kInputWrong = 2, kSystemRefused = 3;

struct EventNumbers {
  std::uint64_t dropped = 0, written = 0, refused = 0;
};

struct ControlOptions {
  ControlSocket::Options socket;
  std::string policy;              ///< The path that reloads read.
  std::vector<std::string> ports;  ///< Of the datapath, by number.
  /// Reads a policy as `weir run` does, with its checks. Called by the worker and before the start.
  std::function<policy::Loaded(const std::string& path, const policy::LoadOptions& options)> load;
  /// The lane, with each swap: events are of these rules from now on.
  std::function<void(std::shared_ptr<const policy::RuleSet> rules)> on_rules;
  std::function<EventNumbers()> event_numbers;                   ///< From the socket's thread.
  std::function<KeptBindings::Numbers()> kept_bindings;          ///< Likewise.
  std::function<void(const std::string& sentence)> say;          ///< For the operator's log; from any thread.
};

/// A policy as it may be put in force: compiled, and with the text that it came from.
struct Ready {
  std::shared_ptr<const policy::RuleSet> rules;
  PolicyCopy copy;
  policy::Diagnostics diagnostics;
};

class Asking;

class Control final : public engine::EventSink {
 public:
  /// `next` (which may be nullptr) outlives it.
  Control(ControlOptions options, PolicyStore store, engine::EventSink* next);
  ~Control() override;

  /// Where events go from here; outlives it. Before attach().
  void tell(engine::EventSink* next) { next_ = next; }

  /// The policy to start with: the file's, or, if the file still is what was tried and not confirmed, the one before. `rules` nullptr: it has
  /// an error, see `diagnostics`.
  Ready begin();
  /// Opens the socket; from then on the filter can be spoken to. `service` outlives close(), and has the rules of begin().
  std::optional<Error> attach(Service& service);
  void close();

  /// The filter asks a person (asking.h); outlives close(). Before attach().
  void ask_through(Asking* asking) { asking_ = asking; }
  /// Runs on the socket's thread: for what the lane must not wait for. From any thread, while it is attached.
  void off_lane(std::function<void()> task) { post(std::move(task)); }

  /// Any thread: the policy file is to be put in force anew. `why`: for the log.
  void ask_reload(std::string why = "SIGHUP");
  /// The writer's thread: lines of events, for those who follow and for `weir events`.
  void publish(std::string_view lines);
  /// A watchdog found the lane hanging.
  void tell_failed() { failed_.store(true, std::memory_order_relaxed); }

  // The lane's sink.
  void on_alert(const engine::AlertRecord& record) override;
  void on_flow(const engine::FlowRecord& record) override;
  void on_transaction(const View& view, std::uint64_t flow_id) override;
  void on_released(const Decision& decision) override;

 private:
  using Json = nlohmann::ordered_json;
  using Request = nlohmann::json;
  struct VerbRow {
    std::string_view name;
    void (Control::*answer)(ClientId, const Request&);
  };
  static const VerbRow kVerbs[];
  void on_line(ClientId client, std::string_view line);
  void on_gone(ClientId client);

  // Answers: items, then a result or an error, which ends the conversation.
  bool send_item(ClientId client, const char* kind, const Json& item);
  void send_result(ClientId client, const Json& result);
  void send_error(ClientId client, int status, const std::string& error, const policy::Diagnostics* diagnostics = nullptr);

  // verb_status.cc
  void status(ClientId client, const Request& request);
  // verb_flows.cc
  void flows(ClientId client, const Request& request);
  void top(ClientId client, const Request& request);
  // verb_events.cc
  void events(ClientId client, const Request& request);
  // verb_reload.cc
  void reload(ClientId client, const Request& request);
  void confirm(ClientId client, const Request& request);
  void rollback(ClientId client, const Request& request);
  // verb_ban.cc
  void ban(ClientId client, const Request& request);
  void unban(ClientId client, const Request& request);
  // verb_capture.cc
  void capture(ClientId client, const Request& request);
  // verb_ask.cc
  void ask(ClientId client, const Request& request);
  // verb_explain.cc
  void explain(ClientId client, const Request& request);

  /// Runs on the lane, between two batches.
  void on_lane(std::function<void(Service&)> task) { service_->submit(std::move(task)); }
  /// Runs on the socket's thread.
  void post(std::function<void()> task) { socket_->post(std::move(task)); }
  /// Runs `work` on the worker, then `done` on the socket's thread. False: the worker is busy.
  bool on_worker(std::function<void()> work, std::function<void()> done);
  Ready read_policy(const std::string& path, const PolicyCopy* from, const std::optional<std::string>& filter = std::nullopt) const;
  void say(const std::string& sentence) const {
    if (options_.say) options_.say(sentence);
  }

  // A change of policy on its way: read, foreseen, swapped.
  struct Change {
    ClientId client = 0;         ///< 0: nobody waits for an answer.
    bool only_preview = false;
    Nanoseconds confirm_within_ns = 0;
    bool back = false;           ///< To the policy before.
    std::string why;             ///< For the log.
    Ready next;
    policy::Changes changes;
    engine::Preview preview;
    struct Cut {
      engine::FlowNow flow;
      RuleId rule;
    };
    std::vector<Cut> cut;        ///< The first of them.
    std::map<RuleId, std::uint64_t> cut_by;
    engine::Reloaded reloaded;
  };
  void begin_change(std::shared_ptr<Change> change);
  void foresee(std::shared_ptr<Change> change);
  void carry_out(std::shared_ptr<Change> change);
  void complete(std::shared_ptr<Change> change);
  void end_change(const std::shared_ptr<Change>& change, int status, const std::string& error);
  Json describe(const Change& change) const;
  void go_back(ClientId client, const std::string& why);

  // Flows, in slices, no faster than the client reads.
  struct Walk;
  void walk_on(std::shared_ptr<Walk> walk);
  void walk_when_read(const std::shared_ptr<Walk>& walk);
  void list_bans(ClientId client, std::uint32_t from);
  void explain_note(ClientId client, const std::shared_ptr<const Note>& note, bool all);

  struct Capturing;
  void drain(std::shared_ptr<Capturing> capturing);
  void abandon_capture(ClientId client);
  void end_capture(const std::shared_ptr<Capturing>& capturing);

  ControlOptions options_;
  PolicyStore store_;
  engine::EventSink* next_;
  std::unique_ptr<ControlSocket> socket_;
  Service* service_ = nullptr;
  Asking* asking_ = nullptr;
  std::atomic<bool> failed_{false};

  Ready now_, before_;          ///< The policy in force, and the one to which `rollback` goes.
  std::uint32_t generation_ = 1;
  bool changing_ = false;
  std::string reload_asked_;    ///< While another change is under way: why. Empty: it was not.
  Nanoseconds confirm_by_ns_ = 0;  ///< 0: confirmed.

  std::thread worker_;
  std::atomic<bool> worker_busy_{false};

  // Events.
  static constexpr std::size_t kRecentBytesMax = 1 << 20;
  std::deque<std::string> recent_;
  std::size_t recent_bytes_ = 0;
  std::set<ClientId> followers_;
  std::atomic<std::uint64_t> unpublished_bytes_{0};

  // The lane's.
  Notebook notes_;
  CaptureTap* tap_ = nullptr;

  std::shared_ptr<Capturing> capturing_;  ///< One at a time.
};

}  // namespace weir::service
