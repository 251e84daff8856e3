// SPDX-License-Identifier: Apache-2.0
// Real feeds of real size, where they are at hand; elsewhere these tests say that they were left out.

#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <random>
#include <string>

#include "base/text.h"
#include "policy/lists.h"

namespace weir::policy {
namespace {

constexpr const char* kFeeds = "../shared/feeds/";

struct PipeClose {
  void operator()(FILE* pipe) const { pclose(pipe); }
};

/// What `xz -dc` says; empty if the file or the program is not there.
std::string unpacked(const std::string& name) {
  const std::string path = kFeeds + name;
  if (!std::filesystem::exists(path)) return {};
  const std::unique_ptr<FILE, PipeClose> pipe(popen(("xz -dc '" + path + "'").c_str(), "r"));
  std::string out;
  if (pipe == nullptr) return out;
  std::string part(1 << 16, '\0');
  for (std::size_t got; (got = fread(part.data(), 1, part.size(), pipe.get())) > 0;) out.append(part, 0, got);
  return out;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

TEST(Feeds, AMillionNamesAreExactAndSmall) {
  const std::string text = unpacked("maltrail_domains_1160k.txt.xz");
  if (text.empty()) GTEST_SKIP() << "the shared feeds, or xz, are not here";
  const auto start = std::chrono::steady_clock::now();
  const NameList list = parse_names(text, NameFormat::List);
  const double seconds = seconds_since(start);
  std::printf("%zu names, %.0f bytes a name, %.2f s, %llu bad lines\n", list.names.size(),
              static_cast<double>(list.names.bytes()) / static_cast<double>(list.names.size()), seconds,
              static_cast<unsigned long long>(list.report.bad));
  EXPECT_EQ(list.names.size() + list.report.bad, 1'160'661U);
  for (const auto& sample : list.report.samples) std::printf("line %u: %s: %s\n", sample.line, sample.reason.c_str(), sample.text.c_str());
  EXPECT_LT(list.names.bytes(), std::size_t{60} << 20);
  std::uint32_t number = 0;
  std::size_t asked = 0;
  for_each_line(text, [&](std::string_view line) {
    if (++number % 1000 != 0) return;
    const auto hit = list.names.find(line);
    if (!hit) return;  // One of the bad lines; counted below.
    ++asked;
    EXPECT_EQ(hit->name, lower(line));
    EXPECT_EQ(hit->line, number);
    EXPECT_FALSE(list.names.contains(std::string(line) + ".invalid")) << line;
    EXPECT_FALSE(list.names.contains("no-such-label-here." + std::string(line))) << line;
  });
  EXPECT_GE(asked + list.report.bad, number / 1000);
}

TEST(Feeds, AddressesAreExactAndSmall) {
  const std::string text = unpacked("maltrail_ips_190k.txt.xz");
  if (text.empty()) GTEST_SKIP() << "the shared feeds, or xz, are not here";
  const auto start = std::chrono::steady_clock::now();
  const AddressList list = parse_addresses(text);
  std::printf("%zu addresses, %zu bytes, %.3f s\n", list.addresses.size(), list.addresses.bytes(), seconds_since(start));
  EXPECT_EQ(list.report.bad, 0U);
  EXPECT_EQ(list.addresses.size(), 190'058U);
  EXPECT_LT(list.addresses.bytes(), std::size_t{8} << 20);
  std::uint32_t number = 0;
  for_each_line(text, [&](std::string_view line) {
    const auto hit = list.addresses.find(parse_ip(line).value());
    ASSERT_TRUE(hit) << line;
    EXPECT_EQ(hit->line, ++number);
  });
}

TEST(Feeds, TorNodesHaveBothVersions) {
  const std::string path = std::string(kFeeds) + "tor_nodes.txt";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "the shared feeds are not here";
  const auto list = read_addresses(path);
  ASSERT_TRUE(list) << list.error().message;
  EXPECT_EQ(list.value().report.bad, 0U);
  EXPECT_EQ(list.value().addresses.size(), 8054U);
}

}  // namespace
}  // namespace weir::policy
