/* SPDX-License-Identifier: Apache-2.0 */

/* In front of a host's packet sockets: what belongs to no connection and is certain from its headers to be denied is dropped here, before
   any packet socket or raw socket sees it. Everything else goes up the stack and is decided by the engine, which also has a copy of
   what was dropped here and says the same of it. It never drops what the engine would let by: what it cannot tell for sure it leaves. */

#include "bpf/cursor.h"
#include "bpf/host_abi.h"

enum { MAP_LPM_TRIE = 11, MAP_RINGBUF = 27, NO_PREALLOC = 1, CURRENT_NETNS = -1 };
enum { ICMP = 1, ICMPV6 = 58, ECHO_REQUEST4 = 8, ECHO_REQUEST6 = 128 };

volatile struct weir_early_config early;

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, WEIR_EARLY_RULES_MAX);
  __type(key, __u32);
  __type(value, struct weir_early_rule);
} rules SEC(".maps");

struct {
  __uint(type, MAP_LPM_TRIE);
  __uint(max_entries, WEIR_EARLY_PREFIXES_MAX);
  __uint(map_flags, NO_PREALLOC);
  __type(key, struct weir_early_v4);
  __type(value, struct weir_early_bits);
} addresses4 SEC(".maps");

struct {
  __uint(type, MAP_LPM_TRIE);
  __uint(max_entries, WEIR_EARLY_PREFIXES_MAX);
  __uint(map_flags, NO_PREALLOC);
  __type(key, struct weir_early_v6);
  __type(value, struct weir_early_bits);
} addresses6 SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 65536);
  __type(key, __u32);
  __type(value, __u64);
} port_bits SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct weir_early_other);
} other SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, WEIR_EARLY_EXPECTED_MAX);
  __type(key, struct weir_early_expected);
  __type(value, __u32);
} expected SEC(".maps");

struct {
  __uint(type, MAP_RINGBUF);
  __uint(max_entries, WEIR_EARLY_RING_BYTES);
} stopped SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, WEIR_EARLY_COUNTERS);
  __type(key, __u32);
  __type(value, __u64);
} early_counters SEC(".maps");

static __always_inline void count(__u32 which) {
  __u64 *value = bpf_map_lookup_elem(&early_counters, &which);
  if (value) ++*value;
}

/* ---- Connections: the kernel's own table, since Linux 5.18. */

struct nf_conn {
  unsigned long status; /* Not read; but a type that is only named is none that the kernel knows. */
};
struct bpf_ct_opts {
  __s32 netns_id, error;
  __u8 l4proto, dir, reserved[2];
};
struct bpf_sock_tuple {
  union {
    struct {
      __be32 saddr, daddr;
      __be16 sport, dport;
    } ipv4;
    struct {
      __be32 saddr[4], daddr[4];
      __be16 sport, dport;
    } ipv6;
  };
};
extern struct nf_conn *bpf_xdp_ct_lookup(struct xdp_md *context, struct bpf_sock_tuple *tuple, __u32 tuple_size, struct bpf_ct_opts *options,
                                         __u32 options_size) __ksym;
extern void bpf_ct_release(struct nf_conn *connection) __ksym;

/* What the headers of a packet say. */
struct headers {
  __u8 src[16], dst[16]; /* IPv4 in the last four bytes. */
  __be16 ports[2];
  __u8 v6, protocol, flags, icmp_type;
};

static __always_inline int has_connection(struct xdp_md *context, const struct headers *h) {
  struct bpf_sock_tuple tuple = {};
  struct bpf_ct_opts options = {.netns_id = CURRENT_NETNS, .l4proto = h->protocol};
  struct nf_conn *found;
  if (h->v6) {
    __builtin_memcpy(tuple.ipv6.saddr, h->src, 16);
    __builtin_memcpy(tuple.ipv6.daddr, h->dst, 16);
    tuple.ipv6.sport = h->ports[0];
    tuple.ipv6.dport = h->ports[1];
    found = bpf_xdp_ct_lookup(context, &tuple, sizeof(tuple.ipv6), &options, sizeof(options));
  } else {
    __builtin_memcpy(&tuple.ipv4.saddr, h->src + 12, 4);
    __builtin_memcpy(&tuple.ipv4.daddr, h->dst + 12, 4);
    tuple.ipv4.sport = h->ports[0];
    tuple.ipv4.dport = h->ports[1];
    found = bpf_xdp_ct_lookup(context, &tuple, sizeof(tuple.ipv4), &options, sizeof(options));
  }
  if (!found) return 0;
  bpf_ct_release(found);
  return 1;
}

/* ---- Rules. */

enum truth { FALSE, TRUE, UNKNOWN };

struct asking {
  __u64 yes[WEIR_EARLY_KINDS], maybe[WEIR_EARLY_KINDS];
  __u32 stops; /* 1: some rule does, for certain. */
  __u32 rule;
};

/* One packet at a time on each CPU; the stack is too small for it. */
struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct asking);
} scratch SEC(".maps");

static __always_inline int judge(const struct weir_early_all *all, const struct asking *asking, __u32 unsure) {
  __u64 wrong = 0, open = 0;
#pragma unroll
  for (int kind = 0; kind < WEIR_EARLY_KINDS; ++kind) {
    const __u64 missing = all->need[kind] & ~asking->yes[kind];
    wrong |= missing & ~asking->maybe[kind];
    open |= missing;
  }
  if (wrong) return FALSE;
  return open || unsure ? UNKNOWN : TRUE;
}

static long ask(__u64 index, void *at) {
  struct asking *asking = *(struct asking **)at;
  __u32 key = (__u32)index;
  const struct weir_early_rule *rule = bpf_map_lookup_elem(&rules, &key);
  int truth;
  if (!rule) return 1;
  truth = judge(&rule->match, asking, rule->unsure);
  if (truth == FALSE) return 0;
#pragma unroll
  for (int i = 0; i < WEIR_EARLY_UNLESS_MAX; ++i) {
    int exception;
    if (i >= rule->unless_count) break;
    exception = judge(&rule->unless[i], asking, rule->unless_unsure >> i & 1);
    if (exception == TRUE) return 0;
    if (exception == UNKNOWN) truth = UNKNOWN;
  }
  if (rule->answer == WEIR_EARLY_PASS) return 1; /* It passes, or may. */
  if (truth != TRUE) return 0;                   /* It would be stopped the sooner. */
  asking->stops = 1;
  asking->rule = rule->rule;
  return 1;
}

static __always_inline void address_bits(const struct headers *h, const __u8 *address, struct weir_early_bits *out) {
  struct weir_early_bits *found;
  if (h->v6) {
    struct weir_early_v6 key = {.length = 128};
    __builtin_memcpy(key.address, address, 16);
    found = bpf_map_lookup_elem(&addresses6, &key);
  } else {
    struct weir_early_v4 key = {.length = 32};
    __builtin_memcpy(key.address, address + 12, 4);
    found = bpf_map_lookup_elem(&addresses4, &key);
  }
  if (found) *out = *found;
}

static __always_inline __u64 bits_of_port(__be16 port) {
  const __u32 key = weir_be16(port);
  __u64 *found = bpf_map_lookup_elem(&port_bits, &key);
  return found ? *found : 0;
}

static __always_inline int is_expected(const struct headers *h) {
  struct weir_early_expected key = {};
  __builtin_memcpy(key.client, h->src, 16);
  __builtin_memcpy(key.server, h->dst, 16);
  if (!h->v6) key.client[10] = key.client[11] = key.server[10] = key.server[11] = 0xff;
  key.protocol = h->protocol;
  *(__be16 *)key.port_be = h->ports[1];
  return bpf_map_lookup_elem(&expected, &key) != 0;
}

/* Asks the rules in their order; which one stops it for certain, or NOBODY. */
enum { NOBODY = 0xffffffff };

static __always_inline __u32 ask_all(struct asking *asking) {
  asking->stops = 0;
  bpf_loop(early.rules & (WEIR_EARLY_RULES_MAX * 2 - 1), ask, &asking, 0);
  return asking->stops ? asking->rule : NOBODY;
}

/* What would decide it, for certain; NOBODY if it is not certain to be stopped. */
static __always_inline __u32 who_stops(const struct headers *h, struct asking *asking) {
  struct weir_early_bits src = {}, dst = {};
  const __u32 zero = 0;
  const struct weir_early_other *o = bpf_map_lookup_elem(&other, &zero);
  const int is_tcp = h->protocol == WEIR_PROTOCOL_TCP, is_udp = h->protocol == WEIR_PROTOCOL_UDP;
  const int begins = is_tcp && (h->flags & (WEIR_TCP_SYN | WEIR_TCP_ACK)) == WEIR_TCP_SYN;
  __u64 ports[2] = {};
  __u32 as_sent, turned;
  if (!o) return NOBODY;
  address_bits(h, h->src, &src);
  address_bits(h, h->dst, &dst);
  asking->yes[WEIR_EARLY_SRC] = src.yes, asking->maybe[WEIR_EARLY_SRC] = src.maybe;
  asking->yes[WEIR_EARLY_DST] = dst.yes, asking->maybe[WEIR_EARLY_DST] = dst.maybe;
  asking->yes[WEIR_EARLY_PEER] = src.yes | dst.yes, asking->maybe[WEIR_EARLY_PEER] = src.maybe | dst.maybe;
  asking->yes[WEIR_EARLY_CLIENT] = src.yes, asking->maybe[WEIR_EARLY_CLIENT] = src.maybe;
  asking->yes[WEIR_EARLY_SERVER] = dst.yes, asking->maybe[WEIR_EARLY_SERVER] = dst.maybe;
  if (is_tcp || is_udp) ports[0] = bits_of_port(h->ports[0]), ports[1] = bits_of_port(h->ports[1]);
  asking->yes[WEIR_EARLY_SRC_PORT] = asking->yes[WEIR_EARLY_CLIENT_PORT] = ports[0];
  asking->yes[WEIR_EARLY_DST_PORT] = asking->yes[WEIR_EARLY_SERVER_PORT] = ports[1];
  asking->yes[WEIR_EARLY_OTHER] = o->protocol[h->protocol] | o->version[h->v6 & 1];
  if (is_tcp) asking->yes[WEIR_EARLY_OTHER] |= o->tcp_flags[h->flags];
  if (!is_tcp && !is_udp) asking->yes[WEIR_EARLY_OTHER] |= o->icmp_type[h->v6 & 1][h->icmp_type];
  asking->maybe[WEIR_EARLY_OTHER] = begins ? 0 : o->state;
  if (begins) asking->yes[WEIR_EARLY_OTHER] |= o->state_new;
  as_sent = ask_all(asking);
  if (begins || (!is_tcp && !is_udp)) return as_sent == WEIR_EARLY_DEFAULT && is_expected(h) ? NOBODY : as_sent;
  if (as_sent < WEIR_EARLY_DEFAULT) return as_sent;
  /* Who began it is a guess: a rule counts with the ends either way (of a datagram only where its content says so), the default only if it
     is the answer both ways. */
  asking->yes[WEIR_EARLY_CLIENT] = dst.yes, asking->maybe[WEIR_EARLY_CLIENT] = dst.maybe;
  asking->yes[WEIR_EARLY_SERVER] = src.yes, asking->maybe[WEIR_EARLY_SERVER] = src.maybe;
  asking->yes[WEIR_EARLY_CLIENT_PORT] = ports[1];
  asking->yes[WEIR_EARLY_SERVER_PORT] = ports[0];
  turned = ask_all(asking);
  if (is_tcp && turned < WEIR_EARLY_DEFAULT) return turned;
  if (as_sent == NOBODY || turned == NOBODY) return NOBODY;
  return is_expected(h) ? NOBODY : turned;
}

/* ---- A packet. */

struct icmp_header {
  __u8 type, code;
  __be16 checksum, id, sequence;
};

/* 1 if the packet behind the cursor is of the kind that is judged here: whole, plain, TCP or UDP or a ping. */
static __always_inline int read_transport(struct weir_cursor *cursor, __u32 room, struct headers *h) {
  if (h->protocol == WEIR_PROTOCOL_TCP) {
    struct weir_tcp_header *tcp = WEIR_TAKE(cursor, weir_tcp_header);
    if (!tcp || (tcp->words >> 4) * 4 < sizeof(*tcp) || (tcp->words >> 4) * 4 > room) return 0;
    h->ports[0] = tcp->source, h->ports[1] = tcp->destination;
    h->flags = tcp->flags;
    return 1;
  }
  if (h->protocol == WEIR_PROTOCOL_UDP) {
    struct weir_udp_header *udp = WEIR_TAKE(cursor, weir_udp_header);
    if (!udp || weir_be16(udp->length) < sizeof(*udp) || weir_be16(udp->length) > room) return 0;
    h->ports[0] = udp->source, h->ports[1] = udp->destination;
    return 1;
  }
  if ((h->protocol == ICMP && !h->v6) || (h->protocol == ICMPV6 && h->v6)) {
    struct icmp_header *icmp = WEIR_TAKE(cursor, icmp_header);
    if (!icmp || room < sizeof(*icmp)) return 0;
    h->icmp_type = icmp->type;
    return icmp->type == (h->v6 ? ECHO_REQUEST6 : ECHO_REQUEST4);
  }
  return 0;
}

static __always_inline int read_headers(struct weir_cursor *cursor, __be16 type, __u32 bytes, struct headers *h) {
  if (type == weir_be16((__u16)WEIR_ETHER_IPV4)) {
    struct weir_ipv4 *ip = WEIR_TAKE(cursor, weir_ipv4);
    if (!ip || ip->version_and_words != 0x45 || ip->fragment & weir_be16((__u16)0x3fff)) return 0;
    if (weir_be16(ip->length) < sizeof(*ip) || weir_be16(ip->length) > bytes) return 0;
    __builtin_memcpy(h->src + 12, &ip->source, 4);
    __builtin_memcpy(h->dst + 12, &ip->destination, 4);
    h->protocol = ip->protocol;
    return read_transport(cursor, weir_be16(ip->length) - sizeof(*ip), h);
  }
  if (type == weir_be16((__u16)WEIR_ETHER_IPV6)) {
    struct weir_ipv6 *ip = WEIR_TAKE(cursor, weir_ipv6);
    if (!ip || (weir_be32(ip->version_class_label) >> 28) != 6 || weir_be16(ip->payload) + sizeof(*ip) > bytes) return 0;
    __builtin_memcpy(h->src, ip->source, 16);
    __builtin_memcpy(h->dst, ip->destination, 16);
    h->v6 = 1;
    h->protocol = ip->next;
    return read_transport(cursor, weir_be16(ip->payload), h);
  }
  return 0;
}

static __always_inline void tell(struct xdp_md *context, __u32 offset, __u32 rule) {
  const __u32 whole = (__u32)bpf_xdp_get_buff_len(context) - offset;
  __u32 bytes = whole;
  struct weir_early_record *record = bpf_ringbuf_reserve(&stopped, sizeof(*record), 0);
  if (!record) {
    count(WEIR_EARLY_UNTOLD);
    return;
  }
  if (bytes > WEIR_EARLY_COPY_BYTES) bytes = WEIR_EARLY_COPY_BYTES;
  record->device = context->ingress_ifindex;
  record->rule = rule;
  record->bytes = bytes;
  record->whole = whole;
  if (bytes == 0 || bpf_xdp_load_bytes(context, offset, record->packet, bytes) != 0) {
    bpf_ringbuf_discard(record, 0);
    count(WEIR_EARLY_UNTOLD);
    return;
  }
  bpf_ringbuf_submit(record, 0);
}

SEC("xdp.frags")
int weir_early(struct xdp_md *context) {
  struct weir_cursor cursor = {(void *)(long)context->data, (void *)(long)context->data_end};
  struct weir_ethernet *ethernet = WEIR_TAKE(&cursor, weir_ethernet);
  struct headers h = {};
  struct asking *asking;
  const __u32 zero = 0;
  __u32 offset = sizeof(*ethernet), rule;
  __be16 type;
  if (!early.on || !ethernet) return XDP_PASS;
  type = ethernet->type;
  if (type == weir_be16((__u16)WEIR_ETHER_VLAN)) {
    struct weir_tag *tag = WEIR_TAKE(&cursor, weir_tag);
    if (!tag) return XDP_PASS;
    type = tag->type;
    offset += sizeof(*tag);
  }
  if (!read_headers(&cursor, type, (__u32)bpf_xdp_get_buff_len(context) - offset, &h)) return XDP_PASS;
  if ((h.protocol == WEIR_PROTOCOL_TCP || h.protocol == WEIR_PROTOCOL_UDP) && has_connection(context, &h)) return XDP_PASS;
  asking = bpf_map_lookup_elem(&scratch, &zero);
  if (!asking) return XDP_PASS;
  rule = who_stops(&h, asking);
  if (rule == NOBODY) return XDP_PASS;
  count(WEIR_EARLY_STOPPED);
  tell(context, offset, rule);
  return XDP_DROP;
}

/* The lookup of connections marks the program so: its license must be one that the kernel takes for its own. */
char weir_license[] SEC("license") = "GPL";
