// SPDX-License-Identifier: Apache-2.0
#include "proto/ntp/ntp.h"

#include <gtest/gtest.h>

#include "tests/kit/dialogue.h"

namespace weir::proto::ntp {
namespace {

const std::string kNow("\xe9\x00\x00\x01\x80\x00\x00\x00", 8);  // A time of 2023.

// Leap 0, version 4 and this mode; stratum, poll 2^6 s, precision 2^-20 s; delays and reference zero; four times.
std::string time_packet(int mode, int stratum, const std::string& origin, const std::string& received, const std::string& sent) {
  return std::string{static_cast<char>(4 << 3 | mode), static_cast<char>(stratum), 6, -20} + std::string(12, '\0') + std::string(8, '\0') + origin + received + sent;
}
const std::string kNone(8, '\0');

Match match(std::string_view m) { return kNtp.identify({.client = as_bytes(m), .ip_protocol = 17}); }
bool says(const std::string& m, std::string_view part) { return kit::Dialogue(kNtp).datagram(Side::Client, m).said(part); }

TEST(Ntp, ModesHaveNames) {
  EXPECT_TRUE(says(time_packet(3, 0, kNone, kNone, kNow), "end ntp.mode=client"));
  EXPECT_TRUE(says(time_packet(4, 2, kNow, kNow, kNow), "end ntp.mode=server"));
  EXPECT_TRUE(says(std::string("\x17\0\3\x2a\0\0\0\0", 8), "end ntp.mode=private")) << "monlist";
  EXPECT_TRUE(says(std::string("\x16\2\0\1\0\0\0\0\0\0\0\0", 12), "end ntp.mode=control"));
}

TEST(Ntp, AnswerHasTheKeyOfItsRequest) {
  kit::Dialogue d(kNtp);
  d.datagram(Side::Client, time_packet(3, 0, kNone, kNone, kNow)).datagram(Side::Server, time_packet(4, 2, kNow, kNow, kNow));
  EXPECT_EQ(d.log()[0] + " answer", d.log()[3]);
}

TEST(NtpIdentify, IsStrict) {
  EXPECT_EQ(match(time_packet(3, 0, kNone, kNone, kNow)), Match::Yes);
  EXPECT_EQ(match(std::string("\x1b") + std::string(47, '\0')), Match::Yes) << "the least that a client sends";
  EXPECT_EQ(match(std::string("\x23\0\0\x20", 4) + std::string(36, '\0') + kNow), Match::Yes) << "a client that tells nothing of itself";
  EXPECT_EQ(match(time_packet(4, 2, kNow, kNow, kNow)), Match::Yes);
  EXPECT_EQ(match(std::string("\x17\0\3\x2a\0\0\0\0", 8)), Match::Yes);
  EXPECT_EQ(match(std::string("\x16\2\0\1\0\0\0\0\0\0\0\0", 12)), Match::Yes);
  EXPECT_EQ(match(time_packet(3, 0, kNone, kNone, kNow).substr(0, 44)), Match::No);
  EXPECT_EQ(match(time_packet(3, 17, kNone, kNone, kNow)), Match::No) << "stratum";
  EXPECT_EQ(match(time_packet(4, 2, kNow, kNow, kNone)), Match::No) << "sent long after it was received";
  EXPECT_EQ(match(std::string("\x17\0\7\x2a\0\0\0\0", 8)), Match::No) << "implementation";
  EXPECT_EQ(match(std::string("\x16\2\0\1\0\0\0\0\0\0\0\x09", 12)), Match::No) << "nine bytes promised";
  EXPECT_EQ(match(std::string(48, '\0')), Match::No);
}

}  // namespace
}  // namespace weir::proto::ntp
