// SPDX-License-Identifier: Apache-2.0
// events: the last ones, and, if asked, those that come: the same lines that --events writes. A follower that does not read is let go.

#include <nlohmann/json.hpp>

#include "service/control.h"

namespace weir::service {
namespace {

constexpr std::uint64_t kUnpublishedMax = 8 << 20;

}  // namespace

void Control::events(ClientId client, const Request& request) {
  const std::uint64_t last = request.value("last", std::uint64_t{request.value("follow", false) ? 0U : 100U});
  std::size_t skip = recent_.size() > last ? recent_.size() - static_cast<std::size_t>(last) : 0;
  for (const std::string& line : recent_) {
    if (skip != 0) {
      --skip;
      continue;
    }
    if (!socket_->send(client, line)) return;
  }
  if (request.value("follow", false)) followers_.insert(client);
  else send_result(client, {{"kept", recent_.size()}});
}

void Control::publish(std::string_view lines) {
  if (socket_ == nullptr) return;
  if (unpublished_bytes_.load(std::memory_order_relaxed) + lines.size() > kUnpublishedMax) return;  // Followers miss these; the file has them.
  unpublished_bytes_.fetch_add(lines.size(), std::memory_order_relaxed);
  post([this, text = std::string(lines)] {
    unpublished_bytes_.fetch_sub(text.size(), std::memory_order_relaxed);
    std::string_view left = text;
    while (!left.empty()) {
      const std::size_t end = std::min(left.find('\n'), left.size());
      const std::string_view line = left.substr(0, end);
      left.remove_prefix(std::min(end + 1, left.size()));
      if (line.empty()) continue;
      for (const ClientId follower : followers_) socket_->send(follower, line);
      recent_.emplace_back(line);
      recent_bytes_ += line.size();
      while (recent_bytes_ > kRecentBytesMax && !recent_.empty()) {
        recent_bytes_ -= recent_.front().size();
        recent_.pop_front();
      }
    }
  });
}

void Control::on_gone(ClientId client) {
  followers_.erase(client);
  socket_->cancel("walk " + std::to_string(client));
  abandon_capture(client);
}

}  // namespace weir::service
