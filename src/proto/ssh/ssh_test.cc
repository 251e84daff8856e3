// SPDX-License-Identifier: Apache-2.0
#include "proto/ssh/ssh.h"

#include "tests/kit/turns.h"

namespace weir::proto {
namespace {

using kit::C, kit::S, kit::Turns;

std::string be32(std::size_t n) {
  std::string out(4, '\0');
  store_be32(reinterpret_cast<std::uint8_t*>(out.data()), static_cast<std::uint32_t>(n));
  return out;
}

/// A KEXINIT packet (RFC 4253, 7.1) with these lists; host keys and the server's direction have lists of their own.
std::string kexinit(std::string kex, std::string encryption, std::string mac, std::string compression) {
  std::string payload = std::string(1, '\x14') + std::string(16, 'c');
  for (const std::string& list : {kex, std::string("hostkey"), encryption, std::string("s2c-e"), mac, std::string("s2c-m"), compression,
                                  std::string("s2c-c"), std::string(), std::string()})
    payload += be32(list.size()) + list;
  payload += std::string(5, '\0') + std::string(4, 'p');
  return be32(payload.size() + 1) + std::string(1, '\x04') + payload;
}

Match seen(std::string_view client, std::string_view server) { return ssh::identify({.client = as_bytes(client), .server = as_bytes(server)}); }

TEST(SshIdentify, ByEitherVersionLine) {
  EXPECT_EQ(seen("", "SSH-2.0-OpenSSH_9.2\r\n"), Match::Yes);
  EXPECT_EQ(seen("SSH-2.0-x", ""), Match::Yes);
  EXPECT_EQ(seen("SSH-", ""), Match::Maybe);
  EXPECT_EQ(seen("SSHx", ""), Match::No);
  EXPECT_EQ(seen("", "Keep out\r\n"), Match::Maybe) << "lines before the version line (RFC 4253, 4.2)";
  EXPECT_EQ(seen("SSH-2.0-x\r\n", "Keep out\r\n"), Match::Yes);
  EXPECT_EQ(seen("", "220 ready\r\n"), Match::No);
  EXPECT_EQ(seen("GET / HTTP/1.1\r\n", ""), Match::No);
}

TEST(Ssh, SoftwareAndHassh) {
  const auto d = kit::play(kSsh, {{S, "Keep out\r\nSSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"},
                                  {C, "SSH-2.0-libssh_0.10\r\n" + kexinit("k1,k2", "e1", "m1", "none")},
                                  {S, kexinit("a", "b", "c", "d")}});
  // MD5 of "k1,k2;e1;m1;none"
  EXPECT_EQ(d->facts(), "ssh.software=OpenSSH_9.2p1 ssh.client_software=libssh_0.10 ssh.hassh=6a3b6b0079fcbd1a3ca4b80637cc6e97");
  EXPECT_TRUE(d->done());
}

TEST(Ssh, WhatBreaksTheGrammarIsHidden) {
  EXPECT_TRUE(kit::play(kSsh, {{C, "SSH-2.0-x\r\n\xff\xff\xff\xff"}})->said("flaw bad-length"));
  const auto list = kit::play(kSsh, {{C, std::string("SSH-2.0-x\r\n\0\0\0\x20\x04\x14", 17) + std::string(16, 'c') + "\xff\xff\xff\xff" + std::string(10, 'x')}});
  EXPECT_TRUE(list->said("flaw bad-length"));
  EXPECT_EQ(list->state_of(ssh::kHassh), FactState::Hidden);
  const auto banner = kit::play(kSsh, {{C, "hello\r\n"}});
  EXPECT_EQ(banner->state_of(ssh::kClientSoftware), FactState::Hidden) << "only the server may say other lines";
}

TEST(Ssh, VersionOneHasNoLists) {
  const auto d = kit::play(kSsh, {{S, "SSH-1.5-old\n"}, {C, "SSH-1.5-older\n"}});
  EXPECT_TRUE(d->done());
  EXPECT_EQ(d->state_of(ssh::kHassh), FactState::Absent);
}

}  // namespace
}  // namespace weir::proto
