import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LOG, type LogRecord, RECORD } from '../../src/model/record.ts';
import { decodeCbor } from '../../src/wire/decode.ts';
import type { DeviceBlock } from '../../src/wire/messages.ts';
import { emptyHeader, type RecordHeader, readHeader } from '../../src/wire/record-header.ts';
import { type Outage, OutageWorld } from '../support/outage-world.ts';
import { resultsOf } from '../support/virtual-node.ts';
import {
  differences,
  mergedOf,
  type ResultLine,
  revisionsOf,
  upTo,
  windowsOf,
} from '../support/window-figures.ts';

const TOPIC = 'plant/oven/x';
/** Room for every outage that is drawn. */
const LARGE_RING = 1_000_000;

/** A frame in the log: its header and the one sample that it holds. */
interface Landed {
  readonly header: RecordHeader;
  readonly t: number;
  readonly v: number;
}

function landedIn(records: readonly LogRecord[]): Landed[] {
  return records.flatMap(({ log, tg, value }) => {
    const header = emptyHeader();
    if (log !== LOG.readings || !readHeader(tg, header) || header.kind !== RECORD.frame) return [];
    const decoded = decodeCbor(value, 'client');
    if ('breach' in decoded || decoded.message.k !== 'data') throw new Error('a damaged record');
    const block = decoded.message.b[0] as DeviceBlock;
    return [{ header, t: block.t, v: (block.v[0] as Float64Array)[0] as number }];
  });
}

/** What the client said became of its samples. */
function toldBy({ events }: OutageWorld): Record<'moved' | 'dropped' | 'unnumbered', number> {
  const told = { moved: 0, dropped: 0, unnumbered: 0 };
  for (const event of events) {
    if (event.kind === 'moved') told.moved += 1;
    else if (event.kind === 'dropped') told[event.frame ? 'dropped' : 'unnumbered'] += 1;
  }
  return told;
}

/** Lanes 1 and 2: the holes that no record has told yet, because none of the lane followed them. */
const untold = ({ device }: OutageWorld): number =>
  device.image.lanes.reduce((sum, { lostNext }) => sum + lostNext, 0);

function judge(world: OutageWorld): void {
  const { disk, gateway } = world.node;
  const landed = landedIn(disk.records);
  const samples = Array.from({ length: world.samples }, (_, k) => k);
  const seen = new Map(landed.map(({ t, v }) => [t, v]));
  expect(seen.size).toBe(landed.length);
  const logged = samples.filter((k) => seen.get(world.timeUs(k)) === world.valueOf(k));
  expect(logged.length).toBe(landed.length);
  // Every sample is in the log once, or was told as dropped; every number that is not used is lost.
  const { moved, dropped, unnumbered } = toldBy(world);
  expect({ missing: world.samples - logged.length, unnumbered }).toEqual({
    missing: dropped,
    unnumbered: 0,
  });
  const lost = landed.reduce((sum, { header }) => sum + header.lost, 0);
  expect(lost + untold(world)).toBe(moved + dropped);
  expect(gateway.ingest.ledger.lost.reduce((a, b) => a + b)).toBe(lost);
  expect(landed.some(({ header }) => header.uncertain)).toBe(false);
  expect(new Set(landed.map(({ header }) => header.epoch)).size).toBe(1);
  // The windows are those of what is in the log, whatever came live and whatever came later.
  const rows = landed.map(({ t, v }) => ({ topic: TOPIC, t, v }));
  const revisions = revisionsOf(resultsOf(disk) as ResultLine[]);
  const endUs = world.timeUs(world.samples - 1);
  const wanted = upTo(windowsOf(rows), endUs);
  expect(differences(upTo(mergedOf(revisions), endUs), wanted)).toEqual([]);
  expect(gateway.aggregation.counters).toMatchObject({ aggregated: rows.length, late: 0 });
}

const outage: fc.Arbitrary<Outage> = fc.record({
  afterMs: fc.integer({ min: 0, max: 20_000 }),
  awayMs: fc.integer({ min: 1, max: 90_000 }),
  isSilent: fc.boolean(),
});
const options = fc.record({
  everyMs: fc.constantFrom(40, 100, 250, 1000),
  ringBytes: fc.oneof(fc.constant(LARGE_RING), fc.integer({ min: 300, max: 30_000 })),
  logMs: fc.constantFrom(5, 30, 200),
  seed: fc.integer(),
});
const outages = fc.array(outage, { minLength: 1, maxLength: 3 });

/** The same dice for the same history. */
function diceOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

test('whatever outages come, all is home or declared, and windows are those of the log', () => {
  const property = fc.property(options, outages, ({ seed, ...rest }, history) => {
    const world = new OutageWorld({ ...rest, random: diceOf(seed) });
    world.run(history);
    judge(world);
    if (rest.ringBytes === LARGE_RING) expect(toldBy(world).dropped).toBe(0);
  });
  fc.assert(property, { numRuns: 30 });
});
