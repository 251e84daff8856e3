// SPDX-License-Identifier: Apache-2.0
// The evasions of Ptacek and Newsham on IP fragments and on UDP: overlaps in every order (RFC 5722, for IPv4 too), datagrams that share an id,
// pieces that die on the way, and noise before the question. None may let a blocked name through.

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/kit/talk.h"
#include "tests/kit/victim.h"

namespace weir::engine {
namespace {

using namespace kit;

constexpr std::string_view kPolicies[] = {
    "weir: 1\nrules: [ { name: blocked, match: { dns.qname: evil.example }, action: drop } ]",
    "weir: 1\nguards: { normalise: true }\nrules: [ { name: blocked, match: { dns.qname: evil.example }, action: drop } ]",
    "weir: 1\nguards: { tcp-state: true, normalise: true }\nrules: [ { name: blocked, match: { dns.qname: evil.example }, action: drop } ]",
};

/// The UDP datagram of a query, as the bytes that IP carries.
std::string datagram(std::string_view name, std::uint16_t id = 1) {
  return std::string(Ipv4("10.0.0.5", "198.51.100.53") / Udp(40000, 53) / dns_query(name, id)).substr(20);
}
struct Piece {
  std::uint32_t offset, end;
  bool blocked;  ///< With the blocked name's bytes, else the harmless one's.
};
std::string fragment(const std::string& whole, std::uint32_t offset, std::uint32_t end, std::uint16_t id = 7) {
  Ipv4 ip("10.0.0.5", "198.51.100.53");
  ip.protocol(17).id(id).offset(offset);
  if (end < whole.size()) ip.more();
  return Eth() / ip / std::string_view(whole).substr(offset, end - offset);
}
std::string fragment6(const std::string& whole, std::uint32_t offset, std::uint32_t end) {
  return Eth() / Ipv6() / Fragment(offset, end < whole.size()).protocol(17) / std::string_view(whole).substr(offset, end - offset);
}

/// Sends the pieces, and tells whether some host could put the blocked datagram together from what passed in the end.
bool gets_through(std::string_view policy, const std::vector<Piece>& pieces, bool v6 = false) {
  const std::string blocked = v6 ? std::string(Ipv6() / Udp(40000, 53) / dns_query("evil.example")).substr(40) : datagram("evil.example");
  const std::string harmless = v6 ? std::string(Ipv6() / Udp(40000, 53) / dns_query("good.example")).substr(40) : datagram("good.example");
  Filter f(policy);
  for (const Piece& p : pieces) {
    const std::string& text = p.blocked ? blocked : harmless;
    f.send(v6 ? fragment6(text, p.offset, p.end) : fragment(text, p.offset, p.end));
  }
  f.end();
  Victim server;
  // Nothing of a datagram is delivered before it is whole: all pieces are offered before the first byte is.
  for (std::size_t i = pieces.size(); i-- > 0;)
    if (plain(f.verdict(i + 1)) == "pass") server.receive(pieces[i].offset + 1, std::string_view(pieces[i].blocked ? blocked : harmless).substr(pieces[i].offset, pieces[i].end - pieces[i].offset));
  return server.could_read(blocked, 1);
}

TEST(Fragments, OfABlockedDatagramInAnyOrderAreStopped) {
  for (const std::string_view policy : kPolicies) {
    std::vector<Piece> pieces = {{0, 8, true}, {8, 24, true}, {24, 32, true}, {32, 38, true}};
    std::sort(pieces.begin(), pieces.end(), [](const Piece& a, const Piece& b) { return a.offset < b.offset; });
    do {
      EXPECT_FALSE(gets_through(policy, pieces));
      EXPECT_FALSE(gets_through(policy, pieces, true));
    } while (std::next_permutation(pieces.begin(), pieces.end(), [](const Piece& a, const Piece& b) { return a.offset < b.offset; }));
  }
}

TEST(Fragments, OfAHarmlessDatagramInAnyOrderPass) {
  for (const std::string_view policy : kPolicies) {
    const std::string text = datagram("good.example");
    std::vector<std::pair<std::uint32_t, std::uint32_t>> cuts = {{0, 16}, {16, 32}, {32, static_cast<std::uint32_t>(text.size())}};
    do {
      Filter f(policy);
      for (const auto& [offset, end] : cuts) f.send(fragment(text, offset, end));
      EXPECT_EQ(f.verdicts(), (std::vector<std::string>{"pass", "pass", "pass"}));
    } while (std::next_permutation(cuts.begin(), cuts.end()));
  }
}

// The overlaps of Novak's "Target-based fragmentation reassembly": a piece before, behind, around and inside another, either one first,
// either one with the blocked bytes.
TEST(Fragments, ThatOverlapInAnyWayCarryNoBlockedNameThrough) {
  const std::vector<std::pair<std::uint32_t, std::uint32_t>> shapes = {{0, 8}, {0, 16}, {0, 24}, {8, 24}, {8, 32}, {16, 24}, {16, 38}, {24, 38}, {32, 38}};
  for (const std::string_view policy : kPolicies)
    for (const auto& [a, b] : shapes)
      for (const auto& [c, d] : shapes)
        for (int which = 0; which < 4; ++which) {
          std::vector<Piece> pieces = {{a, b, (which & 1) != 0}, {c, d, (which & 2) != 0}, {0, 16, true}, {16, 32, true}, {32, 38, true}};
          EXPECT_FALSE(gets_through(policy, pieces)) << a << "-" << b << ", " << c << "-" << d << ", " << which;
          std::reverse(pieces.begin(), pieces.end());
          EXPECT_FALSE(gets_through(policy, pieces)) << a << "-" << b << ", " << c << "-" << d << ", " << which << ", backwards";
        }
}

TEST(Fragments, RandomPilesCarryNoBlockedNameThrough) {
  std::mt19937 random(0x57656972);
  const auto pick = [&](std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); };
  for (int round = 0; round < 3000; ++round) {
    std::vector<Piece> pieces = {{0, 8, true}, {8, 16, true}, {16, 24, true}, {24, 32, true}, {32, 38, true}};
    for (std::uint32_t more = pick(4); more-- > 0;) {
      const std::uint32_t from = pick(5), size = 1 + pick(4);
      pieces.push_back({from * 8, std::min(38U, (from + size) * 8), pick(2) == 0});
    }
    std::shuffle(pieces.begin(), pieces.end(), random);
    ASSERT_FALSE(gets_through(kPolicies[round % std::size(kPolicies)], pieces, round % 2 == 1)) << "round " << round;
  }
}

TEST(Fragments, OfTheSameIdAreKeptApartByTheirEnds) {
  Filter f(kPolicies[0]);
  const std::string blocked = datagram("evil.example"), harmless = datagram("good.example");
  f.send(fragment(blocked, 0, 24));
  // The same id from another host is another datagram.
  f.send(Eth() / Ipv4("10.0.0.6", "198.51.100.53").protocol(17).id(7).offset(24) / std::string_view(harmless).substr(24));
  f.send(fragment(blocked, 24, static_cast<std::uint32_t>(blocked.size())));
  f.end();
  EXPECT_EQ(f.verdict(1), "drop blocked");
  EXPECT_EQ(plain(f.verdict(2)), "drop");
  EXPECT_EQ(f.verdict(3), "drop blocked");
}

TEST(Fragments, OfTheSameIdForAnotherDatagramAreAnOverlap) {
  for (const std::string_view policy : kPolicies) {
    Filter f(policy);
    const std::string blocked = datagram("evil.example"), harmless = datagram("good.example");
    const auto end = static_cast<std::uint32_t>(blocked.size());
    Victim server;
    f.send(fragment(harmless, 0, 24));
    f.send(fragment(blocked, 0, 24));
    f.send(fragment(blocked, 24, end));
    f.send(fragment(harmless, 24, end));
    f.end();
    EXPECT_FALSE(plain(f.verdict(2)) == "pass" && plain(f.verdict(3)) == "pass");
  }
}

TEST(Fragments, WhoseFirstDoesNotComeAreDroppedUnderAName) {
  Filter f(kPolicies[0]);
  const std::string text = datagram("good.example");
  EXPECT_EQ(f.send(fragment(text, 16, 32)), "hold");
  f.wait(61 * kSecond);
  EXPECT_EQ(f.verdict(1), "drop");
  EXPECT_EQ(f.reason(1), Reason::FragmentLost);
}

TEST(Fragments, OfATcpSegmentShareTheVerdict) {
  Filter f(R"(weir: 1
rules: [ { name: bad, match: { tls.sni: evil.example }, action: drop } ])");
  Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 443);
  c.open();
  const std::string segment = std::string(c.ipv4(Side::Client) / c.tcp(Side::Client, 0).flags("PA") / tls_hello("evil.example")).substr(20);
  EXPECT_EQ(f.send(Eth() / c.ipv4(Side::Client).protocol(6).id(9).more() / std::string_view(segment).substr(0, 48)), "hold");
  EXPECT_EQ(f.send(Eth() / c.ipv4(Side::Client).protocol(6).id(9).offset(48) / std::string_view(segment).substr(48)), "drop bad");
  EXPECT_EQ(f.verdict(4), "drop bad");
}

// ---- UDP: each datagram is read by itself, and a server answers each.

TEST(UdpEvasion, NoiseBeforeTheQuestionHidesNothing) {
  const std::string noises[] = {"#", std::string(40, '#'), std::string(12, '\0'), std::string("\x80\0\0\x01 not dns", 12), http_get("a.example", "/"),
                                dns_query("good.example").substr(0, 20),
                                // What RTP, OpenVPN and WireGuard may begin with: they are waited for.
                                std::string("\x80\x60\0\x01\0\0\0\x01srcAxx", 14), std::string("\x38session1\0\0\0\0\0", 14),
                                std::string("\x04\0\0\0", 4) + std::string(28, 'd')};
  for (const std::string_view policy : kPolicies)
    for (const std::string& noise : noises) {
      Filter f(policy);
      Datagrams d{f};
      d.ask(noise);
      EXPECT_EQ(d.ask(dns_query("evil.example")), "drop blocked") << noise;
    }
}

TEST(UdpEvasion, NoiseThatNoServerTakesHidesNothing) {
  for (const std::string_view policy : kPolicies) {
    Filter f(policy);
    f.send(Eth() / Ipv4("10.0.0.5", "198.51.100.53").ttl(1) / Udp(40000, 53) / "noise");
    f.send(Eth() / Ipv4("10.0.0.5", "198.51.100.53") / Udp(40000, 53).checksum(0x1234) / dns_query("good.example"));
    f.send(Eth() / Ipv4("10.0.0.5", "198.51.100.53") / Udp(40000, 53).length(4) / "noise");
    EXPECT_EQ(f.send(Eth() / Ipv4("10.0.0.5", "198.51.100.53") / Udp(40000, 53) / dns_query("evil.example")), "drop blocked");
  }
}

TEST(UdpEvasion, ManyHarmlessQuestionsWearNothingOut) {
  Filter f(kPolicies[0]);
  Datagrams d{f};
  for (std::uint16_t i = 0; i < 500; ++i) EXPECT_EQ(d.ask(dns_query("good.example", i)), "pass");
  EXPECT_EQ(d.ask(dns_query("evil.example", 501)), "drop blocked");
  EXPECT_EQ(d.ask(dns_query("EVIL.example", 502)), "drop blocked");
  EXPECT_EQ(d.ask(dns_query("good.example", 503)), "pass");
}

TEST(UdpEvasion, ALengthShorterThanTheDatagramHidesNothing) {
  Filter f(kPolicies[0]);
  // UDP says less than IP brings: a server reads what UDP says.
  const std::string query = dns_query("evil.example");
  EXPECT_EQ(f.send(Eth() / Ipv4("10.0.0.5", "198.51.100.53") / Udp(40000, 53).length(static_cast<std::uint16_t>(8 + query.size())).checksum(0) / (query + "tail")),
            "drop blocked");
}

TEST(UdpEvasion, WithoutAChecksumItIsReadAllTheSame) {
  Filter f(kPolicies[0]);
  EXPECT_EQ(f.send(Eth() / Ipv4("10.0.0.5", "198.51.100.53") / Udp(40000, 53).checksum(0) / dns_query("evil.example")), "drop blocked");
}

TEST(UdpEvasion, IpOptionsAndExtensionHeadersHideNothing) {
  Filter f(kPolicies[0]);
  EXPECT_EQ(f.send(Eth() / Ipv4("10.0.0.5", "198.51.100.53").options("\x94\x04") / Udp() / dns_query("evil.example")), "drop blocked");
  EXPECT_EQ(f.send(Eth() / Ipv6() / HopByHop() / Destination() / Udp() / dns_query("evil.example")), "drop blocked");
  EXPECT_EQ(f.send(Eth() / Vlan(5) / Vlan(6) / Ipv4() / Udp() / dns_query("evil.example")), "drop blocked");
}

}  // namespace
}  // namespace weir::engine
