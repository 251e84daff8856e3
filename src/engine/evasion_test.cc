// SPDX-License-Identifier: Apache-2.0
// The evasions of Ptacek and Newsham (1998): whatever is done to the packets, the blocked name does not get through
// whole, and the benign twin passes the same treatment.

#include <gtest/gtest.h>

#include "tests/kit/filter.h"

namespace weir::engine {
namespace {

using namespace kit;

constexpr char kPlain[] = "default: allow\nrules:\n  - {name: secret, match: {http.uri: /secret}, action: drop}\n";
constexpr char kGuarded[] =
    "default: allow\nguards: {tcp-state: true, normalise: true}\nrules:\n  - {name: secret, match: {http.uri: /secret}, action: drop}\n";
const std::string kBad = "GET /secret HTTP/1.1\r\nHost: a.example\r\n\r\n";
const std::string kGood = "GET /public HTTP/1.1\r\nHost: a.example\r\n\r\n";

/// A client that has its connection open and sends what it likes.
class Client {
 public:
  explicit Client(const char* policy) : filter(policy) {
    EXPECT_TRUE(filter.passes(Eth() / Ipv4() / Tcp(40000, 80).flags("S").seq(1000).window(60000)));
    EXPECT_TRUE(filter.passes(Eth() / back() / Tcp(80, 40000).flags("SA").seq(5000).ack(1001).window(60000)));
    EXPECT_TRUE(filter.passes(Eth() / Ipv4() / Tcp(40000, 80).flags("A").seq(1001).ack(5001).window(60000)));
  }
  static Ipv4 back() { return Ipv4().src("198.51.100.2").dst("192.0.2.1"); }
  static Tcp data(std::uint32_t offset) { return Tcp(40000, 80).flags("PA").seq(1001 + offset).ack(5001).window(60000); }
  /// True if the segment passes.
  bool send(std::uint32_t offset, const std::string& text) { return filter.passes(Eth() / Ipv4() / data(offset) / text); }

  Filter filter;
};

class Evasion : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Policies, Evasion, testing::Values(kPlain, kGuarded));

TEST_P(Evasion, NoCutOfTheRequestLetsItThrough) {
  for (const std::size_t size : {1U, 3U, 7U, 20U}) {
    for (const bool bad : {true, false}) {
      Client client(GetParam());
      const std::string& text = bad ? kBad : kGood;
      bool all = true;
      for (std::size_t at = 0; at < text.size(); at += size) all = client.send(static_cast<std::uint32_t>(at), text.substr(at, size)) && all;
      EXPECT_EQ(all, !bad) << size << " bytes a segment";
    }
  }
}

TEST_P(Evasion, NoOrderOfTheSegmentsLetsItThrough) {
  for (const bool bad : {true, false}) {
    const std::string& text = bad ? kBad : kGood;
    Client client(GetParam());
    bool all = true;
    for (const std::uint32_t at : {20U, 10U, 30U, 0U}) all = client.send(at, text.substr(at, at == 30 ? std::string::npos : 10)) && all;
    EXPECT_EQ(all, !bad);
  }
}

// The filter read one copy; the other, which the server might prefer, does not go on.
TEST_P(Evasion, ACopyThatDiffersDoesNotGoOn) {
  Client client(GetParam());
  EXPECT_TRUE(client.send(0, "GET /pub"));
  EXPECT_TRUE(client.send(8, "lic HT"));
  EXPECT_FALSE(client.send(0, "GET /sec"));
  EXPECT_FALSE(client.send(4, "/secret HT"));
  EXPECT_TRUE(client.send(0, "GET /pub")) << "the same once more is a retransmission";
}

TEST_P(Evasion, ADifferingCopyAheadOfTheHoleDoesNotGoOn) {
  Client client(GetParam());
  EXPECT_TRUE(client.send(5, "public HTTP/1.1\r\n\r\n"));
  EXPECT_FALSE(client.send(5, "secret HTTP/1.1\r\n\r\n"));
  EXPECT_TRUE(client.send(0, "GET /"));
}

TEST_P(Evasion, ABadChecksumTeachesNothing) {
  Client client(GetParam());
  client.filter.send(Eth() / Ipv4() / Client::data(0).checksum(1) / "GET /public HTTP/1.1\r\n");
  EXPECT_FALSE(client.send(0, kBad)) << "the copy with the bad checksum was not read";
}

TEST_P(Evasion, ASegmentThatDiesOnTheWayDoesNotHideTheNext) {
  Client client(GetParam());
  client.filter.send(Eth() / Ipv4().ttl(1) / Client::data(0) / kGood);
  EXPECT_FALSE(client.send(0, kBad));
}

TEST_P(Evasion, AResetOutOfWindowDoesNotEndTheReading) {
  Client client(GetParam());
  client.filter.send(Eth() / Ipv4() / Tcp(40000, 80).flags("R").seq(900'000'000));
  EXPECT_FALSE(client.send(0, kBad));
}

TEST_P(Evasion, AResetThatTheServerNeverSeesDoesNotEndTheReading) {
  Client client(GetParam());
  client.filter.send(Eth() / Ipv4().ttl(1) / Tcp(40000, 80).flags("R").seq(1001));
  EXPECT_FALSE(client.send(0, kBad));
}

TEST_P(Evasion, AFinOutOfWindowDoesNotEndTheReading) {
  Client client(GetParam());
  client.filter.send(Eth() / Ipv4() / Tcp(40000, 80).flags("FA").seq(900'000'000).ack(5001));
  EXPECT_FALSE(client.send(0, kBad));
}

TEST_P(Evasion, DataOnTheSynIsRead) {
  Filter filter(GetParam());
  filter.send(Eth() / Ipv4() / Tcp(40000, 80).flags("S").seq(1000).window(60000) / "GET /sec");
  filter.send(Eth() / Client::back() / Tcp(80, 40000).flags("SA").seq(5000).ack(1009).window(60000));
  EXPECT_FALSE(filter.passes(Eth() / Ipv4() / Client::data(8) / "ret HTTP/1.1\r\n\r\n"));
}

TEST_P(Evasion, ASynAgainWithAnotherNumberDoesNotShiftTheStream) {
  Filter filter(GetParam());
  filter.send(Eth() / Ipv4() / Tcp(40000, 80).flags("S").seq(1000).window(60000));
  filter.send(Eth() / Ipv4() / Tcp(40000, 80).flags("S").seq(77000).window(60000));
  filter.send(Eth() / Client::back() / Tcp(80, 40000).flags("SA").seq(5000).ack(1001).window(60000));
  filter.send(Eth() / Ipv4() / Tcp(40000, 80).flags("A").seq(1001).ack(5001).window(60000));
  EXPECT_FALSE(filter.passes(Eth() / Ipv4() / Client::data(0) / kBad));
}

TEST_P(Evasion, OddFlagsDoNotHideData) {
  for (const char* flags : {"PAE", "PAC", "PAEC", "PAU"}) {
    Client client(GetParam());
    EXPECT_FALSE(client.filter.passes(Eth() / Ipv4() / Client::data(0).flags(flags) / kBad)) << flags;
  }
}

/// The request as one TCP segment, cut into fragments of `size` bytes.
std::vector<std::pair<std::uint32_t, std::string>> fragments(const std::string& text, std::size_t size) {
  const std::string whole = (Ipv4() / Client::data(0) / text).bytes().substr(20);
  std::vector<std::pair<std::uint32_t, std::string>> out;
  for (std::size_t at = 0; at < whole.size(); at += size) out.emplace_back(static_cast<std::uint32_t>(at), whole.substr(at, size));
  return out;
}
Layers fragment(std::uint16_t id, std::uint32_t offset, const std::string& bytes, bool more) {
  Ipv4 ip = Ipv4().protocol(6).id(id).offset(offset);
  if (more) ip.more();
  return Eth() / ip / bytes;
}

TEST_P(Evasion, NoFragmentsLetItThroughInAnyOrder) {
  for (const bool bad : {true, false}) {
    for (const bool backwards : {true, false}) {
      Client client(GetParam());
      auto pieces = fragments(bad ? kBad : kGood, 24);
      const std::uint32_t last = pieces.back().first;
      if (backwards) std::reverse(pieces.begin(), pieces.end());
      for (const auto& [offset, bytes] : pieces) client.filter.send(fragment(7, offset, bytes, offset != last));
      client.filter.finish();
      for (std::size_t n = 4; n < 4 + pieces.size(); ++n) EXPECT_EQ(client.filter.verdict(n), bad ? Verdict::Drop : Verdict::Pass) << n;
    }
  }
}

// RFC 5722, for IPv4 too: a datagram whose fragments overlap is dropped as a whole.
TEST_P(Evasion, FragmentsThatOverlapAreDroppedWhole) {
  Client client(GetParam());
  auto pieces = fragments(kGood, 24);
  client.filter.send(fragment(7, 0, pieces[0].second, true));
  client.filter.send(fragment(7, 16, std::string(24, 'x'), true));
  for (std::size_t i = 1; i < pieces.size(); ++i) client.filter.send(fragment(7, pieces[i].first, pieces[i].second, i + 1 != pieces.size()));
  client.filter.finish();
  for (std::size_t n = 4; n <= 4 + pieces.size(); ++n) EXPECT_EQ(client.filter.verdict(n), Verdict::Drop) << n;
}

TEST_P(Evasion, DatagramsWithOneIdFromTwoSourcesAreKeptApart) {
  Client client(GetParam());
  const auto pieces = fragments(kBad, 40);
  client.filter.send(Eth() / Ipv4().src("192.0.2.9").protocol(6).id(7).offset(0).more() / std::string(40, 'x'));
  for (std::size_t i = 0; i < pieces.size(); ++i) client.filter.send(fragment(7, pieces[i].first, pieces[i].second, i + 1 != pieces.size()));
  client.filter.finish();
  EXPECT_EQ(client.filter.verdict(client.filter.counters().packets), Verdict::Drop);
  EXPECT_EQ(client.filter.rule(client.filter.counters().packets), "secret");
}

}  // namespace
}  // namespace weir::engine
