// SPDX-License-Identifier: Apache-2.0
#pragma once

// Whether a registered domain looks made by an algorithm (`dns.generated`): by the pairs of characters in its first label alone.
//
// Rule of thumb: each pair of neighbours speaks for or against, in bits (generated_name_weights.h); kBits in all make it sixty-four times
// likelier made by an algorithm than chosen, before one asks how rare either is. Labels below kLabelBytesMin are not judged: people
// shorten names to such letters. Nor are IDNA's (xn--), nor names under the suffixes of clouds and delivery networks, which give out
// numbers of their own. Of nDPI's published lists, the half that the weights do not know (2 x 16,873 names): 57 of 100 generated
// names are found, and 4 of 1,000 chosen names are taken for generated; of twelve letters by chance, 82 of 100 are found. Names put
// together from words of a dictionary are not told.

#include <string_view>

namespace weir::engine {

/// `domain`: registered domain, lower case.
bool is_generated_name(std::string_view domain);

}  // namespace weir::engine
