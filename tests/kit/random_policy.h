// SPDX-License-Identifier: Apache-2.0
#pragma once

// Policies at random, over keys of every kind and scope, with values that traffic of every day has: what the oracle and the properties are
// tried on. The same seed gives the same policy.

#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace weir::kit {

class RandomPolicy {
 public:
  explicit RandomPolicy(std::uint32_t seed) : random_(seed) {}

  /// `meters`: with limits and bans, which count.
  std::string yaml(bool meters) {
    std::string out = "weir: 1\nzones: { inside: { networks: [10.0.0.0/8, 192.168.0.0/16, 172.16.0.0/12, 'fd00::/8'] }, lab: { networks: [10.9.0.0/16, 192.168.1.0/24] }, outside: {} }\n"
                      "sets: { nets: { addresses: [10.0.0.0/16, 192.0.2.0/24, 8.8.8.8] }, names: { domains: [.com, example.org, .evil.example] } }\n";
    out += "default: " + std::string(one_of({"allow", "allow", "drop", "reject"})) + "\nundecided: " + std::string(one_of({"hold", "pass"})) + "\n";
    if (chance(4)) out += "essential: false\n";
    if (chance(4)) out += "guards: { tcp-state: { midstream: pick-up }, normalise: true }\n";
    out += "rules:\n";
    const std::size_t count = 1 + pick(12);
    for (std::size_t i = 0; i < count; ++i) {
      out += "  - { name: r" + std::to_string(i) + ", match: { " + conditions(1 + pick(3)) + " }";
      if (chance(4)) {
        out += ", unless: [ { " + conditions(1 + pick(2)) + " }";
        if (chance(3)) out += ", { " + conditions(1) + " }";
        out += " ]";
      }
      if (chance(8)) out += ", mode: monitor";
      if (chance(12)) out += ", expires: " + std::string(one_of({"1999-01-01", "2199-01-01"}));
      out += ", action: " + action(meters) + " }\n";
    }
    return out;
  }

  std::size_t pick(std::size_t n) { return random_() % n; }
  bool chance(std::size_t one_in) { return pick(one_in) == 0; }
  std::string_view one_of(std::initializer_list<std::string_view> choices) { return choices.begin()[pick(choices.size())]; }

 private:
  struct Key {
    std::string_view name;
    std::vector<std::string_view> values;
  };
  static const std::vector<Key>& keys() {
    static const std::vector<Key> all = {
        {"from", {"inside", "outside", "lab", "'@nets'", "10.0.0.0/8", "192.168.1.10/32", "[ 10.9.0.0/16, 'fd00::/8' ]"}},
        {"to", {"inside", "outside", "lab", "'@nets'", "10.0.0.0/8", "198.51.100.0/24", "'2001:db8::/32'"}},
        {"peer", {"'@nets'", "inside", "10.0.0.5/32"}},
        {"client.ip", {"10.0.0.0/24", "192.168.0.0/16"}},
        {"server.ip", {"198.51.100.53/32", "192.168.0.0/16"}},
        {"http.body_bytes", {"0", "1-", "-100", "[ 10-20, 1000- ]"}},
        {"src.ip", {"10.0.0.0/8", "'@nets'"}},
        {"port", {"53", "80", "443", "1-1023", "[ 445, 139 ]", "1024-65535"}},
        {"client.port", {"1024-65535", "53", "40000"}},
        {"dst.port", {"53", "40000-50000"}},
        {"ip.protocol", {"tcp", "udp", "[ tcp, udp ]", "icmp", "ah", "gre"}},
        {"ip.version", {"4", "6"}},
        {"ip.ttl", {"1-32", "64", "128"}},
        {"ip.length", {"1-100", "1000-"}},
        {"ip.fragment", {"no", "[ first, later ]"}},
        {"tcp.flags", {"S", "SA", "[ FA, RA ]"}},
        {"tcp.flags.any", {"[ S, R ]", "P"}},
        {"icmp.type", {"echo-request", "unreachable"}},
        {"flow.state", {"new", "established", "[ new, invalid ]", "related"}},
        {"flow.packets", {"1-3", "4-"}},
        {"flow.bytes_toclient", {"1000-"}},
        {"udp.solicited", {"false"}},
        {"flaw", {"bad-checksum", "[ conflict, bad-flags ]", "truncated"}},
        {"app.protocol", {"dns", "tls", "[ http, tls ]", "smb", "unknown", "[ ssh, ftp, smtp ]", "absent", "hidden", "present"}},
        {"app.confirmed", {"true"}},
        {"app.on_standard_port", {"true", "false"}},
        {"tls.sni", {"'@names'", ".com", "www.example.com", "absent", "present", "hidden", "'*.org'"}},
        {"tls.version_offered", {"'1.2'", "'1.3'"}},
        {"tls.alpn", {"h2", "absent"}},
        {"dns.qname", {"'@names'", ".example", "present", "'*ads*'"}},
        {"dns.qtype", {"A", "[ TXT, AAAA ]"}},
        {"dns.rcode", {"nxdomain", "noerror"}},
        {"http.host", {"'@names'", "'*.com'", "absent"}},
        {"http.uri", {"/", "'/*'", "'*evil*'"}},
        {"http.method", {"GET", "[ POST, PUT ]"}},
        {"http.user_agent", {"'*curl*'", "absent", "present"}},
        {"http.status", {"200", "400-599"}},
        {"smb.share", {"'ipc$'", "absent"}},
        {"smb.command", {"present"}},
        {"server.name", {"'@names'", ".com", "absent"}},
        {"payload.entropy", {"7-8", "0-4"}},
        {"vlan.id", {"5", "1-100", "absent"}},
        {"eth.type", {"arp", "ipv4"}},
    };
    return all;
  }
  std::string conditions(std::size_t count) {
    std::string out;
    std::vector<std::size_t> used;
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t k = pick(keys().size());
      if (std::find(used.begin(), used.end(), k) != used.end()) continue;
      used.push_back(k);
      const Key& key = keys()[k];
      const std::string_view value = key.values[pick(key.values.size())];
      const bool word = value == "absent" || value == "present" || value == "hidden";
      if (!out.empty()) out += ", ";
      out += (!word && chance(4) ? "not." : "") + std::string(key.name) + ": " + std::string(value);
    }
    return out;
  }
  std::string action(bool meters) {
    if (meters && chance(4))
      return std::string(one_of({"{ limit: { rate: 5 packets/s, per: from } }", "{ limit: { rate: 5 flows/s, per: from, over: alert } }",
                                 "{ limit: { rate: 2 requests/s, per: to, over: reject } }", "{ ban: source, for: 1m }", "{ ban: port, for: 1m, after: 3 }"}));
    return std::string(one_of({"allow", "allow", "drop", "drop", "reject", "alert"}));
  }

  std::mt19937 random_;
};

}  // namespace weir::kit
