import { expect } from 'vitest';
import { DeviceBench } from '../support/device-bench.ts';
import { CLIENT, rule } from './rule.ts';

/** §7 and §8 where they bind the client. */

rule('R7-2', 'no frame if sent + cost > lim; exactly lim is sent', CLIENT, () => {
  for (const codec of ['cbor', 'json'] as const) {
    const trial = new DeviceBench({ codec });
    trial.welcome({});
    trial.form();
    const cost = trial.session.ring.lane(1)?.sent ?? 0;
    const bench = new DeviceBench({ codec });
    bench.welcome({ lim: cost - 1 });
    expect(bench.form()).toEqual([]);
    expect(bench.flow(0, cost)).toContain('data 1:1');
    expect(bench.session.ring.lane(1)?.sent).toBe(cost);
  }
});

rule(
  'R7-3 R7-4',
  'a smaller lim is ignored, and so is an entry for a channel it does not have',
  CLIENT,
  () => {
    const bench = new DeviceBench();
    bench.welcome({ lim: 5000 });
    bench.flow(0, 10);
    expect(bench.session.ring.lane(1)?.lim).toBe(5000);
    expect(
      bench.says({
        k: 'flow',
        f: [
          [2, 5, 5],
          [77, 1, 1],
        ],
      }),
    ).toEqual([]);
    expect(bench.form()).toContain('data 1:1');
  },
);

rule(
  'R7-18 R8-7',
  'blocked: ping with bl after 1 s, then once a second and not before the answer',
  CLIENT,
  () => {
    const bench = new DeviceBench();
    bench.welcome({ lim: 0 });
    bench.form();
    expect(bench.run(999)).toEqual([]);
    expect(bench.run(1)).toEqual(['1000: ping bl=1:100']);
    expect(bench.run(5000)).toEqual([]);
    const asked = bench.sent.at(-1);
    const echo = asked?.k === 'ping' ? asked.now : 0;
    expect(bench.says({ k: 'flow', f: [[1, 0, 0]], echo })).toEqual(['ping bl=1:100']);
    const next = bench.sent.at(-1);
    expect(bench.run(400)).toEqual([]);
    bench.says({ k: 'flow', f: [], echo: next?.k === 'ping' ? next.now : 0 });
    expect(bench.run(599)).toEqual([]);
    expect(bench.run(1)).toEqual(['7000: ping bl=1:100']);
  },
);

rule(
  'R7-12 R7-18',
  'lane 2: the backlog at once after welcome, and whenever it leaves 0 without credit',
  CLIENT,
  () => {
    for (const codec of ['cbor', 'json'] as const) {
      const bench = new DeviceBench({ codec, lanes: [0, 1, 2] });
      bench.step({ kind: 'tick' });
      bench.wait(3000);
      bench.form();
      const backlog = bench.session.ring.lane(2)?.backlog ?? 0;
      expect(bench.welcome({ lanes: [0, 1, 2] }).slice(2)).toEqual([`ping bl=2:${backlog}`]);
      expect(bench.flow(0, backlog + 20, 2)).toContain('data 2:1 bl=0');
      bench.wait(2000);
      const late = { kind: 'form', lane: 2, blocks: [{ s: 3, t: 1, v: [1] }] } as const;
      expect(bench.step(late)).toEqual([expect.stringMatching(/^ping bl=2:/)]);
      expect(bench.step(late)).toEqual([]);
    }
  },
);

rule('R7-19', 'the lowest-numbered lane that has a frame and credit goes first', CLIENT, () => {
  const bench = new DeviceBench();
  bench.form(1);
  bench.form(1);
  bench.form(0);
  const lines = bench.welcome({}).filter((line) => line.startsWith('data'));
  expect(lines.map((line) => line.slice(5, 8))).toEqual(['0:1', '1:1', '1:2']);
  const blocked = new DeviceBench();
  blocked.form(0);
  blocked.form(1);
  blocked.step({ kind: 'tick' });
  blocked.step({ kind: 'opened' });
  const said = blocked.says({
    k: 'welcome',
    ep: 7,
    now: 1,
    hb: 20_000,
    f: [
      [0, 0, 0],
      [1, 0, 9999],
    ],
    ch: [
      [0, 1, 1984],
      [1, 1, 8192],
    ],
  });
  expect(said).toContain('data 1:1');
});

rule('R7-20', 'no more than 2·mf of bulk in the socket, and alarms pass it', CLIENT, () => {
  const bench = new DeviceBench();
  bench.welcome({ mf: 8192 });
  const formed = (lane: number, unflushed: number) =>
    bench.step({ kind: 'form', lane, blocks: [{ s: lane + 1, t: 1, v: [1] }] }, unflushed);
  expect(formed(1, 2 * 8192)).toEqual([]);
  expect(formed(0, 2 * 8192)).toContain('data 0:1');
  expect(bench.step({ kind: 'tick' }, 2 * 8192 - 1)).toContain('data 1:1');
});

rule(
  'R8-2 R8-7',
  'ping after 1.0 hb of silence, once; close after 2.5 hb, then policy B',
  CLIENT,
  () => {
    const bench = new DeviceBench();
    bench.welcome({});
    expect(bench.run(19_999)).toEqual([]);
    expect(bench.run(1)).toEqual(['20000: ping']);
    expect(bench.run(19_999)).toEqual([]);
    const lines = bench.run(10_001);
    expect(lines).toEqual(['40000: ping', '50000: close 1000', '50000: wait 500']);
  },
);

rule('R8-2', 'any message breaks the silence', CLIENT, () => {
  const bench = new DeviceBench();
  bench.welcome({});
  for (let i = 0; i < 10; i += 1) {
    expect(bench.run(19_000)).toEqual([]);
    bench.says({ k: 'flow', f: [] });
  }
});
