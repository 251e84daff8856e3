// SPDX-License-Identifier: Apache-2.0
#pragma once

// What tests of XDP need beyond a lab: a BPF file system of their own to pin in, so that none of the machine's is touched.

#include <sys/mount.h>

#include "datapath/bridge/xdp_bridge.h"
#include "tests/kit/lab.h"

namespace weir::kit {

/// A directory in a BPF file system that only this thread's mount namespace has; empty where that is not allowed.
inline std::string own_pins() {
  if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return {};
  struct Made {
    std::vector<std::string> paths;
    ~Made() {
      for (const std::string& path : paths) umount2(path.c_str(), MNT_DETACH), rmdir(path.c_str());
    }
  };
  static Made made;
  char path[] = "/tmp/weir-bpf-XXXXXX";
  if (mkdtemp(path) == nullptr) return {};
  made.paths.emplace_back(path);
  return mount("bpf", path, "bpf", 0, "mode=0700") == 0 ? path : std::string();
}

/// First lines of a test that needs XDP, after WEIR_ENTER_LAB(): `program` or the reason to skip.
#define WEIR_NEEDS_XDP(options, program)                                                                     \
  auto loaded_##program = ::weir::datapath::XdpProgram::load(options);                                       \
  if (!loaded_##program.ok()) GTEST_SKIP() << loaded_##program.error().message;                              \
  const std::unique_ptr<::weir::datapath::XdpProgram> program = std::move(*loaded_##program)

}  // namespace weir::kit
