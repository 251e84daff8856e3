// SPDX-License-Identifier: Apache-2.0
#pragma once

// The hello of Google's QUIC crypto (versions Q0xx): CHLO, a table of tags with the offsets where their values end. Only the server's
// name is read. Google published the form as "QUIC Crypto"; it never had an RFC.

#include <optional>
#include <string_view>

#include "base/bytes.h"

namespace weir::proto::quic {

/// Finds a CHLO in a packet's payload and gives its server name; an empty name if the hello has none, no value if there is no hello.
std::optional<std::string_view> find_google_server_name(Bytes payload);

}  // namespace weir::proto::quic
