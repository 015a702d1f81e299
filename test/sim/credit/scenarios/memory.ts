import type { CreditWorld } from '../credit-world.ts';
import { capacityOf } from '../log-model.ts';
import {
  ALARM,
  costOn,
  FILE_LOG,
  goodputOf,
  jainOf,
  live,
  NOTHING,
  payloadOf,
  payloadOn,
  peakOf,
  RARE_ALARM,
  type Scenario,
  secondsAbove,
  settledOn,
  spread,
} from '../scenario.ts';

const LIVE_BYTES = 644;
const MIB = 1024 * 1024;

const allhot: Scenario = {
  says: '5 000 idle devices (RTT 5–200 ms) all have 200 KB at 8 s: standing windows come at once',
  log: FILE_LOG,
  measuredS: [14, 30],
  plan: (world) => {
    world.addMany(5000, (index) => ({
      rttMs: spread(index, 5000, 5, 200),
      connectAtS: world.dice.between(0, 2),
      lanes: [ALARM, live(LIVE_BYTES, 0)],
    }));
    world.at(8, () => {
      for (const device of world.devices) world.addBacklog(device, 1, 2e5);
    });
    return () => ({
      peakMs: peakOf(world, 'sojournMaxMs', [8, 30]),
      over400: secondsAbove(world, 8, ['sojournMaxMs', 400]),
      standingMs: ((5000 * 16_512) / capacityOf(FILE_LOG)) * 1000,
    });
  },
  goodput: goodputOf(LIVE_BYTES),
};

const ROTATED_BYTES = 2048;

/** Forty devices are hot for a second, then forty others, twice round. */
function rotateOf(says: string, isTelling: boolean): Scenario {
  return {
    says,
    log: { baseMs: 2, bytesPerSecond: 60e6 },
    measuredS: [5, 60],
    plan: (world) => {
      let frames = 0;
      for (let index = 0; index < 2000; index += 1) {
        const device = world.add({
          rttMs: 50,
          telling: isTelling ? 'honest' : 'none',
          lanes: [RARE_ALARM, live(ROTATED_BYTES, 0)],
        });
        let offered = 0;
        for (const round of [0, 50]) {
          const atS = 1 + Math.floor(index / 40) + round + world.dice.between(0, 0.5);
          const bytes = 2.5e5 * (1 + world.dice.between(0, 8));
          // The second round is cut short by the end of the run.
          if (atS <= 60) offered += bytes;
          world.at(atS, () => world.addBacklog(device, 1, bytes));
        }
        frames += Math.floor(offered / ROTATED_BYTES);
      }
      offeredIn.set(world, frames * ROTATED_BYTES);
      return () => ({
        strandedMB: strandedBytes(world) / 1e6,
        p99: world.measures.sojourn[1].quantile(0.99),
      });
    },
    goodput: (world) => settledOn(world.devices, 1) / (offeredIn.get(world) ?? 0),
    fair: isTelling ? undefined : null,
  };
}

/** What was offered in a world. Units: bytes of payload. */
const offeredIn = new WeakMap<CreditWorld, number>();

/** Credit that lies with devices. */
const strandedBytes = ({ devices, gateway }: CreditWorld): number =>
  devices.reduce((sum, device) => {
    const channel = gateway.session(device)?.channel(1);
    return sum + (channel ? channel.limit - channel.received : 0);
  }, 0);

const rotate = rotateOf(
  '2 000 devices, 40 hot at a time for 1 s (2.5 MB bursts), RTT 50 ms: credit left behind',
  true,
);

const rotnobl = rotateOf('rotate, but nobody reports bl', false);

const SLOW_LINKS_LOG = { baseMs: 2, bytesPerSecond: 60e6 };

const slowlinks: Scenario = {
  says: '1 000 devices on 10 KB/s links with 5 MB held each; from 8 s 50 fast devices offer 5 MB/s; log 60 MB/s',
  log: SLOW_LINKS_LOG,
  measuredS: [10, 22],
  plan: (world) => {
    world.addMany(1000, () => ({
      rttMs: 100,
      linkBytesPerSecond: 1e4,
      group: 'slow',
      connectAtS: world.dice.between(0, 2),
      lanes: [live(1024, 0, 5e6)],
    }));
    world.addMany(50, () => ({ rttMs: 20, group: 'quick', lanes: [ALARM, live(1024, 0)] }));
    world.at(8, () => {
      for (const device of world.group('quick')) world.setRate(device, 1, 5e6);
    });
    return () => ({
      slowMBs: payloadOn(world.group('slow'), 1) / world.measuredS / 1e6,
      quickMBs: payloadOn(world.group('quick'), 1) / world.measuredS / 1e6,
      slowHeldMB: heldBytes(world, 'slow') / 1e6,
    });
  },
  goodput: (world) =>
    payloadOn(world.devices, 1) / world.measuredS / payloadOf(SLOW_LINKS_LOG, 1024),
  fair: 'quick',
};

/** Memory that is promised to lane 1 of a group. Units: bytes. */
const heldBytes = (world: CreditWorld, name: string): number =>
  world.group(name).reduce((sum, device) => {
    const channel = world.gateway.session(device)?.channel(1);
    return sum + (channel ? channel.limit - channel.settled : 0);
  }, 0);

const tight: Scenario = {
  says: 'budget 8 MiB, 300 devices 10×, RTT 1–300 ms',
  log: FILE_LOG,
  budgetBytes: 8 * MIB,
  sessions: 300,
  measuredS: [5, 20],
  plan: (world) => {
    world.addMany(300, (index) => ({
      rttMs: spread(index, 300, 1, 300),
      lanes: [ALARM, live(LIVE_BYTES, 1e6)],
    }));
    return NOTHING;
  },
  goodput: goodputOf(LIVE_BYTES),
};

const tiny: Scenario = {
  says: 'budget 4 MiB, 200 devices 10×, half with a quota of 20 KB/s, RTT 1–200 ms',
  log: FILE_LOG,
  budgetBytes: 4 * MIB,
  sessions: 200,
  measuredS: [5, 25],
  plan: (world) => {
    world.addMany(200, (index) => ({
      rttMs: world.dice.between(1, 201),
      ...(index % 2 === 0
        ? { group: 'quota', quota: { bytesPerSecond: 2e4, burst: 16_512 } }
        : { group: 'free' }),
      lanes: [ALARM, live(LIVE_BYTES, 1e6)],
    }));
    return () => ({ quotaKBs: quotaKilobytes(world, 100) });
  },
  goodput: goodputOf(LIVE_BYTES),
  fair: 'free',
};

const quota: Scenario = {
  says: '40 devices 10×, half with a quota of 100 KB/s, RTT 1–100 ms',
  log: FILE_LOG,
  measuredS: [6, 26],
  plan: (world) => {
    world.addMany(40, (index) => ({
      rttMs: world.dice.between(1, 101),
      ...(index % 2 === 0
        ? { group: 'quota', quota: { bytesPerSecond: 1e5, burst: 32_768 } }
        : { group: 'free' }),
      lanes: [ALARM, live(LIVE_BYTES, 5e6)],
    }));
    return () => ({
      quotaKBs: quotaKilobytes(world, 20),
      jq: jainOf(world.group('quota').map(({ measuredCost }) => measuredCost[1])),
    });
  },
  goodput: goodputOf(LIVE_BYTES),
  fair: 'free',
};

/** What a device with a quota got. Units: kB of cost per s. */
const quotaKilobytes = (world: CreditWorld, count: number): number =>
  costOn(world.group('quota'), 1) / world.measuredS / count / 1e3;

/** Where memory, or a quota, is what is short. */
export const MEMORY_SCENARIOS: Readonly<Record<string, Scenario>> = {
  allhot,
  rotate,
  rotnobl,
  slowlinks,
  tight,
  tiny,
  quota,
};
