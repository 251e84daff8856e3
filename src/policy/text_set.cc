// SPDX-License-Identifier: Apache-2.0
#include "policy/text_set.h"

#include <hs/hs.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>

#include "base/check.h"
#include "base/text.h"
#include "policy/fold.h"

namespace weir::policy {

namespace {

constexpr std::size_t kPlainMax = 8;      // So many globs of the plain kinds are compared one by one.
constexpr std::size_t kGlobBytesMax = 4096;
constexpr std::size_t kTextBytesMax = std::size_t{1} << 31;  // vectorscan counts in 32 bits.

struct DatabaseFree {
  void operator()(hs_database_t* database) const { hs_free_database(database); }
};
struct ScratchFree {
  void operator()(hs_scratch_t* scratch) const { hs_free_scratch(scratch); }
};

bool same(std::string_view a, std::string_view b, bool fold) { return fold ? equals_nocase(a, b) : a == b; }

/// Strings in one arena, found by hash. Folding compares the text as it comes: no copy of it is made.
class ExactStrings {
 public:
  void build(const std::vector<std::string>& strings, bool fold) {
    fold_ = fold;
    seed_ = fresh_seed();
    std::size_t bytes = 0, slots = 2;
    for (const std::string& text : strings) bytes += text.size();
    while (slots < strings.size() * 2) slots *= 2;
    arena_.reserve(bytes);
    slots_.assign(strings.empty() ? 0 : slots, 0);
    for (const std::string& text : strings) {
      const std::size_t slot = slot_of(text);
      if (slots_[slot] != 0) continue;
      arena_ += text;
      ends_.push_back(arena_.size());
      slots_[slot] = static_cast<std::uint32_t>(ends_.size());
    }
  }
  std::optional<std::string_view> find(std::string_view text) const {
    if (slots_.empty()) return std::nullopt;
    const std::uint32_t number = slots_[slot_of(text)];
    if (number == 0) return std::nullopt;
    return at(number);
  }
  std::size_t size() const { return ends_.size(); }
  bool operator==(const ExactStrings& other) const { return fold_ == other.fold_ && arena_ == other.arena_ && ends_ == other.ends_; }
  std::size_t bytes() const { return arena_.capacity() + ends_.capacity() * 8 + slots_.capacity() * 4; }

 private:
  std::string_view at(std::uint32_t number) const {
    const std::size_t start = number == 1 ? 0 : ends_[number - 2];
    return std::string_view(arena_).substr(start, ends_[number - 1] - start);
  }
  std::size_t slot_of(std::string_view text) const {
    std::size_t slot = hash_folded(text, seed_, fold_) & (slots_.size() - 1);
    while (slots_[slot] != 0 && !same(at(slots_[slot]), text, fold_)) slot = (slot + 1) & (slots_.size() - 1);
    return slot;
  }

  std::string arena_;
  std::vector<std::size_t> ends_;
  std::vector<std::uint32_t> slots_;  // Number of the string from 1, 0 is free; at most half are used.
  bool fold_ = false;
  std::uint64_t seed_ = 0;
};

/// A glob of the form `text*`, `*text` or `*`, which is cheap to ask by itself.
struct PlainGlob {
  std::size_t index;  // In the list of globs.
  bool suffix;
  std::string text;

  bool holds(std::string_view value, bool fold) const {
    if (value.size() < text.size()) return false;
    return same(suffix ? value.substr(value.size() - text.size()) : value.substr(0, text.size()), text, fold);
  }
};

std::optional<PlainGlob> plain_glob(std::string_view glob, std::size_t index) {
  if (glob.find('?') != glob.npos || glob.find('*') != glob.rfind('*')) return std::nullopt;
  if (glob.back() == '*') return PlainGlob{index, false, std::string(glob.substr(0, glob.size() - 1))};
  if (glob.front() == '*') return PlainGlob{index, true, std::string(glob.substr(1))};
  return std::nullopt;
}

void append_byte(std::string& regex, char c) {
  constexpr char kDigits[] = "0123456789abcdef";
  const auto byte = static_cast<std::uint8_t>(c);
  if (is_digit(c) || is_alpha(c)) regex += c;
  else regex.append("\\x").append(1, kDigits[byte >> 4]).append(1, kDigits[byte & 15]);
}

/// The same question as an expression. A star at either end needs no anchor there.
std::string regex_of_glob(std::string_view glob) {
  std::string regex;
  const bool open_front = glob.front() == '*', open_back = glob.back() == '*';
  while (!glob.empty() && glob.front() == '*') glob.remove_prefix(1);
  while (!glob.empty() && glob.back() == '*') glob.remove_suffix(1);
  if (!open_front) regex += "\\A";
  for (std::size_t i = 0; i < glob.size(); ++i) {
    if (glob[i] == '?') regex += '.';
    else if (glob[i] != '*') append_byte(regex, glob[i]);
    else if (glob[i - 1] != '*') regex += ".*";
  }
  if (!open_back) regex += "\\z";
  return regex;
}

/// What the library says, in our words where its own do not help.
std::string plain_message(std::string_view said) {
  const auto has = [&](std::string_view part) { return said.find(part) != said.npos; };
  const std::string_view why = ": every expression is matched in one pass over the text";
  if (has("Back-reference") || has("eference")) return std::string("back-references and recursion are not supported").append(why);
  if (has("Zero-width")) return std::string("lookahead and lookbehind are not supported").append(why);
  if (has("Atomic") || has("Possessive")) return std::string("atomic groups and possessive repeats are not supported").append(why);
  if (has("recursion") || has("ubroutine")) return std::string("back-references and recursion are not supported").append(why);
  if (has("Embedded") && has("anchors")) return "an anchor (^, $, \\A, \\z) may stand only where the text can begin or end";
  if (has("too large") || has("exceeds") || has("Resource limit")) return "the expression is too large to compile";
  while (!said.empty() && said.back() == '.') said.remove_suffix(1);
  return std::string("not a regular expression: ").append(said);
}

struct Least {
  unsigned id = UINT32_MAX;
};
int stop_at_first(unsigned id, unsigned long long, unsigned long long, unsigned, void* context) {
  static_cast<Least*>(context)->id = id;
  return 1;
}
int keep_least(unsigned id, unsigned long long, unsigned long long, unsigned, void* context) {
  auto& least = *static_cast<Least*>(context);
  least.id = std::min(least.id, id);
  return 0;
}

}  // namespace

struct TextSet::Compiled {
  bool fold = false;
  ExactStrings exact;
  std::vector<std::string> globs, regexes;  ///< As written; those in use are named by index below.
  std::vector<PlainGlob> plain;
  std::vector<std::size_t> odd;             ///< Globs that the library would not take.
  std::vector<std::uint32_t> scanned;       ///< Id in the database → index, in globs and beyond them in regexes.
  std::unique_ptr<hs_database_t, DatabaseFree> database;
  std::unique_ptr<hs_scratch_t, ScratchFree> scratch;

  std::string_view written(std::size_t index) const {
    return index < globs.size() ? std::string_view(globs[index]) : std::string_view(regexes[index - globs.size()]);
  }
  unsigned flags() const {
    return HS_FLAG_SINGLEMATCH | HS_FLAG_DOTALL | HS_FLAG_ALLOWEMPTY | (fold ? unsigned{HS_FLAG_CASELESS} : 0U);
  }
  std::optional<std::string> refuse(const std::string& regex) const;
  void compile_globs(std::vector<std::string>& expressions);
  void compile(std::vector<std::string> expressions, std::vector<Problem>& problems);
  void give_up(std::size_t id, std::string_view message, std::vector<Problem>& problems);
  unsigned scan(std::string_view text, match_event_handler handler) const;
};

/// Why the expression cannot be taken, if so.
std::optional<std::string> TextSet::Compiled::refuse(const std::string& regex) const {
  if (regex.find('\0') != regex.npos) return "a NUL byte cannot stand in a regular expression; write \\x00";
  hs_expr_info_t* facts = nullptr;
  hs_compile_error_t* error = nullptr;
  std::optional<std::string> message;
  if (hs_expression_info(regex.c_str(), flags(), &facts, &error) != HS_SUCCESS) {
    message = plain_message(error != nullptr && error->message != nullptr ? error->message : "it does not compile");
    hs_free_compile_error(error);
  }
  std::free(facts);
  return message;
}

void TextSet::Compiled::compile_globs(std::vector<std::string>& expressions) {
  std::vector<PlainGlob> found;
  for (std::size_t i = 0; i < globs.size(); ++i)
    if (auto glob = plain_glob(globs[i], i)) found.push_back(std::move(*glob));
  if (found.size() <= kPlainMax) plain = std::move(found);
  for (std::size_t i = 0, next = 0; i < globs.size(); ++i) {
    if (next < plain.size() && plain[next].index == i) {
      ++next;
    } else if (globs[i].size() > kGlobBytesMax) {
      odd.push_back(i);
    } else {
      expressions.push_back(regex_of_glob(globs[i]));
      scanned.push_back(static_cast<std::uint32_t>(i));
    }
  }
}

void TextSet::Compiled::give_up(std::size_t id, std::string_view message, std::vector<Problem>& problems) {
  const std::uint32_t index = scanned[id];
  if (index < globs.size()) odd.push_back(index);  // The slow way is there for globs.
  else problems.push_back({regexes[index - globs.size()], std::string(message)});
}

void TextSet::Compiled::compile(std::vector<std::string> expressions, std::vector<Problem>& problems) {
  while (!expressions.empty()) {
    std::vector<const char*> texts;
    std::vector<unsigned> ids;
    for (const std::string& expression : expressions) {
      ids.push_back(static_cast<unsigned>(texts.size()));
      texts.push_back(expression.c_str());
    }
    const std::vector<unsigned> each_flags(texts.size(), flags());
    hs_database_t* made = nullptr;
    hs_compile_error_t* error = nullptr;
    if (hs_compile_multi(texts.data(), each_flags.data(), ids.data(), static_cast<unsigned>(texts.size()), HS_MODE_BLOCK, nullptr, &made,
                         &error) == HS_SUCCESS) {
      database.reset(made);
      hs_scratch_t* working = nullptr;
      if (hs_alloc_scratch(database.get(), &working) == HS_SUCCESS) {
        scratch.reset(working);
        return;
      }
      database.reset();
      for (std::size_t id = 0; id < scanned.size(); ++id) give_up(id, "no memory to match it with", problems);
      scanned.clear();
      return;
    }
    const int culprit = error != nullptr ? error->expression : -1;
    const std::string message = plain_message(error != nullptr && error->message != nullptr ? error->message : "it does not compile");
    hs_free_compile_error(error);
    const bool one = culprit >= 0 && static_cast<std::size_t>(culprit) < expressions.size();
    const std::size_t first = one ? static_cast<std::size_t>(culprit) : 0, last = one ? first + 1 : expressions.size();
    for (std::size_t id = first; id < last; ++id) give_up(id, message, problems);
    const auto from = static_cast<std::ptrdiff_t>(first), to = static_cast<std::ptrdiff_t>(last);
    expressions.erase(expressions.begin() + from, expressions.begin() + to);
    scanned.erase(scanned.begin() + from, scanned.begin() + to);
  }
}

TextSet TextSet::build(Source source, std::vector<Problem>& problems) {
  TextSet set;
  set.compiled_ = std::make_unique<Compiled>();
  Compiled& c = *set.compiled_;
  c.fold = source.fold_case;
  for (std::string& glob : source.globs) {
    if (glob.find_first_of("*?") == glob.npos) source.exact.push_back(std::move(glob));
    else c.globs.push_back(std::move(glob));
  }
  c.exact.build(source.exact, c.fold);
  source.exact = {};

  std::vector<std::string> expressions;
  if (hs_valid_platform() != HS_SUCCESS) {
    for (std::size_t i = 0; i < c.globs.size(); ++i) c.odd.push_back(i);
    for (std::string& regex : source.regexes)
      problems.push_back({std::move(regex), "this processor lacks what the pattern matcher needs (SSE4.2 on x86-64)"});
    return set;
  }
  c.compile_globs(expressions);
  for (std::string& regex : source.regexes) {
    if (auto message = c.refuse(regex)) {
      problems.push_back({std::move(regex), std::move(*message)});
      continue;
    }
    c.scanned.push_back(static_cast<std::uint32_t>(c.globs.size() + c.regexes.size()));
    c.regexes.push_back(regex);
    expressions.push_back(std::move(regex));
  }
  c.compile(std::move(expressions), problems);
  return set;
}

/// The id that the handler kept, or UINT32_MAX.
unsigned TextSet::Compiled::scan(std::string_view text, match_event_handler handler) const {
  Least least;
  if (database == nullptr) return least.id;
  text = text.substr(0, kTextBytesMax);
  const char* at = text.empty() ? "" : text.data();
  const hs_error_t result = hs_scan(database.get(), at, static_cast<unsigned>(text.size()), 0, scratch.get(), handler, &least);
  CHECK(result == HS_SUCCESS || result == HS_SCAN_TERMINATED);  // Else two threads use the set, or memory is broken.
  return least.id;
}

bool TextSet::contains(std::string_view text) const {
  if (compiled_ == nullptr) return false;
  const Compiled& c = *compiled_;
  if (c.exact.find(text)) return true;
  for (const PlainGlob& glob : c.plain)
    if (glob.holds(text, c.fold)) return true;
  if (c.scan(text, stop_at_first) != UINT32_MAX) return true;
  return std::any_of(c.odd.begin(), c.odd.end(), [&](std::size_t i) { return glob_matches(c.globs[i], text, c.fold); });
}

std::string_view TextSet::find(std::string_view text) const {
  if (compiled_ == nullptr) return {};
  const Compiled& c = *compiled_;
  if (const auto exact = c.exact.find(text)) return *exact;
  std::size_t index = SIZE_MAX;
  for (const PlainGlob& glob : c.plain)
    if (glob.holds(text, c.fold)) index = std::min(index, glob.index);
  for (const std::size_t i : c.odd)
    if (glob_matches(c.globs[i], text, c.fold)) index = std::min(index, i);
  if (const unsigned id = c.scan(text, keep_least); id != UINT32_MAX) index = std::min<std::size_t>(index, c.scanned[id]);
  return index == SIZE_MAX ? std::string_view() : c.written(index);
}

bool TextSet::same_as(const TextSet& other) const {
  if (compiled_ == nullptr || other.compiled_ == nullptr) return compiled_ == other.compiled_;
  const Compiled &a = *compiled_, &b = *other.compiled_;
  return a.fold == b.fold && a.exact == b.exact && a.globs == b.globs && a.regexes == b.regexes;
}

std::size_t TextSet::size() const {
  if (compiled_ == nullptr) return 0;
  return compiled_->exact.size() + compiled_->plain.size() + compiled_->odd.size() + compiled_->scanned.size();
}

std::size_t TextSet::bytes() const {
  if (compiled_ == nullptr) return sizeof *this;
  const Compiled& c = *compiled_;
  std::size_t sum = sizeof *this + sizeof c + c.exact.bytes(), of_database = 0, of_scratch = 0;
  for (const auto* list : {&c.globs, &c.regexes})
    for (const std::string& text : *list) sum += sizeof text + text.capacity();
  if (c.database != nullptr && hs_database_size(c.database.get(), &of_database) == HS_SUCCESS) sum += of_database;
  if (c.scratch != nullptr && hs_scratch_size(c.scratch.get(), &of_scratch) == HS_SUCCESS) sum += of_scratch;
  return sum;
}

TextSet::TextSet() = default;
TextSet::TextSet(TextSet&&) noexcept = default;
TextSet& TextSet::operator=(TextSet&&) noexcept = default;
TextSet::~TextSet() = default;

}  // namespace weir::policy
