import { CLASS } from '../../src/model/reading.ts';
import { LOG, type LogRecord } from '../../src/model/record.ts';
import { encode } from '../../src/wire/encode.ts';
import { encodeMark } from '../../src/wire/mark.ts';
import { encodeCause } from '../../src/wire/result-cause.ts';
import { type RecordText, recordOf } from './log-records.ts';
import { type Append, frameValue, schemaFor } from './tail-log.ts';

/** Shards of the log below. */
export const SHARDS = 2;
/** Time of the first row. */
export const T = 1_761_962_400_123_000;
/** Receive time of every record. */
export const RECV = 1_761_962_400_158_000;
/** Sets of the devices below. */
export const ACC = schemaFor('plant/pump', [['x', 'm/s2', 0.5, 1], ['count']], 'acc');
const STATE = schemaFor('plant/pump', [['state']]);
/** The set of `hall`. */
export const TEMP = schemaFor('hall', [['temp', 'Cel']]);

/** A frame of `plant/pump` with one row. */
export const frame = (n: number, text: RecordText = {}): LogRecord =>
  recordOf({
    device: 'plant/pump',
    n,
    hashes: ACC.hash,
    value: frameValue(n, [{ s: 1, t: T + n, v: [n, n] }]),
    ...text,
  });

/** A result as aggregation would write it; tail does not look into it. */
export const RESULT = {
  device: 'plant/pump',
  class: 'live',
  start: 1_761_962_400_000_000,
  len: 1000,
  status: 'final',
  series: {
    'acc/x': { unit: 'm/s2', n: 2, mean: 0.1 },
    'acc/count': { unit: '', n: 2, mean: 1e21 },
  },
};

function jsonBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** Written twice below, as by an append whose answer was lost. */
export const RESULT_RECORD: LogRecord = {
  ...recordOf({}),
  log: LOG.aggregates,
  tg: encodeCause({ log: LOG.readings, shard: 0, offset: 1, index: 0 }),
  value: jsonBytes(RESULT),
};

/** A log with everything that `tail` may find. */
export const TAIL_LOG: Append = {
  schemas: [ACC, STATE, TEMP],
  records: [
    recordOf({ kind: 'fence', value: new TextEncoder().encode('gw-1') }),
    recordOf({
      device: 'plant/pump',
      n: 1,
      hashes: Uint8Array.from([...ACC.hash, ...STATE.hash]),
      value: frameValue(
        1,
        [
          {
            s: 7,
            t: T,
            d: [10],
            v: [Int16Array.of(3, -1), BigInt64Array.of(2n ** 53n + 1n, 5n)],
            q: [0, 64],
            fid: 4,
          },
          { s: 2, t: T, d: [1, 0], v: [['up', null, 'say "hi"']] },
          { s: 7, t: T, v: [Number.NaN, null] },
        ],
        T + 99,
      ),
    }),
    frame(2),
    frame(2),
    recordOf({
      kind: 'stub',
      device: 'plant/pump',
      n: 3,
      value: encode('cbor', { k: 'reject', c: 1, n: 3, e: 4021, m: 'times' }),
    }),
    recordOf({
      kind: 'mark',
      value: encodeMark([
        { device: 'plant/pump', class: CLASS.live, watermark: T },
        { device: 'hall', class: CLASS.backfill, watermark: T + 5 },
      ]),
    }),
    recordOf({ kind: 'fence', gen: 2, own: 'b', value: new TextEncoder().encode('gw-2') }),
    frame(4, { gen: 1 }),
    frame(9, { gen: 2, own: 'b', uncertain: true }),
    frame(5, {
      shard: 1,
      device: 'hall',
      hashes: TEMP.hash,
      value: frameValue(5, [{ s: 1, t: T, v: [21.5] }]),
    }),
    { ...frame(1, { lane: 0 }), log: LOG.alarms },
    RESULT_RECORD,
    RESULT_RECORD,
  ],
  deadLetters: [
    {
      shard: 1,
      device: 'plant/pump',
      lane: 1,
      epoch: 1,
      n: 3,
      code: 4021,
      recv: RECV,
      bytes: Uint8Array.of(0xa3, 0, 3),
    },
  ],
};
