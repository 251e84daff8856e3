// SPDX-License-Identifier: Apache-2.0
// weir learn: a least policy from what is seen, each rule with what it was seen to cover.

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "cli/control_client.h"
#include "cli/learn/rehearsal.h"
#include "cli/policy_file.h"
#include "cli/verb.h"
#include "policy/document.h"

namespace weir::cli {
namespace {

struct Options {
  std::vector<std::string> captures, ports;
  std::string base, out;
  Granularity how;
  std::uint32_t flows_max = 1 << 20;
};

int put_out(const std::string& text, const std::string& path) {
  std::FILE* const out = path.empty() || path == "-" ? stdout : std::fopen(path.c_str(), "we");
  if (out == nullptr) {
    complain(path + " cannot be written: " + std::strerror(errno));
    return kRefused;
  }
  bool done = std::fwrite(text.data(), 1, text.size(), out) == text.size();
  done = (out == stdout ? std::fflush(out) : std::fclose(out)) == 0 && done;
  if (done) return kDone;
  complain((path.empty() ? "standard output" : path) + " cannot be written");
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
  if (const int code = put_out(learned->text, options.out); code != kDone) return code;
  if (!learned->fault.empty()) complain(learned->fault);
  if (learned->stopped != 0)
    complain("the policy would stop " + grouped(learned->stopped) + " packets that passed, the first of them number " + std::to_string(learned->first_stopped));
  if (learned->untold != 0) complain(grouped(learned->untold) + " flows were too many to be told apart");
  return learned->stopped != 0 || learned->untold != 0 || !learned->fault.empty() ? kNo : kDone;
}

int learn(const Options& options) { return learn_captures(options); }

}  // namespace

std::function<int()> add_learn(CLI::App& app) {
  auto o = std::make_shared<Options>();
  app.add_option("CAPTURE", o->captures, "pcap or pcapng files, plain, gzip or zstd; - is standard input, which is not rehearsed");
  app.add_option("--port", o->ports, "NAME=FILE: the port that a capture's packets came in by");
  app.add_option("--base", o->base, "a policy whose rules stand before: what they allow or deny is not proposed");
  app.add_option("--out", o->out, "write the policy to this file; else to standard output");
  app.add_option("--hosts-max", o->how.hosts_max, "addresses of one /24 (IPv6: /64) that are written out; more become the prefix")->check(CLI::Range(1, 1024))->capture_default_str();
  app.add_option("--names-max", o->how.names_max, "names of one registered domain that are written out; more become the domain")->check(CLI::Range(1, 1024))->capture_default_str();
  app.add_option("--flows-max", o->flows_max, "flows remembered at a time")->check(CLI::Range(16U, 1U << 26));
  app.footer("Examples:\n"
             "  weir learn monday.pcap tuesday.pcap --out learned.yaml\n"
             "  weir learn today.pcap --base policy.yaml\n\n"
             "Captures are played through what is proposed, and what it would stop is described less closely, until all of it passes.\n"
             "Exit status 1: that could not be reached, or a capture is broken behind its first packet.");
  return [o] { return learn(*o); };
}

}  // namespace weir::cli
