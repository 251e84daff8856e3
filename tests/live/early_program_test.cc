// SPDX-License-Identifier: Apache-2.0
// What stands in front of a host's packet sockets against the engine itself: policies at random, packets at random, both answer. The
// program may let by what the engine stops, never the other way round. Nothing is attached: the kernel runs the program on each packet.

#include "datapath/host/early_program.h"

#include <bpf/bpf.h>
#include <gtest/gtest.h>

#include "tests/kit/filter.h"
#include "tests/kit/lab.h"
#include "tests/kit/random_policy.h"

namespace weir::datapath {
namespace {

using namespace kit;

#define WEIR_NEEDS_EARLY(program)                                             \
  auto loaded_##program = EarlyProgram::load();                               \
  if (!loaded_##program.ok()) GTEST_SKIP() << loaded_##program.error().message; \
  const std::unique_ptr<EarlyProgram> program = std::move(*loaded_##program)

bool stopped_early(const EarlyProgram& program, const std::string& frame) {
  constexpr unsigned kDrop = 1;  // XDP_DROP
  bpf_test_run_opts run{};
  run.sz = sizeof run;
  run.data_in = frame.data();
  run.data_size_in = static_cast<unsigned>(frame.size());
  run.repeat = 1;
  EXPECT_EQ(bpf_prog_test_run_opts(program.program_fd(), &run), 0) << std::strerror(errno);
  return run.retval == kDrop;
}

std::string packet_at_random(RandomPolicy& r) {
  static constexpr std::string_view kV4[] = {"10.0.0.5", "10.9.0.7", "192.168.1.10", "198.51.100.53", "8.8.8.8", "203.0.113.9", "10.0.7.1", "169.254.7.7"};
  static constexpr std::string_view kV6[] = {"fd00::5", "2001:db8::9", "2001:470::1", "fe80::9"};
  static constexpr std::uint16_t kPorts[] = {53, 80, 443, 445, 4444, 40000, 40001, 1023, 65535, 22};
  static constexpr std::string_view kFlags[] = {"S", "SA", "A", "PA", "FA", "RA", "R", "", "FPU"};
  const bool v6 = r.chance(4);
  const std::string_view from = v6 ? kV6[r.pick(4)] : kV4[r.pick(8)], to = v6 ? kV6[r.pick(4)] : kV4[r.pick(8)];
  const std::uint16_t src = kPorts[r.pick(10)], dst = kPorts[r.pick(10)];
  const auto over_ip = [&](const auto& inner) { return v6 ? (Eth() / Ipv6(from, to) / inner).bytes() : (Eth() / Ipv4(from, to) / inner).bytes(); };
  switch (r.pick(5)) {
    case 0: case 1: return over_ip(Tcp(src, dst).flags(kFlags[r.pick(9)]));
    case 2: return v6 ? over_ip(Icmpv6()) : over_ip(Icmp());
    default: return v6 ? (Eth() / Ipv6(from, to) / Udp(src, dst) / "hello").bytes() : (Eth() / Ipv4(from, to) / Udp(src, dst) / "hello").bytes();
  }
}

TEST(EarlyProgram, StopsNothingThatTheEngineLetsBy) {
  WEIR_ENTER_LAB();
  WEIR_NEEDS_EARLY(program);
  std::size_t stopped = 0, by_engine = 0;
  for (std::uint32_t seed = 1; seed <= 100; ++seed) {
    RandomPolicy r(seed);
    const std::string yaml = r.yaml(seed % 3 == 0);
    const auto rules = rules_of(yaml);
    program->use(lower_early_rules(*rules));
    for (int i = 0; i < 40; ++i) {
      const std::string frame = packet_at_random(r);
      const bool early = stopped_early(*program, frame);
      Filter f(rules, small_engine());
      const std::string answer = f.send(frame);
      by_engine += answer.starts_with("drop") ? 1 : 0;
      stopped += early ? 1 : 0;
      ASSERT_TRUE(!early || answer.starts_with("drop")) << "seed " << seed << ", packet " << i << ": the engine says " << answer << '\n' << yaml;
    }
  }
  EXPECT_GT(stopped, 150U) << "of " << by_engine << " that the engine stops: the test must be able to fail";
}

TEST(EarlyProgram, StopsWhatHeadersAloneDeny) {
  WEIR_ENTER_LAB();
  WEIR_NEEDS_EARLY(program);
  const struct {
    std::string_view what, rules;
    Layers packet;
    bool stopped;
  } kCases[] = {
      {"a datagram to a port", "rules: [ { name: r, match: { port: 4444 }, action: drop } ]", Eth() / Ipv4() / Udp(40000, 4444), true},
      {"another port", "rules: [ { name: r, match: { port: 4444 }, action: drop } ]", Eth() / Ipv4() / Udp(40000, 4445), false},
      {"an exception", "rules: [ { name: r, match: { port: 4444 }, unless: [ { from: 10.0.0.0/8 } ], action: drop } ]",
       Eth() / Ipv4("10.0.0.5", "192.0.2.1") / Udp(40000, 4444), false},
      {"a rule before it that may let it by", "rules: [ { name: a, match: { app.protocol: dns }, action: allow }, { name: r, match: { port: 4444 }, action: drop } ]",
       Eth() / Ipv4() / Udp(40000, 4444), false},
      {"a rule before it that may stop it", "rules: [ { name: a, match: { app.protocol: dns }, action: drop }, { name: r, match: { port: 4444 }, action: drop } ]",
       Eth() / Ipv4() / Udp(40000, 4444), true},
      {"a process that nobody knows yet", "rules: [ { name: a, match: { process.name: sshd }, action: allow }, { name: r, match: { port: 22 }, action: drop } ]",
       Eth() / Ipv4() / Tcp(40000, 22).flags("S"), false},
      {"the default", "default: drop\nessential: false", Eth() / Ipv4() / Tcp(40000, 7000).flags("S"), true},
      {"the default, and an answer that could be let by", "default: drop\nessential: false\nrules: [ { name: r, match: { from: 10.0.0.0/8 }, action: allow } ]",
       Eth() / Ipv4("192.0.2.53", "10.0.0.5") / Udp(53, 40000), false},
      {"a ping", "rules: [ { name: r, match: { icmp.type: echo-request }, action: drop } ]", Eth() / Ipv4() / Icmp(), true},
      {"a fragment", "rules: [ { name: r, match: { port: 4444 }, action: drop } ]", Eth() / Ipv4().more() / Udp(40000, 4444), false},
      {"a policy that only watches", "mode: monitor\nrules: [ { name: r, match: { port: 4444 }, action: drop } ]", Eth() / Ipv4() / Udp(40000, 4444), false},
      {"IPv6", "rules: [ { name: r, match: { to: 'fd00::/8' }, action: drop } ]", Eth() / Ipv6("2001:db8::1", "fd00::5") / Udp(40000, 4444), true},
      {"a zone", "zones: { here: { networks: [10.0.0.5/32] } }\nrules: [ { name: r, match: { to: here }, action: drop } ]",
       Eth() / Ipv4("192.0.2.1", "10.0.0.5") / Tcp(40000, 80).flags("S"), true},
      {"a segment of no connection, its ends turned", "rules: [ { name: r, match: { to: 192.0.2.1/32, port: 40000 }, action: drop } ]",
       Eth() / Ipv4("192.0.2.1", "10.0.0.5") / Tcp(40000, 41000).flags("A"), true},
  };
  for (const auto& c : kCases) {
    const auto rules = rules_of("weir: 1\n" + std::string(c.rules));
    program->use(lower_early_rules(*rules));
    EXPECT_EQ(stopped_early(*program, (c.packet / "OPEN-SESAME").bytes()), c.stopped) << c.what;
  }
}

TEST(EarlyProgram, GivesTheEngineACopyOfWhatItStopped) {
  WEIR_ENTER_LAB();
  WEIR_NEEDS_EARLY(program);
  program->use(lower_early_rules(*rules_of("weir: 1\nrules: [ { name: r, match: { port: 4444 }, action: drop } ]")));
  const std::string frame = (Eth() / Ipv4() / Udp(40000, 4444) / "OPEN-SESAME").bytes();
  ASSERT_TRUE(stopped_early(*program, frame));
  ASSERT_TRUE(stopped_early(*program, frame));
  const auto copies = program->take(1);
  ASSERT_EQ(copies.size(), 1U);
  EXPECT_EQ(as_text(copies[0].bytes), frame.substr(14)) << "from the IP header on";
  EXPECT_EQ(program->take(64).size(), 1U);
  EXPECT_EQ(program->stopped(), 2U);
  program->pause(true);
  EXPECT_FALSE(stopped_early(*program, frame));
}

TEST(EarlyProgram, LetsExpectedFlowsByTheDefault) {
  WEIR_ENTER_LAB();
  WEIR_NEEDS_EARLY(program);
  program->use(lower_early_rules(*rules_of("weir: 1\ndefault: drop\nessential: false")));
  const std::string frame = (Eth() / Ipv4("192.0.2.21", "10.0.0.5") / Tcp(20, 50000).flags("S")).bytes();
  EXPECT_TRUE(stopped_early(*program, frame));
  program->expect(*parse_ip("192.0.2.21"), *parse_ip("10.0.0.5"), 50000, ip_protocol::kTcp);
  EXPECT_FALSE(stopped_early(*program, frame));
}

}  // namespace
}  // namespace weir::datapath
