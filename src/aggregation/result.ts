import { PATH_BYTES_MAX, RESULT_BYTES_MAX, TEXT_BYTES_MAX } from '../model/limits.ts';
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

/** The first of the results that a window still has to give, and the series at which the next begins. */
export interface NextResult {
  readonly result: WindowResult;
  readonly to: number;
}

/** The most bytes that JSON makes of one character. */
const ESCAPED_BYTES = 6;
/** Everything of an entry but texts: keys, and nine numbers of at most 24 characters. Units: bytes. */
const ENTRY_BYTES = 400;
/** Everything of a result but its series: the path has at most 128 bytes. Units: bytes. */
const HEAD_BYTES = ESCAPED_BYTES * PATH_BYTES_MAX + 200;
/** An entry of two empty texts, with a name of one letter. Units: bytes. */
const ENTRY_BYTES_LEAST = 64;
/** So many series fit into one result at the most. */
const RESULT_SERIES_MAX = Math.floor(RESULT_BYTES_MAX / ENTRY_BYTES_LEAST);

/** What a result costs besides its series, in units of a budget. */
const RESULT_UNITS = 4;

/** What a result of so many series costs, in units of a budget. */
export const unitsOf = (series: number): number => RESULT_UNITS + series;

/** What the next result of a window costs at the most, in units of a budget. */
export const unitsOfNext = (stores: readonly WindowStore[], from: number): number =>
  unitsOf(Math.min(stores.length - from, RESULT_SERIES_MAX));

/**
 * The window's figures of these series, from the given one on, as a result of the aggregates log.
 * Bounds: its JSON takes at most `RESULT_BYTES_MAX`; what would not fit is for the next.
 */
export function nextResult(
  head: ResultHead,
  stores: readonly WindowStore[],
  from: number,
): NextResult {
  const series = emptySeries();
  let to = from;
  if (isSurelyShort(stores, from, head.start)) {
    for (; to < stores.length; to += 1) put(series, stores[to] as WindowStore, head.start);
    return { result: resultOf(head, series), to };
  }
  let bytes = jsonBytes(resultOf(head, series));
  for (; to < stores.length; to += 1) {
    const store = stores[to] as WindowStore;
    const figures = seriesResult(store, head.start);
    // `"name":{…}`, and the comma before it.
    const comma = to === from ? 0 : 1;
    bytes += comma + jsonBytes(store.series.name) + 1 + jsonBytes(figures);
    if (to > from && bytes > RESULT_BYTES_MAX) break;
    series[store.series.name] = figures;
  }
  return { result: resultOf(head, series), to };
}

/** True if all of them fit whatever they hold, so that nothing has to be measured. */
function isSurelyShort(stores: readonly WindowStore[], from: number, start: number): boolean {
  let bytes = HEAD_BYTES;
  for (let k = from; k < stores.length && bytes <= RESULT_BYTES_MAX; k += 1) {
    bytes += entryBytesMax(stores[k] as WindowStore, start);
  }
  return bytes <= RESULT_BYTES_MAX;
}

function entryBytesMax(store: WindowStore, start: number): number {
  const texts = store.isText(store.find(start)) ? 2 * TEXT_BYTES_MAX : 0;
  return ENTRY_BYTES + ESCAPED_BYTES * (store.series.name.length + store.unit.length + texts);
}

/** Without a prototype a series may be called __proto__. */
const emptySeries = (): Record<string, SeriesResult> => Object.create(null);

function put(series: Record<string, SeriesResult>, store: WindowStore, start: number): void {
  series[store.series.name] = seriesResult(store, start);
}

function resultOf(head: ResultHead, series: Record<string, SeriesResult>): WindowResult {
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
