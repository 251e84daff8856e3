// SPDX-License-Identifier: Apache-2.0
#include "facts/vocabulary.h"

#include "base/check.h"
#include "facts/packet.h"

namespace weir {

void Vocabulary::add_apps(std::span<const AppRow> apps) {
  for (const AppRow& row : apps) {
    CHECK(apps_.size() < kAppsMax);
    CHECK(app_by_name_.emplace(row.name, static_cast<AppId>(apps_.size())).second);
    apps_.push_back(row);
    app_names_.push_back(row.name);
    for (std::uint16_t port : row.tcp_ports) tcp_ports_[port] = true;
    for (std::uint16_t port : row.udp_ports) udp_ports_[port] = true;
  }
}

void Vocabulary::add_fields(std::span<const FieldRow> rows) {
  for (const FieldRow& row : rows) {
    CHECK(row.id < kFieldsMax && fields_[row.id] == nullptr);
    CHECK(field_by_name_.emplace(row.name, row.id).second);
    fields_[row.id] = &row;
    field_names_.push_back(row.name);
  }
}

void Vocabulary::add_owner(FieldId field, AppId app) { owners_[field].add(app); }

const FieldRow* Vocabulary::field(std::string_view name) const {
  const auto found = field_by_name_.find(name);
  return found == field_by_name_.end() ? nullptr : fields_[found->second];
}

std::optional<AppId> Vocabulary::app(std::string_view name) const {
  const auto found = app_by_name_.find(name);
  if (found == app_by_name_.end()) return std::nullopt;
  return found->second;
}

bool Vocabulary::is_registered_port(std::uint8_t protocol, std::uint16_t port) const {
  return protocol == ip_protocol::kUdp ? udp_ports_[port] : tcp_ports_[port];
}

bool Vocabulary::is_registered_port(std::uint8_t protocol, std::uint16_t port, AppId app) const {
  for (std::uint16_t p : protocol == ip_protocol::kUdp ? apps_[app].udp_ports : apps_[app].tcp_ports)
    if (p == port) return true;
  return false;
}

}  // namespace weir
