/* The pieces of the device against the bytes of PROTOCOL §17 and the rules they stand for. Prints
 * what failed, and exits 1 then. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reconnect.h"
#include "sha1.h"
#include "tidegate.h"
#include "vibration.h"
#include "websocket.h"

static int failures, checks;

#define CHECK(condition)                                                     \
  do {                                                                       \
    checks++;                                                                \
    if (!(condition)) {                                                      \
      failures++;                                                            \
      fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
    }                                                                        \
  } while (0)

static size_t unhex(const char *hex, uint8_t *out) {
  size_t length = 0;
  for (; *hex; hex++) {
    if (*hex == ' ') continue;
    out[length++] = (uint8_t)strtoul((char[]){hex[0], hex[1], 0}, NULL, 16);
    hex++;
  }
  return length;
}

static bool is_hex(const uint8_t *bytes, size_t length, const char *hex) {
  uint8_t wanted[TG_MESSAGE_MAX];
  size_t count = unhex(hex, wanted);
  if (count == length && memcmp(bytes, wanted, count) == 0) return true;
  for (size_t i = 0; i < length; i++) fprintf(stderr, "%02x ", bytes[i]);
  fprintf(stderr, "(%zu bytes)\n", length);
  return false;
}

static int parse(const char *hex, struct tg_message *message) {
  uint8_t bytes[TG_MESSAGE_MAX];
  size_t length = unhex(hex, bytes);
  return tg_parse(bytes, length, message);
}

#define SCALE ((float)(9.80665 / 16384))
static const struct tg_column AXES[] = {
  {"acc/x", "m/s2", SCALE}, {"acc/y", "m/s2", SCALE}, {"acc/z", "m/s2", SCALE},
};
static const struct tg_column ALARM[] = {{"alarm", "", 0}};
static const struct tg_set SETS[] = {{1, 1, AXES, 3}, {2, 0, ALARM, 1}};
static const int16_t TWO_ROWS[] = {12, 3, 16384, -7, 4, 16380};

static const char HELLO[] =
  "a5 0000 081b000668f2daf0aac9 098283000109 8301011a00012341 0a1b0006427ed6f5a800"
  "181a74766962 2d6e6f64652f312e342065737033327333";
static const char WELCOME[] =
  "a8 0001 081b000668f2daf0aac9 0a1b0006427ed6f62212 0582830008191000 83011a00012342194080"
  "098283000119 07c0 830101192000 13194e20 1824663751 6d327876 182901";
static const char DEF[] =
  "a4 0002 0101 1001 1183 836561 63632f78646d2f7332fa3a1ce80a 83656163632f79646d2f7332fa3a1ce80a"
  "83656163632f7a646d2f7332fa3a1ce80a";
static const char DATA[] =
  "a4 0003 0101 021a00012343 0381a4 0001 011b0006427ed6f78878 021903e8 0483"
  "d84d440c00f9ff d84d4403000400 d84d440040fc3f";
static const char FLOW[] =
  "a3 0004 0582830009191066 83011a000123431940f5 0a1b0006427ed6f81900";

static void check_encoder(void) {
  uint8_t out[TG_MESSAGE_MAX], blocks[TG_HEAD_MAX + TG_BLOCKS_MAX];
  struct tg_ask ask = {1804242124843721, {9, 74561}, 0, 1761962400000000, "vib-node/1.4 esp32s3"};
  size_t length = tg_write_hello(out, sizeof out, &ask);
  CHECK(is_hex(out, length, HELLO));
  length = tg_write_def(out, sizeof out, &SETS[0]);
  CHECK(length == 60);
  CHECK(is_hex(out, length, DEF));
  struct tg_rows rows = {1, 1761962400123000, 1000, 2, 3, TWO_ROWS};
  length = tg_write_rows(blocks + TG_HEAD_MAX, TG_BLOCKS_MAX, &rows);
  struct tg_head head = {1, 74563, 0, false, 0};
  uint8_t *start = tg_write_head(blocks + TG_HEAD_MAX, &head);
  length += (size_t)(blocks + TG_HEAD_MAX - start);
  CHECK(length == 53);
  CHECK(is_hex(start, length, DATA));
  head = (struct tg_head){1, 74567, 3, false, 0};
  start = tg_write_head(blocks + TG_HEAD_MAX, &head);
  CHECK(is_hex(start, 17, "a5 0003 0101 021a00012347 0403 0381 a400"));
  uint64_t backlog[TG_LANES] = {0, 48211};
  length = tg_write_ping(out, sizeof out, backlog, 1761962401000000);
  CHECK(is_hex(out, length, "a3 0005 0681820119bc53 0a1b0006427ed704ea40"));
}

static void check_sizes(void) {
  uint8_t blocks[TG_BLOCKS_MAX];
  int16_t values[300] = {0};
  struct tg_rows rows = {1, 1761962400123000, 1000, 100, 3, values};
  struct tg_head head = {1, 74563, 0, false, 0}, alarm = {0, 9, 0, false, 0};
  CHECK(tg_write_rows(blocks, sizeof blocks, &rows) + tg_head_length(&head) == 644);
  CHECK(tg_write_text(blocks, sizeof blocks, 2, 1761962400123000, "over-velocity") + tg_head_length(&alarm) == 38);
  CHECK(tg_write_rows(blocks, 600, &rows) == 0); /* does not fit: nothing */
  struct tg_head longest = {1, CBOR_INTEGER_MAX, CBOR_INTEGER_MAX, true, CBOR_INTEGER_MAX};
  CHECK(tg_head_length(&longest) > 0 && tg_head_length(&longest) <= TG_HEAD_MAX);
}

static void check_parser(void) {
  struct tg_message m;
  CHECK(parse(WELCOME, &m) == 0 && m.kind == TG_WELCOME && m.ep == 1804242124843721 && m.hb == 20000);
  CHECK(m.lane[0].ack == 8 && m.lane[0].lim == 4096 && m.lane[0].mf == 1984 && m.dur == 1);
  CHECK(m.lane[1].ack == 74562 && m.lane[1].lim == 16512 && m.lane[1].mf == 8192 && m.lane[1].qos == 1);
  CHECK(parse(FLOW, &m) == 0 && m.kind == TG_FLOW && m.now == 1761962400160000 && !m.has_echo);
  CHECK(m.lane[0].ack == 9 && m.lane[0].lim == 4198 && m.lane[1].ack == 74563 && m.lane[1].lim == 16629);
  CHECK(parse("a4 0007 0b191069 0e197530 0f19ea60", &m) == 0 && m.e == 4201 && m.w == 30000 && m.dl == 60000);
  CHECK(parse("a4 0007 0101 021a0001234a 0b190fa0", &m) == 0 && m.c == 1 && m.n == 74570 && m.e == 4000);
  CHECK(parse("a3 0007 0b191068 0d781e 7773733a2f2f67772e6578616d706c652e636f6d2f6e2f67772d372f7631", &m) == 0);
  CHECK(strcmp(m.to, "wss://gw.example.com/n/gw-7/v1") == 0 && m.e == 4200 && !m.has_w);
}

static void check_strictness(void) {
  struct tg_message m;
  CHECK(parse("a2 0004 058184 01 05 06 07", &m) == 0 && m.lane[1].ack == 5); /* with `dropped` */
  CHECK(parse("a2 0004 058185 01 05 06 07 60", &m) == 0);                   /* and one more, a text */
  CHECK(parse("a2 0004 058183 1b0000000000000001 1805 190006", &m) == 0);   /* every width */
  CHECK(m.lane[1].ack == 5 && m.lane[1].lim == 6);
  CHECK(parse("a3 0004 0580 182e a1 6161 82 f6 f97e00", &m) == 0); /* an unknown key is ignored */
  CHECK(parse("a3 0004 0580 20 00", &m) == TG_UNSUPPORTED);         /* a negative one is not */
  CHECK(parse("a1 000b", &m) == TG_UNSUPPORTED);                    /* k 11 */
  CHECK(parse("a1 0005", &m) == TG_BAD_STATE);                      /* a ping from a server */
  CHECK(parse("a1 0004", &m) == TG_BAD_FRAME);                      /* flow without f */
  CHECK(parse("a2 0580 0004", &m) == TG_BAD_FRAME);                 /* k not first */
  CHECK(parse("a4 0007 02 01 01 01 0b190fa0", &m) == TG_BAD_FRAME); /* n before c */
  CHECK(parse("a3 0004 0580 0580", &m) == TG_BAD_FRAME);            /* a key twice */
  CHECK(parse("a3 0004 0580 180580", &m) == TG_BAD_FRAME);          /* in another width too */
  CHECK(parse("a2 0004 0580 00", &m) == TG_BAD_FRAME);              /* a byte behind the map */
  CHECK(parse("a2 0004 059bffffffffffffffff", &m) == TG_BAD_FRAME); /* a count that is a lie */
  CHECK(parse("a2 0004 058183 01 f90000 06", &m) == TG_BAD_FRAME);  /* a float for an integer */
  CHECK(parse("a2 0004 058183 01 1b0020000000000000 06", &m) == TG_BAD_FRAME); /* 2^53 */
  CHECK(parse("bf 0004 0580 ff", &m) == TG_BAD_FRAME);              /* indefinite */
  CHECK(parse("a3 0004 0580 182e 8181818181 80", &m) == TG_BAD_FRAME); /* nesting 7 */
  CHECK(parse("a3 0004 0580 182e 81818181 80", &m) == 0);           /* nesting 6 */
  CHECK(parse("a3 0004 0580 182e d84d43000000", &m) == TG_BAD_FRAME); /* half an int16 */
  CHECK(parse("a3 0004 0580 182e c000", &m) == TG_BAD_FRAME);       /* a foreign tag */
  CHECK(parse("a3 0004 0580 182e 62c080", &m) == TG_BAD_FRAME);     /* overlong UTF-8 */
  CHECK(parse("a3 0004 0580 182e f7", &m) == TG_BAD_FRAME);         /* undefined */
}

static struct tg_device device;

static struct tg_answer take(const char *hex) {
  uint8_t bytes[TG_MESSAGE_MAX];
  size_t length = unhex(hex, bytes);
  return tg_take(&device, bytes, length);
}

static void form(int lane) {
  uint8_t blocks[TG_BLOCKS_MAX];
  struct tg_rows rows = {1, 1761962400123000, 1000, 2, 3, TWO_ROWS};
  tg_form(&device, lane, blocks, tg_write_rows(blocks, sizeof blocks, &rows));
}

static size_t drain(const char *starts) {
  size_t length, count = 0;
  const uint8_t *bytes;
  uint8_t wanted[TG_MESSAGE_MAX];
  size_t wanted_length = unhex(starts, wanted);
  while ((bytes = tg_next(&device, true, &length)) != NULL) {
    if (bytes[2] == TG_DEF) continue;
    if (count++ == 0) CHECK(is_hex(bytes, wanted_length < length ? wanted_length : length, starts));
  }
  return count;
}

/* welcome of an epoch 7: lane 0 (0, 4096), lane 1 (ack, lim as given). */
#define WELCOME_7(ack, lim) \
  "a6 0001 0807 0a00 058283000019100083 01" ack lim "0982830001 1907c0 830101192000 13194e20"

static void check_device(void) {
  tg_open(&device, SETS, 2, 4);
  for (int i = 0; i < 6; i++) form(1); /* a ring of 4: 1 and 2 are lost */
  CHECK(device.ring.dropped == 2 && tg_retained(&device) == 4);
  CHECK(take(FLOW).order == TG_CLOSE); /* before welcome */
  CHECK(take(WELCOME_7("00", "190100")).order == TG_CARRY_ON && device.ep == 7); /* lim 256 */
  CHECK(drain("a6 0003 0101 0203 0402 06") == 2); /* each costs 53 − 4 + 2 + 3 + 64 */
  CHECK(tg_is_blocked(&device) && device.lane[1].sent <= 256);
  CHECK(take("a2 0004 0581830104190140").order == TG_CARRY_ON); /* acked to 4, lim 320 */
  CHECK(tg_retained(&device) == 2 && device.counters.acked == 2);
  form(0);
  CHECK(drain("a4 0003 0100 0201 0381") == 1); /* lane 0 goes, lane 1 waits */
  CHECK(take("a2 0004 0581830104190180").order == TG_CARRY_ON); /* lim 384: one more */
  CHECK(drain("a5 0003 0101 0205 06") == 1);
  CHECK(take("a2 0004 0581830106190180").order == TG_CARRY_ON); /* an ack may pass the cursor */
  CHECK(drain("") == 0 && device.lane[1].next == 7);
  CHECK(take("a2 0004 0581830107190180").code == 4007 && device.ep == 0); /* stale memory */
}

static void check_faults(void) {
  tg_open(&device, SETS, 2, 4);
  for (int i = 0; i < 3; i++) form(1);
  CHECK(take(WELCOME_7("00", "192000")).order == TG_CARRY_ON && drain("a5 0003 0101 0201 06") == 3);
  struct tg_answer poison = take("a4 0007 0101 0202 0b190fa0"); /* 4000, naming frame 2 */
  CHECK(poison.order == TG_LEAVE && poison.retry && poison.code == 4000);
  tg_disconnected(&device);
  CHECK(take(WELCOME_7("01", "192000")).order == TG_CARRY_ON); /* acked to 1 */
  CHECK(drain("a5 0003 0101 0203 0401 0381") == 1);            /* 3 declares 2 */
  form(1);
  CHECK(take("a2 0007 0b190fa7").code == 4007 && device.ep == 0); /* the epoch is forgotten */
  tg_disconnected(&device);
  CHECK(take(WELCOME_7("00", "192000")).order == TG_CARRY_ON);
  CHECK(drain("a5 0003 0101 0201 06") == 2 && device.lane[1].next == 3); /* 3 and 4 are 1 and 2 */
}

static void check_websocket(void) {
  char accept[WS_ACCEPT_LENGTH + 1];
  ws_accept_of("dGhlIHNhbXBsZSBub25jZQ==", accept); /* RFC 6455 §1.3 */
  CHECK(strcmp(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") == 0);
  const char good[] = "HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: tidegate.v1.cbor\r\n\r\n";
  const char *key = "dGhlIHNhbXBsZSBub25jZQ==";
  CHECK(ws_read_response(good, sizeof good - 1, key, "tidegate.v1.cbor").status == 101);
  CHECK(ws_read_response(good, sizeof good - 1, key, "tidegate.v1.json").status == 1002);
  CHECK(ws_read_response(good, sizeof good - 1, "dGhlIHNhbXBsZSBub25jZR==", "tidegate.v1.cbor").status == 1002);
  const char busy[] = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 7\r\n\r\n";
  struct ws_response response = ws_read_response(busy, sizeof busy - 1, key, "tidegate.v1.cbor");
  CHECK(response.status == 503 && response.retry_after_s == 7);
  uint8_t out[16];
  const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
  size_t length = ws_write_frame(out, sizeof out, WS_TEXT, (const uint8_t *)"Hello", 5, mask);
  CHECK(is_hex(out, length, "81 85 37 fa 21 3d 7f 9f 4d 51 58")); /* RFC 6455 §5.7 */
}

static enum ws_event feed(struct ws_input *input, const char *hex) {
  static uint8_t bytes[64];
  const uint8_t *at = bytes;
  return ws_take(input, &at, bytes + unhex(hex, bytes));
}

static void check_fragments(void) {
  static struct ws_input input;
  CHECK(feed(&input, "02 03 48656c") == WS_MORE);
  CHECK(feed(&input, "89 02 4142") == WS_GOT_PING && input.control_length == 2); /* in the middle */
  CHECK(feed(&input, "80 02 6c6f") == WS_GOT_MESSAGE && input.message_length == 5);
  CHECK(memcmp(input.message, "Hello", 5) == 0 && input.message_opcode == WS_BINARY);
  CHECK(feed(&input, "88 02 0fa0") == WS_GOT_CLOSE && input.fault == 4000);
  CHECK(feed(&input, "80 00") == WS_FAULT && input.fault == 1002); /* continues nothing */
  memset(&input, 0, sizeof input);
  CHECK(feed(&input, "82 7e 0401") == WS_FAULT && input.fault == 1009); /* 1025 bytes */
  memset(&input, 0, sizeof input);
  CHECK(feed(&input, "82 81 00000000 00") == WS_FAULT && input.fault == 1002); /* masked */
}

static int64_t wait_after(struct reconnect *policy, int code, int64_t wait_ms, int64_t now_ms) {
  struct ending end = {code, false, wait_ms, code == 4104 ? 1000 : -1};
  return reconnect_after(policy, &end, now_ms, 0.5);
}

static void check_policy(void) {
  struct reconnect policy;
  reconnect_open(&policy);
  CHECK(wait_after(&policy, 1006, -1, 0) == 500 && wait_after(&policy, 1006, -1, 0) == 1000);
  CHECK(wait_after(&policy, 4100, 3000, 0) == 5000);
  for (int i = 0; i < 9; i++) wait_after(&policy, 1006, -1, 0);
  CHECK(wait_after(&policy, 1006, -1, 0) == 30000);
  struct ending healthy = {1006, false, -1, 60000};
  CHECK(reconnect_after(&policy, &healthy, 0, 0.5) == 500);
  CHECK(wait_after(&policy, 4000, -1, 0) == RECONNECT_NEVER && wait_after(&policy, 403, -1, 0) < 0);
  CHECK(wait_after(&policy, 4007, -1, 0) == 0);
  CHECK(wait_after(&policy, 4008, -1, 0) == 0 && wait_after(&policy, 4008, -1, 1000) == RECONNECT_NEVER);
  CHECK(wait_after(&policy, 4203, 4000, 0) == 2000 && wait_after(&policy, 4203, 4000, 0) == 5000); /* then as B */
  CHECK(wait_after(&policy, 4104, -1, 0) == 2500 && wait_after(&policy, 4104, -1, 5000) == 30000);
  CHECK(wait_after(&policy, 4104, -1, 36000) == 60000);
  struct ending poison = {4000, true, -1, 61000};
  CHECK(reconnect_after(&policy, &poison, 0, 0.5) == 500);
}

int main(void) {
  check_encoder();
  check_sizes();
  check_parser();
  check_strictness();
  check_device();
  check_faults();
  check_websocket();
  check_fragments();
  check_policy();
  CHECK(vibration(0, 0) < 300 && vibration(2, 0) > 16384 - 300);
  printf("%d checks, %d failed\n", checks, failures);
  return failures > 0;
}
