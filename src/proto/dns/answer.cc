// SPDX-License-Identifier: Apache-2.0
// The answers that the filter gives in a server's stead.
#include "proto/dns/dns.h"
#include "proto/dns/message.h"

namespace weir::proto::dns {
namespace {

constexpr std::uint16_t kTypeA = 1, kTypeAaaa = 28, kTypeOpt = 41, kTypeAny = 255;
constexpr std::uint16_t kRefused = 5;
constexpr std::uint16_t kForgedAnswer = 4, kProhibited = 18;  // RFC 8914 4.5, 4.19.
constexpr std::uint16_t kOurEdnsBytes = 1232;
constexpr std::uint32_t kSinkholeTtlS = 60;

struct Request {
  Header header;
  std::size_t question_end = 0;
  std::uint16_t type = 0, klass = 0;
  bool has_edns = false;
};

bool read_request(Bytes bytes, Request& request) {
  if (bytes.size() < kHeaderBytes) return false;
  request.header = parse_header(bytes);
  if (request.header.is_response() || request.header.questions == 0) return false;
  std::size_t offset = kHeaderBytes;
  if (skip_name(bytes, offset) != NameStatus::Good || bytes[offset - 1] != 0) return false;  // No pointer to echo.
  Reader in(bytes);
  in.seek(offset);
  request.type = in.be16();
  request.klass = in.be16();
  if (!in.ok()) return false;
  request.question_end = offset = in.offset();
  if (request.header.questions != 1) return true;
  const std::size_t records = std::size_t{request.header.answers} + request.header.authorities + request.header.additionals;
  Record record;
  for (std::size_t i = 0; i < records && read_record(bytes, offset, record) == RecordStatus::Good; ++i)
    request.has_edns |= record.type == kTypeOpt;
  return true;
}

class Writer {
 public:
  explicit Writer(std::span<std::uint8_t> out) : out_(out) {}
  void be16(std::uint16_t v) {
    if (need(2)) store_be16(&out_[size_ - 2], v);
  }
  void be32(std::uint32_t v) {
    if (need(4)) store_be32(&out_[size_ - 4], v);
  }
  void bytes(Bytes v) {
    if (need(v.size()) && !v.empty()) std::memcpy(&out_[size_ - v.size()], v.data(), v.size());
  }
  std::size_t size() const { return ok_ ? size_ : 0; }

 private:
  bool need(std::size_t n) {
    ok_ = ok_ && out_.size() - size_ >= n;
    if (ok_) size_ += n;
    return ok_;
  }
  std::span<std::uint8_t> out_;
  std::size_t size_ = 0;
  bool ok_ = true;
};

// QR, the request's opcode and "recursion desired", "recursion available".
void write_header(Writer& out, Bytes bytes, const Request& request, std::uint16_t rcode, std::uint16_t answers) {
  out.be16(request.header.id);
  out.be16(static_cast<std::uint16_t>(0x8080U | (request.header.flags & 0x7900U) | rcode));
  out.be16(1);
  out.be16(answers);
  out.be16(0);
  out.be16(request.has_edns ? 1 : 0);
  out.bytes(bytes.subspan(kHeaderBytes, request.question_end - kHeaderBytes));
}

// Who asks with EDNS is answered with EDNS (RFC 6891 6.1.1), and told why (RFC 8914 2).
void write_edns(Writer& out, const Request& request, std::uint16_t why) {
  if (!request.has_edns) return;
  out.bytes(Bytes(reinterpret_cast<const std::uint8_t*>(""), 1));  // The root.
  out.be16(kTypeOpt);
  out.be16(kOurEdnsBytes);
  out.be32(0);
  out.be16(6);
  out.be16(15);
  out.be16(2);
  out.be16(why);
}

}  // namespace

std::size_t refuse(Bytes bytes, std::span<std::uint8_t> to) {
  Request request;
  if (!read_request(bytes, request)) return 0;
  Writer out(to);
  write_header(out, bytes, request, kRefused, 0);
  write_edns(out, request, kProhibited);
  return out.size();
}

std::size_t sinkhole(Bytes bytes, const Ip& address, std::span<std::uint8_t> to) {
  Request request;
  if (!read_request(bytes, request)) return 0;
  const std::uint16_t type = address.is_v4() ? kTypeA : kTypeAaaa;
  const bool fits = request.header.opcode() == 0 && request.klass == 1 && (request.type == type || request.type == kTypeAny);
  Writer out(to);
  write_header(out, bytes, request, 0, fits ? 1 : 0);
  if (fits) {
    out.be16(0xc000 | kHeaderBytes);
    out.be16(type);
    out.be16(1);
    out.be32(kSinkholeTtlS);
    out.be16(address.is_v4() ? 4 : 16);
    out.bytes(address.is_v4() ? Bytes(address.bytes).subspan(12) : Bytes(address.bytes));
  }
  write_edns(out, request, kForgedAnswer);
  return out.size();
}

}  // namespace weir::proto::dns
