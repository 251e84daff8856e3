// SPDX-License-Identifier: Apache-2.0
// What the kernel stops in front of the engine, frame by frame, beside an engine that sees everything: what the kernel stops that engine stops too, by
// the same rule; what it lets through the engine behind it answers alike; and the counters are the same in the end.

#include "datapath/bridge/xdp_stops.h"

#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <time.h>

#include <functional>
#include <random>
#include <set>

#include "datapath/bridge/xdp_program.h"
#include "tests/kit/filter.h"
#include "tests/live/xdp_lab.h"

namespace weir::datapath {
namespace {

using namespace kit;

struct Alerts final : engine::EventSink {
  std::vector<engine::AlertRecord> all;
  void on_alert(const engine::AlertRecord& record) override { all.push_back(record); }
  void on_flow(const engine::FlowRecord&) override {}
  void on_transaction(const View&, std::uint64_t) override {}
  void on_released(const Decision&) override {}
};

constexpr Nanoseconds kWallBegins = 1'750'000'000 * kSecond;

Nanoseconds now_ns() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * kSecond + t.tv_nsec;
}

/// The program and an engine behind it; an engine alone beside them.
struct Pair {
  Pair(XdpProgram& loaded, std::string_view yaml) : program(loaded), stops(loaded, 4096, 1024) {
    Lab::wires(2);
    for (PortIndex i = 0; i < 2; ++i) {
      const std::string name = "p" + std::to_string(i);
      stops.devices.push_back(static_cast<int>(if_nametoindex(name.c_str())));
      const auto attached = program.attach(i, name, stops.devices.back());
      EXPECT_TRUE(attached.ok());
    }
    program.config().frame_max = 1518;
    program.config().beat_max_ms = 0;
    program.beat(now_ns());
    use(yaml);
  }
  ~Pair() {
    behind.reset();
    program.remove();
  }
  void use(std::string_view yaml) {
    rules = rules_of(yaml);
    engine::EngineOptions options = small_engine();
    options.checksums = engine::Checksums::Ignore;
    if (alone == nullptr) {
      alone = std::make_unique<engine::Engine>(options, rules, alone_said);
      options.stopper = &stops;
      behind = std::make_unique<engine::Engine>(options, rules, behind_said);
      return;
    }
    alone->reload(rules);
    behind->reload(rules);
  }

  /// "pass", "drop RULE", with "kernel" in front where the engine did not see it. Fails where the two differ.
  std::string send(const Layers& layers, PortIndex port = 0) {
    std::string bytes = layers.bytes();
    if (bytes.size() < 60) bytes.resize(60, '\0');
    const OwnedFrame owned(bytes, LinkType::Ethernet);
    const Time time{.mono_ns = now_ns(), .wall_ns = kWallBegins + now_ns()};
    Frame frame = owned.frame(++number, time);
    frame.port = port;
    Decision judged, seen;
    alone->on_frames({&frame, 1}, {&judged, 1});
    emitted = judged.emits_count == 0 ? std::string() : std::string(as_text(judged.emits[0].bytes));
    const bool stopped = kernel_stops(bytes, port);
    const std::string name = judged.rule < rules->rules().size() ? rules->policy().rules[judged.rule].name : std::string("default");
    const std::string word = judged.verdict == Verdict::Drop ? "drop " + name : judged.verdict == Verdict::Pass ? "pass" : "hold";
    if (stopped) {
      ++by_kernel;
      if (!budgets) {
        EXPECT_EQ(judged.verdict, Verdict::Drop) << "the kernel stopped frame " << number << ": " << word;
      }
      return "kernel " + word;
    }
    behind->on_frames({&frame, 1}, {&seen, 1});
    if (budgets) return word;
    EXPECT_EQ(seen.verdict, judged.verdict) << "frame " << number << ": " << word;
    EXPECT_EQ(seen.rule, judged.rule) << "frame " << number;
    return word;
  }
  bool kernel_stops(std::string& bytes, PortIndex port) {
    xdp_md context{};
    context.data_end = static_cast<std::uint32_t>(bytes.size());
    context.ingress_ifindex = static_cast<std::uint32_t>(stops.devices[port]);
    bpf_test_run_opts run{};
    run.sz = sizeof run;
    run.data_in = bytes.data();
    run.data_size_in = static_cast<std::uint32_t>(bytes.size());
    run.ctx_in = &context;
    run.ctx_size_in = sizeof context;
    run.repeat = 1;
    sent_back.resize(2048);
    run.data_out = sent_back.data();
    run.data_size_out = static_cast<std::uint32_t>(sent_back.size());
    EXPECT_EQ(bpf_prog_test_run_opts(program.program_fd(), &run), 0) << std::strerror(errno);
    sent_back.resize(run.retval == XDP_REDIRECT ? run.data_size_out : 0);
    return run.retval == XDP_DROP || run.retval == XDP_REDIRECT;
  }
  /// All that the kernel counted is told.
  void settle() {
    Nanoseconds at = now_ns();
    for (int i = 0; i < 2000; ++i) behind->on_time({.mono_ns = at += 4 * kMillisecond, .wall_ns = kWallBegins + at});
  }
  void expect_same_counts() {
    settle();
    EXPECT_EQ(behind->counters().packets, alone->counters().packets);
    EXPECT_EQ(behind->counters().dropped, alone->counters().dropped);
    for (std::size_t i = 0; i < rules->rules().size(); ++i)
      EXPECT_EQ(behind->counters().rules[i].packets, alone->counters().rules[i].packets) << rules->policy().rules[i].name;
  }

  XdpProgram& program;
  XdpStops stops;
  Alerts alone_said, behind_said;
  std::shared_ptr<const policy::RuleSet> rules;
  std::unique_ptr<engine::Engine> alone, behind;
  std::uint64_t number = 0, by_kernel = 0;
  std::string emitted, sent_back;  ///< With the last frame: by the engine alone; by the kernel.
  bool budgets = false;  ///< Of a flood other packets may be those that pass.
};

#define PAIR(pair, yaml)                                 \
  WEIR_ENTER_LAB();                                      \
  XdpOptions options_##pair;                             \
  options_##pair.pins = own_pins();                      \
  WEIR_NEEDS_XDP(options_##pair, program_##pair);        \
  Pair pair(*program_##pair, yaml)

Layers syn(std::string_view from, std::string_view to, std::uint16_t port, std::uint16_t from_port = 40000) {
  return Eth() / Ipv4(from, to) / Tcp(from_port, port).flags("S");
}

TEST(XdpStops, WhatABannedSourceSendsIsStoppedThere) {
  PAIR(p, "weir: 1\nrules: [ { name: b, match: { port: 23 }, action: { ban: source, for: 60s } } ]\n");
  EXPECT_EQ(p.send(syn("192.0.2.1", "198.51.100.80", 80)), "pass");
  EXPECT_EQ(p.send(syn("192.0.2.1", "198.51.100.80", 23)), "drop b") << "the ban begins";
  EXPECT_EQ(p.send(syn("192.0.2.1", "198.51.100.80", 81)), "drop b");
  EXPECT_EQ(p.send(syn("192.0.2.1", "198.51.100.80", 82)), "kernel drop b");
  EXPECT_EQ(p.send(Eth() / Ipv4("192.0.2.1", "198.51.100.9") / Udp(1, 2) / "x"), "kernel drop b");
  EXPECT_EQ(p.send(Eth() / Ipv4("192.0.2.1", "198.51.100.9") / Icmp(8, 0) / "x"), "kernel drop b");
  EXPECT_EQ(p.send(syn("192.0.2.2", "198.51.100.80", 82)), "pass") << "another";
  p.expect_same_counts();
  EXPECT_EQ(p.behind->counters().stopped_by_reason[static_cast<std::size_t>(Reason::Banned)], 4U);
}

TEST(XdpStops, AnUnbannedSourcePassesAtOnce) {
  PAIR(p, "weir: 1\nrules: [ { name: b, match: { port: 23 }, action: { ban: source, for: 60s } } ]\n");
  p.send(syn("192.0.2.1", "198.51.100.80", 23));
  p.send(syn("192.0.2.1", "198.51.100.80", 80));
  EXPECT_EQ(p.send(syn("192.0.2.1", "198.51.100.80", 80)), "kernel drop b");
  const state::BanKey key{state::BanKind::Source, 0, 0, ip_of("192.0.2.1")};
  EXPECT_TRUE(p.behind->unban(key));
  EXPECT_TRUE(p.alone->unban(key));
  EXPECT_EQ(p.send(syn("192.0.2.1", "198.51.100.80", 80)), "pass");
  p.expect_same_counts();
}

TEST(XdpStops, ABannedServerStillAnswers) {
  PAIR(p, "weir: 1\nrules: [ { name: b, match: { port: 23 }, action: { ban: source, for: 60s } } ]\n");
  p.send(syn("192.0.2.1", "198.51.100.80", 23));
  p.send(syn("192.0.2.1", "198.51.100.80", 80));
  EXPECT_EQ(p.send(syn("192.0.2.1", "198.51.100.80", 80)), "kernel drop b");
  EXPECT_EQ(p.send(Eth() / Ipv4("10.0.0.5", "192.0.2.1") / Udp(40000, 9000) / "?", 1), "pass");
  EXPECT_EQ(p.send(Eth() / Ipv4("192.0.2.1", "10.0.0.5") / Udp(9000, 40000) / "!"), "pass") << "it was asked";
  EXPECT_EQ(p.send(syn("192.0.2.1", "198.51.100.80", 80)), "drop b") << "by the engine, as long as that flow lives";
}

TEST(XdpStops, ABlocklistIsHeldThere) {
  PAIR(p, "weir: 1\nrules: [ { name: log-web, match: { port: 80, from: 10.0.0.0/8 }, action: alert }, { name: bad, match: { from: 192.0.2.0/24 }, action: drop } ]\n");
  EXPECT_EQ(p.send(syn("192.0.2.1", "198.51.100.80", 80)), "drop bad");
  EXPECT_EQ(p.send(syn("192.0.2.1", "198.51.100.80", 81)), "kernel drop bad");
  EXPECT_EQ(p.send(syn("192.0.2.1", "198.51.100.80", 81), 1), "drop bad") << "another port";
  EXPECT_EQ(p.send(Eth() / Ipv4("192.0.2.1", "198.51.100.80") / Tcp(1, 2).flags("SA")), "drop bad") << "whose direction is a guess";
  EXPECT_EQ(p.send(Eth() / Ipv4("192.0.2.1", "198.51.100.80") / Udp(1, 2) / "x"), "drop bad");
  EXPECT_EQ(p.send(Eth() / Vlan(7) / Ipv4("192.0.2.1", "198.51.100.80") / Tcp(1, 2).flags("S")), "drop bad") << "another VLAN";
  p.expect_same_counts();
}

TEST(XdpStops, ReloadedRulesAreAskedAgain) {
  PAIR(p, "weir: 1\nrules: [ { name: bad, match: { from: 192.0.2.0/24 }, action: drop } ]\n");
  p.send(syn("192.0.2.1", "198.51.100.80", 80));
  EXPECT_EQ(p.send(syn("192.0.2.1", "198.51.100.80", 81)), "kernel drop bad");
  p.use("weir: 1\nrules: [ { name: other, match: { from: 192.0.2.0/25, port: 80 }, action: drop }, { name: bad, match: { from: 192.0.2.7 }, action: drop } ]\n");
  EXPECT_EQ(p.send(syn("192.0.2.1", "198.51.100.80", 81)), "pass");
  p.settle();
  EXPECT_EQ(p.stops.sources_now(), 0U);
  EXPECT_EQ(p.behind->counters().rules[1].packets, p.alone->counters().rules[1].packets) << "what was stopped before counts for the rule under its new number";
}

TEST(XdpStops, AFloodIsHeldToItsBudgetAndTheRestPasses) {
  PAIR(p, "weir: 1\nguards: { flood: [ { what: syn, per: from, rate: 1/s, burst: 5 } ] }\n");
  for (std::uint16_t i = 0; i < 200; ++i) p.send(syn("192.0.2.1", "198.51.100.80", 80, static_cast<std::uint16_t>(1000 + i)));
  EXPECT_GT(p.by_kernel, 150U);
  EXPECT_EQ(p.send(syn("192.0.2.2", "198.51.100.80", 80)), "pass") << "its own budget";
  p.expect_same_counts();
  EXPECT_EQ(p.stops.budgets_now(), 1U);
}

TEST(XdpStops, AFloodFromForgedSourcesIsAFewEvents) {
  PAIR(p, "weir: 1\nguards: { flood: [ { what: syn, per: to, rate: 1/s, burst: 5 } ] }\n");
  for (unsigned i = 0; i < 2000; ++i)
    p.send(syn("198.18." + std::to_string(i / 250) + "." + std::to_string(1 + i % 250), "198.51.100.80", 80));
  EXPECT_GT(p.by_kernel, 1900U);
  p.settle();
  p.behind->finish();
  p.alone->finish();
  EXPECT_LE(p.behind_said.all.size(), 4U);
  EXPECT_LE(p.alone_said.all.size(), 4U) << "of the engine alone, too";
  std::uint64_t told = 0;
  for (const auto& alert : p.behind_said.all) told += alert.count;
  EXPECT_EQ(told, p.behind->counters().rules[0].packets) << "each packet is in one of them";
}

TEST(XdpStops, KnownClientsAreSpared) {
  PAIR(p, "weir: 1\nguards: { flood: [ { what: syn, per: to, rate: 1/s, burst: 5, spare: known } ] }\n");
  const std::string_view a = "10.0.0.5", b = "198.51.100.80";
  p.send(Eth() / Ipv4(a, b) / Tcp(40000, 80).flags("S").seq(1));
  p.send(Eth() / Ipv4(b, a) / Tcp(80, 40000).flags("SA").seq(9).ack(2), 1);
  p.send(Eth() / Ipv4(a, b) / Tcp(40000, 80).flags("A").seq(2).ack(10));
  for (unsigned i = 0; i < 100; ++i) p.send(syn("198.18.0." + std::to_string(1 + i), b, 80));
  EXPECT_GT(p.by_kernel, 50U);
  EXPECT_EQ(p.send(syn(a, b, 80, 40001)), "pass");
  EXPECT_EQ(p.send(syn("10.0.0.6", b, 80)), "kernel drop guard.flood") << "nobody knows this one";
}

/// Number that the answer in the frame acknowledges.
std::uint32_t acknowledged_in(std::string_view frame, std::size_t tcp_at) {
  return frame.size() < tcp_at + 20 ? 0 : load_be32(as_bytes(frame).data() + tcp_at + 8);
}

TEST(XdpStops, WhoSentASynIsAskedThereInTheEnginesWords) {
  PAIR(p, "weir: 1\nguards: { syn-cookies: { above: 1/s, ports: [80] } }\n");
  p.budgets = true;
  const auto over = [](const Layers& network, std::string_view flags, std::uint32_t seq) { return network / Tcp(40000, 80).flags(flags).seq(seq); };
  struct Way {
    std::string_view name;
    std::size_t tcp_at;
    std::function<Layers(unsigned)> from;
  };
  const Way ways[] = {{"IPv4", 34, [](unsigned i) -> Layers { return Eth() / Ipv4("198.18.0." + std::to_string(i), "198.51.100.80"); }},
                      {"IPv4 in a VLAN", 38, [](unsigned i) -> Layers { return Eth() / Vlan(7) / Ipv4("198.18.1." + std::to_string(i), "198.51.100.81"); }},
                      {"IPv6", 54, [](unsigned i) -> Layers { return Eth() / Ipv6("2001:db8::" + std::to_string(i), "2001:db8:1::80"); }}};
  for (const Way& way : ways) {
    SCOPED_TRACE(way.name);
    unsigned by_kernel = 0;
    for (unsigned i = 1; i < 60; ++i) {
      p.send(over(way.from(i), "S", i * 77'777'777));
      if (p.sent_back.empty()) continue;
      ++by_kernel;
      EXPECT_EQ(p.sent_back, p.emitted) << "byte for byte";
    }
    EXPECT_GT(by_kernel, 50U);
    p.send(over(way.from(99), "S", 123'456));
    const std::uint32_t acknowledged = acknowledged_in(p.sent_back, way.tcp_at);
    p.send(over(way.from(99), "S", 123'456));
    EXPECT_FALSE(p.sent_back.empty()) << "not yet proven";
    EXPECT_EQ(p.send(over(way.from(99), "R", acknowledged + 1)), "pass") << "no answer; of no flow";
    EXPECT_EQ(p.send(over(way.from(99), "R", acknowledged)), "drop guard.syn-cookies") << "by the engine";
    EXPECT_EQ(p.send(over(way.from(99), "S", 123'456 + 65536)), "kernel drop guard.syn-cookies") << "another SYN";
    EXPECT_EQ(p.send(over(way.from(99), "S", 123'456)), "pass");
  }
  EXPECT_EQ(p.behind->counters().senders_proven, 3U);
  p.settle();
  EXPECT_EQ(p.behind->counters().packets, p.alone->counters().packets);
}

TEST(XdpStops, AnswersAreNoFlood) {
  PAIR(p, "weir: 1\nguards: { flood: [ { what: udp, per: to, rate: 1/s, burst: 5 } ] }\n");
  EXPECT_EQ(p.send(Eth() / Ipv4("10.0.0.5", "198.51.100.80") / Udp(40000, 9000) / "?"), "pass");
  for (std::uint16_t i = 0; i < 100; ++i) p.send(Eth() / Ipv4("203.0.113.9", "10.0.0.5") / Udp(static_cast<std::uint16_t>(20000 + i), 40000) / "flood", 1);
  EXPECT_GT(p.by_kernel, 50U);
  EXPECT_EQ(p.send(Eth() / Ipv4("198.51.100.80", "10.0.0.5") / Udp(9000, 40000) / "!", 1), "pass");
}

/// Whatever comes, the kernel and the engine behind it answer as the engine alone does. Nobody answers what did not arrive.
struct Chance {
  std::mt19937 random;
  int fresh_to_bad = 0;         ///< Nobody speaks to the bad ones at first: who is spoken to is not stopped by its source.
  std::set<std::string> asked;  ///< Ends, turned round, of what passed.

  unsigned below(unsigned n) { return static_cast<unsigned>(random() % n); }
  template <std::size_t N>
  std::string_view of(const std::array<std::string_view, N>& all) {
    return all[below(N)];
  }
  /// Each asks under an id of its own.
  static Layers echo(bool six, bool asks, const std::string& from, const std::string& to) {
    const auto id = static_cast<std::uint16_t>(std::hash<std::string>{}(asks ? from : to));
    if (six) return Eth() / Ipv6(from, to) / Icmpv6(asks ? 128 : 129, 0).id(id) / "bytes";
    return Eth() / Ipv4(from, to) / Icmp(asks ? 8 : 0, 0).id(id) / "bytes";
  }
  void send(Pair& p) {
    static constexpr std::array<std::string_view, 8> kAddresses = {"192.0.2.1", "192.0.2.2", "192.0.2.130", "198.51.100.80",
                                                                   "10.0.0.5",  "10.0.0.6",  "10.0.1.7",    "203.0.113.9"};
    static constexpr std::array<std::string_view, 4> kSix = {"2001:db8::1", "2001:db8::2", "2001:db8:1::1", "2001:db8:2::9"};
    static constexpr std::array<std::string_view, 6> kFlags = {"S", "A", "R", "PA", "SE", "S"};
    const bool six = below(4) == 0;
    const std::string from(six ? of(kSix) : of(kAddresses)), to(six ? of(kSix) : of(kAddresses));
    if (from == to || (to.starts_with("192.0.2.") && fresh_to_bad++ < 3000)) return;  // Who is spoken to is not stopped there.
    const unsigned kind = below(12);
    const std::uint16_t client = static_cast<std::uint16_t>(40000 + below(4)), server = below(3) == 0 ? std::uint16_t{23} : std::uint16_t{9000};
    const auto tcp = [&](Tcp layer) -> Layers { return six ? Eth() / Ipv6(from, to) / layer : Eth() / Ipv4(from, to) / layer; };
    const auto udp = [&](Udp layer) -> Layers { return six ? Eth() / Ipv6(from, to) / layer / "bytes" : Eth() / Ipv4(from, to) / layer / "bytes"; };
    const PortIndex port = below(2) == 0 ? PortIndex{0} : PortIndex{1};
    if (kind < 5) {
      // A server's own SYN on its client's connection (both open at once) would be taken for a client's.
      const bool back = below(4) == 0;
      p.send(tcp(Tcp(back ? server : client, back ? client : server).flags(back ? "SA" : of(kFlags))), port);
    } else if (kind < 9) {
      const std::string way = from + " " + to + " " + std::to_string(client) + " " + std::to_string(server);
      const bool back = asked.contains(way);
      if (p.send(udp(Udp(back ? server : client, back ? client : server)), port) == "pass" && !back)
        asked.insert(to + " " + from + " " + std::to_string(client) + " " + std::to_string(server));
    } else if (kind == 9) {
      p.send(echo(six, true, from, to), port);
    } else if (kind == 10) {
      p.send(echo(six, false, from, to), port);
    } else if (!six) {
      p.send(Eth() / Ipv4(from, to).offset(1480).more().protocol(17).id(static_cast<std::uint16_t>(random())) / "some bytes of a datagram", port);
    }
  }
};

class XdpStopsAgree : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(
    Policies, XdpStopsAgree,
    testing::Values(
        "rules: [ { name: b, match: { port: 23 }, action: { ban: source, for: 1s } } ]",
        "rules: [ { name: b, match: { port: 23 }, action: { ban: destination, for: 10ms } }, { name: bad, match: { from: 192.0.2.0/25 }, action: drop } ]",
        "rules: [ { name: bad, match: { from: 192.0.2.0/25 }, action: drop }, { name: six, match: { from: '2001:db8:1::/48' }, action: drop } ]",
        "rules: [ { name: good, match: { from: 192.0.2.1, port: 9000 }, action: allow }, { name: bad, match: { peer: 192.0.2.0/24 }, action: drop } ]",
        "rules: [ { name: tell, match: { to: 10.0.0.5, ip.protocol: tcp, port: 23 }, action: alert }, { name: bad, match: { from: 192.0.2.0/24 }, action: drop } ]",
        "rules: [ { name: bad, match: { from: 192.0.2.0/24 }, unless: [ { src.ip: 192.0.2.2 } ], action: drop } ]\ndefault: drop",
        "guards: { scan: true, tcp-state: true }\n"
        "rules: [ { name: b, match: { port: 23 }, action: { ban: source, for: 20s } }, { name: bad, match: { from: 192.0.2.0/24 }, action: drop } ]"));

TEST_P(XdpStopsAgree, WithTheEngineWhateverComes) {
  PAIR(p, std::string("weir: 1\n") + GetParam() + "\n");
  Chance chance{std::mt19937{7}, 0, {}};
  for (int i = 0; i < 6000 && !HasFailure(); ++i) chance.send(p);
  EXPECT_GT(p.by_kernel, 50U);
  p.settle();
  EXPECT_EQ(p.behind->counters().packets, p.alone->counters().packets);
  EXPECT_EQ(p.behind->counters().dropped, p.alone->counters().dropped);
  std::uint64_t each = 0;
  for (const auto& rule : p.behind->counters().rules) each += rule.packets;
  EXPECT_GE(each, p.behind->counters().dropped) << "each packet was stopped under a name";
}

class XdpBudgetsAgree : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Policies, XdpBudgetsAgree,
                         testing::Values("{ what: syn, per: from, rate: 50/s, burst: 5 }, { what: syn, per: to, rate: 80/s, burst: 9, spare: known }",
                                         "{ what: syn, per: [from, port], rate: 2/s, burst: 1 }",
                                         "{ what: udp, per: [from, to, port], rate: 20/s, burst: 5 }, { what: icmp, per: to, rate: 10/s, burst: 3 }",
                                         "{ what: fragments, per: from/24, rate: 9/s, burst: 2 }, { what: icmp, per: ip.protocol, rate: 900 bytes/s, burst: 200 }"));

TEST_P(XdpBudgetsAgree, AsMuchPassesAsTheEngineAlonePasses) {
  PAIR(p, std::string("weir: 1\nguards: { flood: [ ") + GetParam() + " ] }\n");
  p.budgets = true;
  Chance chance{std::mt19937{7}, 0, {}};
  for (int i = 0; i < 8000; ++i) chance.send(p);
  EXPECT_GT(p.by_kernel, 20U);
  p.settle();
  const auto &behind = p.behind->counters(), &alone = p.alone->counters();
  EXPECT_EQ(behind.packets, alone.packets);
  EXPECT_NEAR(static_cast<double>(behind.passed), static_cast<double>(alone.passed), 10 + 0.02 * static_cast<double>(alone.dropped));
}

}  // namespace
}  // namespace weir::datapath
