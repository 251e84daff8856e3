// SPDX-License-Identifier: Apache-2.0
// Tokens as they are: names must lie inside of them, and their text inside of the room given.

#include <cstdlib>

#include "proto/ntlmssp.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  const Bytes token(data, size);
  const proto::SecurityToken found = proto::find_security_token(token);
  proto::NtlmMessage message;
  if (found.kind != proto::TokenKind::Ntlm || !proto::parse_ntlm(found.ntlm, message)) return 0;
  for (const Bytes name : {message.user, message.domain, message.workstation}) {
    char text[64];
    const auto converted = proto::ntlm_text(message, name, text);
    if (converted && converted->size() > sizeof text) std::abort();
  }
  return 0;
}
