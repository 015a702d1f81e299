import type { AggregateValue, WindowResult } from '../../src/model/window.ts';
import type { Sample } from './sampling-device.ts';

/** The figures of one window of one series, all classes together. */
export interface Figures {
  readonly n: number;
  readonly first: AggregateValue;
  readonly last: AggregateValue;
  readonly tfirst: number;
  readonly tlast: number;
  /** Those of numbers; text has none. */
  readonly min?: number;
  readonly max?: number;
  readonly sum?: number;
  readonly mean?: number;
}

/** Figures by `topic start`, the start in µs. */
export type Windows = ReadonlyMap<string, Figures>;

/** A line of `tail --topic aggregates --json`. */
export interface ResultLine extends WindowResult {
  readonly shard: number;
  readonly offset: number;
}

const WINDOW_US = 1_000_000;
const STATUS = ['provisional', 'final', 'corrected'];

/** What the windows of these samples have to be, computed from nothing but the samples. */
export function windowsOf(samples: readonly Sample[]): Windows {
  const rows = new Map<string, Sample[]>();
  for (const sample of samples) {
    const key = keyOf(sample.topic, Math.floor(sample.t / WINDOW_US) * WINDOW_US);
    rows.set(key, [...(rows.get(key) ?? []), sample]);
  }
  return new Map([...rows].map(([key, those]) => [key, figuresOf(those)]));
}

function figuresOf(samples: readonly Sample[]): Figures {
  const rows = samples.toSorted((a, b) => a.t - b.t);
  const [first, last] = [rows[0] as Sample, rows.at(-1) as Sample];
  const ends = { first: first.v, last: last.v, tfirst: first.t, tlast: last.t };
  if (typeof first.v === 'string') return { n: rows.length, ...ends };
  const values = rows.map(({ v }) => v as number);
  const sum = values.reduce((a, b) => a + b, 0);
  const [min, max] = [Math.min(...values), Math.max(...values)];
  return { n: rows.length, ...ends, min, max, sum, mean: sum / rows.length };
}

/** The latest revision of one (series, class, window). */
export interface Revision {
  readonly topic: string;
  readonly class: string;
  /** Units: µs. */
  readonly start: number;
  readonly status: string;
  readonly offset: number;
  readonly figures: Figures;
}

/** The results as they stand at the end: `n` is the revision, then the status. Source: [R9.4-6]. */
export function revisionsOf(lines: readonly ResultLine[]): readonly Revision[] {
  const latest = new Map<string, Revision>();
  for (const { device, class: of, start, status, offset, series } of lines) {
    for (const [name, result] of Object.entries(series)) {
      const { unit, ...figures } = result;
      const topic = `${device}/${name}`;
      const revision = { topic, class: of, start, status, offset, figures: figures as never };
      const key = `${keyOf(topic, start)} ${of}`;
      const before = latest.get(key);
      if (!before || isNewer(revision, before)) latest.set(key, revision);
    }
  }
  return [...latest.values()];
}

function isNewer(a: Revision, b: Revision): boolean {
  if (a.figures.n !== b.figures.n) return a.figures.n > b.figures.n;
  return STATUS.indexOf(a.status) > STATUS.indexOf(b.status);
}

/** The classes of a series merged, as a reader does it. Source: [R9.4-7], the table of §9.4. */
export function mergedOf(revisions: readonly Revision[]): Windows {
  const windows = new Map<string, Figures>();
  for (const { topic, start, figures } of revisions) {
    const key = keyOf(topic, start);
    const other = windows.get(key);
    windows.set(key, other ? merged(other, figures) : figures);
  }
  return windows;
}

function merged(a: Figures, b: Figures): Figures {
  const n = a.n + b.n;
  const [early, late] = [a.tfirst <= b.tfirst ? a : b, a.tlast >= b.tlast ? a : b];
  const { first, tfirst } = early;
  const ends = { n, first, tfirst, last: late.last, tlast: late.tlast };
  if (a.sum === undefined || b.sum === undefined) return ends;
  const sum = a.sum + b.sum;
  const min = Math.min(a.min as number, b.min as number);
  const max = Math.max(a.max as number, b.max as number);
  return { ...ends, min, max, sum, mean: sum / n };
}

/** The windows that lie before this moment. Units: µs. */
export const upTo = (windows: Windows, endUs: number): Windows =>
  new Map([...windows].filter(([key]) => Number(key.split(' ')[1]) + WINDOW_US <= endUs));

/** Where two lists of windows differ, in sentences; none: they are the same, to the bit. */
export function differences(seen: Windows, wanted: Windows): string[] {
  return [...new Set([...seen.keys(), ...wanted.keys()])].flatMap((key) => {
    const [is, should] = [textOf(seen.get(key)), textOf(wanted.get(key))];
    return is === should ? [] : [`${key}: ${is}, not ${should}`];
  });
}

const NAMES = ['n', 'min', 'max', 'sum', 'mean', 'first', 'last', 'tfirst', 'tlast'] as const;
const textOf = (figures: Figures | undefined): string =>
  figures ? JSON.stringify(NAMES.map((name) => figures[name])) : 'nothing';

const keyOf = (topic: string, start: number): string => `${topic} ${start}`;
