// SPDX-License-Identifier: Apache-2.0
// IP options and extension headers, fragments, TCP, UDP, SCTP, ICMP.
#include <gtest/gtest.h>

#include <set>

#include "tests/kit/packet.h"
#include "wire/wire.h"

namespace weir::wire {
namespace {

using namespace weir::kit;  // NOLINT
using namespace std::string_literals;

struct Parsed {
  explicit Parsed(const Layers& layers, LinkType link = LinkType::RawIp, std::size_t snap = 1U << 20)
      : owned(OwnedFrame(layers, link).snap(snap)), frame(owned.frame()) {
    parse(frame, packet);
  }
  const IpLayer& ip() const { return packet.inner(); }
  std::string payload() const { return std::string(as_text(packet.payload(packet.inner()))); }
  std::string flaws() const {
    std::string out;
    for (std::size_t i = 0; i < kFlawsCount; ++i)
      if (packet.flaws.has(static_cast<Flaw>(i))) out += (out.empty() ? "" : " ") + std::string(kFlawNames[i]);
    return out;
  }

  OwnedFrame owned;
  Frame frame;
  Packet packet;
};

std::string flaws(const Layers& layers) { return Parsed(layers).flaws(); }

template <class Names>
std::string names_of(unsigned bits, const Names& names) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i)
    if ((bits >> i & 1) != 0) out += (out.empty() ? "" : " ") + std::string(names[i]);
  return out;
}

TEST(Ipv4, Options) {
  const struct {
    std::string options;
    const char* names;
    const char* flaws;
  } cases[] = {
      {"\1\1\1\0"s, "", ""},
      {"\x83\7\4\xc0\0\2\1\0"s, "source-route", ""},          // Loose
      {"\x89\3\4\0"s, "source-route", ""},                    // Strict
      {"\7\7\4\0\0\0\0\0"s, "record-route", ""},
      {"\x94\4\0\0\x44\4\5\0"s, "router-alert timestamp", ""},
      {"\x82\3\0\x88\4\0\1\0"s, "security stream-id", ""},
      {"\x9e\2\0\0"s, "other", ""},
      {"\1\x94\0\0"s, "router-alert", "bad-option"},          // Length 0
      {"\1\x94\1\0"s, "router-alert", "bad-option"},
      {"\1\x94\4\0"s, "router-alert", "bad-option"},          // Reaches past the header
      {"\1\1\1\x94"s, "router-alert", "bad-option"},          // No length
      {"\0\x94\0\0"s, "", ""},                                // After the end nothing is read
  };
  for (const auto& c : cases) {
    const Parsed p(Ipv4().options(c.options) / Udp() / "x");
    EXPECT_EQ(names_of(p.ip().ip_options, kIpOptionNames), c.names) << &c - cases;
    EXPECT_EQ(p.flaws(), c.flaws) << &c - cases;
    EXPECT_EQ(p.payload(), "x");
  }
}

TEST(Ipv4, AuthenticationHeaderIsPartOfTheChain) {
  const Parsed p(Ipv4() / Ah() / Tcp(5, 6) / "x");
  ASSERT_EQ(p.ip().protocols_count, 2);
  EXPECT_EQ(p.ip().protocols[0], ip_protocol::kAh);
  EXPECT_EQ(p.ip().protocols[1], ip_protocol::kTcp);
  EXPECT_TRUE(p.ip().is_tcp());
  EXPECT_EQ(p.ip().dst_port, 6);
  EXPECT_EQ(p.ip().ip_payload_offset, 20U);
  EXPECT_EQ(p.ip().transport_offset, 44U);
}

TEST(Ipv4, EspEndsTheChain) {
  const Parsed p(Ipv4() / Esp() / "ciphertext");
  EXPECT_EQ(p.ip().protocol, ip_protocol::kEsp);
  EXPECT_FALSE(p.ip().has_transport);
  EXPECT_EQ(p.ip().payload_bytes, 18U);
}

TEST(Ipv6, ExtensionHeadersInAnyOrder) {
  const Parsed p(Ipv6().dscp(10) / HopByHop() / Destination() / Routing(4, 1) / Ah() / Extension(135, "") / Extension(139, "") /
                 Extension(140, "") / Tcp(5, 6) / "x");
  EXPECT_EQ(names_of(p.ip().ip6_headers, kIp6HeaderNames), "hop-by-hop routing destination ah mobility hip shim6");
  EXPECT_TRUE(p.ip().has_ip6_routing);
  EXPECT_EQ(p.ip().ip6_routing_type, 4);
  EXPECT_EQ(p.ip().dscp, 10);
  EXPECT_TRUE(p.ip().is_tcp());
  EXPECT_EQ(p.ip().dst_port, 6);
  EXPECT_EQ(p.ip().protocols_count, kIpProtocolsMax);
  EXPECT_EQ(p.ip().protocols[kIpProtocolsMax - 1], ip_protocol::kTcp) << "what the payload is keeps its place";
  EXPECT_EQ(p.flaws(), "");
  EXPECT_EQ(Parsed(Ipv6() / Destination() / HopByHop() / Udp() / "y").payload(), "y");
}

TEST(Ipv6, ChainsAreBounded) {
  Layers chain = Ipv6();
  for (int i = 0; i < 16; ++i) chain = chain / Destination();
  EXPECT_TRUE(Parsed(chain / Udp()).ip().is_udp());
  EXPECT_EQ(flaws(chain / Udp()), "");
  EXPECT_EQ(flaws(chain / Destination() / Udp()), "deep-tunnel");
  EXPECT_FALSE(Parsed(chain / Destination() / Udp()).ip().has_transport);
}

TEST(Ipv6, ExtensionsMustFit) {
  EXPECT_EQ(flaws(Ipv6() / Extension(60, "").words(5) / Udp()), "truncated");
  EXPECT_EQ(flaws(Ipv6() / Destination("\x3e\x09\0\0\0\0"s) / Udp()), "bad-option");
  EXPECT_EQ(flaws(Ipv6() / Destination("\0\0\0\0\0\x3e"s) / Udp()), "bad-option");
  EXPECT_EQ(flaws(Ipv6() / Esp() / "x"), "");
  EXPECT_EQ(names_of(Parsed(Ipv6() / Esp() / "x").ip().ip6_headers, kIp6HeaderNames), "esp");
  EXPECT_EQ(Parsed(Ipv6().protocol(59) / "").ip().protocol, ip_protocol::kNoNext);
}

TEST(Fragment, FirstAndLater) {
  const Parsed first(Ipv4().id(77).more() / Udp().length(100) / "12345678");
  EXPECT_EQ(first.ip().fragment, FragmentKind::First);
  EXPECT_TRUE(first.ip().more_fragments);
  EXPECT_EQ(first.ip().fragment_id, 77U);
  EXPECT_EQ(first.ip().dst_port, 53);
  EXPECT_EQ(first.flaws(), "") << "the UDP length is the whole datagram's";
  const Parsed later(Ipv4().id(77).offset(16).protocol(17) / "the rest");
  EXPECT_EQ(later.ip().fragment, FragmentKind::Later);
  EXPECT_FALSE(later.ip().more_fragments);
  EXPECT_EQ(later.ip().fragment_offset, 16U);
  EXPECT_FALSE(later.ip().has_transport);
  EXPECT_EQ(later.ip().dst_port, 0);
  EXPECT_EQ(later.payload(), "the rest");
}

TEST(Fragment, OfIpv6BeginsAfterItsHeader) {
  const Parsed first(Ipv6() / HopByHop() / Fragment(0, true, 0x12345) / Destination() / Udp() / "");
  EXPECT_EQ(first.ip().fragment, FragmentKind::First);
  EXPECT_EQ(first.ip().fragment_id, 0x12345U);
  EXPECT_EQ(first.ip().ip_payload_offset, 56U);
  EXPECT_EQ(first.ip().ip_payload_bytes, 16U);
  EXPECT_EQ(first.ip().transport_offset, 64U);
  EXPECT_TRUE(first.ip().is_udp());
  const Parsed later(Ipv6() / Fragment(1480, false).protocol(17) / "rest");
  EXPECT_EQ(later.ip().fragment, FragmentKind::Later);
  EXPECT_EQ(later.ip().protocol, ip_protocol::kUdp);
  EXPECT_EQ(later.ip().ip_payload_offset, 48U);
  // RFC 6946: neither offset nor more is a whole packet.
  const Parsed atomic(Ipv6() / Fragment(0, false) / Udp() / "x");
  EXPECT_EQ(atomic.ip().fragment, FragmentKind::No);
  EXPECT_EQ(atomic.payload(), "x");
  EXPECT_EQ(atomic.ip().ip_payload_offset, 48U);
}

TEST(Fragment, Flaws) {
  const struct {
    Layers packet;
    const char* flaws;
  } cases[] = {
      {Ipv4().more().protocol(6) / "12345678", "tiny-fragment"},
      {Ipv4().more().protocol(6) / std::string(24, '\x50'), ""},
      {Ipv4().offset(8).protocol(6) / "12345678", "tiny-fragment"},  // RFC 1858, 4
      {Ipv4().offset(8).protocol(17) / "12345678", ""},
      {Ipv4().more().offset(16).protocol(17) / "1234567", "bad-length"},
      {Ipv4().offset(65512).protocol(1) / "123", ""},
      {Ipv4().offset(65512).protocol(1) / "1234", "ping-of-death"},
      {Ipv6() / Fragment(0, true) / Destination() / "", ""},
      {Ipv6() / Fragment(0, true).protocol(60) / "", "tiny-fragment"},
      {Ipv6() / Fragment(65528).protocol(17) / "1234567", ""},
      {Ipv6() / Fragment(65528).protocol(17) / "12345678", "ping-of-death"},
  };
  for (const auto& c : cases) EXPECT_EQ(flaws(c.packet), c.flaws) << &c - cases;
}

TEST(Tcp, Flags) {
  // Letter sets that sound stacks send; all other of the 64 combinations are a flaw.
  const std::set<std::uint8_t> sound = [] {
    std::set<std::uint8_t> set;
    for (const char* letters : {"S", "SP", "SA", "SPA", "A", "PA", "AU", "PAU", "FA", "FPA", "FAU", "FPAU", "R", "RA", "RPA", "RAU",
                                "RPAU", "FRA", "FRPA", "FRAU", "FRPAU"})
      set.insert(flags_of(letters));
    return set;
  }();
  for (unsigned flags = 0; flags < 256; ++flags) {
    std::string letters;
    for (unsigned i = 0; i < 8; ++i)
      if ((flags >> i & 1) != 0) letters += "FSRPAUEC"[i];
    const bool good = sound.contains(static_cast<std::uint8_t>(flags & 0x3f));
    EXPECT_EQ(flaws(Ipv4() / Tcp().flags(letters)), good ? "" : "bad-flags") << letters;
  }
}

TEST(Tcp, Options) {
  const std::string syn = "\2\4\5\xb4\4\2\x8\xa\0\0\0\1\0\0\0\2\1\3\3\7"s;
  const Parsed p(Ipv4() / Tcp().flags("S").options(syn) / "x");
  EXPECT_TRUE(p.ip().has_tcp_window_scale);
  EXPECT_EQ(p.ip().tcp_window_scale, 7);
  EXPECT_TRUE(p.ip().has_tcp_timestamp);
  EXPECT_EQ(p.ip().tcp_timestamp, 1U);
  EXPECT_EQ(p.ip().tcp_timestamp_echo, 2U);
  EXPECT_EQ(p.payload(), "x");
  const Parsed usual(Ipv4() / Tcp().options("\1\1\x8\xa\0\0\0\3\0\0\0\4"s));
  EXPECT_EQ(usual.ip().tcp_timestamp, 3U);
  EXPECT_EQ(usual.ip().tcp_timestamp_echo, 4U);
  EXPECT_EQ(Parsed(Ipv4() / Tcp().options("\3\3\xff\0"s)).ip().tcp_window_scale, 14) << "RFC 7323, 2.3";
  const struct {
    std::string options;
    const char* flaws;
  } cases[] = {
      {"\x1e\4\0\0"s, ""},        // MPTCP
      {"\2\3\0\0"s, "bad-option"},
      {"\3\4\0\0"s, "bad-option"},
      {"\x8\4\0\0"s, "bad-option"},
      {"\5\4\0\0"s, "bad-option"},
      {"\1\2\0\0"s, "bad-option"},
      {"\1\1\x1e\3"s, "bad-option"},
      {"\1\1\1\x1e"s, "bad-option"},
      {"\0\2\0\0"s, ""},
  };
  for (const auto& c : cases) EXPECT_EQ(flaws(Ipv4() / Tcp().options(c.options)), c.flaws) << &c - cases;
}

TEST(Land, SameEnds) {
  EXPECT_EQ(flaws(Ipv4("192.0.2.1", "192.0.2.1") / Tcp(80, 80).flags("S")), "land");
  EXPECT_EQ(flaws(Ipv4("192.0.2.1", "192.0.2.1") / Tcp(80, 81).flags("S")), "");
  EXPECT_EQ(flaws(Ipv4("192.0.2.1", "192.0.2.1") / Icmp(8)), "land");
  EXPECT_EQ(flaws(Ipv6("2001:db8::1", "2001:db8::1") / Udp(53, 53)), "land");
  EXPECT_EQ(flaws(Ipv4("127.0.0.1", "127.0.0.1") / Udp(53, 53)), "");
  EXPECT_EQ(flaws(Ipv6("::1", "::1") / Udp(53, 53)), "");
}

TEST(Udp, PayloadEndsWithItsLength) {
  EXPECT_EQ(Parsed(Ipv4() / Udp().length(11) / "abc and options").payload(), "abc");
  EXPECT_EQ(Parsed(Ipv4() / Udp() / "abc").ip().payload_wire_bytes, 3U);
}

TEST(Sctp, CommonHeader) {
  const Parsed p(Ipv4() / Sctp(7, 8) / "chunk");
  EXPECT_TRUE(p.ip().has_transport);
  EXPECT_EQ(p.ip().src_port, 7);
  EXPECT_EQ(p.ip().dst_port, 8);
  EXPECT_EQ(p.payload(), "chunk");
}

TEST(Icmp, EchoHasAnId) {
  const Parsed p(Ipv4() / Icmp(8).id(5).sequence(6) / "abc");
  EXPECT_TRUE(p.ip().is_icmp());
  EXPECT_EQ(p.ip().icmp_type, 8);
  EXPECT_EQ(p.ip().icmp_id, 5);
  EXPECT_EQ(p.ip().icmp_sequence, 6);
  EXPECT_EQ(p.payload(), "abc");
  EXPECT_FALSE(p.ip().has_quoted);
  EXPECT_EQ(Parsed(Ipv6() / Icmpv6(129).id(9)).ip().icmp_id, 9);
  EXPECT_FALSE(Parsed(Ipv6() / Icmp(8)).ip().has_transport) << "ICMP for IPv4 has no meaning in IPv6";
}

TEST(Icmp, ErrorsQuoteAPacket) {
  const Layers quoted = Ipv4("198.51.100.2", "203.0.113.5") / Udp(1234, 53) / "question";
  for (const std::uint8_t type : {3, 4, 5, 11, 12}) {
    const Parsed p(Ipv4() / Icmp(type, 1) / quoted);
    ASSERT_TRUE(p.ip().has_quoted) << int{type};
    EXPECT_EQ(render(p.ip().quoted_src), "198.51.100.2");
    EXPECT_EQ(render(p.ip().quoted_dst), "203.0.113.5");
    EXPECT_EQ(p.ip().quoted_protocol, ip_protocol::kUdp);
    EXPECT_EQ(p.ip().quoted_src_port, 1234);
    EXPECT_EQ(p.ip().quoted_dst_port, 53);
    EXPECT_EQ(p.flaws(), "");
  }
  EXPECT_FALSE(Parsed(Ipv4() / Icmp(8) / quoted).ip().has_quoted);
  const std::string whole = quoted;
  EXPECT_EQ(Parsed(Ipv4() / Icmp(3) / whole.substr(0, 28)).ip().quoted_dst_port, 53) << "eight bytes are enough";
  EXPECT_EQ(Parsed(Ipv4() / Icmp(3) / whole.substr(0, 22)).ip().quoted_dst_port, 0);
  EXPECT_FALSE(Parsed(Ipv4() / Icmp(3) / whole.substr(0, 19)).ip().has_quoted);
  EXPECT_EQ(Parsed(Ipv4() / Icmp(3) / (Ipv4().offset(8).protocol(17) / "12345678").bytes()).ip().quoted_dst_port, 0)
      << "a later fragment has no ports";
  const Parsed v6(Ipv6() / Icmpv6(1, 4) / Ipv6("2001:db8::7", "2001:db8::8") / HopByHop() / Fragment(0, true) / Tcp(5, 6));
  ASSERT_TRUE(v6.ip().has_quoted);
  EXPECT_EQ(render(v6.ip().quoted_dst), "2001:db8::8");
  EXPECT_EQ(v6.ip().quoted_protocol, ip_protocol::kTcp);
  EXPECT_EQ(v6.ip().quoted_dst_port, 6);
}

}  // namespace
}  // namespace weir::wire
