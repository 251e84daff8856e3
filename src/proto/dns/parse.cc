// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/hash.h"
#include "proto/dns/message.h"
#include "proto/dns/suffixes.h"

namespace weir::proto::dns {
namespace {

constexpr std::size_t kQuestionsMax = 64;   // Described of one message; the rest is walked over.
constexpr std::size_t kChainMax = 16;       // CNAME records that are followed.
constexpr std::size_t kAddressesMax = 256;  // Described of one message.
constexpr std::size_t kLearntMax = 64;      // Addresses of one answer that get a name.
constexpr std::uint16_t kTypeA = 1, kTypeCname = 5, kTypeAaaa = 28, kTypeOpt = 41;

thread_local NameBuffer t_names;

// One message on its way into facts.
class Message {
 public:
  Message(Flavor flavor, Bytes bytes, bool snapped, Describer& describer)
      : flavor_(flavor), bytes_(bytes), snapped_(snapped), describer_(describer), header_(parse_header(bytes)) {}

  void describe() {
    t_names.clear();
    read_first_question();
    describer_.begin_transaction(mix64(header_.id, question_hash_), header_.is_response());
    describe_header();
    describe_questions();
    if (alive_) describe_answers();
    if (alive_) describe_additionals();
    if (rcode_known_) describer_.number(field::kRcode, header_.rcode() | rcode_high_ << 4);
    describer_.reach(milestone::kTransaction);
    describer_.described();
    describer_.end_transaction();
  }

 private:
  struct Link {
    std::string_view owner, target;
    std::uint32_t ttl_s;
  };
  struct Address {
    std::string_view owner;
    Ip ip;
    std::uint32_t ttl_s;
  };

  bool is_query_answer() const { return header_.is_response() && header_.opcode() == 0; }

  // Bytes that a capture cut off hide facts; a message that is too short as sent is malformed.
  void stop(NameStatus status) {
    alive_ = false;
    if (status == NameStatus::Bad) return describer_.flaw(Flaw::BadName);
    if (!snapped_) return describer_.flaw(Flaw::Truncated);
    if (!questions_done_)
      for (const FieldId f : {field::kQname, field::kQtype, field::kDomain, field::kLabelBytesMax}) describer_.hide(f);
    for (const FieldId f : {field::kAnswer, field::kCname})
      if (is_query_answer()) describer_.hide(f);
    describer_.hide(field::kEdnsBytes);
  }

  // The key needs the question before the transaction begins.
  void read_first_question() {
    if (header_.questions == 0) return;
    first_status_ = read_name(bytes_, kHeaderBytes, t_names.room(), first_);
    if (first_status_ != NameStatus::Good) return;
    t_names.keep(first_.text.size());
    Reader in(bytes_);
    in.seek(first_.next);
    question_hash_ = hash_text(first_.text, in.be32());
  }

  void describe_header() {
    describer_.flag(field::kResponse, header_.is_response());
    describer_.number(field::kOpcode, header_.opcode());
    describer_.number(field::kBytes, bytes_.size());
    rcode_known_ = header_.is_response();
  }

  void describe_questions() {
    offset_ = kHeaderBytes;
    unsigned longest = 0;
    for (std::size_t i = 0; i < header_.questions; ++i) {
      Name name = first_;
      NameStatus status = first_status_;
      const bool kept = i < kQuestionsMax && t_names.has_room();
      if (i > 0) {
        if (kept) {
          status = read_name(bytes_, offset_, t_names.room(), name);
        } else {
          name.next = offset_;
          status = skip_name(bytes_, name.next);
        }
      }
      if (status != NameStatus::Good) return stop(status);
      Reader in(bytes_);
      in.seek(name.next);
      const std::uint16_t type = in.be16();
      in.be16();
      if (!in.ok()) return stop(NameStatus::Cut);
      offset_ = in.offset();
      if (!kept) {
        describer_.flaw(Flaw::TooLarge);
        for (const FieldId f : {field::kQname, field::kQtype, field::kDomain}) describer_.hide(f);
        over_budget_ = true;
      }
      if (over_budget_) continue;
      if (i > 0) t_names.keep(name.text.size());
      longest = std::max<unsigned>(longest, name.label_bytes_max);
      describer_.add_text(field::kQname, name.text);
      describer_.add_number(field::kQtype, type);
      const std::string_view domain = registered_domain(name);
      if (!domain.empty()) describer_.add_text(field::kDomain, domain);
    }
    if (header_.questions != 0) describer_.number(field::kLabelBytesMax, longest);
    questions_done_ = true;
  }

  // Gives the name at `offset` a place in the buffer; empty if there is no more room. The question's name, to which nearly
  // every record points, is not written twice.
  NameStatus name_at(std::size_t offset, std::string_view& text, std::size_t& next) {
    if (offset + 2 <= bytes_.size() && load_be16(&bytes_[offset]) == (0xc000U | kHeaderBytes) && header_.questions != 0) {
      text = first_.text;
      next = offset + 2;
      return NameStatus::Good;
    }
    text = {};
    if (!t_names.has_room()) return NameStatus::Good;
    Name name;
    const NameStatus status = read_name(bytes_, offset, t_names.room(), name);
    if (status != NameStatus::Good) return status;
    t_names.keep(name.text.size());
    text = name.text;
    next = name.next;
    return status;
  }

  bool next_record(Record& record) {
    const RecordStatus status = read_record(bytes_, offset_, record);
    if (status == RecordStatus::Good) return true;
    stop(status == RecordStatus::BadName ? NameStatus::Bad : NameStatus::Cut);
    return false;
  }

  void describe_answers() {
    for (std::size_t i = 0; i < header_.answers; ++i) {
      Record record;
      if (!next_record(record)) break;
      if (!is_query_answer()) continue;
      if (record.type == kTypeCname) read_cname(record);
      else if (record.type == kTypeA || record.type == kTypeAaaa) read_address(record);
      if (!alive_) break;
    }
    learn();
    for (std::size_t i = 0; alive_ && i < header_.authorities; ++i) {
      Record record;
      if (!next_record(record)) break;
    }
  }

  void read_cname(const Record& record) {
    if (links_count_ == kChainMax) return describer_.hide(field::kCname);
    Link link{{}, {}, record.ttl_s};
    std::size_t next = 0;
    NameStatus status = name_at(record.owner, link.owner, next);
    if (status == NameStatus::Good) status = name_at(record.data_offset, link.target, next);
    if (status != NameStatus::Good) return stop(status);
    if (link.owner.empty() || link.target.empty()) return describer_.hide(field::kCname);
    if (next != record.data_offset + record.data.size()) describer_.flaw(Flaw::BadLength);
    describer_.add_text(field::kCname, link.target);
    links_[links_count_++] = link;
  }

  void read_address(const Record& record) {
    const std::size_t size = record.type == kTypeA ? 4 : 16;
    if (record.data.size() != size) return describer_.flaw(Flaw::BadLength);
    if (record.klass != 1 && (flavor_ != Flavor::Mdns || (record.klass & 0x7fffU) != 1)) return;
    const Ip ip = size == 4 ? Ip::v4_bytes(record.data.data()) : Ip::v6_bytes(record.data.data());
    if (addresses_count_ == kAddressesMax) return describer_.hide(field::kAnswer);
    ++addresses_count_;
    describer_.add_ip(field::kAnswer, ip);
    if (flavor_ != Flavor::Dns || learnt_count_ == kLearntMax) return;
    Address address{{}, ip, record.ttl_s};
    std::size_t next = 0;
    const NameStatus status = name_at(record.owner, address.owner, next);
    if (status != NameStatus::Good) return stop(status);
    if (!address.owner.empty()) learnt_[learnt_count_++] = address;
  }

  // Only what follows from the question is learnt: from its name along the CNAMEs, whatever their order, to the owner of
  // an address.
  void learn() {
    if (flavor_ != Flavor::Dns || !is_query_answer() || header_.rcode() != 0 || !questions_done_ || header_.questions != 1) return;
    if (learnt_count_ == 0) return;
    std::array<std::string_view, kChainMax + 1> chain{first_.text};
    std::size_t chain_count = 1;
    std::uint32_t ttl_s = UINT32_MAX;
    for (;;) {
      for (std::size_t i = 0; i < learnt_count_; ++i) {
        if (learnt_[i].owner != chain[chain_count - 1]) continue;
        // RFC 2181 8: a TTL with its top bit set counts as zero.
        const std::uint32_t own = learnt_[i].ttl_s > INT32_MAX ? 0 : learnt_[i].ttl_s;
        for (std::size_t n = 0; n < chain_count; ++n) describer_.learn_name(chain[n], learnt_[i].ip, std::min(ttl_s, own));
      }
      const Link* next = nullptr;
      for (std::size_t i = 0; i < links_count_ && next == nullptr; ++i)
        if (links_[i].owner == chain[chain_count - 1]) next = &links_[i];
      if (next == nullptr || chain_count == chain.size()) return;
      const std::span<const std::string_view> so_far(chain.data(), chain_count);
      if (std::ranges::find(so_far, next->target) != so_far.end()) return;  // A loop.
      ttl_s = std::min(ttl_s, next->ttl_s > INT32_MAX ? 0 : next->ttl_s);
      chain[chain_count++] = next->target;
    }
  }

  void describe_additionals() {
    for (std::size_t i = 0; i < header_.additionals; ++i) {
      Record record;
      if (!next_record(record)) return;
      if (record.type != kTypeOpt) continue;
      describer_.number(field::kEdnsBytes, record.klass);
      rcode_high_ = record.ttl_s >> 24;
    }
  }

  Flavor flavor_;
  Bytes bytes_;
  bool snapped_;
  Describer& describer_;
  Header header_;
  std::size_t offset_ = kHeaderBytes;
  bool alive_ = true, questions_done_ = false, over_budget_ = false, rcode_known_ = false;
  std::uint32_t rcode_high_ = 0;
  Name first_;
  NameStatus first_status_ = NameStatus::Good;
  std::uint64_t question_hash_ = 0;
  Link links_[kChainMax];
  std::size_t links_count_ = 0;
  Address learnt_[kLearntMax];
  std::size_t learnt_count_ = 0, addresses_count_ = 0;
};

void describe(Flavor flavor, Bytes message, bool snapped, Describer& describer) {
  if (message.size() < kHeaderBytes) {
    if (!snapped) describer.flaw(Flaw::Truncated);
    return;
  }
  if (flavor == Flavor::Nbns) {
    t_names.clear();
    return describe_nbns(message, snapped, t_names, describer);
  }
  Message(flavor, message, snapped, describer).describe();
}

Progress parse_stream(Flavor flavor, State& state, const Input& input, Describer& describer) {
  const std::size_t side = index_of(input.side);
  Reader in(input.bytes);
  std::size_t consumed = 0;
  for (;;) {
    if (!state.has_length[side]) {
      if (in.left() < 2) break;
      state.message_bytes[side] = in.be16();
      state.has_length[side] = true;
      consumed = in.offset();
    }
    if (in.left() < state.message_bytes[side]) break;
    state.has_length[side] = false;
    describe(flavor, in.bytes(state.message_bytes[side]), false, describer);
    consumed = in.offset();
  }
  // What was promised will not come: whoever reads this stream sees the same piece.
  if (input.end && (state.has_length[side] || in.left() != 0)) {
    if (state.has_length[side]) describe(flavor, in.rest(), false, describer);
    else describer.flaw(Flaw::Truncated);
    state.has_length[side] = false;
    consumed = input.bytes.size();
  }
  return {.consumed = consumed};
}

Progress parse(Flavor flavor, State& state, const Input& input, Describer& describer) {
  if (!input.datagram) return parse_stream(flavor, state, input, describer);
  describe(flavor, input.bytes, input.truncated, describer);
  return {.consumed = input.bytes.size()};
}

}  // namespace

RecordStatus read_record(Bytes message, std::size_t& offset, Record& record) {
  record.owner = offset;
  const NameStatus status = skip_name(message, offset);
  if (status != NameStatus::Good) return status == NameStatus::Bad ? RecordStatus::BadName : RecordStatus::Cut;
  Reader in(message);
  in.seek(offset);
  record.type = in.be16();
  record.klass = in.be16();
  record.ttl_s = in.be32();
  const std::uint16_t size = in.be16();
  record.data_offset = in.offset();
  record.data = in.bytes(size);
  if (!in.ok()) return RecordStatus::Cut;
  offset = in.offset();
  return RecordStatus::Good;
}

Progress parse_dns(State& s, const Input& i, Describer& d) { return parse(Flavor::Dns, s, i, d); }
Progress parse_mdns(State& s, const Input& i, Describer& d) { return parse(Flavor::Mdns, s, i, d); }
Progress parse_llmnr(State& s, const Input& i, Describer& d) { return parse(Flavor::Llmnr, s, i, d); }
Progress parse_nbns(State& s, const Input& i, Describer& d) { return parse(Flavor::Nbns, s, i, d); }

}  // namespace weir::proto::dns
