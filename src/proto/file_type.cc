// SPDX-License-Identifier: Apache-2.0
#include "proto/file_type.h"

#include <string_view>

namespace weir::proto {
namespace {

using enum field::FileType;
using namespace std::string_view_literals;

struct Signature {
  std::string_view bytes;
  field::FileType type;
  std::size_t offset = 0;
};

constexpr Signature kSignatures[] = {
    {"\x7f" "ELF"sv, Elf},
    {"\xfe\xed\xfa\xce"sv, Macho},
    {"\xfe\xed\xfa\xcf"sv, Macho},
    {"\xce\xfa\xed\xfe"sv, Macho},
    {"\xcf\xfa\xed\xfe"sv, Macho},
    {"#!"sv, Script},
    {"PK\x05\x06"sv, Archive},
    {"\x1f\x8b"sv, Archive},                      // gzip, RFC 1952
    {"7z\xbc\xaf\x27\x1c"sv, Archive},
    {"Rar!\x1a\x07"sv, Archive},
    {"\xfd" "7zXZ\0"sv, Archive},
    {"\x28\xb5\x2f\xfd"sv, Archive},              // zstd, RFC 8878
    {"BZh"sv, Archive},
    {"MSCF\0\0\0\0"sv, Archive},                  // cabinet
    {"ustar"sv, Archive, 257},
    {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"sv, Office},  // OLE2: also installers and mails, as the container does not say
    {"{\\rtf"sv, Office},
    {"%PDF-"sv, Pdf},
    {"\x89PNG\r\n\x1a\n"sv, Image},
    {"\xff\xd8\xff"sv, Image},
    {"GIF87a"sv, Image},
    {"GIF89a"sv, Image},
    {"II*\0"sv, Image},
    {"MM\0*"sv, Image},
    {"KDMV"sv, Disk},                             // VMDK, sparse extent
    {"# Disk DescriptorFile"sv, Disk},            // VMDK, descriptor
    {"conectix"sv, Disk},                         // VHD, dynamic
    {"vhdxfile"sv, Disk},
    {"QFI\xfb"sv, Disk},                          // qcow2
    {"CD001"sv, Disk, 32769},                     // ISO 9660
    {"ID3"sv, Audio},
    {"fLaC"sv, Audio},
    {"OggS"sv, Audio},
    {"ftyp"sv, Video, 4},
    {"\x1a\x45\xdf\xa3"sv, Video},                // Matroska
};

/// MZ alone is two letters that a text may begin with: the header's fields must make sense (e_lfanew inside 4 KiB where it is there).
bool is_pe(Bytes first) {
  if (first.size() < 2 || first[0] != 'M' || first[1] != 'Z') return false;
  if (first.size() < 64) {
    for (const std::uint8_t b : first.subspan(2))
      if (b < 0x20 && b != '\t' && b != '\r' && b != '\n') return true;
    return first.size() == 2;
  }
  for (const std::uint8_t b : first.first(64))
    if (b == 0) return true;
  return false;
}

/// Universal Mach-O shares its number with Java classes; the count of architectures is small where a class has its version.
bool is_fat_macho(Bytes first) {
  return first.size() >= 8 && load_be32(first.data()) == 0xcafebabe && load_be32(first.data() + 4) < 40;
}

/// OOXML and ODF documents are ZIP files whose first entry has a name of its own (ECMA-376 part 2; ODF 1.2 part 3, 3.3).
field::FileType zip_kind(Bytes first) {
  Reader r(first);
  r.skip(26);
  const std::uint16_t name_bytes = r.le16();
  r.skip(2);
  const std::string_view name = r.text(name_bytes);
  if (!r.ok()) return Archive;
  if (name == "[Content_Types].xml" || name.starts_with("_rels/") || name.starts_with("docProps/") || name.starts_with("word/") ||
      name.starts_with("xl/") || name.starts_with("ppt/"))
    return Office;
  if (name == "mimetype" && as_text(r.rest()).starts_with("application/vnd.oasis.opendocument")) return Office;
  return Archive;
}

}  // namespace

std::optional<field::FileType> file_type(Bytes first) {
  const std::string_view text = as_text(first);
  if (is_pe(first)) return Pe;
  if (is_fat_macho(first)) return Macho;
  if (text.starts_with("PK\x03\x04")) return zip_kind(first);
  if (text.starts_with("RIFF") && text.size() >= 12) {
    const std::string_view form = text.substr(8, 4);
    if (form == "WEBP") return Image;
    if (form == "WAVE") return Audio;
    if (form == "AVI ") return Video;
  }
  for (const Signature& s : kSignatures)
    if ((s.offset != 0 || text.starts_with(s.bytes[0])) && text.size() >= s.offset + s.bytes.size() && text.substr(s.offset, s.bytes.size()) == s.bytes) return s.type;
  return std::nullopt;
}

}  // namespace weir::proto
