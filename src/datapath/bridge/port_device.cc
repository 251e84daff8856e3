// SPDX-License-Identifier: Apache-2.0
#include "datapath/bridge/port_device.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace weir::datapath {
namespace {

class ControlSocket {
 public:
  ControlSocket() : fd_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {}
  ~ControlSocket() {
    if (fd_ >= 0) close(fd_);
  }
  ControlSocket(const ControlSocket&) = delete;
  ControlSocket& operator=(const ControlSocket&) = delete;
  bool ask(unsigned long request, ifreq& about) const { return ioctl(fd_, request, &about) == 0; }

 private:
  int fd_;
};

std::optional<ifreq> request_about(const std::string& name) {
  ifreq about{};
  if (name.empty() || name.size() >= IFNAMSIZ) return std::nullopt;
  std::memcpy(about.ifr_name, name.data(), name.size());
  return about;
}

}  // namespace

std::optional<PortDevice> find_device(const std::string& name) {
  if (name.empty() || name.size() >= IFNAMSIZ) return std::nullopt;
  const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) return std::nullopt;
  struct {
    nlmsghdr header;
    ifinfomsg link;
    rtattr attribute;
    char name[IFNAMSIZ];
  } question{};
  question.header.nlmsg_len = static_cast<std::uint32_t>(NLMSG_LENGTH(sizeof(ifinfomsg)) + RTA_SPACE(name.size() + 1));
  question.header.nlmsg_type = RTM_GETLINK;
  question.header.nlmsg_flags = NLM_F_REQUEST;
  question.attribute.rta_type = IFLA_IFNAME;
  question.attribute.rta_len = static_cast<unsigned short>(RTA_LENGTH(name.size() + 1));
  std::memcpy(question.name, name.data(), name.size());
  alignas(nlmsghdr) char answer[16384];
  const bool asked = send(fd, &question, question.header.nlmsg_len, 0) >= 0;
  const ssize_t size = asked ? recv(fd, answer, sizeof answer, 0) : -1;
  close(fd);
  const auto* header = reinterpret_cast<const nlmsghdr*>(answer);
  if (size < static_cast<ssize_t>(NLMSG_LENGTH(sizeof(ifinfomsg))) || header->nlmsg_type != RTM_NEWLINK) return std::nullopt;
  const auto* link = static_cast<const ifinfomsg*>(NLMSG_DATA(header));
  PortDevice device;
  device.index = link->ifi_index;
  device.up = (link->ifi_flags & IFF_UP) != 0 && (link->ifi_flags & IFF_RUNNING) != 0;
  device.is_ethernet = link->ifi_type == ARPHRD_ETHER;
  auto left = static_cast<unsigned>(size) - static_cast<unsigned>(NLMSG_LENGTH(sizeof(ifinfomsg)));
  for (const rtattr* a = IFLA_RTA(link); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
    if (a->rta_type == IFLA_MASTER) device.enslaved = true;
    if (a->rta_type == IFLA_MTU && RTA_PAYLOAD(a) == 4) std::memcpy(&device.mtu, RTA_DATA(a), 4);
    if (a->rta_type == IFLA_ADDRESS && RTA_PAYLOAD(a) == 6) std::memcpy(device.mac.bytes.data(), RTA_DATA(a), 6);
  }
  return device;
}

std::vector<std::string> addresses_of(const std::string& name) {
  std::vector<std::string> out;
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) return out;
  for (const ifaddrs* a = all; a != nullptr; a = a->ifa_next) {
    if (a->ifa_addr == nullptr || name != a->ifa_name) continue;
    char text[INET6_ADDRSTRLEN] = "";
    const int family = a->ifa_addr->sa_family;
    const void* address = nullptr;
    if (family == AF_INET) address = &reinterpret_cast<const sockaddr_in*>(a->ifa_addr)->sin_addr;
    if (family == AF_INET6) address = &reinterpret_cast<const sockaddr_in6*>(a->ifa_addr)->sin6_addr;
    if (address != nullptr && inet_ntop(family, address, text, sizeof text) != nullptr) out.emplace_back(text);
  }
  freeifaddrs(all);
  return out;
}

bool answers_for_other_devices(const std::string& name) {
  for (const std::string& where : {std::string("all"), name}) {
    std::ifstream setting("/proc/sys/net/ipv4/conf/" + where + "/arp_ignore");
    int value = 0;
    if (setting >> value && value != 0) return false;
  }
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) return false;
  bool any = false;
  for (const ifaddrs* a = all; a != nullptr; a = a->ifa_next)
    any = any || (a->ifa_addr != nullptr && a->ifa_addr->sa_family == AF_INET && (a->ifa_flags & IFF_LOOPBACK) == 0 && name != a->ifa_name);
  freeifaddrs(all);
  return any;
}

namespace {

Result<bool> turn_off(const std::string& name, std::uint32_t flag) {
  const auto about = request_about(name);
  const ControlSocket socket;
  ethtool_value value{.cmd = ETHTOOL_GFLAGS, .data = 0};
  ifreq request = about.value_or(ifreq{});
  request.ifr_data = reinterpret_cast<char*>(&value);
  if (!socket.ask(SIOCETHTOOL, request) || (value.data & flag) == 0) return false;
  value = {.cmd = ETHTOOL_SFLAGS, .data = value.data & ~flag};
  if (!socket.ask(SIOCETHTOOL, request)) return Error{std::strerror(errno), errno};
  return true;
}

void turn_on(const std::string& name, std::uint32_t flag) {
  const auto about = request_about(name);
  const ControlSocket socket;
  ethtool_value value{.cmd = ETHTOOL_GFLAGS, .data = 0};
  ifreq request = about.value_or(ifreq{});
  request.ifr_data = reinterpret_cast<char*>(&value);
  if (!socket.ask(SIOCETHTOOL, request)) return;
  value = {.cmd = ETHTOOL_SFLAGS, .data = value.data | flag};
  (void)socket.ask(SIOCETHTOOL, request);
}

}  // namespace

Result<bool> turn_off_lro(const std::string& name) { return turn_off(name, ETH_FLAG_LRO); }
void turn_on_lro(const std::string& name) { turn_on(name, ETH_FLAG_LRO); }
Result<bool> turn_off_vlan_stripping(const std::string& name) { return turn_off(name, ETH_FLAG_RXVLAN); }
void turn_on_vlan_stripping(const std::string& name) { turn_on(name, ETH_FLAG_RXVLAN); }

Result<bool> turn_off_gro(const std::string& name) {
  const auto about = request_about(name);
  const ControlSocket socket;
  ethtool_value value{.cmd = ETHTOOL_GGRO, .data = 0};
  ifreq request = about.value_or(ifreq{});
  request.ifr_data = reinterpret_cast<char*>(&value);
  if (!about || !socket.ask(SIOCETHTOOL, request) || value.data == 0) return false;
  value = {.cmd = ETHTOOL_SGRO, .data = 0};
  if (!socket.ask(SIOCETHTOOL, request)) return Error{std::strerror(errno), errno};
  return true;
}

void turn_on_gro(const std::string& name) {
  const auto about = request_about(name);
  const ControlSocket socket;
  ethtool_value value{.cmd = ETHTOOL_SGRO, .data = 1};
  ifreq request = about.value_or(ifreq{});
  request.ifr_data = reinterpret_cast<char*>(&value);
  if (about) (void)socket.ask(SIOCETHTOOL, request);
}

std::optional<std::uint64_t> counted_by_driver(const std::string& name, std::string_view counter) {
  const auto about = request_about(name);
  if (!about) return std::nullopt;
  const ControlSocket socket;
  ifreq request = *about;
  ethtool_drvinfo driver{};
  driver.cmd = ETHTOOL_GDRVINFO;
  request.ifr_data = reinterpret_cast<char*>(&driver);
  if (!socket.ask(SIOCETHTOOL, request) || driver.n_stats == 0 || driver.n_stats > 4096) return std::nullopt;
  // What the driver writes is as long as it said, behind the header.
  std::vector<std::uint64_t> names(sizeof(ethtool_gstrings) / 8 + 1 + std::size_t{driver.n_stats} * ETH_GSTRING_LEN / 8);
  auto* strings = reinterpret_cast<ethtool_gstrings*>(names.data());
  strings->cmd = ETHTOOL_GSTRINGS;
  strings->string_set = ETH_SS_STATS;
  strings->len = driver.n_stats;
  request.ifr_data = reinterpret_cast<char*>(strings);
  if (!socket.ask(SIOCETHTOOL, request)) return std::nullopt;
  std::vector<std::uint64_t> values(sizeof(ethtool_stats) / 8 + 1 + driver.n_stats);
  auto* stats = reinterpret_cast<ethtool_stats*>(values.data());
  stats->cmd = ETHTOOL_GSTATS;
  stats->n_stats = driver.n_stats;
  request.ifr_data = reinterpret_cast<char*>(stats);
  if (!socket.ask(SIOCETHTOOL, request)) return std::nullopt;
  std::optional<std::uint64_t> sum;
  for (std::uint32_t i = 0; i < driver.n_stats; ++i) {
    const auto* text = reinterpret_cast<const char*>(strings->data + std::size_t{i} * ETH_GSTRING_LEN);
    if (std::string_view(text, strnlen(text, ETH_GSTRING_LEN)).ends_with(counter)) sum = sum.value_or(0) + stats->data[i];
  }
  return sum;
}

std::uint32_t receive_queues(const std::string& name) {
  const auto about = request_about(name);
  const ControlSocket socket;
  ethtool_channels channels{};
  channels.cmd = ETHTOOL_GCHANNELS;
  ifreq request = about.value_or(ifreq{});
  request.ifr_data = reinterpret_cast<char*>(&channels);
  if (!about || !socket.ask(SIOCETHTOOL, request)) return 1;
  const std::uint32_t queues = channels.rx_count + channels.combined_count;
  return queues == 0 ? 1 : queues;
}

Result<int> open_device_events() {
  const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
  if (fd < 0) return Error{std::strerror(errno), errno};
  sockaddr_nl here{};
  here.nl_family = AF_NETLINK;
  here.nl_groups = RTMGRP_LINK;
  if (bind(fd, reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0) {
    const int code = errno;
    close(fd);
    return Error{std::strerror(code), code};
  }
  return fd;
}

void drain_device_events(int fd) {
  // What they say is asked anew of each port, so that an overrun (ENOBUFS) loses nothing.
  char block[8192];
  for (;;) {
    const ssize_t size = recv(fd, block, sizeof block, MSG_DONTWAIT);
    if (size <= 0 && !(size < 0 && errno == ENOBUFS)) return;
  }
}

}  // namespace weir::datapath
