import { Batcher } from '../../client/batcher.ts';
import type { DeviceSession } from '../../client/device-session.ts';
import { RING_BYTES_PER_FRAME } from '../../client/ring-frame.ts';
import { blockBytes } from '../../client/row-batch.ts';
import type { SeriesTable } from '../../client/series-table.ts';
import { EVENT_US_MAX, TEXT_BYTES_MAX } from '../../model/limits.ts';
import { LANE } from '../../model/reading.ts';
import type { DeviceBlock, Scalar } from '../../wire/messages.ts';

/** Where neither the device nor the gateway says how long rows wait for others. Units: ms. */
const LINGER_MS = 100;

/** Of a ring so small that a largest frame would hardly fit, one takes at most this part. */
const FRAME_SHARE = 1 / 4;
/** On the wire NaN would mean "no value" [R5.2-10]; in a program it mostly is a mistake. */
const WHAT_A_VALUE_IS =
  'a value is a finite number, a boolean or a text; where there is none, null';

const UTF8 = new TextEncoder();

/** Near enough what these values take as frames of their own. Units: bytes. */
export const bytesOf = (values: Readonly<Record<string, Scalar>>, frames: number): number =>
  blockBytes(Object.values(values)) + frames * (RING_BYTES_PER_FRAME + blockBytes([]));

/** Blocks that are ready to become a frame. */
export interface ReadyBlocks {
  readonly lane: number;
  readonly blocks: readonly DeviceBlock[];
}

/**
 * What a device was given and has not formed yet: rows that wait for others of their lane.
 * Bounds: one largest frame per lane, and 64 blocks.
 */
export class Intake {
  readonly #table: SeriesTable;
  readonly #session: DeviceSession;
  readonly #latencyMs: number | undefined;
  readonly #batchers = new Map<number, Batcher>();
  /** Text or number, by series: a column holds one kind only. [R5.2-9] */
  readonly #isText = new Map<string, boolean>();
  /** The newest time written, by lane. Units: µs. */
  readonly newest = new Map<number, number>();
  /** What the gateway suggests. Units: ms. */
  lingerMs: number | undefined;

  constructor(table: SeriesTable, session: DeviceSession, latencyMs: number | undefined) {
    this.#table = table;
    this.#session = session;
    this.#latencyMs = latencyMs;
  }

  /** When the oldest row has waited long enough. Units: monotonic ms. */
  get dueMs(): number {
    const waitMs = Math.min(this.#latencyMs ?? Number.POSITIVE_INFINITY, this.#suggestedMs);
    const since = [...this.#batchers.values()].map(({ sinceMs }) => sinceMs);
    return Math.min(Number.POSITIVE_INFINITY, ...since.filter((ms) => !Number.isNaN(ms))) + waitMs;
  }

  get isEmpty(): boolean {
    return [...this.#batchers.values()].every(({ sinceMs }) => Number.isNaN(sinceMs));
  }

  /** Near enough what waits would take in the ring, with the bulk of these. Units: bytes. */
  bytesWith(values: Readonly<Record<string, Scalar>>): number {
    let bytes = 0;
    for (const batcher of this.#batchers.values()) {
      if (!Number.isNaN(batcher.sinceMs)) bytes += batcher.bytes + RING_BYTES_PER_FRAME;
    }
    return bytes + bytesOf(values, this.lanesOf(values).length);
  }

  /** Throws where these values are none of this device's. Times are µs. */
  check(values: Readonly<Record<string, Scalar>>, timeUs: number): void {
    if (!(timeUs >= 0 && timeUs < EVENT_US_MAX)) throw new RangeError('time outside 1970 to 2200');
    if (typeof values !== 'object' || values === null || Array.isArray(values)) {
      throw new TypeError('readings are an object, by name of series');
    }
    for (const [name, value] of Object.entries(values)) this.#checkValue(name, value);
  }

  /** The lanes that these values go on, alarms first. */
  lanesOf(values: Readonly<Record<string, Scalar>>): readonly number[] {
    const lanes = Object.keys(values).flatMap((name) => this.#table.get(name)?.lane ?? []);
    return [...new Set(lanes)].toSorted((a, b) => a - b);
  }

  /** The rows of alarms among these values, to be sent at once. */
  alarms(values: Readonly<Record<string, Scalar>>, timeUs: number): readonly DeviceBlock[] {
    const batcher = new Batcher();
    for (const row of this.#table.rowsOf(values)) {
      if (row.lane !== LANE.critical) continue;
      batcher.add(this.#session.define(row.shape), timeUs, row.values, 0);
      this.#note(row.lane, timeUs);
    }
    return batcher.take();
  }

  /** Adds the other rows to what waits. Returns what is full now. */
  add(values: Readonly<Record<string, Scalar>>, timeUs: number, nowMs: number): ReadyBlocks[] {
    const ready: ReadyBlocks[] = [];
    for (const { lane, shape, values: row } of this.#table.rowsOf(values)) {
      if (lane === LANE.critical) continue;
      const batcher = this.#batcher(lane);
      batcher.add(this.#session.define(shape), timeUs, row, nowMs);
      this.#note(lane, timeUs);
      const bytesMax = Math.min(this.#session.roomFor(lane), this.#frameBytesMax);
      const isFull = batcher.isFull || batcher.bytes >= bytesMax;
      if (isFull) ready.push({ lane, blocks: batcher.take() });
    }
    return ready;
  }

  /** Everything that waits. */
  take(): ReadyBlocks[] {
    return [...this.#batchers]
      .map(([lane, batcher]) => ({ lane, blocks: batcher.take() }))
      .filter(({ blocks }) => blocks.length > 0);
  }

  /** The clock was wrong by this much. Units: µs. */
  shift(byUs: number): void {
    for (const batcher of this.#batchers.values()) batcher.shift(byUs);
    for (const [lane, t] of this.newest) this.newest.set(lane, t + byUs);
  }

  get #frameBytesMax(): number {
    return this.#session.ring.bytesMax * FRAME_SHARE;
  }

  get #suggestedMs(): number {
    const isAsked = this.#latencyMs !== undefined;
    return this.lingerMs ?? (isAsked ? Number.POSITIVE_INFINITY : LINGER_MS);
  }

  #checkValue(name: string, value: Scalar): void {
    if (!this.#table.get(name)) throw new TypeError(`no series ${name} was declared`);
    if (value === null || value === undefined) return;
    const isText = typeof value === 'string';
    if (!isText && !Number.isFinite(value) && typeof value !== 'boolean') {
      throw new TypeError(`${name}: ${WHAT_A_VALUE_IS}`);
    }
    if (isText && UTF8.encode(value).length > TEXT_BYTES_MAX) {
      throw new RangeError(`${name}: a text is at most ${TEXT_BYTES_MAX} bytes`);
    }
    if ((this.#isText.get(name) ?? isText) !== isText) {
      throw new TypeError(`${name}: a series holds texts or numbers, not both`);
    }
    this.#isText.set(name, isText);
  }

  #note(lane: number, timeUs: number): void {
    this.newest.set(lane, Math.max(timeUs, this.newest.get(lane) ?? 0));
  }

  #batcher(lane: number): Batcher {
    const batcher = this.#batchers.get(lane) ?? new Batcher();
    this.#batchers.set(lane, batcher);
    return batcher;
  }
}
