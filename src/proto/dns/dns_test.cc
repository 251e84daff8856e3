// SPDX-License-Identifier: Apache-2.0
#include "proto/dns/dns.h"

#include <gtest/gtest.h>

#include "proto/dns/name.h"
#include "proto/dns/suffixes.h"
#include "tests/kit/dialogue.h"

namespace weir::proto::dns {
namespace {

using kit::Dialogue;

std::string be16(unsigned v) { return {static_cast<char>(v >> 8), static_cast<char>(v)}; }
std::string be32(std::uint32_t v) { return be16(v >> 16) + be16(v & 0xffff); }

// "www.example.com" on the wire.
std::string name(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t dot = std::min(text.find('.'), text.size());
    out += static_cast<char>(dot);
    out += text.substr(0, dot);
    text.remove_prefix(std::min(dot + 1, text.size()));
  }
  return out + '\0';
}
std::string pointer(unsigned offset) { return be16(0xc000 | offset); }
const std::string kToQuestion = pointer(12);

constexpr unsigned kA = 1, kCnameType = 5, kNull = 10, kPtr = 12, kTxt = 16, kAaaa = 28, kIn = 1;

std::string header(unsigned id, unsigned flags, unsigned qd, unsigned an, unsigned ns = 0, unsigned ar = 0) {
  return be16(id) + be16(flags) + be16(qd) + be16(an) + be16(ns) + be16(ar);
}
std::string question(std::string_view text, unsigned type = kA, unsigned klass = kIn) { return name(text) + be16(type) + be16(klass); }
std::string record(const std::string& owner, unsigned type, std::uint32_t ttl, const std::string& data, unsigned klass = kIn) {
  return owner + be16(type) + be16(klass) + be32(ttl) + be16(static_cast<unsigned>(data.size())) + data;
}
std::string a(const std::string& owner, std::string_view address, std::uint32_t ttl = 60) {
  return record(owner, kA, ttl, be32(parse_ip(address)->v4_value()));
}
std::string opt(unsigned bytes) { return std::string(1, '\0') + be16(41) + be16(bytes) + be32(0) + be16(0); }
std::string query(std::string_view text, unsigned type = kA, unsigned id = 0x1234) { return header(id, 0x0100, 1, 0) + question(text, type); }
std::string framed(const std::string& message) { return be16(static_cast<unsigned>(message.size())) + message; }

Evidence udp(std::string_view datagram, std::uint16_t server_port = 53, bool group = false, std::uint16_t client_port = 40000) {
  return {.client = as_bytes(datagram), .client_port = client_port, .server_port = server_port, .ip_protocol = 17, .group_destination = group};
}
std::string_view identified(const Evidence& e) {
  std::string_view found = "none";
  for (const Protocol* p : {&kDns, &kMdns, &kLlmnr, &kNbns})
    if (p->identify(e) == Match::Yes) found = found == "none" ? p->name : "several";
  return found;
}
std::string outcome(const Protocol& protocol, const std::string& datagram) { return Dialogue(protocol).datagram(Side::Client, datagram).outcome(); }
bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

// The 32 letters of RFC 1001 14.1, as a label with its length and the root behind it.
std::string netbios(std::string_view text, unsigned suffix) {
  std::string raw(text), out(1, ' ');
  raw.resize(15, ' ');
  raw += static_cast<char>(suffix);
  for (const char c : raw) out += static_cast<char>('A' + (static_cast<unsigned char>(c) >> 4)), out += static_cast<char>('A' + (c & 15));
  return out + '\0';
}

TEST(Dns, QueryTellsNameTypeAndDomain) {
  const std::string o = outcome(kDns, query("wWw.Example.CO.uk", kTxt));
  EXPECT_TRUE(has(o, "end dns.qname=www.example.co.uk dns.qtype=TXT dns.opcode=query dns.response=false dns.bytes=35 "
                     "dns.label_bytes_max=7 dns.domain=example.co.uk")) << o;
  EXPECT_FALSE(has(o, "flaw"));
}

TEST(Dns, AnswerTellsTheWholeChainAndNamesEveryLinkOfIt) {
  const std::string edge = name("edge.cdn.example.net");
  const std::string message = header(7, 0x8180, 1, 4) + question("www.example.com") + record(kToQuestion, kCnameType, 300, edge) +
                              record(edge, kCnameType, 20, name("x.y")) + a(name("x.y"), "192.0.2.80", 600) + a(name("other.org"), "192.0.2.99");
  const std::string o = outcome(kDns, message);
  EXPECT_TRUE(has(o, "dns.rcode=NOERROR")) << o;
  EXPECT_TRUE(has(o, "dns.answer=192.0.2.80 dns.answer=192.0.2.99 dns.cname=edge.cdn.example.net dns.cname=x.y"));
  EXPECT_TRUE(has(o, "learn www.example.com 192.0.2.80 20\nlearn edge.cdn.example.net 192.0.2.80 20\nlearn x.y 192.0.2.80 20\n")) << o;
  EXPECT_FALSE(has(o, "192.0.2.99 60")) << "a name that nobody asked for is not learnt";
}

TEST(Dns, ChainIsFollowedInAnyOrderAndEndsWhereItLoops) {
  const std::string shuffled = header(7, 0x8180, 1, 3) + question("a.b") + a(name("c.d"), "192.0.2.1") + record(name("e.f"), kCnameType, 9, name("c.d")) +
                               record(kToQuestion, kCnameType, 9, name("e.f"));
  EXPECT_TRUE(has(outcome(kDns, shuffled), "learn a.b 192.0.2.1 9"));
  const std::string loop = header(7, 0x8180, 1, 3) + question("a.b") + record(kToQuestion, kCnameType, 9, name("e.f")) +
                           record(name("e.f"), kCnameType, 9, name("a.b")) + a(name("e.f"), "192.0.2.1");
  EXPECT_TRUE(has(outcome(kDns, loop), "learn e.f 192.0.2.1 9"));
}

TEST(Dns, KeyTiesAnswerToItsQuestionWhateverTheCase) {
  Dialogue d(kDns);
  d.datagram(Side::Client, query("www.example.com", kA, 5)).datagram(Side::Server, header(5, 0x8183, 1, 0) + question("WWW.example.com"));
  d.datagram(Side::Server, header(5, 0x8183, 1, 0) + question("www.example.org"));
  std::vector<std::string> keys;
  for (const std::string& line : d.log())
    if (line.starts_with("begin")) keys.push_back(line);
  ASSERT_EQ(keys.size(), 3U);
  EXPECT_EQ(keys[0] + " answer", keys[1]);
  EXPECT_NE(keys[1], keys[2]);
}

TEST(Dns, EdnsSaysSizeAndUpperBitsOfRcode) {
  EXPECT_TRUE(has(outcome(kDns, header(1, 0x0100, 1, 0, 0, 1) + question("a.b") + opt(4096)), "dns.edns_bytes=4096"));
  std::string badvers = opt(512);
  badvers[5] = 1;  // Upper eight bits: 1 << 4 is BADVERS.
  EXPECT_TRUE(has(outcome(kDns, header(1, 0x8180, 1, 0, 0, 1) + question("a.b") + badvers), "dns.rcode=BADVERS"));
}

TEST(Dns, OddBytesAreEscaped) {
  const std::string odd = header(1, 0x0100, 1, 0) + std::string("\5a.b\\\xff\3com\0", 11) + be16(kNull) + be16(kIn);
  EXPECT_TRUE(has(outcome(kDns, odd), "dns.qname=a\\.b\\\\\\255.com dns.qtype=NULL")) << outcome(kDns, odd);
  EXPECT_TRUE(has(outcome(kDns, header(1, 0, 1, 0) + question("", 2)), "dns.qname=. dns.qtype=NS"));
}

TEST(Dns, MalformedMessagesAreFlaws) {
  const struct {
    const char* what;
    std::string message, flaw;
  } kCases[] = {
      {"pointer to itself", header(1, 0x0100, 1, 0) + pointer(12) + be16(kA) + be16(kIn), "bad-name"},
      {"pointer forwards", header(1, 0x0100, 1, 0) + pointer(18) + be16(kA) + be16(kIn) + name("a"), "bad-name"},
      {"pointer into the header", header(1, 0x0100, 1, 0) + pointer(4) + be16(kA) + be16(kIn), "bad-name"},
      {"loop of two", header(1, 0x8180, 1, 1) + question("a.b") + a("\1x" + pointer(21), "192.0.2.1"), "bad-name"},
      {"label of 64", header(1, 0x0100, 1, 0) + "\x40" + std::string(64, 'a') + '\0' + be16(kA) + be16(kIn), "bad-name"},
      {"name of 256", header(1, 0x0100, 1, 0) + question(std::string(63, 'a') + "." + std::string(63, 'a') + "." + std::string(63, 'a') + "." + std::string(62, 'a')), "bad-name"},
      {"question cut", query("www.example.com").substr(0, 20), "truncated"},
      {"more records promised", header(1, 0x8180, 1, 9) + question("a.b") + a(kToQuestion, "192.0.2.1"), "truncated"},
      {"header cut", "\1\2\3", "truncated"},
      {"A of five bytes", header(1, 0x8180, 1, 1) + question("a.b") + record(kToQuestion, kA, 1, "12345"), "bad-length"},
  };
  for (const auto& c : kCases) EXPECT_TRUE(has(outcome(kDns, c.message), "flaw " + c.flaw)) << c.what << "\n" << outcome(kDns, c.message);
  EXPECT_FALSE(has(outcome(kDns, query("a.b") + "behind"), "flaw")) << "trailing bytes";
}

TEST(Dns, PointersBackwardsAreFollowed) {
  const std::string m = header(1, 0x8180, 1, 1) + question("www.example.com") + record(kToQuestion, kCnameType, 1, "\1x" + pointer(16));
  EXPECT_TRUE(has(outcome(kDns, m), "dns.cname=x.example.com"));
}

TEST(Dns, SnappedBytesHideWhatTheyHeld) {
  Dialogue d(kDns);
  alignas(8) State state{};
  const std::string m = (header(1, 0x8180, 1, 2) + question("a.b") + a(kToQuestion, "192.0.2.1"));
  d.begin_transaction(0, false);
  kDns.parse(&state, {.side = Side::Server, .bytes = as_bytes(m), .datagram = true, .truncated = true, .now = {}}, d);
  EXPECT_TRUE(d.said("dns.qname=a.b"));
  EXPECT_TRUE(d.said("dns.answer=hidden"));
  EXPECT_FALSE(d.said("flaw"));
}

TEST(Dns, StreamDoesNotDependOnItsCut) {
  const std::string asked = framed(query("a.example")) + framed(query("b.example", kAaaa));
  const std::string answered = framed(header(0x1234, 0x8180, 1, 1) + question("a.example") + a(kToQuestion, "192.0.2.1"));
  Dialogue whole(kDns), drips(kDns);
  whole.client(asked).server(answered);
  drips.drip(Side::Client, asked).drip(Side::Server, answered);
  EXPECT_EQ(whole.outcome(), drips.outcome());
  EXPECT_TRUE(whole.said("dns.qname=b.example")) << whole.outcome();
  EXPECT_TRUE(Dialogue(kDns).send(Side::Client, asked.substr(0, 25), true).said("flaw truncated"));
}

TEST(DnsIdentify, OnAnyPortByContent) {
  EXPECT_EQ(identified(udp(query("www.example.com"))), "dns");
  EXPECT_EQ(identified(udp(query("www.example.com"), 4444)), "dns");
  EXPECT_EQ(identified(udp(header(1, 0x8180, 1, 0) + question("a.b"), 4444)), "dns");
  EXPECT_EQ(identified(udp(query("data.tunnel.example", 4242))), "dns") << "an unlisted type and a sane name";
  EXPECT_EQ(identified(udp(header(1, 0x0100, 1, 0) + pointer(12) + be16(kA) + be16(kIn))), "dns") << "an attack on parsers is still DNS";
}

TEST(DnsIdentify, NotWhatOnlyLooksSo) {
  const std::string good = query("www.example.com");
  const struct {
    const char* what;
    std::size_t at;
    char value;
  } kChanges[] = {{"opcode 3", 2, 0x19}, {"Z", 3, 0x40}, {"rcode in a request", 3, 5}, {"no question", 5, 0}, {"records that cannot fit", 7, 9},
                  {"no type", 30, 0}, {"class 2", 32, 2}, {"reserved label", 12, '\x80'}};
  for (const auto& c : kChanges) {
    std::string bad = good;
    bad[c.at] = c.value;
    EXPECT_EQ(identified(udp(bad)), "none") << c.what;
  }
  EXPECT_EQ(identified(udp(std::string(64, '\0'))), "none");
  EXPECT_EQ(identified(udp(good.substr(0, 25))), "none");
}

TEST(DnsIdentify, TcpWaitsForTheQuestionAndNoLonger) {
  const std::string stream = framed(query("www.example.com"));
  for (std::size_t n = 0; n < stream.size(); ++n)
    EXPECT_EQ(identify_dns({.client = as_bytes(std::string_view(stream).substr(0, n)), .server_port = 53}), Match::Maybe) << n;
  EXPECT_EQ(identify_dns({.client = as_bytes(stream), .server_port = 53}), Match::Yes);
  EXPECT_EQ(identify_dns({.client = as_bytes(std::string_view("GET / HTTP/1.1\r\n")), .server_port = 53}), Match::No);
  EXPECT_EQ(identify_dns({.client = as_bytes(std::string_view("\x16\x03\x01\x02", 4)), .server_port = 53}), Match::Maybe);
  EXPECT_EQ(identify_dns({.server = as_bytes(stream), .server_port = 53, .server_first = true}), Match::Maybe) << "a server does not ask, but its client may";
  EXPECT_EQ(identify_dns({.server = as_bytes(stream), .server_port = 53, .server_first = true, .roles_unsure = true}), Match::Yes);
}

TEST(DnsIdentify, KinByPortAndGroup) {
  const std::string local = header(0, 0, 1, 0) + question("_ipp._tcp.local", kPtr);
  EXPECT_EQ(identified(udp(local, 5353, true, 5353)), "mdns");
  EXPECT_EQ(identified(udp(local, 5353)), "mdns") << "asked directly, RFC 6762 5.5";
  EXPECT_EQ(identified(udp(query("aGVsbG8.evil.example", kTxt), 5353)), "dns") << "a resolver on port 5353 is none of the link's";
  EXPECT_EQ(identified(udp(header(0, 0x8400, 0, 1) + record(name("printer.local"), kA, 120, "abcd", 0x8001), 5353, true, 5353)), "mdns");
  const std::string single = header(9, 0, 1, 0) + question("wpad");
  EXPECT_EQ(identified(udp(single, 5355, true)), "llmnr");
  EXPECT_EQ(identified(udp(header(9, 0x8000, 1, 1) + question("wpad") + a(kToQuestion, "192.0.2.1"), 5355)), "llmnr");
  EXPECT_EQ(identified(udp(query("t.example"), 5355)), "dns") << "recursion is not LLMNR's";
  const std::string nb = header(9, 0x0110, 1, 0) + netbios("WPAD", 0) + be16(32) + be16(kIn);
  EXPECT_EQ(identified(udp(nb, 137, true, 137)), "nbns");
  EXPECT_EQ(identified(udp(nb, 53)), "dns");
  EXPECT_EQ(identified(udp(query("t.example"), 137)), "dns");
}

TEST(Mdns, SeveralQuestionsAreAListAndNothingIsLearnt) {
  const std::string m = header(0, 0, 2, 0) + question("a.local", kA, 0x8001) + question("b.local", kAaaa);
  EXPECT_TRUE(has(outcome(kMdns, m), "dns.qname=a.local dns.qname=b.local dns.qtype=A dns.qtype=AAAA")) << outcome(kMdns, m);
  const std::string told = outcome(kMdns, header(0, 0x8400, 1, 1) + question("a.local") + record(kToQuestion, kA, 9, "\1\2\3\4", 0x8001));
  EXPECT_TRUE(has(told, "dns.answer=1.2.3.4"));
  EXPECT_FALSE(has(told, "learn"));
}

TEST(Nbns, NamesAreDecoded) {
  const std::string asked = outcome(kNbns, header(9, 0x0110, 1, 0) + netbios("WPAD", 0x20) + be16(32) + be16(kIn));
  EXPECT_TRUE(has(asked, "dns.qname=wpad dns.qtype=NB dns.opcode=query dns.response=false dns.bytes=50 nbns.name=WPAD nbns.suffix=32")) << asked;
  const std::string told = outcome(kNbns, header(9, 0x8500, 0, 1) + record(netbios("WPAD", 0), 32, 300, be16(0) + be32(0xC0000201)));
  EXPECT_TRUE(has(told, "dns.answer=192.0.2.1")) << told;
  const std::string registers = outcome(kNbns, header(9, 0x2910, 1, 0, 0, 1) + netbios("HOST", 0x1c) + be16(32) + be16(kIn) +
                                                   record(kToQuestion, 32, 300, be16(0) + be32(0xC0000201)));
  EXPECT_TRUE(has(registers, "dns.opcode=registration")) << registers;
  EXPECT_TRUE(has(registers, "nbns.suffix=28"));
  EXPECT_TRUE(has(outcome(kNbns, header(9, 0x0110, 1, 0) + name("notnetbios") + be16(32) + be16(kIn)), "flaw bad-name"));
}

TEST(Nbns, AnswerHasTheKeyOfItsRequest) {
  Dialogue d(kNbns);
  d.datagram(Side::Client, header(9, 0x0110, 1, 0) + netbios("WPAD", 0) + be16(32) + be16(kIn));
  d.datagram(Side::Server, header(9, 0x8500, 0, 1) + record(netbios("WPAD", 0), 32, 300, be16(0) + be32(0xC0000201)));
  std::vector<std::string> keys;
  for (const std::string& line : d.log())
    if (line.starts_with("begin")) keys.push_back(line);
  ASSERT_EQ(keys.size(), 2U);
  EXPECT_EQ(keys[0] + " answer", keys[1]);
}

TEST(DnsDomain, IsOneLabelMoreThanItsSuffix) {
  constexpr std::string_view kCases[][2] = {{"www.example.com", "example.com"}, {"a.b.example.co.uk", "example.co.uk"}, {"co.uk", ""}, {"com", ""},
                                            {"x.duckdns.org", "x.duckdns.org"}, {"a.x.github.io", "x.github.io"}, {"1.2.0.192.in-addr.arpa", "192.in-addr.arpa"},
                                            {"d.e.k12.ca.us", "e.k12.ca.us"}, {"example.co", "example.co"}};
  for (const auto& [text, domain] : kCases) {
    const std::string message = std::string(12, '\0') + name(text);
    char out[kNameTextMax];
    Name n;
    ASSERT_EQ(read_name(as_bytes(message), 12, out, n), NameStatus::Good);
    EXPECT_EQ(registered_domain(n), domain) << text;
  }
}

TEST(DnsAnswer, RefusalEchoesTheQuestion) {
  std::uint8_t out[512];
  const std::string q = query("www.example.com");
  const std::size_t n = refuse(as_bytes(q), out);
  EXPECT_EQ(as_text({out, n}), header(0x1234, 0x8185, 1, 0) + question("www.example.com"));
  const std::string with_edns = header(1, 0x0100, 1, 0, 0, 1) + question("a.b") + opt(4096);
  const std::size_t m = refuse(as_bytes(with_edns), out);
  const std::string o = outcome(kDns, std::string(as_text({out, m})));
  EXPECT_TRUE(has(o, "dns.rcode=REFUSED") && has(o, "dns.edns_bytes=1232") && !has(o, "flaw")) << o;
  EXPECT_EQ(refuse(as_bytes(header(1, 0x8180, 1, 0) + question("a.b")), out), 0U) << "an answer is not refused";
  EXPECT_EQ(refuse(as_bytes(q), std::span(out, 20)), 0U) << "no room";
}

TEST(DnsAnswer, SinkholeFitsTheFamilyAsked) {
  std::uint8_t out[512];
  const auto answer = [&](unsigned type, std::string_view address) {
    const std::string q = query("a.b", type);
    return outcome(kDns, std::string(as_text({out, sinkhole(as_bytes(q), *parse_ip(address), out)})));
  };
  EXPECT_TRUE(has(answer(kA, "0.0.0.0"), "learn a.b 0.0.0.0 60"));
  EXPECT_TRUE(has(answer(kAaaa, "2001:db8::1"), "learn a.b 2001:db8::1 60"));
  EXPECT_TRUE(has(answer(kAaaa, "0.0.0.0"), "dns.rcode=NOERROR"));
  EXPECT_FALSE(has(answer(kAaaa, "0.0.0.0"), "dns.answer"));
  EXPECT_FALSE(has(answer(kTxt, "0.0.0.0"), "dns.answer"));
}

}  // namespace
}  // namespace weir::proto::dns
