import { createInterface } from 'node:readline';
import { CreditDevice, type LaneShape } from './credit-device.ts';
import { templateOf } from './frame.ts';

/**
 * As many devices as a node lets in, with frames of 40 bytes. Argument: the URL. Prints the number of
 * devices. A line on stdin is answered with what is not acked (`Filled`): `light`, after some seconds
 * in which every device sent a frame of each lane per second; `fill`, when nobody has credit left;
 * `end`, when all is acked, or a minute later.
 */
export interface Filled {
  readonly frames: number;
  /** Units: bytes of credit. */
  readonly cost: number;
  readonly disconnects: number;
}

const [url = ''] = process.argv.slice(2);
const DEVICES_MAX = 20_000;
const CONNECTS_PER_TURN = 20;
const TURN_MS = 20;
/** Time for credit to be given to whoever waits for it. Units: ms. */
const REST_MS = 3000;
/** Frames that every device sends of each lane, one in a second: the budget stays empty. */
const LIGHT_FRAMES = 10;
const LIGHT_STEPS = 50;
const ACKS_MS_MAX = 60_000;

const shapeOf = (lane: number, set: number): LaneShape => ({
  lane,
  set,
  cols: [[`a${lane}`], [`b${lane}`]],
  template: templateOf({ lane, set, columns: [Float32Array.of(1), Int16Array.of(2)] }),
});
const SHAPES = [shapeOf(0, 1), shapeOf(1, 2)];
let live = 0;
let refused = 0;
let disconnects = 0;
let isOver = false;
const listener = {
  onWelcome: () => {
    live += 1;
  },
  onFlow: () => undefined,
  onAcked: () => undefined,
  onEnd: (_device: CreditDevice, code: number) => {
    if (isOver) return;
    if (code === 503 || code === 4100) refused += 1;
    else disconnects += 1;
  },
};
const devices: CreditDevice[] = [];
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const say = (line: unknown): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`);
};

function held(): Filled {
  const lanes = devices.flatMap((device) => device.lanes);
  const frames = lanes.reduce((sum, { n, acked }) => sum + n - acked, 0);
  return { frames, cost: frames * (lanes[0]?.cost ?? 0), disconnects };
}

/** Sends what may be sent now; returns how many frames that were. */
function pump(): number {
  const now = performance.now();
  let sent = 0;
  for (const device of devices) {
    if (!device.isLive) continue;
    for (const lane of device.lanes) {
      while (lane.hasCredit && device.isFlushed) {
        device.send(lane, now, 1000);
        sent += 1;
      }
    }
  }
  return sent;
}

while (refused === 0 && devices.length < DEVICES_MAX) {
  for (let i = 0; i < CONNECTS_PER_TURN; i += 1) {
    const device = new CreditDevice(`fill/${devices.length}`, url, SHAPES, listener);
    devices.push(device);
    device.connect();
  }
  await sleep(TURN_MS);
}
await sleep(REST_MS);
say(live);

async function fill(): Promise<void> {
  for (let idleMs = 0; idleMs < REST_MS; idleMs = pump() > 0 ? 0 : idleMs + TURN_MS) {
    await sleep(TURN_MS);
  }
}

async function acked(): Promise<void> {
  const until = performance.now() + ACKS_MS_MAX;
  while (held().frames > 0 && performance.now() < until) await sleep(TURN_MS);
}

/** A part of the devices at a time, as devices that are not in step do. */
async function light(): Promise<void> {
  for (let step = 0; step < LIGHT_FRAMES * LIGHT_STEPS; step += 1) {
    const now = performance.now();
    for (let i = step % LIGHT_STEPS; i < devices.length; i += LIGHT_STEPS) {
      const device = devices[i] as CreditDevice;
      for (const lane of device.lanes) {
        if (device.isLive && lane.hasCredit) device.send(lane, now, 1e6);
      }
    }
    await sleep(1000 / LIGHT_STEPS);
  }
  await acked();
}

for await (const order of createInterface(process.stdin)) {
  if (order === 'light') await light();
  else if (order === 'fill') await fill();
  else await acked();
  isOver = order === 'end';
  say(held());
  if (isOver) process.exit(0);
}
