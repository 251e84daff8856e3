// SPDX-License-Identifier: Apache-2.0
#pragma once

// HostRules: what stands in this network namespace's packet filter while a host is filtered. One nftables table of each IP version, of our
// own name, put there in one transaction and taken away in one; nobody else's rules are touched.
//
//   input, forward, output   at priority -10: behind connection tracking and the translation of destinations, so that both
//                            directions of a flow show the same addresses, and before the user's filter (0), so that what
//                            arrives is seen whatever is dropped later. What comes in by the loopback device has been asked
//                            about on its way out.
//   judge                    settled flows pass or are dropped by the mark of their connection; everything else is queued.
//
// The mark's field holds a verdict and a small number that changes with the rules in force: after a reload the marks of before say
// nothing. Without anyone at the queue the kernel drops what is queued (closed) or lets it by (open), also when the process was killed.
// Where the kernel lacks nftables' `queue`, iptables' NFQUEUE is used through nft_compat.

#include <cstdint>
#include <optional>
#include <string>

#include "datapath/datapath.h"
#include "datapath/host/netlink.h"

namespace weir::datapath {

/// The bits of a connection's mark that are ours, four or more side by side. 0: nothing is settled.
class MarkField {
 public:
  /// Nothing if the mask is not of one piece or too short.
  static std::optional<MarkField> of(std::uint32_t mask);

  std::uint32_t mask() const { return mask_; }
  std::uint32_t settled(std::uint32_t generation, bool pass) const { return value(1 + 2 * (generation % kGenerations) + (pass ? 0U : 1U)); }
  /// A flow that somebody outside the guarded control group began.
  std::uint32_t unguarded() const { return value(2 * kGenerations + 1); }
  /// After so many generations a mark means the same again.
  static constexpr std::uint32_t kGenerations = 6;

 private:
  explicit MarkField(std::uint32_t mask) : mask_(mask) {}
  std::uint32_t value(std::uint32_t field) const { return field << __builtin_ctz(mask_); }
  std::uint32_t mask_;
};

/// Part of the control group hierarchy: the number of its folder, and how deep below the root that is.
struct GuardedGroup {
  std::uint64_t id = 0;
  std::uint32_t level = 0;
};
/// Of a folder of a mounted hierarchy; level 0 is its root.
Result<GuardedGroup> guarded_group(const std::string& path);

struct HostRulesOptions {
  std::uint16_t queue = 0;
  FailMode fail = FailMode::Closed;
  MarkField mark = *MarkField::of(0x78000000);
  std::uint32_t own_mark = 0;          ///< On packets that this program sends: they are not asked about. Not 0.
  std::optional<GuardedGroup> group;   ///< Only what processes in it send; empty: everything.
  std::uint32_t loopback = 1;          ///< Index of the device.
};

class HostRules {
 public:
  /// Puts them in place of what an earlier run left. The error names what the kernel lacks.
  static Result<HostRules> install(const HostRulesOptions& options, std::uint32_t generation);
  HostRules(HostRules&&) noexcept = default;
  HostRules& operator=(HostRules&&) noexcept = default;

  /// Marks of this generation count from now on, those of others no more. No packet that waits is lost by it.
  std::optional<Error> use_generation(std::uint32_t generation);
  /// How packets are queued: "nftables queue" or "NFQUEUE through nft_compat".
  std::string_view how() const { return compat_ ? "NFQUEUE through nft_compat" : "nftables' queue"; }
  /// An earlier run had left its rules.
  bool taken_over() const { return taken_over_; }
  std::optional<Error> remove();

 private:
  HostRules(const HostRulesOptions& options, Netlink netlink) : options_(options), netlink_(std::move(netlink)) {}
  std::optional<Error> install_all(std::uint32_t generation);
  void put_table(NetlinkBatch& batch, std::uint8_t family) const;
  void put_judge(NetlinkBatch& batch, std::uint8_t family, std::uint32_t generation) const;
  void put_output(NetlinkBatch& batch, std::uint8_t family) const;

  HostRulesOptions options_;
  Netlink netlink_;
  bool compat_ = false, taken_over_ = false;
};

}  // namespace weir::datapath
