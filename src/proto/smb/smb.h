// SPDX-License-Identifier: Apache-2.0
#pragma once

// SMB 1 (MS-CIFS, MS-SMB) and SMB 2 and 3 (MS-SMB2) over NetBIOS sessions (RFC 1002, 4.3) or straight over TCP (MS-SMB2 2.1),
// which frame alike. Every request is a transaction; of the answers only negotiate and session setup are, the others are
// read for what they name: the id of a tree, of an open file. Those names are kept in small tables, the oldest makes room,
// so that a rule on a share or a pipe holds for the commands on it; what is not remembered is hidden.
//
// Of each message only its first part is awaited (names, and 2 KiB of what is written); the rest is passed over, never kept.
// What is not read: SMB 2 answers' contents, oplocks, leases, SMB Direct, and anything encrypted or compressed, which is said.
//
// Least evidence of `smb`: a frame header and the protocol id of one side, 8 bytes. Of `nbss`: a session request with a whole
// first-level encoded name. A session that began with a request is nbss, and nbss → smb from its first message on.

#include "facts/field_ids.h"
#include "proto/dcerpc/dcerpc.h"
#include "proto/dcerpc/fields.h"
#include "proto/protocol.h"
#include "proto/smb/fields.h"

namespace weir::proto::smb {

inline constexpr std::size_t kTreesMax = 12, kFilesMax = 14;
inline constexpr std::size_t kShareBytesMax = 32, kFileNameBytesMax = 48;  ///< Kept of each; longer is hidden in later commands.
inline constexpr std::size_t kTextBytesMax = 768;    ///< Of the names in one command, in UTF-8.
inline constexpr std::size_t kAccountBytesMax = 64;
inline constexpr std::size_t kPayloadBytesMax = 2048;  ///< Of what is written, awaited for a look.
inline constexpr std::size_t kMessageBytesMax = 32768; ///< Of one message, awaited at most.

enum class TreeKind : std::uint8_t { Unknown, Disk, Pipe };

/// A remembered name; `long_name` where it did not fit.
template <std::size_t Max>
struct Kept {
  std::uint8_t size;
  bool long_name;
  char text[Max];

  void set(std::string_view value) {
    long_name = value.size() > Max;
    size = long_name ? 0 : static_cast<std::uint8_t>(value.size());
    value.copy(text, size);
  }
  std::string_view view() const { return {text, size}; }
};

struct Tree {
  std::uint64_t session, message;  ///< `message`: of the request, while its answer is awaited.
  std::uint32_t id;
  bool used, waits;
  TreeKind kind;
  Kept<kShareBytesMax> share;
};

struct File {
  std::uint64_t id[2];
  std::uint64_t message;
  bool used, waits, is_pipe;
  Kept<kFileNameBytesMax> name;
  dcerpc::Association rpc;
};

/// A read from a file's beginning whose answer is awaited.
struct FirstRead {
  std::uint64_t message;
  std::uint8_t place;  ///< Of the file.
  TreeKind kind;
  bool used;
};

struct SideState {
  std::uint32_t left;   ///< Bytes of the frame's message not yet consumed.
  bool inside;          ///< A message of the frame has begun: what follows is part of a compound.
  std::uint8_t broken;  ///< Messages that were none; past a bound we stop reading.
};

struct State {
  SideState sides[2];
  bool oriented, swapped;   ///< Whether the client is the one who asks is told by its first message.
  bool negotiating;         ///< A negotiate was seen: what comes is not the middle of a session.
  bool negotiated, multi;   ///< `multi`: an SMB 1 request that offers SMB 2.
  bool plain_passwords;     ///< SMB 1: the server does not take challenges.
  std::uint8_t client_signing;  ///< Words of Signing.
  std::uint8_t next_tree, next_file;
  std::uint8_t nt_dialect_index;
  std::uint8_t chain_file;  ///< Compound: place of the file that the one before opened or used, plus one.
  std::uint32_t chain_tree;
  std::uint64_t chain_session;
  Kept<kAccountBytesMax> user, realm;
  std::uint16_t text_used;
  Tree trees[kTreesMax];
  File files[kFilesMax];
  FirstRead reads[4];  ///< The oldest makes room.
  std::uint8_t next_read;
  dcerpc::Interfaces interfaces;
  char text[kTextBytesMax];
};
static_assert(sizeof(State) <= 4096);

/// Before the first message a session has nothing to remember.
struct NbssState {
  std::uint8_t unused;
};

Match identify_smb(const Evidence& evidence);
Match identify_nbss(const Evidence& evidence);
Progress parse_smb(State& state, const Input& input, Describer& describer);
Progress parse_nbss(NbssState& state, const Input& input, Describer& describer);

inline constexpr std::uint16_t kNbssPorts[] = {139};
inline constexpr std::uint16_t kSmbPorts[] = {139, 445};
inline constexpr FieldId kShared[] = {field::kAuthUser, field::kAuthRealm,  field::kAuthScheme,  field::kAuthResult,
                                      field::kFileType, field::kFileName, field::kFileBytes, dcerpc::kInterface, dcerpc::kOpnum};

inline constexpr Protocol kSmb = {
    .name = "smb",
    .tcp_ports = kSmbPorts,
    .tcp = true,
    .identify = identify_smb,
    .fields = kFields,
    .shared = kShared,
    .state_bytes = sizeof(State),
    .parse = parse_as<State, parse_smb>,
};

inline constexpr Protocol kNbss = {
    .name = "nbss",
    .tcp_ports = kNbssPorts,
    .tcp = true,
    .identify = identify_nbss,
    .state_bytes = sizeof(NbssState),
    .parse = parse_as<NbssState, parse_nbss>,
    .may_extend = true,
};

}  // namespace weir::proto::smb
