// SPDX-License-Identifier: Apache-2.0
#pragma once

// Talk: what hosts say to each other, through a Filter. Bytes of a few protocols, written as one says them, and Connection, a TCP
// connection whose segments may be cut, swapped, sent twice or falsified at will:
//
//   Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 80);
//   c.open();
//   EXPECT_EQ(c.client(http_get("evil.example", "/")), "drop bad-host");
//
// Offsets count the bytes of a side's stream from 0; at(offset) is the sequence number.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/kit/filter.h"

namespace weir::kit {

// ---- DNS (RFC 1035)

inline std::string dns_name(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t dot = std::min(text.find('.'), text.size());
    out += static_cast<char>(dot);
    out += text.substr(0, dot);
    text.remove_prefix(std::min(dot + 1, text.size()));
  }
  return out + '\0';
}
inline std::string dns_header(std::uint16_t id, std::uint16_t flags, std::uint16_t answers) {
  return be(id, 2) + be(flags, 2) + be(1, 2) + be(answers, 2) + be(0, 4);
}
inline std::string dns_query(std::string_view name, std::uint16_t id = 1, std::uint16_t type = 1) {
  return dns_header(id, 0x0100, 0) + dns_name(name) + be(type, 2) + be(1, 2);
}
inline std::string dns_answer(std::string_view name, std::string_view address, std::uint16_t id = 1) {
  return dns_header(id, 0x8180, 1) + dns_name(name) + be(1, 2) + be(1, 2) + be(0xc00c, 2) + be(1, 2) + be(1, 2) + be(60, 4) + be(4, 2) +
         bytes_of(ip_of(address), false);
}
inline std::string over_tcp(const std::string& message) { return be(message.size(), 2) + message; }

// ---- HTTP/1

inline std::string http_get(std::string_view host, std::string_view uri) {
  return "GET " + std::string(uri) + " HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n";
}
inline std::string http_ok(std::string_view body = "ok") {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

// ---- TLS: a client's hello with nothing but a name (RFC 8446, 4.1.2; RFC 6066, 3)

inline std::string tls_hello(std::string_view name) {
  const auto sized = [](const std::string& text, std::size_t n) { return be(text.size(), n) + text; };
  const std::string sni = be(0, 2) + sized(sized(be(0, 1) + sized(std::string(name), 2), 2), 2);
  const std::string body = be(0x0303, 2) + std::string(32, 'r') + be(0, 1) + sized(be(0xc02f, 2), 2) + sized(be(0, 1), 1) + sized(sni, 2);
  return be(22, 1) + be(0x0301, 2) + sized(be(1, 1) + sized(body, 3), 2);
}

// ---- SMB 2 ([MS-SMB2] 2.2.3, 2.2.9): numbers little-endian, names UTF-16LE

inline std::string little(std::uint64_t value, std::size_t bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
  return out;
}
inline std::string smb2(unsigned command, const std::string& body, std::uint64_t message, bool answer = false, std::uint64_t tree = 0) {
  const std::string all = "\xfeSMB" + little(64, 2) + little(0, 2) + little(0, 4) + little(command, 2) + little(1, 2) + little(answer ? 1 : 0, 4) +
                          little(0, 4) + little(message, 8) + little(0, 4) + little(tree, 4) + little(0x11, 8) + std::string(16, '\0') + body;
  return be(all.size(), 4) + all;
}
inline std::string smb_negotiate() {
  return smb2(0, little(36, 2) + little(2, 2) + little(1, 2) + little(0, 6) + std::string(24, '\0') + little(0x0202, 2) + little(0x0210, 2), 0);
}
inline std::string smb_negotiated() { return smb2(0, little(65, 2) + little(1, 2) + little(0x0210, 2) + little(0, 2) + std::string(56, '\0'), 0, true); }
inline std::string smb_connect(std::string_view path, std::uint64_t message = 1) {
  std::string wide;
  for (char c : path) wide += std::string(1, c) + '\0';
  return smb2(3, little(9, 2) + little(0, 2) + little(72, 2) + little(wide.size(), 2) + wide, message);
}

// ---- Datagrams

/// A host's datagrams to another, and back.
struct Datagrams {
  Filter& f;
  std::string client = "10.0.0.5";
  std::uint16_t client_port = 40000;
  std::string server = "198.51.100.53";
  std::uint16_t server_port = 53;

  std::string ask(std::string_view payload) { return f.send(Eth() / Ipv4(client, server) / Udp(client_port, server_port) / payload); }
  std::string answer(std::string_view payload) { return f.send(Eth() / Ipv4(server, client) / Udp(server_port, client_port) / payload); }
};

// ---- TCP

class Connection {
 public:
  Connection(Filter& f, std::string_view client, std::uint16_t client_port, std::string_view server, std::uint16_t server_port)
      : f_(&f), ip_{std::string(client), std::string(server)}, port_{client_port, server_port} {}

  /// The three packets of the handshake; the verdict of the last.
  std::string open() {
    syn();
    syn_ack();
    return ack();
  }
  std::string syn() { return send(Side::Client, tcp(Side::Client, -1).flags("S").ack(0)); }
  std::string syn_ack() { return send(Side::Server, tcp(Side::Server, -1).flags("SA")); }
  std::string ack() { return send(Side::Client, tcp(Side::Client, 0)); }

  /// The next bytes of a side, in one segment.
  std::string client(std::string_view text) { return say(Side::Client, text); }
  std::string server(std::string_view text) { return say(Side::Server, text); }
  std::string say(Side side, std::string_view text) {
    const std::int64_t at = next_[index_of(side)];
    next_[index_of(side)] += static_cast<std::int64_t>(text.size());
    return put(side, at, text);
  }
  /// A segment with these bytes at an offset of the side's stream.
  std::string put(Side side, std::int64_t offset, std::string_view text) { return f_->send(segment(side, offset, text)); }
  Layers segment(Side side, std::int64_t offset, std::string_view text) const { return ip(side) / tcp(side, offset).flags("PA") / text; }
  std::string fin(Side side) { return send(side, tcp(side, next_[index_of(side)]++).flags("FA")); }
  std::string rst(Side side) { return send(side, tcp(side, next_[index_of(side)]).flags("R")); }

  /// A header with the right ports and numbers, to be changed: c.send(side, c.tcp(side, 0).flags("R").seq(7), "text").
  Tcp tcp(Side side, std::int64_t offset) const {
    const std::size_t s = index_of(side);
    return Tcp(port_[s], port_[1 - s]).seq(at(side, offset)).ack(at(weir::other(side), next_[1 - s])).flags("A");
  }
  std::string send(Side side, const Tcp& tcp, std::string_view text = {}) { return f_->send(ip(side) / tcp / text); }
  Layers ip(Side side) const { return Eth() / ipv4(side); }
  Ipv4 ipv4(Side side) const { return Ipv4(ip_[index_of(side)], ip_[1 - index_of(side)]); }
  std::uint32_t at(Side side, std::int64_t offset) const { return initial_[index_of(side)] + static_cast<std::uint32_t>(offset); }
  Connection& starts_at(Side side, std::uint32_t first) { return initial_[index_of(side)] = first, *this; }
  Connection& skip(Side side, std::size_t bytes) { return next_[index_of(side)] += static_cast<std::int64_t>(bytes), *this; }
  Filter& filter() { return *f_; }

 private:
  Filter* f_;
  std::string ip_[2];
  std::uint16_t port_[2];
  std::uint32_t initial_[2] = {10'001, 50'001};  ///< Number of the first byte.
  std::int64_t next_[2] = {0, 0};
};

inline std::string plain(std::string_view answer) { return std::string(answer.substr(0, answer.find(' '))); }

}  // namespace weir::kit
