// SPDX-License-Identifier: Apache-2.0
#include "report/records.h"

#include <algorithm>

#include "base/text.h"
#include "facts/field_ids.h"
#include "facts/packet.h"

namespace weir::report {
namespace {

using Form = Records::Form;

/// Protocols whose records are those of another: they share its parser and its facts.
struct Event {
  std::string_view app, event;
};
constexpr Event kEvents[] = {
    {"mdns", "dns"}, {"llmnr", "dns"}, {"nbns", "dns"}, {"dot", "tls"}, {"dtls", "tls"}, {"doq", "quic"}, {"doh", "http"}, {"http2", "http"}, {"grpc", "http"},
    {"bits", "http"}, {"webdav", "http"}, {"winrm", "http"}, {"nbss", "smb"}, {"ftp-data", "ftp_data"}, {"smart-install", "smart_install"},
};

/// Where EVE names a fact otherwise than its own last part would. Dots make objects. `event` empty: in every event.
struct Key {
  std::string_view event, fact, key;
  Form form = Form::Plain;
};
constexpr Key kKeys[] = {
    {"", "http.body", "", Form::Hidden},
    {"", "http.header", "", Form::Hidden},
    {"", "http.path", "", Form::Hidden},  // The target holds it,
    {"", "http.url", "", Form::Hidden},   // with the host beside it.
    {"", "tls.record", "", Form::Hidden},
    {"", "server.name", "", Form::Hidden},  // tls.sni, http.hostname.
    {"", "snmp.community", "community_is_default", Form::IsDefault},
    {"dns", "dns.response", "type", Form::QueryAnswer},
    {"dns", "dns.qname", "rrname", Form::First},
    {"dns", "dns.qtype", "rrtype", Form::First},
    {"dns", "dns.answer", "answers", Form::Addresses},
    {"dns", "dns.cname", "answers", Form::Names},
    {"http", "http.host", "hostname"},
    {"http", "http.uri", "url", Form::Url},
    {"http", "http.method", "http_method"},
    {"http", "http.user_agent", "http_user_agent"},
    {"http", "http.content_type", "http_content_type"},
    {"http", "http.version", "protocol", Form::HttpVersion},
    {"http", "http.client_ip", "xff"},
    {"http", "http.body_bytes", "request_length"},
    {"http", "file.bytes", "length"},
    {"http", "file.name", "filename"},
    {"tls", "tls.version", "version", Form::TlsVersion},
    {"tls", "tls.ja3", "ja3.hash"},
    {"tls", "tls.cert.subject", "subject"},
    {"tls", "tls.cert.issuer", "issuerdn"},
    {"tls", "tls.cert.san", "subjectaltname"},
    {"tls", "tls.alpn", "client_alpns"},
    {"quic", "tls.sni", "sni"},
    {"quic", "tls.ja3", "ja3.hash"},
    {"quic", "tls.ja4", "ja4"},
    {"quic", "tls.version", "", Form::Hidden},  // QUIC has only 1.3.
    {"quic", "tls.version_offered", "", Form::Hidden},
    {"quic", "tls.alpn", "client_alpns"},
    {"smb", "smb.file", "filename"},
    {"smb", "smb.pipe", "named_pipe"},
    {"ssh", "ssh.client_software", "client.software_version"},
    {"ssh", "ssh.hassh", "client.hassh.hash"},
    {"ssh", "ssh.software", "server.software_version"},
    {"ftp", "ftp.argument", "command_data"},
    {"smtp", "smtp.from", "mail_from"},
    {"smtp", "smtp.to", "rcpt_to"},
    {"snmp", "snmp.version", "version", Form::SnmpVersion},
    {"snmp", "snmp.pdu", "pdu_type"},
    {"snmp", "snmp.oid", "vars"},
    {"snmp", "snmp.user", "usm"},
    {"snmp", "auth.user", "", Form::Hidden},  // The community, or the user of version 3 once more.
    {"dhcp", "dhcp.type", "dhcp_type"},
    {"rfb", "rfb.version", "server_protocol_version", Form::RfbVersion},
    {"krb5", "krb5.type", "msg_type"},
    {"krb5", "auth.user", "cname"},
    {"krb5", "auth.realm", "realm"},
    {"ldap", "ldap.op", "request.operation"},
    {"nfs", "nfs.operation", "procedure"},
    {"nfs", "file.name", "filename"},
    {"tftp", "tftp.op", "packet"},
    {"tftp", "tftp.filename", "file"},
};

std::string_view last_part(std::string_view name) { return name.substr(name.rfind('.') + 1); }
std::string_view first_part(std::string_view name) { return name.substr(0, name.find('.')); }

/// A number's name, or an empty view.
std::string_view word_of(const FieldRow& row, std::uint64_t number) {
  for (const Word& word : row.words)
    if (word.value == number) return word.name;
  return {};
}

/// Communities that devices are shipped with, and the first that intruders try.
bool is_default_community(std::string_view community) {
  constexpr std::string_view kShipped[] = {"public", "private", "community", "cisco", "snmp", "admin", "manager", "default", "write", "read", "ILMI", "internal"};
  return std::any_of(std::begin(kShipped), std::end(kShipped), [&](std::string_view s) { return equals_nocase(s, community); });
}

void put_value(Json& json, const FieldRow& row, std::string_view key, const Value& value, bool as_item) {
  char scratch[64];
  std::string_view text;
  switch (row.type) {
    case FieldType::Number:
    case FieldType::Word: {
      text = word_of(row, value.number());
      if (!text.empty()) break;
      if (row.words.empty()) {
        if (as_item) json.item_number(value.number());
        else json.number(key, value.number());
        return;
      }
      // A key has one type: where numbers have names, one without is told in digits.
      const fmt::format_int digits(value.number());
      text = {scratch, digits.size()};
      std::memcpy(scratch, digits.data(), digits.size());
      break;
    }
    case FieldType::Boolean:
      json.flag(key, value.number() != 0);  // No list is of these.
      return;
    case FieldType::Address: text = {scratch, render_to(value.ip(), scratch)}; break;
    case FieldType::Mac: {
      const std::string mac = weir::render(value.mac());
      text = {scratch, mac.copy(scratch, sizeof scratch)};
      break;
    }
    default: text = value.text(); break;
  }
  if (as_item) json.item(text);
  else json.text(key, text);
}

void put_tls_version(Json& json, std::string_view key, std::string_view word) {
  char text[16] = "TLS ";
  if (word.starts_with("ssl")) json.text(key, word == "ssl2" ? "SSLv2" : "SSLv3");
  else if (word == "1.0") json.text(key, "TLSv1");
  else json.text(key, {text, 4 + word.copy(text + 4, 8)});
}

void put_in_form(Json& json, Form form, const FieldRow& row, std::string_view key, const Value& value) {
  switch (form) {
    case Form::QueryAnswer: json.text(key, value.number() != 0 ? "answer" : "query"); return;
    case Form::HttpVersion: {
      char text[32] = "HTTP/";
      json.text(key, {text, 5 + value.text().copy(text + 5, sizeof text - 5)});
      return;
    }
    case Form::TlsVersion: put_tls_version(json, key, word_of(row, value.number())); return;
    case Form::SnmpVersion: {
      const std::string_view word = word_of(row, value.number());
      json.number(key, word.empty() ? 0 : word[0] - '0');
      return;
    }
    case Form::RfbVersion: {
      const std::string_view text = value.text();
      json.begin(key).text("major", first_part(text)).text("minor", last_part(text)).end();
      return;
    }
    case Form::Url: {
      // Credentials in front of the host (RFC 3986, 3.2.1) are nobody's business.
      const std::string_view url = value.text();
      const std::size_t scheme = url.find("://");
      const std::size_t host = scheme == std::string_view::npos ? url.size() : scheme + 3;
      const std::size_t at = url.substr(0, url.find_first_of("/?#", host)).rfind('@');
      if (at == std::string_view::npos || at < host) json.text(key, url);
      else json.text(key, std::string(url.substr(0, host)).append(url.substr(at + 1)));
      return;
    }
    case Form::IsDefault: json.flag(key, is_default_community(value.text())); return;
    default: put_value(json, row, key, value, false); return;
  }
}

/// EVE's two ways to show an answer: one object a record, and values by type.
void put_answers(Json& json, const Facts& facts, FieldId addresses, FieldId names) {
  const bool any_address = addresses != kNoField && facts.state(addresses) == FactState::Known;
  const bool any_name = names != kNoField && facts.state(names) == FactState::Known;
  if (!any_address && !any_name) return;
  char scratch[64];
  const auto each_address = [&](auto&& call) {
    if (any_address) facts.any_value(addresses, [&](const Value& v) { return call(v.ip().is_v4(), std::string_view(scratch, render_to(v.ip(), scratch))), false; });
  };
  const auto each_name = [&](auto&& call) {
    if (any_name) facts.any_value(names, [&](const Value& v) { return call(v.text()), false; });
  };
  json.begin_list("answers");
  each_name([&](std::string_view name) { json.begin_item().word("rrtype", "CNAME").text("rdata", name).end(); });
  each_address([&](bool v4, std::string_view ip) { json.begin_item().word("rrtype", v4 ? "A" : "AAAA").word("rdata", ip).end(); });
  json.end_list().begin("grouped");
  for (const bool v4 : {true, false}) {
    bool begun = false;
    each_address([&](bool is_v4, std::string_view ip) {
      if (is_v4 != v4) return;
      if (!begun) json.begin_list(v4 ? "A" : "AAAA");
      begun = true;
      json.item(ip);
    });
    if (begun) json.end_list();
  }
  if (any_name) {
    json.begin_list("CNAME");
    each_name([&](std::string_view name) { json.item(name); });
    json.end_list();
  }
  json.end();
}

}  // namespace

Records::Records(const Vocabulary& words) : plans_(words.apps().size()) {
  for (std::size_t app = 1; app < plans_.size(); ++app) {
    Plan& plan = plans_[app];
    plan.event = words.app(static_cast<AppId>(app)).name;
    for (const Event& e : kEvents)
      if (e.app == plan.event) plan.event = e.event;
    for (FieldId field = 0; field < kFieldsMax; ++field) {
      const FieldRow* row = words.field(field);
      if (row != nullptr && row->scope != Scope::Reading && words.owners(field).has(static_cast<AppId>(app))) add(plan, *row);
    }
    if (plan.shown.empty()) {
      plan.event = {};
      continue;
    }
    // Rows of one object stand together; else the order of the vocabulary stays.
    std::stable_sort(plan.shown.begin(), plan.shown.end(), [](const Shown& a, const Shown& b) {
      return a.object != b.object ? a.object < b.object : a.inner < b.inner;
    });
    for (const Shown& shown : plan.shown) fields_.set(shown.row->id);
  }
}

void Records::add(Plan& plan, const FieldRow& row) {
  Shown shown{&row, {}, {}, last_part(row.name), Form::Plain};
  if (first_part(row.name) != plan.event) shown.object = first_part(row.name);
  for (const Key& key : kKeys) {
    if (key.fact != row.name || (!key.event.empty() && key.event != plan.event)) continue;
    if (key.form == Form::Hidden) return;
    shown.form = key.form;
    shown.key = last_part(key.key);
    std::string_view before = key.key.substr(0, key.key.size() - std::min(key.key.size(), shown.key.size() + 1));
    shown.object = first_part(before);
    shown.inner = before.size() > shown.object.size() ? before.substr(shown.object.size() + 1) : std::string_view();
    break;
  }
  plan.shown.push_back(shown);
}

bool Records::has_any(AppId app, const Facts& facts) const {
  const std::vector<Shown>& shown = plans_[app].shown;
  return std::any_of(shown.begin(), shown.end(), [&](const Shown& s) { return facts.state(s.row->id) == FactState::Known && facts.value(s.row->id) != nullptr; });
}

void Records::render(Json& json, AppId app, const View& view) const {
  const Facts& facts = *view.facts;
  const Plan& plan = plans_[app];
  json.begin(plan.event);
  // The identifier of a DNS message is no fact; on UDP it is the datagram's first two bytes.
  if (plan.event == "dns" && view.layer != nullptr && view.layer->is_udp())
    if (const Bytes payload = view.packet->payload(*view.layer); payload.size() >= 2) json.number("id", load_be16(payload.data()));
  std::string_view object, inner;
  FieldId addresses = kNoField, names = kNoField;
  for (const Shown& shown : plan.shown) {
    const FieldRow& row = *shown.row;
    if (facts.state(row.id) != FactState::Known) continue;
    const Value* value = facts.value(row.id);
    if (value == nullptr) continue;
    if (shown.form == Form::Addresses || shown.form == Form::Names) {
      (shown.form == Form::Addresses ? addresses : names) = row.id;
      continue;
    }
    if (!inner.empty() && (shown.object != object || shown.inner != inner)) json.end();
    if (shown.object != object) {
      if (!object.empty()) json.end();
      if (!shown.object.empty()) json.begin(shown.object);
      inner = {};
    }
    if (shown.inner != inner && !shown.inner.empty()) json.begin(shown.inner);
    object = shown.object;
    inner = shown.inner;
    if (shown.form == Form::Plain && row.list) {
      json.begin_list(shown.key);
      facts.any_value(row.id, [&](const Value& v) { return put_value(json, row, {}, v, true), false; });
      json.end_list();
    } else {
      put_in_form(json, shown.form, row, shown.key, *value);
    }
  }
  if (!inner.empty()) json.end();
  if (!object.empty()) json.end();
  put_answers(json, facts, addresses, names);
  json.end();
}

}  // namespace weir::report
