/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Who sent a SYN is asked by an answer that only its real sender can give back: a SYN-ACK that acknowledges a number before the SYN's own, to which
   it must answer with a reset of that number (RFC 9293, 3.10.7.3). The same as state/syn_cookies.h, which says why; a test sees that they agree. */

#include "bpf/cursor.h"
#include "bpf/kernel.h"

enum { WEIR_COOKIE_SLOT_SHIFT = 34, WEIR_COOKIE_PROVEN_MS = 9536 }; /* 10 s, in ns >> 20. */
#define WEIR_COOKIE_NO_SLOT 0xffffffffu

struct weir_address {
  __u64 be[2];
};

#define WEIR_ROTATE(x, by) ((x) << (by) | (x) >> (64 - (by)))
#define WEIR_SIP_ROUND                                                                             \
  do {                                                                                             \
    a += b, b = WEIR_ROTATE(b, 13) ^ a, a = WEIR_ROTATE(a, 32);                                    \
    c += d, d = WEIR_ROTATE(d, 16) ^ c;                                                            \
    a += d, d = WEIR_ROTATE(d, 21) ^ a;                                                            \
    c += b, b = WEIR_ROTATE(b, 17) ^ c, c = WEIR_ROTATE(c, 32);                                    \
  } while (0)

/* SipHash-2-4. */
static __always_inline __u64 weir_syn_cookie(__u64 k0, __u64 k1, const struct weir_address *from, const struct weir_address *to,
                                             __u16 from_port, __u16 to_port, __u32 slot) {
  const __u64 words[6] = {from->be[0], from->be[1], to->be[0], to->be[1], (__u64)from_port << 48 | (__u64)to_port << 32 | slot, 40ull << 56};
  __u64 a = k0 ^ 0x736f6d6570736575, b = k1 ^ 0x646f72616e646f6d, c = k0 ^ 0x6c7967656e657261, d = k1 ^ 0x7465646279746573;
#pragma unroll
  for (int i = 0; i < 6; ++i) {
    d ^= words[i];
    WEIR_SIP_ROUND;
    WEIR_SIP_ROUND;
    a ^= words[i];
  }
  c ^= 0xff;
  WEIR_SIP_ROUND;
  WEIR_SIP_ROUND;
  WEIR_SIP_ROUND;
  WEIR_SIP_ROUND;
  return a ^ b ^ c ^ d;
}

static __always_inline __sum16 weir_folded(__s64 sum) {
  __u32 folded = (__u32)sum;
  folded = (folded & 0xffff) + (folded >> 16);
  folded = (folded & 0xffff) + (folded >> 16);
  return (__sum16)~folded;
}

/* The SYN's TCP header, turned round. What stood behind it was cut off. */
static __always_inline void weir_turn_syn(struct weir_tcp_header *tcp, __u16 cookie) {
  const __be16 source = tcp->source;
  const __u32 seq = weir_be32(tcp->seq), acknowledged = seq - (__u16)(seq - cookie);
  tcp->source = tcp->destination;
  tcp->destination = source;
  tcp->seq = weir_be32(~acknowledged);
  tcp->ack = weir_be32(acknowledged);
  tcp->words = 5 << 4;
  tcp->flags = WEIR_TCP_SYN | WEIR_TCP_ACK;
  tcp->window = 0xffff;
  tcp->checksum = 0;
  tcp->urgent = 0;
}

/* The ethertype behind at most one tag; the cursor stands at the IP header. 0: too short. */
static __always_inline __be16 weir_take_link(struct weir_cursor *cursor, struct weir_ethernet **ethernet) {
  struct weir_tag *tag;
  *ethernet = WEIR_TAKE(cursor, weir_ethernet);
  if (!*ethernet) return 0;
  if ((*ethernet)->type != weir_be16((__u16)WEIR_ETHER_VLAN)) return (*ethernet)->type;
  tag = WEIR_TAKE(cursor, weir_tag);
  return tag ? tag->type : 0;
}

/* The frame, a plain SYN, becomes the question to its sender. 0: it does not. */
static __noinline int make_question(struct xdp_md *context, __u32 cookie) {
  enum { TCP_BYTES = 20, DF = 0x4000, HOPS = 64 };
  struct weir_cursor cursor = {(void *)(long)context->data, (void *)(long)context->data_end};
  struct weir_ethernet *ethernet;
  struct weir_tcp_header *tcp;
  __be16 type = weir_take_link(&cursor, &ethernet);
  const int v4 = type == weir_be16((__u16)WEIR_ETHER_IPV4);
  __u32 sum = weir_be16((__u16)WEIR_PROTOCOL_TCP) + weir_be16((__u16)TCP_BYTES); /* RFC 9293, 3.1: with the addresses. */
  int behind;
  __u16 mac;
  if (type == 0) return 0;
  behind = (int)(cursor.end - cursor.at) - (v4 ? (int)sizeof(struct weir_ipv4) : (int)sizeof(struct weir_ipv6)) - TCP_BYTES;
  if (bpf_xdp_get_buff_len(context) != (__u64)(context->data_end - context->data)) return 0; /* In several buffers: no SYN is. */
  if (behind < 0 || (behind > 0 && bpf_xdp_adjust_tail(context, -behind) != 0)) return 0;
  cursor.at = (void *)(long)context->data;
  cursor.end = (void *)(long)context->data_end;
  type = weir_take_link(&cursor, &ethernet);
  if (type == 0) return 0;
#pragma unroll
  for (int i = 0; i < 6; i += 2) {
    mac = *(__u16 *)(ethernet->macs + i);
    *(__u16 *)(ethernet->macs + i) = *(__u16 *)(ethernet->macs + 6 + i);
    *(__u16 *)(ethernet->macs + 6 + i) = mac;
  }
  if (v4) {
    struct weir_ipv4 *ip = WEIR_TAKE(&cursor, weir_ipv4);
    __be32 source;
    if (!ip) return 0;
    tcp = WEIR_TAKE(&cursor, weir_tcp_header);
    if (!tcp) return 0;
    source = ip->source;
    ip->source = ip->destination;
    ip->destination = source;
    ip->tos = 0;
    ip->length = weir_be16((__u16)(sizeof(*ip) + TCP_BYTES));
    ip->id = 0;
    ip->fragment = weir_be16((__u16)DF);
    ip->ttl = HOPS;
    ip->checksum = 0;
    ip->checksum = weir_folded(bpf_csum_diff(0, 0, (__be32 *)ip, sizeof(*ip), 0));
    sum = (__u32)bpf_csum_diff(0, 0, &ip->source, 8, sum);
  } else {
    struct weir_ipv6 *ip = WEIR_TAKE(&cursor, weir_ipv6);
    __u64 part;
    if (!ip) return 0;
    tcp = WEIR_TAKE(&cursor, weir_tcp_header);
    if (!tcp) return 0;
    part = ip->source[0], ip->source[0] = ip->destination[0], ip->destination[0] = part;
    part = ip->source[1], ip->source[1] = ip->destination[1], ip->destination[1] = part;
    ip->version_class_label = weir_be32(6u << 28);
    ip->payload = weir_be16((__u16)TCP_BYTES);
    ip->hops = HOPS;
    sum = (__u32)bpf_csum_diff(0, 0, (__be32 *)ip->source, 32, sum);
  }
  weir_turn_syn(tcp, (__u16)cookie);
  tcp->checksum = weir_folded(bpf_csum_diff(0, 0, (__be32 *)tcp, TCP_BYTES, sum));
  return 1;
}
