import { expect } from 'vitest';
import type { DeviceOptions } from '../../src/client/device-io.ts';
import { mayFollow } from '../../src/client/redirect.ts';
import { DeviceBench } from '../support/device-bench.ts';
import { CLIENT, rule } from './rule.ts';

/** §10.1 and §10.2 where they bind the client. */

/** A device with two frames sent on lane 1 and not acked. */
function lively(options: Partial<DeviceOptions> = {}): DeviceBench {
  const bench = new DeviceBench(options);
  bench.welcome({});
  bench.form();
  bench.form();
  return bench;
}

const TO = 'wss://gw.example.com/n/b/v1';

const HOME = { url: 'wss://gw.example.com/v1' };

rule(
  'R10.1-5',
  'dl > 0: uniform in [0, min(w, dl)], then no frames, acks awaited until dl, 1000, at once back',
  CLIENT,
  () => {
    const leaves = (away: { w?: number; dl: number }, random: number): string[] => {
      const bench = new DeviceBench({ random: () => random });
      bench.welcome({});
      bench.says({ k: 'away', e: 4201, ...away });
      return bench.run(away.dl + 1);
    };
    const url = 'ws://127.0.0.1:8080/v1';
    const at = (ms: number): string[] => [
      `${ms}: close 1000`,
      `${ms}: wait 0`,
      `${ms}: connect ${url}`,
    ];
    expect(leaves({ w: 4000, dl: 10_000 }, 0.5)).toEqual(at(2000));
    expect(leaves({ w: 20_000, dl: 10_000 }, 0.5)).toEqual(at(5000));
    expect(leaves({ dl: 60_000 }, 0.5).slice(0, 3)).toEqual(at(5000));
    const waiting = lively();
    waiting.says({ k: 'away', e: 4201, w: 4000, dl: 10_000 });
    waiting.run(2000);
    expect(waiting.form()).toEqual([]);
    expect(waiting.run(7999)).toEqual([]);
    expect(waiting.run(1)).toEqual(at(10_000));
  },
);

rule(
  'R10.1-7',
  'a frame that away names is dropped, declared lost, and policy B follows whatever the code',
  CLIENT,
  () => {
    for (const e of [4000, 4005, 4009]) {
      const bench = lively();
      const lines = bench.says({ k: 'away', e, c: 1, n: 1 });
      expect(lines).toEqual(['dropped 1:1 named by away', 'close 1000', 'wait 500']);
      bench.run(500);
      expect(bench.welcome({})).toContain('data 1:2 lost=1 again');
    }
  },
);

rule(
  'R10.1-10',
  'something malformed: closes with the code that fits, then policy B',
  CLIENT,
  () => {
    const after = (bytes: Uint8Array, isText = false): string[] =>
      lively().step({ kind: 'message', bytes, isText });
    expect(after(Uint8Array.of(0xff))).toEqual(['close 4000', 'wait 500']);
    // An unknown kind cannot come from a server of this version.
    const unknown = Uint8Array.of(0xa1, 0, 0x18, 99);
    expect(after(unknown)).toEqual(['close 4005', 'wait 500']);
    expect(after(Uint8Array.of(0x7b), true)).toEqual(['close 1003', 'wait 500']);
    const before = new DeviceBench();
    before.step({ kind: 'tick' });
    before.step({ kind: 'opened' });
    expect(before.flow(0, 5)).toEqual(['close 4001', 'wait 500']);
  },
);

rule(
  'R10.2-2',
  'followed only to wss: or the own scheme, and to a configured host or one under it',
  CLIENT,
  () => {
    const home = 'wss://gw.example.com/v1';
    const follows = (to: string): boolean => mayFollow(to, home, ['trusted.org']);
    const good = [
      'wss://gw.example.com/n/a/v1',
      'wss://x.gw.example.com/n/a/v1',
      'wss://trusted.org/v1',
      'wss://a.trusted.org/v1',
    ];
    const bad = [
      'ws://gw.example.com/v1',
      'https://gw.example.com/v1',
      'wss://example.com/v1',
      'wss://evilgw.example.com/v1',
      'wss://trusted.org.evil.net/v1',
      'wss://eviltrusted.org/v1',
      'nonsense',
      '',
    ];
    expect([good.map(follows), bad.map(follows)]).toEqual([
      good.map(() => true),
      bad.map(() => false),
    ]);
    expect(mayFollow('wss://h/n/a/v1', 'ws://h/v1', [])).toBe(true);
  },
);

rule('R10.2-3', 'at most three hops, then back to the configured URL by policy B', CLIENT, () => {
  const bench = new DeviceBench(HOME);
  bench.step({ kind: 'tick' });
  for (let hop = 0; hop < 3; hop += 1) {
    bench.step({ kind: 'opened' });
    expect(bench.says({ k: 'away', e: 4200, to: TO, w: 0 })).toContain(`connect ${TO}`);
  }
  bench.step({ kind: 'opened' });
  expect(bench.says({ k: 'away', e: 4200, to: TO, w: 0 })).toEqual(['close 1000', 'wait 500']);
  expect(bench.run(500)).toEqual([`500: connect ${HOME.url}`]);
});

rule('R10.2-4', 'a redirect holds for one session; the count travels in hop', CLIENT, () => {
  const bench = lively(HOME);
  bench.says({ k: 'away', e: 4200, to: TO, w: 0 });
  expect(bench.step({ kind: 'opened' })).toEqual(['hello ep=7 first=0:1,1:1 hop=1']);
  bench.says({ k: 'welcome', ep: 7, now: 1, hb: 20_000, f: [[1, 0, 9999]], ch: [[1, 1, 8192]] });
  bench.closes(1006);
  expect(bench.run(60_000)[0]).toContain(`connect ${HOME.url}`);
  expect(bench.step({ kind: 'opened' })).toEqual(['hello ep=7 first=0:1,1:1']);
});
