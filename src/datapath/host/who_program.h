// SPDX-License-Identifier: Apache-2.0
#pragma once

// WhoProgram: the recorder of senders in the kernel (bpf/who.bpf.c), loaded and attached; its tables, one question each. Everything
// of it lives as long as this object: nothing is pinned, and what it refused it refuses no longer when the process is gone.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "bpf/who_abi.h"

struct weir_who;

namespace weir::datapath {

struct WhoOptions {
  std::string cgroup;  ///< A folder of the unified hierarchy.
  bool packet_sockets = true;  ///< Ask about what leaves by them; false: as where the kernel takes no such programs.
  std::uint32_t images_max = 32768, tasks_max = 65536, sockets_max = 262144;
};

class WhoProgram {
 public:
  static Result<std::unique_ptr<WhoProgram>> load(const WhoOptions& options);
  ~WhoProgram();
  WhoProgram(const WhoProgram&) = delete;
  WhoProgram& operator=(const WhoProgram&) = delete;

  /// Hooks that this kernel does not take, by name: what they would have told is not known.
  const std::vector<std::string>& missing() const { return missing_; }

  std::optional<weir_image> image(std::uint64_t id) const;
  std::optional<weir_task> task(std::uint32_t pid) const;
  std::optional<weir_owner> socket(std::uint64_t cookie) const;
  std::optional<weir_owner> closed(const weir_ends& ends) const;
  std::optional<weir_raw> raw(std::uint8_t protocol) const;
  std::uint64_t count(weir_who_counter which) const;

  // What ran before: never instead of what was recorded since.
  bool add_image(std::uint64_t id, const weir_image& image);
  bool add_task(std::uint32_t pid, const weir_task& task);
  bool add_socket(std::uint64_t cookie, const weir_owner& owner);
  /// Of an image whose parent ran before the program.
  void set_parent(std::uint64_t id, std::uint64_t parent);

  /// Next keys of tables, for what walks them in slices; `from` 0: from the beginning. nullopt: the end.
  std::optional<std::uint64_t> next_image(std::uint64_t from) const;
  std::optional<std::uint32_t> next_task(std::uint32_t from) const;
  void forget_image(std::uint64_t id);

  /// Rules that are decided at the call, in their order, whole. `named`: each path that they ask for, and which of them do.
  struct NamedPath {
    weir_named path;
    weir_bits bits;
  };
  std::optional<Error> refuse(const std::vector<weir_refusal>& refusals, const std::vector<NamedPath>& named);
  /// Calls with what was refused since. At most 64 at once.
  void for_each_refused(const std::function<void(const weir_refused&)>& call);

  /// Some rule refuses frames of packet sockets.
  bool refuses_packets() const;
  /// Programs for a device's way out, for frames that begin with Ethernet or with IP; -1: the kernel does not take them.
  int leaves_fd(bool ethernet) const;

  static std::uint64_t own_netns();

 private:
  WhoProgram() = default;
  std::optional<Error> attach(const std::string& cgroup);
  struct Close {
    void operator()(weir_who* skeleton) const;
  };
  int load_programs(const WhoOptions& options, bool packet_sockets);
  std::unique_ptr<weir_who, Close> skeleton_;
  std::vector<std::string> missing_;
  std::vector<weir_named> named_;
  struct Ring;
  std::unique_ptr<Ring> ring_;
  int cgroup_fd_ = -1;
  int cpus_ = 1;
};

}  // namespace weir::datapath
