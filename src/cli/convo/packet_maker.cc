// SPDX-License-Identifier: Apache-2.0
#include "cli/convo/packet_maker.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "cli/convo/payloads.h"
#include "cli/convo/smb_payloads.h"
#include "facts/packet.h"

namespace weir::cli {
namespace {

using Words = std::span<const LineWord>;

Error unknown_word(std::string_view what, std::string_view word, std::span<const std::string_view> known) {
  std::string message = std::string(what) + " `" + std::string(word) + "` is not known";
  if (const std::string_view near = nearest(word, known); !near.empty())
    return {message + "; was `" + std::string(near) + "` meant?"};
  message += "; there are ";
  for (std::size_t i = 0; i < known.size(); ++i) message += (i == 0 ? "" : ", ") + std::string(known[i]);
  return {message};
}

/// Takes the next word; empty if there is none.
std::string take(Words& words) {
  if (words.empty()) return {};
  std::string text = words.front().text;
  words = words.subspan(1);
  return text;
}

Error left_over(const LineWord& word) { return {"`" + word.text + "` was not expected here"}; }

std::string bytes_of(const Mac& mac) { return {reinterpret_cast<const char*>(mac.bytes.data()), 6}; }
std::string bytes_of_v6(const Ip& ip) { return {reinterpret_cast<const char*>(ip.bytes.data()), 16}; }

std::size_t link_bytes(const Path& path) { return path.vlan ? 18 : 14; }

}  // namespace

PacketEnds PacketEnds::back() const {
  PacketEnds out = *this;
  std::swap(out.path.src, out.path.dst);
  std::swap(out.path.src_mac, out.path.dst_mac);
  std::swap(out.src_port, out.dst_port);
  return out;
}

Result<std::vector<MadePacket>> PacketMaker::make(const PacketEnds& given, std::span<const LineWord> content, bool arrives) {
  PacketEnds ends = given;
  if (ends.path.id == 0) ends.path.id = next_ip_id_++;
  const std::string protocol = take(content);
  constexpr std::array<std::string_view, 5> kProtocols = {"tcp", "udp", "icmp", "arp", "ip"};
  Made made = protocol == "tcp"    ? make_tcp(ends, content, arrives)
              : protocol == "udp"  ? make_udp(ends, content)
              : protocol == "icmp" ? make_icmp(ends, content)
              : protocol == "arp"  ? make_arp(ends, content)
              : protocol == "ip"   ? make_ip(ends, content)
              : protocol.empty()   ? Made(Error{"the content is missing: tcp, udp, icmp, arp or ip and what it says"})
                                   : Made(unknown_word("protocol", protocol, kProtocols));
  if (made)
    for (const MadePacket& packet : *made) remember(packet.back ? ends.back() : ends, packet.frame);
  return made;
}

/// What an ICMP error of the receiver's peers would quote.
void PacketMaker::remember(const PacketEnds& ends, const std::string& frame) {
  const std::size_t skip = link_bytes(ends.path);
  if (frame.size() > skip + 20) last_sent_[ends.path.src] = frame.substr(skip, ends.path.v6() ? 48 : 28);
}

std::string PacketMaker::quote_for(const Ip& receiver) const {
  const auto found = last_sent_.find(receiver);
  return found == last_sent_.end() ? std::string() : found->second;
}

std::uint16_t PacketMaker::question_id(const PacketEnds& ends, bool answer) {
  const EndKey src{ends.path.src, ends.src_port}, dst{ends.path.dst, ends.dst_port};
  if (!answer) return questions_[{src, dst}] = next_question_++;
  const auto found = questions_.find({dst, src});
  return found == questions_.end() ? std::uint16_t{0x0fff} : found->second;
}

/// One TCP segment, numbered as the conversation stands.
std::string PacketMaker::segment(const PacketEnds& ends, std::uint8_t flags, std::string_view payload, std::int64_t seq_offset,
                                 bool arrives) {
  const EndKey src{ends.path.src, ends.src_port}, dst{ends.path.dst, ends.dst_port};
  const bool lower = src < dst;
  const auto key = lower ? std::pair(src, dst) : std::pair(dst, src);
  auto [place, fresh] = streams_.try_emplace(key);
  Stream& stream = place->second;
  if (fresh) {
    const auto n = static_cast<std::uint32_t>(streams_.size());
    stream.next[0] = n * 1'000'000;
    stream.next[1] = n * 1'000'000 + 500'000;
  }
  std::uint32_t& own = stream.next[lower ? 0 : 1];
  TcpHeader header{.src_port = ends.src_port, .dst_port = ends.dst_port, .flags = flags};
  header.seq = own + static_cast<std::uint32_t>(seq_offset);
  if ((flags & tcp_flag::kAck) != 0) header.ack = stream.next[lower ? 1 : 0];
  const bool counts_one = (flags & (tcp_flag::kSyn | tcp_flag::kFin)) != 0;
  const std::uint32_t end = header.seq + static_cast<std::uint32_t>(payload.size()) + (counts_one ? 1 : 0);
  if (arrives && static_cast<std::int32_t>(end - own) > 0 && (flags & tcp_flag::kRst) == 0) own = end;
  return tcp_frame(ends.path, header, payload);
}

PacketMaker::Made PacketMaker::make_tcp(const PacketEnds& ends, Words words, bool arrives) {
  using namespace tcp_flag;
  if (ends.src_port == 0 || ends.dst_port == 0) return Error{"tcp needs both ports: a:40000 > b:443"};
  if (words.empty()) return Error{"tcp needs flags, `open`, `close` or a payload"};
  std::vector<MadePacket> out;
  const PacketEnds back = ends.back();
  const bool open = words.front().is("open");
  if (open || words.front().is("close")) {
    if (words.size() > 1) return left_over(words[1]);
    out.push_back({segment(ends, open ? kSyn : kFin | kAck, "", 0, arrives), false});
    if (!arrives) return out;
    out.push_back({segment(back, open ? kSyn | kAck : kFin | kAck, "", 0, true), true});
    out.push_back({segment(ends, kAck, "", 0, true), false});
    return out;
  }
  std::uint8_t flags = kPsh | kAck;
  std::string data;
  const auto letters = words.front().quoted ? std::nullopt : tcp_flags_of(words.front().text);
  if (letters) {
    flags = *letters;
    words = words.subspan(1);
  }
  if (!words.empty() && !words.front().is("seq")) {
    auto made = payload(ends, words, true);
    if (!made) return made.error();
    data = std::move(*made);
  }
  std::int64_t offset = 0;
  if (words.size() == 2 && words.front().is("seq")) {
    const std::string_view text = words[1].text;
    const auto number = text.empty() ? std::nullopt : parse_number(text.substr(1));
    if (!number || (text[0] != '+' && text[0] != '-')) return Error{"seq is followed by an offset such as +1000 or -20"};
    offset = text[0] == '-' ? -static_cast<std::int64_t>(*number) : static_cast<std::int64_t>(*number);
    words = {};
  }
  if (!words.empty()) return left_over(words.front());
  out.push_back({segment(ends, flags, data, offset, arrives), false});
  return out;
}

PacketMaker::Made PacketMaker::make_udp(const PacketEnds& ends, Words words) {
  if (ends.src_port == 0 || ends.dst_port == 0) return Error{"udp needs both ports: a:40000 > b:53"};
  std::string data;
  if (!words.empty()) {
    auto made = payload(ends, words, false);
    if (!made) return made.error();
    data = std::move(*made);
  }
  if (!words.empty()) return left_over(words.front());
  return std::vector<MadePacket>{{udp_frame(ends.path, ends.src_port, ends.dst_port, data), false}};
}

Result<std::string> PacketMaker::dns_payload(const PacketEnds& ends, Words& words, bool stream) {
  const bool answer = take(words) == "dns!";
  const std::string type_text = take(words), name = take(words);
  const auto type = dns_type(type_text);
  if (!type) return Error{"`" + type_text + "` is no type of DNS record (A, AAAA, TXT …, TYPE65280)"};
  if (name.empty()) return Error{"a DNS message needs a name: dns? A www.example.com"};
  std::string message;
  if (answer) {
    std::vector<std::string> answers;
    while (!words.empty()) answers.push_back(take(words));
    auto made = dns_answer(question_id(ends, true), *type, name, answers);
    if (!made) return Error{"these are no answers of type " + type_text};
    message = std::move(*made);
  } else {
    message = dns_query(question_id(ends, false), *type, name);
  }
  return stream ? sized(message, 2) : message;
}

Result<std::string> PacketMaker::payload(const PacketEnds& ends, Words& words, bool stream) {
  if (is_data(words.front())) {
    const auto data = data_of(words.front());
    if (!data)
      return Error{"`" + words.front().text + "` are no bytes: \"text\", hex: and pairs of digits, or zeros: and up to 65000"};
    words = words.subspan(1);
    return *data;
  }
  const std::string word = words.front().text;
  if (word == "dns?" || word == "dns!") return dns_payload(ends, words, stream);
  words = words.subspan(1);
  if (word == "nbns?") return nbns_query(question_id(ends, false), take(words));
  if (word == "http?") {
    const std::string method = take(words), target = take(words);
    if (target.empty()) return Error{"a request needs a method and a target: http? GET /index.html www.example.com"};
    return http_request(method, target, take(words));
  }
  if (word == "http!") {
    const auto status = parse_number(take(words));
    if (!status || *status > 999) return Error{"an answer needs a status: http! 200"};
    std::string body;
    if (!words.empty() && is_data(words.front())) body = data_of(words.front()).value_or(""), words = words.subspan(1);
    return http_answer(static_cast<unsigned>(*status), body);
  }
  if (word == "tls-hello") {
    std::string name, alpn;
    if (!words.empty() && !words.front().is("alpn")) name = take(words);
    if (!words.empty() && words.front().is("alpn")) take(words), alpn = take(words);
    return tls_client_hello(name, alpn);
  }
  if (word == "tls-server-hello") {
    const std::string version = take(words);
    constexpr std::array<std::string_view, 5> kVersions = {"ssl3", "1.0", "1.1", "1.2", "1.3"};
    const auto* found = std::find(kVersions.begin(), kVersions.end(), version);
    if (found == kVersions.end()) return Error{"tls-server-hello is followed by ssl3, 1.0, 1.1 or 1.2"};
    return tls_server_hello(static_cast<std::uint16_t>(0x0300 + (found - kVersions.begin())));
  }
  if (word.starts_with("smb")) return smb_payload(word, words);
  if (word.starts_with("snmp-")) {
    std::string version = "2c";
    if (!words.empty() && (words.front().is("v1") || words.front().is("v3"))) version = take(words).substr(1);
    const std::string community = take(words), object = take(words);
    const auto message = snmp_message(std::string_view(word).substr(5), version, community, object);
    if (!message)
      return Error{"snmp-get, -getnext, -getbulk, -set or -response, a community and an object: snmp-get public 1.3.6.1.2.1.1.1.0"};
    return *message;
  }
  if (word == "dhcpv6") {
    const auto message = dhcpv6_message(take(words));
    if (!message) return Error{"dhcpv6 says solicit, advertise, request, confirm, renew, rebind, reply, release, decline or information-request"};
    return *message;
  }
  if (word == "dhcp") {
    const std::string kind = take(words), address = take(words);
    const auto given = address.empty() ? Ip::v4(0) : parse_ip(address).value_or(Ip::v4(0));
    const bool answers = kind == "offer" || kind == "ack" || kind == "nak";
    const auto message = dhcp_message(kind, answers ? ends.path.dst_mac : ends.path.src_mac, given, ends.path.src);
    if (!message) return Error{"dhcp says discover, offer, request, decline, ack, nak, release or inform"};
    return *message;
  }
  if (word == "tftp-read" || word == "tftp-write") return tftp_request(word == "tftp-write", take(words));
  constexpr std::array<std::string_view, 23> kWords = {
      "dns?",          "dns!",     "nbns?",    "http?",     "http!",  "tls-hello", "tls-server-hello", "smb-negotiate",
      "smb1-negotiate", "smb-signing", "smb-tree", "smb-tree!", "smb-open", "smb-write", "smb-encrypted", "snmp-get", "snmp-set",
      "snmp-getbulk",  "dhcp",     "dhcpv6",   "tftp-read", "tftp-write", "open"};
  return unknown_word("payload", word, kWords);
}

Result<std::string> PacketMaker::smb_payload(const std::string& word, Words& words) {
  if (word == "smb-negotiate") return smb2_negotiate();
  if (word == "smb1-negotiate") return smb1_negotiate();
  if (word == "smb-encrypted") return smb2_encrypted();
  if (word == "smb-write") {
    const auto bytes = words.empty() ? std::nullopt : data_of(words.front());
    if (!bytes) return Error{"smb-write is followed by bytes: smb-write \"MZ...\""};
    words = words.subspan(1);
    return smb2_write(*bytes);
  }
  const std::string name = take(words);
  if (word == "smb-signing") {
    if (name != "none" && name != "enabled" && name != "required") return Error{"smb-signing says none, enabled or required"};
    return smb2_negotiate_answer(name);
  }
  if (name.empty()) return Error{word + " is followed by a name"};
  if (word == "smb-tree") return smb2_tree_connect(name);
  if (word == "smb-tree!") return smb2_tree_answer(name);
  if (word == "smb-open") return smb2_create(name);
  constexpr std::array<std::string_view, 8> kWords = {"smb-negotiate", "smb1-negotiate", "smb-signing", "smb-tree",
                                                      "smb-tree!",     "smb-open",       "smb-write",   "smb-encrypted"};
  return unknown_word("payload", word, kWords);
}

PacketMaker::Made PacketMaker::make_icmp(const PacketEnds& given, Words words) {
  PacketEnds ends = given;
  const bool v6 = ends.path.v6();
  const std::string kind = take(words);
  unsigned type = 0, code = 0;
  std::string rest;
  if (kind == "echo-request" || kind == "echo-reply") {
    const bool asks = kind == "echo-request";
    type = v6 ? (asks ? 128U : 129U) : (asks ? 8U : 0U);
    const auto size = words.empty() ? 56 : parse_number(words.front().text).value_or(70000);
    if (size > 65000) return Error{"an echo is followed by its bytes of payload, at most 65000"};
    if (!words.empty()) words = words.subspan(1);
    const Ip& from = asks ? ends.path.src : ends.path.dst;
    std::uint16_t& number = echoes_[{from, asks ? ends.path.dst : ends.path.src}];
    if (asks) ++number;
    rest = be(0x5745, 2) + be(number, 2) + std::string(size, 'w');
  } else if (kind == "unreachable" || kind == "time-exceeded") {
    type = kind == "unreachable" ? (v6 ? 1U : 3U) : (v6 ? 3U : 11U);
    code = kind == "unreachable" ? (v6 ? 4U : 3U) : 0U;
    rest = be(0, 4) + quote_for(ends.path.dst);
  } else if (kind == "redirect") {
    type = v6 ? 137 : 5;
    code = v6 ? 0 : 1;
    rest = v6 ? be(0, 4) + bytes_of_v6(ends.path.src) + bytes_of_v6(ends.path.dst)
              : be(ends.path.src.v4_value(), 4) + quote_for(ends.path.dst);
  } else if (kind == "router-advertisement" || kind == "neighbor-solicitation" || kind == "neighbor-advertisement") {
    if (!v6) return Error{kind + " is of IPv6"};
    ends.path.ttl = 255;  // RFC 4861 6.1.2, 7.1: others are not taken.
    const std::string own = bytes_of(ends.path.src_mac);
    type = kind == "router-advertisement" ? 134 : kind == "neighbor-solicitation" ? 135 : 136;
    if (type == 134) {
      rest = be(0x40000708, 4) + be(0, 8) + be(0x0101, 2) + own;
    } else {
      const auto target = parse_ip(take(words));
      if (!target || target->is_v4()) return Error{kind + " is followed by an IPv6 address"};
      rest = be(type == 136 ? 0x60000000 : 0, 4) + bytes_of_v6(*target) + be(type == 136 ? 0x0201 : 0x0101, 2) + own;
    }
  } else if (kind == "type") {
    const auto number = parse_number(take(words));
    if (!number || *number > 255) return Error{"type is followed by a number"};
    type = static_cast<unsigned>(*number);
    if (!words.empty() && words.front().is("code"))
      take(words), code = static_cast<unsigned>(parse_number(take(words)).value_or(0));
    rest = be(0, 4);
    if (!words.empty() && is_data(words.front())) rest += data_of(words.front()).value_or(""), words = words.subspan(1);
  } else {
    constexpr std::array<std::string_view, 9> kKinds = {
        "echo-request", "echo-reply",           "unreachable",           "time-exceeded",
        "redirect",     "router-advertisement", "neighbor-solicitation", "neighbor-advertisement",
        "type"};
    return unknown_word("ICMP message", kind, kKinds);
  }
  if (!words.empty()) return left_over(words.front());
  return std::vector<MadePacket>{
      {icmp_frame(ends.path, static_cast<std::uint8_t>(type), static_cast<std::uint8_t>(code), rest), false}};
}

PacketMaker::Made PacketMaker::make_arp(const PacketEnds& ends, Words words) {
  const std::string kind = take(words);
  const auto asked = parse_ip(take(words));
  if ((kind != "request" && kind != "reply") || !asked || !asked->is_v4())
    return Error{"arp says `request ADDRESS` or `reply ADDRESS`, of IPv4"};
  if (!words.empty()) return left_over(words.front());
  if (ends.path.v6()) return Error{"arp is of IPv4"};
  const bool asks = kind == "request";
  return std::vector<MadePacket>{
      {arp_frame(ends.path, asks ? 1 : 2, asks ? ends.path.src : *asked, asks ? *asked : ends.path.dst), false}};
}

PacketMaker::Made PacketMaker::make_ip(const PacketEnds& ends, Words words) {
  const auto number = parse_number(take(words));
  if (!number || *number > 255) return Error{"ip is followed by a protocol number"};
  std::string data;
  if (!words.empty()) {
    const auto bytes = data_of(words.front());
    if (!bytes) return Error{"`" + words.front().text + "` are no bytes"};
    data = *bytes;
    words = words.subspan(1);
  }
  if (!words.empty()) return left_over(words.front());
  return std::vector<MadePacket>{{ip_frame(ends.path, static_cast<std::uint8_t>(*number), data), false}};
}

}  // namespace weir::cli
