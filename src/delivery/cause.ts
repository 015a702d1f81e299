import type { LogKind } from '../model/record.ts';
import type { WindowResult } from '../model/window.ts';

const VERSION = 1;
const FIXED_BYTES = 14;

/**
 * What made a window result: a record of this shard, and which of its results it is, from 0. It
 * stands in the header of every aggregates record, so that a restart knows which results are
 * durable already. Results of one log and shard are written in the order of their causes.
 */
export interface ResultCause {
  readonly log: LogKind;
  readonly shard: number;
  readonly offset: number;
  readonly index: number;
}

/** Shape: version u8, log u8, offset u64 LE, index u32 LE. */
export function encodeCause({ log, offset, index }: ResultCause): Uint8Array {
  const bytes = new Uint8Array(FIXED_BYTES);
  const view = new DataView(bytes.buffer);
  bytes[0] = VERSION;
  bytes[1] = log;
  view.setBigUint64(2, BigInt(offset), true);
  view.setUint32(10, index, true);
  return bytes;
}

/** The cause in the header of an aggregates record, or null if it is none that we know. */
export function decodeCause(tg: Uint8Array, shard: number): ResultCause | null {
  if (tg.length !== FIXED_BYTES || tg[0] !== VERSION || (tg[1] as number) > 1) return null;
  const view = new DataView(tg.buffer, tg.byteOffset, tg.length);
  return {
    log: tg[1] as LogKind,
    shard,
    offset: Number(view.getBigUint64(2, true)),
    index: view.getUint32(10, true),
  };
}

/** A window result on its way to the aggregates log. */
export interface CausedResult {
  readonly cause: ResultCause;
  readonly result: WindowResult;
}

const isNotAfter = (a: ResultCause, b: ResultCause): boolean =>
  a.offset < b.offset || (a.offset === b.offset && a.index <= b.index);

/**
 * Finds, while the logs are read at the start, which results a crash kept from the aggregates log.
 * A result read back settles all results of its log and shard up to its cause.
 * Bounds: a result waits here only until the aggregates record that follows it is read.
 */
export class MissingResults {
  readonly #durable = new Map<number, ResultCause>();
  readonly #waiting = new Map<number, CausedResult[]>();

  /** A result was made again from the logs. */
  made(caused: CausedResult): void {
    const key = keyOf(caused.cause);
    const durable = this.#durable.get(key);
    if (durable && isNotAfter(caused.cause, durable)) return;
    const waiting = this.#waiting.get(key);
    if (waiting) waiting.push(caused);
    else this.#waiting.set(key, [caused]);
  }

  /** A result with this cause was read in the aggregates log. */
  read(cause: ResultCause): void {
    const key = keyOf(cause);
    const durable = this.#durable.get(key);
    // A late copy of an older result, from an append that was made twice, says nothing new.
    if (durable && isNotAfter(cause, durable)) return;
    this.#durable.set(key, cause);
    const waiting = this.#waiting.get(key);
    if (!waiting) return;
    const first = waiting.findIndex((caused) => !isNotAfter(caused.cause, cause));
    waiting.splice(0, first < 0 ? waiting.length : first);
  }

  /** What is missing, in the order of causes per log and shard. */
  *all(): IterableIterator<CausedResult> {
    for (const waiting of this.#waiting.values()) yield* waiting;
  }
}

const keyOf = ({ shard, log }: ResultCause): number => shard * 2 + log;
