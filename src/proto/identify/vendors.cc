// SPDX-License-Identifier: Apache-2.0
// Protocols of one maker. Where the bytes below are said to be observed, nDPI's reader of that name is the public word on them.

#include "proto/identify/vendors.h"

#include "base/text.h"
#include "proto/identify/probe.h"

namespace weir::proto::identify {
namespace {

using namespace std::string_view_literals;

std::string_view part(Bytes b, std::size_t at, std::size_t size) { return as_text(b).substr(std::min(at, b.size()), size); }

/// Alibaba Cloud's link of its agents, observed: a magic number and the length of what follows, little-endian, on both sides.
Match alicloud_message(Bytes b) { return Probe(b).be32(0, 0xcefabeba).le32(4, 1, 1 << 16).match(); }

/// DingTalk, observed: the first message of a client, whose version, cipher and key follow.
Match dingtalk_hello(Bytes b) { return Probe(b).byte(0, 0x10).be32(2, 0x87800100).be32(6, 0x01000200).be32(10, 0x02646b03).be16(14, 0x0020).match(); }

/// Unreal Engine's handshake (StatelessConnectHandlerComponent), which the Epic Games Store's titles use: the client's first packet carries
/// an empty cookie of twenty bytes and a time of nought; the server's has the same head with the challenge's bit.
bool unreal_hello(Bytes b) { return b.size() >= 44 && b.size() <= 128 && (b[3] & 0x08) == 0 && load_be32(b.data()) != 0 && Probe(b).zero(10, 28).holds(); }
bool unreal_challenge(Bytes hello, Bytes b) {
  return b.size() >= 44 && b[0] == hello[0] && b[1] == hello[1] && b[2] == hello[2] && b[3] == (hello[3] | 0x08) && part(b, 5, 5) == part(hello, 5, 5) &&
         !Probe(b).zero(10, 28).holds();
}

/// iQIYI's peers (PPStream), observed: the datagram's own length, little-endian, and the maker's name.
bool iqiyi_datagram(Bytes b) {
  return b.size() >= 64 && Probe(b).le16(2, static_cast<std::uint32_t>(b.size())).holds() && as_text(b).find("PPStream") != std::string_view::npos;
}

/// Weave over TCP, as OpenWeave (openweave-core) writes it and Nest's devices log: a length, then a header that says version 1 with both
/// nodes' numbers, which begin with the makers' part of an address.
Match weave_message(Bytes b) {
  constexpr std::string_view kNest = "\x30\xb4\x18"sv;  // 18:B4:30, at the upper end of a number that is written from its lower end.
  return Probe(b).le16(0, 24, 4096).byte(2, 0, 0x1f).byte(3, 0x13).text(13, kNest).text(21, kNest).match();
}

/// A probe of League of Legends' servers, observed: the answer has the asker's number in front, and the same end.
bool riot_probe(Bytes b) { return b.size() == 36 && Probe(b).be32(28, 0xaaaaaaaa).be32(32, 0xbbbbbbbb).holds(); }

/// Agora's SD-RTN, observed: a hello of tags in the manner of Google's QUIC; the first names the server, the next begins where it ends.
bool sd_rtn_hello(Bytes b) {
  if (!Probe(b).byte(6, 0x21).text(12, "\x04SNI\0"sv).byte(18, 0).least(24).holds()) return false;
  const std::size_t name = b[17];
  return name != 0 && !Probe(b).printable(19, name).failed() && Probe(b).byte(19 + name, 'A', 'Z').byte(20 + name, 'A', 'Z').holds();
}

/// Telegram's calls (libtgvoip): the call's tag of sixteen bytes; what is for the reflector itself has -1 three times behind it, then a ping
/// (-2), or the constructor of reflectorSelfInfo or reflectorPeerInfo.
bool reflector_datagram(Bytes b) {
  return b.size() >= 36 && begins(b.subspan(16), {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff"sv,
                                                  "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xc7\x72\x15\xc0"sv,
                                                  "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x1c\x37\xd9\x27"sv}) == Match::Yes;
}

/// Viber's calls, observed: number of the call, type, nought; the answer's type belongs to it, and it repeats eight bytes of the request.
bool viber_request(Bytes b) {
  if (b.size() < 18 || b[3] != 0 || load_be16(b.data()) == 0) return false;
  return b[2] == 0x01 ? b.size() >= 200 : b[2] == 0x09 ? b.size() == 20 : b[2] == 0x11 ? b.size() == 18 : b[2] == 0x19 && b.size() == 34;
}
bool viber_answers(Bytes asked, Bytes b) {
  if (b.size() < 20 || b[0] != asked[0] || b[1] != asked[1] || b[3] != 0) return false;
  if (asked[2] == 0x19) return b[2] == 0x1a && part(b, 4, 8) == part(asked, 4, 8);
  return b[2] == 0x0c && part(b, 6, 8) == part(asked, asked[2] == 0x09 ? 12 : 6, 8);
}

/// World of Warcraft: both sides begin with a sentence, its length before it.
Match wow_sentence(Bytes b) { return Probe(b).byte(0, 0x30).byte(1, 0).text(2, "WORLD OF WARCRAFT CONNECTION - ").match(); }

/// Xiaomi's push (MiPush), observed: magic and version, a length, the number of a message's parts; the server's name stands in the first.
Match mipush_message(Bytes b) { return Probe(b).be32(0, 0xc2fe0005).be32(4, 4, 65536).be32(8, 0x00020016).match(); }

/// Zoom, observed (and Michel et al., "Enabling Passive Measurement of Zoom Performance", 2022, for what follows): a request and an answer
/// with the same eighteen bytes behind the type, most of them random.
bool zoom_request(Bytes b) { return b.size() >= 100 && b[0] == 1 && b[1] == 0 && Probe(b).zero(19, 4).holds(); }
bool zoom_answers(Bytes asked, Bytes b) { return b.size() >= 32 && b[0] == 2 && part(b, 1, 18) == part(asked, 1, 18); }

/// Zug, observed: its name and version.
bool zug_datagram(Bytes b) { return Probe(b).text(0, "\0zUG\x10"sv).least(32).holds(); }

/// A request alone is too little: the answer must belong to it.
Match answered(const Evidence& e, bool (*asks)(Bytes), bool (*answers)(Bytes, Bytes)) {
  const auto match = [&](Bytes a, Bytes b) {
    if (!a.empty() && !asks(a)) return Match::No;
    if (a.empty() || b.empty()) return b.empty() ? Match::Maybe : Match::No;
    return answers(a, b) ? Match::Yes : Match::No;
  };
  const Match direct = match(e.client, e.server);
  return direct != Match::No || !e.roles_unsure ? direct : match(e.server, e.client);
}

}  // namespace

Match alicloud(const Evidence& e) { return sides(e, alicloud_message, alicloud_message); }
Match dingtalk(const Evidence& e) { return sides(e, dingtalk_hello, any_side); }
Match epic_games(const Evidence& e) { return answered(e, unreal_hello, unreal_challenge); }
Match iqiyi(const Evidence& e) { return iqiyi_datagram(e.client.empty() ? e.server : e.client) ? Match::Yes : Match::No; }
Match nest_log_sink(const Evidence& e) { return sides(e, weave_message, weave_message); }
Match riot_games(const Evidence& e) { return datagrams(e, riot_probe); }
Match sd_rtn(const Evidence& e) { return sd_rtn_hello(e.client.empty() ? e.server : e.client) ? Match::Yes : Match::No; }
Match telegram(const Evidence& e) { return datagrams(e, reflector_datagram); }
Match viber(const Evidence& e) { return answered(e, viber_request, viber_answers); }
Match world_of_warcraft(const Evidence& e) { return sides(e, wow_sentence, wow_sentence); }
Match xiaomi(const Evidence& e) { return sides(e, mipush_message, mipush_message); }
Match zoom(const Evidence& e) { return answered(e, zoom_request, zoom_answers); }
Match zug(const Evidence& e) { return datagrams(e, zug_datagram); }

}  // namespace weir::proto::identify
