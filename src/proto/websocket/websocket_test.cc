// SPDX-License-Identifier: Apache-2.0
#include "proto/websocket/websocket.h"

#include "tests/kit/turns.h"

namespace weir::proto::websocket {
namespace {

using kit::C, kit::S, kit::Turns;
using namespace std::string_literals;

constexpr unsigned kFinal = 0x80, kCompressed = 0x40;

std::string frame(unsigned first, std::string_view payload, bool masked) {
  const char mask[4] = {0x11, 0x22, 0x33, 0x44};
  std::string out(1, static_cast<char>(first));
  const auto mark = static_cast<char>(masked ? 0x80 : 0);
  if (payload.size() < 126) out += static_cast<char>(payload.size() | static_cast<unsigned char>(mark));
  else out += std::string{static_cast<char>(126 | static_cast<unsigned char>(mark)), static_cast<char>(payload.size() >> 8), static_cast<char>(payload.size())};
  if (masked) out.append(mask, 4);
  for (std::size_t i = 0; i < payload.size(); ++i) out += static_cast<char>(masked ? payload[i] ^ mask[i % 4] : payload[i]);
  return out;
}
std::string client(unsigned opcode, std::string_view payload) { return frame(kFinal | opcode, payload, true); }
std::string server(unsigned opcode, std::string_view payload) { return frame(kFinal | opcode, payload, false); }

TEST(Websocket, OpcodesFrameByFrame) {
  const auto d = kit::play(kWebsocket, {{C, client(1, "hello")}, {S, server(1, std::string(400, 'x')) + server(9, "")}, {C, client(10, "") + client(8, "\x03\xe8")}});
  for (const char* opcode : {"text", "ping", "pong", "close"}) EXPECT_TRUE(d->said("end websocket.opcode="s + opcode)) << opcode;
  EXPECT_FALSE(d->said("flaw"));
}

TEST(Websocket, WhatIsInsideBinaryMessagesIsNamed) {
  EXPECT_TRUE(kit::play(kWebsocket, {{S, server(2, "SSH-2.0-OpenSSH_9.2\r\n")}, {C, client(2, "SSH-2.0-OpenSSH_9.2\r\n")}})->said("refine ssh"));
  EXPECT_TRUE(kit::play(kWebsocket, {{C, frame(2, "SSH-2.0-", true) + frame(kFinal, "PuTTY_0.80\r\n", true)}, {S, server(2, "SSH-2.0-x\r\n")}})->said("refine ssh"))
      << "in fragments";
  EXPECT_FALSE(kit::play(kWebsocket, {{C, client(1, "SSH-2.0-OpenSSH_9.2\r\n")}, {S, server(1, "SSH-2.0-x\r\n")}})->said("refine")) << "a text about it";
  EXPECT_FALSE(kit::play(kWebsocket, {{C, frame(kFinal | kCompressed | 2, "SSH-2.0-x\r\n", true)}, {S, frame(kFinal | kCompressed | 2, "SSH-2.0-x\r\n", false)}})->said("refine"));
  EXPECT_FALSE(kit::play(kWebsocket, {{C, client(2, "{\"type\":\"subscribe\"}")}, {S, server(2, "{\"type\":\"ok\"}")}})->said("refine"));
}

TEST(Websocket, FramesThatMayNotBe) {
  EXPECT_TRUE(kit::play(kWebsocket, {{C, server(1, "bare")}})->said("flaw bad-message")) << "RFC 6455, 5.1";
  EXPECT_TRUE(kit::play(kWebsocket, {{S, client(1, "masked")}})->said("flaw bad-message"));
  EXPECT_TRUE(kit::play(kWebsocket, {{C, client(9, std::string(126, 'x'))}})->said("flaw bad-message")) << "RFC 6455, 5.5";
  EXPECT_TRUE(kit::play(kWebsocket, {{C, frame(9, "", true)}})->said("flaw bad-message")) << "a control frame in fragments";
  EXPECT_TRUE(kit::play(kWebsocket, {{C, client(3, "")}})->said("flaw bad-message"));
  EXPECT_TRUE(kit::play(kWebsocket, {{S, "\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff"s}})->said("flaw bad-message")) << "the highest bit of a length";
}

}  // namespace
}  // namespace weir::proto::websocket
