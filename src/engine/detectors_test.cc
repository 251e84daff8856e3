// SPDX-License-Identifier: Apache-2.0
// The readings that join protocols with what is remembered, attack and twin, each through the whole engine.

#include <gtest/gtest.h>

#include "tests/kit/talk.h"

namespace weir::engine {
namespace {

using namespace kit;

std::string rule(std::string_view name, std::string_view match) {
  return "weir: 1\nrules: [ { name: " + std::string(name) + ", match: { " + std::string(match) + " }, action: drop } ]\n";
}
std::string guards(std::string_view what) { return "weir: 1\nguards: { " + std::string(what) + " }\n"; }

// ---- names

TEST(DnsGenerated, TheQueryIsStopped) {
  Filter f(rule("dga", "dns.generated: true"));
  Datagrams d{f};
  EXPECT_EQ(d.ask(dns_query("www.kq0qw6o2siwq.org")), "drop dga");
  EXPECT_EQ(plain(d.ask(dns_query("www.example.org", 2))), "pass");
  EXPECT_EQ(plain(d.ask(dns_query("kq0qw6o2siwq.example.org", 3))), "pass") << "what its owner calls a host is the owner's business";
}

TEST(DnsFirstSeen, AgesFromTheFirstQuestionStoppedOrNot) {
  Filter f(rule("young", "dns.first_seen: -3599"));
  Datagrams d{f};
  EXPECT_EQ(d.ask(dns_query("a.example.org", 1)), "drop young");
  f.after(30 * kMinute);
  EXPECT_EQ(d.ask(dns_query("b.example.org", 2)), "drop young") << "the registered domain ages, not the host";
  f.after(31 * kMinute);
  EXPECT_EQ(plain(d.ask(dns_query("c.example.org", 3))), "pass");
  EXPECT_EQ(d.ask(dns_query("example.net", 4)), "drop young");
}

// ---- forged requests

// Seen live: the request was stopped, and its retransmission went through, for it is not read a second time.
TEST(Readings, WhatIsReadFromContentDeniesTheFlow) {
  const struct {
    const char* policy;
    std::string request;
    const char* verdict;
  } cases[] = {
      {"guards: { ssrf: true }\nrules: []", http_get("shop.example", "/fetch?url=http://169.254.169.254/latest/"), "drop guard.ssrf"},
      {"guards: { fronting: true }\nrules: []", "GET http://front.example/ HTTP/1.1\r\nHost: hidden.other\r\n\r\n", "drop guard.fronting"},
  };
  for (const auto& c : cases) {
    Filter f("weir: 1\n" + std::string(c.policy));
    Connection talk(f, "10.0.0.5", 40000, "198.51.100.80", 80);
    talk.open();
    EXPECT_EQ(talk.client(c.request), c.verdict);
    EXPECT_EQ(talk.put(Side::Client, 0, c.request), c.verdict) << "its retransmission";
    EXPECT_EQ(talk.client(http_get("a.example", "/")), c.verdict) << "what comes behind it";
    EXPECT_EQ(talk.server(http_ok()), c.verdict) << "an answer";
    f.end();
    EXPECT_EQ(f.count("alert blocked"), 1U);
  }
}

TEST(Ssrf, RequestsThatCarryTheMetadataAddress) {
  Filter f(guards("ssrf: true"));
  std::uint16_t port = 40000;
  const auto request = [&](std::string_view text, std::string_view server = "198.51.100.80") {
    Connection c(f, "10.0.0.5", ++port, server, 80);
    c.open();
    return c.client(text);
  };
  EXPECT_EQ(request(http_get("shop.example", "/fetch?url=http://169.254.169.254/latest/")), "drop guard.ssrf");
  EXPECT_EQ(request(http_get("shop.example", "/fetch?url=http%3a%2f%2f0xa9fea9fe")), "drop guard.ssrf");
  EXPECT_EQ(request("GET / HTTP/1.1\r\nHost: shop.example\r\nReferer: http://2852039166/\r\n\r\n"), "drop guard.ssrf") << "in a header";
  EXPECT_EQ(request("POST / HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 29\r\n\r\n{\"u\":\"http://[fd00:ec2::254]\"}"), "drop guard.ssrf") << "in a body";
  EXPECT_EQ(request(http_get("169.254.169.254", "/latest/meta-data/"), "10.0.0.80"), "drop guard.ssrf") << "a Host that is another's";
  EXPECT_EQ(plain(request(http_get("shop.example", "/fetch?url=http://192.0.2.1/"))), "pass");
  EXPECT_EQ(plain(request(http_get("169.254.169.254", "/latest/meta-data/"), "169.254.169.254")), "pass") << "the agent's own request";
  EXPECT_EQ(plain(request("GET / HTTP/1.1\r\nHost: shop.example\r\nX-Forwarded-For: 100.100.100.200\r\n\r\n")), "pass") << "a client behind a carrier's NAT";
}

TEST(Ssrf, AnswersThatLeadThere) {
  Filter f(guards("ssrf: true"));
  Datagrams d{f};
  EXPECT_EQ(plain(d.ask(dns_query("rebind.example"))), "pass");
  EXPECT_EQ(d.answer(dns_answer("rebind.example", "169.254.169.254")), "drop guard.ssrf");
  EXPECT_EQ(plain(d.ask(dns_query("metadata.google.internal", 2))), "pass");
  EXPECT_EQ(plain(d.answer(dns_answer("metadata.google.internal", "169.254.169.254", 2))), "pass") << "its own name";
  EXPECT_EQ(plain(d.ask(dns_query("www.example", 3))), "pass");
  EXPECT_EQ(plain(d.answer(dns_answer("www.example", "192.0.2.1", 3))), "pass");
}

TEST(Fronting, NameInsideAgainstNameOutside) {
  Filter f(guards("fronting: true"));
  std::uint16_t port = 41000;
  const auto through_proxy = [&](std::string_view host, std::string_view sni) {
    Connection c(f, "10.0.0.5", ++port, "10.0.0.80", 3128);
    c.open();
    c.client("CONNECT " + std::string(host) + ":443 HTTP/1.1\r\nHost: " + std::string(host) + ":443\r\n\r\n");
    c.server("HTTP/1.1 200 Connection established\r\n\r\n");
    return c.client(tls_hello(sni));
  };
  EXPECT_EQ(through_proxy("allowed.example", "hidden.test"), "drop guard.fronting");
  EXPECT_EQ(plain(through_proxy("allowed.example", "allowed.example")), "pass");
  EXPECT_EQ(plain(through_proxy("www.allowed.example", "cdn.allowed.example")), "pass") << "one site";
  Connection c(f, "10.0.0.5", 42000, "10.0.0.80", 3128);
  c.open();
  EXPECT_EQ(c.client("GET http://allowed.example/ HTTP/1.1\r\nHost: hidden.test\r\n\r\n"), "drop guard.fronting") << "in the clear";
  Connection same(f, "10.0.0.5", 42001, "10.0.0.80", 3128);
  same.open();
  EXPECT_EQ(plain(same.client("GET http://www.allowed.example/ HTTP/1.1\r\nHost: www.Allowed.example:80\r\n\r\n")), "pass");
}

// ---- tunnels

TEST(Tunnel, SshBehindConnect) {
  for (const char* reading : {"ssh.tunnel", "http.tunnel"}) {
    Filter f(rule("tunnel", std::string(reading) + ": true"));
    const auto talk = [&](std::uint16_t port, std::string_view inner) {
      Connection c(f, "10.0.0.5", port, "10.0.0.80", 3128);
      c.open();
      c.client("CONNECT host.example:443 HTTP/1.1\r\nHost: host.example\r\n\r\n");
      c.server("HTTP/1.1 200 OK\r\n\r\n");
      return c.client(inner);
    };
    EXPECT_EQ(talk(40001, "SSH-2.0-OpenSSH_9.2\r\n"), "drop tunnel") << reading;
    EXPECT_EQ(plain(talk(40002, tls_hello("host.example"))), "pass") << reading;
    Connection plain_ssh(f, "10.0.0.5", 40003, "10.0.0.22", 22);
    plain_ssh.open();
    EXPECT_EQ(plain(plain_ssh.server("SSH-2.0-OpenSSH_9.2\r\n")), "pass") << "on its own: " << reading;
    EXPECT_EQ(plain(plain_ssh.client("SSH-2.0-OpenSSH_9.2\r\n")), "pass") << "on its own: " << reading;
  }
}

TEST(Tunnel, RequestsOfKnownTunnels) {
  Filter f(rule("tunnel", "http.tunnel: true"));
  std::uint16_t port = 40000;
  const auto request = [&](std::string_view text) {
    Connection c(f, "10.0.0.5", ++port, "198.51.100.80", 80);
    c.open();
    return c.client(text);
  };
  EXPECT_EQ(request("POST /index.html?crap=1078224000 HTTP/1.1\r\nHost: a.example\r\nContent-Length: 102400\r\n\r\n"), "drop tunnel") << "httptunnel";
  EXPECT_EQ(request("GET / HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: chisel-v3\r\n\r\n"), "drop tunnel");
  EXPECT_EQ(request("GET /m HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: connect-udp\r\n\r\n"), "drop tunnel") << "RFC 9298";
  EXPECT_EQ(request("POST /t.php HTTP/1.1\r\nHost: a.example\r\nX-CMD: CONNECT\r\nContent-Length: 0\r\n\r\n"), "drop tunnel") << "reGeorg";
  EXPECT_EQ(plain(request("GET / HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n")), "pass");
  EXPECT_EQ(plain(request("GET /?crap=x HTTP/1.1\r\nHost: a.example\r\n\r\n")), "pass");
}

// ---- slow clients

TEST(SlowClient, HeadsThatDoNotEnd) {
  Filter f(guards("slow-client: { headers_within: 10s }"));
  Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 80);
  c.open();
  EXPECT_EQ(plain(c.client("GET / HTTP/1.1\r\nHost: a.example\r\n")), "pass");
  f.after(4 * kSecond);
  EXPECT_EQ(plain(c.client("X-a: b\r\n")), "pass");
  f.after(7 * kSecond);
  EXPECT_EQ(c.client("X-a: b\r\n"), "drop guard.slow-client");
  EXPECT_EQ(c.client("X-a: b\r\n"), "drop guard.slow-client") << "for good";

  Connection keeps(f, "10.0.0.5", 40001, "198.51.100.80", 80);
  keeps.open();
  for (int i = 0; i < 3; ++i) {  // Requests of a connection that is kept: each has its own time.
    EXPECT_EQ(plain(keeps.client(http_get("a.example", "/"))), "pass");
    EXPECT_EQ(plain(keeps.server(http_ok())), "pass");
    f.after(30 * kSecond);
  }
  Connection other_protocol(f, "10.0.0.5", 40002, "198.51.100.80", 22);
  other_protocol.open();
  other_protocol.server("SSH-2.0-OpenSSH_9.2\r\n");
  EXPECT_EQ(plain(other_protocol.client("SSH-2.0-PuTTY\r\n")), "pass");
  f.after(kMinute);
  EXPECT_EQ(plain(other_protocol.client(be(12, 4))), "pass");
}

TEST(SlowClient, BodiesThatTrickle) {
  Filter f(guards("slow-client: { headers_within: 10s, body_rate: 500 bytes/s }"));
  const auto upload = [&](std::uint16_t port, std::size_t piece, int pieces) {
    Connection c(f, "10.0.0.5", port, "198.51.100.80", 80);
    c.open();
    c.client("POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 100000\r\n\r\n");
    std::string last;
    for (int i = 0; i < pieces && (last.empty() || plain(last) == "pass"); ++i) {
      f.after(5 * kSecond);
      last = c.client(std::string(piece, 'x'));
    }
    return last;
  };
  EXPECT_EQ(upload(40000, 10, 10), "drop guard.slow-client");
  EXPECT_EQ(plain(upload(40001, 4000, 20)), "pass");
  // Behind what is looked at of a body it is still a body.
  Connection c(f, "10.0.0.5", 40002, "198.51.100.80", 80);
  c.open();
  c.client("POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 100000\r\n\r\n" + std::string(1400, 'x'));
  for (int i = 0; i < 3; ++i) f.after(6 * kSecond), c.client("x");
  f.after(6 * kSecond);
  EXPECT_EQ(c.client("x"), "drop guard.slow-client");
  // A whole body, and a pause before the next request.
  Connection whole(f, "10.0.0.5", 40003, "198.51.100.80", 80);
  whole.open();
  EXPECT_EQ(plain(whole.client("POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\nhello")), "pass");
  whole.server(http_ok());
  f.after(kMinute);
  EXPECT_EQ(plain(whole.client("POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\nhello")), "pass");
}

TEST(SlowClient, WindowsThatStayShut) {
  Filter f(guards("slow-client: { headers_within: 10s, body_rate: 500 bytes/s }"));
  const auto reader = [&](std::uint16_t port, std::size_t taken) {
    Connection c(f, "10.0.0.5", port, "198.51.100.80", 80);
    c.open();
    c.client(http_get("a.example", "/large"));
    for (std::size_t sent = 0; sent < taken; sent += 1000) c.server(sent == 0 ? "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" : std::string(1000, 'x'));
    std::string last;
    for (int i = 0; i < 5 && (last.empty() || plain(last) == "pass"); ++i) {
      last = c.send(Side::Client, c.tcp(Side::Client, 60).window(0));
      f.after(3 * kSecond);
    }
    return last;
  };
  EXPECT_EQ(reader(40000, 1000), "drop guard.slow-client");
  EXPECT_EQ(plain(reader(40001, 60'000)), "pass") << "a player that pauses";
}

// ---- beacons

TEST(Beacon, RegularCallsAreTold) {
  const auto calls = [](auto&& interval_s) {
    Filter f(rule("beacon", "flow.beacon: true"));
    std::string last;
    for (int i = 0; i < 14; ++i) {
      Connection c(f, "10.0.0.5", static_cast<std::uint16_t>(40000 + i), "198.51.100.66", 443);
      last = c.syn();
      f.after(static_cast<Nanoseconds>(interval_s(i) * kSecond));
    }
    return last;
  };
  EXPECT_EQ(calls([](int) { return 60.0; }), "drop beacon");
  EXPECT_EQ(calls([](int i) { return 60.0 + (i * 7 % 5 - 2) * 4; }), "drop beacon") << "with jitter";
  EXPECT_EQ(plain(calls([](int i) { return i % 2 == 0 ? 5.0 : 100.0 + 40 * i; })), "pass");
  EXPECT_EQ(plain(calls([](int) { return 0.5; })), "pass") << "a page with its parts";
}

// ---- the local network

TEST(PortSecurity, OneStationMoreThanAllowed) {
  Filter f("weir: 1\nzones: { a: { ports: [lan0, lan1] } }\nguards: { port-security: { macs_max: 2 } }\n");
  const auto from = [&](std::string_view mac, std::string_view port) { return f.send(Eth().src(mac) / Ipv4() / Udp(40000, 9) / "x", port); };
  EXPECT_EQ(plain(from("02:00:00:00:00:01", "lan0")), "pass");
  EXPECT_EQ(plain(from("02:00:00:00:00:02", "lan0")), "pass");
  EXPECT_EQ(from("02:00:00:00:00:03", "lan0"), "drop guard.port-security");
  EXPECT_EQ(plain(from("02:00:00:00:00:03", "lan1")), "pass") << "another port has its own";
  EXPECT_EQ(plain(from("02:00:00:00:00:01", "lan0")), "pass");
  EXPECT_EQ(f.send(Eth().src("02:00:00:00:00:04") / ArpPacket(1).sender("02:00:00:00:00:04", "10.0.0.9"), "lan0"), "drop guard.port-security") << "ARP too";
  f.after(6 * kMinute);
  EXPECT_EQ(plain(from("02:00:00:00:00:03", "lan0")), "pass") << "the others were silent";
  Filter sticky("weir: 1\nguards: { port-security: { macs_max: 1, sticky: true } }\n");
  EXPECT_EQ(plain(sticky.send(Eth().src("02:00:00:00:00:01") / Ipv4() / Udp(1, 9) / "x")), "pass");
  sticky.after(kHour);
  EXPECT_EQ(sticky.send(Eth().src("02:00:00:00:00:02") / Ipv4() / Udp(2, 9) / "x"), "drop guard.port-security");
}

constexpr std::string_view kHost = "02:00:00:00:00:05", kServer = "02:00:00:00:00:01", kThief = "02:00:00:00:00:66";

std::string dhcp(std::uint8_t op, std::uint8_t type, std::string_view mac, std::string_view address, std::uint32_t lease_s = 3600) {
  std::string out = be(op, 1) + be(0x010600, 3) + be(7, 4) + be(0, 4) + bytes_of(ip_of(type == 7 ? address : "0.0.0.0"), false);
  out += bytes_of(ip_of(op == 2 ? address : "0.0.0.0"), false) + be(0, 8) + bytes_of(mac_of(mac)) + std::string(10 + 192, '\0');
  out += be(0x63825363, 4) + be(0x3501, 2) + be(type, 1) + be(0x3604, 2) + bytes_of(ip_of("10.0.0.1"), false);
  if (op == 2) out += be(0x3304, 2) + be(lease_s, 4) + be(0x0104, 2) + bytes_of(ip_of("255.255.255.0"), false);
  return out + "\xff";
}
Layers to_server(std::string_view message, std::string_view mac = kHost) {
  return Eth().src(mac).dst("ff:ff:ff:ff:ff:ff") / Ipv4("0.0.0.0", "255.255.255.255") / Udp(68, 67) / message;
}
Layers to_host(std::string_view message) { return Eth().src(kServer) / Ipv4("10.0.0.1", "255.255.255.255") / Udp(67, 68) / message; }

TEST(Leases, TeachBindings) {
  Filter f(guards("arp-inspection: { unlisted: drop, bindings: [ { ip: 10.0.0.1, mac: '02:00:00:00:00:01' } ] }, source-guard: true"));
  const auto claims = [&](std::string_view mac) { return f.send(Eth().src(mac) / ArpPacket(2).sender(mac, "10.0.0.5")); };
  EXPECT_EQ(claims(kHost), "drop guard.arp-inspection") << "no lease yet";
  f.send(to_host(dhcp(2, 5, kThief, "10.0.0.5")));
  EXPECT_EQ(claims(kThief), "drop guard.arp-inspection") << "an answer that nobody asked for binds nothing";
  EXPECT_EQ(plain(f.send(to_server(dhcp(1, 3, kHost, {"10.0.0.5"})))), "pass");
  EXPECT_EQ(plain(f.send(to_host(dhcp(2, 5, kHost, "10.0.0.5")))), "pass");
  EXPECT_EQ(plain(claims(kHost)), "pass");
  EXPECT_EQ(claims(kThief), "drop guard.arp-inspection");
  EXPECT_EQ(f.send(Eth().src(kThief) / Ipv4("10.0.0.5", "198.51.100.2") / Udp(40000, 9) / "x"), "drop guard.source-guard");
  EXPECT_EQ(plain(f.send(Eth().src(kHost) / Ipv4("10.0.0.5", "198.51.100.2") / Udp(40000, 9) / "x")), "pass");
  f.after(2 * kHour);
  EXPECT_EQ(claims(kThief), "drop guard.arp-inspection") << "over, and so unlisted";
  EXPECT_EQ(claims(kHost), "drop guard.arp-inspection");
  // Learned again, and given back: only by whom it belongs to.
  f.send(to_server(dhcp(1, 3, kHost, "10.0.0.5")));
  f.send(to_host(dhcp(2, 5, kHost, "10.0.0.5")));
  EXPECT_EQ(plain(claims(kHost)), "pass");
  f.send(Eth().src(kThief) / Ipv4("10.0.0.5", "10.0.0.1") / Udp(68, 67) / dhcp(1, 7, kThief, "10.0.0.5"));
  EXPECT_EQ(plain(claims(kHost)), "pass");
  f.send(Eth().src(kHost) / Ipv4("10.0.0.5", "10.0.0.1") / Udp(68, 67) / dhcp(1, 7, kHost, "10.0.0.5"));
  EXPECT_EQ(claims(kHost), "drop guard.arp-inspection");
}

TEST(Leases, WhatWasDroppedTeachesNothing) {
  Filter f(guards("dhcp-snooping: { servers: [10.0.0.1] }, arp-inspection: true"));
  f.send(to_server(dhcp(1, 3, kHost, "10.0.0.5")));
  EXPECT_EQ(f.send(Eth().src(kThief) / Ipv4("10.0.0.66", "255.255.255.255") / Udp(67, 68) / dhcp(2, 5, kHost, "10.0.0.1")), "drop guard.dhcp-snooping");
  EXPECT_EQ(plain(f.send(Eth().src(kServer) / ArpPacket(2).sender(kServer, "10.0.0.1"))), "pass");
}

TEST(Leases, OfIpv6) {
  Filter f(guards("nd-inspection: true"));
  const std::string duid = be(1, 2) + be(10, 2) + be(0x00030001, 4) + bytes_of(mac_of(kHost)), address = bytes_of(ip_of("2001:db8::5"), true);
  const std::string server = be(2, 2) + be(10, 2) + be(0x00030001, 4) + bytes_of(mac_of(kServer));
  const std::string leased = be(3, 2) + be(40, 2) + be(1, 4) + be(0, 8) + be(5, 2) + be(24, 2) + address + be(1800, 4) + be(3600, 4);
  const auto message = [&](std::uint8_t type, const std::string& options) { return be(type, 1) + be(0x010203, 3) + duid + options; };
  const auto claims = [&](std::string_view mac, std::string_view ip) {
    return f.send(Eth().src(mac) / Ipv6(ip, "ff02::1").ttl(255) / Icmpv6(136) / (bytes_of(ip_of(ip), true) + "\x02\x01" + bytes_of(mac_of(mac))));
  };
  EXPECT_EQ(plain(f.send(Eth().src(kHost) / Ipv6("fe80::5", "ff02::1:2") / Udp(546, 547) / message(3, server))), "pass");
  EXPECT_EQ(plain(f.send(Eth().src(kServer) / Ipv6("fe80::1", "fe80::5") / Udp(547, 546) / message(7, server + leased))), "pass");
  EXPECT_EQ(claims(kThief, "2001:db8::5"), "drop guard.nd-inspection");
  EXPECT_EQ(plain(claims(kHost, "2001:db8::5")), "pass");
  // RFC 6620: who first probed a link-local address has it.
  EXPECT_EQ(plain(f.send(Eth().src(kHost) / Ipv6("::", "ff02::1:ff00:5").ttl(255) / Icmpv6(135) / bytes_of(ip_of("fe80::5"), true))), "pass");
  EXPECT_EQ(claims(kThief, "fe80::5"), "drop guard.nd-inspection");
  EXPECT_EQ(plain(claims(kHost, "fe80::5")), "pass");
}

TEST(DhcpPool, AddressesLeft) {
  // DHCP is essential, and passes before any rule, unless the policy says otherwise.
  Filter f(rule("pool-runs-dry", "dhcp.pool_free: -250") + "essential: false\n");
  for (int i = 0; i < 10; ++i) {
    const std::string mac = "02:00:00:00:01:0" + std::to_string(i), ip = "10.0.0.1" + std::to_string(i);
    f.after(kSecond);
    f.send(to_server(dhcp(1, 1, mac, ip), mac));
    const std::string offer = f.send(to_host(dhcp(2, 2, mac, ip)));
    // 254 hosts in a /24; a message is judged by what passed before it, and the fourth offer leaves 250.
    EXPECT_EQ(plain(offer), i < 4 ? "pass" : "drop") << i;
  }
  Filter g(rule("pool-runs-dry", "dhcp.pool_free: -253") + "essential: false\n");
  g.send(to_server(dhcp(1, 3, kHost, "10.0.0.5")));
  EXPECT_EQ(plain(g.send(to_host(dhcp(2, 5, kHost, "10.0.0.5", 600)))), "pass");
  EXPECT_EQ(g.send(to_server(dhcp(1, 3, kHost, "10.0.0.5"))), "drop pool-runs-dry");
  g.after(20 * kMinute);
  for (int i = 0; i < 100; ++i) g.send(to_server(dhcp(1, 8, kHost, "10.0.0.5")));
  EXPECT_EQ(plain(g.send(to_server(dhcp(1, 3, kHost, "10.0.0.5")))), "pass") << "the lease ran out, whatever was stopped meanwhile";
}

}  // namespace
}  // namespace weir::engine
