/* The ring of encoded frames of PROTOCOL App. B: fixed slots, shared by the lanes, each lane a queue
 * in the order of n. Slots instead of one run of bytes, because frames leave from the middle too. */
#ifndef RING_H
#define RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TG_LANES 2
#define TG_SLOTS_MAX 512
#define TG_BLOCKS_MAX 1024 /* bytes of the blocks of one frame */
/* map, k, c, n, lost, bl: the head in front of the blocks is written when the frame is sent. */
#define TG_HEAD_MAX 36
#define TG_NONE (-1)

struct tg_frame {
  uint64_t n;
  uint64_t lost; /* numbers missing immediately before n [R6.1-2] */
  int after;     /* the next slot of the lane, or of the free list */
  size_t length; /* of the blocks, which start at TG_HEAD_MAX */
  uint8_t bytes[TG_HEAD_MAX + TG_BLOCKS_MAX];
};

struct tg_queue {
  int first;
  int newest;
  size_t count;
  uint64_t pending; /* lost numbers that the next frame formed declares */
};

struct tg_ring {
  struct tg_frame frame[TG_SLOTS_MAX];
  struct tg_queue lane[TG_LANES];
  int free;
  uint64_t dropped; /* frames that were lost, ever */
};

void ring_open(struct tg_ring *ring, size_t slots);

/* A slot of the lane for the frame n, which takes over what is pending; NULL if none is free. */
struct tg_frame *ring_put(struct tg_ring *ring, int lane, uint64_t n);

/* The first frame of the lane above n, or NULL. */
struct tg_frame *ring_first_above(struct tg_ring *ring, int lane, uint64_t n);

/* Frees the frames up to n, which are acknowledged. Returns how many they were. */
size_t ring_drop_upto(struct tg_ring *ring, int lane, uint64_t n);

/* Drops the frame n, if it is here, and lets its successor declare it. */
bool ring_drop_one(struct tg_ring *ring, int lane, uint64_t n);

/* A frame that found no room is never formed: its number is lost as well. */
void ring_lose_new(struct tg_ring *ring, int lane);

/* A new epoch: the frames become 1, 2, … with nothing lost. Returns the next number. */
uint64_t ring_renumber(struct tg_ring *ring, int lane);

#endif
