// SPDX-License-Identifier: Apache-2.0
#pragma once

// Session: what SMB 1 and SMB 2 messages have in common, over the plain State of one flow: names into UTF-8, the tables of trees and
// files, and the facts that every command writes. It lives for one call of the parser.

#include <optional>

#include "proto/smb/smb.h"

namespace weir::proto::smb {

/// How a tree is named within a connection.
struct TreeKey {
  std::uint64_t session = 0;  ///< SMB 1: nought, its tree ids are of the connection.
  std::uint32_t id = 0;
};

class Session {
 public:
  Session(State& state, Describer& describer) : state_(state), describer_(describer) {}

  State& state() { return state_; }
  Describer& describer() { return describer_; }

  /// Begins the transaction of one command.
  void begin(Command command, bool answer = false);
  /// Lets rules run and ends it.
  void finish();

  /// Text of the command at hand, in memory that outlives the call; nothing if it is too long.
  std::optional<std::string_view> unicode(Bytes utf16);
  /// What is left of that memory.
  std::span<char> room();

  /// Says smb.share of a tree; hidden if it is not remembered. Gives its kind.
  TreeKind describe_tree(const TreeKey& key);
  /// A path `\\server\share`: says smb.share and remembers it until the answer to `message` brings the id.
  void connect_tree(std::optional<std::string_view> path, std::uint64_t message);
  void tree_opened(std::uint64_t message, const TreeKey& key, bool is_pipe, bool failed);
  void tree_closed(const TreeKey& key);

  /// The name in an open: smb.pipe or smb.file by the tree's kind, and remembers it. Gives the file's place.
  std::uint8_t open_file(std::optional<std::string_view> name, TreeKind kind, std::uint64_t message);
  void file_opened(std::uint64_t message, std::uint64_t id, std::uint64_t id2, bool failed);
  /// Place of a file, or kNoFile.
  std::uint8_t find_file(std::uint64_t id, std::uint64_t id2) const;
  void describe_file(std::uint8_t place, TreeKind kind);
  void file_closed(std::uint8_t place);
  /// A name that is used without being opened (SMB 1 delete, rename).
  void describe_path(std::optional<std::string_view> name, TreeKind kind);
  /// What a client writes to a file; DCE/RPC if it is a pipe's.
  void describe_payload(std::uint8_t place, TreeKind kind, Bytes payload, std::uint64_t payload_bytes);

  /// The names and facts of a token in a session setup, remembered for its answer.
  void describe_token(Bytes token);
  void describe_account(std::optional<std::string_view> user, std::optional<std::string_view> realm);
  void describe_result(std::uint32_t status);

  /// The flow's dialect and signing are known.
  void negotiated(Dialect dialect, Signing server);
  /// Commands before any negotiate: picked up in its middle.
  void expect_negotiated(bool smb1);
  void in_the_clear();

  static constexpr std::uint8_t kNoFile = 0xff;

 private:
  void say_name(std::string_view name, TreeKind kind);
  std::string_view kept_text(std::string_view text);

  State& state_;
  Describer& describer_;
};

inline constexpr std::uint32_t kStatusPending = 0x103, kStatusMoreProcessing = 0xC0000016;
inline bool is_error(std::uint32_t status) { return status >> 30 == 3; }

/// Bytes of a message (from its header) that are worth waiting for; `head` holds its first 64, or all of it.
std::size_t smb2_wanted(Bytes head, bool answer);
std::size_t smb1_wanted(Bytes head, bool answer);
/// One message whose first part is `part`; `size` is the whole.
void read_smb2(Session& session, Bytes part, std::size_t size, bool answer, bool chained);
void read_smb1(Session& session, Bytes part, std::size_t size, bool answer);

inline constexpr std::size_t kSmb2HeaderBytes = 64, kSmb1HeaderBytes = 32;

}  // namespace weir::proto::smb
