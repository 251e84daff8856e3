// SPDX-License-Identifier: Apache-2.0
#pragma once

// A flow, a ban and the like as answers of the control socket show them: names of fields as in events (EVE).

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "engine/engine.h"

namespace weir::service {

nlohmann::ordered_json json_of(const engine::FlowNow& flow, const policy::Policy& policy);
nlohmann::ordered_json json_of(const engine::BanNow& ban, const policy::Policy& policy);
std::string protocol_name(std::uint8_t protocol);
/// "no-smb", "default", "operator"; empty where no rule decided.
std::string rule_name(const policy::Policy& policy, RuleId rule);

}  // namespace weir::service
