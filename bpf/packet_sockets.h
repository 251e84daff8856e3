/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#pragma once

/* What processes send by packet sockets, which passes by netfilter and has no hook of a control group: it is asked about where it leaves by a
   device, still in the call of its sender, whoever made the socket. A socket that would go around that hook (PACKET_QDISC_BYPASS) does not: the
   option is taken and not carried out. Sockets of AF_XDP have no such hook at all; who may not send by packets may not set one up. Included by
   who.bpf.c, behind the refusals. */

enum { WEIR_AF_PACKET = 17, WEIR_SOL_PACKET = 263, WEIR_PACKET_QDISC_BYPASS = 20, WEIR_SOL_XDP = 283 };

/* Where the frame goes, as it will be on the wire: what the sender said of its protocol is not asked. `at`: of the IP header. */
static __always_inline void take_destination_v4(struct __sk_buff *frame, __u32 at, struct weir_call *call, __u32 *behind) {
  __u8 header[20];
  if (bpf_skb_load_bytes(frame, at, header, sizeof header) != 0 || header[0] >> 4 != 4) return;
  call->protocol = header[9];
  call->address_be[10] = call->address_be[11] = 0xff;
  __builtin_memcpy(call->address_be + 12, header + 16, 4);
  if ((header[6] & 0x1f) == 0 && header[7] == 0) *behind = at + (header[0] & 15) * 4;
}

static __always_inline void take_destination_v6(struct __sk_buff *frame, __u32 at, struct weir_call *call, __u32 *behind) {
  __u8 header[40];
  if (bpf_skb_load_bytes(frame, at, header, sizeof header) != 0 || header[0] >> 4 != 6) return;
  call->protocol = header[6];
  __builtin_memcpy(call->address_be, header + 24, 16);
  *behind = at + sizeof header;
}

static __always_inline void take_destination(struct __sk_buff *frame, int ethernet, struct weir_call *call) {
  enum { TAGS_MAX = 2, SYN = 2, ACK = 16 };
  __u32 at = 0, behind = 0;
  __be16 type = 0;
  __u8 transport[14];
  if (ethernet) {
    at = 14;
    if (bpf_skb_load_bytes(frame, 12, &type, 2) != 0) return;
    for (int i = 0; i < TAGS_MAX; ++i) {
      if (type != __builtin_bswap16((__u16)0x8100) && type != __builtin_bswap16((__u16)0x88a8)) break;
      if (bpf_skb_load_bytes(frame, at + 2, &type, 2) != 0) return;
      at += 4;
    }
  } else {
    __u8 first = 0;
    if (bpf_skb_load_bytes(frame, 0, &first, 1) != 0) return;
    type = first >> 4 == 4 ? __builtin_bswap16((__u16)0x0800) : first >> 4 == 6 ? __builtin_bswap16((__u16)0x86dd) : 0;
  }
  if (type == __builtin_bswap16((__u16)0x0800)) take_destination_v4(frame, at, call, &behind);
  else if (type == __builtin_bswap16((__u16)0x86dd)) take_destination_v6(frame, at, call, &behind);
  if (behind == 0 || (call->protocol != 6 && call->protocol != 17)) return;
  if (bpf_skb_load_bytes(frame, behind, transport, call->protocol == 6 ? sizeof transport : 4) != 0) return;
  call->port = (__u32)transport[2] << 8 | transport[3];
  call->begins = call->protocol == 6 && (transport[13] & (SYN | ACK)) == SYN;
}

static __always_inline int leaves(struct __sk_buff *frame, int ethernet) {
  struct weir_call call = {.at = WEIR_AT_PACKET, .protocol = WEIR_NO_IP, .netns = config.netns};
  struct weir_owner owner;
  struct bpf_sock *sk = frame->sk;
  if (!config.packets || !sk) return TC_ACT_UNSPEC;
  sk = bpf_sk_fullsock(sk);
  if (!sk || sk->family != WEIR_AF_PACKET) return TC_ACT_UNSPEC;
  take_destination(frame, ethernet, &call);
  current_owner_in(&owner, call.protocol, bpf_skb_cgroup_id(frame));
  return refuses(&call, &owner) ? TC_ACT_SHOT : TC_ACT_UNSPEC;
}

SEC("tc")
int weir_frame_leaves(struct __sk_buff *frame) { return leaves(frame, 1); }
/* By a device whose frames begin with IP. */
SEC("tc")
int weir_packet_leaves(struct __sk_buff *frame) { return leaves(frame, 0); }

SEC("cgroup/setsockopt")
int weir_set_option(struct bpf_sockopt *ctx) {
  enum { SHOWN_BYTES_MAX = 4096 };
  struct weir_owner owner;
  if (config.packets && ctx->level == WEIR_SOL_PACKET && ctx->optname == WEIR_PACKET_QDISC_BYPASS) {
    ctx->optlen = -1; /* The kernel does nothing more. */
    return 1;
  }
  if (config.packets && ctx->level == WEIR_SOL_XDP) {
    struct weir_call call = {.at = WEIR_AT_PACKET, .protocol = WEIR_NO_IP, .netns = config.netns};
    current_owner(&owner, WEIR_NO_IP);
    if (refuses(&call, &owner)) return 0;
  }
  if (ctx->optlen > SHOWN_BYTES_MAX) ctx->optlen = 0; /* As it was: larger values are not shown here, and would be refused. */
  return 1;
}
