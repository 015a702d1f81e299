import { type Breach, breach } from '../model/errors.ts';
import {
  CONDUCTS_MAX,
  NEW_DEFINITIONS_BURST,
  NEW_DEFINITIONS_PER_HOUR,
  QUARANTINE_MS,
  SHORT_SESSION_MS,
  SHORT_SESSIONS_PER_MINUTE,
} from '../model/limits.ts';
import type { MonoMs, Now } from '../model/time.ts';
import type { Session } from './session.ts';
import { TokenBucket } from './token-bucket.ts';

/** Sessions that end so are not held against their device: [R14-16], and 4101 is HTTP 429. */
const NOT_HELD: ReadonlySet<number> = new Set([4003, 4007, 4008, 4101, 4200, 4201, 4202, 4203]);

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

  /**
   * A session ended with this code; 0: not by us. A device whose sessions keep ending at once is
   * slowed. Source: [R14-16].
   */
  ended({ path, isLocal, isToldToGo, openedAtMs }: Session, code: number, nowMs: MonoMs): void {
    if (path === '' || isLocal || isToldToGo || NOT_HELD.has(code)) return;
    if (nowMs - openedAtMs < SHORT_SESSION_MS) this.of(path).shortSessions.take(nowMs);
  }

  /** Forgets the devices against which nothing is held any more. */
  forgive(nowMs: number): void {
    for (const [path, conduct] of this.#byPath) {
      if (conduct.isClean(nowMs)) this.#byPath.delete(path);
    }
  }
}
