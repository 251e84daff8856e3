// SPDX-License-Identifier: Apache-2.0
#include "datapath/host/conntrack.h"

#include <fcntl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "facts/packet.h"

namespace weir::datapath {
namespace {

constexpr const char* kCounting = "/proc/sys/net/netfilter/nf_conntrack_acct";

constexpr std::uint16_t type_of(std::uint16_t message) { return static_cast<std::uint16_t>(NFNL_SUBSYS_CTNETLINK << 8 | message); }

void read_tuple(const Attribute& tuple, Connection& out) {
  for_each_attribute(tuple.bytes, [&](const Attribute& part) {
    if (part.type == CTA_TUPLE_IP)
      for_each_attribute(part.bytes, [&](const Attribute& a) {
        if (a.type == CTA_IP_V4_SRC && a.bytes.size() == 4) out.src = Ip::v4_bytes(a.bytes.data());
        if (a.type == CTA_IP_V4_DST && a.bytes.size() == 4) out.dst = Ip::v4_bytes(a.bytes.data());
        if (a.type == CTA_IP_V6_SRC && a.bytes.size() == 16) out.src = Ip::v6_bytes(a.bytes.data());
        if (a.type == CTA_IP_V6_DST && a.bytes.size() == 16) out.dst = Ip::v6_bytes(a.bytes.data());
      });
    if (part.type == CTA_TUPLE_PROTO)
      for_each_attribute(part.bytes, [&](const Attribute& a) {
        if (a.type == CTA_PROTO_NUM) out.protocol = a.u8();
        if (a.type == CTA_PROTO_SRC_PORT) out.src_port = a.be16();
        if (a.type == CTA_PROTO_DST_PORT) out.dst_port = a.be16();
      });
  });
}

void read_counters(const Attribute& counters, Connection& out, std::size_t direction) {
  for_each_attribute(counters.bytes, [&](const Attribute& a) {
    if (a.type == CTA_COUNTERS_PACKETS) out.packets[direction] = a.be64(), out.counted = true;
    if (a.type == CTA_COUNTERS_BYTES) out.bytes[direction] = a.be64();
  });
}

Connection read_connection(const nlmsghdr& message) {
  Connection out;
  for_each_attribute(attributes_of(message), [&](const Attribute& a) {
    switch (a.type) {
      case CTA_TUPLE_ORIG: read_tuple(a, out); break;
      case CTA_MARK: out.mark = a.be32(); break;
      case CTA_ID: out.id = a.be32(); break;
      case CTA_TIMEOUT: out.left_s = a.be32(); break;
      case CTA_COUNTERS_ORIG: read_counters(a, out, 0); break;
      case CTA_COUNTERS_REPLY: read_counters(a, out, 1); break;
      case CTA_PROTOINFO:
        for_each_attribute(a.bytes, [&](const Attribute& protocol) {
          if (protocol.type != CTA_PROTOINFO_TCP) return;
          for_each_attribute(protocol.bytes, [&](const Attribute& tcp) {
            if (tcp.type == CTA_PROTOINFO_TCP_STATE) out.tcp_state = tcp.u8();
          });
        });
        break;
      default: break;
    }
  });
  return out;
}

bool write_setting(char value) {
  const int fd = ::open(kCounting, O_RDWR | O_CLOEXEC);
  if (fd < 0) return false;
  char now = 0;
  const bool changes = ::pread(fd, &now, 1, 0) == 1 && now != value && ::pwrite(fd, &value, 1, 0) == 1;
  ::close(fd);
  return changes;
}

}  // namespace

bool turn_on_counting() { return write_setting('1'); }
void turn_off_counting() { (void)write_setting('0'); }

Result<Conntrack> Conntrack::open() {
  auto netlink = Netlink::open();
  if (!netlink) return netlink.error();
  Conntrack out;
  out.netlink_ = std::move(*netlink);
  // Asking for a connection that cannot be tells whether anybody answers.
  const ConnectionName nobody{.ends = {Ip::v4(0), Ip::v4(0), 0, 0, ip_protocol::kUdp}};
  out.batch_.begin(type_of(IPCTNL_MSG_CT_GET), NLM_F_ACK, NFPROTO_IPV4);
  out.put_name(out.batch_, nobody);
  out.batch_.end();
  const auto error = out.netlink_.ask(out.batch_);
  out.batch_.clear();
  if (error && error->code != ENOENT) return Error{"this kernel's table of connections cannot be spoken to (modprobe nf_conntrack_netlink): " + error->message, error->code};
  return out;
}

void Conntrack::put_name(NetlinkBatch& batch, const ConnectionName& name) {
  const FlowEnds& e = name.ends;
  const Ip &src = name.reversed ? e.server : e.client, &dst = name.reversed ? e.client : e.server;
  const std::size_t tuple = batch.begin_nested(CTA_TUPLE_ORIG), ip = batch.begin_nested(CTA_TUPLE_IP);
  if (src.is_v4()) {
    batch.put(CTA_IP_V4_SRC, src.bytes.data() + 12, 4);
    batch.put(CTA_IP_V4_DST, dst.bytes.data() + 12, 4);
  } else {
    batch.put(CTA_IP_V6_SRC, src.bytes.data(), 16);
    batch.put(CTA_IP_V6_DST, dst.bytes.data(), 16);
  }
  batch.end_nested(ip);
  const std::size_t protocol = batch.begin_nested(CTA_TUPLE_PROTO);
  batch.put_u8(CTA_PROTO_NUM, e.protocol);
  batch.put_be16(CTA_PROTO_SRC_PORT, name.reversed ? e.server_port : e.client_port);
  batch.put_be16(CTA_PROTO_DST_PORT, name.reversed ? e.client_port : e.server_port);
  batch.end_nested(protocol);
  batch.end_nested(tuple);
}

void Conntrack::set_mark(const ConnectionName& name, std::uint32_t mark, std::uint32_t mask) {
  if (batch_.room() < 512) send();
  batch_.begin(type_of(IPCTNL_MSG_CT_NEW), 0, name.ends.client.is_v4() ? NFPROTO_IPV4 : NFPROTO_IPV6);
  put_name(batch_, name);
  batch_.put_be32(CTA_MARK, mark);
  batch_.put_be32(CTA_MARK_MASK, mask);
  batch_.end();
}

void Conntrack::send() {
  if (batch_.empty()) return;
  (void)netlink_.ask(batch_);
  batch_.clear();
}

std::optional<Connection> Conntrack::read(const ConnectionName& name) {
  send();
  batch_.begin(type_of(IPCTNL_MSG_CT_GET), 0, name.ends.client.is_v4() ? NFPROTO_IPV4 : NFPROTO_IPV6);
  put_name(batch_, name);
  batch_.end();
  std::optional<Connection> out;
  (void)netlink_.ask(batch_, [&out](const nlmsghdr& message) {
    if (message.nlmsg_type == type_of(IPCTNL_MSG_CT_NEW)) out = read_connection(message);
  });
  batch_.clear();
  return out;
}

std::size_t Conntrack::clear_marks(std::uint32_t mask) {
  send();
  std::size_t count = 0;
  NetlinkBatch all(256);
  all.begin(type_of(IPCTNL_MSG_CT_GET), NLM_F_DUMP, AF_UNSPEC);
  all.end();
  std::vector<ConnectionName> marked;
  (void)netlink_.ask(all, [&](const nlmsghdr& message) {
    if (message.nlmsg_type != type_of(IPCTNL_MSG_CT_NEW)) return;
    const Connection c = read_connection(message);
    if ((c.mark & mask) != 0) marked.push_back({.ends = {c.src, c.dst, c.src_port, c.dst_port, c.protocol}});
  });
  for (const ConnectionName& name : marked) {
    set_mark(name, 0, mask);
    ++count;
  }
  send();
  return count;
}

}  // namespace weir::datapath
