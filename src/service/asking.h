// SPDX-License-Identifier: Apache-2.0
#pragma once

// Asking: a person is asked about what a process of this host begins and no rule decides (`weir run --host --ask`). It stands between the
// lane and the datapath: what the default would drop waits in the datapath instead, and the question goes out once for each process, user,
// server, port and protocol, however often it is tried. An allow becomes a rule behind the policy's own (ask_book.h); when that is in force,
// what waited is given to the engine again, and meets it. The engine knows nothing of questions.
//
// Bounded: kQuestionsMax open ones, kPacketsMax packets and kBytesMax bytes of each. What does not fit gets the default, counted. A question
// that nobody answers in time is answered as the options say. What is denied is not asked again: once for a minute, else while the filter runs.
//
// What comes in, what is forwarded and what has no process that is known is not asked about. All calls on the lane, unless said otherwise.

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "datapath/datapath.h"
#include "engine/engine.h"
#include "service/ask_book.h"

namespace weir::service {

class Asking final : public datapath::Datapath, public engine::EventSink {
 public:
  static constexpr std::size_t kQuestionsMax = 64, kPacketsMax = 16, kBytesMax = 16384, kDeniedMax = 4096;

  struct Options {
    Nanoseconds timeout_ns = 15 * kSecond;
    AskAnswer unanswered;                              ///< After that time.
    std::function<void(const Question& question)> ask; ///< A new one; must not wait.
    /// An answer that is to become a rule: off the lane, then call ruled(). Must not wait.
    std::function<void(const Question& question, AskAnswer answer)> remember;
  };
  struct Numbers {
    std::uint64_t asked = 0, answered = 0, unanswered = 0, no_room = 0, open = 0;
  };

  /// Both outlive it.
  Asking(Options options, datapath::Datapath& path, engine::EventSink& next);
  ~Asking() override;

  /// The engine that decides what this brings; before the first poll().
  void ask_for(engine::Engine& engine) { engine_ = &engine; }
  /// False: there is no such question, or it is answered.
  bool answer(std::uint64_t id, AskAnswer answer);
  /// The rule for it is written: with the next rules in force it counts.
  void ruled(std::uint64_t id);
  /// Other rules are in force.
  void rules_changed();
  std::vector<Question> open() const;
  Numbers numbers() const;

  std::string_view kind() const override { return path_.kind(); }
  datapath::Capabilities capabilities() const override { return path_.capabilities(); }
  std::span<const datapath::PortState> ports() override { return path_.ports(); }
  std::span<const std::string> remarks() const override { return path_.remarks(); }
  const datapath::DatapathCounters& counters() const override { return path_.counters(); }
  datapath::StopState stop_state() const override { return path_.stop_state(); }
  std::optional<datapath::EarlyStop> early_stop() override { return path_.early_stop(); }
  Time now() override { return path_.now(); }
  Result<std::size_t> poll(std::span<Frame> out, Nanoseconds wait_ns) override;
  void release(const Decision& decision) override;
  void apply(std::span<const Frame> frames, std::span<const Decision> decisions) override;
  std::optional<Error> fail(datapath::FailMode mode) override { return path_.fail(mode); }  ///< Another thread's.
  void close() override { path_.close(); }

  void on_alert(const engine::AlertRecord& record) override;
  void on_flow(const engine::FlowRecord& record) override { next_.on_flow(record); }
  void on_transaction(const View& view, std::uint64_t flow_id) override { next_.on_transaction(view, flow_id); }
  void on_released(const Decision& decision) override { next_.on_released(decision); }

 private:
  struct KeptSender;
  struct Waiting {
    std::uint64_t number = 0;  ///< Of the datapath.
    Frame frame;               ///< Its bytes and sender are these:
    std::string bytes;
    std::shared_ptr<const KeptSender> sender;
  };
  struct Open {
    Question question;
    std::string key;
    Nanoseconds until_ns = 0;
    enum class State : std::uint8_t { Asked, Allowed, Ruled } state = State::Asked;
    std::vector<Waiting> waiting;
    std::size_t bytes = 0;
  };
  /// True: it waits for an answer. `frame` as the engine knows it, `number` as the datapath does.
  bool waits(const Frame& frame, std::uint64_t number);
  bool waits(Waiting waiting);
  static Waiting keep(const Frame& frame, std::uint64_t number);
  std::optional<Question> question_of(const Frame& frame) const;
  void end(std::uint64_t id);
  void expire();
  void drop(std::uint64_t number);

  Options options_;
  datapath::Datapath& path_;
  engine::EventSink& next_;
  engine::Engine* engine_ = nullptr;
  std::map<std::uint64_t, Open> questions_;                  ///< By id.
  std::unordered_map<std::string, std::uint64_t> by_key_;
  std::unordered_map<std::string, Nanoseconds> denied_;      ///< Not asked again until then.
  std::deque<Waiting> again_;                                ///< To be given to the engine once more.
  std::unordered_map<std::uint64_t, Waiting> held_;          ///< The engine's own holds, by the number that the engine knows.
  std::vector<Waiting> batch_;                               ///< What of again_ the batch at hand is, empty: it is the datapath's.
  std::vector<std::uint64_t> inner_;                         ///< The datapath's numbers of the batch at hand.
  std::vector<Frame> frames_;
  std::vector<Decision> decisions_;
  std::uint64_t number_ = 0, last_id_ = 0;
  struct Noted {
    std::uint64_t frame = 0;
    std::string name, app;
  };
  std::deque<Noted> noted_;                                  ///< What alerts of the default knew.
  Numbers numbers_;
};

}  // namespace weir::service
