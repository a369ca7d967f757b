#include "model/tokenizer/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>
#include <cctype>
#include <new>

#include "core/error.h"
#include "core/utf8.h"
#include "model/in_quotes.h"

namespace kvmend {

struct Pattern::Code {
  pcre2_code* code = nullptr;
  bool jit = false;
  std::string expression, where;
  Code() = default;
  Code(const Code&) = delete;
  Code& operator=(const Code&) = delete;
  ~Code() { pcre2_code_free(code); }
};

struct Pattern::Matcher::State {
  pcre2_match_data* data = nullptr;
  pcre2_match_context* context = nullptr;
  pcre2_jit_stack* stack = nullptr;
};

namespace {

constexpr std::uint32_t compile_options = PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C;
constexpr std::size_t jit_stack_limit = std::size_t{8} << 20;
// Backtracking steps of one match: a linear pattern on 1 MiB needs a few per byte; without end is far more.
constexpr std::uint32_t match_limit = 200'000'000;

std::string message_of(int error) {
  std::array<PCRE2_UCHAR, 256> text{};
  pcre2_get_error_message(error, text.data(), text.size());
  return {reinterpret_cast<const char*>(text.data())};
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x80 && std::isalnum(static_cast<unsigned char>(c)) == 0) out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

Pattern::Pattern(std::string_view expression, const std::string& where) {
  const std::size_t bad = utf8::find_invalid(expression);
  if (bad != expression.size()) fail(ErrorKind::data, "{}: the pattern is no UTF-8 at byte {}", where, bad);
  const std::string ours = translate_pattern(expression, where);
  auto code = std::make_shared<Code>();
  code->expression = expression;
  code->where = where;
  int error = 0;
  PCRE2_SIZE offset = 0;
  code->code =
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(ours.data()), ours.size(), compile_options, &error, &offset, nullptr);
  if (code->code == nullptr) {
    fail(ErrorKind::data, "{}: the pattern {} does not compile: {}", where, in_quotes(expression), message_of(error));
  }
  code->jit = pcre2_jit_compile(code->code, PCRE2_JIT_COMPLETE) == 0;
  code_ = std::move(code);
}

Pattern Pattern::literal(std::string_view text, const std::string& where) { return {escaped(text), where}; }

void Pattern::Matcher::Free::operator()(State* state) const {
  pcre2_jit_stack_free(state->stack);
  pcre2_match_context_free(state->context);
  pcre2_match_data_free(state->data);
  delete state;
}

Pattern::Matcher::Matcher(const Pattern& pattern) : pattern_(pattern), state_(new State) {
  state_->data = pcre2_match_data_create_from_pattern(pattern.code_->code, nullptr);
  state_->context = pcre2_match_context_create(nullptr);
  if (state_->data == nullptr || state_->context == nullptr) throw std::bad_alloc();
  pcre2_set_match_limit(state_->context, match_limit);
}

bool Pattern::Matcher::find(std::string_view text, std::size_t from, TextRange& match) {
  const Code& code = *pattern_.code_;
  const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
  const auto search = [&](std::uint32_t options) {
    return pcre2_match(code.code, subject, text.size(), from, options | PCRE2_NO_UTF_CHECK, state_->data,
                       state_->context);
  };
  int found = code.jit ? pcre2_jit_match(code.code, subject, text.size(), from, PCRE2_NO_UTF_CHECK, state_->data,
                                         state_->context)
                       : search(0);
  if (found == PCRE2_ERROR_JIT_STACKLIMIT && state_->stack == nullptr) {
    // The machine stack is enough for every published pattern; an odd one gets a larger stack, then the interpreter.
    state_->stack = pcre2_jit_stack_create(std::size_t{32} << 10, jit_stack_limit, nullptr);
    pcre2_jit_stack_assign(state_->context, nullptr, state_->stack);
    found = search(0);
  }
  if (found == PCRE2_ERROR_JIT_STACKLIMIT) found = search(PCRE2_NO_JIT);
  if (found == PCRE2_ERROR_NOMATCH) return false;
  if (found < 0) {
    fail(ErrorKind::data, "{}: the pattern {} cannot split {} bytes of text from byte {} on: {}", code.where,
         in_quotes(code.expression), text.size(), from, message_of(found));
  }
  const PCRE2_SIZE* ends = pcre2_get_ovector_pointer(state_->data);
  match = {static_cast<std::uint32_t>(ends[0]), static_cast<std::uint32_t>(ends[1])};
  return true;
}

}  // namespace kvmend
