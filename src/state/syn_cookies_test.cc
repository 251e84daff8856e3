// SPDX-License-Identifier: Apache-2.0
#include "state/syn_cookies.h"

#include <gtest/gtest.h>

#include <random>

namespace weir::state {
namespace {

// The first vectors of the paper's reference: the key 00 01 … 0f, the message 00 01 02 …, of 8 and 16 bytes.
TEST(SipHash, IsThatOfThePaper) {
  constexpr SipKey kKey{0x0706050403020100, 0x0f0e0d0c0b0a0908};
  constexpr std::uint64_t kWords[] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
  EXPECT_EQ(siphash(kKey, {}), 0x726fdb47dd0e0e31U);
  EXPECT_EQ(siphash(kKey, std::span(kWords).first(1)), 0x93f5f5799a932462U);
  EXPECT_EQ(siphash(kKey, kWords), 0x3f2acc7f57c29bdbU);
}

SynEnds ends(std::uint16_t from_port = 40000) {
  return {Ip::v4(0xc0000201), Ip::v4(0xc6336450), from_port, 80};
}

TEST(SynCookies, AcknowledgeANumberThatNoClientSent) {
  const SynCookies cookies(1, 64);
  std::mt19937 random(1);
  for (int i = 0; i < 10'000; ++i) {
    const std::uint32_t seq = static_cast<std::uint32_t>(random()), acknowledged = cookies.acknowledged(ends(static_cast<std::uint16_t>(i)), seq, kSecond);
    EXPECT_LT(seq - acknowledged, 65536U) << "RFC 9293, 3.10.7.3: at or before its own number, so the client resets";
  }
}

TEST(SynCookies, WhoAnswersMaySendThatSynAgain) {
  SynCookies cookies(1, 64);
  constexpr std::uint32_t kSeq = 7;  // The number goes round.
  EXPECT_FALSE(cookies.proven(ends(), kSeq, kSecond));
  const std::uint32_t acknowledged = cookies.acknowledged(ends(), kSeq, kSecond);
  EXPECT_TRUE(cookies.prove(ends(), acknowledged, 2 * kSecond));
  EXPECT_TRUE(cookies.proven(ends(), kSeq, 3 * kSecond));
  EXPECT_FALSE(cookies.proven(ends(), kSeq + 65536, 3 * kSecond)) << "another SYN";
  EXPECT_FALSE(cookies.proven(ends(40001), kSeq, 3 * kSecond)) << "of another port";
  EXPECT_FALSE(cookies.proven(ends(), kSeq, 2 * kSecond + SynCookies::kProvenFor + 1)) << "too late";
}

TEST(SynCookies, AnAnswerIsGoodForAWhileAndOnlyFromItsEnds) {
  SynCookies cookies(1, 64);
  const Nanoseconds begin = 5LL << SynCookies::kSlotShift;
  const std::uint32_t acknowledged = cookies.acknowledged(ends(), 99'999, begin);
  EXPECT_TRUE(cookies.prove(ends(), acknowledged, begin + (2LL << SynCookies::kSlotShift) - 1));
  EXPECT_FALSE(cookies.prove(ends(), acknowledged, begin + (2LL << SynCookies::kSlotShift)));
  EXPECT_FALSE(cookies.prove(ends(), acknowledged + 1, begin));
  EXPECT_FALSE(cookies.prove(ends(40001), acknowledged, begin));
  SynCookies other(2, 64);
  EXPECT_FALSE(other.prove(ends(), acknowledged, begin)) << "another key";
}

TEST(SynCookies, GuessesFailButForChance) {
  SynCookies cookies(1, 64);
  std::mt19937 random(7);
  int lucky = 0;
  for (int i = 0; i < 100'000; ++i) lucky += cookies.prove(ends(static_cast<std::uint16_t>(random())), static_cast<std::uint32_t>(random()), kSecond) ? 1 : 0;
  EXPECT_LT(lucky, 16) << "two numbers of 65,536 are right";
}

}  // namespace
}  // namespace weir::state
