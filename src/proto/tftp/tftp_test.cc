// SPDX-License-Identifier: Apache-2.0
#include "proto/tftp/tftp.h"

#include <gtest/gtest.h>

#include "tests/kit/dialogue.h"

namespace weir::proto::tftp {
namespace {

using namespace std::string_literals;

Match match(std::string_view client, std::string_view server = {}) {
  return identify({.client = as_bytes(client), .server = as_bytes(server), .ip_protocol = 17});
}
std::string outcome(const std::string& datagram) { return kit::Dialogue(kTftp).datagram(Side::Client, datagram).outcome(); }
bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST(Tftp, RequestsNameAFileAndAnnounceTheTransfer) {
  const std::string read = outcome("\0\1boot/linux.bin\0octet\0"s);
  EXPECT_TRUE(has(read, "end tftp.op=read tftp.filename=boot/linux.bin")) << read;
  EXPECT_TRUE(has(read, "expect tftp client:40000")) << "the server's end is a port of its own";
  EXPECT_TRUE(has(outcome("\0\2config\0NetASCII\0blksize\0" "1468\0"s), "end tftp.op=write tftp.filename=config"));
}

TEST(Tftp, TheFirstBlockTellsTheTypeOfTheFile) {
  EXPECT_TRUE(has(outcome("\0\3\0\1"s + "MZ" + std::string(510, '\0')), "end file.type=pe"));
  EXPECT_FALSE(has(outcome("\0\3\0\2"s + "MZ" + std::string(510, '\0')), "file.type")) << "a later block";
}

TEST(Tftp, BrokenRequestsAreFlawsAndAnnounceNothing) {
  const std::string bad = outcome("\0\1no end"s);
  EXPECT_TRUE(has(bad, "flaw bad-message")) << bad;
  EXPECT_TRUE(has(bad, "tftp.filename=hidden")) << bad;
  EXPECT_FALSE(has(bad, "expect")) << bad;
}

TEST(TftpIdentify, ARequestIsEnough) {
  EXPECT_EQ(match("\0\1a\0octet\0"s), Match::Yes);
  EXPECT_EQ(match("\0\2a\0mail\0"s), Match::Yes);
  EXPECT_EQ(match("\0\1a\0octet\0tsize\0" "0\0"s), Match::Yes);
  EXPECT_EQ(match("\0\1a\0binary\0"s), Match::No) << "mode";
  EXPECT_EQ(match("\0\1a\x01\0octet\0"s), Match::No) << "a name that cannot be printed";
  EXPECT_EQ(match("\0\1a\0octet\0tsize\0"s), Match::No) << "an option without its value";
  EXPECT_EQ(match("\0\7a\0octet\0"s), Match::No) << "opcode";
}

TEST(TftpIdentify, ATransferTakesBothSides) {
  const std::string data = "\0\3\0\1"s + std::string(512, 'd'), ack = "\0\4\0\1"s;
  EXPECT_EQ(match(data), Match::Maybe);
  EXPECT_EQ(match(data, ack), Match::Yes);
  EXPECT_EQ(match(data, "\0\4\0\2"s), Match::No) << "another block";
  EXPECT_EQ(match("\0\4\0\0"s, data), Match::Yes) << "a write";
  EXPECT_EQ(match("\0\6blksize\0" "1468\0"s, "\0\4\0\0"s), Match::Yes) << "options";
  EXPECT_EQ(match("\0\5\0\1File not found\0"s), Match::Maybe);
  EXPECT_EQ(match("\0\3\0\2" "later"s), Match::No);
}

}  // namespace
}  // namespace weir::proto::tftp
