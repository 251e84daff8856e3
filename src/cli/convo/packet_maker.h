// SPDX-License-Identifier: Apache-2.0
#pragma once

// The content of a conversation's line made into frames. It remembers what a packet needs from those before it: TCP's sequence
// numbers, the id of the last DNS question, the last packet that an ICMP error quotes.

#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "cli/convo/frame_writer.h"
#include "cli/convo/line_words.h"

namespace weir::cli {

struct PacketEnds {
  Path path;
  std::uint16_t src_port = 0, dst_port = 0;
  PacketEnds back() const;
};

struct MadePacket {
  std::string frame;
  bool back = false;  ///< From the line's second end to its first.
};

class PacketMaker {
 public:
  /// `arrives` false: the packet is expected to be stopped, so nobody answers it and its sender's numbers stay.
  Result<std::vector<MadePacket>> make(const PacketEnds& ends, std::span<const LineWord> content, bool arrives);

 private:
  using Made = Result<std::vector<MadePacket>>;
  using Words = std::span<const LineWord>;

  struct Stream {
    std::uint32_t next[2] = {0, 0};  ///< Of the lower end, of the higher.
  };
  using EndKey = std::pair<Ip, std::uint16_t>;

  Made make_tcp(const PacketEnds& ends, Words words, bool arrives);
  Made make_udp(const PacketEnds& ends, Words words);
  Made make_icmp(const PacketEnds& ends, Words words);
  Made make_arp(const PacketEnds& ends, Words words);
  Made make_ip(const PacketEnds& ends, Words words);
  /// The payload that words name; `words` is moved behind it.
  Result<std::string> payload(const PacketEnds& ends, Words& words, bool stream);
  Result<std::string> smb_payload(const std::string& word, Words& words);
  Result<std::string> dns_payload(const PacketEnds& ends, Words& words, bool stream);
  std::string segment(const PacketEnds& ends, std::uint8_t flags, std::string_view payload, std::int64_t seq_offset,
                      bool arrives);
  std::uint16_t question_id(const PacketEnds& ends, bool answer);
  std::string quote_for(const Ip& receiver) const;
  void remember(const PacketEnds& ends, const std::string& frame);

  std::map<std::pair<EndKey, EndKey>, Stream> streams_;
  std::map<std::pair<EndKey, EndKey>, std::uint16_t> questions_;
  std::map<std::pair<Ip, Ip>, std::uint16_t> echoes_;
  std::map<Ip, std::string> last_sent_;  ///< IP packets, by their sender.
  std::uint16_t next_question_ = 0x1001, next_ip_id_ = 1;
};

}  // namespace weir::cli
