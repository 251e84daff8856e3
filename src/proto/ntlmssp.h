// SPDX-License-Identifier: Apache-2.0
#pragma once

// Who logs on, as the tokens of GSS-API tell it: NTLMSSP messages (MS-NLMP 2.2.1) in the open or inside SPNEGO (RFC 4178),
// and that it is Kerberos (RFC 4121), whose user no one on the path can read. Shared by SMB, DCE/RPC and what else carries
// these tokens. The SPNEGO wrapping is not walked: its mechanism tokens are found by their signatures, which no length can mislead.

#include <span>

#include "base/bytes.h"
#include "facts/describer.h"

namespace weir::proto {

/// One NTLMSSP message. Views point into the token; empty where the message does not carry the name.
struct NtlmMessage {
  std::uint32_t type = 0;  ///< 1 negotiate, 2 challenge, 3 authenticate.
  bool unicode = false;    ///< The names are UTF-16LE, else in the client's code page.
  bool cut = false;        ///< A name lies outside of the bytes at hand.
  Bytes user, domain, workstation;
};

/// What a security token is.
enum class TokenKind : std::uint8_t { Unknown, Ntlm, Kerberos };

struct SecurityToken {
  TokenKind kind = TokenKind::Unknown;
  Bytes ntlm;  ///< From the NTLMSSP signature on; only for Ntlm.
};

/// Looks for the signatures; the token may be cut at its end.
SecurityToken find_security_token(Bytes token);
/// False if the bytes are no NTLMSSP message of type 1, 2 or 3.
bool parse_ntlm(Bytes bytes, NtlmMessage& out);
/// A name of an NTLMSSP message as UTF-8 in `out`; nothing if it does not fit. OEM bytes are taken as they are.
std::optional<std::string_view> ntlm_text(const NtlmMessage& message, Bytes name, std::span<char> out);

/// Writes auth.scheme, auth.user and auth.realm of a token that a client sent. `text` must outlive the call of the parser (it lies in
/// its state). True if the token says who logs on.
bool describe_security_token(Bytes token, std::span<char> text, Describer& describer);

}  // namespace weir::proto
