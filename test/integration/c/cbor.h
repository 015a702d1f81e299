/* The CBOR profile of PROTOCOL §3.1: definite lengths, nesting at most 6, at most 32 pairs per map. */
#ifndef CBOR_H
#define CBOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CBOR_INTEGER_MAX 9007199254740991u /* 2^53 - 1, [R3.1-6] */
#define CBOR_DEPTH_MAX 6
#define CBOR_PAIRS_MAX 32

/* What is left to read. Every read checks it first and, if it does not fit, reads nothing. */
struct cbor_reader {
  const uint8_t *at;
  const uint8_t *end;
};

/* A key of a map: an integer, or a text (text not NULL), which never means a key of the page. */
struct cbor_key {
  const uint8_t *text;
  size_t length;
  int64_t number;
};

/* The keys of one map so far, to refuse one that comes twice. */
struct cbor_keys {
  struct cbor_key key[CBOR_PAIRS_MAX];
  size_t count;
};

/* Each returns false if the next item is something else or is malformed. */
bool cbor_read_uint(struct cbor_reader *reader, uint64_t *value);
bool cbor_read_int(struct cbor_reader *reader, int64_t *value);
bool cbor_read_text(struct cbor_reader *reader, const uint8_t **text, size_t *length);
bool cbor_read_array(struct cbor_reader *reader, uint64_t *count);
bool cbor_read_map(struct cbor_reader *reader, uint64_t *pairs);
bool cbor_read_key(struct cbor_reader *reader, struct cbor_keys *keys, struct cbor_key *key);

/* Skips one item of the profile that stands inside `depth` maps and arrays. */
bool cbor_skip(struct cbor_reader *reader, int depth);

/* Where to write. Once something does not fit, `ok` stays false and nothing more is written. */
struct cbor_writer {
  uint8_t *at;
  uint8_t *end;
  bool ok;
};

/* Major type and argument, in the shortest form. */
void cbor_put_head(struct cbor_writer *writer, unsigned major, uint64_t argument);
void cbor_put_uint(struct cbor_writer *writer, uint64_t value);
void cbor_put_int(struct cbor_writer *writer, int64_t value);
void cbor_put_text(struct cbor_writer *writer, const char *text);
void cbor_put_float32(struct cbor_writer *writer, float value);
void cbor_put_float64(struct cbor_writer *writer, double value);
/* Tag 77: sint16, little-endian; `stride` is the distance between two values of the column. */
void cbor_put_int16s(struct cbor_writer *writer, const int16_t *values, size_t count, size_t stride);

#define cbor_put_array(writer, count) cbor_put_head(writer, 4, count)
#define cbor_put_map(writer, pairs) cbor_put_head(writer, 5, pairs)

#endif
