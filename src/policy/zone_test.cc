// SPDX-License-Identifier: Apache-2.0
#include "policy/zone.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace weir::policy {
namespace {

constexpr PortIndex kLan = 0, kWan = 1, kWan2 = 2, kDmz = 3;

ZoneDefinition zone(std::string name, std::vector<PortIndex> ports, const std::vector<std::string>& networks) {
  ZoneDefinition out{.name = std::move(name), .ports = std::move(ports)};
  for (const std::string& text : networks) out.networks.push_back(parse_prefix(text)->prefix);
  return out;
}

Ip ip(const std::string& text) { return parse_ip(text).value(); }

TEST(ZoneMap, LongestNetworkThenTheZoneWithoutNetworks) {
  const ZoneMap map({zone("inside", {kLan}, {"10.0.0.0/8", "2001:db8::/32"}), zone("servers", {kDmz}, {"10.5.0.0/16", "10.0.0.0/8"}),
                     zone("outside", {kWan}, {})});
  const struct {
    const char* address;
    PortIndex port;
    const char* peer;
    ZoneId expected;
  } kRows[] = {
      {"10.1.1.1", kWan, "192.0.2.1", 0},
      {"10.5.0.1", kLan, "192.0.2.1", 1},
      {"10.4.255.255", kLan, "192.0.2.1", 0},
      {"10.6.0.0", kLan, "192.0.2.1", 0},
      {"192.0.2.1", kLan, "10.1.1.1", 2},
      {"2001:db8::1", kLan, "10.1.1.1", 0},
      {"2001:db9::1", kLan, "10.1.1.1", 2},
      // Special addresses take the zone of the port,
      {"0.0.0.0", kLan, "255.255.255.255", 0},
      {"255.255.255.255", kDmz, "0.0.0.0", 1},
      {"fe80::1", kWan, "ff02::1", 2},
      {"224.0.0.251", kLan, "10.5.0.1", 0},
      {"::", kLan, "ff02::1", 0},
      // else of the peer, else none.
      {"224.0.0.251", kNoPort, "10.5.0.1", 1},
      {"169.254.1.1", kNoPort, "192.0.2.9", 2},
      {"0.0.0.0", kNoPort, "255.255.255.255", kNoZone},
  };
  for (const auto& row : kRows)
    EXPECT_EQ(map.zone_of(ip(row.address), row.port, ip(row.peer)), row.expected) << row.address << " port " << row.port;
  EXPECT_EQ(map.by_network(ip("192.0.2.1")), kNoZone);
  EXPECT_EQ(map.by_port(99), kNoZone);
}

TEST(ZoneMap, SeveralWithoutNetworksAreToldByPort) {
  const ZoneMap map({zone("inside", {kLan}, {"10.0.0.0/8"}), zone("a", {kWan}, {}), zone("b", {kWan2}, {})});
  EXPECT_EQ(map.zone_of(ip("192.0.2.1"), kWan, ip("10.0.0.1")), 1);
  EXPECT_EQ(map.zone_of(ip("192.0.2.1"), kWan2, ip("10.0.0.1")), 2);
  EXPECT_EQ(map.zone_of(ip("192.0.2.1"), kLan, ip("10.0.0.1")), kNoZone);
  const ZoneMap rest({zone("guests", {kWan}, {}), zone("internet", {}, {})});
  EXPECT_EQ(rest.zone_of(ip("192.0.2.1"), kWan, ip("10.0.0.1")), 0);
  EXPECT_EQ(rest.zone_of(ip("192.0.2.1"), kLan, ip("10.0.0.1")), 1);
}

TEST(ZoneMap, NoZonesNoZone) { EXPECT_EQ(ZoneMap({}).zone_of(ip("10.0.0.1"), 0, ip("10.0.0.2")), kNoZone); }

TEST(ZoneMap, AllOfIpv6IsNothingOfIpv4) {
  const ZoneMap six({zone("six", {}, {"::/0"})}), both({zone("six", {}, {"::/0"}), zone("four", {}, {"0.0.0.0/0"})});
  EXPECT_EQ(six.by_network(ip("10.0.0.1")), kNoZone);
  for (const char* address : {"::1", "::fffe:ffff:ffff", "::1:0:0:0", "ffff::"}) EXPECT_EQ(six.by_network(ip(address)), 0) << address;
  EXPECT_EQ(both.by_network(ip("0.0.0.0")), 1);
  EXPECT_EQ(both.by_network(ip("255.255.255.255")), 1);
  EXPECT_EQ(both.by_network(ip("::1:0:0:0")), 0);
}

TEST(ZoneMap, AgreesWithAskingEveryNetwork) {
  std::mt19937 random(3);
  for (int round = 0; round < 200; ++round) {
    std::vector<ZoneDefinition> zones(1 + random() % 6);
    for (ZoneDefinition& each : zones)
      for (std::size_t i = 0, count = random() % 12; i < count; ++i) {
        const unsigned length = random() % 33;
        const auto value = static_cast<std::uint32_t>(random()) & 0xc0a003ffU;
        each.networks.push_back(
            parse_prefix(render(Ip::v4(value)) + "/" + std::to_string(length))->prefix);
      }
    const ZoneMap map(zones);
    for (int ask = 0; ask < 300; ++ask) {
      const Ip address = Ip::v4(static_cast<std::uint32_t>(random()) & 0xc0a003ffU);
      int longest = -1;
      ZoneId expected = kNoZone;
      for (std::size_t i = 0; i < zones.size(); ++i)
        for (const Prefix& prefix : zones[i].networks)
          if (prefix.contains(address) && prefix.length > longest) longest = prefix.length, expected = static_cast<ZoneId>(i);
      ASSERT_EQ(map.by_network(address), expected) << render(address) << " round " << round;
    }
  }
}

}  // namespace
}  // namespace weir::policy
