// SPDX-License-Identifier: Apache-2.0
// Checksums against an oracle that sums word by word, and the answers, which are parsed again.
#include "wire/checksum.h"

#include <gtest/gtest.h>

#include "tests/kit/packet.h"
#include "wire/answer.h"
#include "wire/wire.h"

namespace weir::wire {
namespace {

using namespace weir::kit;  // NOLINT
using namespace std::string_literals;

struct Parsed {
  explicit Parsed(std::string_view bytes, LinkType link = LinkType::Ethernet) : owned(bytes, link), frame(owned.frame()) {
    parse(frame, packet);
  }
  explicit Parsed(const Layers& layers, LinkType link = LinkType::Ethernet) : Parsed(std::string_view(layers.bytes()), link) {}

  OwnedFrame owned;
  Frame frame;
  Packet packet;
};

// "good bad": the IP header's, then the transport's.
std::string checks(const Layers& layers, bool partial = false) {
  Parsed p(layers);
  p.frame.checksum_partial = partial;
  const ChecksumResult result = verify_checksums(p.packet, p.packet.inner());
  constexpr const char* kNames[] = {"unknown", "good", "bad"};
  return kNames[static_cast<int>(result.ip)] + " "s + kNames[static_cast<int>(result.transport)];
}

TEST(Checksum, AgreesWithTheOracleAtEveryLength) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    const auto expected = checksum_of(bytes);
    EXPECT_EQ(Checksum().add(as_bytes(bytes)).value(), expected) << i;
    bytes += static_cast<char>(i % 3 == 0 ? 0xff : i * 37);
  }
  const std::string ones(4000, '\xff');
  EXPECT_EQ(Checksum().add(as_bytes(ones)).value(), checksum_of(ones)) << "carries come round";
}

TEST(Checksum, GoodAndBad) {
  const struct {
    Layers frame;
    const char* checks;
  } cases[] = {
      {Eth() / Ipv4() / Tcp() / "odd", "good good"},
      {Eth() / Ipv4() / Tcp().checksum(1) / "odd", "good bad"},
      {Eth() / Ipv4().checksum(1) / Tcp() / "odd", "bad good"},
      {Eth() / Ipv4().options("\1\1\1\1") / Udp() / "even", "good good"},
      {Eth() / Ipv4() / Udp().checksum(1) / "x", "good bad"},
      {Eth() / Ipv4() / Udp().checksum(0) / "x", "good unknown"},
      {Eth() / Ipv6() / Udp().checksum(0) / "x", "unknown bad"},
      {Eth() / Ipv6() / HopByHop() / Tcp() / "x", "unknown good"},
      {Eth() / Ipv6() / Routing(0, 0) / Udp() / "x", "unknown good"},
      {Eth() / Ipv6() / Routing(0, 1) / Udp() / "x", "unknown unknown"},
      {Eth() / Ipv4().options("\x83\3\4\0"s) / Udp() / "x", "good unknown"},
      {Eth() / Ipv4() / Icmp(8) / "abc", "good good"},
      {Eth() / Ipv4() / Icmp(8).checksum(7) / "abc", "good bad"},
      {Eth() / Ipv6() / Icmpv6(128) / "abc", "unknown good"},
      {Eth() / Ipv6() / Icmpv6(128).checksum(7) / "abc", "unknown bad"},
      {Eth() / Ipv4().more() / Udp() / "12345678", "good unknown"},
      {Eth() / Ipv4().length(200) / Tcp() / "truncated", "good unknown"},
      {Eth() / Ipv4() / Sctp(), "good unknown"},
      {Eth() / Ipv4() / Gre() / Ipv4() / Udp(), "good good"},
  };
  for (const auto& c : cases) EXPECT_EQ(checks(c.frame), c.checks) << &c - cases;
  EXPECT_EQ(checks(Eth() / Ipv4() / Tcp().checksum(1), true), "good unknown") << "left to hardware";
}

struct Answer {
  Parsed asked;
  std::vector<std::uint8_t> buffer = std::vector<std::uint8_t>(kAnswerBytesMax);
  std::size_t size = 0;

  explicit Answer(const Layers& layers, LinkType link = LinkType::Ethernet) : asked(layers, link) {}
  std::string bytes() const { return std::string(reinterpret_cast<const char*>(buffer.data()), size); }
  std::string reset(Toward toward = Toward::Sender) {
    size = write_reset(asked.packet, asked.packet.inner(), toward, buffer);
    return bytes();
  }
  std::string prohibited() {
    size = write_prohibited(asked.packet, asked.packet.inner(), buffer);
    return bytes();
  }
  std::string udp(std::string_view payload) {
    size = write_udp_answer(asked.packet, asked.packet.inner(), as_bytes(payload), buffer);
    return bytes();
  }
};

const char* const kHere = "00:00:5e:00:53:01";
const char* const kThere = "00:00:5e:00:53:02";

// The IPv4 header of an answer says "don't fragment", which the builder has no word for.
std::string without_df(std::string bytes, std::size_t ip_offset) {
  EXPECT_EQ(bytes[ip_offset + 6], 0x40);
  bytes[ip_offset + 6] = 0;
  put(bytes, ip_offset + 10, 0, 2);
  put(bytes, ip_offset + 10, checksum_of(std::string_view(bytes).substr(ip_offset, 20)), 2);
  return bytes;
}

TEST(Answer, ResetToTheSender) {
  // RFC 9293, 3.10.7.1: without ACK, sequence 0 and all of the segment acknowledged.
  Answer syn(Eth() / Vlan(7) / Ipv4() / Tcp(40000, 80).flags("S").seq(100) / "data");
  EXPECT_EQ(without_df(syn.reset(), 18),
            (Eth().src(kThere).dst(kHere) / Vlan(7) / Ipv4("198.51.100.2", "192.0.2.1") / Tcp(80, 40000).flags("RA").seq(0).ack(105).window(0)).bytes());
  Answer data(Eth() / Ipv6() / HopByHop() / Tcp(40000, 80).flags("PA").seq(100).ack(9) / "data");
  EXPECT_EQ(data.reset(), (Eth().src(kThere).dst(kHere) / Ipv6("2001:db8::2", "2001:db8::1") / Tcp(80, 40000).flags("R").seq(9).window(0)).bytes());
}

TEST(Answer, ResetToTheReceiver) {
  Answer data(Eth() / Ipv6() / Tcp(40000, 80).flags("PA").seq(100).ack(9) / "data");
  EXPECT_EQ(data.reset(Toward::Receiver), (Eth() / Ipv6() / Tcp(40000, 80).flags("RA").seq(100).ack(9).window(0)).bytes());
}

TEST(Answer, ProhibitedQuotesThePacket) {
  const Layers ip = Ipv4() / Udp() / "question";
  Answer v4(Raw((Eth() / Vlan(7) / ip).bytes() + "padding"));
  EXPECT_EQ(without_df(v4.prohibited(), 18),
            (Eth().src(kThere).dst(kHere) / Vlan(7) / Ipv4("198.51.100.2", "192.0.2.1") / Icmp(3, 13) / ip).bytes());
  const Layers ip6 = Ipv6() / Tcp().flags("S");
  Answer v6(Eth() / ip6);
  EXPECT_EQ(v6.prohibited(), (Eth().src(kThere).dst(kHere) / Ipv6("2001:db8::2", "2001:db8::1") / Icmpv6(1, 1) / ip6).bytes());
  EXPECT_EQ(Answer(Eth() / Ipv4() / Udp() / std::string(1400, 'x')).prohibited().size(), 14U + 576);
  EXPECT_EQ(Answer(Eth() / Ipv6() / Udp() / std::string(1400, 'x')).prohibited().size(), 14U + 1280);
}

TEST(Answer, UdpWithPayload) {
  Answer asked(Eth() / Ipv6() / Udp(40000, 53) / "question");
  EXPECT_EQ(asked.udp("answer"), (Eth().src(kThere).dst(kHere) / Ipv6("2001:db8::2", "2001:db8::1") / Udp(53, 40000) / "answer").bytes());
  Answer raw(Ipv4() / Udp(40000, 53) / "question", LinkType::RawIp);
  EXPECT_EQ(without_df(raw.udp("answer"), 0), (Ipv4("198.51.100.2", "192.0.2.1") / Udp(53, 40000) / "answer").bytes());
  EXPECT_EQ(asked.udp(std::string(kAnswerBytesMax, 'x')), "") << "does not fit";
}

TEST(Answer, SomePacketsHaveNone) {
  EXPECT_EQ(Answer(Eth() / Ipv4() / Tcp().flags("R")).reset(), "");
  EXPECT_EQ(Answer(Eth() / Ipv4() / Udp()).reset(), "");
  EXPECT_EQ(Answer(Eth() / Ipv4() / Tcp()).udp("x"), "");
  EXPECT_EQ(Answer(Eth() / Ipv4() / Icmp(3, 1) / Ipv4() / Udp()).prohibited(), "") << "an ICMP error";
  EXPECT_EQ(Answer(Eth() / Ipv6() / Icmpv6(1, 1) / Ipv6() / Udp()).prohibited(), "");
  EXPECT_NE(Answer(Eth() / Ipv4() / Icmp(8)).prohibited(), "");
  EXPECT_EQ(Answer(Eth() / Ipv4().dst("224.0.0.251") / Udp()).prohibited(), "") << "a group";
  EXPECT_EQ(Answer(Eth().dst("ff:ff:ff:ff:ff:ff") / Ipv4() / Udp()).prohibited(), "");
  EXPECT_EQ(Answer(Eth() / Ipv4().src("0.0.0.0") / Udp()).prohibited(), "");
  EXPECT_EQ(Answer(Eth() / Ipv4().offset(8).protocol(17) / "x").prohibited(), "") << "a later fragment";
  EXPECT_EQ(Answer(Eth() / Ipv4() / Gre() / Ipv4() / Tcp()).reset(), "") << "in a tunnel";
  EXPECT_EQ(Answer(Eth() / Pppoe() / Ppp() / Ipv4() / Tcp()).reset(), "");
  EXPECT_EQ(Answer(Eth() / Mpls(16) / Ipv4() / Tcp()).reset(), "");
  EXPECT_EQ(Answer(Eth8023() / Llc(0xaa) / Snap() / Ipv4() / Tcp()).reset(), "");
  EXPECT_EQ(Answer(Sll() / Ipv4() / Tcp(), LinkType::Sll).reset(), "");
}

}  // namespace
}  // namespace weir::wire
