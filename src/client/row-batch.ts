import { ROWS_MAX } from '../model/limits.ts';
import type { DeviceBlock, Scalar } from '../wire/messages.ts';
import { packColumn } from './pack-column.ts';

/** What the time of a row takes at most, as a delta. Units: bytes. */
const TIME_BYTES = 5;
/** What a block takes besides its rows: map, set, time, heads. Units: bytes. */
const BLOCK_BYTES = 24;
/** A number takes so much at most, and a column its head. Units: bytes. */
const NUMBER_BYTES = 8;

/** Rows of one set that are to become one block. */
export class RowBatch {
  readonly s: number;
  readonly #times: number[] = [];
  readonly #rows: (readonly Scalar[])[] = [];
  /** Near enough what the block will take. Units: bytes. */
  bytes = BLOCK_BYTES;

  constructor(s: number) {
    this.s = s;
  }

  /** False if the row cannot stand in this block: times in a block never decrease. [R5.2-7] */
  takes(timeUs: number): boolean {
    return timeUs >= (this.#times.at(-1) ?? 0) && this.#times.length < ROWS_MAX;
  }

  add(timeUs: number, row: readonly Scalar[]): void {
    this.#times.push(timeUs);
    this.#rows.push(row);
    this.bytes += rowBytes(row);
  }

  /** The clock was wrong by this much. Units: µs. */
  shift(byUs: number): void {
    for (let i = 0; i < this.#times.length; i += 1) this.#times[i] = (this.#times[i] ?? 0) + byUs;
  }

  /** The rows as a block, in the shortest form that keeps them. */
  get block(): DeviceBlock {
    const [t = 0] = this.#times;
    const columns = this.#rows[0]?.length ?? 0;
    const v = Array.from({ length: columns }, (_, i) =>
      packColumn(this.#rows.map((row) => row[i] ?? null)),
    );
    return { s: this.s, t, ...this.#steps(), v };
  }

  #steps(): Pick<DeviceBlock, 'dt' | 'd'> {
    if (this.#times.length < 2) return {};
    const d = this.#times.slice(1).map((time, i) => time - (this.#times[i] as number));
    const [step = 0] = d;
    // Without a column of its own a block of constants would not know its rows but by `d`.
    const isEven = d.every((delta) => delta === step) && this.#hasRows;
    return isEven ? { dt: step } : { d };
  }

  /** A column differs from row to row, so that it is an array. */
  get #hasRows(): boolean {
    const [first = []] = this.#rows;
    return this.#rows.some((row) => row.some((value, i) => !Object.is(value, first[i])));
  }
}

/** Near enough what a row takes in a block. Units: bytes. */
const rowBytes = (row: readonly Scalar[]): number =>
  TIME_BYTES + row.reduce<number>((sum, value) => sum + bytesOf(value), 0);

/** Near enough what a block of this one row takes. Units: bytes. */
export const blockBytes = (row: readonly Scalar[]): number => BLOCK_BYTES + rowBytes(row);

const bytesOf = (value: Scalar): number =>
  typeof value === 'string' ? 3 + 3 * value.length : NUMBER_BYTES;
