// SPDX-License-Identifier: Apache-2.0
#pragma once

// Facts of DCE/RPC. All are of transaction scope, so that SMB, whose pipes carry the same messages, writes them as shared facts.

#include "facts/field.h"

namespace weir::proto::dcerpc {

enum : FieldId { kInterface = 256, kOpnum = 257 };

inline constexpr FieldRow kFields[] = {
    {.id = kInterface, .name = "dcerpc.interface", .type = FieldType::TextFold, .scope = Scope::Transaction, .closes = milestone::kTransaction,
     .list = true, .help = "Interfaces that a bind names, or the one that a request calls: a known name (svcctl, samr …) or the UUID."},
    {.id = kOpnum, .name = "dcerpc.opnum", .type = FieldType::Number, .scope = Scope::Transaction, .closes = milestone::kTransaction,
     .help = "Number of the operation that a request calls, 0 to 65535 (C706, 12.6.4.9)."},
};

}  // namespace weir::proto::dcerpc
