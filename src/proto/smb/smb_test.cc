// SPDX-License-Identifier: Apache-2.0
#include "proto/smb/smb.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/kit/dialogue.h"

namespace weir::proto::smb {
namespace {

using namespace std::string_literals;
using kit::Dialogue;

// ---- packets as text: numbers little-endian, names UTF-16LE

std::string le(std::uint64_t value, std::size_t bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
  return out;
}
std::string u16(std::uint64_t v) { return le(v, 2); }
std::string u32(std::uint64_t v) { return le(v, 4); }
std::string u64(std::uint64_t v) { return le(v, 8); }
std::string zeros(std::size_t n) { return std::string(n, '\0'); }
std::string wide(std::string_view text) {
  std::string out;
  for (char c : text) out += std::string(1, c) + '\0';
  return out;
}
std::string frame(const std::string& message) {
  std::string out = zeros(1);
  out += static_cast<char>(message.size() >> 16), out += static_cast<char>(message.size() >> 8), out += static_cast<char>(message.size());
  return out + message;
}

struct Header {
  std::uint64_t message = 1, tree = 0, session = 0x11;
  std::uint32_t status = 0, flags = 0, next = 0;
};
enum : unsigned { kNego = 0, kSetup = 1, kTree = 3, kOpen = 5, kShut = 6, kReadIt = 8, kWriteIt = 9, kControl = 11, kSet = 17 };

/// An SMB 2 message without its frame; `body` begins at offset 64.
std::string smb2(unsigned command, const std::string& body, Header h = {}) {
  return "\xfeSMB" + u16(64) + u16(0) + u32(h.status) + u16(command) + u16(1) + u32(h.flags) + u32(h.next) + u64(h.message) + u32(0) + u32(h.tree) +
         u64(h.session) + zeros(16) + body;
}
Header answer(std::uint64_t message, std::uint64_t tree = 0, std::uint32_t status = 0) {
  return {.message = message, .tree = tree, .status = status, .flags = 1};
}
std::string negotiate_request(unsigned mode) {
  return frame(smb2(kNego, u16(36) + u16(2) + u16(mode) + u16(0) + u32(0) + zeros(16) + zeros(8) + u16(0x0202) + u16(0x0311)));
}
std::string negotiate_answer(unsigned mode, unsigned revision) {
  return frame(smb2(kNego, u16(65) + u16(mode) + u16(revision) + u16(0) + zeros(56), answer(0)));
}
std::string setup_request(const std::string& token) { return frame(smb2(kSetup, u16(25) + "\0\1"s + zeros(8) + u16(88) + u16(token.size()) + zeros(8) + token)); }
std::string tree_request(std::string_view path, std::uint64_t message) {
  return frame(smb2(kTree, u16(9) + u16(0) + u16(72) + u16(2 * path.size()) + wide(path), {.message = message}));
}
std::string tree_answer(std::uint64_t message, std::uint64_t tree, unsigned type) {
  return frame(smb2(kTree, u16(16) + le(type, 1) + zeros(13), answer(message, tree)));
}
std::string create_body(std::string_view name) { return u16(57) + zeros(42) + u16(120) + u16(2 * name.size()) + zeros(8) + wide(name); }
std::string create_request(std::string_view name, std::uint64_t message, std::uint64_t tree) {
  return frame(smb2(kOpen, create_body(name), {.message = message, .tree = tree}));
}
std::string create_answer(std::uint64_t message, std::uint64_t tree, std::uint64_t file) {
  return frame(smb2(kOpen, u16(89) + zeros(62) + u64(file) + u64(file) + zeros(8), answer(message, tree)));
}
std::string write_request(std::uint64_t file, const std::string& payload, std::uint64_t tree, std::uint64_t offset = 0) {
  return frame(smb2(kWriteIt, u16(49) + u16(112) + u32(payload.size()) + u64(offset) + u64(file) + u64(file) + zeros(16) + payload, {.message = 9, .tree = tree}));
}
/// A bind of DCE/RPC to svcctl 2.0 by NDR, context 0.
std::string svcctl_bind() {
  const std::string uuid = u32(0x367abb81) + u16(0x9844) + u16(0x35f1) + "\xad\x32\x98\xf0\x38\x00\x10\x03"s;
  const std::string body = u16(4280) + u16(4280) + u32(0) + le(1, 4) + u16(0) + le(1, 2) + uuid + u32(2) + zeros(20);
  return le(0x030b0005, 4) + u32(0x10) + u16(16 + body.size()) + u16(0) + u32(1) + body;
}
std::string call(unsigned opnum) { return le(0x03000005, 4) + u32(0x10) + u16(24 + 8) + u16(0) + u32(2) + u32(8) + u16(0) + u16(opnum) + zeros(8); }
/// NTLMSSP authenticate of alice in CORP.
std::string authenticate() {
  const std::string domain = wide("CORP"), user = wide("alice");
  const auto named = [](std::size_t size, std::size_t at) { return u16(size) + u16(size) + u32(at); };
  return "NTLMSSP\0"s + u32(3) + named(0, 64) + named(0, 64) + named(8, 64) + named(10, 72) + named(0, 64) + named(0, 64) + u32(1) + domain + user;
}

// ---- SMB 1

std::string smb1(unsigned command, const std::string& words, const std::string& bytes, bool reply = false, unsigned tree = 0, unsigned mid = 1,
                 unsigned flags2 = 0xc001, std::uint32_t status = 0) {
  return frame("\xffSMB" + le(command, 1) + u32(status) + le(reply ? 0x98 : 0x18, 1) + u16(flags2) + zeros(12) + u16(tree) + u16(77) + u16(0) + u16(mid) +
               le(words.size() / 2, 1) + words + u16(bytes.size()) + bytes);
}
std::string dialects(std::initializer_list<std::string_view> names) {
  std::string out;
  for (std::string_view name : names) out += "\2" + std::string(name) + '\0';
  return out;
}
std::string nt_answer(unsigned mode) { return smb1(0x72, u16(0) + le(mode, 1) + zeros(31), zeros(8), true); }
std::string tree1(std::string_view path, unsigned mid) {
  // AndX none, flags, password of one byte; the path starts even: 32 + 1 + 8 + 2 + 1 is.
  return smb1(0x75, u16(0xff) + u16(0) + u16(0) + u16(1), zeros(1) + wide(path) + zeros(2) + "?????" + zeros(1), false, 0xffff, mid);
}

TEST(Smb, FrameAndProtocolIdAreEnough) {
  struct Case {
    std::string client, server;
    Match smb, nbss;
  };
  const std::string request = "\x81\0\0\x44 "s + std::string(32, 'A') + '\0';
  const Case cases[] = {
      {"", "", Match::Maybe, Match::Maybe},
      {zeros(1), "", Match::Maybe, Match::No},
      {frame("\xffSMBr" + zeros(30)), "", Match::Yes, Match::No},
      {frame("\xfeSMB" + zeros(60)).substr(0, 8), "", Match::Yes, Match::No},
      {frame("\xfeSMB" + zeros(60)).substr(0, 7), "", Match::Maybe, Match::No},
      {frame("\xfdSMB" + zeros(48)), "", Match::Yes, Match::No},
      {frame("\xfcSMB" + zeros(20)), "", Match::Yes, Match::No},
      {frame("\xfeSMB" + zeros(8)), "", Match::No, Match::No},  // Too short for its header.
      {frame("\xfeSMA" + zeros(60)), "", Match::No, Match::No},
      {"", frame("\xfeSMB" + zeros(60)), Match::Yes, Match::No},  // Picked up at an answer.
      {request, "", Match::No, Match::Yes},
      {request.substr(0, 20), "", Match::No, Match::Maybe},
      {"\x81\0\0\x44 A1"s, "", Match::No, Match::No},
      {request, "\x82\0\0\0"s, Match::No, Match::Yes},
      {"GET /", "", Match::No, Match::No},
  };
  for (const Case& c : cases) {
    const Evidence evidence{.client = as_bytes(c.client), .server = as_bytes(c.server)};
    EXPECT_EQ(identify_smb(evidence), c.smb) << c.client;
    EXPECT_EQ(identify_nbss(evidence), c.nbss) << c.client;
  }
}

TEST(Nbss, SessionRequestThenSmbIsAChain) {
  Dialogue d(kNbss);
  d.client("\x81\0\0\x44"s + zeros(68)).server("\x82\0\0\0"s);
  EXPECT_FALSE(d.said("carry"));
  d.client(frame("\xffSMBr" + zeros(30)).substr(0, 8));
  EXPECT_TRUE(d.said("carry smb"));
}

TEST(Smb, ServerChoosesTheDialect) {
  struct Case {
    unsigned client, server, revision;
    std::string_view facts;
  };
  const Case cases[] = {
      {1, 1, 0x0202, "smb.dialect=2.0.2 smb.signing=enabled"}, {0, 0, 0x0210, "smb.dialect=2.1 smb.signing=none"},
      {3, 1, 0x0300, "smb.dialect=3.0 smb.signing=required"},  {1, 3, 0x0302, "smb.dialect=3.0.2 smb.signing=required"},
      {0, 1, 0x0311, "smb.dialect=3.1.1 smb.signing=enabled"},
  };
  for (const Case& c : cases) {
    Dialogue d(kSmb);
    d.client(negotiate_request(c.client));
    EXPECT_EQ(d.facts(), "smb.command=negotiate");
    d.server(negotiate_answer(c.server, c.revision));
    EXPECT_EQ(d.facts(), std::string(c.facts) + " smb.command=negotiate");
  }
}

TEST(Smb, MultiProtocolAnswerIsNotFinal) {
  Dialogue d(kSmb);
  d.client(smb1(0x72, "", dialects({"NT LM 0.12", "SMB 2.002", "SMB 2.???"})));
  EXPECT_EQ(d.state_of(kDialect), FactState::NotYet);
  d.server(negotiate_answer(1, 0x02ff));
  EXPECT_EQ(d.state_of(kDialect), FactState::NotYet);
  EXPECT_EQ(d.state_of(kSigning), FactState::NotYet);
  d.client(negotiate_request(1)).server(negotiate_answer(3, 0x0311));
  EXPECT_EQ(d.facts(), "smb.dialect=3.1.1 smb.signing=required smb.command=negotiate");
}

TEST(Smb, Smb1IsCertainWhereNothingNewerIsOffered) {
  Dialogue d(kSmb);
  d.client(smb1(0x72, "", dialects({"PC NETWORK PROGRAM 1.0", "LANMAN1.0", "NT LM 0.12"})));
  EXPECT_EQ(d.facts(), "smb.dialect=1 smb.command=negotiate");
  EXPECT_EQ(d.state_of(kSigning), FactState::NotYet);
  d.server(nt_answer(0x07));
  EXPECT_EQ(d.facts(), "smb.dialect=1 smb.signing=enabled smb.command=negotiate");
}

TEST(Smb, Smb1ServerMayChooseItAmongNewer) {
  Dialogue d(kSmb);
  d.client(smb1(0x72, "", dialects({"NT LM 0.12", "SMB 2.002"}))).server(nt_answer(0x0f));
  EXPECT_EQ(d.facts(), "smb.dialect=1 smb.signing=required smb.command=negotiate");
}

TEST(Smb, LanmanHasNoSigning) {
  Dialogue d(kSmb);
  d.client(smb1(0x72, "", dialects({"LANMAN1.0", "SMB 2.002"}))).server(smb1(0x72, u16(0) + u16(3) + zeros(22), "", true));
  EXPECT_EQ(d.facts(), "smb.dialect=1 smb.signing=none smb.command=negotiate");
}

TEST(Smb, SessionSetupSaysWhoAndTheAnswerHow) {
  Dialogue d(kSmb);
  d.client(negotiate_request(1)).server(negotiate_answer(1, 0x0311));
  d.client(setup_request(authenticate()));
  EXPECT_EQ(d.facts(), "smb.dialect=3.1.1 smb.signing=enabled smb.command=session-setup auth.user=alice auth.realm=CORP auth.scheme=ntlm");
  d.server(frame(smb2(kSetup, u16(9) + zeros(6), answer(1, 0, 0xC000006D))));  // STATUS_LOGON_FAILURE
  EXPECT_EQ(d.facts(), "smb.dialect=3.1.1 smb.signing=enabled smb.command=session-setup auth.user=alice auth.realm=CORP auth.result=failed");
}

TEST(Smb, MoreProcessingIsNoResult) {
  Dialogue d(kSmb);
  d.client(setup_request(authenticate())).server(frame(smb2(kSetup, u16(9) + zeros(6), answer(1, 0, 0xC0000016))));
  EXPECT_FALSE(d.said("auth.result"));
}

TEST(Smb, ShareIsTheLastComponentAndHoldsForLaterCommands) {
  Dialogue d(kSmb);
  d.client(tree_request("\\\\dc1.corp\\ADMIN$", 4));
  EXPECT_TRUE(d.said("smb.command=tree-connect smb.share=ADMIN$"));
  d.server(tree_answer(4, 7, 1)).client(create_request("Temp\\PSEXESVC.exe", 5, 7));
  EXPECT_TRUE(d.said("smb.command=create smb.share=ADMIN$ smb.file=Temp\\PSEXESVC.exe"));
  EXPECT_TRUE(d.said("file.name=PSEXESVC.exe"));
  d.server(create_answer(5, 7, 0x99)).client(write_request(0x99, "MZ" + zeros(6), 7, 100));
  EXPECT_TRUE(d.said("smb.command=write smb.share=ADMIN$ smb.file=Temp\\PSEXESVC.exe"));
  EXPECT_TRUE(d.said("file.bytes=108"));
  EXPECT_FALSE(d.said("smb.pipe"));
}

TEST(Smb, UnknownTreeHidesTheShareAndTakesANameForEither) {
  Dialogue d(kSmb);
  d.client(create_request("svcctl", 5, 7));
  EXPECT_TRUE(d.said("smb.share=hidden smb.pipe=svcctl smb.file=svcctl"));
}

TEST(Smb, PipesAreOpenedOnIpc) {
  for (const std::string_view name : {"svcctl", "\\svcctl", "\\PIPE\\svcctl", "pipe\\svcctl"}) {
    Dialogue d(kSmb);
    d.client(tree_request("\\\\dc1\\ipc$", 4)).server(tree_answer(4, 7, 2)).client(create_request(name, 5, 7));
    EXPECT_TRUE(d.said("smb.command=create smb.share=ipc$ smb.pipe=svcctl")) << name;
    EXPECT_FALSE(d.said("smb.file")) << name;
  }
}

TEST(Smb, PipesCarryDceRpc) {
  // The kit prints the rows of one protocol: give it both's.
  std::vector<FieldRow> rows(std::begin(kFields), std::end(kFields));
  rows.insert(rows.end(), std::begin(dcerpc::kFields), std::end(dcerpc::kFields));
  Protocol both = kSmb;
  both.fields = rows;
  Dialogue d(both);
  d.client(tree_request("\\\\dc1\\IPC$", 4)).server(tree_answer(4, 7, 2));
  d.client(create_request("svcctl", 5, 7)).server(create_answer(5, 7, 0x99));
  d.client(write_request(0x99, svcctl_bind(), 7));
  EXPECT_TRUE(d.said("smb.command=write smb.share=IPC$ smb.pipe=svcctl smb.encrypted=false dcerpc.interface=svcctl")) << d.outcome();
  const std::string payload = call(12);
  d.client(frame(smb2(kControl, u16(57) + u16(0) + u32(0x0011C017) + u64(0x99) + u64(0x99) + u32(120) + u32(payload.size()) + zeros(24) + payload,
                      {.message = 6, .tree = 7})));
  EXPECT_TRUE(d.said("smb.command=ioctl smb.share=IPC$ smb.pipe=svcctl smb.encrypted=false dcerpc.interface=svcctl dcerpc.opnum=12")) << d.outcome();
}

TEST(Smb, ChainsAreReadCommandByCommand) {
  Dialogue d(kSmb);
  d.client(tree_request("\\\\fs\\public", 4)).server(tree_answer(4, 7, 1));
  // Create, and a close of what it opens: related, so without tree and file of its own.
  std::string create = create_body("notes.txt");
  create += zeros((8 - create.size() % 8) % 8);
  const std::string first = smb2(kOpen, create, {.message = 5, .tree = 7, .next = static_cast<std::uint32_t>(64 + create.size())});
  const std::string second = smb2(kShut, u16(24) + zeros(6) + std::string(16, '\xff'), {.message = 6, .tree = 0xffffffff, .session = ~0ULL, .flags = 4});
  d.client(frame(first + second));
  EXPECT_TRUE(d.said("smb.command=create smb.share=public smb.file=notes.txt"));
  EXPECT_TRUE(d.said("smb.command=close smb.share=public smb.file=notes.txt"));
  EXPECT_FALSE(d.said("flaw"));
}

TEST(Smb, ABrokenChainIsAFlaw) {
  for (const std::uint32_t next : {8U, 65U, 63U, 100000U}) {
    Dialogue d(kSmb);
    d.client(frame(smb2(13, u16(4) + u16(0), {.next = next})));
    EXPECT_TRUE(d.said("flaw bad-length")) << next;
  }
}

TEST(Smb, InterimAnswersOpenNothing) {
  Dialogue d(kSmb);
  d.client(tree_request("\\\\fs\\public", 4)).server(tree_answer(4, 7, 1)).client(create_request("a", 5, 7));
  d.server(frame(smb2(kOpen, u16(9) + zeros(7), {.message = 5, .status = 0x103, .flags = 3})));
  d.server(create_answer(5, 7, 0x99)).client(write_request(0x99, "x", 7));
  EXPECT_TRUE(d.said("smb.command=write smb.share=public smb.file=a"));
}

TEST(Smb, DeleteAndRenameOfSmb2AreSetInfo) {
  struct Case {
    unsigned info_class;
    char first;
    std::string_view word;
  };
  for (const Case& c : {Case{10, 0, "rename"}, Case{13, 1, "delete"}, Case{13, 0, "set-info"}, Case{64, 1, "delete"}, Case{4, 1, "set-info"}}) {
    Dialogue d(kSmb);
    d.client(frame(smb2(kSet, u16(33) + le(1, 1) + le(c.info_class, 1) + u32(8) + u16(96) + zeros(6) + zeros(16) + std::string(1, c.first) + zeros(7))));
    EXPECT_TRUE(d.said("smb.command=" + std::string(c.word))) << c.word;
  }
}

TEST(Smb, EncryptedMessagesHideTheirCommand) {
  Dialogue d(kSmb);
  d.client(negotiate_request(1)).server(negotiate_answer(1, 0x0311));
  d.client(frame("\xfdSMB" + zeros(48) + std::string(200, 'x')));
  EXPECT_TRUE(d.said("smb.command=hidden smb.share=hidden smb.pipe=hidden smb.file=hidden smb.encrypted=true")) << d.outcome();
}

TEST(Smb, CompressedMessagesSaySo) {
  Dialogue d(kSmb);
  d.client(frame("\xfcSMB" + zeros(12) + std::string(200, 'x')));
  EXPECT_TRUE(d.said("smb.compressed=true"));
}

TEST(Smb, Smb1TreeFileAndPipe) {
  Dialogue d(kSmb);
  d.client(smb1(0x72, "", dialects({"NT LM 0.12"}))).server(nt_answer(3));
  d.client(tree1("\\\\SERVER\\C$", 3));
  EXPECT_TRUE(d.said("smb.command=tree-connect smb.share=C$"));
  d.server(smb1(0x75, u16(0xff) + u16(0) + u16(1), "A:" + zeros(1), true, 12, 3));
  const std::string name = "\\a.txt";
  d.client(smb1(0xa2, u16(0xff) + u16(0) + zeros(1) + u16(2 * name.size()) + zeros(41), zeros(1) + wide(name), false, 12, 4));
  EXPECT_TRUE(d.said("smb.command=create smb.share=C$ smb.file=\\a.txt")) << d.outcome();
  d.client(smb1(0x06, u16(6), "\4" + wide("\\old.txt") + zeros(2), false, 12, 5));
  EXPECT_TRUE(d.said("smb.command=delete smb.share=C$ smb.file=\\old.txt")) << d.outcome();
}

TEST(Smb, Smb1PlainSessionSetupNamesTheAccount) {
  Dialogue d(kSmb);
  d.client(smb1(0x72, "", dialects({"NT LM 0.12"}))).server(nt_answer(3));
  const std::string words = u16(0xff) + u16(0) + u16(4096) + u16(2) + u16(1) + u32(0) + u16(2) + u16(2) + u32(0) + u32(0);
  // Two one-word responses, then a pad to an even place, the account and the domain.
  d.client(smb1(0x73, words, "LMNT" + zeros(1) + wide("bob") + zeros(2) + wide("WG") + zeros(2)));
  EXPECT_TRUE(d.said("auth.user=bob auth.realm=WG auth.scheme=ntlm")) << d.outcome();
  d.server(smb1(0x73, u16(0xff) + u16(0) + u16(0), "", true, 0, 1, 0xc001, 0xC000006D));
  EXPECT_TRUE(d.said("auth.user=bob auth.realm=WG auth.result=failed")) << d.outcome();
}

TEST(Smb, AndXMustGoForwards) {
  Dialogue d(kSmb);
  d.client(smb1(0x74, le(0x75, 2) + u16(32), ""));  // Logoff whose next command is itself.
  EXPECT_TRUE(d.said("flaw bad-length"));
}

TEST(Smb, SessionsPickedUpInTheirMiddleHideWhatWasNegotiated) {
  Dialogue d(kSmb);
  d.client(tree_request("\\\\fs\\public", 4));
  EXPECT_EQ(d.state_of(kDialect), FactState::Hidden);
  EXPECT_EQ(d.state_of(kSigning), FactState::Hidden);
  Dialogue old(kSmb);
  old.client(tree1("\\\\fs\\public", 4));
  EXPECT_TRUE(old.said("smb.dialect=1"));
}

TEST(Smb, LargeWritesArePassedOver) {
  Dialogue d(kSmb);
  d.client(tree_request("\\\\fs\\public", 4)).server(tree_answer(4, 7, 1)).client(create_request("a", 5, 7)).server(create_answer(5, 7, 0x99));
  d.client(write_request(0x99, std::string(1 << 20, 'x'), 7)).client(create_request("b", 6, 7));
  EXPECT_TRUE(d.said("file.bytes=1048576"));
  EXPECT_TRUE(d.said("smb.file=b"));
}

TEST(Smb, TypeOfAFileComesFromItsFirstBytes) {
  Dialogue d(kSmb);
  d.client(tree_request("\\\\fs\\public", 4)).server(tree_answer(4, 7, 1)).client(create_request("a", 5, 7)).server(create_answer(5, 7, 0x99));
  d.client(write_request(0x99, "\x7f" "ELF\2\1\1"s + zeros(60), 7));
  EXPECT_TRUE(d.said("file.type=elf")) << d.outcome();
  d.client(write_request(0x99, "\x7f" "ELF\2\1\1"s + zeros(60), 7, 4096));
  EXPECT_EQ(d.state_of(field::kFileType), FactState::NotYet);
}

TEST(Smb, AFileThatIsReadTellsItsTypeToo) {
  const auto read_request = [](std::uint64_t message, std::uint64_t offset) {
    return frame(smb2(kReadIt, u16(49) + u16(0) + u32(4096) + u64(offset) + u64(0x99) + u64(0x99) + zeros(16), {.message = message, .tree = 7}));
  };
  const auto read_answer = [](std::uint64_t message, const std::string& data) {
    return frame(smb2(kReadIt, u16(17) + u16(80) + u32(data.size()) + u32(0) + u32(0) + data, answer(message, 7)));
  };
  Dialogue d(kSmb);
  d.client(tree_request("\\\\fs\\public", 4)).server(tree_answer(4, 7, 1));
  d.client(create_request("tools\\run.exe", 5, 7)).server(create_answer(5, 7, 0x99));
  d.client(read_request(11, 0) + read_request(12, 4096)).server(read_answer(11, "MZ" + zeros(1000)));
  EXPECT_TRUE(d.said("smb.command=read")) << d.outcome();
  EXPECT_TRUE(d.said("file.type=pe file.name=run.exe")) << d.outcome();
  const std::size_t said = d.log().size();
  d.server(read_answer(12, "PK\3\4" + zeros(1000)));
  EXPECT_EQ(d.log().size(), said) << "the middle of a file";
}

TEST(Smb, GarbageIsAFlaw) {
  Dialogue d(kSmb);
  d.client(frame("not SMB at all"));
  EXPECT_TRUE(d.said("flaw bad-message"));
  EXPECT_FALSE(d.done());
  d.client("\x7f\0\0\0"s);
  EXPECT_TRUE(d.done());
}

TEST(Smb, TheCutDoesNotMatter) {
  const std::string client = smb1(0x72, "", dialects({"NT LM 0.12", "SMB 2.???"})) + negotiate_request(1) + setup_request(authenticate()) +
                             tree_request("\\\\fs\\IPC$", 4) + create_request("samr", 5, 7) + write_request(0x99, svcctl_bind() + call(7), 7) +
                             frame("\xfdSMB" + zeros(90));
  Dialogue whole(kSmb), drip(kSmb);
  whole.client(client);
  drip.drip(Side::Client, client);
  EXPECT_EQ(whole.outcome(), drip.outcome());
}

}  // namespace
}  // namespace weir::proto::smb
