// SPDX-License-Identifier: Apache-2.0
#include "cli/convo/conversation.h"

#include <algorithm>

#include "base/hash.h"
#include "base/text.h"
#include "cli/convo/packet_maker.h"

namespace weir::cli {
namespace {

constexpr std::uint64_t kTimesMax = 100'000;
constexpr std::uint16_t kFragmentsId = 0x7765;
constexpr std::uint64_t kFirstNumber = 10'001;  ///< `%n` in the first packet of a line with `times`.

using Words = std::span<const LineWord>;

constexpr std::string_view kWho[] = {"process", "parent", "cmdline", "sha256", "user", "group", "cgroup", "service", "container", "image"};

bool tells_who(const LineWord& word) { return std::any_of(std::begin(kWho), std::end(kWho), [&](std::string_view who) { return word.is(who); }); }

/// What the line says of the process, as a datapath would tell it. Paths of other systems end behind their last `\`.
std::shared_ptr<const StepSender> sender_of(std::vector<std::pair<std::string, std::string>> texts) {
  auto out = std::make_shared<StepSender>();
  out->texts = std::move(texts);
  Sender& s = out->told;
  std::uint64_t id = 1;
  for (const auto& [who, value] : out->texts) {
    id = hash_text(value, hash_text(who, id));
    if (who == "process") s.path = value, s.name = std::string_view(value).substr(value.find_last_of("/\\") + 1);
    else if (who == "parent" && s.parents_count < Sender::kParentsMax) s.parents[s.parents_count++] = value;
    else if (who == "cmdline") s.cmdline = value;
    else if (who == "sha256") s.sha256 = value;
    else if (who == "user") s.user = value;
    else if (who == "group") s.group = value;
    else if (who == "cgroup") s.cgroup = value;
    else if (who == "service") s.service = value;
    else if (who == "container") s.container_id = s.container_name = value;
    else if (who == "image") s.container_image = value;
  }
  // A process whose control group is not told is in none that names a service or a container.
  if (s.cgroup.empty() && !s.path.empty()) s.cgroup = "/";
  s.id = id | 1;
  return out;
}

struct Host {
  std::optional<Ip> v4, v6;
  std::optional<Mac> mac;
  std::string port;
};

/// An end as a line names it, before the two ends agree on a version.
struct End {
  std::optional<Ip> v4, v6;
  std::optional<Mac> mac;
  std::string port_name;
  std::uint16_t port = 0;
};

Mac mac_of(const Ip& ip) {
  Mac mac;
  const auto& b = ip.bytes;
  if (ip.is_broadcast()) mac.bytes = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  else if (ip.is_multicast() && ip.is_v4())
    mac.bytes = {0x01, 0x00, 0x5e, static_cast<std::uint8_t>(b[13] & 0x7f), b[14], b[15]};  // RFC 1112 6.4
  else if (ip.is_multicast())
    mac.bytes = {0x33, 0x33, b[12], b[13], b[14], b[15]};  // RFC 2464 7
  else mac.bytes = {0x02, 0x00, b[12], b[13], b[14], b[15]};
  return mac;
}

std::optional<Nanoseconds> time_of(std::string_view text) {
  const std::size_t dot = text.find('.');
  const auto seconds = parse_number(text.substr(0, dot));
  if (!seconds || *seconds > 1'000'000'000) return std::nullopt;
  Nanoseconds ns = static_cast<Nanoseconds>(*seconds) * kSecond;
  if (dot == std::string_view::npos) return ns;
  const std::string_view fraction = text.substr(dot + 1);
  if (fraction.empty() || fraction.size() > 9) return std::nullopt;
  const auto digits = parse_number(fraction);
  if (!digits) return std::nullopt;
  Nanoseconds unit = kSecond;
  for (std::size_t i = 0; i < fraction.size(); ++i) unit /= 10;
  return ns + static_cast<Nanoseconds>(*digits) * unit;
}

void put_number(std::string& text, std::uint64_t number) {
  for (std::size_t at = text.find("%n"); at != std::string::npos; at = text.find("%n", at)) text.replace(at, 2, std::to_string(number));
}

class Reading {
 public:
  void line(std::uint32_t number, std::string_view text);
  Convo take() { return std::move(convo_); }

 private:
  void declare(Words words);
  void packet(Words words, std::string text);
  Result<End> end_of(const std::string& text) const;
  void complain(std::string message) { convo_.mistakes.push_back({line_, std::move(message)}); }
  bool one_packet(Words words, const Step& like, std::uint64_t& times);
  Nanoseconds every_of(Words words) const;
  bool options(Words& words, PacketEnds& ends, std::string& port_name, std::uint64_t& times);
  std::vector<std::pair<std::string, std::string>> who_;  ///< What the line at hand says of its sender.

  Convo convo_;
  std::map<std::string, Host> hosts_;
  PacketMaker maker_;
  std::uint32_t line_ = 0;
  Nanoseconds now_ns_ = -kMillisecond;
  std::uint16_t repetition_ = 0;
  Nanoseconds every_ns_ = kMillisecond;  ///< Between the packets of a line with `times`.
};

void Reading::line(std::uint32_t number, std::string_view text) {
  line_ = number;
  auto words = words_of_line(text);
  if (!words) return complain(words.error().message);
  if (words->empty()) return;
  const bool has_time = words->size() > 2 && (*words)[2].is(">");
  if (has_time || (words->size() > 1 && (*words)[1].is(">"))) {
    packet(*words, std::string(trim(text)));
  } else {
    declare(*words);
  }
}

/// NAME ADDRESS {mac MAC | in PORT} …
void Reading::declare(Words words) {
  while (!words.empty()) {
    const std::string name = words[0].text;
    const auto ip = words.size() > 1 ? parse_ip(words[1].text) : std::nullopt;
    if (!ip) {
      complain("neither a packet (TIME END > END CONTENT) nor a declaration (NAME ADDRESS): `" + name + "`");
      return;
    }
    if (is_digit(name[0]) || name == "*" || name.find(':') != std::string::npos)
      return complain("a name does not begin with a digit and has no colon: `" + name + "`");
    Host& host = hosts_[name];
    (ip->is_v4() ? host.v4 : host.v6) = *ip;
    words = words.subspan(2);
    while (words.size() > 1 && (words[0].is("mac") || words[0].is("in")) && !parse_ip(words[1].text)) {
      if (words[0].is("in")) {
        host.port = words[1].text;
      } else {
        host.mac = parse_mac(words[1].text);
        if (!host.mac) return complain("`" + words[1].text + "` is no MAC address");
      }
      words = words.subspan(2);
    }
  }
}

Result<End> Reading::end_of(const std::string& text) const {
  End end;
  std::string name = text, port;
  if (const auto whole = parse_ip(text); !whole) {
    const bool bracket = text.starts_with("[");
    const std::size_t colon = bracket ? text.find("]:") : text.rfind(':');
    if (colon != std::string::npos) {
      name = text.substr(bracket ? 1 : 0, colon - (bracket ? 1 : 0));
      port = text.substr(colon + (bracket ? 2 : 1));
    }
    const auto number = port.empty() ? std::optional<std::uint64_t>(0) : parse_number(port);
    if (!number || *number > 65535) return Error{"`" + port + "` is no port"};
    end.port = static_cast<std::uint16_t>(*number);
  }
  if (name == "*") {
    end.v4 = Ip::v4(0xffffffff);
    end.v6 = parse_ip("ff02::1");
    return end;
  }
  const auto known = hosts_.find(name);
  if (known != hosts_.end()) {
    end.v4 = known->second.v4;
    end.v6 = known->second.v6;
    end.mac = known->second.mac;
    end.port_name = known->second.port;
    return end;
  }
  const auto ip = parse_ip(name);
  if (!ip) {
    std::vector<std::string_view> names;
    for (const auto& [declared, host] : hosts_) names.push_back(declared);
    const std::string_view near = nearest(name, names);
    return Error{"`" + name + "` is neither an address nor a declared name" +
                 (near.empty() ? "" : "; was `" + std::string(near) + "` meant?")};
  }
  (ip->is_v4() ? end.v4 : end.v6) = *ip;
  // An address that has a name is that host, with its MAC address and port.
  for (const auto& [declared, host] : hosts_)
    if (host.v4 == *ip || host.v6 == *ip) end.mac = host.mac, end.port_name = host.port;
  return end;
}

/// {in PORT | vlan N | ttl N | mac MAC | frag N | options DATA | times N | every T | WHO VALUE} before the content.
bool Reading::options(Words& words, PacketEnds& ends, std::string& port_name, std::uint64_t& times) {
  while (words.size() > 1) {
    const std::string& value = words[1].text;
    const auto number = parse_number(value);
    if (words[0].is("in")) {
      port_name = value;
    } else if (tells_who(words[0])) {
      who_.emplace_back(words[0].text, value);
    } else if (words[0].is("vlan")) {
      if (!number || *number > 4095) return complain("vlan is followed by a number up to 4095"), false;
      ends.path.vlan = static_cast<std::uint16_t>(*number);
    } else if (words[0].is("ttl")) {
      if (!number || *number > 255) return complain("ttl is followed by a number up to 255"), false;
      ends.path.ttl = static_cast<std::uint8_t>(*number);
    } else if (words[0].is("mac")) {
      const auto mac = parse_mac(value);
      if (!mac) return complain("`" + value + "` is no MAC address"), false;
      ends.path.src_mac = *mac;
    } else if (words[0].is("frag")) {
      // Fragments of one datagram share an id: the maker's would differ. With `times` each repetition is another datagram.
      const bool more = value.ends_with('+');
      const auto at = parse_number(std::string_view(value).substr(0, value.size() - (more ? 1 : 0)));
      if (!at || *at > 65528 || *at % 8 != 0)
        return complain("frag is followed by a multiple of 8, and a + where more fragments follow: frag 1480+"), false;
      ends.path.fragment_bytes = static_cast<std::uint16_t>(*at);
      ends.path.more_fragments = more;
      ends.path.id = static_cast<std::uint16_t>(kFragmentsId + repetition_);
    } else if (words[0].is("options")) {
      const auto bytes = data_of(words[1]);
      if (!bytes || bytes->size() % 4 != 0 || bytes->size() > 40)
        return complain("options is followed by the bytes of IPv4 options, a multiple of four: options hex:07040800"), false;
      ends.path.options = *bytes;
    } else if (words[0].is("every")) {
      const auto step = time_of(value);
      if (!step) return complain("every is followed by seconds, such as 0.001"), false;
      every_ns_ = *step;
    } else if (words[0].is("times")) {
      if (!number || *number == 0 || *number > kTimesMax) return complain("times is followed by a number up to 100000"), false;
      times = *number;
    } else {
      break;
    }
    words = words.subspan(2);
  }
  return true;
}

void Reading::packet(Words words, std::string text) {
  now_ns_ += kMillisecond;
  if (!words[1].is(">")) {
    const auto time = time_of(words[0].text);
    if (!time) return complain("`" + words[0].text + "` is no time: seconds from the start, such as 0.004");
    if (*time < now_ns_ - kMillisecond) return complain("time goes back");
    now_ns_ = *time;
    words = words.subspan(1);
  }
  if (words.size() < 3) return complain("a packet is END > END and its content");
  Step like{.line = line_, .text = std::move(text)};
  const auto verdict_at = [&](std::size_t from_end) {
    if (words.size() < 3 + from_end) return false;
    const LineWord& word = words[words.size() - from_end];
    if (!word.is("pass") && !word.is("drop")) return false;
    like.expected = word.text == "pass" ? Verdict::Pass : Verdict::Drop;
    if (from_end == 2) like.expected_rule = words.back().text;
    words = words.first(words.size() - from_end);
    return true;
  };
  if (!verdict_at(1)) verdict_at(2);
  const Nanoseconds begin = now_ns_;
  every_ns_ = kMillisecond;
  const std::vector<LineWord> written(words.begin(), words.end());
  const bool numbered = like.text.find("%n") != std::string::npos;
  std::uint64_t times = 1;
  for (std::uint64_t i = 0; i < times; ++i) {
    std::vector<LineWord> now = written;
    if (numbered)
      for (LineWord& word : now) put_number(word.text, kFirstNumber + i);
    now_ns_ = begin + static_cast<Nanoseconds>(i) * every_of(written);
    repetition_ = static_cast<std::uint16_t>(i);
    if (!one_packet(now, like, times)) return;
  }
}

/// One repetition of a line; false if something is wrong with it.
bool Reading::one_packet(Words words, const Step& like, std::uint64_t& times) {
  const auto fail = [&](std::string message) { return complain(std::move(message)), false; };
  const auto src = end_of(words[0].text);
  if (!src) return fail(src.error().message);
  const auto dst = end_of(words[2].text);
  if (!dst) return fail(dst.error().message);
  const bool v4 = src.value().v4 && dst.value().v4, v6 = src.value().v6 && dst.value().v6;
  if (!v4 && !v6) return fail("the ends are not of the same version of IP");
  PacketEnds ends;
  ends.path.src = v4 ? *src.value().v4 : *src.value().v6;
  ends.path.dst = v4 ? *dst.value().v4 : *dst.value().v6;
  ends.path.src_mac = src.value().mac.value_or(mac_of(ends.path.src));
  ends.path.dst_mac = dst.value().mac.value_or(mac_of(ends.path.dst));
  ends.src_port = src.value().port;
  ends.dst_port = dst.value().port;
  std::string port_name = src.value().port_name;
  words = words.subspan(3);
  who_.clear();
  if (!options(words, ends, port_name, times)) return false;
  const auto sender = who_.empty() ? nullptr : sender_of(std::move(who_));
  convo_.has_senders = convo_.has_senders || sender != nullptr;
  const auto made = maker_.make(ends, words, like.expected != Verdict::Drop);
  if (!made) return fail(made.error().message);
  Nanoseconds at = now_ns_;
  for (const MadePacket& packet : made.value()) {
    Step& step = convo_.steps.emplace_back(like);
    step.at_ns = at;
    step.frame = packet.frame;
    step.sender = packet.back ? nullptr : sender;
    step.port = packet.back ? dst.value().port_name : port_name;
    at += every_ns_ / 10;
  }
  return true;
}

/// What `every` says, read ahead of the line's other options.
Nanoseconds Reading::every_of(Words words) const {
  for (std::size_t i = 3; i + 1 < words.size(); ++i)
    if (words[i].is("every")) return time_of(words[i + 1].text).value_or(kMillisecond);
  return kMillisecond;
}

}  // namespace

Convo parse_convo(std::string_view text) {
  Reading reading;
  std::uint32_t number = 0;
  for_each_line(text, [&](std::string_view line) { reading.line(++number, line); });
  return reading.take();
}

}  // namespace weir::cli
