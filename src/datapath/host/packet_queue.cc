// SPDX-License-Identifier: Apache-2.0
#include "datapath/host/packet_queue.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace weir::datapath {
namespace {

constexpr std::uint32_t kPacketBytesMax = 0xffff;
constexpr int kQueuesTried = 16;

constexpr std::uint16_t type_of(std::uint16_t message) { return static_cast<std::uint16_t>(NFNL_SUBSYS_QUEUE << 8 | message); }

void put_command(NetlinkBatch& batch, std::uint16_t number, std::uint8_t command) {
  batch.begin(type_of(NFQNL_MSG_CONFIG), NLM_F_ACK, AF_UNSPEC, number);
  nfqnl_msg_config_cmd what{};
  what.command = command;
  batch.put(NFQA_CFG_CMD, &what, sizeof what);
  batch.end();
}

Hook hook_of(std::uint8_t number) {
  return number == NF_INET_LOCAL_OUT ? Hook::Output : number == NF_INET_FORWARD ? Hook::Forward : Hook::Input;
}

/// False: no packet in it.
bool read_packet(const nlmsghdr& message, QueuedPacket& out) {
  out = QueuedPacket{};
  bool has_id = false, has_bytes = false;
  auto left = attributes_of(message);
  // As for_each_attribute(), without a call for each: this is done for every packet.
  while (left.size() >= sizeof(nlattr)) {
    nlattr header;
    std::memcpy(&header, left.data(), sizeof header);
    if (header.nla_len < sizeof header || header.nla_len > left.size()) break;
    const Attribute a{static_cast<std::uint16_t>(header.nla_type & NLA_TYPE_MASK), left.subspan(sizeof header, header.nla_len - sizeof header)};
    left = left.subspan(std::min<std::size_t>(left.size(), (header.nla_len + 3U) & ~3U));
    switch (a.type) {
      case NFQA_PACKET_HDR:
        if (a.bytes.size() < 7) break;
        out.id = a.be32();
        out.hook = hook_of(a.bytes[6]);
        has_id = true;
        break;
      case NFQA_IFINDEX_INDEV: out.in_device = a.be32(); break;
      case NFQA_IFINDEX_OUTDEV: out.out_device = a.be32(); break;
      case NFQA_PAYLOAD:
        out.bytes = a.bytes;
        has_bytes = true;
        break;
      case NFQA_CAP_LEN: out.whole_bytes = a.be32(); break;
      case NFQA_SKB_INFO: out.checksum_partial = (a.be32() & NFQA_SKB_CSUMNOTREADY) != 0; break;
      case NFQA_UID: out.uid = a.be32(); break;
      default: break;
    }
  }
  if (out.whole_bytes < out.bytes.size()) out.whole_bytes = static_cast<std::uint32_t>(out.bytes.size());
  return has_id && has_bytes;
}

}  // namespace

std::optional<Error> PacketQueue::bind(std::uint16_t number, const PacketQueueOptions& options) {
  NetlinkBatch batch(4096);
  put_command(batch, number, NFQNL_CFG_CMD_BIND);
  if (auto error = netlink_.ask(batch)) return error;
  batch.clear();
  batch.begin(type_of(NFQNL_MSG_CONFIG), NLM_F_ACK, AF_UNSPEC, number);
  // struct nfqnl_msg_config_params: packed, five bytes.
  std::uint8_t params[5];
  store_be32(params, kPacketBytesMax);
  params[4] = NFQNL_COPY_PACKET;
  batch.put(NFQA_CFG_PARAMS, params, sizeof params);
  batch.put_be32(NFQA_CFG_QUEUE_MAXLEN, options.waiting_max);
  const std::uint32_t flags = NFQA_CFG_F_GSO | NFQA_CFG_F_UID_GID | (options.fail_open ? NFQA_CFG_F_FAIL_OPEN : 0U);
  batch.put_be32(NFQA_CFG_FLAGS, flags);
  batch.put_be32(NFQA_CFG_MASK, NFQA_CFG_F_GSO | NFQA_CFG_F_UID_GID | NFQA_CFG_F_FAIL_OPEN);
  batch.end();
  return netlink_.ask(batch);
}

Result<PacketQueue> PacketQueue::open(std::uint16_t number, const PacketQueueOptions& options) {
  auto netlink = Netlink::open();
  if (!netlink) return netlink.error();
  PacketQueue queue;
  queue.netlink_ = std::move(*netlink);
  std::optional<Error> error;
  for (int i = 0; i < kQueuesTried; ++i) {
    queue.number_ = static_cast<std::uint16_t>(number + i);
    error = queue.bind(queue.number_, options);
    if (!error || error->code != EBUSY) break;
  }
  if (error) {
    if (error->code == EPERM) return Error{"packets can be queued only with CAP_NET_ADMIN in this network namespace", EPERM};
    return Error{"this kernel queues no packets (modprobe nfnetlink_queue): " + error->message, error->code};
  }
  const int fd = queue.fd(), size = static_cast<int>(options.socket_bytes), on = 1;
  if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0) (void)::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  (void)::setsockopt(fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, &on, sizeof on);
  queue.messages_.resize(kBatch * kMessageBytes);
  return queue;
}

Result<std::size_t> PacketQueue::receive(std::span<QueuedPacket> out, bool& emptied) {
  emptied = true;
  const std::size_t room = std::min(out.size(), kBatch);
  std::array<mmsghdr, kBatch> headers;
  std::array<iovec, kBatch> places;
  for (std::size_t i = 0; i < room; ++i) {
    places[i] = {messages_.data() + i * kMessageBytes, kMessageBytes};
    headers[i] = {};
    headers[i].msg_hdr.msg_iov = &places[i];
    headers[i].msg_hdr.msg_iovlen = 1;
  }
  const int came = ::recvmmsg(fd(), headers.data(), static_cast<unsigned>(room), MSG_DONTWAIT, nullptr);
  if (came < 0) {
    if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS) return std::size_t{0};
    return Error{std::string("the queue of packets is gone: ") + std::strerror(errno), errno};
  }
  emptied = static_cast<std::size_t>(came) < room;
  std::size_t count = 0;
  for (int i = 0; i < came; ++i) {
    const auto* message = reinterpret_cast<const nlmsghdr*>(messages_.data() + static_cast<std::size_t>(i) * kMessageBytes);
    const std::size_t size = headers[static_cast<std::size_t>(i)].msg_len;
    // A verdict on a packet that is gone is answered with an error: nothing to do about it.
    if (size < sizeof(nlmsghdr) || message->nlmsg_len > size || message->nlmsg_type != type_of(NFQNL_MSG_PACKET)) continue;
    if (read_packet(*message, out[count])) ++count;
  }
  return count;
}

void PacketQueue::put(std::uint32_t id, std::uint32_t verdict, Bytes payload) {
  if (verdicts_.room() < payload.size() + 128) send();
  verdicts_.begin(type_of(NFQNL_MSG_VERDICT), 0, AF_UNSPEC, number_);
  std::uint8_t what[8];
  store_be32(what, verdict);
  store_be32(what + 4, id);
  verdicts_.put(NFQA_VERDICT_HDR, what, sizeof what);
  if (!payload.empty()) verdicts_.put(NFQA_PAYLOAD, payload.data(), payload.size());
  verdicts_.end();
}

void PacketQueue::accept(std::uint32_t id, Bytes rewrite) { put(id, NF_ACCEPT, rewrite); }
void PacketQueue::drop(std::uint32_t id) { put(id, NF_DROP, {}); }

void PacketQueue::send() {
  if (verdicts_.empty()) return;
  (void)netlink_.send(verdicts_);
  verdicts_.clear();
}

std::optional<std::uint64_t> PacketQueue::lost() const {
  std::FILE* const file = std::fopen("/proc/self/net/netfilter/nfnetlink_queue", "re");
  if (file == nullptr) return std::nullopt;
  std::optional<std::uint64_t> lost;
  unsigned number = 0;
  unsigned long owner = 0, waiting = 0, mode = 0, range = 0, full = 0, unread = 0, last = 0, one = 0;
  while (std::fscanf(file, "%u %lu %lu %lu %lu %lu %lu %lu %lu", &number, &owner, &waiting, &mode, &range, &full, &unread, &last, &one) == 9)
    if (number == number_) lost = full + unread;
  std::fclose(file);
  return lost;
}

std::optional<Error> PacketQueue::leave() {
  NetlinkBatch batch(256);
  put_command(batch, number_, NFQNL_CFG_CMD_UNBIND);
  return netlink_.send(batch);
}

}  // namespace weir::datapath
