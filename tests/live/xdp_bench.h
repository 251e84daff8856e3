// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the tests of the bridge's program in the kernel share: the program on two wires, frames put through it one by one, and its maps.

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <time.h>

#include "datapath/bridge/xdp_flows.h"
#include "datapath/bridge/xdp_program.h"
#include "tests/kit/packet.h"
#include "tests/live/xdp_lab.h"

namespace weir::datapath {

using namespace kit;  // NOLINT: packets as they are drawn.
using engine::Carried;
using engine::SettledFlow;

inline constexpr std::string_view kA = "02:00:00:00:00:0a", kB = "02:00:00:00:00:0b";

/// What the program answers, in words.
inline std::string word_of(std::uint32_t action) {
  constexpr const char* kWords[] = {"aborted", "drop", "engine", "tx", "out"};
  return action < 5 ? kWords[action] : "?";
}

inline void pause_us(long us) {
  const timespec t{0, us * 1000};
  nanosleep(&t, nullptr);
}

/// The program, attached to p0 and p1 of a lab, and frames between client A behind p0 and server B behind p1.
struct Bench {
  explicit Bench(XdpProgram& loaded, std::uint32_t carried_max = 1024) : program(loaded), flows(loaded, 4096, carried_max) {
    Lab::wires(2);
    for (PortIndex i = 0; i < 2; ++i) {
      const std::string name = "p" + std::to_string(i);
      device[i] = static_cast<int>(if_nametoindex(name.c_str()));
      const auto attached = program.attach(i, name, device[i]);
      EXPECT_TRUE(attached.ok()) << (attached.ok() ? "" : attached.error().message);
    }
    program.config().frame_max = 1518;
    program.config().beat_max_ms = 0;
    program.beat(now_ns());
  }
  ~Bench() { program.remove(); }

  std::string run(const Layers& layers, PortIndex in) { return run(layers.bytes(), in); }
  std::string run(std::string bytes, PortIndex in) {
    if (bytes.size() < 60) bytes.resize(60, '\0');  // As a wire pads it.
    xdp_md context{};
    context.data_end = static_cast<std::uint32_t>(bytes.size());
    context.ingress_ifindex = static_cast<std::uint32_t>(device[in]);
    bpf_test_run_opts run{};
    run.sz = sizeof run;
    run.data_in = bytes.data();
    run.data_size_in = static_cast<std::uint32_t>(bytes.size());
    run.ctx_in = &context;
    run.ctx_size_in = sizeof context;
    run.repeat = 1;
    if (bpf_prog_test_run_opts(program.program_fd(), &run) != 0) return std::string("refused: ") + std::strerror(errno);
    return word_of(run.retval);
  }

  SettledFlow flow(Side side, bool pass = true, std::uint8_t protocol = 17) {
    SettledFlow out;
    out.flow = 7;
    out.frame = 1;
    out.ends = {.client = ip_of(client), .server = ip_of(server), .client_port = 40000, .server_port = 9000, .protocol = protocol};
    out.side = side;
    out.pass = pass;
    out.generation = 1;
    return out;
  }
  bool v6() const { return client.find(':') != std::string::npos; }
  template <typename Transport>
  Layers from(Side side, const Transport& transport) const {
    const std::string& a = side == Side::Client ? client : server;
    const std::string& b = side == Side::Client ? server : client;
    const Eth eth = side == Side::Client ? Eth().src(kA).dst(kB) : Eth().src(kB).dst(kA);
    if (v6()) return eth / Ipv6(a, b) / transport / "some bytes";
    return eth / Ipv4(a, b) / transport / "some bytes";
  }
  Layers udp(Side side) const { return from(side, side == Side::Client ? Udp(40000, 9000) : Udp(9000, 40000)); }
  Tcp tcp(Side side) const {
    return (side == Side::Client ? Tcp(40000, 9000).seq(1000).ack(5000) : Tcp(9000, 40000).seq(5000).ack(1000)).flags("A").window(1000);
  }
  static PortIndex port(Side side) { return side == Side::Client ? 0 : 1; }
  std::string run(Side side) { return run(udp(side), port(side)); }
  std::string run(Side side, const Tcp& header) { return run(from(side, header), port(side)); }

  void install(const SettledFlow& settled, const Layers& frame) {
    const PortIndex in = port(settled.side), out = static_cast<PortIndex>(1 - in);
    flows.install(settled, as_bytes(frame.bytes()), {in, out, device[in], device[out]});
  }
  /// Both ways, and past the handover.
  void settle(std::uint8_t protocol = 17, bool tcp_checked = false) {
    for (const Side side : {Side::Client, Side::Server}) {
      SettledFlow settled = flow(side, true, protocol);
      settled.tcp_checked = tcp_checked;
      settled.tcp[0] = {1000, 6000 + 60000, 1000, 1000, 0};
      settled.tcp[1] = {5000, 5000 + 60000, 5000, 1000, 0};
      install(settled, protocol == 17 ? udp(side) : from(side, tcp(side)));
    }
    pass_handover();
  }
  /// As a lane does that found its queues empty.
  void pass_handover() {
    pause_us(1000);
    program.drained(now_ns());
  }
  static Nanoseconds now_ns() {
    timespec t{};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * kSecond + t.tv_nsec;
  }
  Carried read() {
    Carried out;
    flows.read(7, out);
    return out;
  }

  XdpProgram& program;
  XdpFlows flows;
  int device[2] = {0, 0};
  std::string client = "10.0.0.5", server = "198.51.100.80";
};

#define BENCH(bench, ...)                                                             \
  WEIR_ENTER_LAB();                                                                   \
  XdpOptions options_##bench __VA_ARGS__;                                             \
  options_##bench.pins = own_pins();                                                  \
  WEIR_NEEDS_XDP(options_##bench, program_##bench);                                   \
  Bench bench(*program_##bench)

}  // namespace weir::datapath
