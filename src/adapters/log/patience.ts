import { setTimeout as sleepReal } from 'node:timers/promises';
import { codeOf, isDiskFull } from './files.ts';

const FIRST_WAIT_MS = 100;
const WAIT_MS_MAX = 1000;

/** Waits. Units: ms. */
export type Sleep = (ms: number) => Promise<void>;

/** The real one. */
export const sleepOnClock: Sleep = (ms) => sleepReal(ms);

/** The log was closed while it waited for room on the disk: what waited was not made durable. */
export class ClosedError extends Error {
  override readonly name = 'ClosedError';
}

/**
 * Repeats what fails for want of room on the disk until it works: nothing is lost, it waits.
 * Guarantee: every other fault passes through at once, and nothing here repeats a sync.
 */
export class Patience {
  /** Why the log waits, or null. Called when that changes. */
  onWaiting: (reason: string | null) => void = () => {};
  readonly #sleep: Sleep;
  #isWaiting = false;
  readonly #stopped = Promise.withResolvers<void>();
  #isStopped = false;

  constructor(sleep: Sleep) {
    this.#sleep = sleep;
  }

  /** Runs `step`, which must be repeatable, until it does not fail for want of room. */
  async until<T>(path: string, step: () => Promise<T>): Promise<T> {
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, WAIT_MS_MAX)) {
      try {
        const result = await step();
        this.#say(null);
        return result;
      } catch (error) {
        if (!isDiskFull(error)) throw error;
        this.#say(`no room on the disk for ${path} (${codeOf(error)}); appends wait for it`);
      }
      if (!this.#isStopped) await Promise.race([this.#sleep(waitMs), this.#stopped.promise]);
      if (this.#isStopped) throw new ClosedError(`closed while there was no room for ${path}`);
    }
  }

  /** Ends all waiting, now and later. */
  stop(): void {
    this.#isStopped = true;
    this.#stopped.resolve();
  }

  #say(reason: string | null): void {
    if (reason === null && !this.#isWaiting) return;
    this.#isWaiting = reason !== null;
    this.onWaiting(reason);
  }
}
