// SPDX-License-Identifier: Apache-2.0
#pragma once

// Dialogue: a parser alone, without the engine. It feeds bytes in any cut, keeps what the parser did not consume and skips what it
// does not want, exactly as the engine does, and writes down what the parser said, one line an act:
//
//   begin key=4660
//   described dns.qname=www.example.com dns.qtype=1 …
//   end …            (the transaction's facts as they stood at its end)
//   carry tls · flaw bad-name · expect ftp-data server:2024 · learn www.example.com 192.0.2.1 60
//
// outcome() leaves out "described" lines, whose number may depend on the cut; the rest must not.

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "facts/vocabulary.h"
#include "proto/protocol.h"

namespace weir::kit {

class Dialogue : public Describer {
 public:
  explicit Dialogue(const proto::Protocol& protocol, FlowEnds ends = default_ends())
      : Describer(protocol.fields, own_ends_), protocol_(protocol), own_ends_(ends), pool_(8 << 20), facts_store_(pool_, all()) {
    facts_ = &facts_store_;
    state_.resize(protocol.state_bytes + 16);
    for (const FieldRow& row : protocol.fields) rows_.push_back(&row);
    for (const FieldRow& row : core_fields()) rows_.push_back(&row);
  }

  static FlowEnds default_ends() {
    return {.client = Ip::v4(0xC0000201), .server = Ip::v4(0xC6336402), .client_port = 40000, .server_port = 443, .protocol = 6};
  }

  /// TCP: more bytes of one side, in order.
  Dialogue& send(Side side, std::string_view text, bool end = false) {
    pending_[index_of(side)] += text;
    if (end) ended_[index_of(side)] = true;
    run(side);
    return *this;
  }
  Dialogue& client(std::string_view text) { return send(Side::Client, text); }
  Dialogue& server(std::string_view text) { return send(Side::Server, text); }
  /// The same, one byte at a time.
  Dialogue& drip(Side side, std::string_view text) {
    if (text.empty()) send(side, text);  // What waited for the other side may go on, as it does in send().
    for (char c : text) send(side, std::string_view(&c, 1));
    return *this;
  }
  Dialogue& datagram(Side side, std::string_view text) {
    if (done_) return *this;
    const std::string exact(text);
    const proto::Input input{.side = side, .bytes = as_bytes(exact), .end = false, .datagram = true, .truncated = false, .now = {}};
    done_ = protocol_.parse(state_.data(), input, *this).done;
    facts_store_.persist();
    return *this;
  }

  /// The facts as they stand, "name=value name=value", in the order of the rows; lists repeat the name; hidden says so.
  std::string facts() const {
    std::string out;
    for (const FieldRow* row : rows_) {
      if (facts_store_.state(row->id) == FactState::Hidden) out += std::string(row->name) + "=hidden ";
      facts_store_.any_value(row->id, [&](const Value& v) {
        out += std::string(row->name) + "=" + render_value(*row, v) + " ";
        return false;
      });
    }
    if (!out.empty()) out.pop_back();
    return out;
  }
  FactState state_of(FieldId field) const { return facts_store_.state(field); }
  const std::vector<std::string>& log() const { return log_; }
  std::string outcome() const {
    std::string out;
    for (const std::string& line : log_)
      if (!line.starts_with("described")) out += line + "\n";
    return out + "facts " + facts() + "\n";
  }
  bool said(std::string_view part) const {
    return std::any_of(log_.begin(), log_.end(), [&](const std::string& l) { return l.find(part) != std::string::npos; });
  }
  bool done() const { return done_; }

  void begin_transaction(std::uint64_t key, bool answer) override {
    facts_store_.reset(Scope::Transaction);
    log_.push_back("begin key=" + std::to_string(key) + (answer ? " answer" : ""));
  }
  bool described() override {
    log_.push_back("described " + facts());
    return true;
  }
  void end_transaction() override { log_.push_back("end " + facts()); }
  void flaw(Flaw flaw) override { log_.push_back("flaw " + std::string(kFlawNames[static_cast<std::size_t>(flaw)])); }
  void expect(const Expectation& e) override {
    log_.push_back("expect " + std::string(e.app) + (e.server == Side::Server ? " server:" : " client:") + std::to_string(e.server_port));
  }
  void learn_name(std::string_view name, const Ip& address, std::uint32_t ttl_s) override {
    log_.push_back("learn " + std::string(name) + " " + render(address) + " " + std::to_string(ttl_s));
  }
  void carry(std::string_view app) override {
    log_.push_back("carry " + std::string(app));
    carried_ = true;
  }
  void may_extend(bool may) override { log_.push_back(may ? "may-extend" : "no-extend"); }
  void refine(std::string_view app) override { log_.push_back("refine " + std::string(app)); }
  Bytes kept(Side side) const override { return as_bytes(kept_[index_of(side)]); }
  bool keep(Side side, Bytes bytes) override {
    std::string& kept = kept_[index_of(side)];
    if (kept.size() + bytes.size() > 65536) return false;
    facts_store_.persist();  // Text may point into what moves.
    kept += as_text(bytes);
    return true;
  }
  bool keep_at(Side side, std::size_t offset, Bytes bytes) override {
    std::string& kept = kept_[index_of(side)];
    if (offset + bytes.size() > kept.size()) facts_store_.persist();
    if (offset > 65536 || bytes.size() > 65536 - offset) return false;
    if (kept.size() < offset + bytes.size()) kept.resize(offset + bytes.size());
    std::copy(bytes.begin(), bytes.end(), kept.begin() + static_cast<std::ptrdiff_t>(offset));
    return true;
  }
  void forget(Side side, std::size_t size) override {
    facts_store_.persist();  // Text may point into what goes away.
    kept_[index_of(side)].erase(0, size);
  }

 private:
  static const FieldSet& all() {
    static const FieldSet set = FieldSet().set();
    return set;
  }
  static std::string render_value(const FieldRow& row, const Value& v) {
    switch (row.type) {
      case FieldType::Text:
      case FieldType::TextFold:
      case FieldType::Domain: return std::string(v.text());
      case FieldType::Address: return render(v.ip());
      case FieldType::Mac: return render(v.mac());
      case FieldType::Boolean: return v.number() != 0 ? "true" : "false";
      default: break;
    }
    for (const Word& word : row.words)
      if (word.value == v.number()) return std::string(word.name);
    return std::to_string(v.number());
  }

  void run(Side side) {
    std::string& pending = pending_[index_of(side)];
    while (!done_ && !carried_) {
      std::uint64_t& skip = skip_[index_of(side)];
      const std::size_t skipped = static_cast<std::size_t>(std::min<std::uint64_t>(skip, pending.size()));
      pending.erase(0, skipped);
      skip -= skipped;
      if (skip != 0 || (pending.empty() && !ended_[index_of(side)])) return;
      const std::string exact = pending;  // On the heap and exact, so that a sanitizer sees a read past the end.
      const proto::Input input{.side = side, .bytes = as_bytes(exact), .end = ended_[index_of(side)], .datagram = false, .truncated = false, .now = {}};
      const proto::Progress progress = protocol_.parse(state_.data(), input, *this);
      facts_store_.persist();
      if (progress.consumed > exact.size()) std::abort();
      pending.erase(0, progress.consumed);
      skip = progress.skip;
      done_ = progress.done;
      if (progress.consumed == 0 && progress.skip == 0) {
        if (pending.size() > proto::kUnconsumedMax) done_ = true;
        return;
      }
      if (ended_[index_of(side)] && pending.empty()) return;
    }
  }

  const proto::Protocol& protocol_;
  FlowEnds own_ends_;
  SlabPool pool_;
  Facts facts_store_;
  std::vector<const FieldRow*> rows_;
  std::vector<std::uint64_t> state_;  ///< Words, for alignment; more than enough bytes.
  std::string pending_[2], kept_[2];
  std::uint64_t skip_[2] = {0, 0};
  bool ended_[2] = {false, false};
  bool done_ = false, carried_ = false;
  std::vector<std::string> log_;
};

/// One fuzz input for a stream parser: the first byte of each piece says whose it is and how long. Both cuts must give the same outcome.
inline void fuzz_stream(const proto::Protocol& protocol, const std::uint8_t* data, std::size_t size) {
  Dialogue pieces(protocol), drops(protocol);
  while (size > 1) {
    const Side side = (data[0] & 1) != 0 ? Side::Server : Side::Client;
    const std::size_t n = std::min<std::size_t>(size - 2, static_cast<std::size_t>(data[0] >> 1) * 256 + data[1]);
    const std::string_view text(reinterpret_cast<const char*>(data + 2), n);
    pieces.send(side, text);
    if (n <= 2048) drops.drip(side, text);
    else drops.send(side, text);
    data += 2 + n;
    size -= 2 + n;
  }
  if (pieces.outcome() != drops.outcome()) std::abort();
}

/// One fuzz input for a datagram parser: pieces as above, each a datagram; identify() sees them too.
inline void fuzz_datagrams(const proto::Protocol& protocol, const std::uint8_t* data, std::size_t size) {
  Dialogue dialogue(protocol);
  while (size > 1) {
    const Side side = (data[0] & 1) != 0 ? Side::Server : Side::Client;
    const std::size_t n = std::min<std::size_t>(size - 2, static_cast<std::size_t>(data[0] >> 1) * 256 + data[1]);
    dialogue.datagram(side, std::string_view(reinterpret_cast<const char*>(data + 2), n));
    data += 2 + n;
    size -= 2 + n;
  }
}

}  // namespace weir::kit
