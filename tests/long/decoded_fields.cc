// SPDX-License-Identifier: Apache-2.0
// decoded_fields CAPTURE: what the engine reads in a capture, one line a thing, for agree_with_tshark to compare. Nothing is judged: the policy
// has no rules, and all facts that are compared are asked for as reports ask for them.
//
//   P FRAME [4|6 SRC DST]… | [PROTOCOL SPORT DPORT]…       addresses of each IP layer and of what an ICMP error quotes; then ports
//   T FRAME PROTOCOL CLIENT CPORT SERVER SPORT PARSER name=value…   a transaction, or what a hello says of its flow
//
// Items stand between tabs. In values a byte that is not printable ASCII is written \xHH, a backslash twice.

#include <cstdio>
#include <memory>
#include <string>

#include "datapath/capture/capture_reader.h"
#include "engine/engine.h"
#include "policy/document.h"
#include "wire/wire.h"

namespace weir {
namespace {

constexpr std::string_view kCompared[] = {"dns.qname", "dns.response", "nbns.name", "tls.sni", "http.host", "http.uri", "http.method", "http.version", "smb.share", "smb.command"};

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    char hex[8];
    if (c == '\\') out += "\\\\";
    else if (byte >= 0x20 && byte < 0x7f) out += c;
    else std::snprintf(hex, sizeof hex, "\\x%02x", byte), out += hex;
  }
  return out;
}

std::string written(const FieldRow& row, const Value& value) {
  switch (row.type) {
    case FieldType::Text:
    case FieldType::TextFold:
    case FieldType::Domain: return escaped(value.text());
    case FieldType::Boolean: return value.number() != 0 ? "true" : "false";
    default: break;
  }
  for (const Word& word : row.words)
    if (word.value == value.number()) return std::string(word.name);
  return std::to_string(value.number());
}

void print_headers(const Frame& frame) {
  Packet packet;
  wire::parse(frame, packet);
  std::string addresses, ports;
  const auto port = [&](std::uint8_t protocol, std::uint16_t src, std::uint16_t dst) {
    ports += "\t" + std::to_string(protocol) + " " + std::to_string(src) + " " + std::to_string(dst);
  };
  for (std::size_t i = 0; i < packet.layers_count; ++i) {
    const IpLayer& l = packet.layers[i];
    if (l.version == 0) continue;
    addresses += "\t" + std::to_string(l.version) + " " + render(l.src) + " " + render(l.dst);
    if (l.has_transport && (l.protocol == ip_protocol::kTcp || l.protocol == ip_protocol::kUdp || l.protocol == ip_protocol::kSctp)) port(l.protocol, l.src_port, l.dst_port);
    if (!l.has_quoted) continue;
    addresses += "\tq" + std::to_string(l.quoted_src.is_v4() ? 4 : 6) + " " + render(l.quoted_src) + " " + render(l.quoted_dst);
    if (l.quoted_src_port != 0 || l.quoted_dst_port != 0) port(l.quoted_protocol, l.quoted_src_port, l.quoted_dst_port);
  }
  std::printf("P\t%llu%s\t|%s\n", static_cast<unsigned long long>(frame.number), addresses.c_str(), ports.c_str());
}

class Printer final : public engine::EventSink {
 public:
  void on_alert(const engine::AlertRecord&) override {}
  void on_flow(const engine::FlowRecord&) override {}
  void on_released(const Decision&) override {}
  void on_transaction(const View& view, std::uint64_t) override {
    if (view.flow == nullptr || view.facts == nullptr || view.packet == nullptr) return;
    std::string facts;
    for (const std::string_view name : kCompared) {
      const FieldRow& row = *engine::vocabulary().field(name);
      if (!may_come(view, row.id)) continue;
      if (view.facts->state(row.id) == FactState::Hidden) facts += "\t" + std::string(name) + "=(hidden)";
      view.facts->any_value(row.id, [&](const Value& v) {
        facts += "\t" + std::string(name) + "=" + written(row, v);
        return false;
      });
    }
    if (facts.empty()) return;
    const FlowEnds& e = view.flow->ends;
    std::printf("T\t%llu\t%d\t%s\t%d\t%s\t%d\t%s%s\n", static_cast<unsigned long long>(view.packet->frame->number), e.protocol, render(e.client).c_str(), e.client_port,
                render(e.server).c_str(), e.server_port, std::string(engine::vocabulary().app(view.parser).name).c_str(), facts.c_str());
  }
};

int run(const char* path) {
  policy::Loaded loaded = policy::load_policy_text("none", "weir: 1\nrules: []\n", engine::vocabulary());
  const auto rules = std::make_shared<policy::RuleSet>(std::make_shared<policy::Policy>(std::move(*loaded.policy)), engine::vocabulary());
  Printer printer;
  engine::EngineOptions options;
  options.checksums = engine::Checksums::Ignore;
  options.flows_max = 1 << 16;
  for (const std::string_view name : kCompared) options.event_fields.set(engine::vocabulary().field(name)->id);
  engine::Engine engine(options, rules, printer);
  auto reader = datapath::CaptureReader::open(path, {});
  if (!reader) {
    std::fprintf(stderr, "%s\n", reader.error().message.c_str());
    return 2;
  }
  Frame frame;
  Decision decision;
  while (reader->next({&frame, 1}) == 1) {
    print_headers(frame);
    engine.on_frames({&frame, 1}, {&decision, 1});
  }
  engine.finish();
  std::printf("E\t%s\n", reader->fault() != nullptr ? "broken" : "whole");
  return 0;
}

}  // namespace
}  // namespace weir

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: decoded_fields CAPTURE\n");
    return 2;
  }
  return weir::run(argv[1]);
}
