/* The half of websocket.h that has no socket. */
#include "websocket.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sha1.h"

enum { PROTOCOL_ERROR = 1002, TOO_BIG = 1009 };

static enum ws_event fault(struct ws_input *input, int code) {
  input->fault = code;
  return WS_FAULT;
}

static bool is_control(enum ws_opcode opcode) {
  return opcode >= WS_CLOSE;
}

/* How many bytes the head of a frame has, as far as its first two bytes tell. */
static size_t head_size(const struct ws_input *input) {
  if (input->head_length < 2) return 2;
  unsigned length = input->head[1] & 127;
  return length == 126 ? 4 : length == 127 ? 10 : 2;
}

static uint64_t payload_length(const uint8_t *head) {
  unsigned length = head[1] & 127;
  if (length < 126) return length;
  uint64_t value = 0;
  size_t bytes = length == 126 ? 2 : 8;
  for (size_t i = 0; i < bytes; i++) value = value << 8 | head[2 + i];
  return value;
}

/* The head of a frame is whole: 0, or the code of what is wrong with it. */
static int begin_frame(struct ws_input *input) {
  const uint8_t *head = input->head;
  unsigned short_length = head[1] & 127;
  input->is_final = head[0] & 0x80;
  input->opcode = (enum ws_opcode)(head[0] & 15);
  input->left = payload_length(head);
  if (head[0] & 0x70 || head[1] & 0x80) return PROTOCOL_ERROR; /* an extension, a masked frame */
  if (short_length == 126 && input->left < 126) return PROTOCOL_ERROR;
  if (short_length == 127 && (input->left < 65536 || input->left >> 63)) return PROTOCOL_ERROR;
  switch (input->opcode) {
    case WS_CONTINUATION:
      if (!input->in_message) return PROTOCOL_ERROR;
      break;
    case WS_TEXT: case WS_BINARY:
      if (input->in_message) return PROTOCOL_ERROR;
      input->message_opcode = input->opcode;
      input->message_length = 0;
      input->in_message = true;
      break;
    case WS_CLOSE: case WS_PING: case WS_PONG:
      if (!input->is_final || short_length > WS_CONTROL_MAX) return PROTOCOL_ERROR;
      input->control_length = 0;
      return 0;
    default: return PROTOCOL_ERROR;
  }
  return input->left > WS_MESSAGE_MAX - input->message_length ? TOO_BIG : 0;
}

static bool take_head(struct ws_input *input, const uint8_t **at, const uint8_t *end) {
  while (*at < end && input->head_length < head_size(input)) {
    input->head[input->head_length++] = *(*at)++;
  }
  return input->head_length == head_size(input);
}

static void take_payload(struct ws_input *input, const uint8_t **at, const uint8_t *end) {
  size_t here = (size_t)(end - *at);
  if (here > input->left) here = (size_t)input->left;
  bool control = is_control(input->opcode);
  uint8_t *to = control ? input->control + input->control_length : input->message + input->message_length;
  memcpy(to, *at, here);
  *(control ? &input->control_length : &input->message_length) += here;
  *at += here;
  input->left -= here;
}

static bool is_close_code(int code) {
  return (code >= 3000 && code <= 4999) || (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006);
}

static enum ws_event end_close(struct ws_input *input) {
  if (input->control_length == 0) input->fault = 1005;
  else if (input->control_length == 1) return fault(input, PROTOCOL_ERROR);
  else input->fault = input->control[0] << 8 | input->control[1];
  if (input->fault != 1005 && !is_close_code(input->fault)) return fault(input, PROTOCOL_ERROR);
  return WS_GOT_CLOSE;
}

static enum ws_event end_frame(struct ws_input *input) {
  input->in_frame = false;
  input->head_length = 0;
  switch (input->opcode) {
    case WS_PING: return WS_GOT_PING;
    case WS_PONG: return WS_GOT_PONG;
    case WS_CLOSE: return end_close(input);
    default: break;
  }
  if (!input->is_final) return WS_MORE;
  input->in_message = false;
  return WS_GOT_MESSAGE;
}

enum ws_event ws_take(struct ws_input *input, const uint8_t **at, const uint8_t *end) {
  for (;;) {
    if (!input->in_frame) {
      if (!take_head(input, at, end)) return WS_MORE;
      int code = begin_frame(input);
      if (code != 0) return fault(input, code);
      input->in_frame = true;
    }
    take_payload(input, at, end);
    if (input->left > 0) return WS_MORE;
    enum ws_event event = end_frame(input);
    if (event != WS_MORE) return event;
  }
}

size_t ws_write_frame(uint8_t *out, size_t room, enum ws_opcode opcode, const uint8_t *payload,
                      size_t length, const uint8_t mask[4]) {
  size_t head = length < 126 ? 2 : 4;
  if (length > 0xffff || room < head + 4 + length) return 0;
  out[0] = (uint8_t)(0x80 | opcode);
  out[1] = (uint8_t)(0x80 | (length < 126 ? length : 126));
  if (head == 4) out[2] = (uint8_t)(length >> 8), out[3] = (uint8_t)length;
  memcpy(out + head, mask, 4);
  for (size_t i = 0; i < length; i++) out[head + 4 + i] = payload[i] ^ mask[i % 4];
  return head + 4 + length;
}

void ws_accept_of(const char *key, char accept[WS_ACCEPT_LENGTH + 1]) {
  char text[WS_KEY_LENGTH + 36 + 1];
  uint8_t digest[SHA1_BYTES];
  int length = snprintf(text, sizeof text, "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
  sha1((const uint8_t *)text, (size_t)length, digest);
  base64(digest, sizeof digest, accept);
}

size_t ws_write_request(char *out, size_t room, const struct ws_target *target, const char *key) {
  bool is_v6 = strchr(target->host, ':') != NULL;
  const char *token = target->token == NULL ? "" : target->token;
  int length = snprintf(out, room,
    "GET %s HTTP/1.1\r\nHost: %s%s%s:%s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: %s\r\n%s%s%s\r\n",
    target->path, is_v6 ? "[" : "", target->host, is_v6 ? "]" : "", target->port, key,
    target->subprotocol, *token ? "Authorization: Bearer " : "", token, *token ? "\r\n" : "");
  return length < 0 || (size_t)length >= room ? 0 : (size_t)length;
}

/* A line of a header: name and value without the white space around it. */
struct line {
  const char *name, *value;
  size_t name_length, value_length;
};

static bool is_named(const struct line *line, const char *name) {
  return line->name_length == strlen(name) && strncasecmp(line->name, name, line->name_length) == 0;
}

static bool has_value(const struct line *line, const char *value, bool exactly) {
  if (line->value_length != strlen(value)) return false;
  if (exactly) return memcmp(line->value, value, line->value_length) == 0;
  return strncasecmp(line->value, value, line->value_length) == 0;
}

/* One element of a comma-separated list, as in `Connection: keep-alive, Upgrade`. */
static bool has_element(const struct line *line, const char *element) {
  size_t length = strlen(element);
  for (size_t i = 0; i + length <= line->value_length; i++) {
    bool starts = i == 0 || strchr(", \t", line->value[i - 1]) != NULL;
    bool ends = i + length == line->value_length || strchr(", \t", line->value[i + length]) != NULL;
    if (starts && ends && strncasecmp(line->value + i, element, length) == 0) return true;
  }
  return false;
}

static bool next_line(const char **at, const char *end, struct line *line) {
  const char *stop = *at;
  while (stop < end && *stop != '\r' && *stop != '\n') stop++;
  const char *colon = memchr(*at, ':', (size_t)(stop - *at));
  if (colon == NULL) return false;
  const char *value = colon + 1, *last = stop;
  while (value < last && (*value == ' ' || *value == '\t')) value++;
  while (last > value && (last[-1] == ' ' || last[-1] == '\t')) last--;
  *line = (struct line){*at, value, (size_t)(colon - *at), (size_t)(last - value)};
  while (stop < end && *stop == '\r') stop++;
  *at = stop < end ? stop + 1 : end;
  return true;
}

static int64_t seconds_of(const struct line *line) {
  int64_t seconds = 0;
  for (size_t i = 0; i < line->value_length; i++) {
    if (line->value[i] < '0' || line->value[i] > '9' || seconds > 86400) return -1;
    seconds = seconds * 10 + (line->value[i] - '0');
  }
  return line->value_length > 0 ? seconds : -1;
}

struct ws_response ws_read_response(const char *text, size_t length, const char *key,
                                    const char *subprotocol) {
  struct ws_response response = {PROTOCOL_ERROR, -1};
  const char *at = text, *end = text + length;
  char accept[WS_ACCEPT_LENGTH + 1];
  bool upgrade = false, connection = false, accepted = false, spoken = false, extended = false;
  if (length < 13 || memcmp(text, "HTTP/1.1 ", 9) != 0) return response;
  for (int i = 9; i < 12; i++) {
    if (text[i] < '0' || text[i] > '9') return response;
  }
  int status = (text[9] - '0') * 100 + (text[10] - '0') * 10 + (text[11] - '0');
  ws_accept_of(key, accept);
  at = memchr(text, '\n', length);
  at = at == NULL ? end : at + 1;
  for (struct line line; next_line(&at, end, &line);) {
    if (is_named(&line, "upgrade")) upgrade = has_value(&line, "websocket", false);
    if (is_named(&line, "connection")) connection = has_element(&line, "upgrade");
    if (is_named(&line, "sec-websocket-accept")) accepted = has_value(&line, accept, true);
    if (is_named(&line, "sec-websocket-protocol")) spoken = has_value(&line, subprotocol, true);
    if (is_named(&line, "sec-websocket-extensions")) extended = true; /* we offered none */
    if (is_named(&line, "retry-after")) response.retry_after_s = seconds_of(&line);
  }
  bool right = upgrade && connection && accepted && spoken && !extended;
  response.status = status == 101 && !right ? PROTOCOL_ERROR : status;
  return response;
}
