/* SPDX-License-Identifier: Apache-2.0 */

/* What `make bench-live` needs around the bridge: a generator, a sink, and the floor to compare with. None of it is part of the product. */

#include "bpf/cursor.h"

volatile struct {
  __u32 out, flows, at, salt;
  __u32 shift; /* So many flows (as a power of two) have one client address. */
} bench_config;

struct {
  __uint(type, BPF_MAP_TYPE_DEVMAP);
  __uint(max_entries, 2);
  __type(key, __u32);
  __type(value, __u32);
} bench_ports SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, __u64);
} bench_sunk SEC(".maps");

struct bench_frame {
  struct weir_ethernet ethernet;
  struct weir_ipv4 ip;
  struct weir_udp_header udp;
} __attribute__((packed));

/* Sends the frame that it is given, each time as one of so many flows, in turn: the client's address and port say which. */
SEC("xdp")
int bench_generator(struct xdp_md *context) {
  struct bench_frame *frame = (void *)(long)context->data;
  __u32 flow;
  if ((void *)(frame + 1) > (void *)(long)context->data_end) return XDP_DROP;
  flow = bench_config.at + 1;
  if (flow >= bench_config.flows) flow = 0;
  bench_config.at = flow;
  frame->ip.source = weir_be32(0x0a000000u + bench_config.salt + (flow >> (bench_config.shift & 31)));
  frame->udp.source = weir_be16((__u16)(1024 + (flow & 0x3fff)));
  return bpf_redirect(bench_config.out, 0);
}

SEC("xdp")
int bench_floor(struct xdp_md *context) {
  (void)context;
  return bpf_redirect_map(&bench_ports, 1, XDP_DROP);
}

SEC("xdp")
int bench_sink(struct xdp_md *context) {
  const __u32 key = 0;
  __u64 *sunk = bpf_map_lookup_elem(&bench_sunk, &key);
  (void)context;
  if (sunk) ++*sunk;
  return XDP_DROP;
}

char bench_license[] SEC("license") = "Apache-2.0";
