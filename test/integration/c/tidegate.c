#include "tidegate.h"

#include <string.h>

/* §1: what a device may form before its first welcome. */
static const uint64_t LEAST_MF[TG_LANES] = {1984, 8192};

static uint64_t max(uint64_t a, uint64_t b) {
  return a > b ? a : b;
}

void tg_open(struct tg_device *device, const struct tg_set *sets, size_t count, size_t slots) {
  memset(device, 0, sizeof *device);
  ring_open(&device->ring, slots < TG_SLOTS_MAX ? slots : TG_SLOTS_MAX);
  device->sets = sets;
  device->set_count = count;
  device->hb = TG_HB_DEFAULT;
  for (int lane = 0; lane < TG_LANES; lane++) {
    device->lane[lane].next = 1;
    device->lane[lane].mf = LEAST_MF[lane];
  }
}

/* The send cursor [R4.2-3]: looked for anew each time, because frames leave from anywhere. */
static struct tg_frame *first_unsent(struct tg_device *device, int lane) {
  const struct tg_lane *own = &device->lane[lane];
  return ring_first_above(&device->ring, lane, max(own->ack, own->last));
}

/* The ring is full: the oldest frame not sent on this connection goes, bulk before alarms, and for
 * bulk only bulk. If all were sent there is no room for the new one. */
static struct tg_frame *make_room(struct tg_device *device, int lane) {
  for (int victim = TG_LANES - 1; victim >= lane; victim--) {
    struct tg_frame *oldest = first_unsent(device, victim);
    if (oldest == NULL) continue;
    ring_drop_one(&device->ring, victim, oldest->n);
    return ring_put(&device->ring, lane, device->lane[lane].next);
  }
  return NULL;
}

bool tg_form(struct tg_device *device, int lane, const uint8_t *blocks, size_t length) {
  struct tg_lane *own = &device->lane[lane];
  device->counters.formed++;
  struct tg_frame *frame = NULL;
  /* The head may still grow, so the frame has to fit with the longest one [R5.3-3]. */
  if (length <= TG_BLOCKS_MAX && length + TG_HEAD_MAX <= own->mf) {
    frame = ring_put(&device->ring, lane, own->next);
    if (frame == NULL) frame = make_room(device, lane);
  }
  own->next++;
  if (frame == NULL) {
    ring_lose_new(&device->ring, lane);
    return false;
  }
  memcpy(frame->bytes + TG_HEAD_MAX, blocks, length);
  frame->length = length;
  return true;
}

const uint8_t *tg_hello(struct tg_device *device, uint64_t hop, int64_t now, const char *ua,
                        size_t *length) {
  struct tg_ask ask = {.ep = device->ep, .hop = hop, .now = now, .ua = ua};
  for (int lane = 0; lane < TG_LANES; lane++) {
    struct tg_frame *first = ring_first_above(&device->ring, lane, 0);
    /* Without an epoch the numbers begin at 1 and what is missing is declared by `lost` [R4.1-7]. */
    ask.first[lane] = device->ep == 0 ? 1 : first != NULL ? first->n : device->lane[lane].next;
  }
  *length = tg_write_hello(device->scratch, sizeof device->scratch, &ask);
  return device->scratch;
}

void tg_new_epoch(struct tg_device *device) {
  device->ep = 0;
  for (int lane = 0; lane < TG_LANES; lane++) {
    struct tg_lane *own = &device->lane[lane];
    own->next = ring_renumber(&device->ring, lane);
    own->ack = own->last = 0;
  }
}

static struct tg_answer closing(struct tg_answer answer, int close, int code) {
  answer.order = TG_CLOSE;
  answer.close = close;
  answer.code = code;
  return answer;
}

/* An ack at or above the next number: our memory is older than what the server was told is safe.
 * Looked at before anything is dropped [R4.2-1]. */
static bool is_stale(const struct tg_device *device, const struct tg_message *message) {
  for (int lane = 0; lane < TG_LANES; lane++) {
    if (message->lane[lane].flows && message->lane[lane].ack >= device->lane[lane].next) return true;
  }
  return false;
}

static void take_flow(struct tg_device *device, int lane, uint64_t ack, uint64_t lim) {
  struct tg_lane *own = &device->lane[lane];
  own->ack = max(own->ack, ack);
  own->lim = max(own->lim, lim);
  device->counters.acked += ring_drop_upto(&device->ring, lane, own->ack);
}

/* Retained frames longer than the largest that this node takes are dropped and declared [R5.3-3].
 * A frame that declares another may become longer by that, so the walk measures each anew. */
static void drop_too_long(struct tg_device *device, int lane) {
  uint64_t n = 0;
  struct tg_frame *frame;
  while ((frame = ring_first_above(&device->ring, lane, n)) != NULL) {
    struct tg_head head = {lane, frame->n, frame->lost, false, 0};
    n = frame->n;
    if (tg_head_length(&head) + frame->length > device->lane[lane].mf) {
      ring_drop_one(&device->ring, lane, n);
    }
  }
}

static void take_welcome(struct tg_device *device, const struct tg_message *message) {
  device->ep = message->ep;
  device->hb = message->hb > 0 ? message->hb : TG_HB_DEFAULT;
  device->defs_sent = 0;
  device->welcomed = true;
  for (int lane = 0; lane < TG_LANES; lane++) {
    struct tg_lane *own = &device->lane[lane];
    own->granted = message->lane[lane].granted;
    if (!own->granted) continue;
    own->lim = own->sent = own->last = 0;
    own->told = own->blocked = false;
    own->mf = message->lane[lane].mf;
    take_flow(device, lane, message->lane[lane].ack, message->lane[lane].lim);
    drop_too_long(device, lane);
  }
}

/* A frame that the server names would close every session to come: it is dropped, and the code says
 * nothing about us [R10.1-7]. */
static struct tg_answer take_away(struct tg_device *device, struct tg_answer answer) {
  const struct tg_message *message = &answer.message;
  answer.order = TG_LEAVE;
  answer.code = (int)(message->e > 65535 ? 65535 : message->e);
  answer.retry = message->n > 0;
  if (answer.retry) {
    if (message->c < TG_LANES) ring_drop_one(&device->ring, (int)message->c, message->n);
  } else if (message->e == 4007 || message->e == 4008) {
    tg_new_epoch(device);
  }
  return answer;
}

struct tg_answer tg_take(struct tg_device *device, const uint8_t *bytes, size_t length) {
  struct tg_answer answer = {.order = TG_CARRY_ON};
  const struct tg_message *message = &answer.message;
  int fault = tg_parse(bytes, length, &answer.message);
  if (fault != 0) {
    answer.retry = true; /* [R10.1-10] */
    return closing(answer, fault, fault);
  }
  if (message->kind == TG_AWAY) return take_away(device, answer);
  if (device->welcomed == (message->kind == TG_WELCOME)) {
    answer.retry = true;
    return closing(answer, TG_BAD_STATE, TG_BAD_STATE);
  }
  if (is_stale(device, message)) {
    tg_new_epoch(device);
    return closing(answer, 1000, 4007);
  }
  if (message->kind == TG_WELCOME) take_welcome(device, message);
  if (message->kind == TG_REJECT) device->counters.rejected++; /* the ack passes over it */
  if (message->kind == TG_FLOW) {
    answer.pong = message->has_echo;
    for (int lane = 0; lane < TG_LANES; lane++) {
      if (!message->lane[lane].flows || !device->lane[lane].granted) continue;
      take_flow(device, lane, message->lane[lane].ack, message->lane[lane].lim);
    }
  }
  return answer;
}

/* The cost of the frames of the lane that were formed and not sent, above the number n. */
static uint64_t backlog_above(struct tg_device *device, int lane, uint64_t n) {
  uint64_t cost = 0;
  const struct tg_frame *frame = ring_first_above(&device->ring, lane, n);
  while (frame != NULL) {
    struct tg_head head = {lane, frame->n, frame->lost, false, 0};
    cost += tg_head_length(&head) + frame->length + TG_OVERHEAD;
    frame = frame->after == TG_NONE ? NULL : &device->ring.frame[frame->after];
  }
  return cost;
}

/* `bl` stands in every frame that leaves a backlog, and as 0 in the one that empties it (§3.4). */
static void tell_backlog(struct tg_device *device, const struct tg_frame *frame, struct tg_head *head) {
  head->backlog = backlog_above(device, head->lane, frame->n);
  head->has_backlog = head->backlog > 0 || device->lane[head->lane].told;
  if (tg_head_length(head) + frame->length > device->lane[head->lane].mf) head->has_backlog = false;
}

static const uint8_t *next_frame(struct tg_device *device, int lane, size_t *length) {
  struct tg_lane *own = &device->lane[lane];
  struct tg_frame *frame = own->granted ? first_unsent(device, lane) : NULL;
  own->blocked = false;
  if (frame == NULL) return NULL;
  struct tg_head head = {lane, frame->n, frame->lost, false, 0};
  tell_backlog(device, frame, &head);
  uint64_t cost = tg_head_length(&head) + frame->length + TG_OVERHEAD;
  own->blocked = own->sent + cost > own->lim;
  if (own->blocked) return NULL;
  own->sent += cost;
  own->last = frame->n;
  own->told = head.has_backlog && head.backlog > 0;
  device->counters.sent++;
  *length = (size_t)(cost - TG_OVERHEAD);
  return tg_write_head(frame->bytes + TG_HEAD_MAX, &head);
}

static const uint8_t *next_def(struct tg_device *device, size_t *length) {
  while (device->defs_sent < device->set_count) {
    const struct tg_set *set = &device->sets[device->defs_sent++];
    if (!device->lane[set->lane].granted) continue; /* it would close the session [R4.1-20] */
    *length = tg_write_def(device->scratch, sizeof device->scratch, set);
    return device->scratch;
  }
  return NULL;
}

const uint8_t *tg_next(struct tg_device *device, bool bulk, size_t *length) {
  if (!device->welcomed || device->leaving) return NULL;
  const uint8_t *bytes = next_def(device, length);
  for (int lane = 0; bytes == NULL && lane < (bulk ? TG_LANES : 1); lane++) {
    bytes = next_frame(device, lane, length);
  }
  return bytes;
}

const uint8_t *tg_ping(struct tg_device *device, int64_t now, size_t *length) {
  uint64_t backlog[TG_LANES];
  for (int lane = 0; lane < TG_LANES; lane++) {
    const struct tg_lane *own = &device->lane[lane];
    backlog[lane] = own->granted ? backlog_above(device, lane, max(own->ack, own->last)) : 0;
  }
  *length = tg_write_ping(device->scratch, sizeof device->scratch, backlog, now);
  return device->scratch;
}

void tg_disconnected(struct tg_device *device) {
  device->welcomed = device->leaving = false;
  for (int lane = 0; lane < TG_LANES; lane++) device->lane[lane].blocked = false;
}

size_t tg_retained(const struct tg_device *device) {
  size_t count = 0;
  for (int lane = 0; lane < TG_LANES; lane++) count += device->ring.lane[lane].count;
  return count;
}

bool tg_is_blocked(const struct tg_device *device) {
  for (int lane = 0; lane < TG_LANES; lane++) {
    if (device->lane[lane].blocked) return true;
  }
  return false;
}
