/* Messages of PROTOCOL App. A as far as a device needs them: what it reads, what it writes. */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cbor.h"
#include "ring.h"

/* Without `rx` a server sends a device at most this (§14). */
#define TG_MESSAGE_MAX 1024
#define TG_URL_MAX 256

enum tg_kind {
  TG_HELLO, TG_WELCOME, TG_DEF, TG_DATA, TG_FLOW, TG_PING, TG_REJECT, TG_AWAY, TG_SUB, TG_STATE, TG_END
};

enum { TG_BAD_FRAME = 4000, TG_BAD_STATE = 4001, TG_UNSUPPORTED = 4005 };

/* One message of the server. What is absent is 0 or false. */
struct tg_message {
  enum tg_kind kind;
  uint64_t c, n; /* n ≥ 1 if the message names a frame */
  uint64_t e;
  uint64_t ep;
  uint64_t hb;
  uint64_t dl;
  uint64_t w;
  uint64_t why;
  uint64_t dur;
  bool has_w;
  bool has_echo;
  int64_t now, echo;
  char to[TG_URL_MAX]; /* empty if absent, or longer than any URL we would follow */
  struct {
    bool flows, granted;
    uint64_t ack, lim, qos, mf;
  } lane[TG_LANES];
};

/* Reads one message without allocating. Returns 0, or the code that says what is wrong with it. */
int tg_parse(const uint8_t *bytes, size_t length, struct tg_message *message);

struct tg_column {
  const char *name;
  const char *unit; /* empty: none */
  float scale;      /* 0: text, which has none */
};

struct tg_set {
  unsigned id;
  int lane;
  const struct tg_column *columns;
  size_t count;
};

struct tg_ask {
  uint64_t ep; /* 0: none */
  uint64_t first[TG_LANES];
  uint64_t hop;
  int64_t now;
  const char *ua;
};

/* Each writes one message and returns its length, 0 if it does not fit in `room`. */
size_t tg_write_hello(uint8_t *out, size_t room, const struct tg_ask *ask);
size_t tg_write_def(uint8_t *out, size_t room, const struct tg_set *set);
/* `backlog` in cost, per lane; a lane with 0 is left out, and `bl` with them all. */
size_t tg_write_ping(uint8_t *out, size_t room, const uint64_t *backlog, int64_t now);

struct tg_head {
  int lane;
  uint64_t n, lost;
  bool has_backlog;
  uint64_t backlog;
};

/* Writes the head so that it ends where the blocks begin, and returns where it starts. */
uint8_t *tg_write_head(uint8_t *blocks, const struct tg_head *head);
/* How long that head is. */
size_t tg_head_length(const struct tg_head *head);

/* The blocks of a frame, with their key: one block of `rows` rows of int16 columns, or one text. */
struct tg_rows {
  unsigned set;
  int64_t time;   /* µs */
  double step;    /* µs */
  size_t count;   /* rows */
  size_t columns; /* values of one row stand side by side */
  const int16_t *values;
};

size_t tg_write_rows(uint8_t *out, size_t room, const struct tg_rows *rows);
size_t tg_write_text(uint8_t *out, size_t room, unsigned set, int64_t time, const char *text);

#endif
