// SPDX-License-Identifier: Apache-2.0
#pragma once

// Community ID v1 (the public specification by Corelight, seed 0): one string a flow, the same in every tool that makes
// it. SHA-1 is the dearest part of an event, so the last flows are remembered: an alert and the records of its flow ask once.

#include <array>
#include <string_view>
#include <vector>

#include "facts/flow.h"

namespace weir::report {

class CommunityId {
 public:
  CommunityId();
  ~CommunityId();
  CommunityId(const CommunityId&) = delete;
  CommunityId& operator=(const CommunityId&) = delete;

  /// "1:" and 28 characters, until the next call. The ends may stand either way round. For ICMP, `icmp_type` and `icmp_code` are those of
  /// a packet from ends.client to ends.server, and ports do not count.
  std::string_view of(const FlowEnds& ends, std::uint8_t icmp_type = 0, std::uint8_t icmp_code = 0);

 private:
  static constexpr std::size_t kTextBytes = 30;
  static constexpr std::size_t kInputMax = 2 + 16 + 16 + 2 + 4;
  struct Remembered {
    std::uint8_t size = 0;  ///< Of the input; 0: none.
    std::array<std::uint8_t, kInputMax> input{};
    std::array<char, kTextBytes> text{};
  };

  void* context_;  ///< EVP_MD_CTX: made once, an initialisation costs more than the hash.
  void* sha1_;     ///< EVP_MD
  std::vector<Remembered> remembered_;
};

}  // namespace weir::report
