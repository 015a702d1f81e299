#include "reconnect.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };
enum { MOVE_WAIT = 10 * SECOND, BACK_OFF_MAX = MINUTE, TAKEN_FIRST = 5 * SECOND };
enum { TAKEN_AGAIN = 30 * SECOND, TAKEN_MAX = 5 * MINUTE };

enum policy { FIX_FIRST, BACK_OFF, MOVE, AT_ONCE, GAP, TAKEN };

static enum policy policy_of(int code) {
  switch (code) {
    case 1002: case 1003: case 1007: case 1009: return FIX_FIRST;
    case 400: return FIX_FIRST;
    case 401: case 403: return FIX_FIRST; /* we have no other credential [R10.3-5] */
    case 1001: case 1012: return MOVE;
    case 4007: return AT_ONCE;
    case 4008: return GAP;
    case 4104: return TAKEN;
    default: break;
  }
  if (code >= 4000 && code <= 4099) return FIX_FIRST;
  if (code >= 4200 && code <= 4299) return MOVE;
  return BACK_OFF;
}

void reconnect_open(struct reconnect *policy) {
  *policy = (struct reconnect){0, false, -1, -1, 0};
}

static int64_t min(int64_t a, int64_t b) {
  return a < b ? a : b;
}

static int64_t back_off(struct reconnect *policy, int64_t wait_ms, double random) {
  unsigned power = policy->failures < 6 ? policy->failures : 6;
  policy->failures++;
  int64_t spread = min(BACK_OFF_MAX, (int64_t)SECOND << power);
  return (wait_ms > 0 ? wait_ms : 0) + (int64_t)(random * (double)spread);
}

/* Two devices share a credential and throw each other out: each waits longer and longer. */
static int64_t taken_over(struct reconnect *policy, int64_t now_ms, double random) {
  bool is_again = policy->taken_at_ms >= 0 && now_ms - policy->taken_at_ms < policy->taken_wait_ms + MINUTE;
  int64_t last = policy->taken_wait_ms;
  if (!is_again) policy->taken_wait_ms = (int64_t)(random * TAKEN_FIRST);
  else policy->taken_wait_ms = last < TAKEN_AGAIN ? TAKEN_AGAIN : min(TAKEN_MAX, 2 * last);
  policy->taken_at_ms = now_ms;
  return policy->taken_wait_ms;
}

int64_t reconnect_after(struct reconnect *policy, const struct ending *end, int64_t now_ms, double random) {
  bool was_moving = policy->is_moving && end->healthy_ms < 0;
  if (end->healthy_ms >= MINUTE) policy->failures = 0; /* not on connect [R10.3-4] */
  policy->is_moving = false;
  if (end->retry) return back_off(policy, end->wait_ms, random);
  switch (policy_of(end->code)) {
    case FIX_FIRST: return RECONNECT_NEVER;
    case AT_ONCE: return 0;
    case TAKEN: return taken_over(policy, now_ms, random);
    case GAP: {
      bool is_again = policy->gap_at_ms >= 0 && now_ms - policy->gap_at_ms < HOUR;
      policy->gap_at_ms = now_ms;
      return is_again ? RECONNECT_NEVER : 0;
    }
    case MOVE:
      if (was_moving) return back_off(policy, end->wait_ms, random);
      policy->is_moving = true;
      return (int64_t)(random * (double)(end->wait_ms >= 0 ? end->wait_ms : MOVE_WAIT));
    case BACK_OFF: break;
  }
  return back_off(policy, end->wait_ms, random);
}

int64_t reconnect_leave_after(int64_t w_ms, int64_t dl_ms, double random) {
  int64_t most = min(w_ms >= 0 ? w_ms : MOVE_WAIT, dl_ms);
  return (int64_t)(random * (double)most);
}
