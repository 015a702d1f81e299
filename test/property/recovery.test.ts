import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RecordBatch } from '../../src/model/batch.ts';
import { LOG, type LogKind, type LogRecord, RECORD } from '../../src/model/record.ts';
import { emptyHeader, readHeader } from '../../src/wire/record-header.ts';
import { type Disk, emptyDisk, VirtualNode, writeTo } from '../support/virtual-node.ts';

/** What becomes of an append. */
type Outcome =
  /** Lands and says so. */
  | 'ok'
  /** Never lands, and fails. */
  | 'lost'
  /** Lands, and fails. */
  | 'hidden'
  /** Fails, and lands some appends later. */
  | 'late';

const outcome: fc.Arbitrary<Outcome> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Outcome>('ok') },
  { weight: 1, arbitrary: fc.constant<Outcome>('lost') },
  { weight: 1, arbitrary: fc.constant<Outcome>('hidden') },
  { weight: 1, arbitrary: fc.constant<Outcome>('late') },
);

const DEVICES = ['a', 'b', 'c', 'd', 'e'];

/** A copy that lands whatever becomes of the batch meanwhile. */
interface Late {
  readonly log: LogKind;
  readonly disk: Disk;
  wait: number;
}

/** A log that answers like a cluster in bad weather: what it says and what it did are two things. */
class Weather {
  readonly disk: Disk;
  readonly #late: Late[] = [];

  constructor(disk: Disk) {
    this.disk = disk;
  }

  /** Decides one append in flight; false if there is none. */
  strike(node: VirtualNode, what: Outcome): boolean {
    for (const late of this.#late) late.wait -= 1;
    this.#landLate((late) => late.wait <= 0);
    node.readGaps();
    const flight = node.flights.shift();
    if (!flight) return false;
    const { log, batch } = flight;
    if (what === 'ok') {
      node.step({ kind: 'appended', log, offsets: writeTo(this.disk, log, batch) });
      return true;
    }
    if (what === 'hidden') writeTo(this.disk, log, batch);
    if (what === 'late') {
      const copy = copyOf(log, batch);
      // Definitions are durable before the rows are sent at all.
      this.disk.schemas.push(...copy.schemas);
      this.#late.push({ log, disk: copy, wait: 5 });
    }
    node.step({ kind: 'failed', log, reason: what });
    return true;
  }

  /** Everything late lands now. */
  settle(): void {
    this.#landLate(() => true);
  }

  #landLate(isDue: (late: Late) => boolean): void {
    for (const late of this.#late.splice(0)) {
      if (isDue(late)) for (const record of late.disk.records) land(this.disk, record);
      else this.#late.push(late);
    }
  }
}

function copyOf(log: LogKind, batch: RecordBatch): Disk {
  const disk = emptyDisk();
  writeTo(disk, log, batch);
  return disk;
}

function land(disk: Disk, record: LogRecord): void {
  const offset = disk.records.filter(
    ({ log, shard }) => log === record.log && shard === record.shard,
  ).length;
  disk.records.push({ ...record, offset });
}

/** (ep, n) of the frames of each device that the filter of PROTOCOL §6.6 lets through. */
function filteredFrames(disk: Disk): Map<string, number[]> {
  const owners = new Map<string, string>();
  const gens = new Map<string, number>();
  const frames = new Map<string, number[]>();
  for (const { log, shard, key, tg } of disk.records) {
    if (log !== LOG.readings) continue;
    const header = emptyHeader();
    expect(readHeader(tg, header)).toBe(true);
    const place = `${shard}`;
    const owner = `${header.gen} ${[...header.own].join()}`;
    if (header.kind === RECORD.fence) {
      if (header.gen <= (gens.get(place) ?? 0)) continue;
      gens.set(place, header.gen);
      owners.set(place, owner);
    } else if (owners.get(place) === owner && header.kind === RECORD.frame) {
      const device = new TextDecoder().decode(key);
      const list = frames.get(device) ?? [];
      if (header.n > (list.at(-1) ?? 0)) frames.set(device, [...list, header.n]);
    }
  }
  return frames;
}

test('whatever becomes of appends, everything acknowledged is read exactly once, in order', () => {
  fc.assert(
    fc.property(
      fc.array(outcome, { minLength: 20, maxLength: 120 }),
      fc.array(fc.nat(DEVICES.length - 1), { minLength: 20, maxLength: 120 }),
      (outcomes, senders) => {
        const disk = emptyDisk();
        const weather = new Weather(disk);
        const node = new VirtualNode(disk, { isRecoverable: true }).start();
        const sessions = DEVICES.map((path) => node.publisher(path));
        const sent = DEVICES.map(() => 0);
        node.isPrompt = false;
        outcomes.forEach((what, i) => {
          for (const d of [senders[i % senders.length] ?? 0, i % DEVICES.length]) {
            sent[d] = (sent[d] ?? 0) + 1;
            node.frame(sessions[d] as number, { n: sent[d] as number });
          }
          node.pass(30);
          weather.strike(node, what);
        });
        for (let calm = 0; calm < 50; calm += 1) {
          node.pass(100);
          weather.strike(node, 'ok');
        }
        weather.settle();
        expect(node.broken).toBeNull();
        const frames = filteredFrames(disk);
        DEVICES.forEach((path, d) => {
          const all = Array.from({ length: sent[d] as number }, (_, i) => i + 1);
          expect(node.flow(sessions[d] as number, 1).ack).toBe(sent[d]);
          expect(frames.get(path) ?? []).toEqual(all);
        });
        const live = windowsOf(node);
        const again = new VirtualNode(disk).start();
        expect(windowsOf(again)).toEqual(live);
        expect(node.gateway.ingest.ledger.inFlight).toBe(0);
      },
    ),
    { numRuns: 200 },
  );
});

const windowsOf = (node: VirtualNode): unknown[] =>
  [...node.gateway.aggregation.series()]
    .map(({ topic, windows: [live] }) => [
      topic,
      Array.from({ length: live?.count ?? 0 }, (_, i) => [live?.startAt(i), live?.valueAt(i, 'n')]),
    ])
    .toSorted();
