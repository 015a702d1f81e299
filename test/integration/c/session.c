#include "session.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define NEVER INT64_MAX
enum { OPEN_TIMEOUT = 10000, CLOSE_TIMEOUT = 2000, LAST_WORDS_TIMEOUT = 5000 };
enum { HOPS_MAX = 3, BLOCKED_BEFORE_PING = 1000 };
/* The longest message a device of ours sends, with the head of its WebSocket frame. */
#define OUTPUT_MESSAGE_MAX (TG_HEAD_MAX + TG_BLOCKS_MAX + 8)

static double chance(void) {
  uint32_t bits;
  ws_random(&bits, sizeof bits);
  return bits / 4294967296.0;
}

void session_open(struct session *session, struct tg_device *device, const struct ws_target *home,
                  const char *ua, int64_t now_ms) {
  memset(session, 0, sizeof *session);
  session->device = device;
  session->home = *home;
  session->ua = ua;
  session->ws.fd = -1;
  session->phase = SESSION_WAITING;
  session->until_ms = now_ms;
  reconnect_open(&session->policy);
}

static void enter(struct session *session, enum phase phase, int64_t until_ms) {
  session->phase = phase;
  session->until_ms = until_ms;
}

/* The connection is over: comes back when the policy says so. */
static void over(struct session *session, struct now now) {
  ws_shut(&session->ws);
  tg_disconnected(session->device);
  struct ending *end = &session->ending;
  end->healthy_ms = session->welcomed_ms < 0 ? -1 : now.mono_ms - session->welcomed_ms;
  int64_t wait = session->finishing ? RECONNECT_NEVER
               : reconnect_after(&session->policy, end, now.mono_ms, chance());
  if (wait == RECONNECT_NEVER) enter(session, SESSION_STOPPED, NEVER);
  else enter(session, SESSION_WAITING, now.mono_ms + wait);
  if (session->finishing) return;
  fprintf(stderr, "session ended with %d, %s %lld ms\n", end->code,
          wait < 0 ? "not again," : "again in", (long long)(wait < 0 ? 0 : wait));
}

static void ended(struct session *session, struct now now, int code) {
  session->ending.code = code;
  over(session, now);
}

/* Closes with `close`; the policy will hear `code`. */
static void begin_close(struct session *session, struct now now, int close, int code) {
  ws_send_close(&session->ws, close);
  session->ending.code = code;
  enter(session, SESSION_CLOSING, now.mono_ms + CLOSE_TIMEOUT);
}

/* `ws://HOST[:PORT]/PATH` of the configured host: the one redirect that a device without TLS may
 * follow [R10.2-2]. */
static bool take_redirect(struct session *session, const char *to) {
  if (strncasecmp(to, "ws://", 5) != 0) return false;
  const char *slash = strchr(to + 5, '/');
  if (slash == NULL) return false;
  size_t length = (size_t)(slash - (to + 5));
  memcpy(session->authority, to + 5, length);
  session->authority[length] = 0;
  strcpy(session->path, slash);
  char *host = session->authority, *colon = strrchr(host, ':');
  if (colon != NULL && strchr(colon, ']') == NULL) *colon = 0;
  else colon = NULL;
  length = strlen(host);
  if (length > 2 && host[0] == '[' && host[length - 1] == ']') host[length - 1] = 0, host++;
  if (strcasecmp(host, session->home.host) != 0) return false;
  session->target = session->home;
  session->target.port = colon == NULL ? "80" : colon + 1;
  session->target.path = session->path;
  return true;
}

static void begin_connect(struct session *session, struct now now) {
  if (!session->redirected) { /* a redirect holds for one session [R10.2-4] */
    session->target = session->home;
    session->hop = 0;
  }
  session->redirected = false;
  session->ending = (struct ending){1006, false, -1, -1};
  session->welcomed_ms = session->blocked_ms = -1;
  session->leave_ms = session->gone_ms = NEVER;
  session->ping_open = false;
  enter(session, SESSION_OPENING, now.mono_ms + OPEN_TIMEOUT);
  if (!ws_connect(&session->ws, &session->target)) ended(session, now, 1006);
}

static void step_opening(struct session *session, struct now now) {
  struct ws *ws = &session->ws;
  if (!ws_flush(ws)) return ended(session, now, 1006);
  if (ws->state != WS_UPGRADING) return;
  struct ws_response response = ws_upgrade(ws, &session->target);
  if (response.status == 0) return;
  if (response.status != 101) {
    if (response.retry_after_s >= 0) session->ending.wait_ms = response.retry_after_s * 1000;
    return ended(session, now, response.status < 0 ? 1006 : response.status);
  }
  size_t length;
  const uint8_t *hello = tg_hello(session->device, session->hop, now.wall_us, session->ua, &length);
  ws_send(ws, WS_BINARY, hello, length);
  session->heard_ms = session->pinged_ms = now.mono_ms;
  enter(session, SESSION_ASKING, now.mono_ms + OPEN_TIMEOUT);
}

static void begin_leaving(struct session *session, struct now now, const struct tg_answer *answer) {
  const struct tg_message *message = &answer->message;
  struct ending *end = &session->ending;
  end->code = answer->code;
  end->retry = answer->retry;
  end->wait_ms = message->has_w ? (int64_t)message->w : -1;
  if (message->to[0] != 0 && session->hop < HOPS_MAX) {
    session->redirected = take_redirect(session, message->to);
    if (session->redirected) session->hop++;
  } else if (message->to[0] != 0) {
    end->retry = true; /* enough hops: back to the configured URL, by policy B */
  }
  if (message->dl == 0) { /* the close follows */
    session->device->leaving = true;
    return enter(session, SESSION_CLOSING, now.mono_ms + LAST_WORDS_TIMEOUT);
  }
  int64_t dl = (int64_t)message->dl;
  session->leave_ms = now.mono_ms + reconnect_leave_after(end->wait_ms, dl, chance());
  session->gone_ms = now.mono_ms + dl;
}

static void take_message(struct session *session, struct now now) {
  const struct ws_input *input = &session->ws.input;
  session->heard_ms = now.mono_ms;
  if (input->message_opcode != WS_BINARY) {
    session->ending.retry = true;
    return begin_close(session, now, 1003, 1003);
  }
  struct tg_answer answer = tg_take(session->device, input->message, input->message_length);
  if (answer.pong) session->ping_open = false;
  if (answer.order == TG_CLOSE) {
    session->ending.retry = answer.retry;
    return begin_close(session, now, answer.close, answer.code);
  }
  if (answer.order == TG_LEAVE) return begin_leaving(session, now, &answer);
  if (answer.message.kind != TG_WELCOME) return;
  enter(session, SESSION_LIVE, NEVER);
  session->welcomed_ms = now.mono_ms;
  session->welcomes++;
  fprintf(stderr, "welcome, epoch %llu, acked to %llu\n", (unsigned long long)session->device->ep,
          (unsigned long long)session->device->lane[1].ack);
}

/* Reads what has come. Returns false if that ended the connection. */
static bool receive(struct session *session, struct now now) {
  struct ws *ws = &session->ws;
  for (;;) {
    bool broken, closing = session->phase == SESSION_CLOSING;
    enum ws_event event = ws_next(ws, &broken);
    if (broken) return over(session, now), false;
    switch (event) {
      case WS_MORE: return true;
      case WS_GOT_MESSAGE:
        if (!closing) take_message(session, now);
        break;
      case WS_GOT_PING:
        ws_send(ws, WS_PONG, ws->input.control, ws->input.control_length);
        break;
      case WS_GOT_PONG: break;
      case WS_GOT_CLOSE:
        if (!ws->close_sent) ws_send_close(ws, ws->input.fault);
        ws_flush(ws);
        /* An away told more than the close code can; without one the code is all there is. */
        if (session->ending.code == 1006) session->ending.code = ws->input.fault;
        return over(session, now), false;
      case WS_FAULT:
        session->ending.retry = true; /* [R10.1-10] */
        begin_close(session, now, ws->input.fault, ws->input.fault);
        ws_flush(ws);
        return over(session, now), false;
    }
  }
}

static void ping(struct session *session, struct now now) {
  size_t length;
  const uint8_t *bytes = tg_ping(session->device, now.wall_us, &length);
  if (!ws_send(&session->ws, WS_BINARY, bytes, length)) return;
  session->pinged_ms = now.mono_ms;
  session->ping_open = true;
}

/* §8: a ping after 1.0 hb of silence, the end after 2.5; §7: a ping when blocked for a second. */
static void keep_alive(struct session *session, struct now now) {
  int64_t hb = (int64_t)session->device->hb, silent = now.mono_ms - session->heard_ms;
  if (2 * silent >= 5 * hb) return begin_close(session, now, 1000, 4102);
  int64_t since = now.mono_ms - session->pinged_ms;
  if (!tg_is_blocked(session->device)) session->blocked_ms = -1;
  else if (session->blocked_ms < 0) session->blocked_ms = now.mono_ms;
  bool is_blocked = session->blocked_ms >= 0 && now.mono_ms - session->blocked_ms >= BLOCKED_BEFORE_PING;
  bool may = since >= BLOCKED_BEFORE_PING && (!session->ping_open || (silent >= hb && since >= hb));
  if (may && (silent >= hb || is_blocked)) ping(session, now);
}

/* Every frame sent on this connection is acknowledged. */
static bool is_settled(struct session *session) {
  for (int lane = 0; lane < TG_LANES; lane++) {
    const struct tg_frame *first = ring_first_above(&session->device->ring, lane, 0);
    if (first != NULL && first->n <= session->device->lane[lane].last) return false;
  }
  return true;
}

static void leave(struct session *session, struct now now) {
  if (now.mono_ms < session->leave_ms) return;
  session->device->leaving = true;
  if (!is_settled(session) && now.mono_ms < session->gone_ms) return;
  session->ending.wait_ms = 0; /* at once, to `to` or the configured URL [R10.1-5] */
  begin_close(session, now, 1000, session->ending.code);
}

/* Bulk goes only to a socket that has taken everything: a critical frame must not wait long behind
 * it [R7-20]. */
static bool pump(struct session *session) {
  struct ws *ws = &session->ws;
  size_t length;
  while (ws_unsent(ws) + OUTPUT_MESSAGE_MAX <= WS_OUT_MAX) {
    const uint8_t *bytes = tg_next(session->device, ws_unsent(ws) == 0, &length);
    if (bytes == NULL) break;
    ws_send(ws, WS_BINARY, bytes, length);
    if (!ws_flush(ws)) return false;
  }
  return ws_flush(ws);
}

static void step_connected(struct session *session, struct now now) {
  if (!receive(session, now)) return;
  if (session->phase == SESSION_LIVE) keep_alive(session, now);
  if (session->phase == SESSION_LIVE) leave(session, now);
  bool works = session->phase == SESSION_LIVE ? pump(session) : ws_flush(&session->ws);
  if (!works) over(session, now);
}

void session_step(struct session *session, struct now now) {
  bool is_due = now.mono_ms >= session->until_ms;
  switch (session->phase) {
    case SESSION_STOPPED: return;
    case SESSION_WAITING:
      if (is_due) begin_connect(session, now);
      return;
    case SESSION_OPENING:
      if (is_due) return ended(session, now, 1006);
      return step_opening(session, now);
    case SESSION_ASKING: case SESSION_CLOSING:
      if (is_due) return over(session, now);
      return step_connected(session, now);
    case SESSION_LIVE: return step_connected(session, now);
  }
}

int64_t session_wake(const struct session *session) {
  if (session->phase != SESSION_LIVE) return session->until_ms;
  /* The silence of the peer is measured in seconds: the caller looks in at least that often. */
  return session->device->leaving ? session->gone_ms : session->leave_ms;
}

void session_finish(struct session *session, struct now now) {
  session->finishing = true;
  if (session->phase == SESSION_LIVE) begin_close(session, now, 1000, 1000);
  else if (session->phase != SESSION_CLOSING) over(session, now);
  ws_flush(&session->ws);
}
