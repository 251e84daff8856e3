// SPDX-License-Identifier: Apache-2.0
#include "report/eve.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "engine/engine.h"
#include "tests/kit/packet.h"
#include "wire/wire.h"

namespace weir::report {
namespace {

using nlohmann::json;

/// A policy by hand: two rules, two zones, one port.
std::shared_ptr<const policy::RuleSet> rules() {
  auto made = std::make_shared<policy::Policy>();
  made->port_index("lan0");
  made->zones = {{.name = "inside", .ports = {0}}, {.name = "out\"side"}};
  made->rules.resize(2);
  made->rules[0].name = "no-dns";
  made->rules[0].techniques = {"T1071.004", "T1048.003"};
  made->rules[0].action = policy::Action::Drop;
  made->rules[1].name = "watch";
  made->rules[1].action = policy::Action::Alert;
  made->default_techniques = {"T1571"};
  return std::make_shared<const policy::RuleSet>(std::move(made), engine::vocabulary());
}

/// Events written by `write`, as what reads them sees them.
template <typename F>
std::vector<json> events(F&& write, EveOptions options = {.flows = true, .records = true}) {
  const std::string path = testing::TempDir() + "eve_test.json";
  const auto set = rules();
  auto eve = Eve::open(path, *set, options);
  EXPECT_TRUE(eve.ok());
  write(**eve);
  const auto closed = (*eve)->close();
  EXPECT_TRUE(closed.ok());
  std::ifstream in(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  EXPECT_EQ(closed.value(), text.size());
  std::remove(path.c_str());
  std::vector<json> lines;
  while (!text.empty()) {
    lines.push_back(json::parse(text.substr(0, text.find('\n'))));
    text.erase(0, text.find('\n') + 1);
  }
  return lines;
}

json alert(const engine::AlertRecord& record) {
  return events([&](Eve& eve) { eve.on_alert(record); }).at(0);
}
json flow(const engine::FlowRecord& record) {
  return events([&](Eve& eve) { eve.on_flow(record); }).at(0);
}

engine::AlertRecord denial() {
  engine::AlertRecord r;
  r.rule = 0;
  r.action = policy::Action::Drop;
  r.blocked = true;
  r.frame = 7;
  r.flow_id = 9007199254740991;
  r.wall_ns = 1'700'000'000'123'456'789;
  r.has_ip = true;
  r.src = kit::ip_of("192.0.2.1");
  r.dst = kit::ip_of("198.51.100.2");
  r.src_port = 40000;
  r.dst_port = 53;
  r.protocol = ip_protocol::kUdp;
  r.app = *engine::vocabulary().app("dns");
  r.from = 0;
  r.to = 1;
  r.port = 0;
  return r;
}

TEST(Eve, AnAlertIsWhatTheContractSays) {
  EXPECT_EQ(alert(denial()), json::parse(R"({
    "timestamp": "2023-11-14T22:13:20.123456+00:00", "event_type": "alert", "flow_id": 9007199254740991, "in_iface": "lan0", "pcap_cnt": 7,
    "src_ip": "192.0.2.1", "src_port": 40000, "dest_ip": "198.51.100.2", "dest_port": 53, "proto": "UDP", "app_proto": "dns",
    "community_id": "1:BWReJXMNj4QaPOU529MpBZS5b38=",
    "alert": {"action": "blocked", "gid": 1, "signature_id": 1, "rev": 1, "signature": "no-dns", "category": "", "severity": 1,
              "metadata": {"mitre_technique_id": ["T1071.004", "T1048.003"]}},
    "weir": {"rule": "no-dns", "action": "drop", "mode": "enforce", "from": "inside", "to": "out\"side", "reason": "rule"}})"));
}

TEST(Eve, AMonitoredRuleTellsWhatItWouldHaveDone) {
  engine::AlertRecord r = denial();
  r.blocked = false;
  r.monitored = true;
  const json event = alert(r);
  EXPECT_EQ(event["alert"]["action"], "allowed");
  EXPECT_EQ(event["weir"]["action"], "would-drop");
  EXPECT_EQ(event["weir"]["mode"], "monitor");
}

TEST(Eve, WhatTheDefaultStopsIsRuleDefault) {
  engine::AlertRecord r = denial();
  r.rule = kDefaultRule;
  r.reason = Reason::Default;
  r.count = 41;
  const json event = alert(r);
  EXPECT_EQ(event["alert"]["signature"], "default");
  EXPECT_EQ(event["alert"]["signature_id"], 0);
  EXPECT_EQ(event["alert"]["metadata"]["mitre_technique_id"], json({"T1571"}));
  EXPECT_EQ(event["weir"]["rule"], "default");
  EXPECT_EQ(event["weir"]["reason"], "default");
  EXPECT_EQ(event["weir"]["count"], 41);
}

TEST(Eve, WhatNoRuleStoppedIsNamedByItsReason) {
  engine::AlertRecord r = denial();
  r.rule = kNoRule;
  r.reason = Reason::TableFull;
  const json event = alert(r);
  EXPECT_EQ(event["weir"]["rule"], "table-full");
  EXPECT_EQ(event["alert"]["signature"], "table-full");
  EXPECT_FALSE(event["alert"].contains("metadata"));
}

TEST(Eve, AlertsOfOneRuleDifferInWhatDiffers) {
  const auto lines = events([](Eve& eve) {
    for (const bool blocked : {true, false, true}) {
      engine::AlertRecord r = denial();
      r.blocked = blocked;
      eve.on_alert(r);
      r.rule = 1;
      eve.on_alert(r);
    }
  });
  ASSERT_EQ(lines.size(), 6U);
  EXPECT_EQ(lines[0], lines[4]);
  EXPECT_EQ(lines[1], lines[5]);
  EXPECT_EQ(lines[2]["alert"]["action"], "allowed");
  EXPECT_EQ(lines[1]["alert"]["signature"], "watch");
}

TEST(Eve, IcmpHasTypeAndCodeAndNoPorts) {
  engine::AlertRecord r = denial();
  r.protocol = ip_protocol::kIcmp;
  r.src_port = r.dst_port = 0;
  r.icmp_type = 8;
  const json event = alert(r);
  EXPECT_EQ(event["proto"], "ICMP");
  EXPECT_EQ(event["icmp_type"], 8);
  EXPECT_FALSE(event.contains("src_port"));
  engine::AlertRecord reply = r;
  std::swap(reply.src, reply.dst);
  reply.icmp_type = 0;
  EXPECT_EQ(alert(reply)["community_id"], event["community_id"]);
}

TEST(Eve, ArpHasSenderTargetAndMacAddresses) {
  engine::AlertRecord r = denial();
  r.is_arp = true;
  r.flow_id = 0;
  r.protocol = 0;
  r.has_mac = true;
  r.src_mac = kit::mac_of("00:00:5e:00:53:01");
  r.dst_mac = kit::mac_of("ff:ff:ff:ff:ff:ff");
  const json event = alert(r);
  EXPECT_EQ(event["proto"], "ARP");
  EXPECT_EQ(event["ether"], json({{"src_mac", "00:00:5e:00:53:01"}, {"dest_mac", "ff:ff:ff:ff:ff:ff"}}));
  for (const char* key : {"flow_id", "community_id", "src_port", "app_proto"}) EXPECT_FALSE(event.contains(key)) << key;
}

engine::FlowRecord dns_flow() {
  engine::FlowRecord r;
  r.flow_id = 42;
  r.ends = {kit::ip_of("2001:db8::1"), kit::ip_of("2001:db8::2"), 40000, 53, ip_protocol::kUdp};
  r.app = *engine::vocabulary().app("dns");
  r.packets[0] = 2, r.packets[1] = 1, r.bytes[0] = 120, r.bytes[1] = 300;
  r.start_wall_ns = 1'700'000'000 * kSecond;
  r.end_wall_ns = 1'700'000'003 * kSecond + 5'000;
  r.state = engine::FlowRecord::State::Established;
  return r;
}

TEST(Eve, AFlowIsWhatTheContractSays) {
  EXPECT_EQ(flow(dns_flow()), json::parse(R"({
    "timestamp": "2023-11-14T22:13:23.000005+00:00", "event_type": "flow", "flow_id": 42, "src_ip": "2001:db8::1", "src_port": 40000,
    "dest_ip": "2001:db8::2", "dest_port": 53, "proto": "UDP", "app_proto": "dns", "community_id": "1:eO0ltZ3MqOvc7QA+zuku3dNgCuE=",
    "flow": {"pkts_toserver": 2, "pkts_toclient": 1, "bytes_toserver": 120, "bytes_toclient": 300, "start": "2023-11-14T22:13:20.000000+00:00",
             "end": "2023-11-14T22:13:23.000005+00:00", "age": 3, "state": "established", "reason": "timeout", "action": "passed"}})"));
}

TEST(Eve, FlowsCarryTheNameOfTheirIpProtocol) {
  struct Row {
    std::uint8_t protocol;
    std::string_view proto, app_proto;
  };
  constexpr Row kRows[] = {{6, "TCP", "unknown"}, {17, "UDP", "unknown"}, {132, "SCTP", "unknown"}, {1, "ICMP", "icmp"}, {58, "IPv6-ICMP", "icmpv6"},
                           {47, "GRE", "gre"},    {50, "ESP", "esp"},     {253, "253", "unknown"}};
  for (const Row& row : kRows) {
    engine::FlowRecord r = dns_flow();
    r.ends.protocol = row.protocol;
    r.app = kUnknownApp;
    const json event = flow(r);
    EXPECT_EQ(event["proto"], row.proto);
    EXPECT_EQ(event["app_proto"], row.app_proto);
  }
}

TEST(Eve, AnEchoSeenFromItsReplyOnIsTheSameFlow) {
  engine::FlowRecord request = dns_flow();
  request.ends.protocol = ip_protocol::kIcmp;
  request.ends.client = kit::ip_of("192.168.0.89");
  request.ends.server = kit::ip_of("192.168.0.1");
  request.icmp_type = 8;
  engine::FlowRecord reply = request;
  reply.icmp_type = 0;
  reply.icmp_by_server = true;
  EXPECT_EQ(flow(request)["community_id"], "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=");
  EXPECT_EQ(flow(reply)["community_id"], "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=");
}

TEST(Eve, FlowsAndRecordsComeOnlyWhereTheyAreAskedFor) {
  EXPECT_TRUE(events([](Eve& eve) { eve.on_flow(dns_flow()); }, {}).empty());
}

/// One record of a protocol: its facts as given, on a UDP datagram whose payload begins with 0x1234.
class Record {
 public:
  explicit Record(std::string_view app) : app_(*engine::vocabulary().app(app)) {
    wanted_.set();
    facts_.emplace(pool_, wanted_);
  }
  Record& text(std::string_view field, std::string_view value) { return put(field, Value::of_text(value), true); }
  Record& number(std::string_view field, std::uint64_t value) { return put(field, Value::of_number(value), false); }
  Record& word(std::string_view field, std::string_view name) {
    for (const Word& word : engine::vocabulary().field(field)->words)
      if (word.name == name) return number(field, word.value);
    ADD_FAILURE() << field << " has no " << name;
    return *this;
  }
  Record& ip(std::string_view field, std::string_view value) { return put(field, Value::of_ip(kit::ip_of(value)), false); }
  json event() {
    const kit::OwnedFrame owned(kit::Eth() / kit::Ipv4() / kit::Udp(40000, 53) / "\x12\x34");
    const Frame frame = owned.frame();
    Packet packet;
    wire::parse(frame, packet);
    FlowFacts flow;
    flow.ends = {packet.layers[0].src, packet.layers[0].dst, 40000, 53, ip_protocol::kUdp};
    View view;
    view.vocabulary = &engine::vocabulary();
    view.packet = &packet;
    view.layer = &packet.layers[0];
    view.flow = &flow;
    view.facts = &*facts_;
    view.parser = app_;
    const auto lines = events([&](Eve& eve) { eve.on_transaction(view, 42); });
    return lines.empty() ? json() : lines[0];
  }

 private:
  Record& put(std::string_view field, Value value, bool is_text) {
    const FieldRow* row = engine::vocabulary().field(field);
    EXPECT_NE(row, nullptr) << field;
    if (row->list) facts_->add(row->id, row->scope, value, is_text);
    else facts_->set(row->id, row->scope, value, is_text);
    return *this;
  }

  AppId app_;
  SlabPool pool_{1 << 20};
  FieldSet wanted_;
  std::optional<Facts> facts_;
};

TEST(Eve, ADnsAnswerIsShownAsEveShowsIt) {
  const json event = Record("dns").number("dns.response", 1).text("dns.qname", "www.example.com").number("dns.qtype", 1).number("dns.rcode", 0)
                         .text("dns.cname", "web.example.net").ip("dns.answer", "192.0.2.80").ip("dns.answer", "2001:db8::80").event();
  EXPECT_EQ(event["event_type"], "dns");
  EXPECT_EQ(event["flow_id"], 42);
  EXPECT_EQ(event["dest_port"], 53);
  EXPECT_EQ(event["dns"], json::parse(R"({"id": 4660, "type": "answer", "rrname": "www.example.com", "rrtype": "A", "rcode": "NOERROR",
    "answers": [{"rrtype": "CNAME", "rdata": "web.example.net"}, {"rrtype": "A", "rdata": "192.0.2.80"}, {"rrtype": "AAAA", "rdata": "2001:db8::80"}],
    "grouped": {"A": ["192.0.2.80"], "AAAA": ["2001:db8::80"], "CNAME": ["web.example.net"]}})"));
}

TEST(Eve, ATypeWithoutANameIsStillText) {
  EXPECT_EQ(Record("dns").number("dns.qtype", 65280).event()["dns"]["rrtype"], "65280");
  EXPECT_EQ(Record("mdns").text("dns.qname", "printer.local").event()["event_type"], "dns");
  EXPECT_EQ(Record("mdns").text("dns.qname", "printer.local").event()["app_proto"], "mdns");
}

TEST(Eve, RecordsUseEvesNames) {
  EXPECT_EQ(Record("http").text("http.method", "GET").text("http.uri", "/x").text("http.host", "h").text("http.version", "1.1").number("http.status", 200).event()["http"],
            json::parse(R"({"http_method": "GET", "url": "/x", "hostname": "h", "protocol": "HTTP/1.1", "status": 200})"));
  EXPECT_EQ(Record("tls").text("tls.sni", "h").word("tls.version", "1.2").text("tls.ja3", "f0").text("tls.cert.issuer", "CN=i").event()["tls"],
            json::parse(R"({"sni": "h", "version": "TLS 1.2", "ja3": {"hash": "f0"}, "issuerdn": "CN=i"})"));
  EXPECT_EQ(Record("ssh").text("ssh.client_software", "a").text("ssh.hassh", "f1").text("ssh.software", "b").event()["ssh"],
            json::parse(R"({"client": {"software_version": "a", "hassh": {"hash": "f1"}}, "server": {"software_version": "b"}})"));
  EXPECT_EQ(Record("quic").text("tls.sni", "h").text("tls.ja3", "f0").event()["quic"], json::parse(R"({"sni": "h", "ja3": {"hash": "f0"}})"));
  EXPECT_EQ(Record("rfb").text("rfb.version", "003.008").event()["rfb"], json::parse(R"({"server_protocol_version": {"major": "003", "minor": "008"}})"));
  EXPECT_EQ(Record("ftp").text("ftp.command", "RETR").text("ftp.argument", "f").text("auth.user", "u").event()["ftp"],
            json::parse(R"({"command": "RETR", "command_data": "f", "auth": {"user": "u"}})"));
  EXPECT_EQ(Record("ldap").word("ldap.op", "bind").event()["ldap"], json::parse(R"({"request": {"operation": "bind"}})"));
}

TEST(Eve, SecretsDoNotAppear) {
  const json snmp = Record("snmp").word("snmp.version", "2c").text("snmp.community", "s3cret").text("auth.user", "s3cret").event();
  EXPECT_EQ(snmp["snmp"], json::parse(R"({"version": 2, "community_is_default": false})"));
  EXPECT_EQ(snmp.dump().find("s3cret"), std::string::npos);
  EXPECT_EQ(Record("snmp").text("snmp.community", "Public").event()["snmp"]["community_is_default"], true);
  const json http = Record("http").text("http.uri", "http://u:s3cret@h/x@y").text("http.body", "password=s3cret").text("http.header", "Authorization: s3cret").event();
  EXPECT_EQ(http["http"], json::parse(R"({"url": "http://h/x@y"})"));
}

TEST(Eve, BytesOfTheNetworkStayValid) {
  const json event = Record("http").text("http.uri", "/\xff\"\\\n").event();
  EXPECT_EQ(event["http"]["url"], "/\xef\xbf\xbd\"\\\n");
}

TEST(Eve, NothingKnownIsNoRecord) {
  EXPECT_TRUE(Record("dns").event().is_null());
  EXPECT_TRUE(Record("http").text("http.body", "x").event().is_null());
}

TEST(Eve, AFileThatCannotBeWrittenIsSaid) {
  const auto set = rules();
  EXPECT_FALSE(Eve::open("/nowhere/at/all", *set, {}).ok());
  auto full = Eve::open("/dev/full", *set, {});
  ASSERT_TRUE(full.ok());
  for (int i = 0; i < 1000; ++i) (*full)->on_alert(denial());
  EXPECT_FALSE((*full)->close().ok());
}

}  // namespace
}  // namespace weir::report
