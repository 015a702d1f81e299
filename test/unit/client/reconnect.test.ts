import { describe, expect, test } from 'vitest';
import type { DeviceOptions } from '../../../src/client/device-io.ts';
import { policyOf } from '../../../src/client/reconnect-policy.ts';
import { mayFollow } from '../../../src/client/redirect.ts';
import { DeviceBench } from '../../support/device-bench.ts';

/** A device with two unacked frames on lane 1 and a welcome, at t = 0. */
function lively(options: Partial<DeviceOptions> = {}): DeviceBench {
  const bench = new DeviceBench(options);
  bench.welcome({});
  bench.form();
  bench.form();
  return bench;
}

describe('codes and what follows, with every random number one half', () => {
  const same = 'hello ep=7 first=0:1,1:1';
  const fresh = 'hello first=0:1,1:1';
  const rows = [
    { code: 1001, waits: 5000, hello: same },
    { code: 1006, waits: 500, hello: same },
    { code: 1011, waits: 500, hello: same },
    { code: 1012, waits: 5000, hello: same },
    { code: 1013, waits: 500, hello: same },
    { code: 4007, waits: 0, hello: fresh },
    { code: 4008, waits: 0, hello: fresh },
    { code: 4100, waits: 500, hello: same },
    { code: 4101, waits: 500, hello: same },
    { code: 4104, waits: 2500, hello: same },
    { code: 4199, waits: 500, hello: same },
    { code: 4201, waits: 5000, hello: same },
    { code: 4203, waits: 5000, hello: same },
    { code: 4299, waits: 5000, hello: same },
    { code: 4900, waits: 500, hello: same },
  ];
  test.each(rows)('$code: waits $waits ms, then $hello', ({ code, waits, hello }) => {
    const bench = lively();
    const said = bench.says({ k: 'away', e: code });
    expect(said.slice(0, 2)).toEqual(['close 1000', `wait ${waits}`]);
    if (waits > 0) {
      expect(bench.run(waits - 1)).toEqual([]);
      expect(bench.run(1)).toEqual([`${waits}: connect ws://127.0.0.1:8080/v1`]);
    }
    expect(bench.step({ kind: 'opened' })).toEqual([hello]);
  });

  test.each([1002, 1003, 1007, 1009, 4000, 4001, 4003, 4004, 4005, 4006, 4009, 4099])(
    '%i: a human has to fix something first',
    (code) => {
      const bench = lively();
      expect(bench.closes(code)).toEqual([`stopped ${code}`]);
      expect(bench.run(7_200_000)).toEqual([]);
    },
  );

  test('an unattended device asks again after an hour and some minutes', () => {
    const bench = lively({ isUnattended: true });
    expect(bench.closes(4001)).toEqual(['wait 3900000']);
  });

  test.each([
    { status: 400, lines: ['stopped 400'] },
    { status: 401, lines: ['stopped 401'] },
    { status: 403, lines: ['stopped 403'] },
    { status: 404, lines: ['wait 500'] },
    { status: 421, lines: ['wait 500'] },
    { status: 429, lines: ['wait 3500'] },
    { status: 503, lines: ['wait 3500'] },
    { status: 0, lines: ['wait 500'] },
  ])('HTTP $status', ({ status, lines }) => {
    const bench = new DeviceBench();
    bench.step({ kind: 'tick' });
    expect(bench.refuses(status, status === 429 || status === 503 ? 3000 : undefined)).toEqual(
      lines,
    );
  });

  test('w is waited for in full under B, and bounds the spread under C', () => {
    expect(lively().says({ k: 'away', e: 4100, w: 8000 })).toContain('wait 8500');
    expect(lively().says({ k: 'away', e: 4203, w: 8000 })).toContain('wait 4000');
  });

  test('every code has a policy, by its range', () => {
    expect([999, 1000, 1005, 3000, 4300].map(policyOf)).toEqual(['B', 'B', 'B', 'B', 'B']);
  });
});

describe('backing off', () => {
  test('failures in a row wait up to 1, 2, 4 … 60 s', () => {
    const bench = new DeviceBench();
    bench.step({ kind: 'tick' });
    const waits = Array.from({ length: 8 }, () => {
      const [line = ''] = bench.refuses(0);
      const ms = Number(line.slice('wait '.length));
      bench.run(ms);
      return ms;
    });
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  });

  test('a connect alone does not reset it; 60 s of healthy session do', () => {
    const bench = lively();
    bench.closes(1006);
    bench.run(500);
    bench.welcome({});
    expect(bench.closes(1006)).toEqual(['wait 1000']);
    bench.run(1000);
    bench.welcome({});
    bench.run(30_000);
    bench.says({ k: 'flow', f: [] });
    bench.run(30_000);
    expect(bench.closes(1006)).toEqual(['wait 500']);
  });

  test('C then B, if moving fails', () => {
    const bench = lively();
    bench.closes(4201);
    bench.run(5000);
    expect(bench.refuses(0)).toEqual(['wait 500']);
  });
});

describe('a new epoch', () => {
  test('4007: what is retained becomes 1, 2, … with nothing lost', () => {
    const bench = lively();
    bench.flow(1, 100_000);
    bench.form();
    bench.says({ k: 'away', c: 1, n: 2, e: 4000 });
    bench.run(500);
    bench.step({ kind: 'opened' });
    bench.says({ k: 'away', e: 4007 });
    expect(bench.welcome({ ep: 8 })).toEqual([
      'hello first=0:1,1:1',
      'welcomed 8',
      'def 1:2',
      'data 1:1',
    ]);
    expect(bench.form()).toEqual(['data 1:2']);
  });

  test('a hole at the end of the old epoch is none in the new one', () => {
    const bench = new DeviceBench();
    bench.welcome({});
    bench.form();
    bench.says({ k: 'away', c: 1, n: 1, e: 4000 });
    bench.run(500);
    bench.step({ kind: 'opened' });
    bench.says({ k: 'away', e: 4007 });
    bench.welcome({ ep: 8 });
    expect(bench.form()).toEqual(['def 1:2', 'data 1:1']);
  });

  test('4007 for a hello without ep is a broken server: not at once', () => {
    const bench = new DeviceBench();
    bench.step({ kind: 'tick' });
    bench.step({ kind: 'opened' });
    expect(bench.says({ k: 'away', e: 4007 })).toEqual(['close 1000', 'wait 500']);
  });

  test('4008 once in an hour, then stop', () => {
    const bench = lively();
    bench.closes(4008);
    bench.welcome({ ep: 8 });
    bench.run(3_599_000);
    expect(bench.session.phase).toBe('connecting');
    bench.welcome({ ep: 8 });
    expect(bench.closes(4008)).toEqual(['stopped 4008']);
  });

  test('4008 again after an hour is the first one again', () => {
    const bench = lively();
    bench.closes(4008);
    bench.run(3_600_000);
    bench.welcome({ ep: 8 });
    expect(bench.closes(4008)).toContain('wait 0');
  });

  test('a server that has acked what we never used: forget the epoch before dropping anything', () => {
    const bench = lively();
    expect(bench.flow(3, 100_000)).toEqual([
      'close 1000',
      'wait 0',
      'connect ws://127.0.0.1:8080/v1',
    ]);
    expect(bench.welcome({ ep: 9 })).toEqual([
      'hello first=0:1,1:1',
      'welcomed 9',
      'def 1:2',
      'data 1:1 bl=100',
      'data 1:2 bl=0',
    ]);
  });

  test('the same in welcome', () => {
    const bench = lively();
    bench.closes(1006);
    bench.run(500);
    expect(bench.welcome({ acks: [1, 0] })).toEqual([
      'hello ep=7 first=0:1,1:1',
      'close 1000',
      'wait 0',
      'connect ws://127.0.0.1:8080/v1',
    ]);
  });
});

describe('taken over', () => {
  test('first within 5 s, again at least 30 s, doubling to 5 min; a healthy session forgives', () => {
    const bench = lively();
    const waits = Array.from({ length: 6 }, () => {
      const line = bench.says({ k: 'away', e: 4104 }).at(-1) ?? '';
      bench.run(Number(line.slice('wait '.length)));
      bench.welcome({});
      return line;
    });
    expect(waits).toEqual([
      'wait 2500',
      'wait 30000',
      'wait 60000',
      'wait 120000',
      'wait 240000',
      'wait 300000',
    ]);
    for (let i = 0; i < 4; i += 1) {
      bench.run(15_000);
      bench.says({ k: 'flow', f: [] });
    }
    expect(bench.says({ k: 'away', e: 4104 })).toContain('wait 2500');
  });
});

describe('credentials', () => {
  test('a device that renews its credential retries at once, but once', () => {
    const bench = new DeviceBench({ canRenew: true });
    bench.step({ kind: 'tick' });
    expect(bench.refuses(401)).toEqual(['wait 0', 'connect ws://127.0.0.1:8080/v1']);
    expect(bench.refuses(401)).toEqual(['stopped 401']);
  });

  test('a welcome in between makes it once again', () => {
    const bench = new DeviceBench({ canRenew: true });
    bench.welcome({});
    expect(bench.closes(4003)).toContain('wait 0');
    bench.welcome({});
    expect(bench.closes(4003)).toContain('wait 0');
  });
});

describe('drain', () => {
  test('waits, stops sending, waits for acks, leaves with 1000 and comes back at once', () => {
    const bench = lively();
    expect(bench.says({ k: 'away', e: 4201, w: 4000, dl: 10_000 })).toEqual([]);
    expect(bench.form()).toEqual(['data 1:3']);
    expect(bench.run(2000)).toEqual([]);
    expect(bench.form()).toEqual([]);
    expect(bench.flow(2, 100_000)).toEqual(['acked 1: 1 2']);
    expect(bench.flow(3, 100_000)).toEqual([
      'acked 1: 3',
      'close 1000',
      'wait 0',
      'connect ws://127.0.0.1:8080/v1',
    ]);
    expect(bench.welcome({ acks: [0, 3] })).toEqual([
      'hello ep=7 first=0:1,1:4',
      'welcomed 7',
      'def 1:2',
      'data 1:4',
    ]);
  });

  test('acks are waited for until dl, not longer', () => {
    const bench = lively();
    bench.says({ k: 'away', e: 4201, w: 4000, dl: 10_000 });
    expect(bench.run(9999)).toEqual([]);
    expect(bench.run(1)).toEqual([
      '10000: close 1000',
      '10000: wait 0',
      '10000: connect ws://127.0.0.1:8080/v1',
    ]);
  });

  test('the wait is never longer than dl, and 10 s if w is absent', () => {
    const short = new DeviceBench();
    short.welcome({});
    short.says({ k: 'away', e: 4201, dl: 6000 });
    expect(short.run(3000)).toContain('3000: close 1000');
    const long = new DeviceBench();
    long.welcome({});
    long.says({ k: 'away', e: 4201, dl: 60_000 });
    expect(long.run(5000)).toContain('5000: close 1000');
  });

  test('a server that closes before the moment has come is left as its code says', () => {
    const bench = lively();
    bench.says({ k: 'away', e: 4201, w: 4000, dl: 10_000 });
    expect(bench.closes(4201)).toEqual(['wait 2000']);
  });
});

describe('redirect', () => {
  const to = 'wss://gw.example.com/n/b/v1';
  const options = { url: 'wss://gw.example.com/v1' };

  test('is followed, and the count travels in hello', () => {
    const bench = lively(options);
    expect(bench.says({ k: 'away', e: 4200, to, w: 1000 })).toContain('wait 500');
    expect(bench.run(500)).toEqual([`500: connect ${to}`]);
    expect(bench.step({ kind: 'opened' })).toEqual(['hello ep=7 first=0:1,1:1 hop=1']);
  });

  test('holds for one session', () => {
    const bench = lively(options);
    bench.says({ k: 'away', e: 4200, to, w: 0 });
    bench.welcome({});
    bench.closes(1006);
    expect(bench.run(500)).toEqual([`500: connect ${options.url}`]);
  });

  test('three in a row, then back to the own address by policy B', () => {
    const bench = new DeviceBench(options);
    bench.step({ kind: 'tick' });
    for (let hop = 0; hop < 3; hop += 1) {
      bench.step({ kind: 'opened' });
      expect(bench.says({ k: 'away', e: 4200, to, w: 0 })).toContain(`connect ${to}`);
    }
    expect(bench.step({ kind: 'opened' })).toEqual(['hello first=0:1,1:1 hop=3']);
    expect(bench.says({ k: 'away', e: 4200, to, w: 0 })).toEqual(['close 1000', 'wait 500']);
    expect(bench.run(500)).toEqual([`500: connect ${options.url}`]);
  });

  test('one that leads to a stranger is not followed', () => {
    const bench = lively(options);
    bench.says({ k: 'away', e: 4200, to: 'wss://evil.example.net/v1', w: 1000 });
    expect(bench.run(500)).toEqual([`500: connect ${options.url}`]);
  });

  test.each([
    { to: 'wss://gw.example.com/n/a/v1', may: true },
    { to: 'wss://node-7.gw.example.com/v1', may: true },
    { to: 'wss://node.trusted.org/v1', may: true },
    { to: 'ws://gw.example.com/v1', may: false },
    { to: 'wss://example.com/v1', may: false },
    { to: 'wss://evilgw.example.com/v1', may: false },
    { to: 'http://gw.example.com/v1', may: false },
    { to: 'not a url', may: false },
  ])('$to: $may', ({ to: target, may }) => {
    expect(mayFollow(target, 'wss://gw.example.com/v1', ['trusted.org'])).toBe(may);
  });
});
