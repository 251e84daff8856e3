// SPDX-License-Identifier: Apache-2.0
// Messages of SMB 2 and 3 (MS-SMB2 2.2). Offsets are from the header:
//
//   0 FE 'SMB' | 4 size 64 | 6 credit charge | 8 status | 12 command | 14 credits | 16 flags | 20 next command
//   24 message id (8) | 32 reserved, 36 tree id — or async id (8) | 40 session id (8) | 48 signature (16) | 64 body

#include <algorithm>

#include "facts/field_ids.h"
#include "proto/file_type.h"
#include "proto/smb/session.h"

namespace weir::proto::smb {
namespace {

constexpr std::uint32_t kAsync = 2, kRelated = 4;  // Flags.
constexpr std::uint32_t kPipeTransceive = 0x0011C017;
constexpr std::uint64_t kFileOfTheChain = ~std::uint64_t{0};
constexpr std::uint16_t kMultiProtocol = 0x02FF;
constexpr std::uint8_t kFileInfo = 1, kRenameClass = 10, kDispositionClass = 13, kDispositionExClass = 64;

struct Head {
  std::uint32_t status = 0, flags = 0;
  std::uint16_t command = 0;
  std::uint64_t message = 0;
  TreeKey tree;
};

Head read_head(Bytes part) {
  Head head;
  Reader in(part);
  in.seek(8);
  head.status = in.le32();
  head.command = in.le16();
  in.skip(2);
  head.flags = in.le32();
  in.skip(4);
  head.message = in.le64();
  in.skip(4);
  head.tree.id = in.le32();
  head.tree.session = in.le64();
  return head;
}

/// A part of the message that the message itself places; `hidden` where it lies past what is at hand but inside the message.
struct Placed {
  Bytes bytes;
  bool bad = false, cut = false;
};
Placed placed(Bytes part, std::size_t size, std::size_t offset, std::size_t length) {
  if (offset < kSmb2HeaderBytes || offset > size || length > size - offset) return {{}, true, false};
  if (offset > part.size() || length > part.size() - offset) return {offset <= part.size() ? part.subspan(offset) : Bytes{}, false, true};
  return {part.subspan(offset, length), false, false};
}

class Request {
 public:
  Request(Session& session, Bytes part, std::size_t size, const Head& head) : session_(session), part_(part), size_(size), head_(head), in_(part) {}

  void read();

 private:
  Describer& out() { return session_.describer(); }
  void bad() { out().flaw(Flaw::BadLength); }
  void negotiate();
  void session_setup();
  void tree_connect();
  void create(TreeKind kind);
  void write(TreeKind kind);
  void read_file(TreeKind kind);
  void ioctl(TreeKind kind);
  std::uint8_t file_at(std::size_t offset);
  void on_file(std::size_t id_offset, TreeKind kind) { session_.describe_file(file_at(id_offset), kind); }
  Command command();

  Session& session_;
  Bytes part_;
  std::size_t size_;
  const Head& head_;
  Reader in_;
};

void Request::negotiate() {
  in_.seek(66);
  const std::size_t count = in_.le16();
  const std::uint16_t mode = in_.le16();
  in_.seek(100);
  in_.skip(2 * count);
  if (!in_.ok() || count == 0) bad();
  session_.state().negotiating = true;
  session_.state().client_signing = static_cast<std::uint8_t>((mode & 2) != 0 ? Signing::Required : (mode & 1) != 0 ? Signing::Enabled : Signing::None);
}

void Request::session_setup() {
  in_.seek(76);
  const std::size_t offset = in_.le16(), length = in_.le16();
  const Placed token = placed(part_, size_, offset, length);
  if (!in_.ok() || token.bad) return bad();
  session_.describe_token(token.bytes);
}

void Request::tree_connect() {
  in_.seek(68);
  const std::size_t offset = in_.le16(), length = in_.le16();
  const Placed path = placed(part_, size_, offset, length);
  if (!in_.ok() || path.bad) bad();
  session_.connect_tree(path.bad || path.cut ? std::nullopt : session_.unicode(path.bytes), head_.message);
}

void Request::create(TreeKind kind) {
  in_.seek(108);
  const std::size_t offset = in_.le16(), length = in_.le16();
  const Placed name = length == 0 ? Placed{} : placed(part_, size_, offset, length);
  if (!in_.ok() || name.bad) bad();
  const std::uint8_t place = session_.open_file(name.bad || name.cut ? std::nullopt : session_.unicode(name.bytes), kind, head_.message);
  session_.state().chain_file = static_cast<std::uint8_t>(place + 1);
}

std::uint8_t Request::file_at(std::size_t offset) {
  in_.seek(offset);
  const std::uint64_t id = in_.le64(), id2 = in_.le64();
  if (!in_.ok()) {
    bad();
    return Session::kNoFile;
  }
  std::uint8_t& chain = session_.state().chain_file;
  if ((head_.flags & kRelated) != 0 && id == kFileOfTheChain && id2 == kFileOfTheChain)  // MS-SMB2 3.2.4.1.4
    return chain == 0 ? Session::kNoFile : static_cast<std::uint8_t>(chain - 1);
  const std::uint8_t place = session_.find_file(id, id2);
  chain = place == Session::kNoFile ? 0 : static_cast<std::uint8_t>(place + 1);
  return place;
}

void Request::write(TreeKind kind) {
  in_.seek(66);
  const std::size_t offset = in_.le16();
  const std::uint32_t length = in_.le32();
  const std::uint64_t from = in_.le64();
  const std::uint8_t place = file_at(80);
  session_.describe_file(place, kind);
  const Placed payload = placed(part_, size_, offset, length);
  if (!in_.ok() || (payload.bad && length != 0)) return bad();
  if (kind != TreeKind::Pipe) out().number(field::kFileBytes, from > ~std::uint64_t{0} - length ? ~std::uint64_t{0} : from + length);
  if (kind != TreeKind::Pipe && from == 0) {
    if (const auto type = file_type(payload.bytes.first(std::min<std::size_t>(payload.bytes.size(), length)))) out().word(field::kFileType, *type);
  }
  session_.describe_payload(place, kind, payload.bytes, length);
}

/// A file's type is told by its first bytes, which the answer to a read from its beginning brings.
void Request::read_file(TreeKind kind) {
  const std::uint8_t place = file_at(80);
  session_.describe_file(place, kind);
  in_.seek(72);
  if (in_.le64() != 0 || !in_.ok() || kind == TreeKind::Pipe) return;
  State& state = session_.state();
  state.reads[state.next_read++ % std::size(state.reads)] = {head_.message, place, kind, true};
}

void Request::ioctl(TreeKind kind) {
  in_.seek(68);
  const std::uint32_t code = in_.le32();
  const std::uint8_t place = file_at(72);
  // Control codes about no file name all ones (MS-SMB2 2.2.31): those have none to hide.
  const Bytes id = part_.size() >= 88 ? part_.subspan(72, 16) : Bytes{};
  const bool none = place == Session::kNoFile && !id.empty() && std::all_of(id.begin(), id.end(), [](std::uint8_t b) { return b == 0xff; });
  if (!none) session_.describe_file(place, kind);
  in_.seek(88);
  const std::size_t offset = in_.le32(), length = in_.le32();
  if (!in_.ok()) return bad();
  if (code != kPipeTransceive || length == 0) return;
  const Placed payload = placed(part_, size_, offset, length);
  if (payload.bad) return bad();
  session_.describe_payload(place, kind == TreeKind::Disk ? TreeKind::Unknown : kind, payload.bytes, length);
}

Command Request::command() {
  if (head_.command > 18) return Command::Other;
  const auto plain = static_cast<Command>(head_.command);
  if (plain != Command::SetInfo || part_.size() < 76) return plain;
  const std::uint8_t type = part_[66], info_class = part_[67];
  if (type != kFileInfo) return plain;
  if (info_class == kRenameClass) return Command::Rename;
  if (info_class != kDispositionClass && info_class != kDispositionExClass) return plain;
  in_.seek(72);
  const std::size_t offset = in_.le16();
  const bool deletes = offset >= kSmb2HeaderBytes && offset < part_.size() && (part_[offset] & 1) != 0;
  return deletes ? Command::Delete : plain;
}

void Request::read() {
  const Command what = command();
  if (what != Command::Negotiate) session_.expect_negotiated(false);
  session_.begin(what);
  if (part_.size() < std::min<std::size_t>(size_, kSmb2HeaderBytes + 4) || size_ < kSmb2HeaderBytes + 2) bad();
  switch (what) {
    case Command::Negotiate: negotiate(); return session_.finish();
    case Command::SessionSetup: session_setup(); return session_.finish();
    case Command::TreeConnect: tree_connect(); return session_.finish();
    case Command::Logoff:
    case Command::Echo:
    case Command::Cancel: return session_.finish();
    default: break;
  }
  session_.in_the_clear();
  const TreeKind kind = session_.describe_tree(head_.tree);
  switch (what) {
    case Command::Create: create(kind); break;
    case Command::Write: write(kind); break;
    case Command::Ioctl: ioctl(kind); break;
    case Command::Read: read_file(kind); break;
    case Command::SetInfo:
    case Command::Rename:
    case Command::Delete: on_file(80, kind); break;
    case Command::Close:
    case Command::Flush:
    case Command::Lock:
    case Command::QueryDirectory:
    case Command::ChangeNotify: on_file(72, kind); break;
    case Command::QueryInfo: on_file(88, kind); break;
    case Command::TreeDisconnect: session_.tree_closed(head_.tree); break;
    default: break;
  }
  session_.finish();
  if (what == Command::Close) session_.file_closed(file_at(72));
}

void answer_negotiate(Session& session, Bytes part, const Head& head) {
  session.state().negotiating = true;
  if (head.status != 0) return;
  Reader in(part);
  in.seek(66);
  const std::uint16_t mode = in.le16(), revision = in.le16();
  if (!in.ok()) return session.describer().flaw(Flaw::BadLength);
  if (revision == kMultiProtocol) return;  // Not final: the client negotiates again in SMB 2 (MS-SMB2 3.3.5.3.2).
  constexpr std::uint16_t kRevisions[] = {0, 0x0202, 0x0210, 0x0300, 0x0302, 0x0311};
  const auto* found = std::find(std::begin(kRevisions) + 1, std::end(kRevisions), revision);
  session.begin(Command::Negotiate, true);
  if (found == std::end(kRevisions)) {
    session.describer().flaw(Flaw::BadMessage);
    session.describer().hide(kDialect);
    session.describer().hide(kSigning);
    session.describer().reach(kNegotiated);
  } else {
    session.negotiated(static_cast<Dialect>(found - kRevisions), (mode & 2) != 0 ? Signing::Required : (mode & 1) != 0 ? Signing::Enabled : Signing::None);
  }
  session.finish();
}

void answer_read(Session& session, Bytes part, std::size_t size, const Head& head) {
  FirstRead* const read = std::find_if(std::begin(session.state().reads), std::end(session.state().reads),
                                       [&](const FirstRead& r) { return r.used && r.message == head.message; });
  if (read == std::end(session.state().reads)) return;
  read->used = false;
  Reader in(part);
  in.seek(66);
  const std::size_t offset = in.u8();
  in.skip(1);
  const std::size_t length = in.le32();
  if (is_error(head.status)) return;
  const Placed data = placed(part, size, offset, length);
  if (!in.ok() || data.bad) return session.describer().flaw(Flaw::BadLength);
  const auto type = file_type(data.bytes);
  if (!type) return;
  session.begin(Command::Read, true);
  (void)session.describe_tree(head.tree);
  session.describe_file(read->place, read->kind);
  session.describer().word(field::kFileType, *type);
  session.finish();
}

void read_answer(Session& session, Bytes part, std::size_t size, const Head& head) {
  const bool failed = is_error(head.status);
  Reader in(part);
  if (head.command != 0) session.expect_negotiated(false);
  switch (static_cast<Command>(head.command)) {
    case Command::Negotiate: return answer_negotiate(session, part, head);
    case Command::SessionSetup:
      if (head.status == kStatusMoreProcessing) return;
      session.begin(Command::SessionSetup, true);
      session.describe_result(head.status);
      return session.finish();
    case Command::TreeConnect: {
      in.seek(66);
      const std::uint8_t type = in.u8();
      if (!in.ok() && !failed) session.describer().flaw(Flaw::BadLength);
      return session.tree_opened(head.message, head.tree, type == 2, failed);
    }
    case Command::Create: {
      in.seek(128);
      const std::uint64_t id = in.le64(), id2 = in.le64();
      if (!in.ok() && !failed) session.describer().flaw(Flaw::BadLength);
      return session.file_opened(head.message, id, id2, failed || !in.ok());
    }
    case Command::Read: return answer_read(session, part, size, head);
    default: return;
  }
}

}  // namespace

std::size_t smb2_wanted(Bytes head, bool answer) {
  if (head.size() < kSmb2HeaderBytes) return head.size();
  const auto command = static_cast<Command>(std::min<unsigned>(head[12] | head[13] << 8, 0xff));
  switch (command) {
    case Command::Negotiate: return answer ? 128 : 1024;
    case Command::SessionSetup: return answer ? 72 : kMessageBytesMax;
    case Command::TreeConnect: return answer ? 80 : 4096;
    case Command::Create: return answer ? 152 : 16384;
    case Command::Read: return answer ? 80 + kFileTypeBytes : 112;
    case Command::Write: return answer ? 64 : 112 + kPayloadBytesMax;
    case Command::Ioctl: return answer ? 64 : 120 + kPayloadBytesMax;
    default: return answer ? 64 : 112;
  }
}

void read_smb2(Session& session, Bytes part, std::size_t size, bool answer, bool chained) {
  if (part.size() < kSmb2HeaderBytes) return session.describer().flaw(Flaw::BadLength);
  if (part[4] != kSmb2HeaderBytes || part[5] != 0) session.describer().flaw(Flaw::BadLength);
  Head head = read_head(part);
  if (answer) {
    if (head.status == kStatusPending && (head.flags & kAsync) != 0) return;  // Interim: the answer follows (MS-SMB2 3.3.4.2).
    return read_answer(session, part, size, head);
  }
  State& state = session.state();
  if (!chained) state.chain_file = 0;
  if (chained && (head.flags & kRelated) != 0) {
    head.tree = {state.chain_session, state.chain_tree};
  } else {
    state.chain_session = head.tree.session;
    state.chain_tree = head.tree.id;
  }
  Request(session, part, size, head).read();
}

}  // namespace weir::proto::smb
