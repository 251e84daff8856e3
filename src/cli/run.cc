// SPDX-License-Identifier: Apache-2.0
// weir run: the filter in the path of the traffic, in the foreground, until a signal ends it.

#include <grp.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <cerrno>
#include <cstdio>

#include "cli/ask_terminal.h"
#include "cli/assert/assertions.h"
#include "cli/control_client.h"
#include "cli/live.h"
#include "cli/policy_file.h"
#include "cli/verb.h"
#include "datapath/host/hosts_file.h"
#include "datapath/host/queue_host.h"
#include "facts/field_ids.h"
#include "policy/check.h"
#include "policy/document.h"
#include "service/asking.h"
#include "service/control.h"
#include "service/events.h"
#include "service/kept_bindings.h"
#include "service/privileges.h"
#include "service/service.h"
#include "service/watchdog.h"

namespace weir::cli {
namespace {

struct Options {
  LiveOptions live;
  std::string policy, events, checksums = "auto";
  std::string socket = service::kDefaultSocket, state, group, notify;
  double watchdog_s = 5;
  bool keep_privileges = false, host = false;
  std::string hosts = "/etc/hosts";
  std::string ask_timeout = "15s", ask_default = "deny", ask_file;
  bool ask = false;
  unsigned stats_s = 60;
  bool flows = false, records = false;
};

void say(const std::string& sentence) { std::fprintf(stderr, "weir: %s\n", sentence.c_str()); }

/// Where two zones have ports and no networks, a packet's receiver is taken to be in the zone that it came in by: `to` says nothing new.
void warn_of_zones(const policy::Policy& policy) {
  std::string names;
  std::size_t count = 0;
  for (const policy::ZoneDefinition& zone : policy.zones) {
    if (zone.ports.empty() || !zone.networks.empty()) continue;
    names += (count++ == 0 ? "" : ", ") + zone.name;
  }
  if (count > 1) say("zones " + names + " have ports and no networks: which of them a packet goes `to` cannot be told; give all but one of them networks");
}

/// A policy as this datapath (facts/field.h, on::) can carry it out, with everything that is wrong or doubtful about it.
/// `book` (which may be nullptr) has rules that stand behind the policy's own.
policy::Loaded load_live(const std::string& path, const policy::LoadOptions& options, std::uint8_t datapath, const service::AskBook* book) {
  policy::Loaded loaded = policy::load_policy(path, engine::vocabulary(), options);
  if (book != nullptr && !options.filter) book->append_to(loaded, options, engine::vocabulary());
  if (!loaded.policy) return loaded;
  loaded.diagnostics.append(warn_of_unmade(*loaded.policy));
  loaded.diagnostics.append(policy::check_for(*loaded.policy, engine::vocabulary(), datapath, policy::Severity::Error));
  loaded.diagnostics.sort();
  if (loaded.diagnostics.errors() == 0) {
    std::erase_if(loaded.policy->rules, [datapath](const policy::Rule& rule) { return (rule.datapaths & datapath) == 0; });  // `on:`
    loaded.diagnostics.append(check_assertions(*loaded.policy));
    loaded.diagnostics.sort();
  }
  if (loaded.diagnostics.errors() > 0) loaded.policy.reset();
  return loaded;
}

/// The number of a group; nothing if there is none of that name.
std::optional<gid_t> group_of(const std::string& name) {
  const struct group* const found = ::getgrnam(name.c_str());
  if (found == nullptr) return std::nullopt;
  return found->gr_gid;
}

int run(const Options& options) {
  if (options.live.bridge.empty() == !options.host) {
    complain("run needs one of the two: --bridge PORT,PORT, ports to stand between, or --host, this machine's own traffic");
    return kWrong;
  }
  if (!options.host && options.live.bridge.size() < 2) {
    complain("a bridge needs two ports or more");
    return kWrong;
  }
  service::ControlOptions control_options;
  control_options.socket.path = options.socket;
  if (!options.group.empty()) {
    control_options.socket.group = group_of(options.group);
    if (!control_options.socket.group) {
      complain("there is no group `" + options.group + "`");
      return kWrong;
    }
  }
  control_options.policy = options.policy;
  const std::vector<std::string> ports = options.host ? datapath::devices_of_host() : options.live.bridge;
  control_options.ports = ports;
  std::optional<service::AskBook> book;
  service::Asking::Options asking_options;
  if (options.ask) {
    const auto seconds = seconds_of(options.ask_timeout);
    if (!options.host || !seconds || *seconds <= 0) {
      complain(options.host ? "--ask-timeout takes a time such as 15s" : "--ask is for --host: only there it is known who speaks");
      return kWrong;
    }
    asking_options.timeout_ns = static_cast<Nanoseconds>(*seconds * kSecond);
    asking_options.unanswered.allow = options.ask_default == "allow";
    book.emplace(options.ask_file.empty() ? options.policy + ".asked" : options.ask_file);
  }
  control_options.load = [where = options.host ? on::kHost : on::kBridge, book = book ? &*book : nullptr](const std::string& path, const policy::LoadOptions& how) {
    return load_live(path, how, where, book);
  };
  const auto load_again = [load = control_options.load, ports](const std::string& path) { return load(path, {.ports = ports}).policy.has_value(); };
  control_options.say = say;

  service::ServiceOptions service_options;
  service_options.fail = fail_mode(options.live);
  service_options.stats_every_ns = static_cast<Nanoseconds>(options.stats_s) * kSecond;
  service_options.engine.flows_max = options.live.flows_max;
  service_options.engine.seed = random_seed();
  service_options.engine.checksums = options.checksums == "verify"   ? engine::Checksums::Verify
                                     : options.checksums == "ignore" ? engine::Checksums::Ignore
                                                                     : engine::Checksums::Auto;
  if (options.records) service_options.engine.event_fields = report::Eve::record_fields();

  service_options.engine.reloads = true;

  std::atomic<service::Control*> listening{nullptr};
  auto writer = service::EventWriter::open({.path = options.events, .follow = [&listening](std::string_view lines) {
                                              if (service::Control* const control = listening.load(std::memory_order_acquire)) control->publish(lines);
                                            }});
  if (!writer) {
    complain(writer.error().message);
    return kRefused;
  }
  const std::string state = options.state.empty() ? options.socket + ".state" : options.state;
  auto store = service::PolicyStore::open(state);
  if (!store) {
    complain(store.error().message);
    return kRefused;
  }
  std::unique_ptr<service::Events> events;
  datapath::QueueHost* host = nullptr;
  std::unique_ptr<service::Asking> asking;
  service::Service* lane = nullptr;
  control_options.on_rules = [&events, &host, &asking](std::shared_ptr<const policy::RuleSet> rules) {
    if (host != nullptr) {
      host->tell_refused(*events);
      host->use(rules);
    }
    events->use(std::move(rules));
    if (asking != nullptr) asking->rules_changed();
  };
  control_options.event_numbers = [&writer] { return service::EventNumbers{(*writer)->dropped(), (*writer)->written(), (*writer)->refused()}; };
  service::KeptBindings bindings(state, say);
  control_options.kept_bindings = [&bindings] { return bindings.numbers(); };
  service::Control control(std::move(control_options), std::move(*store), nullptr);
  const service::Ready ready = control.begin();
  std::fputs(policy::render(ready.diagnostics).c_str(), stderr);
  if (ready.rules == nullptr) return kWrong;
  if (options.ask && ready.rules->policy().default_action == policy::Action::Allow) {
    complain("--ask asks about what the default would stop, and this policy's default lets it pass: say `default: drop`");
    return kWrong;
  }
  events = std::make_unique<service::Events>(**writer, ready.rules, report::EveOptions{.flows = options.flows, .records = options.records});
  control.tell(events.get());
  auto opened = options.host ? open_host(options.live, ports) : open_bridge(options.live);
  if (!opened) {
    complain(opened.error().message);
    return opened.error().code == EINVAL ? kWrong : kRefused;
  }
  if (options.ask) {
    asking_options.ask = [&control](const service::Question& question) {
      control.off_lane([question] { say("question " + std::to_string(question.id) + ": " + service::ask_text(question) + "? allow or deny, once, session or always"); });
    };
    asking_options.remember = [&](const service::Question& question, service::AskAnswer answer) {
      control.off_lane([&, question, answer] {
        if (const auto error = book->add(question, answer)) say(error->message + "; the answer holds until the filter ends");
        if (!load_again(options.policy)) {
          book->take_back();
          return say("with the answer to question " + std::to_string(question.id) + " the policy has errors, so it is not remembered");
        }
        lane->submit([&asking, id = question.id](service::Service&) { asking->ruled(id); });
        control.ask_reload("an answer");
      });
    };
    asking = std::make_unique<service::Asking>(std::move(asking_options), *opened->path, control);
    service_options.engine.event_fields.set(field::kServerName);  // Names of what is asked about.
    control.ask_through(asking.get());
  }
  datapath::Datapath& path = asking != nullptr ? static_cast<datapath::Datapath&>(*asking) : *opened->path;
  if ((host = opened->host) != nullptr) host->use(ready.rules);
  service_options.engine.senders = host != nullptr;
  service_options.engine.carrier = opened->carrier;
  service_options.engine.stopper = opened->stopper;
  if (!opened->why.empty()) say("settled flows are not carried in the kernel: " + opened->why);
  service::Service running(service_options, ready.rules, path, asking != nullptr ? static_cast<engine::EventSink*>(asking.get()) : &control);
  lane = &running;
  bindings.recall(running.engine(), ready.rules->policy().port_names, path.now());
  if (asking != nullptr) asking->ask_for(running.engine());
  std::optional<datapath::HostsWatch> hosts;
  if (host != nullptr) {
    const auto know = [&running](std::shared_ptr<const state::HostNames> names) {
      running.submit([names = std::move(names)](service::Service& s) { s.engine().know_host(names); });
    };
    hosts.emplace(datapath::HostsWatch::Options{.path = options.hosts, .tell = know});
    running.engine().know_host(hosts->look());
  }
  running.on_turn = [&](service::Service& s) {
    bindings.turn(s.engine(), s.latest());
    if (host != nullptr) host->tell_refused(control);
    events->flush();
  };
  running.on_stats = [&](service::Service& s) { events->tell_stats(s); };
  running.on_reload = [&](service::Service&) {
    (*writer)->reopen();
    control.ask_reload();
  };
  if (const auto refused = control.attach(running)) {
    complain(refused->message + "; --socket names another place");
    path.close();
    return kRefused;
  }
  listening.store(&control, std::memory_order_release);
  if (!options.keep_privileges) {
    if (const auto kept = service::give_up_privileges()) {
      complain(kept->message + "; --keep-privileges runs with them");
      control.close();
      path.close();
      return kRefused;
    }
  }
  if (hosts) hosts->start();
  for (const std::string& remark : path.remarks()) say(remark);
  warn_of_zones(ready.rules->policy());
  if (service_options.fail == datapath::FailMode::Open && !path.capabilities().outlives)
    say("--fail open cannot hold when this process is killed: packet sockets forward nothing without it");

  std::optional<Error> fault;
  bool hung = false;
  {
    std::optional<AskTerminal> terminal;
    if (asking != nullptr) {
      const auto answer = [&](const TypedAnswer& typed) {
        running.submit([&asking, &control, typed](service::Service&) {
          const auto open = asking->open();
          const std::uint64_t id = typed.id != 0 ? typed.id : open.empty() ? 0 : open.front().id;
          if (!asking->answer(id, typed.answer)) control.off_lane([] { say("no such question waits"); });
        });
      };
      terminal.emplace(answer, say);
    }
    const Signals signals(running);
    const service::Watchdog watchdog(running, {.hung_ns = static_cast<Nanoseconds>(options.watchdog_s * kSecond), .notify = options.notify, .say = [&control](const std::string& sentence) {
                                                 say(sentence);
                                                 control.tell_failed();
                                               }});
    std::string names;
    for (const std::string& port : options.live.bridge) names += (names.empty() ? "" : ", ") + port;
    say((options.host ? "filters this host" : "filters between " + names + " (" + std::string(path.kind()) + ")") + ", fails " +
        std::string(datapath::name_of(service_options.fail)));
    service::notify_supervisor(options.notify, "READY=1");
    fault = running.run();
    hung = watchdog.failed();
  }
  service::notify_supervisor(options.notify, "STOPPING=1");
  bindings.finish(running.engine(), path.now());
  listening.store(nullptr, std::memory_order_release);
  events->tell_stats(running);
  events->flush();
  path.close();
  const auto unwritten = (*writer)->close();
  control.close();
  if (unwritten) complain(unwritten->message);
  if (fault) complain(fault->message);
  return fault || unwritten || hung ? kRefused : kDone;
}

}  // namespace

std::function<int()> add_run(CLI::App& app) {
  auto o = std::make_shared<Options>();
  app.add_option("--policy", o->policy, "the policy file")->required();
  app.add_option("--bridge", o->live.bridge, "ports to join and to filter between, two or more: PORT,PORT")->delimiter(',');
  app.add_flag("--host", o->host, "filter this host's own traffic, and what it forwards");
  app.add_option("--cgroup", o->live.cgroup, "host: of what this host sends, only what processes of this control group do; a folder of the hierarchy [its root]");
  app.add_flag("--ask", o->ask, "host: ask about what no rule decides and the default would stop, here and through `weir ask`");
  app.add_option("--ask-timeout", o->ask_timeout, "how long a question waits for its answer")->capture_default_str();
  app.add_option("--ask-default", o->ask_default, "what a question that nobody answers comes to: allow (once) or deny")->check(CLI::IsMember({"allow", "deny"}))->capture_default_str();
  app.add_option("--ask-file", o->ask_file, "where answers for always are kept, as rules behind the policy's own [POLICY.asked]");
  app.add_option("--mark", o->live.mark, "host: the bits of connections' marks that say what is settled, four or more side by side")->capture_default_str();
  app.add_option("--hosts", o->hosts, "host: the file of names and addresses; names that it gives an address are `server.name`")->capture_default_str();
  app.add_option("--fail", o->live.fail, "what becomes of traffic when the filter does not answer: open or closed")
      ->check(CLI::IsMember({"open", "closed"}));
  app.add_option("--attach", o->live.attach, "how ports are taken: auto, xdp (native), xdp-generic, or packet (packet sockets alone)")
      ->check(CLI::IsMember({"auto", "xdp", "xdp-generic", "packet"}));
  app.add_option("--events", o->events, "append events, JSON, one a line; - is standard output");
  app.add_flag("--flows", o->flows, "an event for each flow when it ends");
  app.add_flag("--records", o->records, "an event for each transaction (dns, tls, http, smb, …)");
  app.add_option("--stats", o->stats_s, "seconds between events of statistics; 0: none")->check(CLI::Range(0U, 86400U));
  app.add_option("--flows-max", o->live.flows_max, "flows remembered at a time")->check(CLI::Range(16U, 1U << 26));
  app.add_option("--checksums", o->checksums, "auto, verify or ignore")->check(CLI::IsMember({"auto", "verify", "ignore"}));
  app.add_option("--socket", o->socket, "where `weir status` and the like speak to it")->capture_default_str();
  app.add_option("--group", o->group, "whose members may speak to it too; else only root and the user it runs as");
  app.add_option("--state", o->state, "where it keeps the policy in force, and bindings that were learned, for the next start [SOCKET.state]");
  app.add_option("--notify", o->notify, "a supervisor's socket, told that the filter is ready and that its lane turns")->envname("NOTIFY_SOCKET");
  app.add_flag("--keep-privileges", o->keep_privileges, "do not give up what only attaching needs, nor refuse system calls to itself");
  app.add_option("--watchdog", o->watchdog_s, "seconds after which a lane that does not turn hangs, and the fail mode is carried out")
      ->check(CLI::Range(0.5, 3600.0))
      ->capture_default_str();
  app.footer("Examples:\n"
             "  weir run --policy policy.yaml --bridge lan0,wan0 --events /var/log/weir/events.json\n"
             "  weir run --policy policy.yaml --bridge p0,p1,p2 --fail closed --flows\n"
             "  weir run --policy policy.yaml --host --events /var/log/weir/events.json\n\n"
             "It stays in the foreground. SIGTERM ends it and leaves nothing behind; SIGHUP reloads the\n"
             "policy and opens the events file anew.\n"
             "Ports should have no address. Exit status 3: a port or the system refused.");
  return [o] { return run(*o); };
}

}  // namespace weir::cli
