// SPDX-License-Identifier: Apache-2.0
#include "policy/diagnostics.h"

#include <algorithm>
#include <tuple>

namespace weir::policy {

void Diagnostics::add(Severity severity, std::string_view file, std::uint32_t line, std::uint32_t column, std::string message) {
  std::size_t& count = severity == Severity::Error ? errors_ : warnings_;
  if (++count > kKeptMax) return;
  kept_.push_back({severity, std::string(file), line, column, std::move(message)});
}

void Diagnostics::append(const Diagnostics& others) {
  for (const Diagnostic& d : others.kept_) {
    std::size_t& count = d.severity == Severity::Error ? errors_ : warnings_;
    if (++count <= kKeptMax) kept_.push_back(d);
  }
  const auto kept_there = [&](Severity severity) {
    return static_cast<std::size_t>(
        std::count_if(others.kept_.begin(), others.kept_.end(), [&](const Diagnostic& d) { return d.severity == severity; }));
  };
  errors_ += others.errors_ - kept_there(Severity::Error);
  warnings_ += others.warnings_ - kept_there(Severity::Warning);
}

void Diagnostics::sort() {
  std::vector<std::string> files;
  const auto place = [&](const std::string& file) {
    const auto found = std::find(files.begin(), files.end(), file);
    if (found != files.end()) return found - files.begin();
    files.push_back(file);
    return static_cast<std::ptrdiff_t>(files.size()) - 1;
  };
  for (const Diagnostic& d : kept_) place(d.file);
  std::stable_sort(kept_.begin(), kept_.end(), [&](const Diagnostic& a, const Diagnostic& b) {
    return std::tuple(place(a.file), a.line, a.column) < std::tuple(place(b.file), b.line, b.column);
  });
}

std::string render(const Diagnostic& d) {
  return sentence(d.file, ":", d.line, ":", d.column, d.severity == Severity::Error ? ": error: " : ": warning: ", d.message);
}

std::string render(const Diagnostics& diagnostics) {
  std::string out;
  for (const Diagnostic& d : diagnostics.all()) out += render(d) + '\n';
  const std::size_t left = diagnostics.errors() + diagnostics.warnings() - diagnostics.all().size();
  if (left > 0) out += sentence("… and ", left, " more\n");
  return out;
}

}  // namespace weir::policy
