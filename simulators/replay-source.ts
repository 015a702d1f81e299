import type { DeviceSet } from '../src/client/device-io.ts';
import { BLOCKS_MAX } from '../src/model/limits.ts';
import type { DeviceBlock } from '../src/wire/messages.ts';
import type { Recording } from './recording.ts';
import type { Emit, Source } from './source.ts';

/** How a recording is replayed. */
export interface ReplayOptions {
  readonly recording: Recording;
  readonly speedup: number;
  /** What the first row's time becomes. Units: µs. */
  readonly startUs: number;
  /** Rows per frame; undefined: what comes due within 0.1 s. */
  readonly batch?: number | undefined;
}

const SET = 1;
/** How often frames are formed where nothing else is asked for. Units: µs. */
const FRAME_US = 100_000;
/** Rows per frame at most: about 6 KiB in JSON, so that few frames have to be halved. */
const ROWS_MAX = 256;

/**
 * A recording that is sent again as if it were measured now.
 *
 * Guarantee: rows keep the order of the file; row times are t′ = start + floor((t − t0) ÷ speedup),
 * t0 being the first row's time. A row is due at t′, or at once where t′ has passed.
 * Source: INTERFACE, simulate.
 */
export class ReplaySource implements Source {
  readonly device: string;
  readonly sets: readonly DeviceSet[] = [{ s: SET, lane: 1, cols: [['value']] }];
  readonly lanes = [1];
  readonly skipped = 0;
  readonly newest = new Map<number, number>();
  /** t′ of every row. */
  readonly #times: Float64Array;
  readonly #values: Float64Array;
  /** When a row is due: the greatest t′ up to it, for a row is never sent before an earlier one. */
  readonly #due: Float64Array;
  readonly #batch: number | undefined;
  #next = 0;

  constructor({ recording, speedup, startUs, batch }: ReplayOptions) {
    const first = recording.times[0] as number;
    this.device = recording.device;
    this.#values = recording.values;
    this.#times = recording.times.map((t) => startUs + Math.floor((t - first) / speedup));
    this.#due = this.#times.slice();
    for (let i = 1; i < this.#due.length; i += 1) {
      this.#due[i] = Math.max(this.#due[i] as number, this.#due[i - 1] as number);
    }
    this.#batch = batch;
  }

  get dueUs(): number {
    const first = this.#due[this.#next];
    if (first === undefined) return Number.POSITIVE_INFINITY;
    const last = this.#due.length - 1;
    if (this.#batch !== undefined) {
      return this.#due[Math.min(last, this.#next + this.#batch - 1)] as number;
    }
    const full = this.#due[this.#next + ROWS_MAX - 1] ?? Number.POSITIVE_INFINITY;
    return Math.min(full, this.#due[last] as number, first + FRAME_US);
  }

  take(nowUs: number, emit: Emit): void {
    while (this.dueUs <= nowUs) this.#emitRows(this.#rowsDue(nowUs), emit);
  }

  stop(nowUs: number, emit: Emit): void {
    this.take(nowUs, emit);
    const rows = this.#rowsDue(nowUs);
    if (rows > 0) this.#emitRows(rows, emit);
    this.#next = this.#due.length;
  }

  #rowsDue(nowUs: number): number {
    const end = Math.min(this.#due.length, this.#next + (this.#batch ?? ROWS_MAX));
    let at = this.#next;
    while (at < end && (this.#due[at] as number) <= nowUs) at += 1;
    return at - this.#next;
  }

  #emitRows(rows: number, emit: Emit): void {
    const end = this.#next + rows;
    const blocks: DeviceBlock[] = [];
    while (this.#next < end && blocks.length < BLOCKS_MAX) blocks.push(this.#block(end));
    emit(1, blocks);
    if (this.#next < end) this.#emitRows(end - this.#next, emit);
  }

  /** The rows up to `end` or to the first that is older than the one before. [R5.2-7] */
  #block(end: number): DeviceBlock {
    const from = this.#next;
    const t = this.#times[from] as number;
    const d: number[] = [];
    let at = from + 1;
    for (; at < end; at += 1) {
      const delta = (this.#times[at] as number) - (this.#times[at - 1] as number);
      if (delta < 0) break;
      d.push(delta);
    }
    this.#next = at;
    const last = this.#times[at - 1] as number;
    this.newest.set(1, Math.max(this.newest.get(1) ?? 0, last));
    return { s: SET, t, d: d.length > 0 ? d : undefined, v: [this.#values.slice(from, at)] };
  }
}
