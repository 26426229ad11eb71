#include "CRE2.h"

#include <re2/re2.h>

#include <cstring>
#include <new>

struct cre2_pattern {
  re2::RE2 regex;
  cre2_pattern(const re2::StringPiece &text, const re2::RE2::Options &options) : regex(text, options) {}
};

extern "C" {

cre2_pattern *cre2_compile(const char *pattern, size_t length, int64_t memory, char *error, size_t error_size) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(memory);
  auto *compiled = new (std::nothrow) cre2_pattern(re2::StringPiece(pattern, length), options);
  const char *problem = "there is no memory for it";
  if (compiled && compiled->regex.ok()) return compiled;
  if (compiled) problem = compiled->regex.error().c_str();
  if (error_size > 0) {
    std::strncpy(error, problem, error_size - 1);
    error[error_size - 1] = 0;
  }
  delete compiled;
  return nullptr;
}

void cre2_free(cre2_pattern *pattern) { delete pattern; }

bool cre2_matches(const cre2_pattern *pattern, const char *text, size_t length) {
  return re2::RE2::PartialMatch(re2::StringPiece(text, length), pattern->regex);
}

}
