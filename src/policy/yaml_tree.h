// SPDX-License-Identifier: Apache-2.0
#pragma once

// YamlTree: one YAML document as a small tree of nodes with positions. It is read with libyaml's events; nothing else of
// the project sees YAML. Scalars are texts, whatever they look like: `no`, `on`, `NULL` and `1:30` stay what was written.
//
// What it refuses, with a position: more than one document, tags, keys twice in one map, keys that are not plain texts,
// aliases to what is not finished, and any of the bounds below (so neither a deep nest nor an alias bomb costs more than them).
// Nodes are owned by the tree; a node of an alias shares the children of its anchor.

#include <cstdint>
#include <deque>
#include <memory>
#include <string_view>
#include <vector>

#include "policy/diagnostics.h"

namespace weir::policy {

struct Node {
  enum class Kind : std::uint8_t { Scalar, List, Map };

  Kind kind = Kind::Scalar;
  bool quoted = false;          ///< A scalar in quotes or as a block.
  std::uint16_t file = 0;       ///< Index in the files of the policy.
  std::uint32_t line = 0, column = 0;  ///< From 1.
  std::uint32_t count = 0;      ///< Items of a list, pairs of a map.
  std::uint32_t weight = 1;     ///< Nodes below and this one, aliases expanded; saturates.
  std::string_view text;        ///< Of a scalar.
  const Node* first = nullptr;  ///< First child. In a map keys and values take turns.
  const Node* next = nullptr;   ///< Next sibling.

  bool is_scalar() const { return kind == Kind::Scalar; }
  bool is_list() const { return kind == Kind::List; }
  bool is_map() const { return kind == Kind::Map; }
  /// Nothing was written: `key:` with no value.
  bool is_empty() const { return is_scalar() && !quoted && text.empty(); }
  /// The value under a key of a map, or nullptr.
  const Node* at(std::string_view key) const;
  /// Calls with each item of a list.
  template <typename F>
  void for_each_item(F&& call) const {
    for (const Node* item = first; item != nullptr; item = item->next) call(*item);
  }
  /// Calls with each key and value of a map.
  template <typename F>
  void for_each_pair(F&& call) const {
    for (const Node* key = first; key != nullptr && key->next != nullptr; key = key->next->next) call(*key, *key->next);
  }
};

struct YamlLimits {
  std::uint32_t nodes_max = 16'000'000;
  std::uint32_t expanded_max = 1'000'000;  ///< Nodes that aliases stand for, all together.
  std::uint32_t depth_max = 32;
};

class YamlTree {
 public:
  /// The root, or nullptr if the text is no document; then an error has been added.
  /// `file` is the name for messages, `index` goes into each node.
  const Node* parse(std::string_view text, std::string_view file, std::uint16_t index, const YamlLimits& limits, Diagnostics& out);

 private:
  class Builder;
  Node* new_node() { return &nodes_.emplace_back(); }
  std::string_view keep(std::string_view text);

  std::deque<Node> nodes_;
  std::vector<std::unique_ptr<char[]>> blocks_;
  std::size_t block_used_ = 0, block_size_ = 0;
};

}  // namespace weir::policy
