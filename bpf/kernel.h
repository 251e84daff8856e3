/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The few declarations of the kernel's interface that our programs use, by hand: a build machine needs neither the kernel's headers
   nor its BTF. All of them are part of the stable interface (include/uapi/linux/bpf.h and the formats of the wire). */

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed char __s8;
typedef short __s16;
typedef int __s32;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u16 __sum16;
typedef __u32 __wsum;

enum bpf_map_type_used {
  BPF_MAP_TYPE_HASH = 1,
  BPF_MAP_TYPE_ARRAY = 2,
  BPF_MAP_TYPE_PERCPU_ARRAY = 6,
  BPF_MAP_TYPE_LRU_HASH = 9,
  BPF_MAP_TYPE_DEVMAP = 14,
  BPF_MAP_TYPE_XSKMAP = 17,
  BPF_MAP_TYPE_RINGBUF = 27,
};

enum { BPF_ANY = 0, BPF_NOEXIST = 1 };
enum { BPF_F_NO_PREALLOC = 1 };
enum { BPF_F_BROADCAST = 1 << 3, BPF_F_EXCLUDE_INGRESS = 1 << 4 };

enum xdp_action { XDP_ABORTED = 0, XDP_DROP, XDP_PASS, XDP_TX, XDP_REDIRECT };

struct xdp_md {
  __u32 data;
  __u32 data_end;
  __u32 data_meta;
  __u32 ingress_ifindex;
  __u32 rx_queue_index;
  __u32 egress_ifindex;
};

/* What the traffic control hook gives: include/uapi/linux/bpf.h, up to the last field that is used. */
struct __sk_buff {
  __u32 len, pkt_type, mark, queue_mapping, protocol, vlan_present, vlan_tci, vlan_proto, priority, ingress_ifindex, ifindex, tc_index;
  __u32 cb[5];
  __u32 hash, tc_classid, data, data_end;
  __u32 napi_id, family, remote_ip4, local_ip4, remote_ip6[4], local_ip6[4], remote_port, local_port, data_meta;
  __u64 flow_keys __attribute__((aligned(8)));
  __u64 tstamp;
  __u32 wire_len, gso_segs;
  struct bpf_sock *sk __attribute__((aligned(8)));
};

enum tc_action { TC_ACT_UNSPEC = -1, TC_ACT_SHOT = 2 };

/* What the hooks of a control group give. */
struct bpf_sock {
  __u32 bound_dev_if, family, type, protocol, mark, priority, src_ip4, src_ip6[4], src_port;
  __be16 dst_port;
  __u16 zero;
  __u32 dst_ip4, dst_ip6[4], state;
};

struct bpf_sockopt {
  struct bpf_sock *sk __attribute__((aligned(8)));
  __u64 optval, optval_end;
  __s32 level, optname, optlen, retval;
};

struct bpf_sock_addr {
  __u32 user_family, user_ip4, user_ip6[4], user_port, family, type, protocol, msg_src_ip4, msg_src_ip6[4];
};

#include <bpf/bpf_helpers.h>
