// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <thread>

#include "datapath/capture/capture_reader.h"
#include "datapath/capture/pcap_writer.h"
#include "datapath/capture/read_ahead.h"
#include "tests/kit/capture.h"

namespace weir::datapath {
namespace {

using kit::PcapFile;
using kit::PcapngFile;
using KitOrder = kit::Order;

// A reading as text: "wall_ns bytes/wire" a line, and the fault or error last.
template <typename R>
std::string frames_of(R& reader, std::size_t batch = 7) {
  std::string text;
  std::array<Frame, 64> frames;
  for (std::size_t got; (got = reader.next(std::span(frames).first(batch))) > 0;)
    for (const Frame& f : std::span(frames).first(got))
      text += std::to_string(f.time.wall_ns) + " " + std::string(as_text(f.bytes)) + "/" + std::to_string(f.wire_bytes) + "\n";
  if (reader.fault()) text += reader.fault()->message + "\n";
  return text;
}

std::string read(std::string_view file) {
  auto reader = CaptureReader::from_bytes(as_bytes(file), {}, "f");
  return reader ? frames_of(*reader) : reader.error().message;
}

std::string gzip(std::string_view bytes) {
  z_stream z{};
  deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&z, bytes.size()), '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  z.avail_in = static_cast<uInt>(bytes.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

std::string zstd(std::string_view bytes) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), 3));
  return out;
}

class TempDir {
 public:
  TempDir() { path_ = ::mkdtemp(name_); }
  ~TempDir() { std::system(("rm -r " + path_).c_str()) == 0 ? void() : void(); }
  std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  char name_[32] = "/tmp/weir-capture-XXXXXX";
  std::string path_;
};

void write_file(const std::string& path, std::string_view bytes) { std::ofstream(path, std::ios::binary) << bytes; }
std::string file_bytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Enough packets that every buffer is filled more than once.
std::string long_capture(std::size_t packets) {
  PcapFile file;
  for (std::size_t i = 0; i < packets; ++i)
    file.packet(static_cast<std::uint32_t>(i), 0, std::to_string(i) + std::string(i % 1400, static_cast<char>('a' + i % 26)));
  return file.bytes();
}

TEST(Capture, PcapInEachOrderAndResolution) {
  struct {
    KitOrder order;
    std::uint32_t magic;
    const char* expected;
  } const rows[] = {
      {KitOrder::Little, PcapFile::kMicro, "1000002000 ab/2\n3000004000 c/9\n"},
      {KitOrder::Big, PcapFile::kMicro, "1000002000 ab/2\n3000004000 c/9\n"},
      {KitOrder::Little, PcapFile::kNano, "1000000002 ab/2\n3000000004 c/9\n"},
      {KitOrder::Big, PcapFile::kNano, "1000000002 ab/2\n3000000004 c/9\n"},
      {KitOrder::Little, PcapFile::kKuznetzov, "1000002000 ab/2\n3000004000 c/9\n"},
      {KitOrder::Big, PcapFile::kKuznetzov, "1000002000 ab/2\n3000004000 c/9\n"},
  };
  for (const auto& row : rows) EXPECT_EQ(read(PcapFile(row.order, row.magic).packet(1, 2, "ab").packet(3, 4, "c", 9).bytes()), row.expected);
}

TEST(Capture, LinkTypesAreMappedAndOthersNamed) {
  struct {
    std::uint32_t number;
    LinkType link;
  } const rows[] = {{0, LinkType::Null},    {1, LinkType::Ethernet}, {12, LinkType::RawIp},  {14, LinkType::RawIp}, {101, LinkType::RawIp},
                    {108, LinkType::Null},  {113, LinkType::Sll},    {228, LinkType::RawIp}, {229, LinkType::RawIp}, {276, LinkType::Sll2},
                    {104, LinkType::CiscoHdlc}, {192, LinkType::Ppi}, {0x14000001, LinkType::Ethernet}};  // the upper half tells the length of the frame check sequence
  for (const auto& row : rows) {
    const std::string file = PcapFile(KitOrder::Little, PcapFile::kMicro, row.number).packet(1, 1, "x").bytes();
    auto reader = CaptureReader::from_bytes(as_bytes(file));
    ASSERT_TRUE(reader) << row.number;
    Frame frame;
    ASSERT_EQ(reader->next({&frame, 1}), 1U);
    EXPECT_EQ(frame.link, row.link) << row.number;
  }
  EXPECT_EQ(read(PcapFile(KitOrder::Little, PcapFile::kMicro, 105).bytes()),
            "f: at byte 20: LINKTYPE_IEEE802_11 (105) is not read; ETHERNET, RAW, IPV4, IPV6, NULL, LOOP, C_HDLC, PPI, LINUX_SLL and LINUX_SLL2 are");
  EXPECT_TRUE(read(PcapFile(KitOrder::Little, PcapFile::kMicro, 4711).bytes()).starts_with("f: at byte 20: link type 4711 is not read"));
  EXPECT_EQ(read(PcapngFile().section().interface({.link = 9}).interface().enhanced(1, 1, "ab").enhanced(0, 1, "ab").bytes()),
            "1000 ab/2\nf: at byte 112, after 1 packets: LINKTYPE_PPP (9) is not read; ETHERNET, RAW, IPV4, IPV6, NULL, LOOP, C_HDLC, PPI, LINUX_SLL and "
            "LINUX_SLL2 are\n");
}

TEST(Capture, PcapngSectionsHaveTheirOwnOrderAndInterfaces) {
  const std::string file = PcapngFile()
                               .section(KitOrder::Little)
                               .interface({.resolution = 9})
                               .other(5, 4096)
                               .enhanced(0, 1'700'000'000'123'456'789, "ns")
                               .section(KitOrder::Big)
                               .interface({.resolution = 0x80 | 20})
                               .interface({.offset_seconds = 100})
                               .enhanced(0, (7ULL << 20) + (1 << 19), "bin", 60)
                               .enhanced(1, 5, "off")
                               .old_packet(0, 8ULL << 20, "old")
                               .bytes();
  EXPECT_EQ(read(file), "1700000000123456789 ns/2\n7500000000 bin/60\n100000005000 off/3\n8000000000 old/3\n");
}

TEST(Capture, SimplePacketIsCutAtTheSnapLengthAndHasTheTimeBefore) {
  EXPECT_EQ(read(PcapngFile().section().interface({.snaplen = 3}).enhanced(0, 9, "x").simple("abc", 1500).simple("de", 2).bytes()),
            "9000 x/1\n9000 abc/1500\n9000 de/2\n");
}

TEST(Capture, TimesBeyondReasonAreCut) {
  const auto last = std::to_string(kWallMax);
  EXPECT_EQ(read(PcapngFile().section().interface({.resolution = 0}).enhanced(0, ~0ULL, "x").bytes()), last + " x/1\n");
  EXPECT_EQ(read(PcapngFile().section().interface({.offset_seconds = INT64_MIN}).enhanced(0, 1, "x").bytes()), "0 x/1\n");
  EXPECT_EQ(read(PcapngFile().section().interface({.offset_seconds = INT64_MAX}).enhanced(0, ~0ULL, "x").bytes()), last + " x/1\n");
  EXPECT_EQ(read(PcapngFile().section().interface({.resolution = 0xff}).enhanced(0, ~0ULL, "x").bytes()), "0 x/1\n");
  EXPECT_EQ(read(PcapngFile().section().interface({.resolution = 12}).enhanced(0, 5000, "x").bytes()), "5 x/1\n");
}

TEST(Capture, IsReadUpToTheFault) {
  const std::string good = PcapFile().packet(1, 0, "abcd").bytes();  // 24 + 16 + 4
  const std::string section = PcapngFile().section().bytes();        // 28
  const std::string block = PcapngFile().section().interface().bytes();  // 28 + 24
  struct {
    std::string file;
    std::string expected;
  } const rows[] = {
      {good + std::string(10, 'x'), "1000000000 abcd/4\nf: at byte 44, after 1 packets: a record is cut short: it needs 16 bytes, 10 are left\n"},
      {good.substr(0, 42), "f: at byte 24, after 0 packets: a record is cut short: it needs 20 bytes, 18 are left\n"},
      {PcapFile().claim(262'145).bytes(),
       "f: at byte 24, after 0 packets: a record of 262145 bytes is larger than the 262144 that this file may hold\n"},
      {PcapFile(KitOrder::Big, PcapFile::kMicro, 1, 300'000).claim(300'000).bytes(),
       "f: at byte 24, after 0 packets: a record is cut short: it needs 300016 bytes, 16 are left\n"},
      {PcapFile(KitOrder::Big, PcapFile::kMicro, 1, ~0U).claim(kSnapMax + 1).bytes(),
       "f: at byte 24, after 0 packets: a record of 16777217 bytes is larger than the 16777216 that this file may hold\n"},
      {section + "abc", "f: at byte 28, after 0 packets: a record is cut short: it needs 12 bytes, 3 are left\n"},
      {PcapngFile().section().other(5, 64).bytes().substr(0, 60),
       "f: at byte 28, after 0 packets: a block is cut short: the stream ends 32 bytes into it\n"},
      {PcapngFile().section().enhanced(0, 1, "ab").bytes(),
       "f: at byte 28, after 0 packets: a packet of interface 0, which its section does not describe\n"},
      {block + PcapngFile().enhanced(0, 1, "ab").bytes().substr(0, 32) + std::string(4, '\0'),
       "f: at byte 52, after 0 packets: the block's second length is 0, its first 36\n"},
      {block.substr(0, 48) + std::string("\x10\0\0\0", 4), "f: at byte 28, after 0 packets: the block's second length is 16, its first 24\n"},
      {block + std::string("\6\0\0\0\x0b\0\0\0xxxx", 12), "f: at byte 52, after 0 packets: a block of type 6 says that it has 11 bytes\n"},
  };
  for (const auto& row : rows) EXPECT_EQ(read(row.file), row.expected);
  auto reader = CaptureReader::from_bytes(as_bytes(rows[0].file));
  frames_of(*reader);
  EXPECT_TRUE(reader->fault()->after_packets);
  EXPECT_EQ(reader->fault()->offset, 44U);
}

TEST(Capture, WhatIsNoCaptureIsNamed) {
  EXPECT_EQ(read(""), "f: is empty");
  EXPECT_EQ(read("abc"), "f: is no capture: it has only 3 bytes");
  EXPECT_EQ(read("hello world, this is text"), "f: is neither pcap nor pcapng: it begins with 68656c6c");
  EXPECT_EQ(read(std::string("snoop\0\0\0\0\0\0\2", 12)), "f: is a snoop capture, not pcap or pcapng");
  EXPECT_EQ(read(PcapFile().bytes().substr(0, 20)), "f: at byte 0: the pcap header is cut short: it has 24 bytes, 20 are there");
  EXPECT_EQ(CaptureReader::open("/nowhere/x.pcap").error().message, "/nowhere/x.pcap: No such file or directory");
  EXPECT_EQ(CaptureReader::open("/tmp").error().message, "/tmp: is a directory, not a capture");
}

TEST(Capture, PackedFilesAreReadAsTheyAre) {
  const std::string plain = PcapFile().packet(1, 0, "abcd").packet(2, 0, "").packet(3, 0, "e").bytes();
  const std::string expected = "1000000000 abcd/4\n2000000000 /0\n3000000000 e/1\n";
  EXPECT_EQ(read(gzip(plain)), expected);
  EXPECT_EQ(read(zstd(plain)), expected);
  EXPECT_EQ(read(gzip(plain.substr(0, 30)) + gzip(plain.substr(30))), expected) << "members follow each other";
  EXPECT_EQ(read(zstd(plain.substr(0, 30)) + zstd(plain.substr(30))), expected) << "frames follow each other";
  EXPECT_EQ(read(gzip(plain) + std::string(512, '\0')), expected) << "padding";
  EXPECT_EQ(read(gzip("")), "f: is empty when unpacked");
  const std::string large = long_capture(3000);
  EXPECT_EQ(read(gzip(large)), read(large));
  EXPECT_EQ(read(zstd(large)), read(large));
}

TEST(Capture, BrokenPackingIsAFaultAfterWhatCouldBeUnpacked) {
  const std::string packed = gzip(long_capture(3000));
  const std::string half = read(std::string_view(packed).substr(0, packed.size() / 2));
  EXPECT_TRUE(half.starts_with("0 0/1\n1000000000 1b/2\n"));
  EXPECT_NE(half.find("the gzip stream is broken at its byte " + std::to_string(packed.size() / 2) + ": it is cut short"), std::string::npos);
  const std::string other = zstd(long_capture(3000));
  EXPECT_NE(read(std::string_view(other).substr(0, other.size() / 2)).find("it is cut short"), std::string::npos);
}

TEST(Capture, StandardInputIsReadThroughAPipe) {
  const std::string file = long_capture(2000);
  for (const std::string& sent : {file, gzip(file), zstd(file)}) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const int before = ::dup(STDIN_FILENO);
    ASSERT_EQ(::dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    std::thread writer([&] {
      for (std::size_t at = 0; at < sent.size();) {
        const ssize_t done = ::write(ends[1], sent.data() + at, std::min<std::size_t>(sent.size() - at, 1000));
        if (done <= 0) break;
        at += static_cast<std::size_t>(done);
      }
      ::close(ends[1]);
    });
    {
      auto reader = CaptureReader::open("-");
      ASSERT_TRUE(reader);
      EXPECT_EQ(frames_of(*reader), read(file));
    }
    writer.join();
    ::dup2(before, STDIN_FILENO);
    ::close(before);
    ::close(ends[0]);
  }
}

TEST(Capture, EngineTimeNeverGoesBackAndFollowsJumps) {
  const std::string file = PcapFile().packet(100, 0, "").packet(101, 0, "").packet(50, 0, "").packet(102, 0, "").packet(1'000'000'000, 0, "").bytes();
  auto reader = CaptureReader::from_bytes(as_bytes(file), {.first_number = 11});
  std::array<Frame, 8> frames;
  ASSERT_EQ(reader->next(frames), 5U);
  const Nanoseconds expected[] = {0, 1, 1, 2, 999'999'900};
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(frames[i].time.mono_ns, kFirstMono + expected[i] * kSecond) << i;
    EXPECT_EQ(frames[i].number, 11 + i);
  }
  EXPECT_EQ(frames[2].time.wall_ns, 50 * kSecond);
  EXPECT_EQ(reader->next_number(), 16U);
}

TEST(Capture, PortsComeFromTheCallerOrTheInterfaceName) {
  const std::string file = PcapngFile().section().interface({.name = "lan0"}).interface({.name = "wan0"}).interface()
                               .enhanced(0, 1, "a").enhanced(1, 1, "b").enhanced(2, 1, "c").bytes();
  const PortOfName port_of = [](std::string_view name) { return name == "lan0" ? PortIndex{3} : name == "wan0" ? PortIndex{4} : kNoPort; };
  std::array<Frame, 8> frames;
  auto named = CaptureReader::from_bytes(as_bytes(file), {.port_of = port_of});
  ASSERT_EQ(named->next(frames), 3U);
  EXPECT_EQ(frames[0].port, 3);
  EXPECT_EQ(frames[1].port, 4);
  EXPECT_EQ(frames[2].port, kNoPort);
  auto fixed = CaptureReader::from_bytes(as_bytes(file), {.port = 9, .port_of = port_of});
  ASSERT_EQ(fixed->next(frames), 3U);
  EXPECT_EQ(frames[1].port, 9);
}

TEST(ReadAhead, GivesTheSameFramesWithAndWithoutAThread) {
  const std::string file = long_capture(5000) + "broken";
  const TempDir dir;
  write_file(dir / "plain", file);
  write_file(dir / "packed", gzip(file));
  auto plain = CaptureReader::open(dir / "plain");
  auto packed = CaptureReader::open(dir / "packed");
  const std::string expected[] = {frames_of(*plain), frames_of(*packed)};
  for (const unsigned workers : {1U, 2U, 8U}) {
    for (const std::size_t batch : {std::size_t{1}, std::size_t{7}, std::size_t{64}}) {
      ReadAhead mapped(std::move(*CaptureReader::open(dir / "plain")), workers);
      EXPECT_EQ(frames_of(mapped, batch), expected[0]);
      ReadAhead copied(std::move(*CaptureReader::open(dir / "packed")), workers);
      EXPECT_EQ(frames_of(copied, batch), expected[1]);
    }
  }
}

TEST(ReadAhead, MayBeLeftEarly) {
  const std::string file = gzip(long_capture(20'000));
  ReadAhead reader(std::move(*CaptureReader::from_bytes(as_bytes(file))), 2);
  Frame frame;
  EXPECT_EQ(reader.next({&frame, 1}), 1U);
}

std::string copy_through(const std::string& from, const std::string& to) {
  auto reader = CaptureReader::open(from);
  auto writer = PcapWriter::open(to, likeness_of(*reader));
  std::array<Frame, 16> frames;
  for (std::size_t got; (got = reader->next(frames)) > 0;)
    for (std::size_t i = 0; i < got; ++i) writer->write(frames[i]);
  auto closed = writer->close();
  return closed ? std::to_string(*closed) : closed.error().message;
}

TEST(PcapWriter, WritesWhatWasReadByteForByte) {
  const TempDir dir;
  for (const std::uint32_t magic : {PcapFile::kMicro, PcapFile::kNano}) {
    for (const std::uint32_t link : {1U, 12U, 104U, 108U, 113U, 192U, 276U}) {
      PcapFile file(KitOrder::Little, magic, link, 262'144);
      for (std::uint32_t i = 0; i < 3000; ++i) file.packet(i, i + 1, std::string(i, 'x'), i + 5);
      write_file(dir / "in", file.bytes());
      EXPECT_EQ(copy_through(dir / "in", dir / "out"), "3000");
      EXPECT_EQ(file_bytes(dir / "out"), file.bytes());
    }
  }
}

TEST(PcapWriter, ASecondLinkTypeMakesItAPcapng) {
  const TempDir dir;
  write_file(dir / "in", PcapngFile().section().interface({.resolution = 9}).interface({.link = 113}).interface({.link = 12})
                             .enhanced(0, 1, "a", 9).enhanced(0, 2, "bcdef").enhanced(1, 3, "g").enhanced(2, 4, "h").enhanced(0, 5, "i").bytes());
  EXPECT_EQ(copy_through(dir / "in", dir / "out"), "5");
  auto in = CaptureReader::open(dir / "in"), out = CaptureReader::open(dir / "out");
  ASSERT_TRUE(out);
  EXPECT_EQ(frames_of(*out), frames_of(*in));
  EXPECT_TRUE(file_bytes(dir / "out").starts_with("\x0a\x0d\x0d\x0a"));
}

TEST(PcapWriter, AFileWithoutFramesIsStillOneThatCanBeRead) {
  const TempDir dir;
  auto writer = PcapWriter::open(dir / "out", {.link_number = 101});
  EXPECT_EQ(*writer->close(), 0U);
  EXPECT_EQ(file_bytes(dir / "out"), PcapFile(KitOrder::Little, PcapFile::kMicro, 101, 262'144).bytes());
}

TEST(PcapWriter, TellsOfAFullDiskAtClose) {
  auto writer = PcapWriter::open("/dev/full", {});
  ASSERT_TRUE(writer);
  writer->write(Frame{.bytes = as_bytes("abc"), .wire_bytes = 3});
  const auto closed = writer->close();
  ASSERT_FALSE(closed);
  EXPECT_EQ(closed.error().message, "/dev/full: No space left on device");
  EXPECT_FALSE(PcapWriter::open("/nowhere/x", {}));
}

}  // namespace
}  // namespace weir::datapath
