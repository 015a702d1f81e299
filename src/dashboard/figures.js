/** Rates and quantiles out of totals. Pure. */

import { formatBytes, formatCount, formatMs } from './format.js';

/**
 * @typedef {{ bounds: number[], counts: number[], sum: number }} Counts
 * @typedef {{ node: string, version: string, dur: number, atMs: number,
 *   log: { kind: string, state: string },
 *   frames: { received: number, inFlight: number, bytes: number, closed: number,
 *     settled: Record<string, number> },
 *   readingsDurable: number, sessions: number, subscriptions: number,
 *   creditOutstandingBytes: number, appendMs: Counts, ackMs: Counts }} Stats
 * @typedef {{ label: string, value: number, text: string, note: string }} Figure
 */

/** Samples to keep, one a second: quantiles are taken over all of them. */
export const SAMPLES_MAX = 10;
/** Rates are taken over this many, so that one late poll does not make a spike. */
const RATE_SAMPLES = 3;

/**
 * The figures out of the samples of the last seconds, newest last.
 * @param {readonly Stats[]} samples
 * @returns {Figure[]}
 */
export function figuresOf(samples) {
  const now = samples.at(-1);
  const near = samples.at(-1 - RATE_SAMPLES) ?? samples[0];
  /** @param {(stats: Stats) => number} total */
  const rate = (total) => {
    if (!now || !near || now === near) return Number.NaN;
    return ((total(now) - total(near)) * 1000) / (now.atMs - near.atMs);
  };
  const total = (/** @type {number | undefined} */ value) =>
    value === undefined ? '' : `${formatCount(value)} in all`;
  const frames = rate(({ frames }) => frames.received);
  const readings = rate((stats) => stats.readingsDurable);
  const bytes = rate(({ frames }) => frames.bytes);
  const level = levelsOf(now);
  return [
    {
      label: 'Frames/s',
      value: frames,
      text: formatCount(round(frames)),
      note: total(now?.frames.received),
    },
    {
      label: 'Readings/s',
      value: readings,
      text: formatCount(round(readings)),
      note: total(now?.readingsDurable),
    },
    {
      label: 'Bytes/s',
      value: bytes,
      text: formatBytes(bytes),
      note: now ? `${formatBytes(now.frames.bytes)} in all` : '',
    },
    ...level.slice(0, 1),
    duration('Ack', samples, (stats) => stats.ackMs),
    duration('Append', samples, (stats) => stats.appendMs),
    ...level.slice(1),
  ];
}

/** Whole numbers read better than 99.7 frames/s. @param {number} rate */
const round = (rate) => (rate >= 10 ? Math.round(rate) : Math.round(rate * 10) / 10);

/** @param {Stats | undefined} now @returns {Figure[]} */
function levelsOf(now) {
  const sessions = now?.sessions ?? Number.NaN;
  const inFlight = now?.frames.inFlight ?? Number.NaN;
  const credit = now?.creditOutstandingBytes ?? Number.NaN;
  const watching = now ? `${formatCount(now.subscriptions)} × watching` : '';
  return [
    { label: 'Sessions', value: sessions, text: formatCount(sessions), note: watching },
    {
      label: 'In flight',
      value: inFlight,
      text: formatCount(inFlight),
      note: 'frames not settled',
    },
    { label: 'Credit', value: credit, text: formatBytes(credit), note: 'devices may send' },
  ];
}

/**
 * @param {string} label
 * @param {readonly Stats[]} samples
 * @param {(stats: Stats) => Counts} pick
 * @returns {Figure}
 */
function duration(label, samples, pick) {
  const [first, last] = [samples[0], samples.at(-1)];
  const since = first && last && first !== last ? difference(pick(last), pick(first)) : null;
  const p50 = since ? quantile(since, 0.5) : Number.NaN;
  const p99 = since ? quantile(since, 0.99) : Number.NaN;
  return { label, value: p50, text: formatMs(p50), note: `p50 · p99 ${formatMs(p99)}` };
}

/** @param {Counts} now @param {Counts} before @returns {Counts} */
function difference(now, before) {
  const counts = now.counts.map((count, i) => count - (before.counts[i] ?? 0));
  return { bounds: now.bounds, counts, sum: now.sum - before.sum };
}

/** Linear inside the bucket; NaN when nothing was observed. @param {Counts} counts @param {number} q */
function quantile({ bounds, counts }, q) {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return Number.NaN;
  let rank = q * total;
  for (const [i, count] of counts.entries()) {
    const low = bounds[i - 1] ?? 0;
    if (rank <= count && count > 0) return low + ((bounds[i] ?? low) - low) * (rank / count);
    rank -= count;
  }
  return bounds.at(-1) ?? Number.NaN;
}
