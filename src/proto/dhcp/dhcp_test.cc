// SPDX-License-Identifier: Apache-2.0
#include "proto/dhcp/dhcp.h"

#include <gtest/gtest.h>

#include "proto/dhcp/lease.h"

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

std::string lease_text(const std::optional<Lease>& lease) {
  if (!lease) return "none";
  constexpr const char* kKinds[] = {"asks", "offers", "leases", "gives-back"};
  std::string out = kKinds[static_cast<int>(lease->kind)];
  for (std::size_t i = 0; i < lease->addresses_count; ++i) out += " " + render(lease->addresses[i].ip) + " " + std::to_string(lease->addresses[i].lifetime_s);
  if (lease->server) out += " by " + render(*lease->server);
  if (lease->prefix_bits != 0) out += " /" + std::to_string(lease->prefix_bits);
  if (lease->client) out += " to " + render(*lease->client);
  return out + (lease->relayed ? " relayed" : "");
}
std::string lease_v4(const std::string& message) { return lease_text(parse_lease_v4(as_bytes(message))); }
std::string lease_v6(const std::string& message) { return lease_text(parse_lease_v6(as_bytes(message))); }

TEST(Lease, OfDhcp) {
  const auto with = [](std::string m, std::size_t at, std::string_view address) { return m.replace(at, 4, address); };
  const std::string told = option(54, "\xc0\xa8\1\1") + option(51, std::string("\0\0\x0e\x10", 4)) + option(1, std::string("\xff\xff\xff\0", 4)) + "\xff";
  const std::string_view five("\xc0\xa8\1\5", 4);
  EXPECT_EQ(lease_v4(with(dhcp(2, option(53, "\5") + told), 16, five)), "leases 192.168.1.5 3600 by 192.168.1.1 /24 to 00:0b:82:01:fc:42");
  EXPECT_EQ(lease_v4(with(dhcp(2, option(53, "\2") + told), 16, five)), "offers 192.168.1.5 3600 by 192.168.1.1 /24 to 00:0b:82:01:fc:42");
  EXPECT_EQ(lease_v4(dhcp(2, option(53, "\5") + told)), "leases by 192.168.1.1 /24 to 00:0b:82:01:fc:42") << "the answer to an inform gives none";
  EXPECT_EQ(lease_v4(with(dhcp(1, option(53, "\7") + "\xff"), 12, five)), "gives-back 192.168.1.5 4294967295 to 00:0b:82:01:fc:42");
  EXPECT_EQ(lease_v4(with(dhcp(1, option(53, "\3") + "\xff"), 24, "\xc0\xa8\1\1")), "asks to 00:0b:82:01:fc:42 relayed");
  EXPECT_EQ(lease_v4(dhcp(1, option(53, "\5") + told)), "none") << "a client does not lease";
  EXPECT_EQ(lease_v4(dhcp(2, option(53, "\6") + told)), "none") << "a refusal";
  EXPECT_EQ(lease_v4(bootp(2)), "none");
  EXPECT_EQ(parse_lease_v4(as_bytes(dhcp(1, option(53, "\1") + "\xff")))->transaction,
            parse_lease_v4(as_bytes(dhcp(2, option(53, "\2") + told)))->transaction);
}

TEST(Lease, OfDhcpv6) {
  const std::string ip = std::string("\x20\x01\x0d\xb8", 4) + std::string(11, '\0') + "\5";
  const auto address = [&](std::string_view valid) { return v6_option(5, ip + std::string(4, '\0') + std::string(valid)); };
  const std::string hour("\0\0\x0e\x10", 4), never(4, '\0'), server = v6_option(2, std::string("\0\3\0\1", 4) + std::string(kMac));
  const auto ia = [&](const std::string& inside) { return v6_option(3, std::string(12, '\0') + inside); };
  EXPECT_EQ(lease_v6(v6(7, kClientId + server + ia(address(hour)))), "leases 2001:db8::5 3600");
  EXPECT_EQ(lease_v6(v6(7, kClientId + server + ia(address(never)))), "leases") << "a lifetime of 0 takes it away";
  EXPECT_EQ(lease_v6(v6(7, kClientId + server + ia(v6_option(13, std::string("\0\2", 2)) + address(hour)))), "leases") << "it failed";
  EXPECT_EQ(lease_v6(v6(8, kClientId + server + ia(address(never)))), "gives-back 2001:db8::5 0");
  EXPECT_EQ(lease_v6(v6(3, kClientId + server)), "asks");
  EXPECT_EQ(lease_v6(relay(13, v6(7, kClientId + server + ia(address(hour))))), "leases 2001:db8::5 3600 to 00:0b:82:01:fc:42 relayed");
  EXPECT_EQ(lease_v6(v6(2, kClientId + server)), "none") << "an advertisement is no lease";
  EXPECT_EQ(lease_v6("\7"), "none");
}

}  // namespace
}  // namespace weir::proto::dhcp
