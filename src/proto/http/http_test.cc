// SPDX-License-Identifier: Apache-2.0
#include "proto/http/http.h"

#include <gtest/gtest.h>

#include "proto/file_type.h"
#include "tests/kit/turns.h"

namespace weir::proto {
namespace {

using kit::Dialogue;
using kit::C, kit::S, kit::Turns;

struct Http : ::testing::Test {
  Dialogue& talk(const Turns& turns) { return *(held = kit::play(kHttp, turns)); }
  std::unique_ptr<Dialogue> held;
};

Match seen(std::string_view client, std::string_view server = {}) {
  return http::identify({.client = as_bytes(client), .server = as_bytes(server)});
}

TEST(HttpIdentify, NeedsTheVersionWhereOthersShareTheSyntax) {
  EXPECT_EQ(seen("GET / HTTP/1.1\r\n"), Match::Yes);
  EXPECT_EQ(seen("GET / HTTP/1.1"), Match::Yes);
  EXPECT_EQ(seen("GET / HT"), Match::Maybe);
  EXPECT_EQ(seen("GET"), Match::Maybe);
  EXPECT_EQ(seen("FOO /bar HTTP/1.0\r\n"), Match::Yes) << "any token is a method (RFC 9110, 9.1)";
  EXPECT_EQ(seen("OPTIONS rtsp://192.0.2.1/ RTSP/1.0\r\n"), Match::No);
  EXPECT_EQ(seen("INVITE sip:a@example.com SIP/2.0\r\n"), Match::No);
  EXPECT_EQ(seen("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), Match::No);
  EXPECT_EQ(seen("SSH-2.0-OpenSSH_9.2\r\n"), Match::No);
  EXPECT_EQ(seen(std::string("\x16\x03\x01\x02\x00", 5)), Match::No);
  EXPECT_EQ(seen("USER anonymous\r\n"), Match::No);
  EXPECT_EQ(seen("EHLO example.org\r\n"), Match::No);
  EXPECT_EQ(seen("GET /" + std::string(1100, 'a')), Match::Yes) << "only HTTP has this method before so long a target";
  EXPECT_EQ(seen("DESCRIBE /" + std::string(1100, 'a')), Match::No);
}

TEST(HttpIdentify, ServerAloneIsEnough) {
  EXPECT_EQ(seen("", "HTTP/1.1 200 OK\r\n"), Match::Yes);
  EXPECT_EQ(seen("", "HTTP/1."), Match::Maybe);
  EXPECT_EQ(seen("", "220 ready\r\n"), Match::Maybe) << "a server that speaks too early rules out no request";
  EXPECT_EQ(seen("GET /\r\n"), Match::Maybe) << "HTTP/0.9 is not certain from its request";
  EXPECT_EQ(seen("GET /\r\n", "<html>"), Match::Yes);
  EXPECT_EQ(seen("GET /\r\n", "-ERR"), Match::No);
  EXPECT_EQ(http::identify({.client = as_bytes("HTTP/1.1 200 OK\r\n"), .server = {}, .roles_unsure = true}), Match::Yes);
}

TEST_F(Http, OneRequestIsOneTransaction) {
  Dialogue& d = talk({{C, "GET /a/../b%2Fc;x?q=1 HTTP/1.1\r\nHost: WWW.Example.com:8080\r\nUser-Agent: curl/8.0\r\n\r\n"},
                      {S, "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 5\r\n\r\nhello"}});
  EXPECT_TRUE(d.said("described http.method=GET http.uri=/a/../b%2Fc;x?q=1 http.path=/b/c;x http.host=www.example.com"));
  EXPECT_TRUE(d.said("end http.method=GET"));
  EXPECT_TRUE(d.said("http.status=200 http.content_type=text/html"));
  EXPECT_TRUE(d.said("http.header=User-Agent: curl/8.0"));
  EXPECT_TRUE(d.said("server.name=WWW.Example.com"));
  EXPECT_FALSE(d.said("flaw"));
}

struct PathRow {
  const char* target;
  const char* path;
};
TEST_F(Http, PathIsDecodedOnceAndWithoutDotSegments) {
  const PathRow rows[] = {{"/", "/"},
                          {"/%2e%2e/%2e%2e/etc/passwd", "/etc/passwd"},
                          {"/a/./b/../c/", "/a/c/"},
                          {"/a/..", "/"},
                          {"/../../x", "/x"},
                          {"/%252e%252e/x", "/%2e%2e/x"},
                          {"/a+b%20c", "/a+b c"},
                          {"/100%/x%zz", "/100%/x%zz"},
                          {"/x?..%2f", "/x"},
                          {"http://example.com", "/"},
                          {"http://example.com/p?q", "/p"},
                          {"*", "*"},
                          {"/.hidden/..x", "/.hidden/..x"},
                          {"//a//b", "//a//b"}};
  for (const PathRow& row : rows) {
    Dialogue& d = talk({{C, "GET " + std::string(row.target) + " HTTP/1.1\r\nHost: h\r\n\r\n"}});
    EXPECT_TRUE(d.said("http.path=" + std::string(row.path) + " http.host")) << d.outcome();
  }
}

TEST_F(Http, HostLosesPortUserAndCase) {
  const std::pair<const char*, const char*> rows[] = {{"a.example", "a.example"},        {"A.Example:80", "a.example"},
                                                      {"[2001:DB8::1]:80", "[2001:db8::1]"}, {"u@a.example.", "a.example"}};
  for (const auto& [value, host] : rows)
    EXPECT_TRUE(talk({{C, "GET / HTTP/1.1\r\nHost: " + std::string(value) + "\r\n\r\n"}}).said("http.host=" + std::string(host) + " ")) << value;
  EXPECT_TRUE(talk({{C, "GET http://real.example/ HTTP/1.1\r\nHost: other.example\r\n\r\n"}}).said("http.host=real.example "));
}

TEST_F(Http, SmugglingShapesAreFlaws) {
  const std::pair<const char*, const char*> rows[] = {
      {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "bad-length"},
      {"Content-Length: 5\r\nContent-Length: 6\r\n", "bad-length"},
      {"Content-Length: +5\r\n", "bad-length"},
      {"Content-Length: 5, 6\r\n", "bad-length"},
      {"Content-Length: 99999999999999999999\r\n", "bad-length"},
      {"Transfer-Encoding: xchunked\r\n", "bad-message"},
      {"Transfer-Encoding: chunked, identity\r\n", "bad-message"},
      {"Transfer-Encoding : chunked\r\n", "bad-message"},
      {"X: a\r\n b\r\n", "bad-message"},
      {"X: a\rb\r\n", "bad-message"},
      {"no colon\r\n", "bad-message"},
      {"Host: two\r\n", "bad-message"}};
  for (const auto& [header, flaw] : rows)
    EXPECT_TRUE(talk({{C, "POST / HTTP/1.1\r\nHost: h\r\n" + std::string(header) + "\r\n"}}).said("flaw " + std::string(flaw))) << header;
  EXPECT_TRUE(talk({{C, "POST / HTTP/1.1\r\n\r\n"}}).said("flaw bad-message")) << "Host is required";
  EXPECT_FALSE(talk({{C, "POST / HTTP/1.1\nHost: h\n\n"}}).said("flaw")) << "a lone LF ends a line (RFC 9112, 2.2)";
}

TEST_F(Http, BadRequestLines) {
  for (const char* line : {"GET  / HTTP/1.1", "GET /a b HTTP/1.1", "G(T / HTTP/1.1", "GET / HTTP/3", "GET / http/1.1", "GET /\tx HTTP/1.1", "nonsense"})
    EXPECT_TRUE(talk({{C, std::string(line) + "\r\nHost: h\r\n\r\n"}}).said("flaw bad-request-line")) << line;
}

TEST_F(Http, ChunkedBodyAddsUp) {
  Dialogue& d = talk({{C, "POST /up HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5;ext=\"1\"\r\nhello\r\n6\r\n world\r\n0\r\nX-T: 1\r\n\r\n"},
                      {C, "GET /next HTTP/1.1\r\nHost: h\r\n\r\n"}});
  EXPECT_TRUE(d.said("end http.method=POST http.uri=/up"));
  EXPECT_TRUE(d.said("http.body=hello world http.body_bytes=11"));
  EXPECT_TRUE(d.said("http.uri=/next"));
  EXPECT_FALSE(d.said("flaw"));
  EXPECT_TRUE(talk({{C, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"}}).said("flaw bad-encoding"));
  EXPECT_TRUE(talk({{C, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcX"}}).said("flaw bad-encoding"));
}

TEST_F(Http, BodyBytesAreCertainWhenDeclared) {
  Dialogue& d = talk({{C, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 40000\r\n\r\n"}});
  EXPECT_TRUE(d.said("described http.method=POST http.uri=/ http.path=/ http.host=h http.version=1.1 http.header=Host: h "
                     "http.header=Content-Length: 40000 http.body_bytes=40000"));
  EXPECT_EQ(d.state_of(http::kBody), FactState::NotYet);
  d.client(std::string(40000, 'x'));
  EXPECT_EQ(d.state_of(http::kBody), FactState::Known);
  d.client("GET /after HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(d.said("http.uri=/after"));
}

TEST_F(Http, PipelinedAnswersHideTheRequest) {
  Dialogue& d = talk({{C, "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n"},
                      {S, "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\nHTTP/1.1 204 No\r\n\r\n"}});
  EXPECT_TRUE(d.said("begin key=1"));
  EXPECT_TRUE(d.said("end http.method=hidden http.uri=hidden"));
  EXPECT_TRUE(d.said("http.status=404"));
  EXPECT_TRUE(d.said("http.status=204"));
}

TEST_F(Http, AnAnswerThatIsNoneDoesNotEndTheReadingOfRequests) {
  for (const std::string nonsense : {"220 not a status line\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    Dialogue& d = talk({{C, "GET /1 HTTP/1.1\r\nHost: h\r\n\r\n"}, {S, nonsense}, {C, "GET /2 HTTP/1.1\r\nHost: h\r\n\r\n"}});
    EXPECT_TRUE(d.said("http.uri=/2"));
    EXPECT_FALSE(d.done());
  }
}

TEST_F(Http, ManyRequestsWithoutAnAnswerAreAllRead) {
  std::string requests;
  for (int i = 0; i < 200; ++i) requests += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\n\r\n";
  Dialogue& d = talk({{C, requests}});
  EXPECT_TRUE(d.said("http.uri=/199"));
  EXPECT_TRUE(d.said("flaw too-many-transactions"));
}

TEST_F(Http, AnswersWithoutBody) {
  Dialogue& d = talk({{C, "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n"},
                      {S, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"},
                      {C, "GET /3 HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n\r\n"},
                      {S, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 304 Same\r\nContent-Length: 9\r\n\r\n"},
                      {C, "GET /4 HTTP/1.1\r\nHost: h\r\n\r\n"},
                      {S, "HTTP/1.1 201 Made\r\nContent-Length: 0\r\n\r\n"}});
  EXPECT_TRUE(d.said("http.status=200"));
  EXPECT_TRUE(d.said("http.status=304"));
  EXPECT_TRUE(d.said("http.status=201"));
  EXPECT_FALSE(d.said("http.status=100"));
  EXPECT_FALSE(d.said("flaw"));
}

TEST_F(Http, ConnectCarriesWhatFollows) {
  Dialogue& d = talk({{C, "CONNECT Mail.example:443 HTTP/1.1\r\nHost: proxy\r\n\r\n"}, {S, "HTTP/1.0 200 Connection established\r\n\r\n"}});
  EXPECT_TRUE(d.said("http.host=mail.example "));
  EXPECT_TRUE(d.said("server.name=Mail.example"));
  EXPECT_EQ(d.log().back(), "carry ");
  Dialogue& refused = talk({{C, "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n"},
                            {S, "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"},
                            {C, "GET /still HTTP/1.1\r\nHost: a\r\n\r\n"}});
  EXPECT_TRUE(refused.said("http.uri=/still"));
  EXPECT_FALSE(refused.said("carry"));
  EXPECT_TRUE(talk({{C, "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\nGET /hidden HTTP/1.1\r\nHost: a\r\n\r\n"}}).said("http.uri=/hidden"))
      << "a request behind CONNECT is not overlooked";
}

TEST_F(Http, UpgradeCarries) {
  const auto with = [](std::string what) {
    return Turns{{C, "GET /chat HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: " + what + "\r\n\r\n"},
                             {S, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: " + what + "\r\nConnection: Upgrade\r\n\r\n"}};
  };
  EXPECT_TRUE(talk(with("websocket")).said("carry websocket"));
  EXPECT_TRUE(talk(with("h2c")).said("carry http2"));
}

TEST_F(Http, CredentialsAndTheirResult) {
  struct Row {
    std::string header, facts;
  };
  // Basic: alice:secret. JWT claims: {"sub":"bob"}. NTLM type 3, unicode: user "carol" at 64, domain "EX" at 74.
  const Row rows[] = {
      {"Basic YWxpY2U6c2VjcmV0", "auth.user=alice auth.scheme=basic"},
      {"Digest username=\"mufasa\", realm=\"Pride, Rock\", nonce=\"x\"", "auth.user=mufasa auth.realm=Pride, Rock auth.scheme=digest"},
      {"Bearer e30.eyJzdWIiOiJib2IifQ.x", "auth.user=bob auth.scheme=bearer"},
      {"NTLM TlRMTVNTUAADAAAAAAAAAAAAAAAAAAAAAAAAAAQABABKAAAACgAKAEAAAAAAAAAAAAAAAAAAAAAAAAAAAQAAAGMAYQByAG8AbABFAFgA",
       "auth.user=carol auth.realm=EX auth.scheme=ntlm"},
      {"NTLM TlRMTVNTUAABAAAAB4IIog==", "auth.scheme=ntlm"},
      {"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=host", "auth.user=AKIDEXAMPLE auth.scheme=sigv4"},
      {"AWS AKIDEXAMPLE:frJIUN8DYpKDtOLCwo=", "auth.user=AKIDEXAMPLE auth.scheme=other"},
      {"SharedKey myaccount:ctzMq410TV3wS7upTBcunJTDLEJwMAZuFPfr0mrrA08=", "auth.user=myaccount auth.scheme=other"},
      {"GOOG4-HMAC-SHA256 Credential=GOOGEXAMPLE/20240101/auto/storage/goog4_request", "auth.user=GOOGEXAMPLE auth.scheme=sigv4"},
      {"q-sign-algorithm=sha1&q-ak=AKIDTENCENT&q-signature=x", "auth.user=AKIDTENCENT auth.scheme=other"},
  };
  for (const Row& row : rows) {
    Dialogue& d = talk({{C, "GET / HTTP/1.1\r\nHost: h\r\nAuthorization: " + row.header + "\r\n\r\n"}, {S, "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"}});
    EXPECT_TRUE(d.said(row.facts + " auth.result=failed")) << d.outcome();
  }
  EXPECT_TRUE(talk({{C, "GET / HTTP/1.1\r\nHost: h\r\nAuthorization: Basic YWxpY2U6c2VjcmV0\r\n\r\n"}, {S, "HTTP/1.1 302 Go\r\nContent-Length: 0\r\n\r\n"}})
                  .said("auth.result=ok"));
  EXPECT_FALSE(talk({{C, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"}, {S, "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"}}).said("auth.result"));
}

TEST_F(Http, KeysInQueriesThatWereSignedBefore) {
  const auto asked = [&](std::string_view target) { return talk({{C, "GET " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n\r\n"}}).outcome(); };
  EXPECT_NE(asked("/o?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20240101%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Signature=x").find("auth.user=AKIDEXAMPLE auth.scheme=sigv4"), std::string::npos);
  EXPECT_NE(asked("/o?AWSAccessKeyId=AKIDOLD&Expires=1&Signature=x").find("auth.user=AKIDOLD auth.scheme=other"), std::string::npos);
  EXPECT_EQ(asked("/o?credential=x&X-Amz-Credentials=y").find("auth.user"), std::string::npos);
}

TEST_F(Http, FilesByTheirFirstBytes) {
  Dialogue& d = talk({{C, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n"},
                      {S, "HTTP/1.1 200 OK\r\nContent-Length: 16\r\nContent-Disposition: attachment; filename=\"x y.bin\"\r\n\r\n\x7f" "ELFxxxxxxxxxxxx"}});
  EXPECT_TRUE(d.said("file.type=elf file.name=x y.bin file.bytes=16"));
  Dialogue& up = talk({{C, "POST /up HTTP/1.1\r\nHost: h\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 84\r\n\r\n"
                           "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"shell.php\"\r\n\r\n#!/bin/x\r\n--b"}});
  EXPECT_TRUE(up.said("file.type=script file.name=shell.php file.bytes=84")) << up.outcome();
}

TEST_F(Http, ClientBehindProxies) {
  EXPECT_TRUE(talk({{C, "GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 198.51.100.1, 203.0.113.9\r\n\r\n"}}).said("http.client_ip=203.0.113.9"));
  EXPECT_TRUE(talk({{C, "GET / HTTP/1.1\r\nHost: h\r\nForwarded: for=192.0.2.1, proto=http; for=\"[2001:db8::7]:80\"\r\n\r\n"}})
                  .said("http.client_ip=2001:db8::7"));
  // RFC 7239, 6.2 and 6.3: a node may be unknown or hidden, and then nobody knows the client.
  EXPECT_TRUE(talk({{C, "GET / HTTP/1.1\r\nHost: h\r\nForwarded: for=192.0.2.1, for=_secret\r\n\r\n"}}).said("http.client_ip=hidden"));
  EXPECT_FALSE(talk({{C, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"}}).said("http.client_ip"));
}

TEST_F(Http, UsesOfHttpAreRefined) {
  EXPECT_TRUE(talk({{C, "POST /wsman HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"}}).said("refine winrm"));
  EXPECT_TRUE(talk({{C, "PROPFIND /d HTTP/1.1\r\nHost: h\r\n\r\n"}}).said("refine webdav"));
  EXPECT_TRUE(talk({{C, "GET /dns-query?dns=AAAB HTTP/1.1\r\nHost: h\r\n\r\n"}}).said("refine doh"));
  EXPECT_TRUE(talk({{C, "GET /x HTTP/1.1\r\nHost: h\r\nUser-Agent: Microsoft BITS/7.8\r\n\r\n"}}).said("refine bits"));
  EXPECT_FALSE(talk({{C, "GET /wsman HTTP/1.1\r\nHost: h\r\n\r\n"}}).said("refine"));
}

TEST_F(Http, HeadsAreBounded) {
  Dialogue& d = talk({{C, "GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(66000, 'a')}});
  EXPECT_TRUE(d.said("flaw too-large"));
  EXPECT_TRUE(d.said("http.user_agent=hidden"));
  EXPECT_TRUE(talk({{C, "GET /" + std::string(5000, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n"}}).said("http.uri=hidden"));
}

// What a server makes of these nobody knows; the request behind them must be seen, however the stream is cut.
TEST_F(Http, RequestsBehindBrokenOnesAreRead) {
  const std::string post = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string next = "GET /next HTTP/1.1\r\nHost: h\r\n\r\n";
  const struct {
    const char* what;
    std::string bytes;
    const char* flaw;
  } cases[] = {
      {"a chunk of 2^64 bytes", post + "10000000000000000\r\n\r\n" + next, "flaw bad-encoding"},
      {"a chunk's size that is none", post + "x\r\n" + next, "flaw bad-encoding"},
      {"a chunk that does not end where it says", post + "3\r\nabcdef\r\n" + next, "flaw bad-encoding"},
      {"lines that look like none, and half of one", post + "zz\r\nGET /\r\nGET\r\n\r\nHost: h\r\n" + next, "flaw bad-encoding"},
      {"a head without an end", "GET /long HTTP/1.1\r\nX: " + std::string(66000, 'a') + "\r\n\r\n" + next, "flaw too-large"},
  };
  for (const auto& c : cases) {
    Dialogue& whole = talk({{C, c.bytes}});
    EXPECT_TRUE(whole.said(c.flaw)) << c.what << "\n" << whole.outcome();
    EXPECT_TRUE(whole.said("http.uri=/next")) << c.what << "\n" << whole.outcome();
    EXPECT_FALSE(whole.done()) << c.what;
  }
  Dialogue& middle = talk({{C, post + "zz\r\nxGET /no HTTP/1.1\r\n"}});
  EXPECT_FALSE(middle.said("http.uri=/no")) << "not at the beginning of a line";
}

TEST_F(Http, BlanksDoNotHideAHeader) {
  EXPECT_TRUE(talk({{C, "GET / HTTP/1.1\r\nHost:h\r\nX-A: \t 1\r\n\r\n"}}).said("http.header=Host: h http.header=X-A: 1 "));
}

TEST_F(Http, SimpleRequestIsOnlyTheFirst) {
  Dialogue& d = talk({{C, "GET /old\r\n"}, {S, "<html>HTTP/1.1 200 OK\r\n\r\n"}});
  EXPECT_TRUE(d.said("http.version=0.9"));
  EXPECT_FALSE(d.said("flaw"));
}

TEST(FileType, BySignature) {
  const std::pair<std::string, field::FileType> rows[] = {
      {std::string("MZ\x90\0\x03\0\0\0", 8), field::FileType::Pe},       {"\x7f" "ELF\x02", field::FileType::Elf},
      {std::string("\xca\xfe\xba\xbe\0\0\0\x02", 8), field::FileType::Macho}, {"#!/bin/sh", field::FileType::Script},
      {"%PDF-1.7", field::FileType::Pdf},                                {"GIF89a", field::FileType::Image},
      {"\x1f\x8b\x08", field::FileType::Archive},                       {"KDMV", field::FileType::Disk},
      {std::string("PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x13\0\0\0[Content_Types].xml", 49), field::FileType::Office}};
  for (const auto& [bytes, type] : rows) EXPECT_EQ(file_type(as_bytes(bytes)), type) << bytes;
  EXPECT_EQ(file_type(as_bytes(std::string("\xca\xfe\xba\xbe\0\0\0\x34", 8))), std::nullopt) << "a Java class";
  EXPECT_EQ(file_type(as_bytes("hello")), std::nullopt);
}

}  // namespace
}  // namespace weir::proto
