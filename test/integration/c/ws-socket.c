/* The half of websocket.h that is a socket: never blocks, but for the name of the host. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sha1.h"
#include "websocket.h"

/* A critical frame waits behind what the kernel holds already: about two bulk frames [R7-20]. */
#define SEND_BUFFER_BYTES 8192

void ws_random(void *out, size_t length) {
  static int source = -1;
  if (source < 0) source = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
  if (source < 0 || read(source, out, length) != (ssize_t)length) abort();
}

static void prepare(int fd) {
  int one = 1, bytes = SEND_BUFFER_BYTES;
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

static void queue_request(struct ws *ws, const struct ws_target *target) {
  uint8_t nonce[16];
  ws_random(nonce, sizeof nonce);
  base64(nonce, sizeof nonce, ws->key);
  ws->out_length = ws_write_request((char *)ws->out, sizeof ws->out, target, ws->key);
}

bool ws_connect(struct ws *ws, const struct ws_target *target) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
  memset(ws, 0, sizeof *ws);
  ws->fd = -1;
  if (getaddrinfo(target->host, target->port, &hints, &found) != 0) return false;
  ws->fd = socket(found->ai_family, found->ai_socktype, found->ai_protocol);
  bool started = false;
  if (ws->fd >= 0) {
    prepare(ws->fd);
    started = connect(ws->fd, found->ai_addr, found->ai_addrlen) == 0 || errno == EINPROGRESS;
  }
  freeaddrinfo(found);
  queue_request(ws, target);
  if (started && ws->out_length > 0) ws->state = WS_CONNECTING;
  else ws_shut(ws);
  return ws->state == WS_CONNECTING;
}

short ws_events(const struct ws *ws) {
  if (ws->state == WS_CONNECTING) return POLLOUT;
  return (short)(POLLIN | (ws_unsent(ws) > 0 ? POLLOUT : 0));
}

bool ws_flush(struct ws *ws) {
  while (ws_unsent(ws) > 0) {
    ssize_t count = send(ws->fd, ws->out + ws->out_at, ws_unsent(ws), MSG_NOSIGNAL);
    if (count < 0) {
      return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR || errno == EINPROGRESS ||
             (errno == ENOTCONN && ws->state == WS_CONNECTING);
    }
    ws->out_at += (size_t)count;
    if (ws->state == WS_CONNECTING) ws->state = WS_UPGRADING;
  }
  ws->out_at = ws->out_length = 0;
  return true;
}

/* Reads what is there into `received`. False if the socket has ended. */
static bool fill(struct ws *ws) {
  ws->received_at = ws->received_length = 0;
  ssize_t count = recv(ws->fd, ws->received, sizeof ws->received, 0);
  if (count > 0) ws->received_length = (size_t)count;
  return count > 0 || (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR));
}

struct ws_response ws_upgrade(struct ws *ws, const struct ws_target *target) {
  struct ws_response waiting = {0, -1}, ended = {-1, -1};
  if (ws->received_at == ws->received_length && !fill(ws)) return ended;
  while (ws->received_at < ws->received_length) {
    if (ws->response_length == WS_RESPONSE_MAX) return ended;
    ws->response[ws->response_length++] = (char)ws->received[ws->received_at++];
    size_t length = ws->response_length;
    if (length < 4 || memcmp(ws->response + length - 4, "\r\n\r\n", 4) != 0) continue;
    struct ws_response response = ws_read_response(ws->response, length, ws->key, target->subprotocol);
    if (response.status == 101) ws->state = WS_OPEN;
    return response;
  }
  return waiting;
}

enum ws_event ws_next(struct ws *ws, bool *broken) {
  *broken = false;
  if (ws->received_at == ws->received_length && !fill(ws)) *broken = true;
  const uint8_t *at = ws->received + ws->received_at;
  enum ws_event event = ws_take(&ws->input, &at, ws->received + ws->received_length);
  ws->received_at = (size_t)(at - ws->received);
  return event;
}

bool ws_send(struct ws *ws, enum ws_opcode opcode, const uint8_t *payload, size_t length) {
  uint8_t mask[4];
  if (ws->close_sent) return false;
  if (ws->out_at > 0) {
    memmove(ws->out, ws->out + ws->out_at, ws_unsent(ws));
    ws->out_length -= ws->out_at;
    ws->out_at = 0;
  }
  ws_random(mask, sizeof mask);
  size_t room = sizeof ws->out - ws->out_length;
  size_t written = ws_write_frame(ws->out + ws->out_length, room, opcode, payload, length, mask);
  ws->out_length += written;
  return written > 0;
}

void ws_send_close(struct ws *ws, int code) {
  uint8_t payload[2] = {(uint8_t)(code >> 8), (uint8_t)code};
  ws_send(ws, WS_CLOSE, payload, code == 1005 ? 0 : sizeof payload);
  ws->close_sent = true;
}

size_t ws_unsent(const struct ws *ws) {
  return ws->out_length - ws->out_at;
}

void ws_shut(struct ws *ws) {
  if (ws->fd >= 0) close(ws->fd);
  ws->fd = -1;
  ws->state = WS_SHUT;
}
