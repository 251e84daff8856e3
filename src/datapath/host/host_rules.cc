// SPDX-License-Identifier: Apache-2.0
#include "datapath/host/host_rules.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace weir::datapath {
namespace {

constexpr const char* kTable = "weir";
constexpr const char* kJudge = "judge";
constexpr std::int32_t kPriority = -10;
constexpr std::uint8_t kFamilies[] = {NFPROTO_IPV4, NFPROTO_IPV6};
constexpr std::size_t kBatchBytes = 64 * 1024;
// Newer than the headers of the oldest system that builds this.
constexpr std::uint32_t kSocketCgroup = 3;       // NFT_SOCKET_CGROUPV2
constexpr std::uint16_t kSocketLevel = 3;        // NFTA_SOCKET_LEVEL
constexpr std::uint16_t kBypassFlag = 1;         // NFQ_FLAG_BYPASS, NFT_QUEUE_FLAG_BYPASS

constexpr std::uint16_t type_of(std::uint16_t message) { return static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | message); }

/// One rule: expressions in their order.
class RuleWriter {
 public:
  RuleWriter(NetlinkBatch& batch, std::uint8_t family, std::string_view chain) : batch_(batch) {
    batch_.begin(type_of(NFT_MSG_NEWRULE), NLM_F_CREATE | NLM_F_APPEND | NLM_F_ACK, family);
    batch_.put_text(NFTA_RULE_TABLE, kTable);
    batch_.put_text(NFTA_RULE_CHAIN, chain);
    list_ = batch_.begin_nested(NFTA_RULE_EXPRESSIONS);
  }
  ~RuleWriter() {
    batch_.end_nested(list_);
    batch_.end();
  }
  RuleWriter(const RuleWriter&) = delete;
  RuleWriter& operator=(const RuleWriter&) = delete;

  /// A value of the packet into register 1.
  RuleWriter& load_meta(std::uint32_t key) { return load("meta", NFTA_META_KEY, NFTA_META_DREG, key); }
  RuleWriter& load_ct(std::uint32_t key) { return load("ct", NFTA_CT_KEY, NFTA_CT_DREG, key); }
  RuleWriter& load_cgroup(std::uint32_t level) {
    return expression("socket", [&] {
      batch_.put_be32(NFTA_SOCKET_KEY, kSocketCgroup);
      batch_.put_be32(NFTA_SOCKET_DREG, NFT_REG_1);
      batch_.put_be32(kSocketLevel, level);
    });
  }
  /// Register 1 becomes (it & mask) ^ flip. Marks are in the machine's order.
  RuleWriter& mask(std::uint32_t mask, std::uint32_t flip = 0) {
    return expression("bitwise", [&] {
      batch_.put_be32(NFTA_BITWISE_SREG, NFT_REG_1);
      batch_.put_be32(NFTA_BITWISE_DREG, NFT_REG_1);
      batch_.put_be32(NFTA_BITWISE_LEN, 4);
      value(NFTA_BITWISE_MASK, &mask, 4);
      value(NFTA_BITWISE_XOR, &flip, 4);
    });
  }
  template <typename T>
  RuleWriter& equals(T wanted) {
    return expression("cmp", [&] {
      batch_.put_be32(NFTA_CMP_SREG, NFT_REG_1);
      batch_.put_be32(NFTA_CMP_OP, NFT_CMP_EQ);
      value(NFTA_CMP_DATA, &wanted, sizeof wanted);
    });
  }
  RuleWriter& store_ct(std::uint32_t key) {
    return expression("ct", [&] {
      batch_.put_be32(NFTA_CT_KEY, key);
      batch_.put_be32(NFTA_CT_SREG, NFT_REG_1);
    });
  }
  RuleWriter& verdict(std::int32_t code, std::string_view chain = {}) {
    return expression("immediate", [&] {
      batch_.put_be32(NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
      const std::size_t data = batch_.begin_nested(NFTA_IMMEDIATE_DATA), inner = batch_.begin_nested(NFTA_DATA_VERDICT);
      batch_.put_be32(NFTA_VERDICT_CODE, static_cast<std::uint32_t>(code));
      if (!chain.empty()) batch_.put_text(NFTA_VERDICT_CHAIN, chain);
      batch_.end_nested(inner);
      batch_.end_nested(data);
    });
  }
  RuleWriter& queue(std::uint16_t number, bool bypass) {
    return expression("queue", [&] {
      batch_.put_be16(NFTA_QUEUE_NUM, number);
      batch_.put_be16(NFTA_QUEUE_TOTAL, 1);
      batch_.put_be16(NFTA_QUEUE_FLAGS, bypass ? kBypassFlag : std::uint16_t{0});
    });
  }
  RuleWriter& queue_by_target(std::uint16_t number, bool bypass) {
    // struct xt_NFQ_info_v3: number, how many, flags; in the machine's order, filled up to a multiple of 8.
    const std::uint16_t target[4] = {number, 1, bypass ? kBypassFlag : std::uint16_t{0}, 0};
    return expression("target", [&] {
      batch_.put_text(NFTA_TARGET_NAME, "NFQUEUE");
      batch_.put_be32(NFTA_TARGET_REV, 3);
      batch_.put(NFTA_TARGET_INFO, target, sizeof target);
    });
  }

 private:
  template <typename F>
  RuleWriter& expression(std::string_view name, F&& fill) {
    const std::size_t element = batch_.begin_nested(NFTA_LIST_ELEM);
    batch_.put_text(NFTA_EXPR_NAME, name);
    const std::size_t data = batch_.begin_nested(NFTA_EXPR_DATA);
    fill();
    batch_.end_nested(data);
    batch_.end_nested(element);
    return *this;
  }
  RuleWriter& load(std::string_view name, std::uint16_t key_attribute, std::uint16_t register_attribute, std::uint32_t key) {
    return expression(name, [&] {
      batch_.put_be32(key_attribute, key);
      batch_.put_be32(register_attribute, NFT_REG_1);
    });
  }
  void value(std::uint16_t attribute, const void* bytes, std::size_t size) {
    const std::size_t data = batch_.begin_nested(attribute);
    batch_.put(NFTA_DATA_VALUE, bytes, size);
    batch_.end_nested(data);
  }

  NetlinkBatch& batch_;
  std::size_t list_;
};

void begin_transaction(NetlinkBatch& batch) {
  batch.begin(NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
  batch.end();
}
void end_transaction(NetlinkBatch& batch) {
  batch.begin(NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
  batch.end();
}

void put_table_message(NetlinkBatch& batch, std::uint8_t family, std::uint16_t message) {
  batch.begin(type_of(message), static_cast<std::uint16_t>(NLM_F_ACK | (message == NFT_MSG_NEWTABLE ? NLM_F_CREATE : 0)), family);
  batch.put_text(NFTA_TABLE_NAME, kTable);
  batch.end();
}

void put_chain(NetlinkBatch& batch, std::uint8_t family, std::string_view name, std::optional<std::uint32_t> hook) {
  batch.begin(type_of(NFT_MSG_NEWCHAIN), NLM_F_CREATE | NLM_F_ACK, family);
  batch.put_text(NFTA_CHAIN_TABLE, kTable);
  batch.put_text(NFTA_CHAIN_NAME, name);
  if (hook) {
    const std::size_t nested = batch.begin_nested(NFTA_CHAIN_HOOK);
    batch.put_be32(NFTA_HOOK_HOOKNUM, *hook);
    batch.put_be32(NFTA_HOOK_PRIORITY, static_cast<std::uint32_t>(kPriority));
    batch.end_nested(nested);
    batch.put_be32(NFTA_CHAIN_POLICY, NF_ACCEPT);
    batch.put_text(NFTA_CHAIN_TYPE, "filter");
  }
  batch.end();
}

/// What an error of a kernel that lacks something means.
std::string lacking(const Error& error) {
  if (error.code == EPERM || error.code == EACCES) return "rules for the packet filter need CAP_NET_ADMIN in this network namespace";
  if (error.code == ENOENT || error.code == EOPNOTSUPP || error.code == EPROTONOSUPPORT)
    return "this kernel lacks what a host's rules need: nf_tables, nf_conntrack, nft_ct, and nft_queue or (with nft_compat) xt_NFQUEUE" +
           std::string(" (modprobe them, or install the kernel's full modules): ") + error.message;
  return "rules for the packet filter are refused: " + error.message;
}

}  // namespace

std::optional<MarkField> MarkField::of(std::uint32_t mask) {
  if (mask == 0) return std::nullopt;
  const std::uint32_t bits = mask >> __builtin_ctz(mask);
  if ((bits & (bits + 1)) != 0 || __builtin_popcount(bits) < 4) return std::nullopt;
  return MarkField(mask);
}

Result<GuardedGroup> guarded_group(const std::string& path) {
  std::error_code failed;
  const std::filesystem::path folder = std::filesystem::canonical(path, failed);
  if (failed) return Error{"the control group " + path + " is not there: " + failed.message(), failed.value()};
  struct statfs system{};
  constexpr long kCgroup2 = 0x63677270;  // CGROUP2_SUPER_MAGIC
  if (::statfs(folder.c_str(), &system) != 0 || static_cast<long>(system.f_type) != kCgroup2)
    return Error{path + " is no folder of a control group hierarchy (version 2)", EINVAL};
  struct stat about{};
  if (::stat(folder.c_str(), &about) != 0) return Error{"the control group " + path + " cannot be looked at: " + std::strerror(errno), errno};
  GuardedGroup group{.id = about.st_ino, .level = 0};
  // The root of a file system is where its device ends.
  for (std::filesystem::path at = folder; at.has_relative_path(); at = at.parent_path()) {
    struct stat above{};
    if (::stat(at.parent_path().c_str(), &above) != 0 || above.st_dev != about.st_dev) break;
    ++group.level;
  }
  return group;
}

void HostRules::put_output(NetlinkBatch& batch, std::uint8_t family) const {
  RuleWriter(batch, family, "output").load_meta(NFT_META_MARK).equals(options_.own_mark).verdict(NF_ACCEPT);
  if (options_.group) {
    // Of a process that is not guarded, and begun here: the flow's answers are not asked about either. What has no socket is the kernel's.
    RuleWriter(batch, family, "output").load_ct(NFT_CT_DIRECTION).equals(std::uint8_t{1}).verdict(NFT_GOTO, kJudge);
    RuleWriter(batch, family, "output").load_cgroup(options_.group->level).equals(options_.group->id).verdict(NFT_GOTO, kJudge);
    RuleWriter(batch, family, "output")
        .load_meta(NFT_META_SKUID)
        .load_ct(NFT_CT_MARK)
        .mask(~options_.mark.mask(), options_.mark.unguarded())
        .store_ct(NFT_CT_MARK)
        .verdict(NF_ACCEPT);
  }
  RuleWriter(batch, family, "output").verdict(NFT_JUMP, kJudge);
}

void HostRules::put_judge(NetlinkBatch& batch, std::uint8_t family, std::uint32_t generation) const {
  const MarkField& mark = options_.mark;
  const auto by_mark = [&](std::uint32_t value, std::int32_t code) {
    RuleWriter(batch, family, kJudge).load_ct(NFT_CT_MARK).mask(mark.mask()).equals(value).verdict(code);
  };
  by_mark(mark.settled(generation, true), NF_ACCEPT);
  if (options_.group) by_mark(mark.unguarded(), NF_ACCEPT);
  by_mark(mark.settled(generation, false), NF_DROP);
  RuleWriter last(batch, family, kJudge);
  if (compat_) last.queue_by_target(options_.queue, options_.fail == FailMode::Open);
  else last.queue(options_.queue, options_.fail == FailMode::Open);
}

void HostRules::put_table(NetlinkBatch& batch, std::uint8_t family) const {
  put_table_message(batch, family, NFT_MSG_NEWTABLE);
  put_chain(batch, family, kJudge, std::nullopt);
  put_chain(batch, family, "input", NF_INET_LOCAL_IN);
  put_chain(batch, family, "forward", NF_INET_FORWARD);
  put_chain(batch, family, "output", NF_INET_LOCAL_OUT);
}

std::optional<Error> HostRules::install_all(std::uint32_t generation) {
  NetlinkBatch batch(kBatchBytes);
  begin_transaction(batch);
  for (const std::uint8_t family : kFamilies) {
    // What is not there cannot be deleted: it is made first.
    put_table_message(batch, family, NFT_MSG_NEWTABLE);
    put_table_message(batch, family, NFT_MSG_DELTABLE);
    put_table(batch, family);
    put_judge(batch, family, generation);
    RuleWriter(batch, family, "input").load_meta(NFT_META_IIF).equals(options_.loopback).verdict(NF_ACCEPT);
    RuleWriter(batch, family, "input").verdict(NFT_JUMP, kJudge);
    RuleWriter(batch, family, "forward").verdict(NFT_JUMP, kJudge);
    put_output(batch, family);
  }
  end_transaction(batch);
  return netlink_.ask(batch);
}

Result<HostRules> HostRules::install(const HostRulesOptions& options, std::uint32_t generation) {
  auto netlink = Netlink::open();
  if (!netlink) return netlink.error();
  HostRules rules(options, std::move(*netlink));
  {
    NetlinkBatch batch(4096);
    batch.begin(type_of(NFT_MSG_GETTABLE), NLM_F_ACK, NFPROTO_IPV4);
    batch.put_text(NFTA_TABLE_NAME, kTable);
    batch.end();
    rules.taken_over_ = !rules.netlink_.ask(batch);
  }
  auto error = rules.install_all(generation);
  if (error && error->code != EPERM) {
    rules.compat_ = true;
    error = rules.install_all(generation);
  }
  if (error) return Error{lacking(*error), error->code};
  return rules;
}

std::optional<Error> HostRules::use_generation(std::uint32_t generation) {
  // The chains with hooks stay as they are: taking a hook away would drop what waits in the queue.
  NetlinkBatch batch(kBatchBytes);
  begin_transaction(batch);
  for (const std::uint8_t family : kFamilies) {
    batch.begin(type_of(NFT_MSG_DELRULE), NLM_F_ACK, family);
    batch.put_text(NFTA_RULE_TABLE, kTable);
    batch.put_text(NFTA_RULE_CHAIN, kJudge);
    batch.end();
    put_judge(batch, family, generation);
  }
  end_transaction(batch);
  if (auto error = netlink_.ask(batch)) return Error{lacking(*error), error->code};
  return std::nullopt;
}

std::optional<Error> HostRules::remove() {
  NetlinkBatch batch(4096);
  begin_transaction(batch);
  for (const std::uint8_t family : kFamilies) {
    put_table_message(batch, family, NFT_MSG_NEWTABLE);
    put_table_message(batch, family, NFT_MSG_DELTABLE);
  }
  end_transaction(batch);
  return netlink_.ask(batch);
}

}  // namespace weir::datapath
