/** Rates and quantiles out of totals. Pure. */

import { formatBytes, formatCount, formatMs } from './format.js';

/**
 * @typedef {{ bounds: number[], counts: number[], sum: number }} Counts
 * @typedef {{ node: string, version: string, dur: number, atMs: number,
 *   log: { kind: string, state: string },
 *   frames: { received: number, inFlight: number, bytes: number, closed: number,
 *     settled: Record<string, number> },
 *   readingsDurable: number, sessions: number, subscriptions: number,
 *   creditOutstandingBytes: number, appendMs: Counts, ackMs: Counts,
 *   rung: number, reasons: string[], credit: Credit }} Stats
 * @typedef {{ drainBytesPerSecond: number, targetS: number, delayS: number, queuedBytes: number,
 *   comingBytes: number, inPlayMostBytes: number, poolUsedBytes: number, poolSizeBytes: number,
 *   waiting: { alarms: number, live: number, backfill: number, quota: number },
 *   granted: { alarms: number, live: number, backfill: number } }} Credit
 * @typedef {'calm' | 'watch' | 'hold' | 'bad'} Look
 * @typedef {{ label: string, value: number, text: string, note: string, title: string,
 *   look?: Look, line?: number, top?: number, meter?: { parts: number[], mark?: number } }} Figure
 *   `title`: what it is, in plain words. `line` and `top`: of its curve, see `drawSpark`.
 *   `meter`: it has a most, and is shown as parts of it.
 */

/** Samples to keep, one a second: quantiles are taken over all of them. */
export const SAMPLES_MAX = 10;
const ACK =
  'From the receipt of a frame until its device is told that it is safe: half of them were ' +
  'quicker than this in the last ten seconds, and all but one in a hundred quicker than p99.';
const APPEND =
  'How long one write to the log takes, until it is durable: half of them were quicker than ' +
  'this in the last ten seconds, and all but one in a hundred quicker than p99.';
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
      title: 'Frames received a second: one message of a device each, with some readings in it.',
    },
    {
      label: 'Readings/s',
      value: readings,
      text: formatCount(round(readings)),
      note: total(now?.readingsDurable),
      title: 'Readings a second that are safe in the log. One reading is one value of one series.',
    },
    {
      label: 'Bytes/s',
      value: bytes,
      text: formatBytes(bytes),
      note: now ? `${formatBytes(now.frames.bytes)} in all` : '',
      title: 'Bytes of frames received a second, without what WebSocket and TCP add.',
    },
    ...level.slice(0, 1),
    duration('Ack', samples, (stats) => stats.ackMs, ACK),
    duration('Append', samples, (stats) => stats.appendMs, APPEND),
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
  const { subscriptions = 0 } = now ?? {};
  const watched = `${formatCount(subscriptions)} subscription${subscriptions === 1 ? '' : 's'}`;
  return [
    {
      label: 'Sessions',
      value: sessions,
      text: formatCount(sessions),
      note: now ? watched : '',
      title:
        'Connections that are let in: devices, and pages like this one, which subscribes to the list and to the series it shows.',
    },
    {
      label: 'In flight',
      value: inFlight,
      text: formatCount(inFlight),
      note: 'frames not settled',
      title: 'Frames received that are not finished yet: on their way into the log.',
    },
    {
      label: 'Credit',
      value: credit,
      text: formatBytes(credit),
      note: 'devices may send',
      title:
        'What devices are promised room for: what they may send at once, and what is in flight.',
    },
  ];
}

/**
 * @param {string} label
 * @param {readonly Stats[]} samples
 * @param {(stats: Stats) => Counts} pick
 * @param {string} title
 * @returns {Figure}
 */
function duration(label, samples, pick, title) {
  const [p50, p99] = [quantileOf(samples, pick, 0.5), quantileOf(samples, pick, 0.99)];
  const [last] = samples.slice(-1);
  const longest = last ? (pick(last).bounds.at(-1) ?? Number.NaN) : Number.NaN;
  /** @param {number} ms */
  const text = (ms) => (ms > longest ? `> ${formatMs(longest)}` : formatMs(ms));
  const value = Math.min(p50, longest);
  return { label, value, text: text(p50), note: `p50 · p99 ${text(p99)}`, title };
}

/**
 * Of what was observed between the first sample and the last; NaN if that is nothing.
 * @param {readonly Stats[]} samples
 * @param {(stats: Stats) => Counts} pick
 * @param {number} q
 */
export function quantileOf(samples, pick, q) {
  const [first, last] = [samples[0], samples.at(-1)];
  if (!first || !last || first === last) return Number.NaN;
  return quantile(difference(pick(last), pick(first)), q);
}

/** @param {Counts} now @param {Counts} before @returns {Counts} */
function difference(now, before) {
  const counts = now.counts.map((count, i) => count - (before.counts[i] ?? 0));
  return { bounds: now.bounds, counts, sum: now.sum - before.sum };
}

/** Linear inside the bucket, Infinity beyond the last bound; NaN when nothing was observed. @param {Counts} counts @param {number} q */
function quantile({ bounds, counts }, q) {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return Number.NaN;
  let rank = q * total;
  for (const [i, count] of counts.entries()) {
    const [low, high] = [bounds[i - 1] ?? 0, bounds[i]];
    if (rank <= count && count > 0) {
      return high === undefined ? Number.POSITIVE_INFINITY : low + (high - low) * (rank / count);
    }
    rank -= count;
  }
  return Number.POSITIVE_INFINITY;
}
