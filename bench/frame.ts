import { encodeBlocks } from '../src/wire/encode.ts';
import type { ColumnValues } from '../src/wire/messages.ts';

/** Frames of three int16 columns at 1 kHz, as in PROTOCOL §17, made again and again cheaply. */
export interface FrameTemplate {
  readonly bytes: Buffer;
  /** Where `n` stands, as u32 big-endian. */
  readonly nAt: number;
  /** Where `t` stands, as u64 big-endian. Units: µs. */
  readonly tAt: number;
}

const COLUMNS = 3;

/** 100 rows make 644 bytes; 12 rows, with quality and backlog said, 120. */
export function frameTemplate(rows: number): FrameTemplate {
  const isFull = rows === 12;
  const head = Buffer.from(isFull ? 'a50003010102' : 'a40003010102', 'hex');
  const n = Buffer.from('1a00000000', 'hex');
  const pairs = isFull ? 'a5' : 'a4';
  const block = Buffer.from(`0381${pairs}0001011b0000000000000000021903e80483`, 'hex');
  const tail = Buffer.from(isFull ? '05000600' : '', 'hex');
  const columns = Array.from({ length: COLUMNS }, () => columnOf(rows));
  const bytes = Buffer.concat([head, n, block, ...columns, tail]);
  return { bytes, nAt: head.length + 1, tAt: head.length + n.length + 7 };
}

function columnOf(rows: number): Buffer {
  const values = Int16Array.from({ length: rows }, (_, i) => Math.round(1000 * Math.sin(i / 8)));
  const payload = Buffer.from(values.buffer);
  const { length } = payload;
  const long = length < 256 ? [0x58, length] : [0x59, length >> 8, length & 255];
  return Buffer.concat([
    Buffer.from([0xd8, 77, ...(length < 24 ? [0x40 + length] : long)]),
    payload,
  ]);
}

/** A frame of its own with this number, at the time now. */
export function frameOf({ bytes, nAt, tAt }: FrameTemplate, n: number): Buffer {
  const frame = Buffer.from(bytes);
  frame.writeUInt32BE(n, nAt);
  frame.writeBigUInt64BE(BigInt(Date.now() * 1000), tAt);
  return frame;
}

/** What the frames of a lane are like. */
export interface FrameShape {
  readonly lane: number;
  /** Number of the set, defined on this lane. */
  readonly set: number;
  readonly columns: readonly ColumnValues[];
  /** From row to row; left out where there is one row. Units: µs. */
  readonly dtUs?: number | undefined;
}

/** A template of any shape. `n` and `t` have their full width, so that all frames are one size. */
export function templateOf({ lane, set, columns, dtUs }: FrameShape): FrameTemplate {
  // 2^52 has the width of a time, and no other field looks like it.
  const t = 2 ** 52;
  const blocks = Buffer.from(encodeBlocks('cbor', [{ s: set, t, dt: dtUs, v: columns }]));
  const head = Buffer.from([0xa4, 0, 3, 1, lane, 2, 0x1a, 0, 0, 0, 0, 3]);
  const mark = Buffer.alloc(8);
  mark.writeBigUInt64BE(BigInt(t));
  return {
    bytes: Buffer.concat([head, blocks]),
    nAt: 7,
    tAt: head.length + blocks.indexOf(mark),
  };
}

/** One int16 column of so many rows. */
export const waveOf = (rows: number): Int16Array =>
  Int16Array.from({ length: rows }, (_, i) => Math.round(1000 * Math.sin(i / 8)));

/** A frame of its own with this number, at this time. Units: µs. */
export function frameAt({ bytes, nAt, tAt }: FrameTemplate, n: number, tUs: number): Buffer {
  const frame = Buffer.from(bytes);
  frame.writeUInt32BE(n, nAt);
  frame.writeBigUInt64BE(BigInt(Math.floor(tUs)), tAt);
  return frame;
}
