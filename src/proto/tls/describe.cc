// SPDX-License-Identifier: Apache-2.0
#include "proto/tls/describe.h"

#include <algorithm>

#include "base/text.h"
#include "proto/tls/fingerprint.h"

namespace weir::proto::tls {
namespace {

constexpr std::size_t kNameBytesMax = 255;         // RFC 1035 section 2.3.4
constexpr std::size_t kAlternativeNamesMax = 128;  // names beyond these make the list hidden
constexpr std::size_t kAddressesMax = 32;
constexpr std::size_t kAlpnMax = 32;
constexpr std::uint16_t kDotPort = 853, kDoqDraftPort = 784;

struct Scratch {
  std::array<char, kNameBytesMax> sni;
  std::array<char, kJa3Bytes> ja3;
  std::array<char, kJa4Bytes> ja4;
  std::array<char, 2048> subject, issuer;
  std::array<std::array<char, 48>, kAddressesMax> addresses;
};
Scratch& scratch() {
  thread_local Scratch own;
  return own;
}

constexpr FieldId kClientFields[] = {field::kTlsSni, field::kTlsVersionOffered, field::kTlsAlpn, field::kTlsJa3, field::kTlsJa4, field::kTlsEch};
constexpr FieldId kCertificateFields[] = {field::kTlsCertSubject, field::kTlsCertIssuer, field::kTlsCertSan};

// DNS inside, told by ALPN (RFC 7858 "dot", RFC 9250 "doq" and its drafts) or by the port registered for it.
void refine(const ClientHello& hello, Carrier carrier, Describer& out) {
  const std::uint16_t port = out.ends().server_port;
  const std::string_view inner = carrier == Carrier::Quic ? "doq" : "dot";
  bool named = port == kDotPort || (carrier == Carrier::Quic && port == kDoqDraftPort);
  Reader list(hello.alpn);
  while (!list.at_end()) {
    const std::string_view name = list.text(list.u8());
    named |= name == inner || (carrier == Carrier::Quic && name.starts_with("doq-"));
  }
  if (named && carrier != Carrier::Datagram) out.refine(inner);
  out.may_extend(false);
}

}  // namespace

void describe_sni(std::string_view name, Describer& out) {
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.empty() || name.size() > kNameBytesMax) {
    out.flaw(Flaw::BadName);
    if (!name.empty()) out.hide(field::kTlsSni);
    return;
  }
  if (name.find('\0') != std::string_view::npos) out.flaw(Flaw::BadName);
  char* folded = scratch().sni.data();
  std::transform(name.begin(), name.end(), folded, to_lower);
  out.text(field::kTlsSni, {folded, name.size()});
  out.add_text(field::kServerName, {folded, name.size()});
}

void hide_client_hello(Describer& out) {
  for (const FieldId field : kClientFields)
    if (out.state(field) == FactState::NotYet) out.hide(field);
  out.reach(reached::kClientHello);
  out.close(field::kServerName);
  out.may_extend(false);
}

void describe_client_hello(const ClientHello& hello, Carrier carrier, Describer& out) {
  if (!hello.complete) {
    hide_client_hello(out);
    out.described();
    return;
  }
  if (hello.sni.data() != nullptr) describe_sni(hello.sni, out);
  if (const auto offered = hello.offered()) {
    out.word(field::kTlsVersionOffered, *offered);
    if (*offered <= field::TlsVersion::V11) out.word(field::kTlsVersion, *offered);  // nothing newer can be chosen
  }
  Reader list(hello.alpn);
  for (std::size_t i = 0; i < kAlpnMax && !list.at_end(); ++i) out.add_text(field::kTlsAlpn, list.text(list.u8()));
  if (!list.at_end()) out.hide(field::kTlsAlpn);
  Scratch& made = scratch();
  if (out.wanted(field::kTlsJa3)) out.text(field::kTlsJa3, ja3(hello, made.ja3));
  if (out.wanted(field::kTlsJa4)) {
    const std::string_view text = ja4(hello, carrier, made.ja4);
    if (text.empty()) out.hide(field::kTlsJa4);
    else out.text(field::kTlsJa4, text);
  }
  out.flag(field::kTlsEch, hello.ech);
  out.reach(reached::kClientHello);
  out.close(field::kServerName);
  refine(hello, carrier, out);
  out.described();
}

void describe_server_hello(const ServerHello& hello, bool offered_seen, Describer& out) {
  const auto version = version_of(hello.version);
  if (!hello.complete || !version) {
    out.hide(field::kTlsVersion);
  } else {
    out.word(field::kTlsVersion, *version);
    if (*version == field::TlsVersion::V13) hide_certificate(out);
  }
  if (!offered_seen && !hello.alpn.empty()) out.add_text(field::kTlsAlpn, hello.alpn);
  out.reach(reached::kServerHello);
  out.described();
}

void close_version(std::optional<field::TlsVersion> offered, Describer& out) {
  if (out.state(field::kTlsVersion) == FactState::NotYet) {
    if (offered) out.word(field::kTlsVersion, *offered);
    else out.hide(field::kTlsVersion);
  }
  out.reach(reached::kServerHello);
}

void hide_certificate(Describer& out) {
  for (const FieldId field : kCertificateFields)
    if (out.state(field) == FactState::NotYet) out.hide(field);
  out.reach(reached::kCertificate);
}

void describe_certificate(Bytes der, Describer& out) {
  Certificate certificate;
  if (!parse_certificate(der, certificate)) {
    out.flaw(Flaw::BadEncoding);
    hide_certificate(out);
    out.described();
    return;
  }
  Scratch& made = scratch();
  const auto name = [&](FieldId field, Bytes rdns, std::span<char> memory) {
    const std::string_view text = render_name(rdns, memory);
    if (text.data() == nullptr) out.hide(field);
    else out.text(field, text);
  };
  name(field::kTlsCertSubject, certificate.subject, made.subject);
  name(field::kTlsCertIssuer, certificate.issuer, made.issuer);
  std::size_t names = 0, addresses = 0;
  bool over = false;
  for_each_alternative_name(certificate.alternative_names, [&](Bytes value, bool is_ip) {
    if (++names > kAlternativeNamesMax || (is_ip && addresses == kAddressesMax)) {
      over = true;
    } else if (is_ip) {
      char* text = made.addresses[addresses++].data();
      const Ip ip = value.size() == 4 ? Ip::v4_bytes(value.data()) : Ip::v6_bytes(value.data());
      out.add_text(field::kTlsCertSan, {text, render_to(ip, text)});
    } else {
      out.add_text(field::kTlsCertSan, as_text(value));
    }
  });
  if (over) out.hide(field::kTlsCertSan);
  out.reach(reached::kCertificate);
  out.described();
}

}  // namespace weir::proto::tls
