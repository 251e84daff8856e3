// SPDX-License-Identifier: Apache-2.0
// DESIGN, "Undecided payload": what waits, what passes, and the bounds at which it is decided all the same.

#include <gtest/gtest.h>

#include "tests/kit/talk.h"

namespace weir::engine {
namespace {

using namespace kit;

constexpr std::string_view kHold = R"(weir: 1
default: drop
rules: [ { name: web, match: { tls.sni: good.example }, action: allow } ])";
constexpr std::string_view kHoldDeny = R"(weir: 1
undecided: hold
rules: [ { name: bad, match: { tls.sni: evil.example }, action: drop } ])";
constexpr std::string_view kPass = R"(weir: 1
undecided: pass
rules: [ { name: bad, match: { tls.sni: evil.example }, action: drop } ])";

Connection web(Filter& f) { return {f, "10.0.0.5", 40000, "198.51.100.80", 443}; }

TEST(Undecided, HoldIsTheDefaultWhereDefaultDenies) {
  const std::string hello = tls_hello("good.example");
  Filter f(kHold);
  Connection c = web(f);
  EXPECT_EQ(plain(c.open()), "pass") << "frames without payload pass";
  EXPECT_EQ(c.client(hello.substr(0, 9)), "hold");
  EXPECT_EQ(c.client(hello.substr(9)), "pass web");
  EXPECT_EQ(f.verdict(4), "pass web") << "held frames go out with the final verdict";
  Filter g(kPass);
  Connection d = web(g);
  d.open();
  EXPECT_EQ(d.client(hello.substr(0, 9)), "pass");
}

TEST(Undecided, ServerBytesPassUpToFourKiB) {
  // A greeting that may be mail's or FTP's for as long as the client says nothing.
  Filter f(R"(weir: 1
default: drop
rules: [ { name: mail, match: { app.protocol: smtp }, action: allow } ])");
  Connection c(f, "10.0.0.5", 40000, "198.51.100.25", 2525);
  c.open();
  std::string last;
  for (int i = 0; i < 5; ++i) {
    last = c.server("220-" + std::string(994, 'x') + "\r\n");
    if (i < 4) {
      EXPECT_EQ(plain(last), "pass") << i;
    }
  }
  EXPECT_EQ(last, "drop default") << "at that bound the flow is decided as at the client's";
}

TEST(Undecided, IsDecidedAtSixteenFrames) {
  const std::string hello = tls_hello("good.example");
  Filter f(kHold);
  Connection c = web(f);
  c.open();
  for (std::size_t i = 0; i < 16; ++i) EXPECT_EQ(c.client(hello.substr(i, 1)), "hold") << i;
  EXPECT_EQ(c.client(hello.substr(16, 1)), "drop default");
  for (std::uint64_t n = 4; n < 20; ++n) EXPECT_EQ(f.verdict(n), "drop default");
}

TEST(Undecided, IsDecidedAtSixteenKiB) {
  // A hello that says that it is long, and a name that does not come.
  std::string hello = tls_hello("good.example");
  hello[3] = '\x3f', hello[4] = '\xf0', hello[6] = '\0', hello[7] = '\x3f', hello[8] = '\xec';
  Filter f(kHold);
  Connection c = web(f);
  c.open();
  EXPECT_EQ(c.client(hello.substr(0, 40)), "hold");
  std::string last;
  for (int i = 0; i < 12 && last != "drop default"; ++i) last = c.client(std::string(1460, '\0'));
  EXPECT_EQ(last, "drop default");
}

TEST(Undecided, IsDecidedAfterThreeHundredMilliseconds) {
  Filter f(kHold);
  Connection c = web(f);
  c.open();
  EXPECT_EQ(c.client("\x16"), "hold");
  f.wait(298 * kMillisecond);
  EXPECT_EQ(f.verdict(4), "hold");
  f.wait(2 * kMillisecond);
  EXPECT_EQ(f.verdict(4), "drop default") << "without a packet";
}

TEST(Undecided, IsDecidedAtTheClientsFin) {
  Filter f(kHold);
  Connection c = web(f);
  c.open();
  EXPECT_EQ(c.client("\x16"), "hold");
  EXPECT_EQ(c.fin(Side::Client), "drop default");
  EXPECT_EQ(f.verdict(4), "drop default");
}

TEST(Undecided, AtTheBoundWhatIsNotYetThereCountsAsAbsentAndTheFlowStaysOpen) {
  Filter f(kHoldDeny);
  Connection c = web(f);
  c.open();
  const std::string hello = tls_hello("evil.example");
  EXPECT_EQ(c.client(hello.substr(0, 20)), "hold");
  f.wait(301 * kMillisecond);
  EXPECT_EQ(f.verdict(4), "pass") << "allow: the held frames go out";
  EXPECT_EQ(c.client(hello.substr(20)), "drop bad") << "facts stay open";
}

TEST(Undecided, AtTheBoundTheApplicationIsUnknownForThisDecisionAlone) {
  Filter f(R"(weir: 1
undecided: hold
rules: [ { name: only-tls, match: { port: 443, not.app.protocol: tls }, action: drop } ])");
  Connection c = web(f);
  c.open();
  EXPECT_EQ(c.client("\x16"), "hold");
  f.wait(301 * kMillisecond);
  EXPECT_EQ(f.verdict(4), "drop only-tls") << "not.app.protocol: X is true at the bound";
}

TEST(Undecided, BoundsHoldUnderPassToo) {
  Filter f(R"(weir: 1
undecided: pass
rules:
  - { name: only-tls, match: { port: 443, not.app.protocol: tls }, action: drop }
  - { name: rest, match: { port: 443 }, action: allow })");
  Connection c = web(f);
  c.open();
  const std::string hello = tls_hello("good.example");
  EXPECT_EQ(plain(c.client("\x16")), "pass");
  f.after(301 * kMillisecond);
  EXPECT_EQ(plain(c.client("\x03")), "drop") << "a client that never says what it is";
}

TEST(Undecided, HeldFramesComeOutInOrderWhenTheNameIsAllowed) {
  const std::string hello = tls_hello("good.example");
  Filter f(kHold);
  Connection c = web(f);
  c.open();
  for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(c.client(hello.substr(i * 4, 4)), "hold");
  EXPECT_EQ(c.client(hello.substr(40)), "pass web");
  for (std::uint64_t n = 4; n < 14; ++n) EXPECT_EQ(f.verdict(n), "pass web");
  EXPECT_EQ(c.server("anything"), "pass web");
}

TEST(Undecided, AFlowThatEndsLetsItsFramesGo) {
  Filter f(kHold);
  Connection c = web(f);
  c.open();
  c.client("\x16");
  f.end();
  EXPECT_NE(f.verdict(4), "hold");
}

TEST(Undecided, BytesLetGoAtTheBoundAreChargedToTheClient) {
  // Past 64 KiB a minute its undecided payload is dropped, under a name.
  Filter f(R"(weir: 1
undecided: hold
rules: [ { name: bad, match: { http.header: 'X: y' }, action: drop } ])");
  f.step(20 * kMillisecond);
  bool stopped = false;
  for (std::uint16_t i = 0; i < 12 && !stopped; ++i) {
    Connection c(f, "10.0.0.5", static_cast<std::uint16_t>(40000 + i), "198.51.100.80", 80);
    c.open();
    c.client("POST / HTTP/1.1\r\nX-Long: ");
    for (int k = 0; k < 8; ++k) c.client(std::string(1400, 'a'));
    f.wait(301 * kMillisecond);
    for (std::uint64_t n = 1; n <= f.number(); ++n)
      if (plain(f.verdict(n)) == "drop") stopped = stopped || f.reason(n) == Reason::UndecidedBudget;
  }
  EXPECT_TRUE(stopped);
}

}  // namespace
}  // namespace weir::engine
