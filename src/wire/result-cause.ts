import { LOG, type LogKind } from '../model/record.ts';

const VERSION = 1;
const BYTES = 14;

/**
 * What made a window result: a record of this shard, and which of its results it is, from 0. It
 * stands in the header `tg` of every aggregates record, so that a restart knows which results are
 * durable already.
 * Guarantee: results of one (shard, log) are written in the order of their causes. What is not
 * above the last one is a copy, from an append that was made twice.
 */
export interface ResultCause {
  readonly log: LogKind;
  readonly shard: number;
  readonly offset: number;
  readonly index: number;
}

/** Shape: version u8, log u8, offset u64 LE, index u32 LE. */
export function encodeCause({ log, offset, index }: ResultCause): Uint8Array {
  const bytes = new Uint8Array(BYTES);
  const view = new DataView(bytes.buffer);
  bytes[0] = VERSION;
  bytes[1] = log;
  view.setBigUint64(2, BigInt(offset), true);
  view.setUint32(10, index, true);
  return bytes;
}

/** The cause in the header of an aggregates record, or null if it is none that we know. */
export function decodeCause(tg: Uint8Array, shard: number): ResultCause | null {
  if (tg.length !== BYTES || tg[0] !== VERSION || (tg[1] as number) > LOG.alarms) return null;
  const view = new DataView(tg.buffer, tg.byteOffset, tg.length);
  return {
    log: tg[1] as LogKind,
    shard,
    offset: Number(view.getBigUint64(2, true)),
    index: view.getUint32(10, true),
  };
}

/** `a` is `b`, or came before it. Only causes of one (shard, log) can be compared. */
export const isNotAfter = (a: ResultCause, b: ResultCause): boolean =>
  a.offset < b.offset || (a.offset === b.offset && a.index <= b.index);
