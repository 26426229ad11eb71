// Regular expressions in linear time: a thin C face of RE2.
#ifndef TOCSIN_CRE2_H
#define TOCSIN_CRE2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cre2_pattern cre2_pattern;

// Compiles a pattern with at most `memory` bytes. NULL where it is no pattern: the reason is written to `error`, with a
// zero at its end.
cre2_pattern *cre2_compile(const char *pattern, size_t length, int64_t memory, char *error, size_t error_size);
void cre2_free(cre2_pattern *pattern);

// Whether some part of the text matches. Any number of threads may ask at a time.
bool cre2_matches(const cre2_pattern *pattern, const char *text, size_t length);

#ifdef __cplusplus
}
#endif

#endif
