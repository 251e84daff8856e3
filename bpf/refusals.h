/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#pragma once

/* Rules that are decided at the call: asked in their order, the first that holds decides. What is not certain at the call is none of
   them (src/datapath/host/refusals.cc says which). Included by who.bpf.c, behind its maps. */

struct weir_call {
  __u32 at, protocol;
  __u8 address_be[16];   /* The destination; IPv4 as ::ffff:a.b.c.d. */
  __u32 port;
  __u64 netns;
};

static __always_inline int in_prefix(const struct weir_prefix *prefix, const __u8 *address_be) {
  const __u64 *network = (const __u64 *)(const void *)prefix->network_be, *address = (const __u64 *)(const void *)address_be;
  const __u32 length = prefix->length & 127;
  const __u64 high = __builtin_bswap64(network[0] ^ address[0]), low = __builtin_bswap64(network[1] ^ address[1]);
  if (prefix->length >= 128) return high == 0 && low == 0;
  if (length >= 64) return high == 0 && (length == 64 || low >> (128 - length) == 0);
  return length == 0 || high >> (64 - length) == 0;
}

static __always_inline int in_prefixes(const struct weir_refusal *refusal, const __u8 *address_be) {
  for (__u32 i = 0; i < WEIR_PREFIXES_MAX; ++i)
    if (i < refusal->prefixes_count && in_prefix(&refusal->prefixes[i], address_be)) return 1;
  return 0;
}

static __always_inline int in_ports(const struct weir_refusal *refusal, __u32 port) {
  for (__u32 i = 0; i < WEIR_PREFIXES_MAX; ++i)
    if (i < refusal->ports_count && refusal->ports[i].first <= port && port <= refusal->ports[i].last) return 1;
  return 0;
}

static __always_inline int among(const __u32 *ids, __u32 count, __u32 id) {
  for (__u32 i = 0; i < WEIR_IDS_MAX; ++i)
    if (i < count && ids[i] == id) return 1;
  return 0;
}

/* What is not static is verified once, by itself, however often it is called: loading takes milliseconds instead of seconds. */

/* Every condition holds. A path's bits are of its image: `bit` is the place of the refusal. */
__noinline int holds(const struct weir_refusal *refusal, const struct weir_call *call, const struct weir_owner *owner, __u64 own, __u64 parent) {
  if (!refusal || !call || !owner) return 0;
  const __u32 asks = refusal->asks, nots = refusal->nots;
  if (!(refusal->at & call->at)) return 0;
  if (asks & WEIR_ASKS_OWN_NETNS && call->netns != config.netns) return 0;
  if (asks & WEIR_ASKS_PATH && (own != 0) == !!(nots & WEIR_ASKS_PATH)) return 0;
  if (asks & WEIR_ASKS_PARENT && (parent != 0) == !!(nots & WEIR_ASKS_PARENT)) return 0;
  if (asks & WEIR_ASKS_UID && among(refusal->uids, refusal->uids_count, owner->uid) == !!(nots & WEIR_ASKS_UID)) return 0;
  if (asks & WEIR_ASKS_GID && among(refusal->gids, refusal->gids_count, owner->gid) == !!(nots & WEIR_ASKS_GID)) return 0;
  if (asks & WEIR_ASKS_PROTOCOL) {
    const __u32 number = call->protocol & 255;
    const int named_too = refusal->protocols_be[(number / 32) & 7] >> (number % 32) & 1;
    if (named_too == !!(nots & WEIR_ASKS_PROTOCOL)) return 0;
  }
  if (asks & WEIR_ASKS_PORT && in_ports(refusal, call->port) == !!(nots & WEIR_ASKS_PORT)) return 0;
  if (asks & WEIR_ASKS_PREFIX && in_prefixes(refusal, call->address_be) == !!(nots & WEIR_ASKS_PREFIX)) return 0;
  return 1;
}

__noinline int tell(const struct weir_call *call, const struct weir_owner *owner, __u32 rule) {
  if (!call || !owner) return 0;
  count(WEIR_WHO_REFUSED);
  struct weir_refused *told = bpf_ringbuf_reserve(&refused, sizeof *told, 0);
  if (!told) {
    count(WEIR_WHO_EVENTS_FULL);
    return 0;
  }
  __builtin_memset(told, 0, sizeof *told);
  told->at_ns = bpf_ktime_get_ns();
  told->owner = *owner;
  told->ends.protocol = call->protocol;
  told->rule = rule;
  told->call = call->at;
  if (call->at == WEIR_AT_BIND) {
    __builtin_memcpy(told->ends.local_be, call->address_be, 16);
    told->ends.local_port = (__u16)call->port;
  } else {
    __builtin_memcpy(told->ends.remote_be, call->address_be, 16);
    told->ends.remote_port = (__u16)call->port;
  }
  bpf_ringbuf_submit(told, 0);
  return 0;
}

/* Which refusals name the image or what led to it: looked up once a generation. */
__noinline int find_bits(struct weir_image *image) {
  if (!image) return 0;
  struct weir_bits *bits = bpf_map_lookup_elem(&named, (struct weir_named *)image->path);
  image->own_rules = bits ? bits->own : 0;
  __u64 parents = 0, above = image->parent;
  for (int i = 0; i < WEIR_ANCESTORS_MAX; ++i) {
    struct weir_image *parent = bpf_map_lookup_elem(&images, &above);
    if (!parent) break;
    bits = bpf_map_lookup_elem(&named, (struct weir_named *)parent->path);
    if (bits) parents |= bits->parent;
    above = parent->parent;
  }
  image->parent_rules = parents;
  image->generation = config.generation;
  return 0;
}

static __always_inline int refuses(const struct weir_call *call, const struct weir_owner *owner) {
  const __u32 many = config.refusals;
  if (many == 0) return 0;
  struct weir_image *image = bpf_map_lookup_elem(&images, &owner->image);
  if (image && image->generation != config.generation) find_bits(image);
  const __u64 own = image ? image->own_rules : 0, parent = image ? image->parent_rules : 0;
  for (__u32 i = 0; i < WEIR_REFUSALS_MAX; ++i) {
    if (i >= many) return 0;
    const __u32 place = i;
    struct weir_refusal *refusal = bpf_map_lookup_elem(&refusals, &place);
    if (!refusal) return 0;
    /* Of a process that was not recorded nothing is certain: the engine decides. */
    if (!image && refusal->asks & (WEIR_ASKS_PATH | WEIR_ASKS_PARENT)) return 0;
    if (!holds(refusal, call, owner, own >> i & 1, parent >> i & 1)) continue;
    if (refusal->then == WEIR_THEN_PASS) return 0;
    if (refusal->then == WEIR_THEN_ASK_ON) continue;
    tell(call, owner, refusal->rule);
    return 1;
  }
  return 0;
}
