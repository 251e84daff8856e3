// SPDX-License-Identifier: Apache-2.0
// Names of addresses (FACTS, `server.name`, `sni.binding`): whom an answer names them for, on a host above all, and what a hello's name is worth.

#include <gtest/gtest.h>

#include "state/names.h"
#include "tests/kit/talk.h"

namespace weir::engine {
namespace {

using namespace kit;

constexpr std::string_view kNamed = R"(weir: 1
rules: [ { name: bad, match: { server.name: evil.example }, action: drop } ])";
constexpr std::string_view kStub = "127.0.0.53", kResolver = "198.51.100.53", kEvil = "198.51.100.66";

Sender process(std::uint64_t id, std::string_view path) {
  Sender sender;
  sender.id = id;
  sender.path = path;
  sender.name = path.substr(path.rfind('/') + 1);
  return sender;
}

const Sender kCurl = process(1, "/usr/bin/curl"), kDnsmasq = process(2, "/usr/sbin/dnsmasq"), kSsh = process(3, "/usr/bin/ssh");

/// This host has 10.0.0.5 and fd00::5.
struct Host {
  Filter f;

  explicit Host(std::string_view yaml = kNamed, std::vector<state::HostNames::Listed> listed = {}) : f(yaml, options()) {
    auto names = std::make_shared<state::HostNames>();
    names->own = {ip_of("10.0.0.5"), ip_of("fd00::5")};
    std::sort(names->own.begin(), names->own.end());
    names->listed = std::move(listed);
    f.engine().know_host(names);
  }
  static EngineOptions options() {
    EngineOptions options = small_engine();
    options.senders = options.reloads = true;
    return options;
  }
  /// A question and its answer, both by this process.
  void resolve(const Sender* by_whom, std::string_view client, std::string_view server, std::string_view name, std::string_view address) {
    f.by(by_whom);
    Datagrams d{f, std::string(client), port_++, std::string(server)};
    EXPECT_EQ(d.ask(dns_query(name)), "pass");
    f.by(nullptr);
    EXPECT_EQ(d.answer(dns_answer(name, address)), "pass");
  }
  std::string open(const Sender* by_whom, std::string_view client, std::string_view server) {
    f.by(by_whom);
    return Connection(f, client, port_++, server, 31999).syn();
  }

 private:
  std::uint16_t port_ = 40000;
};

TEST(NamesOfAHost, AnAnswerOverTheLoopbackDeviceNamesWhatGoesOut) {
  Host host;
  host.resolve(&kCurl, "127.0.0.1", kStub, "evil.example", kEvil);
  EXPECT_EQ(host.open(&kCurl, "10.0.0.5", kEvil), "drop bad");
  EXPECT_EQ(host.open(&kSsh, "10.0.0.5", kEvil), "drop bad") << "of every process: one may ask for another";
  EXPECT_EQ(host.open(nullptr, "192.0.2.9", kEvil), "pass") << "forwarded: it did not ask";
}

TEST(NamesOfAHost, AllItsAddressesAreOneClient) {
  Host host;
  host.resolve(&kCurl, "10.0.0.5", kResolver, "evil.example", kEvil);
  EXPECT_EQ(host.open(&kCurl, "127.0.0.1", kEvil), "drop bad");
}

TEST(NamesOfAHost, WithoutThatKnowledgeEachAddressIsAClient) {
  Filter f(kNamed);
  Datagrams d{f, "127.0.0.1", 40000, std::string(kStub)};
  d.ask(dns_query("evil.example"));
  d.answer(dns_answer("evil.example", kEvil));
  EXPECT_EQ(Connection(f, "10.0.0.5", 40000, kEvil, 31999).syn(), "pass");
}

TEST(NamesOfAHost, WhatAStubAsksForTheHostNamesTheHostsTraffic) {
  Host host;  // As where programs ask the stub by other ways than packets.
  host.resolve(&kDnsmasq, "10.0.0.5", kResolver, "evil.example", kEvil);
  EXPECT_EQ(host.open(&kCurl, "10.0.0.5", kEvil), "drop bad");
}

TEST(NamesOfAHost, WhatAResolverAsksForOthersNamesNothingOfTheHost) {
  Host host;
  // A guest asks this host's dnsmasq, which asks its resolver and answers.
  host.f.by(&kDnsmasq);  // Who has the socket that it arrives at.
  Datagrams guest{host.f, "192.168.122.7", 40000, "10.0.0.5"};
  EXPECT_EQ(guest.ask(dns_query("evil.example")), "pass");
  host.resolve(&kDnsmasq, "10.0.0.5", kResolver, "evil.example", kEvil);
  host.f.by(&kDnsmasq);
  EXPECT_EQ(guest.answer(dns_answer("evil.example", kEvil)), "pass");
  EXPECT_EQ(host.open(&kCurl, "10.0.0.5", kEvil), "pass") << "nobody here asked for that name";
  EXPECT_EQ(host.open(nullptr, "192.168.122.7", kEvil), "drop bad") << "the guest did";
  // What it answers this host, it answers this host.
  host.resolve(&kCurl, "127.0.0.1", "127.0.0.1", "evil.example", kEvil);
  EXPECT_EQ(host.open(&kCurl, "10.0.0.5", kEvil), "drop bad");
}

TEST(NamesOfAHost, ALoopbackAnswerNamesNothing) {
  Host host;  // A stub that blocks a name answers so.
  for (const char* blocked : {"127.0.0.1", "0.0.0.0"}) host.resolve(&kCurl, "127.0.0.1", kStub, "evil.example", blocked);
  EXPECT_EQ(host.open(&kCurl, "127.0.0.1", "127.0.0.1"), "pass");
}

TEST(NamesOfAHost, AnswersOverTcpTeachAlike) {
  Host host;
  host.f.by(&kCurl);
  Connection c(host.f, "10.0.0.5", 50000, kResolver, 53);
  c.open();
  EXPECT_EQ(c.client(over_tcp(dns_query("evil.example"))), "pass");
  const std::string answer = over_tcp(dns_answer("evil.example", kEvil));
  EXPECT_EQ(c.server(answer.substr(0, 9)), "pass");
  EXPECT_EQ(c.server(answer.substr(9)), "pass") << "in two segments";
  EXPECT_EQ(host.open(&kCurl, "10.0.0.5", kEvil), "drop bad");
}

TEST(NamesOfAHost, ItsFileNamesAddressesByAllTheirNames) {
  Host host(kNamed, {{ip_of(kEvil), "good.example"}, {ip_of(kEvil), "evil.example"}});
  EXPECT_EQ(host.open(&kCurl, "10.0.0.5", kEvil), "drop bad");
  EXPECT_EQ(host.open(nullptr, "192.168.122.7", kEvil), "pass") << "the file is this host's alone";
  host.f.engine().know_host(std::make_shared<state::HostNames>());
  EXPECT_EQ(host.open(&kCurl, "127.0.0.1", kEvil), "pass") << "the file says so no more";
}

// ---- sni.binding

std::string hello_under(std::string_view binding, Host& host, std::string_view server, std::string_view name) {
  host.f.reload("weir: 1\nrules: [ { name: r, match: { sni.binding: " + std::string(binding) + " }, action: drop } ]");
  static std::uint16_t port = 52000;
  Connection c(host.f, "10.0.0.5", port++, server, 443);
  c.open();
  return c.client(tls_hello(name));
}

TEST(SniBinding, TellsANameThatTheAnswersGaveFromOneThatTheyDidNot) {
  Host host("weir: 1\nrules: [ { name: r, match: { sni.binding: holds }, action: drop } ]");
  host.resolve(&kCurl, "127.0.0.1", kStub, "shop.example", "198.51.100.80");
  EXPECT_EQ(hello_under("holds", host, "198.51.100.80", "Shop.Example"), "drop r");
  EXPECT_EQ(hello_under("contradicts", host, "198.51.100.80", "update.example"), "drop r");
  EXPECT_EQ(hello_under("unlisted", host, "198.51.100.81", "shop.example"), "drop r");
  EXPECT_EQ(hello_under("[contradicts, unlisted]", host, "198.51.100.80", "shop.example"), "pass");
  EXPECT_EQ(hello_under("contradicts", host, "198.51.100.81", "shop.example"), "pass") << "nothing was told of that address";
  EXPECT_EQ(hello_under("absent", host, "198.51.100.80", ""), "drop r") << "no name, nothing to compare";
}

TEST(SniBinding, TheHostsFileCounts) {
  Host host("weir: 1\nrules: [ { name: r, match: { sni.binding: holds }, action: drop } ]", {{ip_of("198.51.100.80"), "shop.example"}});
  EXPECT_EQ(hello_under("holds", host, "198.51.100.80", "shop.example"), "drop r");
  EXPECT_EQ(hello_under("contradicts", host, "198.51.100.80", "update.example"), "drop r");
}

TEST(SniBinding, SettlesWithTheHello) {
  Filter f("weir: 1\nrules: [ { name: r, match: { sni.binding: contradicts }, action: drop } ]");
  Connection c(f, "10.0.0.5", 52000, "198.51.100.80", 443);
  c.open();
  EXPECT_EQ(c.client(tls_hello("shop.example")), "pass");
  c.send(Side::Server, c.tcp(Side::Server, 0));
  c.send(Side::Client, c.tcp(Side::Client, 0));
  EXPECT_TRUE(f.settled());
}

TEST(Names, AreNotContradictedWhereSomeHadToGo) {
  SlabPool pool(1 << 20);
  state::Names names(64, pool);
  const Ip client = ip_of("10.0.0.5"), address = ip_of("198.51.100.80");
  using state::Claim;
  EXPECT_EQ(names.judge(client, address, "a", kSecond), Claim::Unlisted);
  for (std::size_t i = 0; i < state::Names::kPerAddress; ++i) names.learn(client, address, std::to_string(i), 300, kSecond);
  EXPECT_EQ(names.judge(client, address, "a", kSecond), Claim::Contradicts);
  names.learn(client, address, "one-more", 300, 2 * kSecond);
  EXPECT_EQ(names.judge(client, address, "a", 3 * kSecond), Claim::Unlisted) << "it may be the one that went";
  EXPECT_EQ(names.judge(client, address, "one-more", 3 * kSecond), Claim::Holds);
  EXPECT_EQ(names.judge(client, address, "a", 301 * kSecond + kMillisecond), Claim::Contradicts) << "it would have died by now";
  EXPECT_EQ(names.judge(client, address, "one-more", 400 * kSecond), Claim::Unlisted);
}

}  // namespace
}  // namespace weir::engine
