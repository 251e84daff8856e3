// SPDX-License-Identifier: Apache-2.0
#include "engine/engine.h"

#include <algorithm>

#include "engine/detectors.h"
#include "facts/field_ids.h"
#include "proto/registry.h"

namespace weir::engine {

const Vocabulary& vocabulary() {
  static const Vocabulary words = [] {
    Vocabulary v;
    v.add_fields(core_fields());
    std::vector<AppRow> apps;
    for (const proto::Protocol* p : proto::protocols()) apps.push_back({p->name, p->tcp_ports, p->udp_ports});
    v.add_apps(apps);
    std::vector<const FieldRow*> added;
    for (std::size_t id = 0; id < proto::protocols().size(); ++id) {
      const proto::Protocol& p = *proto::protocols()[id];
      // Protocols that share a parser share its rows.
      if (!p.fields.empty() && std::find(added.begin(), added.end(), p.fields.data()) == added.end()) {
        added.push_back(p.fields.data());
        v.add_fields(p.fields);
      }
      for (const FieldRow& row : p.fields) v.add_owner(row.id, static_cast<AppId>(id));
      for (const FieldId shared : p.shared) v.add_owner(shared, static_cast<AppId>(id));
    }
    // Readings that are made of one protocol's transactions.
    const auto reading_of = [&v](FieldId field, std::initializer_list<std::string_view> apps) {
      for (const std::string_view name : apps)
        if (const auto id = v.app(name)) v.add_owner(field, *id);
    };
    reading_of(field::kDnsTunnel, {"dns", "mdns", "llmnr", "nbns"});
    reading_of(field::kDhcpMacMismatch, {"dhcp"});
    reading_of(field::kSniBinding, {"tls", "quic"});
    Detectors::own(v);
    return v;
  }();
  return words;
}

FieldSet unmade_fields() {
  return {};  // All of them are made.
}

}  // namespace weir::engine
