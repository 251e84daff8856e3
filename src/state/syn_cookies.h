// SPDX-License-Identifier: Apache-2.0
#pragma once

// SynCookies: who sent a SYN is asked by an answer that only its real sender can give back (guard `syn-cookies`). The answer is a SYN-ACK that
// acknowledges a number before the SYN's own: a client that sent the SYN must answer with a reset whose number is that acknowledgement
// (RFC 9293, 3.10.7.3 and 3.5.2), and sends its SYN again (Linux at once, others when their timer ends). The number's lower half is a keyed hash of
// the ends and the time; so nothing is remembered of what was asked, only of what was answered: which SYN may pass, by ends and number.
//
//   acknowledged   the number in (seq - 65536, seq] whose lower 16 bits are the hash: near enough to the SYN's that what keeps states on the client's way takes it for an old one
//   proof          lasts kProvenFor for a SYN with the same ends whose number the acknowledgement could have been made of
//
// Who guesses needs some 30,000 resets for one SYN. A forged source that is a living host is proven by that host's reset; its SYN passes, and
// the same host resets what the server answers: nothing stays half open. Where the client's own side drops the odd SYN-ACK, it is not let in
// while the flood lasts. The program in the kernel does the same (bpf/syn_cookie.h).

#include <array>
#include <cstring>

#include "base/address.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/siphash.h"
#include "state/bounded_map.h"

namespace weir::state {

/// Who asks whom.
struct SynEnds {
  Ip from, to;
  std::uint16_t from_port = 0, to_port = 0;
};

class SynCookies {
 public:
  static constexpr Nanoseconds kProvenFor = 10 * kSecond;
  static constexpr int kSlotShift = 34;               ///< A hash is good for its slot of 17 s and the one after it.
  static constexpr std::uint32_t kNoSlot = UINT32_MAX;  ///< Of the key under which a proof is remembered.

  SynCookies(std::uint64_t seed, std::size_t capacity) : key_{mix64(seed, 0x73796e), mix64(seed, 0x636f6f)}, proofs_(capacity) {}

  const SipKey& key() const { return key_; }
  static std::uint64_t hash(const SipKey& key, const SynEnds& ends, std::uint32_t slot) {
    std::array<std::uint64_t, 5> words;
    std::memcpy(&words[0], ends.from.bytes.data(), 16);
    std::memcpy(&words[2], ends.to.bytes.data(), 16);
    words[4] = std::uint64_t{ends.from_port} << 48 | std::uint64_t{ends.to_port} << 32 | slot;
    return siphash(key, words);
  }

  /// What the answer to this SYN acknowledges.
  std::uint32_t acknowledged(const SynEnds& ends, std::uint32_t seq, Nanoseconds now_ns) const {
    const auto lower = static_cast<std::uint16_t>(hash(key_, ends, slot_of(now_ns)));
    return seq - static_cast<std::uint16_t>(seq - lower);
  }
  /// A reset of that number came from the same end: true if it is the answer, and then it is remembered.
  bool prove(const SynEnds& ends, std::uint32_t seq, Nanoseconds now_ns) {
    const std::uint32_t slot = slot_of(now_ns);
    const auto of = [&](std::uint32_t of_slot) { return static_cast<std::uint16_t>(hash(key_, ends, of_slot)); };
    if (static_cast<std::uint16_t>(seq) != of(slot) && static_cast<std::uint16_t>(seq) != of(slot - 1)) return false;
    const std::uint64_t place = hash(key_, ends, kNoSlot);
    *proofs_.insert(place, place, now_ns, kProvenFor) = seq;
    return true;
  }
  /// The sender of this SYN has answered for it.
  bool proven(const SynEnds& ends, std::uint32_t seq, Nanoseconds now_ns) {
    const std::uint64_t place = hash(key_, ends, kNoSlot);
    const std::uint32_t* const acknowledged = proofs_.find(place, place, now_ns, kProvenFor);
    return acknowledged != nullptr && seq - *acknowledged < 65536;
  }

 private:
  static std::uint32_t slot_of(Nanoseconds now_ns) { return static_cast<std::uint32_t>(now_ns >> kSlotShift); }
  SipKey key_;
  BoundedMap<std::uint64_t, std::uint32_t> proofs_;
};

}  // namespace weir::state
