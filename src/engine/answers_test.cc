// SPDX-License-Identifier: Apache-2.0
// What a refusal of DNS over TCP sends: the protocol's own answer where it fits into the connection, else a reset.

#include <gtest/gtest.h>

#include "tests/kit/talk.h"

namespace weir::engine {
namespace {

using namespace kit;

constexpr std::size_t kTcpAt = 14 + 20, kFlagsAt = kTcpAt + 13, kPayloadAt = kTcpAt + 20;
constexpr std::string_view kRefuses = "weir: 1\nrules: [ { name: no, match: { dns.qname: evil.example }, action: reject } ]\n";

TEST(TcpAnswers, DnsIsRefusedInItsOwnWords) {
  Filter f(kRefuses);
  Connection c(f, "10.0.0.5", 40000, "198.51.100.53", 53);
  c.open();
  const std::string query = over_tcp(dns_query("evil.example", 0x1234));
  ASSERT_EQ(c.client(query), "drop no");
  ASSERT_EQ(f.emitted().size(), 2U) << "to the client, and a reset to the server";
  const std::string answer = f.emitted()[0];
  ASSERT_GT(answer.size(), kPayloadAt + 14);
  EXPECT_EQ(answer[kFlagsAt], 0x19) << "FIN, PSH, ACK";
  EXPECT_EQ(answer.substr(kTcpAt, 4), be(53, 2) + be(40000, 2));
  EXPECT_EQ(answer.substr(kTcpAt + 4, 8), be(c.at(Side::Server, 0), 4) + be(c.at(Side::Client, static_cast<std::int64_t>(query.size())), 4));
  EXPECT_EQ(answer.substr(kPayloadAt, 2), be(answer.size() - kPayloadAt - 2, 2)) << "the length in front";
  EXPECT_EQ(answer.substr(kPayloadAt + 2, 2), be(0x1234, 2));
  EXPECT_EQ(answer[kPayloadAt + 5] & 0x0f, 5) << "REFUSED";
  EXPECT_EQ(f.emitted()[1][kFlagsAt] & 0x04, 0x04);
}

TEST(TcpAnswers, WhatDoesNotFitIsReset) {
  const auto flags_of = [](auto&& send) {
    Filter f(kRefuses);
    Connection c(f, "10.0.0.5", 40000, "198.51.100.53", 53);
    c.open();
    EXPECT_EQ(send(c), "drop no");
    return f.emitted().empty() ? 0 : f.emitted()[0][kFlagsAt];
  };
  const std::string query = over_tcp(dns_query("evil.example"));
  EXPECT_EQ(flags_of([&](Connection& c) { return c.client(query + over_tcp(dns_query("www.example", 2))); }), 0x04) << "two questions in one segment";
  EXPECT_EQ(flags_of([&](Connection& c) { return c.client(query.substr(0, 5)), c.client(query.substr(5)); }), 0x04) << "in two segments";
  EXPECT_EQ(flags_of([&](Connection& c) {
              c.server(over_tcp(dns_answer("a.example", "192.0.2.1")));
              return c.send(Side::Client, c.tcp(Side::Client, 0).ack(c.at(Side::Server, 0)).flags("PA"), query);
            }),
            0x04)
      << "the server's bytes are under way";
}

}  // namespace
}  // namespace weir::engine
