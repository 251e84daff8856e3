// SPDX-License-Identifier: Apache-2.0
// What every protocol of the registry promises, held against each row: names, ports, fields with help, a fuzz target and seeds for those
// that are parsed; and over the seeds, that the facts do not depend on the cut, and that nothing is read past a cut end.

#include "proto/registry.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <string>

#include "tests/kit/dialogue.h"

namespace weir::proto {
namespace {

namespace fs = std::filesystem;

/// The folder of a protocol, of its fuzz target and of its seeds: the name up to its family. Protocols that share a parser share them.
std::string family_of(const Protocol& p) {
  if (p.parse == nullptr) return {};
  const std::string_view field = p.fields.empty() ? p.name : p.fields[0].name;
  const std::string family(field.substr(0, field.find('.')));
  return family;
}

std::string seeds_of(const Protocol& p) {
  for (const std::string& name : {std::string(p.name), family_of(p), std::string("identify")})
    if (fs::is_directory("tests/corpus/" + name)) return "tests/corpus/" + name;
  return {};
}

bool has_fuzz_target(const Protocol& p) {
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator("src/proto"))
    for (const std::string& name : {std::string(p.name), family_of(p), std::string("identify")})
      if (entry.path().filename() == name + "_fuzz.cc") return true;
  return false;
}

struct Piece {
  Side side;
  std::string bytes;
};

/// A seed in the format of kit: the first byte says whose the piece is and, with the second, how long.
std::vector<Piece> pieces_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  const std::string data((std::istreambuf_iterator<char>(in)), {});
  std::vector<Piece> pieces;
  for (std::size_t at = 0; at + 2 <= data.size();) {
    const auto first = static_cast<std::uint8_t>(data[at]), second = static_cast<std::uint8_t>(data[at + 1]);
    const std::size_t size = std::min(data.size() - at - 2, std::size_t{first} / 2 * 256 + second);
    pieces.push_back({(first & 1) != 0 ? Side::Server : Side::Client, data.substr(at + 2, size)});
    at += 2 + size;
  }
  return pieces;
}

template <typename F>
void for_each_seed(const Protocol& p, F&& call) {
  const std::string folder = seeds_of(p);
  if (folder.empty() || folder.ends_with("/identify")) return;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    if (entry.is_regular_file()) call(entry.path(), pieces_of(entry.path()));
}

TEST(Registry, NamesAreOneEach) {
  std::set<std::string_view> names;
  for (const Protocol* p : protocols()) {
    EXPECT_TRUE(names.insert(p->name).second) << p->name;
    for (const char c : p->name) EXPECT_TRUE((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.') << p->name;
  }
}

TEST(Registry, PortsAreInOrder) {
  for (const Protocol* p : protocols())
    for (const auto ports : {p->tcp_ports, p->udp_ports}) {
      EXPECT_TRUE(std::is_sorted(ports.begin(), ports.end())) << p->name;
      EXPECT_EQ(std::adjacent_find(ports.begin(), ports.end()), ports.end()) << p->name;
    }
}

TEST(Registry, FieldsAreNamedAfterTheirFamilyAndExplained) {
  for (const Protocol* p : protocols())
    for (const FieldRow& row : p->fields) {
      EXPECT_NE(row.name.find('.'), std::string_view::npos) << row.name;
      EXPECT_FALSE(row.help.empty()) << row.name;
      EXPECT_TRUE(row.type != FieldType::Word || !row.words.empty()) << row.name << " is a word and has none";
      EXPECT_TRUE(row.scope == Scope::Flow || row.scope == Scope::Transaction) << row.name;
    }
}

TEST(Registry, WhatIsParsedHasStateSeedsAndAFuzzTarget) {
  for (const Protocol* p : protocols()) {
    if (p->parse == nullptr) continue;
    EXPECT_GT(p->state_bytes, 0U) << p->name;
    EXPECT_LE(p->state_bytes, 4096U) << p->name;
    EXPECT_FALSE(seeds_of(*p).empty()) << p->name;
    EXPECT_TRUE(has_fuzz_target(*p)) << p->name;
  }
}

TEST(Registry, NothingIsCertainWithoutBytes) {
  for (const Protocol* p : protocols()) {
    if (p->identify == nullptr) continue;
    EXPECT_NE(p->identify({.ip_protocol = static_cast<std::uint8_t>(p->tcp ? 6 : 17)}), Match::Yes) << p->name;
  }
}

TEST(Registry, FactsDoNotDependOnTheCut) {
  for (const Protocol* p : protocols()) {
    if (p->parse == nullptr || !p->tcp) continue;
    for_each_seed(*p, [&](const fs::path& file, const std::vector<Piece>& pieces) {
      kit::Dialogue whole(*p), drops(*p);
      for (const Piece& piece : pieces) {
        whole.send(piece.side, piece.bytes);
        drops.drip(piece.side, piece.bytes);
      }
      EXPECT_EQ(whole.outcome(), drops.outcome()) << p->name << " " << file;
    });
  }
}

TEST(Registry, CutSeedsDoNoHarm) {
  for (const Protocol* p : protocols()) {
    if (p->parse == nullptr) continue;
    for_each_seed(*p, [&](const fs::path&, const std::vector<Piece>& pieces) {
      for (std::size_t left = 0; left < 64; ++left) {
        kit::Dialogue dialogue(*p);
        for (const Piece& piece : pieces) {
          const std::string cut = piece.bytes.substr(0, piece.bytes.size() * left / 64);
          if (p->udp && !p->tcp) dialogue.datagram(piece.side, cut);
          else dialogue.send(piece.side, cut, true);
        }
      }
    });
  }
}

/// What each side of a conversation says first: of all seeds that are conversations.
std::vector<std::pair<std::string, std::array<std::string, 2>>> beginnings() {
  constexpr std::string_view kNoConversations[] = {"capture", "convo", "engine",      "json",           "list", "nft_json", "ntlmssp",
                                                   "policy",  "spellings", "quic_frames", "suricata_rules", "text_set", "wire"};
  std::vector<std::pair<std::string, std::array<std::string, 2>>> out;
  for (const fs::directory_entry& folder : fs::directory_iterator("tests/corpus")) {
    const std::string name = folder.path().filename();
    if (std::ranges::find(kNoConversations, name) != std::end(kNoConversations)) continue;
    for (const fs::directory_entry& file : fs::directory_iterator(folder)) {
      std::array<std::string, 2> sides;
      if (name == "identify") {  // How, a quarter of the client's size, the bytes of both.
        std::ifstream in(file.path(), std::ios::binary);
        const std::string data((std::istreambuf_iterator<char>(in)), {});
        if (data.size() < 3) continue;
        const std::size_t split = std::min(data.size() - 2, std::size_t{static_cast<std::uint8_t>(data[1])} * 4);
        sides = {data.substr(2, split), data.substr(2 + split)};
      } else {
        for (const Piece& piece : pieces_of(file.path())) sides[index_of(piece.side)] += piece.bytes;
      }
      for (std::string& side : sides) side.resize(std::min(side.size(), kEvidenceMax));
      out.emplace_back(name + "/" + file.path().filename().string(), sides);
    }
  }
  std::ranges::sort(out);
  return out;
}

/// Conversations in which one side contradicts the other: whoever asks has had its answer by then. (TLS refused in another protocol's words; a server that
/// greets late or not at all.)
constexpr std::string_view kContradictions[] = {"identify/ssh_client_and_binary_server", "identify/tls_hello_and_no_server_of_tls", "smtp/bdat",
                                                "smtp/smuggle", "stun/turn", "tls/middle", "tls/plain-answer"};

// What a stream cannot be any more it does not become again, whichever side's bytes come first and in whatever pieces. What it is it stays, as far as the
// two sides agree.
TEST(Registry, IdentificationDoesNotDependOnHowTheSidesGrow) {
  std::mt19937 random(7);
  std::size_t asked = 0;
  std::set<std::string> wrong;
  const auto all = beginnings();
  for (const auto& [name, own] : all) {
    for (int path = 0; path < 20; ++path) {
      // On later paths the server is another conversation's: then it ends where a row is certain.
      const bool contradicts = path >= 12 || std::ranges::find(kContradictions, name) != std::end(kContradictions);
      const std::array<std::string, 2> sides = {own[0], path >= 12 ? all[random() % all.size()].second[1] : own[1]};
      // The order of growth: alike on both sides, one whole side first, or at random.
      std::vector<std::array<std::size_t, 2>> steps;
      std::array<std::size_t, 2> n = {0, 0};
      const bool server_first = path % 2 != 0;
      while (n[0] < sides[0].size() || n[1] < sides[1].size()) {
        std::size_t side = path < 2 ? (server_first ? 1 : 0) : steps.empty() ? (server_first ? 1 : 0) : random() % 2;
        if (n[side] == sides[side].size()) side = 1 - side;
        n[side] += std::min<std::size_t>(sides[side].size() - n[side], path < 6 && n[side] < 40 ? 1 : 1 + random() % 60);
        steps.push_back(n);
      }
      if (steps.empty()) continue;
      const bool unsure = path % 4 >= 2;
      for (const Protocol* p : protocols()) {
        if (p->identify == nullptr || !p->tcp) continue;
        Match before = Match::Maybe;
        for (const auto& step : steps) {
          const std::vector<std::uint8_t> client(sides[0].begin(), sides[0].begin() + static_cast<std::ptrdiff_t>(step[0]));
          const std::vector<std::uint8_t> server(sides[1].begin(), sides[1].begin() + static_cast<std::ptrdiff_t>(step[1]));
          const Match match = p->identify({.client = client, .server = server, .client_port = 40000, .server_port = 40001,
                                           .server_first = steps[0][1] != 0, .roles_unsure = unsure});
          ++asked;
          if (before == Match::Yes && contradicts) break;
          if (before != Match::Maybe && match != before)
            wrong.insert(std::string(p->name) + (before == Match::No ? ": No" : ": Yes") + " became something else, " + name + (unsure ? ", roles unsure" : "") +
                         (steps[0][1] != 0 ? ", server first" : ""));
          before = before == Match::Maybe ? match : before;
        }
      }
    }
  }
  for (const std::string& line : wrong) ADD_FAILURE() << line;
  EXPECT_GT(asked, 100'000U);
}

}  // namespace
}  // namespace weir::proto
