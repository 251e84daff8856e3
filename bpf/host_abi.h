/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the program in front of a host's packet sockets and the datapath say to each other. The datapath lowers rules (host/early_rules.cc):
   conditions on addresses, ports and the like become bits, a packet's values give the set of bits that hold, and a rule is a set of bits
   that all have to. What a packet of no flow cannot tell (a zone by port, the state of a flow) is in the second set: such a bit may hold. */

#include "bpf/abi.h"

enum {
  WEIR_EARLY_RULES_MAX = 256,
  WEIR_EARLY_UNLESS_MAX = 3,
  WEIR_EARLY_PREFIXES_MAX = 16384,
  WEIR_EARLY_RING_BYTES = 1 << 20,
  WEIR_EARLY_COPY_BYTES = 1500,
  WEIR_EARLY_EXPECTED_MAX = 4096,
};

/* Kinds of conditions; each has 64 bits of its own. */
enum weir_early_kind {
  WEIR_EARLY_CLIENT,
  WEIR_EARLY_SERVER,
  WEIR_EARLY_SRC,
  WEIR_EARLY_DST,
  WEIR_EARLY_PEER,
  WEIR_EARLY_CLIENT_PORT,
  WEIR_EARLY_SERVER_PORT,
  WEIR_EARLY_SRC_PORT,
  WEIR_EARLY_DST_PORT,
  WEIR_EARLY_OTHER,
  WEIR_EARLY_KINDS,
};

struct weir_early_bits {
  weir_u64 yes, maybe;
};
WEIR_ASSERT_SIZE(struct weir_early_bits, 16);

struct weir_early_all {
  weir_u64 need[WEIR_EARLY_KINDS];
};

enum { WEIR_EARLY_DENY = 0, WEIR_EARLY_PASS = 1 };

/* In the policy's order. Rules that can neither stop a packet for certain nor keep a later one from doing so are left out. */
struct weir_early_rule {
  weir_u32 rule;          /* Its place in the policy; WEIR_EARLY_DEFAULT: what no rule decides. */
  weir_u8 answer;
  weir_u8 unsure;         /* It asks for more than these bits. */
  weir_u8 unless_count;
  weir_u8 unless_unsure;  /* Bit n: exception n asks for more. */
  struct weir_early_all match;
  struct weir_early_all unless[WEIR_EARLY_UNLESS_MAX];
};
WEIR_ASSERT_SIZE(struct weir_early_rule, 328);
#define WEIR_EARLY_DEFAULT 0xfffffffeu

struct weir_early_v4 {
  weir_u32 length;
  weir_u8 address[4];
};
WEIR_ASSERT_SIZE(struct weir_early_v4, 8);
struct weir_early_v6 {
  weir_u32 length;
  weir_u8 address[16];
};
WEIR_ASSERT_SIZE(struct weir_early_v6, 20);

/* Bits of WEIR_EARLY_OTHER, by what tells them. */
struct weir_early_other {
  weir_u64 protocol[256];
  weir_u64 tcp_flags[256];
  weir_u64 icmp_type[2][256]; /* Of IPv4 and IPv6. */
  weir_u64 version[2];
  weir_u64 state_new;         /* The packet begins a flow. */
  weir_u64 state;             /* All bits on the state of the flow. */
};

/* A flow that another one announced: its first packet is not for the default to stop. */
struct weir_early_expected {
  weir_u8 client[16], server[16]; /* IPv4 as ::ffff:a.b.c.d. */
  weir_u8 port_be[2];
  weir_u8 protocol;
  weir_u8 zero;
};
WEIR_ASSERT_SIZE(struct weir_early_expected, 36);

struct weir_early_config {
  weir_u32 on;        /* Rules are in place. */
  weir_u32 rules;
};
WEIR_ASSERT_SIZE(struct weir_early_config, 8);

/* A packet that was stopped, for the engine, which decides once more and tells of it. */
struct weir_early_record {
  weir_u32 device;
  weir_u32 rule;
  weir_u32 bytes;     /* Of `packet`, */
  weir_u32 whole;     /* and how long it was. */
  weir_u8 packet[WEIR_EARLY_COPY_BYTES]; /* From the IP header on. */
};

enum weir_early_counter {
  WEIR_EARLY_STOPPED,
  WEIR_EARLY_UNTOLD,  /* Of those: the engine has no copy, the ring was full. */
  WEIR_EARLY_COUNTERS,
};
