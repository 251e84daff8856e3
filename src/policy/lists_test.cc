// SPDX-License-Identifier: Apache-2.0
#include "policy/lists.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <map>

#include "base/text.h"

namespace weir::policy {
namespace {

std::string entries_of(const NameList& list) {
  std::string out;
  list.names.for_each([&](std::string_view name, NameSet::Reach reach, std::uint32_t line) {
    out += std::to_string(line) + ":" + (reach == NameSet::Reach::ExactAndBelow ? "." : reach == NameSet::Reach::Below ? "*." : "");
    out.append(name) += " ";
  });
  return out;
}

std::string bad_of(const ListReport& report) {
  std::string out;
  for (const auto& sample : report.samples) out += std::to_string(sample.line) + " ";
  return out;
}

std::string skips_of(const ListReport& report) {
  std::string out;
  for (std::size_t i = 0; i < report.skipped.size(); ++i)
    if (report.skipped[i] != 0) out += std::string(name_of(static_cast<Skip>(i))) + " " + std::to_string(report.skipped[i]) + "; ";
  return out;
}

struct Row {
  const char *text, *entries, *bad, *skipped;
};
void check(NameFormat format, const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    const NameList list = parse_names(row.text, format);
    EXPECT_EQ(entries_of(list), row.entries) << row.text;
    EXPECT_EQ(bad_of(list.report), row.bad) << row.text;
    EXPECT_EQ(skips_of(list.report), row.skipped) << row.text;
  }
}

TEST(Lists, List) {
  check(NameFormat::List, {
      {"a.example\n.b.example\n*.c.example\n", "1:a.example 2:.b.example 3:.c.example ", "", ""},
      {"# comment\n; too\n\n   \n A.Example. # after\n", "5:a.example ", "", ""},
      {"\xef\xbb\xbf" "a.example\r\nb.example\r\n\r\nc.example", "1:a.example 2:b.example 4:c.example ", "", ""},
      {"0.0.0.0 a.example\n192.0.2.1\nhttp://a.example/\n||a.example^\na.*.example\na..b\n2001:db8::1\nok.example", "8:ok.example ", "1 2 3 4 5 6 7 ", ""},
      {"_x._tcp.example\nxn--bcher-kva.example\na#b.example\n", "1:_x._tcp.example 2:xn--bcher-kva.example 3:a#b.example ", "", ""},
      {"", "", "", ""},
      {"\n", "", "", ""},
      {".\n*.\n..\n", "", "1 2 3 ", ""},
  });
}

TEST(Lists, ControlBytesAndLongLinesAreBadLines) {
  const std::string text = std::string("a\0b.example\nok.example\n", 23) + std::string(1'000'000, 'x') + "\n.ok2.example\na\x01.example\n";
  const NameList list = parse_names(text, NameFormat::List);
  EXPECT_EQ(entries_of(list), "2:ok.example 4:.ok2.example ");
  EXPECT_EQ(bad_of(list.report), "1 3 5 ");
  EXPECT_EQ(list.report.samples[0].text, "a?b.example");
  EXPECT_EQ(list.report.samples[1].text.size(), ListReport::kSampleBytesMax);
  EXPECT_EQ(list.report.lines, 5U);
}

TEST(Lists, OnlyTheFirstBadLinesAreKept) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "a b\n";
  const NameList list = parse_names(text, NameFormat::List);
  EXPECT_EQ(list.report.bad, 100U);
  EXPECT_EQ(list.report.samples.size(), ListReport::kSamplesMax);
}

TEST(Lists, Hosts) {
  check(NameFormat::Hosts, {
      {"127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\nfe80::1%lo0 localhost\n255.255.255.255\tbroadcasthost\n", "", "",
       "names of the machine itself 6; "},
      {"0.0.0.0 a.example b.example # both\n:: c.example\n", "1:a.example 1:b.example 2:c.example ", "", ""},
      {"a.example\n0.0.0.0\n0.0.0.0 a..b ok.example\n0.0.0.0 0.0.0.0\n", "3:ok.example ", "1 2 3 ", "names of the machine itself 1; "},
  });
}

TEST(Lists, Rpz) {
  check(NameFormat::Rpz, {
      {"$TTL 2h\n@ IN SOA ns.example. admin.example. (\n 1 ; serial\n 2 3 4\n 5 )\n  IN NS localhost.\n"
       "bad.example CNAME .\n*.bad.example 60 IN CNAME *.\nwalled.example A 192.0.2.1\n AAAA 2001:db8::1\n",
       "7:bad.example 8:*.bad.example 9:walled.example 10:walled.example ", "", "records that only keep the zone 2; "},
      {"rpz.example. 60 IN SOA a. b. 1 2 3 4 5\nbad.org.rpz.example. CNAME .\nrel.org CNAME .\nout.org. CNAME .\nrpz.example. NS a.\n",
       "2:bad.org 3:rel.org ", "4 ", "records that only keep the zone 2; "},
      {"$ORIGIN rpz.example.\nbad.org CNAME .\n$ORIGIN org.rpz.example.\nworse CNAME . ; comment\n@ CNAME .\n",
       "2:bad.org 4:worse.org 5:org ", "", ""},
      {"24.0.2.0.192.rpz-ip CNAME .\nns.bad.org.rpz-nsdname CNAME .\n32.1.0.0.10.rpz-client-ip CNAME .\na.org CNAME rpz-tcp-only.\nb.org CNAME rpz-drop.\n",
       "5:b.org ", "", "policy zone triggers that are not about a name, or block nothing 4; "},
      {" CNAME .\na.org\na.org CNAME\na.org WHAT .\n$INCLUDE x\n$ORIGIN relative\n", "", "1 2 3 4 5 6 ", ""},
      {"absolute.org. CNAME .\n", "1:absolute.org ", "", ""},
  });
  const NameList list = parse_names("*.example.org CNAME .\ngood.example.org CNAME rpz-passthru.\nold.example.org CNAME old.example.org.\n", NameFormat::Rpz);
  EXPECT_EQ(list.report.exempted, 2U);
  EXPECT_TRUE(list.names.contains("a.example.org"));
  EXPECT_FALSE(list.names.contains("example.org"));
  EXPECT_FALSE(list.names.contains("good.example.org"));
  EXPECT_FALSE(list.names.contains("old.example.org"));
}

TEST(Lists, Adblock) {
  check(NameFormat::Adblock, {
      {"[Adblock Plus 2.0]\n! Title: x\n||ads.example^\n||Ads2.example^$important,all\n||*.below.example^\n||doc.example^$document\n",
       "3:.ads.example 4:.ads2.example 5:*.below.example 6:.doc.example ", "", ""},
      {"||a.example^$third-party\n||b.example^$script,important\n||c.example^$domain=x.example\n", "", "", "rules that hold in some cases only 3; "},
      {"example.com##.ad\n##.ad\na.example#@#.x\nb.example#?#div\n", "", "", "cosmetic rules 4; "},
      {"||a.example/path^\n/ads/*\n|http://a.example|\n||a.exam\n||a*.example^\nplain.example\n||a.example^path\n", "", "",
       "patterns that are not a whole name 7; "},
      {"||192.0.2.1^\n||a..example^\n", "", "2 ", "addresses among names 1; "},
  });
  const NameList list = parse_names("||ads.example^\n@@||good.ads.example^\n||x.good.ads.example^\n", NameFormat::Adblock);
  EXPECT_EQ(list.report.exempted, 1U);
  EXPECT_TRUE(list.names.contains("ads.example"));
  EXPECT_FALSE(list.names.contains("good.ads.example"));
  EXPECT_FALSE(list.names.contains("x.good.ads.example")) << "exceptions win in this format";
}

std::string ranges_of(const AddressList& list) {
  std::string out;
  list.addresses.for_each_range([&](const Ip& first, const Ip& last) { out += render(first) + "-" + render(last) + " "; });
  return out;
}

TEST(Lists, Addresses) {
  const struct {
    const char *text, *ranges, *bad;
  } kRows[] = {
      {"192.0.2.1\n198.51.100.0/24 ; SBL1\n2001:db8::/32\n", "192.0.2.1-192.0.2.1 198.51.100.0-198.51.100.255 2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff ", ""},
      {"192.0.2.1,5,x\n192.0.2.3\tx\n192.0.2.5 9 9\n192.0.2.7;x\n", "192.0.2.1-192.0.2.1 192.0.2.3-192.0.2.3 192.0.2.5-192.0.2.5 192.0.2.7-192.0.2.7 ", ""},
      {"192.0.2.1-192.0.2.9\n10.0.0.0 - 10.0.1.2, x\n", "10.0.0.0-10.0.1.2 192.0.2.1-192.0.2.9 ", ""},
      {"0.0.0.0-255.255.255.255\n::1-::5\n", "::1-::5 0.0.0.0-255.255.255.255 ", ""},
      {"::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff\n", "::-::fffe:ffff:ffff ::1:0:0:0-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ", ""},
      {"192.0.2.9-192.0.2.1\nexample.org\n192.0.2.1/33\n192.0.2.256\n10.0.0.1-::1\n192.0.2.1:80\n-\n", "", "1 2 3 4 5 6 7 "},
      {"# only\n;comments\n", "", ""},
  };
  for (const auto& row : kRows) {
    const AddressList list = parse_addresses(row.text);
    EXPECT_EQ(ranges_of(list), row.ranges) << row.text;
    EXPECT_EQ(bad_of(list.report), row.bad) << row.text;
  }
  const AddressList cleared = parse_addresses("10.0.0.0/8\n192.0.2.1/24\n192.0.2.2/24\n");
  EXPECT_EQ(cleared.report.host_bits, 2U);
  EXPECT_EQ(cleared.report.host_bits_line, 2U);
  EXPECT_EQ(cleared.addresses.find(*parse_ip("192.0.2.77"))->line, 2U);
}

TEST(Lists, Urls) {
  const struct {
    UrlFormat format;
    const char *text, *urls, *bad;
  } kRows[] = {
      {UrlFormat::List, "# comment\nhttp://a.example/x.exe # seen\n  b.example/d/\t\r\n\nc.example/x y\n/no-host\n",
       "a.example/x.exe 2; b.example/d/ 3; ", "5 6 "},
      {UrlFormat::SquidGuard, "a.example/x.exe\nb.example/d\n", "a.example/x.exe/ 1; b.example/d/ 2; ", ""},
      {UrlFormat::Urlhaus,
       "# id,dateadded,url,url_status\n\"7\",\"2026-01-02 03:04:05\",\"http://192.0.2.1:8080/i\",\"online\",\"a,\"\"b\"\"\"\n"
       "8,2026-01-02,https://a.example/x?y=1,offline\n\"9\",\"x\"\n",
       "192.0.2.1:8080/i 2; a.example/x?y=1 3; ", "4 "},
  };
  for (const auto& row : kRows) {
    const UrlList list = parse_urls(row.text, row.format);
    std::string out;
    for (const char* url : {"http://a.example/x.exe", "http://b.example/d/e", "http://192.0.2.1:8080/i", "http://a.example/x?y=1"})
      if (const auto hit = list.urls.find(url)) out += hit->url + " " + std::to_string(hit->line) + "; ";
    EXPECT_EQ(out, row.urls);
    EXPECT_EQ(bad_of(list.report), row.bad) << row.text;
  }
}

TEST(Lists, Accounts) {
  const AccountList list = parse_accounts(
      "# user\tnetworks\nbob 10.2.0.0/16\nalice 10.1.0.0/16, 2001:db8::/32\nEXAMPLE\\carol smith\t10.3.0.0/16 10.4.0.1\n"
      "dave\nerin 10.0.0.1/8\nfrank 10.0.0.0/8 office\n");
  std::string out;
  for (const Account& account : list.accounts) out += account.name + " " + render(account.network) + " " + std::to_string(account.line) + "; ";
  EXPECT_EQ(out, "EXAMPLE\\carol smith 10.3.0.0/16 4; EXAMPLE\\carol smith 10.4.0.1/32 4; alice 10.1.0.0/16 3; alice 2001:db8::/32 3; bob 10.2.0.0/16 2; ");
  EXPECT_EQ(bad_of(list.report), "5 6 7 ");
}

/// A file that is there as long as the test.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& text) : path_(testing::TempDir() + "weir_lists_" + std::to_string(getpid())) {
    std::ofstream(path_, std::ios::binary) << text;
  }
  ~TemporaryFile() { unlink(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST(Lists, FilesThatGiveNothingAreErrors) {
  const auto message = [](const std::string& text) {
    const TemporaryFile file(text);
    const auto list = read_names(file.path(), NameFormat::List);
    return list ? "taken" : list.error().message.substr(std::min(file.path().size(), list.error().message.size()));
  };
  EXPECT_EQ(message("a.example\n"), "taken");
  EXPECT_EQ(message(""), " has no entry");
  EXPECT_EQ(message("# nothing\n"), " has no entry");
  EXPECT_EQ(message("a..b\n"), " has no entry; line 1: not a name: a label is empty or longer than 63 bytes, or the whole longer than 253");
  EXPECT_EQ(message("\x1f\x8b\x08 x"), " is compressed; unpack it first");
  EXPECT_EQ(read_names("/nonexistent/x", NameFormat::List).error().message, "cannot read /nonexistent/x: No such file or directory");
  EXPECT_EQ(read_addresses("/").error().message, "cannot read /: Is a directory");
}

TEST(Lists, FormatsHaveNames) {
  EXPECT_EQ(parse_name_format("rpz"), NameFormat::Rpz);
  EXPECT_FALSE(parse_name_format("csv"));
}

}  // namespace
}  // namespace weir::policy
