// SPDX-License-Identifier: Apache-2.0
// The expected values are those of the public specification's baseline (corelight/community-id-spec, seed 0).
#include "report/community_id.h"

#include <gtest/gtest.h>

#include "facts/packet.h"
#include "tests/kit/packet.h"

namespace weir::report {
namespace {

using namespace ip_protocol;

struct Row {
  std::uint8_t protocol;
  std::string_view client, server;
  std::uint16_t client_port, server_port;  ///< ICMP: type and code.
  std::string_view expected;
};

std::string id_of(CommunityId& id, const Row& row) {
  const bool icmp = row.protocol == kIcmp || row.protocol == kIcmpv6;
  FlowEnds ends{kit::ip_of(row.client), kit::ip_of(row.server), 0, 0, row.protocol};
  if (!icmp) ends.client_port = row.client_port, ends.server_port = row.server_port;
  return std::string(id.of(ends, icmp ? static_cast<std::uint8_t>(row.client_port) : std::uint8_t{0}, icmp ? static_cast<std::uint8_t>(row.server_port) : std::uint8_t{0}));
}

constexpr Row kBaseline[] = {
    {kTcp, "128.232.110.120", "66.35.250.204", 34855, 80, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
    {kTcp, "66.35.250.204", "128.232.110.120", 80, 34855, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
    {kTcp, "2001:470:e5bf:dead:4957:2174:e82c:4887", "2607:f8b0:400c:c03::1a", 63943, 25, "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4="},
    {kTcp, "2607:f8b0:400c:c03::1a", "2001:470:e5bf:dead:4957:2174:e82c:4887", 25, 63943, "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4="},
    {kUdp, "192.168.1.52", "8.8.8.8", 54585, 53, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="},
    {kUdp, "8.8.8.8", "192.168.1.52", 53, 54585, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="},
    {kSctp, "192.168.170.8", "192.168.170.56", 7, 7, "1:MP2EtRCAUIZvTw6MxJHLV7N7JDs="},
    {kSctp, "192.168.170.56", "192.168.170.8", 7, 7, "1:MP2EtRCAUIZvTw6MxJHLV7N7JDs="},
    // RSVP has no ports.
    {46, "10.1.12.1", "10.1.12.2", 0, 0, "1:KHlLkgoJW7ifUTyTSgyVfkFHzKw="},
    {46, "10.1.12.2", "10.1.12.1", 0, 0, "1:KHlLkgoJW7ifUTyTSgyVfkFHzKw="},
    // Echo and its reply are one flow; time exceeded goes one way, its code stands for the other port.
    {kIcmp, "192.168.0.89", "192.168.0.1", 8, 0, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="},
    {kIcmp, "192.168.0.1", "192.168.0.89", 0, 0, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="},
    {kIcmp, "10.0.0.1", "10.0.0.2", 11, 0, "1:YHxtAirCG//0OzkcVAukqKQN9xM="},
    // Neighbour and router discovery, echo, and two errors.
    {kIcmpv6, "fe80::200:86ff:fe05:80da", "fe80::260:97ff:fe07:69ea", 135, 0, "1:dGHyGvjMfljg6Bppwm3bg0LO8TY="},
    {kIcmpv6, "fe80::260:97ff:fe07:69ea", "fe80::200:86ff:fe05:80da", 136, 0, "1:dGHyGvjMfljg6Bppwm3bg0LO8TY="},
    {kIcmpv6, "fe80::260:97ff:fe07:69ea", "fe80::200:86ff:fe05:80da", 135, 0, "1:zavyT/cezQr1fmImYCwYnMXbgck="},
    {kIcmpv6, "fe80::200:86ff:fe05:80da", "ff02::2", 133, 0, "1:hO+sN4H+MG5MY/8hIrXPqc4ZQz0="},
    {kIcmpv6, "fe80::260:97ff:fe07:69ea", "ff02::1", 134, 0, "1:pkvHqCL88/tg1k4cPigmZXUtL00="},
    {kIcmpv6, "3ffe:507:0:1:200:86ff:fe05:80da", "3ffe:501:0:1001::2", 128, 0, "1:+TW+HtLHvV1xnGhV1lv7XoJrqQg="},
    {kIcmpv6, "3ffe:501:0:1001::2", "3ffe:507:0:1:200:86ff:fe05:80da", 129, 0, "1:+TW+HtLHvV1xnGhV1lv7XoJrqQg="},
    {kIcmpv6, "3ffe:501:1800:2345::2", "3ffe:507:0:1:200:86ff:fe05:80da", 3, 0, "1:2ObVBgIn28oZvibYZhZMBgh7WdQ="},
    {kIcmpv6, "3ffe:501:410:0:2c0:dfff:fe47:33e", "3ffe:507:0:1:200:86ff:fe05:80da", 1, 4, "1:hLZd0XGWojozrvxqE0dWB1iM6R0="},
};

TEST(CommunityId, IsThatOfTheSpecification) {
  CommunityId id;
  for (const Row& row : kBaseline) EXPECT_EQ(id_of(id, row), row.expected) << row.client << " " << row.server;
}

TEST(CommunityId, WhatIsRememberedIsTheSame) {
  CommunityId id;
  for (int round = 0; round < 3; ++round)
    for (const Row& row : kBaseline) EXPECT_EQ(id_of(id, row), row.expected) << row.client << " " << row.server;
}

TEST(CommunityId, APlaceThatTwoFlowsShareIsNotMixedUp) {
  CommunityId used;
  // Ten thousand flows in a thousand places.
  for (std::uint16_t port = 1; port < 10000; ++port) {
    const FlowEnds ends{kit::ip_of("192.0.2.1"), kit::ip_of("198.51.100.2"), port, 443, kTcp};
    const std::string first(used.of(ends));
    EXPECT_EQ(used.of(ends), first);
    if (port % 997 == 0) {
      EXPECT_EQ(CommunityId().of(ends), first);
    }
  }
}

}  // namespace
}  // namespace weir::report
