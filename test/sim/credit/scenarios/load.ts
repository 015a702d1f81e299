import {
  ALARM,
  costOn,
  FILE_LOG,
  goodputInCost,
  goodputOf,
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

const SESSIONS_TESTED = 20_100;
const LIVE_BYTES = 644;

const calm: Scenario = {
  says: '200 devices, 30 % load, RTT 1–300 ms',
  log: FILE_LOG,
  measuredS: [5, 20],
  plan: (world) => {
    const rate = (0.3 * payloadOf(FILE_LOG, LIVE_BYTES)) / 200;
    world.addMany(200, (index) => ({
      rttMs: spread(index, 200, 1, 300),
      lanes: [ALARM, live(LIVE_BYTES, rate)],
    }));
    return NOTHING;
  },
  goodput: ({ measures, measuredS }) =>
    measures.settledBytes[1] / measuredS / (0.3 * payloadOf(FILE_LOG, LIVE_BYTES)),
};

const GREEDY_LOG = { baseMs: 2, bytesPerSecond: 10e6 };

const greedy: Scenario = {
  says: '20 devices, 10× offered; one offers 100× its share',
  log: GREEDY_LOG,
  measuredS: [5, 25],
  plan: (world) => {
    const share = payloadOf(GREEDY_LOG, LIVE_BYTES) / 20;
    world.addMany(20, (index) => ({
      rttMs: 2,
      linkBytesPerSecond: 125e6,
      group: index === 0 ? 'greedy' : 'equal',
      lanes: [ALARM, live(LIVE_BYTES, (index === 0 ? 100 : 5.2) * share)],
    }));
    return () => ({
      greedyShare: (19 * payloadOn(world.group('greedy'), 1)) / payloadOn(world.group('equal'), 1),
    });
  },
  goodput: goodputOf(LIVE_BYTES),
  fair: 'equal',
};

const mixed: Scenario = {
  says: '2 000 devices, RTT 1–300 ms, frames 120 B–8 KB, 10× offered',
  log: FILE_LOG,
  measuredS: [8, 28],
  plan: (world) => {
    const sizes = [120, 644, 2048, 8128];
    world.addMany(2000, (index) => ({
      rttMs: world.dice.between(1, 300),
      lanes: [ALARM, live(sizes[index % 4] ?? 0, 1e5)],
    }));
    return NOTHING;
  },
  goodput: goodputInCost,
};

const crowd: Scenario = {
  says: '20 000 devices, all backlogged, RTT 5–300 ms, 644 B',
  log: FILE_LOG,
  sessions: SESSIONS_TESTED,
  measuredS: [12, 42],
  plan: (world) => {
    world.addMany(20_000, () => ({
      rttMs: world.dice.between(5, 300),
      connectAtS: world.dice.between(0, 4),
      lanes: [RARE_ALARM, live(LIVE_BYTES, 1e4)],
    }));
    return NOTHING;
  },
  goodput: goodputOf(LIVE_BYTES),
};

const hot1pct: Scenario = {
  says: '20 000 connected: 200 hot (10×), 19 800 send 200 B/s',
  log: FILE_LOG,
  sessions: SESSIONS_TESTED,
  measuredS: [8, 23],
  plan: (world) => {
    world.addMany(20_000, (index) => {
      const isHot = index % 100 === 0;
      return {
        rttMs: world.dice.between(5, 300),
        connectAtS: world.dice.between(0, 4),
        group: isHot ? 'hot' : 'light',
        lanes: [RARE_ALARM, isHot ? live(LIVE_BYTES, 1e6) : live(200, 200)],
      };
    });
    return () => {
      const light = world.group('light');
      return { lightGot: payloadOn(light, 1) / world.measuredS / 200 / light.length };
    };
  },
  goodput: goodputInCost,
  fair: 'hot',
};

/** Fifty devices that are all but idle for 5 s, and then offer ten times what the log takes. */
function rampOf(rttMs: number, measuredS: readonly [number, number]): Scenario {
  return {
    says: `idle 5 s, then 50 devices × 10× offered, RTT ${rttMs} ms`,
    log: FILE_LOG,
    measuredS,
    plan: (world) => {
      world.addMany(50, () => ({ rttMs, lanes: [ALARM, live(LIVE_BYTES, LIVE_BYTES)] }));
      world.at(5, () => {
        for (const device of world.devices) world.setRate(device, 1, 4e6);
      });
      return () => ({
        t95: secondsUntilRate(world, 5, 0.95 * payloadOf(FILE_LOG, LIVE_BYTES)),
        peakMs: peakOf(world, 'sojournMaxMs', [5, measuredS[1]]),
      });
    },
    goodput: goodputOf(LIVE_BYTES),
  };
}

const FAST_LOG = { baseMs: 2, bytesPerSecond: 100e6 };

const reramp: Scenario = {
  says: 'busy 5 s, 20 s of 2 % load, busy again at 25 s; 50 devices RTT 100 ms, 100 MB/s log',
  log: FAST_LOG,
  measuredS: [26, 32],
  plan: (world) => {
    world.addMany(50, () => ({
      rttMs: 100,
      linkBytesPerSecond: 5e7,
      lanes: [ALARM, live(4096, 2e7)],
    }));
    world.at(5, () => {
      for (const device of world.devices) world.restart(device, 1, 3e4);
    });
    world.at(25, () => {
      for (const device of world.devices) world.setRate(device, 1, 2e7);
    });
    return () => ({
      t95: secondsUntilRate(world, 25, 0.95 * payloadOf(FAST_LOG, 4096)),
      peakMs: peakOf(world, 'sojournMaxMs', [25, 32]),
    });
  },
  goodput: goodputOf(4096),
};

const bursts: Scenario = {
  says: '200 on-off devices (1 s in 5, 10× share), mean load 2×',
  log: FILE_LOG,
  measuredS: [5, 25],
  plan: (world) => {
    const share = payloadOf(FILE_LOG, LIVE_BYTES) / 200;
    const devices = world.addMany(200, (index) => ({
      rttMs: spread(index, 200, 1, 200),
      lanes: [ALARM, live(LIVE_BYTES, 0)],
    }));
    for (const device of devices) {
      const phaseS = world.dice.between(0, 5);
      for (let startS = phaseS; startS < 30; startS += 5) {
        world.at(startS, () => world.setRate(device, 1, 10 * share));
        world.at(startS + 1, () => world.setRate(device, 1, 0));
      }
    }
    return NOTHING;
  },
  goodput: goodputOf(LIVE_BYTES),
};

const steady: Scenario = {
  says: '40 live devices × 100 KB/s, RTT 200 ms, log at 20 %: does credit delay a calm device?',
  log: FILE_LOG,
  measuredS: [5, 20],
  plan: (world) => {
    world.addMany(40, () => ({ rttMs: 200, lanes: [ALARM, live(LIVE_BYTES, 1e5)] }));
    const held: number[] = [];
    for (let atS = 5; atS < 20; atS += 0.05) {
      world.at(atS, () => {
        for (const device of world.devices) {
          held.push(Math.max(0, world.waiting(device, 1) - LIVE_BYTES));
        }
      });
    }
    return () => {
      held.sort((a, b) => a - b);
      const msOf = (part: number) => (held[Math.floor(part * held.length)] ?? 0) / 100;
      return { heldMs50: msOf(0.5), heldMs99: msOf(0.99) };
    };
  },
  goodput: ({ measures, measuredS }) => measures.settledBytes[1] / measuredS / (40 * 1e5),
};

const STORM_LOG = { baseMs: 2, bytesPerSecond: 40e6 };

const storm: Scenario = {
  says: '20 000 devices reconnect in 5 s, 16 KB held each; 100 calm ones',
  log: STORM_LOG,
  sessions: SESSIONS_TESTED,
  measuredS: [3, 30],
  plan: (world) => {
    world.addMany(100, () => ({
      rttMs: 20,
      group: 'calm',
      lanes: [ALARM, live(LIVE_BYTES, 20e3)],
    }));
    world.addMany(20_000, () => ({
      rttMs: world.dice.between(20, 220),
      linkBytesPerSecond: 2.5e5,
      group: 'storm',
      connectAtS: world.dice.between(5, 10),
      lanes: [RARE_ALARM, live(LIVE_BYTES, 200, 16_384)],
    }));
    return () => ({
      peakMs: peakOf(world, 'sojournMaxMs', [5, 30]),
      over400: secondsAbove(world, 5, ['sojournMs', 400]),
      drained: secondsAbove(world, 5, ['rate', 25e6]),
    });
  },
  goodput: (world) => meanOf(world, 'rate', [6, 12]) / payloadOf(STORM_LOG, LIVE_BYTES),
  fair: 'storm',
};

const huge: Scenario = {
  says: '20 devices with 8 KB frames among 400 with 40 B frames, 10×',
  log: FILE_LOG,
  measuredS: [5, 20],
  plan: (world) => {
    world.addMany(420, (index) => {
      const isHuge = index % 21 === 0;
      return {
        rttMs: world.dice.between(1, 101),
        group: isHuge ? 'huge' : 'small',
        lanes: [ALARM, live(isHuge ? 8128 : 40, 5e5)],
      };
    });
    return () => ({
      ratio: (20 * costOn(world.group('huge'), 1)) / costOn(world.group('small'), 1),
    });
  },
  goodput: goodputInCost,
};

const fast: Scenario = {
  says: '16 LAN devices, 100 MB/s log, 10×',
  log: FAST_LOG,
  measuredS: [3, 8],
  plan: (world) => {
    world.addMany(16, () => ({
      rttMs: 1,
      linkBytesPerSecond: 125e6,
      lanes: [ALARM, live(8128, 60e6)],
    }));
    return NOTHING;
  },
  goodput: goodputOf(8128),
};

/** How much is offered, and by how many. */
export const LOAD_SCENARIOS: Readonly<Record<string, Scenario>> = {
  calm,
  greedy,
  mixed,
  crowd,
  hot1pct,
  ramp: rampOf(100, [7, 15]),
  ramp300: rampOf(300, [9, 20]),
  reramp,
  bursts,
  steady,
  storm,
  huge,
  fast,
};
