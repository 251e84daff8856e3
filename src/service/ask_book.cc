// SPDX-License-Identifier: Apache-2.0
#include "service/ask_book.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "base/text.h"
#include "engine/engine.h"
#include "facts/field_ids.h"
#include "facts/packet.h"
#include "report/json.h"

namespace weir::service {
namespace {

constexpr std::string_view kHeading = "# Answers to `weir run --ask`. They stand behind the policy's own rules.\nweir: 1\nrules:\n";

std::string json(std::string_view text) {
  fmt::memory_buffer out;
  report::append_quoted(out, text);
  return {out.data(), out.size()};
}

std::string protocol_word(std::uint8_t number) {
  for (const Word& w : engine::vocabulary().field(field::kIpProtocol)->words)
    if (w.value == number) return std::string(w.name);
  return std::to_string(number);
}

/// A value that is no pattern, whatever is in it.
std::string exactly(std::string_view text) {
  const bool plain = text.find_first_of("*?") == std::string_view::npos && !(text.starts_with('/') && text.ends_with('/'));
  return plain ? json(text) : "{ exact: " + json(text) + " }";
}

std::string read_all(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

/// Rules alone, as a text of its own.
std::string text_of(const std::deque<std::string>& rules) {
  std::string out = "weir: 1\nrules:\n";
  for (const std::string& rule : rules) out += rule;
  return out;
}

}  // namespace

std::optional<AskAnswer> parse_answer(std::string_view text) {
  const std::string lowered = lower(trim(text));
  const std::size_t space = lowered.find(' ');
  const std::string what = lowered.substr(0, space), how(space == std::string::npos ? std::string_view() : trim(std::string_view(lowered).substr(space)));
  AskAnswer out;
  if (what == "allow" || what == "a") out.allow = true;
  else if (what != "deny" && what != "d") return std::nullopt;
  if (how.empty() || how == "once" || how == "o") out.how_long = AnswerFor::Once;
  else if (how == "session" || how == "s") out.how_long = AnswerFor::Session;
  else if (how == "always" || how == "w") out.how_long = AnswerFor::Always;
  else return std::nullopt;
  return out;
}

std::string ask_text(const Question& q) {
  std::string out = q.process + " (" + (q.user.empty() ? "user unknown" : q.user) + ") to ";
  out += q.name.empty() ? render(q.server) : q.name + " (" + render(q.server) + ")";
  if (q.port != 0) out += " port " + std::to_string(q.port);
  return out + " " + protocol_word(q.protocol) + (q.app.empty() ? "" : ", " + q.app);
}

std::string AskBook::rule_of(const Question& q, AskAnswer answer, std::string_view text) const {
  const bool once = answer.how_long == AnswerFor::Once;
  std::string match = "process.path: " + exactly(q.process);
  if (!q.user.empty()) match += ", user: " + json(q.user);
  if (once) match += ", from: " + json(render(q.client));
  if (q.name.empty() || once) match += ", to: " + json(render(q.server));
  else match += ", server.name: " + json(q.name);
  match += ", ip.protocol: " + protocol_word(q.protocol);
  if (q.port != 0) match += ", port: " + std::to_string(q.port);
  if (once && q.client_port != 0) match += ", client.port: " + std::to_string(q.client_port);
  const std::string begin = "asked-" + std::to_string(made_);
  std::string name = begin;
  for (std::size_t n = 2; text.find(json(name)) != std::string_view::npos; ++n) name = begin + "-" + std::to_string(n);
  return "  - { name: " + json(name) + ", on: [host], match: { " + match + " }, action: " + (answer.allow ? "allow" : "drop") + " }\n";
}

/// Appends to the file, where the result is a policy; else nothing is changed.
std::optional<Error> AskBook::append(const std::string& rule) {
  const std::string before = read_all(file_);
  std::string text = before;
  if (text.empty()) text = kHeading;
  if (!text.ends_with('\n')) text += '\n';
  text += rule;
  if (!policy::load_policy_text(file_, text, engine::vocabulary()).policy)
    return Error{file_ + " is no list of rules that one more can be written behind", EINVAL};
  if (const auto error = write(text)) return error;
  file_before_ = before;
  return std::nullopt;
}

std::optional<Error> AskBook::write(const std::string& text) const {
  const std::string next = file_ + ".new";
  const int fd = ::open(next.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  bool done = fd >= 0;
  for (std::size_t at = 0; done && at < text.size();) {
    const ssize_t wrote = ::write(fd, text.data() + at, text.size() - at);
    if (wrote < 0 && errno == EINTR) continue;
    done = wrote > 0;
    at += done ? static_cast<std::size_t>(wrote) : 0;
  }
  done = done && ::fsync(fd) == 0;
  const int code = errno;
  if (fd >= 0) ::close(fd);
  if (done && std::rename(next.c_str(), file_.c_str()) == 0) return std::nullopt;
  return Error{file_ + " cannot be written: " + std::strerror(done ? errno : code), done ? errno : code};
}

std::optional<Error> AskBook::add(const Question& question, AskAnswer answer) {
  const std::lock_guard lock(mutex_);
  ++made_;
  once_before_ = once_;
  session_before_ = session_;
  file_before_.reset();
  // What is remembered by several texts has one name in all of them.
  std::string all = read_all(file_) + text_of(once_) + text_of(session_);
  const std::string rule = rule_of(question, answer, all);
  if (answer.how_long == AnswerFor::Always) {
    const auto error = append(rule);
    if (!error) return std::nullopt;
    session_.push_back(rule);
    return error;
  }
  std::deque<std::string>& list = answer.how_long == AnswerFor::Once ? once_ : session_;
  list.push_back(rule);
  if (list.size() > (&list == &once_ ? kOnceMax : kSessionMax)) list.pop_front();
  return std::nullopt;
}

void AskBook::take_back() {
  const std::lock_guard lock(mutex_);
  once_ = once_before_;
  session_ = session_before_;
  if (file_before_ && file_before_->empty()) ::unlink(file_.c_str());
  else if (file_before_) (void)write(*file_before_);
  file_before_.reset();
}

void AskBook::append_to(policy::Loaded& loaded, const policy::LoadOptions& options, const Vocabulary& words) const {
  if (!loaded.policy) return;
  std::vector<policy::Loaded> more;
  {
    const std::lock_guard lock(mutex_);
    for (const std::deque<std::string>* list : {&once_, &session_})
      if (!list->empty()) more.push_back(policy::load_policy_text("answers", text_of(*list), words));
    // By the reader of the policy's files: what it reads is kept with them for a restart, and a copy has what there was then.
    if (options.read_file) {
      const auto text = options.read_file(file_);
      if (text.ok()) more.push_back(policy::load_policy_text(file_, text.value(), words, options));
      else if (::access(file_.c_str(), F_OK) == 0 && ::access(file_.c_str(), R_OK) != 0) loaded.diagnostics.add(policy::Severity::Error, file_, 1, 1, text.error().message);
    } else if (::access(file_.c_str(), F_OK) == 0) {
      more.push_back(policy::load_policy(file_, words, options));
    }
  }
  if (loaded.diagnostics.errors() > 0) loaded.policy.reset();
  for (policy::Loaded& one : more) {
    if (!loaded.policy) return;
    if (!one.policy) {
      loaded.diagnostics.append(one.diagnostics);
      loaded.policy.reset();
      return;
    }
    for (policy::Rule& rule : one.policy->rules)
      if (!rule.guard && !rule.essential) loaded.policy->rules.push_back(std::move(rule));
  }
}

}  // namespace weir::service
