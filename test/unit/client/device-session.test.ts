import { describe, expect, test } from 'vitest';
import { blockOf, DeviceBench, START_US } from '../../support/device-bench.ts';

/** Cost of `blockOf(1)` as frame n < 24 in CBOR, without `bl`: what the lines below count with. */
const COST = (() => {
  const bench = new DeviceBench();
  bench.welcome({});
  bench.form();
  return bench.session.ring.lane(1)?.sent ?? 0;
})();

describe('opening', () => {
  test('a new device asks for both lanes from 1, defines the set, and sends what it has', () => {
    const bench = new DeviceBench();
    bench.form();
    bench.form();
    expect(bench.welcome({})).toEqual([
      'hello first=0:1,1:1',
      'welcomed 7',
      'def 1:2',
      'data 1:1 bl=100',
      'data 1:2 bl=0',
    ]);
  });

  test('nothing is sent before welcome', () => {
    const bench = new DeviceBench();
    bench.step({ kind: 'tick' });
    bench.step({ kind: 'opened' });
    expect(bench.form(0)).toEqual([]);
  });

  test('a set is defined once on each connection, before the first frame that uses it', () => {
    const bench = new DeviceBench();
    bench.welcome({});
    expect(bench.form()).toEqual(['def 1:2', 'data 1:1']);
    expect(bench.form(0)).toEqual(['def 0:1', 'data 0:1']);
    expect(bench.form()).toEqual(['data 1:2']);
    bench.closes(1006);
    bench.wait(500);
    expect(bench.welcome({ acks: [1, 1] })).toEqual([
      'hello ep=7 first=0:1,1:1',
      'welcomed 7',
      'acked 0: 1',
      'acked 1: 1',
      'def 1:2',
      'data 1:2 again',
    ]);
  });

  test('a device that retains nothing asks for its next number', () => {
    const bench = new DeviceBench();
    bench.welcome({});
    bench.form();
    bench.flow(1, 100_000);
    bench.closes(1006);
    bench.wait(500);
    expect(bench.step({ kind: 'opened' })).toEqual(['hello ep=7 first=0:1,1:2']);
  });

  test('what a lane that is not granted holds is dropped, and it takes no more', () => {
    const bench = new DeviceBench();
    bench.form(0);
    expect(bench.welcome({ lanes: [1] }).slice(1)).toEqual([
      'welcomed 7',
      'dropped 0:1 lane not granted',
    ]);
    expect(bench.form(0)).toEqual(['dropped 1 readings lane not granted']);
    expect(bench.form(1)).toEqual(['def 1:2', 'data 1:1']);
  });
});

describe('credit', () => {
  test('a frame is sent when lim allows it to the byte, and not a byte earlier', () => {
    const bench = new DeviceBench();
    bench.welcome({ lim: COST - 1 });
    expect(bench.form()).toEqual([]);
    expect(bench.flow(0, COST)).toEqual(['def 1:2', 'data 1:1']);
  });

  test('a smaller limit is ignored, and limits are per lane', () => {
    const bench = new DeviceBench();
    bench.welcome({ lim: COST });
    expect(bench.form(0)).toEqual(['def 0:1', 'data 0:1']);
    expect(bench.form(1)).toEqual(['def 1:2', 'data 1:1']);
    bench.flow(0, 1);
    expect(bench.form(1)).toEqual([]);
    expect(bench.flow(0, 10 * COST, 0)).toEqual([]);
    expect(bench.flow(1, 2 * COST)).toEqual(['acked 1: 1', 'data 1:2']);
  });

  test('credit does not survive the connection', () => {
    const bench = new DeviceBench();
    bench.welcome({});
    bench.closes(1006);
    expect(bench.session.credit).toBe(0);
    bench.wait(500);
    bench.form();
    expect(bench.welcome({ lim: 0 })).toEqual(['hello ep=7 first=0:1,1:1', 'welcomed 7']);
    expect(bench.session.credit).toBe(0);
  });

  test('costs are counted from 0 on every connection', () => {
    const bench = new DeviceBench();
    bench.welcome({ lim: COST });
    bench.form();
    bench.closes(1006);
    bench.wait(500);
    expect(bench.welcome({ lim: COST })).toContain('data 1:1 again');
    expect(bench.session.ring.lane(1)?.sent).toBe(COST);
  });

  test.each([
    { lim: COST + 1, lines: [] },
    { lim: COST + 2, lines: ['def 1:2', 'data 1:2 lost=1 again'] },
  ])('a hole declared costs its 2 bytes: $lim', ({ lim, lines }) => {
    const bench = new DeviceBench();
    bench.welcome({});
    bench.form();
    bench.form();
    bench.says({ k: 'away', c: 1, n: 1, e: 4000 });
    bench.wait(500);
    expect(bench.welcome({ lim }).slice(2)).toEqual(lines);
  });

  test('an alarm goes before bulk that waits', () => {
    const bench = new DeviceBench();
    bench.form(1);
    bench.form(0);
    expect(bench.welcome({}).slice(2)).toEqual(['def 0:1', 'data 0:1', 'def 1:2', 'data 1:1']);
  });

  test('entries for lanes the device does not have are ignored', () => {
    const bench = new DeviceBench();
    bench.welcome({});
    expect(bench.flow(9, 9, 2)).toEqual([]);
    expect(bench.session.phase).toBe('live');
  });

  test('bulk waits for the buffer of the socket, an alarm does not', () => {
    const bench = new DeviceBench();
    bench.welcome({});
    const full = 2 * 8192;
    expect(bench.step({ kind: 'form', lane: 1, blocks: [blockOf(1)] }, full)).toEqual([]);
    expect(bench.step({ kind: 'form', lane: 0, blocks: [blockOf(0)] }, full)).toEqual([
      'def 0:1',
      'data 0:1',
    ]);
    expect(bench.session.wakeAtMs - bench.ms).toBe(10);
    expect(bench.session.blockedMs(bench.ms)).toBe(0);
    expect(bench.wait(10)).toEqual(['def 1:2', 'data 1:1']);
  });

  test('time without credit is counted, once, while it lasts', () => {
    const bench = new DeviceBench();
    bench.welcome({ lim: COST });
    bench.form();
    bench.wait(100);
    bench.form();
    bench.wait(250);
    bench.wait(150);
    expect(bench.session.blockedMs(bench.ms)).toBe(400);
    bench.flow(1, 2 * COST);
    bench.wait(1000);
    expect(bench.session.blockedMs(bench.ms)).toBe(400);
  });
});

describe('pings', () => {
  test('a blocked sender speaks up after 1 s, then once a second and not before the answer', () => {
    const bench = new DeviceBench();
    bench.welcome({ lim: 0 });
    bench.form();
    expect(bench.run(5000)).toEqual(['1000: ping bl=1:100']);
    expect(bench.flow(0, 0, 1, START_US + 1_000_000)).toEqual(['ping bl=1:100']);
    expect(bench.flow(0, 0, 1, START_US + 5_000_000)).toEqual([]);
    expect(bench.run(1000)).toEqual(['6000: ping bl=1:100']);
  });

  test('an answer to another ping is no answer', () => {
    const bench = new DeviceBench();
    bench.welcome({ lim: 0 });
    bench.form();
    bench.run(1000);
    bench.flow(0, 0, 1, 12_345);
    expect(bench.run(10_000)).toEqual([]);
  });

  test('silence calls for a ping after one heartbeat, again after two, and is death after 2.5', () => {
    const bench = new DeviceBench();
    bench.welcome({});
    expect(bench.run(49_999)).toEqual(['20000: ping', '40000: ping']);
    expect(bench.run(1)).toEqual(['50000: close 1000', '50000: wait 500']);
  });

  test('anything heard starts the silence again', () => {
    const bench = new DeviceBench();
    bench.welcome({});
    bench.run(19_999);
    bench.says({ k: 'flow', f: [] });
    expect(bench.run(19_999)).toEqual([]);
    expect(bench.run(1)).toEqual(['39999: ping']);
  });

  test('a server that never says welcome is left after 2.5 default heartbeats', () => {
    const bench = new DeviceBench();
    bench.step({ kind: 'tick' });
    bench.step({ kind: 'opened' });
    expect(bench.run(60_000)).toEqual([
      '50000: close 1000',
      '50000: wait 500',
      '50500: connect ws://127.0.0.1:8080/v1',
    ]);
  });
});

describe('holes', () => {
  test('a frame named by away is dropped, declared by its successor, and B follows', () => {
    const bench = new DeviceBench();
    bench.welcome({});
    for (let i = 0; i < 3; i += 1) bench.form();
    expect(bench.says({ k: 'away', c: 1, n: 2, e: 4000 })).toEqual([
      'dropped 1:2 named by away',
      'close 1000',
      'wait 500',
    ]);
    bench.wait(500);
    expect(bench.welcome({ acks: [0, 1] }).slice(3)).toEqual(['def 1:2', 'data 1:3 lost=1 again']);
  });

  test('a hole at the end is declared by the next frame formed', () => {
    const bench = new DeviceBench();
    bench.welcome({});
    bench.form();
    bench.form();
    bench.says({ k: 'away', c: 1, n: 2, e: 4009 });
    bench.wait(500);
    bench.says({ k: 'away', c: 1, n: 1, e: 4009 });
    bench.welcome({});
    bench.says({ k: 'away', c: 1, n: 1, e: 4009 });
    bench.wait(1000);
    bench.welcome({});
    expect(bench.form()).toEqual(['def 1:2', 'data 1:3 lost=2']);
  });

  test('a refused frame leaves no hole: its number is used', () => {
    const bench = new DeviceBench();
    bench.welcome({});
    bench.form();
    bench.form();
    expect(bench.says({ k: 'reject', c: 1, n: 1, e: 4021 })).toEqual(['rejected 1:1 4021']);
    bench.closes(1006);
    bench.wait(500);
    expect(bench.welcome({})).toContain('data 1:2 again');
    expect(bench.form()).toEqual(['data 1:3']);
  });

  test.each([
    { spare: 0, expected: ['def 1:2', 'data 1:2 lost=1'] },
    { spare: -1, expected: ['dropped 1:2 too long'] },
  ])('a retained frame above mf is dropped at welcome: $spare', ({ spare, expected }) => {
    const bench = new DeviceBench();
    bench.form(1, 400);
    bench.form(1, 300);
    const second = bench.session.ring.lane(1)?.all()[1];
    // The head of n = 2 with lost = 1 takes 10 bytes.
    const mf = (second?.blocks.length ?? 0) + 10 + spare;
    expect(bench.welcome({ mf }).slice(2)).toEqual(['dropped 1:1 too long', ...expected]);
  });

  test('readings that do not fit one frame become several, a single row that does not fit none', () => {
    const bench = new DeviceBench();
    bench.welcome({ mf: 500 });
    const lines = bench.form(1, 1000);
    expect(lines.filter((line) => line.startsWith('data'))).toHaveLength(4);
    const rows = bench.sent.flatMap((message) =>
      message.k === 'data' ? message.b.map((block) => (block.v[0] as Uint8Array).length) : [],
    );
    expect(rows).toEqual([250, 250, 250, 250]);
    const blocks = [{ s: 2, t: 1, v: ['long text'.repeat(100)] }];
    expect(bench.step({ kind: 'form', lane: 1, blocks })).toEqual(['dropped 1 readings too long']);
  });

  test('a full ring drops what was never sent, oldest first, and says so in lost', () => {
    const bench = new DeviceBench({ ringBytesMax: 400 });
    bench.welcome({ lim: COST });
    for (let i = 0; i < 3; i += 1) bench.form();
    expect(bench.form()).toEqual([]);
    expect(bench.form()).toEqual(['dropped 1:2 ring full']);
    expect(bench.form()).toEqual(['dropped 1:3 ring full']);
    expect(bench.flow(1, 100_000)).toEqual([
      'acked 1: 1',
      'data 1:4 lost=2 bl=200',
      'data 1:5 bl=100',
      'data 1:6 bl=0',
    ]);
  });

  test('a full ring of frames that were sent keeps them and declares the new readings lost', () => {
    const bench = new DeviceBench({ ringBytesMax: 250 });
    bench.welcome({});
    bench.form();
    bench.form();
    expect(bench.form()).toEqual(['dropped 1:3 ring full']);
    bench.closes(1006);
    expect(bench.form()).toEqual(['dropped 1:4 ring full']);
    bench.wait(500);
    bench.welcome({ acks: [0, 2] });
    expect(bench.form()).toEqual(['def 1:2', 'data 1:5 lost=2']);
  });

  test('bulk makes room for an alarm, an alarm never for bulk', () => {
    const bench = new DeviceBench({ ringBytesMax: 250 });
    bench.form(0);
    bench.form(1);
    expect(bench.form(0)).toEqual(['dropped 1:1 ring full']);
    expect(bench.form(1)).toEqual(['dropped 1:2 ring full']);
    expect(bench.form(0)).toEqual(['dropped 0:1 ring full']);
  });
});

describe('the end', () => {
  test('the last watermark follows the last frame; then acks, then 1000', () => {
    const bench = new DeviceBench();
    bench.welcome({ lim: COST });
    bench.form();
    bench.form();
    expect(bench.step({ kind: 'finish', watermarks: [[1, 99]] })).toEqual([]);
    expect(bench.flow(1, 2 * COST)).toEqual(['acked 1: 1', 'data 1:2', 'ping wm=1:99']);
    expect(bench.flow(2, 3 * COST)).toEqual(['acked 1: 2']);
    expect(bench.flow(2, 3 * COST, 1, START_US)).toEqual(['close 1000', 'finished']);
    expect(bench.session.phase).toBe('ended');
  });

  test('a watermark that was not answered is told again on the next connection', () => {
    const bench = new DeviceBench();
    bench.welcome({});
    expect(bench.step({ kind: 'finish', watermarks: [[1, 99]] })).toEqual(['ping wm=1:99']);
    bench.closes(1006);
    bench.wait(500);
    expect(bench.welcome({})).toContain('ping wm=1:99');
  });

  test('a heartbeat that takes the place of the unanswered ping carries the watermark too', () => {
    const bench = new DeviceBench();
    bench.welcome({});
    bench.step({ kind: 'finish', watermarks: [[1, 99]] });
    expect(bench.run(20_000)).toEqual(['20000: ping wm=1:99']);
    expect(bench.flow(0, 1, 1, START_US)).toEqual([]);
    expect(bench.flow(0, 1, 1, START_US + 20_000_000)).toEqual(['close 1000', 'finished']);
  });

  test('without frames and watermarks there is nothing to wait for', () => {
    const bench = new DeviceBench();
    expect(bench.step({ kind: 'finish', watermarks: [] })).toEqual(['finished']);
  });

  test('leave closes at once and reports nothing more', () => {
    const bench = new DeviceBench();
    bench.welcome({});
    bench.form();
    expect(bench.step({ kind: 'leave' })).toEqual(['close 1000']);
    expect(bench.form()).toEqual(['dropped 1 readings session over']);
    expect(bench.run(100_000)).toEqual([]);
  });
});

describe('a server that breaks the protocol', () => {
  const rows = [
    { name: 'garbage', bytes: [0xff], isText: false, code: 4000 },
    { name: 'text on a cbor session', bytes: [0x7b, 0x7d], isText: true, code: 1003 },
    { name: 'an unknown kind', bytes: [0xa1, 0x00, 0x18, 0x63], isText: false, code: 4005 },
  ];
  test.each(rows)('$name: closed with $code, then policy B', ({ bytes, isText, code }) => {
    const bench = new DeviceBench();
    bench.welcome({});
    const lines = bench.step({ kind: 'message', bytes: new Uint8Array(bytes), isText });
    expect(lines).toEqual([`close ${code}`, 'wait 500']);
  });

  test('flow before welcome, and a second welcome', () => {
    const bench = new DeviceBench();
    bench.step({ kind: 'tick' });
    bench.step({ kind: 'opened' });
    expect(bench.flow(0, 1)).toEqual(['close 4001', 'wait 500']);
    bench.wait(500);
    bench.welcome({});
    expect(bench.says({ k: 'welcome', now: 1, hb: 20_000, ep: 7 })).toContain('close 4001');
  });
});

test('json: the same session, with text messages', () => {
  const bench = new DeviceBench({ codec: 'json' });
  bench.form();
  expect(bench.welcome({})).toEqual(['hello first=0:1,1:1', 'welcomed 7', 'def 1:2', 'data 1:1']);
  expect(bench.flow(1, 100_000)).toEqual(['acked 1: 1']);
});
