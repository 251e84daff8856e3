/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#pragma once

/* The few inner structures of the kernel that the recorder of senders reads, by hand: only the members that are used. Where they are is
   looked up in the running kernel's own BTF when the program is loaded (CO-RE). */

#include "bpf/kernel.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct qstr {
  const unsigned char *name;
};
struct inode {
  unsigned long i_ino;
  struct super_block *i_sb;
};
struct super_block {
  __u32 s_dev;
};
struct dentry {
  struct dentry *d_parent;
  struct qstr d_name;
  struct inode *d_inode;
};
struct vfsmount {
  struct dentry *mnt_root;
};
struct mount {
  struct mount *mnt_parent;
  struct dentry *mnt_mountpoint;
  struct vfsmount mnt;
};
struct path {
  struct vfsmount *mnt;
  struct dentry *dentry;
};
struct file {
  struct path f_path;
  struct inode *f_inode;
};
struct linux_binprm {
  struct file *file;
};
struct mm_struct {
  unsigned long arg_start, arg_end;
};
typedef struct {
  __u32 val;
} weir_kuid;
struct cred {
  weir_kuid euid;
  weir_kuid egid;
};
typedef struct {
  int counter;
} weir_atomic;
struct signal_struct {
  weir_atomic live;
};
struct task_struct {
  __s32 pid, tgid;
  struct mm_struct *mm;
  const struct cred *cred;
  struct signal_struct *signal;
  struct task_struct *group_leader;
};
struct in6_addr {
  __u8 bytes[16];
};
struct sock_common {
  __be32 skc_daddr, skc_rcv_saddr;
  __be16 skc_dport;
  __u16 skc_num;
  unsigned short skc_family;
  struct in6_addr skc_v6_daddr, skc_v6_rcv_saddr;
};
struct sock {
  struct sock_common __sk_common;
};

#pragma clang attribute pop

#include <bpf/bpf_core_read.h>
