// SPDX-License-Identifier: Apache-2.0
// explain: why an alert came about, from the note that was taken when it did. Rules are asked again, on the worker, in a copy of the policy
// that was in force: what a rule set keeps while it matches belongs to the lane.

#include <nlohmann/json.hpp>

#include "report/reason.h"
#include "service/control.h"
#include "service/flow_json.h"

namespace weir::service {

void Control::explain(ClientId client, const Request& request) {
  const auto id = request.find("event");
  if (id == request.end() || !id->is_number_unsigned()) return send_error(client, kInputWrong, "`event` is the number `pcap_cnt` of an alert");
  const std::uint64_t frame = id->get<std::uint64_t>();
  const bool all = request.value("all", false);
  on_lane([this, client, frame, all](Service&) {
    const Note* const found = notes_.find(frame);
    std::shared_ptr<Note> note = found == nullptr ? nullptr : std::make_shared<Note>(*found);
    post([this, client, frame, all, note] {
      if (note == nullptr)
        return send_error(client, kAnswerNo, "no note of event " + std::to_string(frame) + ": the last " + std::to_string(Notebook::kNotesMax) + " alerts are kept");
      explain_note(client, note, all);
    });
  });
}

void Control::explain_note(ClientId client, const std::shared_ptr<const Note>& note, bool all) {
  const Ready* const ready = note->generation == generation_ ? &now_ : note->generation + 1 == generation_ ? &before_ : nullptr;
  if (ready == nullptr || ready->rules == nullptr) return send_error(client, kAnswerNo, "it was decided under a policy that is no longer kept");
  const auto copy = std::make_shared<PolicyCopy>(ready->copy);
  const auto answer = std::make_shared<Json>();
  const bool begun = on_worker(
      [this, note, copy, answer, all] {
        const Ready again = read_policy(options_.policy, copy.get());
        if (again.rules == nullptr) return;
        const policy::Policy& policy = again.rules->policy();
        const Recollection then(*note);
        const policy::Explanation why = policy::explain(*again.rules, then.view(), then.outcome());
        const engine::AlertRecord& alert = note->alert;
        Json& out = *answer;
        out["event"] = alert.frame;
        out["verdict"] = alert.blocked ? "drop" : "pass";
        out["rule"] = rule_name(policy, alert.rule);
        out["action"] = (alert.monitored ? "would-" : "") + std::string(policy::name_of(alert.action));
        out["reason"] = report::name_of(alert.reason);
        out["techniques"] = alert.rule < policy.rules.size() ? policy.rules[alert.rule].techniques
                            : alert.rule == kDefaultRule     ? policy.default_techniques
                                                             : std::vector<std::string>();
        out["flow"] = why.flow;
        out["whole"] = !note->cut;
        out["text"] = policy::render(why, policy, all);
      },
      [this, client, answer] {
        if (answer->empty()) return send_error(client, kSystemRefused, "the policy that was in force cannot be read again");
        send_result(client, *answer);
      });
  if (!begun) send_error(client, kAnswerNo, "the filter reads a policy just now; ask again");
}

}  // namespace weir::service
