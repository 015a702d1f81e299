/* Messages from the server: PROTOCOL §3.1, §3.3, App. A. */
#include <string.h>

#include "message.h"

/* Keys of §3.4. */
enum {
  K = 0, C = 1, N = 2, LOST = 4, F = 5, EP = 8, CH = 9, NOW = 10, E = 11, M = 12, TO = 13, W = 14,
  DL = 15, HB = 19, ECHO_ = 34, LN = 35, SID = 36, DUR = 41, WHY = 42
};

#define BIT(key) ((uint64_t)1 << (key))

/* Which keys App. A lists for a kind, and which of them it requires. Another key is ignored. */
struct grammar {
  uint64_t listed, required;
};

static const struct grammar GRAMMAR[] = {
  [TG_WELCOME] = {
    BIT(F) | BIT(EP) | BIT(CH) | BIT(NOW) | BIT(HB) | BIT(LN) | BIT(SID) | BIT(DUR) | BIT(WHY),
    /* A session that publishes has all of these [R4.1-14]. */
    BIT(F) | BIT(EP) | BIT(CH) | BIT(NOW) | BIT(HB),
  },
  [TG_FLOW] = {BIT(F) | BIT(NOW) | BIT(ECHO_) | BIT(LN) | BIT(DUR) | BIT(WHY), BIT(F)},
  [TG_REJECT] = {BIT(C) | BIT(N) | BIT(E) | BIT(M), BIT(C) | BIT(N) | BIT(E)},
  [TG_AWAY] = {BIT(C) | BIT(N) | BIT(E) | BIT(M) | BIT(TO) | BIT(W) | BIT(DL), BIT(E)},
};

/* Reads an array of at least `least` elements and `count` uints of it; the rest may be anything
 * [R3.3-5]. Elements between `least` and `count` may be missing. */
static bool read_entry(struct cbor_reader *reader, uint64_t *out, uint64_t least, uint64_t most) {
  uint64_t count;
  if (!cbor_read_array(reader, &count) || count < least) return false;
  for (uint64_t i = 0; i < count; i++) {
    if (i < most ? !cbor_read_uint(reader, &out[i]) : !cbor_skip(reader, 3)) return false;
  }
  return true;
}

static bool read_flows(struct cbor_reader *reader, struct tg_message *message) {
  uint64_t count;
  if (!cbor_read_array(reader, &count)) return false;
  for (uint64_t i = 0; i < count; i++) {
    uint64_t entry[4] = {0}; /* c, ack, lim, dropped */
    if (!read_entry(reader, entry, 3, 4)) return false;
    if (entry[0] >= TG_LANES) continue; /* not ours [R7-4] */
    message->lane[entry[0]].flows = true;
    if (entry[1] > message->lane[entry[0]].ack) message->lane[entry[0]].ack = entry[1];
    if (entry[2] > message->lane[entry[0]].lim) message->lane[entry[0]].lim = entry[2];
  }
  return true;
}

static bool read_grants(struct cbor_reader *reader, struct tg_message *message) {
  uint64_t count;
  if (!cbor_read_array(reader, &count)) return false;
  for (uint64_t i = 0; i < count; i++) {
    uint64_t entry[3] = {0}; /* c, qos, mf */
    if (!read_entry(reader, entry, 3, 3)) return false;
    if (entry[0] >= TG_LANES) continue;
    message->lane[entry[0]].granted = true;
    message->lane[entry[0]].qos = entry[1];
    message->lane[entry[0]].mf = entry[2];
  }
  return true;
}

static bool read_url(struct cbor_reader *reader, char *out) {
  const uint8_t *text;
  size_t length;
  if (!cbor_read_text(reader, &text, &length)) return false;
  if (length < TG_URL_MAX && memchr(text, 0, length) == NULL) {
    memcpy(out, text, length);
    out[length] = 0;
  }
  return true;
}

static bool read_text(struct cbor_reader *reader) {
  const uint8_t *text;
  size_t length;
  return cbor_read_text(reader, &text, &length);
}

static bool read_value(struct cbor_reader *reader, int64_t key, struct tg_message *message) {
  uint64_t ignored;
  switch (key) {
    case C: return cbor_read_uint(reader, &message->c);
    case N: return cbor_read_uint(reader, &message->n) && message->n > 0;
    case F: return read_flows(reader, message);
    case EP: return cbor_read_uint(reader, &message->ep) && message->ep > 0;
    case CH: return read_grants(reader, message);
    case NOW: return cbor_read_int(reader, &message->now);
    case E: return cbor_read_uint(reader, &message->e);
    case M: case SID: return read_text(reader);
    case TO: return read_url(reader, message->to);
    case W: return (message->has_w = cbor_read_uint(reader, &message->w));
    case DL: return cbor_read_uint(reader, &message->dl);
    case HB: return cbor_read_uint(reader, &message->hb);
    case ECHO_: {
      message->has_echo = cbor_read_int(reader, &message->echo);
      return message->has_echo;
    }
    case LN: return cbor_read_uint(reader, &ignored);
    case DUR: return cbor_read_uint(reader, &message->dur);
    case WHY: return cbor_read_uint(reader, &message->why);
    default: return cbor_skip(reader, 1);
  }
}

/* The kind stands first; 0 if its message is one that a device may be sent. */
static int read_kind(struct cbor_reader *reader, struct tg_message *message) {
  uint64_t kind;
  if (!cbor_read_uint(reader, &kind)) return TG_BAD_FRAME;
  if (kind > TG_END) return TG_UNSUPPORTED;
  message->kind = (enum tg_kind)kind;
  switch (message->kind) {
    case TG_HELLO: case TG_PING: case TG_SUB: case TG_END: return TG_BAD_STATE;
    default: return 0;
  }
}

/* k, c, n, lost stand first and in this order [R3.1-7]: `rank` is the last one seen. One that the
 * message does not have is an unknown key, which may stand anywhere. */
static bool is_in_order(int64_t key, bool listed, int *rank) {
  int own = !listed ? 4 : key == C ? 1 : key == N ? 2 : key == LOST ? 3 : 4;
  bool ok = own >= *rank;
  *rank = own;
  return ok;
}

static int read_pairs(struct cbor_reader *reader, struct tg_message *message, uint64_t pairs,
                      struct cbor_keys *keys) {
  const struct grammar none = {0, 0};
  size_t known = sizeof GRAMMAR / sizeof GRAMMAR[0];
  struct grammar grammar = message->kind < known ? GRAMMAR[message->kind] : none;
  uint64_t seen = 0;
  int rank = 0;
  bool must_understand = false;
  for (uint64_t i = 0; i < pairs; i++) {
    struct cbor_key key;
    if (!cbor_read_key(reader, keys, &key)) return TG_BAD_FRAME;
    bool is_number = key.text == NULL;
    if (is_number && key.number < 0) must_understand = true; /* [R3.3-2] */
    bool listed = is_number && key.number >= 0 && key.number < 64 && grammar.listed & BIT(key.number);
    if (listed) seen |= BIT(key.number);
    if (!is_in_order(key.number, listed, &rank)) return TG_BAD_FRAME;
    if (listed ? !read_value(reader, key.number, message) : !cbor_skip(reader, 1)) return TG_BAD_FRAME;
  }
  if (reader->at != reader->end) return TG_BAD_FRAME;
  if (must_understand) return TG_UNSUPPORTED;
  return (seen & grammar.required) == grammar.required ? 0 : TG_BAD_FRAME;
}

int tg_parse(const uint8_t *bytes, size_t length, struct tg_message *message) {
  struct cbor_reader reader = {bytes, bytes + length};
  struct cbor_keys keys;
  struct cbor_key key;
  uint64_t pairs;
  memset(message, 0, sizeof *message);
  keys.count = 0;
  if (!cbor_read_map(&reader, &pairs) || pairs < 1) return TG_BAD_FRAME;
  if (!cbor_read_key(&reader, &keys, &key) || key.text != NULL || key.number != K) return TG_BAD_FRAME;
  int code = read_kind(&reader, message);
  return code != 0 ? code : read_pairs(&reader, message, pairs - 1, &keys);
}
