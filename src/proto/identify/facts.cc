// SPDX-License-Identifier: Apache-2.0
#include "proto/identify/facts.h"

#include <algorithm>

#include "base/text.h"
#include "proto/identify/probe.h"
#include "proto/identify/rows.h"
#include "proto/tls/dtls.h"

namespace weir::proto::identify {
namespace {

/// What the first bytes of a message say: how long it is (nought: more bytes are needed first) and what it asks for.
struct Message {
  std::size_t size = 0;
  bool bad = false;      ///< Not to be followed: reading of this side ends.
  bool said = false;     ///< `word` or `number` is to be told.
  std::uint64_t number = 0;
  std::string_view word;
  std::string_view user, realm;  ///< Of a digest that a request carries.
};

/// Tells each message that `read` finds. `read` sees bytes from a message's beginning and says Message{} to wait.
template <typename Read>
Progress follow(OneFactState& state, const Input& input, Describer& describer, FieldId field, Read read) {
  Progress progress;
  std::uint8_t& over = state.over[index_of(input.side)];
  while (true) {
    const Bytes rest = input.bytes.subspan(progress.consumed);
    if (rest.empty()) return progress;
    if (over != 0) {
      progress.consumed += rest.size();
      progress.done = state.over[0] != 0 && state.over[1] != 0 && !input.datagram;
      return progress;
    }
    const Message message = read(rest);
    if (message.said) {
      describer.begin_transaction();
      if (message.word.empty()) describer.number(field, message.number);
      else describer.text(field, message.word);
      if (!message.user.empty()) {
        describer.text(field::kAuthUser, message.user);
        describer.word(field::kAuthScheme, field::AuthScheme::Digest);
        if (!message.realm.empty()) describer.text(field::kAuthRealm, message.realm);
      }
      describer.described();
      describer.end_transaction();
    }
    if (message.bad) {
      if (input.datagram) return progress;
      over = 1;
      continue;
    }
    if (message.size == 0) return progress;  // Wait; of a datagram nothing more will come.
    const std::size_t at_hand = std::min(message.size, rest.size());
    progress.consumed += at_hand;
    progress.skip = input.datagram ? 0 : message.size - at_hand;
    if (progress.skip != 0 || input.datagram) return progress;
  }
}

constexpr Message kWait{};
constexpr Message kEnd{.bad = true};

Message read_stun(Bytes b) {
  if (b.size() < 20) return kWait;
  if (b[0] > 0x3f || load_be32(&b[4]) != 0x2112A442) return kEnd;  // TURN's channel data, or media, on the same ports.
  const std::uint32_t type = load_be16(&b[0]);
  // The class lies in bits 4 and 8 (RFC 8489, 5).
  return {.size = 20U + load_be16(&b[2]), .said = true, .number = (type & 0x000f) | (type & 0x00e0) >> 1 | (type & 0x3e00) >> 2};
}

Message read_sip(Bytes b) {
  const std::string_view text = as_text(b);
  const std::size_t end = text.substr(0, 16).find(' ');
  if (end == std::string_view::npos) return b.size() < 16 ? kWait : kEnd;
  if (text.starts_with("SIP/")) return kEnd;
  for (char c : text.substr(0, end))
    if (c < 'A' || c > 'Z') return kEnd;
  return {.size = b.size(), .bad = true, .said = true, .word = text.substr(0, end)};  // Bodies are not followed.
}

/// The value of `name="…"` in a list of parameters (RFC 9110, 11.2); empty if it is not there.
std::string_view quoted(std::string_view list, std::string_view name) {
  for (std::size_t at = 0; (at = list.find(name, at)) != std::string_view::npos; at += name.size()) {
    const bool begins = at == 0 || list[at - 1] == ' ' || list[at - 1] == ',';
    const std::string_view rest = list.substr(at + name.size());
    if (begins && rest.starts_with("=\"")) return rest.substr(2, std::min(rest.find('"', 2), rest.size()) - 2);
  }
  return {};
}

/// RFC 3261, 22: the user of a request's credentials. Only of datagrams, which hold the whole head.
void read_sip_user(Bytes b, Message& message) {
  for_each_line(as_text(b), [&](std::string_view line) {
    const bool credentials = starts_nocase(line, "Authorization:") || starts_nocase(line, "Proxy-Authorization:");
    if (!credentials || !message.user.empty()) return;
    message.user = quoted(line, "username");
    message.realm = quoted(line, "realm");
  });
}

Message read_modbus(Bytes b) {
  if (b.size() < 8) return kWait;
  if (load_be16(&b[2]) != 0 || load_be16(&b[4]) < 2) return kEnd;
  return {.size = 6U + load_be16(&b[4]), .said = true, .number = b[7]};
}

Message read_dnp3(Bytes b) {
  // Link header of ten, transport byte, application control, function (IEEE 1815, 9.2, 8.2, 4.2).
  if (b.size() < 3) return kWait;
  if (b[0] != 5 || b[1] != 0x64 || b[2] < 5) return kEnd;
  const std::size_t user = b[2] - 5U, size = 10 + user + 2 * ((user + 15) / 16);
  if (user < 3) return {.size = size};
  if (b.size() < 13) return kWait;
  const bool first = (b[10] & 0x40) != 0;
  return {.size = size, .said = first, .number = b[12]};
}

Message read_memcached(Bytes b) {
  const std::string_view text = as_text(b);
  if (b[0] >= 0x80) return kEnd;
  const std::size_t newline = text.substr(0, 2048).find('\n');
  if (newline == std::string_view::npos) return b.size() < 2048 ? kWait : kEnd;
  std::string_view line = trim(text.substr(0, newline));
  std::string_view words[5];
  std::size_t count = 0;
  const std::string_view whole = line;
  while (!line.empty() && count < 5) {
    const std::size_t end = line.find(' ');
    words[count++] = line.substr(0, end);
    line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
  }
  if (count == 0 || whole.empty()) return kEnd;
  std::size_t body = 0;
  for (std::string_view storage : {"set", "add", "replace", "append", "prepend", "cas"})
    if (words[0] == storage) {
      const auto bytes = count == 5 ? parse_number(words[4]) : std::nullopt;
      if (!bytes || *bytes > (1U << 30)) return {.bad = true, .said = true, .word = words[0]};
      body = static_cast<std::size_t>(*bytes) + 2;
    }
  return {.size = newline + 1 + body, .said = true, .word = words[0]};
}

constexpr std::size_t kRedisBytesMax = 16384;

/// One array of bulk strings; its first is the command. Elements are passed over by their lengths, 64 of them: what is longer ends it.
Message read_redis(Bytes b) {
  const std::string_view text = as_text(b);
  if (b[0] != '*') {  // Inline.
    const std::size_t newline = text.substr(0, 1024).find('\n');
    if (newline == std::string_view::npos) return b.size() < 1024 ? kWait : kEnd;
    const std::string_view line = trim(text.substr(0, newline));
    if (line.empty()) return {.size = newline + 1};
    return {.size = newline + 1, .said = true, .word = line.substr(0, line.find(' '))};
  }
  std::size_t at = 1;
  const auto number = [&](bool& wait) -> std::optional<std::uint64_t> {
    const std::size_t end = text.substr(at, 12).find("\r\n");
    if (end == std::string_view::npos) {
      wait = text.size() - at < 12;
      return std::nullopt;
    }
    const auto value = parse_number(text.substr(at, end));
    at += end + 2;
    return value;
  };
  bool wait = false;
  const auto count = number(wait);
  if (!count) return wait ? kWait : kEnd;
  if (*count == 0) return {.size = at};
  if (*count > 64) return kEnd;
  std::string_view command;
  for (std::uint64_t i = 0; i < *count; ++i) {
    if (at >= text.size()) return kWait;
    if (text[at++] != '$') return kEnd;
    const auto size = number(wait);
    if (!size) return wait ? kWait : kEnd;
    if (*size > (1U << 29)) return kEnd;
    const std::size_t whole = static_cast<std::size_t>(*size) + 2;
    if (i + 1 == *count) {  // The last element need not be awaited, unless it is the command.
      if (i == 0) {
        if (text.size() - at < whole) return *size > 64 ? kEnd : kWait;
        command = text.substr(at, whole - 2);
      }
      if (command.empty()) return kEnd;
      return {.size = at + whole, .said = true, .word = command};
    }
    // Too much to wait for: said, and not followed, however much happens to be at hand.
    if (at + whole > kRedisBytesMax) return {.bad = true, .said = !command.empty(), .word = command};
    if (text.size() - at < whole) return kWait;
    if (i == 0) command = text.substr(at, whole - 2);
    at += whole;
  }
  return kEnd;
}

}  // namespace

/// RFC 7983, 7: which protocol a datagram is of where STUN, DTLS, RTP and RTCP share ports. What fits none of them is passed over. The head
/// of RTCP is too little; of RTP two packets of one source must follow each other. Where STUN has its cookie they are taken for SRTP, as
/// RFC 8827, 6.5 wants it of every browser and messengers do: the bytes alone do not tell the two apart.
Progress parse_stun(StunState& state, const Input& input, Describer& describer) {
  const Bytes b = input.bytes;
  if (!input.datagram && !state.closed) {
    state.closed = true;
    describer.may_extend(false);
  }
  if (b.size() >= 8 && b[0] <= 3) state.modern |= load_be32(&b[4]) == 0x2112A442;
  if (state.closed || b.size() < 13 || b[0] < 20) return follow(state.one, input, describer, kStunMethod, read_stun);
  if (b[0] <= 63) {
    const bool client = input.side == Side::Client;
    const Evidence evidence{.client = client ? b : Bytes{}, .server = client ? Bytes{} : b, .ip_protocol = 17, .roles_unsure = true};
    if (tls::dtls::identify(evidence) == Match::Yes) describer.carry("dtls");
  } else if (is_rtp(b)) {
    auto& head = state.head[index_of(input.side)];
    state.closed = rtp_follows(head, b);
    std::copy(b.begin(), b.begin() + sizeof head, head);
    if (state.closed) {
      describer.refine("rtp");
      if (state.modern) describer.refine("srtp");
      describer.may_extend(false);
      return {.consumed = b.size(), .done = !describer.wanted(kStunMethod)};
    }
  }
  return {.consumed = b.size()};
}
Progress parse_sip(OneFactState& state, const Input& input, Describer& describer) { 
  return follow(state, input, describer, kSipMethod, [&](Bytes b) {
    Message message = read_sip(b);
    if (input.datagram && message.said) read_sip_user(b, message);
    return message;
  });
}
Progress parse_ssdp(OneFactState& state, const Input& input, Describer& describer) {
  return follow(state, input, describer, kSsdpMethod, [](Bytes b) {
    const std::string_view text = as_text(b);
    for (std::string_view method : {"M-SEARCH", "NOTIFY"})
      if (text.starts_with(method)) return Message{.size = b.size(), .said = true, .word = text.substr(0, method.size())};
    return kEnd;
  });
}
Progress parse_memcached(OneFactState& state, const Input& input, Describer& describer) {
  return follow(state, input, describer, kMemcachedCommand, [&](Bytes b) {
    if (input.side == Side::Server) return kEnd;
    if (!input.datagram) return read_memcached(b);
    if (b.size() < 9) return kEnd;
    Message message = read_memcached(b.subspan(8));
    message.size = b.size();
    return message;
  });
}
Progress parse_redis(OneFactState& state, const Input& input, Describer& describer) {
  return follow(state, input, describer, kRedisCommand, [&](Bytes b) { return input.side == Side::Server ? kEnd : read_redis(b); });
}
Progress parse_dnp3(OneFactState& state, const Input& input, Describer& describer) { return follow(state, input, describer, kDnp3Function, read_dnp3); }
Progress parse_modbus(OneFactState& state, const Input& input, Describer& describer) {
  return follow(state, input, describer, kModbusFunction, [&](Bytes b) { return input.side == Side::Server ? kEnd : read_modbus(b); });
}

}  // namespace weir::proto::identify
