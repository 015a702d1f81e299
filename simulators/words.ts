import type { Ending } from '../src/client/reconnect-policy.ts';
import { CODES } from '../src/model/errors.ts';
import { WHY } from '../src/model/why.ts';

const isCode = (code: number): code is keyof typeof CODES => Object.hasOwn(CODES, code);

/** Close codes of WebSocket itself that a server need not have meant. */
const SOCKET_WORDS: Readonly<Record<number, string>> = {
  1005: 'the server closed the connection without a code',
  1006: 'the connection broke off',
};

/** Why a connection ended, as half a sentence. */
export function wordsOf(ending: Ending): string {
  const { code, status, message } = ending;
  const said = message === '' ? '' : ` (${message})`;
  if (status !== 0) return `the server answered HTTP ${status}${said}`;
  if (code === 0) return message;
  const known = SOCKET_WORDS[code];
  if (known !== undefined) return `${known}${said}`;
  const named = isCode(code) ? ` ${CODES[code].name}: ${CODES[code].sentence}` : '';
  return `the server sent ${code}${named}${said}`;
}

/** Why limits are not advancing. Source: PROTOCOL §3.4, key 42. */
const WHY_WORDS: Readonly<Record<number, string>> = {
  [WHY.logSlow]: 'the log is slow',
  [WHY.logDown]: 'the log is down',
  [WHY.quota]: 'the quota is used up',
  [WHY.memory]: 'the gateway is short of memory',
  [WHY.draining]: 'the gateway is going down',
};

/** The last reason that was told for waiting, behind the time it took; empty text if there was none. */
export const whyWords = (why: number): string =>
  why === 0 ? '' : `; last told why: ${WHY_WORDS[why] ?? `reason ${why}`}`;

const UNITS = ['B', 'KiB', 'MiB', 'GiB'] as const;

/** A size for humans. */
export function sizeOf(bytes: number): string {
  let size = bytes;
  let unit = 0;
  while (size >= 1024 && unit < UNITS.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${size < 10 && unit > 0 ? size.toFixed(1) : Math.round(size)} ${UNITS[unit]}`;
}

/** A duration for humans. */
export function durationOf(ms: number | null): string {
  if (ms === null) return '–';
  if (ms === 0) return '0 ms';
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`;
}

/** A count with thin gaps between the thousands: 1 234 567. */
export const countOf = (count: number): string =>
  Math.round(count)
    .toString()
    .replaceAll(/\B(?=(\d{3})+$)/g, ' ');

/** `1 device`, `2 devices`. */
export const plural = (count: number, noun: string): string =>
  `${countOf(count)} ${noun}${count === 1 ? '' : 's'}`;

/** What an ack means. Source: PROTOCOL §6.4. */
export const DUR_WORDS = [
  'received, but one failure may lose them',
  'on the disk of the node',
  'on the disks of several brokers',
] as const;
