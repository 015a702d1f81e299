import { describe, expect, it } from 'vitest';
import { FanoutRig } from '../../support/fanout-rig.ts';

const SESSIONS = [1, 2, 3, 4, 5];
/** Where fan-out takes a socket for full. Units: bytes. */
const UNSENT_BYTES_MAX = 256 * 1024;
/** A change of all of them is more than one step sends. */
const SERIES = 2500;

/** Subscriptions of several sessions to many series, all live. */
function watched(count = SERIES): FanoutRig {
  const rig = new FanoutRig();
  for (let i = 0; i < count; i += 1) rig.put(rig.add(`site/device/${i}`), 1, { mean: i });
  for (const session of SESSIONS) {
    rig.open(session);
    rig.sub(session, { agg: ['mean', 'n'] });
  }
  rig.advance(1000);
  for (const session of SESSIONS) rig.taken(session);
  return rig;
}

const changeAll = (rig: FanoutRig, second: number): void => {
  for (const series of rig.series) rig.put(series, second, { mean: second });
};

/** The sessions that were sent something since the last call. */
function served(rig: FanoutRig): readonly number[] {
  return SESSIONS.filter((session) => rig.takenBytes(session).length > 0);
}

describe('subscriptions that are due at once', () => {
  it('are served in several steps, one after the other without a pause', () => {
    const rig = watched();
    changeAll(rig, 2);
    const order: number[] = [];
    rig.advance(0, () => {
      const now = served(rig);
      expect(now).toHaveLength(1);
      order.push(...now);
    });
    expect(order).toEqual(SESSIONS);
  });

  it('are served in one step where there is little to send', () => {
    const rig = watched();
    const [series] = rig.series;
    if (series !== undefined) rig.put(series, 2, { mean: 1 });
    rig.fanout.tick(rig.now);
    expect(served(rig)).toEqual(SESSIONS);
  });

  it('are served by turns where the first are due again before the last was', () => {
    const rig = watched(5000);
    // Every flush ends before all is sent: a socket takes one message of 4096 windows.
    rig.port.unsent = UNSENT_BYTES_MAX - 1;
    const times = new Map(SESSIONS.map((session) => [session, 0]));
    for (let second = 2; second < 2 + 2 * SESSIONS.length; second += 1) {
      changeAll(rig, second);
      rig.ms += 60;
      rig.fanout.tick(rig.now);
      for (const session of served(rig)) times.set(session, (times.get(session) as number) + 1);
    }
    const all = [...times.values()];
    expect(Math.max(...all) - Math.min(...all)).toBeLessThanOrEqual(1);
  });
});
