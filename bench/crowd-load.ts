import { CreditDevice, type LaneShape, type Told } from './credit-device.ts';
import { templateOf } from './frame.ts';

/**
 * Devices that all want in within a second, and do not try again. Arguments: the URL, how many.
 * Prints one line of JSON (`Crowd`).
 */
export interface Crowd {
  readonly live: number;
  /** By 503 or 429 before the upgrade, or by 4100 behind it, where many came in the same moment. */
  readonly refusedBefore: number;
  readonly refusedBehind: number;
  /** Of both, how many were not told when to come again. */
  readonly untold: number;
  /** Least and longest time that was told. Units: ms. */
  readonly toldMs: readonly [number, number];
  readonly others: number;
}

const [url = '', count = '0'] = process.argv.slice(2);
const shapeOf = (lane: number): LaneShape => {
  const set = lane + 1;
  const template = templateOf({ lane, set, columns: [Int16Array.of(1)] });
  return { lane, set, cols: [[`a${lane}`]], template };
};
const SHAPES = [shapeOf(0), shapeOf(1)];
/** Where nobody told them anything, this is how devices spread. Source: PROTOCOL §10.3. */
const WITHIN_MS = 1000;
const toldMs: number[] = [];
let [live, refusedBefore, refusedBehind, untold, others] = [0, 0, 0, 0, 0];
let isOver = false;

/** The wait that a refusal told; 0 is none. */
function refused({ retryAfter, waitMs }: Told): void {
  const ms = waitMs ?? 1000 * Number(retryAfter ?? 0);
  if (ms > 0) toldMs.push(ms);
  else untold += 1;
}

const listener = {
  onWelcome: () => {
    live += 1;
    decide();
  },
  onFlow: () => undefined,
  onAcked: () => undefined,
  onEnd: (_device: CreditDevice, code: number, told: Told) => {
    if (isOver) return;
    if (code === 503 || code === 429) refusedBefore += 1;
    else if (code === 4100) refusedBehind += 1;
    else others += 1;
    if (code === 503 || code === 429 || code === 4100) refused(told);
    decide();
  },
};
const devices = Array.from(
  { length: Number(count) },
  (_, i) => new CreditDevice(`crowd/${i}`, url, SHAPES, listener),
);
for (const device of devices) setTimeout(() => device.connect(), Math.random() * WITHIN_MS);

function decide(): void {
  if (live + refusedBefore + refusedBehind + others < devices.length) return;
  isOver = true;
  const told = [Math.min(...toldMs), Math.max(...toldMs)] as const;
  const crowd: Crowd = { live, refusedBefore, refusedBehind, untold, toldMs: told, others };
  process.stdout.write(`${JSON.stringify(crowd)}\n`);
  setTimeout(() => process.exit(0), 100);
}
