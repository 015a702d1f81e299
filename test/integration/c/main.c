/* Streams a vibration signal to a Tidegate gateway, and now and then an alarm. */
#define _POSIX_C_SOURCE 200809L
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "session.h"
#include "vibration.h"

enum { ROWS = 100, VIBRATION_SET = 1, ALARM_SET = 2 };
enum { EXIT_ACKED = 0, EXIT_UNACKED = 1, EXIT_REFUSED = 2, EXIT_USAGE = 64 };

#define SCALE ((float)(9.80665 / 16384))
static const struct tg_column AXES[] = {
  {"acc/x", "m/s2", SCALE}, {"acc/y", "m/s2", SCALE}, {"acc/z", "m/s2", SCALE},
};
static const struct tg_column ALARM[] = {{"alarm", "", 0}};
static const struct tg_set SETS[] = {{VIBRATION_SET, 1, AXES, 3}, {ALARM_SET, 0, ALARM, 1}};

struct options {
  const char *host, *port, *device;
  long long frames, rate, start_us, alarm_every, slots, timeout_s;
};

static struct tg_device device; /* static: it holds the ring */
static struct session session;

static struct now clock_now(void) {
  struct timespec mono, wall;
  clock_gettime(CLOCK_MONOTONIC, &mono);
  clock_gettime(CLOCK_REALTIME, &wall);
  struct now now = {(int64_t)mono.tv_sec * 1000 + mono.tv_nsec / 1000000,
                    (int64_t)wall.tv_sec * 1000000 + wall.tv_nsec / 1000};
  return now;
}

static int64_t time_of(const struct options *options, uint64_t row) {
  return options->start_us + (int64_t)(row * 1000000 / (uint64_t)options->rate);
}

static void form_vibration(const struct options *options, uint64_t index) {
  int16_t values[ROWS * VIBRATION_AXES];
  uint8_t blocks[TG_BLOCKS_MAX];
  uint64_t first = index * ROWS;
  for (unsigned i = 0; i < ROWS * VIBRATION_AXES; i++) {
    values[i] = vibration(i % VIBRATION_AXES, (uint32_t)(first + i / VIBRATION_AXES));
  }
  struct tg_rows rows = {VIBRATION_SET, time_of(options, first), 1e6 / (double)options->rate, ROWS,
                         VIBRATION_AXES, values};
  size_t length = tg_write_rows(blocks, sizeof blocks, &rows);
  tg_form(&device, 1, blocks, length);
}

static void form_alarm(const struct options *options, uint64_t index) {
  uint8_t blocks[TG_BLOCKS_MAX];
  size_t length = tg_write_text(blocks, sizeof blocks, ALARM_SET, time_of(options, index * ROWS),
                                "over-velocity");
  tg_form(&device, 0, blocks, length);
}

static int usage(void) {
  fputs("usage: tidegate-c-device --port PORT [--host HOST] [--device PATH] [--frames N] [--rate HZ]\n"
        "  [--start US] [--alarm FRAMES (0: none)] [--ring FRAMES] [--timeout SECONDS]\n", stderr);
  return EXIT_USAGE;
}

static bool read_number(const char *text, long long least, long long most, long long *value) {
  char *end;
  *value = strtoll(text, &end, 10);
  return *text != 0 && *end == 0 && *value >= least && *value <= most;
}

static bool read_option(struct options *options, const char *name, const char *value) {
  if (strcmp(name, "--host") == 0) return options->host = value, true;
  if (strcmp(name, "--port") == 0) return options->port = value, true;
  if (strcmp(name, "--device") == 0) return options->device = value, true;
  if (strcmp(name, "--frames") == 0) return read_number(value, 1, 10000000, &options->frames);
  if (strcmp(name, "--rate") == 0) return read_number(value, 1, 1000000, &options->rate);
  if (strcmp(name, "--start") == 0) return read_number(value, 0, 7258118400000000, &options->start_us);
  if (strcmp(name, "--alarm") == 0) return read_number(value, 0, 10000000, &options->alarm_every);
  if (strcmp(name, "--ring") == 0) return read_number(value, 1, TG_SLOTS_MAX, &options->slots);
  if (strcmp(name, "--timeout") == 0) return read_number(value, 1, 1000000, &options->timeout_s);
  return false;
}

static void wait_for_peer(int64_t until_ms, int64_t now_ms) {
  int64_t wait = until_ms - now_ms;
  struct pollfd peer = {session.ws.fd, ws_events(&session.ws), 0};
  if (wait > 1000) wait = 1000;
  poll(&peer, session.ws.fd < 0 ? 0 : 1, wait < 0 ? 0 : (int)wait);
}

static int64_t due_ms(const struct options *options, int64_t begin_ms, uint64_t index) {
  return begin_ms + (int64_t)(index * ROWS * 1000 / (uint64_t)options->rate);
}

/* Until everything is formed and acknowledged, the time is up, or the gateway wants us no more. */
static void run(const struct options *options) {
  struct now now = clock_now();
  int64_t begin_ms = now.mono_ms, end_ms = begin_ms + options->timeout_s * 1000;
  uint64_t formed = 0, frames = (uint64_t)options->frames, every = (uint64_t)options->alarm_every;
  while (session.phase != SESSION_STOPPED && now.mono_ms < end_ms) {
    for (; formed < frames && due_ms(options, begin_ms, formed) <= now.mono_ms; formed++) {
      form_vibration(options, formed);
      if (every > 0 && formed % every == every - 1) form_alarm(options, formed);
    }
    session_step(&session, now);
    bool is_done = formed == frames && tg_retained(&device) == 0;
    if (is_done && !session.finishing) session_finish(&session, now);
    int64_t wake = session_wake(&session), due = due_ms(options, begin_ms, formed);
    if (formed < frames && due < wake) wake = due;
    if (session.phase != SESSION_STOPPED) wait_for_peer(wake, now.mono_ms);
    now = clock_now();
  }
}

static int summarize(void) {
  const struct tg_counters *counters = &device.counters;
  size_t unacked = tg_retained(&device);
  unsigned long long undeclared = 0;
  for (int lane = 0; lane < TG_LANES; lane++) undeclared += device.ring.lane[lane].pending;
  unsigned long long again = session.welcomes > 0 ? session.welcomes - 1 : 0;
  printf("formed=%llu sent=%llu acked=%llu rejected=%llu lost=%llu undeclared=%llu unacked=%zu reconnects=%llu\n",
         (unsigned long long)counters->formed, (unsigned long long)counters->sent,
         (unsigned long long)counters->acked, (unsigned long long)counters->rejected,
         (unsigned long long)device.ring.dropped, undeclared, unacked, again);
  if (unacked == 0 && session.finishing) return EXIT_ACKED;
  return session.phase == SESSION_STOPPED ? EXIT_REFUSED : EXIT_UNACKED;
}

int main(int argc, char **argv) {
  struct options options = {"127.0.0.1", NULL, "c/vibration", 100, 1000, -1, 10, TG_SLOTS_MAX, 120};
  for (int i = 1; i < argc; i += 2) {
    if (i + 1 == argc || !read_option(&options, argv[i], argv[i + 1])) return usage();
  }
  if (options.port == NULL) return usage();
  struct now now = clock_now();
  if (options.start_us < 0) options.start_us = now.wall_us;
  struct ws_target home = {options.host, options.port, "/v1", "tidegate.v1.cbor", options.device};
  tg_open(&device, SETS, sizeof SETS / sizeof SETS[0], (size_t)options.slots);
  session_open(&session, &device, &home, "tidegate-c-device/1", now.mono_ms);
  run(&options);
  return summarize();
}
