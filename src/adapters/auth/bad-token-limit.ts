import { isIPv6 } from 'node:net';
import {
  BAD_TOKEN_ADDRESSES_MAX,
  BAD_TOKENS_BURST,
  BAD_TOKENS_PER_SECOND,
} from '../../model/limits.ts';

/** Who has an IPv6 address has at least a /64 of them. Units: groups of 16 bits. */
const NETWORK_GROUPS = 4;
const GROUPS = 8;
const LOOPBACK = /^(?:::ffff:)?127\.|^::1$/;

/** The address is of this machine. */
export const isLoopback = (address: string): boolean => LOOPBACK.test(address);

interface Count {
  /** Bad tokens not yet forgiven. */
  bad: number;
  atMs: number;
}

/**
 * Counts bad tokens by address, so that guessing costs us little. Soft: what it slows are tokens
 * that are not known to be good, and those who come with one may try again. Loopback is never
 * slowed: there everybody who comes through a proxy of this machine has one address.
 * Bounds: `BAD_TOKEN_ADDRESSES_MAX` addresses.
 */
export class BadTokenLimit {
  readonly #counts = new Map<string, Count>();

  /** True if this address has to wait before a new token of it is looked at. */
  isSlowed(address: string, nowMs: number): boolean {
    const count = this.#counts.get(networkOf(address));
    return count !== undefined && remaining(count, nowMs) > BAD_TOKENS_BURST - 1;
  }

  /** A bad token came from this address. */
  count(address: string, nowMs: number): void {
    if (isLoopback(address)) return;
    const network = networkOf(address);
    const before = this.#counts.get(network);
    // Taken out and put back, so that the first entry is the one heard of longest ago.
    this.#counts.delete(network);
    const [oldest] = this.#counts.keys();
    if (this.#counts.size >= BAD_TOKEN_ADDRESSES_MAX && oldest !== undefined) {
      this.#counts.delete(oldest);
    }
    const bad = (before ? remaining(before, nowMs) : 0) + 1;
    this.#counts.set(network, { bad: Math.min(bad, BAD_TOKENS_BURST), atMs: nowMs });
  }
}

const remaining = ({ bad, atMs }: Count, nowMs: number): number =>
  Math.max(0, bad - ((nowMs - atMs) / 1000) * BAD_TOKENS_PER_SECOND);

/** An IPv4 address as it is, of an IPv6 one the /64, in one spelling. */
function networkOf(address: string): string {
  if (address.startsWith('::ffff:') && address.includes('.')) return address.slice(7);
  if (!isIPv6(address)) return address;
  const [left = '', right] = (address.split('%')[0] as string).split('::');
  const head = left === '' ? [] : left.split(':');
  const tail = right === undefined || right === '' ? [] : right.split(':');
  const zeros = Array<string>(Math.max(0, GROUPS - head.length - tail.length)).fill('0');
  return [...head, ...zeros, ...tail].slice(0, NETWORK_GROUPS).join(':');
}
