// SPDX-License-Identifier: Apache-2.0
#include "datapath/bridge/xdp_program.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <bridge.skel.h>
#include <linux/if_link.h>
#include <linux/magic.h>
#include <net/if.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <mutex>

#include "datapath/bridge/port_device.h"

namespace weir::datapath {
namespace {

constexpr const char* kUsualFileSystem = "/sys/fs/bpf";
constexpr const char* kOwnFileSystem = "/run/weir/bpf";
/// Beside a port's pin: the traffic control hook of its device was made by us, by this run or one before it.
constexpr const char* kOurHook = "+hook";  // No dot: such a file system refuses it.
constexpr std::uint32_t kPresence = 0;  ///< The one place of that table.

std::string said(int code) { return std::strerror(code < 0 ? -code : code); }

bool is_bpf_file_system(const std::string& path) {
  struct statfs about{};
  return statfs(path.c_str(), &about) == 0 && static_cast<std::uint64_t>(about.f_type) == BPF_FS_MAGIC;
}

/// Two filters in two network namespaces may name their ports alike.
std::string network_namespace() {
  struct stat about{};
  return stat("/proc/thread-self/ns/net", &about) == 0 ? std::to_string(about.st_ino) : "0";
}

/// What runs that were killed left in network namespaces that are gone since: their devices are no more.
void sweep(const std::string& root) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  std::vector<fs::path> dead;
  for (const fs::directory_entry& folder : fs::directory_iterator(root, ignored)) {
    for (const fs::directory_entry& pin : fs::directory_iterator(folder.path(), ignored)) {
      if (pin.path().native().ends_with(kOurHook)) continue;
      const int link = bpf_obj_get(pin.path().c_str());
      if (link < 0) continue;
      bpf_link_info about{};
      std::uint32_t size = sizeof about;
      if (bpf_obj_get_info_by_fd(link, &about, &size) == 0 && about.type == BPF_LINK_TYPE_XDP && about.xdp.ifindex == 0)
        dead.insert(dead.end(), {pin.path(), pin.path().string() + kOurHook});
      close(link);
    }
    dead.push_back(folder.path());  // Goes only if it is empty.
  }
  for (const fs::path& path : dead) fs::remove(path, ignored);
}

/// What libbpf says while it loads is kept for the error, and never printed.
thread_local std::string* g_said = nullptr;
int keep(enum libbpf_print_level level, const char* format, va_list arguments) {
  char line[512];
  if (g_said == nullptr || level != LIBBPF_WARN) return 0;
  vsnprintf(line, sizeof line, format, arguments);
  if (g_said->empty()) *g_said = line;
  return 0;
}

std::string hint_of(int code) {
  if (code == EPERM || code == EACCES) return "; programs in the kernel need root, or CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON";
  return "";
}

}  // namespace

void XdpProgram::Close::operator()(weir_bridge* skeleton) const { weir_bridge__destroy(skeleton); }

Result<std::unique_ptr<XdpProgram>> XdpProgram::load(const XdpOptions& options) {
  static std::once_flag once;
  std::call_once(once, [] { libbpf_set_print(keep); });
  std::string told;
  g_said = &told;
  std::unique_ptr<XdpProgram> program(new XdpProgram);
  program->options_ = options;
  program->skeleton_.reset(weir_bridge__open());
  weir_bridge* const skeleton = program->skeleton_.get();
  const auto refused = [&](int code) {
    g_said = nullptr;
    while (!told.empty() && told.back() == '\n') told.pop_back();
    return Error{"the kernel takes no program of the bridge: " + said(code) + (told.empty() ? "" : " (" + told + ")") + hint_of(code), code};
  };
  if (skeleton == nullptr) return refused(errno);
  bpf_map__set_max_entries(skeleton->maps.flows4, options.flows_max);
  bpf_map__set_max_entries(skeleton->maps.flows6, std::max<std::uint32_t>(options.flows_max / 4, 16));
  if (const int code = weir_bridge__load(skeleton); code != 0) return refused(-code);
  g_said = nullptr;
  program->cpus_ = std::max(libbpf_num_possible_cpus(), 1);
  volatile weir_config& config = program->config();
  config.generation = 1;
  config.fail = options.fail == FailMode::Open ? WEIR_FAIL_OPEN : WEIR_FAIL_CLOSED;
  std::uint32_t salt = 0;
  if (getrandom(&salt, sizeof salt, 0) != sizeof salt) salt = static_cast<std::uint32_t>(getpid());
  config.salt = salt;
  config.beat_max_ms = static_cast<std::uint32_t>(std::max<Nanoseconds>(options.hang_ns, 0) >> 20);
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  program->beat(static_cast<Nanoseconds>(now.tv_sec) * kSecond + now.tv_nsec);
  program->drained(static_cast<Nanoseconds>(now.tv_sec) * kSecond + now.tv_nsec);
  program->presence_ = program->hold_presence();
  config.presence = program->presence_ ? 1 : 0;
  if (!program->presence_) program->why_not_ = "the kernel has no AF_XDP sockets, by which the program sees that this process is gone";
  program->open_pins(options.pins);
  return program;
}

/// A socket of the process in the program's table: the kernel takes it out when the process ends, however it ends.
bool XdpProgram::hold_presence() {
  presence_fd_ = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
  return presence_fd_ >= 0 && bpf_map_update_elem(presence_map_fd(), &kPresence, &presence_fd_, BPF_ANY) == 0;
}

void XdpProgram::open_pins(const std::string& wanted) {
  std::string root = wanted;
  if (root.empty()) {
    root = kUsualFileSystem;
    if (!is_bpf_file_system(root)) {
      root = kOwnFileSystem;
      mkdir("/run/weir", 0755);
      mkdir(kOwnFileSystem, 0700);
      if (!is_bpf_file_system(root)) {
        if (mount("bpf", kOwnFileSystem, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") != 0) {
          why_not_ = std::string("there is no BPF file system at ") + kUsualFileSystem + ", and none can be mounted: " + said(errno);
          return;
        }
        mounted_ = kOwnFileSystem;
      }
    }
    root += "/weir";
    mkdir(root.c_str(), 0700);
  }
  sweep(root);
  pins_ = root + "/net-" + network_namespace();
  if (mkdir(pins_.c_str(), 0700) != 0 && errno != EEXIST) {
    why_not_ = "nothing can be pinned in " + root + ": " + said(errno);
    pins_.clear();
  }
}

XdpProgram::~XdpProgram() {
  // Without remove(): what is pinned stays, as when the process is killed.
  for (Port& port : ports_)
    if (port.link_fd >= 0) ::close(port.link_fd);
  if (presence_fd_ >= 0) ::close(presence_fd_);
}

bool XdpProgram::sends(const std::string& name, int ifindex, const Mac& mac) {
  const auto before = counted_by_driver(name, "xdp_xmit");
  if (!before) return true;  // Not a driver that counts so.
  // From the port to itself, of a type kept for experiments (IEEE 802, 9.2.3): nobody at the other end takes it.
  std::uint8_t frame[kProbeBytes] = {};
  std::memcpy(frame, mac.bytes.data(), 6);
  std::memcpy(frame + 6, mac.bytes.data(), 6);
  frame[12] = 0x88;
  frame[13] = 0xb5;
  xdp_md context{};
  context.data_end = sizeof frame;
  context.ingress_ifindex = static_cast<std::uint32_t>(ifindex);
  config().probe_ifindex = static_cast<std::uint32_t>(ifindex);
  bpf_test_run_opts run{};
  run.sz = sizeof run;
  run.data_in = frame;
  run.data_size_in = sizeof frame;
  run.ctx_in = &context;
  run.ctx_size_in = sizeof context;
  run.repeat = 1;
  run.flags = BPF_F_TEST_XDP_LIVE_FRAMES;
  if (bpf_prog_test_run_opts(bpf_program__fd(skeleton_->progs.weir_probe), &run) != 0) return true;  // It cannot be asked (before 5.18).
  return counted_by_driver(name, "xdp_xmit").value_or(0) > *before;
}

void XdpProgram::set_place(PortIndex place, int ifindex) {
  const std::uint32_t key = place, device = static_cast<std::uint32_t>(ifindex);
  bpf_map_update_elem(bpf_map__fd(skeleton_->maps.ports), &key, &device, BPF_ANY);
  bpf_map_update_elem(bpf_map__fd(skeleton_->maps.places), &device, &key, BPF_ANY);
  bpf_map_update_elem(bpf_map__fd(skeleton_->maps.devices), &key, &device, BPF_ANY);
}

namespace {

// Ours among the filters of a device: nobody else's has this priority and handle.
constexpr std::uint32_t kStandInPriority = 0xe19, kStandInHandle = 1;

bpf_tc_hook hook_of(int ifindex) {
  bpf_tc_hook hook{};
  hook.sz = sizeof hook;
  hook.ifindex = ifindex;
  hook.attach_point = BPF_TC_INGRESS;
  return hook;
}

}  // namespace

/// Fail mode open: the program that forwards behind the one of XDP; another mode: what a process before this one left there goes, since it
/// would take this one for dead. A filter of a device stays when its process is killed.
bool XdpProgram::set_stand_in(Port& port) {
  take_stand_in(port);
  if (options_.fail != FailMode::Open || !options_.stand_in) return true;
  bpf_tc_hook hook = hook_of(port.ifindex);
  const int made = bpf_tc_hook_create(&hook);
  if (made != 0 && made != -EEXIST) return false;
  // Who comes after this process was killed must know that it is ours, to take it away.
  const std::string mark = port.pin + kOurHook;
  if (made == 0 && !port.pin.empty()) (void)bpf_obj_pin(bpf_map__fd(skeleton_->maps.devices), mark.c_str());
  port.made_hook = port.made_hook || made == 0;
  bpf_tc_opts how{};
  how.sz = sizeof how;
  how.prog_fd = bpf_program__fd(skeleton_->progs.weir_stand_in);
  how.handle = kStandInHandle;
  how.priority = kStandInPriority;
  how.flags = BPF_TC_F_REPLACE;
  return bpf_tc_attach(&hook, &how) == 0;
}

void XdpProgram::take_stand_in(const Port& port) {
  bpf_tc_hook hook = hook_of(port.ifindex);
  bpf_tc_opts which{};
  which.sz = sizeof which;
  which.handle = kStandInHandle;
  which.priority = kStandInPriority;
  if (bpf_tc_query(&hook, &which) != 0) return;
  which.prog_fd = 0, which.prog_id = 0, which.flags = 0;
  bpf_tc_detach(&hook, &which);
}

/// What a process before this one pinned: its program goes, ours comes in its place.
std::optional<Attach> XdpProgram::take_over(Port& port, PortIndex place) {
  const int link = bpf_obj_get(port.pin.c_str());
  if (link < 0) return std::nullopt;
  bpf_link_info about{};
  std::uint32_t size = sizeof about;
  const bool ours = bpf_obj_get_info_by_fd(link, &about, &size) == 0 && about.type == BPF_LINK_TYPE_XDP &&
                    about.xdp.ifindex == static_cast<std::uint32_t>(port.ifindex);
  bpf_xdp_query_opts query{};
  query.sz = sizeof query;
  if (ours && bpf_xdp_query(port.ifindex, 0, &query) == 0) {
    const Attach mode = query.attach_mode == XDP_ATTACHED_SKB ? Attach::XdpGeneric : Attach::XdpNative;
    if (options_.force == Attach::None || options_.force == mode) {
      set_place(place, port.ifindex);
      if (bpf_link_update(link, program_fd(), nullptr) == 0) {
        port.link_fd = link;
        ++taken_over_;
        return mode;
      }
    }
  }
  ::close(link);
  unlink(port.pin.c_str());  // Of a device that is gone, or attached another way.
  return std::nullopt;
}

Result<Attach> XdpProgram::attach(PortIndex place, const std::string& name, int ifindex) {
  if (place >= WEIR_PORTS_MAX) return Error{"a bridge in the kernel has at most 64 ports", EINVAL};
  if (ports_.size() <= place) ports_.resize(place + std::size_t{1});
  detach(place);
  Port& port = ports_[place];
  port.ifindex = ifindex;
  port.pin = pins_.empty() ? "" : pins_ + "/" + name;
  port.made_hook = port.made_hook || (!port.pin.empty() && access((port.pin + kOurHook).c_str(), F_OK) == 0);
  config().ports = static_cast<std::uint32_t>(ports_.size());
  // Before the program in front of it: until both are there, frames go up to the engine.
  config().stand_in = set_stand_in(port) && options_.fail == FailMode::Open && options_.stand_in ? 1 : 0;
  if (!port.pin.empty())
    if (const auto mode = take_over(port, place)) return *mode;
  set_place(place, ifindex);
  int code = 0;
  for (const Attach mode : {Attach::XdpNative, Attach::XdpGeneric}) {
    if (options_.force != Attach::None && options_.force != mode) continue;
    bpf_link_create_opts how{};
    how.sz = sizeof how;
    how.flags = mode == Attach::XdpNative ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE;
    const int link = bpf_link_create(program_fd(), ifindex, BPF_XDP, &how);
    if (link < 0) {
      code = code == 0 || code == EOPNOTSUPP ? -link : code;
      if (-link == EBUSY || -link == EEXIST) break;
      continue;
    }
    port.link_fd = link;
    if (!port.pin.empty() && bpf_obj_pin(link, port.pin.c_str()) != 0) {
      why_not_ = "the program of port " + name + " cannot be pinned: " + said(errno);
      pins_.clear();
    }
    return mode;
  }
  if (code == EBUSY || code == EEXIST) return Error{"port " + name + " has an XDP program of someone else", code};
  return Error{"port " + name + " takes no XDP program: " + said(code) + hint_of(code), code};
}

void XdpProgram::detach(PortIndex place) {
  if (place >= ports_.size()) return;
  Port& port = ports_[place];
  if (port.link_fd < 0) return;
  take_stand_in(port);
  if (bpf_tc_hook hook = hook_of(port.ifindex); port.made_hook) {
    hook.attach_point = static_cast<bpf_tc_attach_point>(BPF_TC_INGRESS | BPF_TC_EGRESS);
    bpf_tc_hook_destroy(&hook);
    if (!port.pin.empty()) unlink((port.pin + kOurHook).c_str());
    port.made_hook = false;
  }
  if (!port.pin.empty()) unlink(port.pin.c_str());
  ::close(port.link_fd);
  port.link_fd = -1;
  const std::uint32_t key = place, device = static_cast<std::uint32_t>(port.ifindex);
  bpf_map_delete_elem(bpf_map__fd(skeleton_->maps.ports), &key);
  bpf_map_delete_elem(bpf_map__fd(skeleton_->maps.places), &device);
  const std::uint32_t none = 0;
  bpf_map_update_elem(bpf_map__fd(skeleton_->maps.devices), &key, &none, BPF_ANY);
}

void XdpProgram::remove() {
  for (std::size_t i = 0; i < ports_.size(); ++i) detach(static_cast<PortIndex>(i));
  if (!pins_.empty()) {
    rmdir(pins_.c_str());
    if (options_.pins.empty()) rmdir(pins_.substr(0, pins_.rfind('/')).c_str());  // Only if no other filter has something there.
    pins_.clear();
  }
  if (!mounted_.empty()) {
    // Another filter may use it by now: then it stays.
    if (access((mounted_ + "/weir").c_str(), F_OK) != 0 && umount2(mounted_.c_str(), 0) == 0) rmdir(mounted_.c_str());
    mounted_.clear();
  }
}

volatile weir_config& XdpProgram::config() { return skeleton_->bss->config; }
volatile weir_front& XdpProgram::front() { return skeleton_->bss->front; }

std::uint64_t XdpProgram::count(weir_counter which) const {
  std::vector<std::uint64_t> each(static_cast<std::size_t>(cpus_));
  const std::uint32_t key = which;
  if (bpf_map_lookup_elem(bpf_map__fd(skeleton_->maps.counters), &key, each.data()) != 0) return 0;
  std::uint64_t sum = 0;
  for (const std::uint64_t one : each) sum += one;
  return sum;
}

int XdpProgram::program_fd() const { return bpf_program__fd(skeleton_->progs.weir_bridge); }
int XdpProgram::flows_fd(bool v6) const { return bpf_map__fd(v6 ? skeleton_->maps.flows6 : skeleton_->maps.flows4); }
int XdpProgram::sources_fd() const { return bpf_map__fd(skeleton_->maps.sources); }
int XdpProgram::budgets_fd() const { return bpf_map__fd(skeleton_->maps.budgets); }
int XdpProgram::known_fd() const { return bpf_map__fd(skeleton_->maps.known); }
int XdpProgram::presence_map_fd() const { return bpf_map__fd(skeleton_->maps.presence); }

}  // namespace weir::datapath
