// SPDX-License-Identifier: Apache-2.0
#include "proto/snmp/snmp.h"

#include <gtest/gtest.h>

#include "proto/ber.h"
#include "tests/kit/dialogue.h"

namespace weir::proto::snmp {
namespace {

using kit::Dialogue;

std::string tlv(unsigned tag, const std::string& content) {
  std::string out(1, static_cast<char>(tag));
  if (content.size() >= 128) out += '\x82', out += static_cast<char>(content.size() >> 8);
  return out + static_cast<char>(content.size()) + content;
}
std::string integer(int v) { return tlv(2, std::string(1, static_cast<char>(v))); }
std::string octets(const std::string& v) { return tlv(4, v); }
std::string sequence(const std::string& v) { return tlv(0x30, v); }

const std::string kSysDescr("\x2b\x06\x01\x02\x01\x01\x01\x00", 8);  // 1.3.6.1.2.1.1.1.0
std::string binding(const std::string& oid) { return sequence(tlv(6, oid) + tlv(5, "")); }
std::string pdu(unsigned tag, const std::string& bindings) { return tlv(tag, integer(9) + integer(0) + integer(0) + sequence(bindings)); }
std::string v2c(unsigned tag, const std::string& bindings) { return sequence(integer(1) + octets("public") + pdu(tag, bindings)); }
std::string v3(char flags, const std::string& user, const std::string& scoped) {
  return sequence(integer(3) + sequence(integer(7) + integer(100) + octets({flags}) + integer(3)) +
                  octets(sequence(octets("engine") + integer(1) + integer(1) + octets(user) + octets("") + octets(""))) + scoped);
}

Match match(std::string_view m) { return kSnmp.identify({.client = as_bytes(m), .ip_protocol = 17}); }
std::string outcome(const std::string& m) { return Dialogue(kSnmp).datagram(Side::Client, m).outcome(); }
bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST(Snmp, CommunityIsAnAccount) {
  const std::string o = outcome(v2c(0xa0, binding(kSysDescr)));
  EXPECT_TRUE(has(o, "end snmp.version=2c snmp.pdu=get snmp.community=public snmp.oid=1.3.6.1.2.1.1.1.0 auth.user=public auth.scheme=community")) << o;
  EXPECT_FALSE(has(outcome(v2c(0xa2, binding(kSysDescr))), "auth.user")) << "an answer uses none";
}

TEST(Snmp, AnswerIsKeyedByRequestId) {
  EXPECT_TRUE(has(outcome(v2c(0xa5, "")), "begin key=9\n"));
  EXPECT_TRUE(has(outcome(v2c(0xa2, "")), "begin key=9 answer\n"));
  EXPECT_TRUE(is_answer(as_bytes(v2c(0xa2, ""))));
}

TEST(Snmp, TrapOfVersionOneIsATrap) {
  const std::string trap = sequence(integer(0) + octets("public") +
                                    tlv(0xa4, tlv(6, "\x2b\x06\x01\x04\x01\x09") + tlv(0x40, "\xc0\x0a\x02\x01") + integer(6) + integer(1) + tlv(0x43, "\x01") +
                                                  sequence(binding(kSysDescr))));
  const std::string o = outcome(trap);
  EXPECT_TRUE(has(o, "snmp.version=1 snmp.pdu=trap")) << o;
  EXPECT_TRUE(has(o, "snmp.oid=1.3.6.1.4.1.9 snmp.oid=1.3.6.1.2.1.1.1.0"));
}

TEST(Snmp, VersionThreeTellsItsUserAndHidesWhatIsEncrypted) {
  const std::string open = outcome(v3(4, "alice", sequence(octets("e") + octets("") + pdu(0xa1, binding(kSysDescr)))));
  EXPECT_TRUE(has(open, "end snmp.version=3 snmp.pdu=getnext snmp.user=alice snmp.oid=1.3.6.1.2.1.1.1.0 auth.user=alice auth.scheme=usm")) << open;
  const std::string closed = outcome(v3(7, "alice", octets("secret")));
  EXPECT_TRUE(has(closed, "snmp.pdu=hidden snmp.user=alice snmp.oid=hidden")) << closed;
  EXPECT_FALSE(has(outcome(v3(4, "", sequence(octets("e") + octets("") + pdu(0xa0, "")))), "auth.user")) << "discovery";
}

TEST(Snmp, MalformedEncodingIsAFlaw) {
  std::string indefinite = v2c(0xa0, binding(kSysDescr));
  indefinite[1] = '\x80';
  EXPECT_TRUE(has(outcome(indefinite), "flaw bad-encoding"));
  EXPECT_TRUE(has(outcome(sequence(integer(1) + octets("public") + tlv(0xa0, integer(9) + integer(0) + integer(0) + tlv(4, "x")))), "flaw bad-encoding"));
  const std::string good = v2c(0xa0, binding(kSysDescr));
  EXPECT_TRUE(has(outcome(good.substr(0, good.size() - 3)), "flaw truncated"));
  EXPECT_TRUE(has(outcome(v2c(0xa0, binding("\x2b\x86"))), "flaw bad-encoding")) << "an OID that ends inside a number";
}

TEST(Snmp, MoreObjectsThanTheBudgetAreHidden) {
  std::string many;
  for (int i = 0; i < 65; ++i) many += binding(kSysDescr);
  EXPECT_TRUE(has(outcome(v2c(0xa0, many)), "snmp.oid=hidden"));
}

TEST(SnmpIdentify, ByItsEnvelope) {
  EXPECT_EQ(match(v2c(0xa0, "")), Match::Yes);
  EXPECT_EQ(match(v3(4, "alice", octets("secret"))), Match::Yes);
  EXPECT_EQ(match(sequence(integer(2) + octets("public") + pdu(0xa0, ""))), Match::No) << "no such version";
  EXPECT_EQ(match(sequence(integer(1) + tlv(0x60, "bind"))), Match::No) << "LDAP";
  EXPECT_EQ(match(sequence(integer(1) + octets("public") + tlv(0xa9, ""))), Match::No);
  EXPECT_EQ(match("0"), Match::No);
}

TEST(Ber, LengthsMayBeLongButNotEndless) {
  EXPECT_EQ(as_text(BerReader(as_bytes(std::string_view("\x04\x84\0\0\0\x02hi", 8))).next(ber::kOctetString)), "hi") << "longer than need be, as some write it";
  BerReader cut(as_bytes("\x04\x05hi"));
  cut.next();
  EXPECT_EQ(cut.status(), BerStatus::Cut);
  for (const std::string_view bad : {std::string_view("\x30\x80\0\0", 4), std::string_view("\x04\x85\0\0\0\0\1x"), std::string_view("\x1f\x21\0", 3)}) {
    BerReader in(as_bytes(bad));
    in.next();
    EXPECT_EQ(in.status(), BerStatus::Bad);
  }
  EXPECT_EQ(BerReader(as_bytes("\x02\x02\xff\x7f")).integer(), -129);
}

TEST(Ber, ObjectIdentifiersAreDotted) {
  constexpr struct {
    std::string_view content, text;
  } kCases[] = {{"\x2b\x06\x01", "1.3.6.1"}, {"\x88\x37", "2.999"}, {"\x27", "0.39"}, {"\x2b\x86\x48", "1.3.840"}, {"\x2b\x86", ""}, {"", ""}};
  for (const auto& c : kCases) {
    char out[64];
    EXPECT_EQ(std::string_view(out, write_oid(as_bytes(c.content), out)), c.text);
  }
}

}  // namespace
}  // namespace weir::proto::snmp
