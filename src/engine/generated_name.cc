// SPDX-License-Identifier: Apache-2.0
#include "engine/generated_name.h"

#include <algorithm>

#include "base/text.h"
#include "engine/generated_name_weights.h"

namespace weir::engine {
namespace {

constexpr std::size_t kLabelBytesMin = 6;
constexpr int kBits = 6;
constexpr std::size_t kEdge = kPairKinds - 1, kHyphen = kPairKinds - 2;

constexpr std::string_view kNumbering[] = {"akadns.net", "akamaiedge.net", "akamaized.net", "appspot.com", "awsapprunner.com", "azureedge.net", "azurefd.net",
                                           "azurewebsites.net", "cloudapp.net", "cloudfront.net", "cloudfunctions.net", "edgekey.net",
                                           "edgesuite.net", "in-addr.arpa", "ip6.arpa"};

std::size_t kind_of(char c) {
  c = to_lower(c);
  if (c >= 'a' && c <= 'z') return static_cast<std::size_t>(c - 'a');
  if (is_digit(c)) return static_cast<std::size_t>(c - '0') + 26;
  return c == '-' ? kHyphen : kEdge;
}

}  // namespace

bool is_generated_name(std::string_view domain) {
  const std::size_t dot = domain.find('.');
  if (dot == std::string_view::npos) return false;
  const std::string_view label = domain.substr(0, dot), suffix = domain.substr(dot + 1);
  if (label.size() < kLabelBytesMin || starts_nocase(label, "xn--") || label.find('_') != std::string_view::npos) return false;
  if (std::any_of(std::begin(kNumbering), std::end(kNumbering), [&](std::string_view s) { return equals_nocase(s, suffix); })) return false;
  int eighths = 0;
  std::size_t before = kEdge;
  for (const char c : label) {
    const std::size_t kind = kind_of(c);
    if (kind == kEdge) return false;  // Bytes that no host name has (RFC 952): something else than a host is asked for.
    eighths += kPairWeights[before][kind];
    before = kind;
  }
  eighths += kPairWeights[before][kEdge];
  return eighths >= kBits * 8;
}

}  // namespace weir::engine
