// SPDX-License-Identifier: Apache-2.0
// The schema of the policy against policies: those of the project pass, and what the reader refuses for its form is refused.
// The judge of schemas here knows the words that ours uses, and fails on any other.

#include "cli/schema.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include "base/text.h"
#include "engine/engine.h"
#include "policy/yaml_tree.h"

namespace weir::cli {
namespace {

using nlohmann::ordered_json;
using policy::Node;

/// YAML as a program that knows JSON's types reads it.
ordered_json json_of(const Node& node) {
  if (node.is_list()) {
    ordered_json out = ordered_json::array();
    node.for_each_item([&](const Node& item) { out.push_back(json_of(item)); });
    return out;
  }
  if (node.is_map()) {
    ordered_json out = ordered_json::object();
    node.for_each_pair([&](const Node& key, const Node& value) { out[std::string(key.text)] = json_of(value); });
    return out;
  }
  const std::string text(node.text);
  if (node.quoted) return text;
  if (text.empty()) return nullptr;
  if (text == "true" || text == "false") return text == "true";
  if (parse_number(text)) return *parse_number(text);
  if (std::regex_match(text, std::regex("[0-9]+\\.[0-9]+"))) return std::stod(text);
  return text;
}

bool has_type(const ordered_json& value, const std::string& type) {
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_boolean();
  if (type == "integer") return value.is_number_integer();
  if (type == "number") return value.is_number();
  if (type == "array") return value.is_array();
  if (type == "object") return value.is_object();
  ADD_FAILURE() << "no type " << type;
  return false;
}

class Judge {
 public:
  explicit Judge(const ordered_json& schema) : root_(schema) {}
  bool holds(const ordered_json& value) { return holds(value, root_, ""); }
  std::string where;  ///< The deepest place that failed last.

 private:
  bool holds(const ordered_json& value, const ordered_json& schema, const std::string& at) {
    for (const auto& [word, says] : schema.items())
      if (!word_holds(value, schema, word, says, at)) return where = at + " (" + word + ")", false;
    return true;
  }
  bool word_holds(const ordered_json& value, const ordered_json& schema, const std::string& word, const ordered_json& says, const std::string& at) {
    if (word == "$schema" || word == "title" || word == "description" || word == "$defs") return true;
    if (word == "$ref") {
      const std::string name = says.get<std::string>().substr(8);
      EXPECT_TRUE(root_["$defs"].contains(name)) << name;
      return root_["$defs"].contains(name) && holds(value, root_["$defs"][name], at);
    }
    if (word == "type") {
      if (says.is_string()) return has_type(value, says);
      return std::any_of(says.begin(), says.end(), [&](const auto& one) { return has_type(value, one); });
    }
    if (word == "enum") return std::find(says.begin(), says.end(), value) != says.end();
    if (word == "const") return value == says;
    if (word == "pattern") return !value.is_string() || std::regex_search(value.get<std::string>(), std::regex(says.get<std::string>()));
    if (word == "minimum") return !value.is_number() || value >= says;
    if (word == "minItems") return !value.is_array() || value.size() >= says.get<std::size_t>();
    if (word == "anyOf") return std::any_of(says.begin(), says.end(), [&](const auto& one) { return holds(value, one, at); });
    if (word == "items")
      return !value.is_array() || std::all_of(value.begin(), value.end(), [&](const auto& one) { return holds(one, says, at + "[]"); });
    if (word == "required")
      return !value.is_object() || std::all_of(says.begin(), says.end(), [&](const auto& key) { return value.contains(key.template get<std::string>()); });
    if (word == "properties" || word == "additionalProperties") {
      if (!value.is_object()) return true;
      for (const auto& [key, inner] : value.items()) {
        const bool own = schema.contains("properties") && schema["properties"].contains(key);
        if (word == "properties" && own && !holds(inner, says[key], at + "." + key)) return false;
        if (word == "additionalProperties" && !own && (says == false || !holds(inner, says, at + "." + key))) return where = at + "." + key, false;
      }
      return true;
    }
    ADD_FAILURE() << "the judge does not know " << word;
    return false;
  }

  const ordered_json& root_;
};

ordered_json read(const std::string& name, std::string_view text) {
  policy::YamlTree tree;
  policy::Diagnostics diagnostics;
  const Node* root = tree.parse(text, name, 0, {}, diagnostics);
  EXPECT_NE(root, nullptr) << name;
  return root == nullptr ? ordered_json() : json_of(*root);
}

std::string text_of(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

TEST(Schema, PoliciesOfTheProjectPass) {
  const ordered_json schema = policy_schema(engine::vocabulary());
  Judge judge(schema);
  std::size_t asked = 0;
  for (const char* folder : {"tests/cases", "demo", "tests/corpus/policy", "catalog"}) {
    if (!std::filesystem::exists(folder)) continue;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      const std::string name = entry.path().filename();
      if (name != "policy.yaml" && name != "whole.yaml" && entry.path().parent_path().filename() != "policies") continue;
      ++asked;
      EXPECT_TRUE(judge.holds(read(entry.path(), text_of(entry.path())))) << entry.path() << ": " << judge.where;
    }
  }
  EXPECT_GE(asked, 30U);
}

TEST(Schema, WhatHasAnotherFormIsRefused) {
  const ordered_json schema = policy_schema(engine::vocabulary());
  Judge judge(schema);
  const struct {
    const char* text;
    bool right;
  } kRows[] = {
      {"weir: 1\nrules: []\n", true},
      {"weir: 1\nrulez: []\n", false},
      {"weir: 1\nmode: monitor\n", true},
      {"weir: 1\nmode: on\n", false},
      {"weir: 1\nidle: { tcp: 1h30m }\n", true},
      {"weir: 1\nidle: { tcp: 90 }\n", false},
      {"weir: 1\nsets: { a: { urls: { file: u.txt, format: urlhaus } } }\n", true},
      {"weir: 1\nsets: { a: { urls: { file: u.txt, format: csv } } }\n", false},
      {"weir: 1\nrules: [ { name: a, match: { port: [22, 1024-] }, action: drop } ]\n", true},
      {"weir: 1\nrules: [ { name: a, match: { prot: 22 }, action: drop } ]\n", false},
      {"weir: 1\nrules: [ { name: a, match: { not.app.protocol: tls }, action: drop } ]\n", true},
      {"weir: 1\nrules: [ { name: a, match: { app.protocol: tsl }, action: drop } ]\n", false},
      {"weir: 1\nrules: [ { name: a, match: { http.uri: { regex: x } }, action: drop } ]\n", true},
      {"weir: 1\nrules: [ { name: a, match: { http.uri: { glob: x } }, action: drop } ]\n", false},
      {"weir: 1\nrules: [ { name: a, match: {}, action: { ban: source, for: 10m } } ]\n", true},
      {"weir: 1\nrules: [ { name: a, match: {}, action: block } ]\n", false},
      {"weir: 1\nrules: [ { match: {}, action: drop } ]\n", false},
      {"weir: 1\nguards: { tcp-state: true, flood: [ { what: syn, rate: 10/s } ] }\n", true},
      {"weir: 1\nguards: { tcp-state: { stric: true } }\n", false},
      {"weir: 1\nguards: { flood: true }\n", false},
      {"weir: 1\nassert: [ { name: a, never: { port: 23 } } ]\n", true},
      {"weir: 1\nassert: [ { name: a, nevr: { port: 23 } } ]\n", false},
      {"weir: 1\nupstream: [ { name: a, contact: noc@transit.example, announce: blackhole, prefixes: 192.0.2.0/24 } ]\n", true},
      {"weir: 1\nupstream: [ { name: a } ]\n", false},
  };
  for (const auto& row : kRows) EXPECT_EQ(judge.holds(read("row", row.text)), row.right) << row.text << judge.where;
}

}  // namespace
}  // namespace weir::cli
