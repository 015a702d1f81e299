import type { CreditWorld } from '../credit-world.ts';
import type { Device, Telling } from '../device.ts';
import { capacityOf } from '../log-model.ts';
import {
  ALARM,
  costOn,
  ENDLESS_BACKFILL,
  FILE_LOG,
  goodputInCost,
  goodputOf,
  jainOf,
  live,
  meanOf,
  NOTHING,
  payloadOf,
  payloadOn,
  peakOf,
  type Scenario,
  secondsUntilRate,
  settledOn,
  spread,
} from '../scenario.ts';

const LIVE_BYTES = 644;
const fileRate = (): number => payloadOf(FILE_LOG, LIVE_BYTES);

const cell300: Scenario = {
  says: '500 cellular devices, all RTT 300 ms ± jitter, 125 KB/s links, overload',
  log: FILE_LOG,
  measuredS: [8, 28],
  plan: (world) => {
    world.addMany(500, () => ({
      rttMs: 300,
      jitter: 0.3,
      linkBytesPerSecond: 125e3,
      lanes: [ALARM, live(LIVE_BYTES, 1.2e5)],
    }));
    return NOTHING;
  },
  goodput: goodputOf(LIVE_BYTES),
};

const lanes: Scenario = {
  says: '100 devices: lane 1 at 60 %, lane 2 endless backlog; from 15 s lane 1 at 5×',
  log: FILE_LOG,
  measuredS: [5, 25],
  plan: (world) => {
    const share = fileRate() / 100;
    world.addMany(100, (index) => ({
      rttMs: spread(index, 100, 1, 100),
      lanes: [ALARM, live(LIVE_BYTES, 0.6 * share), ENDLESS_BACKFILL],
    }));
    const settled = () => [settledOn(world.devices, 1), settledOn(world.devices, 2)] as const;
    let early = settled();
    let late = settled();
    world.at(4.999, () => {
      early = settled();
    });
    world.at(14.999, () => {
      late = settled();
    });
    world.at(15, () => {
      for (const device of world.devices) world.setRate(device, 1, 5 * share);
    });
    return () => ({
      live: (late[0] - early[0]) / 10 / (0.6 * fileRate()),
      back: (late[1] - early[1]) / 10 / capacityOf(FILE_LOG),
      backOver: (settled()[1] - late[1]) / 10 / capacityOf(FILE_LOG),
    });
  },
  goodput: goodputInCost,
};

const lane2: Scenario = {
  says: '100 devices with nothing but an endless lane 2',
  log: FILE_LOG,
  measuredS: [5, 20],
  plan: (world) => {
    world.addMany(100, (index) => ({
      rttMs: spread(index, 100, 1, 200),
      lanes: [ALARM, ENDLESS_BACKFILL],
    }));
    return () => ({
      j2: jainOf(world.devices.map(({ measuredCost }) => measuredCost[2])),
      p50: world.measures.sojourn[2].quantile(0.5),
      p99: world.measures.sojourn[2].quantile(0.99),
    });
  },
  goodput: ({ measures, measuredS }) =>
    measures.settledBytes[2] / measuredS / payloadOf(FILE_LOG, 2048),
  fair: null,
};

const weights: Scenario = {
  says: '300 devices, weights 1:2:4, 10×',
  log: FILE_LOG,
  measuredS: [5, 25],
  plan: (world) => {
    world.addMany(300, (index) => {
      const weight = [1, 2, 4][index % 3] ?? 1;
      return {
        rttMs: world.dice.between(1, 300),
        weight,
        group: `w${weight}`,
        lanes: [ALARM, live(LIVE_BYTES, 1e6)],
      };
    });
    const got = (name: string) => payloadOn(world.group(name), 1);
    return () => ({ w2: got('w2') / got('w1'), w4: got('w4') / got('w1') });
  },
  goodput: goodputOf(LIVE_BYTES),
  fair: null,
};

const nobl: Scenario = {
  says: 'devices never report bl; idle 5 s, then 200 devices 10×, RTT 1–300 ms',
  log: FILE_LOG,
  measuredS: [10, 25],
  plan: (world) => {
    world.addMany(200, (index) => ({
      rttMs: spread(index, 200, 1, 300),
      telling: 'none',
      lanes: [ALARM, live(LIVE_BYTES, LIVE_BYTES)],
    }));
    world.at(5, () => {
      for (const device of world.devices) world.setRate(device, 1, 1e6);
    });
    return () => ({
      t95: secondsUntilRate(world, 5, 0.95 * fileRate()),
      peakMs: peakOf(world, 'sojournMaxMs', [5, 25]),
    });
  },
  goodput: goodputOf(LIVE_BYTES),
};

const TELLINGS: readonly Telling[] = ['honest', 'none', 'zero', 'huge'];

const misreport: Scenario = {
  says: '200 devices 10×, RTT 1–300 ms: bl honest, absent, always 0, always 4 GB',
  log: FILE_LOG,
  measuredS: [8, 28],
  plan: (world) => {
    world.addMany(200, (index) => {
      const telling = TELLINGS[index % 4] ?? 'honest';
      return {
        rttMs: spread(index, 200, 1, 300),
        telling,
        group: telling,
        lanes: [ALARM, live(LIVE_BYTES, 1e6)],
      };
    });
    const ofHonest = (name: string) =>
      costOn(world.group(name), 1) / costOn(world.group('honest'), 1);
    return () => ({ none: ofHonest('none'), zero: ofHonest('zero'), huge: ofHonest('huge') });
  },
  goodput: goodputOf(LIVE_BYTES),
};

/** How late the event loop was at most, in 99 of 100 looks. */
const late99 = ({ gateway }: CreditWorld): number => {
  const all = [...gateway.lateMs].sort((a, b) => a - b);
  return all[Math.floor(0.99 * all.length)] ?? 0;
};

const cpu: Scenario = {
  says: 'gateway CPU is the bottleneck (50 µs a frame, 120 B frames), 500 devices',
  log: { baseMs: 2, bytesPerSecond: 100e6 },
  frameCpuMs: 0.05,
  flowCpuMs: 0.01,
  measuredS: [5, 15],
  plan: (world) => {
    world.addMany(500, (index) => ({
      rttMs: spread(index, 500, 1, 100),
      lanes: [ALARM, live(120, 5e4)],
    }));
    return NOTHING;
  },
  // 20 000 frames a second are what the CPU can do.
  goodput: ({ measures, measuredS }) => measures.settledBytes[1] / measuredS / (20_000 * 120),
  plusMs: late99,
};

const zombies: Scenario = {
  says: '400 devices 3×, RTT 20–100 ms; at 10 s half vanish without a FIN',
  log: FILE_LOG,
  measuredS: [5, 20],
  plan: (world) => {
    world.addMany(400, (index) => ({
      rttMs: spread(index, 400, 20, 100),
      group: index % 2 === 0 ? 'gone' : 'stay',
      lanes: [ALARM, live(LIVE_BYTES, (3 * fileRate()) / 200)],
    }));
    world.at(10, () => {
      for (const device of world.group('gone')) device.freeze();
    });
    return () => {
      const after = world.measures.samples.filter(({ atS }) => atS > 10.2 && atS < 14);
      return { dip: Math.min(...after.map(({ rate }) => rate)) / fileRate() };
    };
  },
  goodput: (world) => meanOf(world, 'rate', [10.5, 20]) / fileRate(),
  fair: 'stay',
};

/** Drops a device's connection again and again, on the average every 3 s. */
function dropOften(world: CreditWorld, device: Device, awayS: () => number): void {
  const nextS = () => -3 * Math.log(1 - world.dice.random());
  const drop = (): void => {
    if (world.nowS > 22) return;
    world.disconnect(device);
    world.reconnect(device, awayS());
    world.at(world.nowS + 0.6 + nextS(), drop);
  };
  world.at(1 + nextS(), drop);
}

const churn: Scenario = {
  says: '1 000 devices 5×, each drops its connection about every 3 s',
  log: FILE_LOG,
  measuredS: [5, 25],
  plan: (world) => {
    world.addMany(1000, () => ({
      rttMs: world.dice.between(1, 201),
      lanes: [ALARM, live(LIVE_BYTES, 1e5)],
    }));
    for (const device of world.devices) dropOften(world, device, () => world.dice.between(0, 0.5));
    return NOTHING;
  },
  goodput: goodputOf(LIVE_BYTES),
};

const dups: Scenario = {
  says: '400 devices 5×, drops every 3 s, every frame in the pipeline comes again after resume',
  log: FILE_LOG,
  hasDuplicates: true,
  measuredS: [5, 25],
  plan: (world) => {
    world.addMany(400, () => ({
      rttMs: world.dice.between(1, 201),
      lanes: [ALARM, live(LIVE_BYTES, 3e5)],
    }));
    for (const device of world.devices) dropOften(world, device, () => 0.05);
    return () => ({ dupShare: world.measures.duplicates / world.measures.frames });
  },
  goodput: goodputOf(LIVE_BYTES),
};

const solo300: Scenario = {
  says: 'one device, RTT 300 ms, endless backlog',
  log: FILE_LOG,
  measuredS: [6, 20],
  plan: (world) => {
    world.add({ rttMs: 300, linkBytesPerSecond: 125e6, lanes: [ALARM, live(2048, 1e8)] });
    return () => ({ t95: secondsUntilRate(world, 0, 0.95 * payloadOf(FILE_LOG, 2048)) });
  },
  goodput: goodputOf(2048),
};

const sat600: Scenario = {
  says: '20 devices, RTT 600 ms (satellite), 10×',
  log: FILE_LOG,
  measuredS: [10, 30],
  plan: (world) => {
    world.addMany(20, () => ({
      rttMs: 600,
      linkBytesPerSecond: 125e6,
      lanes: [ALARM, live(LIVE_BYTES, 1e7)],
    }));
    return () => ({ t95: secondsUntilRate(world, 0, 0.95 * fileRate()) });
  },
  goodput: goodputOf(LIVE_BYTES),
};

const FIFTY: Omit<Scenario, 'says' | 'plan'> = {
  log: FILE_LOG,
  measuredS: [6, 20],
  goodput: goodputOf(LIVE_BYTES),
};

const rttLow: Scenario = {
  ...FIFTY,
  says: '50 devices RTT 300 ms, 10×; Pongs say 60 ms (a proxy answers them)',
  plan: (world) => {
    world.addMany(50, () => ({ rttMs: 300, pongs: 0.2, lanes: [ALARM, live(LIVE_BYTES, 4e6)] }));
    return NOTHING;
  },
  // The error of the round trip, CREDIT §8.
  plusMs: () => 240,
};

const rttHigh: Scenario = {
  ...FIFTY,
  says: '50 devices RTT 50 ms, 10×; Pongs take 500 ms (a busy device)',
  plan: (world) => {
    world.addMany(50, () => ({ rttMs: 50, pongs: 10, lanes: [ALARM, live(LIVE_BYTES, 4e6)] }));
    return NOTHING;
  },
  // The error of the round trip, CREDIT §8.
  plusMs: () => 450,
};

const jitter: Scenario = {
  ...FIFTY,
  says: '200 devices RTT 100 ms + up to 400 ms jitter, 10×',
  plan: (world) => {
    world.addMany(200, () => ({ rttMs: 100, jitter: 2, lanes: [ALARM, live(LIVE_BYTES, 1e6)] }));
    return NOTHING;
  },
};

/** What devices are like, and what they do. */
export const PEER_SCENARIOS: Readonly<Record<string, Scenario>> = {
  cell300,
  lanes,
  lane2,
  weights,
  nobl,
  misreport,
  cpu,
  zombies,
  churn,
  dups,
  solo300,
  sat600,
  rttLow,
  rttHigh,
  jitter,
};
