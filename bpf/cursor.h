/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Headers of a frame, read with their bounds in one place: the same idea as Reader in base/bytes.h, so that the verifier sees it. What is
   read here is what a settled flow may look like, nothing else: Ethernet II with at most one 802.1Q tag, IPv4 without options and not
   in fragments (RFC 791), or IPv6 without extension headers (RFC 8200), then TCP (RFC 9293) or UDP (RFC 768) whose lengths fit the
   frame. Everything else is for the engine. */

#include "bpf/abi.h"
#include "bpf/kernel.h"

enum { WEIR_ETHER_IPV4 = 0x0800, WEIR_ETHER_IPV6 = 0x86dd, WEIR_ETHER_VLAN = 0x8100 };
enum { WEIR_PROTOCOL_TCP = 6, WEIR_PROTOCOL_UDP = 17 };
enum { WEIR_TCP_FIN = 1, WEIR_TCP_SYN = 2, WEIR_TCP_RST = 4, WEIR_TCP_ACK = 16, WEIR_TCP_STATES = 23 };

struct weir_ethernet {
  __u8 macs[12]; /* Destination, source. */
  __be16 type;
} __attribute__((packed));

struct weir_tag {
  __be16 priority_and_id, type;
};

struct weir_ipv4 {
  __u8 version_and_words, tos;
  __be16 length, id, fragment;
  __u8 ttl, protocol;
  __be16 checksum;
  __be32 source, destination;
};

struct weir_ipv6 {
  __be32 version_class_label;
  __be16 payload;
  __u8 next, hops;
  __u64 source[2], destination[2];
} __attribute__((packed, aligned(4)));

struct weir_tcp_header {
  __be16 source, destination;
  __be32 seq, ack;
  __u8 words, flags;
  __be16 window, checksum, urgent;
};

struct weir_udp_header {
  __be16 source, destination, length, checksum;
};

struct weir_cursor {
  void *at, *end;
};

/* What the flow's entry is asked with. */
struct weir_segment {
  __u32 length;  /* Of the IP packet. */
  __u32 payload; /* Of TCP. */
  __u32 seq, ack;
  __u16 window;
  __u8 flags; /* Of TCP. */
  __u8 is_tcp, way;
  __u8 options; /* TCP has some, other than a timestamp behind two no-operations (RFC 7323, appendix A). */
};

#define weir_be16(x) __builtin_bswap16(x)
#define weir_be32(x) __builtin_bswap32(x)
#define weir_be64(x) __builtin_bswap64(x)

/* The header at the cursor, which moves behind it; 0 if the frame ends before. */
#define WEIR_TAKE(cursor, type)                                                                    \
  ({                                                                                               \
    struct type *taken = (cursor)->at;                                                             \
    (void *)(taken + 1) > (cursor)->end ? (struct type *)0 : ((cursor)->at = taken + 1, taken);    \
  })

/* The transport header behind the cursor, `room` bytes of IP payload with it. 1 if it is one of a settled flow. */
static __always_inline int weir_take_transport(struct weir_cursor *cursor, __u8 protocol, __u32 room, struct weir_segment *segment,
                                               __be16 ports[2]) {
  if (protocol == WEIR_PROTOCOL_TCP) {
    struct weir_tcp_header *tcp = WEIR_TAKE(cursor, weir_tcp_header);
    __u32 header;
    if (!tcp) return 0;
    header = (tcp->words >> 4) * 4;
    if (header < sizeof(*tcp) || header > room) return 0;
    segment->payload = room - header;
    segment->seq = weir_be32(tcp->seq);
    segment->ack = weir_be32(tcp->ack);
    segment->window = weir_be16(tcp->window);
    segment->flags = tcp->flags;
    segment->is_tcp = 1;
    segment->options = header != sizeof(*tcp);
    if (header == sizeof(*tcp) + 12 && cursor->at + 12 <= cursor->end)
      segment->options = *(__be32 *)cursor->at != weir_be32(0x0101080au);
    ports[0] = tcp->source;
    ports[1] = tcp->destination;
    return 1;
  }
  if (protocol == WEIR_PROTOCOL_UDP) {
    struct weir_udp_header *udp = WEIR_TAKE(cursor, weir_udp_header);
    if (!udp || weir_be16(udp->length) < sizeof(*udp) || weir_be16(udp->length) > room) return 0;
    segment->is_tcp = 0;
    ports[0] = udp->source;
    ports[1] = udp->destination;
    return 1;
  }
  return 0;
}

/* 1, key and segment, if the frame behind the cursor could be of a settled flow. */
static __always_inline int weir_take_ipv4(struct weir_cursor *cursor, struct weir_key4 *key, struct weir_segment *segment) {
  struct weir_ipv4 *ip = WEIR_TAKE(cursor, weir_ipv4);
  __be16 ports[2];
  __u64 source, destination;
  __u8 second; /* The place of the source in the key. */
  if (!ip || ip->version_and_words != 0x45) return 0;
  if (ip->fragment & weir_be16((__u16)0x3fff)) return 0;
  segment->length = weir_be16(ip->length);
  if (segment->length < sizeof(*ip) || (void *)ip + segment->length > cursor->end) return 0;
  if (!weir_take_transport(cursor, ip->protocol, segment->length - sizeof(*ip), segment, ports)) return 0;
  source = (__u64)weir_be32(ip->source) << 16 | weir_be16(ports[0]);
  destination = (__u64)weir_be32(ip->destination) << 16 | weir_be16(ports[1]);
  if (source == destination) return 0;
  second = source > destination;
  segment->way = second;
  *(__be32 *)key->address_be[0] = second ? ip->destination : ip->source;
  *(__be32 *)key->address_be[1] = second ? ip->source : ip->destination;
  *(__be16 *)key->port_be[0] = second ? ports[1] : ports[0];
  *(__be16 *)key->port_be[1] = second ? ports[0] : ports[1];
  key->protocol = ip->protocol;
  key->zero = 0;
  return 1;
}

static __always_inline int weir_take_ipv6(struct weir_cursor *cursor, struct weir_key6 *key, struct weir_segment *segment) {
  struct weir_ipv6 *ip = WEIR_TAKE(cursor, weir_ipv6);
  __be16 ports[2];
  __u64 *first, *second;
  __u32 room;
  int swapped;
  if (!ip || (weir_be32(ip->version_class_label) >> 28) != 6) return 0;
  room = weir_be16(ip->payload);
  segment->length = room + sizeof(*ip);
  if ((void *)ip + segment->length > cursor->end) return 0;
  if (!weir_take_transport(cursor, ip->next, room, segment, ports)) return 0;
  if (ip->source[0] != ip->destination[0]) swapped = weir_be64(ip->source[0]) > weir_be64(ip->destination[0]);
  else if (ip->source[1] != ip->destination[1]) swapped = weir_be64(ip->source[1]) > weir_be64(ip->destination[1]);
  else if (ports[0] != ports[1]) swapped = weir_be16(ports[0]) > weir_be16(ports[1]);
  else return 0;
  segment->way = swapped;
  first = (__u64 *)key->address_be[0];
  second = (__u64 *)key->address_be[1];
  first[0] = swapped ? ip->destination[0] : ip->source[0];
  first[1] = swapped ? ip->destination[1] : ip->source[1];
  second[0] = swapped ? ip->source[0] : ip->destination[0];
  second[1] = swapped ? ip->source[1] : ip->destination[1];
  *(__be16 *)key->port_be[0] = swapped ? ports[1] : ports[0];
  *(__be16 *)key->port_be[1] = swapped ? ports[0] : ports[1];
  key->protocol = ip->next;
  key->zero = 0;
  return 1;
}
