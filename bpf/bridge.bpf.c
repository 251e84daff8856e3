/* SPDX-License-Identifier: Apache-2.0 */

/* The bridge in the kernel: one program on each port. A packet of a settled flow makes one look-up and leaves by its way out, or is
   dropped; everything else goes up the stack, to the engine behind packet sockets. Where the engine is gone or hangs, the declared
   fail mode holds: closed drops what is not settled, by name; open forwards by a table of stations that this program learns itself.
   It decides nothing that the engine did not decide before. */

#include "bpf/cursor.h"
#include "bpf/front.h"

volatile struct weir_config config __attribute__((aligned(64)));

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 65536); /* Set when loaded, as of flows6. Preallocated: nothing is allocated for a packet. */
  __type(key, struct weir_key4);
  __type(value, struct weir_flow);
} flows4 SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 16384);
  __type(key, struct weir_key6);
  __type(value, struct weir_flow);
} flows6 SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_DEVMAP);
  __uint(max_entries, WEIR_PORTS_MAX);
  __type(key, __u32);
  __type(value, __u32);
} ports SEC(".maps");

/* The same for weir_stand_in: place to interface index; 0: no such port. */
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, WEIR_PORTS_MAX);
  __type(key, __u32);
  __type(value, __u32);
} devices SEC(".maps");

/* Interface index to place in `ports`. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, WEIR_PORTS_MAX);
  __type(key, __u32);
  __type(value, __u32);
} places SEC(".maps");

/* The process that decides holds a socket here for as long as it lives; the kernel takes it out when the socket closes. */
struct {
  __uint(type, BPF_MAP_TYPE_XSKMAP);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, __u32);
} presence SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, WEIR_STATIONS_MAX);
  __type(key, struct weir_station);
  __type(value, __u32);
} stations SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, WEIR_COUNTERS);
  __type(key, __u32);
  __type(value, __u64);
} counters SEC(".maps");

static __always_inline void count(__u32 which) {
  __u64 *value = bpf_map_lookup_elem(&counters, &which);
  if (value) ++*value;
}

static __always_inline int before(__u32 a, __u32 b) { return (__s32)(a - b) < 0; }

/* ---- TCP: the bounds of state/tcp.cc with a slack of two, and what a segment that fits teaches. */

/* Beyond 2^30 (RFC 7323, 2.3: no window is larger) numbers cannot be told apart. */
enum { WINDOW_UNKNOWN = 65535, WINDOW_MAX = 1 << 30, SLACK = 2 };

static __always_inline __u32 larger(__u32 a, __u32 b) { return a > b ? a : b; }

/* Twice the window; one that is larger than half of WINDOW_MAX would wrap. */
static __always_inline __u32 with_slack(__u32 window) {
  window = larger(window, WINDOW_UNKNOWN);
  return window < WINDOW_MAX / SLACK ? window * SLACK : WINDOW_MAX;
}

static __always_inline int fits(const struct weir_segment *segment, const struct weir_tcp *sender, const struct weir_tcp *receiver) {
  const __u32 end = segment->seq + segment->payload + (segment->flags & WEIR_TCP_FIN ? 1 : 0);
  const __u32 window = with_slack(receiver->window_max);
  const __u32 acked = receiver->window_max == 0 ? sender->next : sender->acked;
  __u32 reach;
  if (before(sender->window_end + (SLACK - 1) * window, end) && before(acked + window, end)) return 0;
  if (before(segment->seq + window, sender->next)) return 0;
  if (segment->flags & WEIR_TCP_RST) return !before(segment->seq, sender->acked); /* RFC 5961, section 3. */
  reach = with_slack(sender->window_max);
  return !before(receiver->next, segment->ack) && !before(segment->ack + reach + WINDOW_UNKNOWN, receiver->next);
}

static __always_inline void learn(const struct weir_segment *segment, struct weir_tcp *sender, struct weir_tcp *receiver, __u8 scale) {
  const __u32 end = segment->seq + segment->payload + (segment->flags & WEIR_TCP_FIN ? 1 : 0);
  const __u32 window = (__u32)segment->window << (scale & 15);
  __u32 allowed;
  if (before(sender->next, end)) sender->next = end;
  if (window > sender->window_max) sender->window_max = window;
  if (before(receiver->acked, segment->ack)) receiver->acked = segment->ack;
  allowed = segment->ack + larger(window, 1);
  if (before(receiver->window_end, allowed)) receiver->window_end = allowed;
}

/* ---- A settled flow. */

/* Packets follow the last one of their way that went to the engine, so that none overtakes another, until the lane has sent that one on:
   it says up to when its queues are empty. A stream that leaves no gap is let go a little less carefully after a while. */
static __always_inline int handed_over(struct weir_way *way) {
  const __u32 now = (__u32)(bpf_ktime_get_ns() >> 10), waited = now - way->u.handover.since_us;
  const __u32 queued = way->u.handover.last_us + (waited < WEIR_HANDOVER_CLOSE_US ? WEIR_HANDOVER_WAY_US : 0);
  if (!before(queued, config.drained_us) && waited < WEIR_HANDOVER_MAX_US) {
    way->u.handover.last_us = now;
    return 0;
  }
  way->flags &= ~WEIR_WAY_HANDOVER;
  way->u.bytes = 0;
  return 1;
}

/* The action, or -1: for the engine. */
static __always_inline int carry(struct xdp_md *context, const struct weir_ethernet *ethernet, struct weir_flow *flow,
                                 const struct weir_segment *segment) {
  struct weir_way *way = &flow->way[segment->way & 1];
  if (flow->generation != config.generation || (segment->is_tcp && (segment->flags & WEIR_TCP_SYN))) return -1;
  if (flow->verdict == WEIR_FLOW_PASS) {
    if (segment->options && config.sound_options) return -1;
    /* Without ACK it is a reset or malformed (wire/tcp.cc): rules may ask. */
    if (segment->is_tcp && !(segment->flags & WEIR_TCP_ACK)) return -1;
    if (!(way->flags & WEIR_WAY_VALID)) return -1;
    if (way->tag != weir_tag((const __u32 *)ethernet->macs, context->ingress_ifindex, config.salt)) return -1;
    if (flow->tcp_checked) {
      struct weir_tcp *sender = &flow->tcp[segment->way & 1], *receiver = &flow->tcp[(segment->way & 1) ^ 1];
      if (!fits(segment, sender, receiver)) return -1;
      learn(segment, sender, receiver, flow->scale[segment->way & 1]);
    }
    if ((way->flags & WEIR_WAY_HANDOVER) && !handed_over(way)) return -1;
    if (segment->flags & WEIR_TCP_FIN) way->flags |= WEIR_WAY_FIN;
    if (segment->flags & WEIR_TCP_RST) way->flags |= WEIR_WAY_RST;
  }
  ++way->packets;
  way->u.bytes += segment->length;
  way->seen_ms = config.beat_ms;
  if (flow->verdict != WEIR_FLOW_PASS) return XDP_DROP;
  return bpf_redirect_map(&ports, way->out, XDP_DROP);
}

/* ---- Everything else. */


static __always_inline int forward_undecided(struct xdp_md *context, const struct weir_ethernet *ethernet, __u16 vlan, __u32 place) {
  struct weir_station station;
  const __u16 *mac = (const __u16 *)ethernet->macs;
  __u32 *known;
  /* 01-80-C2-00-00-00 to -0F stay on their link. */
  if (mac[0] == weir_be16((__u16)0x0180) && mac[1] == weir_be16((__u16)0xc200) && (mac[2] & weir_be16((__u16)0xfff0)) == 0) {
    count(WEIR_COUNT_LINK_LOCAL);
    return XDP_DROP;
  }
  if (bpf_xdp_get_buff_len(context) > config.frame_max) {
    count(WEIR_COUNT_TOO_LONG);
    return XDP_DROP;
  }
  count(WEIR_COUNT_FAIL_OPEN);
  if (config.ports == 2) return bpf_redirect_map(&ports, place ^ 1, XDP_DROP);
  station.vlan = vlan;
  __builtin_memcpy(station.mac, ethernet->macs + 6, 6);
  known = bpf_map_lookup_elem(&stations, &station);
  if (known == 0 || *known != place) bpf_map_update_elem(&stations, &station, &place, BPF_ANY);
  __builtin_memcpy(station.mac, ethernet->macs, 6);
  known = ethernet->macs[0] & 1 ? 0 : bpf_map_lookup_elem(&stations, &station);
  if (known == 0) return bpf_redirect_map(&ports, 0, BPF_F_BROADCAST | BPF_F_EXCLUDE_INGRESS);
  if (*known == place) {
    count(WEIR_COUNT_SAME_PORT);
    return XDP_DROP;
  }
  return bpf_redirect_map(&ports, *known, XDP_DROP);
}

/* Back out of its port: by redirect, since a veth that sends by XDP_TX wakes its other end only where that has a program too. */
static __always_inline int ask_sender(struct xdp_md *context, __u32 cookie) {
  __u32 ingress = context->ingress_ifindex;
  const __u32 *place = bpf_map_lookup_elem(&places, &ingress);
  if (place == 0 || !make_question(context, cookie)) return XDP_DROP;
  return bpf_redirect_map(&ports, *place, XDP_DROP);
}

static __always_inline int engine_alive(void) {
  if (config.failing) return 0;
  if (config.presence) {
    const __u32 first = 0;
    if (bpf_map_lookup_elem(&presence, &first) == 0) return 0;
  }
  if (config.beat_max_ms == 0) return 1;
  return (__s32)((__u32)(bpf_ktime_get_coarse_ns() >> 20) - config.beat_ms) <= (__s32)config.beat_max_ms;
}

static __always_inline int to_engine(struct xdp_md *context, const struct weir_ethernet *ethernet, __u16 vlan) {
  __u32 ingress = context->ingress_ifindex;
  __u32 *place = bpf_map_lookup_elem(&places, &ingress);
  if (place == 0) {
    count(WEIR_COUNT_NOT_OURS);
    return XDP_PASS;
  }
  if (engine_alive()) {
    count(WEIR_COUNT_TO_ENGINE);
    return XDP_PASS;
  }
  if (config.fail == WEIR_FAIL_OPEN) return config.stand_in ? XDP_PASS : forward_undecided(context, ethernet, vlan, *place);
  count(WEIR_COUNT_FAIL_CLOSED);
  return XDP_DROP;
}

/* "frags": a frame may lie in several buffers (large MTU); its headers are in the first, else it is for the engine. */
SEC("xdp.frags")
int weir_bridge(struct xdp_md *context) {
  struct weir_cursor cursor = {(void *)(long)context->data, (void *)(long)context->data_end};
  struct weir_ethernet *ethernet = WEIR_TAKE(&cursor, weir_ethernet);
  struct weir_segment segment = {};
  struct weir_flow *flow = 0;
  __be16 type;
  __u16 vlan = 0;
  if (!ethernet) return XDP_DROP; /* Shorter than its header: the kernel gives none such. */
  if (cursor.end - (void *)ethernet > config.frame_max) return to_engine(context, ethernet, 0);
  type = ethernet->type;
  if (type == weir_be16((__u16)WEIR_ETHER_VLAN)) {
    struct weir_tag *tag = WEIR_TAKE(&cursor, weir_tag);
    if (!tag) return to_engine(context, ethernet, 0);
    vlan = weir_be16(tag->priority_and_id) & 0x0fff;
    type = tag->type;
  }
  if (type == weir_be16((__u16)WEIR_ETHER_IPV4)) {
    struct weir_key4 key;
    key.vlan = vlan;
    if (weir_take_ipv4(&cursor, &key, &segment)) flow = bpf_map_lookup_elem(&flows4, &key);
  } else if (type == weir_be16((__u16)WEIR_ETHER_IPV6)) {
    struct weir_key6 key;
    key.vlan = vlan;
    if (weir_take_ipv6(&cursor, &key, &segment)) flow = bpf_map_lookup_elem(&flows6, &key);
  }
  if (flow) {
    const int action = carry(context, ethernet, flow, &segment);
    if (action >= 0) return action;
  }
  if (front.sources | front.rows_count) {
    const int answer = front_stops(context, config.generation);
    if (answer & ASKS) return ask_sender(context, (__u16)(answer >> COOKIE_SHIFT));
    if (answer) return XDP_DROP;
  }
  return to_engine(context, ethernet, vlan);
}

/* Run by hand, to see whether a device takes frames from XDP at all (a veth does only where its other end polls). */
SEC("xdp")
int weir_probe(struct xdp_md *context) {
  (void)context;
  return bpf_redirect(config.probe_ifindex, 0);
}

/* Where nobody decides and the fail mode is open: behind the program above, at the hook where a frame still has what its sender's stack left
   to hardware. A redirect from XDP would lose that, and the receiver would find its checksum wrong. */
SEC("tc")
int weir_stand_in(struct __sk_buff *frame) {
  struct weir_cursor cursor = {(void *)(long)frame->data, (void *)(long)frame->data_end};
  struct weir_ethernet *ethernet = WEIR_TAKE(&cursor, weir_ethernet);
  struct weir_station station = {};
  const __u16 *mac;
  __u32 ingress = frame->ingress_ifindex, out, *place, *known, *device;
  if (!ethernet || config.fail != WEIR_FAIL_OPEN || engine_alive()) return TC_ACT_UNSPEC;
  place = bpf_map_lookup_elem(&places, &ingress);
  if (place == 0) return TC_ACT_UNSPEC;
  mac = (const __u16 *)ethernet->macs;
  if (mac[0] == weir_be16((__u16)0x0180) && mac[1] == weir_be16((__u16)0xc200) && (mac[2] & weir_be16((__u16)0xfff0)) == 0) {
    count(WEIR_COUNT_LINK_LOCAL);
    return TC_ACT_SHOT;
  }
  count(WEIR_COUNT_FAIL_OPEN);
  if (frame->vlan_present) station.vlan = frame->vlan_tci & 0x0fff;
  __builtin_memcpy(station.mac, ethernet->macs + 6, 6);
  known = bpf_map_lookup_elem(&stations, &station);
  if (known == 0 || *known != *place) bpf_map_update_elem(&stations, &station, place, BPF_ANY);
  __builtin_memcpy(station.mac, ethernet->macs, 6);
  known = ethernet->macs[0] & 1 ? 0 : bpf_map_lookup_elem(&stations, &station);
  if (known && *known == *place) {
    count(WEIR_COUNT_SAME_PORT);
    return TC_ACT_SHOT;
  }
  if (known) {
    out = *known;
    device = bpf_map_lookup_elem(&devices, &out);
    return device && *device ? bpf_redirect(*device, 0) : TC_ACT_SHOT;
  }
  for (out = 0; out < WEIR_PORTS_MAX && out < config.ports; ++out) {
    __u32 key = out;
    if (out == *place) continue;
    device = bpf_map_lookup_elem(&devices, &key);
    if (device && *device) bpf_clone_redirect(frame, *device, 0);
  }
  return TC_ACT_SHOT;
}

char weir_license[] SEC("license") = "Apache-2.0";
