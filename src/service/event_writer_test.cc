// SPDX-License-Identifier: Apache-2.0
#include "service/event_writer.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <condition_variable>
#include <fstream>
#include <mutex>
#include <sstream>

namespace weir::service {
namespace {

struct TemporaryFile {
  TemporaryFile() {
    char name[] = "/tmp/weir-events-XXXXXX";
    close(mkstemp(name));
    path = name;
  }
  ~TemporaryFile() { unlink(path.c_str()); }
  std::string text() const {
    std::ostringstream out;
    out << std::ifstream(path).rdbuf();
    return out.str();
  }
  std::string path;
};

TEST(EventWriter, WritesWhatWasPutInOrder) {
  const TemporaryFile file;
  auto writer = EventWriter::open({.path = file.path, .ring_bytes = 64});
  ASSERT_TRUE(writer.ok());
  std::string all;
  for (int i = 0; i < 2'000; ++i) {
    const std::string line = "event " + std::to_string(i) + "\n";
    while (!(*writer)->put(line)) std::this_thread::yield();
    all += line;
  }
  EXPECT_FALSE((*writer)->close().has_value());
  EXPECT_EQ(file.text(), all);
  EXPECT_EQ((*writer)->written(), all.size());
}

TEST(EventWriter, AppendsToWhatIsThere) {
  const TemporaryFile file;
  std::ofstream(file.path) << "before\n";
  auto writer = EventWriter::open({.path = file.path});
  (*writer)->put("after\n");
  EXPECT_FALSE((*writer)->close().has_value());
  EXPECT_EQ(file.text(), "before\nafter\n");
}

TEST(EventWriter, DropsAndCountsLinesWhereTheReaderIsSlow) {
  std::mutex mutex;
  std::condition_variable go;
  bool may_go = false, waits = false;
  std::string seen;
  auto writer = EventWriter::open({.path = "", .ring_bytes = 16, .follow = [&](std::string_view lines) {
                                     std::unique_lock lock(mutex);
                                     waits = true;
                                     go.notify_all();
                                     go.wait(lock, [&] { return may_go; });
                                     seen += lines;
                                   }});
  ASSERT_TRUE(writer.ok());
  EXPECT_TRUE((*writer)->put("first\n"));
  {
    std::unique_lock lock(mutex);
    go.wait(lock, [&] { return waits; });
  }
  EXPECT_TRUE((*writer)->put("second\n"));
  EXPECT_FALSE((*writer)->put("third\nfourth\n")) << "it never waits";
  EXPECT_EQ((*writer)->dropped(), 2U);
  {
    const std::lock_guard lock(mutex);
    may_go = true;
    go.notify_all();
  }
  EXPECT_FALSE((*writer)->close().has_value());
  EXPECT_EQ(seen, "first\nsecond\n") << "whole lines, and nothing of what was dropped";
}

TEST(EventWriter, OpensItsFileAnewWhenItWasMovedAway) {
  const TemporaryFile file;
  const std::string moved = file.path + ".1";
  auto writer = EventWriter::open({.path = file.path});
  (*writer)->put("old\n");
  while ((*writer)->written() == 0) std::this_thread::yield();
  ASSERT_EQ(rename(file.path.c_str(), moved.c_str()), 0);
  (*writer)->reopen();
  (*writer)->put("new\n");
  EXPECT_FALSE((*writer)->close().has_value());
  EXPECT_EQ(file.text(), "new\n");
  std::ostringstream old;
  old << std::ifstream(moved).rdbuf();
  EXPECT_EQ(old.str(), "old\n");
  unlink(moved.c_str());
}

TEST(EventWriter, SaysWhatTheSystemSaid) {
  const auto nowhere = EventWriter::open({.path = "/nonexistent/events"});
  ASSERT_FALSE(nowhere.ok());
  EXPECT_EQ(nowhere.error().code, ENOENT);
  if (access("/dev/full", W_OK) != 0) GTEST_SKIP() << "there is no /dev/full here";
  auto full = EventWriter::open({.path = "/dev/full"});
  (*full)->put("lost\n");
  const auto fault = (*full)->close();
  ASSERT_TRUE(fault.has_value());
  EXPECT_EQ(fault->code, ENOSPC);
  EXPECT_EQ((*full)->refused(), 5U);
}

}  // namespace
}  // namespace weir::service
