#include "sha1.h"

#include <assert.h>
#include <string.h>

static uint32_t rotate(uint32_t word, unsigned bits) {
  return word << bits | word >> (32 - bits);
}

static void schedule(const uint8_t *block, uint32_t words[80]) {
  for (int i = 0; i < 16; i++, block += 4) {
    words[i] = (uint32_t)block[0] << 24 | (uint32_t)block[1] << 16 | (uint32_t)block[2] << 8 | block[3];
  }
  for (int i = 16; i < 80; i++) {
    words[i] = rotate(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
  }
}

static uint32_t mix(int round, uint32_t b, uint32_t c, uint32_t d) {
  static const uint32_t CONSTANT[4] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
  uint32_t bits = round == 0 ? (b & c) | (~b & d) : round == 2 ? (b & c) | (b & d) | (c & d) : b ^ c ^ d;
  return bits + CONSTANT[round];
}

static void compress(uint32_t state[5], const uint8_t *block) {
  uint32_t words[80], a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
  schedule(block, words);
  for (int i = 0; i < 80; i++) {
    uint32_t next = rotate(a, 5) + mix(i / 20, b, c, d) + e + words[i];
    e = d, d = c, c = rotate(b, 30), b = a, a = next;
  }
  state[0] += a, state[1] += b, state[2] += c, state[3] += d, state[4] += e;
}

void sha1(const uint8_t *bytes, size_t length, uint8_t digest[SHA1_BYTES]) {
  uint32_t state[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  uint8_t padded[192] = {0};
  size_t total = (length + 9 + 63) / 64 * 64;
  assert(total <= sizeof padded);
  memcpy(padded, bytes, length);
  padded[length] = 0x80;
  for (size_t i = 0; i < 8; i++) padded[total - 1 - i] = (uint8_t)((uint64_t)length * 8 >> 8 * i);
  for (size_t at = 0; at < total; at += 64) compress(state, padded + at);
  for (int i = 0; i < SHA1_BYTES; i++) digest[i] = (uint8_t)(state[i / 4] >> (24 - 8 * (i % 4)));
}

void base64(const uint8_t *bytes, size_t length, char *out) {
  static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < length; i += 3) {
    size_t here = length - i < 3 ? length - i : 3;
    uint32_t bits = (uint32_t)bytes[i] << 16;
    if (here > 1) bits |= (uint32_t)bytes[i + 1] << 8;
    if (here > 2) bits |= bytes[i + 2];
    for (size_t j = 0; j < 4; j++) *out++ = j > here ? '=' : DIGITS[bits >> (18 - 6 * j) & 63];
  }
  *out = 0;
}
