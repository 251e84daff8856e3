// SPDX-License-Identifier: Apache-2.0
#include "service/privileges.h"

#include <cap-ng.h>
#include <seccomp.h>
#include <sys/prctl.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace weir::service {
namespace {

struct Kept {
  unsigned number;
  std::string_view name;
};
constexpr Kept kKept[] = {{CAP_NET_RAW, "net_raw"}, {CAP_NET_ADMIN, "net_admin"}, {CAP_BPF, "bpf"}, {CAP_DAC_READ_SEARCH, "dac_read_search"}};

/// What a filter that runs never calls: other programs, other processes' memory, mounts, modules, namespaces, clocks, identities.
constexpr const char* kRefused[] = {
    "execve",       "execveat",      "ptrace",        "process_vm_readv", "process_vm_writev", "pidfd_getfd",  "kcmp",        "mount",
    "umount2",      "pivot_root",    "chroot",        "move_mount",       "open_tree",         "fsopen",       "fsmount",     "mount_setattr",
    "init_module",  "finit_module",  "delete_module", "kexec_load",       "kexec_file_load",   "reboot",       "swapon",      "swapoff",
    "setns",        "unshare",       "keyctl",        "add_key",          "request_key",       "userfaultfd",  "perf_event_open", "open_by_handle_at",
    "name_to_handle_at", "iopl",     "ioperm",        "acct",             "quotactl",          "settimeofday", "clock_settime",   "adjtimex",
    "clock_adjtime", "sethostname",  "setdomainname", "syslog",           "personality",       "setuid",       "setgid",          "setreuid",
    "setregid",     "setresuid",     "setresgid",     "setgroups",        "setfsuid",          "setfsgid",     "mknod",           "mknodat",
    "modify_ldt",   "vhangup",       "io_uring_setup", "io_uring_enter",  "io_uring_register", "lookup_dcookie", "nfsservctl",    "fork", "vfork",
};

std::optional<Error> drop_capabilities() {
  if (capng_get_caps_process() != 0) return Error{"the process's capabilities cannot be read", errno};
  const bool any = capng_have_capabilities(CAPNG_SELECT_CAPS) > CAPNG_NONE;
  std::vector<unsigned> held;
  for (const Kept& kept : kKept)
    if (capng_have_capability(CAPNG_PERMITTED, kept.number) != 0) held.push_back(kept.number);
  if (!any) return std::nullopt;
  const bool may_bound = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP) != 0;
  capng_clear(CAPNG_SELECT_BOTH);
  for (const unsigned number : held) capng_update(CAPNG_ADD, static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET), number);
  // The bounding set first: narrowing it needs what is given up.
  if (may_bound && capng_apply(CAPNG_SELECT_BOUNDS) != 0) return Error{"capabilities cannot be bounded", errno};
  if (capng_apply(CAPNG_SELECT_CAPS) != 0) return Error{"capabilities cannot be dropped", errno};
  return std::nullopt;
}

std::optional<Error> refuse_calls() {
  const std::unique_ptr<void, void (*)(void*)> filter(seccomp_init(SCMP_ACT_ALLOW), seccomp_release);
  if (filter == nullptr) return Error{"no filter of system calls can be made", ENOMEM};
  for (const char* name : kRefused) {
    const int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR) continue;  // Unknown on this machine: nobody can call it.
    const int code = seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(EPERM), number, 0);
    if (code != 0 && code != -EDOM) return Error{std::string("the filter of system calls does not take ") + name, -code};
  }
  // All threads: the writer of events and the socket's are there already.
  seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_TSYNC, 1);
  if (const int code = seccomp_load(filter.get()); code != 0) return Error{std::string("the filter of system calls is refused: ") + std::strerror(-code), -code};
  return std::nullopt;
}

}  // namespace

std::vector<std::string_view> kept_capabilities() {
  std::vector<std::string_view> names;
  for (const Kept& kept : kKept) names.push_back(kept.name);
  return names;
}

std::optional<Error> give_up_privileges() {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return Error{"the process cannot promise to gain no privileges", errno};
  if (const auto error = drop_capabilities()) return error;
  return refuse_calls();
}

}  // namespace weir::service
