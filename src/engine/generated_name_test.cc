// SPDX-License-Identifier: Apache-2.0
#include "engine/generated_name.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::engine {
namespace {

TEST(GeneratedName, NamesThatAlgorithmsMade) {
  for (const char* name : {"kq0qw6o2siwq.org", "ufmkdjyvfkl.com", "hwevqwlocbvmrjdor.net", "mqjjotwswxiy.com", "amccjvmcudpjhlykh.cc", "skyaeegsmkcuqauy.org",
                           "1vg4ctofq03jcb765pkxq43.ddns.net", "vrgwtdftixgxgvrj.eu", "cbgxgmpmqnbxni.ms", "mwnulqyqflk.com", "xjpakmdcfuqe.com"})
    EXPECT_TRUE(is_generated_name(name)) << name;
}

TEST(GeneratedName, NamesThatPeopleChose) {
  for (const char* name : {"google.com", "windowsupdate.com", "scorecardresearch.com", "googleusercontent.com", "msftconnecttest.com", "xkcd.com", "example.org",
                           "cambridgeindependent.co.uk", "lagenziadiviaggi.it", "legislaturachaco.gov.ar", "nflxvideo.net", "mzstatic.com", "fbcdn.net"})
    EXPECT_FALSE(is_generated_name(name)) << name;
}

TEST(GeneratedName, WhatIsNotJudged) {
  EXPECT_FALSE(is_generated_name("d111abcdef8kq0qw.cloudfront.net")) << "a network's own numbering";
  EXPECT_FALSE(is_generated_name("xn--qxzjkvq7dkq.com")) << "IDNA";
  EXPECT_FALSE(is_generated_name("qxzjk.com")) << "too short to tell";
  EXPECT_FALSE(is_generated_name("qxzjkvqdkqzx")) << "no suffix";
  EXPECT_FALSE(is_generated_name("_qxzjkvqdkqzx.com"));
  EXPECT_FALSE(is_generated_name("qxzj\\009dkqzxvvq.com"));
  EXPECT_FALSE(is_generated_name(""));
  EXPECT_FALSE(is_generated_name("."));
}

/// The figure that the header tells: uniform letters, made here.
TEST(GeneratedName, TwelveLettersByChanceAreFoundFourTimesOfFive) {
  std::uint64_t seed = 1;
  int found = 0;
  for (int i = 0; i < 1000; ++i) {
    std::string name;
    for (int k = 0; k < 12; ++k) {
      seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
      name += static_cast<char>('a' + (seed >> 33) % 26);
    }
    found += is_generated_name(name + ".com") ? 1 : 0;
  }
  EXPECT_GE(found, 800);
}

}  // namespace
}  // namespace weir::engine
