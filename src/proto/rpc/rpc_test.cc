// SPDX-License-Identifier: Apache-2.0
// ONC RPC (RFC 5531) and NFS in its three versions. Messages are written in XDR, a word or a string at a time.

#include "proto/rpc/rpc.h"

#include "tests/kit/turns.h"

namespace weir::proto {
namespace {

using namespace std::string_literals;
using kit::C, kit::S, kit::Turns;

std::string u32(std::uint32_t v) { return {static_cast<char>(v >> 24), static_cast<char>(v >> 16), static_cast<char>(v >> 8), static_cast<char>(v)}; }
std::string u64(std::uint64_t v) { return u32(static_cast<std::uint32_t>(v >> 32)) + u32(static_cast<std::uint32_t>(v)); }
std::string str(const std::string& s) { return u32(static_cast<std::uint32_t>(s.size())) + s + std::string((4 - s.size() % 4) % 4, '\0'); }
std::string zeros(std::size_t n) { return std::string(n, '\0'); }
std::string record(const std::string& s) { return u32(0x80000000U | static_cast<std::uint32_t>(s.size())) + s; }
const std::string kNobody = u32(0) + u32(0);
std::string sys(const std::string& machine, std::uint32_t uid) {
  return u32(1) + str(u32(1) + str(machine) + u32(uid) + u32(100) + u32(0));
}
std::string call(std::uint32_t xid, std::uint32_t program, std::uint32_t version, std::uint32_t procedure, const std::string& arguments, const std::string& credential = kNobody) {
  return u32(xid) + u32(0) + u32(2) + u32(program) + u32(version) + u32(procedure) + credential + kNobody + arguments;
}
std::string accepted(std::uint32_t xid, const std::string& results) { return u32(xid) + u32(1) + u32(0) + kNobody + u32(0) + results; }
const std::string kHandle = str("handle-of-sixteen");
const std::string kElf = "\x7f" "ELF\x02\x01\x01"s + zeros(57);

TEST(Rpc, ACallNamesItsProgramAndWhoCalls) {
  const auto d = kit::play(kNfs, {{C, record(call(1, 100003, 3, 3, kHandle + str("passwd"), sys("desk", 1000)))}, {S, record(accepted(1, u32(0) + kHandle))}});
  EXPECT_TRUE(d->said("end rpc.program=nfs rpc.version=3 rpc.procedure=3 nfs.operation=lookup auth.user=1000 auth.realm=desk auth.scheme=other "
                      "auth.result=ok file.name=passwd")) << d->outcome();
  EXPECT_FALSE(d->said("flaw"));
}

TEST(Rpc, ADenialIsARefusedLogin) {
  const auto d = kit::play(kNfs, {{C, record(call(1, 100003, 3, 3, kHandle + str("x"), sys("desk", 0)))}, {S, record(u32(1) + u32(1) + u32(1) + u32(1) + u32(5))}});
  EXPECT_TRUE(d->said("auth.result=failed")) << d->outcome();
}

TEST(Rpc, AMessageMayComeInFragments) {
  const std::string whole = call(1, 100003, 3, 3, kHandle + str("passwd"));
  std::string pieces;
  for (std::size_t at = 0; at < whole.size(); at += 10) {
    const std::string piece = whole.substr(at, 10);
    pieces += u32((at + 10 >= whole.size() ? 0x80000000U : 0) | static_cast<std::uint32_t>(piece.size())) + piece;
  }
  const auto d = kit::play(kNfs, {{C, pieces + record(call(2, 100003, 3, 12, kHandle + str("next")))}});
  EXPECT_TRUE(d->said("nfs.operation=lookup file.name=passwd")) << d->outcome();
  EXPECT_TRUE(d->said("nfs.operation=remove file.name=next")) << d->outcome();
}

TEST(Nfs, Version3SaysWhatIsWritten) {
  const auto d = kit::play(kNfs, {{C, record(call(1, 100003, 3, 8, kHandle + str("evil.sh") + u32(0)))},
                                  {C, record(call(2, 100003, 3, 7, kHandle + u64(0) + u32(8) + u32(2) + str("#!/bin/sh\necho")))},
                                  {C, record(call(3, 100003, 3, 7, kHandle + u64(4096) + u32(8) + u32(2) + str(kElf)))}});
  EXPECT_TRUE(d->said("nfs.operation=create file.name=evil.sh")) << d->outcome();
  EXPECT_TRUE(d->said("nfs.operation=write file.type=script file.bytes=14")) << d->outcome();
  EXPECT_TRUE(d->said("nfs.operation=write file.bytes=4160")) << "the middle of a file has no type\n" << d->outcome();
}

TEST(Nfs, WhatIsReadIsTypedByItsReply) {
  const std::string read = record(call(7, 100003, 3, 6, kHandle + u64(0) + u32(65536)));
  const std::string data = record(accepted(7, u32(0) + u32(1) + zeros(84) + u32(64) + u32(1) + str(kElf)));
  EXPECT_TRUE(kit::play(kNfs, {{C, read}, {S, data}})->said("file.type=elf"));
  // Another call between: the reply is told by itself.
  const auto d = kit::play(kNfs, {{C, read + record(call(8, 100003, 3, 1, kHandle))}, {S, data}});
  EXPECT_TRUE(d->said("begin key=7 answer")) << d->outcome();
  EXPECT_TRUE(d->said("rpc.procedure=6 file.type=elf")) << d->outcome();
}

TEST(Nfs, Version2HasHandlesOfThirtyTwoBytes) {
  const auto d = kit::play(kNfs, {{C, record(call(1, 100003, 2, 4, zeros(32) + str("etc")))},
                                  {C, record(call(2, 100003, 2, 11, zeros(32) + str("old") + zeros(32) + str("new")))},
                                  {C, record(call(3, 100003, 2, 8, zeros(32) + u32(0) + u32(0) + u32(0) + str(kElf)))}});
  EXPECT_TRUE(d->said("nfs.operation=lookup file.name=etc")) << d->outcome();
  EXPECT_TRUE(d->said("nfs.operation=rename file.name=new")) << d->outcome();
  EXPECT_TRUE(d->said("nfs.operation=write file.type=elf file.bytes=64")) << d->outcome();
}

TEST(Nfs, ACompoundIsReadOperationByOperation) {
  const std::string sequence = u32(53) + zeros(32), root = u32(24), getfh = u32(10), handle = u32(22) + kHandle;
  const std::string open = u32(18) + zeros(12) + zeros(8) + str("owner") + u32(1) + u32(0) + u32(1) + u32(2) + str(u32(420)) + u32(0) + str("run.sh");
  const auto compound = [](std::uint32_t count, const std::string& operations) { return str("tag") + u32(1) + u32(count) + operations; };
  const auto d = kit::play(kNfs, {{C, record(call(1, 100003, 4, 1, compound(5, sequence + root + u32(15) + str("home") + u32(15) + str("alice") + getfh)))},
                                  {C, record(call(2, 100003, 4, 1, compound(4, sequence + handle + open + getfh)))},
                                  {C, record(call(3, 100003, 4, 1, compound(3, sequence + handle + u32(38) + zeros(16) + u64(0) + u32(2) + str(kElf))))},
                                  {C, record(call(4, 100003, 4, 1, compound(3, sequence + handle + u32(25) + zeros(16) + u64(0) + u32(4096))))},
                                  {S, record(accepted(4, u32(0) + str("tag") + u32(3) + u32(53) + u32(0) + zeros(36) + u32(22) + u32(0) + u32(25) + u32(0) + u32(1) + str(kElf)))}});
  EXPECT_TRUE(d->said("nfs.operation=sequence nfs.operation=putrootfh nfs.operation=lookup nfs.operation=getfh file.name=home/alice")) << d->outcome();
  EXPECT_TRUE(d->said("nfs.operation=putfh nfs.operation=open nfs.operation=getfh file.name=run.sh")) << d->outcome();
  EXPECT_TRUE(d->said("nfs.operation=write file.type=elf file.bytes=64")) << d->outcome();
  EXPECT_TRUE(d->said("nfs.operation=read file.type=elf")) << d->outcome();
}

TEST(Nfs, WhatKerberosEncryptsIsHidden) {
  const std::string gss = u32(6) + str(u32(1) + u32(0) + u32(9) + u32(3) + str("ctx"));
  const auto d = kit::play(kNfs, {{C, record(call(1, 100003, 4, 1, zeros(64), gss))}});
  EXPECT_TRUE(d->said("nfs.operation=hidden")) << d->outcome();
  EXPECT_TRUE(d->said("auth.user=hidden auth.scheme=kerberos")) << d->outcome();
}

TEST(Rpc, DatagramsAndMountAreRead) {
  kit::Dialogue d(kSunrpc);
  d.datagram(C, call(9, 100005, 3, 1, str("/export/home"), sys("desk", 0))).datagram(S, accepted(9, u32(0)));
  EXPECT_TRUE(d.said("nfs.path=/export/home auth.user=0 auth.realm=desk")) << d.outcome();
  EXPECT_TRUE(d.said("begin key=9 answer")) << d.outcome();
}

TEST(Rpc, LengthsThatLieAreFlaws) {
  for (const std::string& arguments : {u32(64) + "short"s, kHandle + u32(1000) + "x"s, kHandle}) {
    const auto d = kit::play(kNfs, {{C, record(call(1, 100003, 3, 3, arguments))}});
    EXPECT_TRUE(d->said("flaw bad-length")) << d->outcome();
  }
  EXPECT_TRUE(kit::play(kNfs, {{C, record(call(1, 100003, 3, 3, "", u32(1) + u32(4000)))}})->said("flaw bad-length"));
}

}  // namespace
}  // namespace weir::proto
