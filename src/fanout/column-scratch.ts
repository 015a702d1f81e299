import { ROWS_MAX } from '../model/limits.ts';
import type { AggregateValue } from '../model/window.ts';
import type { ColumnValues, Scalar } from '../wire/messages.ts';

/** True for a number that CBOR and JSON carry exactly as an integer. −0 is none: it has a sign. */
const isInteger = (value: number): boolean => Number.isSafeInteger(value) && !Object.is(value, -0);

/** True for a number that one scalar can stand for in both codecs. */
const isScalar = (value: number): boolean =>
  isInteger(value) || (Number.isFinite(value) && !Number.isInteger(value));

/**
 * One column of a message in the making, used again for each message.
 * Bounds: `ROWS_MAX` rows. Guarantee: no value changes by a bit on its way. Source: [R11.2-16].
 */
export class ColumnScratch {
  /** NaN where a result has no value or a text. */
  readonly #numbers = new Float64Array(ROWS_MAX);
  readonly #texts = new Map<number, string>();

  clear(): void {
    this.#texts.clear();
  }

  set(row: number, value: AggregateValue): void {
    this.#texts.delete(row);
    if (typeof value === 'string') this.#texts.set(row, value);
    this.#numbers[row] = typeof value === 'number' ? value : Number.NaN;
  }

  /**
   * The values of some rows in the shortest exact form: one scalar if all are equal, integers,
   * float32, float64; a plain array where there is text.
   */
  take(rows: readonly number[]): ColumnValues {
    if (this.#texts.size > 0 && rows.some((row) => this.#texts.has(row))) {
      return rows.map((row) => this.#scalar(row));
    }
    const first = this.#at(rows[0] ?? 0);
    if (rows.every((row) => Object.is(this.#at(row), first))) {
      if (Number.isNaN(first)) return null;
      if (isScalar(first)) return first;
    }
    const holds = (test: (value: number) => boolean): boolean =>
      rows.every((row) => Number.isNaN(this.#at(row)) || test(this.#at(row)));
    if (holds(isInteger)) return rows.map((row) => this.#scalar(row));
    const isFloat32 = holds((value) => Math.fround(value) === value);
    const out = isFloat32 ? new Float32Array(rows.length) : new Float64Array(rows.length);
    for (let i = 0; i < rows.length; i += 1) out[i] = this.#at(rows[i] as number);
    return out;
  }

  #at(row: number): number {
    return this.#numbers[row] as number;
  }

  #scalar(row: number): Scalar {
    const text = this.#texts.get(row);
    if (text !== undefined) return text;
    const value = this.#at(row);
    return Number.isNaN(value) ? null : value;
  }
}
