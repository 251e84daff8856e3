// SPDX-License-Identifier: Apache-2.0
#include "proto/tls/hello.h"

namespace weir::proto::tls {
namespace {

// A vector whose length stands before it and must fill the whole extension.
Bytes whole_list(Bytes body, int length_bytes, std::optional<Flaw>& flaw) {
  Reader reader(body);
  const std::size_t size = length_bytes == 1 ? reader.u8() : reader.be16();
  const Bytes list = reader.bytes(size);
  if (!reader.ok() || !reader.at_end()) flaw = Flaw::BadLength;
  return list;
}

// RFC 6066 section 3: a list of names, of which only host_name (0) was ever defined, once.
void parse_server_name(Bytes body, ClientHello& hello, std::optional<Flaw>& flaw) {
  Reader list(whole_list(body, 2, flaw));
  while (!list.at_end()) {
    const std::uint8_t type = list.u8();
    const std::string_view name = list.text(list.be16());
    if (!list.ok()) {
      flaw = Flaw::BadLength;
      return;
    }
    if (type != 0) continue;
    if (hello.sni.data() != nullptr) {
      flaw = Flaw::BadMessage;
      return;
    }
    hello.sni = name;
  }
}

Bytes checked_alpn(Bytes body, std::optional<Flaw>& flaw) {
  const Bytes list = whole_list(body, 2, flaw);
  Reader reader(list);
  while (!reader.at_end()) {
    const std::size_t whole = reader.offset();
    reader.skip(reader.u8());
    if (!reader.ok()) {
      flaw = Flaw::BadLength;
      return list.first(whole);
    }
  }
  return list;
}

void parse_client_extensions(Bytes block, ClientHello& hello, std::optional<Flaw>& flaw) {
  bool alpn = false;
  Reader reader(block);
  std::size_t whole = 0;
  while (!reader.at_end()) {
    const std::uint16_t type = reader.be16();
    const Bytes body = reader.bytes(reader.be16());
    if (!reader.ok()) {
      flaw = Flaw::BadLength;
      break;
    }
    whole = reader.offset();
    bool again = false;  // RFC 8446 section 4.2: not more than one of a type. The first counts here.
    switch (type) {
      case extension::kServerName:
        again = hello.has_sni;
        if (!again) parse_server_name(body, hello, flaw);
        hello.has_sni = true;
        break;
      case extension::kAlpn:
        again = alpn;
        if (!again) hello.alpn = checked_alpn(body, flaw);
        alpn = true;
        break;
      case extension::kSupportedVersions:
        again = hello.has_versions;
        if (!again) hello.versions = whole_list(body, 1, flaw);
        hello.has_versions = true;
        break;
      case extension::kGroups: hello.groups = whole_list(body, 2, flaw); break;
      case extension::kPointFormats: hello.point_formats = whole_list(body, 1, flaw); break;
      case extension::kSignatureAlgorithms: hello.signature_algorithms = whole_list(body, 2, flaw); break;
      case extension::kEncryptedClientHello: hello.ech = true; break;
      default: break;
    }
    if (again) flaw = Flaw::BadMessage;
  }
  hello.extensions = block.first(whole);
}

}  // namespace

std::optional<field::TlsVersion> version_of(std::uint16_t wire) {
  using enum field::TlsVersion;
  switch (wire) {
    case 0x0002: return Ssl2;
    case 0x0300: return Ssl3;
    case 0x0301: return V10;
    case 0x0302: return V11;
    case 0x0303: return V12;
    case 0x0304: return V13;
    case 0xfeff:
    case 0x0100: return V11;  // DTLS 1.0, and OpenSSL's number before it had one
    case 0xfefd: return V12;
    case 0xfefc: return V13;
    default: break;
  }
  if (wire >> 8 == 0x7f || wire >> 8 == 0xfb) return V13;  // drafts of 1.3, the IETF's and Facebook's
  return std::nullopt;
}

std::optional<field::TlsVersion> ClientHello::offered() const {
  // Without supported_versions, or with one that names nothing known, the field of RFC 5246 holds; above 1.2 it means 1.2
  // there (RFC 8446 section 4.2.1).
  std::optional<field::TlsVersion> highest;
  for_each_number(versions, [&](std::uint16_t wire) {
    const auto version = version_of(wire);
    if (version && (!highest || *version > *highest)) highest = version;
  });
  if (highest) return highest;
  const auto legacy = version_of(legacy_version);
  if (legacy == field::TlsVersion::V13) return field::TlsVersion::V12;
  if (!legacy && legacy_version >> 8 == 3) return field::TlsVersion::V12;
  return legacy;
}

std::optional<Flaw> parse_client_hello(Bytes body, Carrier carrier, ClientHello& hello) {
  Reader reader(body);
  hello.legacy_version = reader.be16();
  reader.skip(32);           // random
  reader.skip(reader.u8());  // session id
  if (carrier == Carrier::Datagram) reader.skip(reader.u8());  // cookie
  hello.ciphers = reader.bytes(reader.be16());
  reader.skip(reader.u8());  // compression methods
  if (!reader.ok()) return Flaw::BadLength;
  hello.complete = true;
  std::optional<Flaw> flaw;
  if (hello.ciphers.size() % 2 != 0) flaw = Flaw::BadLength;
  if (reader.at_end()) return flaw;  // RFC 5246 section 7.4.1.2: no extensions at all
  const std::size_t size = reader.be16();
  if (!reader.ok() || size != reader.left()) flaw = Flaw::BadLength;
  parse_client_extensions(reader.rest().first(std::min(size, reader.left())), hello, flaw);
  return flaw;
}

std::optional<Flaw> parse_server_hello(Bytes body, ServerHello& hello) {
  Reader reader(body);
  hello.version = reader.be16();
  reader.skip(32);
  reader.skip(hello.version >> 8 == 0x7f && hello.version < 0x7f16 ? 0 : reader.u8());  // drafts of 1.3 before 22 had no session id
  reader.skip(2);                                                                       // cipher suite
  if (!(hello.version >> 8 == 0x7f && hello.version < 0x7f16)) reader.skip(1);          // compression
  if (!reader.ok()) return Flaw::BadLength;
  hello.complete = true;
  if (reader.at_end()) return std::nullopt;
  std::optional<Flaw> flaw;
  const std::size_t size = reader.be16();
  if (!reader.ok() || size != reader.left()) flaw = Flaw::BadLength;
  for_each_extension(reader.rest().first(std::min(size, reader.left())), [&](std::uint16_t type, Bytes value) {
    if (type == extension::kSupportedVersions && value.size() == 2) hello.version = load_be16(value.data());
    if (type == extension::kAlpn) {
      Reader list(checked_alpn(value, flaw));
      if (!list.at_end()) hello.alpn = list.text(list.u8());
    }
  });
  return flaw;
}

}  // namespace weir::proto::tls
