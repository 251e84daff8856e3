// SPDX-License-Identifier: Apache-2.0
// Numbers and paths as names: what control groups, passwd(5) and the state files of container runtimes say.

#include "datapath/host/identity.h"

#include <gtest/gtest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "datapath/host/proc.h"

namespace weir::datapath {
namespace {

namespace fs = std::filesystem;

const std::string kId(64, 'a');

/// A root of the test's own.
struct Root {
  std::string path;
  Root() {
    char made[] = "/tmp/weir-root-XXXXXX";
    path = mkdtemp(made) != nullptr ? made : "";
  }
  ~Root() { fs::remove_all(path); }
  void write(const std::string& file, const std::string& text) const {
    fs::create_directories(fs::path(path + file).parent_path());
    std::ofstream(path + file) << text;
  }
};

TEST(Identity, AServiceIsTheInnermostUnit) {
  EXPECT_EQ(service_of("/system.slice/ssh.service"), "ssh.service");
  EXPECT_EQ(service_of("/user.slice/user-1000.slice/user@1000.service/app.slice/app-firefox.scope"), "app-firefox.scope");
  EXPECT_EQ(service_of("/system.slice/nginx.service/worker"), "nginx.service") << "a service may have groups of its own";
  EXPECT_EQ(service_of("/"), "");
  EXPECT_EQ(service_of("/docker/" + kId), "");
}

TEST(Identity, AContainerIsNamedByItsRuntime) {
  for (const std::string& path : {"/docker/" + kId, "/system.slice/docker-" + kId + ".scope", "/machine.slice/libpod-" + kId + ".scope",
                                  "/kubepods.slice/kubepods-pod1.slice/cri-containerd-" + kId + ".scope", "/kubepods/besteffort/pod1/crio-" + kId,
                                  "/system.slice/nerdctl:default:" + kId, "/docker/" + kId + "/inner"})
    EXPECT_EQ(container_of(path), kId) << path;
  EXPECT_EQ(container_of("/lxc/web"), "web");
  EXPECT_EQ(container_of("/lxc.payload.web/system.slice/x.service"), "web");
  EXPECT_EQ(container_of("/machine.slice/machine-web.scope"), "web");
  for (const char* none : {"/", "/system.slice/ssh.service", "/docker/abc", "/user.slice/session-3.scope"}) EXPECT_EQ(container_of(none), "") << none;
}

TEST(Identity, UsersAndGroupsAreReadAgainWhenTheyChange) {
  Root root;
  root.write("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nann:x:1001:100::/home/ann:/bin/sh\nbroken\n:x:no:\n");
  root.write("/etc/group", "users:x:100:ann\n");
  Identity identity(root.path);
  EXPECT_EQ(identity.user(0), "root");
  EXPECT_EQ(identity.user(1001), "ann");
  EXPECT_EQ(identity.user(7), "7") << "without a name, the number";
  EXPECT_EQ(identity.group(100), "users");
  EXPECT_EQ(identity.uid_of("ann"), 1001U);
  EXPECT_EQ(identity.uid_of("bob"), std::nullopt);
  root.write("/etc/passwd", "bob:x:7:7::/:/bin/sh\n");
  const timespec later[2] = {{1'900'000'000, 0}, {1'900'000'000, 0}};
  utimensat(AT_FDCWD, (root.path + "/etc/passwd").c_str(), later, 0);
  EXPECT_EQ(identity.user(7), "bob");
  EXPECT_EQ(identity.user(1001), "1001");
}

TEST(Identity, ContainersByTheStateOfTheirRuntime) {
  Root root;
  Identity identity(root.path);
  EXPECT_EQ(identity.container(kId).name, "");
  root.write("/var/lib/docker/containers/" + kId + "/config.v2.json", R"({"Name":"/web","Config":{"Image":"nginx:1.25"}})");
  EXPECT_EQ(identity.container(kId).name, "web") << "the runtime wrote it a moment later";
  EXPECT_EQ(identity.container(kId).image, "nginx:1.25");
  const std::string other(64, 'b'), third(64, 'c'), bad(64, 'd');
  root.write("/var/lib/containers/storage/overlay-containers/containers.json",
             R"([{"id":")" + other + R"(","names":["db"],"metadata":"{\"image-name\":\"docker.io/library/postgres:16\"}"}])");
  EXPECT_EQ(identity.container(other).name, "db");
  EXPECT_EQ(identity.container(other).image, "docker.io/library/postgres:16");
  root.write("/run/containerd/io.containerd.runtime.v2.task/k8s.io/" + third + "/config.json",
             R"({"annotations":{"io.kubernetes.cri.container-name":"api","io.kubernetes.cri.image-name":"registry/api:3"}})");
  EXPECT_EQ(identity.container(third).name, "api");
  EXPECT_EQ(identity.container(third).image, "registry/api:3");
  root.write("/var/lib/docker/containers/" + bad + "/config.v2.json", R"({"Name":7,"Config":["x"])");
  EXPECT_EQ(identity.container(bad).name, "") << "no JSON of a runtime's";
  EXPECT_EQ(identity.container("web").name, "web") << "LXC goes by the name";
}

TEST(Identity, AControlGroupByItsNumber) {
  Root root;  // No such file system: found by walking, as where handles are not allowed.
  fs::create_directories(root.path + "/system.slice/x.service");
  struct stat about{};
  ASSERT_EQ(stat((root.path + "/system.slice/x.service").c_str(), &about), 0);
  Identity identity;
  EXPECT_EQ(identity.cgroup(root.path, about.st_ino), "/system.slice/x.service");
  EXPECT_EQ(identity.cgroup(root.path, UINT64_MAX), "");
  EXPECT_EQ(identity.cgroup("/nowhere", 77), "");
}

TEST(Identity, AHashIsOfTheFileThatHasTheInode) {
  Root root;
  root.write("/tool", "abc");
  struct stat about{};
  ASSERT_EQ(stat((root.path + "/tool").c_str(), &about), 0);
  Identity identity;
  EXPECT_EQ(identity.sha256(root.path + "/tool", about.st_ino), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(identity.sha256(root.path + "/tool", about.st_ino + 1), "") << "another file by now";
  EXPECT_EQ(identity.sha256(root.path + "/none", 1), "");
  EXPECT_EQ(identity.sha256(root.path, 1), "");
}

TEST(Proc, ADeletedExecutableKeepsItsPath) {
  bool rootless = false;
  EXPECT_EQ(plain_path("/usr/bin/x (deleted)", true, rootless), "/usr/bin/x");
  EXPECT_EQ(plain_path("/usr/bin/x (deleted)", false, rootless), "/usr/bin/x (deleted)") << "a file may be called so";
  EXPECT_FALSE(rootless);
  EXPECT_EQ(plain_path("/memfd:payload (deleted)", true, rootless), "memfd:payload");
  EXPECT_TRUE(rootless);
}

TEST(Proc, AProcessAsItsFilesTell) {
  Root root;
  root.write("/42/stat", "42 (a) b (c)) S 7 42 42 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 12345 0 0\n");
  root.write("/42/status", "Name:\tx\nUid:\t1000\t1001\t1002\t1003\nGid:\t100\t101\t102\t103\n");
  root.write("/42/cmdline", std::string("tool\0-x\0", 8));
  root.write("/42/cgroup", "1:name=systemd:/elsewhere\n0::/system.slice/x.service\n");
  root.write("/tool", "x");
  fs::create_symlink(root.path + "/tool", root.path + "/42/exe");
  fs::create_directories(root.path + "/42/fd");
  fs::create_symlink("socket:[991]", root.path + "/42/fd/3");
  fs::create_symlink("/dev/null", root.path + "/42/fd/0");
  const Proc proc(root.path);
  EXPECT_EQ(proc.pids(), std::vector<std::uint32_t>{42});
  const auto process = proc.process(42);
  ASSERT_TRUE(process);
  EXPECT_EQ(process->parent, 7U) << "brackets in the name count for nothing";
  EXPECT_EQ(process->start_ticks, 12345U);
  EXPECT_EQ(process->uid, 1001U) << "the effective one";
  EXPECT_EQ(process->gid, 101U);
  EXPECT_EQ(process->path, root.path + "/tool");
  EXPECT_EQ(process->cmdline, std::string("tool\0-x\0", 8));
  EXPECT_EQ(process->cgroup, "/system.slice/x.service");
  std::vector<std::uint64_t> inodes;
  proc.for_each_socket(42, [&](std::uint64_t inode) { inodes.push_back(inode); });
  EXPECT_EQ(inodes, std::vector<std::uint64_t>{991});
  EXPECT_FALSE(proc.process(43));
}

}  // namespace
}  // namespace weir::datapath
