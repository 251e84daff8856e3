// SPDX-License-Identifier: Apache-2.0
#pragma once

// KeptBindings: what guards of the second layer have learned, kept over a restart in a file of the filter's state, so that a station whose lease
// began before the restart is not taken for a stranger, nor a stranger's claim believed.
//
//   weir-bindings 1
//   arp|nd|source ADDRESS STATION PORT|- END         END: seconds of the wall clock
//   station STATION PORT                             a sticky address of port-security
//   end COUNT CHECKSUM                               of all bytes before it, 16 hexadecimal digits
//
// Lines are sorted. The file is written whole or not at all, some seconds after something changed and at the end, by a thread of its own: the lane
// walks its tables in slices and waits for nothing. What is read is believed whole or not at all: a file that is cut short, altered, longer than is ever
// written, or of another version is said and ignored. Ports are named, so that they may come in another order; bindings of ports that
// are gone, and those that have ended, are left out.

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"

namespace weir::service {

struct KeptBinding {
  engine::Learned::Of of = engine::Learned::Of::Arp;
  Ip ip;
  Mac mac;
  std::string port;          ///< Empty: none.
  std::int64_t until_s = 0;  ///< Wall clock. Of a station: 0.
};

/// The file's text.
std::string encode_bindings(const std::vector<KeptBinding>& bindings);
/// The error says what is wrong with it.
Result<std::vector<KeptBinding>> decode_bindings(std::string_view text);

class KeptBindings {
 public:
  static constexpr std::size_t kBindingsMax = std::size_t{1} << 20;
  static constexpr Nanoseconds kEvery = 5 * kSecond;

  /// `directory` is there. `say` is called by any thread.
  KeptBindings(std::string directory, std::function<void(const std::string&)> say);
  ~KeptBindings();
  KeptBindings(const KeptBindings&) = delete;
  KeptBindings& operator=(const KeptBindings&) = delete;

  /// Before the first frame: what the file has, into the engine. `ports`: their names, by PortIndex.
  void recall(engine::Engine& engine, const std::vector<std::string>& ports, Time now);
  /// On the lane, after each turn.
  void turn(engine::Engine& engine, Time now);
  /// On the lane, at the end: written before it returns.
  void finish(engine::Engine& engine, Time now);

  struct Numbers {
    std::size_t recalled = 0, left_out = 0;  ///< At the start.
    std::uint64_t written = 0;               ///< Times.
    std::string fault;                       ///< Why the file could not be written the last time; empty if it could.
  };
  Numbers numbers() const;

 private:
  void begin_walk(engine::Engine& engine, Time now);
  void walk(engine::Engine& engine, std::uint32_t slots);
  void hand_over();
  void write_files();

  const std::string directory_;
  const std::function<void(const std::string&)> say_;
  // The lane's.
  std::vector<KeptBinding> gathered_;
  std::vector<std::string> ports_;
  std::int64_t wall_offset_ns_ = 0;
  bool begun_ = false;
  std::uint32_t next_ = engine::Engine::kNoMore;
  Nanoseconds due_ns_ = 0, last_end_ns_ = 0;
  // Of both.
  mutable std::mutex mutex_;
  std::condition_variable wakes_;
  std::optional<std::vector<KeptBinding>> waiting_;
  bool ending_ = false;
  Numbers numbers_;
  std::thread writer_;
};

}  // namespace weir::service
