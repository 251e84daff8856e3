// SPDX-License-Identifier: Apache-2.0
#include "service/kept_bindings.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/kit/filter.h"

namespace weir::service {
namespace {

using namespace kit;
using Of = engine::Learned::Of;

const std::vector<std::string> kPorts = {"lan0", "lan1"};

std::string text_of(std::string_view lines) {
  std::vector<KeptBinding> none;
  std::string text = encode_bindings(none);
  return text.substr(0, text.find('\n') + 1) + std::string(lines);
}

TEST(KeptBindings, SayWhatTheyKeep) {
  const std::vector<KeptBinding> some = {{Of::Source, ip_of("2001:db8::5"), mac_of("02:00:00:00:00:05"), "", 1'800'000'000},
                                         {Of::Station, {}, mac_of("02:00:00:00:00:07"), "lan1", 0},
                                         {Of::Arp, ip_of("10.0.0.5"), mac_of("02:00:00:00:00:05"), "lan0", 1'800'000'000}};
  const std::string text = encode_bindings(some);
  EXPECT_TRUE(text.starts_with("weir-bindings 1\n"
                               "arp 10.0.0.5 02:00:00:00:00:05 lan0 1800000000\n"
                               "source 2001:db8::5 02:00:00:00:00:05 - 1800000000\n"
                               "station 02:00:00:00:00:07 lan1\n"
                               "end 3 "))
      << text;
  const auto again = decode_bindings(text);
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(encode_bindings(again.value()), text);
}

TEST(KeptBindings, AFileIsBelievedWholeOrNotAtAll) {
  const std::string text = encode_bindings({{Of::Arp, ip_of("10.0.0.5"), mac_of("02:00:00:00:00:05"), "lan0", 1'800'000'000}, {Of::Station, {}, mac_of("02:00:00:00:00:07"), "lan1", 0}});
  for (std::size_t size = 0; size < text.size(); ++size) EXPECT_FALSE(decode_bindings(text.substr(0, size)).ok()) << "cut at " << size;
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::string altered = text;
    altered[at] = static_cast<char>(altered[at] ^ 1);
    EXPECT_FALSE(decode_bindings(altered).ok()) << "altered at " << at;
  }
  EXPECT_FALSE(decode_bindings(text + text).ok());
}

TEST(KeptBindings, ALineThatIsNoneIsFoundUnderARightChecksum) {
  for (const char* line : {"arp 10.0.0.5 02:00:00:00:00:05 lan0", "arp 10.0.0.5 02:00:00:00:00:05 lan0 0", "arp 10.0.0.5 02:00:00:00:00:05 lan0 99999999999999", "dhcp 10.0.0.5 02:00:00:00:00:05 lan0 5",
                           "arp 10.0.0.500 02:00:00:00:00:05 lan0 5", "arp 10.0.0.5 02:00:00:00:00 lan0 5", "arp  10.0.0.5 02:00:00:00:00:05 lan0 5", "station 02:00:00:00:00:07", "station 02:00:00:00:00:07 ", ""}) {
    const std::string body = text_of(std::string(line) + "\n");
    const std::string sum = [&] {
      char out[17];
      std::snprintf(out, sizeof out, "%016llx", static_cast<unsigned long long>(hash_text(body, 0x776569722d62696e)));
      return std::string(out);
    }();
    const auto read = decode_bindings(body + "end 1 " + sum + "\n");
    ASSERT_FALSE(read.ok()) << line;
    EXPECT_EQ(read.error().message, "line 2 is no binding") << line;
  }
}

/// A run of the filter over a directory that stays.
struct OneRun {
  explicit OneRun(const std::string& folder, std::string_view guards, std::vector<std::string> port_names = kPorts) {
    policy::LoadOptions load;
    load.ports = port_names;
    auto loaded = policy::load_policy_text("t.yaml", "weir: 1\nguards: { " + std::string(guards) + " }\n", engine::vocabulary(), load);
    EXPECT_TRUE(loaded.policy.has_value());
    rules = std::make_shared<policy::RuleSet>(std::make_shared<policy::Policy>(std::move(*loaded.policy)), engine::vocabulary());
    filter = std::make_unique<Filter>(rules, small_engine());
    kept = std::make_unique<KeptBindings>(folder, [this](const std::string& sentence) { said = sentence; });
  }
  /// The lane's clock begins anew with each run; the wall's goes on.
  static Time at(Nanoseconds wall_s) { return {.mono_ns = 0, .wall_ns = wall_s * kSecond}; }
  OneRun& recall(Nanoseconds wall_s) {
    kept->recall(filter->engine(), rules->policy().port_names, at(wall_s));
    return *this;
  }
  std::string claim(std::string_view mac, std::string_view ip, std::string_view port = "lan0") {
    return filter->send(Eth().src(mac) / ArpPacket().sender(mac, ip), port);
  }
  void stop(Nanoseconds wall_s) { kept->finish(filter->engine(), at(wall_s)); }

  std::shared_ptr<const policy::RuleSet> rules;
  std::unique_ptr<Filter> filter;
  std::unique_ptr<KeptBindings> kept;
  std::string said;
};

constexpr std::string_view kA = "02:00:00:00:00:0a", kB = "02:00:00:00:00:0b";
constexpr Nanoseconds kBegin = 1'764'000'000;

struct Folder {
  Folder() {
    char name[] = "/tmp/weir-kept-XXXXXX";
    path = mkdtemp(name);
  }
  ~Folder() {
    std::error_code none;
    std::filesystem::remove_all(path, none);
  }
  std::string path;
};

TEST(KeptBindings, AClaimFromBeforeTheRestartStillHolds) {
  const Folder folder;
  constexpr std::string_view kGuards = "arp-inspection: { learn: first }";
  {
    OneRun run(folder.path, kGuards);
    EXPECT_EQ(run.claim(kA, "10.0.0.5"), "pass");
    run.stop(kBegin);
    EXPECT_EQ(run.kept->numbers().written, 1U);
  }
  {
    OneRun run(folder.path, kGuards);
    run.recall(kBegin + 60);
    EXPECT_EQ(run.kept->numbers().recalled, 1U);
    EXPECT_EQ(run.claim(kB, "10.0.0.5"), "drop guard.arp-inspection") << "a stranger is not the first";
    EXPECT_EQ(run.claim(kA, "10.0.0.5"), "pass");
  }
  {
    OneRun run(folder.path, kGuards, {"lan1", "lan0"});
    run.recall(kBegin + 60);
    EXPECT_EQ(run.claim(kA, "10.0.0.5", "lan0"), "pass") << "ports are known by their names";
    EXPECT_EQ(run.claim(kA, "10.0.0.5", "lan1"), "drop guard.arp-inspection");
  }
  {
    OneRun run(folder.path, kGuards);
    run.recall(kBegin + 5 * 3600);
    EXPECT_EQ(run.kept->numbers().left_out, 1U) << "it has ended";
    EXPECT_EQ(run.claim(kB, "10.0.0.5"), "pass");
  }
  {
    OneRun run(folder.path, "arp-inspection: { learn: none }");
    run.recall(kBegin + 60);
    EXPECT_EQ(run.kept->numbers().recalled, 0U) << "the rules learn nothing now";
  }
}

TEST(KeptBindings, StickyStationsStay) {
  const Folder folder;
  constexpr std::string_view kGuards = "port-security: { macs_max: 1, sticky: true }";
  {
    OneRun run(folder.path, kGuards);
    EXPECT_EQ(run.claim(kA, "10.0.0.5"), "pass");
    run.stop(kBegin);
  }
  OneRun run(folder.path, kGuards);
  run.recall(kBegin + 86400 * 30);
  EXPECT_EQ(run.claim(kB, "10.0.0.6"), "drop guard.port-security");
  EXPECT_EQ(run.claim(kA, "10.0.0.5"), "pass");
}

TEST(KeptBindings, ABrokenFileIsSaidAndIgnored) {
  const Folder folder;
  std::ofstream(folder.path + "/bindings") << "weir-bindings 1\narp 10.0.0.5 02:00:00:00:00:05 lan0 18000";
  OneRun run(folder.path, "arp-inspection: { learn: first }");
  run.recall(kBegin);
  EXPECT_EQ(run.said, "the bindings of the last run are ignored: " + folder.path + "/bindings: it is cut short");
  EXPECT_EQ(run.kept->numbers().recalled, 0U);
}

TEST(KeptBindings, AreWrittenSoonAndOnlyWhenTheyChange) {
  const Folder folder;
  OneRun run(folder.path, "arp-inspection: { learn: first }");
  const auto turns = [&](Nanoseconds from_s) {
    for (int i = 0; i < 400; ++i) run.kept->turn(run.filter->engine(), {.mono_ns = from_s * kSecond, .wall_ns = (kBegin + from_s) * kSecond});
    usleep(100'000);
    return run.kept->numbers().written;
  };
  run.claim(kA, "10.0.0.5");
  EXPECT_EQ(turns(1), 1U);
  EXPECT_EQ(turns(20), 1U);
  run.claim(kB, "10.0.0.6");
  EXPECT_EQ(turns(40), 2U);
}

TEST(KeptBindings, WithoutAGuardThatLearnsThereIsNoFile) {
  const Folder folder;
  OneRun(folder.path, "tcp-state: true").stop(kBegin);
  EXPECT_FALSE(std::filesystem::exists(folder.path + "/bindings"));
}

}  // namespace
}  // namespace weir::service
