// SPDX-License-Identifier: Apache-2.0
// Every row of the registry against the first bytes of both sides. On a stream what is No stays No, whatever more comes; the rows that
// say a fact must say it whatever the cut. The first byte says UDP, roles, order, port; the second how much is the client's.

#include <cstdio>
#include <cstdlib>

#include "proto/identify/rows.h"
#include "proto/rdp/rdp.h"
#include "proto/registry.h"
#include "tests/kit/dialogue.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  using namespace weir::proto;
  if (size < 2) return 0;
  const bool udp = (data[0] & 1) != 0;
  Evidence evidence;
  evidence.ip_protocol = udp ? 17 : 6;
  evidence.roles_unsure = (data[0] & 2) != 0;
  evidence.server_first = (data[0] & 4) != 0;
  evidence.server_port = (data[0] & 8) != 0 ? 5351 : 40000;
  const Bytes rest(data + 2, size - 2);
  const std::size_t split = std::min<std::size_t>(rest.size(), std::size_t{data[1]} * 4);
  const Bytes client = rest.first(split).first(std::min(split, kEvidenceMax)), server = rest.subspan(split).first(std::min(rest.size() - split, kEvidenceMax));
  for (const Protocol* row : protocols()) {
    if (row->identify == nullptr || (udp ? !row->udp : !row->tcp)) continue;
    if (udp) {
      // A datagram ends where its sender likes: each beginning is one.
      for (std::size_t n = 0;; n += n < 64 ? 1 : 37) {
        const std::vector<std::uint8_t> a(client.begin(), client.begin() + static_cast<std::ptrdiff_t>(std::min(n, client.size())));
        const std::vector<std::uint8_t> b(server.begin(), server.begin() + static_cast<std::ptrdiff_t>(std::min(n, server.size())));
        evidence.client = a, evidence.server = b;
        row->identify(evidence);
        if (row->is_answer != nullptr) row->is_answer(a), row->is_answer(b);
        if (n >= client.size() && n >= server.size()) break;
      }
      continue;
    }
    bool no = false;
    const std::size_t longest = std::max(client.size(), server.size());
    for (std::size_t n = 0; n <= longest; n += n < 64 ? 1 : 37) {
      const std::vector<std::uint8_t> a(client.begin(), client.begin() + static_cast<std::ptrdiff_t>(std::min(n, client.size())));
      const std::vector<std::uint8_t> b(server.begin(), server.begin() + static_cast<std::ptrdiff_t>(std::min(n, server.size())));
      evidence.client = a, evidence.server = b;
      const Match match = row->identify(evidence);
      if (no && match != Match::No) {
        std::fprintf(stderr, "%.*s: No became something else\n", static_cast<int>(row->name.size()), row->name.data());
        std::abort();
      }
      no = match == Match::No;
    }
  }
  constexpr const Protocol* kFacts[] = {&identify::kSip, &identify::kMemcached, &identify::kRedis, &identify::kDnp3,
                                        &identify::kModbus, &identify::kStun, &rdp::kRdp};
  const Protocol& row = *kFacts[(data[0] >> 4) % std::size(kFacts)];  // One an input: a dialogue is costly.
  if (!udp) kit::fuzz_stream(row, data, size);
  else if (row.udp) kit::fuzz_datagrams(row, data, size);
  return 0;
}
