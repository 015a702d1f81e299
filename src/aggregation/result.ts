import { RESULT_BYTES_MAX } from '../model/limits.ts';
import { CLASS_NAMES, type ClassId } from '../model/reading.ts';
import type { EventUs } from '../model/time.ts';
import {
  type SeriesResult,
  STATUS_NAMES,
  type StatusId,
  type WindowResult,
} from '../model/window.ts';
import type { WindowStore } from './window-store.ts';

/** Which window of which class of which device a result is about. */
export interface ResultHead {
  readonly device: string;
  readonly classId: ClassId;
  readonly start: number;
  readonly lengthMs: number;
  readonly status: StatusId;
}

/**
 * So many series fit whatever they hold, so nothing has to be measured: a name takes at most 256
 * bytes, and two texts of 256 bytes at most 3 KiB once every byte is escaped.
 */
const SERIES_SAFE = 48;

/**
 * The window's figures of these series, as results of the aggregates log.
 * Bounds: the JSON of each takes at most `RESULT_BYTES_MAX`; what would not fit goes to the next.
 */
export function windowResults(head: ResultHead, stores: readonly WindowStore[]): WindowResult[] {
  if (stores.length <= SERIES_SAFE) return [resultOf(head, stores)];
  const results: WindowResult[] = [];
  const emptyBytes = jsonBytes(resultOf(head, []));
  let part: WindowStore[] = [];
  let bytes = emptyBytes;
  for (const store of stores) {
    const more = entryBytes(store, head.start);
    // One for the comma before it.
    if (part.length > 0 && bytes + 1 + more > RESULT_BYTES_MAX) {
      results.push(resultOf(head, part));
      part = [];
    }
    bytes = part.length === 0 ? emptyBytes + more : bytes + 1 + more;
    part.push(store);
  }
  results.push(resultOf(head, part));
  return results;
}

function resultOf(head: ResultHead, stores: readonly WindowStore[]): WindowResult {
  // Without a prototype a series may be called __proto__.
  const series: Record<string, SeriesResult> = Object.create(null);
  for (const store of stores) series[store.series.name] = seriesResult(store, head.start);
  return {
    device: head.device,
    class: CLASS_NAMES[head.classId],
    start: head.start as EventUs,
    len: head.lengthMs,
    status: STATUS_NAMES[head.status],
    series,
  };
}

function seriesResult(store: WindowStore, start: number): SeriesResult {
  const i = store.find(start);
  const { unit } = store;
  const n = store.valueAt(i, 'n');
  const first = store.valueAt(i, 'first');
  const last = store.valueAt(i, 'last');
  const tfirst = store.valueAt(i, 'tfirst');
  const tlast = store.valueAt(i, 'tlast');
  if (store.isText(i)) return { unit, n, first, last, tfirst, tlast };
  const min = store.valueAt(i, 'min');
  const max = store.valueAt(i, 'max');
  const sum = store.valueAt(i, 'sum');
  const mean = store.valueAt(i, 'mean');
  return { unit, n, min, max, sum, mean, first, last, tfirst, tlast };
}

/** Bytes of `"name":{…}`. */
const entryBytes = (store: WindowStore, start: number): number =>
  jsonBytes(store.series.name) + 1 + jsonBytes(seriesResult(store, start));

/** Length of a value's JSON in UTF-8. */
function jsonBytes(value: unknown): number {
  const text = JSON.stringify(value);
  let bytes = text.length;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    // Each half of a surrogate pair stands for two of its four bytes.
    bytes += unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 1 : 2;
  }
  return bytes;
}
