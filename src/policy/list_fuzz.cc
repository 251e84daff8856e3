// SPDX-License-Identifier: Apache-2.0
// Fuzz target: the list readers. The first byte picks the format: 0 list, 1 hosts, 2 rpz, 3 adblock, 4 addresses, 5 URLs,
// 6 accounts (modulo 7; digits as text count as their value); the rest is the file. What was taken must be found again.

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/check.h"
#include "policy/lists.h"

namespace {

using namespace weir;
using namespace weir::policy;

void check_report(const ListReport& report, std::string_view text) {
  CHECK(report.lines <= text.size() + 1);
  CHECK(report.samples.size() == std::min<std::uint64_t>(report.bad, ListReport::kSamplesMax));
  for (const auto& sample : report.samples) {
    CHECK(sample.line >= 1 && sample.line <= report.lines && !sample.reason.empty());
    for (const char c : sample.text) CHECK(c >= ' ' && c <= '~');
  }
}

void check_names(std::string_view text, NameFormat format) {
  const NameList list = parse_names(text, format);
  check_report(list.report, text);
  CHECK(list.names.size() <= list.report.taken);
  list.names.for_each([&](std::string_view name, NameSet::Reach reach, std::uint32_t line) {
    CHECK(line >= 1 && line <= list.report.lines);
    std::string asked(name);
    if (reach == NameSet::Reach::Below) asked.insert(0, "q.");
    const auto hit = list.names.find(asked);
    CHECK(hit.has_value() == list.names.contains(asked));
    const bool exempt_possible = list.report.exempted > 0 || asked.size() > 253;
    CHECK(hit.has_value() || exempt_possible);
  });
  CHECK(list.names.find(text).has_value() == list.names.contains(text));
}

void check_addresses(std::string_view text) {
  const AddressList list = parse_addresses(text);
  check_report(list.report, text);
  list.addresses.for_each_range([&](const Ip& first, const Ip& last) {
    CHECK(first <= last);
    for (const Ip& ip : {first, last}) {
      const auto hit = list.addresses.find(ip);
      CHECK(list.addresses.contains(ip) && hit && hit->prefix.contains(ip) && hit->line >= 1 && hit->line <= list.report.lines);
    }
  });
}

void check_urls(std::string_view text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  for (const UrlFormat format : {UrlFormat::List, UrlFormat::SquidGuard, UrlFormat::Urlhaus}) {
    const UrlList list = parse_urls(text, format);
    check_report(list.report, text);
    CHECK(list.urls.size() >= list.report.taken);
    const auto hit = list.urls.find(text.substr(0, end));
    CHECK(hit.has_value() == list.urls.contains(text.substr(0, end)));
    CHECK(!hit || (hit->line >= 1 && hit->line <= list.report.lines));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text = as_text(Bytes(data + 1, size - 1));
  const unsigned pick = data[0] >= '0' && data[0] <= '9' ? data[0] - unsigned{'0'} : data[0];
  switch (pick % 7) {
    case 4: check_addresses(text); break;
    case 5: check_urls(text); break;
    case 6: {
      const AccountList list = parse_accounts(text);
      check_report(list.report, text);
      for (const Account& account : list.accounts) CHECK(!account.name.empty() && account.line >= 1);
      break;
    }
    default: check_names(text, static_cast<NameFormat>(pick % 7)); break;
  }
  return 0;
}
