import type { Decoded } from '../../../src/wire/decode.ts';
import { FrameReader } from '../../../src/wire/frame-reader.ts';
import type { DeviceBlock } from '../../../src/wire/messages.ts';
import { isText, isWellShaped, rowsOf, timesOf, valuesOf } from '../../support/shape-reference.ts';
import { brief, claim } from './finding.ts';
import { same } from './same.ts';

const BLOCKS_MAX = 64;
const COLUMNS_MAX = 64;
const ROWS_MAX = 4096;

/**
 * One frame reader for all inputs, so that what it keeps of one frame would show in the next. It
 * has to agree with the decoder, whose values are new every time.
 */
export class FrameProbe {
  readonly #reader = new FrameReader();
  readonly #numbers = new Float64Array(ROWS_MAX + 1);
  readonly #qualities = new Uint8Array(ROWS_MAX + 1);

  /** Reads everything that the gateway would read. Returns what was found, in a word. */
  read(bytes: Uint8Array): string {
    const reader = this.#reader;
    const fault = reader.read(bytes);
    if (fault !== null) return fault.message;
    let sign = '';
    for (let i = 0; i < Math.min(BLOCKS_MAX, reader.blockCount); i += 1) {
      const misshapen = this.#shape(i);
      if (misshapen === null) this.#readBlock(i);
      else sign = misshapen.message;
    }
    return sign;
  }

  /** The reader and the decoder say the same of these bytes. */
  claim(bytes: Uint8Array, decoded: Decoded): void {
    const reader = this.#reader;
    const fault = reader.read(bytes);
    const isData = 'message' in decoded && decoded.message.k === 'data';
    claim((fault === null) === isData, () => `the reader says ${brief(fault)}, decoded: ${isData}`);
    if (fault !== null) claim([4000, 4005].includes(fault.code), `the reader says ${fault.code}`);
    if (!isData || decoded.message.k !== 'data') return;
    const { c, n, lost = 0, bl = -1, wm = Number.NaN, b } = decoded.message;
    const seen = [reader.c, reader.n, reader.lost, reader.bl, reader.wm, reader.blockCount];
    const expected = [c, n, lost, bl, wm, b.length];
    claim(same(seen, expected), () => `the reader reads ${brief(seen)}, not ${brief(expected)}`);
    for (const [i, block] of (b as readonly DeviceBlock[]).slice(0, BLOCKS_MAX).entries()) {
      this.#claimBlock(i, block, b.length);
    }
  }

  #shape(i: number): ReturnType<FrameReader['shape']> {
    return this.#reader.shape(i, Math.min(COLUMNS_MAX, this.#reader.columnCount(i)));
  }

  #readBlock(i: number): void {
    const reader = this.#reader;
    reader.times(i, this.#numbers);
    reader.qualities(i, this.#qualities);
    for (let column = 0; column < reader.columnCount(i); column += 1) {
      if (reader.kind(i, column) === 'text') reader.texts(i, column);
      else reader.numbers(i, column, this.#numbers);
    }
  }

  #claimBlock(i: number, block: DeviceBlock, blocks: number): void {
    const fault = this.#shape(i);
    const isGood =
      blocks <= BLOCKS_MAX && isWellShaped(block, Math.min(COLUMNS_MAX, block.v.length));
    claim(
      (fault === null) === isGood,
      () => `block ${i}: shape says ${brief(fault)}, not ${isGood}`,
    );
    if (fault !== null) {
      claim(fault.code === 4021, `block ${i}: shape says ${fault.code}`);
      return;
    }
    const rows = rowsOf(block);
    const { q = 0 } = block;
    const seen = [this.#reader.set(i), this.#reader.fid(i), this.#reader.rows(i)];
    const expected = [block.s, block.fid ?? 1, rows];
    claim(same(seen, expected), () => `block ${i}: ${brief(seen)}, not ${brief(expected)}`);
    this.#claimNumbers(i, 't', timesOf(block, rows), (out) => this.#reader.times(i, out));
    this.#qualities.fill(0xee);
    this.#reader.qualities(i, this.#qualities);
    const qualities = typeof q === 'number' ? new Array(rows).fill(q) : Array.from(q);
    const read = Array.from(this.#qualities.subarray(0, rows + 1));
    claim(same(read, [...qualities, 0xee]), () => `block ${i}: q ${brief(read)}`);
    for (const [at, column] of block.v.entries()) this.#claimColumn(i, at, column, rows);
  }

  #claimColumn(i: number, at: number, column: DeviceBlock['v'][number], rows: number): void {
    const kind = column === null ? 'absent' : isText(column) ? 'text' : 'numeric';
    const seen = this.#reader.kind(i, at);
    claim(seen === kind, () => `block ${i}, column ${at}: is ${seen}, not ${kind}`);
    const values = valuesOf(column, rows);
    if (kind === 'text') {
      const texts = this.#reader.texts(i, at);
      claim(same(texts, values), () => `block ${i}, column ${at}: ${brief(texts)}`);
    } else {
      const expected = values.map(finite);
      this.#claimNumbers(i, `column ${at}`, expected, (out) => this.#reader.numbers(i, at, out));
    }
  }

  /** Exactly these numbers are written, and nothing behind them. */
  #claimNumbers(
    i: number,
    what: string,
    expected: readonly number[],
    read: (out: Float64Array) => void,
  ): void {
    const out = this.#numbers.fill(-7.5, 0, expected.length + 1);
    read(out);
    for (const [row, value] of [...expected, -7.5].entries()) {
      const seen = out[row];
      claim(Object.is(seen, value), () => `block ${i}, ${what}, row ${row}: ${seen}, not ${value}`);
    }
  }
}

const finite = (value: unknown): number => {
  const number = value === null ? Number.NaN : Number(value);
  return Number.isFinite(number) ? number : Number.NaN;
};
