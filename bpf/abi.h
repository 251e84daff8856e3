/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the bridge's program in the kernel and the datapath say to each other: THE header that both include, C and C++. Every size is
   asserted; a change here is a change of both. Numbers are in the host's order unless a name ends in _be.

   A settled flow is one entry of one of two hash maps (flows4, flows6), under a key that is the same for both directions: the end
   with the smaller (address, port) comes first, compared as the bytes on the wire. "Way 0" is what the first end sends, "way 1" what
   the second sends. A packet makes one look-up; what else it needs is in the entry. */

#ifdef __cplusplus
#include <cstdint>
#define WEIR_ASSERT_SIZE(type, bytes) static_assert(sizeof(type) == (bytes), "the kernel's side and ours differ")
using weir_u8 = std::uint8_t;
using weir_u16 = std::uint16_t;
using weir_u32 = std::uint32_t;
using weir_u64 = std::uint64_t;
using weir_s64 = std::int64_t;
#else
#define WEIR_ASSERT_SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), "the kernel's side and ours differ")
typedef unsigned char weir_u8;
typedef unsigned short weir_u16;
typedef unsigned int weir_u32;
typedef unsigned long long weir_u64;
typedef long long weir_s64;
#endif

enum {
  WEIR_PORTS_MAX = 64,
  WEIR_STATIONS_MAX = 8192,  /* Addresses that the kernel learns while it forwards by itself. */
  /* A way of a new entry is carried as soon as no frame of it can be in the engine any more, see handed_over(). */
  WEIR_HANDOVER_WAY_US = 200,      /* The longest that a frame takes from the program to the engine's queue. */
  WEIR_HANDOVER_CLOSE_US = 100000, /* After this long, that is not waited for, */
  WEIR_HANDOVER_MAX_US = 1000000,  /* and after this long nothing is. */
};

struct weir_key4 {
  weir_u8 address_be[2][4];
  weir_u8 port_be[2][2];
  weir_u8 protocol;
  weir_u8 zero;
  weir_u16 vlan; /* 12 bits; 0: no tag. */
};
WEIR_ASSERT_SIZE(struct weir_key4, 16);

struct weir_key6 {
  weir_u8 address_be[2][16];
  weir_u8 port_be[2][2];
  weir_u8 protocol;
  weir_u8 zero;
  weir_u16 vlan;
};
WEIR_ASSERT_SIZE(struct weir_key6, 40);

enum {
  WEIR_WAY_VALID = 1,     /* `in`, `out` and the hardware addresses are known. */
  WEIR_WAY_HANDOVER = 2,  /* Frames of it may still be on their way through the engine: packets follow them there. */
  WEIR_WAY_FIN = 4,       /* Seen by the kernel. */
  WEIR_WAY_RST = 8,
};

/* What one end sends. One queue of the port, so one CPU at a time, writes it: plain adds. */
struct weir_way {
  union {
    weir_u64 bytes;      /* Of IP packets. */
    struct {             /* During the handover: */
      weir_u32 since_us; /* when it was asked for, CLOCK_MONOTONIC in ns >> 10, */
      weir_u32 last_us;  /* and its last packet. */
    } handover;
  } u;
  weir_u32 packets;      /* Modulo 2^32: read back often. */
  weir_u32 seen_ms;      /* Coarse: CLOCK_MONOTONIC in ns >> 20, of the last packet; 0: none. */
  weir_u32 tag;          /* weir_tag() of the interface where it must arrive and of both hardware addresses. */
  weir_u8 out;           /* Place in the map of ports. */
  weir_u8 flags;
  weir_u16 zero;
};
WEIR_ASSERT_SIZE(struct weir_way, 24);

/* TCP as seen from one side: the engine's numbers, see state/tcp.h. */
struct weir_tcp {
  weir_u32 next, window_end, acked, window_max;
};
WEIR_ASSERT_SIZE(struct weir_tcp, 16);

enum { WEIR_FLOW_PASS = 0, WEIR_FLOW_DROP = 1 };

/* The kernel's element has 48 bytes before its key: with an IPv4 key of 16, line 0 is what is searched by, line 1 what every packet
   needs, line 2 TCP. Memory is slow where there are many flows: compactness decides. */
struct weir_flow {
  weir_u32 generation; /* Of the rules; an entry of another generation is a miss. */
  weir_u8 verdict;
  weir_u8 tcp_checked; /* The policy asks for TCP state: windows are judged with twice their size. */
  weir_u8 scale[2];    /* Window scale that holds for each way. */
  struct weir_way way[2];
  weir_u64 unused;
  struct weir_tcp tcp[2];
  weir_u64 pad[4];
};
WEIR_ASSERT_SIZE(struct weir_flow, 128);

/* Interface and addresses in 32 bits. `salt` is random: nobody outside can make another frame with the same tag but by luck. */
static inline weir_u32 weir_tag(const weir_u32 macs[3], weir_u32 ifindex, weir_u32 salt) {
  weir_u32 x = (macs[0] ^ salt) * 0x9e3779b1u;
  x = (x ^ macs[1] ^ x >> 15) * 0x85ebca6bu;
  x = (x ^ macs[2] ^ x >> 13) * 0xc2b2ae35u;
  x = (x ^ ifindex ^ x >> 16) * 0x27d4eb2fu;
  return x ^ x >> 15;
}

/* ---- What is stopped in front of the engine: sources, and budgets that are over. Addresses are in 16 bytes, IPv4 as ::ffff:a.b.c.d. */

enum {
  WEIR_SOURCES_MAX = 65536,
  WEIR_BUDGETS_MAX = 16384,
  WEIR_KNOWN_MAX = 65536,
  WEIR_ASKED_MAX = 131072,
  WEIR_PROOFS_MAX = 65536,
  WEIR_ROWS_MAX = 8,
};

/* What of a source is stopped. */
enum {
  WEIR_STOP_SYN = 1,
  WEIR_STOP_UDP = 2,
  WEIR_STOP_ECHO = 4,       /* ICMP that asks. */
  WEIR_STOP_FRAGMENT = 8,
  WEIR_STOP_OTHER = 16,     /* Protocols without ports other than ICMP. */
  WEIR_STOP_ALL = 255,      /* Whatever it sends, save answers and errors of ICMP. */
};

struct weir_source {
  weir_u32 generation;  /* Of the rules; of another one: a miss. */
  weir_u32 until_ms;    /* CLOCK_MONOTONIC in ns >> 20. */
  weir_u32 ifindex;     /* Where it must come in; 0: anywhere. */
  weir_u16 vlan;
  weir_u8 what;
  weir_u8 zero;
  weir_u64 packets, bytes;
};
WEIR_ASSERT_SIZE(struct weir_source, 32);

enum {
  WEIR_ROW_SYN = 0,    /* SYN without ACK, RST and FIN. */
  WEIR_ROW_UDP,        /* That nobody asked for. */
  WEIR_ROW_ICMP,       /* Echo requests. */
  WEIR_ROW_FRAGMENTS,
};
enum { WEIR_PER_PORT = 1, WEIR_PER_PROTOCOL = 2 };

/* A budget of the policy: which packets it counts, and by what. A bucket is one number (the virtual scheduling of ITU-T I.371, annex A): when it
   will be full again. It is over where that is further away than `burst_ns`. */
struct weir_row {
  weir_u64 from6_be[2], to6_be[2];  /* Masks of the addresses; 0: not asked for. */
  weir_u32 from4_be, to4_be;        /* The same of IPv4. */
  weir_u64 burst_ns;
  weir_u64 packet_ns;       /* What a packet costs. */
  weir_u64 byte_ns_q16;     /* What a byte costs, in 1/65536 ns. */
  weir_u8 what, per;
  weir_u8 spare_known;
  weir_u8 asks_source;      /* What is over it is answered as in syn_cookie.h; who answered is spared. */
  weir_u8 zero[4];
};
WEIR_ASSERT_SIZE(struct weir_row, 72);

struct weir_budget_key {
  weir_u64 from_be[2], to_be[2];
  weir_u16 port;
  weir_u8 protocol, row;
  weir_u8 version;  /* 4 or 6, where an address is asked for; else 0. */
  weir_u8 zero[3];
};
WEIR_ASSERT_SIZE(struct weir_budget_key, 40);

/* There are entries only for what was over its budget before: the engine makes them. */
struct weir_budget {
  weir_u64 full_ns;      /* CLOCK_MONOTONIC. */
  weir_u32 generation;
  weir_u32 zero;
  weir_u64 packets, bytes;  /* Stopped. */
};
WEIR_ASSERT_SIZE(struct weir_budget, 32);

/* Written when the rules change. Ports, a bit each: `udp_ports` are those registered for a protocol; at `free_ports`, of SYNs and of UDP, no
   source is stopped unless all that it sends is. */
struct weir_front {
  struct weir_row rows[WEIR_ROWS_MAX];
  weir_u32 rows_count;
  weir_u32 sources;      /* There may be any. */
  weir_u32 datagrams;    /* A row counts UDP. */
  weir_u32 asks_source;  /* A row asks. */
  weir_u64 cookie_key[2];
  weir_u32 unused[8];
  weir_u64 udp_ports[1024];
  weir_u64 free_ports[2][1024];
};
WEIR_ASSERT_SIZE(struct weir_front, 576 + 64 + 3 * 8192);

enum { WEIR_FAIL_CLOSED = 0, WEIR_FAIL_OPEN = 1 };

/* Written by the datapath, read by the program: in its global memory, mapped. Line 0 changes seldom; line 1 with each turn of the lane. */
struct weir_config {
  weir_u32 generation;
  weir_u32 ports;
  weir_u32 beat_ms;       /* The lane's last sign of life, CLOCK_MONOTONIC in ns >> 20; the clock of weir_way.seen_ms. Never 0. */
  weir_u32 beat_max_ms;   /* Older than this: the lane hangs. 0: never. */
  weir_u8 fail;
  weir_u8 failing;        /* Told by the watchdog: do as if the lane were gone. */
  weir_u8 presence;       /* A socket in `presence` tells that the process lives. */
  weir_u8 stand_in;       /* Fail mode open: weir_stand_in forwards what nobody decides, with its open checksums and coalesced segments. */
  weir_u32 frame_max;     /* Longer frames are coalesced segments, which only the engine's way can send: its. */
  weir_u32 salt;          /* Of weir_tag(). */
  weir_u32 probe_ifindex; /* Where weir_probe sends what it is given. */
  weir_u8 sound_options;  /* A rule asks for malformed options: segments with other options than a timestamp are the engine's. */
  weir_u8 unused_yet[3];
  weir_u32 unused[7];

  weir_u32 drained_us;    /* The lane has sent on all that its queues held at this time, CLOCK_MONOTONIC in ns >> 10. */
  weir_u32 unused_too[15];
};
WEIR_ASSERT_SIZE(struct weir_config, 128);

struct weir_station {
  weir_u8 mac[6];
  weir_u16 vlan;
};
WEIR_ASSERT_SIZE(struct weir_station, 8);

/* Counted by name, one place a CPU. What settled flows pass and drop is in their entries. */
enum weir_counter {
  WEIR_COUNT_TO_ENGINE,
  WEIR_COUNT_FAIL_CLOSED,      /* Dropped: nobody decides, and the fail mode is closed. */
  WEIR_COUNT_FAIL_OPEN,        /* Forwarded undecided: nobody decides, and the fail mode is open. */
  WEIR_COUNT_LINK_LOCAL,       /* Dropped while forwarding undecided: what bridges never forward (IEEE 802.1Q, 8.6.3). */
  WEIR_COUNT_TOO_LONG,         /* Forwarding undecided: coalesced, which no redirect sends. */
  WEIR_COUNT_SAME_PORT,        /* Forwarding undecided: the destination is where it came from. */
  WEIR_COUNT_NOT_OURS,         /* Came in on an interface that is no port. */
  WEIR_COUNTERS,
};
