// SPDX-License-Identifier: Apache-2.0
#include "cli/assert/example_flows.h"

#include <algorithm>

#include "base/check.h"
#include "cli/trial.h"
#include "facts/field_ids.h"

namespace weir::cli {
namespace {

constexpr std::size_t kWordsMax = 8, kFlowsOfAnEngine = 64;

/// What a protocol's client says first; `server` before it where that side begins. `%n` is a name, `%p` a path.
struct Sample {
  std::string_view app;
  bool tcp;
  std::string_view server, client;
};
// clang-format off
constexpr Sample kSamples[] = {
    {"unknown", true, "", "@unknown"},
    {"unknown", false, "", "hex:e9e9e9e9e9e9e9e9e9e9e9e9e9e9e9e9e9e9e9e9"},
    {"dns", false, "", "dns? A %n"},
    {"dns", true, "", "dns? A %n"},
    {"http", true, "", "http? GET %p %n"},
    {"http", true, "", "http? POST %p %n"},
    {"tls", true, "", "tls-hello %n"},
    {"smb", true, "", "smb-negotiate"},
    {"ssh", true, "\"SSH-2.0-OpenSSH_9.2\\r\\n\"", "\"SSH-2.0-OpenSSH_9.2\\r\\n\""},
    {"smtp", true, "\"220 mail.example ESMTP\\r\\n\"", "\"EHLO client.example\\r\\n\""},
    {"ftp", true, "\"220 FTP server ready.\\r\\n\"", "\"USER anonymous\\r\\n\""},
    {"rdp", true, "", "hex:030000130ee000000000000100080003000000"},
    {"ntp", false, "", "hex:230000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000001"},
    {"snmp", false, "", "snmp-get public 1.3.6.1.2.1.1.1.0"},
    {"tftp", false, "", "tftp-read startup-config"},
};
// clang-format on

std::string with(std::string text, std::string_view mark, const std::string& value) {
  for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + value.size()))
    text.replace(at, mark.size(), value);
  return text;
}

/// Bytes that begin no protocol, more than a stream is read for one.
std::string unknown_bytes() {
  std::string out = "hex:";
  for (int i = 0; i < 1200; ++i) out += "e9";
  return out;
}

void add_word(std::vector<std::string>& words, const std::string& word) {
  if (words.size() < kWordsMax && std::find(words.begin(), words.end(), word) == words.end()) words.push_back(word);
}

/// A host's name that a value such as `.example.org` or `*.example.org` means; empty for what is none.
std::string name_from(std::string value) {
  if (value.starts_with("*.")) value.erase(0, 1);
  if (value.starts_with(".")) value = "www" + value;
  const bool plain =
      !value.empty() &&
      value.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._") == std::string::npos;
  return plain && value.find('.') != std::string::npos ? value : std::string();
}

}  // namespace

ExampleWords ExampleWords::of(std::span<const policy::RuleSet* const> rules) {
  ExampleWords out{{"www.some-name.example"}, {"/"}};
  const auto take = [&](const policy::AllOf& all, const Vocabulary& words) {
    for (const policy::Condition& c : all) {
      const FieldRow& row = *words.field(c.field);
      for (const std::string& value : c.values.written) {
        if (row.type == FieldType::Domain)
          if (const std::string name = name_from(value); !name.empty()) add_word(out.names, name);
        if ((row.name == "http.path" || row.name == "http.uri") && value.starts_with("/") &&
            value.find_first_of("*? \"#\\%") == std::string::npos && !value.ends_with("/"))
          add_word(out.paths, value);
      }
    }
  };
  for (const policy::RuleSet* set : rules)
    for (const policy::Rule& rule : set->policy().rules) {
      take(rule.match, set->vocabulary());
      for (const policy::AllOf& all : rule.unless) take(all, set->vocabulary());
    }
  return out;
}

std::vector<ExampleFlow> example_flows(const Ip& from, const Ip& to, const TrafficClass& traffic, const ExampleWords& words) {
  std::vector<ExampleFlow> out;
  if (traffic.has_ports() && traffic.port() == 0) return out;  // No conversation goes there.
  const bool tcp = traffic.protocol == ip_protocol::kTcp;
  if (!tcp && traffic.protocol != ip_protocol::kUdp) {
    const std::string line = packet_text(from, to, traffic);
    return {{"", line, line + "\n"}};
  }
  const auto end = [](const Ip& ip, std::uint16_t port) {
    return (ip.is_v4() ? render(ip) : "[" + render(ip) + "]") + ":" + std::to_string(port);
  };
  const std::string client = end(from, traffic.client_port), server = end(to, traffic.port());
  const std::string there = client + " > " + server + (tcp ? " tcp " : " udp "), back = server + " > " + client + " tcp ";
  for (const Sample& sample : kSamples) {
    if (sample.tcp != tcp) continue;
    const bool named = sample.client.find("%n") != std::string_view::npos,
               pathed = sample.client.find("%p") != std::string_view::npos;
    for (std::size_t n = 0; n < (named ? words.names.size() : 1); ++n)
      for (std::size_t p = 0; p < (pathed ? words.paths.size() : 1); ++p) {
        std::string said(sample.client);
        if (named) said = with(said, "%n", words.names[n]);
        if (pathed) said = with(said, "%p", words.paths[p]);
        ExampleFlow flow{sample.app, there + (said == "@unknown" ? "bytes of no known protocol" : said), {}};
        if (tcp) flow.lines += there + "open\n";
        if (!sample.server.empty()) flow.lines += back + std::string(sample.server) + "\n";
        flow.lines += there + (said == "@unknown" ? unknown_bytes() : said) + "\n";
        if (parse_convo(flow.lines).mistakes.empty()) out.push_back(std::move(flow));  // A name may be none that can be asked.
      }
  }
  return out;
}

std::vector<ExampleFate> try_flows(const std::shared_ptr<const policy::RuleSet>& rules, std::span<const ExampleFlow> flows) {
  std::vector<ExampleFate> out;
  for (const ExampleFlow& flow : flows) {
    Convo convo = parse_convo(flow.lines);
    CHECK(convo.mistakes.empty() && !convo.steps.empty());  // They are ours.
    ExampleFate fate;
    const Trial trial = run_trial(rules, Traffic::of_convo(std::move(convo), rules->policy()), 0, nullptr, kFlowsOfAnEngine);
    for (const Answer& answer : trial.answers) {
      fate.rule = answer.rule;
      if (answer.verdict == Verdict::Pass) continue;
      fate.passed = false;
      break;
    }
    out.push_back(fate);
  }
  return out;
}

}  // namespace weir::cli
