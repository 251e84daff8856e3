// SPDX-License-Identifier: Apache-2.0
// reload, confirm, rollback: another policy, whole or not at all.
//
//   read (worker) → foresee which flows it would cut (lane, in slices) → keep what a restart needs (socket's thread)
//   → swap (lane, between two batches) → answer
//
// With `confirm` the filter goes back by itself unless it is confirmed in time; what is kept says so before the swap, so that a kill
// between the two goes back too.

#include <nlohmann/json.hpp>

#include "service/control.h"
#include "service/flow_json.h"

namespace weir::service {
namespace {

constexpr std::size_t kCutShownMax = 20;
constexpr std::uint32_t kSlotsASlice = 2048;
constexpr Nanoseconds kConfirmMax = 24 * kHour;

}  // namespace

void Control::reload(ClientId client, const Request& request) {
  auto change = std::make_shared<Change>();
  change->client = client;
  change->why = "reload";
  change->only_preview = request.value("preview", false);
  const double seconds = request.value("confirm_seconds", 0.0);
  if (!(seconds >= 0) || seconds * kSecond > static_cast<double>(kConfirmMax))
    return send_error(client, kInputWrong, "a reload is confirmed within a second to 24 hours");
  change->confirm_within_ns = static_cast<Nanoseconds>(seconds * kSecond);
  begin_change(std::move(change));
}

void Control::ask_reload(std::string why) {
  post([this, why = std::move(why)] {
    if (changing_) {
      reload_asked_ = why;
      return;
    }
    auto change = std::make_shared<Change>();
    change->why = why;
    begin_change(std::move(change));
  });
}

void Control::begin_change(std::shared_ptr<Change> change) {
  if (confirm_by_ns_ != 0 && !change->only_preview) {  // Else what it would go back to were not what was last confirmed.
    const std::string waits = "a reload waits to be confirmed: `weir confirm` or `weir rollback` first";
    if (change->client == 0) return say(change->why + ": " + waits);
    return send_error(change->client, kAnswerNo, waits);
  }
  if (changing_) return send_error(change->client, kAnswerNo, "another change of policy is under way");
  changing_ = true;
  const std::shared_ptr<const policy::RuleSet> now = now_.rules;
  const bool begun = on_worker(
      [this, change, now] {
        change->next = read_policy(options_.policy, nullptr);
        if (change->next.rules != nullptr) change->changes = policy::changes_between(*now, *change->next.rules);
      },
      [this, change] {
        if (change->next.rules == nullptr) return end_change(change, kInputWrong, "the policy has errors; the one in force stays");
        foresee(change);
      });
  if (!begun) end_change(change, kAnswerNo, "the filter explains an event just now; ask again");
}

/// Which flows would be cut.
void Control::foresee(std::shared_ptr<Change> change) {
  // The lane gives the change on and keeps none of it: rule sets are not taken apart there.
  on_lane([this, change = std::move(change)](Service& service) mutable {
    if (change->preview.rules == nullptr) change->preview = service.engine().begin_preview(change->next.rules, change->changes);
    service.engine().go_on(change->preview, kSlotsASlice, [&change](const engine::FlowNow& flow, RuleId rule) {
      ++change->cut_by[rule];
      if (change->cut.size() < kCutShownMax) change->cut.push_back({flow, rule});
    });
    if (!change->preview.done) return foresee(std::move(change));
    post([this, change = std::move(change)] {
      if (!change->only_preview) return carry_out(change);
      if (change->client != 0) send_result(change->client, describe(*change));
      end_change(change, 0, "");
    });
  });
}

void Control::carry_out(std::shared_ptr<Change> change) {
  if (change->confirm_within_ns != 0) {
    if (const auto error = store_.keep_unconfirmed(change->next.copy))
      return end_change(change, kSystemRefused, "nothing was changed, since a restart could not go back: " + error->message);
  }
  on_lane([this, change = std::move(change)](Service& service) mutable {
    change->reloaded = service.engine().reload(change->next.rules, change->changes);
    if (options_.on_rules) options_.on_rules(change->next.rules);
    post([this, change = std::move(change)] { complete(change); });
  });
}

/// The rules are in force.
void Control::complete(std::shared_ptr<Change> change) {
  generation_ = change->reloaded.generation;
  const bool confirms = change->confirm_within_ns != 0;
  std::optional<Error> unkept;
  if (!confirms) {
    unkept = store_.keep_good(change->next.copy);
    // A policy that was taken back stays marked for as long as the files are that.
    const auto error = change->back ? store_.keep_unconfirmed(now_.copy) : store_.forget_unconfirmed();
    if (!unkept) unkept = error;
  }
  before_ = std::move(now_);
  now_ = change->next;
  before_.diagnostics = now_.diagnostics = policy::Diagnostics();
  socket_->cancel("confirm");
  confirm_by_ns_ = 0;
  if (confirms) {
    confirm_by_ns_ = ControlSocket::now_ns() + change->confirm_within_ns;
    socket_->at("confirm", confirm_by_ns_, [this] { go_back(0, "nobody confirmed the reload"); });
  }
  if (unkept) say("the policy is in force, but a restart will not know it: " + unkept->message);
  say(change->why + ": policy " + options_.policy + ", generation " + std::to_string(generation_) + ", " + std::to_string(now_.rules->rules().size()) + " rules, " +
      std::to_string(change->preview.cut) + " flows cut");
  if (change->client != 0) send_result(change->client, describe(*change));
  end_change(change, 0, "");
}

/// `status` 0: it was carried out, and answered.
void Control::end_change(const std::shared_ptr<Change>& change, int status, const std::string& error) {
  changing_ = false;
  if (status != 0) {
    if (change->client != 0) send_error(change->client, status, error, &change->next.diagnostics);
    else {
      say(change->why + ": " + error);
      for (const policy::Diagnostic& d : change->next.diagnostics.all()) say(policy::render(d));
    }
  }
  if (reload_asked_.empty()) return;
  const std::string why = std::exchange(reload_asked_, std::string());
  ask_reload(why);
}

Control::Json Control::describe(const Change& change) const {
  Json out;
  out["generation"] = change.only_preview ? generation_ : change.reloaded.generation;
  out["preview"] = change.only_preview;
  out["identical"] = change.changes.identical;
  out["rules"] = change.next.rules->rules().size();
  out["flows_looked_at"] = change.preview.looked_at;
  out["flows_cut"] = change.preview.cut;
  out["cut_by"] = Json::object();
  for (const auto& [rule, count] : change.cut_by) out["cut_by"][policy::name_of_rule(change.next.rules->policy(), rule)] = count;
  out["cut"] = Json::array();
  for (const Change::Cut& cut : change.cut) {
    Json flow = json_of(cut.flow, now_.rules->policy());
    flow["cut_by"] = policy::name_of_rule(change.next.rules->policy(), cut.rule);
    out["cut"].push_back(std::move(flow));
  }
  if (!change.only_preview) {
    out["bans_dropped"] = change.reloaded.bans_dropped;
    out["limits_dropped"] = change.reloaded.meters_dropped;
    if (change.confirm_within_ns != 0) out["confirm_seconds"] = static_cast<double>(change.confirm_within_ns) / kSecond;
  }
  out["warnings"] = Json::array();
  for (const policy::Diagnostic& d : change.next.diagnostics.all()) out["warnings"].push_back(policy::render(d));
  return out;
}

void Control::confirm(ClientId client, const Request&) {
  if (confirm_by_ns_ == 0) return send_error(client, kAnswerNo, "no reload waits to be confirmed");
  std::optional<Error> error = store_.keep_good(now_.copy);
  if (!error) error = store_.forget_unconfirmed();
  if (error) return send_error(client, kSystemRefused, "not confirmed: " + error->message);
  socket_->cancel("confirm");
  confirm_by_ns_ = 0;
  say("the reload is confirmed");
  send_result(client, {{"generation", generation_}, {"confirmed", true}});
}

void Control::rollback(ClientId client, const Request&) {
  if (before_.rules == nullptr) return send_error(client, kAnswerNo, "there is no policy before this one");
  if (changing_) return send_error(client, kAnswerNo, "another change of policy is under way");
  go_back(client, "rollback");
}

void Control::go_back(ClientId client, const std::string& why) {
  if (changing_) {  // It ends soon.
    socket_->at("confirm", ControlSocket::now_ns() + 100 * kMillisecond, [this, client, why] { go_back(client, why); });
    return;
  }
  if (before_.rules == nullptr) return;
  changing_ = true;
  auto change = std::make_shared<Change>();
  change->client = client;
  change->back = true;
  change->why = why;
  change->next = before_;
  change->changes = policy::changes_between(*now_.rules, *before_.rules);
  foresee(std::move(change));
}

}  // namespace weir::service
