// SPDX-License-Identifier: Apache-2.0
// aws-bucket-policy, aws-iam, aws-vpc-endpoint: what the wire hides in TLS, said where the request is read. An account's networks
// (`accounts:`) become conditions on the source's address; the storage that a rule spares becomes what an endpoint may reach.

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "cli/export/names.h"
#include "cli/export/target.h"
#include "facts/field_ids.h"

namespace weir::cli {
namespace {

using nlohmann::ordered_json;

bool asks(const policy::Rule& rule, FieldId id) {
  for (const policy::Condition& c : rule.match)
    if (c.field == id) return true;
  return false;
}

bool binds_accounts(const policy::Rule& rule) { return asks(rule, field::kAuthBinding); }
bool about_anonymous(const policy::Rule& rule) {
  for (const policy::Condition& c : rule.match)
    if (c.field == field::kAuthScheme && c.values.absent && !c.negated) return true;
  return false;
}

/// The bucket of a name such as `data.s3.amazonaws.com` or `data.s3.eu-central-1.amazonaws.com`; empty if it is none.
std::string bucket_of(std::string_view name) {
  const std::size_t s3 = std::min(name.find(".s3."), name.find(".s3-"));
  if (s3 == std::string_view::npos || s3 == 0 || !name.ends_with(".amazonaws.com")) return {};
  return std::string(name.substr(0, s3));
}

/// Buckets that rules name as ours: what a deny of storage spares, and what a deny of anonymous requests is about.
std::vector<std::string> our_buckets(const policy::RuleSet& rules, std::vector<std::string>& strangers) {
  std::vector<std::string> out;
  const auto take = [&](const policy::Condition& c) {
    if (!asks_names(c, rules.vocabulary())) return;
    const auto names = names_of(c);
    if (!names) return;
    for (const HostName& name : *names) {
      const std::string bucket = bucket_of(name.name);
      std::vector<std::string>& list = bucket.empty() ? strangers : out;
      const std::string& text = bucket.empty() ? name.name : bucket;
      if (std::find(list.begin(), list.end(), text) == list.end()) list.push_back(text);
    }
  };
  for (const policy::Rule& rule : rules.policy().rules) {
    if (rule.action == policy::Action::Allow) continue;
    for (const policy::AllOf& map : rule.unless)
      for (const policy::Condition& c : map) take(c);
    if (about_anonymous(rule))
      for (const policy::Condition& c : rule.match) take(c);
  }
  return out;
}

ordered_json arns(const std::vector<std::string>& buckets) {
  ordered_json out = ordered_json::array();
  for (const std::string& bucket : buckets) {
    out.push_back("arn:aws:s3:::" + bucket);
    out.push_back("arn:aws:s3:::" + bucket + "/*");
  }
  return out;
}

std::string written(const Prefix& p) { return render(p.network) + "/" + std::to_string(p.written_length()); }

/// True of requests from none of the networks: by public address, or through an endpoint by the address in the network.
ordered_json elsewhere(const ordered_json& networks) {
  return {{"NotIpAddressIfExists", {{"aws:SourceIp", networks}, {"aws:VpcSourceIp", networks}}},
          {"BoolIfExists", {{"aws:ViaAWSService", "false"}}}};
}

/// What is neither about accounts nor about storage.
void lose_others(const policy::RuleSet& rules, Exported& out, const std::function<bool(const policy::Rule&)>& carried) {
  std::vector<HeaderRule> all = header_rules(rules);
  for (HeaderRule& rule : all) rule.reason = "it is about packets";
  all.back().effect = Effect::Pass;  // What a document does not deny it leaves to others.
  all.back().reason.clear();
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].rule == nullptr || carried(*all[i].rule)) continue;
    out.losses.push_back(loss_of(all, i, "it is about packets, and this about requests and who makes them"));
  }
}

void finish(Exported& out, const ordered_json& statements) {
  const ordered_json document = {{"Version", "2012-10-17"}, {"Statement", statements}};
  out.text = document.dump(2) + "\n";
  if (statements.empty())
    out.losses.push_back({.rule = "the policy",
                          .place = {},
                          .reason = "nothing in it can be said here: the document says nothing",
                          .lost = Lost::Weaker,
                          .instead = {}});
}

}  // namespace

Exported to_aws_iam(const policy::RuleSet& rules) {
  Exported out;
  std::map<std::string, ordered_json> networks;
  for (const policy::Account& account : rules.policy().accounts) {
    auto [at, added] = networks.try_emplace(account.name, ordered_json::array());
    at->second.push_back(written(account.network));
  }
  ordered_json statements = ordered_json::array();
  for (const auto& [account, list] : networks) {
    if (account.starts_with("AKIA") || account.starts_with("ASIA")) {
      out.losses.push_back({.rule = "account " + account,
                            .place = {},
                            .reason = "no condition knows the key of an access; name its user",
                            .lost = Lost::Weaker,
                            .instead = {}});
      continue;
    }
    ordered_json condition = elsewhere(list);
    condition["StringEquals"] = {{"aws:username", account}};
    statements.push_back({{"Sid", "Weir" + std::to_string(statements.size() + 1)},
                          {"Effect", "Deny"},
                          {"Action", "*"},
                          {"Resource", "*"},
                          {"Condition", condition}});
  }
  lose_others(rules, out, [](const policy::Rule& rule) { return binds_accounts(rule); });
  finish(out, statements);
  return out;
}

Exported to_aws_bucket_policy(const policy::RuleSet& rules) {
  Exported out;
  std::vector<std::string> strangers;
  const std::vector<std::string> buckets = our_buckets(rules, strangers);
  ordered_json statements = ordered_json::array(), networks = ordered_json::array();
  for (const policy::Account& account : rules.policy().accounts)
    if (std::find(networks.begin(), networks.end(), written(account.network)) == networks.end())
      networks.push_back(written(account.network));
  bool anonymous = false;
  for (const policy::Rule& rule : rules.policy().rules)
    anonymous = anonymous || (about_anonymous(rule) && rule.action != policy::Action::Allow && !rule.monitor);
  if (!buckets.empty() && !networks.empty())
    statements.push_back({{"Sid", "WeirNetworks"},
                          {"Effect", "Deny"},
                          {"Principal", "*"},
                          {"Action", "s3:*"},
                          {"Resource", arns(buckets)},
                          {"Condition", elsewhere(networks)}});
  if (!buckets.empty() && anonymous)
    statements.push_back({{"Sid", "WeirAnonymous"},
                          {"Effect", "Deny"},
                          {"Principal", "*"},
                          {"Action", {"s3:GetObject", "s3:ListBucket"}},
                          {"Resource", arns(buckets)},
                          {"Condition", {{"StringEquals", {{"aws:PrincipalType", "Anonymous"}}}}}});
  if (networks.size() > 1)
    out.losses.push_back({.rule = "accounts",
                          .place = {},
                          .reason = "each account may be used from all their networks; the target aws-iam tells them apart",
                          .lost = Lost::Weaker,
                          .instead = {}});
  for (const std::string& name : strangers)
    out.losses.push_back({.rule = name, .place = {}, .reason = "it is no bucket of S3", .lost = Lost::Weaker, .instead = {}});
  lose_others(rules, out, [](const policy::Rule& rule) { return binds_accounts(rule) || about_anonymous(rule); });
  finish(out, statements);
  return out;
}

Exported to_aws_vpc_endpoint(const policy::RuleSet& rules) {
  Exported out;
  std::vector<std::string> strangers;
  const std::vector<std::string> buckets = our_buckets(rules, strangers);
  ordered_json statements = ordered_json::array();
  if (!buckets.empty())  // What no statement allows is refused.
    statements.push_back(
        {{"Sid", "WeirOurStorage"}, {"Effect", "Allow"}, {"Principal", "*"}, {"Action", "s3:*"}, {"Resource", arns(buckets)}});
  for (const std::string& name : strangers)
    out.losses.push_back({.rule = name,
                          .place = {},
                          .reason = "it is no bucket of S3: this endpoint does not lead there",
                          .lost = Lost::Stricter,
                          .instead = {}});
  lose_others(rules, out, [&](const policy::Rule& rule) {
    for (const policy::AllOf& map : rule.unless)
      for (const policy::Condition& c : map)
        if (rule.action != policy::Action::Allow && asks_names(c, rules.vocabulary())) return true;
    return false;
  });
  finish(out, statements);
  return out;
}

}  // namespace weir::cli
