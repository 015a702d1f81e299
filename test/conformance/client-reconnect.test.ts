import { expect } from 'vitest';
import type { DeviceOptions } from '../../src/client/device-io.ts';
import { policyOf } from '../../src/client/reconnect-policy.ts';
import { DeviceBench } from '../support/device-bench.ts';
import { CLIENT, rule } from './rule.ts';

/** §10.3 and §13 where they bind the client. */

/** A device with two frames sent on lane 1 and not acked. */
function lively(options: Partial<DeviceOptions> = {}): DeviceBench {
  const bench = new DeviceBench(options);
  bench.welcome({});
  bench.form();
  bench.form();
  return bench;
}

/** How long the client waits after this ending with every random number at `random`. */
function waitAfter(
  code: number,
  random: number,
  w?: number,
  more: Partial<DeviceOptions> = {},
): number {
  const bench = lively({ random: () => random, ...more });
  const lines = bench.says({ k: 'away', e: code, w });
  const line = lines.find((one) => one.startsWith('wait'));
  return line === undefined ? Number.POSITIVE_INFINITY : Number(line.slice('wait '.length));
}

const NEARLY_ONE = 1 - 1e-9;

/** The bounds of the wait, rounded to ms. */
const span = (code: number, w?: number, more: Partial<DeviceOptions> = {}): [number, number] => [
  Math.round(waitAfter(code, 0, w, more)),
  Math.round(waitAfter(code, NEARLY_ONE, w, more)),
];

rule(
  'R10.3-1',
  'A: not retried unchanged; an unattended device after 1 h + uniform(0, 10 min)',
  CLIENT,
  () => {
    const hour = 3_600_000;
    for (const code of [1002, 1003, 1007, 1009, 4000, 4001, 4004, 4005, 4006, 4009, 4042, 4099]) {
      expect(waitAfter(code, 0.5), `${code}`).toBe(Number.POSITIVE_INFINITY);
      expect(span(code, undefined, { isUnattended: true }), `${code}`).toEqual([
        hour,
        hour + 600_000,
      ]);
    }
    const refused = new DeviceBench();
    refused.step({ kind: 'tick' });
    expect(refused.refuses(400)).toEqual(['stopped 400']);
  },
);

rule('R10.3-2', 'B: w + uniform(0, min(60 s, 1 s·2^k))', CLIENT, () => {
  for (const code of [1006, 1011, 1013, 4100, 4101, 4102, 4103, 4199]) {
    expect(span(code), `${code}`).toEqual([0, 1000]);
    expect(span(code, 8000), `${code}`).toEqual([8000, 9000]);
  }
  const bench = new DeviceBench({ random: () => NEARLY_ONE });
  bench.step({ kind: 'tick' });
  const waits = Array.from({ length: 9 }, (_, i) => {
    const [line = ''] = bench.refuses([0, 404, 421, 500][i % 4] ?? 0);
    const ms = Number(line.slice('wait '.length));
    bench.run(ms + 1);
    return Math.round(ms);
  });
  expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  const later = new DeviceBench({ random: () => 0 });
  later.step({ kind: 'tick' });
  expect(later.refuses(503, 7000)).toEqual(['wait 7000']);
});

rule('R10.3-3', 'C: uniform(0, w), by default 10 s; then as B if that fails', CLIENT, () => {
  for (const code of [1001, 1012, 4200, 4201, 4202, 4203, 4299]) {
    expect(span(code), `${code}`).toEqual([0, 10_000]);
    expect(span(code, 4000), `${code}`).toEqual([0, 4000]);
  }
  const bench = lively();
  bench.closes(4201);
  bench.run(5000);
  expect(bench.refuses(0)).toEqual(['wait 500']);
});

rule('R10.3-4', 'k resets after 60 s of healthy session, not on connect', CLIENT, () => {
  const bench = lively();
  expect(bench.closes(1006)).toEqual(['wait 500']);
  bench.run(500);
  bench.welcome({});
  bench.run(19_000);
  expect(bench.closes(1006)).toEqual(['wait 1000']);
  bench.run(1000);
  bench.welcome({});
  for (let i = 0; i < 4; i += 1) {
    bench.run(15_000);
    bench.says({ k: 'flow', f: [] });
  }
  expect(bench.closes(1006)).toEqual(['wait 500']);
});

rule(
  'R10.3-5',
  '4003 and 401: a new credential and at once; without one A. 403 is 4004',
  CLIENT,
  () => {
    const bench = new DeviceBench({ canRenew: true });
    bench.step({ kind: 'tick' });
    expect(bench.refuses(401)[0]).toBe('wait 0');
    const live = lively({ canRenew: true });
    expect(live.closes(4003)[0]).toBe('wait 0');
    expect(lively().closes(4003)).toEqual(['stopped 4003']);
    const forbidden = new DeviceBench({ canRenew: true });
    forbidden.step({ kind: 'tick' });
    expect(forbidden.refuses(403)).toEqual(['stopped 403']);
  },
);

rule(
  'R10.3-6',
  '4007, and once in an hour 4008: at once without ep; 4008 again is A',
  CLIENT,
  () => {
    for (const code of [4007, 4008]) {
      const bench = lively();
      expect(bench.closes(code)[0]).toBe('wait 0');
      expect(bench.step({ kind: 'opened' })).toEqual(['hello first=0:1,1:1']);
    }
    const again = lively();
    again.closes(4008);
    again.welcome({ ep: 8 });
    expect(again.closes(4008)).toEqual(['stopped 4008']);
  },
);

rule(
  'R10.3-7',
  '4104: first uniform(0, 5 s); again within 60 s ≥ 30 s, doubling to 5 min',
  CLIENT,
  () => {
    expect(span(4104)).toEqual([0, 5000]);
    const bench = lively({ random: () => 0 });
    const waits = Array.from({ length: 6 }, () => {
      const line = bench.says({ k: 'away', e: 4104 }).find((one) => one.startsWith('wait')) ?? '';
      const ms = Number(line.slice('wait '.length));
      bench.run(ms);
      bench.welcome({});
      return ms;
    });
    expect(waits[0]).toBe(0);
    expect(waits.slice(1)).toEqual([30_000, 60_000, 120_000, 240_000, 300_000]);
  },
);

rule('R13-2', 'an unknown code is handled by its range', CLIENT, () => {
  expect([4010, 4099, 4110, 4199, 4210, 4299].map(policyOf)).toEqual([
    'A',
    'A',
    'B',
    'B',
    'C',
    'C',
  ]);
  expect([span(4150), span(4250)]).toEqual([
    [0, 1000],
    [0, 10_000],
  ]);
  expect(waitAfter(4050, 0.5)).toBe(Number.POSITIVE_INFINITY);
});
