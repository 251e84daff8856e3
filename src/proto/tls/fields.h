// SPDX-License-Identifier: Apache-2.0
#pragma once

// Facts of TLS, DTLS and QUIC. The three share one parser of hellos, so they share one table.

#include "facts/field_ids.h"

namespace weir::field {

enum : FieldId {
  kTlsSni = 220, kTlsVersion, kTlsVersionOffered, kTlsAlpn, kTlsJa3, kTlsJa4,
  kTlsCertSubject, kTlsCertIssuer, kTlsCertSan, kTlsEch, kTlsRecord, kQuicVersion,
};

/// Words of `tls.version`, in the order of age: a later one is newer. DTLS 1.0 counts as 1.1, of which it is the datagram form.
enum class TlsVersion : std::uint8_t { Ssl2, Ssl3, V10, V11, V12, V13 };
/// Words of `tls.record`: content types of RFC 8446 section 5.1 and RFC 6520.
enum class TlsRecord : std::uint8_t { ChangeCipher, Alert, Handshake, Application, Heartbeat };
/// Words of `quic.version`. Google's own versions are one word each generation of the handshake.
enum class QuicVersion : std::uint8_t { V1, V2, Draft, Google, Negotiation, Other };

}  // namespace weir::field

namespace weir::proto::tls {

namespace reached {
inline constexpr std::uint8_t kClientHello = milestone::kOwn;      ///< The client's hello is read, or will not come.
inline constexpr std::uint8_t kServerHello = milestone::kOwn + 1;  ///< The server has chosen, or will not.
inline constexpr std::uint8_t kCertificate = milestone::kOwn + 2;  ///< The server's certificate is read, or will not come.
}  // namespace reached

inline constexpr Word kVersionWords[] = {{"ssl2", 0}, {"ssl3", 1}, {"1.0", 2}, {"1.1", 3}, {"1.2", 4}, {"1.3", 5}};
inline constexpr Word kRecordWords[] = {{"change-cipher", 0}, {"alert", 1}, {"handshake", 2}, {"application", 3}, {"heartbeat", 4}};
inline constexpr Word kQuicVersionWords[] = {{"1", 0}, {"2", 1}, {"draft", 2}, {"google", 3}, {"negotiation", 4}, {"other", 5}};

inline constexpr FieldRow kFields[] = {
    {field::kTlsSni, "tls.sni", FieldType::Domain, Scope::Flow, reached::kClientHello, false, on::kAll, {},
     "Server name in the client's hello (RFC 6066), lower case, without a trailing dot; with ECH (tls.ech) the outer, public one."},
    {field::kTlsVersion, "tls.version", FieldType::Word, Scope::Flow, reached::kServerHello, false, on::kAll, kVersionWords,
     "Version that the server chose, else the highest that the client offered; known with the client's hello where it offers "
     "nothing above 1.1. DTLS 1.0 is 1.1."},
    {field::kTlsVersionOffered, "tls.version_offered", FieldType::Word, Scope::Flow, reached::kClientHello, false, on::kAll,
     kVersionWords, "Highest version in the client's hello."},
    {field::kTlsAlpn, "tls.alpn", FieldType::Text, Scope::Flow, reached::kClientHello, true, on::kAll, {},
     "Application protocols that the client offers (RFC 7301); the server's choice where the client's hello was not seen."},
    {field::kTlsJa3, "tls.ja3", FieldType::TextFold, Scope::Flow, reached::kClientHello, false, on::kAll, {},
     "JA3 fingerprint of the client's hello, 32 hex digits."},
    {field::kTlsJa4, "tls.ja4", FieldType::TextFold, Scope::Flow, reached::kClientHello, false, on::kAll, {},
     "JA4 fingerprint of the client's hello; it begins with t over TCP, q over QUIC, d over DTLS."},
    {field::kTlsCertSubject, "tls.cert.subject", FieldType::TextFold, Scope::Flow, reached::kCertificate, false, on::kAll, {},
     "Subject of the server's own certificate as RFC 4514 text (CN=…,O=…,C=…); hidden from TLS 1.3 on."},
    {field::kTlsCertIssuer, "tls.cert.issuer", FieldType::TextFold, Scope::Flow, reached::kCertificate, false, on::kAll, {},
     "Issuer of the server's own certificate as RFC 4514 text; hidden from TLS 1.3 on."},
    {field::kTlsCertSan, "tls.cert.san", FieldType::Domain, Scope::Flow, reached::kCertificate, true, on::kAll, {},
     "Alternative names of the server's own certificate: DNS names, and addresses as text; hidden from TLS 1.3 on."},
    {field::kTlsEch, "tls.ech", FieldType::Boolean, Scope::Flow, reached::kClientHello, false, on::kAll, {},
     "The client's hello has the encrypted_client_hello extension: tls.sni is then the outer name. Some clients send it as a decoy."},
    {field::kTlsRecord, "tls.record", FieldType::Word, Scope::Flow, milestone::kFlowEnd, true, on::kAll, kRecordWords,
     "Content types of the records seen. A rule on it keeps the flow from settling."},
    {field::kQuicVersion, "quic.version", FieldType::Word, Scope::Flow, reached::kClientHello, false, on::kAll, kQuicVersionWords,
     "Version in the first long header: 1 (RFC 9000), 2 (RFC 9369), draft, google (Q043 to Q050 and its like), negotiation, other."},
};

/// Facts of the core that a hello writes.
inline constexpr FieldId kShared[] = {field::kServerName};

}  // namespace weir::proto::tls
