import type { DeviceSession } from '../../client/device-session.ts';
import { JSON_GROWTH } from '../../model/limits.ts';
import type { Codec } from '../../model/machine.ts';
import { LANE } from '../../model/reading.ts';
import type { DeviceEvent } from './device-event.ts';

/** Encoded, rows take at most so many times what they are estimated at before. */
const GROWTH: Readonly<Record<Codec, number>> = { cbor: 2, json: JSON_GROWTH };

/** One call of `ready` that waits until the ring holds no more than this. Units: bytes. */
interface Waiting {
  readonly level: number;
  readonly resolve: () => void;
  readonly reject: (why: Error) => void;
}

/**
 * By the policy `block`: whether the ring takes what is written, before it is taken, and who waits
 * for room.
 * Guarantee: who waits is woken only after something left the ring, so that a loop of `write` and
 * `ready` never spins.
 */
export class Room {
  readonly #session: DeviceSession;
  readonly #growth: number;
  readonly #tell: (event: DeviceEvent) => void;
  #waiting: Waiting[] = [];
  /** There is room again once the ring holds no more than this; null: nothing was refused. */
  #level: number | null = null;

  constructor(session: DeviceSession, codec: Codec, tell: (event: DeviceEvent) => void) {
    this.#session = session;
    this.#growth = GROWTH[codec];
    this.#tell = tell;
  }

  /** Whether rows of bulk that are estimated at so many bytes surely fit. */
  fits(bytes: number): boolean {
    return bytes * this.#growth <= this.#session.roomIn(LANE.live);
  }

  /** Rows of this lane, estimated at so many bytes, were not taken. */
  refuse(lane: number, bytes: number): void {
    const { ring } = this.#session;
    const missing = bytes * this.#growth - this.#session.roomIn(lane);
    const isNews = this.#level === null;
    this.#level = ring.bytes - Math.max(1, missing);
    if (isNews) this.#tell({ kind: 'full' });
  }

  /** Resolves when there is room for what was refused last; at once if there is. */
  ready(): Promise<void> {
    const level = this.#level;
    if (level === null) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiting.push({ level, resolve, reject }));
  }

  /** Acks may have made room. An empty ring takes whatever there is. */
  look(): void {
    const { count, bytes } = this.#session.ring;
    const isLow = (level: number): boolean => count === 0 || bytes <= level;
    if (this.#level !== null && isLow(this.#level)) {
      this.#level = null;
      this.#tell({ kind: 'room' });
    }
    const woken = this.#waiting.filter(({ level }) => isLow(level));
    if (woken.length === 0) return;
    this.#waiting = this.#waiting.filter(({ level }) => !isLow(level));
    for (const { resolve } of woken) resolve();
  }

  /** The device ended. */
  fail(why: Error): void {
    for (const { reject } of this.#waiting.splice(0)) reject(why);
  }
}
