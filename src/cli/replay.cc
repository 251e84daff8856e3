// SPDX-License-Identifier: Apache-2.0
// weir replay: captures through the engine, verdicts out as files, events and a summary.

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <optional>

#include "cli/capture_list.h"
#include "cli/frame_queue.h"
#include "cli/policy_file.h"
#include "cli/progress.h"
#include "cli/traffic.h"
#include "cli/verb.h"
#include "datapath/capture/pcap_writer.h"
#include "datapath/capture/read_ahead.h"
#include "engine/engine.h"
#include "report/eve.h"
#include "report/summary.h"

namespace weir::cli {
namespace {

struct Options {
  std::vector<std::string> captures;
  std::vector<std::string> ports;
  std::string policy, pass, drop, emit, events, checksums = "auto";
  unsigned workers = 1;
  std::uint32_t flows_max = 1 << 20;
  bool flows = false, records = false, json = false;
};

/// Where verdicts go: the files that were asked for, in the order of the capture.
class Output final : public engine::EventSink {
 public:
  FrameQueue queue;
  std::optional<datapath::PcapWriter> pass, drop, emit;
  std::unique_ptr<report::Eve> eve;

  void write(const Frame& frame, Verdict verdict) {
    std::optional<datapath::PcapWriter>& file = verdict == Verdict::Drop ? drop : pass;
    if (file) file->write(frame);
  }
  bool wants_frames() const { return pass.has_value() || drop.has_value(); }

  void on_alert(const engine::AlertRecord& record) override {
    if (eve) eve->on_alert(record);
  }
  void on_flow(const engine::FlowRecord& record) override {
    if (eve) eve->on_flow(record);
  }
  void on_transaction(const View& view, std::uint64_t flow_id) override {
    if (eve) eve->on_transaction(view, flow_id);
  }
  void on_released(const Decision& decision) override {
    if (wants_frames()) queue.decide(decision.frame, decision.verdict);
  }
};

bool open_files(const Options& options, const datapath::PcapLikeness& likeness, Output& output) {
  const auto open = [&](const std::string& file, std::optional<datapath::PcapWriter>& writer) {
    if (file.empty()) return true;
    auto made = datapath::PcapWriter::open(file, likeness);
    if (!made) {
      complain(made.error().message);
      return false;
    }
    writer.emplace(std::move(*made));
    return true;
  };
  return open(options.pass, output.pass) && open(options.drop, output.drop) && open(options.emit, output.emit);
}

bool close_files(Output& output) {
  output.queue.drain([&](const Frame& frame, Verdict verdict) { output.write(frame, verdict); });
  const auto closed = [](const auto& result) {
    if (!result) complain(result.error().message);
    return static_cast<bool>(result);
  };
  for (auto* file : {&output.pass, &output.drop, &output.emit})
    if (*file && !closed((*file)->close())) return false;
  return !output.eve || closed(output.eve->close());
}

/// All frames of one capture.
void run_capture(engine::Engine& engine, datapath::ReadAhead& input, Output& output, Progress& progress) {
  Frame frames[engine::Engine::kBatchMax];
  Decision decisions[engine::Engine::kBatchMax];
  const auto write = [&](const Frame& frame, Verdict verdict) { output.write(frame, verdict); };
  // Answers lie in the engine until its next call, so frames go one at a time where they are wanted.
  const std::size_t batch = output.emit ? 1 : 32;
  while (const std::size_t n = input.next({frames, batch})) {
    engine.on_frames({frames, n}, decisions, input.upcoming());
    progress.step(engine.counters().packets);
    if (output.wants_frames()) {
      output.queue.drain(write);
      for (std::size_t i = 0; i < n; ++i) {
        output.queue.put(frames[i], decisions[i].verdict, write);
        if (!output.queue.empty()) output.queue.drain(write);
      }
    }
    if (!output.emit) continue;
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t k = 0; k < decisions[i].emits_count; ++k) {
        Frame made = frames[i];
        made.bytes = decisions[i].emits[k].bytes;
        made.wire_bytes = static_cast<std::uint32_t>(made.bytes.size());
        output.emit->write(made);
      }
  }
}

int replay(const Options& options) {
  const auto captures = capture_list(options.captures, options.ports);
  if (!captures) {
    complain(captures.error().message);
    return kWrong;
  }
  const auto rules = load_rules(options.policy, ports_of(captures.value()));
  if (rules == nullptr) return kWrong;
  engine::EngineOptions engine_options;
  engine_options.flows_max = options.flows_max;
  engine_options.checksums = options.checksums == "verify"   ? engine::Checksums::Verify
                             : options.checksums == "ignore" ? engine::Checksums::Ignore
                                                             : engine::Checksums::Auto;
  Output output;
  if (!options.events.empty()) {
    auto eve = report::Eve::open(options.events, *rules, {.flows = options.flows, .records = options.records});
    if (!eve) {
      complain(eve.error().message);
      return kRefused;
    }
    output.eve = std::move(*eve);
    if (options.records) engine_options.event_fields = report::Eve::record_fields();
  }
  engine::Engine engine(engine_options, rules, output);

  const auto started = std::chrono::steady_clock::now();
  int status = kDone;
  std::string fault;  // What broke a capture off, for the summary.
  bool opened = false;
  datapath::CaptureOptions capture_options;
  capture_options.port_of = [&](std::string_view name) { return port_of(rules->policy(), name); };
  Progress progress("replay");
  for (const CaptureInput& capture : captures.value()) {
    capture_options.port = capture.port.empty() ? kNoPort : port_of(rules->policy(), capture.port);
    auto reader = datapath::CaptureReader::open(capture.path, capture_options);
    if (!reader) {
      complain(reader.error().message);
      return kWrong;
    }
    if (!opened && !open_files(options, datapath::likeness_of(*reader), output)) return kRefused;
    opened = true;
    datapath::ReadAhead input(std::move(*reader), options.workers);
    run_capture(engine, input, output, progress);
    if (const datapath::CaptureFault* broken = input.fault()) {
      complain(broken->message);
      fault = broken->message;
      status = broken->after_packets ? kNo : kWrong;
    }
    capture_options.first_number = input.reader().next_number();
    capture_options.first_mono_ns = input.reader().mono_ns();
  }
  engine.finish();
  if (!close_files(output)) return kRefused;
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  const report::Replayed run{.counters = engine.counters(), .rules = *rules, .seconds = seconds, .fault = fault};
  if (options.json) std::printf("%s\n", report::summary_json(run).c_str());
  else if (options.events != "-") std::fputs(report::summary_text(run).c_str(), stdout);
  return status;
}

}  // namespace

std::function<int()> add_replay(CLI::App& app) {
  auto o = std::make_shared<Options>();
  app.add_option("CAPTURE", o->captures, "pcap or pcapng files, plain, gzip or zstd, one after the other; - is standard input");
  app.add_option("--port", o->ports,
                 "NAME=FILE: the port that a capture's packets came in by; else a pcapng's interface names tell");
  app.add_option("--policy", o->policy, "the policy file")->required();
  app.add_option("--pass", o->pass, "write the packets that passed to this capture");
  app.add_option("--drop", o->drop, "write the packets that were stopped to this capture");
  app.add_option("--emit", o->emit,
                 "write the packets that the filter made (resets, refusals, sinkhole answers) to this capture");
  app.add_option("--events", o->events, "write events, JSON, one a line; - is standard output");
  app.add_flag("--flows", o->flows, "an event for each flow when it ends");
  app.add_flag("--records", o->records, "an event for each transaction (dns, tls, http, smb, …)");
  app.add_option("--workers", o->workers, "threads; results do not depend on it")->check(CLI::Range(1, 64));
  app.add_option("--flows-max", o->flows_max, "flows remembered at a time")->check(CLI::Range(16U, 1U << 26));
  app.add_option("--checksums", o->checksums, "auto, verify or ignore")->check(CLI::IsMember({"auto", "verify", "ignore"}));
  app.add_flag("--json", o->json, "print the summary as one JSON object");
  app.footer(
      "Examples:\n"
      "  weir replay capture.pcap --policy policy.yaml\n"
      "  weir replay capture.pcap --policy policy.yaml --pass passed.pcap --drop stopped.pcap --events events.json --flows\n"
      "  weir replay --port lan0=inside.pcap --port wan0=outside.pcap --policy policy.yaml\n"
      "  tcpdump -w - | weir replay - --policy policy.yaml --events -\n\n"
      "Exit status 1: a capture is broken behind its first packet; what came before it has its verdicts.");
  return [o] { return replay(*o); };
}

}  // namespace weir::cli
