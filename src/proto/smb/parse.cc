// SPDX-License-Identifier: Apache-2.0
// Messages out of the stream, and commands out of messages.

#include <algorithm>

#include "facts/field_ids.h"
#include "proto/dcerpc/fields.h"
#include "proto/smb/frame.h"
#include "proto/smb/session.h"

namespace weir::proto::smb {
namespace {

/// Nothing of an encrypted or compressed message can be read: what its command would have said is hidden.
void describe_opaque(State& state, Describer& describer, FieldId why, bool answer) {
  state.negotiating = true;
  describer.flag(why, true);
  if (!state.negotiated) {
    if (describer.state(kDialect) == FactState::NotYet) describer.hide(kDialect);
    if (describer.state(kSigning) == FactState::NotYet) describer.hide(kSigning);
    describer.reach(kNegotiated);
    state.negotiated = true;
  }
  describer.begin_transaction(0, answer);
  state.text_used = 0;
  constexpr FieldId kHidden[] = {kCommand, kShare, kPipe, kFile, field::kFileName, field::kFileBytes, field::kFileType, dcerpc::kInterface, dcerpc::kOpnum};
  for (FieldId id : kHidden) describer.hide(id);
  describer.described();
  describer.end_transaction();
}

/// The size of the first unit of what is left of a message: one command of a compound, or all. Nought if the chain is broken.
std::size_t unit_bytes(Bytes head, std::size_t left) {
  if (head[0] != kSmb2) return left;
  Reader in(head);
  in.seek(20);
  const std::size_t next = in.le32();
  if (next == 0) return left;
  const bool sound = next >= kSmb2HeaderBytes && next % 8 == 0 && next <= left && left - next >= kSmb2HeaderBytes;  // MS-SMB2 3.3.5.2.7
  return sound ? next : 0;
}

/// Whether a message is an answer. The first one of the flow tells which side asks; from then on the side does, whatever a header says.
/// Encrypted and compressed messages have no flag of their own.
struct Direction {
  bool answer, contradicts;
};
Direction direction_of(State& state, Side side, Bytes head) {
  const bool plain = head[0] == kSmb1 || head[0] == kSmb2;
  const bool flagged = head[0] == kSmb1 ? (head[9] & 0x80) != 0 : head[0] == kSmb2 && (head[16] & 1) != 0;
  if (plain && !state.oriented) {
    state.oriented = true;
    state.swapped = flagged == (side == Side::Client);
  }
  const bool answer = side == (state.swapped ? Side::Client : Side::Server);
  return {answer, plain && answer != flagged};
}

/// Reads one unit; false if more bytes are awaited. Sets what is consumed and passed over.
bool read_unit(State& state, SideState& side, const Input& input, Bytes rest, Describer& describer, std::size_t& consumed, std::uint64_t& skip) {
  const std::size_t left = side.left;
  if (rest.size() < std::min<std::size_t>(left, 4)) return false;
  const std::size_t least = is_smb(rest) && left >= 4 ? header_bytes(rest[0]) : 0;
  if (least == 0 || left < least) {
    describer.flaw(least == 0 ? Flaw::BadMessage : Flaw::BadLength);
    ++side.broken;
    consumed = std::min(rest.size(), left);
    skip = left - consumed;
    side.left = 0;
    return true;
  }
  if (rest.size() < least) return false;
  const Bytes head = rest.first(least);
  const bool smb1 = head[0] == kSmb1, smb2 = head[0] == kSmb2;
  const Direction direction = direction_of(state, input.side, head);
  // How far to wait must be known before anything is said: the same bytes come again with more behind them.
  const std::size_t sound = unit_bytes(head, left);
  const std::size_t unit = sound == 0 ? left : sound;
  const std::size_t wanted = std::min(unit, smb1 ? smb1_wanted(head, direction.answer) : smb2 ? smb2_wanted(head, direction.answer) : least);
  if (rest.size() < wanted) return false;

  const Bytes part = rest.first(wanted);
  if (sound == 0) describer.flaw(Flaw::BadLength);
  if (direction.contradicts) describer.flaw(Flaw::BadMessage);
  const bool answer = direction.answer;
  Session session(state, describer);
  if (smb1) read_smb1(session, part, unit, answer);
  else if (smb2) read_smb2(session, part, unit, answer, side.inside);
  else describe_opaque(state, describer, head[0] == kTransform ? kEncrypted : kCompressed, answer);
  consumed = wanted;
  skip = unit - wanted;
  side.left = static_cast<std::uint32_t>(left - unit);
  side.inside = side.left != 0;
  return true;
}

}  // namespace

Progress parse_smb(State& state, const Input& input, Describer& describer) {
  Progress progress;
  SideState& side = state.sides[index_of(input.side)];
  while (true) {
    const Bytes rest = input.bytes.subspan(progress.consumed);
    if (side.left == 0) {
      if (rest.size() < kFrameBytes) return progress;
      const std::size_t length = load_be32(rest.data()) & 0xffffff;
      if (rest[0] != kMessage && (!is_control(rest[0]) || length > kControlBytesMax)) {
        describer.flaw(Flaw::BadMessage);
        progress.done = true;
        return progress;
      }
      progress.consumed += kFrameBytes;
      side.inside = false;
      if (rest[0] == kMessage) {
        side.left = static_cast<std::uint32_t>(length);
      } else if (length != 0) {
        progress.skip = length;
        return progress;
      }
      continue;
    }
    std::size_t consumed = 0;
    if (!read_unit(state, side, input, rest, describer, consumed, progress.skip)) return progress;
    progress.consumed += consumed;
    if (side.broken >= kBrokenMax) progress.done = true;
    if (progress.done || progress.skip != 0) return progress;
  }
}

/// A session request says only names; with the first message it is known what the session carries.
Progress parse_nbss(NbssState&, const Input& input, Describer& describer) {
  Progress progress;
  while (true) {
    const Bytes rest = input.bytes.subspan(progress.consumed);
    if (rest.size() < kFrameBytes) return progress;
    const std::size_t length = load_be32(rest.data()) & 0xffffff;
    if (is_control(rest[0]) && length <= kControlBytesMax) {
      progress.consumed += kFrameBytes;
      progress.skip = length;
      if (length != 0) return progress;
      continue;
    }
    if (rest[0] != kMessage || length < 4) {
      describer.flaw(Flaw::BadMessage);
      progress.done = true;
      return progress;
    }
    if (rest.size() < kFrameBytes + 4) return progress;
    if (is_smb(rest.subspan(kFrameBytes))) {
      describer.carry("smb");
    } else {
      describer.may_extend(false);  // Something else over NetBIOS: all we can say is nbss.
      progress.done = true;
    }
    return progress;
  }
}

}  // namespace weir::proto::smb
