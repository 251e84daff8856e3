// SPDX-License-Identifier: Apache-2.0
#include "proto/rfb/rfb.h"

#include "tests/kit/turns.h"

namespace weir::proto {
namespace {

using kit::C, kit::S, kit::Turns;

TEST(RfbIdentify, ByTheVersionMessage) {
  const auto seen = [](std::string_view server) { return rfb::identify({.client = {}, .server = as_bytes(server)}); };
  EXPECT_EQ(seen("RFB 003.008\n"), Match::Yes);
  EXPECT_EQ(seen("RFB 003."), Match::Yes);
  EXPECT_EQ(seen("RFB"), Match::Maybe);
  EXPECT_EQ(seen("RFB x"), Match::No);
  EXPECT_EQ(seen("220 x"), Match::No);
}

TEST(Rfb, TheClientsChoiceIsTheVersion) {
  EXPECT_EQ(kit::play(kRfb, {{S, "RFB 003.008\n"}})->facts(), "rfb.version=003.008");
  const auto d = kit::play(kRfb, {{S, "RFB 003.008\n"}, {C, "RFB 003.003\n"}});
  EXPECT_EQ(d->facts(), "rfb.version=003.003");
  EXPECT_TRUE(d->done());
  EXPECT_TRUE(kit::play(kRfb, {{S, "RFB 003-008\n"}})->said("flaw bad-message"));
}

}  // namespace
}  // namespace weir::proto
