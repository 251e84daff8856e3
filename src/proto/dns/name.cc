// SPDX-License-Identifier: Apache-2.0
#include "proto/dns/name.h"

namespace weir::proto::dns {
namespace {

enum class Ink : std::uint8_t { Plain, Odd, Quote, Decimal };

struct Letter {
  char lower = 0;
  Ink ink = Ink::Decimal;
};

// One look at a byte tells how it is written.
constexpr std::array<Letter, 256> make_letters() {
  std::array<Letter, 256> letters{};
  for (std::size_t b = 0x21; b < 0x7f; ++b) {
    const char c = static_cast<char>(b);
    const bool upper = c >= 'A' && c <= 'Z';
    const bool host = upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    letters[b].lower = upper ? static_cast<char>(c + 32) : c;
    letters[b].ink = host ? Ink::Plain : c == '.' || c == '\\' ? Ink::Quote : Ink::Odd;
  }
  return letters;
}
constexpr std::array<Letter, 256> kLetters = make_letters();

char* write_label(Bytes label, char* at, bool& is_host) {
  for (const std::uint8_t byte : label) {
    const Letter letter = kLetters[byte];
    if (letter.ink == Ink::Plain) {
      *at++ = letter.lower;
      continue;
    }
    is_host = false;
    if (letter.ink == Ink::Decimal) {  // RFC 1035 5.1: \DDD
      *at++ = '\\';
      *at++ = static_cast<char>('0' + byte / 100);
      *at++ = static_cast<char>('0' + byte / 10 % 10);
      *at++ = static_cast<char>('0' + byte % 10);
      continue;
    }
    if (letter.ink == Ink::Quote) *at++ = '\\';
    *at++ = letter.lower;
  }
  return at;
}

}  // namespace

NameStatus read_name(Bytes message, std::size_t offset, std::span<char, kNameTextMax> out, Name& name) {
  char* at = out.data();
  std::size_t piece = offset;  // Where the piece that is read began: the next pointer must aim before it.
  std::size_t wire_bytes = 1;
  name = Name{};
  for (;;) {
    if (offset >= message.size()) return NameStatus::Cut;
    const std::size_t length = message[offset];
    if (length == 0) {
      if (!name.compressed) name.next = offset + 1;
      break;
    }
    if (length >= 0xc0) {
      if (message.size() - offset < 2) return NameStatus::Cut;
      const std::size_t target = load_be16(&message[offset]) & 0x3fffU;
      if (target >= piece || target < kHeaderBytes) return NameStatus::Bad;
      if (!name.compressed) name.next = offset + 2;
      name.compressed = true;
      offset = piece = target;
      continue;
    }
    if (length > kLabelBytesMax) return NameStatus::Bad;  // 01 and 10 are reserved (RFC 6891 5).
    wire_bytes += length + 1;
    if (wire_bytes > kNameBytesMax) return NameStatus::Bad;
    if (message.size() - offset - 1 < length) return NameStatus::Cut;
    if (name.labels != 0) *at++ = '.';
    for (std::size_t i = kLastLabels - 1; i > 0; --i) name.starts[i] = name.starts[i - 1];
    name.starts[0] = static_cast<std::uint16_t>(at - out.data());
    ++name.labels;
    if (length > name.label_bytes_max) name.label_bytes_max = static_cast<std::uint8_t>(length);
    at = write_label(message.subspan(offset + 1, length), at, name.is_host);
    offset += 1 + length;
  }
  if (name.labels == 0) *at++ = '.';
  name.text = {out.data(), static_cast<std::size_t>(at - out.data())};
  return NameStatus::Good;
}

NameStatus skip_name(Bytes message, std::size_t& offset) {
  const std::size_t start = offset;
  for (;;) {
    if (offset >= message.size()) return NameStatus::Cut;
    const std::size_t length = message[offset];
    if (length >= 0xc0) {
      if (message.size() - offset < 2) return NameStatus::Cut;
      offset += 2;
      return NameStatus::Good;
    }
    if (length > kLabelBytesMax) return NameStatus::Bad;
    offset += 1 + length;
    if (offset - start > kNameBytesMax) return NameStatus::Bad;
    if (length == 0) return NameStatus::Good;
  }
}

}  // namespace weir::proto::dns
