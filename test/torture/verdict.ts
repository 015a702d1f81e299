import type { Content } from './content.ts';
import { isNewer, type ReadFrame } from './record.ts';

interface Sent extends Content {
  readonly device: string;
  readonly ep: number;
  readonly c: number;
  readonly n: number;
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

/** What came of comparing journals with what readers get. */
export interface Verdict {
  /** Frames that were sent and acknowledged. */
  readonly acked: number;
  /** Frames that readers get, acknowledged or not. */
  readonly emitted: number;
  /** Acknowledged frames that readers do not get. */
  readonly missing: readonly string[];
  /** Frames that readers get twice, out of order, with other content, or though nobody sent them. */
  readonly wrong: readonly string[];
}

/** Frames that readers get, and how to read them. */
export interface Emitted {
  readonly frames: readonly ReadFrame[];
  contentOf(frame: ReadFrame): Content;
}

const nameOf = (device: string, lane: number, epoch: number, n: number): string =>
  `${device} lane ${lane} ep ${epoch} n ${n}`;

/**
 * Compares what fleets of devices wrote down with what readers get: every frame at or below an ack
 * exactly once, per device and lane in the order of (epoch, n), with the times and values sent; and
 * nothing that was not sent.
 */
export function verdictOf(journals: readonly string[], emitted: Emitted): Verdict {
  const { sent, acks } = readJournals(journals);
  const wrong: string[] = [];
  const seen = new Set<string>();
  const newest = new Map<string, ReadFrame>();
  for (const frame of emitted.frames) {
    const { device, head } = frame;
    const name = nameOf(device, head.lane, head.epoch, head.n);
    const lane = `${device} ${head.lane}`;
    const before = newest.get(lane);
    if (seen.has(name)) wrong.push(`${name}: twice`);
    else if (before && !isNewer(head, before.head)) wrong.push(`${name}: out of order`);
    newest.set(lane, frame);
    seen.add(name);
    const original = sent.get(name);
    if (!original) wrong.push(`${name}: nobody sent it`);
    else if (!isSame(original, emitted.contentOf(frame))) wrong.push(`${name}: other content`);
  }
  let acked = 0;
  const missing: string[] = [];
  for (const [name, { device, c, ep, n }] of sent) {
    if (n > (acks.get(nameOf(device, c, ep, 0)) ?? 0)) continue;
    acked += 1;
    if (!seen.has(name)) missing.push(name);
  }
  return { acked, emitted: emitted.frames.length, missing, wrong };
}

function readJournals(journals: readonly string[]): {
  sent: ReadonlyMap<string, Sent>;
  acks: ReadonlyMap<string, number>;
} {
  const sent = new Map<string, Sent>();
  const acks = new Map<string, number>();
  for (const line of journals.flatMap((journal) => journal.split('\n'))) {
    if (line === '') continue;
    const entry = JSON.parse(line) as JournalLine;
    if (entry.sent) {
      const { device, c, ep, n } = entry.sent;
      sent.set(nameOf(device, c, ep, n), entry.sent);
    }
    if (!entry.acked) continue;
    const { device, c, ep, ack } = entry.acked;
    const lane = nameOf(device, c, ep, 0);
    acks.set(lane, Math.max(ack, acks.get(lane) ?? 0));
  }
  return { sent, acks };
}

const isSame = (one: Content, other: Content): boolean =>
  areEqual(one.t, other.t) &&
  one.v.length === other.v.length &&
  one.v.every((column, i) => areEqual(column, other.v[i] ?? []));

const areEqual = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((value, i) => Object.is(value, b[i]));
