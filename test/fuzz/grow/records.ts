import { createHash } from 'node:crypto';
import {
  emptyHeader,
  HEADER_BYTES_MAX,
  type RecordHeader,
  writeHeader,
} from '../../../src/wire/record-header.ts';
import type { Dice } from '../../sim/random.ts';
import { INTEGERS } from './boundaries.ts';
import * as item from './items.ts';
import type { Node } from './tree.ts';
import * as value from './values.ts';

/** Records as the log has them, good for the most part. */

const HASH_BYTES = 16;
const UNITS = ['', 'Cel', 'm/s2'] as const;
const NAMES = ['temp', 'acc/x', 'acc/y', 'acc/z', 'state', 'hum'] as const;

/** Bytes of a header with numbers of all sizes. */
export function headerOf(dice: Dice, fixed: Partial<RecordHeader> = {}): Uint8Array {
  const signed = (): number => (dice.chance(0.5) ? value.signed(dice) : -dice.pick(INTEGERS));
  const hashes = new Uint8Array(HASH_BYTES * dice.below(dice.chance(0.95) ? 3 : 65));
  const header: RecordHeader = {
    ...emptyHeader(),
    kind: dice.below(4) as RecordHeader['kind'],
    uncertain: dice.chance(0.2),
    isQosZero: dice.chance(0.2),
    lane: dice.below(4),
    own: Uint8Array.from({ length: 8 }, () => dice.below(256)),
    recv: signed(),
    gen: value.uint(dice),
    epoch: value.uint(dice),
    n: value.uint(dice),
    lost: value.uint(dice),
    clockOffset: signed(),
    hashes: hashes.map(() => dice.below(256)),
    ...fixed,
  };
  const out = new Uint8Array(HEADER_BYTES_MAX);
  return out.slice(0, writeHeader(out, 0, header));
}

/** A definition as the schema log has it. */
export function schemaTree(dice: Dice, columns?: number): Node {
  const count = columns ?? (dice.chance(0.95) ? 1 + dice.below(4) : dice.pick([0, 63, 64, 65]));
  const column = (_: unknown, i: number): Node =>
    item.array([
      dice.chance(0.9) ? item.text(`${dice.pick(NAMES)}${i}`) : value.text(dice),
      dice.chance(0.9) ? item.text(dice.pick(UNITS)) : value.text(dice),
      dice.chance(0.6) ? item.float(1) : value.float(dice),
      dice.chance(0.6) ? item.float(0) : value.float(dice),
    ]);
  const of = dice.chance(0.7) ? item.text('') : value.text(dice);
  return item.array([of, item.array(Array.from({ length: count }, column))]);
}

/** What the log keeps a definition under. */
export const hashOf = (bytes: Uint8Array): Uint8Array =>
  new Uint8Array(createHash('sha256').update(bytes).digest().subarray(0, HASH_BYTES));
