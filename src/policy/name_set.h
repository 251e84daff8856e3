// SPDX-License-Identifier: Apache-2.0
#pragma once

// NameSet: a set of DNS names, each exact ("example.org") or with everything below (".example.org"), built once, compact:
// a million names in well under 60 MiB. The answer is exact, whatever filter stands in front.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::policy {

class NameSet {
 public:
  enum class Reach : std::uint8_t { Exact, Below, ExactAndBelow };
  struct Hit {
    std::string name;          ///< The entry, as it is in the set (with the leading dot where it reaches below).
    std::uint32_t line = 0;    ///< Line of the list that brought it; 0 if written in the policy.
  };
  class Builder;

  NameSet();
  NameSet(NameSet&&) noexcept;
  NameSet& operator=(NameSet&&) noexcept;
  ~NameSet();

  /// Without case; a trailing dot does not count.
  bool contains(std::string_view name) const;
  std::optional<Hit> find(std::string_view name) const;
  std::size_t size() const;
  std::size_t bytes() const;

 private:
  friend class Builder;
  struct Table;
  std::unique_ptr<Table> table_;
};

class NameSet::Builder {
 public:
  Builder();
  ~Builder();
  void reserve(std::size_t names);
  /// False if it is no name (too long, empty label); such lines are reported by the caller.
  bool add(std::string_view name, Reach reach, std::uint32_t line);
  NameSet build();

 private:
  std::unique_ptr<Table> table_;
};

}  // namespace weir::policy
