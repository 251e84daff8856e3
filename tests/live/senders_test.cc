// SPDX-License-Identifier: Apache-2.0
// Who sent it (issue 5, item 3), live: processes that the test starts in a control group and a network namespace of its own, each sending one
// datagram to the test, which then asks whose it was.

#include "datapath/host/senders.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>

#include "tests/kit/host_camp.h"

namespace weir::datapath {
namespace {

using namespace kit;

#define OPEN_CAMP(camp, options)                            \
  WEIR_ENTER_LAB();                                         \
  Camp camp;                                                \
  if (!camp.why_not().empty()) GTEST_SKIP() << camp.why_not(); \
  camp.open(options);                                       \
  if (camp.senders() == nullptr) GTEST_SKIP() << camp.why_not()

#define NEEDS_PROGRAM(camp) \
  if (camp.senders()->program() == nullptr) GTEST_SKIP() << camp.senders()->remarks()[0]

TEST(SendersLive, ACopiedAndRenamedExecutableAndWhatItIs) {
  OPEN_CAMP(camp, {.hashes = true});
  NEEDS_PROGRAM(camp);
  const std::string tool = camp.copy_of("/bin/bash", "verclsid");
  const Heard heard = camp.run({tool, "-c", camp.say("hello")});
  const Sender* who = camp.who(heard);
  ASSERT_NE(who, nullptr);
  EXPECT_EQ(who->path, tool);
  EXPECT_EQ(who->name, "verclsid");
  EXPECT_EQ(who->cmdline, tool + " -c " + camp.say("hello"));
  EXPECT_EQ(who->user, "root");
  EXPECT_EQ(who->uid, "0");
  EXPECT_EQ(who->group, "root");
  EXPECT_EQ(who->cgroup, camp.cgroup_path());
  EXPECT_EQ(who->sha256.size(), 64U) << "hashed though the process is gone: its file is the one that ran";
  ASSERT_NE(who->parents_count, 0);
  EXPECT_EQ(who->parents[0], camp.own_path()) << "this test forked before it executed the tool";
}

TEST(SendersLive, AChildIsTheOneAndItsParentIsAmongTheAncestors) {
  OPEN_CAMP(camp, {});
  NEEDS_PROGRAM(camp);
  const std::string parent = camp.copy_of("/bin/bash", "verclsid"), child = camp.copy_of("/bin/bash", "innocent");
  // `true` after it: otherwise a shell executes its last command in its own place.
  const Sender* who = camp.who(camp.run({parent, "-c", child + " -c '" + camp.say("x") + "'; true"}));
  ASSERT_NE(who, nullptr);
  EXPECT_EQ(who->path, child);
  EXPECT_EQ(who->parents[0], parent);
}

TEST(SendersLive, WhatItExecutesInItsPlaceStillHasItAsAncestor) {
  OPEN_CAMP(camp, {});
  NEEDS_PROGRAM(camp);
  const std::string first = camp.copy_of("/bin/bash", "verclsid"), then = camp.copy_of("/bin/bash", "innocent");
  const Sender* who = camp.who(camp.run({first, "-c", "exec " + then + " -c '" + camp.say("x") + "'"}));
  ASSERT_NE(who, nullptr);
  EXPECT_EQ(who->path, then);
  EXPECT_EQ(who->parents[0], first) << "an exec without a fork leads away from nothing";
}

TEST(SendersLive, ADeletedExecutableKeepsThePathThatItHad) {
  OPEN_CAMP(camp, {.hashes = true});
  NEEDS_PROGRAM(camp);
  const std::string tool = camp.copy_of("/bin/bash", "gone"), other = camp.copy_of("/bin/cat", "new");
  const Sender* who = camp.who(camp.run({tool, "-c", "mv " + other + " " + tool + "; " + camp.say("x")}));
  ASSERT_NE(who, nullptr);
  EXPECT_EQ(who->path, tool);
  EXPECT_TRUE(who->sha256.empty()) << "what lies there now is another file";
}

TEST(SendersLive, AMemfdIsNamedAsOne) {
  OPEN_CAMP(camp, {});
  NEEDS_PROGRAM(camp);
  const int memory = memfd_create("payload", 0);
  const int from = open("/bin/bash", O_RDONLY);
  char block[65536];
  for (ssize_t n; (n = read(from, block, sizeof block)) > 0;) ASSERT_EQ(write(memory, block, static_cast<std::size_t>(n)), n);
  close(from);
  const Sender* who = camp.who(camp.run({"/proc/self/fd/" + std::to_string(memory), "-c", camp.say("x")}));
  close(memory);
  ASSERT_NE(who, nullptr);
  EXPECT_EQ(who->path, "memfd:payload");
}

TEST(SendersLive, AScriptIsItsInterpreter) {
  OPEN_CAMP(camp, {});
  NEEDS_PROGRAM(camp);
  const std::string interpreter = camp.copy_of("/bin/bash", "shell"), script = camp.folder() + "/fetch.sh";
  std::ofstream(script) << "#!" << interpreter << "\n" << camp.say("x") << "\n";
  chmod(script.c_str(), 0755);
  const Sender* who = camp.who(camp.run({script, "--quiet"}));
  ASSERT_NE(who, nullptr);
  EXPECT_EQ(who->path, interpreter);
  EXPECT_EQ(who->cmdline, interpreter + " " + script + " --quiet");
}

TEST(SendersLive, ABindMountIsWhereTheProcessFoundIt) {
  OPEN_CAMP(camp, {});
  NEEDS_PROGRAM(camp);
  const std::string tool = camp.copy_of("/bin/bash", "real"), elsewhere = camp.folder() + "/mounted";
  ASSERT_TRUE(std::filesystem::create_directory(elsewhere));
  const Sender* who = camp.who(camp.run({"/usr/bin/unshare", "-m", "/bin/sh", "-c",
                                         "mount --bind " + camp.folder() + " " + elsewhere + " && exec " + elsewhere + "/real -c '" + camp.say("x") + "'"}));
  if (who == nullptr) GTEST_SKIP() << "no mount namespace can be made";
  EXPECT_EQ(who->path, elsewhere + "/real");
}

TEST(SendersLive, ASetuidProgramIsTheUserThatItBecame) {
  OPEN_CAMP(camp, {});
  NEEDS_PROGRAM(camp);
  const std::string tool = camp.copy_of("/bin/bash", "suid");
  ASSERT_EQ(chown(tool.c_str(), 65534, 65534), 0);
  ASSERT_EQ(chmod(tool.c_str(), 06755), 0);
  const Sender* who = camp.who(camp.run({tool, "-p", "-c", camp.say("x")}));
  ASSERT_NE(who, nullptr);
  if (who->uid == "0") GTEST_SKIP() << "the folder of this test is mounted nosuid";
  EXPECT_EQ(who->uid, "65534");
  EXPECT_EQ(who->gid, "65534");
}

TEST(SendersLive, ASocketThatIsPassedOnIsItsConnectors) {
  OPEN_CAMP(camp, {});
  NEEDS_PROGRAM(camp);
  // The parent makes the socket, the child connects it and sends.
  const Heard heard = camp.run_here([&] {
    const int made = socket(AF_INET, SOCK_DGRAM, 0);
    const pid_t child = fork();
    if (child == 0) {
      camp.connect_and_send(made, "x");
      _exit(0);
    }
    waitpid(child, nullptr, 0);
    std::ofstream(camp.folder() + "/child") << child;
    return 0;
  });
  std::uint32_t child = 0;
  std::ifstream(camp.folder() + "/child") >> child;
  const Sender* who = camp.who(heard);
  ASSERT_NE(who, nullptr);
  EXPECT_EQ(who->pid, child);
}

TEST(SendersLive, ASocketThatWasOpenBeforeTheStart) {
  WEIR_ENTER_LAB();
  Camp camp;
  if (!camp.why_not().empty()) GTEST_SKIP() << camp.why_not();
  const std::string tool = camp.copy_of("/bin/bash", "early");
  const pid_t early = camp.start({tool, "-c", camp.connected() + "; echo first >&3; read -r line < " + camp.fifo() + "; echo second >&3; sleep 1"});
  ASSERT_EQ(camp.hear().text, "first\n");
  camp.open({});
  ASSERT_NE(camp.senders(), nullptr);
  camp.write_fifo("go\n");
  const Heard heard = camp.hear();
  EXPECT_EQ(heard.text, "second\n");
  const Sender* who = camp.who(heard);
  ASSERT_NE(who, nullptr);
  EXPECT_EQ(who->path, tool);
  EXPECT_EQ(who->pid, static_cast<std::uint32_t>(early));
  ASSERT_NE(who->parents_count, 0);
  EXPECT_EQ(who->parents[0], camp.own_path());
  camp.wait_for(early);
}

TEST(SendersLive, WithoutAProgramProcIsRead) {
  OPEN_CAMP(camp, {.programs = false});
  ASSERT_EQ(camp.senders()->program(), nullptr);
  ASSERT_FALSE(camp.senders()->remarks().empty());
  EXPECT_EQ(camp.senders()->remarks()[0],
            "no program records processes: processes are read from /proc when they send, those that are gone by then are unknown, and no call is refused");
  const std::string tool = camp.copy_of("/bin/bash", "slow");
  const pid_t slow = camp.start({tool, "-c", camp.connected() + "; echo x >&3; read -r line < " + camp.fifo()});
  const Heard heard = camp.hear();
  const Sender* who = camp.who(heard);
  ASSERT_NE(who, nullptr);
  EXPECT_EQ(who->path, tool);
  EXPECT_EQ(who->pid, static_cast<std::uint32_t>(slow));
  EXPECT_EQ(who->parents[0], camp.own_path());
  EXPECT_EQ(who->cgroup, camp.cgroup_path());
  camp.write_fifo("go\n");
  camp.wait_for(slow);
  const Heard late = camp.run({tool, "-c", camp.say("x")});
  EXPECT_EQ(camp.who(late), nullptr) << "gone: unknown, and no wrong answer";
}

TEST(SendersLive, AListenerHasWhatItWillAccept) {
  OPEN_CAMP(camp, {});
  NEEDS_PROGRAM(camp);
  std::uint16_t port = 0;
  const pid_t server = camp.start_here([&] {
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons(8099);
    if (bind(listener, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0 || listen(listener, 4) != 0) return 1;
    camp.speak("ready");
    pause();
    return 0;
  });
  ASSERT_EQ(camp.hear().text, "ready");
  port = 8099;
  const SocketEnds ends{.local = Ip::v4(INADDR_LOOPBACK), .remote = Ip::v4(INADDR_LOOPBACK), .local_port = port, .remote_port = 55555, .protocol = 6};
  const Sender* who = camp.senders()->find(ends, Way::In);
  ASSERT_NE(who, nullptr);
  EXPECT_EQ(who->pid, static_cast<std::uint32_t>(server));
  camp.end(server);
}

TEST(SendersLive, NobodyIsNobody) {
  OPEN_CAMP(camp, {});
  const SocketEnds nobody{.local = Ip::v4(INADDR_LOOPBACK), .remote = Ip::v4(INADDR_LOOPBACK), .local_port = 7, .remote_port = 9, .protocol = 17};
  EXPECT_EQ(camp.senders()->find(nobody, Way::Out), nullptr);
  const Sender* user = camp.senders()->find(nobody, Way::Out, 0);
  ASSERT_NE(user, nullptr);
  EXPECT_EQ(user->user, "root");
  EXPECT_TRUE(user->path.empty());
}

}  // namespace
}  // namespace weir::datapath
