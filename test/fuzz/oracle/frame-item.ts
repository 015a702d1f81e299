import {
  type DecodedBlock,
  type DecodedFrame,
  type DecodedReading,
  readingsOf,
} from '../../../src/consumer/frame-decoder.ts';
import { type Column, type Schema, topicOf } from '../../../src/model/reading.ts';
import { decodeCbor } from '../../../src/wire/decode.ts';
import type { ColumnValues, DeviceBlock } from '../../../src/wire/messages.ts';
import { isText, rowsOf, timesOf, valuesOf } from '../../support/shape-reference.ts';
import { brief, claim } from './finding.ts';
import { same } from './same.ts';

/** The frame that a consumer gets says what the bytes and the definitions say. */
export function claimFrame(
  item: DecodedFrame & { readonly device: string },
  value: Uint8Array,
  schemas: readonly (Schema | undefined)[],
): void {
  const decoded = decodeCbor(value, 'client');
  claim('message' in decoded && decoded.message.k === 'data', 'a frame out of bytes that are none');
  const blocks = decoded.message.b as readonly DeviceBlock[];
  claim(item.blocks.length === blocks.length, `${item.blocks.length} blocks of ${blocks.length}`);
  const sets: number[] = [];
  for (const [i, block] of blocks.entries()) {
    if (!sets.includes(block.s)) sets.push(block.s);
    const schema = schemas[sets.indexOf(block.s)];
    claim(schema !== undefined, `block ${i}: out of no definition`);
    claimBlock(item.blocks[i] as DecodedBlock, block, schema, item.device);
  }
  claimReadings(item.blocks);
}

/** Row by row it is the same as by column. */
function claimReadings(blocks: readonly DecodedBlock[]): void {
  const readings = readingsOf(blocks);
  for (const { t, q, cols } of blocks) {
    for (const [row, time] of t.entries()) {
      for (const { topic, v } of cols) {
        const { value } = readings.next() as IteratorYieldResult<DecodedReading>;
        const quality = typeof q === 'number' ? q : q[row];
        const expected = Number.isNaN(v[row]) ? null : v[row];
        const isSame = value.topic === topic && value.t === time && value.q === quality;
        claim(isSame && Object.is(value.v, expected), () => `row ${row}: ${brief(value)}`);
      }
    }
  }
  claim(readings.next().done === true, 'more readings than there are values');
}

function claimBlock(seen: DecodedBlock, block: DeviceBlock, schema: Schema, device: string): void {
  const rows = rowsOf(block);
  const { q = 0, fid = 1 } = block;
  claim(same(Array.from(seen.t), timesOf(block, rows)), 'other times');
  claim(seen.fid === fid, 'another fid');
  const qualities = rowsOfQuality(q, rows);
  claim(same(rowsOfQuality(seen.q, rows), qualities), () => `q is not ${brief(qualities)}`);
  claim(block.v.length === schema.columns.length, 'not as many columns as the set has');
  let next = 0;
  for (const [c, column] of schema.columns.entries()) {
    const sent = block.v[c] as ColumnValues;
    if (sent === null) continue;
    const { topic, unit, v } = seen.cols[next] as DecodedBlock['cols'][number];
    next += 1;
    claim(topic === topicOf(device, schema.of, column.name) && unit === column.unit, 'a name');
    const expected = physical(sent, column, rows);
    claim(same(Array.from(v), expected), () => `column ${c}: ${brief(v)}, not ${brief(expected)}`);
  }
  claim(next === seen.cols.length, 'more columns than were sent');
}

const rowsOfQuality = (q: number | ArrayLike<number>, rows: number): readonly number[] =>
  typeof q === 'number' ? new Array<number>(rows).fill(q) : Array.from(q);

/** raw × scale + offset; integers of 64 bits that float64 cannot hold stay what they are. */
function physical(sent: ColumnValues, { scale, offset }: Column, rows: number): unknown[] {
  const values = valuesOf(sent, rows);
  if (isText(sent)) return values;
  const isWide = sent instanceof BigInt64Array || sent instanceof BigUint64Array;
  if (isWide && scale === 1 && offset === 0 && values.some(isUnsafe))
    return Array.from(sent, exact);
  return values.map((value) => {
    const raw = value === null ? Number.NaN : Number(value);
    return (Number.isFinite(raw) ? raw : Number.NaN) * scale + offset;
  });
}

const isUnsafe = (value: unknown): boolean => Math.abs(Number(value)) >= 2 ** 53;
const exact = (raw: bigint): number | bigint =>
  raw < 2n ** 53n && raw > -(2n ** 53n) ? Number(raw) : raw;
