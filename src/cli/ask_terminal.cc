// SPDX-License-Identifier: Apache-2.0
#include "cli/ask_terminal.h"

#include <poll.h>
#include <unistd.h>

#include "base/text.h"

namespace weir::cli {

std::optional<TypedAnswer> parse_typed(std::string_view line) {
  line = trim(line);
  TypedAnswer out;
  if (!line.empty() && is_digit(line.front())) {
    const std::size_t space = line.find(' ');
    const auto id = parse_number(line.substr(0, space));
    if (!id || *id == 0 || space == std::string_view::npos) return std::nullopt;
    out.id = *id;
    line = line.substr(space);
  }
  const auto answer = service::parse_answer(line);
  if (!answer) return std::nullopt;
  out.answer = *answer;
  return out;
}

AskTerminal::AskTerminal(std::function<void(const TypedAnswer&)> answer, std::function<void(const std::string&)> say)
    : answer_(std::move(answer)), say_(std::move(say)) {
  if (::isatty(STDIN_FILENO) != 0) thread_ = std::thread([this] { run(); });
}

AskTerminal::~AskTerminal() {
  ending_.store(true, std::memory_order_relaxed);
  if (thread_.joinable()) thread_.join();
}

void AskTerminal::run() {
  constexpr std::size_t kLineMax = 256;
  std::string line;
  while (!ending_.load(std::memory_order_relaxed)) {
    pollfd ready{STDIN_FILENO, POLLIN, 0};
    if (::poll(&ready, 1, 200) <= 0) continue;
    char bytes[256];
    const ssize_t came = ::read(STDIN_FILENO, bytes, sizeof bytes);
    if (came <= 0) return;  // Nobody types any more; the socket is left.
    for (const char c : std::string_view(bytes, static_cast<std::size_t>(came))) {
      if (c != '\n') {
        if (line.size() < kLineMax) line += c;
        continue;
      }
      if (const auto typed = parse_typed(line)) answer_(*typed);
      else if (!trim(line).empty()) say_("an answer is `allow` or `deny`, and `once`, `session` or `always`, with the question's number in front where several wait");
      line.clear();
    }
  }
}

}  // namespace weir::cli
