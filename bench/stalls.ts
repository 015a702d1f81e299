import { openSync, readSync } from 'node:fs';
import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';

/** A time in which the event loop did not turn. */
export interface Stall {
  /** When it ended, by the wall clock, which all processes share. Units: ms. */
  readonly atMs: number;
  readonly ms: number;
  /** CPU that the process had meanwhile, all threads together. */
  readonly cpuMs: number;
  /** How long its main thread was ready to run and no core was free for it, as the kernel counts. */
  readonly waitedMs: number;
  /** Of it, garbage collection. */
  readonly gcMs: number;
}

/** What a process says about itself. */
export interface Vitals {
  /** CPU time since the start. */
  readonly cpuMs: number;
  /** Delay of the event loop since the last report. Units: ms. */
  readonly loop: { readonly p50: number; readonly p99: number; readonly max: number };
  /** Stalls since the last report. */
  readonly stalls: readonly Stall[];
  /** Units: bytes. */
  readonly memory: { readonly heapUsed: number; readonly arrayBuffers: number };
}

/** A timer that is later than this is a stall. Units: ms. */
const STALL_MS = 50;
const STEP_MS = 10;
/** Resolution of the histogram; what it reads without any delay is taken off. Units: ms. */
const RESOLUTION_MS = 5;
const STALLS_MAX = 10_000;

/** Watches the event loop of its own process. Costs about one percent of a core. */
export class StallWatch {
  readonly #loop = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  readonly #observer: PerformanceObserver;
  #stalls: Stall[] = [];
  #gcMs = 0;
  #last = mark();
  #gcMsLast = 0;

  constructor() {
    this.#loop.enable();
    this.#observer = new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) this.#gcMs += duration;
    });
    this.#observer.observe({ entryTypes: ['gc'] });
    setInterval(() => this.#step(), STEP_MS).unref();
  }

  /** What happened since the last report. */
  report(): Vitals {
    const at = (percent: number): number =>
      Math.max(0, this.#loop.percentile(percent) / 1e6 - RESOLUTION_MS);
    const vitals = {
      cpuMs: cpuMs(),
      loop: { p50: at(50), p99: at(99), max: at(100) },
      stalls: this.#stalls,
      memory: process.memoryUsage(),
    };
    this.#stalls = [];
    this.#loop.reset();
    return vitals;
  }

  #step(): void {
    const now = mark();
    const ms = now.monoMs - this.#last.monoMs - STEP_MS;
    if (ms > STALL_MS && this.#stalls.length < STALLS_MAX) {
      // The observer is told of a collection in a later turn.
      const last = this.#last;
      const gcMs = this.#gcMsLast;
      setImmediate(() => {
        this.#stalls.push({
          atMs: now.wallMs,
          ms,
          cpuMs: now.cpuMs - last.cpuMs,
          waitedMs: now.waitedMs - last.waitedMs,
          gcMs: this.#gcMs - gcMs,
        });
      });
    }
    this.#last = now;
    this.#gcMsLast = this.#gcMs;
  }
}

/** Null: not Linux, or a kernel without these figures; then CPU alone explains a stall. */
const schedstat = openedOrNull(`/proc/self/task/${process.pid}/schedstat`);
const schedstatText = Buffer.alloc(128);

function openedOrNull(path: string): number | null {
  try {
    return openSync(path, 'r');
  } catch {
    return null;
  }
}

/** Run time, time in the queue of a core, turns; of the main thread, where the kernel tells. */
function waitedMs(): number {
  if (schedstat === null) return 0;
  const length = readSync(schedstat, schedstatText, 0, schedstatText.length, 0);
  return Number(schedstatText.toString('latin1', 0, length).split(' ')[1]) / 1e6;
}

const mark = () => ({
  monoMs: performance.now(),
  wallMs: Date.now(),
  cpuMs: cpuMs(),
  waitedMs: waitedMs(),
});

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
