import type { DeadLetter } from '../../model/record.ts';
import { ENTRY_HEAD_BYTES, type EntryBytes, getU64, putU64, viewOf } from './entry.ts';

/** A dead letter as it lies in the rejects log. */
export interface StoredDeadLetter extends DeadLetter {
  /** Position among the dead letters of its shard, from 0, +1 each. */
  readonly offset: number;
}

const HEAD_BYTES = 38;
const text = { from: new TextDecoder(), to: new TextEncoder() };

/**
 * The body of a dead letter's entry (see `entry.ts`), integers little-endian:
 * ```
 *  0  u16  shard
 *  2  u64  offset in the shard's dead letters
 * 10  u16  code
 * 12  u8   lane
 * 13  u64  epoch
 * 21  u64  n
 * 29  i64  receive time, µs
 * 37  u8   length of the device path, then the path, UTF-8
 *          the payload as the device sent it: the rest
 * ```
 */
export function writeDeadLetter(letter: DeadLetter, offset: number): Uint8Array {
  const device = text.to.encode(letter.device);
  const body = new Uint8Array(HEAD_BYTES + device.length + letter.bytes.length);
  const view = viewOf(body);
  view.setUint16(0, letter.shard, true);
  putU64(view, 2, offset);
  view.setUint16(10, letter.code, true);
  view.setUint8(12, letter.lane);
  putU64(view, 13, letter.epoch);
  putU64(view, 21, letter.n);
  view.setBigInt64(29, BigInt(letter.recv), true);
  view.setUint8(37, device.length);
  body.set(device, HEAD_BYTES);
  body.set(letter.bytes, HEAD_BYTES + device.length);
  return body;
}

/** The dead letter at which a scan stands, with bytes of its own; null if it is malformed. */
export function readDeadLetter(scan: EntryBytes): StoredDeadLetter | null {
  const body = scan.at + ENTRY_HEAD_BYTES;
  const device = body + HEAD_BYTES;
  if (device > scan.end) return null;
  const { view, bytes } = scan;
  const payload = device + view.getUint8(body + 37);
  if (payload > scan.end) return null;
  return {
    shard: view.getUint16(body, true),
    offset: getU64(view, body + 2),
    code: view.getUint16(body + 10, true),
    lane: view.getUint8(body + 12),
    epoch: getU64(view, body + 13),
    n: getU64(view, body + 21),
    recv: Number(view.getBigInt64(body + 29, true)),
    device: text.from.decode(bytes.subarray(device, payload)),
    bytes: bytes.slice(payload, scan.end),
  };
}
