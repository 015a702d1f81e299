import { Worker } from 'node:worker_threads';

/** Runs tasks on several threads; results come in the order in which they are ready. */
export class Crew<Task, Result> {
  readonly #workers: readonly Worker[];
  readonly #tasks: Task[];
  readonly #onResult: (result: Result) => void;

  /** `script` answers every message, a task, with one: its result. */
  constructor(
    script: URL,
    size: number,
    tasks: readonly Task[],
    onResult: (result: Result) => void,
  ) {
    this.#tasks = [...tasks];
    this.#onResult = onResult;
    const count = Math.min(size, Math.max(1, tasks.length));
    this.#workers = Array.from({ length: count }, () => new Worker(script));
  }

  /** Resolves when every task is done. Rejects if a thread fails. */
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
        const task = this.#tasks.shift();
        if (task === undefined) resolve();
        else worker.postMessage(task);
      };
      worker.on('error', reject);
      worker.on('message', (result: Result) => {
        this.#onResult(result);
        next();
      });
      next();
    });
  }
}
