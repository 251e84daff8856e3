// SPDX-License-Identifier: Apache-2.0
#include "proto/registry.h"

#include "proto/quic/quic.h"
#include "proto/tls/dtls.h"
#include "proto/tls/tls.h"

namespace weir::proto {
namespace {

constexpr Protocol kUnknown = {.name = "unknown"};

constexpr const Protocol* kProtocols[] = {
    &kUnknown,
    &quic::kDoq,
    &tls::kDot,
    &tls::dtls::kDtls,
    &quic::kQuic,
    &tls::kTls,
};

// Ranges of field numbers must not meet (field_ids.h shares them out). Protocols that share a parser share the same rows.
constexpr bool ranges_meet() {
  for (const Protocol* a : kProtocols)
    for (const Protocol* b : kProtocols) {
      if (a->fields.data() == b->fields.data()) continue;
      for (const FieldRow& x : a->fields)
        for (const FieldRow& y : b->fields)
          if (x.id == y.id) return true;
    }
  return false;
}
static_assert(!ranges_meet());

}  // namespace

std::span<const Protocol* const> protocols() { return kProtocols; }

}  // namespace weir::proto
