// SPDX-License-Identifier: Apache-2.0
// Peer to peer: files and coins.

#include <algorithm>

#include "base/text.h"
#include "proto/identify/probe.h"
#include "proto/identify/rows.h"

namespace weir::proto::identify {
namespace {

using namespace std::string_view_literals;

/// Mainline DHT (BEP 5), local discovery (BEP 14), trackers over UDP (BEP 15), the SYN of uTP (BEP 29).
bool bittorrent_datagram(Bytes b) {
  const std::string_view text = as_text(b);
  if (text.starts_with("d1:ad2:id20:") || text.starts_with("d1:rd2:id20:") || text.starts_with("d1:eli")) return true;
  if (text.starts_with("d2:ip6:")) return Probe(b).text(13, "1:rd2:id20:").holds() || Probe(b).text(13, "1:eli").holds();
  if (text.starts_with("BT-SEARCH * HTTP/1.1\r\n")) return true;
  if (b.size() == 16 && text.starts_with("\0\0\x04\x17\x27\x10\x19\x80\0\0\0\0"sv)) return true;
  return Probe(b).byte(0, 0x41).byte(1, 0, 2).be32(8, 0).be16(16, 1).holds() && (b[1] == 0 ? b.size() == 20 : b.size() == 30) && load_be32(&b[4]) != 0;
}
/// Once a flow speaks it, later datagrams are not asked; but an answer of the tracker or of uTP may come before its request is seen.
bool bittorrent_answer(Bytes b) {
  if (b.size() == 16 && Probe(b).zero(0, 4).holds()) return true;
  return b.size() >= 20 && (b[0] == 0x21 || b[0] == 0x01 || b[0] == 0x11 || b[0] == 0x31) && b[1] <= 2;
}

/// Node discovery 4 (devp2p): hash, signature, type 1 to 6; the data is one list of RLP that ends with the datagram, and a ping's first
/// item is the version, 4. Behind the list EIP-8 allows more, which nobody sends.
bool discovery(Bytes b) {
  if (b.size() < 100 || b[97] == 0 || b[97] > 6) return false;
  std::size_t at = 98, length = 0;
  if (b[at] >= 0xc0 && b[at] < 0xf8) {
    length = b[at++] - 0xc0U;
  } else if (b[at] == 0xf8 && b.size() > 99) {
    length = b[at + 1], at += 2;
  } else if (b[at] == 0xf9 && b.size() > 100) {
    length = load_be16(&b[at + 1]), at += 3;
  } else {
    return false;
  }
  if (at + length != b.size() || length < 4) return false;
  if (b[97] == 1) return b[at] <= 5 && b[at + 1] >= 0xc0 && b[at + 1] < 0xf8;
  return b[97] == 3 ? b[at] == 0xb8 && b[at + 1] == 64 : b[at] >= 0x80;
}

/// RLPx (devp2p, "RLPx Initial Handshake", EIP-8): the size of what follows, then an ECIES message that begins with a key of the form 4
/// and 64 bytes of a point on a curve, which no structure shows. Of that many random bytes 57 values differ, in the mean.
Match rlpx_handshake(Bytes b) {
  Probe probe(b);
  probe.be16(0, 210, 1000).byte(2, 4).least(2U + probe.be16_at(0));
  if (probe.match() != Match::Yes) return probe.match();
  std::uint64_t seen[4] = {};
  std::size_t values = 0;
  for (const std::uint8_t byte : b.subspan(3, 64)) {
    values += (seen[byte >> 6] >> (byte & 63) & 1) == 0 ? 1U : 0U;
    seen[byte >> 6] |= std::uint64_t{1} << (byte & 63);
  }
  return values >= 46 ? Match::Yes : Match::No;
}

/// eDonkey over UDP: a server's status (E3h 96h, 97h) repeats the asker's number; of Kademlia 2 (E4h; aMule's Opcodes.h) an answer belongs to its
/// request, and one to a search (21h, 29h) repeats its target.
bool edonkey_asks(Bytes b) {
  if (b.size() < 2) return false;
  if (b[0] == 0xe3) return b[1] == 0x96 && b.size() == 6;
  return b[0] == 0xe4 && ((b[1] == 0x01 && b.size() == 2) || (b[1] == 0x11 && b.size() >= 22) || (b[1] == 0x21 && b.size() == 35));
}
bool edonkey_answers(Bytes a, Bytes b) {
  if (b.size() < 20 || a[0] != b[0]) return false;
  if (a[0] == 0xe3) return b[1] == 0x97 && std::equal(a.begin() + 2, a.end(), b.begin() + 2);
  if (a[1] == 0x21) return b[1] == 0x29 && std::equal(a.begin() + 3, a.begin() + 19, b.begin() + 2);
  return b[1] == a[1] + 8 && (a[1] == 0x11 || (b.size() >= 23 && (b.size() - 23) % 25 == 0));
}

}  // namespace

Match bittorrent(const Evidence& evidence) {
  if (!evidence.is_udp()) {
    constexpr auto handshake = [](Bytes b) { return Probe(b).byte(0, 19).text(1, "BitTorrent protocol").match(); };
    return sides(evidence, handshake, handshake);
  }
  const bool client = bittorrent_datagram(evidence.client), server = bittorrent_datagram(evidence.server);
  if (evidence.client.empty() && evidence.server.empty()) return Match::Maybe;
  if (!evidence.client.empty() && !client && !(server && bittorrent_answer(evidence.client))) return Match::No;
  if (!evidence.server.empty() && !server && !(client && bittorrent_answer(evidence.server))) return Match::No;
  return Match::Yes;
}
bool bittorrent_is_answer(Bytes b) { return as_text(b).starts_with("d1:rd2:id20:") || as_text(b).starts_with("d2:ip6:") || as_text(b).starts_with("d1:eli"); }

// Gnutella 0.4 and 0.6.
Match gnutella(const Evidence& evidence) {
  return sides(evidence, [](Bytes b) { return Probe(b).text(0, "GNUTELLA CONNECT/0.").match(); }, [](Bytes b) { return begins(b, {"GNUTELLA/0.6 ", "GNUTELLA OK\n"}); });
}

// eDonkey's hello between clients: 0xE3, a length, opcode 1, a hash of sixteen.
Match edonkey(const Evidence& evidence) {
  if (evidence.is_udp()) {
    if (!edonkey_asks(evidence.client)) return Match::No;
    if (evidence.server.empty()) return Match::Maybe;
    return edonkey_answers(evidence.client, evidence.server) ? Match::Yes : Match::No;
  }
  constexpr auto hello = [](Bytes b) { return Probe(b).byte(0, 0xe3).le32(1, 30, 600).byte(5, 1).byte(6, 16).least(23).match(); };
  return sides(evidence, hello, [](Bytes b) { return Probe(b).failed() || (!b.empty() && b[0] != 0xe3 && b[0] != 0xc5 && b[0] != 0xd4) ? Match::No : Match::Maybe; });
}

// Bitcoin's peers: the magic of a network and a command of twelve bytes.
Match bitcoin(const Evidence& evidence) {
  constexpr auto message = [](Bytes b) {
    const Match net = begins(b, {"\xf9\xbe\xb4\xd9"sv, "\x0b\x11\x09\x07"sv, "\xfa\xbf\xb5\xda"sv, "\x1c\x16\x3f\x28"sv});
    if (net != Match::Yes) return net;
    return begins(b.subspan(4), {"version\0\0\0\0\0"sv, "verack\0\0\0\0\0\0"sv, "ping\0\0\0\0\0\0\0\0"sv, "inv\0\0\0\0\0\0\0\0\0"sv, "addr\0\0\0\0\0\0\0\0"sv,
                                 "getdata\0\0\0\0\0"sv, "getheaders\0\0"sv, "headers\0\0\0\0\0"sv, "tx\0\0\0\0\0\0\0\0\0\0"sv, "block\0\0\0\0\0\0\0"sv, "pong\0\0\0\0\0\0\0\0"sv});
  };
  return sides(evidence, message, message);
}

Match ethereum(const Evidence& evidence) {
  if (evidence.is_udp()) return datagrams(evidence, discovery);
  // Both handshakes must be there: the client's is all that it may send before the server's.
  const Match auth = rlpx_handshake(evidence.client), ack = rlpx_handshake(evidence.server);
  if (auth == Match::No || ack == Match::No || evidence.server_first) return Match::No;
  return auth == Match::Yes && ack == Match::Yes ? Match::Yes : Match::Maybe;
}

// Stratum of miners: a line of JSON that subscribes, authorises or logs in.
Match stratum(const Evidence& evidence) {
  return sides(
      evidence,
      [](Bytes b) {
        if (Probe(b).byte(0, '{').failed()) return Match::No;
        const std::string_view text = as_text(b);
        const std::string_view line = text.substr(0, text.find('\n'));
        for (std::string_view method : {"\"mining.subscribe\"", "\"mining.authorize\"", "\"mining.configure\"", "\"eth_submitLogin\"", "\"eth_submitHashrate\""})
          if (line.find(method) != std::string_view::npos) return Match::Yes;
        const bool login = line.find("\"login\"") != std::string_view::npos && line.find("\"params\"") != std::string_view::npos;
        if (login && (line.find("\"pass\"") != std::string_view::npos || line.find("\"agent\"") != std::string_view::npos)) return Match::Yes;
        return line.size() == text.size() && text.size() < 1000 ? Match::Maybe : Match::No;
      },
      [](Bytes b) { return Probe(b).byte(0, '{').failed() ? Match::No : Match::Maybe; });
}

// Dropbox's announcement in the local network.
Match dropbox(const Evidence& evidence) {
  return datagrams(evidence, [](Bytes b) {  // JSON, whose members come in any order.
    const std::string_view text = as_text(b);
    return text.starts_with("{\"") && text.find("\"host_int\": ") != std::string_view::npos && text.find("\"namespaces\": ") != std::string_view::npos;
  });
}

}  // namespace weir::proto::identify
