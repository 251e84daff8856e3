// SPDX-License-Identifier: Apache-2.0
// Who sent it: facts of the process that opened a flow (FACTS, "Host"), for as long as the flow lives.

#include <gtest/gtest.h>

#include "engine/sender_table.h"
#include "tests/kit/talk.h"

namespace weir::engine {
namespace {

using namespace kit;

EngineOptions on_host() {
  EngineOptions options = small_engine();
  options.senders = options.reloads = true;
  return options;
}

Sender process(std::uint64_t id, std::string_view path) {
  Sender sender;
  sender.id = id;
  sender.pid = static_cast<std::uint32_t>(1000 + id);
  sender.path = path;
  sender.name = path.substr(path.rfind('/') + 1);
  sender.cmdline = sender.name;
  sender.user = "ann", sender.uid = "1001", sender.group = "users", sender.gid = "100";
  sender.cgroup = "/system.slice/ssh.service";
  sender.service = "ssh.service";
  return sender;
}

const Sender kCurl = process(1, "/usr/bin/curl"), kVerclsid = process(2, "/opt/tools/verclsid");

std::string rule(std::string_view match) {
  return "weir: 1\nrules: [ { name: r, match: { " + std::string(match) + " }, action: drop } ]";
}

std::string syn_by(const Sender* sender, std::string_view match, EngineOptions options = on_host()) {
  Filter f(rule(match), options);
  f.by(sender);
  return Connection(f, "10.0.0.5", 40000, "198.51.100.80", 80).syn();
}

TEST(Sender, EachFactIsThereWithTheFirstPacket) {
  Sender in_container = kVerclsid;
  in_container.sha256 = "AB01";
  in_container.parents = {"/usr/bin/bash", "/usr/sbin/sshd"};
  in_container.parents_count = 2;
  in_container.container_id = "0123456789ab", in_container.container_name = "web", in_container.container_image = "nginx:1";
  for (const std::string_view match :
       {"process.path: /opt/tools/verclsid", "process.path: '/opt/*/verclsid'", "process.name: verclsid", "process.cmdline: verclsid",
        "process.sha256: ab01", "process.pid: 1002", "process.parent.path: /usr/sbin/sshd", "user: ann", "user: 1001", "group: users", "group: '100'",
        "cgroup: '/system.slice/*'", "service: ssh.service", "container.id: 0123456789ab", "container.name: web", "container.image: 'nginx:*'",
        "not.process.name: curl", "not.user: root", "process.name: present"})
    EXPECT_EQ(syn_by(&in_container, match), "drop r") << match;
  for (const std::string_view match : {"process.path: /usr/bin/curl", "process.parent.path: /opt/tools/verclsid", "not.user: ann", "not.user: 1001",
                                       "process.name: unknown", "process.name: absent"})
    EXPECT_EQ(syn_by(&in_container, match), "pass") << match;
}

TEST(Sender, UnknownIsAValueOfEach) {
  for (const std::string_view key : {"process.path", "process.name", "process.cmdline", "process.sha256", "process.pid", "process.parent.path", "user",
                                     "group", "cgroup", "service", "container.id", "container.name", "container.image"}) {
    EXPECT_EQ(syn_by(nullptr, std::string(key) + ": unknown"), "drop r") << key;
    EXPECT_EQ(syn_by(nullptr, "not." + std::string(key) + ": unknown"), "pass") << key;
  }
}

TEST(Sender, WhatAProcessDoesNotHaveIsAbsent) {
  EXPECT_EQ(syn_by(&kCurl, "container.id: absent"), "drop r") << "its control group names none";
  EXPECT_EQ(syn_by(&kCurl, "process.parent.path: absent"), "drop r");
  EXPECT_EQ(syn_by(&kCurl, "process.sha256: unknown"), "drop r") << "nobody made it";
  Sender of_session = kCurl;
  of_session.service = {};
  EXPECT_EQ(syn_by(&of_session, "service: absent"), "drop r");
}

TEST(Sender, WhereNobodyCanTellItIsAbsent) {
  for (const std::string_view match : {"process.path: absent", "user: absent", "container.image: absent"})
    EXPECT_EQ(syn_by(&kCurl, match, small_engine()), "drop r") << match;
  EXPECT_EQ(syn_by(&kCurl, "process.name: curl", small_engine()), "pass");
  EXPECT_EQ(syn_by(&kCurl, "process.name: unknown", small_engine()), "pass");
}

TEST(Sender, AFlowIsItsOpeners) {
  Filter f(rule("process.name: verclsid, http.host: evil.example"), on_host());
  Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 80);
  f.by(&kVerclsid);
  c.syn();
  f.by(&kCurl);
  c.syn_ack();
  f.by(nullptr);
  c.ack();
  EXPECT_EQ(c.client(http_get("evil.example", "/")), "drop r") << "whoever the later packets are said to be of";
  f.end();
  EXPECT_EQ(f.count("alert blocked r by verclsid"), 1U);
  EXPECT_EQ(f.events().back().substr(f.events().back().size() - 12), " by verclsid");
}

TEST(Sender, WhoIsKnownLaterIsTaken) {
  Filter f(rule("process.name: verclsid"), on_host());
  Connection c(f, "10.0.0.5", 40000, "198.51.100.80", 80);
  c.syn();
  f.by(&kVerclsid);
  EXPECT_EQ(c.syn_ack(), "pass") << "the server may be a process of this host too";
  EXPECT_EQ(c.ack(), "drop r");
}

TEST(Sender, AReloadStillKnowsWho) {
  Filter f("weir: 1", on_host());
  Connection bad(f, "10.0.0.5", 40000, "198.51.100.80", 80), good(f, "10.0.0.5", 40002, "198.51.100.80", 80);
  f.by(&kVerclsid);
  bad.open();
  f.by(&kCurl);
  good.open();
  f.by(nullptr);
  f.reload(rule("process.name: verclsid"));
  EXPECT_EQ(bad.client("x"), "drop r");
  EXPECT_EQ(good.client("x"), "pass");
  f.reload(rule("process.name: curl"));
  EXPECT_EQ(good.client("x"), "drop r");
}

TEST(Sender, DenialsAreGatheredBySender) {
  Filter f(rule("process.name: [verclsid, curl]"), on_host());
  for (int i = 0; i < 3; ++i)
    for (const Sender* sender : {&kVerclsid, &kCurl}) {
      f.by(sender);
      Connection(f, "10.0.0.5", 40000, "198.51.100.80", 80).syn();
    }
  f.end();
  for (const char* name : {"verclsid", "curl"}) {
    EXPECT_EQ(f.count(std::string("alert blocked r by ") + name), 1U);
    EXPECT_EQ(f.count(std::string("alert blocked r x2 by ") + name), 1U);
  }
}

TEST(SenderTable, OneCopyASenderAndNoneWhenTheLastUserGoes) {
  SlabPool pool(1 << 20);
  SenderTable table(pool, true);
  const auto first = table.keep(kCurl), again = table.keep(kCurl), other = table.keep(kVerclsid);
  EXPECT_EQ(first, again);
  EXPECT_NE(first, other);
  EXPECT_EQ(table.at(first)->path, "/usr/bin/curl");
  EXPECT_NE(table.at(first)->path.data(), kCurl.path.data()) << "a copy";
  EXPECT_EQ(table.at(0), nullptr);
  table.release(first);
  EXPECT_EQ(table.at(again)->name, "curl");
  table.release(again);
  table.release(other);
  EXPECT_EQ(table.size(), 0U);
  EXPECT_EQ(pool.used(), 0U);
}

TEST(SenderTable, FullIsCountedAndNothingIsKept) {
  SlabPool pool(64 << 20);
  SenderTable table(pool, true);
  Sender sender = kCurl;
  for (std::size_t i = 0; i < SenderTable::kPlacesMax; ++i) {
    sender.id = i + 1;
    ASSERT_NE(table.keep(sender), 0) << i;
  }
  sender.id = SenderTable::kPlacesMax + 1;
  EXPECT_EQ(table.keep(sender), 0);
  EXPECT_EQ(table.refused(), 1U);
  table.release(7);
  EXPECT_EQ(table.keep(sender), 7);
  SlabPool none(64);
  SenderTable poor(none, true);
  EXPECT_EQ(poor.keep(kCurl), 0);
}

}  // namespace
}  // namespace weir::engine
