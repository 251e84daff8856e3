// SPDX-License-Identifier: Apache-2.0
// ban, unban: by a person's word, in the same table as the bans that rules make. `ban` without an address lists those that hold.

#include <nlohmann/json.hpp>

#include "service/control.h"
#include "service/flow_json.h"

namespace weir::service {
namespace {

constexpr std::uint32_t kPlacesASlice = 8192;
constexpr double kBanSecondsMax = 366.0 * 24 * 3600;

using state::BanKey, state::BanKind;

/// The ban that a request names, or what is wrong with it.
std::optional<BanKey> key_of(const nlohmann::json& request, std::string& wrong) {
  BanKey key;
  const std::string what = request.value("what", std::string("source"));
  if (what == "source") key.kind = BanKind::Source;
  else if (what == "destination") key.kind = BanKind::Destination;
  else if (what == "port") key.kind = BanKind::Port;
  else if (what == "protocol") key.kind = BanKind::Protocol;
  else return wrong = "`what` is source, destination, port or protocol", std::nullopt;
  const auto ip = parse_ip(request.value("address", std::string()));
  if (!ip) return wrong = "`address` is an IPv4 or IPv6 address", std::nullopt;
  key.ip = *ip;
  if (key.kind != BanKind::Port && key.kind != BanKind::Protocol) return key;
  const std::string protocol = request.value("protocol", std::string("tcp"));
  if (protocol == "tcp") key.protocol = ip_protocol::kTcp;
  else if (protocol == "udp") key.protocol = ip_protocol::kUdp;
  else if (protocol == "sctp") key.protocol = ip_protocol::kSctp;
  else if (protocol == "icmp" && key.kind == BanKind::Protocol) key.protocol = ip->is_v4() ? ip_protocol::kIcmp : ip_protocol::kIcmpv6;
  else return wrong = "`protocol` is tcp, udp or sctp, or icmp where no port is named", std::nullopt;
  if (key.kind == BanKind::Protocol) return key;
  const std::int64_t port = request.value("port", std::int64_t{0});
  if (port < 1 || port > 65535) return wrong = "`port` is a number from 1 to 65535", std::nullopt;
  key.port = static_cast<std::uint16_t>(port);
  return key;
}

}  // namespace

void Control::ban(ClientId client, const Request& request) {
  if (!request.contains("address")) return list_bans(client, 0);
  std::string wrong;
  const auto key = key_of(request, wrong);
  if (!key) return send_error(client, kInputWrong, wrong);
  const double seconds = request.value("for_seconds", 600.0);
  if (!(seconds > 0 && seconds <= kBanSecondsMax)) return send_error(client, kInputWrong, "a ban holds for a second to 366 days");
  const auto for_ns = static_cast<Nanoseconds>(seconds * kSecond);
  on_lane([this, client, key = *key, for_ns](Service& service) {
    service.engine().ban(key, for_ns);
    post([this, client, key, for_ns] {
      const engine::BanNow now{key, kOperatorRule, for_ns};
      const Json told = json_of(now, now_.rules->policy());
      say("ban: " + told.dump());
      send_result(client, told);
    });
  });
}

void Control::list_bans(ClientId client, std::uint32_t from) {
  on_lane([this, client, from](Service& service) {
    auto bans = std::make_shared<std::vector<engine::BanNow>>();
    const std::uint32_t next = service.engine().walk_bans(from, kPlacesASlice, [&](const engine::BanNow& ban) { bans->push_back(ban); });
    const auto rules = service.engine().rules_in_force();
    post([this, client, bans, next, rules] {
      for (const engine::BanNow& ban : *bans)
        if (!send_item(client, "ban", json_of(ban, rules->policy()))) return;
      if (next == engine::Engine::kNoMore) send_result(client, Json::object());
      else list_bans(client, next);
    });
  });
}

void Control::unban(ClientId client, const Request& request) {
  std::string wrong;
  const auto key = key_of(request, wrong);
  if (!key) return send_error(client, kInputWrong, wrong);
  on_lane([this, client, key = *key](Service& service) {
    const bool held = service.engine().unban(key);
    post([this, client, key, held] {
      if (!held) return send_error(client, kAnswerNo, "no such ban holds");
      say("unban: " + render(key.ip));
      send_result(client, {{"address", render(key.ip)}});
    });
  });
}

}  // namespace weir::service
