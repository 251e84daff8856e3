// SPDX-License-Identifier: Apache-2.0
#include "cli/export/names.h"

namespace weir::cli {

std::optional<std::vector<HostName>> names_of(const policy::Condition& condition) {
  const policy::Values& v = condition.values;
  if (condition.negated || v.absent || v.present || v.hidden || v.texts) return std::nullopt;
  std::vector<HostName> out;
  using Reach = policy::NameSet::Reach;
  const auto add = [&](const policy::NameSet& set) {
    set.for_each([&](std::string_view name, Reach reach, std::uint32_t) {
      out.push_back({std::string(name), (static_cast<unsigned>(reach) & static_cast<unsigned>(Reach::Exact)) != 0,
                     (static_cast<unsigned>(reach) & static_cast<unsigned>(Reach::Below)) != 0});
    });
  };
  if (v.names) add(*v.names);
  for (const auto& set : v.sets) {
    if (!set->domains) return std::nullopt;
    add(*set->domains);
  }
  return out;
}

bool asks_names(const policy::Condition& condition, const Vocabulary& words) {
  const std::string_view name = words.field(condition.field)->name;
  return name == "dns.qname" || name == "server.name" || name == "tls.sni" || name == "http.host";
}

}  // namespace weir::cli
