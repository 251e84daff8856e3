// SPDX-License-Identifier: Apache-2.0
#pragma once

// Layout: a catalogue's conversation laid onto a policy's own zones, roles and addresses. The conversation's ends are roles; each
// becomes an address that the policy knows for it: of a zone one that is in no other role's set, of a set one of its addresses. The port
// that frames come in by, and the hardware address that a binding gives it, come with it. `{role}` in a line is its address,
// `{role.name}` a name of its set, `{role.port}` its port. `account` and `elsewhere` are told by the policy's accounts.
//
// It promises the same addresses for the same policy. What it cannot lay it says: the role that is missing, that is empty on purpose,
// or that has no address of that version of IP.

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "policy/rule.h"
#include "policy/zone.h"

namespace weir::cli {

struct LaidTraffic {
  std::string text;      ///< A conversation with its declarations; empty if it could not be laid.
  std::string missing;   ///< Why not: "no role `relay`".
  bool none = false;     ///< The role is there and empty on purpose.
};

class Layout {
 public:
  explicit Layout(const policy::Policy& policy);
  bool has_role(std::string_view role) const;
  LaidTraffic lay(std::string_view traffic);

 private:
  struct Actor {
    Ip ip;
    std::optional<Mac> mac;
    std::string port;
  };
  /// What a role's values come to.
  struct Place {
    bool told = false;
    std::vector<ZoneId> zones;
    std::vector<Prefix> networks;  ///< Of the values other than zones.
    std::vector<std::string> names;
  };
  const Actor* actor(std::string_view name, LaidTraffic& out);
  std::string name_of(std::string_view role, LaidTraffic& out);
  const Place& place(const std::string& role);
  std::optional<Ip> address(const std::string& role, const Place& place, bool v6, unsigned index) const;
  std::optional<Ip> in_zone(const std::string& role, ZoneId zone, bool v6, unsigned index) const;
  bool is_plain(const std::string& role, const Ip& ip, ZoneId zone) const;
  std::string port_for(const std::string& role, const Ip& ip, unsigned index) const;
  std::optional<std::string> filled(std::string_view line, LaidTraffic& out);
  std::optional<Mac> bound_mac(const Ip& ip) const;

  const policy::Policy& policy_;
  policy::ZoneMap zones_;
  std::map<std::string, Place> places_;
  std::map<std::string, Actor, std::less<>> actors_;
  std::vector<Ip> bound_;            ///< Addresses with a binding.
  std::set<PortIndex> trusted_;      ///< Ports that a guard trusts.
  bool only_bound_ = false;          ///< A guard stops what has no binding.
};

}  // namespace weir::cli
