// SPDX-License-Identifier: Apache-2.0
#include "policy/lists.h"

#include <algorithm>
#include <bit>

#include "policy/list_lines.h"

namespace weir::policy {

namespace {

__extension__ typedef unsigned __int128 Wide;

Wide wide_of(const Ip& ip) { return Wide{ip.high()} << 64 | ip.low(); }

Ip ip_of(Wide value) {
  Ip ip;
  for (std::size_t i = 16; i-- > 0; value >>= 8) ip.bytes[i] = static_cast<std::uint8_t>(value);
  return ip;
}

unsigned trailing_zeros(Wide value) {
  const auto low = static_cast<std::uint64_t>(value), high = static_cast<std::uint64_t>(value >> 64);
  return static_cast<unsigned>(low != 0 ? std::countr_zero(low) : 64 + std::countr_zero(high));
}

/// The fewest prefixes that make up [first, last]: at most 254.
void add_range(const Ip& first_ip, const Ip& last_ip, std::uint32_t line, std::vector<PrefixSet::Entry>& entries) {
  Wide first = wide_of(first_ip);
  const Wide last = wide_of(last_ip);
  while (true) {
    unsigned bits = std::min(trailing_zeros(first), first_ip.is_v4() ? 32U : 128U);
    while (bits > 0 && (bits == 128 ? last != ~Wide{0} || first != 0 : last - first < (Wide{1} << bits) - 1)) --bits;
    entries.push_back({{ip_of(first), static_cast<std::uint8_t>(128 - bits)}, line});
    if (bits == 128) return;
    const Wide end = first + ((Wide{1} << bits) - 1);
    if (end == last) return;
    first = end + 1;
  }
}

/// The first column: up to a blank, comma or semicolon.
std::string_view first_column(std::string_view line) {
  const std::string_view word = next_word(line);
  return word.substr(0, word.find_first_of(",;"));
}

void take_address(std::string_view word, ListLines& lines, std::vector<PrefixSet::Entry>& entries) {
  if (const std::size_t dash = word.find('-'); dash != word.npos) {
    const auto first = parse_ip(word.substr(0, dash)), last = parse_ip(word.substr(dash + 1));
    if (!first || !last || first->is_v4() != last->is_v4()) return lines.bad("not a range of addresses");
    if (*last < *first) return lines.bad("the range ends before it begins");
    add_range(*first, *last, lines.number(), entries);
    ++lines.report().taken;
    return;
  }
  const auto parsed = parse_prefix(word);
  if (!parsed) return lines.bad("neither an address, nor a prefix, nor a range");
  if (parsed->has_host_bits && lines.report().host_bits++ == 0) lines.report().host_bits_line = lines.number();
  entries.push_back({parsed->prefix, lines.number()});
  ++lines.report().taken;
}

NameList names_from(std::string_view text, MappedFile* file, NameFormat format) {
  NameList list;
  NameSet::Builder builder;
  ListLines lines(text, file, list.report);
  switch (format) {
    case NameFormat::List: take_list(lines, builder); break;
    case NameFormat::Hosts: take_hosts(lines, builder); break;
    case NameFormat::Rpz: take_rpz(lines, builder); break;
    case NameFormat::Adblock: take_adblock(lines, builder); break;
  }
  list.names = builder.build();
  return list;
}

AddressList addresses_from(std::string_view text, MappedFile* file) {
  AddressList list;
  std::vector<PrefixSet::Entry> entries;
  ListLines lines(text, file, list.report);
  for (std::string_view line; lines.next(line);) {
    const std::string_view rest = trim(without_comment(line, "#;"));
    if (rest.empty()) continue;
    // "a - b" with blanks around the dash is one column still.
    std::string_view words = rest;
    const std::string_view first = next_word(words), dash = next_word(words), last = next_word(words);
    if (dash == "-") take_address(std::string(first) + "-" + std::string(first_column(last)), lines, entries);
    else take_address(first_column(rest), lines, entries);
  }
  list.addresses = PrefixSet::build(std::move(entries));
  return list;
}

UrlList urls_from(std::string_view text, MappedFile* file, UrlFormat format) {
  UrlList list;
  UrlSet::Builder builder;
  ListLines lines(text, file, list.report);
  take_urls(lines, format, builder);
  list.urls = builder.build();
  return list;
}

/// What is wrong with the line, or nothing.
std::string_view take_account(std::string_view line, std::uint32_t number, std::vector<Account>& accounts) {
  const std::size_t tab = line.find('\t');
  std::string_view rest = line;
  std::string_view name = tab != line.npos ? trim(line.substr(0, tab)) : next_word(rest);
  if (tab != line.npos) rest = line.substr(tab);
  if (name.empty()) return "no name before the prefix";
  const std::size_t before = accounts.size();
  while (true) {
    while (!rest.empty() && (is_blank(rest.front()) || rest.front() == ',')) rest.remove_prefix(1);
    if (rest.empty()) break;
    const std::string_view word = rest.substr(0, rest.find_first_of(", \t\r\v\f"));
    rest.remove_prefix(word.size());
    const auto parsed = parse_prefix(word);
    if (parsed && !parsed->has_host_bits) {
      accounts.push_back({.name = std::string(name), .network = parsed->prefix, .line = number});
      continue;
    }
    accounts.resize(before);
    return parsed ? "the prefix has host bits set" : "after the name only prefixes may follow";
  }
  return accounts.size() == before ? "a name without a prefix" : "";
}

AccountList accounts_from(std::string_view text, MappedFile* file) {
  AccountList list;
  ListLines lines(text, file, list.report);
  for (std::string_view line; lines.next(line);) {
    line = trim(without_comment(line, "#"));
    if (line.empty()) continue;
    const std::size_t before = list.accounts.size();
    const std::string_view wrong = take_account(line, lines.number(), list.accounts);
    if (!wrong.empty()) lines.bad(wrong);
    list.report.taken += list.accounts.size() - before;
  }
  std::stable_sort(list.accounts.begin(), list.accounts.end(), [](const Account& a, const Account& b) {
    return a.name != b.name ? a.name < b.name : a.network < b.network;
  });
  return list;
}

/// Opens, reads, and refuses what has no entry.
template <typename F>
auto read_with(const std::string& path, F&& read) -> Result<decltype(read(std::declval<MappedFile&>()))> {
  auto file = MappedFile::open(path);
  if (!file) return file.error();
  const std::string_view text = file->text();
  if (text.starts_with("\x1f\x8b") || text.starts_with("\x28\xb5\x2f\xfd") || text.starts_with("\xfd" "7zXZ"))
    return Error{path + " is compressed; unpack it first"};
  auto list = read(*file);
  if (list.report.taken + list.report.exempted > 0) return list;
  std::string message = path + " has no entry";
  if (!list.report.samples.empty()) {
    const ListReport::Sample& first = list.report.samples.front();
    message += "; line " + std::to_string(first.line) + ": " + first.reason;
  }
  return Error{std::move(message)};
}

}  // namespace

std::optional<NameFormat> parse_name_format(std::string_view word) {
  if (word == "list") return NameFormat::List;
  if (word == "hosts") return NameFormat::Hosts;
  if (word == "rpz") return NameFormat::Rpz;
  if (word == "adblock") return NameFormat::Adblock;
  return std::nullopt;
}

std::string_view name_of(Skip skip) {
  switch (skip) {
    case Skip::LocalName: return "names of the machine itself";
    case Skip::Trigger: return "policy zone triggers that are not about a name, or block nothing";
    case Skip::ZoneKeeping: return "records that only keep the zone";
    case Skip::Cosmetic: return "cosmetic rules";
    case Skip::Pattern: return "patterns that are not a whole name";
    case Skip::Option: return "rules that hold in some cases only";
    case Skip::Address: return "addresses among names";
    case Skip::Count_: break;
  }
  return "";
}

NameList parse_names(std::string_view text, NameFormat format) { return names_from(text, nullptr, format); }
AddressList parse_addresses(std::string_view text) { return addresses_from(text, nullptr); }
UrlList parse_urls(std::string_view text, UrlFormat format) { return urls_from(text, nullptr, format); }
AccountList parse_accounts(std::string_view text) { return accounts_from(text, nullptr); }

Result<NameList> read_names(const std::string& path, NameFormat format) {
  return read_with(path, [&](MappedFile& file) { return names_from(file.text(), &file, format); });
}
Result<AddressList> read_addresses(const std::string& path) {
  return read_with(path, [](MappedFile& file) { return addresses_from(file.text(), &file); });
}
Result<UrlList> read_urls(const std::string& path, UrlFormat format) {
  return read_with(path, [&](MappedFile& file) { return urls_from(file.text(), &file, format); });
}
Result<AccountList> read_accounts(const std::string& path) {
  return read_with(path, [](MappedFile& file) { return accounts_from(file.text(), &file); });
}

}  // namespace weir::policy
