/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#pragma once

/* Whether a rule that is decided at the call holds for one. Plain C without the kernel, so that a test asks these very lines and the
   engine the same question. */

#include "bpf/who_abi.h"

#define WEIR_INLINE static inline __attribute__((always_inline))

WEIR_INLINE weir_u64 weir_word_be(const weir_u8 *at) {
  weir_u64 word = 0;
  for (int i = 0; i < 8; ++i) word = word << 8 | at[i];
  return word;
}

WEIR_INLINE int weir_in_prefix(const struct weir_prefix *prefix, weir_u64 high, weir_u64 low) {
  const weir_u32 length = prefix->length;
  if (length < 96 && high == 0 && low >> 32 == 0xffff) return 0; /* No network of IPv6 holds an address of IPv4. */
  high ^= weir_word_be(prefix->network_be);
  low ^= weir_word_be(prefix->network_be + 8);
  if (length >= 128) return high == 0 && low == 0;
  if (length > 64) return high == 0 && low >> ((128 - length) & 63) == 0;
  if (length == 64) return high == 0;
  return length == 0 || high >> ((64 - length) & 63) == 0;
}

WEIR_INLINE int weir_among(const weir_u32 *ids, weir_u32 count, weir_u32 id) {
  for (weir_u32 i = 0; i < WEIR_IDS_MAX; ++i)
    if (i < count && ids[i] == id) return 1;
  return 0;
}

/* Unspecified, link-local, multicast, broadcast: their zone is the peer's or the port's (policy/zone.h). */
WEIR_INLINE int weir_is_plain(weir_u64 high, weir_u64 low) {
  if (high == 0 && low >> 32 == 0xffff) {
    const weir_u32 v4 = (weir_u32)low;
    return v4 != 0 && v4 != 0xffffffff && v4 >> 28 != 0xe && v4 >> 16 != 0xa9fe;
  }
  return !(high == 0 && low == 0) && high >> 56 != 0xff && high >> 54 != 0x3fa;
}

/* Or unspecified, by which loopback is reached. */
WEIR_INLINE int weir_is_loopback(weir_u64 high, weir_u64 low) {
  return high == 0 && ((low >> 32 == 0xffff && (low >> 24 & 0xff) == 127) || low <= 1 || low == 0xffff00000000ULL);
}

/* Every condition holds. `own`, `parent`: whether the refusal names the image's path, an ancestor's. */
WEIR_INLINE int weir_holds(const struct weir_refusal *refusal, const struct weir_call *call, const struct weir_owner *owner, int own, int parent, weir_u64 netns) {
  const weir_u32 asks = refusal->asks, nots = refusal->nots;
  const weir_u64 high = weir_word_be(call->address_be), low = weir_word_be(call->address_be + 8);
  const int plain = weir_is_plain(high, low), lets_go = refusal->then != WEIR_THEN_REFUSE;
  if (!(refusal->at & call->at)) return 0;
  if (asks & WEIR_ASKS_OWN_NETNS && call->netns != netns) return 0;
  if (call->at == WEIR_AT_PACKET) {
    const weir_u32 ends = WEIR_ASKS_PREFIX | WEIR_ASKS_PORT | WEIR_ASKS_PLAIN;
    if (call->protocol == WEIR_NO_IP && asks & (ends | WEIR_ASKS_PROTOCOL)) return 0;
    if (!lets_go && asks & ends && !call->begins) return 0; /* It may be an answer. */
    if (asks & WEIR_ASKS_REMOTE && weir_is_loopback(high, low)) return 0;
  }
  if (call->at == WEIR_AT_CONNECT) {
    if (asks & WEIR_ASKS_STREAM && call->protocol != 6) return 0;
    if (asks & WEIR_ASKS_NO_STREAM && call->protocol == 6) return 0;
    if (asks & WEIR_ASKS_REMOTE && weir_is_loopback(high, low)) return 0;
  }
  if (asks & WEIR_ASKS_PATH && !own == !(nots & WEIR_ASKS_PATH)) return 0;
  if (asks & WEIR_ASKS_PARENT && !parent == !(nots & WEIR_ASKS_PARENT)) return 0;
  if (asks & WEIR_ASKS_UID && !weir_among(refusal->uids, refusal->uids_count, owner->uid) == !(nots & WEIR_ASKS_UID)) return 0;
  if (asks & WEIR_ASKS_GID && !weir_among(refusal->gids, refusal->gids_count, owner->gid) == !(nots & WEIR_ASKS_GID)) return 0;
  if (asks & WEIR_ASKS_PROTOCOL) {
    const weir_u32 number = call->protocol & 255, named = refusal->protocols[number / 32] >> (number % 32) & 1;
    if (!named == !(nots & WEIR_ASKS_PROTOCOL)) return 0;
  }
  if (asks & WEIR_ASKS_PORT) {
    int in = 0;
    for (weir_u32 i = 0; i < WEIR_PREFIXES_MAX; ++i)
      if (i < refusal->ports_count && refusal->ports[i].first <= call->port && call->port <= refusal->ports[i].last) in = 1;
    if (!in == !(nots & WEIR_ASKS_PORT)) return 0;
  }
  /* Where networks do not tell the zone, nothing is certain: what lets go may hold, what refuses does not. */
  if (asks & WEIR_ASKS_PLAIN && !plain) return lets_go;
  if (asks & WEIR_ASKS_PREFIX) {
    if (high == 0 && (low == 0 || low == 0xffff00000000ULL)) return lets_go;
    int in = 0;
    for (weir_u32 i = 0; i < WEIR_PREFIXES_MAX; ++i)
      if (i < refusal->prefixes_count && weir_in_prefix(&refusal->prefixes[i], high, low)) in = 1;
    if (!in == !(nots & WEIR_ASKS_PREFIX)) return 0;
  }
  return 1;
}
