// SPDX-License-Identifier: Apache-2.0
#include "proto/dcerpc/dcerpc.h"

#include <algorithm>
#include <bitset>

#include "facts/field_ids.h"
#include "proto/dcerpc/fields.h"
#include "proto/dcerpc/interfaces.h"
#include "proto/ntlmssp.h"

namespace weir::proto::dcerpc {
namespace {

// Common header (C706 12.6.3.1); numbers in the sender's order, which byte 4 names:
//
//   0 version 5 | 1 minor | 2 type | 3 flags | 4 data representation (4) | 8 fragment length | 10 auth length | 12 call id
constexpr std::uint8_t kFirstFragment = 1;
constexpr std::size_t kTrailerBytes = 8;    // Before the token: MS-RPCE 2.2.2.11.
constexpr std::size_t kUnitsMax = 8;        // Of one write to a pipe.
constexpr std::size_t kRequestBytes = 24;

/// Numbers in the order of the sender.
struct Ordered {
  Reader reader;
  bool little_endian;
  std::uint16_t u16() { return little_endian ? reader.le16() : reader.be16(); }
  std::uint32_t u32() { return little_endian ? reader.le32() : reader.be32(); }
};

void write_hex(char*& out, std::uint64_t value, int digits) {
  for (int i = digits - 1; i >= 0; --i) *out++ = "0123456789abcdef"[value >> (4 * i) & 15];
}

/// Fields 1 to 3 are numbers, the rest bytes (C706 appendix A).
void write_uuid(Ordered& in, char (&out)[kUuidText]) {
  char* at = out;
  write_hex(at, in.u32(), 8);
  *at++ = '-';
  write_hex(at, in.u16(), 4);
  *at++ = '-';
  write_hex(at, in.u16(), 4);
  *at++ = '-';
  write_hex(at, in.reader.be16(), 4);
  *at++ = '-';
  write_hex(at, in.reader.be16(), 4);
  write_hex(at, in.reader.be32(), 8);
}

std::string_view name_of(std::uint8_t place, const Interfaces& interfaces) {
  if (place < kUnknownFrom) return kKnownInterfaces[place].name;
  return {interfaces.text[place - kUnknownFrom], kUuidText};
}

std::uint8_t place_of(std::string_view uuid, Interfaces& interfaces) {
  for (std::size_t i = 0; i < std::size(kKnownInterfaces); ++i)
    if (kKnownInterfaces[i].uuid == uuid) return static_cast<std::uint8_t>(i);
  for (std::size_t i = 0; i < interfaces.count; ++i)
    if (std::string_view(interfaces.text[i], kUuidText) == uuid) return static_cast<std::uint8_t>(kUnknownFrom + i);
  const std::uint8_t at = interfaces.next;
  std::copy(uuid.begin(), uuid.end(), interfaces.text[at]);
  interfaces.next = static_cast<std::uint8_t>((at + 1) % kUnknownInterfacesMax);
  interfaces.count = std::max(interfaces.count, static_cast<std::uint8_t>(at + 1));
  return static_cast<std::uint8_t>(kUnknownFrom + at);
}

void remember(Association& association, std::uint16_t context, std::uint8_t interface) {
  std::size_t at = association.next;
  for (std::size_t i = 0; i < association.count; ++i)
    if (association.context[i] == context) at = i;
  if (at == association.next) association.next = static_cast<std::uint8_t>((at + 1) % kContextsMax);
  association.context[at] = context;
  association.interface[at] = interface;
  association.count = std::max(association.count, static_cast<std::uint8_t>(at + 1));
}

/// Presentation contexts of a bind or alter (C706 12.6.3.1, p_cont_list_t), read to the end of what is at hand.
void describe_bind(Ordered in, bool cut, Association& association, Interfaces& interfaces, Describer& describer) {
  in.reader.seek(kHeaderBytes + 8);
  const unsigned count = in.reader.u8();
  in.reader.skip(3);
  std::size_t unknown = 0;
  std::bitset<256> named;  // One interface is often offered with several transfer syntaxes.
  for (unsigned i = 0; i < count && in.reader.ok(); ++i) {
    const std::uint16_t context = in.u16();
    const std::size_t syntaxes = in.reader.u8();
    in.reader.skip(1);
    char uuid[kUuidText];
    write_uuid(in, uuid);
    in.reader.skip(4);
    if (!in.reader.ok()) break;
    in.reader.skip(20 * syntaxes);
    const std::uint8_t places_before = interfaces.next;
    const std::uint8_t place = place_of({uuid, kUuidText}, interfaces);
    // Text of this bind must not be written over by its own later contexts.
    if (interfaces.next != places_before && ++unknown > kUnknownInterfacesMax) {
      describer.flaw(Flaw::TooLarge);
      break;
    }
    remember(association, context, place);
    if (!named.test(place)) describer.add_text(kInterface, name_of(place, interfaces));
    named.set(place);
  }
  if (!in.reader.ok() && !cut) describer.flaw(Flaw::BadLength);
  describer.close(kInterface);
}

}  // namespace

bool parse_header(Bytes bytes, Header& out) {
  if (bytes.size() < kHeaderBytes) return false;
  if (bytes[0] != 5 || bytes[1] > 1) return false;
  // Integers big or little, ASCII or EBCDIC; four ways of floating point; two bytes of nought (C706 14.2.5).
  if ((bytes[4] >> 4) > 1 || (bytes[4] & 15) > 1 || bytes[5] > 3 || bytes[6] != 0 || bytes[7] != 0) return false;
  out.type = bytes[2];
  out.flags = bytes[3];
  out.little_endian = bytes[4] >> 4 == 1;
  if (out.type > kOrphaned || out.type == 1 || (out.type > kFault && out.type < kBind)) return false;
  Ordered in{Reader(bytes), out.little_endian};
  in.reader.seek(8);
  out.fragment_bytes = in.u16();
  out.auth_bytes = in.u16();
  if (out.fragment_bytes < kHeaderBytes) return false;
  return out.auth_bytes == 0 || kHeaderBytes + kTrailerBytes + out.auth_bytes <= out.fragment_bytes;
}

bool describe_unit(const Header& header, Bytes unit, Association& association, Interfaces& interfaces, std::span<char> text, Describer& describer) {
  const bool cut = unit.size() < header.fragment_bytes;
  unit = unit.first(std::min<std::size_t>(unit.size(), header.fragment_bytes));
  Ordered in{Reader(unit), header.little_endian};
  switch (header.type) {
    case kRequest: {
      if ((header.flags & kFirstFragment) == 0) return false;
      in.reader.seek(kHeaderBytes + 4);
      const std::uint16_t context = in.u16();
      const std::uint16_t opnum = in.u16();
      if (!in.reader.ok()) {
        describer.flaw(Flaw::BadLength);
        return false;
      }
      bool known = false;
      for (std::size_t i = 0; i < association.count; ++i) {
        if (association.context[i] != context) continue;
        describer.add_text(kInterface, name_of(association.interface[i], interfaces));
        known = true;
      }
      if (known) describer.close(kInterface);
      else describer.hide(kInterface);  // Bound before we listened, or more contexts than are remembered.
      describer.number(kOpnum, opnum);
      return true;
    }
    case kBind:
    case kAlter:
      describe_bind(in, cut, association, interfaces, describer);
      [[fallthrough]];
    case kAuth3:
      if (header.auth_bytes != 0 && !cut) describe_security_token(unit.last(header.auth_bytes), text, describer);
      return true;
    default: return false;
  }
}

bool describe_pipe(Bytes payload, std::size_t payload_bytes, Association& association, Interfaces& interfaces, std::span<char> text,
                   Describer& describer) {
  bool said = false;
  for (std::size_t units = 0; units < kUnitsMax && payload_bytes != 0; ++units) {
    const std::size_t rest = std::min<std::size_t>(association.left, payload_bytes);
    association.left = static_cast<std::uint16_t>(association.left - rest);
    payload_bytes -= rest;
    payload = payload.subspan(std::min(rest, payload.size()));
    Header header;
    if (payload_bytes == 0 || !parse_header(payload, header)) return said;
    // One transaction tells of one call: the first of a write decides what the list of a later one may add.
    if (!said) said = describe_unit(header, payload, association, interfaces, text, describer);
    association.left = header.fragment_bytes;
  }
  return said;
}

namespace {

/// Types that a client sends first or at all, and a server.
bool of_client(std::uint8_t type) {
  return type == kRequest || type == kBind || type == kAlter || type == kAuth3 || type == kCancel || type == kOrphaned;
}

Match identify_side(Bytes bytes, bool client, bool either) {
  // What is at hand of the first four bytes must already fit; the header decides at its end.
  if (!bytes.empty() && bytes[0] != 5) return Match::No;
  if (bytes.size() > 1 && bytes[1] > 1) return Match::No;
  if (bytes.size() > 2) {
    const std::uint8_t type = bytes[2];
    if (type > kOrphaned || type == 1 || (type > kFault && type < kBind)) return Match::No;
    if (!either && of_client(type) != client) return Match::No;
  }
  if (bytes.size() < kHeaderBytes) return Match::Maybe;
  Header header;
  return parse_header(bytes, header) ? Match::Yes : Match::No;
}

/// Bytes of a unit that are worth waiting for.
std::size_t wanted_bytes(const Header& header) {
  const bool whole = header.type == kBind || header.type == kAlter || header.type == kAuth3;
  return std::min<std::size_t>(header.fragment_bytes, whole ? kBindBytesMax : kRequestBytes);
}

}  // namespace

Match identify(const Evidence& evidence) {
  const Match client = identify_side(evidence.client, true, evidence.roles_unsure);
  const Match server = identify_side(evidence.server, false, evidence.roles_unsure);
  if (client == Match::No || server == Match::No) return Match::No;
  return client == Match::Yes || server == Match::Yes ? Match::Yes : Match::Maybe;
}

Progress parse(State& state, const Input& input, Describer& describer) {
  Progress progress;
  while (true) {
    const Bytes rest = input.bytes.subspan(progress.consumed);
    if (rest.size() < kHeaderBytes) return progress;
    Header header;
    if (!parse_header(rest, header)) {
      describer.flaw(Flaw::BadMessage);
      progress.done = true;
      return progress;
    }
    const std::size_t wanted = of_client(header.type) ? wanted_bytes(header) : kHeaderBytes;
    if (rest.size() < wanted) return progress;
    if (of_client(header.type) && header.type != kCancel && header.type != kOrphaned) {
      describer.begin_transaction();
      if (describe_unit(header, rest.first(wanted), state.association, state.interfaces, state.text, describer)) describer.described();
      describer.end_transaction();
    }
    progress.consumed += wanted;
    progress.skip = header.fragment_bytes - wanted;
    if (progress.skip != 0) return progress;
  }
}

}  // namespace weir::proto::dcerpc
