// SPDX-License-Identifier: Apache-2.0
#pragma once

// Diagnostics: what is wrong, or doubtful, about a policy. All of it is collected in one run; each names file, line and
// column (from 1), says what is wrong and what would be right. Rendered in the GNU style, `file:line:column: error: …`.
//
// Bounded: after kKeptMax of a kind they are only counted, so a broken file of a million lines does not become a million strings.

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace weir::policy {

enum class Severity : std::uint8_t { Error, Warning };

struct Diagnostic {
  Severity severity = Severity::Error;
  std::string file;
  std::uint32_t line = 0, column = 0;
  std::string message;
};

class Diagnostics {
 public:
  static constexpr std::size_t kKeptMax = 1000;

  void add(Severity severity, std::string_view file, std::uint32_t line, std::uint32_t column, std::string message);
  void append(const Diagnostics& others);
  /// By file in order of first mention, then by place.
  void sort();

  const std::vector<Diagnostic>& all() const { return kept_; }
  std::size_t errors() const { return errors_; }      ///< Also those that were only counted.
  std::size_t warnings() const { return warnings_; }
  /// No further error is kept: a caller may spare itself the search for a good message.
  bool errors_full() const { return errors_ >= kKeptMax; }

 private:
  std::vector<Diagnostic> kept_;
  std::size_t errors_ = 0, warnings_ = 0;
};

/// `file:line:column: error: message`, without a newline.
std::string render(const Diagnostic& diagnostic);
/// A line each, and one more that tells how many were left out.
std::string render(const Diagnostics& diagnostics);

/// Puts a message together from texts and whole numbers.
template <typename... Parts>
std::string sentence(const Parts&... parts) {
  std::string out;
  const auto put = [&out](const auto& part) {
    if constexpr (std::is_integral_v<std::decay_t<decltype(part)>>) {
      out += std::to_string(part);
    } else {
      out += std::string_view(part);
    }
  };
  (put(parts), ...);
  return out;
}

}  // namespace weir::policy
