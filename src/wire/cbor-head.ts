import { KIND } from './messages.ts';

/** What a router needs of a message. Keys that are absent are 0. */
export interface Head {
  k: number;
  c: number;
  n: number;
  lost: number;
}

/** Kinds that have `c`, `n`, `lost`: in others these keys are unknown, and ignored. */
const HAS_C = bits(KIND.def, KIND.data, KIND.reject, KIND.away, KIND.sub, KIND.state, KIND.end);
const HAS_N = bits(KIND.data, KIND.reject, KIND.away);
const HAS_LOST = bits(KIND.data);

const NOT_UINT = -1;

/** Where the last head ended: a second result without an object for it. */
let next = 0;

function bits(...kinds: readonly number[]): number {
  return kinds.reduce((mask, kind) => mask | (1 << kind), 0);
}

/**
 * Reads `k`, then `c`, `n` and `lost`, each when present, from the start of a CBOR message.
 *
 * Guarantee: no allocation. `data` without `c` or with `n` < 1 is false; `lost` < n is not checked.
 * After false, `head.k === KIND.data && head.n >= 1` tells that `away` must name `c` and `n`.
 * Rejects: false means 4000.
 * Source: [R3.1-7], [R6.2-1], [R10.1-6].
 */
export function peekHead(bytes: Uint8Array, head: Head): boolean {
  head.k = 0;
  head.c = 0;
  head.n = 0;
  head.lost = 0;
  const pairs = uint(bytes, 0, 0xa0);
  if (pairs < 1 || uint(bytes, next, 0) !== 0) return false;
  const k = uint(bytes, next, 0);
  if (k === NOT_UINT) return false;
  head.k = k;
  return k > KIND.end || readChannel(bytes, head, pairs - 1);
}

function readChannel(bytes: Uint8Array, head: Head, pairsLeft: number): boolean {
  let left = pairsLeft;
  const bit = 1 << head.k;
  if (left > 0 && (HAS_C & bit) !== 0 && isKey(bytes, 1)) {
    head.c = uint(bytes, next, 0);
    if (head.c === NOT_UINT) return forget(head);
    left -= 1;
  } else if (head.k === KIND.data) return false;
  if (left > 0 && (HAS_N & bit) !== 0 && isKey(bytes, 2)) {
    head.n = uint(bytes, next, 0);
    if (head.n < 1) return forget(head);
    left -= 1;
  } else if (head.k === KIND.data) return false;
  if (left === 0 || (HAS_LOST & bit) === 0 || !isKey(bytes, 4)) return true;
  head.lost = uint(bytes, next, 0);
  if (head.lost !== NOT_UINT) return true;
  head.lost = 0;
  return false;
}

/** A head whose `c` or `n` cannot be read names nothing. */
function forget(head: Head): false {
  head.c = 0;
  head.n = 0;
  return false;
}

/** True, and `next` behind it, if the key at `next` is `key`; else `next` stays. */
function isKey(bytes: Uint8Array, key: number): boolean {
  const at = next;
  if (uint(bytes, at, 0) === key) return true;
  next = at;
  return false;
}

/**
 * The argument of the item at `at` if its major type is that of `major` (0 or 0xa0), else −1; every
 * width is accepted. Rejects: integers beyond 2^53−1.
 */
function uint(bytes: Uint8Array, at: number, major: number): number {
  if (at >= bytes.length) return NOT_UINT;
  const info = (bytes[at] as number) - major;
  next = at + 1;
  if (info >= 0 && info < 24) return info;
  if (info < 24 || info > 27) return NOT_UINT;
  const width = 1 << (info - 24);
  next = at + 1 + width;
  if (next > bytes.length) return NOT_UINT;
  let value = bytes[at + 1] as number;
  for (let i = at + 2; i < next; i += 1) value = value * 256 + (bytes[i] as number);
  return value <= Number.MAX_SAFE_INTEGER ? value : NOT_UINT;
}
