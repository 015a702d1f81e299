#include "vibration.h"

/* A sine made of parabolas: phase 0 … 65535, −32768 … 32768. */
static int32_t wave(uint32_t phase) {
  int32_t p = (int32_t)(phase & 0xffff) - 32768;
  return p * (32768 - (p < 0 ? -p : p)) / 8192;
}

/* −256 … 255 (the finalizer of murmur3). */
static int32_t noise(uint32_t seed) {
  seed ^= seed >> 16, seed *= 0x85ebca6b;
  seed ^= seed >> 13, seed *= 0xc2b2ae35;
  return (int32_t)((seed ^ seed >> 16) & 511) - 256;
}

int16_t vibration(unsigned axis, uint32_t row) {
  static const int32_t GRAVITY[VIBRATION_AXES] = {0, 0, 16384};
  static const int32_t SIZE[VIBRATION_AXES] = {9000, 6000, 3000};
  static const uint32_t STEP[VIBRATION_AXES] = {1311, 1823, 2719}; /* 20, 28, 41 Hz at 1 kHz */
  int32_t swing = wave(row * STEP[axis]) * SIZE[axis] / 32768;
  return (int16_t)(GRAVITY[axis] + swing + noise(row * VIBRATION_AXES + axis));
}
