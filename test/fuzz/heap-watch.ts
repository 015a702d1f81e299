/** How often the heap is measured. Units: inputs. */
const SAMPLE_EVERY = 50_000;
/** More than the pools still grow by after the first sample, 8 MiB at most. Units: bytes. */
const GROWTH_BYTES_MAX = 16 * 1024 * 1024;

const MIB = 1024 * 1024;

/** Watches what is left on the heap after a collection: it must not grow with the inputs. */
export class HeapWatch {
  hasGrown = false;
  readonly #print: (line: string) => void;
  #first = 0;

  constructor(print: (line: string) => void) {
    this.#print = print;
    if (globalThis.gc === undefined) throw new Error('run node with --expose-gc');
  }

  look(inputs: number): void {
    if (inputs % SAMPLE_EVERY !== 0) return;
    // What the first collection finds is partly freed by the second.
    globalThis.gc?.();
    globalThis.gc?.();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    const bytes = heapUsed + arrayBuffers;
    if (this.#first === 0) this.#first = bytes;
    const growth = bytes - this.#first;
    this.hasGrown = growth > GROWTH_BYTES_MAX;
    const [now, more] = [bytes / MIB, growth / MIB];
    this.#print(`heap after ${inputs} inputs: ${now.toFixed(1)} MiB, ${more.toFixed(1)} more`);
  }
}
