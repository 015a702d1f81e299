/* One device on one WebSocket at a time: connects, says hello, pumps, keeps alive, comes back. */
#ifndef SESSION_H
#define SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "reconnect.h"
#include "tidegate.h"
#include "websocket.h"

struct now {
  int64_t mono_ms;
  int64_t wall_us;
};

enum phase {
  SESSION_WAITING, /* for the moment to connect */
  SESSION_OPENING, /* TCP and the upgrade */
  SESSION_ASKING,  /* hello is sent */
  SESSION_LIVE,
  SESSION_CLOSING, /* for the peer's close */
  SESSION_STOPPED
};

struct session {
  struct tg_device *device;
  const char *ua;
  struct ws_target home, target; /* what is configured, and what this connection is to */
  char authority[TG_URL_MAX], path[TG_URL_MAX]; /* of a redirect */
  bool redirected;
  uint64_t hop;
  struct ws ws;
  struct reconnect policy;
  struct ending ending;
  enum phase phase;
  int64_t until_ms; /* of the phase: begin or deadline; INT64_MAX: none */
  int64_t welcomed_ms, heard_ms;
  int64_t pinged_ms; /* the last ping */
  bool ping_open;
  int64_t blocked_ms; /* since when; −1: not */
  int64_t leave_ms, gone_ms; /* of an away with a deadline: when we stop sending, when it closes */
  bool finishing;
  uint64_t welcomes;
};

void session_open(struct session *session, struct tg_device *device, const struct ws_target *home,
                  const char *ua, int64_t now_ms);
/* Does everything that can be done now. */
void session_step(struct session *session, struct now now);
/* When session_step has something to do again, if nothing comes from the peer; it wants to be
 * called at least once a second all the same. */
int64_t session_wake(const struct session *session);
/* Everything is acknowledged: close with 1000 and stop. */
void session_finish(struct session *session, struct now now);

#endif
