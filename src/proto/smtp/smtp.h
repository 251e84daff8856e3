// SPDX-License-Identifier: Apache-2.0
#pragma once

// SMTP and LMTP (RFC 5321, 2920, 3030, 3207, 4954, 2033). A transaction is a mail: it begins at the greeting command, or at
// MAIL where an earlier mail is over, and is described at each command that adds to the envelope, at AUTH and its answer. A second
// AUTH begins one of its own, so that attempts can be counted. Bodies end with CRLF . CRLF (DATA) and nothing
// else: what other servers take for the end (a dot between lone LFs) is a flaw. Where somebody asks for files, a body is read for them (mime.h): the
// first is told with its mail, each further one in a transaction of its own, with the envelope as far as it fits into kEnvelopeBytes.
//
// After DATA and STARTTLS the client's bytes wait for the server's answer, which alone says what they are.

#include "facts/field_ids.h"
#include "proto/lines.h"
#include "proto/protocol.h"
#include "proto/smtp/mime.h"

namespace weir::proto {

namespace smtp {

enum : FieldId { kHelo = 270, kFrom, kTo };

inline constexpr std::uint8_t kGreeted = milestone::kOwn;       ///< HELO, or a mail without it.
inline constexpr std::uint8_t kEnvelope = milestone::kOwn + 1;  ///< DATA: the envelope is complete.

// clang-format off
inline constexpr FieldRow kFields[] = {
    {kHelo, "smtp.helo", FieldType::Domain, Scope::Transaction, kGreeted, false, on::kAll, {}, "Name by which the client greets: HELO, EHLO, LHLO (RFC 5321, 4.1.1.1)."},
    {kFrom, "smtp.from", FieldType::TextFold, Scope::Transaction, kEnvelope, false, on::kAll, {}, "Reverse-path of MAIL, without brackets; empty for bounces."},
    {kTo, "smtp.to", FieldType::TextFold, Scope::Transaction, kEnvelope, true, on::kAll, {}, "Forward-paths of RCPT."},
};
// clang-format on
inline constexpr FieldId kShared[] = {field::kAuthUser, field::kAuthScheme, field::kAuthResult, field::kFileType, field::kFileName, field::kFileBytes};

inline constexpr std::size_t kAwaitedMax = 64;
inline constexpr std::size_t kEnvelopeBytes = 640;  ///< Of sender and recipients: of a mail with more the rest is told with its first file only.

enum class Awaited : std::uint8_t { Other, Auth, StartTls, Data, Mail };
enum class Stage : std::uint8_t { Commands, AuthPlain, AuthLogin, AuthRest, Hold, Data, Chunk };
/// Where the end-of-data mark is: behind a line's end, behind its dot, behind the dot's CR.
enum class Dot : std::uint8_t { Text, LineStart, Dot, DotCr };

struct State {
  LineState lines[2];
  Stage stage;
  Dot dot;
  bool after_cr, crlf, last_chunk, open, has_mail, has_auth, in_reply, greeted;
  std::uint64_t remaining;         ///< Of a BDAT chunk.
  Awaited awaited[kAwaitedMax];    ///< Commands without an answer, a ring.
  std::uint32_t asked, answered;
  std::uint8_t helo_bytes;
  std::uint16_t user_bytes;
  bool in_mail;                    ///< Its body began, perhaps in chunks.
  bool has_file, envelope_cut;
  std::uint16_t envelope_bytes;
  char helo[255];
  char user[512];
  char envelope[kEnvelopeBytes];   ///< Paths of MAIL and RCPT, each with a NUL behind it.
  MimeState mime;
};

static_assert(sizeof(State) <= 4096);

Match identify(const Evidence& evidence);
Progress parse(State& state, const Input& input, Describer& describer);

inline constexpr std::uint16_t kPorts[] = {24, 25, 465, 587};

}  // namespace smtp

inline constexpr Protocol kSmtp = {.name = "smtp",
                                   .tcp_ports = smtp::kPorts,
                                   .tcp = true,
                                   .identify = smtp::identify,
                                   .fields = smtp::kFields,
                                   .shared = smtp::kShared,
                                   .state_bytes = sizeof(smtp::State),
                                   .parse = parse_as<smtp::State, smtp::parse>,
                                   .may_extend = true};

}  // namespace weir::proto
