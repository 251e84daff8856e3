// SPDX-License-Identifier: Apache-2.0
// A proposal as the text of a policy, each rule with what it was seen to cover.

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <set>
#include <tuple>

#include "base/text.h"
#include "cli/control_client.h"
#include "cli/learn/proposal.h"
#include "facts/field_ids.h"
#include "report/json.h"

namespace weir::cli {
namespace {

std::string json(std::string_view text) {
  fmt::memory_buffer out;
  report::append_quoted(out, text);
  return {out.data(), out.size()};
}

/// A word of YAML as it is where nobody could take it for anything else.
std::string word(const std::string& text) {
  return (is_alpha(text.front()) || text.front() == '.') && text.find('.') != std::string::npos ? text : json(text);
}

std::string written(const Prefix& p) {
  const std::string text = p.length == 128 ? render(p.network) : render(p);
  return p.network.is_v4() ? text : json(text);
}

std::string protocol_word(std::uint8_t number) {
  for (const Word& w : engine::vocabulary().field(field::kIpProtocol)->words)
    if (w.value == number) return std::string(w.name);
  return std::to_string(number);
}

std::string icmp_word(int type) {
  for (const Word& w : engine::vocabulary().field(field::kIcmpType)->words)
    if (w.value == static_cast<std::uint64_t>(type)) return std::string(w.name);
  return std::to_string(type & 0xff);
}

template <typename T, typename F>
std::string list(const std::vector<T>& values, const F& text) {
  if (values.size() == 1) return text(values[0]);
  std::string out = "[";
  for (const T& v : values) out += (out.size() > 1 ? ", " : "") + text(v);
  return out + "]";
}

std::string match_of(const Proposal& p) {
  std::string out;
  const auto put = [&out](const std::string& key, const std::string& value) { out += (out.empty() ? "" : ", ") + key + ": " + value; };
  if (!p.process.empty()) {
    const bool pattern = p.process.find_first_of("*?") != std::string::npos;
    put("process.path", pattern ? "{ exact: " + json(p.process) + " }" : json(p.process));
  }
  if (!p.from.empty()) put("from", list(p.from, written));
  if (!p.to.empty()) put("to", list(p.to, written));
  if (!p.names.empty()) put("server.name", list(p.names, word));
  if (p.app != kNoApp) put("app.protocol", std::string(engine::vocabulary().app(p.app).name));
  put("ip.protocol", protocol_word(p.protocol));
  const auto range = [](const PortRange& r) { return r.first == r.last ? std::to_string(r.first) : fmt::format("{}-{}", r.first, r.last); };
  if (!p.ports.empty()) put(p.reversed ? "client.port" : "port", list(p.ports, range));
  if (!p.icmp_types.empty()) put("icmp.type", list(p.icmp_types, icmp_word));
  return out;
}

/// `firefox-tls-example.org-443`.
std::string name_of(const Proposal& p) {
  std::string name;
  const auto put = [&name](std::string_view part) {
    if (!name.empty()) name += '-';
    for (const char c : part) name += is_alpha(c) || is_digit(c) || c == '.' ? to_lower(c) : '-';
  };
  if (!p.process.empty()) put(std::string_view(p.process).substr(p.process.rfind('/') + 1));
  put(p.app != kNoApp ? std::string(engine::vocabulary().app(p.app).name) : protocol_word(p.protocol));
  if (!p.names.empty()) put(std::string_view(p.names[0]).substr(p.names[0].starts_with('.') ? 1 : 0));
  else if (!p.icmp_types.empty()) put(icmp_word(p.icmp_types.back()));
  if (p.ports.size() == 1 && p.ports[0].first == p.ports[0].last) put(std::to_string(p.ports[0].first));
  if (p.reversed) put("back");
  if (name.size() > 80) name.resize(80);
  return name;
}

std::string ends_text(const FlowEnds& e) {
  const auto end = [](const Ip& ip, std::uint16_t port) {
    if (port == 0) return render(ip);
    return ip.is_v4() ? fmt::format("{}:{}", render(ip), port) : fmt::format("[{}]:{}", render(ip), port);
  };
  return end(e.client, e.client_port) + " > " + end(e.server, e.server_port) + " " + protocol_word(e.protocol);
}

std::string plural(std::uint64_t count, std::string_view one) { return grouped(count) + " " + std::string(one) + (count == 1 ? "" : "s"); }

}  // namespace

std::string utc(Nanoseconds wall_ns) {
  const std::time_t seconds = wall_ns / kSecond;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

std::string render(std::span<const Proposal> proposals, const Heading& heading) {
  std::string out;
  for (const std::string& line : heading.lines) out += "# " + line + "\n";
  out += "weir: 1\n";
  if (!heading.included) out += "default: drop\n";
  if (proposals.empty()) return out + "rules: []\n";
  out += "rules:\n";
  struct Line {
    std::string name, match;
    const Proposal* of;
  };
  std::vector<Line> lines;
  for (const Proposal& p : proposals) lines.push_back({name_of(p), match_of(p), &p});
  std::sort(lines.begin(), lines.end(), [](const Line& a, const Line& b) { return std::tie(a.of->process, a.name, a.match) < std::tie(b.of->process, b.name, b.match); });
  std::set<std::string> taken;
  for (const Line& line : lines) {
    const Proposal& p = *line.of;
    const Tally& t = p.tally;
    std::string name = line.name;
    for (std::size_t n = 2; !taken.insert(name).second; ++n) name = line.name + "-" + std::to_string(n);
    out += fmt::format("  # {}, {}, {}; {} to {}\n  # such as {}\n", plural(t.flows, "flow"), plural(t.packets, "packet"), plural(t.bytes, "byte"),
                       utc(t.first_wall_ns), utc(t.last_wall_ns), ends_text(t.example));
    out += "  - { name: " + json(name) + (p.process.empty() ? "" : ", on: [host]") + ", match: { " + line.match + " }, action: allow }\n";
  }
  return out;
}

}  // namespace weir::cli
