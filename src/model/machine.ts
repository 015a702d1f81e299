import type { MonoMs } from './time.ts';

/** Never, for `wakeAtMs`. */
export const NEVER = Number.POSITIVE_INFINITY as MonoMs;

/** A session of this node: one WebSocket connection. Numbers are never used twice in a process. */
export type SessionId = number;

/** The two codecs, by subprotocol. */
export type Codec = 'cbor' | 'json';
