// SPDX-License-Identifier: Apache-2.0
// weir capture: frames of the running filter that a filter in the language of rules selects, as pcapng, each with its verdict as comment.

#include <CLI/CLI.hpp>
#include <cstdio>

#include "cli/control_client.h"
#include "datapath/capture/comment_writer.h"

namespace weir::cli {
namespace {

using nlohmann::json;

struct Options {
  Spoken spoken;
  std::string out = "-", match = "{}", seconds = "60s";
  std::uint64_t count = 10000;
};

/// RFC 4648, section 4. Nothing if it is no base64.
std::optional<std::string> from_base64(const std::string& text) {
  std::string out;
  std::uint32_t group = 0;
  unsigned bits = 0;
  for (const char c : text) {
    if (c == '=') break;
    const int digit = c >= 'A' && c <= 'Z' ? c - 'A' : c >= 'a' && c <= 'z' ? c - 'a' + 26 : c >= '0' && c <= '9' ? c - '0' + 52 : c == '+' ? 62 : c == '/' ? 63 : -1;
    if (digit < 0) return std::nullopt;
    group = group << 6 | static_cast<std::uint32_t>(digit);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    out += static_cast<char>(group >> bits & 0xff);
  }
  return out;
}

/// "drop by no-smb (rule), smb": what a person reads beside the packet.
std::string comment_of(const json& packet) {
  std::string text = packet.value("verdict", std::string());
  if (packet.contains("rule")) text += " by " + packet.value("rule", std::string());
  if (packet.contains("reason")) text += " (" + packet.value("reason", std::string()) + ")";
  if (const std::string app = packet.value("app_proto", std::string()); app != "unknown") text += ", " + app;
  return text + ", frame " + std::to_string(packet.value("number", std::uint64_t{0}));
}

LinkType link_of(const std::string& name) {
  constexpr std::string_view kNames[] = {"ethernet", "raw-ip", "null", "sll", "sll2", "cisco-hdlc", "ppi"};
  const auto* const found = std::find(std::begin(kNames), std::end(kNames), name);
  return found == std::end(kNames) ? LinkType::Ethernet : static_cast<LinkType>(found - std::begin(kNames));
}

int capture(const Options& options) {
  const auto seconds = seconds_of(options.seconds);
  if (!seconds) {
    complain("--for takes a time such as 30s or 5m");
    return kWrong;
  }
  std::FILE* const file = options.out == "-" ? stdout : std::fopen(options.out.c_str(), "wb");
  if (file == nullptr) {
    complain("cannot write " + options.out);
    return kRefused;
  }
  datapath::CommentWriter writer([file](Bytes bytes) { return std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size() && std::fflush(file) == 0; });
  bool written = true;
  json result;
  const json request = {{"verb", "capture"}, {"match", options.match}, {"seconds", *seconds}, {"count", options.count}};
  const int code = ask_filter(options.spoken, request, result, [&](const std::string& kind, const json& packet, const std::string&) {
    if (kind != "packet") return true;
    const auto bytes = from_base64(packet.value("bytes", std::string()));
    if (!bytes) return true;
    Frame frame;
    frame.bytes = {reinterpret_cast<const std::uint8_t*>(bytes->data()), bytes->size()};
    frame.wire_bytes = packet.value("wire_bytes", std::uint32_t{0});
    frame.link = link_of(packet.value("link", std::string()));
    frame.time.wall_ns = packet.value("time_ns", std::int64_t{0});
    written = writer.write(frame, packet.value("port", std::string()), comment_of(packet));
    return written;
  });
  if (file != stdout && std::fclose(file) != 0) written = false;
  if (!written) {
    complain("cannot write " + (options.out == "-" ? "standard output" : options.out));
    return kRefused;
  }
  if (code != kDone) return code;
  if (options.spoken.json && options.out != "-") std::printf("%s\n", result.dump().c_str());
  else
    std::fprintf(stderr, "%s packets%s\n", grouped(result.value("packets", std::uint64_t{0})).c_str(),
                 result.value("missed", std::uint64_t{0}) != 0 ? (", " + grouped(result.value("missed", std::uint64_t{0})) + " missed").c_str() : "");
  return kDone;
}

}  // namespace

std::function<int()> add_capture(CLI::App& app) {
  auto o = std::make_shared<Options>();
  add_spoken_options(app, o->spoken);
  app.add_option("FILE", o->out, "where to write the pcapng; - is standard output")->capture_default_str();
  app.add_option("--match", o->match, "which frames: a map as `match:` of a rule takes it, with the policy's zones and sets")->capture_default_str();
  app.add_option("--count", o->count, "at most so many frames")->check(CLI::Range(1, 1000000))->capture_default_str();
  app.add_option("--for", o->seconds, "at most so long")->capture_default_str();
  app.footer("Examples:\n"
             "  weir capture stopped.pcapng --match '{ from: inside, app.protocol: smb }' --for 5m\n"
             "  weir capture --match '{ port: 53 }' --count 100 | tshark -r - -T fields -e frame.comment -e dns.qry.name\n\n"
             "Each packet's comment says its verdict and the rule. A fact is asked as it stands when the packet passes: what only a later\n"
             "packet tells is not known yet.");
  return [o] { return capture(*o); };
}

}  // namespace weir::cli
