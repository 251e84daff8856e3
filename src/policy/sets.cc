// SPDX-License-Identifier: Apache-2.0
// Sets and accounts of a policy: written out, or from files.

#include "base/text.h"
#include "policy/lists.h"
#include "policy/scalars.h"
#include "policy/sections.h"

namespace weir::policy {
namespace {

/// A list from a file: through the caller's reader if there is one, else by `read_path`.
template <typename List>
std::optional<List> read_list(Reading& reading, const Node& at, const Node& file,
                              const std::function<List(std::string_view)>& parse_text,
                              const std::function<Result<List>(const std::string&)>& read_path) {
  if (!reading.wants_text(file, "the name of a file")) return std::nullopt;
  const std::string path = beside(reading, at, file.text);
  std::optional<List> list;
  if (reading.options.read_file) {
    Result<std::string> text = reading.options.read_file(path);
    if (text.ok()) {
      list.emplace(parse_text(*text));
      if (list->report.taken == 0) {
        reading.error(file, sentence("`", shown(path), "` has no entry at all; an empty set on purpose is written `none`"));
        return std::nullopt;
      }
      return list;
    }
    reading.error(file, sentence("`", shown(path), "` cannot be read: ", text.error().message));
    return std::nullopt;
  }
  Result<List> read = read_path(path);
  if (read.ok()) return std::optional<List>(std::move(*read));
  reading.error(file, read.error().message);  // it names the file
  return std::nullopt;
}

/// What a list left out is worth a warning, in the list's own file and line.
void report_list(Reading& reading, const Node& file, const ListReport& report) {
  const std::string path = beside(reading, file, file.text);
  for (const ListReport::Sample& sample : report.samples)
    reading.out.add(Severity::Warning, path, sample.line, 1, sentence("`", sample.text, "` is left out: ", sample.reason));
  if (report.bad > report.samples.size())
    reading.warning(file, sentence(report.bad, " lines of `", shown(path), "` could not be read and are left out"));
  if (report.host_bits > 0)
    reading.out.add(Severity::Warning, path, report.host_bits_line, 1,
                    sentence(report.host_bits, " prefixes with host bits set, this one the first; the bits are ignored"));
}

std::shared_ptr<const PrefixSet> read_addresses_of(Reading& reading, const Node& node) {
  if (node.is_map()) {
    const Keys keys(reading, node, grammar::kAddressFile);
    const Node* file = keys.at("file");
    if (file == nullptr) return reading.error(node, "expected `{ file: FILE }` or a list of addresses"), nullptr;
    constexpr std::string_view kFormats[] = {"list"};
    if (const Node* format = keys.at("format");
        format != nullptr && !reading.choice(*format, "the format of addresses", kFormats))
      return nullptr;
    auto list = read_list<AddressList>(
        reading, node, *file, [](std::string_view text) { return parse_addresses(text); },
        [](const std::string& path) { return read_addresses(path); });
    if (!list) return nullptr;
    report_list(reading, *file, list->report);
    return std::make_shared<const PrefixSet>(std::move(list->addresses));
  }
  std::vector<PrefixSet::Entry> entries;
  if (!(node.is_scalar() && node.text == "none"))
    reading.each(node, "addresses or prefixes (`none` for an empty set)", [&](const Node& item) {
      if (const auto prefix = reading.prefix(item, "a set of addresses")) entries.push_back({*prefix, 0});
    });
  return std::make_shared<const PrefixSet>(PrefixSet::build(std::move(entries)));
}

std::shared_ptr<const NameSet> read_domains_of(Reading& reading, const Node& node) {
  if (node.is_map()) {
    const Keys keys(reading, node, grammar::kDomainFile);
    const Node* file = keys.at("file");
    if (file == nullptr) return reading.error(node, "expected `{ file: FILE, format: list }` or a list of domains"), nullptr;
    NameFormat format = NameFormat::List;
    if (const Node* word = keys.at("format")) {
      constexpr std::string_view kFormats[] = {"list", "hosts", "rpz", "adblock"};
      const auto place = reading.choice(*word, "the format of domains", kFormats);
      if (!place) return nullptr;
      format = *parse_name_format(kFormats[*place]);
    }
    auto list = read_list<NameList>(
        reading, node, *file, [&](std::string_view text) { return parse_names(text, format); },
        [&](const std::string& path) { return read_names(path, format); });
    if (!list) return nullptr;
    report_list(reading, *file, list->report);
    return std::make_shared<const NameSet>(std::move(list->names));
  }
  NameSet::Builder builder;
  if (!(node.is_scalar() && node.text == "none"))
    reading.each(node, "domains (`none` for an empty set)", [&](const Node& item) {
      if (!reading.wants_text(item, "a domain such as `example.org` or `.example.org`")) return;
      const bool below = item.text.size() > 1 && item.text.front() == '.';
      if (!builder.add(below ? item.text.substr(1) : item.text, below ? NameSet::Reach::ExactAndBelow : NameSet::Reach::Exact, 0))
        reading.error(item, sentence("`", shown(item.text), "` is no domain name such as `example.org` or `.example.org`"));
    });
  return std::make_shared<const NameSet>(builder.build());
}

std::shared_ptr<const UrlSet> read_urls_of(Reading& reading, const Node& node) {
  if (node.is_map()) {
    const Keys keys(reading, node, grammar::kUrlFile);
    const Node* file = keys.at("file");
    if (file == nullptr) return reading.error(node, "expected `{ file: FILE, format: list }` or a list of urls"), nullptr;
    UrlFormat format = UrlFormat::List;
    if (const Node* word = keys.at("format")) {
      constexpr std::string_view kFormats[] = {"list", "squidguard", "urlhaus"};
      const auto place = reading.choice(*word, "the format of urls", kFormats);
      if (!place) return nullptr;
      format = static_cast<UrlFormat>(*place);
    }
    auto list = read_list<UrlList>(
        reading, node, *file, [&](std::string_view text) { return parse_urls(text, format); },
        [&](const std::string& path) { return read_urls(path, format); });
    if (!list) return nullptr;
    report_list(reading, *file, list->report);
    return std::make_shared<const UrlSet>(std::move(list->urls));
  }
  UrlSet::Builder builder;
  if (!(node.is_scalar() && node.text == "none"))
    reading.each(node, "urls (`none` for an empty set)", [&](const Node& item) {
      if (!reading.wants_text(item, "a url such as `evil.example/dropper.exe` or `evil.example/kit/`")) return;
      const std::string_view wrong = builder.add(item.text, UrlSet::Reach::Written, 0);
      if (!wrong.empty()) reading.error(item, sentence("`", shown(item.text), "` is no url: ", wrong));
    });
  return std::make_shared<const UrlSet>(builder.build());
}

}  // namespace

void read_sets(Reading& reading, const Node& node) {
  if (!reading.wants_map(node, "sets by name, such as `resolvers: { addresses: [10.0.0.53] }`")) return;
  node.for_each_pair([&](const Node& key, const Node& value) {
    if (!is_plain_name(key.text))
      return void(
          reading.error(key, sentence("`", shown(key.text), "` cannot be the name of a set (letters, digits, `-`, `_`, `.`)")));
    const std::string name(key.text);
    if (reading.has_set(name)) return;  // the includer's stands, or it is a key twice, which has been said
    const std::size_t errors_before = reading.out.errors();
    auto set = std::make_shared<NamedSet>();
    set->name = name;
    set->position = reading.position(key);
    if (reading.wants_map(value, "a map with `addresses`, `domains` or `urls`")) {
      const Keys keys(reading, value, grammar::kSet);
      const Node* addresses = keys.at("addresses");
      const Node* domains = keys.at("domains");
      const Node* urls = keys.at("urls");
      const int kinds = (addresses != nullptr) + (domains != nullptr) + (urls != nullptr);
      if (kinds != 1 && (kinds > 1 || value.count == 0))
        reading.error(value, "a set has one of the keys `addresses`, `domains` or `urls`");
      if (addresses != nullptr) set->addresses = read_addresses_of(reading, *addresses);
      if (domains != nullptr) set->domains = read_domains_of(reading, *domains);
      if (urls != nullptr) set->urls = read_urls_of(reading, *urls);
    }
    const bool sound = reading.out.errors() == errors_before;
    reading.add_set(name, {sound ? std::shared_ptr<const NamedSet>(set) : nullptr, &key, false});
    if (sound) reading.policy.sets.push_back(std::move(set));
  });
}

void read_accounts(Reading& reading, const Node& node) {
  if (!reading.wants_map(node, "groups of accounts by name, such as `staff: { file: accounts.tsv }`")) return;
  node.for_each_pair([&](const Node&, const Node& group) {
    std::optional<AccountList> list;
    if (group.is_map()) {
      const Keys keys(reading, group, grammar::kAccountFile);
      const Node* file = keys.at("file");
      if (file == nullptr)
        return void(reading.error(group, "expected `{ file: FILE }` or a list such as `[ \"alice 10.1.0.0/16\" ]`"));
      list = read_list<AccountList>(
          reading, group, *file, [](std::string_view text) { return parse_accounts(text); },
          [](const std::string& path) { return read_accounts(path); });
      if (!list) return;
      const std::string path = beside(reading, group, file->text);
      for (const ListReport::Sample& sample : list->report.samples)
        reading.out.add(Severity::Error, path, sample.line, 1,
                        sentence("`", sample.text, "` is no account with its networks: ", sample.reason));
      reading.policy.accounts.insert(reading.policy.accounts.end(), list->accounts.begin(), list->accounts.end());
      return;
    }
    reading.each(group, "accounts such as `[ \"alice 10.1.0.0/16\" ]`", [&](const Node& item) {
      if (!reading.wants_text(item, "an account and its network")) return;
      const AccountList one = parse_accounts(item.text);
      if (one.accounts.empty())
        return void(reading.error(
            item, sentence("`", shown(item.text), "` is no account with its network, such as `alice 10.1.0.0/16`")));
      for (Account account : one.accounts) {
        account.line = 0;
        reading.policy.accounts.push_back(std::move(account));
      }
    });
  });
  std::sort(reading.policy.accounts.begin(), reading.policy.accounts.end(),
            [](const Account& a, const Account& b) { return std::tie(a.name, a.network) < std::tie(b.name, b.network); });
}

}  // namespace weir::policy
