import type { logCreator } from 'kafkajs';
import { logLevel } from './kafka-library.ts';

/** The same text again is kept back for this long. Units: ms. */
const QUIET_MS = 30_000;
const TEXTS_MAX = 100;

/**
 * Passes on what kafkajs says at level warn and above. A broker that is away makes it say the same
 * several times a second: each text comes at most once per half minute.
 * Bounds: 100 texts are remembered.
 */
export class ClientLog {
  readonly #warn: (sentence: string) => void;
  readonly #said = new Map<string, number>();

  constructor(warn: (sentence: string) => void) {
    this.#warn = warn;
  }

  /** For one client; what it says while `isMuted` is nobody's business. */
  creator(isMuted: () => boolean): logCreator {
    return () =>
      ({ level, log }) => {
        if (level > logLevel.WARN || isMuted()) return;
        const detail: unknown = log['error'];
        this.say(typeof detail === 'string' ? `${log.message}: ${detail}` : log.message);
      };
  }

  /** Says it unless it was said a moment ago. */
  say(text: string): void {
    const now = performance.now();
    const before = this.#said.get(text);
    if (before !== undefined && now - before < QUIET_MS) return;
    if (this.#said.size >= TEXTS_MAX) this.#said.clear();
    this.#said.set(text, now);
    this.#warn(`kafkajs: ${text}`);
  }
}
