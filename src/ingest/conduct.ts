import { type Breach, breach } from '../model/errors.ts';
import {
  CONDUCTS_MAX,
  NEW_DEFINITIONS_BURST,
  NEW_DEFINITIONS_PER_HOUR,
  QUARANTINE_MS,
  SHORT_SESSIONS_PER_MINUTE,
} from '../model/limits.ts';
import type { Now } from '../model/time.ts';
import { TokenBucket } from './token-bucket.ts';

/** What is held against one device, over all its connections. */
export class Conduct {
  /** Definitions that this deployment has never seen. [R14-17] */
  readonly newDefinitions = new TokenBucket(NEW_DEFINITIONS_PER_HOUR / 3600, NEW_DEFINITIONS_BURST);
  /** Sessions that ended soon after they began. [R14-16] */
  readonly shortSessions = new TokenBucket(
    SHORT_SESSIONS_PER_MINUTE / 60,
    SHORT_SESSIONS_PER_MINUTE,
  );
  /** Until then no session of the device is opened. Units: monotonic ms. [R10.1-8] */
  quarantinedUntilMs = Number.NEGATIVE_INFINITY;

  /** An invariant broke in a session of the device. */
  quarantine(nowMs: number): void {
    this.quarantinedUntilMs = nowMs + QUARANTINE_MS;
  }

  /** Nothing is held against the device any more. */
  isClean(nowMs: number): boolean {
    return (
      nowMs >= this.quarantinedUntilMs &&
      this.shortSessions.isFull(nowMs) &&
      this.newDefinitions.isFull(nowMs)
    );
  }
}

/** Why a device whose sessions keep ending at once has to wait, or null. Source: [R14-16]. */
export function tooMany({ shortSessions }: Conduct, { monoMs }: Now): Breach | null {
  const waitMs = shortSessions.waitMs(monoMs);
  if (waitMs === 0) return null;
  return { ...breach(4101, 'too many sessions of this device ended within a minute'), waitMs };
}

/**
 * Conduct by device path. It outlives what the node knows of the device's epochs: a device that
 * never got a frame through is limited like any other.
 * Bounds: `CONDUCTS_MAX` devices.
 */
export class Conducts {
  readonly #byPath = new Map<string, Conduct>();

  get size(): number {
    return this.#byPath.size;
  }

  /** What is held against this device; undefined if nothing is. */
  find(path: string): Conduct | undefined {
    return this.#byPath.get(path);
  }

  /** The conduct of this device, to hold something against it. */
  of(path: string): Conduct {
    const conduct = this.#byPath.get(path) ?? new Conduct();
    // Taken out and put back, so that the first entry is the one heard of longest ago.
    this.#byPath.delete(path);
    const [oldest] = this.#byPath.keys();
    if (this.#byPath.size >= CONDUCTS_MAX && oldest !== undefined) this.#byPath.delete(oldest);
    this.#byPath.set(path, conduct);
    return conduct;
  }

  /** Forgets the devices against which nothing is held any more. */
  forgive(nowMs: number): void {
    for (const [path, conduct] of this.#byPath) {
      if (conduct.isClean(nowMs)) this.#byPath.delete(path);
    }
  }
}
