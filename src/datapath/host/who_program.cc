// SPDX-License-Identifier: Apache-2.0
#include "datapath/host/who_program.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <who.skel.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace weir::datapath {
namespace {

std::string said(int code) { return std::strerror(code < 0 ? -code : code); }

/// What libbpf says while it loads is kept for the error, and never printed.
thread_local std::string* g_told = nullptr;
int keep(enum libbpf_print_level level, const char* format, va_list arguments) {
  char line[512];
  if (g_told == nullptr || level != LIBBPF_WARN) return 0;
  vsnprintf(line, sizeof line, format, arguments);
  if (g_told->empty()) *g_told = line;
  return 0;
}

/// Holds libbpf's words for as long as it lives.
class Listening {
 public:
  Listening() : before_(libbpf_set_print(keep)) { g_told = &told_; }
  ~Listening() {
    g_told = nullptr;
    libbpf_set_print(before_);
  }
  std::string told() const {
    std::string out = told_;
    while (!out.empty() && out.back() == '\n') out.pop_back();
    return out.empty() ? "" : " (" + out + ")";
  }

 private:
  std::string told_;
  libbpf_print_fn_t before_;
};

template <typename Value, typename Key>
std::optional<Value> looked_up(const bpf_map* map, const Key& key) {
  Value value;
  if (bpf_map_lookup_elem(bpf_map__fd(map), &key, &value) != 0) return std::nullopt;
  return value;
}

template <typename Key>
std::optional<Key> next_of(const bpf_map* map, Key from) {
  Key next{};
  if (bpf_map_get_next_key(bpf_map__fd(map), from == 0 ? nullptr : &from, &next) != 0) return std::nullopt;
  return next;
}

}  // namespace

struct WhoProgram::Ring {
  ring_buffer* buffer = nullptr;
  const std::function<void(const weir_refused&)>* call = nullptr;
  std::size_t left = 0;
  ~Ring() {
    if (buffer != nullptr) ring_buffer__free(buffer);
  }
  static int take(void* context, void* bytes, std::size_t size) {
    Ring& ring = *static_cast<Ring*>(context);
    weir_refused told;
    if (size >= sizeof told && ring.call != nullptr) {
      std::memcpy(&told, bytes, sizeof told);
      (*ring.call)(told);
    }
    return --ring.left == 0 ? -1 : 0;  // A negative answer ends the round; what is left comes with the next.
  }
};

void WhoProgram::Close::operator()(weir_who* skeleton) const { weir_who__destroy(skeleton); }

std::uint64_t WhoProgram::own_netns() {
  std::uint64_t cookie = 0;
  socklen_t size = sizeof cookie;
  const int any = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (any < 0) return 0;
  constexpr int kNetnsCookie = 71;  // SO_NETNS_COOKIE, 5.14
  if (getsockopt(any, SOL_SOCKET, kNetnsCookie, &cookie, &size) != 0) cookie = 0;
  ::close(any);
  return cookie;
}

/// 0, or the error.
int WhoProgram::load_programs(const WhoOptions& options, bool packet_sockets) {
  skeleton_.reset(weir_who__open());
  weir_who* const skeleton = skeleton_.get();
  if (skeleton == nullptr) return errno;
  bpf_map__set_max_entries(skeleton->maps.images, std::max<std::uint32_t>(options.images_max, 16));
  bpf_map__set_max_entries(skeleton->maps.tasks, std::max<std::uint32_t>(options.tasks_max, 16));
  bpf_map__set_max_entries(skeleton->maps.sockets, std::max<std::uint32_t>(options.sockets_max, 16));
  for (bpf_program* const each : {skeleton->progs.weir_frame_leaves, skeleton->progs.weir_packet_leaves, skeleton->progs.weir_set_option})
    bpf_program__set_autoload(each, packet_sockets);
  return -weir_who__load(skeleton);
}

Result<std::unique_ptr<WhoProgram>> WhoProgram::load(const WhoOptions& options) {
  Listening listening;
  std::unique_ptr<WhoProgram> program(new WhoProgram);
  int code = program->load_programs(options, options.packet_sockets);
  if (code != 0 && options.packet_sockets) code = program->load_programs(options, false);  // A kernel that has the rest.
  if (code != 0) {
    const bool no_right = code == EPERM || code == EACCES;
    return Error{"the kernel takes no program that records processes: " + said(code) + listening.told() +
                     (no_right ? "; that needs root, or CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON" : ""),
                 code};
  }
  weir_who* const skeleton = program->skeleton_.get();
  program->cpus_ = std::max(libbpf_num_possible_cpus(), 1);
  skeleton->bss->config.netns = own_netns();
  skeleton->bss->config.generation = 1;
  if (auto fault = program->attach(options.cgroup)) return *fault;
  program->ring_ = std::make_unique<Ring>();
  program->ring_->buffer = ring_buffer__new(bpf_map__fd(skeleton->maps.refused), Ring::take, program->ring_.get(), nullptr);
  return program;
}

/// Tracepoints must hold; of the hooks each may be missing on its own.
std::optional<Error> WhoProgram::attach(const std::string& cgroup) {
  weir_who& s = *skeleton_;
  struct Hook {
    bpf_program* program;
    bpf_link** link;
    const char* name;
  };
  for (const Hook& hook : {Hook{s.progs.weir_fork, &s.links.weir_fork, "fork"}, Hook{s.progs.weir_exec, &s.links.weir_exec, "exec"},
                           Hook{s.progs.weir_exit, &s.links.weir_exit, "exit"}}) {
    *hook.link = bpf_program__attach(hook.program);
    if (*hook.link == nullptr) return Error{std::string("the kernel lets no program see ") + hook.name + ": " + said(errno), errno};
  }
  cgroup_fd_ = open(cgroup.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (cgroup_fd_ < 0) return Error{"the control group " + cgroup + " cannot be opened: " + said(errno), errno};
  for (const Hook& hook :
       {Hook{s.progs.weir_release, &s.links.weir_release, "sock_release"}, Hook{s.progs.weir_create, &s.links.weir_create, "sock_create"},
        Hook{s.progs.weir_connect4, &s.links.weir_connect4, "connect4"}, Hook{s.progs.weir_connect6, &s.links.weir_connect6, "connect6"},
        Hook{s.progs.weir_send4, &s.links.weir_send4, "sendmsg4"}, Hook{s.progs.weir_send6, &s.links.weir_send6, "sendmsg6"},
        Hook{s.progs.weir_set_option, &s.links.weir_set_option, "setsockopt"}, Hook{s.progs.weir_bind4, &s.links.weir_bind4, "bind4"}, Hook{s.progs.weir_bind6, &s.links.weir_bind6, "bind6"}}) {
    if (bpf_program__fd(hook.program) >= 0) *hook.link = bpf_program__attach_cgroup(hook.program, cgroup_fd_);
    if (*hook.link == nullptr) missing_.push_back(hook.name);
  }
  if (missing_.size() == 9) return Error{"the control group " + cgroup + " takes no program: is it of the unified hierarchy?", EINVAL};
  return std::nullopt;
}

bool WhoProgram::refuses_packets() const { return skeleton_->bss->config.packets != 0; }

int WhoProgram::leaves_fd(bool ethernet) const {
  return bpf_program__fd(ethernet ? skeleton_->progs.weir_frame_leaves : skeleton_->progs.weir_packet_leaves);
}

WhoProgram::~WhoProgram() {
  ring_.reset();
  skeleton_.reset();
  if (cgroup_fd_ >= 0) ::close(cgroup_fd_);
}

std::optional<weir_image> WhoProgram::image(std::uint64_t id) const { return looked_up<weir_image>(skeleton_->maps.images, id); }
std::optional<weir_task> WhoProgram::task(std::uint32_t pid) const { return looked_up<weir_task>(skeleton_->maps.tasks, pid); }
std::optional<weir_owner> WhoProgram::socket(std::uint64_t cookie) const { return looked_up<weir_owner>(skeleton_->maps.sockets, cookie); }
std::optional<weir_owner> WhoProgram::closed(const weir_ends& ends) const { return looked_up<weir_owner>(skeleton_->maps.closed, ends); }
std::optional<weir_raw> WhoProgram::raw(std::uint8_t protocol) const {
  return looked_up<weir_raw>(skeleton_->maps.raws, std::uint32_t{protocol});
}

std::uint64_t WhoProgram::count(weir_who_counter which) const {
  std::vector<std::uint64_t> each(static_cast<std::size_t>(cpus_));
  const std::uint32_t key = which;
  if (bpf_map_lookup_elem(bpf_map__fd(skeleton_->maps.counters), &key, each.data()) != 0) return 0;
  std::uint64_t sum = 0;
  for (const std::uint64_t one : each) sum += one;
  return sum;
}

bool WhoProgram::add_image(std::uint64_t id, const weir_image& image) {
  return bpf_map_update_elem(bpf_map__fd(skeleton_->maps.images), &id, &image, BPF_NOEXIST) == 0;
}
bool WhoProgram::add_task(std::uint32_t pid, const weir_task& task) {
  return bpf_map_update_elem(bpf_map__fd(skeleton_->maps.tasks), &pid, &task, BPF_NOEXIST) == 0;
}
bool WhoProgram::add_socket(std::uint64_t cookie, const weir_owner& owner) {
  return bpf_map_update_elem(bpf_map__fd(skeleton_->maps.sockets), &cookie, &owner, BPF_NOEXIST) == 0;
}
void WhoProgram::set_parent(std::uint64_t id, std::uint64_t parent) {
  auto known = image(id);
  if (!known) return;
  known->parent = parent;
  known->generation = 0;
  bpf_map_update_elem(bpf_map__fd(skeleton_->maps.images), &id, &*known, BPF_EXIST);
}

std::optional<std::uint64_t> WhoProgram::next_image(std::uint64_t from) const { return next_of(skeleton_->maps.images, from); }
std::optional<std::uint32_t> WhoProgram::next_task(std::uint32_t from) const { return next_of(skeleton_->maps.tasks, from); }
void WhoProgram::forget_image(std::uint64_t id) { bpf_map_delete_elem(bpf_map__fd(skeleton_->maps.images), &id); }

std::optional<Error> WhoProgram::refuse(const std::vector<weir_refusal>& refusals, const std::vector<NamedPath>& named) {
  volatile weir_who_config& config = skeleton_->bss->config;
  if (refusals.size() > WEIR_REFUSALS_MAX) return Error{"more rules than are decided at the call", E2BIG};
  // While they change none holds: the engine decides, as it does for all that is not refused here.
  config.refusals = 0;
  config.packets = 0;
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  for (const weir_named& path : named_) bpf_map_delete_elem(bpf_map__fd(skeleton_->maps.named), &path);
  named_.clear();
  for (const NamedPath& path : named) {
    if (bpf_map_update_elem(bpf_map__fd(skeleton_->maps.named), &path.path, &path.bits, BPF_ANY) != 0)
      return Error{"a path cannot be told to the kernel: " + said(errno), errno};
    named_.push_back(path.path);
  }
  for (std::uint32_t i = 0; i < refusals.size(); ++i)
    if (bpf_map_update_elem(bpf_map__fd(skeleton_->maps.refusals), &i, &refusals[i], BPF_ANY) != 0)
      return Error{"a rule cannot be told to the kernel: " + said(errno), errno};
  config.generation = config.generation + 1;
  config.packets = std::any_of(refusals.begin(), refusals.end(), [](const weir_refusal& r) { return r.then == WEIR_THEN_REFUSE && (r.at & WEIR_AT_PACKET) != 0; });
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  config.refusals = static_cast<std::uint32_t>(refusals.size());
  return std::nullopt;
}

void WhoProgram::for_each_refused(const std::function<void(const weir_refused&)>& call) {
  if (ring_ == nullptr || ring_->buffer == nullptr) return;
  ring_->call = &call;
  ring_->left = 64;
  ring_buffer__consume(ring_->buffer);
  ring_->call = nullptr;
}

}  // namespace weir::datapath
