// SPDX-License-Identifier: Apache-2.0
#pragma once

// ONC RPC (RFC 5531) over UDP and TCP, and what NFS 2 to 4 (RFC 1094, 1813, 7530, 8881) and MOUNT say in it: calls with who makes them (AUTH_SYS;
// Kerberos by RPCSEC_GSS, RFC 2203), names and what is read and written. A transaction is a call with its reply; a reply that comes while another
// call is open has one of its own, with the call's program.
//
//   record   last 1, length 31 | fragment | …                                       TCP only (RFC 5531, 11)
//   call     xid | 0 | 2 | program | version | procedure | credential | verifier | arguments
//   reply    xid | 1 | accepted 0 | verifier | status | results,   or   xid | 1 | denied 1 | why
//
// Read are the first kHeadBytes of a message; the rest of what is written or read passes by. A handle names a file only to its server, so file.name is
// there where a name is: LOOKUP, CREATE, OPEN, REMOVE, RENAME (the new one) and their like. Data that begin a file tell its type.
//
// Left out: the locks' and the status program's arguments, what RPCSEC_GSS encrypts (hidden), pNFS.

#include "proto/identify/rows.h"
#include "proto/protocol.h"
#include "proto/rpc/fields.h"

namespace weir::proto {

namespace rpc {

inline constexpr std::size_t kHeadBytes = 2048;
inline constexpr std::size_t kCallsMax = 32;       ///< That await their replies.
inline constexpr std::size_t kNameBytesMax = 512;  ///< Of the names of one call.

/// A call that awaits its reply.
struct Call {
  std::uint32_t xid, program, procedure;
  std::uint8_t version;
  bool reads_begin;  ///< It reads a file's first bytes.
  bool has_account;
};

/// A side's record (TCP), as far as it is read.
struct Record {
  std::uint32_t left;  ///< Of the fragment.
  std::uint16_t kept;  ///< Of the message's head, where it is cut by fragments.
  bool in_fragment, last, head_done;
};

struct State {
  Record records[2];
  Call calls[kCallsMax];
  std::uint8_t next_call;
  bool open;
  std::uint32_t current;  ///< xid of the open transaction.
  std::uint16_t name_bytes;
  char user[16];
  char name[kNameBytesMax];
};

Progress parse(State& state, const Input& input, Describer& describer);

/// What a call's arguments say.
struct Arguments {
  bool reads_begin = false;
};
/// NFS of any version and MOUNT: the arguments of `procedure`, behind the verifier.
Arguments describe_arguments(State& state, Describer& describer, std::uint32_t program, std::uint32_t version, std::uint32_t procedure, Bytes rest);
/// The first bytes that a READ brought, from the results of `call`; empty if there are none.
Bytes data_read(const Call& call, Bytes results);

}  // namespace rpc

inline constexpr Protocol kNfs = {.name = "nfs",
                                  .tcp_ports = identify::ports::kNfsTcp,
                                  .udp_ports = identify::ports::kNfsUdp,
                                  .tcp = true,
                                  .udp = true,
                                  .identify = identify::nfs,
                                  .fields = rpc::kFields,
                                  .shared = rpc::kShared,
                                  .state_bytes = sizeof(rpc::State),
                                  .parse = parse_as<rpc::State, rpc::parse>};
inline constexpr Protocol kSunrpc = {.name = "sunrpc",
                                     .tcp_ports = identify::ports::kSunrpcTcp,
                                     .udp_ports = identify::ports::kSunrpcUdp,
                                     .tcp = true,
                                     .udp = true,
                                     .identify = identify::sunrpc,
                                     .fields = rpc::kFields,
                                     .shared = rpc::kShared,
                                     .state_bytes = sizeof(rpc::State),
                                     .parse = parse_as<rpc::State, rpc::parse>};

}  // namespace weir::proto
