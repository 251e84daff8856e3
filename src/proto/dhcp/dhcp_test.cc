// SPDX-License-Identifier: Apache-2.0
#include "proto/dhcp/dhcp.h"

#include <gtest/gtest.h>

#include "tests/kit/dialogue.h"

namespace weir::proto::dhcp {
namespace {

using kit::Dialogue;

constexpr std::string_view kMac("\x00\x0b\x82\x01\xfc\x42", 6);
constexpr std::string_view kCookie("\x63\x82\x53\x63", 4);

std::string option(unsigned code, std::string_view value) { return std::string{static_cast<char>(code), static_cast<char>(value.size())} + std::string(value); }
std::string bootp(char op, std::string_view sname = {}, std::string_view file = {}) {
  std::string m{op, 1, 6, 0, 0x11, 0x22, 0x33, 0x44};
  m.resize(28);
  m += kMac;
  m.resize(44);
  m += sname;
  m.resize(108);
  m += file;
  m.resize(236);
  return m;
}
std::string dhcp(char op, const std::string& options) { return bootp(op) + std::string(kCookie) + options; }

std::string v6_option(unsigned code, std::string_view value) {
  return std::string{static_cast<char>(code >> 8), static_cast<char>(code), static_cast<char>(value.size() >> 8), static_cast<char>(value.size())} + std::string(value);
}
const std::string kClientId = v6_option(1, std::string("\0\3\0\1", 4) + std::string(kMac));
std::string v6(char type, const std::string& options) { return std::string{type, 1, 2, 3} + options; }
std::string relay(char type, const std::string& message) { return std::string{type, 0} + std::string(32, '\x20') + v6_option(9, message); }

Match match(const Protocol& p, std::string_view m, std::uint16_t client = 4000, std::uint16_t server = 4001) {
  return p.identify({.client = as_bytes(m), .client_port = client, .server_port = server, .ip_protocol = 17});
}
std::string outcome(const Protocol& p, const std::string& m) { return Dialogue(p).datagram(Side::Client, m).outcome(); }
bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST(Dhcp, TellsTypeClientServerAndName) {
  const std::string o = outcome(kDhcp, dhcp(1, option(53, "\3") + option(54, "\xc0\xa8\1\1") + option(12, "desk") + "\xff"));
  EXPECT_TRUE(has(o, "end dhcp.type=request dhcp.client_mac=00:0b:82:01:fc:42 dhcp.server_id=192.168.1.1 dhcp.hostname=desk")) << o;
}

TEST(Dhcp, OptionsGoOnInFileAndSname) {
  const std::string m = bootp(2, option(54, "\xc0\xa8\1\1") + "\xff", option(53, "\5") + "\xff") + std::string(kCookie) + option(52, "\3") + "\xff";
  EXPECT_TRUE(has(outcome(kDhcp, m), "dhcp.type=ack dhcp.client_mac=00:0b:82:01:fc:42 dhcp.server_id=192.168.1.1"));
  EXPECT_FALSE(has(outcome(kDhcp, dhcp(1, option(53, "\1") + "\xff" + option(54, "\1\1\1\1"))), "dhcp.server_id")) << "nothing behind the end";
}

TEST(Dhcp, MalformedOptionsAreFlaws) {
  EXPECT_TRUE(has(outcome(kDhcp, dhcp(1, option(53, "\1") + "\x0c\x40" "short")), "flaw bad-option"));
  EXPECT_TRUE(has(outcome(kDhcp, dhcp(1, option(53, "\1") + option(53, "\3"))), "flaw bad-option")) << "two types";
  EXPECT_TRUE(has(outcome(kDhcp, dhcp(1, option(54, "\1"))), "flaw bad-option"));
  EXPECT_TRUE(has(outcome(kDhcp, bootp(1).substr(0, 100)), "flaw truncated"));
}

TEST(Dhcp, IsToldByItsCookieAndBootpByItsPorts) {
  EXPECT_EQ(match(kDhcp, dhcp(1, option(53, "\1"))), Match::Yes);
  EXPECT_EQ(match(kDhcp, bootp(1) + std::string(64, '\0')), Match::No);
  EXPECT_EQ(match(kDhcp, bootp(1) + std::string(64, '\0'), 68, 67), Match::Yes);
  EXPECT_EQ(match(kDhcp, dhcp(3, option(53, "\1"))), Match::No) << "op";
  std::string hlen = dhcp(1, option(53, "\1"));
  hlen[2] = 7;
  EXPECT_EQ(match(kDhcp, hlen), Match::No);
  EXPECT_TRUE(kDhcp.is_answer(as_bytes(dhcp(2, ""))));
}

TEST(Dhcpv6, TellsTheTypesOfRelaysAndWhatTheyCarry) {
  EXPECT_TRUE(has(outcome(kDhcpv6, v6(1, kClientId)), "end dhcpv6.type=solicit\n"));
  EXPECT_TRUE(has(outcome(kDhcpv6, relay(13, relay(13, v6(2, kClientId)))), "end dhcpv6.type=relay-reply dhcpv6.type=advertise")) << outcome(kDhcpv6, relay(13, relay(13, v6(2, kClientId))));
  std::string deep = v6(1, kClientId);
  for (int i = 0; i < 12; ++i) deep = relay(12, deep);
  EXPECT_TRUE(has(outcome(kDhcpv6, deep), "flaw too-deep"));
  EXPECT_TRUE(has(outcome(kDhcpv6, v6(1, kClientId) + std::string("\0\x08\0\x05", 4)), "flaw bad-option"));
}

TEST(Dhcpv6, OptionsMustChainToTheEnd) {
  EXPECT_EQ(match(kDhcpv6, v6(1, kClientId)), Match::Yes);
  EXPECT_EQ(match(kDhcpv6, relay(12, v6(1, kClientId))), Match::Yes);
  EXPECT_EQ(match(kDhcpv6, v6(11, v6_option(8, std::string(2, '\0')))), Match::Yes);
  EXPECT_EQ(match(kDhcpv6, v6(1, kClientId) + "x"), Match::No);
  EXPECT_EQ(match(kDhcpv6, v6(1, v6_option(1, "\1\1"))), Match::No) << "no DUID";
  EXPECT_EQ(match(kDhcpv6, v6(1, "")), Match::No);
  EXPECT_EQ(match(kDhcpv6, v6(99, kClientId)), Match::No);
  EXPECT_TRUE(kDhcpv6.is_answer(as_bytes(v6(7, kClientId))));
  EXPECT_FALSE(kDhcpv6.is_answer(as_bytes(v6(1, kClientId))));
}

}  // namespace
}  // namespace weir::proto::dhcp
