// SPDX-License-Identifier: Apache-2.0
// Games, and peers that share files or coins.

#include "proto/identify/games.h"

#include <algorithm>

#include "base/text.h"
#include "proto/identify/probe.h"

namespace weir::proto::identify {
namespace {

using namespace std::string_view_literals;

/// Armagetron (its nNetwork): messages of words: kind, number, how many words follow, them, and the sender at the end. A login is the first (0).
bool armagetron_login(Bytes b) {
  return b.size() > 10 && Probe(b).be32(0, 0x000b0000).be16(6, 8).be16(b.size() - 2, 0).holds() && load_be16(&b[4]) * 2U + 8 == b.size() && load_be16(&b[4]) != 0;
}

/// Battle.net's classic chat servers (BNETDocs, SID_AUTH_INFO): the game's protocol is chosen by 1, the first message has the platform in it.
Match battle_net_client(Bytes b) {
  const Match head = Probe(b).byte(0, 1).byte(1, 0xff).byte(2, 0x50).le16(3, 30, 512).le32(5, 0).match();
  return head != Match::Yes ? head : begins(b.subspan(9), {"68XI"sv, "CAMP"sv, "XAMP"sv});
}

/// CrossFire, observed: a datagram of one size with a magic number and two constants.
bool crossfire_hello(Bytes b) { return b.size() == 25 && Probe(b).be32(0, 0xc7d91999).be16(4, 0x0200).be16(22, 0x7d00).holds(); }

/// Direct Connect (the NMDC project's text, and ADC 1.0, 5.3): a hub or peer asks for a key; ADC's peers say what they support.
Match nmdc_hello(Bytes b) { return begins(b, {"$Lock "sv, "$MyNick "sv}); }
Match adc_hello(Bytes b) { return begins(b, {"HSUP ADBAS"sv, "CSUP ADBAS"sv, "ISUP ADBAS"sv}); }

/// Genshin Impact (open servers for it): before KCP a handshake of twenty bytes: two numbers belong to each other, who and why between them.
bool genshin_handshake(Bytes b) {
  if (b.size() != 20) return false;
  const std::uint32_t first = load_be32(&b[0]), last = load_be32(&b[16]);
  return (first == 0xff && last == 0xffffffff) || (first == 0x145 && last == 0x14514545) || (first == 0x194 && last == 0x19419494);
}

/// Heroes of the Storm, observed: the head of a side's datagrams stays, and has three constants behind ten bytes that differ each time.
bool heroes_datagram(Bytes b) { return b.size() >= 20 && load_be16(&b[14]) == 0x4000 && b[16] == 0x1a; }
bool heroes_follow(Bytes before, Bytes b) {
  return heroes_datagram(before) && heroes_datagram(b) && load_be32(&before[0]) == load_be32(&b[0]) && load_be32(&before[4]) != load_be32(&b[4]);
}

/// MapleStory (open servers for it): the server greets with fourteen bytes: version, a patch of one digit, two keys, a locale.
Match maplestory_hello(Bytes b) { return Probe(b).le16(0, 14).le16(2, 20, 250).le16(4, 1).byte(6, '0', '9').byte(15, 1, 9).match(); }

/// Monero's peers (the Levin protocol of epee, levin_base.h): a signature, a length, whether an answer is wanted, the handshake's number.
Match levin_handshake(Bytes b) { return Probe(b).text(0, "\x01\x21\x01\x01\x01\x01\x01\x01"sv).le32(8, 1, 1 << 24).le32(12, 0).match(); }

/// Soulseek (Nicotine+, SLSKPROTOCOL.md): a length, code 1 (login), name and password behind their lengths, then a version.
Match soulseek_login(Bytes b) {
  Probe probe(b);
  probe.le32(0, 40, 512).le32(4, 1).le32(8, 1, 30).least(13);
  if (probe.match() != Match::Yes) return probe.match();
  const std::size_t name = 12 + probe.le32_at(8);
  probe.printable(12, name - 12).le32(name, 1, 64).least(name + 4);
  if (probe.match() != Match::Yes) return probe.match();
  const std::size_t version = name + 4 + probe.le32_at(name);
  return probe.le32(version, 100, 400).le32(version + 4, 32).match();
}

}  // namespace

// appleJuice, observed in its peers' first words.
Match applejuice(const Evidence& e) { return sides(e, [](Bytes b) { return begins(b, {"ajprot\r\n"sv}); }, any_side); }
Match armagetron(const Evidence& e) { return armagetron_login(e.client) ? Match::Yes : Match::No; }
Match blizzard(const Evidence& e) { return sides(e, battle_net_client, [](Bytes b) { return Probe(b).byte(0, 0xff).failed() ? Match::No : Match::Maybe; }); }
Match crossfire(const Evidence& e) { return crossfire_hello(e.client.empty() ? e.server : e.client) ? Match::Yes : Match::No; }
Match directconnect(const Evidence& e) {
  const Bytes first = e.server_first || e.client.empty() ? e.server : e.client;
  if (!first.empty() && first[0] != '$' && first[0] != 'H' && first[0] != 'C' && first[0] != 'I') return Match::No;
  return std::max(nmdc_hello(first), adc_hello(first));
}
Match genshin_impact(const Evidence& e) { return datagrams(e, genshin_handshake); }
Match heroes_of_the_storm(const Evidence& e) {
  const Bytes one = e.client.empty() ? e.server : e.client, newest = e.server_first ? e.server : e.client;
  if (!heroes_datagram(one)) return Match::No;
  return heroes_follow(e.before, newest) ? Match::Yes : Match::Maybe;
}
Match maplestory(const Evidence& e) { return e.client.empty() || e.server_first ? sides(e, any_side, maplestory_hello) : Match::No; }
Match monero(const Evidence& e) { return sides(e, levin_handshake, levin_handshake); }
// Nintendo's Pia (kinnay's NintendoClients, "Pia Protocol"): a magic number.
Match nintendo(const Evidence& e) { return datagrams(e, [](Bytes b) { return b.size() >= 24 && load_be32(b.data()) == 0x32ab9864; }); }
Match soulseek(const Evidence& e) { return sides(e, soulseek_login, any_side); }
// StarCraft II's log-in, observed.
Match starcraft(const Evidence& e) { return sides(e, [](Bytes b) { return Probe(b).byte(0, 0x49, 0x4a).text(1, "\0\0\x0a\x66\x02\x0a\xed\x2d\x66"sv).match(); }, any_side); }

}  // namespace weir::proto::identify
