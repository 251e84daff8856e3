// SPDX-License-Identifier: Apache-2.0
#include "datapath/host/socket_diagnosis.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "facts/packet.h"

namespace weir::datapath {
namespace {

struct Question {
  nlmsghdr head;
  inet_diag_req_v2 body;
};

/// An end as the kernel writes it.
void put(const Ip& ip, std::uint16_t port, __be32* address, __be16& port_be) {
  if (ip.is_v4()) std::memcpy(address, &ip.bytes[12], 4);
  else std::memcpy(address, ip.bytes.data(), 16);
  port_be = htons(port);
}

DiagnosedSocket told_by(const inet_diag_msg& message) {
  return {.cookie = std::uint64_t{message.id.idiag_cookie[0]} | std::uint64_t{message.id.idiag_cookie[1]} << 32, .inode = message.idiag_inode, .uid = message.idiag_uid};
}

}  // namespace

Result<std::unique_ptr<SocketDiagnosis>> SocketDiagnosis::open() {
  const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  if (fd < 0) return Error{std::string("the kernel has no socket diagnosis: ") + std::strerror(errno), errno};
  // The kernel answers within the call; this is for what nobody foresaw.
  const timeval most{.tv_sec = 0, .tv_usec = 100'000};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
  return std::unique_ptr<SocketDiagnosis>(new SocketDiagnosis(fd));
}

SocketDiagnosis::~SocketDiagnosis() { close(fd_); }

/// Of one socket, or without ends of all.
bool SocketDiagnosis::ask(std::uint8_t family, std::uint8_t protocol, const SocketEnds* ends) {
  Question question{};
  question.head.nlmsg_len = sizeof question;
  question.head.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  question.head.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | (ends == nullptr ? NLM_F_DUMP : 0));
  question.head.nlmsg_seq = ++sequence_;
  question.body.sdiag_family = family;
  question.body.sdiag_protocol = protocol;
  question.body.idiag_states = ~0U;
  inet_diag_sockid& id = question.body.id;
  id.idiag_cookie[0] = id.idiag_cookie[1] = static_cast<std::uint32_t>(INET_DIAG_NOCOOKIE);
  if (ends != nullptr) {
    // "src and dst are swapped for historical reasons": of UDP, the source is the other end.
    const bool swapped = protocol == ip_protocol::kUdp;
    put(swapped ? ends->remote : ends->local, swapped ? ends->remote_port : ends->local_port, id.idiag_src, id.idiag_sport);
    put(swapped ? ends->local : ends->remote, swapped ? ends->local_port : ends->remote_port, id.idiag_dst, id.idiag_dport);
  }
  return send(fd_, &question, sizeof question, 0) == static_cast<ssize_t>(sizeof question);
}

std::optional<DiagnosedSocket> SocketDiagnosis::find(const SocketEnds& ends) {
  if (ends.protocol != ip_protocol::kTcp && ends.protocol != ip_protocol::kUdp) return std::nullopt;
  if (!ask(ends.local.is_v4() ? AF_INET : AF_INET6, ends.protocol, &ends)) return std::nullopt;
  alignas(nlmsghdr) char buffer[4096];
  for (;;) {
    const ssize_t size = recv(fd_, buffer, sizeof buffer, 0);
    if (size < static_cast<ssize_t>(sizeof(nlmsghdr))) return std::nullopt;
    nlmsghdr head;
    std::memcpy(&head, buffer, sizeof head);
    if (head.nlmsg_seq != sequence_) continue;  // Of a question that was given up.
    if (head.nlmsg_type != SOCK_DIAG_BY_FAMILY || static_cast<std::size_t>(size) < NLMSG_HDRLEN + sizeof(inet_diag_msg)) return std::nullopt;
    inet_diag_msg message;
    std::memcpy(&message, buffer + NLMSG_HDRLEN, sizeof message);
    return told_by(message);
  }
}

void SocketDiagnosis::for_each(const std::function<void(const DiagnosedSocket&)>& call) {
  alignas(nlmsghdr) static thread_local char buffer[65536];
  for (const std::uint8_t protocol : {ip_protocol::kTcp, ip_protocol::kUdp})
    for (const std::uint8_t family : {AF_INET, AF_INET6}) {
      bool more = ask(family, protocol, nullptr);
      while (more) {
        const ssize_t size = recv(fd_, buffer, sizeof buffer, 0);
        if (size <= 0) break;
        std::size_t at = 0;
        while (more && at + sizeof(nlmsghdr) <= static_cast<std::size_t>(size)) {
          nlmsghdr head;
          std::memcpy(&head, buffer + at, sizeof head);
          more = head.nlmsg_type == SOCK_DIAG_BY_FAMILY;
          if (head.nlmsg_len < sizeof head || at + head.nlmsg_len > static_cast<std::size_t>(size)) more = false;
          inet_diag_msg message;
          if (more && head.nlmsg_len >= NLMSG_HDRLEN + sizeof message) {
            std::memcpy(&message, buffer + at + NLMSG_HDRLEN, sizeof message);
            call(told_by(message));
          }
          at += NLMSG_ALIGN(head.nlmsg_len);
        }
      }
    }
}

/// Asked about a socket of our own.
bool SocketDiagnosis::knows(std::uint8_t protocol) {
  const bool tcp = protocol == ip_protocol::kTcp;
  const int own = socket(AF_INET, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof name;
  bool found = false;
  if (bind(own, reinterpret_cast<sockaddr*>(&name), sizeof name) == 0 && (!tcp || listen(own, 1) == 0) &&
      getsockname(own, reinterpret_cast<sockaddr*>(&name), &size) == 0) {
    const Ip loopback = Ip::v4(INADDR_LOOPBACK);
    found = find({.local = loopback, .remote = loopback, .local_port = ntohs(name.sin_port), .remote_port = 9, .protocol = protocol}).has_value();
  }
  close(own);
  return found;
}

}  // namespace weir::datapath
