import { describe, expect, test } from 'vitest';
import { DeviceBench, START_US } from '../../support/device-bench.ts';

const ALL = [0, 1, 2];
/** The set of lane 1 is 2, so its twin on lane 2 gets the next free number. */
const TWIN = 3;

const withBackfill = (): DeviceBench => new DeviceBench({ lanes: ALL });

/** A device that was live, and then cut off for longer than 2 s. */
function cutOff(): DeviceBench {
  const bench = withBackfill();
  bench.welcome({ lanes: ALL });
  bench.closes(1006);
  // The next attempt hangs, so that nothing comes in between.
  bench.wait(500);
  bench.wait(2000);
  return bench;
}

describe('what is measured without a session', () => {
  test('goes on lane 1 for 2 s, then on lane 2, and what waits moves along', () => {
    const bench = withBackfill();
    bench.welcome({ lanes: ALL });
    bench.closes(1006);
    bench.wait(500);
    expect(bench.form()).toEqual([]);
    bench.wait(1500);
    expect(bench.form()).toEqual([]);
    bench.wait(1);
    expect(bench.form()).toEqual(['moved 1:1 to 2:1', 'moved 1:2 to 2:2']);
    expect(bench.welcome({ lanes: ALL })).toEqual([
      'hello ep=7 first=0:1,1:1,2:1',
      'welcomed 7',
      'ping bl=2:300',
    ]);
    // Lane 1 was never used, and begins with the numbers that were left behind.
    expect(bench.form()).toEqual(['def 1:2', 'data 1:3 lost=2']);
  });

  test('a hole at the beginning of lane 2 is declared, not hidden behind first', () => {
    const bench = new DeviceBench({ lanes: ALL, ringBytesMax: 250 });
    bench.welcome({ lanes: ALL });
    bench.closes(1006);
    bench.wait(500);
    bench.wait(2000);
    for (let i = 0; i < 5; i += 1) bench.form();
    expect(bench.welcome({ lanes: ALL })[0]).toBe('hello ep=7 first=0:1,1:1,2:1');
    expect(bench.flow(0, 1000, 2)).toEqual([
      `def 2:${TWIN}`,
      'data 2:4 lost=3 bl=100',
      'data 2:5 bl=0',
    ]);
  });

  test('comes home beside the live readings, with the twin of its set', () => {
    const bench = cutOff();
    bench.form();
    bench.form();
    bench.welcome({ lanes: ALL });
    expect(bench.form()).toEqual(['def 1:2', 'data 1:1']);
    expect(bench.flow(0, 1000, 2)).toEqual([`def 2:${TWIN}`, 'data 2:1 bl=100', 'data 2:2 bl=0']);
    expect(bench.sent.at(-1)).toMatchObject({ k: 'data', b: [{ s: TWIN, t: START_US }] });
    const definitions = bench.sent.flatMap((message) =>
      message.k === 'def' ? [message.cols] : [],
    );
    expect(definitions).toEqual([[['x', 'm/s2']], [['x', 'm/s2']]]);
  });

  test('what was sent before the outage stays, and is sent again where it was', () => {
    const bench = withBackfill();
    bench.welcome({ lanes: ALL, lim: 250 });
    for (let i = 0; i < 4; i += 1) bench.form();
    bench.closes(1006);
    bench.wait(500);
    bench.wait(2000);
    expect(bench.form()).toEqual(['moved 1:3 to 2:1', 'moved 1:4 to 2:2']);
    expect(bench.welcome({ lanes: ALL })).toEqual([
      'hello ep=7 first=0:1,1:1,2:1',
      'welcomed 7',
      'def 1:2',
      'data 1:1 bl=100 again',
      'data 1:2 bl=0 again',
      'ping bl=2:300',
    ]);
    expect(bench.form()).toEqual(['data 1:5 lost=2']);
  });

  test('what finds no room beside frames that were sent is declared by the next live frame', () => {
    const bench = new DeviceBench({ lanes: ALL, ringBytesMax: 250 });
    bench.welcome({ lanes: ALL });
    bench.form();
    bench.form();
    bench.closes(1006);
    bench.wait(500);
    expect(bench.form()).toEqual(['dropped 1:3 ring full']);
    bench.wait(2000);
    expect(bench.form()).toEqual(['dropped 1:4 ring full']);
    bench.welcome({ lanes: ALL, acks: [0, 2] });
    expect(bench.form()).toEqual(['def 1:2', 'data 1:5 lost=2']);
  });

  test('an alarm stays an alarm', () => {
    const bench = cutOff();
    bench.form(0);
    expect(bench.welcome({ lanes: ALL }).slice(2)).toEqual(['def 0:1', 'data 0:1']);
  });

  test('a device that was never connected has been without a session since it began', () => {
    const bench = withBackfill();
    bench.step({ kind: 'tick' });
    bench.form();
    bench.wait(2001);
    expect(bench.form()).toEqual(['moved 1:1 to 2:1']);
  });

  test('attempts that fail do not make the outage a new one', () => {
    const bench = withBackfill();
    bench.welcome({ lanes: ALL });
    bench.closes(1006);
    bench.wait(500);
    bench.closes(0);
    bench.wait(1000);
    bench.closes(0);
    bench.wait(600);
    expect(bench.form()).toEqual([]);
    expect(bench.session.ring.lane(2)?.count).toBe(1);
  });

  test('nothing moves where lane 2 is not asked for', () => {
    const bench = new DeviceBench();
    bench.step({ kind: 'tick' });
    bench.wait(10_000);
    bench.form();
    expect(bench.welcome({})).toContain('data 1:1');
  });

  test('a server without lane 2 gets all of it on lane 1', () => {
    const bench = cutOff();
    bench.form();
    bench.form();
    const lines = bench.welcome({ lanes: [0, 1] });
    expect(lines.slice(1)).toEqual([
      'welcomed 7',
      'moved 2:1 to 1:1',
      'moved 2:2 to 1:2',
      'def 1:2',
      'data 1:1 bl=100',
      'data 1:2 bl=0',
    ]);
    bench.closes(1006);
    bench.wait(500);
    bench.wait(5000);
    expect(bench.form()).toEqual([]);
    expect(bench.session.ring.lane(1)?.count).toBe(3);
  });

  test('json: the frames are the same in the other codec', () => {
    const bench = new DeviceBench({ lanes: ALL, codec: 'json' });
    bench.form(1, 2);
    bench.step({ kind: 'tick' });
    bench.wait(3000);
    expect(bench.form(1, 2)).toEqual(['moved 1:1 to 2:1']);
    bench.welcome({ lanes: ALL });
    bench.flow(0, 1000, 2);
    const blocks = bench.sent.flatMap((message) => (message.k === 'data' ? [...message.b] : []));
    expect(blocks).toMatchObject([
      { s: TWIN, t: START_US, dt: 1000 },
      { s: TWIN, t: START_US, dt: 1000 },
    ]);
  });
});

describe('the backlog of lane 2', () => {
  test('is told at once after welcome, and then not every second', () => {
    const bench = cutOff();
    bench.form();
    expect(bench.welcome({ lanes: ALL })).toContain('ping bl=2:100');
    expect(bench.run(19_999)).toEqual([]);
  });

  test('a server that answers and grants nothing is reminded after a heartbeat', () => {
    const bench = cutOff();
    bench.form();
    bench.welcome({ lanes: ALL });
    const asked = bench.sent.at(-1);
    const echo = asked?.k === 'ping' ? asked.now : 0;
    bench.wait(10);
    bench.says({ k: 'flow', f: [[2, 0, 0]], echo });
    expect(bench.run(30_000)).toEqual(['22500: ping bl=2:100']);
  });

  test('is told whenever it leaves 0 without credit, also behind an unanswered ping', () => {
    const bench = cutOff();
    bench.form();
    bench.welcome({ lanes: ALL });
    expect(bench.flow(0, 100, 2)).toEqual(['def 2:3', 'data 2:1 bl=0']);
    const late = [{ s: TWIN, t: START_US, v: [1] }];
    expect(bench.step({ kind: 'form', lane: 2, blocks: late })).toEqual([]);
    expect(bench.run(1000)).toEqual(['3500: ping bl=2:97']);
  });

  test('time without credit on lane 2 is no blocked time: it begins so', () => {
    const bench = cutOff();
    bench.form();
    bench.welcome({ lanes: ALL });
    bench.run(5000);
    expect(bench.session.blockedMs(bench.ms)).toBe(0);
  });

  test('live readings go first, whatever lane 2 holds', () => {
    const bench = cutOff();
    for (let i = 0; i < 3; i += 1) bench.form();
    bench.welcome({ lanes: ALL, lim: 0 });
    bench.form(1);
    bench.form(0);
    const f = [
      [2, 0, 100],
      [1, 0, 100],
      [0, 0, 100],
    ] as const;
    const lines = bench.says({ k: 'flow', f }).filter((line) => line.startsWith('data'));
    expect(lines).toEqual(['data 0:1', 'data 1:1', 'data 2:1 bl=200']);
  });

  test('no more than two largest frames wait in the socket', () => {
    const bench = cutOff();
    bench.form();
    bench.welcome({ lanes: ALL });
    const flow = { k: 'flow', f: [[2, 0, 1000]] } as const;
    bench.says(flow);
    const late = { kind: 'form', lane: 2, blocks: [{ s: TWIN, t: START_US, v: [1] }] } as const;
    expect(bench.step(late, 2 * 8192)).toEqual([]);
    expect(bench.step({ kind: 'tick' }, 2 * 8192 - 1)).toEqual(['data 2:2']);
  });
});

describe('what the server says of the session', () => {
  test('is told when it is unusual at first, and when it changes', () => {
    const bench = new DeviceBench();
    expect(bench.welcome({ why: 4, ln: 250 })).toContain('terms why=4 ln=250');
    expect(bench.says({ k: 'flow', f: [], why: 4 })).toEqual([]);
    expect(bench.says({ k: 'flow', f: [], why: 0 })).toEqual(['terms why=0 ln=250']);
    expect(bench.says({ k: 'flow', f: [], ln: 500 })).toEqual(['terms why=0 ln=500']);
  });

  test('is forgotten with the connection', () => {
    const bench = new DeviceBench();
    bench.welcome({ why: 1 });
    bench.closes(1006);
    bench.wait(500);
    expect(bench.welcome({}).filter((line) => line.startsWith('terms'))).toEqual([]);
    expect(bench.says({ k: 'flow', f: [], why: 1 })).toEqual(['terms why=1']);
  });
});
