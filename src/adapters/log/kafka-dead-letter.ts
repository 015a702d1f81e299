import type { Message } from 'kafkajs';
import type { DeadLetter } from '../../model/record.ts';
import { viewOf } from './entry.ts';

const VERSION = 1;
const HEADER_BYTES = 28;

/**
 * The record of a dead letter in `PREFIX.rejects`: key = device path, value = the payload as the
 * device sent it, and one header `tg`, integers little-endian:
 * ```
 *  0  u8   version, 1
 *  1  u8   lane
 *  2  u16  code
 *  4  i64  receive time, µs
 * 12  u64  epoch
 * 20  u64  n
 * ```
 * In Python: `struct.unpack('<BBHqQQ', tg)`. The partition is the shard. After a failed append the
 * same letter may stand there twice.
 */
export function deadLetterMessage(letter: DeadLetter): Message & { partition: number } {
  const tg = Buffer.alloc(HEADER_BYTES);
  tg[0] = VERSION;
  tg[1] = letter.lane;
  tg.writeUInt16LE(letter.code, 2);
  tg.writeBigInt64LE(BigInt(letter.recv), 4);
  tg.writeBigUInt64LE(BigInt(letter.epoch), 12);
  tg.writeBigUInt64LE(BigInt(letter.n), 20);
  const { buffer, byteOffset, length } = letter.bytes;
  return {
    partition: letter.shard,
    key: letter.device,
    value: Buffer.from(buffer, byteOffset, length),
    headers: { tg },
  };
}

/** The bytes of a record of `PREFIX.rejects`. */
export interface DeadLetterRecord {
  readonly shard: number;
  readonly key: Uint8Array;
  readonly tg: Uint8Array;
  readonly value: Uint8Array;
}

/** A dead letter read back, with `bytes` as a view; null if its header is none that we know. */
export function readDeadLetterRecord(record: DeadLetterRecord): DeadLetter | null {
  const { tg } = record;
  if (tg.length !== HEADER_BYTES || tg[0] !== VERSION) return null;
  const view = viewOf(tg);
  return {
    shard: record.shard,
    device: new TextDecoder().decode(record.key),
    lane: view.getUint8(1),
    code: view.getUint16(2, true),
    recv: Number(view.getBigInt64(4, true)),
    epoch: Number(view.getBigUint64(12, true)),
    n: Number(view.getBigUint64(20, true)),
    bytes: record.value,
  };
}
