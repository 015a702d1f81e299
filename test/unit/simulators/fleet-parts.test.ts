import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { Journal } from '../../../simulators/journal.ts';
import { Latency } from '../../../simulators/latency.ts';
import { Notices } from '../../../simulators/notices.ts';
import { wordsOf } from '../../../simulators/words.ts';
import type { RingFrame } from '../../../src/client/ring-frame.ts';
import type { DeviceBlock } from '../../../src/wire/messages.ts';

describe('latency', () => {
  test('quantiles are within 2 %, by nearest rank', () => {
    const latency = new Latency();
    expect(latency.quantile(0.5)).toBeNull();
    for (let ms = 1; ms <= 1000; ms += 1) latency.record(ms);
    for (const [q, ms] of [
      [0.5, 500],
      [0.99, 990],
      [0.001, 1],
      [1, 1000],
    ] as const) {
      expect(Math.abs((latency.quantile(q) as number) / ms - 1)).toBeLessThan(0.02);
    }
  });

  test('nothing is too short or too long', () => {
    const latency = new Latency();
    latency.record(0);
    latency.record(1e12);
    expect(latency.quantile(0.5)).toBeLessThan(0.02);
    expect(latency.quantile(1)).toBeGreaterThan(1e6);
  });
});

describe('notices', () => {
  test('the same sentence of many devices is one line, and one every 5 s', () => {
    const said: string[] = [];
    const notices = new Notices((line) => said.push(line));
    notices.add('a', 'gone');
    notices.flush(0);
    notices.add('b', 'gone');
    notices.add('c', 'back');
    expect(said).toEqual([]);
    notices.flush(150);
    notices.flush(300);
    expect(said).toEqual(['2 devices: gone', 'c: back']);
    notices.add('a', 'gone');
    notices.flush(5000);
    expect(said).toHaveLength(2);
    notices.flush(5150);
    expect(said.at(-1)).toBe('a: gone');
    notices.add('z', 'last');
    notices.end();
    expect(said.at(-1)).toBe('z: last');
  });

  test('a server that makes up ever new sentences does not fill the memory', () => {
    const said: string[] = [];
    const notices = new Notices((line) => said.push(line));
    for (let i = 0; i < 1000; i += 1) notices.add('a', `sentence ${i}`);
    notices.end();
    expect(said).toHaveLength(64);
  });
});

describe('words', () => {
  test.each([
    [{ code: 0, status: 503, message: 'full' }, 'the server answered HTTP 503 (full)'],
    [{ code: 0, status: 0, message: 'connection refused' }, 'connection refused'],
    [{ code: 1006, status: 0, message: '' }, 'the connection broke off'],
    [{ code: 4006, status: 0, message: '' }, 'the server sent 4006 credit-exceeded: '],
    [{ code: 4999, status: 0, message: 'why' }, 'the server sent 4999 (why)'],
  ])('%j', (ending, words) => {
    expect(wordsOf(ending)).toContain(words);
  });
});

describe('journal', () => {
  const directory = mkdtempSync(join(tmpdir(), 'tidegate-journal-'));
  afterAll(() => rmSync(directory, { recursive: true }));

  const sets = [{ s: 1, lane: 1, cols: [['x', 'm', 0.5, 1] as const, ['y'] as const] }];
  const setOf = (s: number) => sets.find((set) => set.s === s);
  const frameOf = (source: readonly DeviceBlock[]): RingFrame => ({
    blocks: new Uint8Array(),
    sets: [1],
    readings: 4,
    source,
    lane: 1,
    n: 3,
    lost: 0,
    thinning: 1,
    transmissions: 1,
    sentAtMs: 0,
  });
  const acked = (ack: number) =>
    ({ kind: 'acked', lane: 1, epoch: 9, ack, dur: 1, freed: [] }) as const;

  test('sent once with physical values, acked when it moves, all of it bit for bit', () => {
    const path = join(directory, 'journal.ndjson');
    const journal = new Journal(path);
    const frame = frameOf([
      { s: 1, t: 100, dt: 10, v: [Int16Array.of(3, -2), [0.1, null]] },
      { s: 1, t: 90, v: [-2, Float64Array.of(0.1)] },
    ]);
    const sent = { kind: 'sendFrame', bytes: new Uint8Array(), frame, epoch: 9 } as const;
    journal.note('a/b', setOf, acked(0));
    journal.note('a/b', setOf, { ...sent, isFirst: true });
    journal.note('a/b', setOf, { ...sent, isFirst: false });
    journal.note('a/b', setOf, acked(0));
    journal.note('a/b', setOf, acked(3));
    journal.close();
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { acked: { device: 'a/b', ep: 9, c: 1, ack: 0, dur: 1 } },
      {
        sent: {
          device: 'a/b',
          ep: 9,
          c: 1,
          n: 3,
          t: [100, 110, 90],
          v: [
            [2.5, 0, 0],
            [0.1, null, 0.1],
          ],
        },
      },
      { acked: { device: 'a/b', ep: 9, c: 1, ack: 3, dur: 1 } },
    ]);
  });
});
