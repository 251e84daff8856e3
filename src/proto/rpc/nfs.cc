// SPDX-License-Identifier: Apache-2.0
// Arguments and results of NFS 2 (RFC 1094), 3 (RFC 1813) and 4 (RFC 7530, 8881), and of MOUNT, in XDR (RFC 4506): numbers of four bytes, opaque data
// with their length in front and filled up to a multiple of four.

#include <algorithm>
#include <cstring>

#include "proto/file_type.h"
#include "proto/rpc/rpc.h"

namespace weir::proto::rpc {
namespace {

using enum Operation;

constexpr Operation kVersion2[] = {Null, GetAttr, SetAttr, Root, Lookup, ReadLink, Read, WriteCache, Write, Create, Remove, Rename, Link, SymLink, MakeDir, RemoveDir, ReadDir, FsStat};
constexpr Operation kVersion3[] = {Null,    GetAttr, SetAttr, Lookup,    Access, ReadLink, Read,    Write,       Create, MakeDir, SymLink,
                                   MakeNode, Remove,  RemoveDir, Rename, Link,   ReadDir,  ReadDirPlus, FsStat, FsInfo,  PathConf, Commit};
constexpr std::uint32_t kCompound = 1;
constexpr std::uint32_t kOperationsMax = 64;  ///< Of one COMPOUND that are looked at.
constexpr std::size_t kHandle2Bytes = 32, kHandleBytesMax = 128;

Bytes opaque(Reader& r, std::size_t most) {
  const std::uint32_t size = r.be32();
  if (size > most) return r.skip(r.left() + 1), Bytes{};
  const Bytes bytes = r.bytes(size);
  r.skip((4 - size % 4) % 4);
  return bytes;
}

class Names {
 public:
  Names(State& s, Describer& d) : s_(s), d_(d) { s_.name_bytes = 0; }
  /// One more component of what the call names.
  void add(std::string_view name, bool anew = false) {
    if (name.empty()) return;
    if (anew) s_.name_bytes = 0;
    const std::size_t slash = s_.name_bytes != 0 ? 1 : 0;
    cut_ |= s_.name_bytes + slash + name.size() > kNameBytesMax;
    if (cut_) return;
    if (slash != 0) s_.name[s_.name_bytes++] = '/';
    std::memcpy(s_.name + s_.name_bytes, name.data(), name.size());
    s_.name_bytes = static_cast<std::uint16_t>(s_.name_bytes + name.size());
  }
  void tell() {
    if (cut_) d_.hide(field::kFileName);
    else if (s_.name_bytes != 0) d_.text(field::kFileName, {s_.name, s_.name_bytes});
  }

 private:
  State& s_;
  Describer& d_;
  bool cut_ = false;
};

/// What is written: `declared` bytes at an offset, of which the first are here.
void describe_write(Describer& d, std::uint64_t offset, std::uint32_t declared, Bytes first) {
  d.number(field::kFileBytes, offset > UINT64_MAX - declared ? UINT64_MAX : offset + declared);
  if (offset != 0) return;
  if (const auto type = file_type(first.first(std::min<std::size_t>({first.size(), declared, kFileTypeBytes})))) d.word(field::kFileType, *type);
}

void handle(Reader& r, std::uint32_t version) {
  if (version == 2) r.skip(kHandle2Bytes);
  else opaque(r, kHandleBytesMax);
}

Arguments describe_2_or_3(State& s, Describer& d, Operation operation, std::uint32_t version, Reader r) {
  d.add_number(kOperation, static_cast<std::uint64_t>(operation));
  Names names(s, d);
  Arguments out;
  if (operation == Null || operation == Root || operation == WriteCache) return out;
  handle(r, version);
  switch (operation) {
    case Lookup: case Create: case MakeDir: case SymLink: case MakeNode: case Remove: case RemoveDir: names.add(r.text(r.be32())); break;
    case Rename:
      opaque(r, r.left());
      handle(r, version);
      names.add(r.text(r.be32()));
      break;
    case Link:
      handle(r, version);
      names.add(r.text(r.be32()));
      break;
    case Read: out.reads_begin = (version == 2 ? r.be32() : r.be64()) == 0 && r.ok(); break;
    case Write: {
      if (version == 2) r.skip(4);
      const std::uint64_t offset = version == 2 ? r.be32() : r.be64();
      r.skip(version == 2 ? 4 : 8);
      const std::uint32_t size = r.be32();
      if (r.ok()) describe_write(d, offset, size, r.rest());
      break;
    }
    default: break;
  }
  if (!r.ok() && operation != Read && operation != Write) d.flaw(Flaw::BadLength);
  names.tell();
  return out;
}

void skip_bitmap(Reader& r) {
  const std::uint32_t words = r.be32();
  r.skip(words > 16 ? r.left() + 1 : words * std::size_t{4});
}
void skip_attributes(Reader& r) {
  skip_bitmap(r);
  opaque(r, r.left());
}

/// OPEN (RFC 7530, 16.16): the name, where the claim has one.
void open_name(Reader& r, Names& names) {
  r.skip(12 + 8);  // Sequence, access, deny; the owner's client.
  opaque(r, 1024);
  if (r.be32() == 1) {
    const std::uint32_t how = r.be32();
    if (how >= 2) r.skip(8);  // A verifier; attributes too in EXCLUSIVE4_1.
    if (how != 2) skip_attributes(r);
  }
  if (r.be32() == 0) names.add(r.text(r.be32()));
  else r.skip(r.left() + 1);
  r.skip((4 - r.offset() % 4) % 4);
}

/// The arguments of one operation. False: what follows cannot be found.
bool describe_operation(Describer& d, Names& names, Arguments& out, Operation operation, Reader& r) {
  const auto name = [&](bool anew = false) { names.add(as_text(opaque(r, r.left())), anew); };
  switch (operation) {
    case PutRootFh: case PutPublicFh: case GetFh: case SaveFh: case RestoreFh: case LookupParent: case ReadLink: return true;
    case PutFh: opaque(r, kHandleBytesMax); break;
    case Access: r.skip(4); break;
    case GetAttr: skip_bitmap(r); break;
    case Sequence: r.skip(32); break;
    case Close: r.skip(20); break;
    case Commit: r.skip(12); break;
    case Renew: case ReclaimComplete: r.skip(operation == Renew ? 8 : 4); break;
    case ReadDir: r.skip(24); skip_bitmap(r); break;
    case SetAttr: r.skip(16); skip_attributes(r); break;
    case Lookup: case Remove: case SecInfo: case Link: name(); break;
    case Rename: opaque(r, r.left()); name(true); break;
    case Open: open_name(r, names); break;
    case Create: {
      const std::uint32_t type = r.be32();
      if (type == 5) opaque(r, r.left());               // What a link leads to.
      else if (type == 3 || type == 4) r.skip(8);       // A device's numbers.
      name();
      skip_attributes(r);
      break;
    }
    case Read: {
      r.skip(16);
      const std::uint64_t offset = r.be64();
      r.skip(4);
      out.reads_begin = r.ok() && offset == 0;
      break;
    }
    case Write: {
      r.skip(16);
      const std::uint64_t offset = r.be64();
      r.skip(4);
      const std::uint32_t size = r.be32();
      if (!r.ok()) return false;
      describe_write(d, offset, size, r.rest());
      r.skip((std::size_t{size} + 3) & ~std::size_t{3});
      break;
    }
    default: return false;
  }
  return r.ok();
}

Arguments describe_compound(State& s, Describer& d, Reader r) {
  opaque(r, r.left());  // The tag.
  r.skip(4);            // The minor version.
  const std::uint32_t count = r.be32();
  Names names(s, d);
  Arguments out;
  for (std::uint32_t i = 0; r.ok() && i < std::min(count, kOperationsMax); ++i) {
    const std::uint32_t number = r.be32();
    if (!r.ok()) break;
    d.add_number(kOperation, number);
    if (number >= 200 || !describe_operation(d, names, out, static_cast<Operation>(number), r)) break;
  }
  names.tell();
  return out;
}

}  // namespace

Arguments describe_arguments(State& s, Describer& d, std::uint32_t program, std::uint32_t version, std::uint32_t procedure, Bytes rest) {
  Reader r(rest);
  if (program == kMount) {
    if (procedure == 1 || procedure == 3)  // MNT, UMNT
      if (const std::string_view path = r.text(r.be32()); r.ok()) d.text(kPath, path);
    return {};
  }
  if (program != kNfs) return {};
  if (version == 2 && procedure < std::size(kVersion2)) return describe_2_or_3(s, d, kVersion2[procedure], 2, r);
  if (version == 3 && procedure < std::size(kVersion3)) return describe_2_or_3(s, d, kVersion3[procedure], 3, r);
  if (version != 4) return {};
  if (procedure == kCompound) return describe_compound(s, d, r);
  d.add_number(kOperation, static_cast<std::uint64_t>(Null));
  return {};
}

Bytes data_read(const Call& call, Bytes results) {
  Reader r(results);
  std::uint32_t size = 0;
  if (call.version == 4) {
    r.skip(4);
    opaque(r, r.left());
    for (std::uint32_t i = std::min(r.be32(), kOperationsMax); i != 0 && r.ok(); --i) {
      const auto operation = static_cast<Operation>(std::min(r.be32(), 255U));
      if (r.be32() != 0) return {};
      if (operation == Sequence) r.skip(36);
      else if (operation == Read) r.skip(4), size = r.be32();
      else if (operation != PutFh && operation != PutRootFh && operation != SaveFh && operation != RestoreFh) return {};
      if (operation == Read) break;
    }
  } else {
    if (r.be32() != 0) return {};
    if (call.version == 2) r.skip(68);
    else if (r.be32() != 0) r.skip(84);
    if (call.version == 3) r.skip(8);
    size = r.be32();
  }
  if (!r.ok()) return {};
  return r.rest().first(std::min<std::size_t>({r.left(), size, kFileTypeBytes}));
}

}  // namespace weir::proto::rpc
