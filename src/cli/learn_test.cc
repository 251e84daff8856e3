// SPDX-License-Identifier: Apache-2.0
// weir learn: what is proposed for a capture, that it passes all of that capture and nothing beside it, and how lists collapse.

#include <gtest/gtest.h>
#include <unistd.h>

#include "cli/convo/conversation.h"
#include "cli/learn/rehearsal.h"
#include "cli/trial.h"
#include "datapath/capture/pcap_writer.h"
#include "policy/check.h"
#include "policy/document.h"
#include "tests/kit/packet.h"

namespace weir::cli {
namespace {

using kit::ip_of;

constexpr std::string_view kOffice = R"(
client 10.0.0.5   other 10.0.0.6   resolver 10.0.0.53   shop 198.51.100.80   mail 198.51.100.25
0.000  client:40000 > resolver:53  udp dns? A www.shop.example
0.004  resolver:53 > client:40000  udp dns! A www.shop.example 198.51.100.80
0.100  client:40002 > shop:443  tcp open
0.200  client:40002 > shop:443  tcp tls-hello www.shop.example
0.300  shop:443 > client:40002  tcp tls-server-hello 1.2
1.000  client:40004 > shop:80  tcp open
1.100  client:40004 > shop:80  tcp http? GET / www.shop.example
1.200  shop:80 > client:40004  tcp http! 200 "ok"
2.000  other:40006 > mail:25  tcp open
2.100  mail:25 > other:40006  tcp "220 mail.example ESMTP\r\n"
2.200  other:40006 > mail:25  tcp "EHLO other.example\r\n"
3.000  client > shop  icmp echo-request 56
3.010  shop > client  icmp echo-reply 56
4.000  client:40008 > 203.0.113.9:50123  tcp open
4.100  client:40008 > 203.0.113.9:50123  tcp "\x01\x02\x03\x04what is this"
)";

Convo convo_of(std::string_view text) {
  Convo convo = parse_convo(text);
  EXPECT_TRUE(convo.mistakes.empty()) << convo.mistakes[0].message;
  return convo;
}

/// A capture of the conversation, for as long as it lives.
class CaptureOf {
 public:
  explicit CaptureOf(std::string_view text) {
    const int fd = mkstemp(path_);
    EXPECT_GE(fd, 0);
    ::close(fd);
    auto writer = datapath::PcapWriter::open(path_, {.nanoseconds = true});
    EXPECT_TRUE(writer.ok());
    for (const Step& step : convo_of(text).steps) {
      Frame frame;
      frame.bytes = as_bytes(step.frame);
      frame.wire_bytes = static_cast<std::uint32_t>(step.frame.size());
      frame.time.wall_ns = 1'704'067'200 * kSecond + step.at_ns;
      writer->write(frame);
    }
    EXPECT_TRUE(writer->close().ok());
  }
  ~CaptureOf() { ::unlink(path_); }
  CaptureOf(const CaptureOf&) = delete;
  CaptureOf& operator=(const CaptureOf&) = delete;
  std::string path() const { return path_; }

 private:
  char path_[32] = "/tmp/weir-learn-XXXXXX";
};

Learned learn(std::string_view convo, const policy::Policy* base = nullptr) {
  const CaptureOf capture(convo);
  auto learned = learn_from({.captures = {{capture.path(), ""}}, .base = base, .flows_max = 4096});
  EXPECT_TRUE(learned.ok());
  return *learned;
}

/// The rules' own lines.
std::string rules_of(const std::string& text) {
  std::string out;
  for (std::size_t at = text.find("rules:"); at != std::string::npos && at < text.size();) {
    const std::size_t end = text.find('\n', at);
    const std::string line = text.substr(at, end - at);
    if (line.starts_with("  - ")) out += line.substr(4) + "\n";
    at = end + 1;
  }
  return out;
}

/// What `weir check` would say.
std::string checked(const std::string& text) {
  auto loaded = policy::load_policy_text("learned.yaml", text, engine::vocabulary());
  if (loaded.policy) loaded.diagnostics.append(policy::check_policy(*loaded.policy, engine::vocabulary()));
  return policy::render(loaded.diagnostics);
}

std::size_t stopped(const std::string& policy, std::string_view convo) {
  const auto rules = behind(nullptr, policy);
  const Trial trial = run_trial(rules, Traffic::of_convo(convo_of(convo), rules->policy()));
  return static_cast<std::size_t>(std::count_if(trial.answers.begin(), trial.answers.end(), [](const Answer& a) { return a.verdict == Verdict::Drop; }));
}

TEST(Learn, ProposesWhatTheEvidenceNamesAndNoMore) {
  const Learned learned = learn(kOffice);
  EXPECT_EQ(learned.stopped, 0U);
  EXPECT_EQ(learned.flows, 6U);
  EXPECT_EQ(rules_of(learned.text),
            R"({ name: "dns-53", match: { from: 10.0.0.5, to: 10.0.0.53, app.protocol: dns, ip.protocol: udp, port: 53 }, action: allow }
{ name: "http-www.shop.example-80", match: { from: 10.0.0.5, server.name: www.shop.example, app.protocol: http, ip.protocol: tcp, port: 80 }, action: allow }
{ name: "icmp-echo-request", match: { from: 10.0.0.5, to: 198.51.100.80, ip.protocol: icmp, icmp.type: [echo-reply, echo-request] }, action: allow }
{ name: "smtp-25", match: { from: 10.0.0.6, to: 198.51.100.25, app.protocol: smtp, ip.protocol: tcp, port: 25 }, action: allow }
{ name: "tcp", match: { from: 10.0.0.5, to: 203.0.113.9, ip.protocol: tcp, port: 32768-65535 }, action: allow }
{ name: "tls-www.shop.example-443", match: { from: 10.0.0.5, server.name: www.shop.example, app.protocol: tls, ip.protocol: tcp, port: 443 }, action: allow }
)");
  EXPECT_NE(learned.text.find("  # 1 flow, 5 packets, 443 bytes; 2024-01-01T00:00:00Z to 2024-01-01T00:00:00Z\n"
                              "  # such as 10.0.0.5:40002 > 198.51.100.80:443 tcp\n"), std::string::npos) << learned.text;
}

TEST(Learn, ChecksWithoutWarnings) { EXPECT_EQ(checked(learn(kOffice).text), ""); }

TEST(Learn, TheSameEvidenceMakesTheSameText) { EXPECT_EQ(rules_of(learn(kOffice).text), rules_of(learn(kOffice).text)); }

TEST(Learn, WhatWasNotSeenIsStopped) {
  const std::string policy = learn(kOffice).text;
  EXPECT_EQ(stopped(policy, kOffice), 0U);
  EXPECT_EQ(stopped(policy, "client 10.0.0.5 shop 198.51.100.80\nclient:41000 > shop:22 tcp S\n"), 1U) << "another port";
  EXPECT_EQ(stopped(policy, "client 10.0.0.7 shop 198.51.100.80\nclient:41000 > shop:443 tcp S\n"), 1U) << "another client";
  EXPECT_GT(stopped(policy, "client 10.0.0.5 shop 198.51.100.80\nclient:41000 > shop:443 tcp open\nclient:41000 > shop:443 tcp tls-hello other.example\n"), 0U);
  EXPECT_GT(stopped(policy, "client 10.0.0.5 shop 198.51.100.80\nclient:41000 > shop:443 tcp open\nclient:41000 > shop:443 tcp \"SSH-2.0-x\\r\\n\"\n"), 0U);
}

TEST(Learn, AFlowThatWasUnderWayIsDescribedByItsHeaders) {
  constexpr std::string_view kMiddle = "client 10.0.0.5 shop 198.51.100.80\nclient:40000 > shop:443 tcp PA \"....\"\nshop:443 > client:40000 tcp PA \"....\"\n";
  const Learned learned = learn(kMiddle);
  EXPECT_EQ(learned.stopped, 0U);
  EXPECT_EQ(rules_of(learned.text), "{ name: \"tcp-443\", match: { from: 10.0.0.5, to: 198.51.100.80, ip.protocol: tcp, port: 443 }, action: allow }\n");
}

TEST(Learn, WhatTheBaseAllowsOrDeniesIsNotProposed) {
  auto base = policy::load_policy_text("base.yaml", R"(weir: 1
default: drop
rules:
  - { name: dns, match: { app.protocol: dns, to: 10.0.0.53 }, action: allow }
  - { name: no-mail, match: { port: 25 }, action: drop }
)", engine::vocabulary());
  ASSERT_TRUE(base.policy.has_value());
  const Learned learned = learn(kOffice, &*base.policy);
  EXPECT_EQ(learned.covered, 1U);
  EXPECT_EQ(learned.denied, 1U);
  const std::string rules = rules_of(learned.text);
  EXPECT_EQ(rules.find("dns"), std::string::npos) << rules;
  EXPECT_EQ(rules.find("smtp"), std::string::npos) << rules;
  EXPECT_NE(rules.find("tls-www.shop.example-443"), std::string::npos) << rules;
  EXPECT_EQ(learned.text.find("\ndefault:"), std::string::npos) << "an included file has none";
  EXPECT_EQ(checked(learned.text), "");
}

// ---- what is put together

Atom atom(std::string_view client, std::string_view server, std::uint16_t port, std::string name = {}, std::string_view app = "tls") {
  Atom a;
  a.client = ip_of(client);
  a.server = ip_of(server);
  a.port = port;
  a.protocol = ip_protocol::kTcp;
  a.name = std::move(name);
  if (!app.empty()) a.chain = {*engine::vocabulary().app(app)};
  a.tally = {1, 10, 1000, kSecond, 2 * kSecond, {a.client, a.server, 40000, port, a.protocol}};
  return a;
}

std::string proposed(const std::vector<Atom>& atoms) {
  const std::string text = render(propose(atoms, {}), {});
  EXPECT_EQ(checked(text), "");
  std::string out = rules_of(text);
  std::string matches;
  for (std::size_t at = 0; (at = out.find("match: { ", at)) != std::string::npos;) {
    const std::size_t end = out.find(" }, action", at);
    matches += out.substr(at + 9, end - at - 9) + "\n";
    at = end;
  }
  return matches;
}

TEST(Proposal, AThousandAddressesOfOneNameAreTheName) {
  std::vector<Atom> atoms;
  for (int i = 0; i < 1000; ++i) atoms.push_back(atom("10.0.0.5", "198." + std::to_string(i / 200) + "." + std::to_string(i % 200) + ".7", 443, "cdn.example"));
  EXPECT_EQ(proposed(atoms), "from: 10.0.0.5, server.name: cdn.example, app.protocol: tls, ip.protocol: tcp, port: 443\n");
}

TEST(Proposal, ManyHostsOfOneNetworkAreTheNetwork) {
  std::vector<Atom> atoms;
  for (int i = 1; i <= 8; ++i) atoms.push_back(atom("10.0.0." + std::to_string(i), "198.51.100.80", 443));
  EXPECT_NE(proposed(atoms).find("10.0.0.8]"), std::string::npos) << "eight are written out";
  atoms.push_back(atom("10.0.0.9", "198.51.100.80", 443));
  EXPECT_EQ(proposed(atoms), "from: 10.0.0.0/24, to: 198.51.100.80, app.protocol: tls, ip.protocol: tcp, port: 443\n");
  for (int i = 1; i <= 9; ++i) atoms.push_back(atom("10.0.1." + std::to_string(i), "198.51.100.80", 443));
  EXPECT_EQ(proposed(atoms), "from: [10.0.0.0/24, 10.0.1.0/24], to: 198.51.100.80, app.protocol: tls, ip.protocol: tcp, port: 443\n");
}

TEST(Proposal, ManyNamesOfOneDomainAreTheDomain) {
  std::vector<Atom> atoms;
  for (const char* host : {"a", "b", "c", "d"}) atoms.push_back(atom("10.0.0.5", "198.51.100.80", 443, std::string(host) + ".shop.co.uk"));
  EXPECT_EQ(proposed(atoms), "from: 10.0.0.5, server.name: [a.shop.co.uk, b.shop.co.uk, c.shop.co.uk, d.shop.co.uk], app.protocol: tls, ip.protocol: tcp, port: 443\n");
  atoms.push_back(atom("10.0.0.5", "198.51.100.80", 443, "e.shop.co.uk"));
  EXPECT_EQ(proposed(atoms), "from: 10.0.0.5, server.name: .shop.co.uk, app.protocol: tls, ip.protocol: tcp, port: 443\n");
}

TEST(Proposal, EphemeralPortsAreNeverNamed) {
  EXPECT_EQ(proposed({atom("10.0.0.5", "198.51.100.80", 51413, "", "bittorrent")}),
            "from: 10.0.0.5, to: 198.51.100.80, app.protocol: bittorrent, ip.protocol: tcp, port: 32768-65535\n");
  Atom again = atom("10.0.0.5", "198.51.100.80", 51820, "", "");
  again.tally.flows = 3;
  EXPECT_EQ(proposed({again}), "from: 10.0.0.5, to: 198.51.100.80, ip.protocol: tcp, port: 51820\n") << "met again and again: a service";
}

TEST(Proposal, WhatAWiderRuleCoversIsNotWritten) {
  Atom narrow = atom("10.0.0.5", "198.51.100.80", 443), wide = atom("10.0.0.5", "198.51.100.80", 443);
  wide.closeness = Closeness::Headers;
  const auto all = propose(std::vector<Atom>{narrow, wide}, {});
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].app, kNoApp);
  EXPECT_EQ(all[0].tally.flows, 2U);
}

TEST(Proposal, AProcessTellsWhoOnItsOwnHost) {
  Atom own = atom("10.0.0.5", "198.51.100.80", 443, "shop.example"), served = atom("192.0.2.9", "10.0.0.5", 22, "", "ssh");
  own.process = "/usr/bin/fire*fox";
  own.own = true;
  served.process = "/usr/sbin/sshd";
  EXPECT_EQ(proposed({own, served}),
            "process.path: { exact: \"/usr/bin/fire*fox\" }, server.name: shop.example, app.protocol: tls, ip.protocol: tcp, port: 443\n"
            "process.path: \"/usr/sbin/sshd\", from: 192.0.2.9, to: 10.0.0.5, app.protocol: ssh, ip.protocol: tcp, port: 22\n");
}

TEST(Proposal, NamesThatCouldBeTakenForOtherWordsAreQuoted) {
  EXPECT_EQ(proposed({atom("10.0.0.5", "198.51.100.80", 443, "no")}), "from: 10.0.0.5, server.name: \"no\", app.protocol: tls, ip.protocol: tcp, port: 443\n");
}

}  // namespace
}  // namespace weir::cli
