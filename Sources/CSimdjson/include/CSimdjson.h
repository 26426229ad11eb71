// The declared fields of a JSON document, found in one walk over it: a thin C face of simdjson's on-demand parser.
#ifndef TOCSIN_CSIMDJSON_H
#define TOCSIN_CSIMDJSON_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Bytes that must be readable after the end of a document.
enum { csj_padding = 64 };
// Objects and arrays within each other.
enum { csj_depth_max = 64 };

// What stands at a declared place.
typedef enum csj_kind {
  csj_missing,
  csj_null,
  csj_false,
  csj_true,
  csj_number,  // text: the token
  csj_string,  // text: the unescaped content, in the document or in the decoder's arena
  csj_array,   // elements
  csj_object,
} csj_kind;

typedef enum csj_status {
  csj_ok,
  csj_empty,
  csj_not_json,
  csj_invalid_utf8,
  csj_not_an_object,
  csj_duplicate_key,  // field: the declared field concerned
  csj_too_deep,
  csj_out_of_memory,
} csj_status;

typedef struct csj_slot {
  const uint8_t *text;
  size_t length;
  uint32_t first_element;
  uint32_t element_count;
  uint8_t kind;
} csj_slot;

typedef struct csj_decoder csj_decoder;

// NULL where there is no memory.
csj_decoder *csj_decoder_new(void);
void csj_decoder_free(csj_decoder *decoder);

// Declares the place of the next field: the unescaped reference tokens of a JSON Pointer. Returns the field's number.
int csj_add_field(csj_decoder *decoder, const char *const *tokens, size_t count);

// Finds the declared fields. `slots` has room for all of them. Strings with escapes are unescaped into the decoder's
// arena, which keeps them until csj_reset.
csj_status csj_decode(csj_decoder *decoder, const uint8_t *json, size_t length, csj_slot *slots, int *field);

// The elements of the arrays of the last document.
const csj_slot *csj_elements(const csj_decoder *decoder);

// Forgets the unescaped strings.
void csj_reset(csj_decoder *decoder);

// Room for `length` bytes in the arena, aligned to 16; NULL where there is no memory. It stands until csj_reset.
uint8_t *csj_allocate(csj_decoder *decoder, size_t length);

#ifdef __cplusplus
}
#endif

#endif
