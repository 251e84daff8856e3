// SPDX-License-Identifier: Apache-2.0
#pragma once

// NameSet: a set of DNS names, each exact ("example.org") or with everything below (".example.org"), built once, compact:
// a million names in well under 60 MiB. The answer is exact, whatever filter stands in front.
//
// A name is RFC 1035 section 2.3.4: labels of 1 to 63 octets, 253 octets in dotted form. The labels hold any octet (RFC 2181 section 11);
// case does not count in ASCII (RFC 4343), internationalised names are compared as written (punycode). Names that break these
// bounds are in no set.
//
// 1. Names lie folded in an arena, one after the other, with their line and reach before them; nothing else is kept of them.
// 2. A table of 8-bit tags (in groups of eight) and 32-bit offsets finds them by a seeded hash of the labels from right to left, so one
//    pass over a name asks for all its suffixes. Suffixes of a depth that no entry has are not looked up.
// 3. Lookups allocate nothing (find makes the text of its answer) and may run in any thread.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace weir::policy {

class NameSet {
 public:
  enum class Reach : std::uint8_t { Exact = 1, Below = 2, ExactAndBelow = 3 };
  /// How far an exemption goes: over entries that are less specific than it (RPZ), or over all (adblock's @@).
  enum class Exempt : std::uint8_t { Closest, Always };
  struct Hit {
    std::string name;          ///< The entry as a list writes it: "name", ".name" for it and below, "*.name" for below only.
    std::uint32_t line = 0;    ///< Line of the list that brought it; 0 if written in the policy.
  };
  class Builder;

  NameSet();
  NameSet(NameSet&&) noexcept;
  NameSet& operator=(NameSet&&) noexcept;
  ~NameSet();

  /// Without case; a trailing dot does not count.
  bool contains(std::string_view name) const;
  /// The most specific entry that holds the name.
  std::optional<Hit> find(std::string_view name) const;
  std::size_t size() const;   ///< Entries, without exemptions and repetitions.
  std::size_t bytes() const;  ///< Memory that it takes.
  bool empty() const { return size() == 0; }
  /// Made of the same entries and exemptions, from the same lines. False may be a mere change of order.
  bool same_as(const NameSet& other) const;
  /// Every entry, without exemptions, in the order in which they came, repetitions too: for overlap questions.
  void for_each(const std::function<void(std::string_view name, Reach reach, std::uint32_t line)>& call) const;

 private:
  friend class Builder;
  struct Table;
  std::unique_ptr<Table> table_;
};

class NameSet::Builder {
 public:
  Builder();
  ~Builder();
  /// Takes a name without dot or star before it. False if it is no name (too long, empty label); the caller reports that.
  bool add(std::string_view name, Reach reach, std::uint32_t line);
  /// The same as the policy writes it: "name", ".name" (it and all below), "*.name" (below only).
  bool add_written(std::string_view written, std::uint32_t line);
  /// Names that are not in the set though an entry holds them. False as above.
  bool exempt(std::string_view name, Reach reach, Exempt exempt);
  NameSet build();

 private:
  std::unique_ptr<Table> table_;
};

}  // namespace weir::policy
