// SPDX-License-Identifier: Apache-2.0
// What an event costs the lane: alerts and flows of ever new ends (the community id is hashed each time) and of one flow (remembered).
#include "report/eve.h"

#include <benchmark/benchmark.h>

#include "engine/engine.h"

namespace weir::report {
namespace {

std::shared_ptr<const policy::RuleSet> rules() {
  auto made = std::make_shared<policy::Policy>();
  made->zones = {{.name = "inside"}, {.name = "outside"}};
  made->rules.resize(1);
  made->rules[0].name = "no-dns";
  made->rules[0].techniques = {"T1071.004", "T1048.003"};
  made->rules[0].action = policy::Action::Drop;
  return std::make_shared<const policy::RuleSet>(std::move(made), engine::vocabulary());
}

engine::AlertRecord alert() {
  engine::AlertRecord r;
  r.rule = 0;
  r.action = policy::Action::Drop;
  r.blocked = r.has_ip = true;
  r.frame = 1'000'000;
  r.flow_id = 9007199254740991;
  r.src = Ip::v4(0xc0000201);
  r.dst = Ip::v4(0xc6336402);
  r.src_port = 40000;
  r.dst_port = 53;
  r.protocol = 17;
  r.from = 0;
  r.to = 1;
  return r;
}

engine::FlowRecord flow() {
  engine::FlowRecord r;
  r.flow_id = 9007199254740991;
  r.ends = {Ip::v4(0xc0000201), Ip::v4(0xc6336402), 40000, 443, 6};
  r.packets[0] = 20, r.packets[1] = 30, r.bytes[0] = 2'000, r.bytes[1] = 40'000;
  r.from = 0;
  r.to = 1;
  return r;
}

void BM_Alert(benchmark::State& state) {
  const auto set = rules();
  auto eve = Eve::open("/dev/null", *set, {});
  engine::AlertRecord r = alert();
  std::uint32_t n = 0;
  for (auto _ : state) {
    if (state.range(0) != 0) r.src = Ip::v4(0x0a000000 + (++n & 0xffffff));
    r.wall_ns += 10'000;
    (*eve)->on_alert(r);
  }
}
BENCHMARK(BM_Alert)->ArgName("new_ends")->Arg(0)->Arg(1);

void BM_Flow(benchmark::State& state) {
  const auto set = rules();
  auto eve = Eve::open("/dev/null", *set, {.flows = true});
  engine::FlowRecord r = flow();
  std::uint32_t n = 0;
  for (auto _ : state) {
    if (state.range(0) != 0) r.ends.client = Ip::v4(0x0a000000 + (++n & 0xffffff));
    r.start_wall_ns += 10'000;
    r.end_wall_ns = r.start_wall_ns + 7 * kSecond;
    (*eve)->on_flow(r);
  }
}
BENCHMARK(BM_Flow)->ArgName("new_ends")->Arg(0)->Arg(1);

}  // namespace
}  // namespace weir::report

BENCHMARK_MAIN();
