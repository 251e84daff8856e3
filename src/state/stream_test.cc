// SPDX-License-Identifier: Apache-2.0
#include "state/stream.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace weir::state {
namespace {

// A stream whose ready bytes are consumed at once, as text.
struct Reading {
  SlabPool pool{1 << 22};
  Stream stream;
  std::string read;
  bool conflict = false;

  explicit Reading(std::uint32_t sequence = 1000) { stream.start(sequence); }
  ~Reading() { stream.release(pool); }
  Stream::Insert put(std::uint32_t sequence, std::string_view text) {
    const Stream::Outcome outcome = stream.insert(pool, sequence, as_bytes(text));
    conflict |= outcome.conflict;
    const Bytes ready = stream.ready();
    read += as_text(ready);
    stream.consume(ready.size());
    return outcome.insert;
  }
};

TEST(Stream, DeliversInOrder) {
  Reading r;
  EXPECT_EQ(r.put(1000, "GET "), Stream::Insert::Fresh);
  EXPECT_EQ(r.put(1004, "/x"), Stream::Insert::Fresh);
  EXPECT_EQ(r.read, "GET /x");
}

TEST(Stream, WaitsForTheHole) {
  Reading r;
  EXPECT_EQ(r.put(1004, "/x"), Stream::Insert::Waiting);
  EXPECT_EQ(r.read, "");
  EXPECT_EQ(r.put(1000, "GET "), Stream::Insert::Fresh);
  EXPECT_EQ(r.read, "GET /x");
}

// What differs does not go on, so its receiver has none of it: nothing of it is read either.
TEST(Stream, FirstDataWinsAndDifferenceIsAConflict) {
  struct Case {
    const char* what;
    std::vector<std::pair<std::uint32_t, const char*>> segments;
    const char* read;
    bool conflict;
  };
  const Case cases[] = {
      {"same again", {{1000, "abcd"}, {1000, "abcd"}}, "abcd", false},
      {"other bytes again", {{1000, "abcd"}, {1000, "abXd"}}, "abcd", true},
      {"overlap ahead, same", {{1000, "abcd"}, {1002, "cdef"}}, "abcdef", false},
      {"overlap ahead, other", {{1000, "abcd"}, {1002, "XXef"}}, "abcd", true},
      {"out of order, other copy later", {{1004, "ef"}, {1002, "cdXX"}, {1000, "ab"}}, "ab", true},
      {"covers a waiting piece", {{1002, "c"}, {1000, "abcde"}}, "abcde", false},
      {"covers a waiting piece, other", {{1002, "c"}, {1000, "abXde"}}, "", true},
  };
  for (const Case& c : cases) {
    Reading r;
    for (const auto& [sequence, text] : c.segments) r.put(sequence, text);
    EXPECT_EQ(r.read, c.read) << c.what;
    EXPECT_EQ(r.conflict, c.conflict) << c.what;
  }
}

TEST(Stream, SequenceNumbersWrap) {
  Reading r(0xfffffffe);
  r.put(2, "efgh");
  r.put(0xfffffffe, "abcd");
  EXPECT_EQ(r.read, "abcdefgh");
}

TEST(Stream, SkippedBytesAreNotStoredAndDoNotConflict) {
  Reading r;
  r.put(1000, "head");
  r.stream.skip(6);
  r.put(1007, "333");
  r.put(1004, "111");
  EXPECT_EQ(r.read, "head");
  r.put(1010, "tail");
  EXPECT_EQ(r.read, "headtail");
  r.put(1004, "XXX");
  EXPECT_FALSE(r.conflict);
  r.put(1010, "tXil");
  EXPECT_TRUE(r.conflict);
}

TEST(Stream, AHoleThatWasAcknowledgedIsPassed) {
  Reading r;
  r.put(1000, "ab");
  r.put(1006, "gh");
  EXPECT_FALSE(r.stream.acknowledge(1002));
  EXPECT_TRUE(r.stream.acknowledge(1008));
  EXPECT_EQ(r.stream.pass_hole(r.pool), 4U);
  EXPECT_EQ(as_text(r.stream.ready()), "gh");
}

TEST(Stream, AHoleInWhatIsSkippedLosesNothing) {
  Reading r;
  r.put(1000, "ab");
  r.stream.skip(5);  // A body of five; "h" is what comes behind it.
  r.put(1006, "gh");
  EXPECT_TRUE(r.stream.acknowledge(1008));
  EXPECT_EQ(r.stream.pass_hole(r.pool), 0U);
  EXPECT_EQ(as_text(r.stream.ready()), "h");
}

TEST(Stream, BytesThatTheReceiverHasAreNotCompared) {
  Reading r;
  r.put(1000, "abcd");
  r.stream.acknowledge(1002);
  r.put(1000, "XX");
  EXPECT_FALSE(r.conflict);
  EXPECT_FALSE(r.stream.evidence_settled());
  r.put(1000, "XXXX");
  EXPECT_TRUE(r.conflict);
  r.stream.acknowledge(1004);
  EXPECT_TRUE(r.stream.evidence_settled());
}

TEST(Stream, EvidenceBeforeSkippedBytesIsKept) {
  Reading r;
  r.put(1000, "head");
  r.stream.skip(100000);
  for (std::uint32_t at = 1004; at < 90000; at += 1000) EXPECT_EQ(r.put(at, std::string(1000, 'b')), Stream::Insert::Fresh);
  r.put(1000, "hXad");
  EXPECT_TRUE(r.conflict);
}

TEST(Stream, AnAcknowledgementOfWhatNeverCameProvesNothing) {
  Reading r;
  r.put(1000, "ab");
  EXPECT_FALSE(r.stream.acknowledge(900000));
  EXPECT_EQ(r.stream.acked(), 2U);
}

TEST(Stream, BytesBeforeTheFirstAreToldButNotAKeepAlive) {
  Reading r;
  EXPECT_FALSE(r.stream.insert(r.pool, 999, as_bytes("k")).before_start);
  EXPECT_TRUE(r.stream.insert(r.pool, 990, as_bytes("old")).before_start);
}

TEST(Stream, FarAheadHasNoRoom) {
  Reading r;
  EXPECT_EQ(r.put(1000 + 300000, "x"), Stream::Insert::NoRoom);
  EXPECT_EQ(r.put(1000, "ok"), Stream::Insert::Fresh);
  EXPECT_EQ(r.read, "ok");
}

// Any cut, any order within the window, any duplicates: the same bytes come out once.
TEST(Stream, AnyCutAndOrderGivesTheSameBytes) {
  for (std::uint32_t seed = 1; seed <= 300; ++seed) {
    std::mt19937 random(seed);
    std::string text;
    for (int i = 0; i < 3000; ++i) text += static_cast<char>('a' + random() % 26);
    std::vector<std::pair<std::uint32_t, std::string>> segments;
    for (std::uint32_t at = 0; at < text.size();) {
      const std::uint32_t size = std::min<std::uint32_t>(1 + random() % 200, static_cast<std::uint32_t>(text.size()) - at);
      segments.emplace_back(at, text.substr(at, size));
      if (random() % 4 == 0) segments.emplace_back(at, text.substr(at, size / 2 + 1));
      if (random() % 5 == 0 && at > 50) segments.emplace_back(at - 50, text.substr(at - 50, 100));
      at += size;
    }
    for (std::size_t i = 0; i + 4 < segments.size(); ++i)
      if (random() % 2 == 0) std::swap(segments[i], segments[i + 1 + random() % 3]);
    Reading r(random());
    Reading reference(0);
    SlabPool pool(1 << 22);
    Stream stream;
    const std::uint32_t base = static_cast<std::uint32_t>(random());
    stream.start(base);
    std::string read;
    bool conflict = false;
    const std::uint64_t skip_at = random() % 2 == 0 ? UINT64_MAX : random() % 2000;
    bool skipped = false;
    for (const auto& [at, piece] : segments) {
      conflict |= stream.insert(pool, base + at, as_bytes(piece)).conflict;
      const Bytes ready = stream.ready();
      read += as_text(ready);
      stream.consume(ready.size());
      if (!skipped && read.size() >= skip_at) {
        skipped = true;
        stream.skip(500);
        read += text.substr(read.size(), 500);
      }
      if (random() % 3 == 0) stream.acknowledge(base + static_cast<std::uint32_t>(stream.in_order_end()));
    }
    EXPECT_EQ(read, text) << "seed " << seed;
    EXPECT_FALSE(conflict) << "seed " << seed;
    stream.release(pool);
    EXPECT_EQ(pool.used(), 0U);
  }
}

}  // namespace
}  // namespace weir::state
