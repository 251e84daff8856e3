// SPDX-License-Identifier: Apache-2.0
// The report of weir prove as one page: no script, nothing fetched; it reads on paper and on a phone.

#include <fmt/format.h>

#include "base/text.h"
#include "cli/prove/render.h"

namespace weir::cli {
namespace {

constexpr std::string_view kStyle =
    ":root{--ok:#1a7f37;--no:#c62828;--open:#8a6d00;--line:#d0d7de;--soft:#f6f8fa;--ink:#1f2328;--paper:#fff}"
    "@media(prefers-color-scheme:dark){:root{--ok:#57c774;--no:#ff7b72;--open:#e3b341;--line:#3d444d;--soft:#161b22;--ink:#e6edf3;--paper:#0d1117}}"
    "*{box-sizing:border-box}body{font:16px/1.45 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:60rem;margin:0 auto;padding:1rem}"
    "h1{font-size:1.5rem;margin:.5rem 0}h2{font-size:1.05rem;margin:0}p{margin:.3rem 0}code,pre{font:.85em/1.4 ui-monospace,monospace}"
    ".sum{display:flex;gap:.6rem;flex-wrap:wrap;margin:1rem 0}.sum div{border:1px solid var(--line);border-radius:.4rem;padding:.4rem .8rem}"
    ".sum b{font-size:1.4rem;display:block}.matrix{display:flex;flex-wrap:wrap;gap:.25rem;margin:1rem 0}"
    ".matrix a{border:1px solid var(--line);border-left:.4rem solid;border-radius:.2rem;padding:.1rem .4rem;text-decoration:none;color:var(--ink);"
    "font:.8rem ui-monospace,monospace}.proven{border-left-color:var(--ok)!important}.not-proven{border-left-color:var(--no)!important}"
    ".not-assessed{border-left-color:var(--open)!important}section{border:1px solid var(--line);border-left:.4rem solid;border-radius:.3rem;"
    "padding:.6rem .8rem;margin:.7rem 0;break-inside:avoid}.tag{font-weight:600}.proven .tag{color:var(--ok)}.not-proven .tag{color:var(--no)}"
    ".not-assessed .tag{color:var(--open)}.soft{opacity:.8}table{border-collapse:collapse;width:100%;margin:.4rem 0;font-size:.9rem}"
    "td,th{text-align:left;vertical-align:top;padding:.2rem .5rem .2rem 0;border-top:1px solid var(--line)}"
    "pre{background:var(--soft);padding:.5rem;overflow-x:auto;white-space:pre-wrap}summary{cursor:pointer}"
    "@media print{body{max-width:none;font-size:11px}details>*{display:block}summary{display:none}}";

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') out += "&amp;";
    else if (c == '<') out += "&lt;";
    else if (c == '>') out += "&gt;";
    else if (c == '"') out += "&quot;";
    else out += c;
  }
  return out;
}

std::string listed(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : ", ") + escaped(text);
  return out;
}

std::string class_of(Proof proof) {
  std::string out(name_of(proof));
  for (char& c : out)
    if (c == ' ') c = '-';
  return out;
}

std::string case_row(const CaseProof& one) {
  const bool open = one.proof == Proof::NotAssessed, right = one.proof == Proof::Proven;
  const std::string result = open ? "not assessed" : one.attack ? (right ? "stopped" : "gets through") : (right ? "passes" : "stopped");
  std::string more = right ? listed(one.rules) : escaped(one.why);
  if (!one.packet.empty()) more += "<br><code>" + escaped(one.packet) + "</code>";
  return fmt::format("<tr class=\"{}\"><td>{}</td><td>{}: {}</td><td class=\"tag\">{}</td><td>{}</td></tr>\n", class_of(one.proof),
                     one.attack ? "attack" : "twin", escaped(one.about->name), escaped(one.about->what), result, more);
}

std::string row_section(const RowProof& row) {
  std::string out = fmt::format("<section id=\"{0}\" class=\"{1}\"><h2>{0} {2}</h2>\n<p><span class=\"tag\">{3}</span>{4}</p>\n<p>{5}</p>\n", row.row->id,
                                class_of(row.proof), escaped(row.row->name), name_of(row.proof),
                                row.proof == Proof::Proven ? ", by " + listed(row.rules()) : ": " + escaped(row.why), escaped(row.row->obligation));
  for (const CaseProof& one : row.attacks) {
    if (one.proof != Proof::NotProven || one.about->rule.empty()) continue;
    const policy::ProfileRule rule = policy::profile_rule(one.about->rule);
    if (!rule.text.empty())
      out += fmt::format("<p>This would stop {} (from <code>weir:{}</code>):</p><pre>{}</pre>\n", escaped(one.about->name), rule.profile, escaped(rule.text));
  }
  out += fmt::format("<details{}><summary>attacks and twins</summary><table>\n", row.proof == Proof::NotProven ? " open" : "");
  for (const auto* cases : {&row.attacks, &row.twins})
    for (const CaseProof& one : *cases) out += case_row(one);
  return out + fmt::format("</table></details>\n<p class=\"soft\">What remains: {}</p>\n<p class=\"soft\">Shown on: {}. D3FEND: {}.</p></section>\n",
                           escaped(row.row->remains), listed(row.row->stand), row.row->d3fend.empty() ? "none" : listed(row.row->d3fend));
}

}  // namespace

std::string render_html(const ProofReport& report) {
  std::string out = fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
      "<title>Weir: M1037, {0}</title><style>{1}</style></head><body>\n<h1>What this policy stops of M1037, Filter Network Traffic</h1>\n"
      "<p>Policy <code>{0}</code>. Each technique's attacks and benign twins were laid onto the policy's own zones and addresses and run through "
      "the engine. Each attack gets through without the policy.</p>\n<div class=\"sum\">",
      escaped(report.policy_path), kStyle);
  for (const Proof proof : {Proof::Proven, Proof::NotProven, Proof::NotAssessed})
    out += fmt::format("<div><b>{}</b>{}</div>", report.proofs.count(proof), name_of(proof));
  out += "</div>\n<nav class=\"matrix\">";
  for (const RowProof& row : report.proofs.rows)
    out += fmt::format("<a class=\"{}\" href=\"#{}\" title=\"{}: {}\">{}</a>", class_of(row.proof), row.row->id, escaped(row.row->name), name_of(row.proof), row.row->id);
  out += "</nav>\n";
  for (const RowProof& row : report.proofs.rows) out += row_section(row);
  if (!report.mutations.empty()) {
    out += "<h2>Each rule deleted in turn</h2><table><tr><th>rule</th><th>no longer proven</th></tr>\n";
    for (const Prover::Mutation& m : report.mutations)
      out += fmt::format("<tr><td>{}<br><span class=\"soft\">{}</span></td><td>{}</td></tr>\n", escaped(m.rule), escaped(m.place), m.falls.empty() ? "nothing" : listed(m.falls));
    out += "</table>\n";
  }
  return out + "</body></html>\n";
}

}  // namespace weir::cli
