// SPDX-License-Identifier: Apache-2.0
#pragma once

// The first packets of all flows in finitely many classes, so that rule sets answer alike within each: a class of client
// addresses, one of server addresses, and a kind of traffic. Addresses are of one class if they are in the same zones and the
// same sets of all rule sets at hand. One packet stands for each class; what a policy says to it from its headers alone is its
// answer. Rates and bans are taken as not reached.
//
// Not told apart: flags, TTL and other keys of single packets, ports of the datapath, multicast.

#include <span>
#include <string>
#include <vector>

#include "facts/packet.h"
#include "policy/match.h"

namespace weir::cli {

/// Addresses that no rule tells apart: one of them, and what they are called.
struct AddressClass {
  Ip ip;
  std::string name;  ///< "inside (10.0.0.0) @admins"
};

/// A protocol with, for TCP, UDP and SCTP, a range of the server's ports; for ICMP a type.
struct TrafficClass {
  static constexpr std::uint16_t kClientPort = 50'000;
  std::uint8_t protocol = 0;
  std::uint16_t first = 0, last = 0;
  std::uint16_t client_port = kClientPort;
  std::uint16_t icmp_type = 8;  ///< As in rules: ICMP's, or 256 and ICMPv6's. A type of the other version stands for echo.
  bool has_ports() const;
  std::uint16_t port() const { return first == 0 ? last : first; }  ///< The one that stands for the range.
};

struct ClassBounds {
  std::size_t addresses_max = 160;
  bool client_ports = false;  ///< Also tell the client's ports and types of ICMP apart.
};

/// `names` tells what zones are called. `whole` becomes false where there were more classes than `bounds` allow.
std::vector<AddressClass> address_classes(std::span<const policy::RuleSet* const> rules, const policy::RuleSet& names,
                                          const ClassBounds& bounds, bool& whole);
std::vector<TrafficClass> traffic_classes(std::span<const policy::RuleSet* const> rules, const ClassBounds& bounds);

/// The packet that stands for a class. It refers to itself: neither copied nor moved.
class FirstPacket {
 public:
  FirstPacket(const Ip& from, const Ip& to, const TrafficClass& traffic);
  FirstPacket(const FirstPacket&) = delete;
  FirstPacket& operator=(const FirstPacket&) = delete;
  const Packet& packet() const { return packet_; }

 private:
  std::string bytes_;
  Frame frame_;
  Packet packet_;
};
/// As `weir explain --packet` takes it: "10.0.0.5:50000 > 192.0.2.7:22 tcp S".
std::string packet_text(const Ip& from, const Ip& to, const TrafficClass& traffic);

enum class FirstAnswer : std::uint8_t { Allow, Deny, Open };
std::string_view name_of(FirstAnswer answer);  ///< "allow", "deny", "open"

/// What a rule set says to first packets from their headers alone. Open: what they carry decides.
class Asked {
 public:
  explicit Asked(const policy::RuleSet& rules);

  struct Said {
    FirstAnswer answer = FirstAnswer::Allow;
    RuleId rule = kNoRule;  ///< The one that decides; kDefaultRule where none does.
  };
  Said ask(const Packet& packet);
  /// Whether one rule matches, as far as headers tell.
  policy::Truth holds(const Packet& packet, RuleId rule);
  /// Marks what could decide a packet: packets with the same marks are open for the same reasons.
  std::uint64_t mark(const Packet& packet);

 private:
  View view_of(const Packet& packet);

  const policy::RuleSet& rules_;
  AppSet apps_;
  FlowFacts flow_;
};

}  // namespace weir::cli
