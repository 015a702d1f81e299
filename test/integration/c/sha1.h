/* SHA-1 (FIPS 180-4) and base64 (RFC 4648), for the handshake of RFC 6455 only. */
#ifndef SHA1_H
#define SHA1_H

#include <stddef.h>
#include <stdint.h>

#define SHA1_BYTES 20
#define BASE64_LENGTH(bytes) (((bytes) + 2) / 3 * 4)

/* `length` at most 183: what the handshake needs, and it fits in three blocks. */
void sha1(const uint8_t *bytes, size_t length, uint8_t digest[SHA1_BYTES]);

/* Writes BASE64_LENGTH(length) characters and a zero. */
void base64(const uint8_t *bytes, size_t length, char *out);

#endif
