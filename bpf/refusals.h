/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#pragma once

/* Rules that are decided at the call: asked in their order, the first that holds decides. What is not certain at the call is none of
   them (src/datapath/host/refusals.cc says which). Included by who.bpf.c, behind its maps. */

#include "bpf/refusal.h"

/* What is not static is verified once, by itself, however often it is called: loading takes milliseconds instead of seconds. */
__noinline int holds(const struct weir_refusal *refusal, const struct weir_call *call, const struct weir_owner *owner, __u64 own, __u64 parent) {
  if (!refusal || !call || !owner) return 0;
  return weir_holds(refusal, call, owner, own, parent, config.netns);
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
