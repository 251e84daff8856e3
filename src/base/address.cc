// SPDX-License-Identifier: Apache-2.0
#include "base/address.h"

#include <arpa/inet.h>

#include <cstdio>

#include "base/text.h"

namespace weir {

bool Prefix::contains(const Ip& ip) const {
  if (length < 96 && ip.is_v4()) return false;  // ::/0 is IPv6 alone; IPv4 only looks like a part of it in our form.
  const int whole = length / 8;
  if (std::memcmp(ip.bytes.data(), network.bytes.data(), static_cast<std::size_t>(whole)) != 0) return false;
  const int bits = length % 8;
  if (bits == 0) return true;
  const auto mask = static_cast<std::uint8_t>(0xff << (8 - bits));
  const auto i = static_cast<std::size_t>(whole);
  return (ip.bytes[i] & mask) == (network.bytes[i] & mask);
}

std::optional<Ip> parse_ip(std::string_view text) {
  char buffer[INET6_ADDRSTRLEN + 1];
  if (text.empty() || text.size() >= sizeof buffer) return std::nullopt;
  std::memcpy(buffer, text.data(), text.size());
  buffer[text.size()] = '\0';
  Ip ip;
  if (text.find(':') != std::string_view::npos) {
    if (inet_pton(AF_INET6, buffer, ip.bytes.data()) != 1) return std::nullopt;
    return ip;
  }
  std::uint8_t quad[4];
  if (inet_pton(AF_INET, buffer, quad) != 1) return std::nullopt;
  return Ip::v4_bytes(quad);
}

std::optional<ParsedPrefix> parse_prefix(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto ip = parse_ip(text.substr(0, slash));
  if (!ip) return std::nullopt;
  const bool v4 = text.substr(0, slash).find(':') == std::string_view::npos;
  std::uint64_t length = v4 ? 32 : 128;
  if (slash != std::string_view::npos) {
    const auto written = parse_number(text.substr(slash + 1));
    if (!written || *written > length) return std::nullopt;
    length = *written;
  }
  ParsedPrefix parsed;
  parsed.prefix.length = static_cast<std::uint8_t>(length + (v4 ? 96 : 0));
  parsed.prefix.network = *ip;
  for (std::size_t bit = parsed.prefix.length; bit < 128; ++bit) {
    const auto mask = static_cast<std::uint8_t>(0x80 >> (bit % 8));
    if ((parsed.prefix.network.bytes[bit / 8] & mask) == 0) continue;
    parsed.has_host_bits = true;
    parsed.prefix.network.bytes[bit / 8] &= static_cast<std::uint8_t>(~mask);
  }
  return parsed;
}

std::optional<Mac> parse_mac(std::string_view text) {
  if (text.size() != 17) return std::nullopt;
  Mac mac;
  for (std::size_t i = 0; i < 6; ++i) {
    if (i > 0 && text[i * 3 - 1] != ':' && text[i * 3 - 1] != '-') return std::nullopt;
    const int high = hex_value(text[i * 3]), low = hex_value(text[i * 3 + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    mac.bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return mac;
}

namespace {

char* put_decimal(char* out, unsigned byte) {
  if (byte >= 100) *out++ = static_cast<char>('0' + byte / 100);
  if (byte >= 10) *out++ = static_cast<char>('0' + byte / 10 % 10);
  *out++ = static_cast<char>('0' + byte % 10);
  return out;
}

char* put_hex(char* out, unsigned group) {
  constexpr char kDigits[] = "0123456789abcdef";
  for (int shift = group >= 0x1000 ? 12 : group >= 0x100 ? 8 : group >= 0x10 ? 4 : 0; shift >= 0; shift -= 4) *out++ = kDigits[group >> shift & 15];
  return out;
}

}  // namespace

// Own code, not inet_ntop: events render two addresses each.
std::size_t render_to(const Ip& ip, char* out) {
  char* at = out;
  if (ip.is_v4()) {
    for (std::size_t i = 12; i < 16; ++i) {
      if (i != 12) *at++ = '.';
      at = put_decimal(at, ip.bytes[i]);
    }
    return static_cast<std::size_t>(at - out);
  }
  unsigned groups[8];
  for (std::size_t i = 0; i < 8; ++i) groups[i] = load_be16(&ip.bytes[i * 2]);
  // RFC 5952, 4.2: "::" stands for the longest run of at least two zero groups, the first of equals.
  std::size_t run_first = 8, run_size = 1;
  for (std::size_t i = 0; i < 8;) {
    std::size_t end = i;
    while (end < 8 && groups[end] == 0) ++end;
    if (end - i > run_size) run_first = i, run_size = end - i;
    i = end + 1;
  }
  for (std::size_t i = 0; i < 8; ++i) {
    if (i == run_first) {
      *at++ = ':';
      *at++ = ':';
      i += run_size - 1;
      continue;
    }
    if (i != 0 && at[-1] != ':') *at++ = ':';
    at = put_hex(at, groups[i]);
  }
  return static_cast<std::size_t>(at - out);
}

std::string render(const Ip& ip) {
  char out[INET6_ADDRSTRLEN];
  return {out, render_to(ip, out)};
}

std::string render(const Prefix& prefix) { return render(prefix.network) + "/" + std::to_string(prefix.written_length()); }

std::string render(const Mac& mac) {
  char out[18];
  std::snprintf(out, sizeof out, "%02x:%02x:%02x:%02x:%02x:%02x", mac.bytes[0], mac.bytes[1], mac.bytes[2], mac.bytes[3],
                mac.bytes[4], mac.bytes[5]);
  return out;
}

}  // namespace weir
