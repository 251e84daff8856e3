// SPDX-License-Identifier: Apache-2.0
#include "policy/yaml_tree.h"

#include <yaml.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <unordered_map>
#include <unordered_set>

namespace weir::policy {
namespace {

constexpr std::size_t kBlockBytes = 64 * 1024;
constexpr std::uint32_t kFewKeys = 16;  // up to here a map is searched for a key twice by looking at each

std::string_view as_text(const yaml_char_t* text) {
  return text == nullptr ? std::string_view() : std::string_view(reinterpret_cast<const char*>(text));
}

}  // namespace

const Node* Node::at(std::string_view key) const {
  if (!is_map()) return nullptr;
  for (const Node* k = first; k != nullptr && k->next != nullptr; k = k->next->next)
    if (k->text == key) return k->next;
  return nullptr;
}

std::string_view YamlTree::keep(std::string_view text) {
  if (text.empty()) return {};
  if (block_size_ - block_used_ < text.size()) {
    block_size_ = std::max(kBlockBytes, text.size());
    blocks_.push_back(std::make_unique<char[]>(block_size_));
    block_used_ = 0;
  }
  char* at = blocks_.back().get() + block_used_;
  std::memcpy(at, text.data(), text.size());
  block_used_ += text.size();
  return {at, text.size()};
}

/// Turns events into nodes. Once `failed_` nothing more is read: what follows a fault of form would only mislead.
class YamlTree::Builder {
 public:
  Builder(YamlTree& tree, std::string_view text, std::string_view file, std::uint16_t index, const YamlLimits& limits,
          Diagnostics& out)
      : tree_(tree), text_(text), file_(file), index_(index), limits_(limits), out_(out) {}

  const Node* run() {
    yaml_parser_t parser;
    if (yaml_parser_initialize(&parser) == 0) {
      fail(1, 1, "out of memory");
      return nullptr;
    }
    if (text_.empty()) text_ = "";  // libyaml asserts that there is a pointer, also to nothing
    yaml_parser_set_input_string(&parser, reinterpret_cast<const unsigned char*>(text_.data()), text_.size());
    bool ended = false;
    while (!failed_ && !ended) {
      yaml_event_t event;
      if (yaml_parser_parse(&parser, &event) == 0) {
        report_parser(parser);
        break;
      }
      ended = event.type == YAML_STREAM_END_EVENT;
      on_event(event);
      yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    if (failed_) return nullptr;
    if (root_ == nullptr) fail(1, 1, "there is nothing here; a policy starts with `weir: 1`");
    return root_;
  }

 private:
  struct Open {
    Node* node;
    Node* last = nullptr;
    std::string anchor;
    bool key_next = true;  // of a map
    std::unordered_set<std::string_view> keys;
  };

  void fail(std::uint32_t line, std::uint32_t column, std::string message) {
    if (!failed_) out_.add(Severity::Error, file_, line, column, std::move(message));
    failed_ = true;
  }
  void fail(const yaml_mark_t& mark, std::string message) {
    fail(static_cast<std::uint32_t>(mark.line + 1), static_cast<std::uint32_t>(mark.column + 1), std::move(message));
  }

  void report_parser(const yaml_parser_t& parser) {
    const std::string_view problem = parser.problem == nullptr ? "out of memory" : parser.problem;
    if (parser.error == YAML_READER_ERROR) {
      const std::string_view before = text_.substr(0, std::min(parser.problem_offset, text_.size()));
      const std::size_t line_start = before.rfind('\n');
      fail(static_cast<std::uint32_t>(std::count(before.begin(), before.end(), '\n') + 1),
           static_cast<std::uint32_t>(line_start == std::string_view::npos ? before.size() + 1 : before.size() - line_start),
           sentence("this is not UTF-8 text: ", problem));
      return;
    }
    fail(parser.problem_mark, sentence("this is not YAML: ", problem));
  }

  void on_event(const yaml_event_t& event) {
    switch (event.type) {
      case YAML_DOCUMENT_START_EVENT:
        if (root_ != nullptr) fail(event.start_mark, "a second document starts here; a policy is one document");
        break;
      case YAML_SCALAR_EVENT:
        on_scalar(event);
        break;
      case YAML_SEQUENCE_START_EVENT:
        on_open(event, Node::Kind::List, event.data.sequence_start.anchor, event.data.sequence_start.tag);
        break;
      case YAML_MAPPING_START_EVENT:
        on_open(event, Node::Kind::Map, event.data.mapping_start.anchor, event.data.mapping_start.tag);
        break;
      case YAML_SEQUENCE_END_EVENT:
      case YAML_MAPPING_END_EVENT:
        on_close();
        break;
      case YAML_ALIAS_EVENT:
        on_alias(event);
        break;
      default:
        break;
    }
  }

  Node* make(const yaml_event_t& event, Node::Kind kind) {
    if (++nodes_ > limits_.nodes_max) {
      fail(event.start_mark, sentence("more than ", limits_.nodes_max, " values in one policy"));
      return nullptr;
    }
    Node* node = tree_.new_node();
    node->kind = kind;
    node->file = index_;
    node->line = static_cast<std::uint32_t>(event.start_mark.line + 1);
    node->column = static_cast<std::uint32_t>(event.start_mark.column + 1);
    return node;
  }

  void on_scalar(const yaml_event_t& event) {
    const auto& scalar = event.data.scalar;
    if (scalar.tag != nullptr) return fail_tag(event);
    const std::string_view text(reinterpret_cast<const char*>(scalar.value), scalar.length);
    if (text.find('\0') != std::string_view::npos) return fail(event.start_mark, "a text with a NUL byte");
    Node* node = make(event, Node::Kind::Scalar);
    if (node == nullptr) return;
    node->quoted = scalar.style != YAML_PLAIN_SCALAR_STYLE;
    node->text = tree_.keep(text);
    if (scalar.anchor != nullptr) anchors_[std::string(as_text(scalar.anchor))] = node;
    place(node);
  }

  void on_open(const yaml_event_t& event, Node::Kind kind, const yaml_char_t* anchor, const yaml_char_t* tag) {
    if (tag != nullptr) return fail_tag(event);
    if (open_.size() >= limits_.depth_max) return fail(event.start_mark, sentence("nested deeper than ", limits_.depth_max));
    Node* node = make(event, kind);
    if (node == nullptr) return;
    place(node);
    if (anchor != nullptr) anchors_[std::string(as_text(anchor))] = nullptr;  // not finished
    open_.push_back({node, nullptr, std::string(as_text(anchor)), true, {}});
  }

  void on_close() {
    Node* node = open_.back().node;
    if (!open_.back().anchor.empty()) anchors_[open_.back().anchor] = node;
    open_.pop_back();
    if (!open_.empty()) add_weight(*open_.back().node, node->weight - 1);
  }

  void on_alias(const yaml_event_t& event) {
    const std::string name(as_text(event.data.alias.anchor));
    const auto found = anchors_.find(name);
    if (found == anchors_.end()) return fail(event.start_mark, sentence("no anchor `&", name, "` stands before this"));
    if (found->second == nullptr) return fail(event.start_mark, sentence("`*", name, "` stands inside what it names"));
    const Node& target = *found->second;
    expanded_ += target.weight;
    if (expanded_ > limits_.expanded_max)
      return fail(event.start_mark, sentence("aliases stand for more than ", limits_.expanded_max, " values"));
    Node* node = make(event, target.kind);
    if (node == nullptr) return;
    node->quoted = target.quoted;
    node->count = target.count;
    node->weight = target.weight;
    node->text = target.text;
    node->first = target.first;
    place(node);
  }

  void fail_tag(const yaml_event_t& event) {
    fail(event.start_mark, "tags such as `!!int` are not part of a policy; write the value alone");
  }

  static void add_weight(Node& node, std::uint32_t more) {
    node.weight = node.weight > UINT32_MAX - more ? UINT32_MAX : node.weight + more;
  }

  void place(Node* node) {
    if (open_.empty()) {
      root_ = node;
      return;
    }
    Open& parent = open_.back();
    if (parent.node->is_map()) {
      if (parent.key_next && !check_key(parent, *node)) return;
      if (parent.key_next) ++parent.node->count;
      parent.key_next = !parent.key_next;
    } else {
      ++parent.node->count;
    }
    if (parent.last == nullptr) {
      parent.node->first = node;
    } else {
      parent.last->next = node;
    }
    parent.last = node;
    add_weight(*parent.node, node->weight);
  }

  bool check_key(Open& parent, const Node& key) {
    if (!key.is_scalar()) {
      fail(key.line, key.column, "a key must be a text");
      return false;
    }
    const Node* before = parent.node->count < kFewKeys ? find_key(*parent.node, key.text) : nullptr;
    if (parent.node->count >= kFewKeys) {
      if (parent.keys.empty()) parent.node->for_each_pair([&](const Node& k, const Node&) { parent.keys.insert(k.text); });
      if (!parent.keys.insert(key.text).second) before = find_key(*parent.node, key.text);
    }
    // A key twice is an error, but the rest of the document can still be read.
    if (before != nullptr)
      out_.add(Severity::Error, file_, key.line, key.column,
               sentence("`", key.text.substr(0, 80), "` stands twice in this map; the first is in line ", before->line));
    return true;
  }

  static const Node* find_key(const Node& map, std::string_view text) {
    for (const Node* key = map.first; key != nullptr && key->next != nullptr; key = key->next->next)
      if (key->text == text) return key;
    return nullptr;
  }

  YamlTree& tree_;
  std::string_view text_, file_;
  std::uint16_t index_;
  const YamlLimits& limits_;
  Diagnostics& out_;
  std::vector<Open> open_;
  std::unordered_map<std::string, const Node*> anchors_;
  const Node* root_ = nullptr;
  std::uint64_t nodes_ = 0, expanded_ = 0;
  bool failed_ = false;
};

const Node* YamlTree::parse(std::string_view text, std::string_view file, std::uint16_t index, const YamlLimits& limits,
                            Diagnostics& out) {
  return Builder(*this, text, file, index, limits, out).run();
}

}  // namespace weir::policy
