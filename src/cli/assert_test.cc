// SPDX-License-Identifier: Apache-2.0
// Assertions: what a policy promises, held against what it does.

#include <gtest/gtest.h>

#include <string>

#include "cli/assert/assertions.h"
#include "engine/engine.h"
#include "policy/document.h"

namespace weir::cli {
namespace {

constexpr std::string_view kHead = R"(weir: 1
zones: { inside: { networks: [10.0.0.0/8] }, servers: { networks: [10.9.0.0/16] }, outside: {} }
sets: { admins: { addresses: [10.1.1.0/24] } }
)";

/// The diagnostics of a policy's assertions, a line each, without places.
std::string checked(std::string_view rest) {
  const policy::Loaded loaded = policy::load_policy_text("p.yaml", std::string(kHead) + std::string(rest), engine::vocabulary());
  if (!loaded.policy) return policy::render(loaded.diagnostics);
  std::string out;
  const policy::Diagnostics found = check_assertions(*loaded.policy);
  for (const policy::Diagnostic& d : found.all())
    out += (d.severity == policy::Severity::Error ? "error: " : "warning: ") + d.message + "\n";
  return out;
}

constexpr std::string_view kClosed = R"(
default: drop
rules:
  - { name: dns, match: { from: inside, to: 10.9.0.53, ip.protocol: udp, port: 53 }, action: allow }
  - { name: ssh-by-admins, match: { from: "@admins", to: servers, ip.protocol: tcp, port: 22 }, action: allow }
  - { name: no-smb, match: { from: inside, to: outside, app.protocol: smb }, action: drop }
  - { name: no-bad-names, match: { tls.sni: .bad.example }, action: drop }
  - { name: web, match: { from: inside, to: outside, ip.protocol: tcp, port: 443, app.protocol: tls }, action: allow }
)";

struct Row {
  std::string_view assertion;
  std::string_view said;  ///< A part of the one message; empty: it holds.
};

TEST(Assert, HoldsOrNamesThePacketAndTheRule) {
  constexpr Row kRows[] = {
      {"pass: { from: inside, to: 10.9.0.53, ip.protocol: udp, port: 53 }", ""},
      {"pass: { from: inside, to: 10.9.0.53, port: 53 }", "`10.0.0.1:50000 > 10.9.0.53:53 tcp S` is stopped, by default"},
      {"pass: { from: \"@admins\", to: servers, ip.protocol: tcp, port: 22 }", ""},
      {"pass: { from: inside, to: servers, ip.protocol: tcp, port: 22 }",
       "`10.0.0.1:50000 > 10.9.0.1:22 tcp S` is stopped, by default"},
      {"never: { from: outside, to: servers }", ""},
      {"never: { from: inside, to: servers, port: 22 }",
       "`10.1.1.1:50000 > 10.9.0.1:22 tcp S` passes, by rule `ssh-by-admins` (p.yaml:8)"},
      {"never: { from: inside, to: servers, port: 22 }, unless: [ { from: \"@admins\" } ]", ""},
      // What it carries decides: an example of the protocol that the port is for.
      {"pass: { from: inside, to: outside, ip.protocol: tcp, port: 443 }", ""},
      {"pass: { from: inside, to: outside, ip.protocol: tcp, port: 443, app.protocol: http }",
       "`10.0.0.1:50000 > 11.0.0.1:443 tcp http? GET / www.some-name.example` is stopped, by default"},
      {"pass: { from: inside, to: outside, ip.protocol: tcp, port: 443, tls.sni: .bad.example }",
       "`10.0.0.1:50000 > 11.0.0.1:443 tcp tls-hello www.bad.example` is stopped, by rule `no-bad-names` (p.yaml:10)"},
      // Never: every example.
      {"never: { from: inside, to: outside, port: 443 }",
       "`10.0.0.1:50000 > 11.0.0.1:443 tcp tls-hello www.some-name.example` passes, by rule `web` (p.yaml:11)"},
      {"never: { from: inside, to: outside, app.protocol: http }", "is not shown to hold: what becomes of"},
      {"never: { from: inside, to: outside, app.protocol: smb, port: 445 }", ""},
  };
  for (const Row& row : kRows) {
    const std::string said = checked(std::string(kClosed) + "assert:\n  - { name: a, " + std::string(row.assertion) + " }\n");
    if (row.said.empty())
      EXPECT_EQ(said, "") << row.assertion;
    else
      EXPECT_NE(said.find(row.said), std::string::npos) << row.assertion << "\n" << said;
  }
}

TEST(Assert, NothingElseIsTheComplementOfWhatPasses) {
  const std::string head = std::string(kClosed) + R"(assert:
  - { name: dns, pass: { from: inside, to: 10.9.0.53, ip.protocol: udp, port: 53 } }
)";
  const std::string closed = "  - { name: closed, nothing_else: { to: servers } }\n";
  EXPECT_NE(
      checked(head + closed).find("`closed` does not hold: `10.1.1.1:50000 > 10.9.0.1:22 tcp S` passes, by rule `ssh-by-admins`"),
      std::string::npos)
      << checked(head + closed);
  const std::string ssh = "  - { name: ssh, pass: { from: \"@admins\", to: servers, ip.protocol: tcp, port: 22 } }\n";
  EXPECT_EQ(checked(head + closed + ssh), "");
}

TEST(Assert, WhatContentOfAPassLeavesOpenIsElse) {
  EXPECT_NE(checked(R"(
default: drop
rules:
  - { name: web, match: { to: servers, ip.protocol: tcp, port: 80 }, action: allow }
assert:
  - { name: http, pass: { to: servers, ip.protocol: tcp, port: 80, app.protocol: http } }
  - { name: closed, nothing_else: { to: servers } }
)")
                .find("`closed` does not hold: `10.0.0.1:50000 > 10.9.0.1:80 tcp S` passes, by rule `web`"),
            std::string::npos);
}

TEST(Assert, ClientPortsAndProtocolsAreToldApart) {
  EXPECT_NE(checked(R"(
default: drop
rules:
  - { name: old-dns, match: { from: outside, client.port: 53, ip.protocol: udp }, action: allow }
assert:
  - { name: closed, never: { from: outside, to: servers } }
)")
                .find(":53 > 10.9.0.1:"),
            std::string::npos);
  EXPECT_NE(checked(R"(
default: drop
rules:
  - { name: gre, match: { ip.protocol: 47 }, action: allow }
assert:
  - { name: closed, never: { from: outside, to: servers } }
)")
                .find("ip 47` passes, by rule `gre`"),
            std::string::npos);
}

TEST(Assert, WhatIsEssentialIsNotHeldAgainstIt) {
  EXPECT_EQ(checked("default: drop\nrules: []\nassert:\n  - { name: closed, never: { to: servers } }\n"), "");
}

TEST(Assert, CountsAreNotReachedAndMonitoringIsJudgedAsItWillBe) {
  EXPECT_EQ(checked(R"(
mode: monitor
default: allow
rules:
  - { name: slow, match: { to: servers }, action: { limit: { rate: 1 flows/h, per: to } } }
  - { name: no-telnet, match: { to: servers, port: 23 }, action: drop }
assert:
  - { name: web, pass: { to: servers, port: 80 } }
  - { name: closed, never: { to: servers, port: 23 } }
)"),
            "");
}

TEST(Assert, RuleInMonitorModeStopsNothing) {
  EXPECT_NE(checked(R"(
default: allow
rules:
  - { name: no-telnet, match: { to: servers, port: 23 }, action: drop, mode: monitor }
assert:
  - { name: closed, never: { to: servers, port: 23 } }
)")
                .find("passes, by default"),
            std::string::npos);
}

}  // namespace
}  // namespace weir::cli
