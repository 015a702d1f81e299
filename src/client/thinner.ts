import type { Codec } from '../model/machine.ts';
import { LANE } from '../model/reading.ts';
import { encodeBlocks } from '../wire/encode.ts';
import type { DeviceBlock } from '../wire/messages.ts';
import { countReadings, rowsOf } from './block.ts';
import type { DeviceEffect } from './device-io.ts';
import type { LaneQueue } from './lane-queue.ts';
import { blocksOf } from './recode.ts';
import type { Ring } from './ring.ts';
import type { RingFrame } from './ring-frame.ts';
import { rowsFrom } from './split.ts';
import { everyKth } from './thin.ts';

/** No fewer than one in so many rows: a device that thin is as good as silent. */
const K_MAX = 65_536;
/** The pressure is over when the ring is this empty. */
const CALM_SHARE = 1 / 4;

/** Rows seen of a set, modulo k: which row is kept next does not depend on where blocks end. */
type Phases = Map<number, number>;

/**
 * Keeps every k-th row of what was never sent, k doubling with the pressure: a full ring holds the
 * whole of an outage, ever more coarsely, instead of its newest part. Alarms are left alone.
 *
 * Guarantee: a frame that was ever sent is not touched; a number that disappears is declared lost.
 * Source: PROTOCOL R5.3-6, R5.3-7, R9.4-9.
 */
export class Thinner {
  readonly #codec: Codec;
  readonly #ring: Ring;
  readonly #phases: Phases = new Map();
  /** Rows to come for which a row kept before stands already: the pressure ended within a group. */
  readonly #owed = new Map<number, number>();
  #k = 1;

  constructor(codec: Codec, ring: Ring) {
    this.#codec = codec;
    this.#ring = ring;
  }

  /** Of so many rows one is kept; 1: all are. */
  get k(): number {
    return this.#k;
  }

  /** What is kept of these new readings of a bulk lane. */
  pass(effects: DeviceEffect[], blocks: readonly DeviceBlock[]): readonly DeviceBlock[] {
    if (this.#k > 1 && this.#ring.bytes < this.#ring.bytesMax * CALM_SHARE) this.#calm();
    if (this.#k === 1 && this.#owed.size === 0) return blocks;
    const left = blocks.flatMap((block) => this.#withoutOwed(block));
    const kept = this.#k === 1 ? left : thinned(left, this.#k, this.#phases);
    const readings = countReadings(blocks) - countReadings(kept);
    if (readings > 0) effects.push({ kind: 'thinned', frame: null, readings, isGone: false });
    return kept;
  }

  /**
   * Doubles k for everything that waits; false if that frees nothing. To be called before new rows
   * are passed, so that the last group of what waits goes on in them.
   */
  press(effects: DeviceEffect[]): boolean {
    if (!this.#hasRowsToSpare()) return false;
    const before = this.#ring.bytes;
    while (this.#k < K_MAX && this.#ring.bytes === before) {
      this.#k *= 2;
      for (const queue of this.#bulk) this.#thinQueue(effects, queue);
    }
    return this.#ring.bytes < before;
  }

  get #bulk(): readonly LaneQueue[] {
    return this.#ring.lanes.filter((queue) => queue.lane !== LANE.critical);
  }

  /** Two rows of one set wait on one lane; where there is no second one, k would rise for nothing. */
  #hasRowsToSpare(): boolean {
    return this.#bulk.some((queue) => {
      const seen = new Set<number>();
      return queue.fresh.some((frame) =>
        this.#blocksOf(frame).some((block) => {
          if (rowsOf(block) > 1 || seen.has(block.s)) return true;
          seen.add(block.s);
          return false;
        }),
      );
    });
  }

  #blocksOf(frame: RingFrame): readonly DeviceBlock[] {
    return frame.source ?? blocksOf(this.#codec, frame.blocks) ?? [];
  }

  #calm(): void {
    for (const [s, phase] of this.#phases) if (phase > 0) this.#owed.set(s, this.#k - phase);
    this.#phases.clear();
    this.#k = 1;
  }

  #withoutOwed(block: DeviceBlock): readonly DeviceBlock[] {
    const owed = this.#owed.get(block.s);
    if (owed === undefined) return [block];
    const rows = rowsOf(block);
    if (owed > rows) this.#owed.set(block.s, owed - rows);
    else this.#owed.delete(block.s);
    return owed < rows ? [rowsFrom(block, owed, rows)] : [];
  }

  #thinQueue(effects: DeviceEffect[], queue: LaneQueue): void {
    const phases = new Map<number, Phases>([[2, new Map()]]);
    for (const frame of queue.fresh) {
      const factor = this.#k / frame.thinning;
      const those = phases.get(factor) ?? new Map<number, number>();
      phases.set(factor, those);
      if (factor > 1) this.#thinFrame(effects, queue, frame, those);
    }
    for (const [s, units] of phases.get(2) ?? []) this.#goOn(s, units);
  }

  /** The newest group of a set that waits has `units` (0: 2) rows kept before, the last perhaps not full. */
  #goOn(s: number, units: number): void {
    const half = this.#k / 2;
    const inLast = this.#phases.get(s) || half;
    this.#phases.set(s, (units === 1 ? inLast : half + inLast) % this.#k);
  }

  #thinFrame(effects: DeviceEffect[], queue: LaneQueue, frame: RingFrame, phases: Phases): void {
    const blocks = this.#blocksOf(frame);
    if (blocks.length === 0) return;
    const kept = thinned(blocks, this.#k / frame.thinning, phases);
    const readings = frame.readings - countReadings(kept);
    if (kept.length === 0) queue.drop(frame.n);
    else {
      queue.replace(frame, {
        blocks: encodeBlocks(this.#codec, kept),
        readings: frame.readings - readings,
        source: frame.source && kept,
        thinning: this.#k,
      });
    }
    effects.push({ kind: 'thinned', frame, readings, isGone: kept.length === 0 });
  }
}

function thinned(blocks: readonly DeviceBlock[], k: number, phases: Phases): DeviceBlock[] {
  const kept: DeviceBlock[] = [];
  for (const block of blocks) {
    const phase = phases.get(block.s) ?? 0;
    phases.set(block.s, (phase + rowsOf(block)) % k);
    const some = everyKth(block, k, (k - phase) % k);
    if (some) kept.push(some);
  }
  return kept;
}
