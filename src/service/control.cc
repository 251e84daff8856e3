// SPDX-License-Identifier: Apache-2.0
#include "service/control.h"

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace weir::service {

const Control::VerbRow Control::kVerbs[] = {
    {"status", &Control::status}, {"flows", &Control::flows},     {"top", &Control::top},           {"events", &Control::events},
    {"reload", &Control::reload}, {"confirm", &Control::confirm}, {"rollback", &Control::rollback}, {"ban", &Control::ban},
    {"unban", &Control::unban},   {"capture", &Control::capture}, {"explain", &Control::explain},
    {"ask", &Control::ask},
};

Control::Control(ControlOptions options, PolicyStore store, engine::EventSink* next)
    : options_(std::move(options)), store_(std::move(store)), next_(next) {}

Control::~Control() { close(); }

/// `from`: its files are read and no others.
Ready Control::read_policy(const std::string& path, const PolicyCopy* from, const std::optional<std::string>& filter) const {
  Ready ready;
  policy::LoadOptions options;
  options.ports = options_.ports;
  options.filter = filter;
  options.read_file = from != nullptr ? from->reader() : ready.copy.recorder();
  policy::Loaded loaded = options_.load(path, options);
  options.read_file = nullptr;
  ready.diagnostics = std::move(loaded.diagnostics);
  if (from != nullptr) ready.copy = *from;
  if (loaded.policy)
    ready.rules = std::make_shared<const policy::RuleSet>(std::make_shared<const policy::Policy>(std::move(*loaded.policy)), engine::vocabulary());
  return ready;
}

Ready Control::begin() {
  Ready on_disk = read_policy(options_.policy, nullptr);
  if (on_disk.rules == nullptr) return on_disk;
  const auto unconfirmed = store_.unconfirmed();
  if (unconfirmed && *unconfirmed == on_disk.copy) {
    if (const auto good = store_.good(); good && good->files[0].first == options_.policy && *good != *unconfirmed) {
      Ready back = read_policy(options_.policy, &*good);
      if (back.rules != nullptr) {
        say("the policy in " + options_.policy + " was tried and not confirmed; the one before it is in force. `weir reload` takes the file's");
        return now_ = std::move(back);
      }
    }
  }
  if (const auto error = store_.keep_good(on_disk.copy)) say(error->message);
  if (const auto error = store_.forget_unconfirmed()) say(error->message);
  return now_ = std::move(on_disk);
}

std::optional<Error> Control::attach(Service& service) {
  service_ = &service;
  auto socket = ControlSocket::open(options_.socket);
  if (!socket) return socket.error();
  socket_ = std::move(*socket);
  generation_ = service.engine().generation();
  socket_->start({.on_line = [this](ClientId client, std::string_view line) { on_line(client, line); },
                  .on_gone = [this](ClientId client) { on_gone(client); }});
  return std::nullopt;
}

void Control::close() {
  if (socket_ != nullptr) socket_->close();
  if (worker_.joinable()) worker_.join();
  if (service_ != nullptr) service_->engine().look_with(nullptr);
  service_ = nullptr;
  tap_ = nullptr;
}

void Control::on_line(ClientId client, std::string_view line) {
  const Request request = Request::parse(line, nullptr, false);
  if (!request.is_object()) return send_error(client, kInputWrong, "a request is one JSON object on one line");
  const auto version = request.find("weir");
  if (version == request.end() || !version->is_number_integer() || *version != kProtocolVersion)
    return send_error(client, kInputWrong, "this filter speaks version 1 of the protocol: {\"weir\":1,\"verb\":…}");
  const auto verb = request.find("verb");
  const std::string name = verb != request.end() && verb->is_string() ? verb->get<std::string>() : std::string();
  for (const VerbRow& row : kVerbs) {
    if (row.name != name) continue;
    try {
      return (this->*row.answer)(client, request);
    } catch (const Request::exception&) {  // The library's way to say that a value is of another type; it goes no further.
      return send_error(client, kInputWrong, "a value of the request has the wrong type");
    }
  }
  send_error(client, kInputWrong, "there is no verb `" + name.substr(0, 40) + "`");
}

bool Control::send_item(ClientId client, const char* kind, const Json& item) {
  return socket_->send(client, Json{{kind, item}}.dump(-1, ' ', false, Json::error_handler_t::replace));
}

void Control::send_result(ClientId client, const Json& result) {
  const Json answer = {{"weir", kProtocolVersion}, {"status", 0}, {"result", result}};
  socket_->send(client, answer.dump(-1, ' ', false, Json::error_handler_t::replace));
  socket_->finish(client);
}

void Control::send_error(ClientId client, int status, const std::string& error, const policy::Diagnostics* diagnostics) {
  Json answer = {{"weir", kProtocolVersion}, {"status", status}, {"error", error}};
  if (diagnostics != nullptr) {
    answer["diagnostics"] = Json::array();
    for (const policy::Diagnostic& d : diagnostics->all()) answer["diagnostics"].push_back(policy::render(d));
  }
  socket_->send(client, answer.dump(-1, ' ', false, Json::error_handler_t::replace));
  socket_->finish(client);
}

bool Control::on_worker(std::function<void()> work, std::function<void()> done) {
  if (worker_busy_.exchange(true)) return false;
  if (worker_.joinable()) worker_.join();
  worker_ = std::thread([this, work = std::move(work), done = std::move(done)] {
    work();
    worker_busy_.store(false);
    post(done);
  });
  return true;
}

void Control::on_alert(const engine::AlertRecord& record) {
  notes_.keep(record, service_ == nullptr ? nullptr : service_->engine().last_view(), service_ == nullptr ? 0 : service_->engine().generation());
  if (next_ != nullptr) next_->on_alert(record);
}

void Control::on_flow(const engine::FlowRecord& record) {
  if (next_ != nullptr) next_->on_flow(record);
}

void Control::on_transaction(const View& view, std::uint64_t flow_id) {
  if (next_ != nullptr) next_->on_transaction(view, flow_id);
}

void Control::on_released(const Decision& decision) {
  if (tap_ != nullptr) tap_->on_released(decision);
  if (next_ != nullptr) next_->on_released(decision);
}

}  // namespace weir::service
