import { createInterface } from 'node:readline';
import { CreditDevice, type LaneShape } from './credit-device.ts';
import { templateOf } from './frame.ts';

/**
 * As many devices as a node lets in, with frames of 40 bytes. Argument: the URL. Prints the number of
 * devices. A line on stdin is answered with what is not acked (`Filled`): `warm`, after some bursts
 * that were acked one after the other; `fill`, when nobody has credit left; `end`,
 * when all is acked, or a minute later.
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
/** Frames of each lane in a burst: the budget stays as good as empty. */
const WARM_FRAMES = 5;
const WARM_BURSTS = 15;
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

/** Sends what may be sent now; returns how many frames that were. `most`: of one lane. */
function pump(most = Number.POSITIVE_INFINITY): number {
  const now = performance.now();
  let sent = 0;
  for (const device of devices) {
    if (!device.isLive) continue;
    for (const lane of device.lanes) {
      for (let i = 0; i < most && lane.hasCredit && device.isFlushed; i += 1) {
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

async function warm(): Promise<void> {
  for (let burst = 0; burst < WARM_BURSTS; burst += 1) {
    pump(WARM_FRAMES);
    await acked();
  }
  // Limits that were held back follow.
  await sleep(REST_MS);
}

for await (const order of createInterface(process.stdin)) {
  if (order === 'warm') await warm();
  else if (order === 'fill') await fill();
  else await acked();
  isOver = order === 'end';
  say(held());
  if (isOver) process.exit(0);
}
