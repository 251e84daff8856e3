// SPDX-License-Identifier: Apache-2.0
#pragma once

// Json: appends JSON to a buffer, field by field, with nothing in between: no tree, no string a field, no locale. For
// events and summaries; what is read back uses a library.
//
// Keys are the program's own words and are written as they are; one that comes from a policy goes through begin_quoted() or number_quoted().
// Values may be any bytes: the line is valid UTF-8 JSON whatever they are (RFC 8259, RFC 3629).

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <string_view>
#include <type_traits>

namespace weir::report {

/// Appends `value` as a JSON string, quotes included. Bytes that are not UTF-8 become U+FFFD, each.
void append_quoted(fmt::memory_buffer& out, std::string_view value);

class Json {
 public:
  explicit Json(fmt::memory_buffer& out) : out_(out) {}

  Json& begin() { return open('{'); }
  Json& begin(std::string_view key) {
    name(key);
    return open('{');
  }
  Json& begin_quoted(std::string_view key) {
    quoted_name(key);
    return open('{');
  }
  Json& end() { return close('}'); }
  Json& text(std::string_view key, std::string_view value) {
    name(key);
    append_quoted(out_, value);
    return *this;
  }
  /// A value that needs no escaping: a word of ours, an address, a time.
  Json& word(std::string_view key, std::string_view value) {
    const std::size_t comma_bytes = first_ ? 0 : 1, size = out_.size();
    out_.resize(size + comma_bytes + key.size() + value.size() + 5);
    char* at = out_.data() + size;
    if (!first_) *at++ = ',';
    first_ = false;
    *at++ = '"';
    at = put(at, key);
    *at++ = '"', *at++ = ':', *at++ = '"';
    at = put(at, value);
    *at = '"';
    return *this;
  }
  template <typename Number>
  Json& number(std::string_view key, Number value) {
    name(key);
    digits(value);
    return *this;
  }
  template <typename Number>
  Json& number_quoted(std::string_view key, Number value) {
    quoted_name(key);
    digits(value);
    return *this;
  }
  Json& flag(std::string_view key, bool value) {
    name(key);
    append(value ? "true" : "false");
    return *this;
  }
  Json& begin_list(std::string_view key) {
    name(key);
    return open('[');
  }
  Json& begin_item() {
    comma();
    return open('{');
  }
  Json& item(std::string_view value) {
    comma();
    append_quoted(out_, value);
    return *this;
  }
  template <typename Number>
  Json& item_number(Number value) {
    comma();
    digits(value);
    return *this;
  }
  Json& end_list() { return close(']'); }
  /// Fields that were rendered before, without a comma at either end.
  Json& rendered(std::string_view fields) {
    comma();
    append(fields);
    return *this;
  }
  /// What was rendered ended inside an object that has fields already.
  Json& inside() {
    first_ = false;
    return *this;
  }

 private:
  static char* put(char* at, std::string_view text) {
    std::memcpy(at, text.data(), text.size());
    return at + text.size();
  }
  void append(std::string_view text) {
    const std::size_t size = out_.size();
    out_.resize(size + text.size());
    put(out_.data() + size, text);
  }
  Json& open(char bracket) {
    out_.push_back(bracket);
    first_ = true;
    return *this;
  }
  Json& close(char bracket) {
    out_.push_back(bracket);
    first_ = false;
    return *this;
  }
  void comma() {
    if (!first_) out_.push_back(',');
    first_ = false;
  }
  void name(std::string_view key) {
    const std::size_t size = out_.size(), comma_bytes = first_ ? 0 : 1;
    out_.resize(size + comma_bytes + key.size() + 3);
    char* at = out_.data() + size;
    if (!first_) *at++ = ',';
    first_ = false;
    *at++ = '"';
    at = put(at, key);
    *at++ = '"';
    *at = ':';
  }
  void quoted_name(std::string_view key) {
    comma();
    append_quoted(out_, key);
    out_.push_back(':');
  }
  template <typename Number>
  void digits(Number value) {
    if constexpr (std::is_floating_point_v<Number>) {
      fmt::format_to(fmt::appender(out_), "{}", std::isfinite(value) ? value : Number{0});  // JSON has no infinity.
    } else {
      const fmt::format_int text(value);
      append({text.data(), text.size()});
    }
  }

  fmt::memory_buffer& out_;
  bool first_ = true;
};

}  // namespace weir::report
