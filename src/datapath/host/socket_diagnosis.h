// SPDX-License-Identifier: Apache-2.0
#pragma once

// SocketDiagnosis: which socket of this network namespace has a pair of ends, asked of the kernel over netlink (sock_diag(7)). A
// question is one system call each way, some microseconds. A listener answers for what it has not accepted yet.

#include <cstdint>
#include <functional>
#include <optional>

#include "base/result.h"
#include "datapath/host/senders.h"

namespace weir::datapath {

struct DiagnosedSocket {
  std::uint64_t cookie = 0, inode = 0;  ///< The inode is 0 where no file of a process stands for it any more.
  std::uint32_t uid = 0;
};

class SocketDiagnosis {
 public:
  static Result<std::unique_ptr<SocketDiagnosis>> open();
  ~SocketDiagnosis();
  SocketDiagnosis(const SocketDiagnosis&) = delete;
  SocketDiagnosis& operator=(const SocketDiagnosis&) = delete;

  /// TCP and UDP; nothing for others.
  std::optional<DiagnosedSocket> find(const SocketEnds& ends);
  /// Calls with every socket of TCP and UDP.
  void for_each(const std::function<void(const DiagnosedSocket&)>& call);
  /// What the kernel cannot tell of; nothing if it can.
  bool knows(std::uint8_t protocol);

 private:
  explicit SocketDiagnosis(int fd) : fd_(fd) {}
  bool ask(std::uint8_t family, std::uint8_t protocol, const SocketEnds* ends);
  int fd_;
  std::uint32_t sequence_ = 0;
};

}  // namespace weir::datapath
