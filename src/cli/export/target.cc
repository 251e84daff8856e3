// SPDX-License-Identifier: Apache-2.0
#include "cli/export/target.h"

namespace weir::cli {
namespace {

// clang-format off
constexpr Target kTargets[] = {
    {"nftables", "a table for Linux' own filter", "# ", to_nftables},
    {"cisco-acl", "extended access lists for IOS, both directions of an interface", "! ", to_cisco_acl},
    {"windows-firewall", "a PowerShell script for Windows' own firewall, programs too", "# ", to_windows_firewall},
    {"gcp", "firewall rules of a Google Cloud network, as gcloud commands", "# ", to_gcp},
    {"azure", "rules of an Azure network security group, as az commands", "# ", to_azure},
    {"aws-bucket-policy", "who may use our buckets from where", "", to_aws_bucket_policy},
    {"aws-iam", "from where each account may be used", "", to_aws_iam},
    {"aws-vpc-endpoint", "which buckets may be reached through an endpoint", "", to_aws_vpc_endpoint},
    {"flowspec", "routes that drop upstream (RFC 8955), for ExaBGP", "# ", to_flowspec_exabgp},
    {"flowspec-gobgp", "the same as gobgp commands", "# ", to_flowspec_gobgp},
    {"suricata", "rules of Suricata in IPS mode, contents too", "# ", to_suricata},
    {"unbound", "names that a resolver refuses", "# ", to_unbound},
    {"rpz", "the same as a response policy zone", "; ", to_rpz},
};
// clang-format on

}  // namespace

std::span<const Target> export_targets() { return kTargets; }

}  // namespace weir::cli
