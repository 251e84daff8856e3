// SPDX-License-Identifier: Apache-2.0
#pragma once

// The ids of the 45 techniques that mitigation M1037 (Filter Network Traffic) names, older ids included: for messages that suggest what was
// meant. What each is, what is owed and how it is shown stands in the catalogue (catalog.h); a policy may name other techniques too.

#include <array>
#include <string_view>

namespace weir::policy {

inline constexpr std::array<std::string_view, 45> kTechniques = {
    "T1021.002", "T1021.005", "T1048", "T1048.001", "T1048.002", "T1048.003", "T1071.004", "T1078",
    "T1090", "T1090.003", "T1094", "T1095", "T1171", "T1187", "T1188", "T1197",
    "T1205", "T1205.001", "T1205.002", "T1218.012", "T1219", "T1498", "T1498.001", "T1498.002",
    "T1499", "T1499.001", "T1499.002", "T1499.003", "T1499.004", "T1522", "T1530", "T1537",
    "T1552", "T1552.005", "T1557", "T1557.001", "T1557.002", "T1557.003", "T1570", "T1572",
    "T1599", "T1599.001", "T1602", "T1602.001", "T1602.002",
};

}  // namespace weir::policy
