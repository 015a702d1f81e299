/* A WebSocket client as far as RFC 6455 asks for it: handshake, masking, fragments, ping, close.
 * The first half turns bytes into events and back without a socket; the second is the socket. */
#ifndef WEBSOCKET_H
#define WEBSOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WS_MESSAGE_MAX 1024 /* what a Tidegate server sends a device without `rx` (§14) */
#define WS_CONTROL_MAX 125
#define WS_RESPONSE_MAX 4096
#define WS_OUT_MAX 8192
#define WS_KEY_LENGTH 24    /* base64 of 16 random bytes */
#define WS_ACCEPT_LENGTH 28 /* base64 of 20 */

enum ws_opcode { WS_CONTINUATION = 0, WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10 };

enum ws_event { WS_MORE, WS_GOT_MESSAGE, WS_GOT_PING, WS_GOT_PONG, WS_GOT_CLOSE, WS_FAULT };

/* Frames of the server, reassembled. */
struct ws_input {
  uint8_t head[10];
  size_t head_length;
  uint64_t left; /* payload bytes of the frame still to come */
  bool in_frame, is_final, in_message;
  enum ws_opcode opcode;         /* of the frame */
  enum ws_opcode message_opcode; /* of the first frame of the message */
  uint8_t message[WS_MESSAGE_MAX];
  size_t message_length;
  uint8_t control[WS_CONTROL_MAX];
  size_t control_length;
  int fault; /* the close code after WS_FAULT, the peer's after WS_GOT_CLOSE */
};

/* Takes bytes from `at` until something happened, WS_MORE if they are used up. What happened stands
 * in `message` or `control` until the next call. */
enum ws_event ws_take(struct ws_input *input, const uint8_t **at, const uint8_t *end);

/* A frame of a client, masked; returns its length, 0 if there is no room for it. */
size_t ws_write_frame(uint8_t *out, size_t room, enum ws_opcode opcode, const uint8_t *payload,
                      size_t length, const uint8_t mask[4]);

struct ws_target {
  const char *host;
  const char *port;
  const char *path;
  const char *subprotocol;
  const char *token; /* `Authorization: Bearer`; NULL for none */
};

/* The accept value that belongs to a key [RFC 6455 §4.2.2]. */
void ws_accept_of(const char *key, char accept[WS_ACCEPT_LENGTH + 1]);
size_t ws_write_request(char *out, size_t room, const struct ws_target *target, const char *key);

struct ws_response {
  int status;            /* 101 only if everything about the upgrade is right, else 1002 */
  int64_t retry_after_s; /* −1 if absent */
};

/* Reads a whole response head, up to and with its empty line. */
struct ws_response ws_read_response(const char *text, size_t length, const char *key,
                                    const char *subprotocol);

enum ws_state { WS_SHUT, WS_CONNECTING, WS_UPGRADING, WS_OPEN };

struct ws {
  int fd;
  enum ws_state state;
  char key[WS_KEY_LENGTH + 1];
  char response[WS_RESPONSE_MAX + 1];
  size_t response_length;
  struct ws_input input;
  uint8_t received[4096];
  size_t received_at, received_length;
  uint8_t out[WS_OUT_MAX];
  size_t out_at, out_length;
  bool close_sent;
};

void ws_random(void *out, size_t length);

/* Starts to connect; false if even that is not possible. */
bool ws_connect(struct ws *ws, const struct ws_target *target);
/* What poll() should wait for, and what to do when it has come: false if the socket is broken. */
short ws_events(const struct ws *ws);
bool ws_flush(struct ws *ws);
/* The next event of the peer; `*broken` if the socket has ended. */
enum ws_event ws_next(struct ws *ws, bool *broken);
/* While WS_UPGRADING: status 0 until the response is whole, −1 if the socket has ended. */
struct ws_response ws_upgrade(struct ws *ws, const struct ws_target *target);
/* Queues a frame; false if the output has no room for it. */
bool ws_send(struct ws *ws, enum ws_opcode opcode, const uint8_t *payload, size_t length);
void ws_send_close(struct ws *ws, int code);
size_t ws_unsent(const struct ws *ws);
void ws_shut(struct ws *ws);

#endif
