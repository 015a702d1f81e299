/* Mutated bytes into everything that reads what a peer sent. Built with the address and undefined
 * behaviour sanitizers, so that one byte too far ends it.
 *   fuzz ROUNDS SEED          prints `N inputs, N understood`
 *   fuzz ROUNDS SEED print    prints `HEX CODE` per message instead, to compare with another parser */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tidegate.h"
#include "websocket.h"

static const char *const CORPUS[] = {
  "a8 0001 081b000668f2daf0aac9 0a1b0006427ed6f62212 0582830008191000 83011a00012342194080"
  "09828300011907c0 830101192000 13194e20 18246637516d32787618 2901", /* welcome */
  "a6 0001 0807 0a00 0582830000191000 83010019408009828300011907c0 83010119200013194e20",
  "a3 0004 0582830009191066 83011a000123431940f5 0a1b0006427ed6f81900",
  "a5 0004 0581840103190100 07 0a1a00010000 182200 182a03",
  "a2 0004 0581830106190180",
  "a4 0006 0101 0203 0b190fb4",
  "a5 0006 0101 0203 0b190fb4 0c63626164",
  "a4 0007 0b191069 0e197530 0f19ea60",
  "a4 0007 0101 0202 0b190fa0",
  "a3 0007 0b191068 0d781e7773733a2f2f67772e6578616d706c652e636f6d2f6e2f67772d372f7631",
  "a2 0007 0b190fa7",
  "a3 0004 0580 182e 82a1617801 81f6",
  "a3 0004 0580 6178 d84d440c00f9ff",
  "a3 0004 0580 1903e8 fb3ff0000000000000",
};
#define CORPUS_COUNT (sizeof CORPUS / sizeof CORPUS[0])
#define INPUT_MAX 2048

static uint64_t state;

/* xorshift64*: the same inputs for the same seed, everywhere. */
static uint32_t below(uint32_t limit) {
  state ^= state >> 12, state ^= state << 25, state ^= state >> 27;
  return limit == 0 ? 0 : (uint32_t)((state * 0x2545f4914f6cdd1du) >> 33) % limit;
}

static size_t unhex(const char *hex, uint8_t *out) {
  size_t length = 0;
  for (; *hex; hex++) {
    if (*hex == ' ') continue;
    out[length++] = (uint8_t)strtoul((char[]){hex[0], hex[1], 0}, NULL, 16);
    hex++;
  }
  return length;
}

/* Bytes that mean something at the head of an item: lengths, counts, tags, the ends of ranges. */
static uint8_t odd_byte(void) {
  static const uint8_t ODD[] = {0x00, 0x01, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x20, 0x3b, 0x5b, 0x7b, 0x80, 0x9b,
                                0x9f, 0xa0, 0xbb, 0xbf, 0xd8, 0xf4, 0xf6, 0xf7, 0xf9, 0xfb, 0xff, 0x40, 0x4d};
  return below(2) == 0 ? ODD[below(sizeof ODD)] : (uint8_t)below(256);
}

static size_t insert(uint8_t *bytes, size_t length, size_t at, size_t count) {
  if (length + count > INPUT_MAX) return length;
  memmove(bytes + at + count, bytes + at, length - at);
  for (size_t i = 0; i < count; i++) bytes[at + i] = odd_byte();
  return length + count;
}

static size_t mutate(uint8_t *bytes, size_t length) {
  size_t at = below((uint32_t)length + 1), here = length - at;
  switch (below(7)) {
    case 0: return at; /* cut */
    case 1: return insert(bytes, length, at, 1 + below(9));
    case 2: /* leave some out */
      here = below((uint32_t)(here < 9 ? here : 9) + 1);
      memmove(bytes + at, bytes + at + here, length - at - here);
      return length - here;
    case 3: { /* say a part twice */
      size_t count = below((uint32_t)(here < 40 ? here : 40) + 1);
      if (length + count > INPUT_MAX) return length;
      memmove(bytes + at + count, bytes + at, here);
      return length + count;
    }
    case 4:
      if (here > 0) bytes[at] ^= (uint8_t)(1u << below(8));
      return length;
    case 5:
      if (here > 0) bytes[at]++;
      return length;
    default:
      if (here > 0) bytes[at] = odd_byte();
      return length;
  }
}

static size_t make_message(uint8_t *bytes) {
  size_t length = unhex(CORPUS[below(CORPUS_COUNT)], bytes);
  for (uint32_t times = below(5); times > 0; times--) length = mutate(bytes, length);
  return length;
}

static void must(bool condition, const char *what) {
  if (condition) return;
  fprintf(stderr, "broken: %s\n", what);
  abort();
}

/* What holds in a device whatever a server sends. */
static void check_device(struct tg_device *device, size_t slots) {
  size_t held = 0;
  for (int lane = 0; lane < TG_LANES; lane++) {
    const struct tg_lane *own = &device->lane[lane];
    uint64_t n = 0;
    size_t count = 0;
    for (int slot = device->ring.lane[lane].first; slot != TG_NONE; slot = device->ring.frame[slot].after) {
      const struct tg_frame *frame = &device->ring.frame[slot];
      must(frame->n > n && frame->n < own->next, "numbers of a lane increase");
      must(frame->lost < frame->n, "lost < n");
      n = frame->n;
      count++;
    }
    must(count == device->ring.lane[lane].count, "the count of a lane");
    must(!own->granted || own->sent <= own->lim, "sent <= lim");
    held += count;
  }
  for (int slot = device->ring.free; slot != TG_NONE; slot = device->ring.frame[slot].after) held++;
  must(held == slots, "every slot is somewhere once");
}

static void form(struct tg_device *device) {
  uint8_t blocks[TG_BLOCKS_MAX];
  int16_t values[300] = {0};
  struct tg_rows rows = {1, 1761962400123000, 1000, 1 + below(100), 3, values};
  int lane = (int)below(TG_LANES);
  size_t length = lane == 0 ? tg_write_text(blocks, sizeof blocks, 2, 1761962400123000, "alarm")
                            : tg_write_rows(blocks, sizeof blocks, &rows);
  tg_form(device, lane, blocks, length);
}

static void send_all(struct tg_device *device) {
  size_t length;
  const uint8_t *bytes;
  unsigned checksum = 0;
  while ((bytes = tg_next(device, below(4) > 0, &length)) != NULL) {
    for (size_t i = 0; i < length; i++) checksum += bytes[i]; /* every byte is ours to read */
  }
  (void)checksum;
}

/* Copies into a block of exactly its length, so that the sanitizer sees a read beyond it. */
static uint8_t *exactly(const uint8_t *bytes, size_t length) {
  uint8_t *copy = malloc(length > 0 ? length : 1);
  must(copy != NULL, "memory");
  memcpy(copy, bytes, length);
  return copy;
}

static size_t feed_device(struct tg_device *device, const uint8_t *bytes, size_t length) {
  uint8_t *copy = exactly(bytes, length);
  for (uint32_t i = below(4); i > 0; i--) form(device);
  struct tg_answer answer = tg_take(device, copy, length);
  free(copy);
  send_all(device);
  size_t ping;
  tg_ping(device, 0, &ping);
  must(ping > 0, "a ping fits");
  check_device(device, 16);
  if (answer.order != TG_CARRY_ON) {
    tg_disconnected(device);
    must(tg_hello(device, 0, 0, "fuzz", &ping)[0] >> 5 == 5 && ping > 0, "hello is a map");
  }
  return answer.order == TG_CARRY_ON;
}

static size_t make_stream(uint8_t *bytes) {
  uint8_t payload[INPUT_MAX];
  size_t length = 0;
  for (uint32_t frames = 1 + below(4); frames > 0; frames--) {
    size_t size = below(3) == 0 ? below(126) : make_message(payload) % 126;
    if (length + 2 + size > INPUT_MAX) break;
    static const uint8_t FIRST[] = {0x82, 0x02, 0x00, 0x80, 0x89, 0x8a, 0x88, 0x81};
    bytes[length] = FIRST[below(sizeof FIRST)];
    bytes[length + 1] = (uint8_t)size;
    memcpy(bytes + length + 2, payload, size);
    length += 2 + size;
  }
  for (uint32_t times = below(4); times > 0; times--) length = mutate(bytes, length);
  return length;
}

static void feed_stream(const uint8_t *bytes, size_t length) {
  static struct ws_input input;
  memset(&input, 0, sizeof input);
  for (size_t from = 0; from < length;) {
    size_t piece = 1 + below((uint32_t)(length - from));
    uint8_t *copy = exactly(bytes + from, piece);
    const uint8_t *at = copy;
    enum ws_event event;
    do {
      event = ws_take(&input, &at, copy + piece);
      must(input.message_length <= WS_MESSAGE_MAX && input.control_length <= WS_CONTROL_MAX, "lengths");
    } while (event != WS_MORE && event != WS_FAULT);
    free(copy);
    if (event == WS_FAULT) return;
    from += piece;
  }
}

static void feed_response(void) {
  static const char GOOD[] =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nRetry-After: 12\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: tidegate.v1.cbor\r\n\r\n";
  uint8_t bytes[INPUT_MAX];
  size_t length = sizeof GOOD - 1;
  memcpy(bytes, GOOD, length);
  for (uint32_t times = below(6); times > 0; times--) length = mutate(bytes, length);
  uint8_t *copy = exactly(bytes, length);
  ws_read_response((const char *)copy, length, "dGhlIHNhbXBsZSBub25jZQ==", "tidegate.v1.cbor");
  free(copy);
}

static const struct tg_column COLUMN[] = {{"acc/x", "m/s2", 1}};
static const struct tg_set SETS[] = {{1, 1, COLUMN, 1}, {2, 0, COLUMN, 1}};

static size_t fuzz(struct tg_device *device, uint32_t rounds) {
  uint8_t bytes[INPUT_MAX];
  size_t understood = 0;
  for (uint32_t i = 0; i < rounds; i++) {
    if (i % 64 == 0) tg_open(device, SETS, 2, 16);
    /* Mostly with a session, or nearly everything would end at "before welcome". */
    bool fresh = !device->welcomed && below(8) > 0;
    size_t length = fresh ? unhex(CORPUS[1], bytes) : make_message(bytes);
    understood += feed_device(device, bytes, length);
    feed_stream(bytes, make_stream(bytes));
    feed_response();
  }
  return understood;
}

static void print_verdicts(uint32_t rounds) {
  uint8_t bytes[INPUT_MAX];
  struct tg_message message;
  for (uint32_t i = 0; i < rounds; i++) {
    size_t length = make_message(bytes);
    uint8_t *copy = exactly(bytes, length);
    for (size_t j = 0; j < length; j++) printf("%02x", copy[j]);
    printf(" %d\n", tg_parse(copy, length, &message));
    free(copy);
  }
}

int main(int argc, char **argv) {
  static struct tg_device device;
  if (argc < 3) return 64;
  uint32_t rounds = (uint32_t)strtoul(argv[1], NULL, 10);
  state = strtoull(argv[2], NULL, 10) * 0x9e3779b97f4a7c15u + 1;
  if (argc > 3) return print_verdicts(rounds), 0;
  printf("%u inputs, %zu messages understood\n", 3 * rounds, fuzz(&device, rounds));
  return 0;
}
