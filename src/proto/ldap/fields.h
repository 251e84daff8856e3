// SPDX-License-Identifier: Apache-2.0
#pragma once

// The facts of LDAP (RFC 4511). One message is one transaction.

#include "facts/field_ids.h"

namespace weir::proto::ldap {

enum : FieldId { kOp = 306 };

namespace op {
inline constexpr std::uint8_t kBind = 0, kBindResponse = 1, kExtended = 23, kExtendedResponse = 24;
}

inline constexpr Word kOps[] = {{"bind", op::kBind}, {"bind-response", op::kBindResponse}, {"unbind", 2}, {"search", 3}, {"search-entry", 4},
                                {"search-done", 5}, {"modify", 6}, {"modify-response", 7}, {"add", 8}, {"add-response", 9}, {"delete", 10},
                                {"delete-response", 11}, {"modify-dn", 12}, {"modify-dn-response", 13}, {"compare", 14}, {"compare-response", 15},
                                {"abandon", 16}, {"search-reference", 19}, {"extended", op::kExtended}, {"extended-response", op::kExtendedResponse},
                                {"intermediate", 25}};

inline constexpr FieldRow kFields[] = {{.id = kOp, .name = "ldap.op", .type = FieldType::Word, .scope = Scope::Transaction,
                                        .closes = milestone::kTransaction, .words = kOps, .help = "Operation of an LDAP message (RFC 4511, 4.1.1)."}};
inline constexpr FieldId kShared[] = {field::kAuthUser, field::kAuthRealm, field::kAuthScheme, field::kAuthResult};

}  // namespace weir::proto::ldap
