// SPDX-License-Identifier: Apache-2.0
#pragma once

// The rsync daemon's protocol, as its own documentation (rsyncd.conf, csprotocol.txt of its sources) tells it: greetings, the module, who logs in, and
// which way files will go. What follows is binary and passed over. rsync over SSH is SSH.
//
//   S  @RSYNCD: 31.0 sha512 md5        C  @RSYNCD: 31.0 sha512 md5        C  module (or #list, or an empty line)
//   S  message of the day …            S  @RSYNCD: AUTHREQD challenge     C  user response
//   S  @RSYNCD: OK   or   @ERROR: …    C  --server NUL --sender NUL … NUL NUL    (from version 30 on; lines before)
//
// The one transaction is a module asked for, from the client's greeting on.

#include "facts/field_ids.h"
#include "proto/identify/rows.h"
#include "proto/lines.h"
#include "proto/protocol.h"

namespace weir::proto {

namespace rsync {

enum : FieldId { kVersion = 320, kModule, kOp };
enum class Op : std::uint8_t { List = 1, Read, Write };

inline constexpr std::uint8_t kAsked = milestone::kOwn;         ///< The module is named.
inline constexpr std::uint8_t kDirected = milestone::kOwn + 1;  ///< The client's arguments are read.

inline constexpr Word kOps[] = {{"list", 1}, {"read", 2}, {"write", 3}};
// clang-format off
inline constexpr FieldRow kFields[] = {
    {kVersion, "rsync.version", FieldType::Number, Scope::Transaction, kAsked, false, on::kAll, {}, "Version of the protocol that the client offers."},
    {kModule, "rsync.module", FieldType::Text, Scope::Transaction, kAsked, false, on::kAll, {}, "Module of the daemon that is asked for; absent where the client lists them."},
    {kOp, "rsync.op", FieldType::Word, Scope::Transaction, kDirected, false, on::kAll, kOps, "What the client wants: the modules' names, to read files, or to write them."},
};
// clang-format on
inline constexpr FieldId kShared[] = {field::kAuthUser, field::kAuthScheme, field::kAuthResult};

enum class Stage : std::uint8_t { Greeting, Module, Answer, Login, LoginAnswer, Arguments };

struct State {
  LineState lines[2];
  Stage stage;
  std::uint8_t arguments;   ///< Read so far.
  bool open, greeted, has_auth, sender;
  std::uint16_t version;
};

Progress parse(State& state, const Input& input, Describer& describer);

}  // namespace rsync

inline constexpr Protocol kRsync = {.name = "rsync",
                                    .tcp_ports = identify::ports::kRsyncTcp,
                                    .tcp = true,
                                    .identify = identify::rsync,
                                    .fields = rsync::kFields,
                                    .shared = rsync::kShared,
                                    .state_bytes = sizeof(rsync::State),
                                    .parse = parse_as<rsync::State, rsync::parse>};

}  // namespace weir::proto
