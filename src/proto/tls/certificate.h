// SPDX-License-Identifier: Apache-2.0
#pragma once

// The few parts of an X.509 certificate (RFC 5280) that policy asks for: both names as RFC 4514 text, and the alternative names.
// A bounded reader of DER; it checks no signature, no date and no chain.

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/bytes.h"

namespace weir::proto::tls {

struct Certificate {
  Bytes issuer, subject;     ///< Contents of the Name: a sequence of RDNs.
  Bytes alternative_names;   ///< Contents of GeneralNames, empty if there is none.
};

/// False where the DER is broken before the end of the subject.
bool parse_certificate(Bytes der, Certificate& certificate);
/// RFC 4514: the last RDN first, `CN=…,O=…`. An empty view with data() == nullptr if it is broken or does not fit.
std::string_view render_name(Bytes name, std::span<char> out);

/// Calls with each DNS name as text (and is_ip false), each address as its bytes (and is_ip true).
template <typename F>
void for_each_alternative_name(Bytes names, F&& call);

/// One element of DER: tag and contents. Tags of more than one byte and lengths of more than four are refused.
struct DerElement {
  std::uint8_t tag = 0;
  Bytes contents;
};
bool next_der(Reader& reader, DerElement& element);

template <typename F>
void for_each_alternative_name(Bytes names, F&& call) {
  Reader reader(names);
  DerElement name;
  while (!reader.at_end() && next_der(reader, name)) {
    if (name.tag == 0x82) call(name.contents, false);                                                           // dNSName
    if (name.tag == 0x87 && (name.contents.size() == 4 || name.contents.size() == 16)) call(name.contents, true);  // iPAddress
  }
}

}  // namespace weir::proto::tls
