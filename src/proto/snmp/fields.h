// SPDX-License-Identifier: Apache-2.0
#pragma once

// The facts of SNMP. One message is one transaction.

#include "facts/field_ids.h"

namespace weir::proto::snmp {

namespace field {
enum : FieldId { kVersion = 280, kPdu, kCommunity, kUser, kOid };
}  // namespace field

inline constexpr Word kVersions[] = {{"1", 0}, {"2c", 1}, {"3", 3}};
// The tags of RFC 3416 3; version 1's trap (4) is told as 7.
inline constexpr Word kPdus[] = {{"get", 0}, {"getnext", 1}, {"response", 2}, {"set", 3}, {"getbulk", 5}, {"inform", 6}, {"trap", 7}, {"report", 8}};

// clang-format off
inline constexpr FieldRow kFields[] = {
    {field::kVersion, "snmp.version", FieldType::Word, Scope::Transaction, milestone::kTransaction, false, on::kAll, kVersions, "1, 2c or 3."},
    {field::kPdu, "snmp.pdu", FieldType::Word, Scope::Transaction, milestone::kTransaction, false, on::kAll, kPdus, "What is asked or told (RFC 3416); hidden where version 3 encrypts."},
    {field::kCommunity, "snmp.community", FieldType::Text, Scope::Transaction, milestone::kTransaction, false, on::kAll, {}, "Community of versions 1 and 2c."},
    {field::kUser, "snmp.user", FieldType::Text, Scope::Transaction, milestone::kTransaction, false, on::kAll, {}, "User of version 3 (RFC 3414 2.4); empty while engines are discovered."},
    {field::kOid, "snmp.oid", FieldType::Text, Scope::Transaction, milestone::kTransaction, true, on::kAll, {}, "Objects that are named, dotted; hidden where version 3 encrypts."},
};
inline constexpr FieldId kShared[] = {weir::field::kAuthUser, weir::field::kAuthScheme};
// clang-format on

}  // namespace weir::proto::snmp
