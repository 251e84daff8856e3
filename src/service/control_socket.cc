// SPDX-License-Identifier: Apache-2.0
#include "service/control_socket.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace weir::service {
namespace {

Error failed(const std::string& what) { return {what + ": " + std::strerror(errno), errno}; }

bool address_of(const std::string& path, sockaddr_un& address) {
  address = {};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) return false;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return true;
}

/// Somebody listens there.
bool answers(const sockaddr_un& address) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const bool alive = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return alive;
}

void make_directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash != std::string::npos && slash != 0) ::mkdir(path.substr(0, slash).c_str(), 0755);  // If it is there, or cannot be: bind tells.
}

}  // namespace

Nanoseconds ControlSocket::now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * kSecond + now.tv_nsec;
}

Result<std::unique_ptr<ControlSocket>> ControlSocket::open(Options options) {
  sockaddr_un address;
  if (!address_of(options.path, address)) return Error{"`" + options.path + "` cannot be a socket's path: it has 1 to 107 bytes", EINVAL};
  make_directory_of(options.path);
  struct stat seen{};
  if (::lstat(options.path.c_str(), &seen) == 0) {
    if (!S_ISSOCK(seen.st_mode)) return Error{options.path + " is there and is no socket", EEXIST};
    if (answers(address)) return Error{"another weir listens at " + options.path, EADDRINUSE};
    ::unlink(options.path.c_str());
  }
  const int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (listener < 0) return failed("no socket");
  const mode_t before = ::umask(0177);
  const bool bound = ::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::umask(before);
  if (!bound) {
    const Error error = failed("cannot listen at " + options.path);
    ::close(listener);
    return error;
  }
  const int bell = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  const bool grouped = !options.group || (::chown(options.path.c_str(), static_cast<uid_t>(-1), *options.group) == 0 && ::chmod(options.path.c_str(), 0660) == 0);
  if (bell < 0 || !grouped || ::listen(listener, 16) != 0) {
    const Error error = failed("cannot listen at " + options.path);
    ::close(listener);
    if (bell >= 0) ::close(bell);
    ::unlink(options.path.c_str());
    return error;
  }
  return std::unique_ptr<ControlSocket>(new ControlSocket(std::move(options), listener, bell));
}

ControlSocket::~ControlSocket() { close(); }

void ControlSocket::start(Calls calls) {
  calls_ = std::move(calls);
  thread_ = std::thread([this] { run(); });
}

void ControlSocket::close() {
  if (listener_ < 0) return;
  ending_.store(true, std::memory_order_release);
  const std::uint64_t one = 1;
  (void)!::write(bell_, &one, sizeof one);
  if (thread_.joinable()) thread_.join();
  for (auto& [id, client] : clients_) {
    write_to(client);
    ::close(client.fd);
  }
  clients_.clear();
  ::close(listener_);
  ::close(bell_);
  listener_ = -1;
  ::unlink(options_.path.c_str());
}

void ControlSocket::post(std::function<void()> task) {
  {
    const std::lock_guard lock(posted_mutex_);
    posted_.push_back(std::move(task));
  }
  const std::uint64_t one = 1;
  (void)!::write(bell_, &one, sizeof one);
}

void ControlSocket::run() {
  std::vector<pollfd> polled;
  std::vector<ClientId> ids;
  while (!ending_.load(std::memory_order_acquire)) {
    polled.assign({{listener_, POLLIN, 0}, {bell_, POLLIN, 0}});
    ids.clear();
    for (auto& [id, client] : clients_) {
      const bool waits = client.sent < client.out.size();
      polled.push_back({client.fd, static_cast<short>((waits ? POLLOUT : 0) | (client.finished ? 0 : POLLIN)), 0});
      ids.push_back(id);
    }
    Nanoseconds due = now_ns() + kSecond;
    for (const auto& [name, timer] : timers_) due = std::min(due, timer.due_ns);
    const Nanoseconds wait = std::max<Nanoseconds>(due - now_ns(), 0);
    ::poll(polled.data(), polled.size(), static_cast<int>((wait + kMillisecond - 1) / kMillisecond));
    if ((polled[1].revents & POLLIN) != 0) {
      std::uint64_t rung;
      (void)!::read(bell_, &rung, sizeof rung);
    }
    run_posted();
    run_timers();
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const auto found = clients_.find(ids[i]);
      if (found == clients_.end()) continue;
      if ((polled[i + 2].revents & (POLLIN | POLLHUP | POLLERR)) != 0) read_from(ids[i], found->second);
    }
    if ((polled[0].revents & POLLIN) != 0) accept_client();
    sweep();
  }
}

void ControlSocket::accept_client() {
  const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) return;
  const bool room = clients_.size() < kClientsMax;
  if (!room || !may_speak(fd)) {
    ++refused_;
    const std::string_view why = room ? R"({"weir":1,"status":3,"error":"only root, the filter's own user and its group may speak to it"})"
                                      : R"({"weir":1,"status":3,"error":"too many clients speak to the filter now"})";
    (void)!::send(fd, (std::string(why) + "\n").c_str(), why.size() + 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    ::close(fd);
    return;
  }
  Client& client = clients_[next_client_++];
  client.fd = fd;
  client.since_ns = now_ns();
}

bool ControlSocket::may_speak(int fd) const {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  if (peer.uid == 0 || peer.uid == ::geteuid()) return true;
  if (!options_.group) return false;
  if (peer.gid == *options_.group) return true;
  gid_t groups[256];
  size = sizeof groups;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) != 0) return false;
  return std::find(groups, groups + size / sizeof groups[0], *options_.group) != groups + size / sizeof groups[0];
}

void ControlSocket::read_from(ClientId id, Client& client) {
  char buffer[16384];
  for (;;) {
    const ssize_t n = ::recv(client.fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
    if (n <= 0) {
      client.over = true;
      break;
    }
    client.in.append(buffer, static_cast<std::size_t>(n));
    if (client.in.size() > kRequestBytesMax) {
      client.over = true;
      ++let_go_;
      break;
    }
  }
  std::size_t begin = 0;
  for (std::size_t end; (end = client.in.find('\n', begin)) != std::string::npos; begin = end + 1) {
    client.spoke = true;
    const std::string line = client.in.substr(begin, end - begin);
    if (calls_.on_line && !client.finished) calls_.on_line(id, line);
  }
  client.in.erase(0, begin);
}

bool ControlSocket::send(ClientId id, std::string_view line) {
  const auto found = clients_.find(id);
  if (found == clients_.end() || found->second.over) return false;
  Client& client = found->second;
  if (client.out.size() - client.sent + line.size() + 1 > kWaitingBytesMax) write_to(client);
  if (client.out.size() - client.sent + line.size() + 1 > kWaitingBytesMax) {
    client.over = true;
    ++let_go_;
    return false;
  }
  if (client.sent > kWaitingBytesMax) {
    client.out.erase(0, client.sent);
    client.sent = 0;
  }
  client.out += line;
  client.out += '\n';
  return true;
}

std::size_t ControlSocket::waiting(ClientId id) const {
  const auto found = clients_.find(id);
  return found == clients_.end() ? 0 : found->second.out.size() - found->second.sent;
}

void ControlSocket::finish(ClientId id) {
  if (const auto found = clients_.find(id); found != clients_.end()) found->second.finished = true;
}

void ControlSocket::at(const std::string& name, Nanoseconds mono_ns, std::function<void()> task) { timers_[name] = {mono_ns, std::move(task)}; }

void ControlSocket::write_to(Client& client) {
  while (client.sent < client.out.size()) {
    const ssize_t n = ::send(client.fd, client.out.data() + client.sent, client.out.size() - client.sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (n < 0) {
      client.over = true;
      return;
    }
    client.sent += static_cast<std::size_t>(n);
  }
  client.out.clear();
  client.sent = 0;
}

/// Writes what waits, and lets those go that are over.
void ControlSocket::sweep() {
  const Nanoseconds now = now_ns();
  for (auto at = clients_.begin(); at != clients_.end();) {
    Client& client = at->second;
    if (!client.over) write_to(client);
    if (!client.spoke && now - client.since_ns > kSilenceMax) client.over = true;
    if (!client.over && !(client.finished && client.out.empty())) {
      ++at;
      continue;
    }
    ::close(client.fd);
    const ClientId id = at->first;
    at = clients_.erase(at);
    if (calls_.on_gone) calls_.on_gone(id);
  }
}

void ControlSocket::run_posted() {
  std::vector<std::function<void()>> tasks;
  {
    const std::lock_guard lock(posted_mutex_);
    tasks.swap(posted_);
  }
  for (auto& task : tasks) task();
}

void ControlSocket::run_timers() {
  const Nanoseconds now = now_ns();
  std::vector<std::function<void()>> due;
  for (auto at = timers_.begin(); at != timers_.end();) {
    if (at->second.due_ns > now) {
      ++at;
      continue;
    }
    due.push_back(std::move(at->second.task));
    at = timers_.erase(at);
  }
  for (auto& task : due) task();
}

}  // namespace weir::service
