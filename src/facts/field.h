// SPDX-License-Identifier: Apache-2.0
#pragma once

// One row a fact: its name in the policy, in events and in `explain`, its type, when it can be known, which datapaths
// have it, and what it means. The core rows are in fields.cc; each protocol declares its own beside its parser
// (proto/NAME/fields.h); vocabulary.h joins them. Everything that lists facts is generated from these rows.

#include <cstdint>
#include <span>
#include <string_view>

namespace weir {

/// Identity of a fact in compiled rules. Ranges of numbers are shared out in field_ids.h.
using FieldId = std::uint16_t;
inline constexpr FieldId kNoField = 0xffff;
inline constexpr std::size_t kFieldsMax = 512;

enum class FieldType : std::uint8_t {
  Number,
  Boolean,
  Word,     ///< One of `words`; a number on the inside.
  Text,     ///< Bytes compared as they are.
  TextFold, ///< Compared without case (ASCII).
  Domain,   ///< A DNS name, compared without case, a rule value `.example.org` is it and all below.
  Address,  ///< IPv4 or IPv6; rule values are prefixes, zones, sets.
  Mac,
  Flags,    ///< TCP flags as a set of letters.
  App,      ///< Application protocols: the candidate set and its chain.
  Zone,     ///< Name of a zone.
  Port,     ///< Name of a port of the datapath (in.port).
};

enum class Scope : std::uint8_t { Packet, Flow, Transaction, Reading };

/// When a fact that is not yet there becomes absent. The numbers from kOwn on belong to each protocol.
namespace milestone {
inline constexpr std::uint8_t kHeader = 0;       ///< Known or absent with the headers of the packet.
inline constexpr std::uint8_t kIdentified = 1;   ///< With the application protocol.
inline constexpr std::uint8_t kTransaction = 2;  ///< At the end of its transaction.
inline constexpr std::uint8_t kFlowEnd = 3;      ///< Not before the flow ends.
inline constexpr std::uint8_t kOwn = 8;
}  // namespace milestone

/// Datapaths that have the fact.
namespace on {
inline constexpr std::uint8_t kCapture = 1, kBridge = 2, kHost = 4, kAll = 7;
}

struct Word {
  std::string_view name;
  std::uint32_t value;
};

struct FieldRow {
  FieldId id;
  std::string_view name;
  FieldType type;
  Scope scope;
  std::uint8_t closes = milestone::kHeader;  ///< The milestone at which it is absent if not there.
  bool list = false;                         ///< May have several values.
  std::uint8_t datapaths = on::kAll;
  std::span<const Word> words = {};          ///< For Word (and names of numbers).
  std::string_view help;                     ///< A sentence for the manual, with units and the RFC.
};

}  // namespace weir
