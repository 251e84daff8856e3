// SPDX-License-Identifier: Apache-2.0
#include "datapath/host/packet_exits.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace weir::datapath {
namespace {

constexpr std::uint32_t kHandle = 1, kPriority = 0xe1a;
constexpr auto kTcxEgress = static_cast<bpf_attach_type>(47);  // Linux 6.6; headers of 6.1 do not name it.

bpf_tc_hook hook_of(int device) {
  bpf_tc_hook hook{};
  hook.sz = sizeof hook;
  hook.ifindex = device;
  hook.attach_point = BPF_TC_EGRESS;
  return hook;
}

/// libbpf prints what the kernel says where a filter is looked for that is not there.
class Quiet {
 public:
  Quiet() : before_(libbpf_set_print(nullptr)) {}
  ~Quiet() { libbpf_set_print(before_); }
  Quiet(const Quiet&) = delete;
  Quiet& operator=(const Quiet&) = delete;

 private:
  libbpf_print_fn_t before_;
};

}  // namespace

PacketExits::~PacketExits() {
  for (Exit& exit : exits_) detach(exit);
}

void PacketExits::attend(const std::vector<Device>& devices) {
  std::vector<Exit> now;
  refused_by_.clear();
  for (const Device& device : devices) {
    const auto known = std::find_if(exits_.begin(), exits_.end(), [&](const Exit& e) { return e.device == device.index; });
    Exit exit{.device = device.index};
    if (known != exits_.end() && (known->link_fd >= 0 || known->filter)) {
      exit = *known;
      known->device = 0;
    } else if (const auto fault = attach(device, exit)) {
      refused_by_.push_back(device.name + ": " + fault->message);
    }
    now.push_back(exit);
  }
  for (Exit& gone : exits_)
    if (gone.device != 0) detach(gone);
  exits_ = std::move(now);
}

std::optional<Error> PacketExits::attach(const Device& device, Exit& exit) {
  const int program = device.ethernet ? ethernet_fd_ : bare_fd_;
  if (links_) exit.link_fd = bpf_link_create(program, device.index, kTcxEgress, nullptr);
  if (exit.link_fd >= 0) {
    Exit left{.device = device.index, .filter = true};  // Of a run that was killed under an older kernel.
    detach(left);
    return std::nullopt;
  }
  bpf_tc_hook hook = hook_of(device.index);
  const int made = bpf_tc_hook_create(&hook);
  if (made != 0 && made != -EEXIST) return Error{std::strerror(-made), -made};
  exit.made_hook = made == 0;
  bpf_tc_opts how{};
  how.sz = sizeof how;
  how.prog_fd = program;
  how.handle = kHandle;
  how.priority = kPriority;
  how.flags = BPF_TC_F_REPLACE;
  const int code = bpf_tc_attach(&hook, &how);
  exit.filter = code == 0;
  if (code != 0) return Error{std::strerror(-code), -code};
  return std::nullopt;
}

void PacketExits::detach(Exit& exit) {
  const Quiet quiet;
  if (exit.link_fd >= 0) ::close(exit.link_fd);
  exit.link_fd = -1;
  bpf_tc_hook hook = hook_of(exit.device);
  if (exit.filter) {
    bpf_tc_opts which{};
    which.sz = sizeof which;
    which.handle = kHandle;
    which.priority = kPriority;
    if (bpf_tc_query(&hook, &which) == 0) {
      which.prog_fd = 0, which.prog_id = 0, which.flags = 0;
      bpf_tc_detach(&hook, &which);
    }
    exit.filter = false;
  }
  if (exit.made_hook) {
    hook.attach_point = static_cast<bpf_tc_attach_point>(BPF_TC_INGRESS | BPF_TC_EGRESS);
    bpf_tc_hook_destroy(&hook);
    exit.made_hook = false;
  }
}

}  // namespace weir::datapath
