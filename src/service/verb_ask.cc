// SPDX-License-Identifier: Apache-2.0
// ask: the questions that wait (asking.h), and their answers.

#include <nlohmann/json.hpp>

#include "facts/packet.h"
#include "service/asking.h"
#include "service/control.h"

namespace weir::service {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const Question& q) {
  Json out = {{"id", q.id}, {"process", q.process}, {"cmdline", q.cmdline}, {"user", q.user}, {"address", render(q.server)}};
  if (!q.name.empty()) out["name"] = q.name;
  if (q.port != 0) out["port"] = q.port;
  out["proto"] = q.protocol == ip_protocol::kTcp ? "TCP" : q.protocol == ip_protocol::kUdp ? "UDP" : std::to_string(q.protocol);
  if (!q.app.empty()) out["app_proto"] = q.app;
  out["packets"] = q.packets;
  out["seconds_left"] = q.seconds_left;
  out["text"] = ask_text(q);
  return out;
}

}  // namespace

void Control::ask(ClientId client, const Request& request) {
  if (asking_ == nullptr) return send_error(client, kAnswerNo, "this filter asks nothing: it runs without --ask");
  if (!request.contains("id")) {
    return on_lane([this, client](Service&) {
      post([this, client, open = asking_->open(), numbers = asking_->numbers()] {
        for (const Question& q : open)
          if (!send_item(client, "question", json_of(q))) return;
        send_result(client, {{"open", open.size()}, {"asked", numbers.asked}, {"answered", numbers.answered}, {"unanswered", numbers.unanswered}, {"no_room", numbers.no_room}});
      });
    });
  }
  const auto id = request.at("id").get<std::uint64_t>();
  const auto answer = parse_answer(request.value("answer", std::string()));
  if (!answer) return send_error(client, kInputWrong, "an answer is `allow` or `deny`, and `once`, `session` or `always`");
  on_lane([this, client, id, answer](Service&) {
    post([this, client, id, done = asking_->answer(id, *answer)] {
      if (done) return send_result(client, {{"id", id}});
      send_error(client, kAnswerNo, "no question " + std::to_string(id) + " waits for an answer");
    });
  });
}

}  // namespace weir::service
