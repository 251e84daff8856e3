// SPDX-License-Identifier: Apache-2.0
#pragma once

// Json: appends JSON to a buffer, field by field, with nothing in between. For events; what is read back uses a library.

#include <fmt/format.h>

#include <string_view>

namespace weir::report {

class Json {
 public:
  explicit Json(fmt::memory_buffer& out) : out_(out) {}

  Json& begin() {
    out_.push_back('{');
    first_ = true;
    return *this;
  }
  Json& begin(std::string_view key) {
    name(key);
    return begin();
  }
  Json& end() {
    out_.push_back('}');
    first_ = false;
    return *this;
  }
  Json& text(std::string_view key, std::string_view value) {
    name(key);
    quote(value);
    return *this;
  }
  template <typename Number>
  Json& number(std::string_view key, Number value) {
    name(key);
    fmt::format_to(fmt::appender(out_), "{}", value);
    return *this;
  }
  Json& flag(std::string_view key, bool value) {
    name(key);
    append(value ? "true" : "false");
    return *this;
  }
  Json& begin_list(std::string_view key) {
    name(key);
    out_.push_back('[');
    first_ = true;
    return *this;
  }
  Json& item(std::string_view value) {
    comma();
    quote(value);
    return *this;
  }
  template <typename Number>
  Json& item_number(Number value) {
    comma();
    fmt::format_to(fmt::appender(out_), "{}", value);
    return *this;
  }
  Json& end_list() {
    out_.push_back(']');
    first_ = false;
    return *this;
  }

 private:
  void append(std::string_view text) { out_.append(text.data(), text.data() + text.size()); }
  void comma() {
    if (!first_) out_.push_back(',');
    first_ = false;
  }
  void name(std::string_view key) {
    comma();
    quote(key);
    out_.push_back(':');
  }
  /// Bytes of the network: what is not UTF-8 becomes U+FFFD, so that every reader takes the line.
  void quote(std::string_view value);

  fmt::memory_buffer& out_;
  bool first_ = true;
};

}  // namespace weir::report
