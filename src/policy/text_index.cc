// SPDX-License-Identifier: Apache-2.0
#include "policy/text_index.h"

#include <algorithm>

namespace weir::policy {

bool TextIndex::takes(const Condition& condition, const FieldRow& row) {
  const Values& v = condition.values;
  const bool of_texts = row.type == FieldType::Text || row.type == FieldType::TextFold || row.type == FieldType::Domain;
  if (!of_texts || condition.negated || v.absent || v.present || v.hidden || !v.sets.empty()) return false;
  return v.texts == nullptr || !v.texts->has_regexes();
}

void TextIndex::build(const FieldRow& row, const std::vector<std::pair<RuleId, const Condition*>>& asked) {
  fold_ = row.type != FieldType::Text;
  seed_ = fresh_seed();
  std::vector<std::string> globs;
  for (const auto& [rule, condition] : asked) {
    const auto take = [&, id = rule](ByHash& where, std::string_view text, bool fold) {
      where.emplace_back(hash_folded(text, seed_, fold), id);
    };
    if (condition->values.names)
      condition->values.names->for_each([&](std::string_view name, NameSet::Reach, std::uint32_t) { take(names_, name, true); });
    if (condition->values.texts == nullptr) continue;
    condition->values.texts->for_each_exact([&](std::string_view text) { take(texts_, text, fold_); });
    condition->values.texts->for_each_glob([&, id = rule](std::string_view glob) {
      globs.emplace_back(glob);
      glob_rules_.push_back(id);
    });
  }
  globs_.build(std::move(globs), fold_);
  std::sort(texts_.begin(), texts_.end());
  std::sort(names_.begin(), names_.end());
}

}  // namespace weir::policy
