// SPDX-License-Identifier: Apache-2.0
#include "datapath/host/hosts_file.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <future>

namespace weir::datapath {
namespace {

std::string listed(std::string_view text) {
  state::HostNames names;
  parse_hosts(text, names);
  std::string out;
  for (const auto& l : names.listed) out += render(l.address) + "=" + l.name + " ";
  return out + "skipped " + std::to_string(names.lines_skipped);
}

TEST(HostsFile, GivesEachAddressAllItsNames) {
  EXPECT_EQ(listed("192.0.2.7\tShop.example. shop  # ours\n"
                   "# 192.0.2.8 nobody\n\n"
                   "2001:db8::1 six.example\r\n"
                   "192.0.2.7 again.example\n"),
            "192.0.2.7=shop.example 192.0.2.7=shop 192.0.2.7=again.example 2001:db8::1=six.example skipped 0");
}

TEST(HostsFile, LoopbackAndWildcardAddressesNameNothing) {
  EXPECT_EQ(listed("127.0.0.1 localhost\n127.0.1.1 me.example me\n::1 ip6-localhost\n0.0.0.0 ads.example\n:: ads.example\n"), "skipped 0");
}

TEST(HostsFile, ABadLineIsSkippedAndCounted) {
  EXPECT_EQ(listed("192.0.2.7\n"             // no name
                   "shop.example 192.0.2.7\n"  // the wrong way round
                   "192.0.2.300 a.example\n"
                   "192.0.2.8 b.example c/d\n"  // what stands before the fault is taken
                   "fe80::1%eth0 router\n"),
            "192.0.2.8=b.example fe80::1=router skipped 4");
}

TEST(HostsFile, IsBounded) {
  std::string text;
  for (std::size_t i = 0; i < kHostsListedMax + 3; ++i) text += "192.0.2.7 n" + std::to_string(i) + "\n";
  state::HostNames names;
  parse_hosts(text, names);
  EXPECT_EQ(names.listed.size(), kHostsListedMax);
  EXPECT_EQ(names.lines_skipped, 3U);
}

TEST(HostsWatch, TellsWhenTheFileChanged) {
  char path[] = "/tmp/weir-hosts-XXXXXX";
  const int fd = mkstemp(path);
  ASSERT_GE(fd, 0);
  ::close(fd);
  std::ofstream(path) << "192.0.2.7 old.example\n";
  std::promise<std::string> told;
  HostsWatch watch({.path = path, .look_ns = 10 * kMillisecond, .tell = [&, once = false](const auto& names) mutable {
                      if (!names->listed.empty() && !once) once = true, told.set_value(names->listed[0].name);
                    }});
  EXPECT_EQ(watch.look()->listed.at(0).name, "old.example");
  watch.start();
  const std::string next = std::string(path) + ".next";
  std::ofstream(next) << "192.0.2.7 new.example\n";
  std::rename(next.c_str(), path);
  auto future = told.get_future();
  ASSERT_EQ(future.wait_for(std::chrono::seconds(5)), std::future_status::ready);
  EXPECT_EQ(future.get(), "new.example");
  std::remove(path);
}

}  // namespace
}  // namespace weir::datapath
