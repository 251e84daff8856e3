// SPDX-License-Identifier: Apache-2.0
#include "proto/rsync/rsync.h"

#include "tests/kit/turns.h"

namespace weir::proto {
namespace {

using namespace std::string_literals;
using kit::C, kit::S, kit::Turns;

TEST(Rsync, AModuleIsAskedForAndAnAccountNamed) {
  const auto d = kit::play(kRsync, {{S, "@RSYNCD: 31.0 sha512 md5\n"},
                                    {C, "@RSYNCD: 31.0 sha512 md5\nbackup\n"},
                                    {S, "Welcome\n@RSYNCD: AUTHREQD aGVsbG8\n"},
                                    {C, "alice deadbeef\n"},
                                    {S, "@RSYNCD: OK\n"},
                                    {C, "--server\0-vlogDtpre.iLsfxCIvu\0.\0backup/etc\0\0\x11\x22"s}});
  EXPECT_TRUE(d->said("end rsync.version=31 rsync.module=backup rsync.op=write auth.user=alice auth.scheme=cram auth.result=ok")) << d->outcome();
  EXPECT_TRUE(d->done());
}

TEST(Rsync, TheServerSendsWhereTheClientReads) {
  const auto d = kit::play(kRsync, {{S, "@RSYNCD: 29\n"}, {C, "@RSYNCD: 29\npub\n"}, {S, "@RSYNCD: OK\n"}, {C, "--server\n--sender\n-r\n.\npub/\n\n"}});
  EXPECT_TRUE(d->said("rsync.version=29 rsync.module=pub rsync.op=read")) << d->outcome();
}

TEST(Rsync, AListIsNoModule) {
  for (const char* how : {"\n", "#list\n"}) {
    const auto d = kit::play(kRsync, {{S, "@RSYNCD: 31.0\n"}, {C, "@RSYNCD: 31.0\n" + std::string(how)}, {S, "pub  Public files\n@RSYNCD: EXIT\n"}});
    EXPECT_TRUE(d->said("end rsync.version=31 rsync.op=list")) << d->outcome();
    EXPECT_FALSE(d->said("rsync.module"));
  }
}

TEST(Rsync, ARefusedLoginIsSaid) {
  const auto d = kit::play(kRsync, {{S, "@RSYNCD: 31.0\n"},
                                    {C, "@RSYNCD: 31.0\nbackup\n"},
                                    {S, "@RSYNCD: AUTHREQD abc\n"},
                                    {C, "mallory 00\n"},
                                    {S, "@ERROR: auth failed on module backup\n"}});
  EXPECT_TRUE(d->said("auth.user=mallory auth.scheme=cram auth.result=failed")) << d->outcome();
}

}  // namespace
}  // namespace weir::proto
