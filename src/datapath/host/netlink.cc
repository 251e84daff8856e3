// SPDX-License-Identifier: Apache-2.0
#include "datapath/host/netlink.h"

#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/bytes.h"

namespace weir::datapath {
namespace {

constexpr std::size_t kAnswerBytes = 128 * 1024;

std::size_t aligned(std::size_t size) { return (size + 3) & ~std::size_t{3}; }

}  // namespace

std::uint8_t* NetlinkBatch::take(std::size_t size) {
  const std::size_t whole = aligned(size);
  if (full_ || room() < whole) {
    full_ = true;
    return nullptr;
  }
  std::uint8_t* const at = buffer_.data() + used_;
  std::memset(at, 0, whole);
  used_ += whole;
  return at;
}

void NetlinkBatch::begin(std::uint16_t type, std::uint16_t flags, std::uint8_t family, std::uint16_t resource) {
  message_ = used_;
  std::uint8_t* const at = take(sizeof(nlmsghdr) + sizeof(nfgenmsg));
  if (at == nullptr) return;
  nlmsghdr header{};
  header.nlmsg_type = type;
  header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
  header.nlmsg_seq = ++sequence_;
  std::memcpy(at, &header, sizeof header);
  at[sizeof header] = family;
  store_be16(at + sizeof header + 2, resource);
  ++count_;
}

void NetlinkBatch::end() {
  if (full_) return;
  const auto size = static_cast<std::uint32_t>(used_ - message_);
  std::memcpy(buffer_.data() + message_, &size, sizeof size);
}

void NetlinkBatch::put(std::uint16_t attribute, const void* bytes, std::size_t size) {
  std::uint8_t* const at = take(sizeof(nlattr) + size);
  if (at == nullptr) return;
  const nlattr header{static_cast<std::uint16_t>(sizeof(nlattr) + size), attribute};
  std::memcpy(at, &header, sizeof header);
  if (size != 0) std::memcpy(at + sizeof header, bytes, size);
}

void NetlinkBatch::put_be16(std::uint16_t attribute, std::uint16_t value) {
  std::uint8_t bytes[2];
  store_be16(bytes, value);
  put(attribute, bytes, sizeof bytes);
}

void NetlinkBatch::put_be32(std::uint16_t attribute, std::uint32_t value) {
  std::uint8_t bytes[4];
  store_be32(bytes, value);
  put(attribute, bytes, sizeof bytes);
}

void NetlinkBatch::put_be64(std::uint16_t attribute, std::uint64_t value) {
  const std::uint64_t bytes = __builtin_bswap64(value);
  put(attribute, &bytes, sizeof bytes);
}

void NetlinkBatch::put_text(std::uint16_t attribute, std::string_view text) { put(attribute, std::string(text).c_str(), text.size() + 1); }

std::size_t NetlinkBatch::begin_nested(std::uint16_t attribute) {
  const std::size_t place = used_;
  put(static_cast<std::uint16_t>(attribute | NLA_F_NESTED), nullptr, 0);
  return place;
}

void NetlinkBatch::end_nested(std::size_t place) {
  if (full_) return;
  const auto size = static_cast<std::uint16_t>(used_ - place);
  std::memcpy(buffer_.data() + place, &size, sizeof size);
}

std::uint16_t Attribute::be16() const { return bytes.size() < 2 ? std::uint16_t{0} : load_be16(bytes.data()); }
std::uint32_t Attribute::be32() const { return bytes.size() < 4 ? 0 : load_be32(bytes.data()); }
std::uint64_t Attribute::be64() const { return bytes.size() < 8 ? 0 : load_be64(bytes.data()); }

void for_each_attribute(std::span<const std::uint8_t> bytes, const std::function<void(const Attribute&)>& call) {
  while (bytes.size() >= sizeof(nlattr)) {
    nlattr header;
    std::memcpy(&header, bytes.data(), sizeof header);
    if (header.nla_len < sizeof header || header.nla_len > bytes.size()) return;
    call({static_cast<std::uint16_t>(header.nla_type & NLA_TYPE_MASK), bytes.subspan(sizeof header, header.nla_len - sizeof header)});
    bytes = bytes.subspan(std::min(bytes.size(), aligned(header.nla_len)));
  }
}

std::span<const std::uint8_t> attributes_of(const nlmsghdr& message) {
  constexpr std::size_t kHeaders = sizeof(nlmsghdr) + sizeof(nfgenmsg);
  if (message.nlmsg_len < kHeaders) return {};
  return {reinterpret_cast<const std::uint8_t*>(&message) + kHeaders, message.nlmsg_len - kHeaders};
}

Netlink::~Netlink() { close(); }
Netlink::Netlink(Netlink&& other) noexcept : fd_(std::exchange(other.fd_, -1)), answer_(std::move(other.answer_)) {}
Netlink& Netlink::operator=(Netlink&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(answer_, other.answer_);
  return *this;
}

Result<Netlink> Netlink::open() {
  Netlink out;
  out.fd_ = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
  if (out.fd_ < 0) return Error{std::string("this kernel lets nobody speak to its netfilter: ") + std::strerror(errno), errno};
  const sockaddr_nl address{.nl_family = AF_NETLINK, .nl_pad = 0, .nl_pid = 0, .nl_groups = 0};
  if (::bind(out.fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return Error{std::string("a socket to netfilter cannot be bound: ") + std::strerror(errno), errno};
  out.answer_.resize(kAnswerBytes);
  return out;
}

void Netlink::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

std::optional<Error> Netlink::send(const NetlinkBatch& batch) {
  if (batch.full()) return Error{"a request to netfilter is too long", EMSGSIZE};
  const sockaddr_nl kernel{.nl_family = AF_NETLINK, .nl_pad = 0, .nl_pid = 0, .nl_groups = 0};
  const auto bytes = batch.bytes();
  for (;;) {
    if (::sendto(fd_, bytes.data(), bytes.size(), 0, reinterpret_cast<const sockaddr*>(&kernel), sizeof kernel) >= 0) return std::nullopt;
    if (errno != EINTR) return Error{std::string("netfilter takes no request: ") + std::strerror(errno), errno};
  }
}

std::optional<Error> Netlink::ask(const NetlinkBatch& batch, const std::function<void(const nlmsghdr&)>& call) {
  if (auto error = send(batch)) return error;
  std::optional<Error> first;
  for (;;) {
    const ssize_t came = ::recv(fd_, answer_.data(), answer_.size(), MSG_DONTWAIT);
    if (came < 0 && errno == EINTR) continue;
    if (came <= 0) return first;
    for (std::size_t at = 0; at + sizeof(nlmsghdr) <= static_cast<std::size_t>(came);) {
      const auto* message = reinterpret_cast<const nlmsghdr*>(answer_.data() + at);
      if (message->nlmsg_len < sizeof(nlmsghdr) || message->nlmsg_len > static_cast<std::size_t>(came) - at) break;
      at += aligned(message->nlmsg_len);
      if (message->nlmsg_type == NLMSG_ERROR && message->nlmsg_len >= NLMSG_LENGTH(sizeof(nlmsgerr))) {
        nlmsgerr said;
        std::memcpy(&said, answer_.data() + at - aligned(message->nlmsg_len) + sizeof(nlmsghdr), sizeof said);
        if (said.error != 0 && !first) first = Error{std::strerror(-said.error), -said.error};
        continue;
      }
      if (call && message->nlmsg_type >= NLMSG_MIN_TYPE) call(*message);
    }
  }
}

}  // namespace weir::datapath
