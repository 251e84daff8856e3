// SPDX-License-Identifier: Apache-2.0
// RFC 9113 and RFC 7541, section by section. Frames are written as frame(type, flags, stream, payload); header blocks mostly as literals that
// nobody remembers (RFC 7541, 6.2.2), so that they can be read here.

#include "proto/http2/http2.h"

#include <gtest/gtest.h>

#include "proto/http2/huffman.h"
#include "tests/kit/dialogue.h"

namespace weir::proto::http2 {
namespace {

using namespace std::string_literals;

enum : char { kData = 0, kHeaders = 1, kPriority = 2, kReset = 3, kSettings = 4, kPush = 5, kPing = 6, kGoaway = 7, kContinuation = 9 };
constexpr char kEndStream = 1, kEndHeaders = 4, kPadded = 8, kHasPriority = 0x20, kWhole = kEndStream | kEndHeaders;

std::string be32(std::uint32_t v) {
  return {static_cast<char>(v >> 24), static_cast<char>(v >> 16), static_cast<char>(v >> 8), static_cast<char>(v)};
}
std::string frame(char type, char flags, std::uint32_t stream, const std::string& payload) {
  return be32(static_cast<std::uint32_t>(payload.size())).substr(1) + type + flags + be32(stream) + payload;
}
std::string text(std::string_view t) {
  EXPECT_LT(t.size(), 127U + 128U);
  if (t.size() < 127) return static_cast<char>(t.size()) + std::string(t);
  return "\x7f"s + static_cast<char>(t.size() - 127) + std::string(t);
}
/// A literal without indexing.
std::string h(std::string_view name, std::string_view value) { return "\0"s + text(name) + text(value); }
/// A literal that both sides remember.
std::string remembered(std::string_view name, std::string_view value) { return "\x40"s + text(name) + text(value); }
std::string index(std::uint8_t n) { return {static_cast<char>(0x80 | n)}; }
std::string request(std::string_view method, std::string_view path, const std::string& more = "", std::string_view host = "www.example.com") {
  return h(":method", method) + h(":scheme", "http") + h(":authority", host) + h(":path", path) + more;
}
const std::string kHello = std::string(kPreface) + frame(kSettings, 0, 0, "");

/// A connection after both prefaces.
struct Begun : kit::Dialogue {
  Begun() : Dialogue(kHttp2) { client(kHello).server(frame(kSettings, 0, 0, "")); }
};
#define EXPECT_SAID(dialogue, what) EXPECT_TRUE((dialogue).said(what)) << (dialogue).outcome()
#define EXPECT_SILENT(dialogue, what) EXPECT_FALSE((dialogue).said(what)) << (dialogue).outcome()

TEST(Http2, IsCertainByItsPreface) {
  const auto seen = [](std::string_view client) { return identify({.client = as_bytes(client)}); };
  EXPECT_EQ(seen("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), Match::Yes);
  EXPECT_EQ(seen("PRI * HT"), Match::Maybe);
  EXPECT_EQ(seen("PRI * HTTP/1.1\r\n"), Match::No);
  EXPECT_EQ(seen("GET / HTTP/1.1\r\n"), Match::No);
}

TEST(Http2, ARequestAndItsAnswerAreOneTransaction) {
  Begun d;
  d.client(frame(kHeaders, kWhole, 1, request("GET", "/a/../b?q=1", h("user-agent", "curl/8.5") + h("accept", "*/*"))));
  EXPECT_SAID(d, "described http.method=GET http.uri=/a/../b?q=1 http.path=/b http.host=www.example.com http.user_agent=curl/8.5 http.version=2");
  d.server(frame(kHeaders, kEndHeaders, 1, h(":status", "200") + h("content-type", "text/html; charset=utf-8") + h("content-length", "3")));
  d.server(frame(kData, kEndStream, 1, "abc"));
  EXPECT_SAID(d, "end http.method=GET");
  EXPECT_SAID(d, "http.status=200 http.content_type=text/html");
  EXPECT_SAID(d, "http.header=accept: */*");
  EXPECT_SAID(d, "http.body_bytes=0 http.url=http://www.example.com/b?q=1");
  EXPECT_SILENT(d, "flaw");
}

TEST(Http2, ABodyGivesItsFirstBytesItsSizeAndItsType) {
  Begun d;
  d.client(frame(kHeaders, kEndHeaders, 1, request("POST", "/up")));
  d.client(frame(kData, 0, 1, "MZ\x90\0"s)).client(frame(kData, 0, 1, std::string(600, 'x')));
  d.client(frame(kData, kEndStream, 1, std::string(1000, 'y')));
  EXPECT_SAID(d, "http.body_bytes=1604");
  EXPECT_SAID(d, "file.type=pe");
  EXPECT_SAID(d, "http.body=MZ");
  EXPECT_SAID(d, std::string(600, 'x') + std::string(420, 'y') + " ");
}

TEST(Http2, WhatAServerSendsIsTyped) {
  Begun d;
  d.client(frame(kHeaders, kWhole, 1, request("GET", "/x.exe")));
  d.server(frame(kHeaders, kEndHeaders, 1, h(":status", "200")) + frame(kData, 0, 1, "\x7f") + frame(kData, kEndStream, 1, "ELF\x02\x01\x01"s + std::string(60, '\0')));
  EXPECT_SAID(d, "file.type=elf");
}

// RFC 7541, C.3: three requests on one connection, without Huffman; the table makes them shorter and shorter.
TEST(Hpack, TheTableRemembers) {
  Begun d;
  d.client(frame(kHeaders, kWhole, 1, "\x82\x86\x84\x41\x0f"s "www.example.com"));
  d.client(frame(kHeaders, kWhole, 3, "\x82\x86\x84\xbe\x58\x08no-cache"s));
  d.client(frame(kHeaders, kWhole, 5, "\x82\x87\x85\xbf\x40\x0a" "custom-key\x0c" "custom-value"s));
  EXPECT_SAID(d, "end http.method=GET http.uri=/ http.path=/ http.host=www.example.com http.version=2 http.body_bytes=0 http.url=http://www.example.com/ server.name=www.example.com");
  EXPECT_SAID(d, "http.header=cache-control: no-cache");
  EXPECT_SAID(d, "http.uri=/index.html");
  EXPECT_SAID(d, "http.header=custom-key: custom-value");
  EXPECT_SILENT(d, "flaw");
}

// RFC 7541, C.4: the same with Huffman.
TEST(Hpack, HuffmanIsRead) {
  Begun d;
  d.client(frame(kHeaders, kWhole, 1, "\x82\x86\x84\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff"s));
  d.client(frame(kHeaders, kWhole, 3, "\x82\x86\x84\xbe\x58\x86\xa8\xeb\x10\x64\x9c\xbf"s));
  d.client(frame(kHeaders, kWhole, 5, "\x82\x87\x85\xbf\x40\x88\x25\xa8\x49\xe9\x5b\xa9\x7d\x7f\x89\x25\xa8\x49\xe9\x5b\xb8\xe8\xb4\xbf"s));
  EXPECT_SAID(d, "http.host=www.example.com");
  EXPECT_SAID(d, "http.header=cache-control: no-cache");
  EXPECT_SAID(d, "http.header=custom-key: custom-value");
  EXPECT_SILENT(d, "flaw");
}

// RFC 7541, C.6: answers with a table of 256 bytes, out of which the oldest entries fall.
TEST(Hpack, TheOldestGoFirst) {
  kit::Dialogue d(kHttp2);
  d.client(std::string(kPreface) + frame(kSettings, 0, 0, "\0\x01\0\0\x01\0"s));
  for (const std::uint32_t stream : {1, 3, 5}) d.client(frame(kHeaders, kWhole, stream, request("GET", "/")));
  d.server(frame(kHeaders, kWhole, 1,
                 "\x3f\xe1\x01"  // size: 256
                 "\x48\x82\x64\x02\x58\x85\xae\xc3\x77\x1a\x4b\x61\x96\xd0\x7a\xbe\x94\x10\x54\xd4\x44\xa8\x20\x05\x95\x04\x0b\x81\x66\xe0\x82\xa6"
                 "\x2d\x1b\xff\x6e\x91\x9d\x29\xad\x17\x18\x63\xc7\x8f\x0b\x97\xc8\xe9\xae\x82\xae\x43\xd3"s));
  d.server(frame(kHeaders, kWhole, 3, "\x48\x83\x64\x0e\xff\xc1\xc0\xbf"s));
  d.server(frame(kHeaders, kWhole, 5,
                 "\x88\xc1\x61\x96\xd0\x7a\xbe\x94\x10\x54\xd4\x44\xa8\x20\x05\x95\x04\x0b\x81\x66\xe0\x84\xa6\x2d\x1b\xff\xc0\x5a\x83\x9b\xd9\xab"
                 "\x77\xad\x94\xe7\x82\x1d\xd7\xf2\xe6\xc7\xb3\x35\xdf\xdf\xcd\x5b\x39\x60\xd5\xaf\x27\x08\x7f\x36\x72\xc1\xab\x27\x0f\xb5\x29\x1f\x95"
                 "\x87\x31\x60\x65\xc0\x03\xed\x4e\xe5\xb1\x06\x3d\x50\x07"s));
  EXPECT_SAID(d, "http.status=302 ");
  EXPECT_SAID(d, "http.header=location: https://www.example.com");
  EXPECT_SAID(d, "http.status=307 ");
  EXPECT_SAID(d, "http.header=set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1");
  EXPECT_SILENT(d, "flaw");
}

TEST(Hpack, EverySymbolOfTheCodeIsRead) {
  for (std::size_t symbol = 0; symbol < 256; ++symbol) {
    // Its code, found among the canonical ones, then ones up to the byte's end.
    std::uint64_t code = 0;
    const std::size_t bits = kCodeBits[symbol];
    for (std::size_t at = kHuffman.at[bits]; kHuffman.symbols[at] != symbol; ++at) ++code;
    code = (kHuffman.first[bits] >> (32 - bits)) + code;
    std::uint64_t padded = code << (40 - bits) | ((std::uint64_t{1} << (40 - bits)) - 1);
    std::string bytes;
    for (std::size_t i = 0; i < (bits + 7) / 8; ++i) bytes += static_cast<char>(padded >> (32 - 8 * i));
    std::string out;
    EXPECT_TRUE(decode_huffman(as_bytes(bytes), [&](char c) { out += c; })) << symbol;
    EXPECT_EQ(out, std::string(1, static_cast<char>(symbol)));
  }
}

TEST(Hpack, PaddingMustBeShortAndOfOnes) {
  const auto sound = [](std::string_view bytes) { return decode_huffman(as_bytes(bytes), [](char) {}); };
  EXPECT_TRUE(sound("\x1f"));           // 'a', then ones
  EXPECT_FALSE(sound("\x18"));          // 'a', then zeroes
  EXPECT_FALSE(sound("\x1f\xff"));      // eight ones too many
  EXPECT_FALSE(sound("\xff\xff\xff\xff"));  // EOS
}

TEST(Hpack, WhatIsNotInTheTableEndsIt) {
  Begun d;
  d.client(frame(kHeaders, kWhole, 1, index(62)));
  EXPECT_SAID(d, "flaw bad-encoding");
  EXPECT_TRUE(d.done());
}

TEST(Hpack, ASizeBeyondSettingsIsAFlawAndALargerTableForgets) {
  Begun d;
  d.client(frame(kHeaders, kWhole, 1, "\x3f\xe1\x7f"s + request("GET", "/")));  // 16,352
  EXPECT_SAID(d, "flaw bad-encoding");
  kit::Dialogue e(kHttp2);
  e.client(kHello).server(frame(kSettings, 0, 0, "\0\x01\0\1\0\0"s));  // 65,536
  e.client(frame(kHeaders, kWhole, 1, "\x3f\xe1\x7f"s + request("GET", "/")));
  e.client(frame(kHeaders, kWhole, 3, request("GET", "/two", index(100))));
  EXPECT_SILENT(e, "flaw");
  EXPECT_SAID(e, "http.uri=/two");
  EXPECT_SAID(e, "http.header=hidden");
}

TEST(Http2, ABlockMayComeInPieces) {
  Begun d;
  const std::string block = request("GET", "/in/pieces", remembered("x-long", std::string(200, 'v')));
  d.client(frame(kHeaders, kEndStream, 1, block.substr(0, 20)) + frame(kContinuation, 0, 1, block.substr(20, 30)) +
           frame(kContinuation, kEndHeaders, 1, block.substr(50)));
  EXPECT_SAID(d, "http.path=/in/pieces");
  EXPECT_SAID(d, "http.header=x-long: " + std::string(200, 'v'));
  EXPECT_SILENT(d, "flaw");
  // 6.10: nothing may lie between.
  Begun e;
  e.client(frame(kHeaders, kEndStream, 1, block.substr(0, 20)) + frame(kPing, 0, 0, "12345678") + frame(kContinuation, kEndHeaders, 1, block.substr(20)));
  EXPECT_SAID(e, "flaw bad-message");
}

TEST(Http2, PiecesWithoutEndAreAFlaw) {
  Begun d;
  d.client(frame(kHeaders, 0, 1, ""));
  for (int i = 0; i < 80; ++i) d.client(frame(kContinuation, 0, 1, ""));
  EXPECT_SAID(d, "flaw too-large");
  EXPECT_TRUE(d.done());
}

TEST(Hpack, AFewBytesCannotBecomeEndless) {
  Begun d;
  std::string bomb = request("GET", "/", "\x40\x01x\x7f\xa1\x1e"s + std::string(4000, 'y'));
  for (int i = 0; i < 100; ++i) bomb += index(62);
  d.client(frame(kHeaders, kWhole, 1, bomb));
  EXPECT_SAID(d, "flaw too-large");
}

TEST(Http2, PaddingAndPriorityAreNoHeaders) {
  Begun d;
  const std::string block = request("POST", "/padded");
  d.client(frame(kHeaders, kEndHeaders | kPadded | kHasPriority, 1, "\x05"s + "\0\0\0\0\x10"s + block + "12345"));
  d.client(frame(kData, kEndStream | kPadded, 1, "\x04" "body"s + "\0\0\0\0"s));
  EXPECT_SAID(d, "http.path=/padded");
  EXPECT_SAID(d, "http.body=body http.body_bytes=4");
  EXPECT_SILENT(d, "flaw");
  Begun e;
  e.client(frame(kHeaders, kWhole | kPadded, 1, "\x7f" + block.substr(0, 40)));
  EXPECT_SAID(e, "flaw bad-length");
}

TEST(Http2, AStreamThatIsTakenUpAgainBringsItsRequestAlong) {
  Begun d;
  d.client(frame(kHeaders, kEndHeaders, 1, request("POST", "/first", h("user-agent", "a"))));
  d.client(frame(kHeaders, kWhole, 3, request("GET", "/second")));
  d.client(frame(kData, kEndStream, 1, "evil"));
  EXPECT_SAID(d, "described http.method=POST http.uri=/first http.path=/first http.host=www.example.com http.user_agent=hidden http.version=2");
  EXPECT_SAID(d, "http.body=evil http.body_bytes=4");
  d.server(frame(kHeaders, kWhole, 3, h(":status", "404")));
  EXPECT_SAID(d, "http.uri=/second http.path=/second http.host=www.example.com http.user_agent=hidden http.version=2 http.status=404");
  d.server(frame(kHeaders, kWhole, 1, h(":status", "201")));
  EXPECT_SAID(d, "http.method=POST http.uri=/first http.path=/first http.host=www.example.com http.user_agent=hidden http.version=2 http.status=201");
}

TEST(Http2, BodiesOfManyStreamsDoNotMix) {
  Begun d;
  for (const std::uint32_t s : {1U, 3U, 5U}) d.client(frame(kHeaders, kEndHeaders, s, request("POST", "/" + std::to_string(s))));
  for (const char* letter : {"e", "v", "i", "l"})
    for (const std::uint32_t s : {1U, 3U, 5U}) d.client(frame(kData, letter[0] == 'l' ? kEndStream : 0, s, letter + std::to_string(s)));
  for (const std::uint32_t s : {1U, 3U, 5U}) {
    const std::string n = std::to_string(s);
    EXPECT_SAID(d, "http.uri=/" + n);
    EXPECT_SAID(d, "http.body=e" + n + "v" + n + "i" + n + "l" + n + " http.body_bytes=8");
  }
}

TEST(Http2, ABodyBetweenOthersDoesNotGrowUnseen) {
  Begun d;
  d.client(frame(kHeaders, kEndHeaders, 1, request("POST", "/up")) + frame(kHeaders, kEndHeaders, 3, request("POST", "/else")));
  for (int i = 0; i < 8; ++i) d.client(frame(kData, 0, 1, std::string(10000, 'x')) + frame(kData, 0, 3, "y"));
  EXPECT_SAID(d, "http.body_bytes=70000");
}

TEST(Http2, TooManyAtOnceIsSaid) {
  Begun d;
  for (std::uint32_t s = 1; s < 60; s += 2) d.client(frame(kHeaders, kEndHeaders, s, request("POST", "/" + std::to_string(s))));
  EXPECT_SAID(d, "flaw too-many-transactions");
  d.client(frame(kData, kEndStream, 1, "evil"));
  EXPECT_SAID(d, "http.body=evil");
}

TEST(Http2, TrailersAreNoRequest) {
  Begun d;
  d.client(frame(kHeaders, kEndHeaders, 1, request("POST", "/", h("te", "trailers"))) + frame(kData, 0, 1, "abc") + frame(kHeaders, kWhole, 1, h("x-sum", "1")));
  EXPECT_SAID(d, "http.body_bytes=3");
  EXPECT_SILENT(d, "flaw");
  d.client(frame(kHeaders, kEndHeaders, 3, request("POST", "/")) + frame(kHeaders, kWhole, 3, h(":path", "/other")));
  EXPECT_SAID(d, "flaw bad-message");
}

TEST(Http2, InterimAnswersAreNotTheAnswer) {
  Begun d;
  d.client(frame(kHeaders, kWhole, 1, request("GET", "/")));
  d.server(frame(kHeaders, kEndHeaders, 1, h(":status", "103") + h("link", "</a.css>")) + frame(kHeaders, kWhole, 1, h(":status", "200")));
  EXPECT_SAID(d, "http.status=200");
  EXPECT_SILENT(d, "http.status=103");
}

TEST(Http2, AccountsAreSaidAsInHttp1) {
  Begun d;
  d.client(frame(kHeaders, kWhole, 1, request("GET", "/", h("authorization", "Basic YWxpY2U6c2VjcmV0"))));
  d.server(frame(kHeaders, kWhole, 1, h(":status", "401")));
  EXPECT_SAID(d, "auth.user=alice auth.scheme=basic auth.result=failed");
}

TEST(Http2, GrpcAndDohAreToldByTheirType) {
  Begun d;
  d.client(frame(kHeaders, kEndHeaders, 1, request("POST", "/pkg.Service/Method", h("content-type", "application/grpc+proto") + h("te", "trailers"))));
  EXPECT_SAID(d, "refine grpc");
  Begun e;
  e.client(frame(kHeaders, kEndHeaders, 1, request("POST", "/dns-query", h("content-type", "application/dns-message"))));
  EXPECT_SAID(e, "refine doh");
}

TEST(Http2, APromisedAnswerHasItsRequest) {
  Begun d;
  d.client(frame(kHeaders, kWhole, 1, request("GET", "/")));
  d.server(frame(kPush, kEndHeaders, 1, be32(2) + request("GET", "/style.css")) + frame(kHeaders, kWhole, 2, h(":status", "200")));
  EXPECT_SAID(d, "http.uri=/style.css http.path=/style.css http.host=www.example.com http.user_agent=hidden http.version=2 http.status=200");
}

// 8.2, 8.3, 8.5, 10.3: what a server that makes HTTP/1 of this would pass on.
TEST(Http2, WhatSmugglesIsAFlaw) {
  const std::pair<std::string, std::string> cases[] = {
      {"upper case", request("GET", "/", h("X-Upper", "1"))},
      {"connection", request("GET", "/", h("connection", "keep-alive"))},
      {"transfer-encoding", request("POST", "/", h("transfer-encoding", "chunked"))},
      {"te", request("GET", "/", h("te", "gzip"))},
      {"line break in a value", request("GET", "/", h("x", "a\r\nhost: evil"))},
      {"line break in a name", request("GET", "/", h("x: a\r\ny", "b"))},
      {"blank before a value", request("GET", "/", h("x", " a"))},
      {"colon in a name", request("GET", "/", h("x:y", "b"))},
      {"empty name", request("GET", "/", h("", "b"))},
      {"two paths", request("GET", "/", h(":path", "/admin"))},
      {"pseudo-header behind others", h(":method", "GET") + h(":scheme", "http") + h("x", "y") + h(":path", "/")},
      {"unknown pseudo-header", h(":foo", "x") + request("GET", "/")},
      {"status in a request", h(":status", "200") + request("GET", "/")},
      {"two hosts", request("GET", "/", h("host", "evil.example"))},
  };
  for (const auto& [name, block] : cases) {
    Begun d;
    d.client(frame(kHeaders, kWhole, 1, block));
    EXPECT_TRUE(d.said("flaw bad-message")) << name << "\n" << d.outcome();
  }
  const std::pair<std::string, std::string> lines[] = {
      {"no path", h(":method", "GET") + h(":scheme", "http")},
      {"no method", h(":path", "/") + h(":scheme", "http")},
      {"blank in the path", request("GET", "/ HTTP/1.1")},
      {"absolute path", request("GET", "http://evil.example/")},
      {"fragment", request("GET", "/#x")},
      {"blank in the method", request("GET /admin", "/")},
      {"user in the authority", request("GET", "/", "", "user@www.example.com")},
      {"path of a CONNECT", h(":method", "CONNECT") + h(":authority", "a:1") + h(":path", "/")},
  };
  for (const auto& [name, block] : lines) {
    Begun d;
    d.client(frame(kHeaders, kWhole, 1, block));
    EXPECT_TRUE(d.said("flaw bad-request-line")) << name << "\n" << d.outcome();
  }
}

TEST(Http2, ALengthMustBeTrue) {
  for (const std::string_view length : {"3", "5", "x"}) {
    Begun d;
    d.client(frame(kHeaders, kEndHeaders, 1, request("POST", "/", h("content-length", length))) + frame(kData, kEndStream, 1, "abcd"));
    EXPECT_SAID(d, "flaw bad-length");
    EXPECT_SAID(d, "http.body=abcd");
  }
  Begun d;
  d.client(frame(kHeaders, kEndHeaders, 1, request("POST", "/", h("content-length", "4"))) + frame(kData, kEndStream, 1, "abcd"));
  EXPECT_SILENT(d, "flaw");
}

TEST(Http2, StreamsAreOddAndNew) {
  for (const std::uint32_t second : {1U, 2U}) {
    Begun d;
    d.client(frame(kHeaders, kWhole, 1, request("GET", "/"))).server(frame(kHeaders, kWhole, 1, h(":status", "200")));
    d.client(frame(kHeaders, kWhole, second, request("GET", "/")));
    EXPECT_SAID(d, "flaw bad-message");
  }
}

// CVE-2023-44487.
TEST(Http2, RequestsTakenBackAtOnceAreAFlood) {
  Begun d, calm;
  for (std::uint32_t s = 1; s < 240; s += 2) {
    const std::string both = frame(kHeaders, kWhole, s, request("GET", "/")) + frame(kReset, 0, s, be32(8));
    d.client(both);
    calm.client(frame(kHeaders, kWhole, s, request("GET", "/"))).server(frame(kHeaders, kEndHeaders, s, h(":status", "200")));
    calm.client(frame(kReset, 0, s, be32(8)));
  }
  EXPECT_SAID(d, "flaw too-many-transactions");
  EXPECT_SILENT(calm, "flaw");
}

TEST(Http2, UnknownFramesAndGoawayArePassedOver) {
  Begun d;
  d.client(frame(0x42, 0, 7, std::string(300, 'z')) + frame(kGoaway, 0, 0, be32(0) + be32(0)) + frame(kPriority, 0, 1, "\0\0\0\0\x10"s));
  d.client(frame(kHeaders, kWhole, 1, request("GET", "/after")));
  EXPECT_SAID(d, "http.uri=/after");
  EXPECT_SILENT(d, "flaw");
  d.client(frame(kPing, 0, 0, "123"));
  EXPECT_SAID(d, "flaw bad-length");
}

TEST(Http2, LostAnswersDoNotEndTheRequests) {
  Begun d;
  d.server(frame(kHeaders, kWhole, 1, index(70)));
  d.client(frame(kHeaders, kWhole, 1, request("GET", "/still")));
  EXPECT_SAID(d, "http.uri=/still");
  EXPECT_SAID(d, "http.status=hidden");
}

TEST(Http2, AnUpgradedRequestHasAnAnswer) {  // RFC 7540, 3.2: its stream is 1.
  kit::Dialogue d(kHttp2);
  d.client(kHello).server(frame(kSettings, 0, 0, "") + frame(kHeaders, kWhole, 1, h(":status", "200")));
  EXPECT_SAID(d, "http.uri=hidden");
  EXPECT_SAID(d, "http.status=200");
}

}  // namespace
}  // namespace weir::proto::http2
