// SPDX-License-Identifier: Apache-2.0
#pragma once

// Senders: which process of this host has a packet's socket. Asked once for the first packets of a flow, never for settled ones.
//
//   a program in the kernel (bpf/who.bpf.c)   records each task's executable, parents, user and control group at exec and fork, and
//                                             who created, bound or connected a socket last
//   /proc, walked at the start                the same for what ran before, and
//   the kernel's socket diagnosis (netlink)   which socket has a pair of ends; its cookie names the task
//
// Where the kernel takes no program, the two others are all there is: processes that are gone by then, and those that were faster than
// /proc, are not known. remarks() says so.
//
// Who is the sender: the process that connected, bound or created the socket last, or sent with it to an address of its own choice. A
// connected socket that is passed on stays its connector's. What a listener accepts is the listener's. One thread's, the lane's.

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/address.h"
#include "base/clock.h"
#include "base/result.h"
#include "engine/event.h"
#include "facts/sender.h"
#include "policy/compile.h"

namespace weir::datapath {

struct SenderOptions {
  std::string cgroup;              ///< Part of the control group hierarchy that is looked at, a folder; empty: its root.
  std::uint32_t processes_max = 32768;  ///< That are remembered, those that ended too.
  std::uint32_t sockets_max = 262144;
  bool hashes = false;             ///< Some rule asks for process.sha256. use() says it anew.
  bool programs = true;            ///< False: nothing in the kernel, as where it takes no program.
};

/// The ends of a packet's socket, as this host sees them.
struct SocketEnds {
  Ip local, remote;
  std::uint16_t local_port = 0, remote_port = 0;  ///< Of TCP, UDP and SCTP.
  std::uint8_t protocol = 0;
};

enum class Way : std::uint8_t { Out, In };

/// A call that the kernel refused, since no packet of it could have passed.
struct RefusedCall {
  RuleId rule = kNoRule;
  std::string_view call;           ///< "connect", "send", "bind", "socket"; "packet": a frame by a packet socket.
  SocketEnds ends;                 ///< `remote` is where to; of bind `local` where. All zeroes for a socket that was not made.
  const Sender* sender = nullptr;
  Nanoseconds mono_ns = 0;
  bool has_ip = true;              ///< Else of a frame of no IP.
};
/// As a report shows it. `now` says how the two clocks stand to each other.
engine::AlertRecord alert_of(const RefusedCall& call, const policy::RuleSet& rules, Time now);

class WhoProgram;

class Senders {
 public:
  static constexpr std::uint32_t kNoUid = 0xffffffff;

  virtual ~Senders() = default;
  static Result<std::unique_ptr<Senders>> open(const SenderOptions& options);

  /// nullptr: nobody is known to have it. `uid`: of the socket's owner, where the datapath was told; it never names a process of
  /// another user. Valid until the next call of turn().
  virtual const Sender* find(const SocketEnds& ends, Way way, std::uint32_t uid = kNoUid) = 0;
  /// Between two batches: what the kernel recorded meanwhile is read, and what is too old forgotten.
  virtual void turn() = 0;
  /// The policy in force from now on: whether hashes are asked for, and what is refused at the call (refusals.h). How many of its rules
  /// are; what was refused under the one before is to be asked for first.
  virtual std::uint32_t use(std::shared_ptr<const policy::RuleSet> rules) = 0;
  /// Calls with what was refused since; at most 64 at once.
  virtual void for_each_refused(const std::function<void(const RefusedCall&)>& call) = 0;
  /// What a person should know at start. One sentence each.
  virtual std::span<const std::string> remarks() const = 0;
  /// The program in the kernel, which can refuse calls too; nullptr: there is none.
  virtual WhoProgram* program() = 0;
  /// Leaves nothing behind in the system.
  virtual void close() = 0;
};

}  // namespace weir::datapath
