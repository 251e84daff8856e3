// SPDX-License-Identifier: Apache-2.0
#pragma once

// Vocabulary: every fact and every application protocol by name, joined once at start from the core rows and from the
// protocols' own. The policy checker, `explain`, events, the manual and `weir facts` all read this and nothing else.

#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "facts/app.h"
#include "facts/field.h"

namespace weir {

/// A protocol as the vocabulary knows it: its name and where it is registered. What recognises it is proto's own.
struct AppRow {
  std::string_view name;
  std::span<const std::uint16_t> tcp_ports = {};
  std::span<const std::uint16_t> udp_ports = {};
};

class Vocabulary {
 public:
  /// `apps[0]` must be `unknown`. Duplicate names or numbers are our own bug: CHECK.
  void add_apps(std::span<const AppRow> apps);
  void add_fields(std::span<const FieldRow> rows);
  /// Protocols under which a field may appear; fields that nobody claimed may appear on any flow.
  void add_owner(FieldId field, AppId app);

  const FieldRow* field(FieldId id) const { return fields_[id]; }
  const FieldRow* field(std::string_view name) const;
  const AppRow& app(AppId id) const { return apps_[id]; }
  std::optional<AppId> app(std::string_view name) const;
  std::span<const AppRow> apps() const { return apps_; }
  std::span<const std::string_view> field_names() const { return field_names_; }
  std::span<const std::string_view> app_names() const { return app_names_; }
  /// Empty set: the field is not tied to protocols.
  const AppSet& owners(FieldId field) const { return owners_[field]; }
  /// Protocols registered for a port.
  bool is_registered_port(std::uint8_t ip_protocol, std::uint16_t port) const;
  bool is_registered_port(std::uint8_t ip_protocol, std::uint16_t port, AppId app) const;

 private:
  std::array<const FieldRow*, kFieldsMax> fields_{};
  std::array<AppSet, kFieldsMax> owners_{};
  std::vector<AppRow> apps_;
  std::vector<std::string_view> field_names_, app_names_;
  std::unordered_map<std::string_view, FieldId> field_by_name_;
  std::unordered_map<std::string_view, AppId> app_by_name_;
  std::vector<bool> tcp_ports_ = std::vector<bool>(65536), udp_ports_ = std::vector<bool>(65536);
};

/// The rows of packet, flow, readings, host, accounts and files.
std::span<const FieldRow> core_fields();

}  // namespace weir
