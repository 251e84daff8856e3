// SPDX-License-Identifier: Apache-2.0
// What weir prove prints: a line a technique, below it what got through and what would stop it.

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/prove/render.h"

namespace weir::cli {
namespace {

using nlohmann::ordered_json;

std::string joined(const std::vector<std::string>& texts, const char* between = ", ") {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : between) + text;
  return out;
}

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.resize(width, ' ');
  return text;
}

class TextWriter {
 public:
  TextWriter(bool colour, bool verbose) : colour_(colour), verbose_(verbose) {}

  std::string write(const ProofReport& report) {
    for (const RowProof& row : report.proofs.rows) write_row(row);
    out_ += "\n" + std::to_string(report.proofs.count(Proof::Proven)) + " proven, " + std::to_string(report.proofs.count(Proof::NotProven)) +
            " not proven, " + std::to_string(report.proofs.count(Proof::NotAssessed)) + " not assessed\n";
    if (!report.mutations.empty()) write_mutations(report.mutations);
    return std::move(out_);
  }

 private:
  std::string painted(Proof proof, const std::string& text) const {
    if (!colour_) return text;
    const char* const code = proof == Proof::Proven ? "\033[32m" : proof == Proof::NotProven ? "\033[31m" : "\033[33m";
    return code + text + "\033[0m";
  }

  void write_row(const RowProof& row) {
    out_ += padded(row.row->id, 10) + " " + painted(row.proof, padded(std::string(name_of(row.proof)), 12)) + "  " + row.row->name + "\n";
    const std::string rules = joined(row.rules());
    if (row.proof == Proof::Proven) out_ += indent() + "by " + rules + "\n";
    else out_ += indent() + row.why + "\n";
    for (const auto* cases : {&row.attacks, &row.twins})
      for (const CaseProof& one : *cases) write_case(one);
    if (verbose_) out_ += indent() + "remains: " + row.row->remains + "\n";
    else if (row.proof == Proof::Proven) write_open(row);
  }

  /// What could not be laid, in a line.
  void write_open(const RowProof& row) {
    std::vector<std::string> whys;
    std::size_t open = 0;
    for (const auto* cases : {&row.attacks, &row.twins})
      for (const CaseProof& one : *cases)
        if (one.proof == Proof::NotAssessed) {
          ++open;
          if (std::find(whys.begin(), whys.end(), one.why) == whys.end()) whys.push_back(one.why);
        }
    if (open > 0) out_ += indent() + std::to_string(open) + " not assessed: " + joined(whys, "; ") + "\n";
  }

  void write_case(const CaseProof& one) {
    const bool failed = one.proof == Proof::NotProven;
    if (!verbose_ && !failed) return;
    const std::string state = one.proof == Proof::Proven ? (one.attack ? "stopped" : "passes") : failed ? (one.attack ? "FAILED" : "STOPPED") : "not assessed";
    out_ += indent() + painted(one.proof, padded(state, 12)) + " " + (one.attack ? "attack " : "twin ") + one.about->name + ": " + one.about->what;
    if (one.proof == Proof::Proven && one.attack) out_ += " (" + joined(one.rules) + ")";
    if (one.proof != Proof::Proven) out_ += "; " + one.why;
    out_ += "\n";
    if (failed && !one.packet.empty()) out_ += indent() + "  " + one.packet + "\n";
    if (!failed || !one.attack || one.about->rule.empty() || std::find(told_.begin(), told_.end(), one.about->rule) != told_.end()) return;
    told_.push_back(one.about->rule);
    const policy::ProfileRule rule = policy::profile_rule(one.about->rule);
    if (rule.text.empty()) return;
    out_ += indent() + "  this would stop it (from weir:" + rule.profile + "):\n";
    for_each_line(rule.text, [&](std::string_view line) { out_ += indent() + "    " + std::string(line) + "\n"; });
  }

  void write_mutations(const std::vector<Prover::Mutation>& mutations) {
    std::size_t idle = 0;
    out_ += "\nWithout the rule                              these are no longer proven\n";
    for (const Prover::Mutation& m : mutations) {
      if (m.falls.empty()) ++idle;
      out_ += padded(m.rule, 45) + " " +
              (m.falls.empty() ? painted(Proof::NotAssessed, m.unmade.empty() ? "nothing" : "nothing: " + joined(m.unmade) + " is not made yet")
                               : joined(m.falls)) +
              (m.falls.empty() ? "  (" + m.place + ")" : "") + "\n";
    }
    out_ += std::to_string(mutations.size()) + " rules and guards; without " + std::to_string(idle) + " of them nothing falls\n";
  }

  static std::string indent() { return "           "; }

  bool colour_, verbose_;
  std::string out_;
  std::vector<std::string> told_;  ///< Rules of profiles that were shown.
};

ordered_json json_of(const CaseProof& one) {
  ordered_json out = {{"name", one.about->name}, {"what", one.about->what}, {"result", one.proof == Proof::Proven ? (one.attack ? "stopped" : "passes") : one.proof == Proof::NotProven ? (one.attack ? "got-through" : "stopped") : "not assessed"}};
  if (!one.rules.empty()) out["rules"] = one.rules;
  if (!one.why.empty()) out["why"] = one.why;
  if (!one.packet.empty()) out["packet"] = one.packet;
  if (one.attack && one.proof == Proof::NotProven) out["would_stop_it"] = policy::profile_rule(one.about->rule).text;
  return out;
}

}  // namespace

std::string render_text(const ProofReport& report, bool colour, bool verbose) { return TextWriter(colour, verbose).write(report); }

std::string render_json(const ProofReport& report) {
  ordered_json rows = ordered_json::array();
  for (const RowProof& row : report.proofs.rows) {
    ordered_json attacks = ordered_json::array(), twins = ordered_json::array();
    for (const CaseProof& one : row.attacks) attacks.push_back(json_of(one));
    for (const CaseProof& one : row.twins) twins.push_back(json_of(one));
    ordered_json out = {{"id", row.row->id}, {"name", row.row->name}, {"result", name_of(row.proof)}};
    if (!row.why.empty()) out["why"] = row.why;
    out["rules"] = row.rules();
    out["d3fend"] = row.row->d3fend;
    out["stand"] = row.row->stand;
    out["remains"] = row.row->remains;
    if (!row.row->now.empty()) out["now"] = row.row->now;
    out["attacks"] = attacks;
    out["twins"] = twins;
    rows.push_back(out);
  }
  ordered_json out = {{"policy", report.policy_path},
                      {"proven", report.proofs.count(Proof::Proven)},
                      {"not_proven", report.proofs.count(Proof::NotProven)},
                      {"not_assessed", report.proofs.count(Proof::NotAssessed)},
                      {"seconds", report.seconds},
                      {"techniques", rows}};
  if (!report.mutations.empty()) {
    ordered_json list = ordered_json::array();
    for (const Prover::Mutation& m : report.mutations) {
      ordered_json one = {{"rule", m.rule}, {"place", m.place}, {"falls", m.falls}};
      if (!m.unmade.empty()) one["not_made_yet"] = m.unmade;
      list.push_back(one);
    }
    out["mutations"] = list;
  }
  return out.dump();
}

}  // namespace weir::cli
