// SPDX-License-Identifier: Apache-2.0
#pragma once

// FTP's control connection (RFC 959, 2228, 2428, 4217). A transaction is a command and its answers: described when the command's
// line is complete and, where the answer tells something, again then. Data connections that are announced are expected as `ftp-data`.
//
// ftp.bounce is true for PORT, EPRT and LPRT to an address that is not the client's (RFC 2577) and for a 227 answer that is not the
// server's. Where several commands await answers, only the newest one's transaction is open: earlier answers add nothing.

#include "facts/field_ids.h"
#include "proto/lines.h"
#include "proto/protocol.h"

namespace weir::proto {

namespace ftp {

enum : FieldId { kCommand = 264, kArgument, kBounce };

inline constexpr std::uint8_t kCommandRead = milestone::kOwn;

// clang-format off
inline constexpr FieldRow kFields[] = {
    {kCommand, "ftp.command", FieldType::Text, Scope::Transaction, kCommandRead, false, on::kAll, {}, "Command, upper case (RFC 959, 4.1)."},
    {kArgument, "ftp.argument", FieldType::Text, Scope::Transaction, kCommandRead, false, on::kAll, {}, "Its argument; a password is never told."},
    {kBounce, "ftp.bounce", FieldType::Boolean, Scope::Transaction, milestone::kTransaction, false, on::kAll, {}, "true: the data connection is to go to an address that is not the peer's (RFC 2577)."},
};
// clang-format on
inline constexpr FieldId kShared[] = {field::kAuthUser, field::kAuthScheme, field::kAuthResult, field::kFileName};

enum class Awaited : std::uint8_t { Nothing, Login, Tls, Passive, ExtendedPassive, Other };

struct State {
  LineState lines[2];
  std::uint16_t awaiting;      ///< Commands without a final answer.
  Awaited awaited;             ///< What the newest command's answer may tell.
  bool open, greeted, in_reply;
  char reply_code[3];          ///< Of a reply of several lines, which ends at this code and a blank (RFC 959, 4.2).
  char command[8];
  std::uint8_t user_bytes;
  char user[128];              ///< USER's argument, for the transaction of PASS.
};

Match identify(const Evidence& evidence);
Progress parse(State& state, const Input& input, Describer& describer);

inline constexpr std::uint16_t kPorts[] = {21};

}  // namespace ftp

inline constexpr Protocol kFtp = {.name = "ftp",
                                  .tcp_ports = ftp::kPorts,
                                  .tcp = true,
                                  .identify = ftp::identify,
                                  .fields = ftp::kFields,
                                  .shared = ftp::kShared,
                                  .state_bytes = sizeof(ftp::State),
                                  .parse = parse_as<ftp::State, ftp::parse>,
                                  .may_extend = true, .teaches = Teaches::Flows};
inline constexpr std::uint16_t kFtpDataPorts[] = {20};
namespace ftp {
inline constexpr FieldId kDataShared[] = {field::kFileType};
struct DataState {
  bool told;
};
/// A data connection: what its first bytes are (a listing is none of the kinds).
Progress parse_data(DataState& state, const Input& input, Describer& describer);
}  // namespace ftp
/// Known by its announcement only.
inline constexpr Protocol kFtpData = {.name = "ftp-data", .tcp_ports = kFtpDataPorts, .tcp = true, .shared = ftp::kDataShared,
                                      .state_bytes = sizeof(ftp::DataState), .parse = parse_as<ftp::DataState, ftp::parse_data>};

}  // namespace weir::proto
