// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the benchmarks run on: a capture's frames with bytes of their own, over and over, each turn later; and the makings of each
// step, taken out beforehand so that the step can be measured alone.

#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "datapath/capture/capture_reader.h"
#include "state/flow_table.h"
#include "wire/wire.h"

namespace weir::bench {

struct Segment {
  std::uint32_t stream = 0;
  std::uint32_t sequence = 0, acknowledges = 0;
  std::uint32_t other = 0;  ///< The stream of the other direction, which the segment acknowledges.
  Bytes payload;
  bool begins = false;  ///< SYN.
};

/// The first payload of a flow.
struct Beginning {
  state::FlowKey key;
  Bytes payload;
  const Frame* frame = nullptr;
};

struct Traffic {
  std::vector<std::vector<std::uint8_t>> bytes;
  std::vector<Frame> frames;
  std::vector<state::FlowKey> keys;
  std::vector<Segment> segments;
  std::uint32_t streams = 0;
  std::vector<Beginning> beginnings;

  bool load(const std::string& path, std::size_t frames_min) {
    auto reader = datapath::CaptureReader::open(path);
    if (!reader) return std::fprintf(stderr, "steps_bench: %s\n", reader.error().message.c_str()), false;
    Frame batch[64];
    std::vector<Frame> once;
    while (const std::size_t n = reader->next(batch))
      for (std::size_t i = 0; i < n; ++i) {
        bytes.emplace_back(batch[i].bytes.begin(), batch[i].bytes.end());
        once.push_back(batch[i]);
      }
    if (once.empty()) return std::fprintf(stderr, "steps_bench: no frames in %s\n", path.c_str()), false;
    for (std::size_t i = 0; i < once.size(); ++i) once[i].bytes = bytes[i];
    const Nanoseconds span = once.back().time.mono_ns - once.front().time.mono_ns + 2 * kHour;
    for (Nanoseconds turn = 0; frames.size() < frames_min; ++turn)
      for (Frame frame : once) {
        frame.number = frames.size() + 1;
        frame.time.mono_ns += turn * span;
        frame.time.wall_ns += turn * span;
        frames.push_back(frame);
      }
    take_apart(once.size());
    return true;
  }

 private:
  using Ends = std::array<std::uint8_t, 37>;
  static Ends ends_of(const IpLayer& l, bool back) {
    Ends out{};
    const Ip &a = back ? l.dst : l.src, &b = back ? l.src : l.dst;
    const std::uint16_t ports[] = {back ? l.dst_port : l.src_port, back ? l.src_port : l.dst_port};
    std::memcpy(out.data(), a.bytes.data(), 16);
    std::memcpy(out.data() + 16, b.bytes.data(), 16);
    std::memcpy(out.data() + 32, ports, 4);
    out[36] = l.protocol;
    return out;
  }
  void take_apart(std::size_t once) {
    std::map<Ends, std::uint32_t> numbers;
    std::map<Ends, bool> begun;
    Packet packet;
    for (std::size_t i = 0; i < frames.size(); ++i) {
      const Frame& frame = frames[i];
      wire::parse(frame, packet);
      if (i % once == 0) numbers.clear(), begun.clear();  // Each turn has streams and flows of its own.
      if (packet.layers_count == 0) continue;
      const IpLayer& l = packet.layers[0];
      keys.push_back({l.src, l.dst, l.src_port, l.dst_port, l.protocol, 0});
      const Ends ends = ends_of(l, false), back = ends_of(l, true);
      const Bytes payload = packet.payload(l);
      if ((l.is_tcp() || l.is_udp()) && !payload.empty() && !begun[ends] && !begun[back]) {
        begun[ends] = true;
        beginnings.push_back({keys.back(), payload, &frame});
      }
      if (!l.is_tcp()) continue;
      const auto number = [&](const Ends& key) {
        return numbers.emplace(key, static_cast<std::uint32_t>(streams)).second ? streams++ : numbers[key];
      };
      Segment segment{number(ends), l.tcp_seq, l.tcp_ack, 0, payload, (l.tcp_flags & tcp_flag::kSyn) != 0};
      segment.other = number(back);
      segments.push_back(segment);
    }
  }
};

}  // namespace weir::bench
