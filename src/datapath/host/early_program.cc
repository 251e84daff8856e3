// SPDX-License-Identifier: Apache-2.0
#include "datapath/host/early_program.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <host.skel.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "datapath/host/netlink.h"

namespace weir::datapath {
namespace {

/// What libbpf says while it loads is for nobody: the error says it.
int say_nothing(enum libbpf_print_level, const char*, va_list) { return 0; }

std::string driver_of(const std::string& name) {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return {};
  ethtool_drvinfo about{};
  about.cmd = ETHTOOL_GDRVINFO;
  ifreq request{};
  std::memcpy(request.ifr_name, name.data(), std::min(name.size(), sizeof request.ifr_name - 1));
  request.ifr_data = reinterpret_cast<char*>(&about);
  const bool told = ::ioctl(fd, SIOCETHTOOL, &request) == 0;
  ::close(fd);
  return told ? std::string(about.driver, strnlen(about.driver, sizeof about.driver)) : std::string();
}

bool lists_nat(const char* path) {
  std::FILE* const file = std::fopen(path, "re");
  if (file == nullptr) return false;
  char line[64];
  bool nat = false;
  while (std::fgets(line, sizeof line, file) != nullptr) nat = nat || std::strcmp(line, "nat\n") == 0;
  std::fclose(file);
  return nat;
}

}  // namespace

bool is_built_on_others(const std::string& name) {
  const std::string driver = driver_of(name);
  for (const char* of : {"bridge", "bonding", "team", "802.1Q VLAN Support", "macvlan", "ipvlan", "dummy", "openvswitch"})
    if (driver == of) return true;
  return false;
}

bool translates_destinations() {
  if (lists_nat("/proc/self/net/ip_tables_names") || lists_nat("/proc/self/net/ip6_tables_names")) return true;
  auto netlink = Netlink::open();
  if (!netlink) return true;
  NetlinkBatch batch(256);
  batch.begin(static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETCHAIN), NLM_F_DUMP, AF_UNSPEC);
  batch.end();
  bool found = false;
  const auto error = netlink->ask(batch, [&](const nlmsghdr& message) {
    bool nat = false, on_the_way_in = false;
    for_each_attribute(attributes_of(message), [&](const Attribute& a) {
      if (a.type == NFTA_CHAIN_TYPE) nat = a.bytes.size() == 4 && std::memcmp(a.bytes.data(), "nat", 4) == 0;
      if (a.type == NFTA_CHAIN_HOOK)
        for_each_attribute(a.bytes, [&](const Attribute& hook) {
          if (hook.type == NFTA_HOOK_HOOKNUM) on_the_way_in = hook.be32() == NF_INET_PRE_ROUTING;
        });
    });
    found = found || (nat && on_the_way_in);
  });
  return found || (error && error->code != ENOENT);
}

void EarlyProgram::Close::operator()(weir_host* skeleton) const { weir_host__destroy(skeleton); }
void EarlyProgram::Close::operator()(ring_buffer* ring) const { ring_buffer__free(ring); }

Result<std::unique_ptr<EarlyProgram>> EarlyProgram::load() {
  const libbpf_print_fn_t before = libbpf_set_print(say_nothing);
  std::unique_ptr<EarlyProgram> program(new EarlyProgram);
  program->skeleton_.reset(weir_host__open());
  const int code = program->skeleton_ == nullptr ? errno : -weir_host__load(program->skeleton_.get());
  libbpf_set_print(before);
  if (code != 0) {
    if (code == EPERM || code == EACCES) return Error{"programs in the kernel need root, or CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON", code};
    return Error{std::string("the kernel takes no program that asks for connections (Linux 5.18 with BTF has that): ") + std::strerror(code), code};
  }
  program->cpus_ = std::max(libbpf_num_possible_cpus(), 1);
  program->copies_.reserve(kCopies);
  program->copied_.resize(kCopies * WEIR_EARLY_COPY_BYTES);
  program->ring_.reset(ring_buffer__new(bpf_map__fd(program->skeleton_->maps.stopped), keep, program.get(), nullptr));
  if (program->ring_ == nullptr) return Error{std::string("the kernel has no ring to tell what it stopped: ") + std::strerror(errno), errno};
  return program;
}

EarlyProgram::~EarlyProgram() {
  for (const Link& link : links_) ::close(link.fd);
}

Result<Attach> EarlyProgram::attach(const std::string& name, int device) {
  // A veth has native XDP, and pays for it by copying each coalesced segment.
  const bool generic_only = driver_of(name) == "veth";
  int code = EOPNOTSUPP;
  for (const Attach mode : {Attach::XdpNative, Attach::XdpGeneric}) {
    if (generic_only && mode == Attach::XdpNative) continue;
    bpf_link_create_opts how{};
    how.sz = sizeof how;
    how.flags = mode == Attach::XdpNative ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE;
    const int link = bpf_link_create(bpf_program__fd(skeleton_->progs.weir_early), device, BPF_XDP, &how);
    if (link >= 0) {
      links_.push_back({device, link});
      return mode;
    }
    code = -link;
    if (code == EBUSY || code == EEXIST) return Error{"it has an XDP program of someone else", code};
  }
  return Error{std::string("it takes no XDP program: ") + std::strerror(code), code};
}

void EarlyProgram::detach(int device) {
  std::erase_if(links_, [device](const Link& link) {
    if (link.device == device) ::close(link.fd);
    return link.device == device;
  });
}

void EarlyProgram::set_on() const {
  volatile weir_early_config& config = skeleton_->bss->early;
  config.on = any_ && !paused_ ? 1 : 0;
}

void EarlyProgram::pause(bool paused) {
  paused_ = paused;
  set_on();
}

void EarlyProgram::put_addresses(const EarlyRules& rules) {
  const int v4 = bpf_map__fd(skeleton_->maps.addresses4), v6 = bpf_map__fd(skeleton_->maps.addresses6);
  weir_early_v4 key4{};
  while (bpf_map_get_next_key(v4, nullptr, &key4) == 0) bpf_map_delete_elem(v4, &key4);
  weir_early_v6 key6{};
  while (bpf_map_get_next_key(v6, nullptr, &key6) == 0) bpf_map_delete_elem(v6, &key6);
  for (const auto& [prefix, bits] : rules.addresses) {
    const bool is_v4 = prefix.network.is_v4() && prefix.length >= 96;
    if (is_v4) {
      weir_early_v4 key{.length = prefix.length - 96U, .address = {}};
      std::memcpy(key.address, prefix.network.bytes.data() + 12, 4);
      bpf_map_update_elem(v4, &key, &bits, BPF_ANY);
    } else {
      weir_early_v6 key{.length = prefix.length, .address = {}};
      std::memcpy(key.address, prefix.network.bytes.data(), 16);
      bpf_map_update_elem(v6, &key, &bits, BPF_ANY);
    }
  }
}

void EarlyProgram::use(const EarlyRules& rules) {
  any_ = false;
  set_on();
  if (!rules.any) return;
  put_addresses(rules);
  for (std::uint32_t port = 0; port < rules.ports.size(); ++port) bpf_map_update_elem(bpf_map__fd(skeleton_->maps.port_bits), &port, &rules.ports[port], BPF_ANY);
  const std::uint32_t zero = 0;
  bpf_map_update_elem(bpf_map__fd(skeleton_->maps.other), &zero, &rules.other, BPF_ANY);
  for (std::uint32_t i = 0; i < rules.rules.size(); ++i) bpf_map_update_elem(bpf_map__fd(skeleton_->maps.rules), &i, &rules.rules[i], BPF_ANY);
  volatile weir_early_config& config = skeleton_->bss->early;
  config.rules = static_cast<std::uint32_t>(rules.rules.size());
  any_ = true;
  set_on();
}

void EarlyProgram::expect(const Ip& client, const Ip& server, std::uint16_t port, std::uint8_t protocol) {
  weir_early_expected key{};
  std::memcpy(key.client, client.bytes.data(), 16);
  std::memcpy(key.server, server.bytes.data(), 16);
  store_be16(key.port_be, port);
  key.protocol = protocol;
  const std::uint32_t one = 1;
  bpf_map_update_elem(bpf_map__fd(skeleton_->maps.expected), &key, &one, BPF_ANY);
}

int EarlyProgram::program_fd() const { return bpf_program__fd(skeleton_->progs.weir_early); }
int EarlyProgram::fd() const { return ring_buffer__epoll_fd(ring_.get()); }

int EarlyProgram::keep(void* context, void* record, unsigned long size) {
  auto& self = *static_cast<EarlyProgram*>(context);
  const auto& told = *static_cast<const weir_early_record*>(record);
  if (size < sizeof told || told.bytes > WEIR_EARLY_COPY_BYTES) return 0;
  std::uint8_t* const at = self.copied_.data() + self.copies_.size() * WEIR_EARLY_COPY_BYTES;
  std::memcpy(at, told.packet, told.bytes);
  self.copies_.push_back({{at, told.bytes}, told.whole, told.device});
  return self.copies_.size() >= self.most_ ? -ENOSPC : 0;  // An error stops it, and what was taken is taken.
}

std::span<const EarlyProgram::Copy> EarlyProgram::take(std::size_t most) {
  copies_.clear();
  most_ = std::min(most, kCopies);
  if (most_ != 0) (void)ring_buffer__consume(ring_.get());
  return copies_;
}

std::uint64_t EarlyProgram::count(weir_early_counter which) const {
  std::vector<std::uint64_t> each(static_cast<std::size_t>(cpus_));
  const std::uint32_t key = which;
  if (bpf_map_lookup_elem(bpf_map__fd(skeleton_->maps.early_counters), &key, each.data()) != 0) return 0;
  std::uint64_t sum = 0;
  for (const std::uint64_t one : each) sum += one;
  return sum;
}

}  // namespace weir::datapath
