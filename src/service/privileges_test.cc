// SPDX-License-Identifier: Apache-2.0
// What the filter gives up is gone, for all its threads, and what it needs is still there. Each test in a process of its own.

#include "service/privileges.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/if_ether.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <thread>

namespace weir::service {
namespace {

/// The exit status of `what` in a child that has given up its privileges; 99 if it could not.
int without_privileges(const std::function<int()>& what) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (give_up_privileges()) ::_exit(99);
    ::_exit(what());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 98;
}

TEST(Privileges, NoProgramCanBeStarted) {
  EXPECT_EQ(without_privileges([] {
              ::execl("/bin/true", "true", nullptr);
              return errno == EPERM ? 7 : 1;
            }), 7);
}

TEST(Privileges, NothingCanBeMountedAndNoNamespaceEntered) {
  EXPECT_EQ(without_privileges([] {
              if (::mount("none", "/mnt", "tmpfs", 0, nullptr) == 0 || errno != EPERM) return 1;
              return ::unshare(CLONE_NEWNET) != 0 && errno == EPERM ? 7 : 2;
            }), 7);
}

TEST(Privileges, ThreadsThatWereThereAreBoundToo) {
  const pid_t child = ::fork();
  if (child == 0) {
    std::atomic<int> step{0};
    int seen = 0;
    std::thread early([&] {
      step = 1;
      while (step != 2) std::this_thread::yield();
      seen = ::unshare(CLONE_NEWNET) != 0 && errno == EPERM ? 7 : 1;
    });
    while (step != 1) std::this_thread::yield();
    if (give_up_privileges()) seen = 99;
    step = 2;
    early.join();
    ::_exit(seen);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 7);
}

TEST(Privileges, WhatRunningNeedsIsKept) {
  const int probe = ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));
  if (probe < 0) GTEST_SKIP() << "packet sockets need CAP_NET_RAW, which this test run does not have";
  ::close(probe);
  EXPECT_EQ(without_privileges([] {
              std::thread late([] {});  // Threads can still be made, and
              late.join();
              return ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL)) >= 0 ? 7 : 1;  // a port opened anew.
            }), 7);
}

TEST(Privileges, TheRestOfRootIsGone) {
  if (::geteuid() != 0) GTEST_SKIP() << "without root there is nothing to lose";
  EXPECT_EQ(without_privileges([] { return ::chown("/tmp", 0, 12345) != 0 && errno == EPERM ? 7 : 1; }), 7);
}

}  // namespace
}  // namespace weir::service
