// SPDX-License-Identifier: Apache-2.0
// The proofs in the forms of ATT&CK's own tools: a layer for the Navigator (layer format 4.5), a bundle of STIX 2.1.

#include <fmt/format.h>
#include <openssl/sha.h>

#include <nlohmann/json.hpp>

#include "cli/prove/render.h"

namespace weir::cli {
namespace {

using nlohmann::ordered_json;

std::string joined(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : ", ") + text;
  return out;
}

/// A name-based id (RFC 4122 4.3, version 5): the same object has the same id in each bundle.
std::string stix_id(std::string_view type, std::string_view name) {
  const std::string seed = "weir/" + std::string(type) + "/" + std::string(name);
  unsigned char d[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(seed.data()), seed.size(), d);
  d[6] = static_cast<unsigned char>((d[6] & 0x0f) | 0x50);
  d[8] = static_cast<unsigned char>((d[8] & 0x3f) | 0x80);
  std::string out = std::string(type) + "--";
  for (int i = 0; i < 16; ++i) out += fmt::format("{}{:02x}", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", d[i]);
  return out;
}

std::string url_of(std::string_view id) {
  const std::size_t dot = id.find('.');
  std::string out = "https://attack.mitre.org/techniques/" + std::string(id.substr(0, dot));
  if (dot != std::string_view::npos) out += "/" + std::string(id.substr(dot + 1));
  return out;
}

/// Objects that do not change from one run to the next carry the date on which their form was fixed.
constexpr const char* kMade = "2026-01-01T00:00:00.000Z";

ordered_json object(std::string_view type, std::string_view name) {
  return {{"type", type}, {"spec_version", "2.1"}, {"id", stix_id(type, name)}, {"created", kMade}, {"modified", kMade}};
}

}  // namespace

std::string render_navigator(const ProofReport& report) {
  constexpr const char* kGreen = "#8ec843";
  constexpr const char* kRed = "#ff6666";
  constexpr const char* kGrey = "#d9d9d9";
  ordered_json techniques = ordered_json::array();
  for (const RowProof& row : report.proofs.rows) {
    const bool open = row.proof == Proof::NotAssessed, proven = row.proof == Proof::Proven;
    std::string comment = std::string(name_of(row.proof)) + (proven ? ", by " + joined(row.rules()) : ": " + row.why);
    ordered_json one = {{"techniqueID", row.row->id},
                        {"color", open ? kGrey : proven ? kGreen : kRed},
                        {"comment", comment},
                        {"enabled", true},
                        {"metadata", {{{"name", "result"}, {"value", name_of(row.proof)}}, {{"name", "remains"}, {"value", row.row->remains}}}},
                        {"showSubtechniques", true}};
    if (!open) one["score"] = proven ? 100 : 0;
    techniques.push_back(one);
  }
  const ordered_json layer = {
      {"name", "Weir: M1037"},
      {"versions", {{"attack", "17"}, {"navigator", "5.1.0"}, {"layer", "4.5"}}},
      {"domain", "enterprise-attack"},
      {"description", "What " + report.policy_path + " stops of the techniques that M1037, Filter Network Traffic, names: proven by attacks and benign twins."},
      {"filters", {{"platforms", {"Windows", "Linux", "macOS", "Network Devices", "IaaS"}}}},
      {"sorting", 0},
      {"layout", {{"layout", "side"}, {"showID", true}, {"showName", true}}},
      {"hideDisabled", false},
      {"techniques", techniques},
      {"gradient", {{"colors", {kRed, "#ffe766", kGreen}}, {"minValue", 0}, {"maxValue", 100}}},
      {"legendItems",
       {{{"label", "proven"}, {"color", kGreen}}, {{"label", "not proven"}, {"color", kRed}}, {{"label", "not assessed"}, {"color", kGrey}}}},
      {"metadata", ordered_json::array()},
      {"showTacticRowBackground", false},
      {"selectTechniquesAcrossTactics", true},
      {"selectSubtechniquesWithParent", false}};
  return layer.dump(2) + "\n";
}

std::string render_stix(const ProofReport& report) {
  ordered_json objects = ordered_json::array();
  ordered_json maker = object("identity", "weir");
  maker["name"] = "Weir";
  maker["identity_class"] = "system";
  objects.push_back(maker);
  const auto add = [&](ordered_json made) {
    made["created_by_ref"] = maker["id"];
    objects.push_back(std::move(made));
  };
  for (const RowProof& row : report.proofs.rows) {
    ordered_json pattern = object("attack-pattern", row.row->id);
    pattern["name"] = row.row->name;
    pattern["external_references"] = {{{"source_name", "mitre-attack"}, {"external_id", row.row->id}, {"url", url_of(row.row->id)}}};
    add(pattern);
    ordered_json action = object("course-of-action", report.policy_path + "/" + row.row->id);
    action["name"] = "Filter network traffic against " + row.row->id;
    action["description"] = row.row->obligation + " In " + report.policy_path + " it is " + std::string(name_of(row.proof)) +
                            (row.proof == Proof::Proven ? ", by " + joined(row.rules()) : ": " + row.why) + ". What remains: " + row.row->remains;
    action["external_references"] = {{{"source_name", "mitre-attack"}, {"external_id", "M1037"}, {"url", "https://attack.mitre.org/mitigations/M1037"}}};
    for (const std::string& d : row.row->d3fend)
      action["external_references"].push_back({{"source_name", "d3fend"}, {"external_id", d}, {"url", "https://d3fend.mitre.org/technique/" + d}});
    action["labels"] = {std::string(name_of(row.proof))};
    add(action);
    if (row.proof == Proof::Proven) {
      ordered_json link = object("relationship", report.policy_path + "/mitigates/" + row.row->id);
      link["relationship_type"] = "mitigates";
      link["source_ref"] = action["id"];
      link["target_ref"] = pattern["id"];
      add(link);
    }
    if (!row.row->now.empty()) {
      ordered_json link = object("relationship", "revoked/" + row.row->id);
      link["relationship_type"] = "related-to";
      link["description"] = row.row->id + " is an older id of " + row.row->now;
      link["source_ref"] = pattern["id"];
      link["target_ref"] = stix_id("attack-pattern", row.row->now);
      add(link);
    }
  }
  const ordered_json bundle = {{"type", "bundle"}, {"id", stix_id("bundle", report.policy_path)}, {"objects", objects}};
  return bundle.dump(2) + "\n";
}

}  // namespace weir::cli
