import { plural } from './words.ts';

/** The same sentence of many devices comes as one line, and not more often than this. Units: ms. */
const REPEAT_MS = 5000;
/** The first line of a kind waits so long for more devices to say the same. Units: ms. */
const GATHER_MS = 150;
/** Sentences that are remembered: an attacker's server must not fill our memory. */
const KINDS_MAX = 64;

interface Kind {
  readonly devices: Set<string>;
  /** NaN until the first `flush`. */
  dueMs: number;
}

/**
 * Sentences about devices, gathered: a fleet of 2 000 that loses its gateway has one thing to say.
 * The first line of a kind comes almost at once, then one every 5 s.
 */
export class Notices {
  readonly #say: (line: string) => void;
  readonly #kinds = new Map<string, Kind>();

  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  add(device: string, sentence: string): void {
    const kind = this.#kinds.get(sentence);
    if (kind) kind.devices.add(device);
    else if (this.#kinds.size < KINDS_MAX) {
      this.#kinds.set(sentence, { devices: new Set([device]), dueMs: Number.NaN });
    }
  }

  /** Says everything that was not said yet. */
  end(): void {
    for (const kind of this.#kinds.values()) kind.dueMs = 0;
    this.flush(0);
  }

  /** Says what is due. */
  flush(nowMs: number): void {
    for (const [sentence, kind] of this.#kinds) {
      const { devices } = kind;
      if (Number.isNaN(kind.dueMs)) kind.dueMs = nowMs + GATHER_MS;
      if (nowMs < kind.dueMs) continue;
      if (devices.size === 0) {
        this.#kinds.delete(sentence);
        continue;
      }
      const [first = ''] = devices;
      this.#say(`${devices.size === 1 ? first : plural(devices.size, 'device')}: ${sentence}`);
      devices.clear();
      kind.dueMs = nowMs + REPEAT_MS;
    }
  }
}
