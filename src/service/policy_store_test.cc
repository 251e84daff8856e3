// SPDX-License-Identifier: Apache-2.0
// What a filter keeps of its policy survives it, whole, and is trusted only where nobody else could have written it.

#include "service/policy_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace weir::service {
namespace {

struct Directory {
  Directory() {
    char name[] = "/tmp/weir-store-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~Directory() { std::filesystem::remove_all(path); }
  std::string path;
};

const PolicyCopy kTwoFiles{{{"policy.yaml", "weir: 1\ninclude: [more.yaml]\n"}, {"more.yaml", std::string("rules: []\0x", 11)}}};

TEST(PolicyCopy, ComesBackAsItWas) { EXPECT_EQ(PolicyCopy::decode(kTwoFiles.encode()), kTwoFiles); }

TEST(PolicyCopy, ABrokenOneIsNone) {
  const std::string whole = kTwoFiles.encode();
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    const auto copy = PolicyCopy::decode(whole.substr(0, cut));
    EXPECT_TRUE(!copy || *copy != kTwoFiles) << cut;
  }
  EXPECT_FALSE(PolicyCopy::decode("weir-policy 1\n99999999999999999999 x\n"));
  EXPECT_FALSE(PolicyCopy::decode("weir-policy 2\n1 x\na\n"));
}

TEST(PolicyCopy, RecordsWhatIsReadAndReadsItAgain) {
  const Directory d;
  std::ofstream(d.path + "/a") << "one";
  PolicyCopy copy;
  const ReadFile read = copy.recorder();
  EXPECT_EQ(*read(d.path + "/a"), "one");
  EXPECT_FALSE(read(d.path + "/b").ok());
  std::ofstream(d.path + "/a") << "two";
  EXPECT_EQ(*copy.reader()(d.path + "/a"), "one") << "as it was";
  EXPECT_FALSE(copy.reader()(d.path + "/b").ok());
}

TEST(PolicyStore, KeepsOverItsOwnEnd) {
  const Directory d;
  {
    auto store = PolicyStore::open(d.path + "/state");
    ASSERT_TRUE(store.ok());
    EXPECT_FALSE(store->good());
    EXPECT_FALSE(store->keep_good(kTwoFiles));
    EXPECT_FALSE(store->keep_unconfirmed(kTwoFiles));
  }
  auto store = PolicyStore::open(d.path + "/state");
  ASSERT_TRUE(store.ok());
  EXPECT_EQ(store->good(), kTwoFiles);
  EXPECT_EQ(store->unconfirmed(), kTwoFiles);
  EXPECT_FALSE(store->forget_unconfirmed());
  EXPECT_FALSE(store->unconfirmed());
  std::ofstream(d.path + "/state/good") << "weir-pol";
  EXPECT_FALSE(store->good()) << "a torn file is none";
}

TEST(PolicyStore, IsNotTrustedWhereOthersMayWrite) {
  const Directory d;
  ASSERT_EQ(::chmod(d.path.c_str(), 0777), 0);
  EXPECT_FALSE(PolicyStore::open(d.path).ok());
}

TEST(PolicyStore, WithoutADirectoryKeepsNothing) {
  auto store = PolicyStore::open("");
  ASSERT_TRUE(store.ok());
  EXPECT_FALSE(store->keep_good(kTwoFiles));
  EXPECT_FALSE(store->good());
}

}  // namespace
}  // namespace weir::service
