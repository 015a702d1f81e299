/* The signal: 3-axis acceleration as int16, 16384 per g, a function of axis and row alone.
 * Integers only, so that whoever checks the log computes the same values in any language. */
#ifndef VIBRATION_H
#define VIBRATION_H

#include <stdint.h>

#define VIBRATION_AXES 3

int16_t vibration(unsigned axis, uint32_t row);

#endif
