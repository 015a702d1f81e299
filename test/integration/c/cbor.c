#include "cbor.h"

#include <string.h>

enum { UINT = 0, NEGATIVE = 1, BYTES = 2, TEXT = 3, ARRAY = 4, MAP = 5, TAG = 6, SIMPLE = 7 };

static size_t left(const struct cbor_reader *reader) {
  return (size_t)(reader->end - reader->at);
}

static uint64_t big_endian(const uint8_t *at, size_t bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes; i++) value = value << 8 | at[i];
  return value;
}

/* The first byte and the argument behind it; additional information 28 to 31 is outside the
 * profile. For SIMPLE the argument is the bits of the float, or the number of the value. */
static bool read_head(struct cbor_reader *reader, unsigned *major, unsigned *info, uint64_t *argument) {
  if (left(reader) < 1) return false;
  *major = reader->at[0] >> 5;
  *info = reader->at[0] & 31;
  if (*info > 27) return false;
  size_t bytes = *info < 24 ? 0 : (size_t)1 << (*info - 24);
  if (left(reader) - 1 < bytes) return false;
  *argument = bytes == 0 ? *info : big_endian(reader->at + 1, bytes);
  reader->at += 1 + bytes;
  return true;
}

/* Reads a head of the major type `wanted`; otherwise the reader stays where it is. */
static bool read_typed(struct cbor_reader *reader, unsigned wanted, uint64_t *argument) {
  struct cbor_reader ahead = *reader;
  unsigned major, info;
  if (!read_head(&ahead, &major, &info, argument) || major != wanted) return false;
  *reader = ahead;
  return true;
}

bool cbor_read_uint(struct cbor_reader *reader, uint64_t *value) {
  return read_typed(reader, UINT, value) && *value <= CBOR_INTEGER_MAX;
}

bool cbor_read_int(struct cbor_reader *reader, int64_t *value) {
  uint64_t argument;
  if (read_typed(reader, UINT, &argument)) {
    *value = (int64_t)argument;
    return argument <= CBOR_INTEGER_MAX;
  }
  if (!read_typed(reader, NEGATIVE, &argument) || argument >= CBOR_INTEGER_MAX) return false;
  *value = -1 - (int64_t)argument;
  return true;
}

/* Well-formed UTF-8: no overlong form, no surrogate, nothing above U+10FFFF. */
static bool is_utf8(const uint8_t *text, size_t length) {
  size_t i = 0;
  while (i < length) {
    uint8_t first = text[i++];
    if (first < 0x80) continue;
    size_t more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
    if (first < 0xc2 || first > 0xf4 || length - i < more) return false;
    uint8_t least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    uint8_t most = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (text[i] < least || text[i] > most) return false;
    for (size_t j = 1; j < more; j++) {
      if ((text[i + j] & 0xc0) != 0x80) return false;
    }
    i += more;
  }
  return true;
}

bool cbor_read_text(struct cbor_reader *reader, const uint8_t **text, size_t *length) {
  uint64_t bytes;
  if (!read_typed(reader, TEXT, &bytes) || bytes > left(reader)) return false;
  *text = reader->at;
  *length = (size_t)bytes;
  reader->at += *length;
  return is_utf8(*text, *length);
}

/* An item takes at least one byte, so a count above the bytes left is a lie: it is refused before
 * anything loops over it [R3.1-9]. */
bool cbor_read_array(struct cbor_reader *reader, uint64_t *count) {
  return read_typed(reader, ARRAY, count) && *count <= left(reader);
}

bool cbor_read_map(struct cbor_reader *reader, uint64_t *pairs) {
  return read_typed(reader, MAP, pairs) && *pairs <= CBOR_PAIRS_MAX && *pairs <= left(reader) / 2;
}

static bool is_same(const struct cbor_key *a, const struct cbor_key *b) {
  if (a->text == NULL || b->text == NULL) return a->text == b->text && a->number == b->number;
  return a->length == b->length && memcmp(a->text, b->text, a->length) == 0;
}

bool cbor_read_key(struct cbor_reader *reader, struct cbor_keys *keys, struct cbor_key *key) {
  *key = (struct cbor_key){0};
  if (left(reader) > 0 && reader->at[0] >> 5 == TEXT) {
    if (!cbor_read_text(reader, &key->text, &key->length)) return false;
  } else if (!cbor_read_int(reader, &key->number)) {
    return false;
  }
  for (size_t i = 0; i < keys->count; i++) {
    if (is_same(&keys->key[i], key)) return false;
  }
  if (keys->count == CBOR_PAIRS_MAX) return false;
  keys->key[keys->count++] = *key;
  return true;
}

static bool skip_bytes(struct cbor_reader *reader, uint64_t length) {
  if (length > left(reader)) return false;
  reader->at += (size_t)length;
  return true;
}

/* The element width of the typed arrays of [R3.1-1], 0 for every other tag. */
static size_t width_of(uint64_t tag) {
  switch (tag) {
    case 64: case 72: return 1;
    case 69: case 77: return 2;
    case 70: case 78: case 85: return 4;
    case 71: case 79: case 86: return 8;
    default: return 0;
  }
}

static bool skip_typed_array(struct cbor_reader *reader, uint64_t tag) {
  uint64_t length;
  size_t width = width_of(tag);
  if (width == 0 || !read_typed(reader, BYTES, &length)) return false;
  return length % width == 0 && skip_bytes(reader, length);
}

static bool skip_map(struct cbor_reader *reader, int depth) {
  uint64_t pairs;
  struct cbor_keys keys;
  keys.count = 0;
  if (depth >= CBOR_DEPTH_MAX || !cbor_read_map(reader, &pairs)) return false;
  for (uint64_t i = 0; i < pairs; i++) {
    struct cbor_key key;
    if (!cbor_read_key(reader, &keys, &key) || !cbor_skip(reader, depth + 1)) return false;
  }
  return true;
}

static bool skip_array(struct cbor_reader *reader, int depth) {
  uint64_t count;
  if (depth >= CBOR_DEPTH_MAX || !cbor_read_array(reader, &count)) return false;
  for (uint64_t i = 0; i < count; i++) {
    if (!cbor_skip(reader, depth + 1)) return false;
  }
  return true;
}

bool cbor_skip(struct cbor_reader *reader, int depth) {
  if (left(reader) < 1) return false;
  unsigned major = reader->at[0] >> 5, info;
  uint64_t argument;
  int64_t number;
  const uint8_t *text;
  size_t length;
  switch (major) {
    case UINT: case NEGATIVE: return cbor_read_int(reader, &number);
    case TEXT: return cbor_read_text(reader, &text, &length);
    case ARRAY: return skip_array(reader, depth);
    case MAP: return skip_map(reader, depth);
    default: break;
  }
  if (!read_head(reader, &major, &info, &argument)) return false;
  if (major == BYTES) return skip_bytes(reader, argument);
  if (major == TAG) return skip_typed_array(reader, argument);
  return (info >= 20 && info <= 22) || info >= 25; /* false, true, null; floats */
}

static void put_bytes(struct cbor_writer *writer, const void *bytes, size_t length) {
  if (!writer->ok || (size_t)(writer->end - writer->at) < length) {
    writer->ok = false;
    return;
  }
  memcpy(writer->at, bytes, length);
  writer->at += length;
}

static void put_big_endian(struct cbor_writer *writer, uint64_t value, size_t bytes) {
  uint8_t out[8];
  for (size_t i = 0; i < bytes; i++) out[i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
  put_bytes(writer, out, bytes);
}

void cbor_put_head(struct cbor_writer *writer, unsigned major, uint64_t argument) {
  size_t bytes = argument < 24 ? 0 : argument <= 0xff ? 1 : argument <= 0xffff ? 2
               : argument <= 0xffffffff ? 4 : 8;
  static const uint8_t INFO[] = {0, 24, 25, 0, 26, 0, 0, 0, 27};
  uint8_t first = (uint8_t)(major << 5 | (bytes == 0 ? argument : INFO[bytes]));
  put_bytes(writer, &first, 1);
  put_big_endian(writer, argument, bytes);
}

void cbor_put_uint(struct cbor_writer *writer, uint64_t value) {
  cbor_put_head(writer, UINT, value);
}

void cbor_put_int(struct cbor_writer *writer, int64_t value) {
  if (value < 0) cbor_put_head(writer, NEGATIVE, (uint64_t)(-1 - value));
  else cbor_put_head(writer, UINT, (uint64_t)value);
}

void cbor_put_text(struct cbor_writer *writer, const char *text) {
  size_t length = strlen(text);
  cbor_put_head(writer, TEXT, length);
  put_bytes(writer, text, length);
}

void cbor_put_float32(struct cbor_writer *writer, float value) {
  uint32_t bits;
  uint8_t first = 0xfa;
  memcpy(&bits, &value, sizeof bits);
  put_bytes(writer, &first, 1);
  put_big_endian(writer, bits, 4);
}

void cbor_put_float64(struct cbor_writer *writer, double value) {
  uint64_t bits;
  uint8_t first = 0xfb;
  memcpy(&bits, &value, sizeof bits);
  put_bytes(writer, &first, 1);
  put_big_endian(writer, bits, 8);
}

void cbor_put_int16s(struct cbor_writer *writer, const int16_t *values, size_t count, size_t stride) {
  cbor_put_head(writer, TAG, 77);
  cbor_put_head(writer, BYTES, 2 * count);
  for (size_t i = 0; i < count; i++) {
    uint16_t bits = (uint16_t)values[i * stride];
    uint8_t out[2] = {(uint8_t)bits, (uint8_t)(bits >> 8)};
    put_bytes(writer, out, 2);
  }
}
