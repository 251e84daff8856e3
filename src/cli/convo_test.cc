// SPDX-License-Identifier: Apache-2.0
// The language of conversations: what lines become, and what is said about those that are wrong.

#include <gtest/gtest.h>

#include "cli/convo/conversation.h"
#include "cli/convo/line_words.h"
#include "facts/packet.h"
#include "wire/checksum.h"
#include "wire/wire.h"

namespace weir::cli {
namespace {

/// A step's frame, parsed as the engine parses it.
struct Seen {
  Frame frame;
  Packet packet;
  explicit Seen(const Step& step) {
    frame.bytes = as_bytes(step.frame);
    frame.wire_bytes = static_cast<std::uint32_t>(step.frame.size());
    wire::parse(frame, packet);
  }
  const IpLayer& ip() const { return packet.inner(); }
  std::string_view payload() const { return as_text(packet.payload(packet.inner())); }
};

std::string mistakes_of(std::string_view text) {
  std::string out;
  for (const ConvoMistake& mistake : parse_convo(text).mistakes)
    out += std::to_string(mistake.line) + ": " + mistake.message + "\n";
  return out;
}

/// All steps of a conversation that must be right.
std::vector<Step> steps_of(std::string_view text) {
  Convo convo = parse_convo(text);
  EXPECT_EQ(mistakes_of(text), "");
  return std::move(convo.steps);
}

TEST(Convo, ContractsExampleIsRead) {
  const auto steps = steps_of(R"(# T1071.004: hosts may ask only the company resolver.
client 10.0.0.5   resolver 10.0.0.53   other 198.51.100.53
0.000  client:40000 > resolver:53   udp dns? A www.example.com             pass
0.004  resolver:53  > client:40000  udp dns! A www.example.com 192.0.2.80  pass
1.000  client:40002 > other:53      udp dns? A www.example.com             drop  only-company-dns
2.000  client:40004 > other:5353    udp dns? TXT aGVsbG8.evil.example      drop  only-company-dns
)");
  ASSERT_EQ(steps.size(), 4U);
  EXPECT_EQ(steps[0].line, 3U);
  EXPECT_EQ(steps[0].expected, Verdict::Pass);
  EXPECT_EQ(steps[1].at_ns, 4 * kMillisecond);
  EXPECT_EQ(steps[2].expected, Verdict::Drop);
  EXPECT_EQ(steps[2].expected_rule, "only-company-dns");
  const Seen question(steps[0]), answer(steps[1]);
  EXPECT_EQ(render(question.ip().src), "10.0.0.5");
  EXPECT_EQ(question.ip().dst_port, 53);
  // The answer has the question's id.
  EXPECT_EQ(question.payload().substr(0, 2), answer.payload().substr(0, 2));
}

TEST(Convo, EveryPacketHasRightChecksums) {
  const auto steps = steps_of(R"(a 10.0.0.1   b 10.0.0.2   c 2001:db8::1   d 2001:db8::2
a:1000 > b:80 tcp open
a:1000 > b:80 tcp http? GET / www.example.com
a:1000 > b:53 udp dns? A www.example.com
a > b icmp echo-request 57
c:1000 > d:80 tcp S
c:1000 > d:53 udp "odd"
c > d icmp echo-request 3
c > d icmp neighbor-solicitation 2001:db8::2
)");
  ASSERT_EQ(steps.size(), 10U);
  for (const Step& step : steps) {
    const Seen seen(step);
    const wire::ChecksumResult result = wire::verify_checksums(seen.packet, seen.ip());
    EXPECT_EQ(result.transport, wire::Check::Good) << step.text;
    EXPECT_NE(result.ip, wire::Check::Bad) << step.text;
    EXPECT_EQ(seen.packet.flaws.bits(), 0U) << step.text;
  }
}

TEST(Convo, SequenceNumbersFollowTheConversation) {
  const auto steps = steps_of(R"(a 10.0.0.1   b 10.0.0.2
a:1000 > b:80 tcp open
a:1000 > b:80 tcp PA "12345"
b:80 > a:1000 tcp A
b:80 > a:1000 tcp PA "xyz"
a:1000 > b:80 tcp close
)");
  ASSERT_EQ(steps.size(), 9U);
  const Seen syn(steps[0]), syn_ack(steps[1]), ack(steps[2]), data(steps[3]), acked(steps[4]), answer(steps[5]), fin(steps[6]);
  EXPECT_EQ(syn.ip().tcp_flags, tcp_flag::kSyn);
  EXPECT_EQ(render(syn_ack.ip().src), "10.0.0.2");
  EXPECT_EQ(syn_ack.ip().tcp_ack, syn.ip().tcp_seq + 1);
  EXPECT_EQ(ack.ip().tcp_ack, syn_ack.ip().tcp_seq + 1);
  EXPECT_EQ(data.ip().tcp_seq, syn.ip().tcp_seq + 1);
  EXPECT_EQ(acked.ip().tcp_ack, data.ip().tcp_seq + 5);
  EXPECT_EQ(fin.ip().tcp_seq, data.ip().tcp_seq + 5);
  EXPECT_EQ(fin.ip().tcp_ack, answer.ip().tcp_seq + 3);
}

TEST(Convo, WhatIsStoppedIsSentAgainWithTheSameNumber) {
  const auto steps = steps_of(R"(a 10.0.0.1   b 10.0.0.2
a:1000 > b:80 tcp PA "one"  drop
a:1000 > b:80 tcp PA "two"  pass
a:1000 > b:80 tcp PA "three" seq -3 pass
)");
  const Seen first(steps[0]), second(steps[1]), third(steps[2]);
  EXPECT_EQ(first.ip().tcp_seq, second.ip().tcp_seq);
  EXPECT_EQ(third.ip().tcp_seq, second.ip().tcp_seq);
}

TEST(Convo, FlagsAreThoseThatAreWritten) {
  for (const auto& [letters, flags] :
       {std::pair("S", 0x02), {"SA", 0x12}, {"FPU", 0x29}, {"R", 0x04}, {"FA", 0x11}, {"SEC", 0xc2}}) {
    const auto steps = steps_of("10.0.0.1:1000 > 10.0.0.2:80 tcp " + std::string(letters));
    EXPECT_EQ(Seen(steps.at(0)).ip().tcp_flags, flags) << letters;
  }
}

TEST(Convo, NamesHaveMacsAndPorts) {
  const auto steps = steps_of(R"(a 10.0.0.1 mac 02:00:00:00:00:99 in lan0   b 10.0.0.2 in wan0
a:1000 > b:80 tcp open
a:1000 > b:80 in lan1 vlan 7 ttl 3 mac 02:00:00:00:00:01 tcp A
10.0.0.1:1000 > b:80 tcp A
)");
  ASSERT_EQ(steps.size(), 5U);
  EXPECT_EQ(steps[0].port, "lan0");
  EXPECT_EQ(steps[1].port, "wan0");
  EXPECT_EQ(steps[3].port, "lan1");
  EXPECT_EQ(steps[4].port, "lan0");
  const Seen own(steps[0]), changed(steps[3]);
  EXPECT_EQ(render(own.packet.eth_src), "02:00:00:00:00:99");
  EXPECT_EQ(render(changed.packet.eth_src), "02:00:00:00:00:01");
  EXPECT_EQ(changed.packet.vlans[0], 7);
  EXPECT_EQ(changed.ip().ttl, 3);
}

TEST(Convo, OneNameMayHaveBothVersions) {
  const auto steps = steps_of(R"(a 10.0.0.1   a fd00::1   six fd00::2   four 10.0.0.2
a:1 > six:2 udp "x"
a:1 > four:2 udp "x"
)");
  EXPECT_EQ(Seen(steps[0]).ip().version, 6);
  EXPECT_EQ(Seen(steps[1]).ip().version, 4);
}

TEST(Convo, GroupsHaveTheirLinkAddresses) {
  const auto steps = steps_of(R"(10.0.0.1 > * arp request 10.0.0.2
10.0.0.1:5353 > 224.0.0.251:5353 udp dns? A x.local
[fd00::1]:5353 > [ff02::fb]:5353 udp dns? A x.local
)");
  EXPECT_EQ(render(Seen(steps[0]).packet.eth_dst), "ff:ff:ff:ff:ff:ff");
  EXPECT_EQ(render(Seen(steps[1]).packet.eth_dst), "01:00:5e:00:00:fb");
  EXPECT_EQ(render(Seen(steps[2]).packet.eth_dst), "33:33:00:00:00:fb");
}

TEST(Convo, ArpSaysWhoHasWhat) {
  const auto steps = steps_of(R"(thief 10.0.0.66 mac 02:00:00:00:00:66   client 10.0.0.5
thief > client arp reply 10.0.0.1
)");
  const Seen reply(steps[0]);
  ASSERT_TRUE(reply.packet.has_arp);
  EXPECT_EQ(reply.packet.arp.op, 2);
  EXPECT_EQ(render(reply.packet.arp.sender_ip), "10.0.0.1");
  EXPECT_EQ(render(reply.packet.arp.sender_mac), "02:00:00:00:00:66");
}

TEST(Convo, ErrorsQuoteWhatTheReceiverSent) {
  const auto steps = steps_of(R"(a 10.0.0.1   b 10.0.0.2   router 10.0.0.254
a:1000 > b:9 udp "x"
router > a icmp unreachable
)");
  const Seen error(steps[1]);
  ASSERT_TRUE(error.ip().has_quoted);
  EXPECT_EQ(error.ip().quoted_dst_port, 9);
}

TEST(Convo, TimesRepeatsALine) {
  const auto steps = steps_of("1.0 10.0.0.1:1000 > 10.0.0.2:80 times 3 tcp S pass");
  ASSERT_EQ(steps.size(), 3U);
  EXPECT_EQ(steps[2].at_ns, kSecond + 2 * kMillisecond);
}

TEST(Convo, MistakesAreToldAllWithTheirLines) {
  struct {
    std::string_view text, mistake;
  } const kCases[] = {
      {"clinet > b tcp S", "neither an address nor a declared name"},
      {"a 10.0.0.1\nb 10.0.0.2\nq:1 > b:2 tcp S", "3: `q` is neither"},
      {"client 10.0.0.1 b 10.0.0.2\ncleint:1 > b:2 tcp S", "was `client` meant?"},
      {"10.0.0.1 > 10.0.0.2 tcp S", "tcp needs both ports"},
      {"10.0.0.1:1 > 10.0.0.2:2 tpc S", "was `tcp` meant?"},
      {"10.0.0.1:1 > 10.0.0.2:2 udp dns? QQ x", "is no type of DNS record"},
      {"10.0.0.1:1 > 10.0.0.2:2 udp \"open", "closing quote"},
      {"10.0.0.1:1 > 10.0.0.2:2 udp \"\\q\"", "no such escape"},
      {"10.0.0.1:1 > 10.0.0.2:2 udp hex:012", "are no bytes"},
      {"10.0.0.1:70000 > 10.0.0.2:2 udp \"x\"", "is no port"},
      {"10.0.0.1:1 > [fd00::1]:2 udp \"x\"", "not of the same version"},
      {"1.0 10.0.0.1:1 > 10.0.0.2:2 udp \"x\"\n0.5 10.0.0.1:1 > 10.0.0.2:2 udp \"x\"", "2: time goes back"},
      {"10.0.0.1:1 > 10.0.0.2:2 tcp S and more", "payload `and` is not known"},
      {"10.0.0.1 > 10.0.0.2 icmp eco-request", "was `echo-request` meant?"},
      {"10.0.0.1 > 10.0.0.2 arp request", "arp says"},
      {"just words", "neither a packet"},
  };
  for (const auto& c : kCases)
    EXPECT_NE(mistakes_of(c.text).find(c.mistake), std::string::npos) << c.text << "\n" << mistakes_of(c.text);
  EXPECT_EQ(parse_convo("x\ny\nz").mistakes.size(), 3U);
}

TEST(Convo, QuotedTextKeepsBytes) {
  const auto words = words_of_line(R"(tcp "a b\r\n\x00\xff\"#" # a comment)");
  ASSERT_TRUE(words);
  ASSERT_EQ(words.value().size(), 2U);
  EXPECT_EQ(words.value()[1].text, std::string("a b\r\n\0\xff\"#", 9));
}

}  // namespace
}  // namespace weir::cli
