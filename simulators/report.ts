import type { FleetView } from './fleet-view.ts';
import { countOf, DUR_WORDS, durationOf, plural, whyWords } from './words.ts';

/** Two digits after the point are as good as the histogram. */
const rounded = (ms: number | null): number | null =>
  ms === null ? null : Math.round(ms * 100) / 100;

/** The last line with `--json`. Source: INTERFACE, simulate. */
export function jsonReport(view: FleetView): string {
  const { tally } = view;
  const [p50, p99] = [tally.latency.quantile(0.5), tally.latency.quantile(0.99)];
  return JSON.stringify({
    devices: view.devices,
    framesSent: tally.framesSent,
    framesAcked: tally.framesAcked,
    framesRejected: tally.framesRejected,
    framesLost: tally.framesLost,
    readingsSent: tally.readingsSent,
    readingsAcked: tally.readingsAcked,
    unacked: view.unacked,
    reconnects: tally.reconnects,
    ackMs: { p50: rounded(p50), p99: rounded(p99) },
    blockedMs: Math.round(view.blockedMs),
  });
}

/** The summary for humans. */
export function summary(view: FleetView, elapsedMs: number): string {
  const { tally } = view;
  const ack = (q: number): string => durationOf(tally.latency.quantile(q));
  const frames = (count: number, readings: number): string =>
    `${plural(count, 'frame')}, ${plural(readings, 'reading')}`;
  const lines = [
    `${plural(view.devices, 'device')}, ${durationOf(elapsedMs)}`,
    `  sent         ${frames(tally.framesSent, tally.readingsSent)}`,
    `  acked        ${frames(tally.framesAcked, tally.readingsAcked)}${durWords(tally.dur)}`,
    `  unacked      ${plural(view.unacked, 'frame')}`,
    `  ack latency  p50 ${ack(0.5)}, p99 ${ack(0.99)}`,
    `  blocked      ${durationOf(view.blockedMs)} without credit, summed over the devices${whyWords(tally.why)}`,
    `  reconnects   ${countOf(tally.reconnects)}`,
  ];
  return [...lines, ...troubles(view).map((line) => `  ${line}`)].join('\n');
}

const durWords = (dur: number | null): string =>
  dur === null ? '' : ` (${DUR_WORDS[Math.min(2, dur)]})`;

/** What should not have happened, if it has. */
function troubles({ tally, skipped, stopped, unacked }: FleetView): string[] {
  const { framesRejected, readingsLost, framesLost } = tally;
  return [
    unacked > 0 ? `${plural(unacked, 'frame')} not acked: the gateway may not have them` : '',
    framesRejected > 0 ? `${plural(framesRejected, 'frame')} refused by the gateway` : '',
    readingsLost > 0
      ? `${plural(readingsLost, 'reading')} dropped here and declared lost (${plural(framesLost, 'frame')})`
      : '',
    skipped > 0 ? `${plural(skipped, 'reading')} not made: this process could not keep up` : '',
    stopped > 0 ? `${plural(stopped, 'device')} stopped: see above` : '',
  ].filter((line) => line !== '');
}
