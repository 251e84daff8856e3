// SPDX-License-Identifier: Apache-2.0
// Messages of SMB 1 (MS-CIFS 2.2.4, MS-SMB 2.2.4). The header, then words, then bytes; "AndX" commands chain further ones:
//
//   0 FF 'SMB' | 4 command | 5 status | 9 flags | 10 flags 2 | 12 pid high | 14 signature (8) | 24 tid | 26 pid | 28 uid | 30 mid
//   32 word count | words | byte count (2) | bytes

#include <algorithm>

#include "base/text.h"
#include "facts/field_ids.h"
#include "proto/smb/session.h"

namespace weir::proto::smb {
namespace {

constexpr std::size_t kChainMax = 8;  // Commands of one message; more is a flaw.
constexpr std::uint8_t kNoAndX = 0xff;
constexpr std::uint16_t kUnicode = 0x8000, kNtStatus = 0x4000, kSigned = 0x0004, kSigningRequired = 0x0010;  // Flags 2.
constexpr std::uint16_t kTransactNmPipe = 0x26, kRawWriteNmPipe = 0x31, kWriteNmPipe = 0x37;

namespace op {
enum : std::uint8_t {
  kMkdir = 0x00, kRmdir = 0x01, kOpen = 0x02, kCreate = 0x03, kClose = 0x04, kFlush = 0x05, kDelete = 0x06, kRename = 0x07, kQueryInfo = 0x08,
  kSetInfo = 0x09, kRead = 0x0A, kWrite = 0x0B, kLock = 0x0C, kUnlock = 0x0D, kCreateTemporary = 0x0E, kCreateNew = 0x0F, kCheckDirectory = 0x10,
  kReadRaw = 0x1A, kWriteRaw = 0x1D, kSetInfo2 = 0x22, kQueryInfo2 = 0x23, kLocking = 0x24, kTransaction = 0x25, kIoctl = 0x27, kCopy = 0x29,
  kMove = 0x2A, kEcho = 0x2B, kWriteClose = 0x2C, kOpenAndX = 0x2D, kReadAndX = 0x2E, kWriteAndX = 0x2F, kTransaction2 = 0x32, kTreeConnect = 0x70,
  kTreeDisconnect = 0x71, kNegotiate = 0x72, kSessionSetup = 0x73, kLogoff = 0x74, kTreeConnectAndX = 0x75, kSearch = 0x81, kFind = 0x82,
  kNtTransact = 0xA0, kNtCreate = 0xA2, kNtCancel = 0xA4, kNtRename = 0xA5, kPrintFirst = 0xC0, kPrintLast = 0xC3
};
}

Command command_of(std::uint8_t code) {
  switch (code) {
    case op::kMkdir: return Command::MakeDirectory;
    case op::kRmdir: return Command::RemoveDirectory;
    case op::kOpen:
    case op::kCreate:
    case op::kCreateTemporary:
    case op::kCreateNew:
    case op::kOpenAndX:
    case op::kNtCreate: return Command::Create;
    case op::kClose: return Command::Close;
    case op::kFlush: return Command::Flush;
    case op::kDelete: return Command::Delete;
    case op::kRename:
    case op::kMove:
    case op::kNtRename: return Command::Rename;
    case op::kQueryInfo:
    case op::kQueryInfo2:
    case op::kCheckDirectory: return Command::QueryInfo;
    case op::kSetInfo:
    case op::kSetInfo2: return Command::SetInfo;
    case op::kRead:
    case op::kReadRaw:
    case op::kReadAndX: return Command::Read;
    case op::kWrite:
    case op::kWriteRaw:
    case op::kWriteClose:
    case op::kWriteAndX: return Command::Write;
    case op::kLock:
    case op::kUnlock:
    case op::kLocking: return Command::Lock;
    case op::kTransaction: return Command::Transaction;
    case op::kIoctl: return Command::Ioctl;
    case op::kCopy: return Command::Copy;
    case op::kEcho: return Command::Echo;
    case op::kTransaction2: return Command::Transaction2;
    case op::kTreeConnect:
    case op::kTreeConnectAndX: return Command::TreeConnect;
    case op::kTreeDisconnect: return Command::TreeDisconnect;
    case op::kNegotiate: return Command::Negotiate;
    case op::kSessionSetup: return Command::SessionSetup;
    case op::kLogoff: return Command::Logoff;
    case op::kSearch:
    case op::kFind: return Command::QueryDirectory;
    case op::kNtTransact: return Command::NtTransact;
    case op::kNtCancel: return Command::Cancel;
    default: return code >= op::kPrintFirst && code <= op::kPrintLast ? Command::Print : Command::Other;
  }
}

bool is_andx(std::uint8_t code) {
  return code == op::kLocking || (code >= op::kOpenAndX && code <= op::kWriteAndX) || (code >= op::kSessionSetup && code <= op::kTreeConnectAndX) ||
         code == op::kNtCreate;
}

struct Head {
  std::uint32_t status = 0;
  std::uint16_t flags2 = 0;
  std::uint64_t message = 0;
  TreeKey tree;
  bool unicode() const { return (flags2 & kUnicode) != 0; }
  bool failed() const { return (flags2 & kNtStatus) != 0 ? is_error(status) : (status & 0xff) != 0; }
};

Head read_head(Bytes part) {
  Head head;
  Reader in(part);
  in.seek(5);
  head.status = in.le32();
  in.skip(1);
  head.flags2 = in.le16();
  in.seek(24);
  head.tree.id = in.le16();
  const std::uint64_t process = in.le16();
  in.skip(2);
  head.message = process << 16 | in.le16();
  return head;
}

/// One command: its words and bytes, which Reader keeps from leaving the message.
class Request {
 public:
  Request(Session& session, Bytes part, bool cut, const Head& head) : session_(session), part_(part), cut_(cut), head_(head), in_(part) {}

  /// Reads the command at `at`; gives where its AndX says that the next one is, and which.
  void read(std::uint8_t code, std::size_t at);
  std::uint8_t next_code = kNoAndX;
  std::size_t next_at = 0;

 private:
  Describer& out() { return session_.describer(); }
  void bad() {
    if (!cut_) out().flaw(Flaw::BadLength);
  }
  std::size_t word(std::size_t index) const { return words_at_ + 2 * index; }
  std::uint16_t u16_at(std::size_t at) {
    in_.seek(at);
    return in_.le16();
  }
  std::uint32_t u32_at(std::size_t at) {
    in_.seek(at);
    return in_.le32();
  }
  std::optional<std::string_view> name(bool unicode);
  std::optional<std::string_view> counted_name(std::size_t size);
  void negotiate();
  void session_setup();
  void tree_connect(std::uint8_t code);
  void on_tree(std::uint8_t code);
  void write(std::uint8_t code, TreeKind kind);
  void transaction(TreeKind kind);
  std::uint8_t file_at(std::size_t at) { return session_.find_file(u16_at(at), 0); }

  Session& session_;
  Bytes part_;
  bool cut_;
  const Head& head_;
  Reader in_;
  std::size_t words_at_ = 0, words_ = 0, bytes_at_ = 0;
};

/// A name that ends with NUL, at the cursor; UTF-16 starts at an even offset from the header (MS-CIFS 2.2.1.1.2).
std::optional<std::string_view> Request::name(bool unicode) {
  if (!unicode) {
    const std::string_view rest = as_text(in_.rest());
    const std::size_t end = rest.find('\0');
    const std::string_view text = rest.substr(0, end);
    in_.skip(end == std::string_view::npos ? rest.size() : end + 1);
    if (end == std::string_view::npos) {
      bad();
      if (cut_) return std::nullopt;
    }
    return text;
  }
  if (in_.offset() % 2 != 0) in_.skip(1);
  const Bytes rest = in_.rest();
  std::size_t size = 0;
  while (size + 1 < rest.size() && (rest[size] | rest[size + 1]) != 0) size += 2;
  const bool ended = size + 1 < rest.size();
  in_.skip(ended ? size + 2 : rest.size());
  if (!ended) {
    bad();
    if (cut_) return std::nullopt;
  }
  return session_.unicode(rest.first(size));
}

std::optional<std::string_view> Request::counted_name(std::size_t size) {
  if (head_.unicode() && in_.offset() % 2 != 0) in_.skip(1);
  const Bytes raw = in_.bytes(size);
  if (!in_.ok()) {
    bad();
    return std::nullopt;
  }
  if (head_.unicode()) return session_.unicode(raw);
  return as_text(raw).substr(0, as_text(raw).find('\0'));
}

void Request::negotiate() {
  State& state = session_.state();
  state.negotiating = true;
  state.multi = false;
  state.nt_dialect_index = 0xff;
  state.client_signing = static_cast<std::uint8_t>((head_.flags2 & kSigningRequired) != 0 ? Signing::Required
                                                   : (head_.flags2 & kSigned) != 0        ? Signing::Enabled
                                                                                          : Signing::None);
  in_.seek(bytes_at_);
  bool any = false;
  for (std::uint8_t index = 0; in_.left() > 1 && index < 0xff; ++index) {
    if (in_.u8() != 2) {  // Each dialect is a buffer of format 2 (MS-CIFS 2.2.4.52.1).
      out().flaw(Flaw::BadMessage);
      break;
    }
    const auto dialect = name(false);
    if (!dialect) break;
    any = true;
    if (dialect->starts_with("SMB 2.")) state.multi = true;
    if (*dialect == "NT LM 0.12") state.nt_dialect_index = index;
  }
  if (!any) bad();
  if (any && !state.multi) out().word(kDialect, Dialect::Smb1);
}

void Request::session_setup() {
  const bool unicode = head_.unicode();
  std::size_t skip = 0;
  if (words_ == 12) {  // Extended security: a token (MS-SMB 2.2.4.6.1).
    const std::size_t length = u16_at(word(7));
    in_.seek(bytes_at_);
    const Bytes token = in_.bytes(length);
    if (!in_.ok()) return bad();
    return session_.describe_token(token);
  }
  if (words_ == 13) skip = std::size_t{u16_at(word(7))} + u16_at(word(8));
  else if (words_ == 10) skip = u16_at(word(7));
  else return bad();
  in_.seek(bytes_at_);
  in_.skip(skip);
  if (!in_.ok()) return bad();
  const auto user = name(unicode && words_ == 13);
  const auto realm = name(unicode && words_ == 13);
  out().word(field::kAuthScheme, session_.state().plain_passwords ? field::AuthScheme::Password : field::AuthScheme::Ntlm);
  session_.describe_account(user, realm);
}

void Request::tree_connect(std::uint8_t code) {
  bool unicode = head_.unicode();
  if (code == op::kTreeConnect) {
    in_.seek(bytes_at_);
    if (in_.u8() != 4) bad();
    unicode = false;
  } else {
    const std::size_t password = u16_at(word(3));
    in_.seek(bytes_at_);
    in_.skip(password);
  }
  if (!in_.ok()) {
    bad();
    return session_.connect_tree(std::nullopt, head_.message);
  }
  session_.connect_tree(name(unicode), head_.message);
}

void Request::write(std::uint8_t code, TreeKind kind) {
  const std::uint8_t place = file_at(word(code == op::kWriteAndX ? 2 : 0));
  session_.describe_file(place, kind);
  if (code != op::kWriteAndX || words_ < 12) return;
  const std::uint64_t low = u32_at(word(3)), high = words_ >= 14 ? u32_at(word(12)) : 0;
  const std::uint64_t length = std::uint64_t{u16_at(word(9))} << 16 | u16_at(word(10));
  const std::size_t offset = u16_at(word(11));
  if (!in_.ok()) return bad();
  if (kind != TreeKind::Pipe) out().number(field::kFileBytes, (high << 32 | low) + length);
  if (offset <= part_.size()) session_.describe_payload(place, kind, part_.subspan(offset, std::min<std::uint64_t>(length, part_.size() - offset)), length);
}

/// Named pipes by transaction: words 14 and 15 are the function and the file (MS-CIFS 2.2.5.6).
void Request::transaction(TreeKind kind) {
  const std::size_t length = u16_at(word(11)), offset = u16_at(word(12));
  in_.seek(word(13));
  const unsigned setup = in_.u8();
  if (!in_.ok()) return bad();
  if (setup < 2 || words_ < 16 || kind == TreeKind::Disk) {
    // Mailslots and \PIPE\LANMAN: the name is all there is (MS-RAP 2.2.2).
    in_.seek(bytes_at_);
    if (kind != TreeKind::Disk && setup == 0) session_.describe_path(name(head_.unicode()), TreeKind::Pipe);
    return;
  }
  const std::uint16_t function = u16_at(word(14));
  const std::uint8_t place = file_at(word(15));
  session_.describe_file(place, TreeKind::Pipe);
  if (function != kTransactNmPipe && function != kRawWriteNmPipe && function != kWriteNmPipe) return;
  if (offset > part_.size() || length > part_.size() - offset) {
    bad();
    if (offset > part_.size()) return;
  }
  session_.describe_payload(place, TreeKind::Pipe, part_.subspan(offset, std::min(length, part_.size() - offset)), length);
}

void Request::on_tree(std::uint8_t code) {
  session_.in_the_clear();
  const TreeKind kind = session_.describe_tree(head_.tree);
  switch (code) {
    case op::kNtCreate: {
      in_.seek(word(2) + 1);  // After AndX (two words) and a reserved byte.
      const std::size_t size = in_.le16();
      in_.seek(bytes_at_);
      session_.open_file(counted_name(size), kind, head_.message);
      break;
    }
    case op::kOpenAndX:
      in_.seek(bytes_at_);
      session_.open_file(name(head_.unicode()), kind, head_.message);
      break;
    case op::kOpen:
    case op::kCreate:
    case op::kCreateNew:
    case op::kMkdir:
    case op::kRmdir:
    case op::kDelete:
    case op::kRename: {
      in_.seek(bytes_at_);
      if (in_.u8() != 4) bad();  // Buffer format: a path (MS-CIFS 2.2.1.1.4).
      const auto path = name(head_.unicode());
      if (code >= op::kOpen && code <= op::kCreateNew && code != op::kDelete && code != op::kRename) session_.open_file(path, kind, head_.message);
      else session_.describe_path(path, kind);
      break;
    }
    case op::kWrite:
    case op::kWriteClose:
    case op::kWriteRaw:
    case op::kWriteAndX: write(code, kind); break;
    case op::kReadAndX: session_.describe_file(file_at(word(2)), kind); break;
    case op::kRead:
    case op::kReadRaw:
    case op::kFlush:
    case op::kClose: session_.describe_file(file_at(word(0)), kind); break;
    case op::kTransaction: transaction(kind); break;
    case op::kTreeDisconnect: session_.tree_closed(head_.tree); break;
    default: break;
  }
}

void Request::read(std::uint8_t code, std::size_t at) {
  if (code != op::kNegotiate) session_.expect_negotiated(true);
  session_.begin(command_of(code));
  in_.seek(at);
  words_ = in_.u8();
  words_at_ = at + 1;
  in_.skip(2 * words_);
  const std::size_t bytes = in_.le16();
  bytes_at_ = words_at_ + 2 * words_ + 2;
  if (!in_.ok()) bad();
  else if (bytes > in_.left() && code != op::kWriteAndX && !cut_) out().flaw(Flaw::BadMessage);  // Old clients count one too many.
  if (is_andx(code) && words_ >= 2) {
    next_code = part_.size() > word(0) ? part_[word(0)] : kNoAndX;
    next_at = u16_at(word(1));
  }
  const bool readable = bytes_at_ <= part_.size();
  in_ = Reader(part_);
  if (readable) {
    switch (code) {
      case op::kNegotiate: negotiate(); break;
      case op::kSessionSetup: session_setup(); break;
      case op::kTreeConnect:
      case op::kTreeConnectAndX: tree_connect(code); break;
      case op::kLogoff:
      case op::kEcho:
      case op::kNtCancel: break;
      default: on_tree(code); break;
    }
  }
  session_.finish();
  if (code == op::kClose && readable) session_.file_closed(file_at(word(0)));
}

void answer_negotiate(Session& session, Bytes part, const Head& head) {
  State& state = session.state();
  state.negotiating = true;
  if (head.failed()) return;
  Reader in(part);
  in.seek(32);
  const unsigned words = in.u8();
  const std::uint16_t index = in.le16();
  const std::uint8_t mode = in.u8();
  if (!in.ok() || words == 0) return session.describer().flaw(Flaw::BadLength);
  if (index == 0xffff) return;  // None of the dialects (MS-CIFS 2.2.4.52.2): there is no session.
  session.begin(Command::Negotiate, true);
  // Signing came with NT LM 0.12, whose answer has 17 words; in older ones the bits mean nothing.
  const bool nt = words == 17;
  state.plain_passwords = words == 1 || (mode & 2) == 0;
  session.negotiated(Dialect::Smb1, nt && (mode & 8) != 0 ? Signing::Required : nt && (mode & 4) != 0 ? Signing::Enabled : Signing::None);
  session.finish();
}

void read_answer(Session& session, Bytes part, const Head& head) {
  const std::uint8_t code = part[4];
  if (code != op::kNegotiate) session.expect_negotiated(true);
  Reader in(part);
  switch (code) {
    case op::kNegotiate: return answer_negotiate(session, part, head);
    case op::kSessionSetup:
      if (head.status == kStatusMoreProcessing) break;
      session.begin(Command::SessionSetup, true);
      session.describe_result(head.failed() ? 0xC0000000 : 0);
      session.finish();
      break;
    case op::kNtCreate: {
      in.seek(38);
      const std::uint16_t id = in.le16();
      session.file_opened(head.message, id, 0, head.failed() || !in.ok());
      break;
    }
    case op::kOpenAndX:
    case op::kOpen:
    case op::kCreate:
    case op::kCreateNew: {
      in.seek(code == op::kOpenAndX ? 37 : 33);
      const std::uint16_t id = in.le16();
      session.file_opened(head.message, id, 0, head.failed() || !in.ok());
      break;
    }
    default: break;
  }
  // A tree connect may stand behind a session setup in the chain; either way the id is in the header. The kind comes from the name.
  if (code == op::kTreeConnectAndX || code == op::kTreeConnect || code == op::kSessionSetup) {
    if (head.failed() || head.tree.id != 0xffff) session.tree_opened(head.message, head.tree, false, head.failed());
  }
}

}  // namespace

std::size_t smb1_wanted(Bytes head, bool answer) {
  if (head.size() < kSmb1HeaderBytes + 1) return head.size();
  switch (head[4]) {
    case op::kWriteAndX:
    case op::kWriteRaw:
    case op::kWriteClose:
    case op::kWrite:
    case op::kTransaction2:
    case op::kNtTransact: return answer ? 64 : 256 + kPayloadBytesMax;
    case op::kTransaction: return answer ? 64 : 256 + 2 * kPayloadBytesMax;
    default: return answer ? 128 : kMessageBytesMax;
  }
}

void read_smb1(Session& session, Bytes part, std::size_t size, bool answer) {
  if (size < kSmb1HeaderBytes + 3 || part.size() < kSmb1HeaderBytes + 3) return session.describer().flaw(Flaw::BadLength);
  const Head head = read_head(part);
  if (answer) return read_answer(session, part, head);
  std::uint8_t code = part[4];
  std::size_t at = kSmb1HeaderBytes;
  for (std::size_t commands = 0; commands < kChainMax; ++commands) {
    Request request(session, part, part.size() < size, head);
    request.read(code, at);
    if (request.next_code == kNoAndX || request.next_at == 0) return;
    if (request.next_at <= at || request.next_at >= part.size()) {  // Must go forwards, inside (MS-CIFS 2.2.3.4).
      if (part.size() == size || request.next_at <= at) session.describer().flaw(Flaw::BadLength);
      return;
    }
    code = request.next_code;
    at = request.next_at;
  }
  session.describer().flaw(Flaw::TooDeep);
}

}  // namespace weir::proto::smb
