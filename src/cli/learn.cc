// SPDX-License-Identifier: Apache-2.0
// weir learn: a least policy from what is seen, each rule with what it was seen to cover.

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "cli/control_client.h"
#include "cli/learn/rehearsal.h"
#include "cli/live.h"
#include "cli/policy_file.h"
#include "cli/progress.h"
#include "cli/verb.h"
#include "datapath/host/hosts_file.h"
#include "datapath/host/queue_host.h"
#include "service/control.h"
#include "service/privileges.h"

namespace weir::cli {
namespace {

struct Options {
  std::vector<std::string> captures, ports;
  std::string base, out;
  Granularity how;
  std::uint32_t flows_max = 1 << 20;
  LiveOptions live;
  bool host = false;
  std::string for_text = "10m", socket = service::kDefaultSocket;
};

/// Where the policy goes; nullptr where it cannot be written, which is said.
std::FILE* open_out(const std::string& path) {
  std::FILE* const out = path.empty() || path == "-" ? stdout : std::fopen(path.c_str(), "we");
  if (out == nullptr) complain(path + " cannot be written: " + std::strerror(errno));
  return out;
}

int put_out(const std::string& text, std::FILE* out) {
  bool done = std::fwrite(text.data(), 1, text.size(), out) == text.size();
  done = (out == stdout ? std::fflush(out) : std::fclose(out)) == 0 && done;
  if (done) return kDone;
  complain("the policy cannot be written");
  return kRefused;
}

int learn_captures(const Options& options) {
  auto captures = capture_list(options.captures, options.ports);
  if (!captures) {
    complain(captures.error().message);
    return kWrong;
  }
  std::shared_ptr<const policy::RuleSet> base;
  if (!options.base.empty()) {
    base = load_rules(options.base, ports_of(*captures));
    if (base == nullptr) return kWrong;
  }
  LearnOptions learn{.captures = *captures, .base = base != nullptr ? &base->policy() : nullptr, .how = options.how, .flows_max = options.flows_max};
  auto learned = learn_from(learn);
  if (!learned) {
    complain(learned.error().message);
    return kWrong;
  }
  std::FILE* const out = open_out(options.out);
  if (out == nullptr) return kRefused;
  if (const int code = put_out(learned->text, out); code != kDone) return code;
  if (!learned->fault.empty()) complain(learned->fault);
  if (learned->stopped != 0)
    complain("the policy would stop " + grouped(learned->stopped) + " packets that passed, the first of them number " + std::to_string(learned->first_stopped));
  if (learned->untold != 0) complain(grouped(learned->untold) + " flows were too many to be told apart");
  return learned->stopped != 0 || learned->untold != 0 || !learned->fault.empty() ? kNo : kDone;
}

/// Stands in the path of the traffic and stops nothing, until the time is over or a signal comes.
int learn_live(const Options& options) {
  const auto seconds = seconds_of(options.for_text);
  if (!seconds || *seconds <= 0) {
    complain("--for takes a time such as 10m");
    return kWrong;
  }
  const std::vector<std::string> ports = options.host ? datapath::devices_of_host() : options.live.bridge;
  std::shared_ptr<const policy::RuleSet> base;
  if (!options.base.empty()) {
    base = load_rules(options.base, ports, options.host ? on::kHost : on::kBridge);
    if (base == nullptr) return kWrong;
  }
  const auto watch = observing(base != nullptr ? &base->policy() : nullptr);
  std::shared_ptr<const state::HostNames> names;
  Observer::Options how{.ends_max = 0, .closeness = Closeness::Outer};
  if (options.host) how.is_own = [&names](const Ip& ip) { return names != nullptr && names->is_own(ip); };
  Observer observer(*watch, how);
  if (options.host && filter_answers(options.socket)) {
    complain("a filter runs on this host and speaks on " + options.socket + ": it would be put out of its place. Learn from a capture, or end it first");
    return kRefused;
  }
  std::FILE* const out = open_out(options.out);
  if (out == nullptr) return kRefused;
  auto opened = options.host ? open_host(options.live, ports) : open_bridge(options.live);
  if (!opened) {
    complain(opened.error().message);
    return opened.error().code == EINVAL ? kWrong : kRefused;
  }
  if (opened->host != nullptr) opened->host->use(watch);
  service::ServiceOptions service_options;
  service_options.fail = datapath::FailMode::Open;
  service_options.engine.flows_max = options.flows_max;
  service_options.engine.seed = random_seed();
  service_options.engine.reloads = true;  // Settled flows keep their names.
  service_options.engine.event_fields.set(engine::vocabulary().field("tls.sni")->id);
  service_options.engine.senders = options.host;
  service_options.engine.carrier = opened->carrier;
  {
    service::Service running(service_options, watch, *opened->path, &observer);
    running.engine().look_with(&observer);
    datapath::HostsWatch hosts({.tell = [&running, &names](std::shared_ptr<const state::HostNames> now) {
      running.submit([&names, now = std::move(now)](service::Service& s) { s.engine().know_host(names = now); });
    }});
    if (options.host) running.engine().know_host(names = hosts.look());
    if (const auto refused = service::give_up_privileges()) {
      complain(refused->message);
      opened->path->close();
      return kRefused;
    }
    if (options.host) hosts.start();
    Progress progress("learn");
    const Nanoseconds until_ns = opened->path->now().mono_ns + static_cast<Nanoseconds>(*seconds * kSecond);
    running.on_turn = [&](service::Service& s) {
      progress.step(s.engine().counters().packets);
      if (s.path().now().mono_ns >= until_ns) s.stop();
    };
    const Signals signals(running);
    for (const std::string& remark : opened->path->remarks()) complain(remark);
    complain("watches " + (options.host ? std::string("this host") : "what crosses the bridge") + " for " + options.for_text + ", and stops nothing");
    if (const auto fault = running.run()) complain(fault->message);
    running.engine().look_with(nullptr);
  }
  opened->path->close();
  const std::string from = options.host ? "this host" : "a bridge";
  return put_out(render(propose(observer.atoms(), options.how), heading_of(observer, from, base != nullptr)), out);
}

int learn(const Options& options) {
  const int sources = (options.captures.empty() && options.ports.empty() ? 0 : 1) + (options.host ? 1 : 0) + (options.live.bridge.empty() ? 0 : 1);
  if (sources != 1) {
    complain("learn needs one of the three: captures, --host, or --bridge PORT,PORT");
    return kWrong;
  }
  if (options.live.bridge.size() == 1) {
    complain("a bridge needs two ports or more");
    return kWrong;
  }
  return options.host || !options.live.bridge.empty() ? learn_live(options) : learn_captures(options);
}

}  // namespace

std::function<int()> add_learn(CLI::App& app) {
  auto o = std::make_shared<Options>();
  app.add_option("CAPTURE", o->captures, "pcap or pcapng files, plain, gzip or zstd; - is standard input, which is not rehearsed");
  app.add_option("--port", o->ports, "NAME=FILE: the port that a capture's packets came in by");
  app.add_flag("--host", o->host, "watch this host's own traffic, and what it forwards; nothing is stopped");
  app.add_option("--bridge", o->live.bridge, "stand between these ports, two or more, and stop nothing: PORT,PORT")->delimiter(',');
  app.add_option("--for", o->for_text, "how long it watches; a signal ends it sooner")->capture_default_str();
  app.add_option("--cgroup", o->live.cgroup, "host: only what processes of this control group send");
  app.add_option("--mark", o->live.mark, "host: the bits of connections' marks that say what is settled")->capture_default_str();
  app.add_option("--socket", o->socket, "host: where a filter would speak that runs here; beside one, nothing is watched")->capture_default_str();
  app.add_option("--base", o->base, "a policy whose rules stand before: what they allow or deny is not proposed");
  app.add_option("--out", o->out, "write the policy to this file; else to standard output");
  app.add_option("--hosts-max", o->how.hosts_max, "addresses of one /24 (IPv6: /64) that are written out; more become the prefix")->check(CLI::Range(1, 1024))->capture_default_str();
  app.add_option("--names-max", o->how.names_max, "names of one registered domain that are written out; more become the domain")->check(CLI::Range(1, 1024))->capture_default_str();
  app.add_option("--flows-max", o->flows_max, "flows remembered at a time")->check(CLI::Range(16U, 1U << 26));
  app.footer("Examples:\n"
             "  weir learn monday.pcap tuesday.pcap --out learned.yaml\n"
             "  weir learn today.pcap --base policy.yaml\n"
             "  weir learn --host --for 1h --out learned.yaml\n\n"
             "Captures are played through what is proposed, and what it would stop is described less closely, until all of it passes.\n"
             "Exit status 1: that could not be reached, or a capture is broken behind its first packet.");
  o->live.fail = "open";
  return [o] { return learn(*o); };
}

}  // namespace weir::cli
