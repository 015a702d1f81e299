import { expect } from 'vitest';
import { VirtualNode } from '../support/virtual-node.ts';
import { useBed } from './bed.ts';
import { publisher } from './peer.ts';
import { headerOf, headersOf } from './record.ts';
import { CODECS, CORE, rule } from './rule.ts';

/** §4.3: clocks. */

const bed = useBed();

rule(
  'R4.3-2',
  'the clock offset is the smallest arrival − now of hello and ping, in the record',
  CODECS,
  async (codec) => {
    const behindUs = 3_600_000_000;
    const peer = await publisher(bed(), codec, { hello: { now: Date.now() * 1000 - behindUs } });
    peer.frame({ n: 1 });
    await peer.acked(1);
    peer.say('ping', { now: Date.now() * 1000 - behindUs / 2 });
    peer.say('ping', { now: Date.now() * 1000 - 2 * behindUs });
    peer.frame({ n: 2 }, [{ s: 1, t: 5, v: [1] }]);
    await peer.acked(2);
    const [first = 0, second = 0] = headersOf(bed().log.of(peer.device)).map(
      (one) => one.clockOffset,
    );
    expect(Math.abs(first - behindUs)).toBeLessThan(1_000_000);
    expect(Math.abs(second - behindUs / 2)).toBeLessThan(1_000_000);
  },
);

rule('R4.3-2', 'virtual time: of the last 10 min only', CORE, () => {
  const node = new VirtualNode().start();
  const session = node.publisher('d');
  const tell = (offsetUs: number): void =>
    node.send(session, { k: 'ping', now: node.now.wallUs - offsetUs });
  const offsetNow = (n: number): number => {
    node.frame(session, { n });
    const record = node.disk.records.findLast(({ key }) => key.length > 0);
    return record ? headerOf(record).clockOffset : Number.NaN;
  };
  const wait = (ms: number): void => {
    for (let passed = 0; passed < ms; passed += 10_000) {
      node.pass(10_000);
      node.step({ kind: 'heard', session });
    }
  };
  tell(1000);
  expect(offsetNow(1)).toBe(1000);
  wait(500_000);
  tell(9000);
  expect(offsetNow(2)).toBe(1000);
  wait(150_000);
  tell(9000);
  expect(offsetNow(3)).toBe(9000);
});

rule(
  'R4.3-7 R5.2-13',
  "every record carries the owner's clock at receipt; times of readings change nothing",
  CODECS,
  async (codec) => {
    const peer = await publisher(bed(), codec, { hello: { now: 5 } });
    const before = Date.now() * 1000;
    peer.frame({ n: 1 }, [{ s: 1, t: 0, v: [1] }]);
    peer.frame({ n: 2 }, [{ s: 1, t: 7_258_118_399_999_999, v: [1] }]);
    await peer.acked(2);
    const after = Date.now() * 1000 + 10_000;
    for (const { recv } of headersOf(bed().log.of(peer.device))) {
      expect(recv).toBeGreaterThanOrEqual(before - 10_000);
      expect(recv).toBeLessThanOrEqual(after);
    }
  },
);
