// SPDX-License-Identifier: Apache-2.0
// Names of addresses: whom an answer tells them, which flows go by them, and what the name in a hello is worth against them.
//
// On a host all of its own addresses are one client: an answer over the loopback device (a stub resolver at 127.0.0.53) names what goes out by
// any other address, and one over IPv4 what goes out over IPv6. A process that resolves for others too (dnsmasq for a network, for guests)
// asks on their account: what it is answered names nothing of this host's; what it answers this host does.

#include <algorithm>

#include "engine/carrier.h"
#include "engine/lane.h"
#include "proto/registry.h"
#include "proto/tls/fields.h"

namespace weir::engine {

/// The frame passes: the names that it told and the flows that it announced are remembered.
void Lane::learn_lessons() {
  for (const Lesson& lesson : lessons_) {
    const Flow& flow = flows_.at(lesson.index);
    if (answers_others(flow)) continue;
    const std::string_view name(lesson_text_.data() + lesson.text_at, lesson.text_bytes);
    names_.learn(asker(flow.ends.client), lesson.address, name, lesson.ttl_s, now_.mono_ns);
  }
  for (const Announcement& a : announcements_) {
    expectations_.expect(a.client, a.server, a.port, a.protocol, a.expected, now_.mono_ns);
    if (options_.carrier != nullptr) options_.carrier->on_expected(a.client, a.server, a.port, a.protocol);
  }
  forget_lessons();
}

void Lane::forget_lessons() {
  lessons_.clear();
  lesson_text_.clear();
  announcements_.clear();
}

/// The names that the client was told for the server, and on a host those of its file.
void Lane::tell_names(const FlowEnds& ends, Facts& facts) {
  const auto add = [&](std::string_view name) { facts.add(field::kServerName, Scope::Flow, Value::of_text(name), true); };
  names_.for_each(asker(ends.client), ends.server, now_.mono_ns, add);
  if (host_ != nullptr && host_->is_own(ends.client)) host_->for_each(ends.server, add);
}

std::vector<std::string> Lane::names_told(const Ip& client, const Ip& address) {
  std::vector<std::string> out;
  const auto add = [&](std::string_view name) { out.emplace_back(name); };
  names_.for_each(asker(client), address, now_.mono_ns, add);
  if (host_ != nullptr && host_->is_own(client)) host_->for_each(address, add);
  return out;
}

/// `sni.binding`, as soon as the hello is read.
void Lane::judge_hello_name(Live& live) {
  const FieldId sni = weir::field::kTlsSni;
  Facts& facts = live.facts;
  if (facts.state(field::kSniBinding) != FactState::NotYet || facts.state(sni) == FactState::NotYet) return;
  const AppChain& app = live.flow.app;
  const AppId outermost = app.count == 0 ? kUnknownApp : app.layers[0];
  // Behind a proxy the address is the proxy's.
  const bool direct = !(app.count > 1 && (words_.app(outermost).name == "http" || words_.app(outermost).name == "socks"));
  const Value* const name = facts.value(sni);
  if (name == nullptr || !direct) {
    if (facts.state(sni) == FactState::Hidden && direct) facts.hide(field::kSniBinding, Scope::Flow);
    else facts.close(field::kSniBinding, Scope::Flow);
    return;
  }
  state::Claim claim = names_.judge(asker(live.flow.ends.client), live.flow.ends.server, name->text(), now_.mono_ns);
  if (host_ != nullptr && claim != state::Claim::Holds && host_->is_own(live.flow.ends.client))
    host_->for_each(live.flow.ends.server, [&](std::string_view listed) { claim = claim == state::Claim::Holds || listed == name->text() ? state::Claim::Holds : state::Claim::Contradicts; });
  facts.set(field::kSniBinding, Scope::Flow, Value::of_number(static_cast<std::uint64_t>(claim)));
}

/// The flow speaks DNS: where another machine asks a process of this host, that process resolves for others.
void Lane::note_resolver(const Flow& flow) {
  const Sender* const process = senders_.at(flow.sender);
  if (process == nullptr || host_->is_own(flow.ends.client) || !host_->is_own(flow.ends.server)) return;
  if (std::find(resolvers_.begin(), resolvers_.end(), process->id) != resolvers_.end()) return;
  resolvers_[resolvers_next_++ % kResolversMax] = process->id;
}

/// The flow is a question of a process of this host that asks on others' account.
bool Lane::answers_others(const Flow& flow) const {
  if (host_ == nullptr || resolvers_next_ == 0 || host_->is_own(flow.ends.server) || !host_->is_own(flow.ends.client)) return false;
  const Sender* const process = senders_.at(flow.sender);
  return process != nullptr && std::find(resolvers_.begin(), resolvers_.end(), process->id) != resolvers_.end();
}

}  // namespace weir::engine
