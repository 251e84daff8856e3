// SPDX-License-Identifier: Apache-2.0
#include "policy/catalog.h"

#include <algorithm>
#include <cstdio>
#include <initializer_list>

#include "base/check.h"
#include "base/text.h"
#include "policy/builtin.h"
#include "policy/yaml_tree.h"

namespace weir::policy {
namespace {

/// Reads the catalogue's tree; complains where it is not of the form.
class CatalogReader {
 public:
  CatalogReader(std::string_view file, Diagnostics& out) : file_(file), out_(out) {}

  Catalog read(const Node& root) {
    Catalog catalog;
    if (!known(root, {"roles", "techniques"})) return catalog;
    if (const Node* roles = root.at("roles"))
      roles->for_each_pair([&](const Node& key, const Node& value) { catalog.roles.emplace_back(key.text, value.text); });
    const Node* rows = root.at("techniques");
    if (rows == nullptr || !rows->is_list()) return complain(root, "`techniques` is a list"), catalog;
    rows->for_each_item([&](const Node& node) { catalog.rows.push_back(row(node)); });
    return catalog;
  }

 private:
  void complain(const Node& at, std::string message) {
    out_.add(Severity::Error, file_, at.line, at.column, std::move(message));
  }

  bool known(const Node& node, std::initializer_list<std::string_view> keys) {
    if (!node.is_map()) return complain(node, "a map is wanted here"), false;
    node.for_each_pair([&](const Node& key, const Node&) {
      if (std::find(keys.begin(), keys.end(), key.text) == keys.end()) complain(key, sentence("unknown key `", key.text, "`"));
    });
    return true;
  }

  std::string text(const Node& map, std::string_view key, bool needed) {
    const Node* value = map.at(key);
    if (value != nullptr && value->is_scalar()) return std::string(trim(value->text));
    if (needed) complain(map, sentence("`", key, "` is missing"));
    return {};
  }

  std::vector<std::string> texts(const Node& map, std::string_view key) {
    std::vector<std::string> out;
    const Node* value = map.at(key);
    if (value == nullptr) return out;
    if (!value->is_list()) return complain(*value, sentence("`", key, "` is a list")), out;
    value->for_each_item([&](const Node& item) { out.emplace_back(item.text); });
    return out;
  }

  std::vector<CatalogCase> cases(const Node& map, std::string_view key, bool attack) {
    std::vector<CatalogCase> out;
    const Node* value = map.at(key);
    if (value == nullptr) return out;
    if (!value->is_list()) return complain(*value, sentence("`", key, "` is a list")), out;
    value->for_each_item([&](const Node& node) {
      if (!known(node, {"name", "what", "rule", "facts", "traffic"})) return;
      CatalogCase& one = out.emplace_back();
      one.name = text(node, "name", true);
      one.what = text(node, "what", true);
      one.rule = text(node, "rule", attack);
      one.facts = texts(node, "facts");
      one.traffic = text(node, "traffic", true);
    });
    return out;
  }

  CatalogRow row(const Node& node) {
    CatalogRow out;
    out.line = node.line;
    if (!known(node, {"id", "name", "obligation", "now", "d3fend", "stand", "needs", "remains", "attacks", "twins"})) return out;
    out.id = text(node, "id", true);
    out.name = text(node, "name", true);
    out.obligation = text(node, "obligation", true);
    out.now = text(node, "now", false);
    out.d3fend = texts(node, "d3fend");
    out.stand = texts(node, "stand");
    out.needs = texts(node, "needs");
    out.remains = text(node, "remains", true);
    out.attacks = cases(node, "attacks", true);
    out.twins = cases(node, "twins", false);
    return out;
  }

  std::string_view file_;
  Diagnostics& out_;
};

std::size_t indent_of(std::string_view line) { return std::min(line.find_first_not_of(' '), line.size()); }

/// The block that begins at `from`: that line and those below it that are further in; comments and blank lines at its end do not count.
std::string block_at(const std::vector<std::string_view>& lines, std::size_t from) {
  const std::size_t indent = indent_of(lines[from]);
  std::size_t end = from + 1;
  for (std::size_t i = end; i < lines.size(); ++i) {
    const std::string_view rest = trim(lines[i]);
    if (rest.empty() || rest.front() == '#') continue;
    if (indent_of(lines[i]) <= indent) break;
    end = i + 1;
  }
  std::string out;
  for (std::size_t i = from; i < end; ++i) {
    const std::string_view line = lines[i];
    out += std::string(line.substr(std::min(line.size(), std::min(indent, indent_of(line))))) + "\n";
  }
  return out;
}

}  // namespace

const CatalogRow* Catalog::row(std::string_view id) const {
  for (const CatalogRow& r : rows)
    if (r.id == id) return &r;
  return nullptr;
}

bool Catalog::has_role(std::string_view name) const {
  return std::any_of(roles.begin(), roles.end(), [&](const auto& role) { return role.first == name; });
}

Catalog parse_catalog(std::string_view name, std::string_view text, Diagnostics& out) {
  YamlTree tree;
  const Node* root = tree.parse(text, name, 0, {}, out);
  if (root == nullptr) return {};
  Catalog catalog = CatalogReader(name, out).read(*root);
  // An older id is a row of its own with the conversations of the one that replaces it.
  for (CatalogRow& row : catalog.rows) {
    if (row.now.empty() || !row.attacks.empty()) continue;
    const CatalogRow* now = catalog.row(row.now);
    if (now == nullptr) {
      out.add(Severity::Error, name, row.line, 1, sentence("`now: ", row.now, "` is no row"));
      continue;
    }
    row.attacks = now->attacks;
    row.twins = now->twins;
    row.needs = now->needs;
    if (row.d3fend.empty()) row.d3fend = now->d3fend;
  }
  return catalog;
}

const Catalog& catalog() {
  static const Catalog read = [] {
    Diagnostics diagnostics;
    Catalog made = parse_catalog("techniques.yaml", builtin_file("techniques.yaml"), diagnostics);
    if (diagnostics.errors() > 0) std::fputs(render(diagnostics).c_str(), stderr);
    CHECK(diagnostics.errors() == 0);
    return made;
  }();
  return read;
}

ProfileRule profile_rule(std::string_view name) {
  const bool guard = name.starts_with("guard.");
  const std::string wanted = guard ? std::string(name.substr(6)) + ":" : "- name: " + std::string(name);
  for (const std::string& profile : builtin_profile_names()) {
    const std::string text = builtin_profile(profile).value_or("");
    std::vector<std::string_view> lines;
    for_each_line(text, [&](std::string_view line) { lines.push_back(line); });
    bool in_guards = false;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      if (!lines[i].empty() && lines[i].front() != ' ' && lines[i].front() != '#') in_guards = lines[i].starts_with("guards:");
      const std::string_view rest = trim(lines[i]);
      const bool here = guard ? in_guards && indent_of(lines[i]) == 2 && rest.starts_with(wanted) : rest == wanted;
      if (here) return {profile, (guard ? "guards:\n  " : "") + block_at(lines, i)};
    }
  }
  return {};
}

}  // namespace weir::policy
