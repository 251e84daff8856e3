// SPDX-License-Identifier: Apache-2.0
#include "engine/metadata_address.h"

#include <gtest/gtest.h>

namespace weir::engine {
namespace {

TEST(MetadataAddress, EverySpellingIsFound) {
  for (const char* text : {
           "/fetch?url=http://169.254.169.254/latest/meta-data/iam",
           "/fetch?url=http%3A%2F%2F169%2E254%2E169%2E254%2F",          // encoded
           "/fetch?url=http%253A%252F%252F169%252e254%252e169%252e254",  // twice
           "http://2852039166/",                                         // one number
           "http://0xa9fea9fe/", "http://0xA9.0xFE.0xA9.0xFE/", "http://0251.0376.0251.0376/", "http://025177524776/",
           "http://169.254.43518/", "http://169.16689662/", "http://0xa9.254.0251.254/",
           "http://425.510.425.510/",                                    // beyond 255
           "http://000000251.00376.0251.0376/",
           "http://[::ffff:169.254.169.254]/", "http://[::ffff:a9fe:a9fe]:80/", "http://[0:0:0:0:0:ffff:a9fe:a9fe]/", "http://[::a9fe:a9fe]/",
           "http://[64:ff9b::a9fe:a9fe]/", "http://[2002:a9fe:a9fe::]/", "http://[fd00:ec2::254]/latest", "X-Target:fd00:ec2::254",
           "http://user@169.254.169.254:80/", "//169.254.169.254./", "http://169.254.169.254#@example.org/",
           "http://169.254.169.254.nip.io/", "http://169-254-169-254.sslip.io/", "http://www.a9fea9fe.nip.io/", "http://app.10.169.254.169.254.nip.io",
           "{\"url\":\"http:\\/\\/169\\u002e254.169.254\"}",
           "http://\xe2\x91\xa0\xe2\x91\xa5\xe2\x91\xa8\xe3\x80\x82" "254.169.254/",          // ①⑥⑨。254…
           "http://\xef\xbc\x91\xef\xbc\x96\xef\xbc\x99.254.169.254/",                        // full width
           "http://169.254.170.2/v2/credentials", "http://100.100.100.200/latest", "http://metadata.google.internal/", "http://METADATA.goog",
           "http://168.63.129.16/machine", "http://192.0.0.192/latest", "http://metadata.tencentyun.com/", "url=instance-data"})
    EXPECT_TRUE(names_metadata(text)) << text;
}

TEST(MetadataAddress, NeighboursAreNone) {
  for (const char* text : {
           "/fetch?url=http://169.254.169.253/", "/", "", "http://169.254.1.1/", "http://100.100.100.201/", "http://2852039167/", "http://1692541692/",
           "http://169.254.169.254.1/", "v=1.3.169.254.169", "169,254,169,254", "http://0xa9fea9ff/", "http://0400.0376.0251.0376/",
           "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
           "http://metadata.google.internal.example.org/", "http://mymetadata.goog.example/", "instance-database", "http://[fd00:ec2::255]/",
           "a9fea9fe", "id=a9fea9fe-0000-4000-8000-000000000000", "t=16909060&u=169", "%", "%2", "\\u", "\\u00", "http://[::ffff:10.0.0.1]/", ":::::::::::::::",
           "................", "%31%36%39", "http://254.169.254.169/"})
    EXPECT_FALSE(names_metadata(text)) << text;
}

TEST(MetadataAddress, OnlyABudgetIsLookedAt) {
  const std::string address = "169.254.169.254";
  EXPECT_TRUE(names_metadata(std::string(kMetadataTextMax - address.size(), '/') + address));
  EXPECT_FALSE(names_metadata(std::string(kMetadataTextMax, '/') + address));
  EXPECT_FALSE(names_metadata(std::string(100'000, '%')));
  EXPECT_FALSE(names_metadata(std::string(100'000, '\xe2')));
}

TEST(MetadataAddress, AddressesOfAnswers) {
  for (const char* ip : {"169.254.169.254", "fd00:ec2::254", "fd20:ce::254", "::ffff:169.254.170.2", "64:ff9b::a9fe:a9fe"})
    EXPECT_TRUE(is_metadata_address(*parse_ip(ip))) << ip;
  for (const char* ip : {"169.254.169.253", "fd00:ec2::253", "192.0.2.1", "::", "2001:db8::254"}) EXPECT_FALSE(is_metadata_address(*parse_ip(ip))) << ip;
}

}  // namespace
}  // namespace weir::engine
