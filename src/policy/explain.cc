// SPDX-License-Identifier: Apache-2.0
#include "policy/explain.h"

#include <algorithm>

#include "base/text.h"
#include "facts/field_ids.h"
#include "policy/values.h"

namespace weir::policy {
namespace {

using namespace field;

constexpr std::size_t kValuesMax = 8, kValueBytesMax = 120;

std::string zone_name(const Policy& policy, ZoneId zone) {
  return zone < policy.zones.size() ? policy.zones[zone].name : "no zone";
}

ZoneId zone_of_value(const RuleSet& rules, const View& view, FieldId field, const Value& value) {
  if (view.flow != nullptr && (field == kFrom || field == kClientIp)) return view.flow->from;
  if (view.flow != nullptr && (field == kTo || field == kServerIp)) return view.flow->to;
  return rules.zones().zone_of(value.ip(), view.packet->frame->port, view.layer == nullptr ? value.ip() : view.layer->dst);
}

void add_value(ConditionNow& now, std::string text) {
  if (now.values.size() < kValuesMax) now.values.push_back(std::move(text));
}

/// The application: layers that are certain, else what it could still be.
void describe_app(const View& view, ConditionNow& now) {
  const Vocabulary& words = *view.vocabulary;
  if (view.flow == nullptr) return;
  const AppChain& app = view.flow->app;
  for (std::size_t i = 0; i < app.count; ++i) add_value(now, std::string(words.app(app.layers[i]).name));
  if (app.count != 0 || now.state != FactState::NotYet) return;
  if (view.at_bound) return add_value(now, "unknown");
  std::size_t left = 0;
  app.candidates.for_each([&](AppId id) {
    if (++left < kValuesMax) add_value(now, std::string(words.app(id).name));
  });
  if (left >= kValuesMax) now.values.push_back(std::to_string(left - kValuesMax + 1) + " more");
}

ConditionNow condition_now(const RuleSet& rules, const CompiledCondition& compiled, const View& view) {
  const Condition& c = *compiled.condition;
  const FieldRow& row = *compiled.row;
  ConditionNow now;
  now.key = (c.negated ? "not." : "") + std::string(row.name);
  for (const std::string& text : c.values.written) {
    if (now.asked.size() < ConditionNow::kAskedMax) now.asked.push_back(text);
    else ++now.asked_more;
  }
  now.truth = judge(compiled, view, rules.zones()).truth;
  const Fact fact = look_up(view, c.field);
  now.state = fact.state;
  now.open = fact.state == FactState::Known && !fact.complete;
  if (c.field == kAppProtocol) {
    describe_app(view, now);
    return now;
  }
  if (fact.state != FactState::Known) return now;
  fact.any([&](const Value& value) {
    std::string text = render_value(row, value, rules.vocabulary(), rules.policy());
    ZoneId zone = kNoZone;
    if (row.type == FieldType::Address && view.flow != nullptr) {
      zone = zone_of_value(rules, view, c.field, value);
      if (zone != kNoZone) text += " (" + zone_name(rules.policy(), zone) + ")";
    }
    add_value(now, std::move(text));
    if (now.matched_by.empty()) now.matched_by = which_matched(c, row, value, zone);
    return false;
  });
  return now;
}

std::vector<ConditionNow> conditions_now(const RuleSet& rules, const std::vector<CompiledCondition>& conditions,
                                         const View& view) {
  std::vector<ConditionNow> out;
  for (const CompiledCondition& c : conditions) out.push_back(condition_now(rules, c, view));
  return out;
}

std::string joined(const std::vector<std::string>& texts, std::string_view between) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : std::string(between)) + text;
  return out;
}

std::string asked_of(const ConditionNow& c) {
  std::string out = joined(c.asked, ", ");
  if (c.asked_more != 0) out += " and " + std::to_string(c.asked_more) + " more";
  return out;
}

std::string wish(const ConditionNow& c, bool holds) {
  const bool negated = c.key.starts_with("not.");
  const std::string key = negated ? c.key.substr(4) : c.key;
  return key + (holds != negated ? " were " : " were not ") + (c.asked.size() + c.asked_more > 1 ? "one of " : "") + asked_of(c);
}

Truth all_of(const std::vector<ConditionNow>& map) {
  Truth all = Truth::True;
  for (const ConditionNow& c : map) {
    if (c.truth == Truth::False) return Truth::False;
    if (c.truth == Truth::Unknown) all = Truth::Unknown;
  }
  return all;
}

/// What would have to be otherwise for the rule to match (or not to).
std::string difference(const RuleNow& rule, Truth truth) {
  std::vector<std::string> parts;
  if (truth == Truth::False) {
    for (const ConditionNow& c : rule.match)
      if (c.truth == Truth::False) parts.push_back(wish(c, true));
    for (const auto& map : rule.unless) {
      if (all_of(map) != Truth::True) continue;
      std::vector<std::string> any;
      for (const ConditionNow& c : map) any.push_back(wish(c, false));
      parts.push_back("(unless) " + joined(any, ", or "));
    }
    return parts.empty() ? "" : "it would match if " + joined(parts, ", and ");
  }
  if (truth == Truth::Unknown) {
    for (const ConditionNow& c : rule.match)
      if (c.truth == Truth::Unknown) parts.push_back(c.key);
    for (const auto& map : rule.unless)
      for (const ConditionNow& c : map)
        if (c.truth == Truth::Unknown) parts.push_back(c.key);
    return "it is open until " + joined(parts, " and ") + (parts.size() > 1 ? " are known" : " is known");
  }
  for (const ConditionNow& c : rule.match) parts.push_back(wish(c, false));
  for (const auto& map : rule.unless) {
    std::vector<std::string> every;
    for (const ConditionNow& c : map)
      if (c.truth != Truth::True) every.push_back(wish(c, true));
    parts.push_back("(unless) " + joined(every, ", and "));
  }
  return parts.empty() ? "" : "it would not match if " + joined(parts, ", or if ");
}

std::string flow_text(const RuleSet& rules, const View& view) {
  if (view.flow == nullptr) return {};
  const FlowFacts& f = *view.flow;
  const auto end = [](const Ip& ip, std::uint16_t port) {
    const std::string address = render(ip);
    if (port == 0) return address;
    return (ip.is_v4() ? address : "[" + address + "]") + ":" + std::to_string(port);
  };
  const auto zone = [&](ZoneId id) { return id == kNoZone ? std::string() : " (" + zone_name(rules.policy(), id) + ")"; };
  constexpr std::string_view kStates[] = {"new", "established", "related", "invalid"};
  return "client " + end(f.ends.client, f.ends.client_port) + zone(f.from) + ", server " +
         end(f.ends.server, f.ends.server_port) + zone(f.to) + ", " + std::string(kStates[static_cast<std::size_t>(f.state)]);
}

}  // namespace

std::string render_value(const FieldRow& row, const Value& value, const Vocabulary& words, const Policy& policy) {
  switch (row.type) {
    case FieldType::Text:
    case FieldType::TextFold:
    case FieldType::Domain: {
      std::string out;
      for (const char c : value.text().substr(0, kValueBytesMax)) {
        const auto byte = static_cast<std::uint8_t>(c);
        if (byte >= 0x20 && byte < 0x7f && c != '\\') out += c;
        else out += "\\x" + hex({&byte, 1});
      }
      return out.empty() ? "\"\"" : out + (value.text().size() > kValueBytesMax ? "…" : "");
    }
    case FieldType::Address: return render(value.ip());
    case FieldType::Mac: return render(value.mac());
    case FieldType::Boolean: return value.number() != 0 ? "true" : "false";
    case FieldType::App: return std::string(words.app(static_cast<AppId>(value.number())).name);
    case FieldType::Zone: return zone_name(policy, static_cast<ZoneId>(value.number()));
    case FieldType::Port: return value.number() < policy.port_names.size() ? policy.port_names[value.number()] : "another port";
    case FieldType::Flags: {
      constexpr std::string_view kLetters = "FSRPAUEC";
      std::string out;
      for (std::size_t bit = 0; bit < 8; ++bit)
        if ((value.number() >> bit & 1) != 0) out += kLetters[bit];
      return out.empty() ? "none" : out;
    }
    case FieldType::Number:
    case FieldType::Word: break;
  }
  for (const Word& word : row.words)
    if (word.value == value.number()) return std::string(word.name);
  return std::to_string(value.number());
}

std::string name_of_rule(const Policy& policy, RuleId rule) {
  if (rule == kDefaultRule) return "default";
  return rule < policy.rules.size() ? policy.rules[rule].name : std::string();
}

std::string_view describe(Reason reason) {
  switch (reason) {
    case Reason::Rule: return "a rule decided";
    case Reason::Default: return "no rule decided, so the default did";
    case Reason::Tombstone: return "its flow was denied before";
    case Reason::Answer: return "it answers a request that was denied";
    case Reason::Related: return "the flow that it belongs to was denied";
    case Reason::Banned: return "an earlier match banned it";
    case Reason::FragmentLost: return "the first fragment of its datagram did not come";
    case Reason::HoldOverflow: return "the pool for held frames was full";
    case Reason::UndecidedBudget: return "its client lives off undecided payload";
    case Reason::TableFull: return "a table was full";
    case Reason::Refused: return "the call that would have sent it was refused";
    case Reason::Conflict: return "it differs from what was read at the same place of the stream";
    case Reason::Overlap: return "it overlaps another fragment";
  }
  return "";
}

Explanation explain(const RuleSet& rules, const View& view, const Outcome& outcome) {
  Explanation out;
  out.rule = outcome.rule;
  out.action = outcome.action;
  out.pass = outcome.pass;
  out.certain = outcome.certain;
  out.settled = outcome.settled;
  out.at_bound = view.at_bound;
  out.flow = flow_text(rules, view);
  const Policy& policy = rules.policy();
  for (RuleId id = 0; id < policy.rules.size(); ++id) {
    const CompiledRule& compiled = rules.rule(id);
    const Rule& rule = *compiled.rule;
    RuleNow& now = out.rules.emplace_back();
    now.id = id;
    now.name = rule.name;
    if (rule.position.line != 0 && rule.position.file < policy.files.size())
      now.place = policy.files[rule.position.file] + ":" + std::to_string(rule.position.line);
    now.action = rule.action;
    now.monitor = rule.monitor;
    now.guard = rule.guard;
    now.essential = rule.essential;
    now.match = conditions_now(rules, compiled.match, view);
    for (const auto& map : compiled.unless) now.unless.push_back(conditions_now(rules, map, view));
    const Truth truth = judge(compiled, view, rules.zones(), false).truth;
    if (rule.expires_wall_ns != INT64_MAX && view.packet->frame->time.wall_ns >= rule.expires_wall_ns) now.fate = Fate::Asleep;
    else if (id == outcome.rule) now.fate = Fate::Decides;
    else if (truth == Truth::True) now.fate = Fate::GoesOn;
    else now.fate = truth == Truth::False ? Fate::NotMatched : Fate::Open;
    now.would_differ = difference(now, truth);
    if (id == outcome.rule) break;
  }
  return out;
}

namespace {

std::string_view text_of(Truth truth) { return truth == Truth::True ? "holds" : truth == Truth::False ? "fails" : "open "; }

std::string fact_text(const ConditionNow& c) {
  switch (c.state) {
    case FactState::Absent: return "is absent";
    case FactState::Hidden: return "is hidden";
    case FactState::NotYet:
      // The application's candidates: what is asked may be certain while they are still several.
      if (c.values.empty()) return "is not yet known";
      return (c.truth == Truth::Unknown ? "is not certain yet, it may be " : "can only be ") + joined(c.values, ", ");
    case FactState::Known: break;
  }
  // A known fact whose value no rule or event wanted keeps none; that cannot be here, save for the words present and absent.
  return c.values.empty() ? "is present" : "= " + joined(c.values, ", ") + (c.open ? " …" : "");
}

void render_conditions(const std::vector<ConditionNow>& map, std::string_view indent, std::string& out) {
  for (const ConditionNow& c : map) {
    const std::string key = c.key.starts_with("not.") ? c.key.substr(4) : c.key;
    out += std::string(indent) + std::string(text_of(c.truth)) + "  " + key + " " + fact_text(c) +
           "; asked: " + (c.key != key ? "not " : "") + asked_of(c);
    if (!c.matched_by.empty() && (c.asked.size() != 1 || c.asked[0] != c.matched_by)) out += "; met " + c.matched_by;
    out += '\n';
  }
}

std::string_view text_of(Fate fate) {
  switch (fate) {
    case Fate::Decides: return "matches and decides";
    case Fate::NotMatched: return "does not match";
    case Fate::Open: return "is open";
    case Fate::GoesOn: return "matches; the next rule is asked";
    case Fate::Asleep: return "has expired";
  }
  return "";
}

}  // namespace

std::string render(const Explanation& e, const Policy& policy, bool all) {
  std::string out;
  if (!e.flow.empty()) out += "flow: " + e.flow + "\n";
  if (!e.certain) out += "not certain yet: a rule that is open could still decide otherwise\n";
  if (e.at_bound) out += "at the bound of undecided payload: what is not yet known counts as absent\n";
  std::size_t quiet = 0;
  const auto tell_quiet = [&] {
    if (quiet != 0)
      out += "  … " + std::to_string(quiet) + (quiet == 1 ? " rule" : " rules") +
             " of guards and of what is essential: not matched\n";
    quiet = 0;
  };
  for (const RuleNow& rule : e.rules) {
    if (!all && (rule.guard || rule.essential) && rule.fate == Fate::NotMatched) {
      ++quiet;
      continue;
    }
    tell_quiet();
    out += "  " + rule.name + (rule.place.empty() ? "" : " (" + rule.place + ")") + ", " + std::string(name_of(rule.action)) +
           (rule.monitor ? ", monitored" : "") + ": " + std::string(text_of(rule.fate)) + "\n";
    render_conditions(rule.match, "      ", out);
    for (const auto& map : rule.unless) {
      out += "      unless\n";
      render_conditions(map, "        ", out);
    }
    if (!rule.would_differ.empty()) out += "      " + rule.would_differ + "\n";
  }
  tell_quiet();
  if (e.rule >= policy.rules.size())
    out += "  default: " + std::string(name_of(policy.default_action)) + ", since no rule decided\n";
  return out;
}

}  // namespace weir::policy
