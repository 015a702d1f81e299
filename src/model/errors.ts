/**
 * Every code of the protocol, one table: code, name, what the client does, and a sentence for
 * humans. Source: PROTOCOL §13. Policies: A fix first, B back off, C move.
 */
export const CODES = {
  1000: { name: 'normal', policy: '-', sentence: 'done' },
  1002: { name: 'protocol', policy: 'A', sentence: 'the WebSocket framing is broken' },
  1003: {
    name: 'opcode',
    policy: 'A',
    sentence: 'binary on a json session, or text on a cbor one',
  },
  1007: { name: 'utf-8', policy: 'A', sentence: 'text that is not UTF-8' },
  1009: { name: 'too-big', policy: 'A', sentence: 'message over the WebSocket limit' },
  1011: { name: 'internal', policy: 'B', sentence: 'our bug: an invariant broke' },
  1012: { name: 'restart', policy: 'C', sentence: 'the service restarts' },
  1013: { name: 'try-later', policy: 'B', sentence: 'try again later' },
  4000: { name: 'bad-frame', policy: 'A', sentence: 'malformed message' },
  4001: { name: 'bad-state', policy: 'A', sentence: 'message out of order' },
  4003: { name: 'unauthenticated', policy: 'A', sentence: 'missing or bad credential' },
  4004: { name: 'forbidden', policy: 'A', sentence: 'valid, but not allowed' },
  4005: { name: 'unsupported', policy: 'A', sentence: 'not supported here' },
  4006: { name: 'credit-exceeded', policy: 'A', sentence: 'more was sent than the limit allows' },
  4007: { name: 'stale-epoch', policy: 'A', sentence: 'a newer epoch of this device is known' },
  4008: { name: 'gap', policy: 'A', sentence: 'undeclared hole in the sequence' },
  4009: { name: 'limit', policy: 'A', sentence: 'a limit of the protocol is exceeded' },
  4100: { name: 'overloaded', policy: 'B', sentence: 'no room on this node' },
  4101: { name: 'rate-limited', policy: 'B', sentence: 'too many connects, pings or definitions' },
  4102: { name: 'timeout', policy: 'B', sentence: 'no hello, or no sign of life, in time' },
  4103: { name: 'log-unavailable', policy: 'B', sentence: 'the log of this shard is stopped' },
  4104: {
    name: 'taken-over',
    policy: 'B',
    sentence: 'a newer connection of this device took over',
  },
  4200: { name: 'moved', policy: 'C', sentence: 'another node owns this device' },
  4201: { name: 'draining', policy: 'C', sentence: 'this node is going down' },
  4202: {
    name: 'credential-expiring',
    policy: 'C',
    sentence: 'get a new credential and reconnect',
  },
  4203: { name: 'no-owner-yet', policy: 'C', sentence: 'the log of this shard is being read' },
  4020: { name: 'unknown-set', policy: 'drop', sentence: 'set not defined on this connection' },
  4021: { name: 'shape', policy: 'drop', sentence: 'rows, kinds, lengths or times do not fit' },
  4023: { name: 'not-permitted', policy: 'drop', sentence: 'series outside the publish scope' },
} as const;

/** A code of PROTOCOL §13. */
export type Code = keyof typeof CODES;

/** What a peer did wrong: a value, never thrown. */
export interface Breach {
  readonly code: Code;
  /** For humans, at most 120 bytes, never a byte of the payload. */
  readonly message: string;
  /** How long the peer has to stay away, where that is known: `w`, Retry-After. Units: ms. */
  readonly waitMs?: number;
}

/** Makes a breach; without `detail` it carries the table's sentence. */
export const breach = (code: Code, detail?: string): Breach => ({
  code,
  message: detail ?? CODES[code].sentence,
});
