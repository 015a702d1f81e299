import { DeviceSession } from '../../src/client/device-session.ts';
import { SimClock } from './clock.ts';
import { SimDashboard } from './dashboard.ts';
import { type Flash, type Program, SimDevice } from './device.ts';
import { type Habits, SETS } from './habits.ts';
import { MinimalDevice } from './minimal-device.ts';
import type { DashboardHabits } from './plan.ts';
import { Dice } from './random.ts';
import { RudeDevice } from './rude-device.ts';
import type { World } from './world.ts';

/** A device of this world, with its program, its clock, and dice of its own. */
export function deviceOf(world: World, habits: Habits): SimDevice {
  const { timeline, plan, tell, tally } = world;
  const { path, codec } = habits;
  const dice = new Dice(plan.seed, `${path} program`);
  return new SimDevice({
    habits,
    timeline,
    clock: new SimClock(timeline, habits.clock),
    dice: new Dice(plan.seed, path),
    tell,
    strike: tally.strike,
    boot: (flash) => programOf(habits, dice, flash),
    dial: (device) => world.dial(device, { party: path, isDevice: true, codec }),
  });
}

/** A dashboard of this world. */
export function dashboardOf(world: World, habits: DashboardHabits): SimDashboard {
  const { timeline, plan, tell } = world;
  const { name, codec } = habits;
  return new SimDashboard({
    habits,
    timeline,
    dice: new Dice(plan.seed, name),
    tell,
    dial: (dashboard) => world.dial(dashboard, { party: name, isDevice: false, codec }),
  });
}

function programOf(habits: Habits, dice: Dice, flash: Flash | null): Program {
  if (habits.firmware === 'minimal') return new MinimalDevice(habits, dice, flash);
  if (habits.firmware === 'rude') return new RudeDevice(habits.heartbeatMs, dice);
  return libraryProgram(habits, dice);
}

function libraryProgram(habits: Habits, dice: Dice): Program {
  const session = new DeviceSession({
    url: 'ws://127.0.0.1:8080/v1',
    codec: habits.codec,
    sets: SETS,
    lanes: habits.lanes,
    ringBytesMax: habits.ringBytesMax,
    whenFull: habits.whenFull,
    random: dice.random,
    heartbeatMs: habits.heartbeatMs,
    keepsBlocks: true,
  });
  return {
    get wakeAtMs() {
      return session.wakeAtMs;
    },
    get retained() {
      return session.ring.count;
    },
    step: (input, now) => session.step(input, now),
    qosOf: () => 1,
  };
}
