import type { CreditWorld } from '../credit-world.ts';
import { capacityOf, type LogSpec } from '../log-model.ts';
import {
  ALARM,
  costOn,
  FILE_LOG,
  goodputOf,
  jainOf,
  live,
  meanOf,
  NOTHING,
  payloadOf,
  payloadOn,
  peakOf,
  RARE_ALARM,
  type Scenario,
  secondsAbove,
  secondsUntilRate,
  spread,
} from '../scenario.ts';

const LIVE_BYTES = 644;
/** What the file log takes of the frames of these scenarios. Units: bytes of payload per s. */
const fileRate = (): number => payloadOf(FILE_LOG, LIVE_BYTES);

/** Two hundred devices near and far that offer so much each. */
const addNearAndFar = (world: CreditWorld, bytesPerSecond: number): void => {
  world.addMany(200, (index) => ({
    rttMs: spread(index, 200, 1, 300),
    lanes: [ALARM, live(LIVE_BYTES, bytesPerSecond)],
  }));
};

/** The same without anything on lane 0. */
const addBulkOnly = (world: CreditWorld): void => {
  world.addMany(200, (index) => ({
    rttMs: spread(index, 200, 1, 300),
    lanes: [live(LIVE_BYTES, 5e5)],
  }));
};

const stall: Scenario = {
  says: 'log stops 10–20 s, 3× offered, 200 devices RTT 1–300 ms',
  log: FILE_LOG,
  measuredS: [5, 32],
  plan: (world) => {
    addNearAndFar(world, (3 * fileRate()) / 200);
    world.at(10, () => world.setDown(true));
    world.at(20, () => world.setDown(false));
    return () => ({
      rec95: secondsUntilRate(world, 20, 0.95 * fileRate()),
      after: secondsAbove(world, 20.15, ['sojournMs', 400]),
      peakMB: peakOf(world, 'queuedBytes', [10, 20]) / 1e6,
    });
  },
  goodput: (world) => meanOf(world, 'rate', [21, 32]) / fileRate(),
  plusMs: () => 10_000,
};

const SLOW_BYTES_PER_SECOND = 2e6;

const slow10: Scenario = {
  says: 'drain rate 20 → 2 → 20 MB/s at 10 s and 20 s, 3× offered',
  log: FILE_LOG,
  measuredS: [5, 30],
  plan: (world) => {
    addNearAndFar(world, (3 * fileRate()) / 200);
    const drain = (bytesPerSecond: number): void => {
      for (const log of world.logs) log.bytesPerSecond = bytesPerSecond;
    };
    world.at(10, () => drain(SLOW_BYTES_PER_SECOND));
    world.at(20, () => drain(FILE_LOG.bytesPerSecond));
    const slowRate = payloadOf({ baseMs: 2, bytesPerSecond: SLOW_BYTES_PER_SECOND }, LIVE_BYTES);
    return () => ({
      slowGood: meanOf(world, 'rate', [13, 20]) / slowRate,
      peakMs: peakOf(world, 'sojournMaxMs', [10, 20]),
      settle: secondsAbove(world, 10, ['sojournMs', 400]),
      slowSoj: meanOf(world, 'sojournMs', [15, 20]),
      back95: secondsUntilRate(world, 20, 0.95 * fileRate()),
    });
  },
  goodput: (world) => meanOf(world, 'rate', [22, 30]) / fileRate(),
  // (T + R) × D/D′, CREDIT §8.
  plusMs: () => (150 + 150) * 10,
};

/** A log whose appends cost much by themselves: a Kafka that is far away. */
const farLog = (baseMs: number, sigma: number): LogSpec => ({
  baseMs,
  bytesPerSecond: 40e6,
  sigma,
  spike: 3,
});

const kafka60: Scenario = {
  says: 'Kafka far away: append 60 ms ± 40 %, 40 MB/s; 200 devices, 10×',
  log: farLog(60, 0.4),
  measuredS: [6, 26],
  plan: (world) => {
    addNearAndFar(world, 5e5);
    return NOTHING;
  },
  goodput: goodputOf(LIVE_BYTES),
};

const VERY_FAR_LOG = farLog(150, 0.3);

const kafka150: Scenario = {
  ...kafka60,
  says: 'append 150 ms',
  log: VERY_FAR_LOG,
  measuredS: [8, 28],
};

const kafka150n: Scenario = {
  ...kafka150,
  says: 'append 150 ms, nothing on lane 0: only forced small appends tell its cost',
  plan: (world) => {
    addBulkOnly(world);
    return NOTHING;
  },
};

const worse: Scenario = {
  says: 'an append costs 2 ms, from 8 s on 150 ms; nothing on lane 0; 200 devices 10×',
  log: farLog(2, 0.3),
  measuredS: [20, 40],
  plan: (world) => {
    addBulkOnly(world);
    world.at(8, () => {
      for (const log of world.logs) log.baseMs = VERY_FAR_LOG.baseMs;
    });
    return () => ({
      first: meanOf(world, 'rate', [9, 20]) / payloadOf(VERY_FAR_LOG, LIVE_BYTES),
    });
  },
  goodput: (world) => meanOf(world, 'rate', [20, 40]) / payloadOf(VERY_FAR_LOG, LIVE_BYTES),
  plusMs: () => 300,
};

const THROTTLED_LOG: LogSpec = { baseMs: 10, bytesPerSecond: 0.3e6 };

const slowlog: Scenario = {
  says: 'log drains 0.3 MB/s (throttled), 200 devices; goodput is of what 32 KiB batches give',
  log: THROTTLED_LOG,
  measuredS: [60, 120],
  plan: (world) => {
    world.addMany(200, (index) => ({
      rttMs: spread(index, 200, 1, 300),
      lanes: [RARE_ALARM, live(LIVE_BYTES, 1e5)],
    }));
    return () => ({ ofBigBatches: goodputOf(LIVE_BYTES)(world) });
  },
  goodput: ({ measures, measuredS }) =>
    measures.settledBytes[1] / measuredS / payloadOf(THROTTLED_LOG, LIVE_BYTES, 32 * 1024),
};

const TRICKLE_LOG: LogSpec = { baseMs: 5, bytesPerSecond: 60e3 };

const few: Scenario = {
  says: 'log drains 60 KB/s, 12 devices: all they may send is less than a first guess of its queue',
  log: TRICKLE_LOG,
  measuredS: [20, 80],
  plan: (world) => {
    world.addMany(12, () => ({ rttMs: 20, lanes: [RARE_ALARM, live(LIVE_BYTES, 50e3)] }));
    return () => ({});
  },
  goodput: goodputOf(LIVE_BYTES),
};

const SHARD_LOG: LogSpec = { baseMs: 2, bytesPerSecond: 2.5e6 };
const SHARDS = 8;
const GROUPS = ['ok', 'slow', 'down', 'ok', 'ok', 'ok', 'ok', 'ok'];

const shards: Scenario = {
  says: '8 logs of 2.5 MB/s, 160 devices 10×; log 1 drains 0.25 MB/s from 8 s; log 2 is down 12–16 s',
  log: SHARD_LOG,
  pipes: SHARDS,
  measuredS: [5, 25],
  plan: (world) => {
    world.addMany(160, (index) => ({
      rttMs: world.dice.between(1, 101),
      pipe: index % SHARDS,
      group: GROUPS[index % SHARDS] ?? 'ok',
      lanes: [ALARM, live(LIVE_BYTES, 1.25e6)],
    }));
    world.at(8, () => {
      const slow = world.logs[1];
      if (slow) slow.bytesPerSecond = 2.5e5;
    });
    world.at(12, () => world.setDown(true, 2));
    world.at(16, () => world.setDown(false, 2));
    return () => ({ slowGood: shardGoodput(world, 'slow', 1) });
  },
  goodput: (world) => shardGoodput(world, 'ok', SHARDS - 2),
  fair: 'ok',
};

const shardGoodput = (world: CreditWorld, group: string, count: number): number =>
  payloadOn(world.group(group), 1) / world.measuredS / count / payloadOf(SHARD_LOG, LIVE_BYTES);

/** Both logs share a disk: their parts may sum to more than 1. */
const onOneDisk = ({ measures, measuredS }: CreditWorld): number => {
  const bulk = (measures.settledBytes[1] / LIVE_BYTES) * (LIVE_BYTES + 64);
  const alarms = (measures.settledBytes[0] / 120) * (120 + 64);
  return (bulk + alarms) / measuredS / capacityOf(FILE_LOG);
};

const flood0: Scenario = {
  says: '100 devices bulk 3×, alarms 1/s; 10 of them flood lane 0 with 1 MB/s',
  log: FILE_LOG,
  measuredS: [5, 25],
  plan: (world) => {
    world.addMany(100, (index) => {
      const isFlood = index % 10 === 0;
      return {
        rttMs: spread(index, 100, 1, 100),
        group: isFlood ? 'flood' : 'ok',
        lanes: [
          { lane: 0, frameBytes: 120, bytesPerSecond: isFlood ? 1e6 : 120 },
          live(LIVE_BYTES, 6e5),
        ],
      };
    });
    return () => ({
      floodKiBs: costOn(world.group('flood'), 0) / world.measuredS / 10 / 1024,
      okHeld: Math.max(...world.group('ok').map((device) => world.waiting(device, 0))),
    });
  },
  goodput: onOneDisk,
};

const flood0all: Scenario = {
  says: '2 000 devices all flood lane 0 (16 KiB/s each = 33 MB/s) and offer bulk 3×',
  log: FILE_LOG,
  measuredS: [8, 28],
  plan: (world) => {
    world.addMany(2000, (index) => ({
      rttMs: spread(index, 2000, 1, 100),
      lanes: [{ lane: 0, frameBytes: 120, bytesPerSecond: 2e4 }, live(LIVE_BYTES, 3e4)],
    }));
    return () => {
      const capacity = capacityOf(FILE_LOG) * world.measuredS;
      return {
        alarms: costOn(world.devices, 0) / capacity,
        bulk: costOn(world.devices, 1) / capacity,
        j0: jainOf(world.devices.map(({ measuredCost }) => measuredCost[0])),
      };
    };
  },
  goodput: onOneDisk,
};

/** What the log is like, and what becomes of it. */
export const LOG_SCENARIOS: Readonly<Record<string, Scenario>> = {
  stall,
  slow10,
  kafka60,
  kafka150,
  kafka150n,
  worse,
  slowlog,
  few,
  shards,
  flood0,
  flood0all,
};
