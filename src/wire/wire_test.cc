// SPDX-License-Identifier: Apache-2.0
#include "wire/wire.h"

#include <gtest/gtest.h>

#include <cstring>

#include "tests/kit/packet.h"
#include "wire/walk.h"

namespace weir::wire {
namespace {

using namespace weir::kit;  // NOLINT
using namespace std::string_literals;

// One frame parsed. The Packet holds rubbish before, as it does when frames follow each other.
struct Parsed {
  explicit Parsed(const Layers& layers, LinkType link = LinkType::Ethernet, std::size_t snap = 1U << 20)
      : owned(OwnedFrame(layers, link).snap(snap)), frame(owned.frame()) {
    static const OwnedFrame other(Eth() / Vlan(9) / Ipv4() / Gre().key(7) / Ipv6() / Tcp().flags("FSRPAU"));
    const Frame before = other.frame();
    parse(before, packet);
    parse(frame, packet);
  }
  const IpLayer& outer() const { return packet.outer(); }
  const IpLayer& inner() const { return packet.inner(); }
  std::string payload() const { return std::string(as_text(packet.payload(packet.inner()))); }

  OwnedFrame owned;
  Frame frame;
  Packet packet;
};

std::string flaws(const Layers& layers, LinkType link = LinkType::Ethernet, std::size_t snap = 1U << 20) {
  const Parsed parsed(layers, link, snap);
  std::string out;
  for (std::size_t i = 0; i < kFlawsCount; ++i)
    if (parsed.packet.flaws.has(static_cast<Flaw>(i))) out += (out.empty() ? "" : " ") + std::string(kFlawNames[i]);
  return out;
}

// "gre erspan / udp 40000>53": tunnels, then the innermost layer.
std::string chain(const Layers& layers, LinkType link = LinkType::Ethernet) {
  const Parsed parsed(layers, link);
  std::string out;
  for (std::size_t i = 0; i < parsed.packet.tunnels_count; ++i)
    out += std::string(kTunnelKindNames[static_cast<std::size_t>(parsed.packet.tunnels[i])]) + " ";
  if (parsed.packet.layers_count == 0) return out + "no ip";
  const IpLayer& layer = parsed.inner();
  out += "v" + std::to_string(layer.version);
  for (std::size_t i = 0; i < layer.protocols_count; ++i) out += " " + std::to_string(layer.protocols[i]);
  if (layer.src_port != 0) out += " " + std::to_string(layer.src_port) + ">" + std::to_string(layer.dst_port);
  for (std::size_t i = 0; i < parsed.packet.tunnel_ids_count; ++i) out += " id=" + std::to_string(parsed.packet.tunnel_ids[i]);
  return out;
}

TEST(Wire, PlainTcpIsReadWhole) {
  const Parsed p(Eth() / Ipv4("192.0.2.7", "203.0.113.9").ttl(7).dscp(46).id(99) /
                 Tcp(1234, 443).flags("PA").seq(5).ack(6).window(7).urgent(8) / "hello");
  EXPECT_TRUE(p.packet.has_eth);
  EXPECT_EQ(render(p.packet.eth_src), "00:00:5e:00:53:01");
  EXPECT_EQ(render(p.packet.eth_dst), "00:00:5e:00:53:02");
  EXPECT_EQ(p.packet.eth_type, ether_type::kIpv4);
  EXPECT_EQ(p.packet.vlans_count, 0);
  EXPECT_EQ(p.packet.tunnels_count, 0);
  EXPECT_EQ(p.packet.tunnel_ids_count, 0);
  EXPECT_FALSE(p.packet.has_gre);
  ASSERT_EQ(p.packet.layers_count, 1);
  const IpLayer& ip = p.outer();
  EXPECT_EQ(render(ip.src), "192.0.2.7");
  EXPECT_EQ(render(ip.dst), "203.0.113.9");
  EXPECT_EQ(ip.ttl, 7);
  EXPECT_EQ(ip.dscp, 46);
  EXPECT_EQ(ip.length, 45U);
  EXPECT_TRUE(ip.is_tcp());
  EXPECT_EQ(ip.src_port, 1234);
  EXPECT_EQ(ip.dst_port, 443);
  EXPECT_EQ(ip.tcp_flags, flags_of("PA"));
  EXPECT_EQ(ip.tcp_seq, 5U);
  EXPECT_EQ(ip.tcp_ack, 6U);
  EXPECT_EQ(ip.tcp_window, 7);
  EXPECT_EQ(ip.tcp_urgent, 8);
  EXPECT_EQ(ip.ip_offset, 14U);
  EXPECT_EQ(ip.ip_payload_offset, 34U);
  EXPECT_EQ(ip.ip_payload_bytes, 25U);
  EXPECT_EQ(ip.transport_offset, 34U);
  EXPECT_EQ(p.payload(), "hello");
  EXPECT_EQ(ip.payload_wire_bytes, 5U);
  EXPECT_FALSE(p.packet.flaws.any());
}

// Of a frame that plain() reads, "plain" if the walk along the chain says the same, byte for byte; "chain" of any other.
std::string way(const Layers& layers, LinkType link = LinkType::Ethernet, std::size_t snap = 1U << 20) {
  const OwnedFrame owned = OwnedFrame(layers, link).snap(snap);
  const Frame frame = owned.frame();
  Packet short_way, long_way;
  if (!plain(frame, short_way)) return "chain";
  walk_chain(frame, long_way, {});
  EXPECT_EQ(std::memcmp(&short_way.layers[0], &long_way.layers[0], sizeof(IpLayer)), 0);
  EXPECT_EQ(long_way.layers_count, 1);
  EXPECT_EQ(long_way.flaws.bits(), 0U);
  EXPECT_EQ(long_way.tunnels_count, 0);
  EXPECT_TRUE(long_way.has_eth && short_way.eth_src == long_way.eth_src && short_way.eth_dst == long_way.eth_dst);
  EXPECT_EQ(short_way.eth_type, long_way.eth_type);
  return "plain";
}

TEST(Wire, TheShortWaySaysWhatTheChainSays) {
  const std::string stamps("\x01\x01\x08\x0a\0\0\0\x05\0\0\0\x06", 12), mss("\x02\x04\x05\xb4", 4);
  const struct {
    const char* what;
    Layers layers;
    const char* way;
  } cases[] = {
      {"TCP", Eth() / Ipv4().ttl(7).dscp(46).id(99) / Tcp(1234, 443).flags("PA").seq(5).ack(6).window(7).urgent(8) / "hello", "plain"},
      {"TCP with nothing in it", Eth() / Ipv4() / Tcp().flags("A"), "plain"},
      {"TCP with timestamps", Eth() / Ipv4() / Tcp().flags("A").options(stamps) / "hello", "plain"},
      {"TCP with another option", Eth() / Ipv4() / Tcp().flags("S").options(mss), "chain"},
      {"TCP with bad flags", Eth() / Ipv4() / Tcp().flags("SF"), "chain"},
      {"UDP", Eth() / Ipv4() / Udp(40000, 53) / "abc", "plain"},
      {"UDP with padding behind it", Raw((Eth() / Ipv4() / Udp(40000, 53) / "abc").bytes() + std::string(15, '\0')), "plain"},
      {"UDP where tunnels are", Eth() / Ipv4() / Udp(40000, 4789) / "abc", "chain"},
      {"UDP from where tunnels are", Eth() / Ipv4() / Udp(3544, 40000) / "abc", "chain"},
      {"IPv4 with options", Eth() / Ipv4().options("\x94\x04\0\0"s) / Udp() / "abc", "chain"},
      {"a first fragment", Eth() / Ipv4().more() / Udp() / "abcdefgh", "chain"},
      {"a later fragment", Eth() / Ipv4().offset(8).protocol(17) / Raw("abcdefgh"), "chain"},
      {"a tag", Eth() / Vlan(9) / Ipv4() / Udp() / "abc", "chain"},
      {"IPv6", Eth() / Ipv6() / Udp() / "abc", "chain"},
      {"one's own address", Eth() / Ipv4("192.0.2.7", "192.0.2.7") / Udp(1, 2) / "abc", "chain"},
      {"ICMP", Eth() / Ipv4() / Icmp(8) / "abcdefgh", "chain"},
  };
  for (const auto& c : cases) EXPECT_EQ(way(c.layers), c.way) << c.what;
  const Layers tcp = Eth() / Ipv4() / Tcp().flags("PA") / "hello";
  for (std::size_t snap = 0; snap < 59; ++snap) EXPECT_EQ(way(tcp, LinkType::Ethernet, snap), "chain") << snap;
}

TEST(Wire, PaddingOfTheLinkIsNoPayload) {
  const Layers frame = Eth() / Ipv4() / Udp() / "abc";
  const Layers padded = Raw(frame.bytes() + std::string(15, '\0'));
  EXPECT_EQ(Parsed(padded).payload(), "abc");
  EXPECT_EQ(Parsed(padded).outer().payload_wire_bytes, 3U);
  EXPECT_EQ(flaws(padded), "");
}

TEST(Wire, SnappedIsNotTruncated) {
  const Layers frame = Eth() / Ipv4() / Tcp() / std::string(100, 'x');
  for (std::size_t snap = 0; snap < 154; ++snap) EXPECT_EQ(flaws(frame, LinkType::Ethernet, snap), "") << snap;
  const Parsed p(frame, LinkType::Ethernet, 64);
  EXPECT_EQ(p.outer().payload_bytes, 10U);
  EXPECT_EQ(p.outer().payload_wire_bytes, 100U);
  EXPECT_TRUE(p.outer().has_transport);
  EXPECT_EQ(Parsed(frame, LinkType::Ethernet, 40).outer().dst_port, 80) << "ports that are there are read";
  EXPECT_FALSE(Parsed(frame, LinkType::Ethernet, 40).outer().has_transport);
}

TEST(Wire, EveryPrefixOfAFrameThatWasSentSoIsTruncated) {
  const std::string bytes = Eth() / Vlan(7) / Ipv6() / HopByHop() / Udp() / "payload";
  for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_EQ(flaws(Raw(bytes.substr(0, size))), "truncated") << size;
}

TEST(Wire, LengthsThatLie) {
  const struct {
    Layers frame;
    const char* flaws;
  } cases[] = {
      {Eth() / Ipv4().length(29) / Udp() / "x", ""},
      {Eth() / Ipv4().length(30) / Udp() / "x", "truncated"},
      {Eth() / Ipv4().length(19) / Udp() / "x", "bad-length"},
      {Eth() / Ipv4().length(0) / Tcp() / "x", ""},
      {Eth() / Ipv4().header_words(4) / Udp() / "x", "bad-length"},
      {Eth() / Ipv4().header_words(15) / Udp() / "x", "bad-length"},
      {Eth() / Ipv4().version(5) / Udp() / "x", "bad-message"},
      {Eth() / Ipv6().length(10) / Udp() / "x", "truncated"},
      {Eth() / Ipv4() / Udp().length(7) / "x", "bad-length"},
      {Eth() / Ipv4() / Udp().length(0) / "x", "bad-length"},
      {Eth() / Ipv4() / Udp().length(8) / "x", ""},
      {Eth() / Ipv4() / Udp().length(10) / "x", "truncated"},
      {Eth() / Ipv4() / Tcp().header_words(4) / "x", "bad-length"},
      {Eth() / Ipv4() / Tcp().header_words(6) / "xyz", "truncated"},
      {Eth() / Ipv4().protocol(6) / "1234567890123456789", "truncated"},
      {Eth() / Ipv4().protocol(1) / "1234567", "truncated"},
      {Eth() / Ipv4().protocol(132) / "12345678901", "truncated"},
      {Eth() / Pppoe().length(60) / Ppp() / Ipv4() / Udp(), "truncated"},
      {Eth8023().length(9) / Llc(0x42) / "12345", "truncated"},
  };
  for (const auto& c : cases) EXPECT_EQ(flaws(c.frame), c.flaws) << &c - cases;
}

TEST(Wire, LengthZeroIsTheRestOfTheFrame) {
  const Parsed p(Eth() / Ipv4().length(0) / Tcp() / std::string(3000, 'x'));
  EXPECT_EQ(p.outer().payload_bytes, 3000U);
  EXPECT_EQ(p.outer().length, 3040U);
  // RFC 2675: a jumbogram says its length in an option; without one, zero is zero.
  const std::string jumbo = "\xc2\x04" + be(8 + 20 + 70000, 4);
  EXPECT_EQ(Parsed(Ipv6().length(0) / HopByHop(jumbo) / Tcp() / std::string(70000, 'x'), LinkType::RawIp).outer().payload_bytes, 70000U);
  EXPECT_EQ(Parsed(Ipv6().length(0) / "padding", LinkType::RawIp).outer().payload_bytes, 0U);
  EXPECT_EQ(flaws(Ipv6().length(0) / HopByHop("\xc2\x04" + be(100, 4)) / Tcp(), LinkType::RawIp), "truncated bad-length");
}

TEST(Wire, LinkTypes) {
  const Layers v4 = Ipv4() / Udp(), v6 = Ipv6() / Udp();
  const struct {
    LinkType link;
    Layers frame;
    const char* chain;
  } cases[] = {
      {LinkType::RawIp, v4, "v4 17 40000>53"},
      {LinkType::RawIp, v6, "v6 17 40000>53"},
      {LinkType::RawIp, Raw("\x50"), "no ip"},
      {LinkType::Null, NullLink(2) / v4, "v4 17 40000>53"},
      {LinkType::Null, NullLink(0x02000000) / v4, "v4 17 40000>53"},
      {LinkType::Null, NullLink(30) / v6, "v6 17 40000>53"},
      {LinkType::Null, NullLink(0x1c000000) / v6, "v6 17 40000>53"},
      {LinkType::Null, NullLink(10) / v6, "v6 17 40000>53"},
      {LinkType::Null, NullLink(7) / v4, "no ip"},
      {LinkType::Sll, Sll() / v4, "v4 17 40000>53"},
      {LinkType::Sll, Sll() / Vlan(3) / v6, "v6 17 40000>53"},
      {LinkType::Sll2, Sll2() / v6, "v6 17 40000>53"},
      {LinkType::CiscoHdlc, Raw("\x0f\0\x08\0"s) / v4, "v4 17 40000>53"},
      {LinkType::CiscoHdlc, Raw("\x8f\0\x86\xdd"s) / v6, "v6 17 40000>53"},
      {LinkType::CiscoHdlc, Raw("\x0f\0\x88\x47"s) / Mpls(16) / v4, "v4 17 40000>53"},
      {LinkType::CiscoHdlc, Raw("\x0e\0\x08\0"s) / v4, "no ip"},
      {LinkType::Ppi, Raw("\0\0\x08\0\1\0\0\0"s) / Eth() / v4, "v4 17 40000>53"},
      {LinkType::Ppi, Raw("\0\0\x0c\0\1\0\0\0"s + "\0\x80\0\0"s) / Eth() / v4, "v4 17 40000>53"},
      {LinkType::Ppi, Raw("\0\0\x08\0\xc0\0\0\0"s) / Raw("\0\0\x08\0\1\0\0\0"s) / Eth() / v4, "no ip"},
      {LinkType::Ppi, Raw("\0\0\x07\0\1\0\0\0"s) / Eth() / v4, "no ip"},
      {LinkType::Ethernet, Eth() / Pppoe() / Ppp() / v4, "v4 17 40000>53"},
      {LinkType::Ethernet, Eth() / Vlan(7) / Pppoe() / Ppp().compressed() / v6, "v6 17 40000>53"},
      {LinkType::Ethernet, Eth() / Pppoe() / Ppp().protocol(0xc021) / v4, "no ip"},
      {LinkType::Ethernet, Eth() / Mpls(16) / v4, "v4 17 40000>53"},
      {LinkType::Ethernet, Eth() / Mpls(16) / Mpls(17) / Mpls(18) / v6, "v6 17 40000>53"},
      {LinkType::Ethernet, Eth() / Mpls(16) / "\0\0\0\0"s / Eth() / v4, "v4 17 40000>53"},
      {LinkType::Ethernet, Eth() / Mpls(16) / Eth() / Vlan(5) / v4, "v4 17 40000>53 id=5"},
      {LinkType::Ethernet, Eth8023() / Llc(0xaa) / Snap() / v4, "v4 17 40000>53"},
      {LinkType::Ethernet, Eth8023() / Llc(0xaa) / Snap().oui(0x00000c) / v4, "no ip"},
      {LinkType::Ethernet, Eth().type(0x0842) / v4, "no ip"},
  };
  for (const auto& c : cases) EXPECT_EQ(chain(c.frame, c.link), c.chain) << &c - cases;
}

TEST(Wire, VlanTagsOutermostFirst) {
  const Parsed p(Eth() / Vlan(100, 0x88a8).priority(5) / Vlan(0) / Vlan(4095, 0x9100) / Vlan(7) / Ipv4() / Udp());
  ASSERT_EQ(p.packet.vlans_count, 4);
  EXPECT_EQ(p.packet.vlans[0], 100);
  EXPECT_EQ(p.packet.vlans[1], 0) << "a priority tag";
  EXPECT_EQ(p.packet.vlans[2], 4095);
  EXPECT_EQ(p.packet.vlans[3], 7);
  EXPECT_EQ(p.packet.eth_type, ether_type::kIpv4);
  EXPECT_EQ(p.packet.layers_count, 1);
  EXPECT_EQ(flaws(Eth() / Vlan(1) / Vlan(2) / Vlan(3) / Vlan(4) / Vlan(5) / Ipv4() / Udp()), "deep-tunnel");
}

TEST(Wire, LengthFramesHaveLlcAndNoType) {
  const Parsed p(Eth8023() / Llc(0xe0) / "ipx");
  EXPECT_EQ(p.packet.eth_type, 0);
  EXPECT_TRUE(p.packet.has_llc);
  EXPECT_EQ(p.packet.llc_dsap, 0xe0);
  const Parsed snap(Eth8023() / Llc(0xaa) / Snap().type(0x8137) / "ipx");
  EXPECT_EQ(snap.packet.llc_dsap, 0xaa);
  EXPECT_EQ(snap.packet.eth_type, ether_type::kIpx);
}

TEST(Arp, SenderMustBeTheEthernetSource) {
  const Parsed p(Eth() / ArpPacket(2).target("00:00:5e:00:53:02", "192.0.2.9"));
  ASSERT_TRUE(p.packet.has_arp);
  EXPECT_EQ(p.packet.arp.op, 2);
  EXPECT_EQ(render(p.packet.arp.sender_mac), "00:00:5e:00:53:01");
  EXPECT_EQ(render(p.packet.arp.sender_ip), "192.0.2.1");
  EXPECT_EQ(render(p.packet.arp.target_mac), "00:00:5e:00:53:02");
  EXPECT_EQ(render(p.packet.arp.target_ip), "192.0.2.9");
  EXPECT_EQ(flaws(Eth() / ArpPacket()), "");
  EXPECT_EQ(flaws(Eth() / Vlan(3) / ArpPacket() / std::string(18, '\0')), "");
  EXPECT_EQ(flaws(Eth() / ArpPacket().sender("00:00:5e:00:53:ff", "192.0.2.1")), "bad-arp");
  EXPECT_EQ(flaws(Eth() / ArpPacket().lengths(6, 16)), "bad-arp");
  EXPECT_EQ(flaws(Eth() / ArpPacket().lengths(8, 4)), "bad-arp");
  EXPECT_EQ(flaws(Eth().type(0x0806) / "\0\1\x08\0\6\4\0\1"s), "truncated bad-arp");
  EXPECT_FALSE(Parsed(Eth() / ArpPacket().lengths(6, 16)).packet.has_arp);
}

TEST(Tunnel, Kinds) {
  const Layers in = Ipv4() / Udp();
  const auto carrier = [](std::uint16_t port) { return Eth() / Ipv4() / Udp(50000, port); };
  const struct {
    Layers frame;
    const char* chain;
  } cases[] = {
      {Eth() / Ipv4() / in, "ipip v4 17 40000>53"},
      {Eth() / Ipv4() / Ipv6() / Udp(), "6in4 v6 17 40000>53"},
      {Eth() / Ipv6() / in, "4in6 v4 17 40000>53"},
      {Eth() / Ipv6() / Destination() / Ipv6() / Udp(), "6in6 v6 17 40000>53"},
      {Eth() / Ipv4() / Gre() / in, "gre v4 17 40000>53"},
      {Eth() / Ipv4() / Gre().key(9).sequence(1).with_checksum() / Ipv6() / Udp(), "gre v6 17 40000>53 id=9"},
      {Eth() / Ipv4() / Gre().routed() / in, "gre v4 47"},
      {Eth() / Ipv4() / Gre().key(0x123401) / Eth() / Vlan(6) / in, "gre v4 17 40000>53 id=1192961 id=6"},
      {Eth() / Ipv4() / Gre().protocol(0x88be) / Eth() / in, "gre erspan v4 17 40000>53"},
      {Eth() / Ipv4() / Gre().sequence(1) / Erspan(2, 77) / Eth() / in, "gre erspan v4 17 40000>53 id=77"},
      {Eth() / Ipv4() / Gre().sequence(1) / Erspan(3, 77) / Eth() / in, "gre erspan v4 17 40000>53 id=77"},
      // Type III, session 77, frame type 2: IP. Frame type 7 is an 802.11 capture.
      {Eth() / Ipv4() / Gre().protocol(0x22eb) / ("\x20\0\0\x4d\0\0\0\0\0\0\x08\0"s + in.bytes()), "gre erspan v4 17 40000>53 id=77"},
      {Eth() / Ipv4() / Gre().protocol(0x22eb) / ("\x20\0\0\x4d\0\0\0\0\0\0\x1c\0"s + in.bytes()), "gre erspan v4 47 id=77"},
      {Eth() / Ipv4() / Pptp(5) / Ppp().with_address() / in, "gre pptp v4 17 40000>53"},
      {Eth() / Ipv4() / Pptp(5) / Ppp().protocol(0x00fd) / in, "gre pptp v4 47"},
      {Eth() / Ipv4() / Gre() / Mpls(3) / in, "gre v4 17 40000>53"},
      {carrier(4789) / Vxlan(42) / Eth() / in, "vxlan v4 17 40000>53 id=42"},
      {carrier(8472) / Vxlan(42) / Eth() / Vlan(2) / Ipv6() / Udp(), "vxlan v6 17 40000>53 id=42 id=2"},
      {carrier(6081) / Geneve(43, "optnoptn") / Eth() / in, "geneve v4 17 40000>53 id=43"},
      {carrier(6081) / Geneve(43) / Ipv6() / Udp(), "geneve v6 17 40000>53 id=43"},
      {carrier(2152) / GtpU(44) / in, "gtp v4 17 40000>53 id=44"},
      {carrier(2152) / GtpU(44).sequence() / in, "gtp v4 17 40000>53 id=44"},
      {carrier(2152) / GtpU(44).extension() / Ipv6() / Udp(), "gtp v6 17 40000>53 id=44"},
      {carrier(1701) / L2tp() / Ppp().with_address() / in, "l2tp v4 17 40000>53"},
      {carrier(3544) / Ipv6() / Udp(), "teredo v6 17 40000>53"},
      {Eth() / Ipv4() / Udp(3544, 50000) / "\0\1\1\1..12345678\0"s / "\0\0ppaaaa"s / Ipv6() / Udp(), "teredo v6 17 40000>53"},
  };
  for (const auto& c : cases) EXPECT_EQ(chain(c.frame), c.chain) << &c - cases;
}

TEST(Tunnel, APortAloneIsNone) {
  const auto carrier = [](std::uint16_t port) { return Eth() / Ipv4() / Udp(50000, port); };
  const Layers in = Ipv4() / Udp();
  const struct {
    Layers frame;
    const char* chain;
  } cases[] = {
      {carrier(4789) / "plain text in a datagram", "v4 17 50000>4789"},
      {carrier(4789) / Vxlan(42, 0) / Eth() / in, "v4 17 50000>4789"},
      {carrier(4789) / Vxlan(42) / Eth().type(0x1234) / in, "v4 17 50000>4789"},
      {carrier(4789) / Vxlan(42) / Eth() / Ipv4().length(2000) / Udp(), "v4 17 50000>4789"},
      {carrier(4790) / Vxlan(42) / Eth() / in, "v4 17 50000>4790"},
      {carrier(6081) / Geneve(43) / ArpPacket(), "v4 17 50000>6081"},
      {carrier(2152) / GtpU(44).message(1) / in, "v4 17 50000>2152"},
      {carrier(2152) / GtpU(44) / "no ip", "v4 17 50000>2152"},
      {carrier(1701) / L2tp() / Ppp().protocol(0xc021) / "lcp", "v4 17 50000>1701"},
      {carrier(3544) / in, "v4 17 50000>3544"},
      {carrier(3544) / Ipv6().length(9000) / Udp(), "v4 17 50000>3544"},
  };
  for (const auto& c : cases) EXPECT_EQ(chain(c.frame), c.chain) << &c - cases;
}

TEST(Tunnel, DepthIsBounded) {
  Layers frame = Ipv4();
  for (std::size_t depth = 1; depth <= kTunnelsMax; ++depth) {
    frame = frame / Ipv4();
    EXPECT_EQ(flaws(frame / Udp(), LinkType::RawIp), "") << depth;
    EXPECT_EQ(Parsed(frame / Udp(), LinkType::RawIp).packet.layers_count, depth + 1);
  }
  EXPECT_EQ(flaws(frame / Ipv4() / Udp(), LinkType::RawIp), "deep-tunnel");
  Layers wires = Eth();
  for (int i = 0; i < 20; ++i) wires = wires / Mpls(16) / "\0\0\0\0"s / Eth();
  EXPECT_EQ(flaws(wires / Ipv4() / Udp()), "deep-tunnel");
}

TEST(Tunnel, CarrierAndInsideAreBothSeen) {
  const Parsed p(Eth() / Ipv6() / Udp(50000, 4789) / Vxlan(42) / Eth().src("00:00:5e:00:53:aa") / Ipv4() / Tcp(1, 2).flags("S") / "in");
  ASSERT_EQ(p.packet.layers_count, 2);
  EXPECT_EQ(p.outer().version, 6);
  EXPECT_EQ(p.outer().dst_port, 4789);
  EXPECT_EQ(p.inner().version, 4);
  EXPECT_EQ(p.inner().dst_port, 2);
  EXPECT_EQ(p.payload(), "in");
  EXPECT_EQ(render(p.packet.eth_src), "00:00:5e:00:53:01") << "the frame's own";
  Packet closed;
  parse(p.frame, closed, {.tunnels = false});
  EXPECT_EQ(closed.layers_count, 1);
  EXPECT_EQ(closed.tunnels_count, 0);
}

TEST(Tunnel, FragmentsAreNotOpened) {
  EXPECT_EQ(chain(Eth() / Ipv4().more() / Gre() / Ipv4() / Udp()), "v4 47");
  EXPECT_EQ(flaws(Eth() / Ipv4().more() / Gre().key(1) / Ipv4().length(1000) / Udp() / "1234"), "");
}

}  // namespace
}  // namespace weir::wire
