// SPDX-License-Identifier: Apache-2.0
#include "proto/tls/tls.h"

#include <gtest/gtest.h>

#include "proto/tls/certificate.h"
#include "proto/tls/fingerprint.h"
#include "tests/kit/dialogue.h"
#include "tests/kit/tls.h"

namespace weir::proto::tls {
namespace {

using namespace std::string_literals;
using namespace kit::tls;
using kit::be;
using kit::Dialogue;
using kit::sized;

ClientHelloText modern() {
  ClientHelloText hello;
  hello.sni("www.example.com").alpn({"h2", "http/1.1"}).versions({0x0a0a, 0x0304, 0x0303});
  return hello;
}
std::string names(const Dialogue& d) {
  std::string out;
  for (std::string_view key : {"tls.sni=", "tls.version=", "tls.version_offered=", "tls.alpn=", "tls.ech=", "server.name="}) {
    std::string all = d.facts();
    for (std::size_t at = all.find(key); at != std::string::npos; at = all.find(key, at + 1)) {
      if (!out.empty()) out += ' ';
      out += all.substr(at, all.find(' ', at) - at);
    }
  }
  return out;
}

Match client(std::string_view bytes) { return identify({.client = as_bytes(bytes), .server = {}}); }
Match server(std::string_view bytes) { return identify({.client = {}, .server = as_bytes(bytes), .server_first = true}); }
Match middle(std::string_view bytes) { return identify({.client = as_bytes(bytes), .server = {}, .roles_unsure = true}); }

TEST(TlsIdentify, ClientHelloIsToldByElevenBytes) {
  const std::string hello = modern().text();
  EXPECT_EQ(client(hello), Match::Yes);
  EXPECT_EQ(client(hello.substr(0, 11)), Match::Yes);
  for (std::size_t n = 0; n < 11; ++n) EXPECT_EQ(client(hello.substr(0, n)), Match::Maybe) << n;
}

TEST(TlsIdentify, AnyWrongByteOfTheHeadIsNo) {
  const std::string hello = modern().text();
  for (std::size_t at : {0, 1, 5, 6, 9}) {
    std::string wrong = hello;
    wrong[at] = '\x7e';
    EXPECT_EQ(client(wrong), Match::No) << at;
  }
  EXPECT_EQ(client("GET / HTTP/1.1\r\n"), Match::No);
  EXPECT_EQ(client(handshake(2, server_hello(0x0303))), Match::No) << "a server's hello from the client";
}

TEST(TlsIdentify, HelloInTinyRecords) {
  std::string split;
  for (char c : modern().message()) split += record(22, std::string(1, c), 0x0301);
  EXPECT_EQ(client(split), Match::Yes);
  EXPECT_EQ(client(split.substr(0, 20)), Match::Maybe);
}

TEST(TlsIdentify, ServerSpeaksFirstWhereTheClientIsMissing) {
  EXPECT_EQ(server(handshake(2, server_hello(0x0303))), Match::Yes);
  EXPECT_EQ(server(alert(true, 40)), Match::Yes);
  EXPECT_EQ(server("220 mail.example.com ESMTP\r\n"), Match::No);
}

TEST(TlsIdentify, MiddleIsTwoRecordsOrOneThatEndsWithTheBytes) {
  const std::string one = record(23, std::string(100, 'x'));
  EXPECT_EQ(middle(one.substr(0, 50)), Match::Maybe);
  EXPECT_EQ(middle(one), Match::Yes);
  EXPECT_EQ(middle(one + record(23, "y").substr(0, 5)), Match::Yes);
  EXPECT_EQ(middle(one + "garbage"), Match::No);
  EXPECT_EQ(middle(record(23, "x").substr(0, 3) + "\xff\xff"), Match::No) << "longer than a record may be";
}

std::string v2_hello(std::uint16_t version, std::uint16_t ciphers_bytes = 6, std::uint16_t challenge_bytes = 16) {
  const std::string body = be(1, 1) + be(version, 2) + be(ciphers_bytes, 2) + be(0, 2) + be(challenge_bytes, 2) + std::string(6, 'c') + std::string(16, 'h');
  return be(0x8000 | body.size(), 2) + body;
}

TEST(TlsIdentify, Version2HelloOnlyIfAllLengthsAgree) {
  EXPECT_EQ(client(v2_hello(2)), Match::Yes);
  EXPECT_EQ(client(v2_hello(0x0301)), Match::Yes);
  EXPECT_EQ(client(v2_hello(2, 7)), Match::No);
  EXPECT_EQ(client(v2_hello(2, 6, 17)), Match::No);
  EXPECT_EQ(client(v2_hello(0x0204)), Match::No);
}

TEST(Tls, ClientHelloGivesNamesAtOnce) {
  Dialogue d(kTls);
  d.client(modern().text());
  EXPECT_EQ(names(d), "tls.sni=www.example.com tls.version_offered=1.3 tls.alpn=h2 tls.alpn=http/1.1 tls.ech=false server.name=www.example.com");
  EXPECT_EQ(d.state_of(field::kTlsVersion), FactState::NotYet);
}

TEST(Tls, ServerChoosesTheVersion) {
  struct Row { std::uint16_t chosen; const char* version; };
  for (const Row& row : {Row{0x0300, "ssl3"}, {0x0301, "1.0"}, {0x0302, "1.1"}, {0x0303, "1.2"}, {0x0304, "1.3"}, {0x7f1c, "1.3"}}) {
    Dialogue d(kTls);
    d.client(modern().text()).server(handshake(2, server_hello(row.chosen)));
    EXPECT_TRUE(names(d).find("tls.version="s + row.version + " ") != std::string::npos) << d.facts();
  }
}

TEST(Tls, OldOfferIsCertainWithTheClientsHello) {
  ClientHelloText old;
  old.version = 0x0301;
  Dialogue d(kTls);
  d.client(old.text());
  EXPECT_EQ(names(d), "tls.version=1.0 tls.version_offered=1.0 tls.ech=false");
}

TEST(Tls, RefusedHelloLeavesTheOffer) {
  Dialogue d(kTls);
  d.client(modern().text()).server(alert(true, 70));
  EXPECT_NE(d.facts().find("tls.version=1.3"), std::string::npos);
  EXPECT_EQ(d.state_of(field::kTlsCertSubject), FactState::Absent);
}

TEST(Tls, AnyCutGivesTheSame) {
  const std::string hello = modern().message();
  std::string records;  // three bytes a record, a warning between
  for (std::size_t at = 0; at < hello.size(); at += 3) {
    records += record(22, hello.substr(at, 3), 0x0301);
    if (at == 9) records += alert(false, 90);
  }
  const std::string answer = handshake(2, server_hello(0x0303)) + handshake(14, "");
  Dialogue whole(kTls), drops(kTls), plain(kTls);
  whole.client(records).server(answer);
  drops.drip(Side::Client, records).drip(Side::Server, answer);
  plain.client(modern().text()).server(answer);
  EXPECT_EQ(whole.outcome(), drops.outcome());
  EXPECT_EQ(names(whole), names(plain));
  EXPECT_NE(whole.facts().find("tls.sni=www.example.com"), std::string::npos);
}

TEST(Tls, NamesAreFoldedAndWithoutTheirLastDot) {
  struct Row { std::string sni, outcome; };
  for (const Row& row : {Row{"WWW.Example.COM.", "www.example.com"}, {"192.0.2.1", "192.0.2.1"}, {"2001:db8::1", "2001:db8::1"}}) {
    Dialogue d(kTls);
    d.client(ClientHelloText().sni(row.sni).text());
    EXPECT_NE(d.facts().find("tls.sni=" + row.outcome + " "), std::string::npos) << row.sni;
    EXPECT_FALSE(d.said("flaw"));
  }
  for (const std::string& bad : {"good.example\0.evil.example"s, ""s, "."s, std::string(300, 'a')}) {
    Dialogue d(kTls);
    d.client(ClientHelloText().sni(bad).text());
    EXPECT_TRUE(d.said("flaw bad-name")) << bad.size();
  }
}

TEST(Tls, EncryptedClientHelloIsSaid) {
  Dialogue d(kTls);
  d.client(modern().extension(0xfe0d, "payload").text());
  EXPECT_NE(d.facts().find("tls.ech=true"), std::string::npos);
  EXPECT_NE(d.facts().find("tls.sni=www.example.com"), std::string::npos) << "the outer name";
}

TEST(Tls, CertificateUpTo12) {
  const std::string leaf = certificate(rdn(6, "DE") + rdn(10, "Example, Inc.") + rdn(3, "www.example.com"), rdn(3, "Example CA"),
                                       der(0x82, "www.example.com") + der(0x82, "*.example.net") + der(0x87, "\xc0\x00\x02\x01"s));
  Dialogue d(kTls);
  d.client(modern().text()).server(handshake(2, server_hello(0x0303)) + handshake(11, certificate_body(leaf)) + handshake(14, ""));
  EXPECT_NE(d.facts().find("tls.cert.subject=CN=www.example.com,O=Example\\, Inc.,C=DE tls.cert.issuer=CN=Example CA "
                           "tls.cert.san=www.example.com tls.cert.san=*.example.net tls.cert.san=192.0.2.1"), std::string::npos) << d.facts();
}

TEST(Tls, CertificateOf13IsHidden) {
  Dialogue d(kTls);
  d.client(modern().text()).server(handshake(2, server_hello(0x0304)) + change_cipher());
  for (const FieldId f : {field::kTlsCertSubject, field::kTlsCertIssuer, field::kTlsCertSan}) EXPECT_EQ(d.state_of(f), FactState::Hidden);
}

TEST(Tls, ResumptionHasNoCertificate) {
  Dialogue d(kTls);
  d.client(modern().text()).server(handshake(2, server_hello(0x0303)) + change_cipher());
  EXPECT_EQ(d.state_of(field::kTlsCertSubject), FactState::Absent);
}

TEST(Tls, BrokenCertificateIsHiddenWithAFlaw) {
  Dialogue d(kTls);
  d.client(modern().text()).server(handshake(2, server_hello(0x0303)) + handshake(11, certificate_body("0\x84\xff\xff\xff\xff")));
  EXPECT_TRUE(d.said("flaw bad-encoding"));
  EXPECT_EQ(d.state_of(field::kTlsCertSubject), FactState::Hidden);
}

TEST(Tls, HeartbeatThatAsksForMore) {
  struct Row { std::string body; bool flaw; };
  for (const Row& row : {Row{"\x01"s + sized("ping", 2) + std::string(16, 'p'), false}, {"\x01\x40\x00"s, true}, {"\x01\x00"s, true},
                         {"\x01\x00\x05"s + "ping", true}}) {
    Dialogue d(kTls);
    d.client(modern().text()).server(handshake(2, server_hello(0x0302)) + handshake(14, "")).client(record(24, row.body, 0x0302));
    EXPECT_EQ(d.said("flaw bad-heartbeat"), row.flaw);
    EXPECT_NE(d.facts().find("tls.record=heartbeat"), std::string::npos);
  }
}

TEST(Tls, EncryptedHeartbeatIsNotJudged) {
  Dialogue d(kTls);
  d.client(modern().text() + change_cipher() + record(24, "\x99\xff\xff"));
  EXPECT_FALSE(d.said("flaw"));
}

TEST(Tls, MalformedHellosAreFlaws) {
  std::string longer = modern().body();
  longer += "x";
  Dialogue d(kTls);
  d.client(handshake(1, longer));
  EXPECT_TRUE(d.said("flaw bad-length"));
  EXPECT_NE(d.facts().find("tls.sni=www.example.com"), std::string::npos) << "what can be read is read";

  Dialogue cut(kTls);
  cut.client(handshake(1, modern().body().substr(0, 40)));
  EXPECT_TRUE(cut.said("flaw bad-length"));
  EXPECT_EQ(cut.state_of(field::kTlsSni), FactState::Hidden);

  Dialogue twice(kTls);
  twice.client(modern().sni("other.example").text());
  EXPECT_TRUE(twice.said("flaw bad-message"));
  EXPECT_NE(twice.facts().find("tls.sni=www.example.com"), std::string::npos);
}

TEST(Tls, PlainAnswerIsAFlaw) {
  Dialogue d(kTls);
  d.client(modern().text()).server("HTTP/1.1 400 Bad Request\r\n\r\n");
  EXPECT_TRUE(d.said("flaw bad-message"));
  EXPECT_TRUE(d.done());
  EXPECT_NE(d.facts().find("tls.version=1.3"), std::string::npos) << "no choice: the offer counts";
}

TEST(Tls, MiddleHidesWhatTheHelloSaid) {
  Dialogue d(kTls);
  d.client(record(23, "xxxx"));
  EXPECT_EQ(d.state_of(field::kTlsSni), FactState::Hidden);
  d.server(record(23, "yyyy"));
  EXPECT_EQ(d.state_of(field::kTlsVersion), FactState::Hidden);
  EXPECT_EQ(d.state_of(field::kTlsCertSubject), FactState::Hidden);
}

TEST(Tls, Version2) {
  Dialogue d(kTls);
  d.drip(Side::Client, v2_hello(2));
  EXPECT_EQ(names(d), "tls.version=ssl2 tls.version_offered=ssl2");
  EXPECT_TRUE(d.done());
  Dialogue newer(kTls);
  newer.client(v2_hello(0x0303)).server(handshake(2, server_hello(0x0301)));
  EXPECT_EQ(names(newer), "tls.version=1.0 tls.version_offered=1.2");
}

TEST(Tls, HelloBeyondTheBudgetIsHidden) {
  Dialogue d(kTls);
  d.client(record(22, "\x01\x01\x00\x00"s + std::string(4000, 'x'))).client(record(22, std::string(16000, 'x')));
  EXPECT_TRUE(d.said("flaw too-large"));
  EXPECT_EQ(d.state_of(field::kTlsSni), FactState::Hidden);
}

TEST(Tls, LargeHelloInManyRecordsIsRead) {
  std::string hello = modern().extension(21, std::string(60000, '\0')).message(), records;
  for (std::size_t at = 0; at < hello.size(); at += 16384) records += record(22, hello.substr(at, 16384));
  Dialogue d(kTls);
  d.client(records);
  EXPECT_NE(d.facts().find("tls.sni=www.example.com"), std::string::npos);
}

TEST(Tls, DnsInsideIsNamedByAlpnOrPort) {
  Dialogue alpn(kTls);
  alpn.client(ClientHelloText().alpn({"dot"}).text());
  EXPECT_TRUE(alpn.said("refine dot"));
  FlowEnds ends = Dialogue::default_ends();
  ends.server_port = 853;
  Dialogue port(kTls, ends);
  port.client(modern().text());
  EXPECT_TRUE(port.said("refine dot"));
  Dialogue web(kTls);
  web.client(modern().text());
  EXPECT_FALSE(web.said("refine"));
  EXPECT_TRUE(web.said("no-extend"));
}

// The example of the authors' own description of JA4: Chrome, with GREASE added here.
TEST(Ja4, ExampleOfItsDescription) {
  ClientHelloText text;
  text.ciphers = {0x1a1a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035};
  text.extension(0x2a2a, "").extension(0x001b, "").sni("example.com").extension(0x0033, "").alpn({"h2", "http/1.1"});
  text.extension(0x4469, "").extension(0x0017, "").extension(0x002d, "");
  text.signatures({0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601});
  text.extension(0x0005, "").extension(0x0023, "").extension(0x0012, "").versions({0x3a3a, 0x0304, 0x0303});
  text.extension(0xff01, "").point_formats(std::string(1, '\0')).groups({0x4a4a, 29, 23, 24}).extension(0x0015, "");
  const std::string body = text.body();
  ClientHello hello;
  EXPECT_FALSE(parse_client_hello(as_bytes(body), Carrier::Stream, hello));
  std::array<char, kJa4Bytes> out;
  EXPECT_EQ(ja4(hello, Carrier::Stream, out), "t13d1516h2_8daaf6152771_e5627efa2ab1");
  EXPECT_EQ(ja4(hello, Carrier::Quic, out).front(), 'q');
}

TEST(Ja4, NothingGivesZeros) {
  ClientHelloText text;
  text.version = 0x0301;
  text.ciphers = {};
  const std::string body = text.body();
  ClientHello hello;
  parse_client_hello(as_bytes(body), Carrier::Stream, hello);
  std::array<char, kJa4Bytes> out;
  EXPECT_EQ(ja4(hello, Carrier::Stream, out), "t10i000000_000000000000_000000000000");
}

TEST(Ja4, NameThatIsNotAlphanumericIsWrittenInHex) {
  struct Row { std::string name, two; };
  for (const Row& row : {Row{"\xab", "ab"}, {"\xab\xcd", "ad"}, {"0\xab", "3b"}, {"01\xab\xcd", "3d"}, {"0\xab\xcd""1", "01"}, {"h", "hh"}, {"", "00"}}) {
    const std::string body = ClientHelloText().alpn({row.name}).body();
    ClientHello hello;
    parse_client_hello(as_bytes(body), Carrier::Stream, hello);
    std::array<char, kJa4Bytes> out;
    EXPECT_EQ(ja4(hello, Carrier::Stream, out).substr(8, 2), row.two);
  }
}

// The example of JA3's own description: 769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0
TEST(Ja3, ExampleOfItsDescription) {
  ClientHelloText text;
  text.version = 769;
  text.ciphers = {47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4};
  text.sni("example.com").groups({23, 24, 25}).point_formats(std::string(1, '\0'));
  const std::string body = text.body();
  ClientHello hello;
  parse_client_hello(as_bytes(body), Carrier::Stream, hello);
  std::array<char, kJa3Bytes> out;
  EXPECT_EQ(ja3(hello, out), "ada70206e40642a3e4461f35503241d5");
}

TEST(CertificateName, EscapesAsRfc4514Says) {
  struct Row { std::string value, text; };
  for (const Row& row : {Row{"a,b+c\"d\\e<f>g;h", "CN=a\\,b\\+c\\\"d\\\\e\\<f\\>g\\;h"}, {" x ", "CN=\\ x\\ "}, {"#1", "CN=\\#1"}, {"a\0b"s, "CN=a\\00b"},
                         {"a#b", "CN=a#b"}}) {
    std::array<char, 128> memory;
    EXPECT_EQ(render_name(as_bytes(rdn(3, row.value)), memory), row.text);
  }
  std::array<char, 128> memory;
  const std::string unknown = der(0x31, der(0x30, der(6, "\x2a\x03\x04") + der(0x0c, "x")));
  EXPECT_EQ(render_name(as_bytes(unknown), memory), "1.2.3.4=#0c0178");
  std::array<char, 4> small;
  EXPECT_EQ(render_name(as_bytes(rdn(3, "example")), small).data(), nullptr);
}

}  // namespace
}  // namespace weir::proto::tls
