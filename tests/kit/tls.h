// SPDX-License-Identifier: Apache-2.0
#pragma once

// Hellos, records and certificates for tests, written as one says them: ClientHelloText().sni("a.example").alpn({"h2"}).message().
// Everything is bytes in a std::string.

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace weir::kit {

inline std::string be(std::uint64_t value, int bytes) {
  std::string out;
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xff);
  return out;
}
/// A length of that many bytes, then the text.
inline std::string sized(std::string_view text, int length_bytes) { return be(text.size(), length_bytes) + std::string(text); }
inline std::string numbers(const std::vector<std::uint16_t>& list) {
  std::string out;
  for (std::uint16_t v : list) out += be(v, 2);
  return out;
}

namespace tls {

inline std::string record(std::uint8_t type, std::string_view body, std::uint16_t version = 0x0303) {
  return be(type, 1) + be(version, 2) + sized(body, 2);
}
inline std::string message(std::uint8_t type, std::string_view body) { return be(type, 1) + sized(body, 3); }
inline std::string handshake(std::uint8_t type, std::string_view body) { return record(22, message(type, body)); }
inline std::string change_cipher() { return record(20, "\x01"); }
inline std::string alert(bool fatal, std::uint8_t description) { return record(21, be(fatal ? 2 : 1, 1) + be(description, 1)); }

/// A client's hello; each call adds one thing, extensions in the order of the calls.
class ClientHelloText {
 public:
  std::uint16_t version = 0x0303;
  std::vector<std::uint16_t> ciphers = {0x1301, 0xc02f};
  std::string session, cookie;
  bool datagram = false;

  ClientHelloText& extension(std::uint16_t type, std::string_view body) {
    extensions_ += be(type, 2) + sized(body, 2);
    any_ = true;
    return *this;
  }
  ClientHelloText& sni(std::string_view name) { return extension(0, sized(be(0, 1) + sized(name, 2), 2)); }
  ClientHelloText& alpn(std::initializer_list<std::string_view> names) {
    std::string list;
    for (std::string_view name : names) list += sized(name, 1);
    return extension(16, sized(list, 2));
  }
  ClientHelloText& versions(const std::vector<std::uint16_t>& list) { return extension(43, sized(numbers(list), 1)); }
  ClientHelloText& groups(const std::vector<std::uint16_t>& list) { return extension(10, sized(numbers(list), 2)); }
  ClientHelloText& signatures(const std::vector<std::uint16_t>& list) { return extension(13, sized(numbers(list), 2)); }
  ClientHelloText& point_formats(std::string_view list) { return extension(11, sized(list, 1)); }

  std::string body() const {
    std::string out = be(version, 2) + std::string(32, 'r') + sized(session, 1);
    if (datagram) out += sized(cookie, 1);
    out += sized(numbers(ciphers), 2) + sized(std::string(1, '\0'), 1);
    if (any_) out += sized(extensions_, 2);
    return out;
  }
  std::string message() const { return tls::message(1, body()); }
  /// In one record.
  std::string text() const { return record(22, message(), 0x0301); }

 private:
  std::string extensions_;
  bool any_ = false;
};

/// A server's hello that chooses `version`, by the extension where that is 1.3.
inline std::string server_hello(std::uint16_t version, std::string_view alpn = {}) {
  std::string extensions;
  if (version == 0x0304) extensions += be(43, 2) + sized(be(version, 2), 2);
  if (!alpn.empty()) extensions += be(16, 2) + sized(sized(sized(alpn, 1), 2), 2);
  return be(version == 0x0304 ? 0x0303 : version, 2) + std::string(32, 's') + sized("", 1) + be(0xc02f, 2) + be(0, 1) + sized(extensions, 2);
}

/// DER.
inline std::string der(std::uint8_t tag, std::string_view contents) {
  std::string length = contents.size() < 0x80 ? be(contents.size(), 1) : contents.size() < 0x100 ? "\x81" + be(contents.size(), 1) : "\x82" + be(contents.size(), 2);
  return be(tag, 1) + length + std::string(contents);
}
/// One relative distinguished name: 2.5.4.`type` (3 CN, 6 C, 10 O, 11 OU) as a UTF8String.
inline std::string rdn(std::uint8_t type, std::string_view value) {
  return der(0x31, der(0x30, der(6, "\x55\x04" + be(type, 1)) + der(0x0c, value)));
}
/// A certificate with these names, and nothing sensible in its other parts. `names`: GeneralNames, elements of der(0x82 …).
inline std::string certificate(std::string_view subject, std::string_view issuer, std::string_view names = {}) {
  const std::string algorithm = der(0x30, der(6, "\x2a\x03"));
  std::string tbs = der(0xa0, der(2, "\x02")) + der(2, "\x05") + algorithm + der(0x30, issuer) + der(0x30, der(0x17, "260101000000Z")) +
                    der(0x30, subject) + der(0x30, algorithm + der(3, std::string_view("\0k", 2)));
  if (!names.empty()) tbs += der(0xa3, der(0x30, der(0x30, der(6, "\x55\x1d\x11") + der(4, der(0x30, names)))));
  return der(0x30, der(0x30, tbs) + algorithm + der(3, std::string_view("\0s", 2)));
}
inline std::string certificate_body(std::string_view leaf) { return sized(sized(leaf, 3), 3); }

}  // namespace tls
}  // namespace weir::kit
