// SPDX-License-Identifier: Apache-2.0
#pragma once

// Camp: a host in small, for tests of senders: a folder, a control group and a network namespace of the test's own, in which it starts
// programs, and a datagram socket by which it hears them. Nothing outside is touched; all of it goes with the test.

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "datapath/host/senders.h"
#include "tests/kit/lab.h"

namespace weir::kit {

struct Heard {
  std::string text;
  datapath::SocketEnds ends;  ///< As the sender's socket has them.
};

class Camp {
 public:
  static constexpr std::uint16_t kPort = 5599;

  Camp() {
    char path[] = "/tmp/weir-camp-XXXXXX";
    if (mkdtemp(path) == nullptr) {
      why_not_ = "no folder can be made";
      return;
    }
    folder_ = path;
    chmod(path, 0755);
    if (geteuid() != 0) why_not_ = "only root may make a control group";
    constexpr long kUnified = 0x63677270;  // CGROUP2_SUPER_MAGIC
    for (const char* usual : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
      struct statfs about{};
      if (root_.empty() && statfs(usual, &about) == 0 && about.f_type == kUnified) root_ = usual;
    }
    if (root_.empty()) why_not_ = "there is no unified hierarchy of control groups";
    cgroup_ = "/weir-test-" + std::to_string(getpid()) + folder_.substr(folder_.rfind('-'));
    if (why_not_.empty() && mkdir((root_ + cgroup_).c_str(), 0755) != 0) why_not_ = "no control group can be made";
    if (!why_not_.empty()) return;
    ear_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in at = address();
    if (bind(ear_, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0) why_not_ = "the port of the test cannot be had";
    mkfifo(fifo().c_str(), 0600);
  }
  ~Camp() {
    senders_.reset();
    if (ear_ >= 0) close(ear_);
    for (const pid_t pid : started_) end(pid);
    if (!root_.empty() && !cgroup_.empty()) rmdir((root_ + cgroup_).c_str());
    std::error_code none;
    if (!folder_.empty()) std::filesystem::remove_all(folder_, none);
  }
  Camp(const Camp&) = delete;
  Camp& operator=(const Camp&) = delete;

  const std::string& why_not() const { return why_not_; }
  const std::string& folder() const { return folder_; }
  const std::string& cgroup_path() const { return cgroup_; }  ///< From the root of the hierarchy.
  std::string fifo() const { return folder_ + "/fifo"; }
  static std::string own_path() { return std::filesystem::read_symlink("/proc/self/exe").string(); }

  void open(datapath::SenderOptions options) {
    options.cgroup = root_ + cgroup_;
    auto made = datapath::Senders::open(options);
    if (made) senders_ = std::move(made.value());
    else why_not_ = made.error().message;
  }
  datapath::Senders* senders() { return senders_.get(); }

  std::string copy_of(const std::string& program, const std::string& name) {
    const std::string to = folder_ + "/" + name;
    std::error_code fault;
    std::filesystem::copy_file(program, to, fault);
    EXPECT_FALSE(fault) << program << ": " << fault.message();
    chmod(to.c_str(), 0755);
    return to;
  }
  /// Words of a shell (bash) that say something to the test.
  static std::string say(const std::string& text) { return "echo -n " + text + " > /dev/udp/127.0.0.1/" + std::to_string(kPort); }
  static std::string connected() { return "exec 3<>/dev/udp/127.0.0.1/" + std::to_string(kPort); }

  /// Begins a program in the control group.
  pid_t start(std::vector<std::string> words) {
    return start_here([words] {
      std::vector<char*> arguments;
      for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
      arguments.push_back(nullptr);
      execv(arguments[0], arguments.data());
      return 127;
    });
  }
  pid_t start_here(const std::function<int()>& body) {
    const pid_t pid = fork();
    if (pid == 0) {
      std::ofstream(root_ + cgroup_ + "/cgroup.procs") << getpid() << std::flush;
      _exit(body());
    }
    started_.push_back(pid);
    return pid;
  }
  /// The same, waited for, and what it said; empty if it said nothing.
  Heard run(std::vector<std::string> words) {
    exit_status_ = wait_for(start(std::move(words)));
    return hear(200);
  }
  Heard run_here(const std::function<int()>& body) {
    exit_status_ = wait_for(start_here(body));
    return hear(200);
  }
  int exit_status() const { return exit_status_; }
  int wait_for(pid_t pid) {
    int status = 0;
    waitpid(pid, &status, 0);
    std::erase(started_, pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  void end(pid_t pid) {
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    std::erase(started_, pid);
  }
  Heard hear(int wait_ms = 3000) {
    Heard out;
    pollfd ready{ear_, POLLIN, 0};
    if (poll(&ready, 1, wait_ms) != 1) return out;
    char text[256];
    sockaddr_in from{};
    socklen_t size = sizeof from;
    const ssize_t n = recvfrom(ear_, text, sizeof text, 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (n > 0) out.text.assign(text, static_cast<std::size_t>(n));
    out.ends = {.local = Ip::v4(ntohl(from.sin_addr.s_addr)), .remote = Ip::v4(INADDR_LOOPBACK), .local_port = ntohs(from.sin_port), .remote_port = kPort, .protocol = 17};
    return out;
  }
  const Sender* who(const Heard& heard) {
    return heard.ends.local_port == 0 ? nullptr : senders_->find(heard.ends, datapath::Way::Out);
  }
  void write_fifo(std::string_view text) const {
    const int to = ::open(fifo().c_str(), O_WRONLY | O_CLOEXEC);
    EXPECT_EQ(write(to, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    close(to);
  }
  // For what runs within this program.
  static sockaddr_in address() {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons(kPort);
    return at;
  }
  static bool connect_and_send(int fd, std::string_view text) {
    const sockaddr_in to = address();
    return connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0 && send(fd, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
  }
  static void speak(std::string_view text) { connect_and_send(socket(AF_INET, SOCK_DGRAM, 0), text); }

 private:
  std::string folder_, root_, cgroup_, why_not_;
  std::unique_ptr<datapath::Senders> senders_;
  std::vector<pid_t> started_;
  int ear_ = -1, exit_status_ = 0;
};

}  // namespace weir::kit
