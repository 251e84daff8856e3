// SPDX-License-Identifier: Apache-2.0
#include "engine/flow_describer.h"

#include <algorithm>
#include <cstring>

#include "facts/field_ids.h"
#include "proto/registry.h"

namespace weir::engine {

FlowDescriber::FlowDescriber(Lane& lane, Work& work, const proto::Protocol& protocol)
    : Describer(protocol.fields, work.live->flow.ends), lane_(lane), work_(work), live_(*work.live) {
  facts_ = &live_.facts;
}

void FlowDescriber::begin_transaction(std::uint64_t key, bool answer) {
  live_.facts.reset(Scope::Transaction);
  live_.transaction_open = true;
  live_.transaction_read = false;
  live_.transaction_ended = false;
  live_.transaction_key = key;
  live_.transaction_answer = answer;
  live_.parser_told = true;
  ++live_.transactions;
  std::uint8_t kept = 0;
  for (std::size_t i = 0; i < live_.counted_count; ++i)
    if (!live_.counted[i].of_transaction) live_.counted[kept++] = live_.counted[i];
  live_.counted_count = kept;
  // Each is judged all the same: a frame that is full of them costs no more than small ones with as many.
  if (++transactions_ > kTransactionsAFrameMax && !proto::protocol(live_.parser).interleaved) flaw(Flaw::TooManyTransactions);
  if (!answer || live_.flow.ends.protocol != ip_protocol::kUdp) return;
  const Flow& flow = lane_.flows_.at(work_.index);
  const RuleId rule = lane_.denials_.answers_transaction(flow.first_frame, key, lane_.now_.mono_ns);
  if (rule == kNoRule) return;
  // The answer to a denied request: the same rule, and uncounted.
  work_.denied = work_.uncounted = true;
  work_.verdict = Verdict::Drop;
  work_.rule = rule;
  work_.reason = Reason::Answer;
  work_.reach = policy::Reach::Datagram;
  stopped_ = true;
}

bool FlowDescriber::settled() const { return lane_.flows_.at(work_.index).settled; }

bool FlowDescriber::described() {
  if (stopped_) return false;
  if (settled()) return true;  // Read for its name alone.
  if (lane_.wanted_.test(field::kSniBinding)) lane_.judge_hello_name(live_);
  if (live_.transaction_open) {
    lane_.set_view(work_, false);
    lane_.readings_.make_for_transaction(lane_.view_, live_.transaction_answer, !live_.transaction_read);
    live_.transaction_read = true;
  } else if (lane_.readings_.of_content()) {
    lane_.read_further(work_);  // A hello, a banner: what it says is judged with what it means.
  }
  if (!lane_.judge_now(work_, false)) stopped_ = true;
  return !stopped_;
}

void FlowDescriber::end_transaction() {
  if (!live_.transaction_open) return;
  for (const FieldRow& row : fields_)
    if (row.scope == Scope::Transaction) live_.facts.close(row.id, row.scope);
  live_.facts.close(field::kAuthUser, Scope::Transaction);
  live_.facts.close(field::kAuthRealm, Scope::Transaction);
  live_.facts.close(field::kAuthScheme, Scope::Transaction);
  live_.facts.close(field::kAuthResult, Scope::Transaction);
  live_.facts.close(field::kFileType, Scope::Transaction);
  live_.facts.close(field::kFileName, Scope::Transaction);
  live_.facts.close(field::kFileBytes, Scope::Transaction);
  // What was missing is now absent: rules that waited for it become certain.
  if (!stopped_ && !settled() && !lane_.judge_now(work_, false)) stopped_ = true;
  lane_.set_view(work_, false);
  lane_.sink_.on_transaction(lane_.view_, lane_.flow_id(lane_.flows_.at(work_.index)));
  live_.transaction_open = false;
  live_.transaction_ended = true;
}

bool FlowDescriber::trusts_proxy(const Ip& address) const {
  const auto& proxies = lane_.rules_->policy().trusted_proxies;
  return proxies ? proxies->contains(address) : Describer::trusts_proxy(address);
}

void FlowDescriber::flaw(Flaw flaw) {
  if (!work_.flaws.has(flaw)) ++lane_.counters_.flaws[static_cast<std::size_t>(flaw)];
  work_.flaws.add(flaw);
  lane_.view_.flaws.add(flaw);
  live_.matched = false;
}

void FlowDescriber::expect(const Expectation& e) {
  if (lane_.announcements_.size() == Lane::kAnnouncementsMax) return;
  const FlowEnds& ends = live_.flow.ends;
  const bool to_server = e.server == Side::Server;
  const auto app = e.app.empty() ? std::nullopt : lane_.words_.app(e.app);
  lane_.announcements_.push_back({to_server ? ends.client : ends.server, to_server ? ends.server : ends.client, e.server_port, e.ip_protocol,
                                  {work_.index, lane_.flows_.at(work_.index).first_frame, app.value_or(kUnknownApp)}});
}

void FlowDescriber::learn_name(std::string_view name, const Ip& address, std::uint32_t ttl_s) {
  if (!lane_.wants_names()) return;
  // Neither leads to another machine; a stub answers so for names that it blocks, and would name what else goes to the loopback device.
  if (address.is_loopback() || address.is_unspecified()) return;
  std::vector<char>& text = lane_.lesson_text_;
  if (lane_.lessons_.size() == Lane::kLessonsMax || text.size() + name.size() > Lane::kLessonBytesMax) return;
  lane_.lessons_.push_back({work_.index, address, ttl_s, static_cast<std::uint32_t>(text.size()), static_cast<std::uint32_t>(name.size())});
  text.insert(text.end(), name.begin(), name.end());
}

bool FlowDescriber::push_layer(AppId app) {
  AppChain& chain = live_.flow.app;
  if (chain.count == kChainMax) return false;
  chain.layers[chain.count++] = app;
  live_.matched = false;
  return true;
}

void FlowDescriber::carry(std::string_view app) {
  AppChain& chain = live_.flow.app;
  carried_ = true;
  chain.may_extend = false;
  if (chain.count == kChainMax) {
    live_.parser_done = true;
    return;
  }
  chain.open = true;
  const auto id = app.empty() ? std::nullopt : lane_.words_.app(app);
  chain.candidates = id ? AppSet::of(*id) : lane_.tcp_apps_;
  if (id) chain.candidates.add(kUnknownApp);
  live_.identified_bytes[0] = live_.identified_bytes[1] = 0;
  live_.client_payload_bytes = 0;
  live_.matched = false;
}

void FlowDescriber::may_extend(bool may) {
  if (live_.flow.app.may_extend != may) live_.matched = false;
  live_.flow.app.may_extend = may;
}

void FlowDescriber::refine(std::string_view app) {
  const auto id = lane_.words_.app(app);
  if (id && !live_.flow.app.has(*id)) push_layer(*id);
}

Bytes FlowDescriber::kept(Side side) const {
  const Kept& kept = live_.kept[index_of(side)];
  return {kept.bytes, kept.size};
}

bool FlowDescriber::grow(Kept& kept, std::size_t size) {
  if (size <= kept.capacity) return true;
  if (size > SlabPool::kBlockMax) return false;
  std::uint32_t capacity = std::max<std::uint32_t>(kept.capacity, 512);
  while (capacity < size) capacity *= 2;
  auto* grown = static_cast<std::uint8_t*>(lane_.pool_.take(capacity));
  if (grown == nullptr) {
    ++lane_.counters_.pool_empty;
    return false;
  }
  live_.facts.persist();  // Text may point into the block that goes.
  if (kept.bytes != nullptr) {
    std::memcpy(grown, kept.bytes, kept.size);
    lane_.pool_.release(kept.bytes, kept.capacity);
  }
  kept.bytes = grown;
  kept.capacity = capacity;
  return true;
}

bool FlowDescriber::keep(Side side, Bytes bytes) { return keep_at(side, live_.kept[index_of(side)].size, bytes); }

bool FlowDescriber::keep_at(Side side, std::size_t offset, Bytes bytes) {
  Kept& kept = live_.kept[index_of(side)];
  if (offset > SlabPool::kBlockMax || bytes.size() > SlabPool::kBlockMax - offset) return false;
  const std::size_t end = offset + bytes.size();
  if (!grow(kept, end)) return false;
  if (offset > kept.size) std::memset(kept.bytes + kept.size, 0, offset - kept.size);
  if (!bytes.empty()) std::memcpy(kept.bytes + offset, bytes.data(), bytes.size());
  kept.size = std::max(kept.size, static_cast<std::uint32_t>(end));
  return true;
}

void FlowDescriber::forget(Side side, std::size_t size) {
  Kept& kept = live_.kept[index_of(side)];
  live_.facts.persist();
  if (size == 0) return;
  if (size >= kept.size) {
    if (kept.bytes != nullptr) lane_.pool_.release(kept.bytes, kept.capacity);
    kept = Kept{};
    return;
  }
  std::memmove(kept.bytes, kept.bytes + size, kept.size - size);
  kept.size -= static_cast<std::uint32_t>(size);
}

}  // namespace weir::engine
