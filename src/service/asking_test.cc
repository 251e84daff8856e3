// SPDX-License-Identifier: Apache-2.0
// Questions about what no rule decides: what waits, what is asked once, what an answer does, and where it is bounded. Answers as rules.

#include "service/asking.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "service/policy_store.h"
#include "service/service.h"
#include "tests/kit/fake_datapath.h"
#include "tests/kit/talk.h"

namespace weir::service {
namespace {

using namespace kit;

constexpr std::string_view kDrop = "weir: 1\ndefault: drop\nrules: [ { name: dns, match: { port: 53 }, action: allow } ]\n";
constexpr std::string_view kDropAllow =
    "weir: 1\ndefault: drop\nrules: [ { name: dns, match: { port: 53 }, action: allow }, { name: asked, match: { port: 443 }, action: allow } ]\n";

struct NoEvents final : engine::EventSink {
  void on_alert(const engine::AlertRecord&) override {}
  void on_flow(const engine::FlowRecord&) override {}
  void on_transaction(const View&, std::uint64_t) override {}
  void on_released(const Decision&) override {}
};

/// A host with 10.0.0.5, where curl speaks.
struct Host {
  explicit Host(Asking::Options options = {}) : asking(with(std::move(options)), path, none), service({.engine = engine_options()}, rules_of(kDrop), asking, &asking) {
    curl.id = 1;
    curl.path = "/usr/bin/curl";
    curl.name = "curl";
    curl.user = "ann";
    path.sender = &curl;
    auto names = std::make_shared<state::HostNames>();
    names->own = {ip_of("10.0.0.5")};
    service.engine().know_host(names);
    asking.ask_for(service.engine());
  }
  static engine::EngineOptions engine_options() {
    engine::EngineOptions options = small_engine();
    options.senders = options.reloads = true;
    options.event_fields.set(engine::vocabulary().field("server.name")->id);
    return options;
  }
  Asking::Options with(Asking::Options options) {
    options.ask = [this](const Question& q) { asked.push_back(ask_text(q)); };
    options.remember = [this](const Question& q, AskAnswer a) { remembered.push_back({q.id, a}); };
    return options;
  }
  void syn(std::uint16_t port, std::uint16_t from = 40000, std::string_view source = "10.0.0.5", std::string_view to = "198.51.100.80") {
    const std::string bytes = (Eth() / Ipv4(source, to) / Tcp(from, port).flags("S").seq(1)).bytes();
    path.put(0, as_bytes(bytes));
    service.turn();
  }
  /// The rules with the answer are in force, and what waited is judged again.
  void reload(std::string_view yaml) {
    service.engine().reload(rules_of(yaml));
    asking.rules_changed();
    service.turn();
  }

  Sender curl;
  NoEvents none;
  FakeDatapath path;
  std::vector<std::string> asked;
  std::vector<std::pair<std::uint64_t, AskAnswer>> remembered;
  Asking asking;
  Service service;
};

TEST(Asking, AThousandTriesAreOneQuestionAndAFewPacketsWait) {
  Host host;
  for (std::uint16_t i = 0; i < 1000; ++i) host.syn(443, static_cast<std::uint16_t>(40000 + i));
  EXPECT_EQ(host.asked, (std::vector<std::string>{"/usr/bin/curl (ann) to 198.51.100.80 port 443 tcp"}));
  EXPECT_EQ(host.path.held.size(), Asking::kPacketsMax);
  EXPECT_EQ(host.asking.numbers().no_room, 1000U - Asking::kPacketsMax);
  EXPECT_EQ(host.asking.open().at(0).packets, 1000U);
  EXPECT_TRUE(host.path.sent.empty());
}

TEST(Asking, OpenQuestionsAreBounded) {
  Host host;
  for (std::uint16_t port = 1000; port < 1000 + Asking::kQuestionsMax + 5; ++port) host.syn(port);
  EXPECT_EQ(host.asked.size(), Asking::kQuestionsMax);
  EXPECT_EQ(host.asking.numbers().no_room, 5U);
  EXPECT_EQ(host.path.dropped.size(), 5U) << "they get the default";
}

TEST(Asking, WhatWaitedMeetsTheRulesThatTheAnswerMade) {
  Host host;
  host.syn(443);
  host.syn(443, 40001);
  host.syn(53);
  ASSERT_TRUE(host.asking.answer(1, {.allow = true, .how_long = AnswerFor::Session}));
  EXPECT_FALSE(host.asking.answer(1, {.allow = true})) << "answered already";
  ASSERT_EQ(host.remembered.size(), 1U);
  EXPECT_EQ(host.path.held.size(), 2U) << "an answer is no rule yet";
  host.reload(kDrop);
  EXPECT_EQ(host.path.held.size(), 2U) << "another reload, without it";
  host.asking.ruled(1);
  host.reload(kDropAllow);
  EXPECT_TRUE(host.path.held.empty());
  ASSERT_EQ(host.path.sent.size(), 3U);
  EXPECT_EQ(host.path.sent[1].number, 1U);
  EXPECT_EQ(host.path.sent[2].number, 2U) << "in order";
  host.syn(443, 40002);
  EXPECT_EQ(host.path.sent.size(), 4U);
  EXPECT_EQ(host.asked.size(), 1U);
}

TEST(Asking, ADenialIsNotAskedAgainForAWhile) {
  Host host;
  host.syn(443);
  ASSERT_TRUE(host.asking.answer(1, {}));
  EXPECT_EQ(host.path.dropped.size(), 1U);
  host.syn(443, 40001);
  EXPECT_EQ(host.path.dropped.size(), 2U);
  EXPECT_EQ(host.asked.size(), 1U);
  host.path.pass_time(61 * kSecond);
  host.syn(443, 40002);
  EXPECT_EQ(host.asked.size(), 2U);
  ASSERT_TRUE(host.asking.answer(2, {.how_long = AnswerFor::Session}));
  host.path.pass_time(kHour);
  host.syn(443, 40003);
  EXPECT_EQ(host.asked.size(), 2U);
  EXPECT_TRUE(host.remembered.empty()) << "the default denies it without a rule";
  ASSERT_FALSE(host.asking.answer(3, {}));
}

TEST(Asking, WhatNobodyAnswersIsAnsweredAsSaid) {
  Host denies({.timeout_ns = 5 * kSecond});
  denies.syn(443);
  denies.path.pass_time(6 * kSecond);
  denies.service.turn();
  EXPECT_EQ(denies.path.dropped.size(), 1U);
  EXPECT_EQ(denies.asking.numbers().unanswered, 1U);
  EXPECT_EQ(denies.asking.numbers().answered, 0U);
  Host allows({.timeout_ns = 5 * kSecond, .unanswered = {.allow = true}});
  allows.syn(443);
  allows.path.pass_time(6 * kSecond);
  allows.service.turn();
  ASSERT_EQ(allows.remembered.size(), 1U);
  EXPECT_EQ(allows.remembered[0].second.how_long, AnswerFor::Once);
  // Its rule never comes into force.
  allows.path.pass_time(11 * kSecond);
  allows.service.turn();
  EXPECT_EQ(allows.path.dropped.size(), 1U);
  EXPECT_EQ(allows.asking.numbers().open, 0U);
}

TEST(Asking, OnlyWhatAKnownProcessOfThisHostBeginsIsAskedAbout) {
  Host host;
  host.syn(443, 40000, "192.0.2.9");   // Forwarded.
  host.syn(41000, 443);                // A server of this host that answers.
  host.path.sender = nullptr;
  host.syn(443, 40001);                // Nobody is known.
  EXPECT_TRUE(host.asked.empty());
  EXPECT_EQ(host.path.dropped.size(), 3U);
}

TEST(Asking, TheServerIsNamedAsTheHostWasTold) {
  Host host;
  const auto udp = [&](std::string_view from, std::uint16_t sport, std::string_view to, std::uint16_t dport, const std::string& payload) {
    const std::string bytes = (Eth() / Ipv4(from, to) / Udp(sport, dport) / payload).bytes();
    host.path.put(0, as_bytes(bytes));
    host.service.turn();
  };
  udp("10.0.0.5", 50000, "10.0.0.53", 53, dns_query("shop.example"));
  udp("10.0.0.53", 53, "10.0.0.5", 50000, dns_answer("shop.example", "198.51.100.80"));
  host.syn(443);
  ASSERT_EQ(host.asked.size(), 1U);
  EXPECT_EQ(host.asked[0], "/usr/bin/curl (ann) to shop.example (198.51.100.80) port 443 tcp");
}

// ---- answers as rules

class BookFile {
 public:
  BookFile() {
    const int fd = mkstemp(path_);
    EXPECT_GE(fd, 0);
    ::close(fd);
    ::unlink(path_);
  }
  ~BookFile() { ::unlink(path_); }
  std::string path() const { return path_; }
  std::string text() const {
    std::stringstream out;
    out << std::ifstream(path_).rdbuf();
    return out.str();
  }

 private:
  char path_[32] = "/tmp/weir-asked-XXXXXX";
};

Question question(std::string process = "/usr/bin/curl", std::string name = "shop.example") {
  Question q;
  q.id = 7;
  q.process = std::move(process);
  q.user = "ann";
  q.name = std::move(name);
  q.client = ip_of("10.0.0.5"), q.server = ip_of("198.51.100.80");
  q.client_port = 40000, q.port = 443;
  q.protocol = ip_protocol::kTcp;
  return q;
}

std::vector<std::string> names_behind(const AskBook& book, std::string* errors = nullptr) {
  policy::Loaded loaded = policy::load_policy_text("p.yaml", kDrop, engine::vocabulary());
  book.append_to(loaded, {}, engine::vocabulary());
  if (errors != nullptr) *errors = policy::render(loaded.diagnostics);
  std::vector<std::string> out;
  if (!loaded.policy) return {"none"};
  for (const policy::Rule& rule : loaded.policy->rules)
    if (!rule.guard && !rule.essential) out.push_back(rule.name + " " + std::string(policy::name_of(rule.action)));
  return out;
}

TEST(AskBook, KeepsWhatIsForAlwaysAndTheRestUntilTheEnd) {
  const BookFile file;
  {
    AskBook book(file.path());
    EXPECT_FALSE(book.add(question(), {.allow = true, .how_long = AnswerFor::Always}).has_value());
    EXPECT_FALSE(book.add(question(), {.allow = true, .how_long = AnswerFor::Session}).has_value());
    EXPECT_FALSE(book.add(question(), {.allow = true, .how_long = AnswerFor::Once}).has_value());
    EXPECT_FALSE(book.add(question("/opt/bad"), {.how_long = AnswerFor::Always}).has_value());
    EXPECT_EQ(names_behind(book), (std::vector<std::string>{"dns allow", "asked-3 allow", "asked-2 allow", "asked-1 allow", "asked-4 drop"})) << "behind the policy's own";
  }
  AskBook next(file.path());
  EXPECT_EQ(names_behind(next), (std::vector<std::string>{"dns allow", "asked-1 allow", "asked-4 drop"}));
  EXPECT_FALSE(next.add(question("/usr/bin/ssh"), {.allow = true, .how_long = AnswerFor::Always}).has_value());
  EXPECT_EQ(names_behind(next).back(), "asked-1-2 allow") << "a name of its own";
  EXPECT_NE(file.text().find("match: { process.path: \"/usr/bin/curl\", user: \"ann\", server.name: \"shop.example\", ip.protocol: tcp, port: 443 }, action: allow }\n"),
            std::string::npos)
      << file.text();
}

TEST(AskBook, OddPathsAreTakenAsTheyAre) {
  const BookFile file;
  AskBook book(file.path());
  for (const char* path : {"/opt/a*b?c", "/opt/\"quoted\" and, {more}", "memfd:x", "/opt/line\nbreak", "/"}) {
    EXPECT_FALSE(book.add(question(path, ""), {.allow = true, .how_long = AnswerFor::Always}).has_value()) << path;
  }
  std::string errors;
  EXPECT_EQ(names_behind(book, &errors).size(), 6U) << errors << file.text();
}

TEST(AskBook, IsReadAsThePolicysFilesAre) {
  const BookFile file;
  AskBook book(file.path());
  EXPECT_FALSE(book.add(question(), {.allow = true, .how_long = AnswerFor::Always}).has_value());
  const auto rules = [&](const policy::LoadOptions& options) {
    policy::Loaded loaded = policy::load_policy_text("p.yaml", kDrop, engine::vocabulary());
    book.append_to(loaded, options, engine::vocabulary());
    return loaded.policy ? loaded.policy->rules.size() : 0;
  };
  PolicyCopy copy;
  const std::size_t with = rules({.read_file = copy.recorder()});
  ASSERT_EQ(copy.files.size(), 1U) << "kept with the policy's own";
  EXPECT_EQ(rules({.read_file = copy.reader()}), with);
  EXPECT_EQ(rules({.read_file = PolicyCopy().reader()}), with - 1) << "a copy from before there was one";
}

TEST(AskBook, WhatIsTakenBackIsGone) {
  const BookFile file;
  AskBook book(file.path());
  EXPECT_FALSE(book.add(question(), {.allow = true, .how_long = AnswerFor::Always}).has_value());
  const std::string before = file.text();
  EXPECT_FALSE(book.add(question("/usr/bin/ssh"), {.allow = true, .how_long = AnswerFor::Always}).has_value());
  book.take_back();
  EXPECT_EQ(file.text(), before);
  EXPECT_FALSE(book.add(question(), {.allow = true, .how_long = AnswerFor::Session}).has_value());
  book.take_back();
  EXPECT_EQ(names_behind(book).size(), 2U);
}

TEST(AskBook, AFileThatIsNoListOfRulesIsLeftAlone) {
  const BookFile file;
  std::ofstream(file.path()) << "weir: 1\nrules: []\n";
  AskBook book(file.path());
  EXPECT_TRUE(book.add(question(), {.allow = true, .how_long = AnswerFor::Always}).has_value());
  EXPECT_EQ(file.text(), "weir: 1\nrules: []\n");
  EXPECT_EQ(names_behind(book).size(), 2U) << "it holds until the filter ends";
  std::ofstream(file.path()) << "weir: 1\nrules: [ { name: x, match: { nonsense: 1 }, action: allow } ]\n";
  std::string errors;
  EXPECT_EQ(names_behind(book, &errors), std::vector<std::string>{"none"});
  EXPECT_NE(errors.find("nonsense"), std::string::npos) << "a broken file is an error of the policy";
}

TEST(Answers, AreReadAsPeopleWriteThem) {
  const auto read = [](std::string_view text) {
    const auto a = parse_answer(text);
    return !a ? std::string("none") : std::string(a->allow ? "allow " : "deny ") + (a->how_long == AnswerFor::Once ? "once" : a->how_long == AnswerFor::Session ? "session" : "always");
  };
  EXPECT_EQ(read("allow"), "allow once");
  EXPECT_EQ(read(" Deny  ALWAYS "), "deny always");
  EXPECT_EQ(read("a s"), "allow session");
  EXPECT_EQ(read("d w"), "deny always");
  for (const char* wrong : {"", "yes", "allow forever", "allow once more"}) EXPECT_EQ(read(wrong), "none") << wrong;
}

}  // namespace
}  // namespace weir::service
