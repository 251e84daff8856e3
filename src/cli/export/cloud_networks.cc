// SPDX-License-Identifier: Apache-2.0
// gcp, azure: firewalls of a cloud's network. Both are ordered by priority, remember flows, and judge at both ends; so each rule
// is written for what leaves a machine and for what comes to one.

#include <fmt/format.h>

#include <set>

#include "cli/export/target.h"
#include "facts/packet.h"

namespace weir::cli {
namespace {

constexpr std::size_t kProtocolsMax = 16;

std::string shell_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? '_' : c;
  return out + "'";
}

std::string ports_of(const NumberSet& set, const char* before, const char* between) {
  std::string out;
  for (const NumberSet::Range& r : set.ranges())
    out += (out.empty() ? "" : between) + std::string(before) +
           (r.first == r.last ? std::to_string(r.first) : fmt::format("{}-{}", r.first, r.last));
  return out;
}

std::string prefixes_text(const std::vector<Prefix>& prefixes, const char* between) {
  std::string out;
  for (const Prefix& p : prefixes)
    out += (out.empty() ? "" : between) + render(p) + (p.length == 128 ? (p.network.is_v4() ? "/32" : "/128") : "");
  return out;
}

std::size_t count_of(const NumberSet& set) {
  std::size_t out = 0;
  for (const NumberSet::Range& r : set.ranges()) out += r.last - r.first + 1;
  return out;
}

struct Sides {
  std::vector<Prefix> from, to;
};

/// What both clouds cannot say.
std::string unfit(const Box& box, std::size_t prefixes_max) {
  if (!box.any_icmp()) return "types of ICMP are not told apart";
  if (box.protocols != whole::protocols() && count_of(box.protocols) > kProtocolsMax)
    return "it means many protocols but not all";
  for (const bool v6 : {false, true})
    for (const Box& part : of_version({box}, v6))
      if (!prefixes_of(part.from, prefixes_max) || !prefixes_of(part.to, prefixes_max))
        return fmt::format("it names more than {} prefixes", prefixes_max);
  return {};
}

// ---- Google Cloud

constexpr std::size_t kGcpPrefixesMax = 256;

std::string gcp_protocols(const Box& box, bool v6) {
  if (box.protocols == whole::protocols()) return "all";
  std::string out;
  const auto add = [&](const std::string& text) { out += (out.empty() ? "" : ",") + text; };
  for (const NumberSet::Range& r : box.protocols.ranges())
    for (std::uint32_t p = r.first; p <= r.last; ++p) {
      if (p == (v6 ? ip_protocol::kIcmp : ip_protocol::kIcmpv6)) continue;
      const bool ports = p == ip_protocol::kTcp || p == ip_protocol::kUdp || p == ip_protocol::kSctp;
      const std::string name = p == ip_protocol::kTcp    ? "tcp"
                               : p == ip_protocol::kUdp  ? "udp"
                               : p == ip_protocol::kSctp ? "sctp"
                               : p == ip_protocol::kIcmp ? "icmp"
                                                         : std::to_string(p);
      add(ports && !box.any_port() ? ports_of(box.ports, (name + ":").c_str(), ",") : name);
    }
  return out;
}

}  // namespace

Exported to_gcp(const policy::RuleSet& rules) {
  const std::vector<HeaderRule> all = header_rules(rules);
  Exported out{
      .first_line = "#!/bin/sh", .text = "set -eu\n: \"${NETWORK:?the name of the network}\"\n", .losses = {}, .remarks = {}};
  std::size_t priority = 100;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const HeaderRule& rule = all[i];
    const Boxes boxes = fitting(
        all, i, of_new_flows(all, i, out.losses),
        [](const Box& box) {
          if (!box.any_client_port()) return std::string("ports of clients are not told apart");
          return unfit(box, kGcpPrefixesMax);
        },
        out.losses);
    for (const Box& box : boxes) {
      for (const bool v6 : {false, true})
        for (const Box& part : of_version({box}, v6)) {
          const std::string protocols = gcp_protocols(part, v6);
          if (protocols.empty()) continue;
          for (const bool in : {true, false})
            out.text += fmt::format(
                "gcloud compute firewall-rules create weir-{}-{}{} --network=\"$NETWORK\" --direction={} --priority={} "
                "--action={} --rules={} --source-ranges={} "
                "--destination-ranges={} --description={}\n",
                priority, in ? "in" : "out", v6 ? 6 : 4, in ? "INGRESS" : "EGRESS", priority,
                rule.effect == Effect::Pass ? "ALLOW" : "DENY", protocols, prefixes_text(*prefixes_of(part.from), ","),
                prefixes_text(*prefixes_of(part.to), ","), shell_quoted(rule.name));
        }
      ++priority;
    }
    if (!boxes.empty()) priority += 10 - priority % 10;
  }
  if (priority > 65'000) out.remarks.push_back("There are more rules than priorities: the last will be refused.");
  out.remarks.push_back(
      "Run it with NETWORK set. Delete the rules of an earlier run before (`gcloud compute firewall-rules list "
      "--filter=name~^weir-`).");
  return out;
}

// ---- Azure

namespace {

constexpr std::size_t kAzurePrefixesMax = 4000, kAzurePriorityMax = 4096;

/// A protocol as Azure names it; empty: it has no name for it.
std::string azure_name(std::uint32_t protocol) {
  switch (protocol) {
    case ip_protocol::kTcp:
      return "Tcp";
    case ip_protocol::kUdp:
      return "Udp";
    case ip_protocol::kIcmp:
      return "Icmp";
    case ip_protocol::kEsp:
      return "Esp";
    case ip_protocol::kAh:
      return "Ah";
    default:
      return {};
  }
}

}  // namespace

Exported to_azure(const policy::RuleSet& rules) {
  const std::vector<HeaderRule> all = header_rules(rules);
  Exported out{.first_line = "#!/bin/sh",
               .text = "set -eu\n: \"${GROUP:?the resource group}\" \"${NSG:?the network security group}\"\n",
               .losses = {},
               .remarks = {}};
  std::size_t priority = 100;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const HeaderRule& rule = all[i];
    const Boxes boxes = fitting(
        all, i, of_new_flows(all, i, out.losses), [](const Box& box) { return unfit(box, kAzurePrefixesMax); }, out.losses);
    for (const Box& box : boxes) {
      std::vector<std::string> names;
      if (box.protocols == whole::protocols())
        names = {"*"};
      else
        for (const NumberSet::Range& r : box.protocols.ranges())
          for (std::uint32_t p = r.first; p <= r.last; ++p) {
            if (const std::string name = azure_name(p); !name.empty()) {
              names.push_back(name);
              continue;
            }
            Box part = box;
            part.protocols = NumberSet(p, p);
            out.losses.push_back(
                loss_of(all, i, {part},
                        p == ip_protocol::kSctp ? "it does not know SCTP" : fmt::format("it does not know protocol {}", p)));
          }
      for (const bool v6 : {false, true})
        for (const Box& part : of_version({box}, v6))
          for (const std::string& name : names) {
            if (name == "Icmp" && v6) continue;
            if (priority > kAzurePriorityMax) {
              out.losses.push_back(loss_of(all, i, {part}, "there are no priorities left"));
              continue;
            }
            const bool ports = name == "Tcp" || name == "Udp";
            for (const bool in : {true, false})
              out.text += fmt::format(
                  "az network nsg rule create -g \"$GROUP\" --nsg-name \"$NSG\" -n weir-{}-{} --priority {} --direction {} "
                  "--access {} --protocol {} "
                  "--source-address-prefixes {} --source-port-ranges {} --destination-address-prefixes {} "
                  "--destination-port-ranges {} --description {}\n",
                  priority, in ? "in" : "out", priority, in ? "Inbound" : "Outbound",
                  rule.effect == Effect::Pass ? "Allow" : "Deny", name == "*" ? "'*'" : name,
                  prefixes_text(*prefixes_of(part.from), " "),
                  ports && !part.any_client_port() ? ports_of(part.client_ports, "", " ") : "'*'",
                  prefixes_text(*prefixes_of(part.to), " "), ports && !part.any_port() ? ports_of(part.ports, "", " ") : "'*'",
                  shell_quoted(rule.name));
            ++priority;
          }
    }
  }
  out.remarks.push_back("Run it with GROUP and NSG set, on a group without rules of an earlier run.");
  return out;
}

}  // namespace weir::cli
