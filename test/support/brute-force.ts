/**
 * One value as `tail --json` prints it. An integer beyond 2⁵³ is text there and would be taken for
 * text here: do not compare such.
 */
export type TailValue = number | string | boolean | null;

/** A block as `tail --json` prints it. */
export interface TailBlock {
  readonly t: readonly number[];
  readonly q?: number | readonly number[];
  readonly fid?: number;
  readonly cols: readonly {
    readonly topic: string;
    readonly unit?: string;
    readonly v: readonly TailValue[];
  }[];
}

/** An entry of a mark; the class by name, as `tail` prints it, or by number. */
export interface TailMark {
  readonly device: string;
  readonly class: string | number;
  /** Units: µs. */
  readonly watermark: number;
}

/** A line of `tail --json --all`, as far as event time depends on it. */
export interface TailLine {
  readonly topic: 'readings' | 'alarms';
  readonly shard: number;
  readonly offset: number;
  readonly kind: 'frame' | 'fence' | 'mark' | 'stub';
  readonly device: string;
  readonly lane: number;
  /** Units: µs. */
  readonly recv: number;
  readonly void?: boolean;
  readonly blocks?: readonly TailBlock[];
  /** The frame's `wm`. Units: µs. */
  readonly wm?: number;
  /** The entries of a mark. */
  readonly marks?: readonly TailMark[];
}

/** A result that has to stand in the aggregates log, and the record that caused it. */
export interface BruteResult {
  readonly topic: 'readings' | 'alarms';
  readonly shard: number;
  readonly offset: number;
  readonly index: number;
  readonly result: {
    readonly device: string;
    readonly class: string;
    readonly start: number;
    readonly len: number;
    readonly status: 'final' | 'corrected';
    readonly series: { readonly [name: string]: Readonly<Record<string, TailValue>> };
  };
}

/** Figures of PROTOCOL §9. Units: ms. */
export interface BruteFigures {
  readonly window: number;
  readonly delay: number;
  readonly lateness: number;
  readonly future: number;
  readonly ahead: number;
}

/** What the rows come to. */
export interface BruteForce {
  /** In the order of the lines. */
  readonly results: BruteResult[];
  readonly counters: { aggregated: number; late: number; future: number; excluded: number };
}

const DEFAULTS: BruteFigures = {
  window: 1000,
  delay: 2000,
  lateness: 30_000,
  future: 300_000,
  ahead: 1000,
};
const CLASS_OF_LANE = ['critical', 'live', 'backfill', 'live'];
const CLASS_NAMES = ['live', 'backfill', 'critical'];
const RESULT_BYTES_MAX = 256 * 1024;

interface Row {
  readonly name: string;
  readonly t: number;
  readonly value: number | string;
  readonly fid: number;
}
interface DeviceClass {
  readonly device: string;
  readonly class: string;
  uncapped: number;
  /** Rows that count, by start of their window, in log order. */
  readonly windows: Map<number, Row[]>;
  /** Starts of windows that have been given as final or corrected. */
  readonly given: Set<number>;
  readonly units: Map<string, string>;
}
interface Log {
  clock: number;
  readonly classes: Map<string, DeviceClass>;
}

/**
 * PROTOCOL §9 by brute force: keeps every row that counts and computes each result from all rows of
 * its window, from nothing. It shares no code with `src/aggregation`. Void records are skipped. Lines of one (topic, shard) have to be in log order.
 */
export function bruteForce(
  lines: Iterable<TailLine>,
  figures: Partial<BruteFigures> = {},
): BruteForce {
  const model = new Model({ ...DEFAULTS, ...figures });
  for (const line of lines) if (line.void !== true) model.read(line);
  return model;
}

class Model implements BruteForce {
  readonly results: BruteResult[] = [];
  readonly counters = { aggregated: 0, late: 0, future: 0, excluded: 0 };
  readonly #logs = new Map<string, Log>();
  readonly #figures: BruteFigures;
  #line: TailLine | null = null;
  #index = 0;

  constructor(figures: BruteFigures) {
    const us = Object.entries(figures).map(([name, ms]) => [name, ms * 1000]);
    this.#figures = Object.fromEntries(us);
  }

  read(line: TailLine): void {
    const key = `${line.topic} ${line.shard}`;
    const log = this.#logs.get(key) ?? { clock: Number.NEGATIVE_INFINITY, classes: new Map() };
    this.#logs.set(key, log);
    this.#line = line;
    this.#index = 0;
    const before = log.clock;
    log.clock = Math.max(log.clock, line.recv);
    if (line.kind === 'frame') this.#frame(line, log, before);
    if (line.kind === 'mark') this.#mark(line, log);
    this.#finish(log);
  }

  #frame(line: TailLine, log: Log, clockBefore: number): void {
    const name = CLASS_OF_LANE[line.lane] as string;
    const key = `${line.device} ${name}`;
    const target = log.classes.get(key) ?? newClass(line.device, name);
    log.classes.set(key, target);
    const watermark = Math.min(target.uncapped, clockBefore + this.#figures.ahead);
    const corrected = new Map<number, string[]>();
    for (const block of line.blocks ?? []) {
      for (const { topic, unit, v } of block.cols) {
        const series = topic.slice(line.device.length + 1);
        v.forEach((value, i) => {
          const t = block.t[i] as number;
          const start = this.#place(target, log.clock, watermark, { series, t, value, i, block });
          if (start === null) return;
          target.units.set(series, unit ?? '');
          if (start + this.#figures.window > watermark) return;
          const names = corrected.get(start) ?? [];
          corrected.set(start, names.includes(series) ? names : [...names, series]);
        });
      }
    }
    for (const [start, names] of [...corrected].sort(([a], [b]) => a - b)) {
      target.given.add(start);
      this.#give(target, start, names, 'corrected');
    }
    this.#raise(line, log, target);
  }

  /** Start of the window that a reading was counted in, or null. */
  #place(
    target: DeviceClass,
    clock: number,
    watermark: number,
    reading: { series: string; t: number; value: TailValue; i: number; block: TailBlock },
  ): number | null {
    const { counters } = this;
    const { series, t, i, block } = reading;
    const value = typeof reading.value === 'boolean' ? Number(reading.value) : reading.value;
    const { window, lateness, future } = this.#figures;
    const start = Math.floor(t / window) * window;
    const q = typeof block.q === 'object' ? block.q[i] : block.q;
    const rows = target.windows.get(start) ?? [];
    const kind = typeof rows.find(({ name }) => name === series)?.value;
    if (t > clock + future) counters.future += 1;
    else if (start + window + lateness <= watermark) counters.late += 1;
    else if (value === null || (q ?? 0) >= 128) counters.excluded += 1;
    else if (typeof value === 'number' && !Number.isFinite(value)) counters.excluded += 1;
    else if (kind !== 'undefined' && kind !== typeof value) counters.excluded += 1;
    else {
      counters.aggregated += 1;
      rows.push({ name: series, t, value, fid: block.fid ?? 1 });
      target.windows.set(start, rows);
      return start;
    }
    return null;
  }

  #raise(line: TailLine, log: Log, target: DeviceClass): void {
    const { delay, future } = this.#figures;
    for (const t of (line.blocks ?? []).flatMap((block) => block.t)) {
      if (t <= log.clock + future) target.uncapped = Math.max(target.uncapped, t - delay);
    }
    target.uncapped = Math.max(target.uncapped, line.wm ?? Number.NEGATIVE_INFINITY);
  }

  #mark(line: TailLine, log: Log): void {
    for (const { device, class: id, watermark } of line.marks ?? []) {
      const name = typeof id === 'number' ? CLASS_NAMES[id] : id;
      const target = log.classes.get(`${device} ${name}`);
      if (target) target.uncapped = Math.max(target.uncapped, watermark);
    }
  }

  #finish(log: Log): void {
    const due: { target: DeviceClass; start: number }[] = [];
    for (const target of log.classes.values()) {
      const watermark = Math.min(target.uncapped, log.clock + this.#figures.ahead);
      for (const start of target.windows.keys()) {
        if (target.given.has(start) || start + this.#figures.window > watermark) continue;
        target.given.add(start);
        due.push({ target, start });
      }
    }
    const key = ({ device, class: name }: DeviceClass) => `${device} ${CLASS_NAMES.indexOf(name)}`;
    due.sort((a, b) => a.start - b.start || (key(a.target) < key(b.target) ? -1 : 1));
    for (const { target, start } of due) {
      const names = (target.windows.get(start) ?? []).map(({ name }) => name);
      this.#give(target, start, [...new Set(names)], 'final');
    }
  }

  #give(
    target: DeviceClass,
    start: number,
    names: readonly string[],
    status: 'final' | 'corrected',
  ): void {
    const { device, class: name } = target;
    const head = { device, class: name, start, len: this.#figures.window / 1000, status };
    const rows = target.windows.get(start) ?? [];
    let parts: [string, Record<string, TailValue>][] = [];
    const resultOf = () => ({ ...head, series: ownEntries(parts) });
    for (const series of names) {
      const unit = target.units.get(series) ?? '';
      const entry = figuresOf(
        unit,
        rows.filter((row) => row.name === series),
      );
      parts.push([series, entry]);
      if (Buffer.byteLength(JSON.stringify(resultOf())) <= RESULT_BYTES_MAX) continue;
      parts.pop();
      this.#emit(resultOf());
      parts = [[series, entry]];
    }
    this.#emit(resultOf());
  }

  #emit(result: BruteResult['result']): void {
    const { topic, shard, offset } = this.#line as TailLine;
    this.results.push({ topic, shard, offset, index: this.#index, result });
    this.#index += 1;
  }
}

const newClass = (device: string, name: string): DeviceClass => ({
  device,
  class: name,
  uncapped: Number.NEGATIVE_INFINITY,
  windows: new Map(),
  given: new Set(),
  units: new Map(),
});

/** Like `Object.fromEntries`, which is safe for `__proto__` too. */
const ownEntries = <Value>(entries: readonly [string, Value][]): Record<string, Value> =>
  Object.fromEntries(entries);

function figuresOf(unit: string, rows: readonly Row[]): Record<string, TailValue> {
  const n = rows.reduce((sum, { fid }) => sum + fid, 0);
  const first = rows.reduce((a, b) => (b.t < a.t ? b : a));
  const last = rows.reduce((a, b) => (b.t >= a.t ? b : a));
  const ends = { first: first.value, last: last.value, tfirst: first.t, tlast: last.t };
  if (typeof first.value === 'string') return { unit, n, ...ends };
  const values = rows.map(({ value }) => value as number);
  const sum = rows.reduce((total, { value, fid }) => total + fid * (value as number), 0);
  const min = values.reduce((a, b) => Math.min(a, b));
  const max = values.reduce((a, b) => Math.max(a, b));
  const known = (value: number) => (Number.isFinite(value) ? value : null);
  return { unit, n, min, max, sum: known(sum), mean: known(sum / n), ...ends };
}
