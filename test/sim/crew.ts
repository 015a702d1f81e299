import { Worker } from 'node:worker_threads';
import type { Outcome } from './world.ts';

/** Runs seeds on several threads; outcomes come in the order in which they are ready. */
export class Crew {
  readonly #workers: readonly Worker[];
  readonly #seeds: number[];
  readonly #onOutcome: (outcome: Outcome) => void;

  constructor(size: number, seeds: readonly number[], onOutcome: (outcome: Outcome) => void) {
    this.#seeds = [...seeds];
    this.#onOutcome = onOutcome;
    const count = Math.min(size, Math.max(1, seeds.length));
    const script = new URL('./worker.ts', import.meta.url);
    this.#workers = Array.from({ length: count }, () => new Worker(script));
  }

  /** Resolves when every seed has run. Rejects if a thread fails. */
  async run(): Promise<void> {
    try {
      await Promise.all(this.#workers.map((worker) => this.#employ(worker)));
    } finally {
      await Promise.all(this.#workers.map((worker) => worker.terminate()));
    }
  }

  #employ(worker: Worker): Promise<void> {
    return new Promise((resolve, reject) => {
      const next = (): void => {
        const seed = this.#seeds.shift();
        if (seed === undefined) resolve();
        else worker.postMessage(seed);
      };
      worker.on('error', reject);
      worker.on('message', (outcome: Outcome) => {
        this.#onOutcome(outcome);
        next();
      });
      next();
    });
  }
}
