// SPDX-License-Identifier: Apache-2.0
#include "policy/expansion.h"

#include <string>

#include "base/check.h"
#include "policy/conditions.h"

namespace weir::policy {

Condition numbers(FieldId id, std::vector<NumberRange> ranges, std::string_view written) {
  Condition out;
  out.field = id;
  out.values.numbers = std::move(ranges);
  out.values.written.emplace_back(written);
  normalise(out.values.numbers);
  return out;
}

Condition boolean_is(FieldId id, bool value) { return numbers(id, {{value ? 1U : 0U, value ? 1U : 0U}}, value ? "true" : "false"); }

Condition word(const Vocabulary& words, FieldId id, std::initializer_list<std::string_view> names) {
  const FieldRow* row = words.field(id);
  CHECK(row != nullptr);
  Condition out;
  out.field = id;
  for (std::string_view name : names) {
    bool found = false;
    for (const Word& w : row->words)
      if (w.name == name) out.values.numbers.push_back({w.value, w.value}), found = true;
    CHECK(found);
    out.values.written.emplace_back(name);
  }
  normalise(out.values.numbers);
  return out;
}

Condition prefixes(FieldId id, const std::vector<Prefix>& list) {
  Condition out;
  out.field = id;
  std::vector<PrefixSet::Entry> entries;
  for (const Prefix& prefix : list) {
    entries.push_back({prefix, 0});
    out.values.written.push_back(render(prefix));
  }
  out.values.prefixes = std::make_shared<const PrefixSet>(PrefixSet::build(std::move(entries)));
  return out;
}

Condition addresses(FieldId id, Values values) {
  Condition out;
  out.field = id;
  out.values = std::move(values);
  return out;
}

Condition ports(FieldId id, const std::vector<PortIndex>& list, const Policy& policy) {
  Condition out;
  out.field = id;
  for (PortIndex port : list) {
    out.values.numbers.push_back({port, port});
    out.values.written.push_back(policy.port_names[port]);
  }
  normalise(out.values.numbers);
  return out;
}

}  // namespace weir::policy
