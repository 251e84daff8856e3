// SPDX-License-Identifier: Apache-2.0
#include "proto/tls/fingerprint.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/check.h"
#include "base/text.h"

namespace weir::proto::tls {
namespace {

constexpr std::size_t kSortedMax = 512;
constexpr char kHexDigits[] = "0123456789abcdef";

// libcrypto's digests, looked up once a thread.
struct Digests {
  EVP_MD* md5 = EVP_MD_fetch(nullptr, "MD5", nullptr);
  EVP_MD* sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  Digests() = default;
  Digests(const Digests&) = delete;
  Digests& operator=(const Digests&) = delete;
  ~Digests() {
    EVP_MD_CTX_free(context);
    EVP_MD_free(sha256);
    EVP_MD_free(md5);
  }
};
Digests& digests() {
  thread_local Digests own;
  return own;
}

// Text that goes into a digest as it is made; only a small piece of it is ever there.
class DigestText {
 public:
  explicit DigestText(const EVP_MD* kind) : context_(digests().context) { CHECK(EVP_DigestInit_ex(context_, kind, nullptr) == 1); }

  void add(char c) {
    if (size_ == piece_.size()) flush();
    piece_[size_++] = c;
  }
  void add_decimal(std::uint16_t v) {
    char digits[5];
    const auto end = std::to_chars(digits, digits + sizeof digits, v).ptr;
    for (const char* p = digits; p != end; ++p) add(*p);
  }
  void add_hex(std::uint16_t v) {
    for (int shift = 12; shift >= 0; shift -= 4) add(kHexDigits[v >> shift & 15]);
  }

  /// The first digits of the digest.
  void finish(std::span<char> out) {
    flush();
    std::array<std::uint8_t, EVP_MAX_MD_SIZE> digest;
    CHECK(EVP_DigestFinal_ex(context_, digest.data(), nullptr) == 1);
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = kHexDigits[digest[i / 2] >> (i % 2 == 0 ? 4 : 0) & 15];
  }

 private:
  void flush() {
    CHECK(EVP_DigestUpdate(context_, piece_.data(), size_) == 1);
    size_ = 0;
  }

  EVP_MD_CTX* context_;
  std::array<char, 256> piece_;
  std::size_t size_ = 0;
};

struct Sorted {
  std::array<std::uint16_t, kSortedMax> values;
  std::size_t count = 0;
  bool overflow = false;

  void add(std::uint16_t v) {
    if (count == kSortedMax) overflow = true;
    else values[count++] = v;
  }
  void sort() { std::sort(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(count)); }
};

void two_digits(std::size_t n, char* out) {
  n = std::min<std::size_t>(n, 99);
  out[0] = static_cast<char>('0' + n / 10);
  out[1] = static_cast<char>('0' + n % 10);
}

// The highest value of supported_versions as a number, else the hello's own.
std::string_view ja4_version(const ClientHello& hello) {
  std::uint16_t version = hello.legacy_version;
  if (hello.has_versions) {
    version = 0;
    for_each_number(hello.versions, [&](std::uint16_t v) { version = std::max(version, v); });
  }
  switch (version) {
    case 0x0304: return "13";
    case 0x0303: return "12";
    case 0x0302: return "11";
    case 0x0301: return "10";
    case 0x0300: return "s3";
    case 0x0002: return "s2";
    case 0xfeff: return "d1";
    case 0xfefd: return "d2";
    case 0xfefc: return "d3";
    default: return "00";
  }
}

// First and last character of the first name, of its hex form where either is not alphanumeric.
void ja4_alpn(const ClientHello& hello, char* out) {
  out[0] = out[1] = '0';
  Reader list(hello.alpn);
  const std::string_view name = list.text(list.u8());
  if (!list.ok() || name.empty()) return;
  const auto plain = [](char c) { return is_digit(c) || is_alpha(c); };
  out[0] = name.front();
  out[1] = name.back();
  if (plain(name.front()) && plain(name.back())) return;
  out[0] = kHexDigits[static_cast<std::uint8_t>(name.front()) >> 4];
  out[1] = kHexDigits[static_cast<std::uint8_t>(name.back()) & 15];
}

// Twelve digits over a sorted list, and over a second list in its own order behind an underscore.
void ja4_hash(Sorted& sorted, Bytes unsorted, char* out) {
  std::fill_n(out, 12, '0');
  if (sorted.count == 0) return;
  sorted.sort();
  DigestText text(digests().sha256);
  for (std::size_t i = 0; i < sorted.count; ++i) {
    if (i != 0) text.add(',');
    text.add_hex(sorted.values[i]);
  }
  char before = '_';
  for_each_number(unsorted, [&](std::uint16_t v) {
    text.add(before);
    text.add_hex(v);
    before = ',';
  });
  text.finish({out, 12});
}

}  // namespace

std::string_view ja3(const ClientHello& hello, std::span<char, kJa3Bytes> out) {
  DigestText text(digests().md5);
  bool first = true;
  const auto add = [&](std::uint16_t v) {
    if (!first) text.add('-');
    first = false;
    text.add_decimal(v);
  };
  const auto next = [&] {
    text.add(',');
    first = true;
  };
  text.add_decimal(hello.legacy_version);
  next();
  for_each_number(hello.ciphers, add);
  next();
  for_each_extension(hello.extensions, [&](std::uint16_t type, Bytes) {
    if (!is_grease(type)) add(type);
  });
  next();
  for_each_number(hello.groups, add);
  next();
  for (std::uint8_t format : hello.point_formats) add(format);
  text.finish(out);
  return {out.data(), out.size()};
}

std::string_view ja4(const ClientHello& hello, Carrier carrier, std::span<char, kJa4Bytes> out) {
  Sorted ciphers, extensions;
  std::size_t extensions_count = 0;
  for_each_number(hello.ciphers, [&](std::uint16_t v) { ciphers.add(v); });
  for_each_extension(hello.extensions, [&](std::uint16_t type, Bytes) {
    if (is_grease(type)) return;
    ++extensions_count;
    if (type != extension::kServerName && type != extension::kAlpn) extensions.add(type);
  });
  if (ciphers.overflow || extensions.overflow) return {};
  const std::string_view version = ja4_version(hello);
  out[0] = carrier == Carrier::Stream ? 't' : carrier == Carrier::Quic ? 'q' : 'd';
  out[1] = version[0];
  out[2] = version[1];
  out[3] = hello.has_sni ? 'd' : 'i';
  two_digits(ciphers.count, &out[4]);
  two_digits(extensions_count, &out[6]);
  ja4_alpn(hello, &out[8]);
  out[10] = '_';
  ja4_hash(ciphers, {}, &out[11]);
  out[23] = '_';
  ja4_hash(extensions, hello.signature_algorithms, &out[24]);
  return {out.data(), out.size()};
}

}  // namespace weir::proto::tls
