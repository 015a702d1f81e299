import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeOps, encodeOps } from '../../src/adapters/device/ring-codec.ts';
import type { DeviceOptions } from '../../src/client/device-io.ts';
import { DeviceSession } from '../../src/client/device-session.ts';
import { opsOf, opsOfImage } from '../../src/client/ring-op.ts';
import { RingReplay } from '../../src/client/ring-replay.ts';
import { START_US } from '../support/device-bench.ts';
import { ModelServer } from '../support/model-server.ts';
import { seeded } from '../support/random.ts';

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('form'), of: fc.integer({ min: 1, max: 30 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('alarm'), of: fc.constant(1) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('welcome'), of: fc.nat(2000) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('settle'), of: fc.nat(100) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('pass'), of: fc.nat(3000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reject'), of: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('poison'), of: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('away'), of: fc.constantFrom(4007, 4100) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cut'), of: fc.constant(0) }) },
);
type Step = { readonly do: string; readonly of: number };

const steps: fc.Arbitrary<readonly Step[]> = fc.array(step, { maxLength: 60 });
const policy = fc.constantFrom('drop-oldest', 'block', 'thin');

function optionsOf(whenFull: string, more: Partial<DeviceOptions> = {}): DeviceOptions {
  return {
    url: 'ws://127.0.0.1:1/v1',
    codec: 'cbor',
    lanes: [0, 1, 2],
    sets: [
      { s: 1, lane: 0, cols: [['a']] },
      { s: 2, lane: 1, cols: [['b']] },
    ],
    ringBytesMax: 1500,
    whenFull: whenFull as NonNullable<DeviceOptions['whenFull']>,
    random: seeded(7),
    ...more,
  };
}

let value = 0;
function take(server: ModelServer, what: Step): void {
  if (what.do === 'form' || what.do === 'alarm') {
    const lane = what.do === 'form' ? 1 : 0;
    const v = Float64Array.from({ length: what.of }, () => (value += 1));
    const blocks = [{ s: lane + 1, t: START_US + value, dt: 0, v: [v] }];
    server.give({ kind: 'form', lane, blocks });
  } else if (what.do === 'welcome') server.welcome(what.of);
  else if (what.do === 'settle') server.settle(what.of / 100, 2000, true);
  else if (what.do === 'pass') server.pass(what.of);
  else if (what.do === 'reject') server.reject(what.of);
  else if (what.do === 'poison') server.poison(what.of);
  else if (what.do === 'away') server.away(what.of);
  else server.cut();
}

/** What a journal would give back; a lane that never held anything is no part of it. */
const known = (session: DeviceSession) => {
  const { sets: _, lanes, ...image } = session.image;
  const begun = lanes.filter(({ next, ack }) => next > 1 || ack > 0);
  // An ack that covers nothing retained is not kept: the server tells it again.
  return { ...image, lanes: begun.map(({ ack: _ack, ...lane }) => lane) };
};

test('a journal of what every step did gives the ring back, at any moment', () => {
  const property = fc.property(steps, policy, (history, whenFull) => {
    const session = new DeviceSession(optionsOf(whenFull));
    const server = new ModelServer(session);
    const replay = new RingReplay();
    let told = 0;
    for (const what of history) {
      take(server, what);
      const { ops, end } = decodeOps(encodeOps(opsOf(server.events.slice(told))), 0);
      expect(end).toBeGreaterThanOrEqual(0);
      told = server.events.length;
      for (const op of ops) replay.apply(op);
      const { lanes, ...image } = replay.image('cbor');
      const given = lanes
        .toSorted((a, b) => a.lane - b.lane)
        .map(({ ack: _, ...lane }) => lane)
        .filter(({ next }) => next > 1);
      expect({ epoch: image.epoch, codec: image.codec, lanes: given }).toEqual(known(session));
    }
  });
  fc.assert(property, { numRuns: 300 });
});

test('an image is what its own journal gives back', () => {
  const property = fc.property(steps, policy, (history, whenFull) => {
    const server = new ModelServer(new DeviceSession(optionsOf(whenFull)));
    for (const what of history) take(server, what);
    const { image } = server.session;
    const replay = new RingReplay();
    for (const op of decodeOps(encodeOps(opsOfImage(image)), 0).ops) replay.apply(op);
    expect(replay.image('cbor')).toEqual(image);
  });
  fc.assert(property, { numRuns: 200 });
});

test('a device that dies at any moment goes on in its epoch, and changes no frame', () => {
  const property = fc.property(steps, steps, policy, (before, after, whenFull) => {
    const server = new ModelServer(new DeviceSession(optionsOf(whenFull)));
    for (const what of before) take(server, what);
    const restored = server.session.image;
    // The server checks numbers, holes, credit and that no identity has two contents.
    server.replace(new DeviceSession(optionsOf(whenFull, { sets: [], restored })));
    for (const what of after) take(server, what);
    server.give({ kind: 'finish', watermarks: [] });
    for (let turn = 0; turn < 500 && server.session.phase !== 'ended'; turn += 1) {
      server.welcome(4000);
      server.settle(1, 4000, true);
      server.passToWake();
    }
    expect(server.session.ring.count).toBe(0);
  });
  fc.assert(property, { numRuns: 500 });
});

test('a journal that ends in the middle of an entry is read up to the one before', () => {
  const server = new ModelServer(new DeviceSession(optionsOf('drop-oldest')));
  for (let i = 0; i < 5; i += 1) take(server, { do: 'form', of: 3 });
  const whole = encodeOps(opsOf(server.events));
  const all = decodeOps(whole, 0).ops.length;
  expect(all).toBe(5);
  for (let cut = 0; cut < whole.length; cut += 1) {
    const { ops, end } = decodeOps(whole.subarray(0, cut), 0);
    expect(ops.length).toBeLessThan(all);
    expect(end).toBeLessThanOrEqual(cut);
  }
  for (let at = 0; at < whole.length; at += 7) {
    const broken = Buffer.from(whole);
    broken[at] = (broken[at] as number) ^ 0x10;
    expect(decodeOps(broken, 0).ops.length).toBeLessThan(all);
  }
});
