/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
   (what reads the kernel's inner structures may be called by programs under the GPL only)

   Who sends: the executable of each process, recorded at exec, inherited at fork; who created, bound or connected each socket last; and
   the calls that a rule refuses whatever the packet would say. The formats are in who_abi.h, what becomes of them in
   src/datapath/host.

   It needs tracepoints by BTF (5.5) and the hooks of a control group; no fentry, no kprobe, no LSM. */

#include "bpf/tasks.h"

#include "bpf/who_abi.h"

#define SHARED(name, kind, of_key, of_value, places, with) \
  struct {                                                 \
    __uint(type, kind);                                    \
    __uint(max_entries, places);                           \
    __uint(map_flags, with);                               \
    __type(key, of_key);                                   \
    __type(value, of_value);                               \
  } name SEC(".maps")

SHARED(images, BPF_MAP_TYPE_HASH, __u64, struct weir_image, 32768, BPF_F_NO_PREALLOC);
SHARED(tasks, BPF_MAP_TYPE_HASH, __u32, struct weir_task, 65536, BPF_F_NO_PREALLOC);
SHARED(sockets, BPF_MAP_TYPE_HASH, __u64, struct weir_owner, 262144, BPF_F_NO_PREALLOC);
SHARED(closed, BPF_MAP_TYPE_LRU_HASH, struct weir_ends, struct weir_owner, 16384, 0);
SHARED(raws, BPF_MAP_TYPE_ARRAY, __u32, struct weir_raw, 256, 0);
SHARED(fresh, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, struct weir_image, 1, 0); /* An image while it is made. */
SHARED(counters, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, __u64, WEIR_WHO_COUNTERS, 0);

/* Paths that refusals name. */
SHARED(named, BPF_MAP_TYPE_HASH, struct weir_named, struct weir_bits, 1024, BPF_F_NO_PREALLOC);
SHARED(refusals, BPF_MAP_TYPE_ARRAY, __u32, struct weir_refusal, WEIR_REFUSALS_MAX, 0);

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 65536);
} refused SEC(".maps");

struct weir_who_config config;
__u64 next_image;

static __always_inline void count(__u32 which) {
  __u64 *counter = bpf_map_lookup_elem(&counters, &which);
  if (counter) ++*counter;
}

/* ---------------------------------------------------------------------------------------------------------- Executables. */

/* From the file to the root of its mount namespace. */
static __always_inline void read_path(struct weir_image *image, struct file *file) {
  __u32 at = 0;
  struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);
  struct vfsmount *mnt = BPF_CORE_READ(file, f_path.mnt);
  struct mount *mount = (struct mount *)((char *)mnt - bpf_core_field_offset(struct mount, mnt));
  image->flags = WEIR_IMAGE_CUT;
  for (int i = 0; i < WEIR_DEPTH_MAX; ++i) {
    if (dentry == BPF_CORE_READ(mount, mnt.mnt_root)) {
      struct mount *over = BPF_CORE_READ(mount, mnt_parent);
      if (over == mount || !over) {
        image->flags = 0; /* The root. */
        break;
      }
      dentry = BPF_CORE_READ(mount, mnt_mountpoint);
      mount = over;
      continue;
    }
    const unsigned char *name = BPF_CORE_READ(dentry, d_name.name);
    struct dentry *parent = BPF_CORE_READ(dentry, d_parent);
    if (at >= WEIR_PATH_BYTES) break;
    /* A component has at most 255 bytes: what would go beyond the path goes into the arguments, which are read later. */
    const long size = bpf_probe_read_kernel_str(&image->path[at], 256, name);
    if (size <= 0) break;
    at += (__u32)size;
    if (at > WEIR_PATH_BYTES) break;
    if (parent == dentry || !parent) {
      image->flags = WEIR_IMAGE_ROOTLESS; /* It never was in a folder: a memfd. */
      break;
    }
    dentry = parent;
  }
  image->path_bytes = at > WEIR_PATH_BYTES ? WEIR_PATH_BYTES : at;
}

static __always_inline void read_args(struct weir_image *image, struct task_struct *task) {
  const unsigned long start = BPF_CORE_READ(task, mm, arg_start), end = BPF_CORE_READ(task, mm, arg_end);
  __u64 size = end - start;
  image->args_bytes = 0;
  if (end <= start) return;
  if (size > WEIR_ARGS_BYTES) size = WEIR_ARGS_BYTES;
  if (bpf_probe_read_user(image->args, (__u32)size & 1023, (void *)start) == 0) image->args_bytes = (__u32)size;
}

SEC("tp_btf/sched_process_exec")
int weir_exec(__u64 *ctx) {
  struct task_struct *task = (struct task_struct *)ctx[0];
  struct linux_binprm *bprm = (struct linux_binprm *)ctx[2];
  const __u32 zero = 0;
  struct weir_image *image = bpf_map_lookup_elem(&fresh, &zero);
  if (!image) return 0;
  __builtin_memset(image->path, 0, sizeof image->path);
  struct file *file = BPF_CORE_READ(bprm, file);
  read_path(image, file);
  read_args(image, task);
  struct inode *inode = BPF_CORE_READ(file, f_inode);
  image->inode = BPF_CORE_READ(inode, i_ino);
  image->device = BPF_CORE_READ(inode, i_sb, s_dev);
  image->exec_ns = bpf_ktime_get_ns();
  image->own_rules = image->parent_rules = image->parent = 0;
  image->generation = 0;

  const __u32 pid = (__u32)BPF_CORE_READ(task, tgid);
  struct weir_task *before = bpf_map_lookup_elem(&tasks, &pid);
  struct weir_task now = {.image = __sync_fetch_and_add(&next_image, 1) + 1, .start_ns = before ? before->start_ns : image->exec_ns};
  if (before) image->parent = before->image;
  count(WEIR_WHO_EXECS);
  if (bpf_map_update_elem(&images, &now.image, image, BPF_ANY) != 0) {
    now.image = 0; /* No room: what it was before is not what it is. */
    count(WEIR_WHO_IMAGES_FULL);
  }
  if (bpf_map_update_elem(&tasks, &pid, &now, BPF_ANY) != 0) count(WEIR_WHO_TASKS_FULL);
  return 0;
}

SEC("tp_btf/sched_process_fork")
int weir_fork(__u64 *ctx) {
  struct task_struct *parent = (struct task_struct *)ctx[0], *child = (struct task_struct *)ctx[1];
  const __u32 from = (__u32)BPF_CORE_READ(parent, tgid), pid = (__u32)BPF_CORE_READ(child, tgid);
  if ((__u32)BPF_CORE_READ(child, pid) != pid) return 0; /* A thread. */
  struct weir_task *known = bpf_map_lookup_elem(&tasks, &from);
  if (!known) return 0;
  const struct weir_task now = {.image = known->image, .start_ns = bpf_ktime_get_ns()};
  count(WEIR_WHO_FORKS);
  if (bpf_map_update_elem(&tasks, &pid, &now, BPF_ANY) != 0) count(WEIR_WHO_TASKS_FULL);
  return 0;
}

SEC("tp_btf/sched_process_exit")
int weir_exit(__u64 *ctx) {
  struct task_struct *task = (struct task_struct *)ctx[0];
  if (BPF_CORE_READ(task, signal, live.counter) != 0) return 0; /* Other threads live on. */
  const __u32 pid = (__u32)BPF_CORE_READ(task, tgid);
  bpf_map_delete_elem(&tasks, &pid);
  count(WEIR_WHO_EXITS);
  return 0;
}

/* -------------------------------------------------------------------------------------------------------------- Sockets. */

static __always_inline void current_owner_in(struct weir_owner *owner, __u32 protocol, __u64 cgroup) {
  struct task_struct *task = (struct task_struct *)bpf_get_current_task();
  owner->pid = (__u32)BPF_CORE_READ(task, tgid);
  owner->uid = BPF_CORE_READ(task, cred, euid.val);
  owner->gid = BPF_CORE_READ(task, cred, egid.val);
  owner->cgroup = cgroup;
  owner->protocol = protocol;
  owner->image = owner->start_ns = 0;
  struct weir_task *known = bpf_map_lookup_elem(&tasks, &owner->pid);
  if (!known) return;
  owner->image = known->image;
  owner->start_ns = known->start_ns;
}

static __always_inline void current_owner(struct weir_owner *owner, __u32 protocol) {
  current_owner_in(owner, protocol, bpf_get_current_cgroup_id());
}

/* The one who does something with it now has it. */
static __always_inline void take(__u64 cookie, const struct weir_owner *owner) {
  struct weir_owner *known = bpf_map_lookup_elem(&sockets, &cookie);
  if (known && known->image == owner->image && known->pid == owner->pid && known->uid == owner->uid && known->cgroup == owner->cgroup) return;
  if (bpf_map_update_elem(&sockets, &cookie, owner, BPF_ANY) != 0) count(WEIR_WHO_SOCKETS_FULL);
}

static __always_inline void map_v4(__u8 *to, __u32 address_be) {
  if (address_be == 0) return; /* All zeroes: any. */
  to[10] = to[11] = 0xff;
  __builtin_memcpy(to + 12, &address_be, 4);
}

static __always_inline int is_raw(__u32 type, __u32 protocol) { return type == 3 || protocol == 1 || protocol == 58; }

#include "bpf/refusals.h"

SEC("cgroup/sock_create")
int weir_create(struct bpf_sock *ctx) {
  struct weir_owner owner;
  struct weir_call call = {.at = WEIR_AT_CREATE, .protocol = ctx->protocol}; /* To wherever. */
  current_owner(&owner, ctx->protocol);
  const __u32 raw = is_raw(ctx->type, ctx->protocol);
  call.netns = bpf_get_netns_cookie(ctx);
  if (raw && refuses(&call, &owner)) return 0;
  take(bpf_get_socket_cookie(ctx), &owner);
  if (!raw) return 1;
  const __u32 place = ctx->protocol & 255;
  struct weir_raw *of = bpf_map_lookup_elem(&raws, &place);
  if (!of) return 1;
  __sync_fetch_and_add(&of->sockets, 1);
  of->owner = owner;
  return 1;
}

SEC("cgroup/sock_release")
int weir_release(struct bpf_sock *ctx) {
  const __u64 cookie = bpf_get_socket_cookie(ctx);
  struct weir_owner *owner = bpf_map_lookup_elem(&sockets, &cookie);
  if (is_raw(ctx->type, ctx->protocol)) {
    const __u32 place = ctx->protocol & 255;
    struct weir_raw *of = bpf_map_lookup_elem(&raws, &place);
    if (of && owner) __sync_fetch_and_add(&of->sockets, -1);
  }
  if (!owner) return 1;
  /* The context is the socket itself; only reading it as the kernel's own structure tells its ends here. */
  struct sock *sk = (struct sock *)ctx;
  struct weir_ends ends = {.protocol = ctx->protocol};
  ends.local_port = BPF_CORE_READ(sk, __sk_common.skc_num);
  ends.remote_port = __builtin_bswap16(BPF_CORE_READ(sk, __sk_common.skc_dport));
  if (BPF_CORE_READ(sk, __sk_common.skc_family) == 2) {
    map_v4(ends.local_be, BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr));
    map_v4(ends.remote_be, BPF_CORE_READ(sk, __sk_common.skc_daddr));
  } else {
    BPF_CORE_READ_INTO(&ends.local_be, sk, __sk_common.skc_v6_rcv_saddr);
    BPF_CORE_READ_INTO(&ends.remote_be, sk, __sk_common.skc_v6_daddr);
  }
  const struct weir_owner gone = *owner;
  if (ends.local_port != 0) bpf_map_update_elem(&closed, &ends, &gone, BPF_ANY);
  bpf_map_delete_elem(&sockets, &cookie);
  return 1;
}

/* What a process asks of a socket: it has it from now on, unless a rule refuses the call. */
static __always_inline int asked(struct bpf_sock_addr *ctx, __u32 at, int v6) {
  struct weir_owner owner;
  struct weir_call call = {.at = at, .protocol = ctx->protocol, .port = __builtin_bswap16((__u16)ctx->user_port)};
  if (v6) {
    __u32 *const words = (__u32 *)call.address_be;
    words[0] = ctx->user_ip6[0], words[1] = ctx->user_ip6[1], words[2] = ctx->user_ip6[2], words[3] = ctx->user_ip6[3];
  } else {
    map_v4(call.address_be, ctx->user_ip4);
    call.address_be[10] = call.address_be[11] = 0xff;
  }
  current_owner(&owner, ctx->protocol);
  call.netns = bpf_get_netns_cookie(ctx);
  if (refuses(&call, &owner)) return 0;
  take(bpf_get_socket_cookie(ctx), &owner);
  return 1;
}

SEC("cgroup/connect4")
int weir_connect4(struct bpf_sock_addr *ctx) { return asked(ctx, WEIR_AT_CONNECT, 0); }
SEC("cgroup/connect6")
int weir_connect6(struct bpf_sock_addr *ctx) { return asked(ctx, WEIR_AT_CONNECT, 1); }
SEC("cgroup/sendmsg4")
int weir_send4(struct bpf_sock_addr *ctx) { return asked(ctx, WEIR_AT_SEND, 0); }
SEC("cgroup/sendmsg6")
int weir_send6(struct bpf_sock_addr *ctx) { return asked(ctx, WEIR_AT_SEND, 1); }
SEC("cgroup/bind4")
int weir_bind4(struct bpf_sock_addr *ctx) { return asked(ctx, WEIR_AT_BIND, 0); }
SEC("cgroup/bind6")
int weir_bind6(struct bpf_sock_addr *ctx) { return asked(ctx, WEIR_AT_BIND, 1); }

#include "bpf/packet_sockets.h"

char weir_license[] SEC("license") = "GPL";
