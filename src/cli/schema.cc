// SPDX-License-Identifier: Apache-2.0
#include "cli/schema.h"

#include <algorithm>

#include "base/check.h"
#include "base/text.h"
#include "policy/grammar.h"
#include "policy/guards.h"

namespace weir::cli {
namespace {

using nlohmann::ordered_json;

ordered_json reference(std::string_view name) { return {{"$ref", "#/$defs/" + std::string(name)}}; }
ordered_json pattern(std::string_view text) { return {{"type", "string"}, {"pattern", text}}; }
ordered_json either(std::vector<ordered_json> shapes) {
  return shapes.size() == 1 ? shapes.front() : ordered_json{{"anyOf", shapes}};
}
ordered_json one_or_list(const ordered_json& shape) {
  return either({shape, {{"type", "array"}, {"items", shape}, {"minItems", 1}}});
}

/// Reads a shape of the grammar (grammar.h says how it is written).
class ShapeReader {
 public:
  explicit ShapeReader(std::string_view text) : rest_(text) {}
  ordered_json read() {
    std::vector<ordered_json> shapes;
    ordered_json words = ordered_json::array();
    do {
      if (take('\'')) {
        const std::size_t end = rest_.find('\'');
        words.push_back(rest_.substr(0, end));
        rest_.remove_prefix(end + 1);
      } else {
        shapes.push_back(read_one());
      }
    } while (take('|'));
    if (!words.empty()) shapes.insert(shapes.begin(), ordered_json{{"enum", words}});
    return either(shapes);
  }

 private:
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  ordered_json read_one() {
    if (take('[')) {
      const ordered_json item = read();
      CHECK(take(']'));
      if (!take('!')) return one_or_list(item);
      return {{"type", "array"}, {"items", item}};
    }
    if (take('{')) {
      const ordered_json value = read();
      CHECK(take('}'));
      return {{"type", "object"}, {"additionalProperties", value}};
    }
    const std::string_view name = rest_.substr(0, rest_.find_first_of("|]}"));
    rest_.remove_prefix(name.size());
    return reference(name);
  }

  std::string_view rest_;
};

ordered_json map_of(std::span<const policy::KeyRow> keys, std::span<const policy::KeyRow> more = {}) {
  ordered_json properties = ordered_json::object(), required = ordered_json::array();
  for (const auto& list : {keys, more})
    for (const policy::KeyRow& key : list) {
      ordered_json value = ShapeReader(key.shape).read();
      if (!key.help.empty()) value["description"] = key.help;
      properties[std::string(key.name)] = std::move(value);
      if (key.required) required.push_back(key.name);
    }
  ordered_json out = {{"type", "object"}, {"properties", properties}, {"additionalProperties", false}};
  if (!required.empty()) out["required"] = required;
  return out;
}

/// What a plain scalar of YAML may be to a program that reads it as JSON.
void add_scalars(ordered_json& defs) {
  const ordered_json any = {{"type", {"string", "number", "boolean"}}};
  defs["text"] = any;
  defs["boolean"] = {{"type", "boolean"}};
  defs["number"] = {{"type", "integer"}, {"minimum", 0}};
  defs["decimal"] = {{"type", "number"}, {"minimum", 0}};
  defs["duration"] = pattern("^([0-9]+(ms|s|m|h|d))+$");
  defs["rate"] = pattern("/(s|m|h)$|bit/s$");
  defs["date"] = pattern("^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ].*)?$");
  defs["address"] = {{"type", "string"}};
  defs["prefix"] = {{"type", "string"}};
  defs["mac"] = {{"type", "string"}};
  defs["technique"] = pattern("^T[0-9]{4}(\\.[0-9]{3})?$");
}

/// A number that is a word (`smb.dialect: 1`) is one to a reader of JSON.
void add_word(ordered_json& words, std::string_view word) {
  words.push_back(word);
  if (std::all_of(word.begin(), word.end(), is_digit)) words.push_back(std::stoull(std::string(word)));
  else if (word.size() == 3 && is_digit(word[0]) && word[1] == '.' && is_digit(word[2]))
    words.push_back(std::stod(std::string(word)));
}

ordered_json value_of(const FieldRow& row, const Vocabulary& words) {
  ordered_json names = {"absent", "present", "hidden"};
  switch (row.type) {
    case FieldType::Text:
    case FieldType::TextFold:
    case FieldType::Domain: return one_or_list(either({reference("text"), reference("value")}));
    case FieldType::Number:
      return one_or_list(row.words.empty()
                             ? either({reference("number"), pattern("^([0-9]+-[0-9]*|-?[0-9]+|absent|present|hidden)$")})
                             : either({reference("number"), {{"type", "string"}}}));
    case FieldType::Boolean: return one_or_list(either({reference("boolean"), {{"enum", names}}}));
    case FieldType::Word:
      for (const Word& word : row.words) add_word(names, word.name);
      return one_or_list({{"enum", names}});
    case FieldType::App:
      for (std::string_view name : words.app_names()) names.push_back(name);
      return one_or_list({{"enum", names}});
    case FieldType::Address:
    case FieldType::Mac:
    case FieldType::Flags:
    case FieldType::Zone:
    case FieldType::Port: return one_or_list(reference("text"));
  }
  return {};
}

ordered_json match_of(const Vocabulary& words, ordered_json& defs) {
  ordered_json properties = ordered_json::object();
  for (std::string_view name : words.field_names()) {
    const FieldRow& row = *words.field(name);
    const std::string place = "fact " + std::string(name);
    defs[place] = value_of(row, words);
    defs[place]["description"] = row.help;
    properties[std::string(name)] = reference(place);
    properties["not." + std::string(name)] = reference(place);
  }
  return {{"type", "object"}, {"properties", properties}, {"additionalProperties", false}};
}

ordered_json guards_of() {
  ordered_json properties = ordered_json::object();
  for (const policy::GuardShape& guard : policy::guard_shapes()) {
    const ordered_json map = map_of(guard.parameters, policy::grammar::kGuardKeys);
    const ordered_json plain = {{"type", "boolean"}};
    properties[std::string(guard.name)] =
        guard.list ? either({{{"const", false}}, {{"type", "array"}, {"items", map}, {"minItems", 1}}}) : either({plain, map});
  }
  return {{"type", "object"}, {"properties", properties}, {"additionalProperties", false}};
}

}  // namespace

ordered_json policy_schema(const Vocabulary& words) {
  ordered_json defs = ordered_json::object();
  add_scalars(defs);
  for (const policy::MapRow* map : policy::grammar::kMaps)
    if (map != &policy::grammar::kPolicy) defs[std::string(map->name)] = map_of(map->keys);
  for (const policy::grammar::Shape& shape : policy::grammar::kShapes)
    defs[std::string(shape.name)] = ShapeReader(shape.shape).read();
  defs["guards"] = guards_of();
  defs["match"] = match_of(words, defs);
  ordered_json out = {{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"title", "A policy of Weir"}};
  out.update(map_of(policy::grammar::kPolicyKeys));
  // Files that a policy includes say no `weir: 1`.
  out.erase("required");
  out["$defs"] = std::move(defs);
  return out;
}

}  // namespace weir::cli
