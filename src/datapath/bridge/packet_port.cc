// SPDX-License-Identifier: Apache-2.0
#include "datapath/bridge/packet_port.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace weir::datapath {
namespace {

constexpr int kSocketBytes = 16 << 20;
constexpr std::size_t kAddressBytes = 12, kTagBytes = 4, kRestAt = kAddressBytes + kTagBytes;

/// What stands in front of each frame (virtio 1.2, 5.1.6), in the byte order of the machine.
struct VnetHeader {
  static constexpr std::uint8_t kNeedsChecksum = 1;
  std::uint8_t flags;
  std::uint8_t gso_type;  ///< 0: an ordinary frame.
  std::uint16_t header_bytes, gso_bytes, checksum_start, checksum_offset;

  static VnetHeader of(const Offload& offload) {
    VnetHeader header;
    std::memcpy(&header, offload.bytes, sizeof header);
    return header;
  }
  void to(Offload& offload) const { std::memcpy(offload.bytes, this, sizeof *this); }
  /// Four bytes came in between the link's addresses and what it speaks of.
  void shift_by_tag() {
    if ((flags & kNeedsChecksum) != 0) checksum_start = static_cast<std::uint16_t>(checksum_start + 4);
    if (header_bytes != 0) header_bytes = static_cast<std::uint16_t>(header_bytes + 4);
  }
};
static_assert(sizeof(VnetHeader) == sizeof(Offload));

std::string sentence_of(int code, const std::string& name) {
  const std::string why = std::strerror(code);
  if (code == EPERM || code == EACCES)
    return "port " + name + " cannot be opened: " + why + "; packet sockets need root, CAP_NET_RAW, or a user namespace (unshare -Urn)";
  return "port " + name + " cannot be opened: " + why;
}

/// More than net.core.*mem_max where that is allowed, else as much as is.
void set_buffer(int fd, int forced, int plain) {
  const int bytes = kSocketBytes;
  if (setsockopt(fd, SOL_SOCKET, forced, &bytes, sizeof bytes) != 0) (void)setsockopt(fd, SOL_SOCKET, plain, &bytes, sizeof bytes);
}

}  // namespace

ReceiveSlots::ReceiveSlots()
    : memory_(static_cast<std::uint8_t*>(
          mmap(nullptr, kSlots * kSlotBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0))) {
  CHECK(memory_.get() != MAP_FAILED);
}

void ReceiveSlots::Unmap::operator()(std::uint8_t* memory) const { munmap(memory, kSlots * kSlotBytes); }

PacketPort::PacketPort(std::string name) : name_(std::move(name)) {}

PacketPort::PacketPort(PacketPort&& other) noexcept
    : name_(std::move(other.name_)), device_(other.device_), fd_(std::exchange(other.fd_, -1)),
      lro_was_on_(std::exchange(other.lro_was_on_, false)) {}

PacketPort::~PacketPort() { close(); }

std::optional<Error> PacketPort::open() {
  const auto device = find_device(name_);
  if (!device) return Error{"there is no port " + name_, ENODEV};
  if (!device->is_ethernet) return Error{"port " + name_ + " is no Ethernet device: a bridge cannot use it", EINVAL};
  if (device->enslaved)
    return Error{"port " + name_ + " belongs to a bridge or bond of the kernel, which would carry its frames too: take it out first (ip link set " +
                     name_ + " nomaster)", EBUSY};
  device_ = *device;
  // With protocol 0 nothing is received before the socket is bound to its device.
  const int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return Error{sentence_of(errno, name_), errno};
  set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF);
  set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF);
  const int on = 1;
  packet_mreq promiscuous{};
  promiscuous.mr_ifindex = device_.index;
  promiscuous.mr_type = PACKET_MR_PROMISC;
  sockaddr_ll here{};
  here.sll_family = AF_PACKET;
  here.sll_protocol = htons(ETH_P_ALL);
  here.sll_ifindex = device_.index;
  if (setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on) != 0 || setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof on) != 0 ||
      setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) != 0 ||
      bind(fd, reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0 ||
      setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous, sizeof promiscuous) != 0) {
    const int code = errno;
    ::close(fd);
    return Error{sentence_of(code, name_), code};
  }
  fd_ = fd;
  if (const auto lro = turn_off_lro(name_); lro.ok() && lro.value()) lro_was_on_ = true;
  return std::nullopt;
}

void PacketPort::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  outgoing_count_ = 0;
  if (std::exchange(lro_was_on_, false)) turn_on_lro(name_);
}

bool PacketPort::refresh() {
  const auto now = find_device(name_);
  const PortDevice before = device_;
  const bool was_open = is_open();
  if (was_open && (!now || now->index != device_.index || now->enslaved)) {
    lro_was_on_ = false;  // It went with the device.
    close();
  }
  if (now) device_ = *now;
  else device_.up = false;
  if (now && !is_open()) (void)open();
  return is_open() != was_open || before.up != device_.up || before.mtu != device_.mtu || before.index != device_.index;
}

std::size_t PacketPort::receive(const ReceiveSlots& slots, std::size_t& next_slot, std::span<Received> out, DatapathCounters& counters) {
  const std::size_t first = next_slot;
  const std::size_t room = std::min(out.size(), ReceiveSlots::kSlots - first);
  if (fd_ < 0 || room == 0) return 0;
  struct Control {
    alignas(cmsghdr) char bytes[CMSG_SPACE(sizeof(tpacket_auxdata))];
  };
  static thread_local mmsghdr messages[ReceiveSlots::kSlots];
  static thread_local iovec parts[ReceiveSlots::kSlots][3];
  static thread_local Control controls[ReceiveSlots::kSlots];
  for (std::size_t i = 0; i < room; ++i) {
    std::uint8_t* slot = slots.at(first + i);
    parts[i][0] = {out[i].offload.bytes, sizeof(Offload)};
    parts[i][1] = {slot + kTagBytes, kAddressBytes};
    parts[i][2] = {slot + kRestAt, ReceiveSlots::kSlotBytes - kRestAt};
    messages[i] = {};
    messages[i].msg_hdr.msg_iov = parts[i];
    messages[i].msg_hdr.msg_iovlen = 3;
    messages[i].msg_hdr.msg_control = controls[i].bytes;
    messages[i].msg_hdr.msg_controllen = sizeof controls[i].bytes;
  }
  const int came = recvmmsg(fd_, messages, static_cast<unsigned>(room), MSG_DONTWAIT, nullptr);
  if (came <= 0) {
    // A kind of coalescing that the header in front cannot tell of: the frame is gone.
    if (came < 0 && errno == EINVAL) ++counters.lost[static_cast<std::size_t>(Loss::Truncated)];
    return 0;
  }
  next_slot += static_cast<std::size_t>(came);
  std::size_t count = 0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(came); ++i) {
    const msghdr& message = messages[i].msg_hdr;
    const std::size_t size = messages[i].msg_len;
    if ((message.msg_flags & MSG_TRUNC) != 0 || size < sizeof(Offload) + kAddressBytes + 2) {
      ++counters.lost[static_cast<std::size_t>(Loss::Truncated)];
      continue;
    }
    std::uint8_t* slot = slots.at(first + i);
    std::uint8_t* begin = slot + kTagBytes;
    std::size_t length = size - sizeof(Offload);
    Received& received = out[count];
    VnetHeader header = VnetHeader::of(out[i].offload);
    for (const cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(const_cast<msghdr*>(&message), const_cast<cmsghdr*>(c))) {
      if (c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA) continue;
      tpacket_auxdata aux;
      std::memcpy(&aux, CMSG_DATA(c), sizeof aux);
      if ((aux.tp_status & TP_STATUS_VLAN_VALID) == 0) continue;
      const std::uint16_t type = (aux.tp_status & TP_STATUS_VLAN_TPID_VALID) != 0 ? aux.tp_vlan_tpid : std::uint16_t{ETH_P_8021Q};
      std::memmove(slot, begin, kAddressBytes);
      begin = slot;
      store_be16(begin + kAddressBytes, type);
      store_be16(begin + kAddressBytes + 2, aux.tp_vlan_tci);
      length += kTagBytes;
      header.shift_by_tag();
    }
    header.flags &= VnetHeader::kNeedsChecksum;  // "Was checked" is for receivers only.
    header.to(received.offload);
    received.checksum_partial = header.flags != 0;
    received.bytes = {begin, length};
    ++count;
    ++frames_in;
    bytes_in += length;
  }
  return count;
}

/// The MTU does not count the link's header and one tag; a coalesced frame is as long as its longest segment.
bool PacketPort::too_long(Bytes first, Bytes rest, const Offload& offload) const {
  constexpr std::size_t kLink = 14;
  std::size_t length = first.size() + rest.size();
  const VnetHeader header = VnetHeader::of(offload);
  // `header_bytes` is only a hint, and may cover payload; the transport header begins where the checksum does.
  if (header.gso_type != 0 && (header.flags & VnetHeader::kNeedsChecksum) != 0 && std::size_t{header.checksum_start} + 20 <= first.size()) {
    const std::uint8_t* transport = first.data() + header.checksum_start;
    const bool tcp = header.checksum_offset == 16;
    length = std::min<std::size_t>(length, std::size_t{header.checksum_start} + (tcp ? std::size_t{transport[12]} / 16 * 4 : 8) + header.gso_bytes);
  }
  std::size_t link = kLink;
  if (first.size() >= kLink && (load_be16(first.data() + 12) == ETH_P_8021Q || load_be16(first.data() + 12) == ETH_P_8021AD)) link += kTagBytes;
  return length > link + device_.mtu;
}

void PacketPort::send(Bytes first, Bytes rest, const Offload& offload, DatapathCounters& counters) {
  if (!usable()) {
    ++counters.lost[static_cast<std::size_t>(Loss::NoPort)];
    return;
  }
  if (first.size() + rest.size() > device_.mtu && too_long(first, rest, offload)) {
    ++counters.lost[static_cast<std::size_t>(Loss::TooLong)];
    return;
  }
  if (outgoing_count_ == kSendMax) flush(counters);
  Outgoing& out = outgoing_[outgoing_count_];
  out.offload = offload;
  out.parts[0] = {out.offload.bytes, sizeof(Offload)};
  out.parts[1] = {const_cast<std::uint8_t*>(first.data()), first.size()};
  out.parts[2] = {const_cast<std::uint8_t*>(rest.data()), rest.size()};
  mmsghdr& message = messages_[outgoing_count_++];
  message = {};
  message.msg_hdr.msg_iov = out.parts;
  message.msg_hdr.msg_iovlen = rest.empty() ? 2 : 3;
}

void PacketPort::flush(DatapathCounters& counters) {
  std::size_t at = 0;
  while (at < outgoing_count_) {
    const int sent = fd_ < 0 ? -1 : sendmmsg(fd_, &messages_[at], static_cast<unsigned>(outgoing_count_ - at), MSG_DONTWAIT);
    for (int i = 0; i < sent; ++i, ++at) {
      ++counters.sent;
      ++frames_out;
      bytes_out += messages_[at].msg_len - sizeof(Offload);
    }
    if (sent > 0) continue;
    const int code = fd_ < 0 ? ENODEV : errno;
    if (code == EINTR) continue;
    const Loss loss = code == EAGAIN || code == ENOBUFS ? Loss::SendFull
                      : code == EMSGSIZE               ? Loss::TooLong
                      : code == ENETDOWN || code == ENXIO || code == ENODEV ? Loss::NoPort
                                                                            : Loss::SendFailed;
    ++counters.lost[static_cast<std::size_t>(loss)];
    ++at;
  }
  outgoing_count_ = 0;
}

std::uint64_t PacketPort::ring_lost() {
  if (fd_ < 0) return 0;
  tpacket_stats stats{};
  socklen_t size = sizeof stats;
  return getsockopt(fd_, SOL_PACKET, PACKET_STATISTICS, &stats, &size) == 0 ? stats.tp_drops : 0;
}

}  // namespace weir::datapath
