// SPDX-License-Identifier: Apache-2.0
// Fuzz target: patterns against texts. The first byte says the kind (bit 0: regular expressions, else globs; bit 1: fold), then
// patterns, one a line, up to an empty line, then the text. Globs must agree with the plain matcher, and find with contains.
// Patterns come from policies, which are trusted to be of reasonable size; here they are short.

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/check.h"
#include "base/text.h"
#include "policy/text_set.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  constexpr std::size_t kPatternsMax = 12, kPatternBytesMax = 32;
  if (size == 0) return 0;
  const bool regex = (data[0] & 1) != 0, fold = (data[0] & 2) != 0;
  std::string_view rest = as_text(Bytes(data + 1, size - 1));
  std::vector<std::string> patterns;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (line.empty() || patterns.size() == kPatternsMax) break;
    patterns.emplace_back(line.substr(0, kPatternBytesMax));
  }
  policy::TextSet::Source source{.exact = {}, .globs = {}, .regexes = {}, .fold_case = fold};
  (regex ? source.regexes : source.globs) = patterns;
  std::vector<policy::TextSet::Problem> problems;
  const policy::TextSet set = policy::TextSet::build(std::move(source), problems);
  for (const auto& problem : problems) CHECK(!problem.message.empty());
  CHECK(regex || problems.empty());

  const bool in = set.contains(rest);
  const std::string_view hit = set.find(rest);
  CHECK(in || hit.empty());
  if (regex) return 0;
  bool expected = false;
  for (const std::string& glob : patterns) expected |= glob_matches(glob, rest, fold);
  CHECK(in == expected);
  if (in && !rest.empty()) CHECK(glob_matches(hit, rest, fold));
  return 0;
}
