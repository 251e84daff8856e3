// SPDX-License-Identifier: Apache-2.0
#pragma once

// Files into sets: lists of names in four formats, lists of addresses, of URLs, and accounts. A line that cannot be read
// never stops a list: it is counted, and the first ones are kept for `check` to show. Only a file that cannot be opened, that is
// compressed, or that has no entry at all is an error.
//
// For all: UTF-8 byte order mark, CRLF, empty lines, lines of any length, a missing last line end. Control bytes (NUL too)
// in an entry make its line bad. `#` and `;` begin a comment, at the beginning of a line or after a blank.
//
// list     One name a line. "example.org" is that name; ".example.org" and "*.example.org" are it and all below it.
// hosts    An address, then names, each exactly that name (hosts(5)). Names of the machine itself (localhost, ip6-…) are skipped.
// rpz      A response policy zone as a zone file: `name CNAME .` and every other action is an entry, `*.name` is all below and
// not
//          the name itself; `rpz-passthru.` exempts, over less specific entries; triggers other than the name (rpz-ip,
//          rpz-nsdname, …) and rpz-tcp-only, which blocks nothing, are skipped. Names relative to $ORIGIN or absolute below the
//          zone.
// adblock  `||name^` is the name and all below it; `@@||name^` exempts, over all entries. Options that only strengthen
//          (important, all, document) do not matter; a rule with any other option holds in fewer cases than a name filter sees
//          (third-party, script, domain=…), would block too much, and is skipped. So are cosmetic rules and patterns of URLs.
//
// URLs, of which url_set.h says what an entry holds for:
// list        One a line, as the `text` lists of URLhaus have them: `http://host/file.exe` is that file, `host/dir/` all below,
// `host` all of it. squidguard  `host/path`, for the path, all below it, and the same on `www.host`: the files `urls` of
// SquidGuard and ufdbGuard. urlhaus     The CSV dump of URLhaus: the third column; `#` lines are comments.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "policy/name_set.h"
#include "policy/prefix_set.h"
#include "policy/rule.h"
#include "policy/url_set.h"

namespace weir::policy {

enum class NameFormat : std::uint8_t { List, Hosts, Rpz, Adblock };
/// "list", "hosts", "rpz", "adblock".
std::optional<NameFormat> parse_name_format(std::string_view word);

enum class UrlFormat : std::uint8_t { List, SquidGuard, Urlhaus };

/// Why something was left out though its line is right.
enum class Skip : std::uint8_t {
  LocalName,    ///< hosts: the machine's own name.
  Trigger,      ///< rpz: not about the queried name, or an action that blocks nothing.
  ZoneKeeping,  ///< rpz: SOA, NS, DNSSEC.
  Cosmetic,     ///< adblock: about the look of a page.
  Pattern,      ///< adblock: about a URL or part of a name.
  Option,       ///< adblock: holds in some cases only.
  Address,      ///< An address where names are listed.
  Count_,
};
std::string_view name_of(Skip skip);

struct ListReport {
  static constexpr std::size_t kSamplesMax = 20, kSampleBytesMax = 80;
  struct Sample {
    std::uint32_t line = 0;
    std::string reason, text;  ///< Text: the line's beginning, unprintable bytes as '?'.
  };

  std::uint32_t lines = 0;
  std::uint64_t taken = 0;     ///< Entries, repetitions included.
  std::uint64_t exempted = 0;  ///< rpz-passthru and @@.
  std::array<std::uint64_t, static_cast<std::size_t>(Skip::Count_)> skipped{};
  std::uint64_t bad = 0;             ///< Lines that could not be read.
  std::vector<Sample> samples;       ///< The first of them.
  std::uint64_t host_bits = 0;       ///< Prefixes whose host bits were cleared.
  std::uint32_t host_bits_line = 0;  ///< The first such line.
};

struct NameList {
  NameSet names;
  ListReport report;
};
struct AddressList {
  PrefixSet addresses;
  ListReport report;
};
struct UrlList {
  UrlSet urls;
  ListReport report;
};
struct AccountList {
  std::vector<Account> accounts;  ///< Sorted by name, then network.
  ListReport report;              ///< Bad lines are errors here: an account without its network would be let in from anywhere.
};

NameList parse_names(std::string_view text, NameFormat format);
/// One prefix, address or range "a-b" a line; what follows a blank or comma is another column and does not count.
AddressList parse_addresses(std::string_view text);
UrlList parse_urls(std::string_view text, UrlFormat format);
/// "name prefix[, prefix…]"; if the line has tabs the name ends at the first one. Host bits are bad here.
AccountList parse_accounts(std::string_view text);

Result<NameList> read_names(const std::string& path, NameFormat format);
Result<AddressList> read_addresses(const std::string& path);
Result<UrlList> read_urls(const std::string& path, UrlFormat format);
Result<AccountList> read_accounts(const std::string& path);

}  // namespace weir::policy
