/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What is stopped in front of the engine, of packets of no settled flow: sources that are banned or denied, and what is over its budget. The
   engine puts here what it stopped before; a packet that differs in anything that it decided by goes up to it. */

#include "bpf/abi.h"
#include "bpf/cursor.h"
#include "bpf/kernel.h"
#include "bpf/syn_cookie.h"

volatile struct weir_front front __attribute__((aligned(64)));

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, WEIR_SOURCES_MAX);
  __type(key, struct weir_address);
  __type(value, struct weir_source);
} sources SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, WEIR_BUDGETS_MAX);
  __type(key, struct weir_budget_key);
  __type(value, struct weir_budget);
} budgets SEC(".maps");

/* Clients that finished a handshake. */
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, WEIR_KNOWN_MAX);
  __type(key, struct weir_address);
  __type(value, __u32);
} known SEC(".maps");

/* Datagrams that went up, by a hash of their ends turned round: what answers them is spared. */
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, WEIR_ASKED_MAX);
  __type(key, __u64);
  __type(value, __u32);
} asked SEC(".maps");

struct weir_proof {
  __u32 acknowledged;
  __u32 at_ms;  /* As weir_config.beat_ms. */
};

/* SYNs whose sender has answered that they are its own, by a hash of their ends. */
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, WEIR_PROOFS_MAX);
  __type(key, __u64);
  __type(value, struct weir_proof);
} proofs SEC(".maps");

/* What of a packet's outermost layer is needed here. */
struct weir_arrival {
  struct weir_address from, to;
  __u32 seq;       /* Of TCP. */
  __u32 length;    /* Of the IP packet. */
  __u16 vlan;
  __u16 from_port, to_port;
  __u8 protocol;
  __u8 fragment;
  __u8 ports;      /* It has them. */
  __u8 flags;      /* Of TCP. */
  __u8 echo;       /* ICMP that asks. */
  __u8 v4;
  __u8 opaque;     /* What follows the IP header was not looked at. */
};

static __always_inline void take_arrival_transport(struct weir_cursor *cursor, struct weir_arrival *a) {
  if (a->protocol == WEIR_PROTOCOL_TCP) {
    struct weir_tcp_header *tcp = WEIR_TAKE(cursor, weir_tcp_header);
    if (!tcp) return;
    a->flags = tcp->flags;
    a->seq = weir_be32(tcp->seq);
    a->from_port = weir_be16(tcp->source);
    a->to_port = weir_be16(tcp->destination);
    a->ports = 1;
  } else if (a->protocol == WEIR_PROTOCOL_UDP) {
    struct weir_udp_header *udp = WEIR_TAKE(cursor, weir_udp_header);
    if (!udp) return;
    a->from_port = weir_be16(udp->source);
    a->to_port = weir_be16(udp->destination);
    a->ports = 1;
  } else if (a->protocol == 1 || a->protocol == 58) {
    __u8 *icmp = cursor->at;
    if ((void *)(icmp + 8) > cursor->end) return;
    a->echo = icmp[0] == (a->protocol == 1 ? 8 : 128);
  }
}

/* 1 if it is IP. */
static __always_inline int take_arrival(struct xdp_md *context, struct weir_arrival *a) {
  struct weir_cursor cursor = {(void *)(long)context->data, (void *)(long)context->data_end};
  struct weir_ethernet *ethernet = WEIR_TAKE(&cursor, weir_ethernet);
  __be16 type;
  if (!ethernet) return 0;
  type = ethernet->type;
  if (type == weir_be16((__u16)WEIR_ETHER_VLAN)) {
    struct weir_tag *tag = WEIR_TAKE(&cursor, weir_tag);
    if (!tag) return 0;
    a->vlan = weir_be16(tag->priority_and_id) & 0x0fff;
    type = tag->type;
  }
  if (type == weir_be16((__u16)WEIR_ETHER_IPV4)) {
    struct weir_ipv4 *ip = WEIR_TAKE(&cursor, weir_ipv4);
    if (!ip || ip->version_and_words >> 4 != 4) return 0;
    a->from.be[1] = (__u64)ip->source << 32 | 0xffff0000u;
    a->to.be[1] = (__u64)ip->destination << 32 | 0xffff0000u;
    a->v4 = 1;
    a->length = weir_be16(ip->length);
    a->protocol = ip->protocol;
    a->fragment = (ip->fragment & weir_be16((__u16)0x3fff)) != 0;
    a->opaque = ip->version_and_words != 0x45 || a->length < sizeof(*ip) || (void *)ip + a->length > cursor.end;
    if (!a->fragment && !a->opaque) take_arrival_transport(&cursor, a);
    return 1;
  }
  if (type == weir_be16((__u16)WEIR_ETHER_IPV6)) {
    struct weir_ipv6 *ip = WEIR_TAKE(&cursor, weir_ipv6);
    if (!ip || weir_be32(ip->version_class_label) >> 28 != 6) return 0;
    a->from.be[0] = ip->source[0];
    a->from.be[1] = ip->source[1];
    a->to.be[0] = ip->destination[0];
    a->to.be[1] = ip->destination[1];
    a->length = weir_be16(ip->payload) + sizeof(*ip);
    a->protocol = ip->next;
    a->opaque = (void *)ip + a->length > cursor.end;
    if (a->protocol == 44 && !a->opaque) { /* RFC 8200, section 4.5. */
      __be16 *fragment = cursor.at;
      if ((void *)(fragment + 4) > cursor.end) a->opaque = 1;
      else if (fragment[1] & weir_be16((__u16)0xfff9)) a->fragment = 1;
      else a->opaque = 1;
    } else if (a->protocol == 0 || a->protocol == 43 || a->protocol == 60 || a->protocol == 51) {
      a->opaque = 1;
    }
    if (!a->fragment && !a->opaque) take_arrival_transport(&cursor, a);
    return 1;
  }
  return 0;
}

static __always_inline int only_syn(const struct weir_arrival *a) {
  return a->protocol == WEIR_PROTOCOL_TCP && a->ports && (a->flags & WEIR_TCP_STATES) == WEIR_TCP_SYN;
}

static __always_inline int has_bit(const volatile __u64 *bits, __u16 place) { return bits[place >> 6] >> (place & 63) & 1; }

/* ---- Sources. */

/* WEIR_STOP_…; 0: none of them. */
static __always_inline int class_of(const struct weir_arrival *a) {
  if (a->opaque) return 0;
  if (a->fragment) return WEIR_STOP_FRAGMENT;
  if (a->protocol == WEIR_PROTOCOL_TCP) return only_syn(a) ? WEIR_STOP_SYN : 0;
  if (a->protocol == WEIR_PROTOCOL_UDP) return a->ports ? WEIR_STOP_UDP : 0;
  if (a->protocol == 1 || a->protocol == 58) return a->echo ? WEIR_STOP_ECHO : 0;
  return WEIR_STOP_OTHER;
}

static __always_inline int source_stops(const struct weir_arrival *a, __u32 ifindex, __u32 generation) {
  struct weir_source *source = bpf_map_lookup_elem(&sources, &a->from);
  if (!source || source->generation != generation) return 0;
  if ((__s32)((__u32)(bpf_ktime_get_coarse_ns() >> 20) - source->until_ms) >= 0) return 0;
  if ((a->protocol == 1 || a->protocol == 58) && !a->fragment && !a->echo) return 0; /* Of what someone else asked, or about it. */
  if (source->what != WEIR_STOP_ALL) {
    const int what = class_of(a);
    if (!(source->what & what) || source->ifindex != ifindex || source->vlan != a->vlan) return 0;
    if ((what & (WEIR_STOP_SYN | WEIR_STOP_UDP)) && has_bit(front.free_ports[what == WEIR_STOP_UDP], a->to_port)) return 0;
  }
  __sync_fetch_and_add(&source->packets, 1);
  __sync_fetch_and_add(&source->bytes, a->length);
  return 1;
}

/* ---- Budgets. */

static __always_inline __u64 mixed(__u64 a, __u64 b) {
  a = (a ^ b) * 0x9e3779b97f4a7c15ull;
  return a ^ a >> 29;
}

static __always_inline __u64 ends_of(const struct weir_address *from, const struct weir_address *to, __u16 from_port, __u16 to_port) {
  __u64 hash = mixed(mixed(from->be[0], 0x57656972), from->be[1]);
  hash = mixed(mixed(hash, to->be[0]), to->be[1]);
  return mixed(hash, (__u64)from_port << 16 | to_port);
}

/* A port that servers use, as the engine guesses who is the client: below 1024, or registered. */
static __always_inline int serves(__u16 port) {
  return port < 1024 || has_bit(front.udp_ports, port);
}

static __always_inline int counts(const volatile struct weir_row *row, const struct weir_arrival *a) {
  if (row->what == WEIR_ROW_FRAGMENTS) return a->fragment;
  if (a->fragment || a->opaque) return 0;
  if (row->what == WEIR_ROW_SYN) return only_syn(a);
  if (row->what == WEIR_ROW_UDP) return a->protocol == WEIR_PROTOCOL_UDP && a->ports;
  return (a->protocol == 1 || a->protocol == 58) && a->echo;
}

/* ---- Who sent a SYN: see syn_cookie.h. The engine sees each answer too. */

enum { STOPS = 1, ASKS = 2, COOKIE_SHIFT = 8 };

static __noinline __u64 cookie_of(const struct weir_arrival *a, __u32 slot) {
  if (!a) return 0;
  return weir_syn_cookie(front.cookie_key[0], front.cookie_key[1], &a->from, &a->to, a->from_port, a->to_port, slot);
}

static __always_inline void note_answer(const struct weir_arrival *a) {
  const __u32 slot = (__u32)(bpf_ktime_get_ns() >> WEIR_COOKIE_SLOT_SHIFT);
  struct weir_proof proof = {a->seq, (__u32)(bpf_ktime_get_ns() >> 20)};
  __u64 place;
  if ((__u16)a->seq != (__u16)cookie_of(a, slot) && (__u16)a->seq != (__u16)cookie_of(a, slot - 1)) return;
  place = cookie_of(a, WEIR_COOKIE_NO_SLOT);
  bpf_map_update_elem(&proofs, &place, &proof, BPF_ANY);
}

static __always_inline int proven(const struct weir_arrival *a) {
  const __u64 place = cookie_of(a, WEIR_COOKIE_NO_SLOT);
  const struct weir_proof *proof = bpf_map_lookup_elem(&proofs, &place);
  return proof && a->seq - proof->acknowledged < 65536 && (__u32)(bpf_ktime_get_ns() >> 20) - proof->at_ms < WEIR_COOKIE_PROVEN_MS;
}

/* STOPS; or ASKS, and the cookie; 0: neither. */
static __always_inline int row_stops(__u32 place, const struct weir_arrival *a, __u32 generation) {
  const volatile struct weir_row *row = &front.rows[place];
  struct weir_budget_key key = {};
  struct weir_budget *budget;
  __u64 now, full;
  if (!counts(row, a)) return 0;
  if (row->spare_known && bpf_map_lookup_elem(&known, &a->from)) return 0;
  if (a->v4) {
    key.from_be[1] = a->from.be[1] & (__u64)row->from4_be << 32;
    key.to_be[1] = a->to.be[1] & (__u64)row->to4_be << 32;
    key.version = row->from4_be | row->to4_be ? 4 : 0;
  } else {
    key.from_be[0] = a->from.be[0] & row->from6_be[0];
    key.from_be[1] = a->from.be[1] & row->from6_be[1];
    key.to_be[0] = a->to.be[0] & row->to6_be[0];
    key.to_be[1] = a->to.be[1] & row->to6_be[1];
    key.version = row->from4_be | row->to4_be ? 6 : 0;
  }
  if (row->per & WEIR_PER_PORT) key.port = a->to_port;
  if (row->per & WEIR_PER_PROTOCOL) key.protocol = a->protocol;
  key.row = place;
  budget = bpf_map_lookup_elem(&budgets, &key);
  if (!budget || budget->generation != generation) return 0;
  if (row->asks_source && proven(a)) return 0;
  now = bpf_ktime_get_ns();
  full = budget->full_ns;
  if ((__s64)(full - now) < 0) full = now;
  full += row->packet_ns + ((a->length * row->byte_ns_q16) >> 16);
  if (full - now <= row->burst_ns) {
    budget->full_ns = full; /* Two CPUs at once may count one of their packets alone: the engine counts both. */
    return 0;
  }
  __sync_fetch_and_add(&budget->packets, 1);
  __sync_fetch_and_add(&budget->bytes, a->length);
  if (row->asks_source) return ASKS | (int)(__u16)cookie_of(a, (__u32)(now >> WEIR_COOKIE_SLOT_SHIFT)) << COOKIE_SHIFT;
  return STOPS;
}

/* As row_stops(). */
static __noinline int front_stops(struct xdp_md *context, __u32 generation) {
  struct weir_arrival arrival = {};
  __u64 here = 0;
  const __u32 once = 1;
  __u32 i;
  int datagram, answer;
  if (!take_arrival(context, &arrival)) return 0;
  if (front.sources && source_stops(&arrival, context->ingress_ifindex, generation)) return STOPS;
  if (front.asks_source && arrival.protocol == WEIR_PROTOCOL_TCP && arrival.ports && (arrival.flags & WEIR_TCP_STATES) == WEIR_TCP_RST) {
    note_answer(&arrival);
    return 0;
  }
  datagram = front.datagrams && arrival.protocol == WEIR_PROTOCOL_UDP && arrival.ports;
  if (datagram) {
    __u64 back = ends_of(&arrival.to, &arrival.from, arrival.to_port, arrival.from_port);
    if (bpf_map_lookup_elem(&asked, &back)) return 0;
    here = ends_of(&arrival.from, &arrival.to, arrival.from_port, arrival.to_port);
    if (serves(arrival.from_port) && !serves(arrival.to_port)) return 0; /* It looks like an answer: the engine takes its ends the other way round. */
  }
  for (i = 0; i < WEIR_ROWS_MAX; ++i) {
    if (i >= front.rows_count) break;
    answer = row_stops(i, &arrival, generation);
    if (answer) return answer;
  }
  if (datagram && !bpf_map_lookup_elem(&asked, &here)) bpf_map_update_elem(&asked, &here, &once, BPF_ANY);
  return 0;
}
