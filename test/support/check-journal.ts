import { readFileSync } from 'node:fs';
import { filtered, type LogLine, linesOf } from './read-log.ts';

interface Sent {
  readonly device: string;
  readonly ep: number;
  readonly c: number;
  readonly n: number;
  readonly t: readonly number[];
  readonly v: readonly (readonly (number | null)[])[];
}

interface JournalLine {
  readonly sent?: Sent;
  readonly acked?: {
    readonly device: string;
    readonly ep: number;
    readonly c: number;
    readonly ack: number;
  };
}

/** What came of comparing a journal with a log. */
export interface JournalVerdict {
  readonly acked: number;
  /** Acknowledged frames that readers would not get. */
  readonly missing: readonly string[];
  /** Frames that readers would get twice, out of order, or with other content. */
  readonly wrong: readonly string[];
}

const nameOf = (device: string, lane: number, ep: number, n: number): string =>
  `${device} lane ${lane} ep ${ep} n ${n}`;

/** Frames as a reader gives them out, in its order: those of a log are `filtered`. */
export type EmittedFrame = Pick<LogLine, 'device' | 'lane' | 'ep' | 'n' | 'blocks'>;

/**
 * Compares what a fleet of devices wrote down with a log: reads nothing but the journal and
 * `tail --json --all`.
 */
export const checkJournal = (journal: string, log: readonly LogLine[]): JournalVerdict =>
  checkEmitted(journal, filtered(log));

/**
 * Compares what a fleet of devices wrote down with what a reader gave out: every frame at or below
 * an ack exactly once, in the order in which it was first sent, with the values sent.
 */
export function checkEmitted(journal: string, emitted: readonly EmittedFrame[]): JournalVerdict {
  const sent: Sent[] = [];
  const acks = new Map<string, number>();
  for (const line of linesOf<JournalLine>(journal)) {
    if (line.sent) sent.push(line.sent);
    if (!line.acked) continue;
    const { device, c, ep, ack } = line.acked;
    const lane = nameOf(device, c, ep, 0);
    acks.set(lane, Math.max(ack, acks.get(lane) ?? 0));
  }
  const seen = new Map<string, EmittedFrame>();
  const wrong: string[] = [];
  const last = new Map<string, EmittedFrame>();
  for (const line of emitted) {
    const name = nameOf(line.device, line.lane, line.ep, line.n);
    const lane = `${line.device} ${line.lane}`;
    const before = last.get(lane);
    if (seen.has(name)) wrong.push(`${name}: twice`);
    if (before && (line.ep < before.ep || (line.ep === before.ep && line.n <= before.n))) {
      wrong.push(`${name}: out of order`);
    }
    last.set(lane, line);
    seen.set(name, line);
  }
  const missing: string[] = [];
  let acked = 0;
  for (const frame of sent) {
    const name = nameOf(frame.device, frame.c, frame.ep, frame.n);
    const line = seen.get(name);
    if (line && !isSame(frame, line)) wrong.push(`${name}: other content`);
    if (frame.n > (acks.get(nameOf(frame.device, frame.c, frame.ep, 0)) ?? 0)) continue;
    acked += 1;
    if (!line) missing.push(name);
  }
  return { acked, missing, wrong };
}

function isSame({ t, v }: Sent, { blocks }: EmittedFrame): boolean {
  const times = blocks.flatMap((block) => block.t);
  const columns = v.map((_, i) => blocks.flatMap(({ cols }) => cols[i]?.v ?? []));
  return equal(t, times) && v.every((column, i) => equal(column, columns[i] ?? []));
}

const equal = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((value, i) => Object.is(value, b[i]));

if (import.meta.main) {
  const [journal = '', ...logs] = process.argv.slice(2);
  const lines = logs.flatMap((file) => linesOf<LogLine>(readFileSync(file, 'utf8')));
  const { acked, missing, wrong } = checkJournal(readFileSync(journal, 'utf8'), lines);
  for (const sentence of [...missing.map((name) => `${name}: missing`), ...wrong].slice(0, 20)) {
    process.stdout.write(`${sentence}\n`);
  }
  process.stdout.write(`${acked} frames acked, ${missing.length} missing, ${wrong.length} wrong\n`);
  process.exitCode = missing.length + wrong.length === 0 ? 0 : 1;
}
