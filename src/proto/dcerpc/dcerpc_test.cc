// SPDX-License-Identifier: Apache-2.0
#include "proto/dcerpc/dcerpc.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/kit/dialogue.h"

namespace weir::proto::dcerpc {
namespace {

using kit::Dialogue;

/// Numbers in the order that the header's data representation names.
struct Order {
  bool little = true;
  std::string number(std::uint64_t value, std::size_t bytes) const {
    std::string out;
    for (std::size_t i = 0; i < bytes; ++i) out += static_cast<char>(value >> 8 * (little ? i : bytes - 1 - i) & 0xff);
    return out;
  }
  std::string unit(std::uint8_t type, std::uint8_t flags, const std::string& body, std::uint16_t auth = 0) const {
    return std::string{5, 0, static_cast<char>(type), static_cast<char>(flags), static_cast<char>(little ? 0x10 : 0), 0, 0, 0} + number(16 + body.size(), 2) +
           number(auth, 2) + number(1, 4) + body;
  }
  /// 367abb81-9844-35f1-ad32-98f038001003 with another first field.
  std::string context(std::uint16_t id, std::uint32_t first) const {
    return number(id, 2) + std::string{1, 0} + number(first, 4) + number(0x9844, 2) + number(0x35f1, 2) + "\xad\x32\x98\xf0\x38" +
           std::string{0, 0x10, 0x03} + number(2, 4) + std::string(20, 'n');
  }
  std::string bind(std::initializer_list<std::string> contexts, std::uint8_t type = kBind) const {
    std::string body = number(4280, 2) + number(4280, 2) + number(0, 4) + static_cast<char>(contexts.size()) + std::string(3, '\0');
    for (const std::string& c : contexts) body += c;
    return unit(type, 3, body);
  }
  std::string request(std::uint16_t context_id, std::uint16_t opnum, std::uint8_t flags = 3) const {
    return unit(kRequest, flags, number(100, 4) + number(context_id, 2) + number(opnum, 2) + std::string(100, 's'));
  }
};
constexpr std::uint32_t kSvcctl = 0x367abb81;

TEST(Dcerpc, BindNamesTheInterfaceAndRequestsTheOperation) {
  for (const bool little : {true, false}) {
    const Order o{little};
    Dialogue d(kDcerpc);
    d.client(o.bind({o.context(0, kSvcctl)}));
    EXPECT_EQ(d.facts(), "dcerpc.interface=svcctl");
    d.server(o.unit(kBindAck, 3, std::string(44, 'a'))).client(o.request(0, 12));
    EXPECT_EQ(d.facts(), "dcerpc.interface=svcctl dcerpc.opnum=12");
    EXPECT_FALSE(d.said("flaw"));
  }
}

TEST(Dcerpc, UnknownInterfacesAreTheirUuid) {
  const Order o;
  Dialogue d(kDcerpc);
  d.client(o.bind({o.context(0, 0xdeadbeef), o.context(1, kSvcctl)}));
  EXPECT_EQ(d.facts(), "dcerpc.interface=deadbeef-9844-35f1-ad32-98f038001003 dcerpc.interface=svcctl");
  d.client(o.request(0, 3));
  EXPECT_EQ(d.facts(), "dcerpc.interface=deadbeef-9844-35f1-ad32-98f038001003 dcerpc.opnum=3");
}

TEST(Dcerpc, AlterContextBindsMore) {
  const Order o;
  Dialogue d(kDcerpc);
  d.client(o.bind({o.context(0, 1)})).client(o.bind({o.context(1, kSvcctl)}, kAlter)).client(o.request(1, 0));
  EXPECT_EQ(d.facts(), "dcerpc.interface=svcctl dcerpc.opnum=0");
}

TEST(Dcerpc, OnlyFirstFragmentsAreDescribed) {
  const Order o;
  Dialogue d(kDcerpc);
  d.client(o.bind({o.context(0, kSvcctl)})).client(o.request(0, 1, 1)).client(o.request(0, 1, 0)).client(o.request(0, 1, 2));
  EXPECT_EQ(std::count_if(d.log().begin(), d.log().end(), [](const std::string& l) { return l.starts_with("described"); }), 2);
}

TEST(Dcerpc, ContextsNotSeenBoundAreHidden) {
  Dialogue d(kDcerpc);
  d.client(Order{}.request(5, 12));
  EXPECT_EQ(d.facts(), "dcerpc.interface=hidden dcerpc.opnum=12");
}

TEST(Dcerpc, LengthsMustCoverWhatTheyHold) {
  const Order o;
  Dialogue shorter(kDcerpc);
  shorter.client(o.unit(kBind, 3, std::string(8, '\0') + '\3' + std::string(3, '\0')));  // Three contexts, none there.
  EXPECT_TRUE(shorter.said("flaw bad-length"));
  Dialogue auth(kDcerpc);
  auth.client(o.unit(kBind, 3, std::string(12, '\0'), 200));  // A token longer than the unit.
  EXPECT_TRUE(auth.said("flaw bad-message"));
  EXPECT_TRUE(auth.done());
}

TEST(Dcerpc, HeaderIsTheLeastEvidence) {
  const Order o;
  const std::string bind = o.bind({o.context(0, kSvcctl)}), ack = o.unit(kBindAck, 3, std::string(44, 'a'));
  const std::string odd = std::string(bind).replace(6, 1, "x");
  struct Case {
    std::string_view client, server;
    Match match;
  };
  const Case cases[] = {
      {bind, "", Match::Yes},        {std::string_view(bind).substr(0, 15), "", Match::Maybe}, {"", ack, Match::Yes}, {ack, "", Match::No},
      {"\x05\x01", "", Match::Maybe},  // SOCKS 5 begins so; its third byte …
      {{"\x05\x01\x00", 3}, "", Match::Maybe},  // … may be a request's type: only the header's end decides.
      {odd, "", Match::No},          {"\x05\x02", "", Match::No},  {"GET", "", Match::No},
  };
  for (const Case& c : cases) EXPECT_EQ(identify({.client = as_bytes(c.client), .server = as_bytes(c.server)}), c.match) << c.client;
}

TEST(Dcerpc, TheCutDoesNotMatter) {
  const Order o;
  const std::string client = o.bind({o.context(0, kSvcctl), o.context(1, 7)}) + o.request(1, 2) + o.request(0, 3);
  Dialogue whole(kDcerpc), drip(kDcerpc);
  whole.client(client);
  drip.drip(Side::Client, client);
  EXPECT_EQ(whole.outcome(), drip.outcome());
}

}  // namespace
}  // namespace weir::proto::dcerpc
