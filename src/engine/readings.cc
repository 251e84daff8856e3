// SPDX-License-Identifier: Apache-2.0
#include "engine/readings.h"

#include "facts/field_ids.h"

namespace weir::engine {

using namespace field;

struct Readings::Tables {
  const policy::RuleSet& rules;
  Facts facts;
  Facts none;
  bool any = false;

  Tables(const policy::RuleSet& r, SlabPool& pool) : rules(r), facts(pool, r.wanted()), none(pool, r.wanted()) {}
};

Readings::Readings(const policy::RuleSet& rules, std::size_t, SlabPool& pool) : tables_(std::make_unique<Tables>(rules, pool)) {}
Readings::~Readings() = default;

const Facts& Readings::facts() const { return tables_->facts; }
void Readings::count_packet(const Packet&, const IpLayer*, bool, Nanoseconds) {}
const Facts& Readings::make(const View&) { return tables_->facts; }
void Readings::make_for_transaction(const View&, bool) {}
void Readings::commit(const View&) {}

}  // namespace weir::engine
