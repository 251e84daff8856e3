// SPDX-License-Identifier: Apache-2.0
#include "proto/quic/google.h"

namespace weir::proto::quic {
namespace {

constexpr std::uint16_t kTagsMax = 128;

}  // namespace

//  | CHLO | count le16 | 0 0 | tag 4, end le32 | … | values |
std::optional<std::string_view> find_google_server_name(Bytes payload) {
  const std::size_t at = as_text(payload).find("CHLO");
  if (at == std::string_view::npos) return std::nullopt;
  Reader reader(payload.subspan(at + 4));
  const std::uint16_t count = reader.le16();
  if (reader.be16() != 0 || !reader.ok() || count > kTagsMax) return std::nullopt;
  const std::size_t values = reader.offset() + std::size_t{8} * count;
  std::uint32_t begin = 0;
  for (std::uint16_t i = 0; i < count; ++i) {
    const std::string_view tag = reader.text(4);
    const std::uint32_t end = reader.le32();
    if (!reader.ok() || end < begin) return std::nullopt;
    if (tag == std::string_view("SNI\0", 4)) {
      reader.seek(values);
      reader.skip(begin);
      const std::string_view name = reader.text(end - begin);
      if (!reader.ok()) return std::nullopt;
      return name;
    }
    begin = end;
  }
  return std::string_view();
}

}  // namespace weir::proto::quic
