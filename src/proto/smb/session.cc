// SPDX-License-Identifier: Apache-2.0
#include "proto/smb/session.h"

#include <algorithm>

#include "base/text.h"
#include "facts/field_ids.h"
#include "proto/dcerpc/fields.h"
#include "proto/ntlmssp.h"
#include "proto/utf16.h"

namespace weir::proto::smb {
namespace {

std::string_view last_component(std::string_view path) {
  const std::size_t at = path.find_last_of("\\/");
  return at == std::string_view::npos ? path : path.substr(at + 1);
}

/// `\pipe\svcctl`, `PIPE\svcctl` and `\svcctl` all open svcctl (MS-CIFS 2.2.1.1.5, MS-SMB2 2.2.13).
std::string_view pipe_name(std::string_view name) {
  while (!name.empty() && (name[0] == '\\' || name[0] == '/')) name.remove_prefix(1);
  if (starts_nocase(name, "pipe\\") || starts_nocase(name, "pipe/")) name.remove_prefix(5);
  return name;
}

}  // namespace

void Session::begin(Command command, bool answer) {
  describer_.begin_transaction(0, answer);
  state_.text_used = 0;
  describer_.word(kCommand, command);
}

void Session::finish() {
  describer_.described();
  describer_.end_transaction();
}

std::span<char> Session::room() { return std::span<char>(state_.text).subspan(state_.text_used); }

std::optional<std::string_view> Session::unicode(Bytes utf16) {
  const auto text = utf8_of_utf16le(utf16, room());
  if (text) state_.text_used = static_cast<std::uint16_t>(state_.text_used + text->size());
  return text;
}

std::string_view Session::kept_text(std::string_view text) {
  const std::span<char> to = room();
  if (text.size() > to.size()) return {};
  text.copy(to.data(), text.size());
  state_.text_used = static_cast<std::uint16_t>(state_.text_used + text.size());
  return {to.data(), text.size()};
}

TreeKind Session::describe_tree(const TreeKey& key) {
  for (Tree& tree : state_.trees) {
    if (!tree.used || tree.waits || tree.id != key.id || tree.session != key.session) continue;
    const std::string_view name = kept_text(tree.share.view());
    if (name.empty()) describer_.hide(kShare);
    else describer_.text(kShare, name);
    return tree.kind;
  }
  describer_.hide(kShare);
  return TreeKind::Unknown;
}

void Session::connect_tree(std::optional<std::string_view> path, std::uint64_t message) {
  Tree& tree = state_.trees[state_.next_tree];
  state_.next_tree = static_cast<std::uint8_t>((state_.next_tree + 1) % kTreesMax);
  tree = {};
  tree.used = tree.waits = true;
  tree.message = message;
  if (!path || last_component(*path).empty()) {
    tree.share.long_name = true;
    describer_.hide(kShare);
    return;
  }
  const std::string_view share = last_component(*path);
  tree.kind = equals_nocase(share, "IPC$") ? TreeKind::Pipe : TreeKind::Disk;
  tree.share.set(share);
  describer_.text(kShare, share);
}

void Session::tree_opened(std::uint64_t message, const TreeKey& key, bool is_pipe, bool failed) {
  for (Tree& tree : state_.trees) {
    if (!tree.used || !tree.waits || tree.message != message) continue;
    if (failed) {
      tree.used = false;
      return;
    }
    tree_closed(key);  // An id that is given again names what it is given for last.
    tree.waits = false;
    tree.id = key.id;
    tree.session = key.session;
    if (is_pipe) tree.kind = TreeKind::Pipe;
    else if (tree.kind == TreeKind::Unknown) tree.kind = TreeKind::Disk;
    return;
  }
}

void Session::tree_closed(const TreeKey& key) {
  for (Tree& tree : state_.trees)
    if (tree.used && !tree.waits && tree.id == key.id && tree.session == key.session) tree.used = false;
}

void Session::say_name(std::string_view name, TreeKind kind) {
  const std::string_view pipe = pipe_name(name);
  // On a tree that is not known (picked up in its middle, or forgotten) a name may be either's, so either's rules hold.
  if (kind == TreeKind::Pipe || (kind == TreeKind::Unknown && pipe.find('\\') == std::string_view::npos)) {
    if (!pipe.empty()) describer_.text(kPipe, pipe);
    if (kind == TreeKind::Pipe) return;
  }
  if (name.empty()) return;  // The root of the share.
  describer_.text(kFile, name);
  describer_.text(field::kFileName, last_component(name));
}

void Session::describe_path(std::optional<std::string_view> name, TreeKind kind) {
  if (name) return say_name(*name, kind);
  if (kind != TreeKind::Disk) describer_.hide(kPipe);
  if (kind != TreeKind::Pipe) describer_.hide(kFile), describer_.hide(field::kFileName);
}

std::uint8_t Session::open_file(std::optional<std::string_view> name, TreeKind kind, std::uint64_t message) {
  describe_path(name, kind);
  const std::uint8_t place = state_.next_file;
  state_.next_file = static_cast<std::uint8_t>((place + 1) % kFilesMax);
  File& file = state_.files[place];
  file = {};
  file.used = file.waits = true;
  file.message = message;
  file.is_pipe = kind == TreeKind::Pipe;
  if (name) file.name.set(*name);
  else file.name.long_name = true;
  return place;
}

void Session::file_opened(std::uint64_t message, std::uint64_t id, std::uint64_t id2, bool failed) {
  for (File& file : state_.files) {
    if (!file.used || !file.waits || file.message != message) continue;
    if (failed) {
      file.used = false;
      return;
    }
    file_closed(find_file(id, id2));
    file.waits = false;
    file.id[0] = id;
    file.id[1] = id2;
    return;
  }
}

std::uint8_t Session::find_file(std::uint64_t id, std::uint64_t id2) const {
  for (std::size_t i = 0; i < kFilesMax; ++i) {
    const File& file = state_.files[i];
    if (file.used && !file.waits && file.id[0] == id && file.id[1] == id2) return static_cast<std::uint8_t>(i);
  }
  return kNoFile;
}

void Session::describe_file(std::uint8_t place, TreeKind kind) {
  if (place >= kFilesMax || !state_.files[place].used || state_.files[place].name.long_name) return describe_path(std::nullopt, kind);
  const std::string_view name = kept_text(state_.files[place].name.view());
  say_name(name, state_.files[place].is_pipe ? TreeKind::Pipe : kind);
}

void Session::file_closed(std::uint8_t place) {
  if (place < kFilesMax) state_.files[place].used = false;
}

void Session::describe_payload(std::uint8_t place, TreeKind kind, Bytes payload, std::uint64_t payload_bytes) {
  if (kind == TreeKind::Disk) return;
  // A pipe that we did not see opened has nothing remembered; its messages still tell their own.
  dcerpc::Association unknown{};
  const bool known = place < kFilesMax && state_.files[place].used;
  dcerpc::Association& rpc = known ? state_.files[place].rpc : unknown;
  const std::size_t size = static_cast<std::size_t>(std::min<std::uint64_t>(payload_bytes, 0xffffffff));
  dcerpc::describe_pipe(payload, size, rpc, state_.interfaces, room(), describer_);
}

void Session::describe_token(Bytes token) {
  state_.user = {};
  state_.realm = {};
  if (!describe_security_token(token, room(), describer_)) return;
  // Once more, into what is remembered for the answer.
  NtlmMessage message;
  const SecurityToken found = find_security_token(token);
  if (found.kind != TokenKind::Ntlm || !parse_ntlm(found.ntlm, message)) return;
  char text[kAccountBytesMax];
  if (const auto user = ntlm_text(message, message.user, text)) state_.user.set(*user);
  else state_.user.long_name = true;
  if (const auto realm = ntlm_text(message, message.domain, text)) state_.realm.set(*realm);
  else state_.realm.long_name = true;
}

void Session::describe_account(std::optional<std::string_view> user, std::optional<std::string_view> realm) {
  state_.user = {};
  state_.realm = {};
  if (!user) return describer_.hide(field::kAuthUser);
  state_.user.set(*user);
  if (!user->empty()) describer_.text(field::kAuthUser, *user);
  if (!realm) return describer_.hide(field::kAuthRealm);
  state_.realm.set(*realm);
  if (!realm->empty()) describer_.text(field::kAuthRealm, *realm);
}

void Session::describe_result(std::uint32_t status) {
  if (status == kStatusMoreProcessing) return;
  const auto say = [&](FieldId id, const Kept<kAccountBytesMax>& kept) {
    if (kept.long_name) return describer_.hide(id);
    if (const std::string_view name = kept_text(kept.view()); !name.empty()) describer_.text(id, name);
  };
  say(field::kAuthUser, state_.user);
  say(field::kAuthRealm, state_.realm);
  describer_.word(field::kAuthResult, is_error(status) ? field::AuthResult::Failed : field::AuthResult::Ok);
}

void Session::negotiated(Dialect dialect, Signing server) {
  describer_.word(kDialect, dialect);
  describer_.word(kSigning, std::max(server, static_cast<Signing>(state_.client_signing)));
  describer_.reach(kNegotiated);
  state_.negotiated = true;
}

void Session::expect_negotiated(bool smb1) {
  if (state_.negotiating) return;
  state_.negotiating = true;
  // SMB 1 commands are sent only where SMB 1 was chosen; SMB 2 headers are alike in all of its dialects.
  if (smb1) describer_.word(kDialect, Dialect::Smb1);
  else describer_.hide(kDialect);
  describer_.hide(kSigning);
  describer_.reach(kNegotiated);
}

void Session::in_the_clear() {
  if (describer_.state(kEncrypted) == FactState::NotYet) describer_.flag(kEncrypted, false);
}

}  // namespace weir::proto::smb
