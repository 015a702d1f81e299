import { expect } from 'vitest';
import type { DeviceBlock } from '../../src/wire/messages.ts';
import { DeviceBench, START_US } from '../support/device-bench.ts';
import { CLIENT, rule } from './rule.ts';
import { reconnect, welcomeWith } from './scenes.ts';

/** §1, §5.3, §6 and §9.2 where they bind the client: its frames. */

/** The blocks of the frames that went out, as text, by `lane:n`. */
const contentOf = (bench: DeviceBench): Map<string, Set<string>> => {
  const content = new Map<string, Set<string>>();
  for (const message of bench.sent) {
    if (message.k !== 'data') continue;
    const name = `${message.c}:${message.n}`;
    content.set(name, (content.get(name) ?? new Set()).add(JSON.stringify(message.b)));
  }
  return content;
};

rule('R1-3 R5.3-6', 'every transmission of one identity carries equal blocks', CLIENT, () => {
  const bench = new DeviceBench();
  bench.welcome({});
  for (let rows = 1; rows <= 6; rows += 1) bench.form(1, rows);
  reconnect(bench);
  welcomeWith(bench, [
    [0, 0, 4096],
    [1, 2, 100_000],
  ]);
  reconnect(bench);
  welcomeWith(bench, [
    [0, 0, 4096],
    [1, 3, 100_000],
  ]);
  const content = contentOf(bench);
  expect(content.size).toBe(6);
  for (const [name, blocks] of content) expect(blocks.size, name).toBe(1);
});

rule(
  'R5.3-1 R5.3-2',
  'critical frames are sent at once, others as credit and mf allow',
  CLIENT,
  () => {
    const bench = new DeviceBench();
    bench.welcome({ lim: 0 });
    bench.flow(0, 99_999, 0);
    expect(bench.form(0)).toEqual(['def 0:1', 'data 0:1']);
    expect(bench.form(1)).toEqual([]);
    expect(bench.flow(0, 99_999)).toContain('data 1:1');
    expect(bench.says({ k: 'flow', f: [], ln: 400 })).toEqual(['terms why=0 ln=400']);
  },
);

rule('R5.3-5', 'what is formed after 2 s without a session goes on lane 2', CLIENT, () => {
  for (const codec of ['cbor', 'json'] as const) {
    const bench = new DeviceBench({ codec, lanes: [0, 1, 2] });
    bench.welcome({ lanes: [0, 1, 2] });
    bench.closes(1006);
    bench.wait(500);
    bench.form();
    bench.wait(2000);
    expect(bench.form()).toEqual(['moved 1:1 to 2:1']);
    bench.welcome({ lanes: [0, 1, 2] });
    expect(bench.form()).toContain('data 1:2 lost=1');
    const lines = bench.flow(0, 9999, 2);
    expect(lines.map((line) => line.slice(0, 8))).toEqual(['def 2:3', 'data 2:1', 'data 2:2']);
  }
});

rule(
  'R5.3-3',
  'no frame longer than mf: §1 before welcome, the granted one after, longer ones dropped and lost',
  CLIENT,
  () => {
    for (const codec of ['cbor', 'json'] as const) {
      const bench = new DeviceBench({ codec });
      const wide: DeviceBlock = { s: 2, t: START_US, dt: 1, v: [new Float64Array(2000).fill(1.1)] };
      bench.step({ kind: 'form', lane: 1, blocks: [wide] });
      bench.form(1);
      bench.step({ kind: 'tick' });
      bench.step({ kind: 'opened' });
      const lines = welcomeWith(
        bench,
        [
          [0, 0, 4096],
          [1, 0, 999_999],
        ],
        3000,
      );
      const count = lines.filter((line) => line.includes('too long')).length;
      expect(count).toBeGreaterThan(0);
      expect(lines.filter((line) => line.startsWith('data'))).toEqual([
        `data 1:${count + 1} lost=${count}`,
      ]);
      bench.step({ kind: 'form', lane: 1, blocks: [wide] });
      const lengths =
        bench.session.ring
          .lane(1)
          ?.all()
          .map((frame) => frame.blocks.length) ?? [];
      expect(lengths.length).toBeGreaterThan(2);
      expect(Math.max(...lengths)).toBeLessThan(3000);
    }
  },
);

rule(
  'R5.3-6 R5.3-7',
  'what was ever sent is never dropped for room; what was not may be, and is lost',
  CLIENT,
  () => {
    const bench = new DeviceBench({ ringBytesMax: 500 });
    bench.welcome({ lim: 250 });
    const lines = Array.from({ length: 8 }, () => bench.form()).flat();
    const dropped = lines
      .filter((line) => line.startsWith('dropped'))
      .map((line) => line.split(' ')[1]);
    expect(dropped.length).toBeGreaterThan(0);
    const sent = lines.filter((line) => line.startsWith('data')).map((line) => line.split(' ')[1]);
    expect(sent.length).toBeGreaterThan(0);
    expect(dropped.filter((name) => sent.includes(name))).toEqual([]);
    const [next] = bench.flow(0, 99_999).filter((line) => line.startsWith('data'));
    expect(next).toContain(`lost=${dropped.length}`);
  },
);

rule(
  'R6.1-1',
  'numbers per epoch and lane from 1, +1 per frame formed, never reset',
  CLIENT,
  () => {
    const bench = new DeviceBench();
    const numbers = (): string[] =>
      bench.sent.flatMap((message) => (message.k === 'data' ? [`${message.c}:${message.n}`] : []));
    bench.welcome({});
    bench.form(0);
    bench.form(1);
    bench.form(1);
    reconnect(bench);
    welcomeWith(bench, [
      [0, 1, 4096],
      [1, 2, 99_999],
    ]);
    bench.form(1);
    bench.form(0);
    expect(numbers()).toEqual(['0:1', '1:1', '1:2', '1:3', '0:2']);
  },
);

rule(
  'R6.1-2 R6.1-3',
  "a dropped frame's successor declares it and what it declared; without one, the next formed",
  CLIENT,
  () => {
    const bench = new DeviceBench();
    bench.welcome({});
    for (let i = 0; i < 4; i += 1) bench.form();
    bench.says({ k: 'away', c: 1, n: 2, e: 4000 });
    bench.run(60_000);
    bench.welcome({});
    expect(bench.sent.at(-2)).toMatchObject({ k: 'data', n: 3, lost: 1 });
    bench.says({ k: 'away', c: 1, n: 3, e: 4000 });
    bench.run(60_000);
    bench.welcome({});
    expect(bench.sent.at(-1)).toMatchObject({ k: 'data', n: 4, lost: 2 });
    bench.says({ k: 'away', c: 1, n: 4, e: 4000 });
    bench.run(60_000);
    bench.welcome({});
    bench.form();
    expect(bench.sent.at(-1)).toMatchObject({ k: 'data', n: 5, lost: 3 });
  },
);

rule('R6.3-2', 'frames ≤ ack may be freed, the others are retained', CLIENT, () => {
  const bench = new DeviceBench();
  bench.welcome({});
  for (let i = 0; i < 4; i += 1) bench.form();
  expect(bench.flow(2, 99_999)).toEqual(['acked 1: 1 2']);
  bench.flow(1, 99_999);
  expect(
    bench.session.ring
      .lane(1)
      ?.all()
      .map(({ n }) => n),
  ).toEqual([3, 4]);
});

rule('R6.5-4', 'a refused frame is not sent again', CLIENT, () => {
  const bench = new DeviceBench();
  bench.welcome({});
  for (let i = 0; i < 3; i += 1) bench.form();
  expect(bench.says({ k: 'reject', c: 1, n: 2, e: 4021 })).toEqual(['rejected 1:2 4021']);
  reconnect(bench);
  const lines = welcomeWith(bench, [
    [0, 0, 4096],
    [1, 0, 99_999],
  ]);
  expect(lines.filter((line) => line.startsWith('data')).map((line) => line.slice(0, 8))).toEqual([
    'data 1:1',
    'data 1:3',
  ]);
  expect(bench.form()).toEqual(['data 1:4']);
});

rule('R9.2-8', 'a device with nothing more to say tells its watermarks by ping', CLIENT, () => {
  const bench = new DeviceBench();
  bench.welcome({});
  bench.form();
  const lines = bench.step({ kind: 'finish', watermarks: [[1, START_US + 5]] });
  expect(lines).toEqual([`ping wm=1:${START_US + 5}`]);
});

rule('R13-4', 'a client that is done closes with 1000', CLIENT, () => {
  const bench = new DeviceBench();
  bench.welcome({});
  bench.form();
  bench.step({ kind: 'finish', watermarks: [] });
  expect(bench.flow(1, 99_999)).toEqual(['acked 1: 1', 'close 1000', 'finished']);
});
