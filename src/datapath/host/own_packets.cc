// SPDX-License-Identifier: Apache-2.0
#include "datapath/host/own_packets.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace weir::datapath {
namespace {

constexpr std::size_t kIpv4HeaderBytes = 20, kIpv6HeaderBytes = 40;

Result<int> open_raw(int family, std::uint32_t mark) {
  const int fd = ::socket(family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW);  // The header is in what is sent.
  if (fd < 0) return Error{std::string("a raw socket cannot be had: ") + std::strerror(errno), errno};
  if (::setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof mark) != 0) {
    const int code = errno;
    ::close(fd);
    return Error{std::string("packets cannot be marked: ") + std::strerror(code), code};
  }
  return fd;
}

}  // namespace

Result<OwnPackets> OwnPackets::open(std::uint32_t mark) {
  OwnPackets out;
  auto v4 = open_raw(AF_INET, mark);
  if (!v4) return v4.error();
  out.v4_ = *v4;
  // Without IPv6 in the kernel there is none to answer.
  if (auto v6 = open_raw(AF_INET6, mark)) out.v6_ = *v6;
  return out;
}

OwnPackets::OwnPackets(OwnPackets&& other) noexcept : v4_(std::exchange(other.v4_, -1)), v6_(std::exchange(other.v6_, -1)) {}
OwnPackets& OwnPackets::operator=(OwnPackets&& other) noexcept {
  std::swap(v4_, other.v4_);
  std::swap(v6_, other.v6_);
  return *this;
}
OwnPackets::~OwnPackets() { close(); }

void OwnPackets::close() {
  if (v4_ >= 0) ::close(v4_);
  if (v6_ >= 0) ::close(v6_);
  v4_ = v6_ = -1;
}

bool OwnPackets::send(Bytes packet, std::uint32_t device) {
  if (packet.size() >= kIpv4HeaderBytes && packet[0] >> 4 == 4) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    std::memcpy(&to.sin_addr, packet.data() + 16, 4);
    return ::sendto(v4_, packet.data(), packet.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to) >= 0;
  }
  if (packet.size() >= kIpv6HeaderBytes && packet[0] >> 4 == 6) {
    sockaddr_in6 to{};
    to.sin6_family = AF_INET6;
    std::memcpy(&to.sin6_addr, packet.data() + 24, 16);
    if (IN6_IS_ADDR_LINKLOCAL(&to.sin6_addr)) to.sin6_scope_id = device;
    return ::sendto(v6_, packet.data(), packet.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to) >= 0;
  }
  return false;
}

}  // namespace weir::datapath
