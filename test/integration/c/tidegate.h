/* A device of the Tidegate protocol (docs/PROTOCOL.md, App. B): epoch, lanes, ring, credit.
 * No malloc, no clock, no socket: bytes and numbers go in, bytes and what to do come out. */
#ifndef TIDEGATE_H
#define TIDEGATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "message.h"
#include "ring.h"

#define TG_OVERHEAD 64 /* cost = payload + 64 [R1-4] */
#define TG_SETS_MAX 8
#define TG_HB_DEFAULT 20000

struct tg_lane {
  bool granted;
  uint64_t next; /* the number that the next frame gets */
  uint64_t ack;
  uint64_t lim;
  uint64_t sent; /* cost sent on this connection */
  uint64_t last; /* last number sent on this connection */
  uint64_t mf;   /* largest payload of a frame */
  bool told;     /* the last frame sent told a backlog above 0 */
  bool blocked;  /* a frame waits for credit */
};

struct tg_counters {
  uint64_t formed; /* frames formed, and those that found no room */
  uint64_t sent;   /* transmissions */
  uint64_t acked;  /* frames freed by an ack; a rejected one is acked too */
  uint64_t rejected;
};

struct tg_device {
  uint64_t ep; /* 0: none */
  bool welcomed;
  bool leaving; /* the server goes away: only acks are awaited */
  struct tg_lane lane[TG_LANES];
  struct tg_ring ring;
  const struct tg_set *sets;
  size_t set_count;
  size_t defs_sent;
  uint64_t hb;
  struct tg_counters counters;
  uint8_t scratch[TG_MESSAGE_MAX];
};

/* What a message of the server asks of the connection. */
enum tg_order { TG_CARRY_ON, TG_CLOSE, TG_LEAVE };

struct tg_answer {
  enum tg_order order;
  int close;  /* TG_CLOSE: the close code we send */
  int code;   /* why, for the reconnect policy */
  bool retry; /* policy B whatever the code: the cause is gone [R10.1-7] */
  bool pong;  /* answers our ping */
  struct tg_message message;
};

/* `slots`: frames that the ring holds, at most TG_SLOTS_MAX. */
void tg_open(struct tg_device *device, const struct tg_set *sets, size_t count, size_t slots);

/* A sample or alarm is ready: `blocks` with their key become the next frame of the lane. When the
 * ring is full something is dropped, and declared. False: it was the new one. */
bool tg_form(struct tg_device *device, int lane, const uint8_t *blocks, size_t length);

/* A connection stands: the bytes of hello, the first message on it. */
const uint8_t *tg_hello(struct tg_device *device, uint64_t hop, int64_t now, const char *ua,
                        size_t *length);

/* A message of the server. */
struct tg_answer tg_take(struct tg_device *device, const uint8_t *bytes, size_t length);

/* The next message that may be sent now, or NULL. It is valid until the next call, and counts as
 * sent. Lane 0 first; bulk lanes only if `bulk`. */
const uint8_t *tg_next(struct tg_device *device, bool bulk, size_t *length);

const uint8_t *tg_ping(struct tg_device *device, int64_t now, size_t *length);

/* The connection is gone. */
void tg_disconnected(struct tg_device *device);

/* Forget the epoch, keep the frames [R4.2-6]. */
void tg_new_epoch(struct tg_device *device);

/* Frames that are not acknowledged yet. */
size_t tg_retained(const struct tg_device *device);

/* A lane has something to send and no credit for it. */
bool tg_is_blocked(const struct tg_device *device);

#endif
