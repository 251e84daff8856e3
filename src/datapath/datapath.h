// SPDX-License-Identifier: Apache-2.0
#pragma once

// Datapath: what every live way of frames through this program is to the rest of it: a bridge over packet sockets, one with
// XDP, a host's queue. It brings frames with time and port, carries out what the engine decided of them, and decides nothing.
//
//   poll → Engine::on_frames → (release …) → apply → poll …
//
// One thread, the lane's, makes all calls but fail(), which is the watchdog's. What a datapath loses it counts by name (Loss): those are
// no verdicts. Frames are numbered from 1 in the order in which poll() gives them; held ones are known by that number, and
// the datapath keeps a copy of them, from a pool that it takes at its start.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/address.h"
#include "base/result.h"
#include "facts/decision.h"
#include "facts/frame.h"

namespace weir::datapath {

/// What becomes of traffic when the engine does not answer: the process is gone, or the lane hangs.
enum class FailMode : std::uint8_t { Closed, Open };

/// How a port's frames are taken.
enum class Attach : std::uint8_t { None, Packet, XdpGeneric, XdpNative };

/// Why a frame was not carried on though no rule stopped it. Each has a counter and a name.
enum class Loss : std::uint8_t {
  RingFull,     ///< The kernel had no room for it: the lane was too slow.
  Truncated,    ///< It was longer than what is read.
  HeldFull,     ///< It had to wait, and the pool for held frames was full.
  NoPort,       ///< The way out has vanished or is down.
  TooLong,      ///< It is longer than the way out carries.
  SendFull,     ///< The way out had no room.
  SendFailed,   ///< The way out refused it.
  SamePort,     ///< Its destination is behind the port that it came in by: nothing to do, as in any bridge.
  LinkLocal,    ///< To a group address that no bridge forwards (IEEE 802.1D, table 7-10): it ends here.
  BadSource,    ///< Its source is a group address: no station has one.
  Early,        ///< It was stopped in front of the sockets, and the engine would have let it by: the rules changed meanwhile, or it knew a flow that the kernel had forgotten.
};
inline constexpr std::size_t kLosses = 11;
/// "ring-full" and the like, for status and events.
std::string_view name_of(Loss loss);
std::string_view name_of(Attach attach);
std::string_view name_of(FailMode mode);

struct Capabilities {
  bool settles = false;    ///< Settled flows are carried without the engine.
  bool outlives = false;   ///< The fail mode holds when the process was killed.
};

struct PortState {
  std::string name;
  Attach attach = Attach::None;
  std::string why;         ///< What kept it from a better way of attaching, or from any; empty if nothing did.
  bool present = false;    ///< The device is there; false while it has vanished.
  bool up = false;
  std::uint32_t mtu = 0;   ///< Of IP, as the system shows it.
  Mac mac;
  std::uint64_t frames_in = 0, bytes_in = 0, frames_out = 0, bytes_out = 0;
};

/// What stands in front of a host's packet sockets: what is certain from headers to be denied does not reach them.
struct EarlyStop {
  bool holds = false;      ///< On every device that packets come in by.
  std::string why;         ///< It does not.
  std::uint64_t stopped = 0;
  std::uint64_t untold = 0;  ///< Of those: counted only, there was no room to tell the engine.
};

struct DatapathCounters {
  std::uint64_t received = 0, sent = 0;  ///< Frames. Flooding sends one several times.
  std::uint64_t emitted = 0;             ///< Of those sent: made by the engine.
  std::uint64_t held_now = 0, held_bytes_now = 0;
  std::array<std::uint64_t, kLosses> lost{};
  std::uint64_t of(Loss loss) const { return lost[static_cast<std::size_t>(loss)]; }
};

/// What is stopped before it comes here: sources and budgets (EngineOptions::stopper).
struct StopState {
  bool able = false;
  bool asks_senders = false;  ///< Who sent a SYN is asked there too (guard `syn-cookies`).
  std::uint64_t packets = 0, sources_now = 0, budgets_now = 0, full = 0;
};

class Datapath {
 public:
  virtual ~Datapath() = default;

  /// Its name: `packet`, `xdp`, …
  virtual std::string_view kind() const = 0;
  virtual Capabilities capabilities() const = 0;
  /// By PortIndex: the order in which they were named at start, which never changes. Valid until the next call.
  virtual std::span<const PortState> ports() = 0;
  /// What a person should know at start: a limit of this way, an odd setting of a port. One sentence each.
  virtual std::span<const std::string> remarks() const = 0;
  virtual const DatapathCounters& counters() const = 0;
  virtual StopState stop_state() const { return {}; }

  /// Nothing: this way has no sockets of a host behind it.
  virtual std::optional<EarlyStop> early_stop() { return std::nullopt; }

  /// The time that frames are stamped with: for Engine::on_time where none comes.
  virtual Time now() = 0;
  /// Waits at most `wait_ns` for frames and gives some, at most out.size(); 0: none came. Their bytes live until apply().
  /// An error is final: nothing will ever come again.
  virtual Result<std::size_t> poll(std::span<Frame> out, Nanoseconds wait_ns) = 0;
  /// A frame that an earlier apply() held is decided: pass or drop. It goes out before what the next apply() sends.
  virtual void release(const Decision& decision) = 0;
  /// Carries out the answers to what poll() gave, in order, and the frames that they emit. `decisions[i]` answers `frames[i]`.
  virtual void apply(std::span<const Frame> frames, std::span<const Decision> decisions) = 0;

  /// The lane hangs: carry out this mode without it, from now on, whatever the lane still calls. Called from another thread,
  /// once. Nothing if it holds; else what kept it.
  virtual std::optional<Error> fail(FailMode mode) = 0;
  /// Leaves nothing behind in the system: programs, maps, settings. Frames that are still held are dropped.
  virtual void close() = 0;
};

}  // namespace weir::datapath
