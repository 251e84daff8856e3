// SPDX-License-Identifier: Apache-2.0
#include "proto/tls/certificate.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace weir::proto::tls {
namespace {

constexpr std::uint8_t kInteger = 0x02, kBoolean = 0x01, kOctets = 0x04, kOid = 0x06, kUtf8 = 0x0c, kBmp = 0x1e, kSequence = 0x30, kSet = 0x31;
constexpr std::size_t kRdnsMax = 32;

// Attribute types with a registered descriptor; others are written as dotted numbers (RFC 4514 section 2.3).
struct Attribute {
  std::string_view oid;  ///< Encoded.
  std::string_view name;
};
using namespace std::string_view_literals;
constexpr Attribute kAttributes[] = {
    {"\x55\x04\x03"sv, "CN"},      {"\x55\x04\x04"sv, "SN"},           {"\x55\x04\x05"sv, "serialNumber"}, {"\x55\x04\x06"sv, "C"},
    {"\x55\x04\x07"sv, "L"},       {"\x55\x04\x08"sv, "ST"},           {"\x55\x04\x09"sv, "STREET"},       {"\x55\x04\x0a"sv, "O"},
    {"\x55\x04\x0b"sv, "OU"},      {"\x55\x04\x0c"sv, "title"},        {"\x55\x04\x0f"sv, "businessCategory"},
    {"\x55\x04\x11"sv, "postalCode"}, {"\x55\x04\x2a"sv, "givenName"}, {"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01"sv, "emailAddress"},
    {"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19"sv, "DC"}, {"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01"sv, "UID"},
};

bool next_of(Reader& reader, std::uint8_t tag, DerElement& element) { return next_der(reader, element) && element.tag == tag; }

// Writes text into a span; too much makes ok() false.
class Writer {
 public:
  explicit Writer(std::span<char> out) : out_(out) {}
  void add(char c) {
    if (size_ < out_.size()) out_[size_++] = c;
    else ok_ = false;
  }
  void add(std::string_view text) {
    for (char c : text) add(c);
  }
  void add_hex(std::uint8_t byte) {
    add("0123456789abcdef"[byte >> 4]);
    add("0123456789abcdef"[byte & 15]);
  }
  void add_number(std::uint64_t n) {
    char digits[20];
    add(std::string_view(digits, static_cast<std::size_t>(std::to_chars(digits, digits + sizeof digits, n).ptr - digits)));
  }
  bool ok() const { return ok_; }
  std::string_view text() const { return {out_.data(), size_}; }

 private:
  std::span<char> out_;
  std::size_t size_ = 0;
  bool ok_ = true;
};

void write_oid(Bytes oid, Writer& out) {
  std::uint64_t arc = 0;
  bool first = true;
  for (std::uint8_t byte : oid) {
    arc = (arc & (~std::uint64_t{0} >> 8)) << 7 | (byte & 0x7fU);
    if ((byte & 0x80) != 0) continue;
    if (first) {
      const std::uint64_t root = std::min<std::uint64_t>(arc / 40, 2);
      out.add_number(root);
      arc -= root * 40;
    }
    out.add('.');
    out.add_number(arc);
    first = false;
    arc = 0;
  }
}

// RFC 4514 section 2.4: what must be escaped, wherever it stands, at the beginning, at the end.
void write_char(char c, bool first, bool last, Writer& out) {
  if (c == '\0') return out.add("\\00");
  const bool special = std::string_view("\"+,;<>\\").find(c) != std::string_view::npos;
  if (special || (first && (c == '#' || c == ' ')) || (last && c == ' ')) out.add('\\');
  out.add(c);
}

void write_bmp(Bytes text, Writer& out) {
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    const std::uint16_t c = load_be16(&text[i]);
    if (c < 0x80) {
      write_char(static_cast<char>(c), i == 0, i + 2 >= text.size(), out);
    } else if (c < 0x800) {
      out.add(static_cast<char>(0xc0 | c >> 6));
      out.add(static_cast<char>(0x80 | (c & 0x3f)));
    } else {
      out.add(static_cast<char>(0xe0 | c >> 12));
      out.add(static_cast<char>(0x80 | (c >> 6 & 0x3f)));
      out.add(static_cast<char>(0x80 | (c & 0x3f)));
    }
  }
}

bool write_attribute(Bytes attribute, Writer& out) {
  Reader reader(attribute);
  DerElement oid, value;
  if (!next_of(reader, kOid, oid)) return false;
  const std::size_t start = reader.offset();
  if (!next_der(reader, value)) return false;
  const auto* known = std::find_if(std::begin(kAttributes), std::end(kAttributes),
                                   [&](const Attribute& a) { return a.oid == as_text(oid.contents); });
  const bool is_text = value.tag == kUtf8 || value.tag == kBmp || (value.tag >= 0x12 && value.tag <= 0x16);
  if (known != std::end(kAttributes)) out.add(known->name);
  else write_oid(oid.contents, out);
  out.add('=');
  if (known == std::end(kAttributes) || !is_text) {  // section 2.4: # and the hex of the whole encoding
    out.add('#');
    for (std::uint8_t byte : attribute.subspan(start, reader.offset() - start)) out.add_hex(byte);
  } else if (value.tag == kBmp) {
    write_bmp(value.contents, out);
  } else {
    const std::string_view text = as_text(value.contents);
    for (std::size_t i = 0; i < text.size(); ++i) write_char(text[i], i == 0, i + 1 == text.size(), out);
  }
  return true;
}

bool write_rdn(Bytes rdn, Writer& out) {
  Reader reader(rdn);
  DerElement attribute;
  bool first = true;
  while (!reader.at_end()) {
    if (!next_of(reader, kSequence, attribute)) return false;
    if (!first) out.add('+');
    first = false;
    if (!write_attribute(attribute.contents, out)) return false;
  }
  return !first;
}

// Extensions ::= SEQUENCE OF { OID, BOOLEAN critical?, OCTET STRING }.
Bytes find_alternative_names(Bytes extensions) {
  Reader outer(extensions);
  DerElement list, one, oid, value;
  if (!next_of(outer, kSequence, list)) return {};
  Reader reader(list.contents);
  while (!reader.at_end() && next_of(reader, kSequence, one)) {
    Reader parts(one.contents);
    if (!next_of(parts, kOid, oid) || !next_der(parts, value)) return {};
    if (value.tag == kBoolean && !next_der(parts, value)) return {};
    if (value.tag != kOctets || as_text(oid.contents) != "\x55\x1d\x11") continue;  // 2.5.29.17
    Reader names(value.contents);
    return next_of(names, kSequence, list) ? list.contents : Bytes{};
  }
  return {};
}

}  // namespace

bool next_der(Reader& reader, DerElement& element) {
  element.tag = reader.u8();
  std::size_t size = reader.u8();
  if ((element.tag & 0x1f) == 0x1f) return false;
  if (size >= 0x80) {
    const std::size_t bytes = size & 0x7f;
    if (bytes == 0 || bytes > 4) return false;
    size = 0;
    for (std::size_t i = 0; i < bytes; ++i) size = size << 8 | reader.u8();
  }
  element.contents = reader.bytes(size);
  return reader.ok();
}

bool parse_certificate(Bytes der, Certificate& certificate) {
  Reader outer(der);
  DerElement element;
  if (!next_of(outer, kSequence, element)) return false;
  Reader whole(element.contents);
  if (!next_of(whole, kSequence, element)) return false;
  Reader tbs(element.contents);
  if (tbs.peek() == 0xa0 && !next_der(tbs, element)) return false;  // version, absent in v1
  if (!next_of(tbs, kInteger, element) || !next_of(tbs, kSequence, element)) return false;
  if (!next_of(tbs, kSequence, element)) return false;
  certificate.issuer = element.contents;
  if (!next_of(tbs, kSequence, element) || !next_of(tbs, kSequence, element)) return false;
  certificate.subject = element.contents;
  if (!next_of(tbs, kSequence, element)) return true;
  while (!tbs.at_end() && next_der(tbs, element))
    if (element.tag == 0xa3) certificate.alternative_names = find_alternative_names(element.contents);
  return true;
}

std::string_view render_name(Bytes name, std::span<char> out) {
  std::array<Bytes, kRdnsMax> rdns;
  std::size_t count = 0;
  Reader reader(name);
  DerElement rdn;
  while (!reader.at_end()) {
    if (count == kRdnsMax || !next_of(reader, kSet, rdn)) return {};
    rdns[count++] = rdn.contents;
  }
  Writer writer(out);
  while (count-- > 0) {
    if (!write_rdn(rdns[count], writer)) return {};
    if (count != 0) writer.add(',');
  }
  return writer.ok() ? writer.text() : std::string_view{};
}

}  // namespace weir::proto::tls
