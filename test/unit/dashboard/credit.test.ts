import { describe, expect, test } from 'vitest';

const page = new URL('../../../src/dashboard/', import.meta.url);
const { creditFiguresOf } = await import(new URL('credit.js', page).href);
const { pressureOf, LADDER } = await import(new URL('standing.js', page).href);

const MIB = 1024 * 1024;
const NOBODY = { alarms: 0, live: 0, backfill: 0, quota: 0 };

/** So many acks within 100 ms, and so many of half a second. */
const acks = (quick: number, slow: number) => ({
  bounds: [100, 490, 510],
  counts: [quick, 0, slow],
});

/** What the node tells at second `s` when it is calm, but for what is different. */
const sample = (s: number, { credit = {}, ...more }: Sample = {}) => ({
  atMs: 5000 + s * 1000,
  rung: 0,
  reasons: [],
  ackMs: acks(s, 0),
  frames: { inFlight: 3, settled: { durable: 100 * s, duplicate: 0 } },
  ...more,
  credit: {
    drainBytesPerSecond: 2 * MIB,
    targetS: 0.15,
    delayS: 0.012,
    queuedBytes: 24_576,
    comingBytes: 49_152,
    inPlayMostBytes: 98_304,
    poolUsedBytes: 3 * MIB,
    poolSizeBytes: 48 * MIB,
    waiting: NOBODY,
    granted: { alarms: 0, live: 1000 * s, backfill: 0 },
    ...credit,
  },
});
interface Sample {
  readonly credit?: object;
  readonly rung?: number;
  readonly reasons?: readonly string[];
  readonly frames?: object;
  readonly ackMs?: object;
}

const run = (...looks: readonly Sample[]) => looks.map((look, s) => sample(s, look));
const waits = (waiting: object): Sample => ({ credit: { waiting: { ...NOBODY, ...waiting } } });

/** Figures by their label, as they are written. */
const told = (samples: object[]) =>
  Object.fromEntries(
    creditFiguresOf(samples).map((figure: Figure) => [figure.label, [figure.text, figure.note]]),
  );
interface Figure {
  readonly label: string;
  readonly text: string;
  readonly note: string;
  readonly title: string;
  readonly look?: string;
  readonly meter?: { readonly parts: readonly number[]; readonly mark?: number };
}

describe('the figures of credit', () => {
  test('are those of the newest sample, with units', () => {
    const busy = waits({ live: 40, quota: 2, backfill: 12_345 });
    expect(told(run({}, {}, busy))).toEqual({
      Waiting: ['12.4k', '40 log · 2 quota · 12.3k backfill'],
      'Log takes': ['2.0 MiB/s', 'when it is busy'],
      Delay: ['12 ms', 'target 150 ms'],
      Queue: ['24.0 KiB', 'of 96.0 KiB'],
      Pool: ['6.3 %', 'of 48.0 MiB'],
      Backfill: ['0 %', 'of credit given'],
    });
  });

  test('of a calm node tell that nobody waits', () => {
    expect(told(run({}, {}))['Waiting']).toEqual(['0', 'nobody']);
  });

  test('give the part of backfill in what was granted meanwhile, not since the start', () => {
    const granted = (alarms: number, live: number, backfill: number) => ({
      credit: { granted: { alarms, live, backfill } },
    });
    const samples = run(granted(0, 1e9, 0), granted(500, 1e9 + 97_500, 2000));
    expect(told(samples)['Backfill']).toEqual(['2.0 %', 'of credit given']);
    expect(told(samples.slice(1))['Backfill']?.[0]).toBe('–');
  });

  test('show the queue and what is coming as parts of the most there may be', () => {
    const queue = creditFiguresOf(run({})).find(({ label }: Figure) => label === 'Queue');
    expect(queue.meter.parts).toEqual([0.25, 0.5]);
  });

  test.each([
    ['Delay', { delayS: 0.29 }, 'calm'],
    ['Delay', { delayS: 0.31 }, 'hold'],
    ['Pool', { poolUsedBytes: 24 * MIB }, 'calm'],
    ['Pool', { poolUsedBytes: 25 * MIB }, 'hold'],
    ['Waiting', { waiting: { ...NOBODY, backfill: 9 } }, 'calm'],
    ['Waiting', { waiting: { ...NOBODY, quota: 1 } }, 'hold'],
  ])('%s of %o looks %s', (label, credit, look) => {
    const figures: readonly Figure[] = creditFiguresOf(run({ credit }));
    expect(figures.find((figure) => figure.label === label)?.look).toBe(look);
  });

  test('are dashes without a sample, and explained in any case', () => {
    const figures: readonly Figure[] = creditFiguresOf([]);
    expect(figures.map(({ text }) => text)).toEqual(['–', '–', '–', '–', '–', '–']);
    for (const { title } of figures) expect(title.length).toBeGreaterThan(60);
  });
});

describe('how the gateway stands', () => {
  const held = waits({ live: 40 });

  test.each<[string, readonly Sample[], string, string]>([
    ['nobody waits', [{}, {}, {}], 'Calm', 'calm'],
    ['somebody waited at one look', [{}, held, {}, {}, {}], 'Calm', 'calm'],
    ['at two', [{}, held, held], 'Holding back', 'hold'],
    ['at two of five', [held, {}, {}, {}, held], 'Holding back', 'hold'],
    ['four looks ago and before', [held, held, {}, {}, {}, {}], 'Calm', 'calm'],
    ['quotas are used up', [waits({ quota: 1 }), waits({ quota: 1 })], 'Holding back', 'hold'],
    ['alarms wait', [waits({ alarms: 1 }), waits({ alarms: 1, live: 9 })], 'Alarms wait', 'bad'],
    ['stored readings', [waits({ backfill: 7 }), waits({ backfill: 7 })], 'Catching up', 'watch'],
    ['half of the acks are late', [{}, { ackMs: acks(2, 3) }], 'Log slow', 'hold'],
    ['a few of them are', [{}, { ackMs: acks(3, 2) }], 'Calm', 'calm'],
    ['rung 1', [held, held, { rung: 1 }], 'Behind', 'hold'],
    ['rung 2', [{ rung: 2 }], 'Short of memory', 'hold'],
    ['rung 3', [{ rung: 3 }], 'Full', 'bad'],
    ['rung 4', [{ rung: 4, reasons: ['no space'] }], 'Log down', 'bad'],
    ['not ready', [{ reasons: ['the log is being read'] }], 'Not ready', 'bad'],
    ['no answer', [], 'No figures', 'bad'],
  ])('%s', (_what, looks, name, look) => {
    expect(pressureOf(run(...looks))).toMatchObject({ name, look });
  });

  test('tells the reason of the node itself', () => {
    const reasons = ['no space left on the disk'];
    const { why, rung } = pressureOf(run({ rung: 4, reasons }));
    expect([why, rung]).toEqual(['Devices keep what they have: no space left on the disk.', 4]);
  });

  test('a log that finishes nothing for five seconds is stalled, an idle one is not', () => {
    const stuck = { frames: { inFlight: 9, settled: { durable: 500, duplicate: 2 } } };
    const idle = { frames: { inFlight: 0, settled: { durable: 500, duplicate: 2 } } };
    const of = (look: Sample, times: number) => pressureOf(run(...Array(times).fill(look))).name;
    expect([of(stuck, 5), of(stuck, 6), of(idle, 6)]).toEqual(['Calm', 'Log stalled', 'Calm']);
    expect(pressureOf(run(...Array(5).fill(stuck), {})).name).toBe('Calm');
  });

  test('a step of the ladder is explained each', () => {
    expect(LADDER.map((step: string) => step.slice(0, 2))).toEqual(['0:', '1:', '2:', '3:', '4:']);
  });
});
