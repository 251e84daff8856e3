/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the program that records senders (who.bpf.c) and the datapath of a host say to each other: THE header that both include. Every
   size is asserted. Numbers are in the host's order unless a name ends in _be.

   An image is one execution of a file: a number of its own, for good. A process runs an image; what it forks runs the same one, what it
   executes is another whose parent is the one before. So a chain of images is what led here, over fork and exec alike. */

#include "bpf/abi.h"

enum {
  WEIR_PATH_BYTES = 256,
  WEIR_ARGS_BYTES = 512,
  WEIR_DEPTH_MAX = 40,     /* Components of a path that are read. */
  WEIR_REFUSALS_MAX = 48,  /* Rules that are decided at the call. */
  WEIR_PREFIXES_MAX = 8,   /* Of one such rule, and as many ranges of ports, */
  WEIR_ANCESTORS_MAX = 8,  /* As many as a sender has (facts/sender.h). */
  WEIR_IDS_MAX = 8,        /* users and groups. */
};

/* A path as an image keeps it: components, each ended by a zero, the last one first. */
struct weir_named {
  char path[WEIR_PATH_BYTES];
};
/* Bits of the refusals that ask for a path, as the process's own and as an ancestor's. */
struct weir_bits {
  weir_u64 own, parent;
};
WEIR_ASSERT_SIZE(struct weir_bits, 16);

enum {
  WEIR_IMAGE_CUT = 1,      /* The path is longer than what is kept: its beginning is missing. */
  WEIR_IMAGE_BEFORE = 2,   /* It ran before the start: told by user space. */
  WEIR_IMAGE_ROOTLESS = 4, /* The path is the name of a file that never had one. */
};

struct weir_image {
  weir_u64 parent;         /* 0: not known. */
  weir_u64 exec_ns;        /* CLOCK_MONOTONIC. */
  weir_u64 inode;
  weir_u64 own_rules, parent_rules; /* Bits of refusals that name its path, a path of its ancestors; of that generation. */
  weir_u32 generation;
  weir_u32 device;
  weir_u32 flags;
  weir_u32 zero;
  weir_u32 path_bytes, args_bytes;
  char path[WEIR_PATH_BYTES]; /* Components, each ended by a zero, the last one first. */
  char args[WEIR_ARGS_BYTES]; /* Each ended by a zero. */
};
WEIR_ASSERT_SIZE(struct weir_image, 64 + 256 + 512);

struct weir_task {
  weir_u64 image;
  weir_u64 start_ns;       /* CLOCK_MONOTONIC: tells processes of one number apart. */
};
WEIR_ASSERT_SIZE(struct weir_task, 16);

/* Who had a socket last, as it was then. */
struct weir_owner {
  weir_u64 image;          /* 0: its process was not recorded. */
  weir_u64 start_ns;
  weir_u64 cgroup;         /* Id in the unified hierarchy. */
  weir_u32 pid, uid, gid;
  weir_u32 protocol;
};
WEIR_ASSERT_SIZE(struct weir_owner, 40);

/* The ends of a socket that was closed; IPv4 as ::ffff:a.b.c.d, all zeroes where there is none. */
struct weir_ends {
  weir_u8 local_be[16], remote_be[16];
  weir_u16 local_port, remote_port;
  weir_u32 protocol;
};
WEIR_ASSERT_SIZE(struct weir_ends, 40);

/* Raw and echo sockets have no ports: their packets are told apart by protocol alone. */
struct weir_raw {
  weir_s64 sockets;        /* That are open now. */
  struct weir_owner owner; /* Of the one opened last. */
};
WEIR_ASSERT_SIZE(struct weir_raw, 48);

/* A rule as it is decided at the call. Refusals are asked in their order: the first that holds decides. */
enum { WEIR_AT_CONNECT = 1, WEIR_AT_SEND = 2, WEIR_AT_BIND = 4, WEIR_AT_CREATE = 8,
       WEIR_AT_PACKET = 16 }; /* A frame of a packet socket leaves. */
enum { WEIR_NO_IP = 256 }; /* Instead of a protocol: the frame is of none. */
enum { WEIR_THEN_PASS = 0, WEIR_THEN_REFUSE = 1, WEIR_THEN_ASK_ON = 2 };
enum {
  WEIR_ASKS_PATH = 1, WEIR_ASKS_PARENT = 2, WEIR_ASKS_UID = 4, WEIR_ASKS_GID = 8, WEIR_ASKS_PREFIX = 16, WEIR_ASKS_PORT = 32,
  WEIR_ASKS_PROTOCOL = 64, WEIR_ASKS_OWN_NETNS = 128,
  WEIR_ASKS_STREAM = 256,  /* TCP. */
  WEIR_ASKS_NO_STREAM = 512,
  WEIR_ASKS_PLAIN = 1024,  /* A destination whose zone is told by networks. */
  WEIR_ASKS_REMOTE = 2048, /* A destination that is not loopback. */
};

struct weir_prefix {
  weir_u8 network_be[16];
  weir_u8 length;          /* Of 128. */
  weir_u8 zero[3];
};
WEIR_ASSERT_SIZE(struct weir_prefix, 20);
struct weir_range {
  weir_u16 first, last;
};

struct weir_refusal {
  weir_u32 at;             /* Calls at which it is asked. */
  weir_u32 then;
  weir_u32 asks, nots;     /* Which conditions there are, and which of them are negated. */
  weir_u32 rule;
  weir_u32 prefixes_count, ports_count, uids_count, gids_count;
  weir_u32 uids[WEIR_IDS_MAX], gids[WEIR_IDS_MAX];
  weir_u32 protocols[8];    /* A bit each: bit n % 32 of word n / 32. */
  struct weir_prefix prefixes[WEIR_PREFIXES_MAX];
  struct weir_range ports[WEIR_PREFIXES_MAX];
};
WEIR_ASSERT_SIZE(struct weir_refusal, 36 + 64 + 32 + 160 + 32);

/* A call, as it is judged. */
struct weir_call {
  weir_u64 netns;          /* Cookie. */
  weir_u32 at, protocol, port;
  weir_u32 begins;         /* At WEIR_AT_PACKET: it would open a TCP connection. */
  weir_u8 address_be[16];  /* The destination, or where it is to be bound; IPv4 as ::ffff:a.b.c.d. */
};
WEIR_ASSERT_SIZE(struct weir_call, 40);

/* What was refused. */
struct weir_refused {
  weir_u64 at_ns;          /* CLOCK_MONOTONIC. */
  struct weir_owner owner;
  struct weir_ends ends;   /* `remote` is the destination of the call; for bind, `local` what was asked for. */
  weir_u32 rule, call;
};
WEIR_ASSERT_SIZE(struct weir_refused, 96);

enum weir_who_counter {
  WEIR_WHO_EXECS, WEIR_WHO_FORKS, WEIR_WHO_EXITS, WEIR_WHO_REFUSED,
  WEIR_WHO_IMAGES_FULL, WEIR_WHO_TASKS_FULL, WEIR_WHO_SOCKETS_FULL, WEIR_WHO_EVENTS_FULL,
  WEIR_WHO_COUNTERS,
};

/* Set by user space: the program's .bss. */
struct weir_who_config {
  weir_u64 netns;          /* Cookie of the network namespace of the datapath. */
  weir_u32 refusals;       /* How many there are. */
  weir_u32 generation;     /* Of them, from 1. */
  weir_u32 packets;        /* Some of them refuse frames of packet sockets. */
  weir_u32 zero;
};
WEIR_ASSERT_SIZE(struct weir_who_config, 24);
