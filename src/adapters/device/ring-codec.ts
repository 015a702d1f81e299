import { crc32 } from 'node:zlib';
import type { DeviceSet } from '../../client/device-io.ts';
import type { FrameImage } from '../../client/ring-image.ts';
import type { RingOp } from '../../client/ring-op.ts';

/** Length and checksum before every entry. Units: bytes. */
const PREFIX_BYTES = 8;
/** No entry is longer: what claims to be is torn. Units: bytes. */
const ENTRY_BYTES_MAX = 64 * 1024;

type Name = RingOp['op'];
const NAMES: readonly Name[] = [
  'epoch',
  'set',
  'frame',
  'lane',
  'content',
  'sent',
  'ack',
  'drop',
  'reject',
];

/**
 * Entries of a ring file: length u32, crc32 u32 over the rest, kind u8, then by kind. Integers are
 * little-endian; numbers of frames are float64, which holds every one of them exactly.
 */
export function encodeOps(ops: readonly RingOp[]): Buffer {
  return Buffer.concat(ops.map(encodeOp));
}

/** The entries of a ring file from `offset` on, and where the last whole one ends. */
export function decodeOps(
  file: Buffer,
  offset: number,
): { readonly ops: readonly RingOp[]; readonly end: number } {
  const ops: RingOp[] = [];
  let at = offset;
  for (;;) {
    const body = bodyAt(file, at);
    const op = body && decodeOp(body);
    if (!op) return { ops, end: at };
    ops.push(op);
    at += PREFIX_BYTES + body.length;
  }
}

function bodyAt(file: Buffer, at: number): Buffer | null {
  if (at + PREFIX_BYTES > file.length) return null;
  const length = file.readUInt32LE(at);
  const end = at + PREFIX_BYTES + length;
  if (length === 0 || length > ENTRY_BYTES_MAX || end > file.length) return null;
  const body = file.subarray(at + PREFIX_BYTES, end);
  return crc32(body) === file.readUInt32LE(at + 4) ? body : null;
}

function encodeOp(op: RingOp): Buffer {
  const body = Buffer.concat([Buffer.from([NAMES.indexOf(op.op)]), ...partsOf(op)]);
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32LE(body.length, 0);
  prefix.writeUInt32LE(crc32(body), 4);
  return Buffer.concat([prefix, body]);
}

function partsOf(op: RingOp): readonly Uint8Array[] {
  switch (op.op) {
    case 'epoch':
      return [numbers(op.epoch ?? 0)];
    case 'set':
      return [Buffer.from(JSON.stringify(op.set))];
    case 'frame':
    case 'content':
      return frameParts(op.lane, op.frame);
    case 'lane':
      return [numbers(op.lane, op.next, op.ack, op.lostNext)];
    default:
      return [numbers(op.lane, op.n)];
  }
}

function frameParts(lane: number, frame: FrameImage): readonly Uint8Array[] {
  const { n, lost, wasSent, readings, thinning, sets, blocks } = frame;
  const head = numbers(lane, n, lost, wasSent ? 1 : 0, readings, thinning, sets.length, ...sets);
  return [head, blocks];
}

function numbers(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 8);
  for (const [i, value] of values.entries()) bytes.writeDoubleLE(value, i * 8);
  return bytes;
}

/** Null: a kind of a later version, behind which nothing can be relied on. */
function decodeOp(body: Buffer): RingOp | null {
  const op = NAMES[body[0] as number];
  const number = (i: number): number => body.readDoubleLE(1 + i * 8);
  switch (op) {
    case undefined:
      return null;
    case 'epoch':
      return { op, epoch: number(0) || null };
    case 'set':
      return { op, set: JSON.parse(body.toString('utf8', 1)) as DeviceSet };
    case 'frame':
    case 'content':
      return { op, lane: number(0), frame: decodeFrame(body, number) };
    case 'lane':
      return { op, lane: number(0), next: number(1), ack: number(2), lostNext: number(3) };
    default:
      return { op, lane: number(0), n: number(1) };
  }
}

function decodeFrame(body: Buffer, number: (i: number) => number): FrameImage {
  const count = number(6);
  return {
    n: number(1),
    lost: number(2),
    wasSent: number(3) === 1,
    readings: number(4),
    thinning: number(5),
    sets: Array.from({ length: count }, (_, i) => number(7 + i)),
    // A copy: the rest of the file need not stay in memory for the sake of one frame.
    blocks: new Uint8Array(body.subarray(1 + (7 + count) * 8)),
  };
}
