import { LANES } from '../model/reading.ts';
import { type LogRecord, RECORD } from '../model/record.ts';
import type { RecordHeader } from '../wire/record-header.ts';
import { textOf } from '../wire/utf8.ts';

/** What a reader does with a record: neither word means that it counts. */
export interface Verdict {
  /** Written by an owner that had been deposed: as if it were not there. */
  readonly void: boolean;
  /** Its identity, or a newer one of its lane, was read before. */
  readonly duplicate: boolean;
}

const COUNTS: Verdict = { void: false, duplicate: false };
const VOID: Verdict = { void: true, duplicate: false };
const DUPLICATE: Verdict = { void: false, duplicate: true };

/** Whose records count in one (log, shard): generation and owner of the last fence that counts. */
interface Ownership {
  gen: number;
  readonly own: Uint8Array;
}

/** LogKind has three values, so this leaves room for a fourth. */
const LOGS = 4;

/**
 * The consumer filter: skips what deposed owners wrote, then what was read before, so that every
 * frame acknowledged at QoS 1 comes out exactly once and in order.
 *
 * Feed it every record of the logs that are read, in the order of their offsets, fences and stubs
 * included.
 * Bounds: a few numbers per (log, shard) and per device in those logs.
 * Source: PROTOCOL §6.6.
 */
export class RecordFilter {
  readonly #owners = new Map<number, Ownership>();
  /** By device: epoch and n of the last record that counts, for each lane. */
  readonly #last = new Map<string, Float64Array>();

  judge(record: LogRecord, header: RecordHeader): Verdict {
    if (this.#isVoid(record, header)) return VOID;
    if (header.kind === RECORD.fence || header.kind === RECORD.mark) return COUNTS;
    return this.#isNew(record, header) ? COUNTS : DUPLICATE;
  }

  #isVoid(record: LogRecord, header: RecordHeader): boolean {
    const log = record.shard * LOGS + record.log;
    const owner = this.#owners.get(log);
    if (owner === undefined) {
      // A reader that begins in the middle takes the first record's as valid [R6.6-3].
      this.#owners.set(log, { gen: header.gen, own: header.own.slice() });
      return false;
    }
    if (header.kind === RECORD.fence && header.gen > owner.gen) {
      owner.gen = header.gen;
      owner.own.set(header.own);
      return false;
    }
    return header.gen !== owner.gen || !areEqual(header.own, owner.own);
  }

  #isNew({ key }: LogRecord, { lane, epoch, n, uncertain }: RecordHeader): boolean {
    const last = this.#lastOf(textOf(key, 0, key.length));
    const lastEpoch = last[lane * 2] as number;
    const lastN = last[lane * 2 + 1] as number;
    const isGreater = epoch > lastEpoch || (epoch === lastEpoch && n > lastN);
    if (!isGreater && !uncertain) return false;
    last[lane * 2] = epoch;
    last[lane * 2 + 1] = n;
    return true;
  }

  #lastOf(device: string): Float64Array {
    let last = this.#last.get(device);
    if (last === undefined) {
      last = new Float64Array(LANES * 2);
      this.#last.set(device, last);
    }
    return last;
  }
}

function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return false;
  return a.length === b.length;
}
