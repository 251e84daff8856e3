// SPDX-License-Identifier: Apache-2.0
#include "proto/snmp/snmp.h"

#include <algorithm>

#include "facts/field_ids.h"
#include "proto/ber.h"

namespace weir::proto::snmp {
namespace {

constexpr std::uint8_t kPduFirst = 0xa0, kPduLast = 0xa8, kResponse = 0xa2, kTrapV1 = 0xa4, kTrap = 0xa7, kReport = 0xa8;
constexpr std::int64_t kVersion1 = 0, kVersion2c = 1, kVersion3 = 3;
constexpr std::int64_t kUserBased = 3;  // RFC 3411 5, SnmpSecurityModel.
constexpr std::size_t kOidsMax = 64, kOidTextMax = 512;

bool is_pdu(std::uint8_t tag) { return tag >= kPduFirst && tag <= kPduLast; }

/// A message whose envelope has been read.
struct Message {
  bool plausible = false;     // The envelope is that of SNMP.
  BerStatus status = BerStatus::Good;
  std::int64_t version = -1;
  std::int64_t id = 0;        // Version 3's own.
  Bytes community, user;
  bool has_user = false;
  bool encrypted = false;
  std::uint8_t pdu_tag = 0;   // 0: not readable.
  Bytes pdu;
};

void read_user(Bytes parameters, Message& message) {
  BerReader outer(parameters);
  BerReader in(outer.next(ber::kSequence));
  in.next(ber::kOctetString);  // Engine.
  in.integer();                // Its boots.
  in.integer();                // Its time.
  const Bytes user = in.next(ber::kOctetString);
  if (!outer.ok() || !in.ok()) {
    message.status = BerStatus::Bad;
    return;
  }
  message.user = user;
  message.has_user = true;
}

void read_v3(BerReader& in, Message& message) {
  BerReader global(in.next(ber::kSequence));
  message.id = global.integer();
  global.integer();
  const Bytes flags = global.next(ber::kOctetString);
  const std::int64_t model = global.integer();
  if (!in.ok() || !global.ok() || flags.size() != 1) return;
  message.plausible = true;
  message.encrypted = (flags[0] & 2) != 0;
  const Bytes parameters = in.next(ber::kOctetString);
  if (!in.ok()) return;
  if (model == kUserBased) read_user(parameters, message);
  if (in.peek() == ber::kOctetString) message.encrypted = true;
  if (message.encrypted) return;
  BerReader scoped(in.next(ber::kSequence));
  scoped.next(ber::kOctetString);
  scoped.next(ber::kOctetString);
  const BerElement pdu = scoped.next();
  if (!in.ok()) return;
  message.status = scoped.ok() ? message.status : scoped.status();
  if (scoped.ok() && is_pdu(pdu.tag)) message.pdu_tag = pdu.tag, message.pdu = pdu.content;
}

Message read_message(Bytes bytes) {
  Message message;
  BerReader outer(bytes);
  std::uint8_t tag = 0;
  std::size_t header_bytes = 0, content_bytes = 0;
  message.status = outer.read_header(tag, header_bytes, content_bytes);
  if (message.status != BerStatus::Good || tag != ber::kSequence) return message;
  const std::size_t there = bytes.size() - header_bytes;
  // Cut or not, what is there is read; a capture or identify()'s window may end inside.
  BerReader in(bytes.subspan(header_bytes, std::min(content_bytes, there)));
  message.version = in.integer();
  if (message.version == kVersion3) {
    read_v3(in, message);
  } else if (message.version == kVersion1 || message.version == kVersion2c) {
    message.community = in.next(ber::kOctetString);
    std::size_t pdu_header = 0, pdu_bytes = 0;
    std::uint8_t pdu_tag = 0;
    const Bytes rest = in.rest();
    if (in.ok() && in.read_header(pdu_tag, pdu_header, pdu_bytes) == BerStatus::Good && is_pdu(pdu_tag)) {
      message.plausible = true;
      message.pdu_tag = pdu_tag;
      message.pdu = rest.subspan(pdu_header, std::min(pdu_bytes, rest.size() - pdu_header));
      if (pdu_bytes > rest.size() - pdu_header) message.status = BerStatus::Cut;
    }
  }
  if (!in.ok()) message.status = in.status();
  if (content_bytes > there) message.status = BerStatus::Cut;
  return message;
}

// Objects as text, while one message is described; the facts borrow it until the thread parses the next (facts.h, invariant 2).
thread_local char t_oids[8192];

class Objects {
 public:
  explicit Objects(Describer& describer) : describer_(describer) {}
  void add(Bytes oid) {
    if (count_ == kOidsMax || sizeof t_oids - used_ < kOidTextMax) {
      over_ = true;
      return;
    }
    const std::size_t size = write_oid(oid, std::span(t_oids + used_, kOidTextMax));
    if (size == 0) return describer_.flaw(Flaw::BadEncoding);
    describer_.add_text(field::kOid, {t_oids + used_, size});
    used_ += size;
    ++count_;
  }
  void finish() {
    if (over_) describer_.hide(field::kOid);
  }

 private:
  Describer& describer_;
  std::size_t used_ = 0, count_ = 0;
  bool over_ = false;
};

std::int64_t request_id(const Message& message) {
  if (message.version == kVersion3) return message.id;
  if (message.pdu_tag == kTrapV1) return 0;
  return BerReader(message.pdu).integer();
}

void flaw_of(BerStatus status, bool snapped, Describer& describer) {
  if (status == BerStatus::Bad) describer.flaw(Flaw::BadEncoding);
  if (status == BerStatus::Cut && !snapped) describer.flaw(Flaw::Truncated);
  if (status == BerStatus::Cut && snapped) describer.hide(field::kOid);
}

void describe_objects(const Message& message, bool snapped, Describer& describer) {
  Objects objects(describer);
  BerReader in(message.pdu);
  if (message.pdu_tag == kTrapV1) {
    objects.add(in.next(ber::kOid));
    for (int i = 0; i < 4; ++i) in.next();  // Agent, generic and specific trap, time.
  } else {
    in.integer();
    in.integer();
    in.integer();
  }
  // Read piece by piece, so that a cut list gives what it has.
  std::uint8_t tag = 0;
  std::size_t header_bytes = 0, content_bytes = 0;
  BerStatus status = in.ok() ? in.read_header(tag, header_bytes, content_bytes) : in.status();
  if (status == BerStatus::Good && tag != ber::kSequence) status = BerStatus::Bad;
  if (status == BerStatus::Good) {
    const Bytes rest = in.rest();
    const std::size_t there = rest.size() - header_bytes;
    BerReader list(rest.subspan(header_bytes, std::min(content_bytes, there)));
    while (list.ok() && !list.at_end()) {
      BerReader binding(list.next(ber::kSequence));
      if (!list.ok()) break;
      const Bytes oid = binding.next(ber::kOid);
      if (binding.ok()) objects.add(oid);
      else status = binding.status();
    }
    if (!list.ok()) status = list.status();
    if (content_bytes > there) status = BerStatus::Cut;
  }
  objects.finish();
  if (message.status == BerStatus::Good || status == BerStatus::Bad) flaw_of(status, snapped, describer);
}

void describe_account(const Message& message, bool answer, Describer& describer) {
  const bool community = message.version != kVersion3;
  if (community) describer.text(field::kCommunity, as_text(message.community));
  else if (message.has_user) describer.text(field::kUser, as_text(message.user));
  // An answer repeats its request's; an empty user asks who is there (RFC 3414 4).
  if (answer || (!community && message.user.empty())) return;
  describer.text(weir::field::kAuthUser, as_text(community ? message.community : message.user));
  describer.word(weir::field::kAuthScheme, community ? weir::field::AuthScheme::Community : weir::field::AuthScheme::Usm);
}

}  // namespace

Match identify(const Evidence& e) {
  if (!e.is_udp()) return Match::No;
  const Bytes bytes = e.client.empty() ? e.server : e.client;
  if (bytes.size() < 2 || bytes[0] != ber::kSequence) return Match::No;
  const Message message = read_message(bytes);
  const bool window = bytes.size() >= kEvidenceMax;
  return message.plausible && (window || message.status != BerStatus::Bad) ? Match::Yes : Match::No;
}

bool is_answer(Bytes datagram) {
  const Message message = read_message(datagram);
  return message.plausible && (message.pdu_tag == kResponse || message.pdu_tag == kReport);
}

Progress parse(State&, const Input& input, Describer& describer) {
  const Progress all{.consumed = input.bytes.size()};
  const Message message = read_message(input.bytes);
  if (!message.plausible) {
    if (message.status == BerStatus::Good) describer.flaw(Flaw::BadMessage);
    else if (!input.truncated) describer.flaw(message.status == BerStatus::Bad ? Flaw::BadEncoding : Flaw::Truncated);
    return all;
  }
  const bool answer = message.pdu_tag == kResponse || message.pdu_tag == kReport;
  describer.begin_transaction(static_cast<std::uint64_t>(request_id(message)), answer);
  describer.number(field::kVersion, static_cast<std::uint64_t>(message.version));
  describe_account(message, answer, describer);
  flaw_of(message.status, input.truncated, describer);
  if (message.pdu_tag != 0) {
    describer.number(field::kPdu, message.pdu_tag == kTrapV1 ? kTrap - kPduFirst : message.pdu_tag - kPduFirst);
    describe_objects(message, input.truncated, describer);
  } else if (message.encrypted || input.truncated) {
    describer.hide(field::kPdu);
    describer.hide(field::kOid);
  }
  describer.reach(milestone::kTransaction);
  describer.described();
  describer.end_transaction();
  return all;
}

}  // namespace weir::proto::snmp
