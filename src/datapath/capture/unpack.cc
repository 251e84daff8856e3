// SPDX-License-Identifier: Apache-2.0
#include "datapath/capture/unpack.h"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <climits>

namespace weir::datapath {
namespace {

constexpr std::uint32_t kZstdMagic = 0xfd2fb528;           // RFC 8878 section 3.1.1
constexpr std::uint32_t kZstdSkippableMagic = 0x184d2a50;  // RFC 8878 section 3.1.2; the low four bits are free
constexpr int kZstdWindowLogMax = 27;

class GzipSource final : public BufferedSource {
 public:
  explicit GzipSource(std::unique_ptr<ByteSource> packed) : packed_(std::move(packed)) {
    usable_ = inflateInit2(&stream_, 15 + 16) == Z_OK;  // 15: the largest window; 16: with gzip's header and sums
  }
  ~GzipSource() override {
    if (usable_) inflateEnd(&stream_);
  }

 protected:
  std::size_t pull(std::uint8_t* out, std::size_t room) override {
    if (!usable_) return fail("no memory to unpack it");
    room = std::min<std::size_t>(room, INT_MAX);
    stream_.next_out = out;
    stream_.avail_out = static_cast<uInt>(room);
    while (stream_.avail_out == room) {
      const bool more = packed_->refill(1);
      if (between_members_ && !next_member(more)) return 0;
      const Bytes in = packed_->ahead();
      stream_.next_in = const_cast<Bytef*>(in.data());  // zlib does not write there; its type is old
      stream_.avail_in = static_cast<uInt>(std::min<std::size_t>(in.size(), INT_MAX));
      const uInt before = stream_.avail_in;
      const int said = inflate(&stream_, Z_NO_FLUSH);
      const uInt used = before - stream_.avail_in;
      packed_->skip(used);
      if (said == Z_STREAM_END) between_members_ = true;
      else if (said != Z_OK && said != Z_BUF_ERROR) return stop(room, stream_.msg ? stream_.msg : "bad data");
      else if (!more && used == 0 && stream_.avail_out == room) return stop(room, "it is cut short");
    }
    return room - stream_.avail_out;
  }

 private:
  // RFC 1952 section 2.2: members simply follow each other. Tapes and old tools pad the last with zeros.
  bool next_member(bool more) {
    if (!more) {
      trouble_ = packed_->trouble();
      return false;
    }
    while (packed_->refill(1) && packed_->ahead()[0] == 0) packed_->skip(1);
    if (!packed_->refill(1)) return false;
    if (!packed_->refill(2) || packing_of(packed_->ahead()) != Packing::Gzip) {
      fail("other bytes follow the gzip stream");
      return false;
    }
    between_members_ = false;
    return inflateReset(&stream_) == Z_OK;
  }
  std::size_t stop(std::size_t room, const char* why) {
    if (!packed_->trouble().empty()) trouble_ = packed_->trouble();
    else fail((std::string("the gzip stream is broken at its byte ") + std::to_string(packed_->offset()) + ": " + why).c_str());
    return room - stream_.avail_out;
  }
  std::size_t fail(const char* why) {
    trouble_ = why;
    return 0;
  }

  std::unique_ptr<ByteSource> packed_;
  z_stream stream_{};
  bool usable_ = false;
  bool between_members_ = false;
};

class ZstdSource final : public BufferedSource {
 public:
  explicit ZstdSource(std::unique_ptr<ByteSource> packed) : packed_(std::move(packed)), stream_(ZSTD_createDCtx()) {
    if (stream_) ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax, kZstdWindowLogMax);
  }
  ~ZstdSource() override { ZSTD_freeDCtx(stream_); }

 protected:
  std::size_t pull(std::uint8_t* out, std::size_t room) override {
    if (!stream_) return fail("no memory to unpack it");
    ZSTD_outBuffer to{out, room, 0};
    while (to.pos == 0) {
      const bool more = packed_->refill(1);
      if (!more && between_frames_) {
        trouble_ = packed_->trouble();
        return 0;
      }
      const Bytes in = packed_->ahead();
      ZSTD_inBuffer from{in.data(), in.size(), 0};
      const std::size_t said = ZSTD_decompressStream(stream_, &to, &from);
      packed_->skip(from.pos);
      if (ZSTD_isError(said)) return fail(broken(ZSTD_getErrorName(said)), to.pos);
      between_frames_ = said == 0;
      if (!more && from.pos == 0 && to.pos == 0 && said != 0)
        return fail(packed_->trouble().empty() ? broken("it is cut short") : packed_->trouble());
    }
    return to.pos;
  }

 private:
  std::string broken(const char* why) const {
    return "the Zstandard stream is broken at its byte " + std::to_string(packed_->offset()) + ": " + why;
  }
  std::size_t fail(std::string why, std::size_t got = 0) {
    trouble_ = std::move(why);
    return got;
  }

  std::unique_ptr<ByteSource> packed_;
  ZSTD_DCtx* stream_;
  bool between_frames_ = true;
};

}  // namespace

Packing packing_of(Bytes first) {
  if (first.size() >= 2 && first[0] == 0x1f && first[1] == 0x8b) return Packing::Gzip;
  if (first.size() < 4) return Packing::None;
  const std::uint32_t magic = Reader(first).le32();
  if (magic == kZstdMagic || (magic & 0xfffffff0) == kZstdSkippableMagic) return Packing::Zstd;
  return Packing::None;
}

std::unique_ptr<ByteSource> unpack(std::unique_ptr<ByteSource> packed, Packing packing) {
  if (packing == Packing::Gzip) return std::make_unique<GzipSource>(std::move(packed));
  CHECK(packing == Packing::Zstd);
  return std::make_unique<ZstdSource>(std::move(packed));
}

}  // namespace weir::datapath
