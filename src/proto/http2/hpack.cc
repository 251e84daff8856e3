// SPDX-License-Identifier: Apache-2.0
#include "proto/http2/hpack.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "proto/http2/huffman.h"

namespace weir::proto::http2 {
namespace {

struct Entry {
  std::string_view name, value;
};
/// RFC 7541, appendix A; the first has index 1.
constexpr Entry kStatic[] = {
    {":authority", ""}, {":method", "GET"}, {":method", "POST"}, {":path", "/"}, {":path", "/index.html"}, {":scheme", "http"}, {":scheme", "https"},
    {":status", "200"}, {":status", "204"}, {":status", "206"}, {":status", "304"}, {":status", "400"}, {":status", "404"}, {":status", "500"},
    {"accept-charset", ""}, {"accept-encoding", "gzip, deflate"}, {"accept-language", ""}, {"accept-ranges", ""}, {"accept", ""},
    {"access-control-allow-origin", ""}, {"age", ""}, {"allow", ""}, {"authorization", ""}, {"cache-control", ""}, {"content-disposition", ""},
    {"content-encoding", ""}, {"content-language", ""}, {"content-length", ""}, {"content-location", ""}, {"content-range", ""}, {"content-type", ""},
    {"cookie", ""}, {"date", ""}, {"etag", ""}, {"expect", ""}, {"expires", ""}, {"from", ""}, {"host", ""}, {"if-match", ""},
    {"if-modified-since", ""}, {"if-none-match", ""}, {"if-range", ""}, {"if-unmodified-since", ""}, {"last-modified", ""}, {"link", ""},
    {"location", ""}, {"max-forwards", ""}, {"proxy-authenticate", ""}, {"proxy-authorization", ""}, {"range", ""}, {"referer", ""}, {"refresh", ""},
    {"retry-after", ""}, {"server", ""}, {"set-cookie", ""}, {"strict-transport-security", ""}, {"transfer-encoding", ""}, {"user-agent", ""},
    {"vary", ""}, {"via", ""}, {"www-authenticate", ""}};
constexpr std::size_t kStaticCount = std::size(kStatic);
static_assert(kStaticCount == 61);

/// An integer with a prefix of so many bits (RFC 7541, 5.1); nothing for one that is cut or beyond any use.
std::optional<std::uint64_t> integer(Bytes& block, int prefix_bits) {
  const std::uint32_t most = (1U << prefix_bits) - 1;
  std::uint64_t value = block[0] & most;
  block = block.subspan(1);
  if (value < most) return value;
  for (int shift = 0; shift <= 28; shift += 7) {
    if (block.empty()) return std::nullopt;
    const std::uint8_t byte = block[0];
    block = block.subspan(1);
    value += std::uint64_t{byte & 0x7fU} << shift;
    if ((byte & 0x80) == 0) return value;
  }
  return std::nullopt;
}

/// Where an entry's text lies: kPlaceBytes in front of the ring.
struct Place {
  std::uint16_t at, name_bytes, value_bytes;
};
static_assert(sizeof(Place) == kPlaceBytes);

Place place(Bytes kept, std::size_t slot) {
  Place p;
  std::memcpy(&p, kept.data() + slot * kPlaceBytes, sizeof p);
  return p;
}

}  // namespace

Decoder::Step Decoder::next(Bytes& block, Line& line) {
  while (!block.empty()) {
    const std::uint8_t first = block[0];
    if ((first & 0xe0) == 0x20) {  // 6.3
      const auto size = integer(block, 5);
      if (!size) return Step::Bad;
      bad_resize_ |= *size > allowed_ || lines_;
      resize(*size);
      continue;
    }
    lines_ = true;
    size_ = name_bytes_ = 0;
    forgotten_ = false;
    const bool literal = (first & 0x80) == 0, inserted = literal && (first & 0x40) != 0;
    const auto index = integer(block, !literal ? 7 : inserted ? 6 : 4);
    if (!index) return Step::Bad;
    if (!literal) {
      if (*index == 0 || !indexed(*index)) return Step::Bad;
    } else {
      if (*index != 0 ? !name_of(*index) : !string(block)) return Step::Bad;
      name_bytes_ = size_;
      append(": ");
      if (!string(block)) return Step::Bad;
    }
    const bool readable = !forgotten_ && size_ <= room_.size(), named = !forgotten_ && name_bytes_ + 2 <= room_.size();
    line = {.text = named ? std::string_view(room_.data(), readable ? size_ : name_bytes_ + 2) : ": ", .name_bytes = named ? name_bytes_ : 0,
            .bytes = size_ - 2 + kEntryOverhead, .readable = readable};
    if (inserted) insert();
    return Step::Line;
  }
  return Step::End;
}

void Decoder::append(std::string_view text) {
  if (size_ < room_.size()) std::memcpy(room_.data() + size_, text.data(), std::min(text.size(), room_.size() - size_));
  size_ += text.size();
}

void Decoder::append_ring(std::size_t at, std::size_t size) {
  const std::string_view ring = as_text(d_.kept(side_)).substr(kRingAt, kTableBytesMax);
  at %= kTableBytesMax;
  const std::size_t before_end = std::min(size, kTableBytesMax - at);
  append(ring.substr(at, before_end));
  append(ring.substr(0, size - before_end));
}

/// The name of an entry into room_.
bool Decoder::name_of(std::uint64_t index) {
  if (index <= kStaticCount) return append(kStatic[index - 1].name), true;
  if (index - kStaticCount > table_.count) return forgotten_ = table_.forgetful;
  const Place p = place(d_.kept(side_), (table_.newest + kEntriesMax - static_cast<std::size_t>(index - kStaticCount)) % kEntriesMax);
  forgotten_ = p.name_bytes == 0;  // No header is without a name: it was forgotten when this entry was made of it.
  append_ring(p.at, p.name_bytes);
  return true;
}

bool Decoder::indexed(std::uint64_t index) {
  if (!name_of(index)) return false;
  name_bytes_ = size_;
  append(": ");
  if (forgotten_) return true;
  if (index <= kStaticCount) return append(kStatic[index - 1].value), true;
  const Place p = place(d_.kept(side_), (table_.newest + kEntriesMax - static_cast<std::size_t>(index - kStaticCount)) % kEntriesMax);
  append_ring(std::size_t{p.at} + p.name_bytes, p.value_bytes);
  return true;
}

bool Decoder::string(Bytes& block) {  // 5.2
  if (block.empty()) return false;
  const bool coded = (block[0] & 0x80) != 0;
  const auto size = integer(block, 7);
  if (!size || *size > block.size()) return false;
  const Bytes text = block.first(static_cast<std::size_t>(*size));
  block = block.subspan(text.size());
  if (!coded) return append(as_text(text)), true;
  return decode_huffman(text, [this](char c) {
    if (size_ < room_.size()) room_[size_] = c;
    ++size_;
  });
}

/// The oldest go until so many bytes are left (4.3, 4.4).
void Decoder::evict(std::size_t bytes_left) {
  while (table_.bytes > bytes_left) {
    const Place p = place(d_.kept(side_), (table_.newest + kEntriesMax - table_.count) % kEntriesMax);
    table_.bytes = static_cast<std::uint16_t>(table_.bytes - p.name_bytes - p.value_bytes - kEntryOverhead);
    --table_.count;
  }
}

/// The line in room_ becomes the newest entry.
void Decoder::insert() {
  const std::size_t text_bytes = size_ - 2, bytes = text_bytes + kEntryOverhead;
  if (forgotten_) table_.forgetful = true;
  if (bytes > limit()) return evict(0);  // 4.4: no error.
  evict(limit() - bytes);
  const Place p{table_.end, static_cast<std::uint16_t>(name_bytes_), static_cast<std::uint16_t>(text_bytes - name_bytes_)};
  if (d_.kept(side_).size() < kTableEnd) {
    constexpr std::uint8_t kLast[1] = {};
    if (!d_.keep_at(side_, kTableEnd - 1, kLast)) {  // No memory: everything from here on is forgotten.
      table_.forgetful = true;
      return evict(0);
    }
  }
  const auto put = [this](std::size_t at, std::string_view text) {
    at %= kTableBytesMax;
    const std::size_t before_end = std::min(text.size(), kTableBytesMax - at);
    d_.keep_at(side_, kRingAt + at, as_bytes(text.substr(0, before_end)));
    d_.keep_at(side_, kRingAt, as_bytes(text.substr(before_end)));
  };
  const std::string_view line(room_.data(), size_);
  put(p.at, line.substr(0, name_bytes_));
  put(p.at + name_bytes_, line.substr(name_bytes_ + 2));
  std::uint8_t bytes_of_place[kPlaceBytes];
  std::memcpy(bytes_of_place, &p, sizeof p);
  d_.keep_at(side_, table_.newest * kPlaceBytes, bytes_of_place);
  table_.newest = static_cast<std::uint16_t>((table_.newest + 1) % kEntriesMax);
  table_.end = static_cast<std::uint16_t>((table_.end + text_bytes) % kTableBytesMax);
  table_.bytes = static_cast<std::uint16_t>(table_.bytes + bytes);
  ++table_.count;
}

void Decoder::resize(std::uint64_t size) {
  table_.forgetful |= size > kTableBytesMax;
  const auto limit = static_cast<std::size_t>(std::min<std::uint64_t>(size, kTableBytesMax));
  table_.shrunk = static_cast<std::uint16_t>(kTableBytesMax - limit);
  evict(limit);
}

}  // namespace weir::proto::http2
