// SPDX-License-Identifier: Apache-2.0
#include "cli/control_client.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "service/control.h"

namespace weir::cli {

using nlohmann::json;

void add_spoken_options(CLI::App& app, Spoken& spoken) {
  spoken.socket = service::kDefaultSocket;
  app.add_option("--socket", spoken.socket, "where the filter listens")->capture_default_str();
  app.add_flag("--json", spoken.json, "print JSON");
}

namespace {

/// A connection, or -1 and why in errno.
int try_connect(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  errno = ENAMETOOLONG;
  if (path.empty() || path.size() >= sizeof address.sun_path) return -1;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  const int code = errno;
  if (fd >= 0) ::close(fd);
  errno = code;
  return -1;
}

/// A connection, or -1 and a complaint.
int connect_to(const std::string& path) {
  const int fd = try_connect(path);
  if (fd >= 0) return fd;
  const int code = errno;
  if (code == ENAMETOOLONG) complain("`" + path + "` cannot be a socket's path");
  else if (code == ENOENT || code == ECONNREFUSED) complain("no filter listens at " + path + "; `weir run` starts one, --socket names another place");
  else complain("cannot speak to the filter at " + path + ": " + std::strerror(code));
  return -1;
}

bool send_line(int fd, const std::string& line) {
  std::size_t sent = 0;
  while (sent < line.size()) {
    const ssize_t n = ::send(fd, line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    sent += static_cast<std::size_t>(n);
  }
  return true;
}

/// Of an error's line: everything that is wrong, on standard error.
int tell_error(const json& answer) {
  for (const json& d : answer.value("diagnostics", json::array()))
    if (d.is_string()) std::fprintf(stderr, "%s\n", d.get<std::string>().c_str());
  complain(answer.value("error", std::string("the filter refused")));
  const int status = answer.value("status", kRefused);
  return status >= kNo && status <= kRefused ? status : kRefused;
}

}  // namespace

bool filter_answers(const std::string& socket) {
  const int fd = try_connect(socket);
  if (fd >= 0) ::close(fd);
  return fd >= 0;
}

int ask_filter(const Spoken& spoken, json request, json& result, const TakeItem& take) {
  request["weir"] = service::kProtocolVersion;
  const int fd = connect_to(spoken.socket);
  if (fd < 0) return kRefused;
  (void)send_line(fd, request.dump() + "\n");  // Where that fails, the answer may still say why.
  std::string buffer;
  char chunk[65536];
  int status = -1;
  while (status < 0) {
    const ssize_t n = ::recv(fd, chunk, sizeof chunk, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    buffer.append(chunk, static_cast<std::size_t>(n));
    std::size_t begin = 0;
    for (std::size_t end; status < 0 && (end = buffer.find('\n', begin)) != std::string::npos; begin = end + 1) {
      const std::string line = buffer.substr(begin, end - begin);
      const json answer = json::parse(line, nullptr, false);
      if (!answer.is_object()) {
        complain("the filter's answer is no JSON object");
        status = kRefused;
      } else if (answer.contains("weir") && answer.contains("status") && answer["status"].is_number_integer()) {
        result = answer.value("result", json::object());
        status = answer["status"] == 0 ? kDone : tell_error(answer);
      } else if (take) {
        const bool event = answer.size() != 1;
        const auto first = answer.begin();
        if (!take(event ? std::string() : first.key(), event ? answer : first.value(), line)) status = kDone;
      }
    }
    buffer.erase(0, begin);
  }
  ::close(fd);
  if (status >= 0) return status;
  complain("the filter went away before it had answered");
  return kRefused;
}

std::optional<double> seconds_of(const std::string& text) {
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  if (end == text.c_str() || !(number > 0)) return std::nullopt;
  const std::string unit = end;
  if (unit.empty() || unit == "s") return number;
  if (unit == "m") return number * 60;
  if (unit == "h") return number * 3600;
  if (unit == "d") return number * 86400;
  return std::nullopt;
}

std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
  return text;
}

std::string flow_line(const json& flow) {
  const auto end = [&](const char* ip, const char* port) {
    const std::string address = flow.value(ip, std::string("?"));
    if (!flow.contains(port)) return address;
    return (address.find(':') == std::string::npos ? address : "[" + address + "]") + ":" + std::to_string(flow.value(port, 0));
  };
  return end("src_ip", "src_port") + " > " + end("dest_ip", "dest_port") + " " + flow.value("proto", std::string()) + " " + flow.value("app_proto", std::string());
}

}  // namespace weir::cli
