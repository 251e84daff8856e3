// SPDX-License-Identifier: Apache-2.0
#pragma once

// The files in a mail (RFC 2045, 2046, 2183, 2231): parts, nested ones too, their names, what they begin with under base64 or
// quoted-printable, and how large they are. Lines come in any cut; nothing is kept but the line, the boundaries that may end a part, a name and
// the first bytes. A part is a file if it has a name, or if it begins as one.
//
// Left out: uuencode, TNEF (`winmail.dat` is told as such), archives' contents.

#include "facts/describer.h"
#include "proto/file_type.h"

namespace weir::proto::smtp {

inline constexpr std::size_t kMailLineBytes = 512;   ///< Longer lines are read in pieces of it.
inline constexpr std::size_t kBoundaryBytesMax = 70; ///< RFC 2046, 5.1.1
inline constexpr std::size_t kPartsDeepMax = 4;

enum class Encoding : std::uint8_t { Plain, Base64, Quoted };
enum class PartStage : std::uint8_t { Head, Content, Between };  ///< Between: before the first part and behind the last.

struct MimeState {
  PartStage stage;
  Encoding encoding;
  bool in_line;        ///< The line's beginning was read as a piece.
  bool multipart, message, named, told;
  std::uint8_t depth;  ///< Boundaries in force.
  std::uint8_t boundary_bytes[kPartsDeepMax];
  std::uint16_t line_bytes, head_bytes, name_bytes, first_bytes;
  std::uint8_t sextets;  ///< Of a group of four that are waiting in `group`.
  std::uint32_t group;
  std::uint64_t bytes;   ///< Of the part, decoded.
  char boundaries[kPartsDeepMax][kBoundaryBytesMax];
  char line[kMailLineBytes];
  char head[512];        ///< One header, unfolded; what is longer is cut.
  char name[256];
  char first[kFileTypeBytes];
};

/// What the mail's transaction is to whoever finds a file in it.
class FileTeller {
 public:
  /// A file is found: its facts go into the open transaction after this.
  virtual void begin_file() = 0;
  /// More is known of it. `now`: worth asking the rules at once.
  virtual void file_grew(bool now) = 0;

 protected:
  ~FileTeller() = default;
};

class Mime {
 public:
  Mime(MimeState& state, Describer& describer, FileTeller& teller) : s_(state), d_(describer), teller_(teller) {}

  /// A mail begins.
  void begin();
  /// Bytes of the line being sent, without its end; an end may be cut from them: a CR is taken for it if end_line() follows.
  void text(Bytes bytes);
  void end_line();
  /// The mail is over.
  void end();

 private:
  void piece(bool ends);
  bool is_boundary(std::string_view line);
  void begin_part();
  void end_part();
  void head_line(std::string_view line);
  void header();
  void head_done();
  void content(std::string_view line, bool ends);
  void decoded(char c);
  void tell();

  MimeState& s_;
  Describer& d_;
  FileTeller& teller_;
  bool borrowed_ = false;  ///< A fact points to s_.name.
};

}  // namespace weir::proto::smtp
