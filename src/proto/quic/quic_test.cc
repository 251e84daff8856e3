// SPDX-License-Identifier: Apache-2.0
#include "proto/quic/quic.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "proto/quic/google.h"
#include "tests/kit/dialogue.h"
#include "tests/kit/quic.h"

namespace weir::proto::quic {
namespace {

using namespace std::string_literals;
using kit::be;
using kit::Dialogue;
using kit::quic::crypto;
using kit::quic::Initial;
using kit::quic::varint;
using kit::sized;
using kit::tls::ClientHelloText;

std::string hex_of(std::string_view text) { return hex(as_bytes(text)); }
std::string from_hex(std::string_view digits) {
  std::string out;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) out += static_cast<char>(hex_value(digits[i]) << 4 | hex_value(digits[i + 1]));
  return out;
}

std::string hello() {
  return ClientHelloText().sni("www.example.com").alpn({"h3"}).versions({0x0304}).message();
}
Match identify_client(std::string_view bytes) { return identify({.client = as_bytes(bytes), .server = {}, .ip_protocol = 17}); }
Match identify_server(std::string_view bytes) { return identify({.client = {}, .server = as_bytes(bytes), .ip_protocol = 17, .server_first = true}); }
bool has(const Dialogue& d, std::string_view fact) { return (d.facts() + " ").find(std::string(fact) + " ") != std::string::npos; }

// The CRYPTO frame of RFC 9001 appendix A.2: a hello to example.com that offers "alpn".
const std::string kSampleFrame = from_hex(
    "060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c00000413011302010000c000000010000e00000b6578616d"
    "706c652e636f6dff01000100000a00080006001d0017001800100007000504616c706e000500050100000000003300260024001d00209370b2c9caa47fbabaf4559f"
    "edba753de171fa71f50f1ce15d43e994ec74d748002b0003020304000d0010000e0403050306030203080408050806002d00020101001c0002400100390032"
    "0408ffffffffffffffff05048000ffff07048000ffff0801100104800075300901100f088394c8f03e51570806048000ffff");

TEST(QuicKeys, Rfc9001AppendixA1) {
  const std::string dcid = from_hex("8394c8f03e515708");
  const Keys client = derive_keys(version_of(1), as_bytes(dcid), Side::Client);
  EXPECT_EQ(hex(client.key), "1f369613dd76d5467730efcbe3b1a22d");
  EXPECT_EQ(hex(client.iv), "fa044b2f42a3fd3b46fb255c");
  EXPECT_EQ(hex(client.header), "9f50449e04a0e810283a1e9933adedd2");
  const Keys server = derive_keys(version_of(1), as_bytes(dcid), Side::Server);
  EXPECT_EQ(hex(server.key), "cf3a5331653c364c88f0f379b6067e37");
  EXPECT_EQ(hex(server.iv), "0ac1493ca1905853b0bba03e");
  EXPECT_EQ(hex(server.header), "c206b8d9b9f0f37644430b490eeaa314");
}

TEST(QuicKeys, Rfc9369AppendixA1) {
  const std::string dcid = from_hex("8394c8f03e515708");
  const Keys client = derive_keys(version_of(0x6b3343cf), as_bytes(dcid), Side::Client);
  EXPECT_EQ(hex(client.key), "8b1a0bc121284290a29e0971b5cd045d");
  EXPECT_EQ(hex(client.iv), "91f73e2351d8fa91660e909f");
  EXPECT_EQ(hex(client.header), "45b95e15235d6f45a6b19cbcb0294ba9");
}

// Appendix A.2 of both: the packet is made from the frame, and must begin and end as printed there.
TEST(QuicPacket, SampleInitialsOfBothRfcs) {
  struct Row { std::uint32_t version; const char *begin, *end; };
  for (const Row& row : {Row{1, "c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11", "e221af44860018ab0856972e194cd934"},
                         {0x6b3343cf, "d76b3343cf088394c8f03e5157080000449ea0c95e82ffe67b6abcdb4298b485", ""}}) {
    Initial initial;
    initial.version = row.version;
    const std::string packet = initial.seal(kSampleFrame);
    EXPECT_EQ(hex_of(packet).substr(0, 64), row.begin);
    EXPECT_TRUE(hex_of(packet).ends_with(row.end));
    EXPECT_EQ(packet.size(), 1200U);
    EXPECT_EQ(identify_client(packet), Match::Yes);
    Dialogue d(kQuic);
    d.datagram(Side::Client, packet);
    EXPECT_TRUE(has(d, "tls.sni=example.com") && has(d, "tls.alpn=alpn") && has(d, "tls.version=1.3") && has(d, "server.name=example.com")) << d.facts();
    EXPECT_TRUE(has(d, row.version == 1 ? "quic.version=1" : "quic.version=2"));
    EXPECT_NE(d.facts().find("tls.ja4=q13d0211an_"), std::string::npos) << d.facts();
    EXPECT_TRUE(d.done());
  }
}

TEST(QuicIdentify, LongHeaders) {
  const std::string good = Initial().seal(crypto(0, hello()));
  EXPECT_EQ(identify_client(good.substr(0, 1024)), Match::Yes) << "identify may be shown the beginning only";
  EXPECT_EQ(identify_client(good.substr(0, 600)), Match::No) << "a client pads to 1200 bytes";
  std::string wrong = good;
  wrong[4] = 99;
  EXPECT_EQ(identify_client(wrong), Match::No) << "a version that nobody knows";
  wrong = good;
  wrong[5] = 21;
  EXPECT_EQ(identify_client(wrong), Match::No) << "a connection id longer than 20";
  wrong = good;
  wrong[0] = static_cast<char>(wrong[0] & ~0x40);
  EXPECT_EQ(identify_client(wrong), Match::No) << "the fixed bit";
  EXPECT_EQ(identify_client("\x40 some bytes"), Match::No);
  EXPECT_EQ(identify({.client = as_bytes(good), .server = {}}), Match::No) << "over TCP";
}

TEST(QuicIdentify, ServersAnswers) {
  const std::string ids = sized("client", 1) + sized("server", 1);
  const std::string negotiation = "\x80"s + be(0, 4) + ids + be(0x1a2a3a4a, 4) + be(1, 4);
  EXPECT_EQ(identify_server(negotiation), Match::Yes);
  EXPECT_EQ(identify_client(negotiation), Match::No);
  EXPECT_EQ(identify_server(negotiation.substr(0, negotiation.size() - 1)), Match::No);
  EXPECT_EQ(identify_server("\x80"s + be(0, 4) + ids + be(0x12345678, 4)), Match::No);
  const std::string retry = "\xf0"s + be(1, 4) + ids + "token" + std::string(16, 't');
  EXPECT_EQ(identify_server(retry), Match::Yes);
  EXPECT_TRUE(is_answer(as_bytes(retry)) && is_answer(as_bytes(negotiation)));
  EXPECT_FALSE(is_answer(as_bytes(Initial().seal(""))));
}

TEST(QuicIdentify, GreasedVersionThatForcesNegotiation) {
  std::string packet = "\xc0"s + be(0x1a2a3a4a, 4) + sized("12345678", 1) + sized("", 1);
  packet.resize(1200);
  EXPECT_EQ(identify_client(packet), Match::Yes);
  EXPECT_EQ(identify_client(packet.substr(0, 500)), Match::No);
}

TEST(Quic, HelloOverDatagramsInAnyOrder) {
  const std::string all = hello();
  const std::string a = Initial().seal(crypto(0, all.substr(0, 40)) + "\x01" + crypto(30, all.substr(30, 20)));
  const std::string b = Initial{.number = 3}.seal(crypto(70, all.substr(70)) + crypto(45, all.substr(45, 30)));
  for (const bool turned : {false, true}) {
    Dialogue d(kQuic);
    d.datagram(Side::Client, turned ? b : a);
    EXPECT_FALSE(d.done());
    d.datagram(Side::Client, turned ? a : b);
    EXPECT_TRUE(d.done());
    EXPECT_TRUE(has(d, "tls.sni=www.example.com")) << d.facts();
    EXPECT_FALSE(d.said("flaw"));
  }
}

TEST(Quic, ManySmallPiecesBackwards) {
  const std::string all = hello();
  std::string frames;
  for (std::size_t at = all.size(); at-- > 0;) frames += crypto(at, all.substr(at, 1));
  Dialogue d(kQuic);
  d.datagram(Side::Client, Initial().seal(frames));
  EXPECT_TRUE(has(d, "tls.sni=www.example.com"));
}

TEST(Quic, TooManyHolesAreHidden) {
  const std::string all = ClientHelloText().sni("www.example.com").extension(21, std::string(300, 'x')).message();
  std::string frames;
  for (std::size_t at = 0; at < all.size(); at += 4) frames += crypto(at, all.substr(at, 1));
  Dialogue d(kQuic);
  d.datagram(Side::Client, Initial().seal(frames));
  EXPECT_EQ(d.state_of(field::kTlsSni), FactState::Hidden);
  EXPECT_TRUE(d.done());
}

TEST(Quic, BytesThatDifferAreAConflictAndTheFirstStay) {
  const std::string all = hello();
  std::string other = all;
  const std::size_t at = other.find("www");
  other.replace(at, 3, "xxx");
  Dialogue d(kQuic);
  d.datagram(Side::Client, Initial().seal(crypto(0, all.substr(0, at + 10))));
  d.datagram(Side::Client, Initial{.number = 3}.seal(crypto(at, other.substr(at))));
  EXPECT_TRUE(d.said("flaw conflict"));
  EXPECT_TRUE(has(d, "tls.sni=www.example.com"));
}

TEST(Quic, CoalescedPackets) {
  const std::string all = hello();
  const std::string first = Initial{.payload_bytes = 100}.seal(crypto(60, all.substr(60)));
  const std::string zero_rtt = "\xd0"s + be(1, 4) + sized("\x83\x94\xc8\xf0\x3e\x51\x57\x08", 1) + sized("", 1) + varint(30) + std::string(30, 'z');
  Dialogue d(kQuic);
  d.datagram(Side::Client, first + zero_rtt + Initial{.number = 3, .number_bytes = 1}.seal("\x02\x05\x01\x00\x05"s + crypto(0, all.substr(0, 60))));
  EXPECT_TRUE(has(d, "tls.sni=www.example.com")) << d.facts();
}

TEST(Quic, RetryBringsNewKeys) {
  const std::string all = hello();
  Dialogue d(kQuic);
  d.datagram(Side::Client, Initial().seal(crypto(0, all.substr(0, 50))));
  d.datagram(Side::Server, "\xf0"s + be(1, 4) + sized("", 1) + sized("newserver", 1) + "token" + std::string(16, 't'));
  d.datagram(Side::Client, Initial{.dcid = "newserver", .token = "token"}.seal(crypto(0, all)));
  EXPECT_TRUE(has(d, "tls.sni=www.example.com")) << d.facts();
  EXPECT_TRUE(d.done());
}

TEST(Quic, ServersConnectionIdKeepsTheKeys) {
  const std::string all = hello();
  Dialogue d(kQuic);
  d.datagram(Side::Client, Initial().seal(crypto(0, all.substr(0, 50))));
  d.datagram(Side::Client, Initial{.dcid = "another", .keys_of = Initial().dcid, .number = 3}.seal(crypto(50, all.substr(50))));
  EXPECT_TRUE(has(d, "tls.sni=www.example.com")) << d.facts();
}

TEST(Quic, WrongKeysAreHiddenAndNoFlaw) {
  Dialogue d(kQuic);
  d.datagram(Side::Client, Initial{.keys_of = "elsewhere"}.seal(crypto(0, hello())));
  EXPECT_FALSE(d.said("flaw"));
  EXPECT_EQ(d.state_of(field::kTlsSni), FactState::Hidden);
  EXPECT_FALSE(d.done());
  d.datagram(Side::Client, Initial().seal(crypto(0, hello())));
  EXPECT_TRUE(has(d, "tls.sni=www.example.com")) << "a later one may open";
}

TEST(Quic, ForeignFramesAreFlaws) {
  struct Row { std::string frames, flaw; };
  for (const Row& row : {Row{"\x08stream", "bad-message"}, {"\x06\x00\x7f\xffx"s, "bad-length"}, {crypto(0, "\x02\x00\x00\x01x"s), "bad-message"},
                         {crypto(0, "\x01\xff\xff\xffx"s), "too-large"}, {crypto(80000, "x"), "too-large"}, {"\x40"s, "bad-length"}}) {
    Dialogue d(kQuic);
    d.datagram(Side::Client, Initial{.payload_bytes = 0}.seal(row.frames + (row.flaw == "bad-length" ? "" : std::string(30, '\0'))));
    EXPECT_TRUE(d.said("flaw " + row.flaw)) << d.outcome();  // a frame type cut in two must end, not spin
  }
}

TEST(Quic, MiddleHidesTheHello) {
  Dialogue d(kQuic);
  const std::string handshake = "\xe0"s + be(1, 4) + sized("server12", 1) + sized("", 1) + varint(40) + std::string(40, 'h');
  d.datagram(Side::Client, handshake);
  EXPECT_TRUE(d.done());
  EXPECT_EQ(d.state_of(field::kTlsSni), FactState::Hidden);
}

// CHLO with two tags: PAD (4 bytes) and SNI.
std::string chlo() {
  return "CHLO"s + "\x02\x00\x00\x00"s + "PAD\0\x04\x00\x00\x00"s + "SNI\0\x13\x00\x00\x00"s + "----" + "www.example.com";
}

TEST(Quic, GooglesOwn) {
  const std::string q043 = "\x0d"s + "12345678" + "Q043" + "\x01" + std::string(12, 'h') + "\xa0\x01\x04\x00" + chlo();
  EXPECT_EQ(identify_client(q043), Match::Yes);
  const std::string q046 = "\xc3Q046\x50"s + "12345678" + be(1, 4) + std::string(12, 'h') + chlo();
  EXPECT_EQ(identify_client(q046), Match::Yes);
  for (const std::string& packet : {q043, q046, Initial{.version = 0x51303530}.seal("\x06\x00" + chlo())}) {
    Dialogue d(kQuic);
    d.datagram(Side::Client, packet);
    EXPECT_TRUE(has(d, "quic.version=google") && has(d, "tls.sni=www.example.com")) << d.facts();
    EXPECT_EQ(d.state_of(field::kTlsJa4), FactState::Absent);
    EXPECT_TRUE(d.done());
  }
}

TEST(Quic, DnsInsideIsNamed) {
  Dialogue d(kQuic);
  d.datagram(Side::Client, Initial().seal(crypto(0, ClientHelloText().alpn({"doq"}).message())));
  EXPECT_TRUE(d.said("refine doq"));
}

}  // namespace
}  // namespace weir::proto::quic
