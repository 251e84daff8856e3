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
#include "policy/glob_set.h"

namespace weir::policy {

namespace {

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
  /// Numbers from 1.
  std::string_view at(std::uint32_t number) const {
    const std::size_t start = number == 1 ? 0 : ends_[number - 2];
    return std::string_view(arena_).substr(start, ends_[number - 1] - start);
  }

 private:
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

/// What the library says, in our words where its own do not help.
std::string plain_message(std::string_view said) {
  const auto has = [&](std::string_view part) { return said.find(part) != said.npos; };
  const std::string_view why = ": every expression is matched in one pass over the text";
  if (has("Back-reference") || has("eference")) return std::string("back-references and recursion are not supported").append(why);
  if (has("Zero-width")) return std::string("lookahead and lookbehind are not supported").append(why);
  if (has("Atomic") || has("Possessive"))
    return std::string("atomic groups and possessive repeats are not supported").append(why);
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
  GlobSet globs;
  std::vector<std::string> regexes;  ///< As written, by their id in the database.
  std::unique_ptr<hs_database_t, DatabaseFree> database;
  std::unique_ptr<hs_scratch_t, ScratchFree> scratch;

  unsigned flags() const {
    return HS_FLAG_SINGLEMATCH | HS_FLAG_DOTALL | HS_FLAG_ALLOWEMPTY | (fold ? unsigned{HS_FLAG_CASELESS} : 0U);
  }
  std::optional<std::string> refuse(const std::string& regex) const;
  void compile(std::vector<Problem>& problems);
  void give_up(std::size_t first, std::size_t last, std::string_view message, std::vector<Problem>& problems);
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

void TextSet::Compiled::give_up(std::size_t first, std::size_t last, std::string_view message, std::vector<Problem>& problems) {
  for (std::size_t id = first; id < last; ++id) problems.push_back({regexes[id], std::string(message)});
  regexes.erase(regexes.begin() + static_cast<std::ptrdiff_t>(first), regexes.begin() + static_cast<std::ptrdiff_t>(last));
}

void TextSet::Compiled::compile(std::vector<Problem>& problems) {
  while (!regexes.empty()) {
    std::vector<const char*> texts;
    std::vector<unsigned> ids;
    for (const std::string& regex : regexes) {
      ids.push_back(static_cast<unsigned>(texts.size()));
      texts.push_back(regex.c_str());
    }
    const std::vector<unsigned> each_flags(texts.size(), flags());
    hs_database_t* made = nullptr;
    hs_compile_error_t* error = nullptr;
    if (hs_compile_multi(texts.data(), each_flags.data(), ids.data(), static_cast<unsigned>(texts.size()), HS_MODE_BLOCK, nullptr,
                         &made, &error) == HS_SUCCESS) {
      database.reset(made);
      hs_scratch_t* working = nullptr;
      if (hs_alloc_scratch(database.get(), &working) == HS_SUCCESS) return scratch.reset(working);
      database.reset();
      return give_up(0, regexes.size(), "no memory to match it with", problems);
    }
    const int culprit = error != nullptr ? error->expression : -1;
    const std::string message =
        plain_message(error != nullptr && error->message != nullptr ? error->message : "it does not compile");
    hs_free_compile_error(error);
    const bool one = culprit >= 0 && static_cast<std::size_t>(culprit) < regexes.size();
    const std::size_t first = one ? static_cast<std::size_t>(culprit) : 0;
    give_up(first, one ? first + 1 : regexes.size(), message, problems);
  }
}

TextSet TextSet::build(Source source, std::vector<Problem>& problems) {
  TextSet set;
  set.compiled_ = std::make_unique<Compiled>();
  Compiled& c = *set.compiled_;
  c.fold = source.fold_case;
  std::vector<std::string> globs;
  for (std::string& glob : source.globs)
    (glob.find_first_of("*?") == glob.npos ? source.exact : globs).push_back(std::move(glob));
  c.exact.build(source.exact, c.fold);
  c.globs.build(std::move(globs), c.fold);
  source.exact = {};

  const bool able = source.regexes.empty() || hs_valid_platform() == HS_SUCCESS;
  for (std::string& regex : source.regexes) {
    std::optional<std::string> message = "this processor lacks what the pattern matcher needs (SSE4.2 on x86-64)";
    if (able) message = c.refuse(regex);
    if (message) problems.push_back({std::move(regex), std::move(*message)});
    else c.regexes.push_back(std::move(regex));
  }
  c.compile(problems);
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
  return c.exact.find(text) || c.globs.contains(text) || c.scan(text, stop_at_first) != UINT32_MAX;
}

std::string_view TextSet::find(std::string_view text) const {
  if (compiled_ == nullptr) return {};
  const Compiled& c = *compiled_;
  if (const auto exact = c.exact.find(text)) return *exact;
  if (const std::uint32_t place = c.globs.first(text); place != GlobSet::kNone) return c.globs.glob(place);
  const unsigned id = c.scan(text, keep_least);
  return id == UINT32_MAX ? std::string_view() : c.regexes[id];
}

bool TextSet::has_regexes() const { return compiled_ != nullptr && !compiled_->regexes.empty(); }

void TextSet::for_each_exact(const std::function<void(std::string_view)>& call) const {
  if (compiled_ == nullptr) return;
  for (std::uint32_t number = 1; number <= compiled_->exact.size(); ++number) call(compiled_->exact.at(number));
}

void TextSet::for_each_glob(const std::function<void(std::string_view)>& call) const {
  if (compiled_ == nullptr) return;
  for (std::uint32_t place = 0; place < compiled_->globs.size(); ++place) call(compiled_->globs.glob(place));
}

bool TextSet::same_as(const TextSet& other) const {
  if (compiled_ == nullptr || other.compiled_ == nullptr) return compiled_ == other.compiled_;
  const Compiled &a = *compiled_, &b = *other.compiled_;
  return a.fold == b.fold && a.exact == b.exact && a.globs == b.globs && a.regexes == b.regexes;
}

std::size_t TextSet::size() const {
  if (compiled_ == nullptr) return 0;
  return compiled_->exact.size() + compiled_->globs.size() + compiled_->regexes.size();
}

std::size_t TextSet::bytes() const {
  if (compiled_ == nullptr) return sizeof *this;
  const Compiled& c = *compiled_;
  std::size_t sum = sizeof *this + sizeof c + c.exact.bytes() + c.globs.bytes(), of_database = 0, of_scratch = 0;
  for (const std::string& text : c.regexes) sum += sizeof text + text.capacity();
  if (c.database != nullptr && hs_database_size(c.database.get(), &of_database) == HS_SUCCESS) sum += of_database;
  if (c.scratch != nullptr && hs_scratch_size(c.scratch.get(), &of_scratch) == HS_SUCCESS) sum += of_scratch;
  return sum;
}

TextSet::TextSet() = default;
TextSet::TextSet(TextSet&&) noexcept = default;
TextSet& TextSet::operator=(TextSet&&) noexcept = default;
TextSet::~TextSet() = default;

}  // namespace weir::policy
