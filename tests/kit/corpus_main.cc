// SPDX-License-Identifier: Apache-2.0
// Replays a fuzz target's corpus without libFuzzer: each file of the folders or files named, each of its prefixes up to
// 512 bytes, and each with one byte changed at a time at a few places. Exits 1 if there is no corpus to replay.

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Input = std::vector<std::uint8_t>;

// Each run sees exactly its bytes on the heap, so that a sanitizer sees a read past the end.
void run(const std::uint8_t* data, std::size_t size) {
  const Input exact(data, data + size);
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

void replay(Input input) {
  run(input.data(), input.size());
  for (std::size_t size = 0; size < input.size() && size < 512; ++size) run(input.data(), size);
  const std::size_t step = input.size() / 64 + 1;
  for (std::size_t at = 0; at < input.size(); at += step) {
    for (const std::uint8_t other : {std::uint8_t{0}, std::uint8_t{0xff}, static_cast<std::uint8_t>(input[at] ^ 1)}) {
      const std::uint8_t before = input[at];
      input[at] = other;
      run(input.data(), input.size());
      input[at] = before;
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t files = 0;
  const auto one = [&](const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    replay(Input(std::istreambuf_iterator<char>(in), {}));
    ++files;
  };
  for (int i = 1; i < argc; ++i) {
    if (std::filesystem::is_directory(argv[i])) {
      for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[i]))
        if (entry.is_regular_file()) one(entry.path());
    } else if (std::filesystem::exists(argv[i])) {
      one(argv[i]);
    }
  }
  std::printf("%zu corpus files replayed\n", files);
  return files == 0 ? 1 : 0;
}
