#include "ring.h"

void ring_open(struct tg_ring *ring, size_t slots) {
  for (size_t i = 0; i < slots; i++) {
    ring->frame[i].after = i + 1 < slots ? (int)(i + 1) : TG_NONE;
  }
  for (int lane = 0; lane < TG_LANES; lane++) {
    ring->lane[lane] = (struct tg_queue){TG_NONE, TG_NONE, 0, 0};
  }
  ring->free = slots > 0 ? 0 : TG_NONE;
  ring->dropped = 0;
}

struct tg_frame *ring_put(struct tg_ring *ring, int lane, uint64_t n) {
  struct tg_queue *queue = &ring->lane[lane];
  int slot = ring->free;
  if (slot == TG_NONE) return NULL;
  struct tg_frame *frame = &ring->frame[slot];
  ring->free = frame->after;
  frame->n = n;
  frame->lost = queue->pending;
  frame->after = TG_NONE;
  frame->length = 0;
  queue->pending = 0;
  if (queue->newest == TG_NONE) queue->first = slot;
  else ring->frame[queue->newest].after = slot;
  queue->newest = slot;
  queue->count++;
  return frame;
}

struct tg_frame *ring_first_above(struct tg_ring *ring, int lane, uint64_t n) {
  for (int slot = ring->lane[lane].first; slot != TG_NONE; slot = ring->frame[slot].after) {
    if (ring->frame[slot].n > n) return &ring->frame[slot];
  }
  return NULL;
}

/* Takes the slot that stands behind `before` (TG_NONE: the first) out of its lane. */
static void release(struct tg_ring *ring, int lane, int before) {
  struct tg_queue *queue = &ring->lane[lane];
  int slot = before == TG_NONE ? queue->first : ring->frame[before].after;
  int after = ring->frame[slot].after;
  if (before == TG_NONE) queue->first = after;
  else ring->frame[before].after = after;
  if (queue->newest == slot) queue->newest = before;
  queue->count--;
  ring->frame[slot].after = ring->free;
  ring->free = slot;
}

size_t ring_drop_upto(struct tg_ring *ring, int lane, uint64_t n) {
  size_t dropped = 0;
  struct tg_queue *queue = &ring->lane[lane];
  while (queue->first != TG_NONE && ring->frame[queue->first].n <= n) {
    release(ring, lane, TG_NONE);
    dropped++;
  }
  return dropped;
}

bool ring_drop_one(struct tg_ring *ring, int lane, uint64_t n) {
  struct tg_queue *queue = &ring->lane[lane];
  int before = TG_NONE, slot = queue->first;
  while (slot != TG_NONE && ring->frame[slot].n < n) {
    before = slot;
    slot = ring->frame[slot].after;
  }
  if (slot == TG_NONE || ring->frame[slot].n != n) return false;
  int after = ring->frame[slot].after;
  uint64_t lost = 1 + ring->frame[slot].lost;
  if (after == TG_NONE) queue->pending += lost;
  else ring->frame[after].lost += lost;
  release(ring, lane, before);
  ring->dropped++;
  return true;
}

void ring_lose_new(struct tg_ring *ring, int lane) {
  ring->lane[lane].pending++;
  ring->dropped++;
}

uint64_t ring_renumber(struct tg_ring *ring, int lane) {
  uint64_t next = 1;
  for (int slot = ring->lane[lane].first; slot != TG_NONE; slot = ring->frame[slot].after) {
    ring->frame[slot].n = next++;
    ring->frame[slot].lost = 0;
  }
  ring->lane[lane].pending = 0;
  return next;
}
