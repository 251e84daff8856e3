// SPDX-License-Identifier: Apache-2.0
#pragma once

// AskBook: answers to questions (asking.h) as rules. They stand behind the policy's own rules, so that they never override one of these:
//
//   once      for that connection, until the filter ends
//   session   for the process, user, server and port, until the filter ends
//   always    likewise, and written to a file of its own, whole or not at all (a new file, synced, then renamed)
//
// The file is a policy of rules that a person may read and change; it is read with each reload. Called from any thread but the lane.

#include <deque>
#include <mutex>
#include <optional>
#include <string>

#include "base/address.h"
#include "base/result.h"
#include "policy/document.h"

namespace weir::service {

/// Who wants to speak to whom.
struct Question {
  std::uint64_t id = 0;
  std::string process, cmdline, user;
  std::string name;              ///< Of the server; empty: it has none that is known.
  std::string app;               ///< What it speaks; empty: not known yet.
  Ip client, server;
  std::uint16_t client_port = 0, port = 0;  ///< 0: the protocol has none.
  std::uint8_t protocol = 0;
  std::uint64_t packets = 0;     ///< That wait for the answer, or did not find room.
  double seconds_left = 0;
};

enum class AnswerFor : std::uint8_t { Once, Session, Always };
struct AskAnswer {
  bool allow = false;
  AnswerFor how_long = AnswerFor::Once;
};
/// "allow", "deny always", "a s" … Nothing if it is none.
std::optional<AskAnswer> parse_answer(std::string_view text);
/// "/usr/bin/curl (ann) to www.example.org (198.51.100.80) port 443 tcp"
std::string ask_text(const Question& question);

class AskBook {
 public:
  static constexpr std::size_t kOnceMax = 256, kSessionMax = 1024;

  explicit AskBook(std::string file) : file_(std::move(file)) {}
  const std::string& file() const { return file_; }

  /// Nothing, or why the file could not take it; the answer then holds until the filter ends.
  std::optional<Error> add(const Question& question, AskAnswer answer);
  /// The last add() is undone: the policy with it was refused.
  void take_back();
  /// Reads the rules that were remembered, behind those of `loaded`. Errors of the file are errors of the whole.
  void append_to(policy::Loaded& loaded, const policy::LoadOptions& options, const Vocabulary& words) const;

 private:
  std::string rule_of(const Question& question, AskAnswer answer, std::string_view text) const;
  std::optional<Error> append(const std::string& rule);
  std::optional<Error> write(const std::string& text) const;

  std::string file_;
  mutable std::mutex mutex_;
  std::deque<std::string> once_, session_, once_before_, session_before_;
  std::optional<std::string> file_before_;  ///< The last add() changed it.
  std::uint64_t made_ = 0;
};

}  // namespace weir::service
