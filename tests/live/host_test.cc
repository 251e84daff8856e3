// SPDX-License-Identifier: Apache-2.0
// A host's own traffic in a namespace of its own: the peer is the far end of a wire, which the test drives by hand.

#include "datapath/host/queue_host.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/if_packet.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "datapath/bridge/port_device.h"
#include "service/service.h"
#include "tests/kit/filter.h"
#include "tests/kit/lab.h"
#include "tests/kit/talk.h"

namespace weir::datapath {
namespace {

using namespace kit;

constexpr std::string_view kHere = "10.77.0.1", kThere = "10.77.0.2", kPeerMac = "02:00:00:00:00:02";
constexpr std::string_view kPolicy = R"(weir: 1
rules:
  - { name: no-9, match: { port: 9 }, action: drop }
  - { name: refused, match: { port: 81 }, action: reject }
  - { name: no-knocks, match: { port: 4444, to: 10.77.0.1/32 }, action: drop }
)";

/// p0 is the host's device, h0 the peer's end.
void wire_host() {
  Lab::wires(1);
  EXPECT_TRUE(sh("ip addr add 10.77.0.1/24 dev p0 && ip neigh add 10.77.0.2 lladdr 02:00:00:00:00:02 dev p0"));
  Lab::no_offloads("p0");
}

struct Host {
  explicit Host(FailMode fail = FailMode::Closed, std::string_view yaml = kPolicy) {
    auto opened = QueueHost::open({.ports = {"lo", "p0"}, .fail = fail, .flows_max = 4096, .senders = false});
    if (!opened.ok()) {
      why = opened.error().message;
      return;
    }
    path = std::move(*opened);
    rules = rules_of(yaml);
    path->use(rules);
    engine::EngineOptions options = small_engine();
    options.carrier = path->carrier();
    options.identify = false;
    options.reloads = true;
    service = std::make_unique<service::Service>(service::ServiceOptions{.engine = options, .wait_ns = 3 * kMillisecond}, rules, *path, nullptr);
  }
  void settle() {
    for (std::uint64_t seen = path->counters().received, quiet = 0; quiet < 3;) {
      service->turn();
      quiet = path->counters().received == seen ? quiet + 1 : 0;
      seen = path->counters().received;
    }
  }
  std::uint64_t received() const { return path->counters().received; }

  std::string why;
  std::unique_ptr<QueueHost> path;
  std::shared_ptr<const policy::RuleSet> rules;
  std::unique_ptr<service::Service> service;
};

#define WEIR_NEEDS_HOST(host) \
  if (!(host).path) GTEST_SKIP() << (host).why

sockaddr_in address(std::string_view ip, std::uint16_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(port);
  inet_pton(AF_INET, std::string(ip).c_str(), &out.sin_addr);
  return out;
}

/// A datagram socket of the host.
class Caller {
 public:
  explicit Caller(int type = SOCK_DGRAM, std::uint16_t port = 0) : fd_(socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    const sockaddr_in at = address("0.0.0.0", port);
    EXPECT_EQ(bind(fd_, reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
  }
  ~Caller() { ::close(fd_); }
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;
  void send(std::string_view text, std::uint16_t port, std::string_view ip = kThere) {
    const sockaddr_in to = address(ip, port);
    sendto(fd_, text.data(), text.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);
  }
  void connect(std::uint16_t port) {
    const sockaddr_in to = address(kThere, port);
    (void)::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to);
  }
  int error() const {
    int code = 0;
    socklen_t size = sizeof code;
    getsockopt(fd_, SOL_SOCKET, SO_ERROR, &code, &size);
    return code;
  }
  std::string take() const {
    char text[64];
    const ssize_t came = recv(fd_, text, sizeof text, 0);
    return came < 0 ? std::string() : std::string(text, static_cast<std::size_t>(came));
  }
  std::uint16_t port() const {
    sockaddr_in at{};
    socklen_t size = sizeof at;
    getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size);
    return ntohs(at.sin_port);
  }

 private:
  int fd_;
};

/// Of what the peer saw, frames with this text.
std::size_t seen(FarEnd& peer, std::string_view text) {
  const auto frames = peer.take();
  return static_cast<std::size_t>(std::count_if(frames.begin(), frames.end(), [&](const std::string& f) { return f.find(text) != std::string::npos; }));
}

Layers from_peer(const FarEnd& peer, std::uint16_t from, std::uint16_t to, std::string_view text) {
  (void)peer;
  return Eth().src(kPeerMac).dst("ff:ff:ff:ff:ff:ff") / Ipv4(kThere, kHere) / Udp(from, to) / std::string(text);
}

std::size_t tables_left() {
  auto netlink = Netlink::open();
  NetlinkBatch batch(256);
  batch.begin(static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE), NLM_F_DUMP, AF_UNSPEC);
  batch.end();
  std::size_t count = 0;
  (void)netlink->ask(batch, [&](const nlmsghdr& message) { count += message.nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWTABLE) ? 1 : 0; });
  return count;
}

TEST(Host, PassesWhatRulesPassAndStopsTheRest) {
  WEIR_ENTER_LAB();
  wire_host();
  Host host;
  WEIR_NEEDS_HOST(host);
  FarEnd peer("h0");
  Caller caller;
  caller.send("good-one", 7);
  caller.send("evil-one", 9);
  host.settle();
  EXPECT_EQ(seen(peer, "good-one"), 1U);
  caller.send("evil-two", 9);
  host.settle();
  EXPECT_EQ(seen(peer, "evil-"), 0U);
  EXPECT_EQ(host.service->engine().counters().dropped, 2U);
  host.path->close();
}

TEST(Host, ACallerThatIsRejectedSeesItsConnectionRefused) {
  WEIR_ENTER_LAB();
  wire_host();
  Host host;
  WEIR_NEEDS_HOST(host);
  FarEnd peer("h0");
  Caller stream(SOCK_STREAM), datagram;
  stream.connect(81);
  datagram.connect(81);
  datagram.send("x", 81);
  host.settle();
  EXPECT_EQ(stream.error(), ECONNREFUSED);
  EXPECT_NE(datagram.error(), 0) << "told by ICMP";
  EXPECT_EQ(host.path->counters().emitted, 2U);
  EXPECT_EQ(host.path->counters().of(Loss::SendFailed), 0U);
  host.path->close();
}

TEST(Host, ASettledFlowPassesWithoutTheQueueUntilTheRulesChange) {
  WEIR_ENTER_LAB();
  wire_host();
  Host host;
  WEIR_NEEDS_HOST(host);
  FarEnd peer("h0");
  Caller caller;
  caller.send("first", 7);
  host.settle();
  const std::uint64_t queued = host.received();
  for (int i = 0; i < 5; ++i) caller.send("further", 7);
  host.settle();
  EXPECT_EQ(host.received(), queued);
  EXPECT_EQ(seen(peer, "further"), 5U);
  EXPECT_EQ(host.path->flows().carried_now(), 1U);
  // The same flow, under rules that deny it.
  host.rules = rules_of("weir: 1\nrules: [ { name: no-7, match: { port: 7 }, action: drop } ]");
  host.service->engine().reload(host.rules);
  host.path->use(host.rules);
  caller.send("denied", 7);
  host.settle();
  EXPECT_EQ(seen(peer, "denied"), 0U);
  EXPECT_EQ(host.received(), queued + 1);
  // Those that the kernel let by are counted; the first that comes back has been counted by its connection too.
  EXPECT_GE(host.service->engine().counters().packets, queued + 6);
  EXPECT_LE(host.service->engine().counters().packets, queued + 7);
  // Denied flows are dropped by the kernel too.
  caller.send("denied", 7);
  caller.send("denied", 7);
  host.settle();
  EXPECT_EQ(seen(peer, "denied"), 0U);
  host.path->close();
}

TEST(Host, WhatPassesTheLoopbackDeviceIsAskedAboutOnce) {
  WEIR_ENTER_LAB();
  wire_host();
  Host host;
  WEIR_NEEDS_HOST(host);
  Caller listener(SOCK_DGRAM, 5000), caller;
  caller.send("inside", 5000, "127.0.0.1");
  host.settle();
  EXPECT_EQ(listener.take(), "inside");
  EXPECT_EQ(host.received(), 1U);
  host.path->close();
}

TEST(Host, APacketSocketDoesNotSeeWhatHeadersDeny) {
  WEIR_ENTER_LAB();
  wire_host();
  Host host;
  WEIR_NEEDS_HOST(host);
  const auto early = host.path->early_stop();
  ASSERT_TRUE(early.has_value());
  host.settle();  // Looks at the devices.
  if (!host.path->early_stop()->holds) {
    const std::string reason = host.path->early_stop()->why;
    host.path->close();
    GTEST_SKIP() << reason;
  }
  FarEnd peer("h0"), listener("p0");  // The listener reads what p0 receives, as knockd would.
  peer.send(from_peer(peer, 40000, 4445, "let-by").bytes());
  peer.send(from_peer(peer, 40000, 4444, "OPEN-SESAME").bytes());
  host.settle();
  const auto frames = listener.take();
  const auto has = [&](std::string_view text) { return std::any_of(frames.begin(), frames.end(), [&](const auto& f) { return f.find(text) != std::string::npos; }); };
  EXPECT_TRUE(has("let-by"));
  EXPECT_FALSE(has("OPEN-SESAME"));
  EXPECT_EQ(host.path->early_stop()->stopped, 1U);
  EXPECT_EQ(host.service->engine().counters().rules[host.service->engine().counters().rules.size() - 2].packets, 1U) << "the engine counts it by its rule";
  EXPECT_EQ(host.path->counters().of(Loss::Early), 0U);
  host.path->close();
}

TEST(Host, AnAnswerToWhatThisHostAskedIsNoKnock) {
  WEIR_ENTER_LAB();
  wire_host();
  Host host(FailMode::Closed, "weir: 1\nrules: [ { name: nothing-in, match: { to: 10.77.0.1/32 }, action: drop } ]");
  WEIR_NEEDS_HOST(host);
  FarEnd peer("h0");
  Caller caller;
  caller.send("question", 7);
  host.settle();
  const auto mac = find_device("p0")->mac;
  peer.send((Eth().src(kPeerMac).dst(render(mac)) / Ipv4(kThere, kHere) / Udp(7, caller.port()) / "answer").bytes());
  host.settle();
  EXPECT_EQ(caller.take(), "answer");
  host.path->close();
}

TEST(Host, TheFailModeOutlivesTheProcess) {
  for (const FailMode mode : {FailMode::Closed, FailMode::Open}) {
    WEIR_ENTER_LAB();
    wire_host();
    FarEnd peer("h0");
    Caller settled, caller;
    {
      Host host(mode);
      WEIR_NEEDS_HOST(host);
      settled.send("settled", 7);
      host.settle();
    }  // As a process that is killed.
    EXPECT_EQ(seen(peer, "settled"), 1U);
    settled.send("settled", 7);
    caller.send("undecided", 7);
    EXPECT_EQ(seen(peer, "undecided"), mode == FailMode::Open ? 1U : 0U);
    Host next(mode);
    ASSERT_TRUE(next.path) << next.why;
    EXPECT_EQ(next.path->remarks().size(), 1U) << "took over the rules";
    caller.send("decided", 7);
    next.settle();
    EXPECT_EQ(seen(peer, "decided"), 1U);
    next.path->close();
    EXPECT_EQ(tables_left(), 0U);
  }
}

TEST(Host, AHungLaneLeavesItsPacketsToTheFailMode) {
  for (const FailMode mode : {FailMode::Closed, FailMode::Open}) {
    WEIR_ENTER_LAB();
    wire_host();
    FarEnd peer("h0");
    Host host(mode);
    WEIR_NEEDS_HOST(host);
    EXPECT_FALSE(host.path->fail(mode).has_value());
    Caller caller;
    caller.send("undecided", 7);
    EXPECT_EQ(seen(peer, "undecided"), mode == FailMode::Open ? 1U : 0U);
    host.path->close();
  }
}

TEST(Host, ACleanStopLeavesNothingBehind) {
  WEIR_ENTER_LAB();
  wire_host();
  EXPECT_EQ(tables_left(), 0U);
  Host host;
  WEIR_NEEDS_HOST(host);
  FarEnd peer("h0");
  EXPECT_EQ(tables_left(), 2U);
  Caller caller;
  caller.send("marked", 7);
  host.settle();
  host.path->close();
  EXPECT_EQ(tables_left(), 0U);
  auto conntrack = Conntrack::open();
  ASSERT_TRUE(conntrack.ok());
  EXPECT_EQ(conntrack->clear_marks(0xffffffff), 0U);
  caller.send("evil-but-free", 9);
  EXPECT_EQ(seen(peer, "evil-but-free"), 1U);
}

TEST(MarkField, IsOfOnePiece) {
  EXPECT_TRUE(MarkField::of(0x78000000));
  EXPECT_TRUE(MarkField::of(0xffffffff));
  EXPECT_FALSE(MarkField::of(0));
  EXPECT_FALSE(MarkField::of(0x70000000)) << "three bits are too few";
  EXPECT_FALSE(MarkField::of(0x5a000000));
  const MarkField mark = *MarkField::of(0xf0);
  EXPECT_NE(mark.settled(1, true), mark.settled(1, false));
  EXPECT_NE(mark.settled(1, true), mark.settled(2, true));
  EXPECT_EQ(mark.settled(1, true), mark.settled(1 + MarkField::kGenerations, true));
  EXPECT_EQ(mark.unguarded() & ~mark.mask(), 0U);
}

}  // namespace
}  // namespace weir::datapath
