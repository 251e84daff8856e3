// SPDX-License-Identifier: Apache-2.0
// What is refused at the call (issue 5, item 4), live: the named executable and its children get EPERM, no packet leaves, others pass, and each
// refusal is told once with its rule and its process.

#include <gtest/gtest.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>

#include "datapath/host/packet_exits.h"
#include "datapath/host/who_program.h"
#include "tests/kit/filter.h"
#include "tests/kit/host_camp.h"

namespace weir::datapath {
namespace {

using namespace kit;

/// What came of each way to send: its name, or the error, in a form to compare.
std::string tried() {
  std::string out;
  const auto note = [&](const char* what, bool well) { out += std::string(out.empty() ? "" : " ") + what + (well ? "" : errno == EPERM ? "=EPERM" : "=" + std::to_string(errno)); };
  const sockaddr_in to = Camp::address();
  sockaddr_in any{};
  any.sin_family = AF_INET;
  const auto* const there = reinterpret_cast<const sockaddr*>(&to);
  const int datagrams = socket(AF_INET, SOCK_DGRAM, 0);
  note("send", sendto(datagrams, "x", 1, 0, there, sizeof to) == 1);
  note("connect", connect(datagrams, there, sizeof to) == 0);
  const int stream = socket(AF_INET, SOCK_STREAM, 0);
  note("bind", bind(stream, reinterpret_cast<const sockaddr*>(&any), sizeof any) == 0);
  const bool connects = connect(socket(AF_INET, SOCK_STREAM, 0), there, sizeof to) == 0 || errno == ECONNREFUSED;  // Nobody listens.
  note("stream", connects);
  const int icmp = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
  note("raw", icmp >= 0);
  const int any_protocol = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
  note("any", any_protocol >= 0);
  return out;
}

/// A camp with a filter's rules in the kernel. What children do is written to a file of the camp.
struct Guarded : Camp {
  std::shared_ptr<const policy::RuleSet> rules;
  std::uint32_t refusing = 0;

  void use(const std::string& text) {
    rules = rules_of("weir: 1\nzones: { here: { networks: [10.78.0.1/32] } }\n" + text);
    refusing = senders()->use(rules);
  }
  std::string try_all() {
    const std::string file = folder() + "/tried";
    std::filesystem::remove(file);
    run_here([&] {
      std::ofstream(file) << tried();
      return 0;
    });
    std::string out;
    std::getline(std::ifstream(file), out);
    while (!hear(0).text.empty()) {
    }
    return out;
  }
  /// "RULE call NAME" of each refusal since, sorted.
  std::vector<std::string> told() {
    std::vector<std::string> out;
    senders()->for_each_refused([&](const RefusedCall& call) {
      out.push_back(rules->policy().rules[call.rule].name + " " + std::string(call.call) + " " + std::string(call.sender->name));
    });
    std::sort(out.begin(), out.end());
    return out;
  }
};

#define OPEN_GUARDED(camp)                                       \
  WEIR_ENTER_LAB();                                              \
  Guarded camp;                                                  \
  if (!camp.why_not().empty()) GTEST_SKIP() << camp.why_not();   \
  camp.open({});                                                 \
  if (camp.senders() == nullptr) GTEST_SKIP() << camp.why_not(); \
  if (camp.senders()->program() == nullptr) GTEST_SKIP() << camp.senders()->remarks()[0]

TEST(RefusalsLive, TheNamedProgramMayNotEvenAsk) {
  OPEN_GUARDED(camp);
  EXPECT_EQ(camp.try_all(), "send connect bind stream raw any") << "without rules all of it works";
  camp.use("rules:\n  - { name: no, match: { process.path: " + camp.own_path() + " }, action: drop }\n");
  EXPECT_EQ(camp.refusing, 1U);
  EXPECT_EQ(camp.try_all(), "send=EPERM connect=EPERM bind=EPERM stream=EPERM raw=EPERM any=EPERM");
  const std::string name = camp.own_path().substr(camp.own_path().rfind('/') + 1);
  EXPECT_EQ(camp.told(), (std::vector<std::string>{"no bind " + name, "no connect " + name, "no connect " + name, "no send " + name, "no socket " + name, "no socket " + name}));
  EXPECT_TRUE(camp.told().empty()) << "each once";
  camp.use("rules: []\n");
  EXPECT_EQ(camp.try_all(), "send connect bind stream raw any") << "a reload takes it back";
}

TEST(RefusalsLive, ItsChildrenTooAndNobodyElse) {
  OPEN_GUARDED(camp);
  const std::string bad = camp.copy_of("/bin/bash", "verclsid"), child = camp.copy_of("/bin/bash", "innocent");
  camp.use("rules:\n  - { name: own, match: { process.path: " + bad + " }, action: drop }\n  - { name: children, match: { process.parent.path: " + bad +
           " }, action: drop }\n");
  EXPECT_EQ(camp.refusing, 2U);
  EXPECT_EQ(camp.run({bad, "-c", camp.say("x")}).text, "");
  EXPECT_EQ(camp.told(), std::vector<std::string>{"own connect verclsid"});
  EXPECT_EQ(camp.run({bad, "-c", child + " -c '" + camp.say("x") + "'; true"}).text, "");
  EXPECT_EQ(camp.told(), std::vector<std::string>{"children connect innocent"});
  EXPECT_EQ(camp.run({child, "-c", camp.say("x")}).text, "x");
  EXPECT_TRUE(camp.told().empty());
}

TEST(RefusalsLive, WhatRanBeforeTheStartAsWell) {
  WEIR_ENTER_LAB();
  Guarded camp;
  if (!camp.why_not().empty()) GTEST_SKIP() << camp.why_not();
  const std::string early = camp.copy_of("/bin/bash", "early");
  const pid_t pid = camp.start({early, "-c", "read -r line < " + camp.fifo() + "; " + camp.say("x")});
  while (std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/exe") != early) usleep(1000);
  camp.open({});
  if (camp.senders() == nullptr || camp.senders()->program() == nullptr) GTEST_SKIP() << "no program records processes here";
  camp.use("rules:\n  - { name: no, match: { process.path: " + early + " }, action: drop }\n");
  camp.write_fifo("go\n");
  EXPECT_NE(camp.wait_for(pid), 0);
  EXPECT_EQ(camp.told(), std::vector<std::string>{"no connect early"});
}

TEST(RefusalsLive, ByUserDestinationAndPort) {
  OPEN_GUARDED(camp);
  camp.use("rules:\n  - { name: agent, match: { user: daemon, to: 127.0.0.1 }, action: allow }\n"
           "  - { name: closed, match: { to: 127.0.0.1, port: 5599, ip.protocol: tcp }, action: reject }\n");
  EXPECT_EQ(camp.try_all(), "send connect bind stream=EPERM raw any");
  EXPECT_EQ(camp.told().size(), 1U);
  const std::string file = camp.folder() + "/as-daemon";
  camp.run_here([&] {
    std::ofstream out(file);
    if (setgid(1) != 0 || setuid(1) != 0) return 1;
    out << tried();
    return 0;
  });
  std::string as_daemon;
  std::getline(std::ifstream(file), as_daemon);
  EXPECT_EQ(as_daemon, "send connect bind stream raw=EPERM any=EPERM") << "only root makes raw sockets anyway";
  EXPECT_TRUE(camp.told().empty()) << "who is allowed is not refused";
}

// ---- Packet sockets: what they send passes by netfilter, and leaves by a device.

/// A frame by a packet socket, each in its own way. What came of it is seen at the far end.
int packets(bool bypass) {
  const int out = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));
  const int on = 1;
  if (bypass) {
    EXPECT_EQ(setsockopt(out, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on), 0);
  }
  return out;
}
bool sends(int by, const Layers& frame) {
  sockaddr_ll to{};
  to.sll_family = AF_PACKET;
  to.sll_ifindex = static_cast<int>(if_nametoindex("p0"));
  to.sll_halen = 6;
  const std::string bytes = frame.bytes();
  return sendto(by, bytes.data(), bytes.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to) == static_cast<ssize_t>(bytes.size());
}
Layers datagram() { return Eth() / Ipv4("10.78.0.1", "10.78.0.2") / Udp(40000, 9) / "by a packet socket"; }
Layers tagged() { return Eth() / Vlan(7) / Ipv4("10.78.0.1", "10.78.0.2") / Udp(40000, 9) / "by a packet socket"; }

struct Exits : Guarded {
  std::unique_ptr<FarEnd> far;
  std::unique_ptr<PacketExits> exits;

  void attach(bool links) {
    Lab::wires(1);
    far = std::make_unique<FarEnd>("h0");
    exits = std::make_unique<PacketExits>(senders()->program()->leaves_fd(true), senders()->program()->leaves_fd(false), links);
    exits->attend({{static_cast<int>(if_nametoindex("p0")), "p0", true}});
    EXPECT_TRUE(exits->refused_by().empty()) << exits->refused_by()[0];
  }
  /// How many of the frames arrive that a child of the test sends.
  std::size_t arrive(const std::function<void()>& child) {
    far->take();
    wait_for(start_here([&] {
      child();
      return 0;
    }));
    return far->take(20).size();
  }
};

class PacketSocketsLive : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Ways, PacketSocketsLive, testing::Values(true, false), [](const auto& tested) { return tested.param ? "Links" : "Filters"; });

#define OPEN_EXITS(camp)                                         \
  WEIR_ENTER_LAB();                                              \
  Exits camp;                                                    \
  if (!camp.why_not().empty()) GTEST_SKIP() << camp.why_not();   \
  camp.open({});                                                 \
  if (camp.senders() == nullptr) GTEST_SKIP() << camp.why_not(); \
  if (camp.senders()->program() == nullptr) GTEST_SKIP() << camp.senders()->remarks()[0]; \
  camp.attach(GetParam())

TEST_P(PacketSocketsLive, WhoMaySendNothingSendsNothingByThem) {
  OPEN_EXITS(camp);
  const auto all = [] {
    const int plain = packets(false), bypassing = packets(true);
    sends(plain, datagram()), sends(plain, tagged()), sends(plain, Eth() / ArpPacket()), sends(bypassing, datagram());
  };
  EXPECT_EQ(camp.arrive(all), 4U) << "without rules all of it works";
  camp.use("rules:\n  - { name: other, match: { process.path: /opt/other }, action: drop }\n");
  EXPECT_EQ(camp.arrive(all), 4U) << "who is not meant sends on";
  camp.use("rules:\n  - { name: no, match: { process.path: " + camp.own_path() + " }, action: drop }\n");
  EXPECT_TRUE(camp.senders()->program()->refuses_packets());
  EXPECT_EQ(camp.arrive(all), 0U);
  const std::string name = camp.own_path().substr(camp.own_path().rfind('/') + 1);
  EXPECT_EQ(camp.told(), (std::vector<std::string>(4, "no packet " + name)));
  camp.exits.reset();
  EXPECT_EQ(camp.arrive(all), 4U) << "nothing stays behind";
}

TEST_P(PacketSocketsLive, ASocketOfSomeoneElseDoesNotHelp) {
  OPEN_EXITS(camp);
  camp.use("rules:\n  - { name: no, match: { user: daemon }, action: drop }\n");
  const int passed_on = packets(false);  // Made by root, elsewhere.
  const auto by_daemon = [&] {
    EXPECT_TRUE(setgid(1) == 0 && setuid(1) == 0);
    sends(passed_on, datagram());
  };
  EXPECT_EQ(camp.arrive([&] { sends(passed_on, datagram()); }), 1U);
  EXPECT_EQ(camp.arrive(by_daemon), 0U);
  EXPECT_EQ(camp.told().size(), 1U);
  close(passed_on);
}

TEST_P(PacketSocketsLive, ByProtocolAndDestination) {
  OPEN_EXITS(camp);
  camp.use("rules:\n  - { name: udp, match: { process.path: " + camp.own_path() + ", ip.protocol: udp }, unless: [ { to: 10.78.0.2, port: 9 } ], action: drop }\n"
           "  - { name: metadata, match: { to: 169.254.169.254 }, action: drop }\n");
  const auto send_one = [&](const Layers& frame) { return camp.arrive([&] { sends(packets(false), frame); }); };
  EXPECT_EQ(send_one(datagram()), 1U);
  EXPECT_EQ(send_one(Eth() / Ipv4("10.78.0.1", "10.78.0.2") / Udp(40000, 10) / "another port"), 0U);
  EXPECT_EQ(send_one(Eth() / Vlan(7) / Ipv4("10.78.0.1", "10.78.0.3") / Udp(40000, 9) / "another host"), 0U);
  EXPECT_EQ(send_one(Eth() / ArpPacket()), 1U);
  EXPECT_EQ(send_one(Eth() / Ipv4("10.78.0.1", "169.254.169.254") / Tcp(40000, 80).flags("S")), 0U);
  EXPECT_EQ(send_one(Eth() / Ipv4("10.78.0.1", "10.78.0.2") / Tcp(40000, 80).flags("S")), 1U);
  EXPECT_EQ(send_one(Eth() / Ipv6("2001:db8::1", "2001:db8::2") / Udp(40000, 9) / "of IPv6"), 0U);
}

TEST(WhoProgramLive, WithoutPacketSocketsTheRestStillHolds) {
  WEIR_ENTER_LAB();
  Camp camp;
  if (!camp.why_not().empty()) GTEST_SKIP() << camp.why_not();
  auto program = WhoProgram::load({.cgroup = "/sys/fs/cgroup/unified" + camp.cgroup_path(), .packet_sockets = false});
  if (!program.ok()) GTEST_SKIP() << program.error().message;
  EXPECT_EQ((*program)->missing(), std::vector<std::string>{"setsockopt"});
  EXPECT_LT((*program)->leaves_fd(true), 0);
  PacketExits exits((*program)->leaves_fd(true), (*program)->leaves_fd(false));
  exits.attend({{static_cast<int>(if_nametoindex("lo")), "lo", true}});
  EXPECT_EQ(exits.refused_by().size(), 1U) << "and it is said";
}

}  // namespace
}  // namespace weir::datapath
