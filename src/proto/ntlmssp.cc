// SPDX-License-Identifier: Apache-2.0
#include "proto/ntlmssp.h"

#include <algorithm>

#include "facts/field_ids.h"
#include "proto/utf16.h"

namespace weir::proto {
namespace {

constexpr std::string_view kSignature{"NTLMSSP\0", 8};
// Object identifiers in DER: 1.2.840.113554.1.2.2 (RFC 4121) and Microsoft's 1.2.840.48018.1.2.2.
constexpr std::string_view kKerberosOid = "\x2a\x86\x48\x86\xf7\x12\x01\x02\x02";
constexpr std::string_view kMsKerberosOid = "\x2a\x86\x48\x82\xf7\x12\x01\x02\x02";
constexpr std::uint32_t kNegotiateUnicode = 1;
constexpr std::size_t kFlagsAt = 60;  // MS-NLMP 2.2.1.3; early clients put payload there.

/// Length, its maximum, offset from the signature: MS-NLMP 2.2.1.1 calls these "fields".
Bytes named(Bytes message, std::size_t at, NtlmMessage& out, std::size_t& lowest) {
  Reader reader(message);
  reader.seek(at);
  const std::size_t size = reader.le16();
  reader.skip(2);
  const std::size_t offset = reader.le32();
  if (!reader.ok() || size == 0) return {};
  lowest = std::min(lowest, offset);
  if (offset > message.size() || size > message.size() - offset) {
    out.cut = true;
    return {};
  }
  return message.subspan(offset, size);
}

}  // namespace

SecurityToken find_security_token(Bytes token) {
  const std::string_view text = as_text(token);
  if (const std::size_t at = text.find(kSignature); at != std::string_view::npos) return {TokenKind::Ntlm, token.subspan(at)};
  if (text.find(kKerberosOid) != std::string_view::npos || text.find(kMsKerberosOid) != std::string_view::npos)
    return {TokenKind::Kerberos, {}};
  return {};
}

bool parse_ntlm(Bytes bytes, NtlmMessage& out) {
  out = {};
  Reader reader(bytes);
  if (reader.text(kSignature.size()) != kSignature) return false;
  out.type = reader.le32();
  if (!reader.ok() || out.type < 1 || out.type > 3) return false;
  std::size_t lowest = bytes.size();
  if (out.type == 1) {
    out.domain = named(bytes, 16, out, lowest);  // 2.2.1.1: always in the code page.
    out.workstation = named(bytes, 24, out, lowest);
    return true;
  }
  if (out.type == 2) return true;
  std::size_t others = bytes.size();
  NtlmMessage unread;
  named(bytes, 12, unread, others);
  named(bytes, 20, unread, others);
  out.domain = named(bytes, 28, out, lowest);
  out.user = named(bytes, 36, out, lowest);
  out.workstation = named(bytes, 44, out, lowest);
  lowest = std::min(lowest, others);
  reader.seek(kFlagsAt);
  const std::uint32_t flags = reader.le32();
  out.unicode = !reader.ok() || lowest < kFlagsAt + 4 || (flags & kNegotiateUnicode) != 0;
  return true;
}

std::optional<std::string_view> ntlm_text(const NtlmMessage& message, Bytes name, std::span<char> out) {
  if (message.unicode) return utf8_of_utf16le(name, out);
  if (name.size() > out.size()) return std::nullopt;
  std::copy(name.begin(), name.end(), out.begin());
  return std::string_view(out.data(), name.size());
}

bool describe_security_token(Bytes token, std::span<char> text, Describer& describer) {
  using namespace field;
  const SecurityToken found = find_security_token(token);
  if (found.kind == TokenKind::Unknown) return false;
  if (found.kind == TokenKind::Kerberos) {
    describer.word(kAuthScheme, AuthScheme::Kerberos);
    describer.hide(kAuthUser);  // Inside the ticket, encrypted to the service.
    return true;
  }
  describer.word(kAuthScheme, AuthScheme::Ntlm);
  NtlmMessage message;
  if (!parse_ntlm(found.ntlm, message)) {
    describer.flaw(Flaw::BadMessage);
    return false;
  }
  if (message.type != 3) return false;
  if (message.cut) describer.flaw(Flaw::BadLength);
  const auto write = [&](FieldId id, Bytes name) {
    if (name.empty()) {
      if (message.cut) describer.hide(id);
      return;
    }
    const auto converted = ntlm_text(message, name, text);
    if (!converted) return describer.hide(id);
    text = text.subspan(converted->size());
    describer.text(id, *converted);
  };
  write(kAuthUser, message.user);
  write(kAuthRealm, message.domain);
  return true;
}

}  // namespace weir::proto
