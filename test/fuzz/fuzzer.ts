import { Dice } from '../sim/random.ts';
import type { Kept } from './corpus.ts';
import { smallestOf } from './minimise.ts';
import { Finding } from './oracle/finding.ts';
import { Pool } from './pool.ts';
import type { Target } from './targets/target.ts';

/** Above this the first run is repeated: mostly it was the garbage collector. Units: ms. */
const SUSPECT_MS = 1;
/** No input may take longer, in the fastest of five repetitions. Units: ms, of `clockMs`. */
const SLOW_MS = 5;
const REPETITIONS = 5;
/** One in so many inputs is new, the others come from the pool. */
const NEW_SHARE = 0.3;
/** The largest message has 16 KiB: what is longer is cut. Units: bytes. */
const INPUT_BYTES_MAX = 17_000;
/** The same of a list: 64 definitions of 64 columns are the longest that is made. Units: bytes. */
const LIST_BYTES_MAX = 48_000;
/** A finding seen so often is counted, and not made smaller again. */
const ALIKE_MAX = 1;

/** An input that must not do what it does. */
export interface Failure {
  readonly target: string;
  readonly kind: 'crash' | 'slow';
  readonly what: string;
  /** Which input of the run; 0 for one of the corpus. */
  readonly index: number;
  readonly bytes: Uint8Array;
  /** As few bytes as were found to do the same. */
  readonly smallest: Uint8Array;
}

/** Runs inputs against targets. The same seed gives the same inputs as long as none fails. */
export class Fuzzer {
  inputs = 0;
  crashes = 0;
  slow = 0;
  /** Which input took longest, and how long in the fastest of five repetitions. Units: ms. */
  slowest = { target: '', index: 0, ms: 0 };
  /** The input that is being run, for whoever watches. */
  onInput: (target: string, bytes: Uint8Array) => void = () => {};
  readonly #targets: readonly Target[];
  readonly #pools = new Map<Target, Pool>();
  readonly #dice: Dice;
  readonly #report: (failure: Failure) => void;
  readonly #seen = new Map<string, number>();
  readonly #perTarget = new Map<string, number>();

  constructor(
    targets: readonly Target[],
    options: { readonly seed: number; readonly report: (failure: Failure) => void },
  ) {
    this.#targets = targets;
    for (const target of targets) this.#pools.set(target, new Pool());
    this.#dice = new Dice(options.seed, 'fuzz');
    this.#report = options.report;
  }

  /** What failed before is run first. Returns how many that were. */
  runKept(corpus: readonly Kept[]): number {
    for (const { target: name, bytes } of corpus) {
      const target = this.#targets.find((one) => one.name === name);
      if (target === undefined) throw new Error(`corpus: there is no target ${name}`);
      this.#run(target, bytes, 0);
    }
    return corpus.length;
  }

  /** One more input. */
  step(): void {
    const target = this.#pick();
    const pool = this.#pools.get(target) as Pool;
    const dice = this.#dice;
    const base = dice.chance(NEW_SHARE) ? null : pool.pick(dice);
    let bytes = base ?? target.make(dice);
    if (base !== null || dice.chance(0.5)) {
      bytes = target.mutate(dice, bytes, pool.pick(dice) ?? bytes);
    }
    const most = target.parts === undefined ? INPUT_BYTES_MAX : LIST_BYTES_MAX;
    if (bytes.length > most) bytes = bytes.slice(0, most);
    this.inputs += 1;
    this.#run(target, bytes, this.inputs);
  }

  /** Inputs by target and outcomes seen, in words. */
  get summary(): string {
    const parts = this.#targets.map((target) => {
      const count = this.#perTarget.get(target.name) ?? 0;
      return `${target.name} ${count} (${this.#pools.get(target)?.signs} outcomes)`;
    });
    return parts.join(', ');
  }

  #pick(): Target {
    const all = this.#targets.reduce((sum, { share }) => sum + share, 0);
    let at = this.#dice.below(all);
    for (const target of this.#targets) {
      if (at < target.share) return target;
      at -= target.share;
    }
    return this.#targets[0] as Target;
  }

  #run(target: Target, bytes: Uint8Array, index: number): void {
    this.onInput(target.name, bytes);
    this.#perTarget.set(target.name, (this.#perTarget.get(target.name) ?? 0) + 1);
    try {
      const { ms, sign } = target.attempt(bytes);
      this.#pools.get(target)?.offer(this.#dice, sign, bytes);
      if (ms.some((one) => one > SUSPECT_MS)) this.#suspect(target, bytes, index);
    } catch (error) {
      this.#crash(target, bytes, index, error);
    }
  }

  /** Run again, it shows whether it was the input or the machine. */
  #suspect(target: Target, bytes: Uint8Array, index: number): void {
    const ms = fastestOf(target, bytes);
    if (ms > this.slowest.ms) this.slowest = { target: target.name, index, ms };
    if (ms <= SLOW_MS) return;
    this.slow += 1;
    const what = `takes ${ms.toFixed(1)} ms`;
    const fails = (smaller: Uint8Array): boolean =>
      attemptOf(target, smaller) === null && fastestOf(target, smaller) > SLOW_MS;
    this.#tell(target, { kind: 'slow', what, index, bytes }, 'slow', fails);
  }

  #crash(target: Target, bytes: Uint8Array, index: number, error: unknown): void {
    this.crashes += 1;
    const key = keyOf(error);
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const fails = (smaller: Uint8Array): boolean => attemptOf(target, smaller) === key;
    this.#tell(target, { kind: 'crash', what, index, bytes }, key, fails);
  }

  /** The first of its sort is made as small as possible and told. */
  #tell(
    target: Target,
    failure: Omit<Failure, 'smallest' | 'target'>,
    key: string,
    fails: (bytes: Uint8Array) => boolean,
  ): void {
    const sort = `${target.name} ${key}`;
    const before = this.#seen.get(sort) ?? 0;
    this.#seen.set(sort, before + 1);
    if (before >= ALIKE_MAX) return;
    const { bytes } = failure;
    const smallest = fails(bytes) ? smallestOf(target, bytes, fails) : bytes;
    this.#report({ ...failure, target: target.name, smallest });
  }
}

/** The slowest message, each in the fastest of five repetitions. Units: ms. */
function fastestOf(target: Target, bytes: Uint8Array): number {
  let fastest = target.attempt(bytes).ms;
  for (let i = 1; i < REPETITIONS; i += 1) {
    const { ms } = target.attempt(bytes);
    fastest = fastest.map((one, at) => Math.min(one, ms[at] ?? one));
  }
  return Math.max(0, ...fastest);
}

/** What an attempt throws, in short; null if nothing. */
function attemptOf(target: Target, bytes: Uint8Array): string | null {
  try {
    target.attempt(bytes);
    return null;
  } catch (error) {
    return keyOf(error);
  }
}

/** Findings with the same words are taken for the same, whatever the numbers; errors by place. */
function keyOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error).slice(0, 60);
  const place = (error.stack ?? '').split('\n').find((line) => line.includes('/src/'));
  const words = error instanceof Finding ? error.message.slice(0, 60).replace(/\d+/g, '0') : place;
  return `${error.name} ${words}`;
}
