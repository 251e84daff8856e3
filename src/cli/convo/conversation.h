// SPDX-License-Identifier: Apache-2.0
#pragma once

// Conversations: packets as lines that a person reads and writes (`.convo`, CONTRACT section 3), made into whole frames with
// right lengths, checksums, sequence numbers and acknowledgements.
//
//   line     = [declarations | packet] [# comment]
//   declare  = NAME ADDRESS {mac MAC | in PORT} …      several on a line; a name may have one address a version of IP
//   packet   = [TIME] END > END {OPTION} CONTENT [pass|drop [RULE]]
//   TIME     = seconds from the start, 1.25; a line without one comes a millisecond after the line before it
//   END      = NAME | NAME:PORT | ADDRESS | ADDRESS:PORT | [ADDRESS]:PORT | *      * is everybody: broadcast
//   OPTION   = in PORT | vlan N | ttl N | mac MAC | frag BYTES[+] | options DATA | times N | every SECONDS | WHO VALUE
//   WHO      = process PATH | parent PATH | cmdline "text" | sha256 HEX | user NAME | group NAME | cgroup PATH | service UNIT |
//              container ID | image NAME         of the process that has the packet's socket; `parent` again for one further up
//              `%n` in a line with `times` is the number of the repetition, from 10001: ports and names that differ
//   CONTENT  = tcp FLAGS [DATA] [seq ±N]      flags as letters FSRPAUEC, exactly those: `tcp S`, `tcp PA "text"`, `tcp FA`
//            | tcp open | tcp close           three packets each
//            | tcp PAYLOAD                    sent with PSH and ACK
//            | udp [PAYLOAD]
//            | icmp echo-request [BYTES] | echo-reply [BYTES] | unreachable | redirect | router-advertisement |
//              neighbor-solicitation ADDRESS | neighbor-advertisement ADDRESS | type N code N [DATA]
//            | arp request ADDRESS | arp reply ADDRESS
//            | ip NUMBER [DATA]
//   PAYLOAD  = DATA | dns? TYPE NAME | dns! TYPE NAME ANSWER… | nbns? NAME | http? METHOD TARGET [HOST] | http! STATUS [DATA]
//            | tls-hello [NAME] [alpn WORD] | tls-server-hello VERSION | smb-negotiate | smb1-negotiate | smb-signing WORD
//            | smb-tree SHARE | smb-tree! SHARE | smb-open NAME | smb-write DATA | smb-encrypted
//            | snmp-get|-getnext|-getbulk|-set|-response [v1|v3] COMMUNITY OBJECT | dhcp discover|offer|request|ack [ADDRESS]
//            | dhcpv6 solicit|advertise|request|reply … | tftp-read FILE | tftp-write FILE
//   DATA     = "text" with \r \n \t \0 \" \\ \xHH | hex:0011 | zeros:N
//
// A packet that is expected to be stopped does not arrive: its sender's sequence numbers stay, as if it were sent again.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "cli/convo/frame_writer.h"
#include "facts/decision.h"
#include "facts/sender.h"

namespace weir::cli {

/// A process that a line tells of. `told` points into the texts.
struct StepSender {
  std::vector<std::pair<std::string, std::string>> texts;  ///< As the line has them: WHO and VALUE.
  Sender told;
};

/// One packet of a conversation.
struct Step {
  std::uint32_t line = 0;      ///< In the file, from 1.
  std::string text;            ///< The line as it was written, without the expectation's spaces and comment.
  Nanoseconds at_ns = 0;       ///< From the start.
  std::string frame;           ///< Ethernet.
  std::string port;            ///< Name of the port that it comes in by; empty: none.
  std::optional<Verdict> expected;
  std::string expected_rule;   ///< Empty: any.
  std::shared_ptr<const StepSender> sender;
};

struct ConvoMistake {
  std::uint32_t line = 0;
  std::string message;
};

struct Convo {
  std::vector<Step> steps;
  bool has_senders = false;            ///< It plays on a host: some line says who sends. Of the others nobody is known.
  std::vector<ConvoMistake> mistakes;  ///< All of them; the steps are then not to be used.
};

Convo parse_convo(std::string_view text);

}  // namespace weir::cli
