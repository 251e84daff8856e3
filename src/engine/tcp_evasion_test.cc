// SPDX-License-Identifier: Apache-2.0
// The evasions of Ptacek and Newsham ("Insertion, Evasion, and Denial of Service", 1998) on TCP. A client that the policy must stop sends a
// blocked request so that the filter and the server may read different streams. What must happen: no server, whatever its stack makes of it,
// can read the whole blocked request from what passed; with and without the guards `tcp-state` and `normalise`.

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/kit/talk.h"
#include "tests/kit/victim.h"

namespace weir::engine {
namespace {

using namespace kit;

constexpr std::string_view kGuards[] = {"", "undecided: hold\n", "guards: { tcp-state: true }\n", "guards: { normalise: true }\n", "guards: { tcp-state: true, normalise: true }\n"};

/// A blocked request, a harmless one of the same length, and what is said before it.
struct Request {
  std::string name;
  std::uint16_t port;
  std::string blocked, harmless;
  std::string client_first, server_first;
};

const std::vector<Request>& requests() {
  static const std::vector<Request> all = {
      {"dns.qname", 53, over_tcp(dns_query("evil.example")), over_tcp(dns_query("good.example")), "", ""},
      {"tls.sni", 443, tls_hello("evil.example"), tls_hello("good.example"), "", ""},
      {"http.uri", 80, http_get("a.example", "/evil"), http_get("a.example", "/good"), "", ""},
      {"smb.share", 445, smb_connect("\\\\s\\evil"), smb_connect("\\\\s\\good"), smb_negotiate(), smb_negotiated()},
  };
  return all;
}

constexpr std::string_view kRules = R"(
rules:
  - { name: blocked, match: { dns.qname: evil.example }, action: drop }
  - { name: blocked-sni, match: { tls.sni: evil.example }, action: drop }
  - { name: blocked-uri, match: { http.uri: /evil }, action: drop }
  - { name: blocked-share, match: { smb.share: evil }, action: drop }
)";

/// One attempt: the connection, the server's eyes, and the stream's offset where the request begins.
struct Attempt {
  Filter& f;
  Connection c;
  const Request& request;
  Victim server;
  std::int64_t begin = 0;
  struct Sent {
    std::uint64_t number;
    std::int64_t offset;
    std::string text;
  };
  std::vector<Sent> under_way;

  Attempt(Filter& filter, const Request& r) : f(filter), c(filter, "10.0.0.5", 40000, "198.51.100.80", r.port), request(r) {}

  std::string_view bad() const { return request.blocked; }
  std::string_view good() const { return request.harmless; }
  void open() {
    c.open();
    before();
  }
  void before() {
    if (request.client_first.empty()) return;
    if (plain(c.client(request.client_first)) != "drop") server.receive(0, request.client_first);
    c.server(request.server_first);
    begin = static_cast<std::int64_t>(request.client_first.size());
  }
  /// The server sees it if it passes, now or when it is let go.
  std::string put(std::int64_t offset, std::string_view text) { return send(tcp(offset), offset, text); }
  /// It passes or not, but no server takes it.
  std::string lose(const Tcp& tcp, std::string_view text, std::uint8_t ttl = 64) {
    return f.send(Eth() / c.ipv4(Side::Client).ttl(ttl) / tcp / text);
  }
  Tcp tcp(std::int64_t offset) const { return c.tcp(Side::Client, begin + offset).flags("PA"); }
  std::string send(const Tcp& tcp, std::int64_t offset, std::string_view text) {
    const std::string answer = c.send(Side::Client, tcp, text);
    under_way.push_back({f.number(), begin + offset, std::string(text)});
    deliver();
    return answer;
  }
  /// What has its final verdict arrives or does not.
  void deliver() {
    std::erase_if(under_way, [this](const Sent& sent) {
      const std::string verdict = plain(f.verdict(sent.number));
      if (verdict == "pass") server.receive(sent.offset, sent.text);
      return verdict != "hold";
    });
  }
  /// No server has read the whole of the blocked request, when all is decided.
  bool stopped() {
    f.end();
    deliver();
    return !server.could_have_read(request.blocked, begin);
  }
  /// An acknowledgement of what the server has.
  void acknowledge() { c.send(Side::Server, c.tcp(Side::Server, static_cast<std::int64_t>(request.server_first.size())).ack(c.at(Side::Client, server.delivered()))); }
};

struct Evasion {
  std::string_view name;
  void (*attempt)(Attempt&);
};

constexpr std::size_t kCut = 9;  ///< Somewhere in the first bytes of each request.

const Evasion kEvasions[] = {
    {"whole", [](Attempt& a) { a.open(); a.put(0, a.bad()); }},
    {"one byte a segment", [](Attempt& a) {
       a.open();
       for (std::size_t i = 0; i < a.bad().size(); ++i) a.put(static_cast<std::int64_t>(i), a.bad().substr(i, 1));
     }},
    {"backwards", [](Attempt& a) {
       a.open();
       for (std::size_t i = (a.bad().size() - 1) / 8 + 1; i-- > 0;) a.put(static_cast<std::int64_t>(i * 8), a.bad().substr(i * 8, 8));
     }},
    {"harmless first, then blocked", [](Attempt& a) { a.open(); a.put(0, a.good()); a.put(0, a.bad()); }},
    {"blocked behind harmless, out of order", [](Attempt& a) {
       a.open();
       a.put(kCut, a.good().substr(kCut));
       a.put(kCut, a.bad().substr(kCut));
       a.put(0, a.bad().substr(0, kCut));
     }},
    {"harmless behind blocked, out of order", [](Attempt& a) {
       a.open();
       a.put(kCut, a.bad().substr(kCut));
       a.put(kCut, a.good().substr(kCut));
       a.put(0, a.bad().substr(0, kCut));
     }},
    {"forward overlap", [](Attempt& a) {
       a.open();
       const std::size_t half = a.bad().size() / 2;
       a.put(static_cast<std::int64_t>(half), a.good().substr(half));
       a.put(kCut, a.bad().substr(kCut));
       a.put(0, a.bad().substr(0, kCut));
     }},
    {"dies on the way: harmless", [](Attempt& a) { a.open(); a.lose(a.tcp(0), a.good(), 1); a.put(0, a.bad()); }},
    {"dies on the way: noise", [](Attempt& a) { a.open(); a.lose(a.tcp(0), std::string(a.bad().size(), '#'), 1); a.put(0, a.bad()); }},
    {"dies on the way: much noise", [](Attempt& a) {
       a.open();
       a.lose(a.tcp(0), std::string(1200, '#'), 1);
       a.lose(a.tcp(1200), std::string(1200, '#'), 1);
       a.put(0, a.bad());
     }},
    {"dies on the way: a FIN", [](Attempt& a) { a.open(); a.lose(a.tcp(0).flags("FA"), {}, 1); a.put(0, a.bad()); }},
    {"dies on the way: a RST", [](Attempt& a) { a.open(); a.lose(a.tcp(0).flags("R"), {}, 1); a.put(0, a.bad()); }},
    {"wrong checksum: harmless", [](Attempt& a) { a.open(); a.lose(a.tcp(0).checksum(0x1234), a.good()); a.put(0, a.bad()); }},
    {"wrong checksum: noise", [](Attempt& a) { a.open(); a.lose(a.tcp(0).checksum(0x1234), std::string(1200, '#')); a.put(0, a.bad()); }},
    {"wrong checksum: a RST", [](Attempt& a) { a.open(); a.lose(a.tcp(0).flags("R").checksum(0x1234), {}); a.put(0, a.bad()); }},
    {"wrong checksum: a FIN", [](Attempt& a) { a.open(); a.lose(a.tcp(0).flags("FA").checksum(0x1234), {}); a.put(0, a.bad()); }},
    {"wrong header length", [](Attempt& a) { a.open(); a.lose(a.tcp(0).header_words(15), a.good()); a.put(0, a.bad()); }},
    {"RST out of the window", [](Attempt& a) { a.open(); a.lose(a.tcp(0).flags("R").seq(a.c.at(Side::Client, 900'000'000)), {}); a.put(0, a.bad()); }},
    {"RST at an old number", [](Attempt& a) { a.open(); a.lose(a.tcp(-500).flags("R"), {}); a.put(0, a.bad()); }},
    {"FIN out of the window", [](Attempt& a) { a.open(); a.lose(a.tcp(900'000'000).flags("FA"), {}); a.put(0, a.bad()); }},
    {"bytes out of the window", [](Attempt& a) { a.open(); a.lose(a.tcp(900'000'000), a.good()); a.put(0, a.bad()); }},
    {"bytes before the window", [](Attempt& a) { a.open(); a.lose(a.tcp(-90'000), a.good()); a.put(0, a.bad()); }},
    {"acknowledges what was never sent", [](Attempt& a) { a.open(); a.lose(a.tcp(0).ack(0x70000000), a.good()); a.put(0, a.bad()); }},
    {"no ACK flag", [](Attempt& a) { a.open(); a.lose(a.tcp(0).flags("P"), a.good()); a.put(0, a.bad()); }},
    {"no flags", [](Attempt& a) { a.open(); a.lose(a.tcp(0).flags(""), a.good()); a.put(0, a.bad()); }},
    {"SYN within the connection", [](Attempt& a) { a.open(); a.lose(a.tcp(0).flags("S"), a.good()); a.put(0, a.bad()); }},
    {"a SYN far away within the connection", [](Attempt& a) {
       a.open();
       a.lose(a.tcp(500'000).flags("S").ack(0), {});
       a.put(0, a.bad());
     }},
    {"urgent byte within", [](Attempt& a) {
       // A host that takes the urgent byte out of band reads the rest without it (RFC 6093, 3.1); one that does not, with it.
       a.open();
       const std::string with = std::string(a.bad().substr(0, kCut)) + std::string(a.bad().substr(kCut));
       a.send(a.tcp(0).flags("PAU").urgent(kCut), 0, with);
     }},
    {"ECN and odd flags", [](Attempt& a) {
       a.c.send(Side::Client, a.c.tcp(Side::Client, -1).flags("SEC").ack(0));
       a.c.send(Side::Server, a.c.tcp(Side::Server, -1).flags("SAE"));
       a.c.ack();
       a.before();
       a.send(a.tcp(0).flags("PAC"), 0, a.bad().substr(0, kCut));
       a.send(a.tcp(kCut).flags("AE"), kCut, a.bad().substr(kCut));
     }},
    {"old timestamps", [](Attempt& a) {
       const auto stamp = [](std::uint32_t v) { return "\x01\x01\x08\x0a" + be(v, 4) + be(7, 4); };
       a.c.send(Side::Client, a.c.tcp(Side::Client, -1).flags("S").ack(0).options(stamp(1000)));
       a.c.send(Side::Server, a.c.tcp(Side::Server, -1).flags("SA").options(stamp(2000)));
       a.c.send(Side::Client, a.c.tcp(Side::Client, 0).options(stamp(1001)));
       a.before();
       a.lose(a.tcp(0).options(stamp(1)), a.good());  // PAWS: RFC 7323, section 5.
       a.send(a.tcp(0).options(stamp(1002)), 0, a.bad());
     }},
    {"SYN with data", [](Attempt& a) {
       // With Fast Open the server takes it at once, otherwise the client sends it again (RFC 7413).
       if (!a.request.client_first.empty()) return a.open();
       a.send(a.c.tcp(Side::Client, -1).flags("S").ack(0), 0, a.bad());
       a.c.send(Side::Server, a.c.tcp(Side::Server, -1).flags("SA").ack(a.c.at(Side::Client, static_cast<std::int64_t>(a.bad().size()))));
       a.c.ack();
       a.put(static_cast<std::int64_t>(a.bad().size()), "more");
     }},
    {"harmless data on the SYN, not taken", [](Attempt& a) {
       a.lose(a.c.tcp(Side::Client, -1).flags("S").ack(0), a.good());
       a.c.syn_ack();
       a.c.ack();
       a.before();
       a.put(0, a.bad());
     }},
    {"SYN sent again with another number", [](Attempt& a) {
       a.lose(a.c.tcp(Side::Client, -1).flags("S").ack(0).seq(77'000'000), {}, 1);
       a.open();
       a.put(0, a.bad());
     }},
    {"another SYN after the right one", [](Attempt& a) {
       a.c.syn();
       a.lose(a.c.tcp(Side::Client, -1).flags("S").ack(0).seq(77'000'000), {}, 1);
       a.c.syn_ack();
       a.c.ack();
       a.before();
       a.put(0, a.bad());
     }},
    {"SYN-ACK that nobody sent", [](Attempt& a) {
       a.c.syn();
       a.c.send(Side::Server, a.c.tcp(Side::Server, -1).flags("SA").seq(66'000'000).ack(12345));
       a.c.syn_ack();
       a.c.ack();
       a.before();
       a.put(0, a.bad());
     }},
    {"data before the handshake ends", [](Attempt& a) {
       if (!a.request.client_first.empty()) return a.open();
       a.c.syn();
       a.lose(a.tcp(0), a.good());
       a.c.syn_ack();
       a.c.ack();
       a.put(0, a.bad());
     }},
    {"from the middle", [](Attempt& a) { a.before(); a.put(0, a.bad()); }},
    {"far ahead, then back", [](Attempt& a) {
       a.open();
       a.lose(a.tcp(60'000), std::string(1000, '#'));
       a.put(0, a.bad());
     }},
    {"many holes", [](Attempt& a) {
       a.open();
       for (std::int64_t i = 0; i < 200; ++i) a.lose(a.tcp(5000 + i * 20), "#");
       for (std::size_t i = 0; i < a.bad().size(); i += 5) a.put(static_cast<std::int64_t>(i), a.bad().substr(i, 5));
     }},
    {"numbers wrap around", [](Attempt& a) {
       a.c.starts_at(Side::Client, 0xfffffff8);
       a.open();
       a.put(kCut, a.bad().substr(kCut));
       a.put(0, a.bad().substr(0, kCut));
     }},
    {"harmless and acknowledged in part, then blocked", [](Attempt& a) {
       a.open();
       a.put(0, a.bad().substr(0, kCut));
       a.acknowledge();
       a.lose(a.tcp(kCut), a.good().substr(kCut), 1);
       a.put(kCut, a.bad().substr(kCut));
     }},
};

TEST(TcpEvasion, NoBlockedRequestGetsThrough) {
  for (const std::string_view guards : kGuards)
    for (const Request& request : requests())
      for (const Evasion& evasion : kEvasions) {
        SCOPED_TRACE(request.name + ", " + std::string(evasion.name) + ", " + std::string(guards));
        Filter f("weir: 1\n" + std::string(guards) + std::string(kRules));
        Attempt attempt(f, request);
        evasion.attempt(attempt);
        EXPECT_TRUE(attempt.stopped()) << [&] {
          std::string all;
          for (const std::string& v : f.verdicts()) all += v + "; ";
          return all;
        }();
      }
}

/// Piles of segments with the blocked or the harmless bytes, overlapping and in any order, some acknowledged in between.
TEST(TcpEvasion, NoPileOfSegmentsLetsABlockedRequestThrough) {
  std::mt19937 random(0x57656972);
  const auto pick = [&](std::size_t n) { return random() % n; };
  for (int round = 0; round < 1500; ++round) {
    const Request& request = requests()[static_cast<std::size_t>(round) % requests().size()];
    SCOPED_TRACE(request.name + ", round " + std::to_string(round));
    Filter f("weir: 1\n" + std::string(kGuards[pick(std::size(kGuards))]) + std::string(kRules));
    Attempt a(f, request);
    a.open();
    const std::size_t size = request.blocked.size();
    std::vector<std::pair<std::size_t, std::size_t>> pieces;
    for (std::size_t at = 0; at < size;) {
      const std::size_t n = std::min(size - at, 1 + pick(24));
      pieces.emplace_back(at, n);
      at += n;
    }
    const std::size_t honest = pieces.size();
    for (std::size_t more = pick(8); more-- > 0;) {
      const std::size_t at = pick(size);
      pieces.emplace_back(at, std::min(size - at, 1 + pick(40)));
    }
    std::vector<std::size_t> order(pieces.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    if (pick(3) != 0) std::shuffle(order.begin(), order.end(), random);
    for (const std::size_t i : order) {
      const bool lie = i >= honest && pick(3) != 0;
      const auto& [at, n] = pieces[i];
      a.put(static_cast<std::int64_t>(at), (lie ? a.good() : a.bad()).substr(at, n));
      if (pick(6) == 0) a.acknowledge();
    }
    ASSERT_TRUE(a.stopped());
  }
}

/// The twin: the same contortions around a harmless request break nothing that a careful client does.
TEST(TcpEvasion, HarmlessRequestsThatAreCutOrSentTwicePass) {
  for (const std::string_view guards : kGuards)
    for (const Request& request : requests()) {
      SCOPED_TRACE(request.name + ", " + std::string(guards));
      Filter f("weir: 1\n" + std::string(guards) + std::string(kRules));
      Attempt a(f, request);
      a.open();
      const std::string_view text = request.harmless;
      a.put(kCut, text.substr(kCut));
      a.put(kCut, text.substr(kCut));
      a.put(0, text.substr(0, kCut + 3));
      a.put(0, text);
      for (const std::string& verdict : f.end().verdicts()) EXPECT_EQ(verdict, "pass");
      a.deliver();
      EXPECT_TRUE(a.server.could_read(text, a.begin));
    }
}

}  // namespace
}  // namespace weir::engine
