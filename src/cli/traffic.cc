// SPDX-License-Identifier: Apache-2.0
#include "cli/traffic.h"

#include <algorithm>

#include "datapath/capture/capture_reader.h"
#include "wire/wire.h"

namespace weir::cli {
namespace {

/// 2024-01-01T00:00:00Z: conversations have no date of their own.
constexpr Nanoseconds kConvoBegins = 1'704'067'200 * kSecond;

std::string end_text(const Ip& ip, std::uint16_t port) {
  const std::string address = render(ip);
  if (port == 0) return address;
  return (ip.is_v4() ? address : "[" + address + "]") + ":" + std::to_string(port);
}

}  // namespace

PortIndex port_of(const policy::Policy& policy, std::string_view name) {
  const auto found = std::find(policy.port_names.begin(), policy.port_names.end(), name);
  return found == policy.port_names.end() ? kNoPort : static_cast<PortIndex>(found - policy.port_names.begin());
}

std::string ends_of(const Frame& frame) {
  Packet packet;
  wire::parse(frame, packet);
  if (packet.has_arp) {
    return std::string("arp ") +
           (packet.arp.op == 1   ? "request"
            : packet.arp.op == 2 ? "reply"
                                 : "message") +
           ", " + render(packet.arp.sender_ip) + " (" + render(packet.arp.sender_mac) + ") about " + render(packet.arp.target_ip);
  }
  if (packet.layers_count == 0)
    return packet.has_eth ? render(packet.eth_src) + " > " + render(packet.eth_dst) : "a frame without IP";
  const IpLayer& l = packet.inner();
  const std::string_view protocol = l.protocol == ip_protocol::kTcp      ? "tcp"
                                    : l.protocol == ip_protocol::kUdp    ? "udp"
                                    : l.protocol == ip_protocol::kIcmp   ? "icmp"
                                    : l.protocol == ip_protocol::kIcmpv6 ? "icmpv6"
                                                                         : "";
  return end_text(l.src, l.src_port) + " > " + end_text(l.dst, l.dst_port) + " " +
         (protocol.empty() ? "protocol " + std::to_string(l.protocol) : std::string(protocol));
}

Traffic Traffic::of_convo(Convo convo, const policy::Policy& policy) {
  Traffic traffic;
  traffic.convo_ = std::move(convo);
  traffic.policy_ = &policy;
  for (const Step& step : traffic.convo_.steps)
    traffic.ports_.push_back(step.port.empty() ? kNoPort : port_of(policy, step.port));
  return traffic;
}

Traffic Traffic::of_capture(std::string path, const policy::Policy& policy) {
  Traffic traffic;
  traffic.path_ = std::move(path);
  traffic.policy_ = &policy;
  return traffic;
}

const Step* Traffic::step(std::uint64_t number) const {
  return is_convo() && number >= 1 && number <= convo_.steps.size() ? &convo_.steps[number - 1] : nullptr;
}

Result<std::uint64_t> Traffic::each(const std::function<bool(const Frame&)>& call) const {
  std::uint64_t count = 0;
  if (is_convo()) {
    for (const Step& step : convo_.steps) {
      Frame frame;
      frame.bytes = as_bytes(step.frame);
      frame.wire_bytes = static_cast<std::uint32_t>(step.frame.size());
      frame.port = ports_[count];
      frame.number = ++count;
      if (step.sender != nullptr) frame.sender = &step.sender->told;
      frame.time = {.mono_ns = datapath::kFirstMono + step.at_ns, .wall_ns = kConvoBegins + step.at_ns};
      if (!call(frame)) break;
    }
    return count;
  }
  datapath::CaptureOptions options;
  options.port_of = [this](std::string_view name) { return port_of(*policy_, name); };
  auto reader = datapath::CaptureReader::open(path_, options);
  if (!reader) return reader.error();
  Frame frames[32];
  while (const std::size_t n = reader->next(frames)) {
    for (std::size_t i = 0; i < n; ++i) {
      ++count;
      if (!call(frames[i])) return count;
    }
  }
  if (const auto* fault = reader->fault()) return Error{fault->message};
  return count;
}

}  // namespace weir::cli
