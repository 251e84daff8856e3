// SPDX-License-Identifier: Apache-2.0
#pragma once

// FlowDescriber: the Describer of one flow while one of its parsers runs. Where the parser says that something is
// described, the rules run at once, so that each transaction of a frame is judged with its own facts.

#include "engine/lane.h"

namespace weir::engine {

inline constexpr std::uint32_t kTransactionsAFrameMax = 8;  ///< More are a flaw.

class FlowDescriber final : public Describer {
 public:
  FlowDescriber(Lane& lane, Work& work, const proto::Protocol& protocol);

  void begin_transaction(std::uint64_t key, bool answer) override;
  bool described() override;
  void end_transaction() override;
  void flaw(Flaw flaw) override;
  void expect(const Expectation& expectation) override;
  void learn_name(std::string_view name, const Ip& address, std::uint32_t ttl_s) override;
  void carry(std::string_view app) override;
  void may_extend(bool may) override;
  void refine(std::string_view app) override;
  bool trusts_proxy(const Ip& address) const override;
  Bytes kept(Side side) const override;
  bool keep(Side side, Bytes bytes) override;
  bool keep_at(Side side, std::size_t offset, Bytes bytes) override;
  void forget(Side side, std::size_t size) override;

  /// carry() was called: what was not consumed belongs to the next layer.
  bool carried() const { return carried_; }
  /// A rule denied; the rest of the frame need not be described.
  bool stopped() const { return stopped_; }

 private:
  /// No rule can change its verdict any more.
  bool settled() const;
  bool grow(Kept& kept, std::size_t size);
  bool push_layer(AppId app);

  Lane& lane_;
  Work& work_;
  Live& live_;
  std::uint32_t transactions_ = 0;
  bool carried_ = false, stopped_ = false;
};

}  // namespace weir::engine
