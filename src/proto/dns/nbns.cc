// SPDX-License-Identifier: Apache-2.0
// The NetBIOS name service (RFC 1002 4.2): DNS's format, other opcodes, and names that hide sixteen bytes in 32 letters.
#include "base/hash.h"
#include "proto/dns/message.h"

namespace weir::proto::dns {
namespace {

constexpr std::size_t kNetbiosNameBytes = 16;
constexpr std::uint16_t kTypeNb = 32, kTypeNbstat = 33;

struct NetbiosName {
  std::string_view text;    // As sent, without the padding behind it.
  std::string_view qname;   // Lower case, with the scope behind it.
  std::uint8_t suffix = 0;
  bool decoded = false;
};

// The first label is the name, what follows is the scope (RFC 1001 14.1).
NameStatus read_netbios_name(Bytes message, std::size_t offset, NameBuffer& names, NetbiosName& out, std::size_t& next) {
  Name wire;
  const NameStatus status = read_name(message, offset, names.room(), wire);
  if (status != NameStatus::Good) return status;
  names.keep(wire.text.size());
  next = wire.next;
  out.qname = wire.text;
  std::uint8_t raw[kNetbiosNameBytes];
  if (wire.text.size() < 2 * sizeof raw || (wire.text.size() > 2 * sizeof raw && wire.text[2 * sizeof raw] != '.')) return status;
  for (std::size_t i = 0; i < sizeof raw; ++i) {
    const int high = wire.text[2 * i] - 'a', low = wire.text[2 * i + 1] - 'a';
    if (high < 0 || high > 15 || low < 0 || low > 15) return status;
    raw[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  out.decoded = true;
  out.suffix = raw[kNetbiosNameBytes - 1];
  std::size_t size = kNetbiosNameBytes - 1;
  while (size > 0 && (raw[size - 1] == ' ' || raw[size - 1] == 0)) --size;
  const std::span<char, kNameTextMax> room = names.room();
  char* at = room.data();
  for (std::size_t i = 0; i < size; ++i) *at++ = raw[i] >= 0x20 && raw[i] < 0x7f ? static_cast<char>(raw[i]) : '?';
  out.text = {room.data(), size};
  const std::string_view scope = wire.text.substr(2 * sizeof raw);
  for (std::size_t i = 0; i < size; ++i, ++at) *at = room[i] >= 'A' && room[i] <= 'Z' ? static_cast<char>(room[i] + 32) : room[i];
  std::memcpy(at, scope.data(), scope.size());
  out.qname = {room.data() + size, size + scope.size()};
  names.keep(2 * size + scope.size());
  return status;
}

void describe_name(const NetbiosName& name, std::uint16_t type, Describer& describer) {
  describer.add_text(field::kQname, name.qname);
  describer.add_number(field::kQtype, type == kTypeNb || type == kTypeNbstat ? kNetbiosType + type : std::uint32_t{type});
  if (!name.decoded) return describer.flaw(Flaw::BadName);
  describer.text(field::kNbnsName, name.text);
  describer.number(field::kNbnsSuffix, name.suffix);
}

// RFC 1002 4.2.1.3: flags 2, address 4, again and again.
void describe_addresses(const Record& record, Describer& describer) {
  if (record.data.size() % 6 != 0) describer.flaw(Flaw::BadLength);
  for (std::size_t i = 0; i + 6 <= record.data.size() && i < 6 * 64; i += 6)
    describer.add_ip(field::kAnswer, Ip::v4_bytes(&record.data[i + 2]));
}

}  // namespace

void describe_nbns(Bytes message, bool snapped, NameBuffer& names, Describer& describer) {
  const Header h = parse_header(message);
  NetbiosName name;
  std::size_t offset = kHeaderBytes;
  // A request has its name in the question, an answer in the record that answers (RFC 1002 4.2.13).
  const NameStatus status =
      h.questions + h.answers == 0 ? NameStatus::Cut : read_netbios_name(message, offset, names, name, offset);
  std::uint16_t type = 0;
  if (status == NameStatus::Good && message.size() - offset >= 2) type = load_be16(&message[offset]);
  describer.begin_transaction(mix64(h.id, hash_text(name.qname)), h.is_response());
  describer.flag(field::kResponse, h.is_response());
  describer.number(field::kOpcode, h.opcode() >= 5 ? kNetbiosType + h.opcode() : h.opcode());
  describer.number(field::kBytes, message.size());
  if (h.is_response()) describer.number(field::kRcode, h.rcode());
  if (status == NameStatus::Bad) {
    describer.flaw(Flaw::BadName);
  } else if (status == NameStatus::Cut) {
    if (!snapped) {
      describer.flaw(Flaw::Truncated);
    } else {
      for (const FieldId f : {field::kQname, field::kQtype, field::kNbnsName, field::kNbnsSuffix, field::kAnswer}) describer.hide(f);
    }
  } else {
    describe_name(name, type, describer);
    std::size_t at = h.questions == 0 ? kHeaderBytes : offset + 4;
    Record record;
    for (std::size_t i = 0; i < h.answers && h.is_response(); ++i) {
      const RecordStatus got = read_record(message, at, record);
      if (got == RecordStatus::BadName) describer.flaw(Flaw::BadName);
      else if (got == RecordStatus::Cut && !snapped) describer.flaw(Flaw::Truncated);
      else if (got == RecordStatus::Cut) describer.hide(field::kAnswer);
      if (got != RecordStatus::Good) break;
      if (record.type == kTypeNb) describe_addresses(record, describer);
    }
  }
  describer.reach(milestone::kTransaction);
  describer.described();
  describer.end_transaction();
}

}  // namespace weir::proto::dns
