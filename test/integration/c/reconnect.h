/* When to come back: the reconnect policy of PROTOCOL §10.3. No clock and no randomness of its own. */
#ifndef RECONNECT_H
#define RECONNECT_H

#include <stdbool.h>
#include <stdint.h>

#define RECONNECT_NEVER (-1) /* policy A, for a device that somebody watches: it is for them to fix */

struct reconnect {
  unsigned failures;      /* k */
  bool is_moving;         /* the last end was of policy C: if coming back fails, B */
  int64_t gap_at_ms;      /* the last 4008; −1: none yet */
  int64_t taken_at_ms;    /* the last 4104; −1: none yet */
  int64_t taken_wait_ms;  /* what was waited after it */
};

/* How a session ended. */
struct ending {
  int code;          /* close code or HTTP status; 1006 for a broken socket */
  bool retry;        /* policy B whatever the code */
  int64_t wait_ms;   /* `w` or Retry-After; −1: absent */
  int64_t healthy_ms; /* how long the session was welcome; −1: it never was */
};

void reconnect_open(struct reconnect *policy);

/* How long to wait, or RECONNECT_NEVER; `random` in [0, 1). */
int64_t reconnect_after(struct reconnect *policy, const struct ending *end, int64_t now_ms, double random);

/* The wait after an away with a deadline, before the client closes by itself [R10.1-5]. */
int64_t reconnect_leave_after(int64_t w_ms, int64_t dl_ms, double random);

#endif
