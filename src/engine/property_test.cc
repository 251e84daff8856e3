// SPDX-License-Identifier: Apache-2.0
// Properties that hold whatever the protocol: however a stream is cut into segments, put in another order, sent twice or fragmented, each rule
// decides the flow as it decides the stream sent whole; a flow that is denied stays denied; what was dropped changed nothing. The
// conversations are the seeds of every protocol's fuzz target and those in tests/corpus/rows, of what is only recognised. A protocol of the registry
// without one fails; each fact that a conversation brings, and each name that it is given, is made a rule.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <set>

#include "proto/registry.h"
#include "tests/kit/talk.h"

namespace weir::engine {
namespace {

using namespace kit;

struct Turn {
  Side side;
  std::string text;
};
struct Conversation {
  std::string name;
  std::string protocol;
  std::vector<Turn> turns;
};

constexpr std::string_view kNoProtocols[] = {"capture", "engine", "json", "list", "policy", "text_set", "wire", "ntlmssp", "quic_frames"};

/// A seed is a list of pieces: the first byte says whose it is and, with the second, how long (see kit::fuzz_stream).
std::vector<Turn> turns_of(const std::string& seed) {
  std::vector<Turn> out;
  std::size_t at = 0;
  while (seed.size() - at > 1 && out.size() < 40) {
    const auto how = static_cast<std::uint8_t>(seed[at]), low = static_cast<std::uint8_t>(seed[at + 1]);
    const std::size_t n = std::min<std::size_t>(seed.size() - at - 2, std::size_t{how} / 2 * 256 + low);
    const Side side = (how & 1) != 0 ? Side::Server : Side::Client;
    if (n != 0) out.push_back({side, seed.substr(at + 2, n)});
    at += 2 + n;
  }
  return out;
}

/// The seeds of `identify` have the client's bytes, then the server's: how, a quarter of the client's size, the bytes.
std::vector<Turn> turns_of_evidence(const std::string& seed) {
  if (seed.size() < 3) return {};
  const std::size_t split = std::min<std::size_t>(seed.size() - 2, std::size_t{static_cast<std::uint8_t>(seed[1])} * 4);
  std::vector<Turn> out;
  if (split != 0) out.push_back({Side::Client, seed.substr(2, split)});
  if (2 + split < seed.size()) out.push_back({Side::Server, seed.substr(2 + split)});
  if ((seed[0] & 4) != 0) std::reverse(out.begin(), out.end());
  return out;
}

const std::vector<Conversation>& conversations() {
  static const auto all = [] {
    std::vector<Conversation> out;
    for (const auto& folder : std::filesystem::directory_iterator("tests/corpus")) {
      const std::string protocol = folder.path().filename().string();
      if (std::find(std::begin(kNoProtocols), std::end(kNoProtocols), protocol) != std::end(kNoProtocols)) continue;
      for (const auto& file : std::filesystem::directory_iterator(folder)) {
        std::ifstream in(file.path(), std::ios::binary);
        const std::string seed(std::istreambuf_iterator<char>(in), {});
        Conversation c{protocol + "/" + file.path().filename().string(), protocol, protocol == "identify" ? turns_of_evidence(seed) : turns_of(seed)};
        // A seed named NAME_… of a known protocol is played at that protocol's port.
        const std::string named = file.path().filename().string().substr(0, file.path().filename().string().find('_'));
        if (vocabulary().app(named)) c.protocol = named;
        if (!c.turns.empty()) out.push_back(std::move(c));
      }
    }
    std::sort(out.begin(), out.end(), [](const Conversation& a, const Conversation& b) { return a.name < b.name; });
    return out;
  }();
  return all;
}

std::uint16_t port_of(const std::string& name, bool tcp) {
  for (const proto::Protocol* p : proto::protocols())
    if (p->name == name && !(tcp ? p->tcp_ports : p->udp_ports).empty()) return (tcp ? p->tcp_ports : p->udp_ports)[0];
  return 31000;
}

/// Ways to send the same bytes.
enum class Cut { Whole, Bytes, Random, Reordered, Twice, Fragments };
constexpr std::pair<Cut, std::string_view> kCuts[] = {{Cut::Bytes, "one byte a segment"}, {Cut::Random, "random cuts"}, {Cut::Reordered, "out of order"},
                                                      {Cut::Twice, "sent twice"}, {Cut::Fragments, "IP fragments"}};

void send_turn(Connection& c, const Turn& turn, std::int64_t begin, Cut cut, std::mt19937& random) {
  std::vector<std::pair<std::size_t, std::size_t>> pieces;
  for (std::size_t at = 0; at < turn.text.size();) {
    std::size_t n = cut == Cut::Bytes ? 1 : cut == Cut::Whole || cut == Cut::Fragments ? 1400 : 1 + random() % 300;
    n = std::min(n, turn.text.size() - at);
    pieces.emplace_back(at, n);
    at += n;
  }
  if (cut == Cut::Reordered)  // Within a window of a few segments, as networks do.
    for (std::size_t i = 0; i + 4 <= pieces.size() || i < pieces.size(); i += 4)
      std::shuffle(pieces.begin() + static_cast<std::ptrdiff_t>(i), pieces.begin() + static_cast<std::ptrdiff_t>(std::min(i + 4, pieces.size())), random);
  std::uint16_t id = static_cast<std::uint16_t>(begin * 2 + (turn.side == Side::Server ? 1 : 0));
  for (const auto& [at, n] : pieces) {
    const Layers segment = c.segment(turn.side, begin + static_cast<std::int64_t>(at), std::string_view(turn.text).substr(at, n));
    if (cut != Cut::Fragments) {
      c.filter().send(segment);
      if (cut == Cut::Twice && random() % 2 == 0) c.filter().send(segment);
      continue;
    }
    const std::string tcp = segment.bytes().substr(34);
    ++id;
    for (std::size_t k = 0; k < tcp.size(); k += 64) {
      Ipv4 ip = c.ipv4(turn.side).protocol(6).id(id).offset(static_cast<std::uint32_t>(k));
      if (k + 64 < tcp.size()) ip.more();
      c.filter().send(Eth() / ip / std::string_view(tcp).substr(k, 64));
    }
  }
}

/// Plays a conversation; the flow's end: how it was decided, by which rule, and what it spoke.
std::string play(Filter& f, const Conversation& talk, Cut cut, std::uint32_t seed) {
  std::mt19937 random(seed);
  f.step(10 * kMicrosecond);  // Within the bounds of undecided payload, however many segments.
  Connection c(f, "10.0.0.5", 40000, "198.51.100.80", port_of(talk.protocol, true));
  c.open();
  std::int64_t said[2] = {0, 0};
  for (const Turn& turn : talk.turns) {
    send_turn(c, turn, said[index_of(turn.side)], cut, random);
    said[index_of(turn.side)] += static_cast<std::int64_t>(turn.text.size());
    c.skip(turn.side, turn.text.size());
    c.send(weir::other(turn.side), c.tcp(weir::other(turn.side), said[1 - index_of(turn.side)]));
  }
  f.end();
  if (f.flows().size() != 1) return std::to_string(f.flows().size()) + " flows";
  const FlowRecord& flow = f.flows()[0];
  const bool passed = flow.acted == FlowRecord::Acted::Passed;
  std::string out = passed ? "passed" : "denied";
  // What is denied at a first name is not read for a second, where that comes later.
  for (std::size_t i = 0; i < (passed ? flow.chain_count : std::min<std::size_t>(flow.chain_count, 1)); ++i) out += " " + std::string(vocabulary().app(flow.chain[i]).name);
  return out;
}

/// The same as datagrams, whole or in IP fragments; to a group where the seed's name ends so. Gives the verdict of each.
std::vector<std::string> play_datagrams(Filter& f, const Conversation& talk, bool fragments) {
  const std::uint16_t port = port_of(talk.protocol, false);
  std::vector<std::string> out;
  std::uint16_t id = 0;
  for (const Turn& turn : talk.turns) {
    const bool client = turn.side == Side::Client;
    const Ipv4 ip = client ? Ipv4("10.0.0.5", talk.name.ends_with("_group") ? "224.0.0.102" : "198.51.100.80") : Ipv4("198.51.100.80", "10.0.0.5");
    const Layers whole = Eth() / ip / (client ? Udp(40000, port) : Udp(port, 40000)) / std::string_view(turn.text).substr(0, 1400);
    if (!fragments) {
      out.push_back(f.send(whole));
      continue;
    }
    const std::string udp = whole.bytes().substr(34);
    ++id;
    for (std::size_t k = 0; k < udp.size(); k += 48) {
      Ipv4 piece = ip;
      piece.protocol(17).id(id).offset(static_cast<std::uint32_t>(k));
      if (k + 48 < udp.size()) piece.more();
      f.send(Eth() / piece / std::string_view(udp).substr(k, 48));
    }
    out.push_back(f.verdict(f.number()));
  }
  return out;
}

/// Names that the flows were given, as conditions.
void add_names(Filter& f, std::set<std::string>& conditions) {
  for (const FlowRecord& flow : f.flows())
    for (std::size_t i = 0; i < flow.chain_count; ++i)
      if (const std::string_view name = vocabulary().app(flow.chain[i]).name; name != "unknown") conditions.insert("app.protocol: " + std::string(name));
}

/// Facts that a conversation brings, read whole, as conditions.
class Listener final : public Probe {
 public:
  Listener() : Probe(0) {}
  void on_judged(const View& view, const policy::Outcome&) override {
    if (view.facts == nullptr) return;
    for (const std::string_view name : vocabulary().field_names()) {
      const FieldRow* row = vocabulary().field(name);
      if (!vocabulary().owners(row->id).empty() && view.facts->state(row->id) == FactState::Known) known.insert(std::string(name) + ": present");
    }
  }
  std::set<std::string> known;
};

/// An alert on each fact of each protocol, so that all of them are read.
const std::shared_ptr<const policy::RuleSet>& all_facts() {
  static const auto rules = [] {
    std::string yaml = "weir: 1\nrules:\n";
    std::size_t n = 0;
    for (const std::string_view name : vocabulary().field_names())
      if (!vocabulary().owners(vocabulary().field(name)->id).empty() && vocabulary().field(name)->type != FieldType::App)
        yaml += "  - { name: r" + std::to_string(n++) + ", match: { " + std::string(name) + ": present }, action: alert, log: none }\n";
    return rules_of(yaml);
  }();
  return rules;
}
const std::shared_ptr<const policy::RuleSet>& denies(const std::string& condition) {
  static std::map<std::string, std::shared_ptr<const policy::RuleSet>> made;
  auto& rules = made[condition];
  if (rules == nullptr) rules = rules_of("weir: 1\nrules: [ { name: r, match: { " + condition + " }, action: drop } ]");
  return rules;
}

std::set<std::string> facts_of(const Conversation& talk) {
  Listener listener;
  EngineOptions options = small_engine();
  options.probe = &listener;
  for (const std::string_view name : vocabulary().field_names()) options.event_fields.set(vocabulary().field(name)->id);
  Filter f(all_facts(), options);
  play(f, talk, Cut::Whole, 1);
  add_names(f, listener.known);
  return listener.known;
}

TEST(Property, NoCutOfAStreamChangesAVerdict) {
  std::size_t differences = 0, compared = 0, denied = 0;
  for (const Conversation& talk : conversations()) {
    std::set<std::string> facts = facts_of(talk);
    for (const std::string& fact : facts) {
      Filter whole(denies(fact), small_engine());
      const std::string expected = play(whole, talk, Cut::Whole, 1);
      denied += expected.starts_with("denied") ? 1U : 0U;
      for (const auto& [cut, name] : kCuts) {
        Filter f(denies(fact), small_engine());
        const std::string got = play(f, talk, cut, static_cast<std::uint32_t>(compared));
        ++compared;
        if (got == expected) continue;
        if (++differences <= 12) ADD_FAILURE() << talk.name << ", " << fact << ", " << name << ": " << got << ", whole: " << expected;
      }
    }
  }
  EXPECT_EQ(differences, 0U) << "of " << compared;
  EXPECT_GT(denied, 100U);
}

/// Without a conversation of its own: another connection announces it, or it takes two datagrams of one side, which no seed says
/// (games_test has them).
constexpr std::string_view kNamedByOthers[] = {"ftp-data", "heroes-of-the-storm"};

TEST(Property, EachProtocolHasAConversation) {
  std::set<std::string> streams, datagrams;
  for (const Conversation& talk : conversations()) {
    Filter tcp("weir: 1"), udp("weir: 1");
    play(tcp, talk, Cut::Whole, 1);
    add_names(tcp, streams);
    play_datagrams(udp, talk, false);
    udp.end();
    add_names(udp, datagrams);
  }
  for (const proto::Protocol* const& p : proto::protocols()) {
    if (p->identify == nullptr && p->parse == nullptr) continue;  // A use of another protocol.
    if (std::find(std::begin(kNamedByOthers), std::end(kNamedByOthers), p->name) != std::end(kNamedByOthers)) continue;
    const std::string name = "app.protocol: " + std::string(p->name);
    EXPECT_TRUE(streams.contains(name) || datagrams.contains(name)) << p->name << " has no seed that the engine takes for it";
    if (p->parse == nullptr) continue;
    EXPECT_TRUE(!p->tcp || streams.contains(name)) << p->name << " has no seed over TCP that the engine takes for it";
    EXPECT_TRUE(!p->udp || datagrams.contains(name)) << p->name << " has no seed over UDP that the engine takes for it";
  }
}

TEST(Property, AFlowThatIsDeniedStaysDenied) {
  for (const Conversation& talk : conversations())
    for (const std::string& fact : facts_of(talk)) {
      Filter f(denies(fact), small_engine());
      play(f, talk, Cut::Random, 7);
      bool denied = false;
      for (const std::string& v : f.verdicts()) {
        if (denied) {
          EXPECT_EQ(v, "drop r") << talk.name << ", " << fact;
        }
        denied = denied || v == "drop r";
      }
    }
}

TEST(Property, NoFragmentationOfADatagramChangesAVerdict) {
  std::size_t compared = 0;
  for (const Conversation& talk : conversations()) {
    Listener listener;
    EngineOptions options = small_engine();
    options.probe = &listener;
    Filter all(all_facts(), options);
    play_datagrams(all, talk, false);
    all.end();
    add_names(all, listener.known);
    for (const std::string& condition : listener.known) {
      ++compared;
      Filter whole(denies(condition), small_engine()), pieces(denies(condition), small_engine());
      EXPECT_EQ(play_datagrams(whole, talk, false), play_datagrams(pieces, talk, true)) << talk.name << ", " << condition;
    }
  }
  EXPECT_GT(compared, 200U);
}

/// The frames of a conversation over TCP, opened and acknowledged.
std::vector<std::string> frames_of(const Conversation& talk) {
  Filter recorder("weir: 1");
  std::vector<std::string> out;
  Connection c(recorder, "10.0.0.5", 40000, "198.51.100.80", port_of(talk.protocol, true));
  std::int64_t said[2] = {0, 0};
  out.push_back(c.ip(Side::Client) / c.tcp(Side::Client, -1).flags("S").ack(0));
  out.push_back(c.ip(Side::Server) / c.tcp(Side::Server, -1).flags("SA"));
  out.push_back(c.ip(Side::Client) / c.tcp(Side::Client, 0));
  for (const Turn& turn : talk.turns) {
    for (std::size_t at = 0; at < turn.text.size(); at += 200) {
      std::int64_t& offset = said[index_of(turn.side)];
      const std::string piece = turn.text.substr(at, 200);
      out.push_back(c.segment(turn.side, offset, piece));
      offset += static_cast<std::int64_t>(piece.size());
      c.skip(turn.side, piece.size());
    }
    out.push_back(c.ip(weir::other(turn.side)) / c.tcp(weir::other(turn.side), said[1 - index_of(turn.side)]));
  }
  return out;
}

// A reload of an equal policy at any frame gives the same verdicts; so does one that only adds a rule which nothing here meets, whether
// behind the others (what was decided stands) or before them (each flow is judged again, from what it kept).
TEST(Property, AReloadThatChangesNothingChangesNoVerdict) {
  const auto with = [](const std::string& fact, std::string_view before, std::string_view behind, std::string_view ends) {
    return rules_of("weir: 1\nrules: [ " + std::string(before) + "{ name: r, match: { " + fact + " }, action: " + std::string(ends) + " }" +
                    std::string(behind) + " ]\ndefault: " + (ends == "allow" ? "drop" : "allow"));
  };
  std::size_t compared = 0, differences = 0, denied = 0;
  for (const Conversation& talk : conversations()) {
    const std::vector<std::string> frames = frames_of(talk);
    for (const std::string& fact : facts_of(talk))
      for (const std::string_view ends : {"drop", "allow"}) {
        const auto was = with(fact, "", "", ends);
        const std::pair<std::string_view, std::shared_ptr<const policy::RuleSet>> reloads[] = {
            {"equal", with(fact, "", "", ends)},
            {"one more behind", with(fact, "", ", { name: other, match: { port: 9 }, action: drop }", ends)},
            {"one more before", with(fact, "{ name: other, match: { port: 9 }, action: drop }, ", "", ends)}};
        EngineOptions options = small_engine();
        options.reloads = true;
        const auto play_frames = [&](std::size_t reload_at, const std::shared_ptr<const policy::RuleSet>& rules) {
          Filter f(was, options);
          for (std::size_t i = 0; i < frames.size(); ++i) {
            if (i == reload_at) f.reload(rules);
            f.step(10 * kMicrosecond).send(frames[i]);
          }
          f.end();
          return f.verdicts();
        };
        const std::vector<std::string> expected = play_frames(frames.size(), nullptr);
        for (const std::string& v : expected) denied += v.starts_with("drop") ? 1U : 0U;
        for (const auto& [kind, rules] : reloads)
          for (std::size_t at = 1 + compared % 3; at < frames.size(); at += 1 + frames.size() / 6) {
            ++compared;
            if (play_frames(at, rules) == expected) continue;
            if (++differences > 12) continue;
            const auto got = play_frames(at, rules);
            std::size_t i = 0;
            while (i < got.size() && got[i] == expected[i]) ++i;
            ADD_FAILURE() << talk.name << ", " << ends << " " << fact << ", " << kind << " before frame " << at + 1 << " of " << frames.size() << ": frame " << i + 1
                          << " " << got[i] << ", without: " << expected[i];
          }
      }
  }
  EXPECT_EQ(differences, 0U) << "of " << compared;
  EXPECT_GT(denied, 1000U);
}

// DESIGN, idea 5: a second run that is shown only what passed gives it the same verdicts.
TEST(Property, WhatWasDroppedChangedNoState) {
  for (const Conversation& talk : conversations())
    for (const std::string& fact : facts_of(talk)) {
      // Two connections, so that something passes after the denial.
      const auto frames = [&] {
        Filter recorder("weir: 1");
        std::vector<std::string> out;
        for (std::uint16_t port : {40000, 40001}) {
          Connection c(recorder, "10.0.0.5", port, "198.51.100.80", port_of(talk.protocol, true));
          std::int64_t said[2] = {0, 0};
          out.push_back(c.ip(Side::Client) / c.tcp(Side::Client, -1).flags("S").ack(0));
          out.push_back(c.ip(Side::Server) / c.tcp(Side::Server, -1).flags("SA"));
          for (const Turn& turn : talk.turns)
            for (std::size_t at = 0; at < turn.text.size(); at += 100) {
              std::int64_t& offset = said[index_of(turn.side)];
              out.push_back(c.segment(turn.side, offset, std::string_view(turn.text).substr(at, 100)));
              offset += static_cast<std::int64_t>(std::min<std::size_t>(100, turn.text.size() - at));
              c.skip(turn.side, std::min<std::size_t>(100, turn.text.size() - at));
            }
        }
        return out;
      }();
      Filter all(denies(fact), small_engine()), passed(denies(fact), small_engine());
      for (const std::string& frame : frames)
        if (all.send(frame) == "pass") passed.send(frame);
      for (const std::string& v : passed.verdicts()) EXPECT_EQ(v, "pass") << talk.name << ", " << fact;
    }
}

}  // namespace
}  // namespace weir::engine
