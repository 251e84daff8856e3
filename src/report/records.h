// SPDX-License-Identifier: Apache-2.0
#pragma once

// Records: which facts of a protocol its events show, under which key. One table says where EVE has a name of its own
// (Suricata's EVE documentation); every other fact stands under the last part of its own name, and a fact of
// another family (dcerpc in smb, auth in ftp) as an object in between.
//
// Secrets never appear: passwords are no facts, of an SNMP community is told only whether it is a default one, and what may
// carry credentials (request bodies, header lines) is left out.

#include <cstdint>
#include <string_view>
#include <vector>

#include "facts/view.h"
#include "report/json.h"

namespace weir::report {

class Records {
 public:
  /// `words` outlives it.
  explicit Records(const Vocabulary& words);

  /// Facts that any record shows.
  const FieldSet& fields() const { return fields_; }
  /// `event_type` of records by this protocol ("dns" also for mdns); empty: it has none.
  std::string_view event_type(AppId app) const { return plans_[app].event; }
  /// True if at least one fact of the plan is known.
  bool has_any(AppId app, const Facts& facts) const;
  /// The object of that name: `"dns":{…}`.
  void render(Json& json, AppId app, const View& view) const;

  enum class Form : std::uint8_t {
    Plain,       ///< As the row's type says; a list as an array.
    First,       ///< EVE has one where we have a list.
    QueryAnswer, ///< true: "answer", false: "query".
    Url,         ///< Without the credentials that may stand before the host.
    HttpVersion, ///< "HTTP/1.1"
    TlsVersion,  ///< "TLS 1.2", "TLSv1", "SSLv3"
    SnmpVersion, ///< 1, 2, 3
    RfbVersion,  ///< 003.008: {"major": "003", "minor": "008"}
    IsDefault,   ///< Whether a community is one that devices are shipped with.
    Addresses,   ///< dns.answer and dns.cname: EVE's `answers` and `grouped`.
    Names,
    Hidden,      ///< Not shown.
  };

 private:
  struct Shown {
    const FieldRow* row;
    std::string_view object;  ///< Object in between, or empty. Rows of one object stand together.
    std::string_view inner;   ///< And one more (client.hassh.hash), or empty.
    std::string_view key;
    Form form;
  };
  struct Plan {
    std::string_view event;
    std::vector<Shown> shown;
  };

  void add(Plan& plan, const FieldRow& row);

  FieldSet fields_;
  std::vector<Plan> plans_;  ///< By AppId.
};

}  // namespace weir::report
