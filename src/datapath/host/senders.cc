// SPDX-License-Identifier: Apache-2.0
#include "datapath/host/senders.h"

#include <limits.h>
#include <linux/magic.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/hash.h"
#include "datapath/host/identity.h"
#include "datapath/host/proc.h"
#include "datapath/host/refusals.h"
#include "datapath/host/socket_diagnosis.h"
#include "datapath/host/who_program.h"
#include "facts/field_ids.h"
#include "facts/packet.h"

namespace weir::datapath {
namespace {

constexpr std::uint64_t kBefore = std::uint64_t{1} << 63;  ///< Numbers of images that ran before the program.
constexpr std::size_t kSlice = 64;                          ///< Entries of a table that one turn looks at.
constexpr std::int64_t kKeptFor = 180 * std::int64_t{1'000'000'000};  ///< An image whose last process ended.
constexpr std::int64_t kRescanAfter = 20'000'000;           ///< /proc is not walked more often,
constexpr std::int64_t kAddressesAfter = 1'000'000'000;     ///< nor the addresses of this host asked for.

std::int64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

bool is_unified(const std::string& path) {
  struct statfs about{};
  return statfs(path.c_str(), &about) == 0 && static_cast<std::uint64_t>(about.f_type) == CGROUP2_SUPER_MAGIC;
}

/// Where the unified hierarchy is mounted; empty if nowhere.
std::string unified_root() {
  for (const char* usual : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"})
    if (is_unified(usual)) return usual;
  return {};
}

/// A process in the kernel's first namespace of processes: its numbers are those that the program sees.
bool sees_all_processes() {
  char shown[64];
  const ssize_t size = readlink("/proc/self/ns/pid", shown, sizeof shown);
  return size > 0 && std::string_view(shown, static_cast<std::size_t>(size)) == "pid:[4026531836]";
}

std::string joined_args(std::string_view args) {
  while (!args.empty() && args.back() == '\0') args.remove_suffix(1);
  std::string out(args);
  std::replace(out.begin(), out.end(), '\0', ' ');
  return out;
}

/// Components, the last one first, each ended by a zero, as a path.
std::string path_of(const weir_image& image) {
  if ((image.flags & WEIR_IMAGE_CUT) != 0) return {};
  std::string out;
  std::string_view rest(image.path, std::min<std::size_t>(image.path_bytes, sizeof image.path));
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\0'), rest.size());
    const bool rootless = (image.flags & WEIR_IMAGE_ROOTLESS) != 0;
    out = (rootless ? "" : "/") + std::string(rest.substr(0, end)) + out;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return out;
}

weir_ends ends_of(const SocketEnds& ends) {
  weir_ends out{};
  if (!ends.local.is_unspecified()) std::memcpy(out.local_be, ends.local.bytes.data(), 16);
  if (!ends.remote.is_unspecified()) std::memcpy(out.remote_be, ends.remote.bytes.data(), 16);
  out.local_port = ends.local_port;
  out.remote_port = ends.remote_port;
  out.protocol = ends.protocol;
  return out;
}

/// A sender and the text that it points to.
struct Kept {
  std::string path, name, cmdline, sha256, user, uid, group, gid, cgroup, service, container_id;
  ContainerNames container;
  std::vector<std::string> parents;
  Sender sender;

  void finish(std::uint64_t id, std::uint32_t pid) {
    const std::size_t slash = path.rfind('/');
    name = slash == std::string::npos ? path : path.substr(slash + 1);
    sender.id = id == 0 ? 1 : id;
    sender.pid = pid;
    sender.path = path, sender.name = name, sender.cmdline = cmdline, sender.sha256 = sha256;
    sender.user = user, sender.uid = uid, sender.group = group, sender.gid = gid;
    sender.cgroup = cgroup, sender.service = service;
    sender.container_id = container_id, sender.container_name = container.name, sender.container_image = container.image;
    for (const std::string& parent : parents)
      if (sender.parents_count < Sender::kParentsMax) sender.parents[sender.parents_count++] = parent;
  }
};

class KernelSenders final : public Senders {
 public:
  explicit KernelSenders(const SenderOptions& options) : options_(options) {}
  std::optional<Error> start();

  const Sender* find(const SocketEnds& ends, Way way, std::uint32_t uid) override;
  void turn() override;
  std::uint32_t use(std::shared_ptr<const policy::RuleSet> rules) override;
  void for_each_refused(const std::function<void(const RefusedCall&)>& call) override;
  std::span<const std::string> remarks() const override { return remarks_; }
  void close() override {
    program_.reset();
    diagnosis_.reset();
  }
  WhoProgram* program() override { return program_.get(); }

 private:
  void walk_processes();
  void walk_sockets();
  std::optional<weir_owner> owner_of(const SocketEnds& ends);
  std::optional<weir_owner> owner_by_proc(std::uint64_t inode, std::uint32_t uid);
  const Sender* sender_of(const weir_owner& owner);
  void describe(Kept& kept, const weir_owner& owner);
  void describe_by_proc(Kept& kept, const weir_owner& owner);
  void add_parents(Kept& kept, const weir_image& image);
  void scan_sockets();
  void look_at_images();
  std::uint32_t refuse();

  SenderOptions options_;
  std::string unified_;
  std::vector<std::string> remarks_;
  std::unique_ptr<WhoProgram> program_;
  std::unique_ptr<SocketDiagnosis> diagnosis_;
  Identity identity_;
  Proc proc_;
  std::shared_ptr<const policy::RuleSet> rules_;
  std::vector<Ip> addresses_;
  std::int64_t addresses_ns_ = 0;
  bool all_processes_ = true, spare_ = false;
  struct Key {
    std::uint64_t image, start_ns, cgroup;
    std::uint32_t pid, uid, gid;
    auto operator<=>(const Key&) const = default;
  };
  std::map<Key, std::unique_ptr<Kept>> kept_;
  std::map<std::uint32_t, std::unique_ptr<Kept>> by_uid_;
  // Without the program: which process has which socket.
  std::unordered_map<std::uint64_t, std::uint32_t> pid_of_inode_;
  std::int64_t scanned_ns_ = 0;
  // The walk over images that nobody runs any more.
  std::optional<std::uint32_t> next_task_ = 0;
  std::optional<std::uint64_t> next_image_ = 0;
  std::unordered_set<std::uint64_t> alive_;
  std::unordered_map<std::uint64_t, std::int64_t> unused_since_;
};

std::optional<Error> KernelSenders::start() {
  unified_ = unified_root();
  all_processes_ = sees_all_processes();
  auto diagnosis = SocketDiagnosis::open();
  if (!diagnosis) return diagnosis.error();
  diagnosis_ = std::move(diagnosis.value());
  for (const auto& [protocol, name] : {std::pair{ip_protocol::kTcp, "TCP"}, std::pair{ip_protocol::kUdp, "UDP"}})
    if (!diagnosis_->knows(protocol)) remarks_.push_back(std::string("the kernel cannot tell which socket a packet of ") + name + " is of: its senders are unknown");
  const auto without = [&](const std::string& why) {
    remarks_.push_back(why + ": processes are read from /proc when they send, those that are gone by then are unknown, and no call is refused");
  };
  if (!options_.programs) {
    without("no program records processes");
  } else if (unified_.empty()) {
    without("there is no unified hierarchy of control groups");
  } else {
    WhoOptions wishes{.cgroup = options_.cgroup.empty() ? unified_ : options_.cgroup};
    wishes.images_max = options_.processes_max;
    wishes.tasks_max = options_.processes_max * 2;
    wishes.sockets_max = options_.sockets_max;
    auto program = WhoProgram::load(wishes);
    if (program) program_ = std::move(program.value());
    else without(program.error().message);
  }
  if (program_ != nullptr) {
    for (const std::string& hook : program_->missing()) remarks_.push_back("the control group takes no program at " + hook + ": what it would tell is unknown");
    if (all_processes_) {
      walk_processes();
      walk_sockets();
    } else {
      remarks_.push_back("this is not the first namespace of processes: those that ran before the start are unknown");
    }
  }
  return std::nullopt;
}

/// What ran before. Twice: who began during the first walk may have been begun by one that was not recorded yet.
void KernelSenders::walk_processes() {
  for (int round = 0; round < 2; ++round) {
    std::unordered_map<std::uint32_t, std::uint32_t> parents;
    std::vector<std::uint32_t> pids = proc_.pids();
    for (const std::uint32_t pid : pids) {
      if (round == 1 && program_->task(pid)) continue;
      const auto process = proc_.process(pid);
      if (!process) continue;
      parents[pid] = process->parent;
      const weir_task task{.image = kBefore | pid, .start_ns = process->start_ticks * 10'000'000};
      if (program_->task(pid)) continue;
      weir_image image{};
      image.exec_ns = task.start_ns;
      image.inode = process->inode;
      image.device = static_cast<std::uint32_t>(major(process->device) << 20 | minor(process->device));
      image.flags = WEIR_IMAGE_BEFORE | (process->rootless ? static_cast<std::uint32_t>(WEIR_IMAGE_ROOTLESS) : 0U);
      std::string reversed;
      std::string_view rest = process->path;
      while (!rest.empty()) {
        const std::size_t slash = rest.rfind('/');
        const std::string_view part = slash == std::string_view::npos || process->rootless ? rest : rest.substr(slash + 1);
        reversed += std::string(part) + '\0';
        rest = slash == std::string_view::npos || process->rootless ? std::string_view() : rest.substr(0, slash);
      }
      if (process->path.empty() || reversed.size() > sizeof image.path) image.flags |= WEIR_IMAGE_CUT;
      else reversed.copy(image.path, reversed.size());
      image.path_bytes = static_cast<std::uint32_t>(std::min(reversed.size(), sizeof image.path));
      image.args_bytes = static_cast<std::uint32_t>(std::min(process->cmdline.size(), sizeof image.args));
      process->cmdline.copy(image.args, image.args_bytes);
      program_->add_image(task.image, image);
      program_->add_task(pid, task);
    }
    for (const auto& [pid, parent] : parents) {
      const auto child = program_->task(pid), above = program_->task(parent);
      if (!child || !above) continue;
      const auto image = program_->image(child->image);
      if (image && image->parent == 0 && child->image != above->image) program_->set_parent(child->image, above->image);
    }
  }
}

/// Sockets that were opened before: whose process has the inode. Of several that have it, the first that is found.
void KernelSenders::walk_sockets() {
  scan_sockets();
  std::unordered_map<std::uint32_t, weir_owner> owners;
  diagnosis_->for_each([&](const DiagnosedSocket& socket) {
    const auto pid = pid_of_inode_.find(socket.inode);
    if (socket.inode == 0 || pid == pid_of_inode_.end()) return;
    auto owner = owners.find(pid->second);
    if (owner == owners.end()) {
      const auto task = program_->task(pid->second);
      const auto process = proc_.process(pid->second);
      if (!task || !process) return;
      weir_owner made{};
      made.image = task->image, made.start_ns = task->start_ns;
      made.pid = pid->second, made.uid = process->uid, made.gid = process->gid;
      owner = owners.emplace(pid->second, made).first;
    }
    program_->add_socket(socket.cookie, owner->second);
  });
}

void KernelSenders::scan_sockets() {
  pid_of_inode_.clear();
  for (const std::uint32_t pid : proc_.pids()) proc_.for_each_socket(pid, [&](std::uint64_t inode) { pid_of_inode_.emplace(inode, pid); });
  scanned_ns_ = monotonic_ns();
}

std::optional<weir_owner> KernelSenders::owner_by_proc(std::uint64_t inode, std::uint32_t uid) {
  if (inode == 0) return std::nullopt;
  auto found = pid_of_inode_.find(inode);
  if (found == pid_of_inode_.end() && monotonic_ns() - scanned_ns_ > kRescanAfter) {
    scan_sockets();
    found = pid_of_inode_.find(inode);
  }
  if (found == pid_of_inode_.end()) return std::nullopt;
  const auto process = proc_.process(found->second);
  if (!process) return std::nullopt;
  weir_owner owner{};
  owner.pid = found->second;
  owner.start_ns = process->start_ticks * 10'000'000;
  owner.uid = process->uid, owner.gid = process->gid;
  (void)uid;
  return owner;
}

std::optional<weir_owner> KernelSenders::owner_of(const SocketEnds& ends) {
  const auto socket = diagnosis_->find(ends);
  if (program_ == nullptr) return socket ? owner_by_proc(socket->inode, socket->uid) : std::nullopt;
  if (socket)
    if (const auto owner = program_->socket(socket->cookie)) return owner;
  // It was closed meanwhile: as it was connected, as it was bound, or bound to no address.
  SocketEnds tried = ends;
  for (int i = 0; i < 3; ++i) {
    if (i == 1) tried.remote = Ip{}, tried.remote_port = 0;
    if (i == 2) tried.local = Ip{};
    if (const auto owner = program_->closed(ends_of(tried))) return owner;
  }
  if (!socket) {
    // Packets without ports are of whoever has the only raw socket of their kind; IPPROTO_RAW sends anything.
    for (const std::uint8_t protocol : {ends.protocol, std::uint8_t{255}})
      if (const auto raw = program_->raw(protocol); raw && raw->sockets == 1) return raw->owner;
    return std::nullopt;
  }
  // What a listener accepted before anyone looked: it is the listener's.
  SocketEnds listening = ends;
  listening.remote = ends.local.is_v4() ? Ip::v4(0) : Ip{};
  listening.remote_port = 0;
  if (const auto listener = diagnosis_->find(listening))
    if (const auto owner = program_->socket(listener->cookie)) return owner;
  return owner_by_proc(socket->inode, socket->uid);
}

const Sender* KernelSenders::find(const SocketEnds& ends, Way, std::uint32_t uid) {
  if (diagnosis_ == nullptr) return nullptr;
  if (const auto owner = owner_of(ends)) return sender_of(*owner);
  if (uid == kNoUid) return nullptr;
  std::unique_ptr<Kept>& kept = by_uid_[uid];  // The user at least.
  if (kept == nullptr) {
    kept = std::make_unique<Kept>();
    kept->uid = std::to_string(uid);
    kept->user = identity_.user(uid);
    kept->finish(mix64(uid, kBefore), 0);
  }
  return &kept->sender;
}

const Sender* KernelSenders::sender_of(const weir_owner& owner) {
  const Key key{owner.image, owner.start_ns, owner.cgroup, owner.pid, owner.uid, owner.gid};
  std::unique_ptr<Kept>& kept = kept_[key];
  if (kept != nullptr) return &kept->sender;
  kept = std::make_unique<Kept>();
  describe(*kept, owner);
  kept->finish(mix64(mix64(owner.image, owner.start_ns), mix64(std::uint64_t{owner.pid} << 32 | owner.uid, owner.cgroup ^ owner.gid)), owner.pid);
  return &kept->sender;
}

void KernelSenders::describe(Kept& kept, const weir_owner& owner) {
  kept.uid = std::to_string(owner.uid), kept.user = identity_.user(owner.uid);
  kept.gid = std::to_string(owner.gid), kept.group = identity_.group(owner.gid);
  if (owner.cgroup != 0 && !unified_.empty()) kept.cgroup = identity_.cgroup(unified_, owner.cgroup);
  const auto image = program_ != nullptr && owner.image != 0 ? program_->image(owner.image) : std::nullopt;
  if (image) {
    kept.path = path_of(*image);
    kept.cmdline = joined_args({image->args, std::min<std::size_t>(image->args_bytes, sizeof image->args)});
    add_parents(kept, *image);
    if (options_.hashes) {
      kept.sha256 = identity_.sha256(proc_.folder(owner.pid) + "/exe", image->inode);  // Also where the file is gone.
      if (kept.sha256.empty() && !kept.path.empty()) kept.sha256 = identity_.sha256(kept.path, image->inode);
    }
  }
  const bool still_there = all_processes_ && (program_ == nullptr || [&] {
    const auto task = program_->task(owner.pid);
    return task && task->start_ns == owner.start_ns && task->image == owner.image;
  }());
  if (still_there) describe_by_proc(kept, owner);
  kept.service = service_of(kept.cgroup);
  kept.container_id = container_of(kept.cgroup);
  if (!kept.container_id.empty()) kept.container = identity_.container(kept.container_id);
}

/// What is still missing of a process that lives.
void KernelSenders::describe_by_proc(Kept& kept, const weir_owner& owner) {
  if (kept.cgroup.empty()) kept.cgroup = proc_.cgroup_of(owner.pid);
  if (!kept.path.empty()) return;
  const auto process = proc_.process(owner.pid);
  if (!process || (program_ == nullptr && process->start_ticks * 10'000'000 != owner.start_ns)) return;
  kept.path = process->path;
  kept.cmdline = joined_args(process->cmdline);
  if (options_.hashes) kept.sha256 = identity_.sha256(proc_.folder(owner.pid) + "/exe", process->inode);
  if (program_ != nullptr) return;  // Its ancestors are recorded.
  for (std::uint32_t above = process->parent; above > 0 && kept.parents.size() < Sender::kParentsMax;) {
    const auto parent = proc_.process(above);
    if (!parent) break;
    kept.parents.push_back(parent->path.empty() ? std::string(kUnknownSender) : parent->path);
    above = parent->parent;
  }
}

void KernelSenders::add_parents(Kept& kept, const weir_image& image) {
  for (std::uint64_t above = image.parent; above != 0 && kept.parents.size() < Sender::kParentsMax;) {
    const auto parent = program_->image(above);
    if (!parent) {
      kept.parents.emplace_back(kUnknownSender);
      return;
    }
    const std::string path = path_of(*parent);
    const bool kernel_thread = path.empty() && parent->inode == 0 && (parent->flags & WEIR_IMAGE_BEFORE) != 0;
    if (!kernel_thread) kept.parents.push_back(path.empty() ? std::string(kUnknownSender) : path);
    above = parent->parent;
  }
}

void KernelSenders::turn() {
  if (spare_ || kept_.size() > options_.processes_max) {
    kept_.clear();
    spare_ = false;
  }
  if (by_uid_.size() > 4096) by_uid_.clear();
  if (program_ == nullptr) return;
  look_at_images();
  if (rules_ == nullptr || monotonic_ns() - addresses_ns_ < kAddressesAfter) return;
  addresses_ns_ = monotonic_ns();
  if (std::vector<Ip> now = own_addresses(); now != addresses_) refuse();
}

std::uint32_t KernelSenders::use(std::shared_ptr<const policy::RuleSet> rules) {
  const bool hashes = rules->wants(field::kProcessSha256);
  spare_ = spare_ || hashes != options_.hashes;
  options_.hashes = hashes;
  rules_ = std::move(rules);
  return program_ == nullptr ? 0 : refuse();
}

/// Which rules are certain at the call depends on the addresses that this host has.
std::uint32_t KernelSenders::refuse() {
  addresses_ = own_addresses();
  const Refusals refusals = refusals_of(rules_->policy(), {.addresses = addresses_,
                                                  .uid_of = [this](std::string_view name) { return identity_.uid_of(name); },
                                                  .gid_of = [this](std::string_view name) { return identity_.gid_of(name); }});
  if (!program_->refuse(refusals.rows, refusals.named)) return refusals.rules;
  (void)program_->refuse({}, {});  // The engine decides all of it.
  return 0;
}

void KernelSenders::for_each_refused(const std::function<void(const RefusedCall&)>& call) {
  if (program_ == nullptr) return;
  program_->for_each_refused([&](const weir_refused& told) {
    RefusedCall out{.rule = told.rule, .sender = sender_of(told.owner), .mono_ns = static_cast<Nanoseconds>(told.at_ns)};
    out.call = told.call == WEIR_AT_CONNECT ? "connect" : told.call == WEIR_AT_SEND ? "send" : told.call == WEIR_AT_BIND ? "bind" : told.call == WEIR_AT_PACKET ? "packet" : "socket";
    out.has_ip = told.ends.protocol != WEIR_NO_IP;
    out.ends = {.local = Ip::v6_bytes(told.ends.local_be), .remote = Ip::v6_bytes(told.ends.remote_be), .local_port = told.ends.local_port,
                .remote_port = told.ends.remote_port, .protocol = static_cast<std::uint8_t>(told.ends.protocol)};
    call(out);
  });
}

/// A slice of the walk: first which images run, with what led to them, then those that do not. An image goes when nothing ran it for a
/// while: a packet of a process that ended may still come.
void KernelSenders::look_at_images() {
  for (std::size_t i = 0; i < kSlice && next_task_; ++i) {
    next_task_ = program_->next_task(*next_task_);
    if (!next_task_) break;
    const auto task = program_->task(*next_task_);
    for (std::uint64_t id = task ? task->image : 0; id != 0 && alive_.insert(id).second;) {
      const auto image = program_->image(id);
      id = image ? image->parent : 0;
    }
  }
  if (next_task_) return;
  const std::int64_t now = monotonic_ns();
  for (std::size_t i = 0; i < kSlice && next_image_; ++i) {
    const std::uint64_t id = *next_image_;
    next_image_ = program_->next_image(id);
    if (id == 0) continue;
    if (alive_.contains(id)) {
      unused_since_.erase(id);
    } else if (const auto [since, fresh] = unused_since_.emplace(id, now); !fresh && now - since->second > kKeptFor) {
      unused_since_.erase(since);
      program_->forget_image(id);
    }
  }
  if (next_image_) return;
  next_task_ = 0, next_image_ = 0;
  alive_.clear();
}

}  // namespace

engine::AlertRecord alert_of(const RefusedCall& call, const policy::RuleSet& rules, Time now) {
  engine::AlertRecord record;
  record.rule = call.rule;
  record.action = call.rule < rules.policy().rules.size() ? rules.policy().rules[call.rule].action : policy::Action::Drop;
  record.reason = Reason::Refused;
  record.blocked = true;
  record.wall_ns = now.wall_ns - (now.mono_ns - call.mono_ns);
  record.has_ip = call.has_ip;
  record.src = call.ends.local, record.dst = call.ends.remote;
  record.src_port = call.ends.local_port, record.dst_port = call.ends.remote_port;
  record.protocol = call.ends.protocol;
  record.sender = call.sender;
  return record;
}

Result<std::unique_ptr<Senders>> Senders::open(const SenderOptions& options) {
  auto senders = std::make_unique<KernelSenders>(options);
  if (auto fault = senders->start()) return *fault;
  return std::unique_ptr<Senders>(std::move(senders));
}

}  // namespace weir::datapath
