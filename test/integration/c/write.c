/* Messages of a device: PROTOCOL §4.1, §5, §8, App. A, in the byte order of §17. */
#include <math.h>
#include <string.h>

#include "message.h"

static struct cbor_writer writer_on(uint8_t *out, size_t room) {
  return (struct cbor_writer){out, out + room, true};
}

static size_t length_of(const struct cbor_writer *writer, const uint8_t *out) {
  return writer->ok ? (size_t)(writer->at - out) : 0;
}

size_t tg_write_hello(uint8_t *out, size_t room, const struct tg_ask *ask) {
  struct cbor_writer writer = writer_on(out, room), *w = &writer;
  cbor_put_map(w, 4 + (ask->ep != 0) + (ask->hop != 0));
  cbor_put_uint(w, 0), cbor_put_uint(w, TG_HELLO);
  if (ask->ep != 0) cbor_put_uint(w, 8), cbor_put_uint(w, ask->ep);
  cbor_put_uint(w, 9), cbor_put_array(w, TG_LANES);
  for (unsigned lane = 0; lane < TG_LANES; lane++) {
    cbor_put_array(w, 3);
    cbor_put_uint(w, lane), cbor_put_uint(w, 1), cbor_put_uint(w, ask->first[lane]);
  }
  cbor_put_uint(w, 10), cbor_put_int(w, ask->now);
  cbor_put_uint(w, 26), cbor_put_text(w, ask->ua);
  if (ask->hop != 0) cbor_put_uint(w, 40), cbor_put_uint(w, ask->hop);
  return length_of(w, out);
}

size_t tg_write_def(uint8_t *out, size_t room, const struct tg_set *set) {
  struct cbor_writer writer = writer_on(out, room), *w = &writer;
  cbor_put_map(w, 4);
  cbor_put_uint(w, 0), cbor_put_uint(w, TG_DEF);
  cbor_put_uint(w, 1), cbor_put_uint(w, (uint64_t)set->lane);
  cbor_put_uint(w, 16), cbor_put_uint(w, set->id);
  cbor_put_uint(w, 17), cbor_put_array(w, set->count);
  for (size_t i = 0; i < set->count; i++) {
    const struct tg_column *column = &set->columns[i];
    bool is_text = column->scale == 0;
    cbor_put_array(w, is_text ? 1 : 3);
    cbor_put_text(w, column->name);
    if (!is_text) cbor_put_text(w, column->unit), cbor_put_float32(w, column->scale);
  }
  return length_of(w, out);
}

size_t tg_write_ping(uint8_t *out, size_t room, const uint64_t *backlog, int64_t now) {
  struct cbor_writer writer = writer_on(out, room), *w = &writer;
  unsigned waiting = 0;
  for (int lane = 0; lane < TG_LANES; lane++) waiting += backlog[lane] > 0;
  cbor_put_map(w, waiting > 0 ? 3 : 2);
  cbor_put_uint(w, 0), cbor_put_uint(w, TG_PING);
  if (waiting > 0) cbor_put_uint(w, 6), cbor_put_array(w, waiting);
  for (unsigned lane = 0; lane < TG_LANES; lane++) {
    if (backlog[lane] == 0) continue;
    cbor_put_array(w, 2), cbor_put_uint(w, lane), cbor_put_uint(w, backlog[lane]);
  }
  cbor_put_uint(w, 10), cbor_put_int(w, now);
  return length_of(w, out);
}

static size_t put_data_head(uint8_t *out, const struct tg_head *head) {
  struct cbor_writer writer = writer_on(out, TG_HEAD_MAX), *w = &writer;
  cbor_put_map(w, 4 + (head->lost > 0) + head->has_backlog);
  cbor_put_uint(w, 0), cbor_put_uint(w, TG_DATA);
  cbor_put_uint(w, 1), cbor_put_uint(w, (uint64_t)head->lane);
  cbor_put_uint(w, 2), cbor_put_uint(w, head->n);
  if (head->lost > 0) cbor_put_uint(w, 4), cbor_put_uint(w, head->lost);
  if (head->has_backlog) cbor_put_uint(w, 6), cbor_put_uint(w, head->backlog);
  return length_of(w, out);
}

size_t tg_head_length(const struct tg_head *head) {
  uint8_t scratch[TG_HEAD_MAX];
  return put_data_head(scratch, head);
}

uint8_t *tg_write_head(uint8_t *blocks, const struct tg_head *head) {
  uint8_t scratch[TG_HEAD_MAX];
  size_t length = put_data_head(scratch, head);
  memcpy(blocks - length, scratch, length);
  return blocks - length;
}

size_t tg_write_rows(uint8_t *out, size_t room, const struct tg_rows *rows) {
  struct cbor_writer writer = writer_on(out, room), *w = &writer;
  cbor_put_uint(w, 3), cbor_put_array(w, 1), cbor_put_map(w, 4);
  cbor_put_uint(w, 0), cbor_put_uint(w, rows->set);
  cbor_put_uint(w, 1), cbor_put_int(w, rows->time);
  cbor_put_uint(w, 2);
  if (rows->step == floor(rows->step)) cbor_put_uint(w, (uint64_t)rows->step);
  else cbor_put_float64(w, rows->step);
  cbor_put_uint(w, 4), cbor_put_array(w, rows->columns);
  for (size_t i = 0; i < rows->columns; i++) {
    cbor_put_int16s(w, rows->values + i, rows->count, rows->columns);
  }
  return length_of(w, out);
}

size_t tg_write_text(uint8_t *out, size_t room, unsigned set, int64_t time, const char *text) {
  struct cbor_writer writer = writer_on(out, room), *w = &writer;
  cbor_put_uint(w, 3), cbor_put_array(w, 1), cbor_put_map(w, 3);
  cbor_put_uint(w, 0), cbor_put_uint(w, set);
  cbor_put_uint(w, 1), cbor_put_int(w, time);
  cbor_put_uint(w, 4), cbor_put_array(w, 1);
  cbor_put_text(w, text);
  return length_of(w, out);
}
