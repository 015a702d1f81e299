import { Allocator } from '../src/ingest/credit/allocator.ts';
import { seeded } from '../test/support/random.ts';

/**
 * What the allocator costs: frames, settlements and turns of 20 000 channels, next to a fixed window,
 * the least that credit can be (three sums and a limit per channel, told whenever it moves).
 * Both take turns with the same frames: one after the other would measure the machine.
 */

const CHANNELS = 20_000;
const FRAME = 708;
/** Frames of one append. */
const BATCH = 1400;
const STEP_S = 0.05;
const WARM = 100;
const WINDOW = 16_512;

const isQuick = process.argv.includes('--quick');
const STEPS = isQuick ? 250 : 1000;

/** How much waits at the devices, and how many of them send. */
const CASES = [
  ['calm, all send', 0, CHANNELS],
  ['overload, 20 000 backlogged', 1e6, CHANNELS],
  ['overload, 200 backlogged', 1e6, 200],
] as const;

const median = (times: number[]): number => times.sort((a, b) => a - b)[times.length >> 1] ?? 0;
const nsPer = (count: number, act: () => void): number => {
  const begun = process.hrtime.bigint();
  act();
  return Number(process.hrtime.bigint() - begun) / count;
};

/** The floor: `lim = settled + W`. */
class FixedWindows {
  readonly received = new Float64Array(CHANNELS);
  readonly settled = new Float64Array(CHANNELS);
  readonly limit = new Float64Array(CHANNELS).fill(WINDOW);

  frame(channel: number): void {
    this.received[channel] = (this.received[channel] as number) + FRAME;
  }

  settle(channel: number): void {
    const settled = (this.settled[channel] as number) + FRAME;
    this.settled[channel] = settled;
    const limit = Math.max(this.limit[channel] as number, settled + WINDOW);
    this.limit[channel] = limit;
    told += limit;
  }
}

let told = 0;

function measure(backlog: number, senders: number): string {
  const limit = (_channel: number, advanced: number): void => {
    told += advanced;
  };
  const allocator = new Allocator({ budgetBytes: 512 << 20, port: { limit } });
  const fixed = new FixedWindows();
  const channels = Array.from({ length: CHANNELS }, () =>
    allocator.open({ lane: 1, mf: 8192, carry: 0 }, 0),
  );
  const random = seeded(5);
  const times = { frame: [], settle: [], turns: [], floor: [] } as Record<string, number[]>;
  let grants = 0;
  let frames = 0;
  let now = 0;
  allocator.serve(now);
  for (let step = 0; step < STEPS; step += 1) {
    now += STEP_S;
    const run = drawn(allocator, channels, { senders, random });
    const before = allocator.books.grants;
    const round = {
      frame: nsPer(run.length, () => {
        for (const channel of run) allocator.frame(channel, FRAME, backlog, now);
      }),
      settle: nsPer(run.length, () => {
        for (const channel of run) allocator.settled(channel, FRAME);
      }),
      turns: nsPer(run.length, () => {
        const bytes = run.length * FRAME;
        allocator.appended(0, { isLane0: false, bytes, tookS: STEP_S }, now);
        allocator.serve(now);
      }),
      floor: nsPer(run.length, () => {
        for (const channel of run) fixed.frame(channel);
        for (const channel of run) fixed.settle(channel);
      }),
    };
    if (step < WARM || run.length === 0) continue;
    for (const [name, ns] of Object.entries(round)) times[name]?.push(ns);
    grants += allocator.books.grants - before;
    frames += run.length;
  }
  const [frame = 0, settle = 0, turns = 0, floor = 0] = Object.values(times).map(median);
  const ns = (value: number): string => value.toFixed(0).padStart(4);
  const sum = frame + settle + turns;
  return `frame ${ns(frame)}  settle ${ns(settle)}  turns ${ns(turns)}  sum ${ns(sum)}  fixed window ${ns(floor)}  ratio ${(sum / floor).toFixed(1).padStart(4)}  grants per frame ${(grants / frames).toFixed(2)}`;
}

/** Channels that send a frame each, within their credit. */
function drawn(
  { books: { rows } }: Allocator,
  channels: readonly number[],
  { senders, random }: { readonly senders: number; readonly random: () => number },
): number[] {
  const run: number[] = [];
  const spent = new Map<number, number>();
  for (let tries = 0; run.length < BATCH && tries < 2 * CHANNELS; tries += 1) {
    const channel = channels[Math.floor(random() * senders)] as number;
    const cost = (spent.get(channel) ?? 0) + FRAME;
    if (rows.credit(channel) < cost) continue;
    spent.set(channel, cost);
    run.push(channel);
  }
  return run;
}

function openAndClose(): number {
  const allocator = new Allocator({ budgetBytes: 512 << 20, port: { limit: () => {} } });
  const rounds = Array.from({ length: 9 }, () =>
    nsPer(10_000, () => {
      for (let i = 0; i < 10_000; i += 1) {
        const channel = allocator.open({ lane: 1, mf: 8192, carry: 0 }, i);
        allocator.serve(i);
        allocator.close(channel);
        allocator.serve(i);
      }
    }),
  );
  return median(rounds);
}

function bytesPerChannel(): number {
  const { rows } = new Allocator({ budgetBytes: 1 << 20, port: { limit: () => {} } }).books;
  const columns = Object.values(rows).filter((column) => ArrayBuffer.isView(column));
  return columns.reduce((sum, { byteLength }) => sum + byteLength, 0) / rows.next.length;
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);
say(`${CHANNELS} channels, frames of ${FRAME}, ${BATCH} an append; medians in ns per frame`);
for (const [what, backlog, senders] of CASES) {
  say(`  ${what.padEnd(28)} ${measure(backlog, senders)}`);
}
say(`  open, first grant, close: ${openAndClose().toFixed(0)} ns`);
say(`  a channel: ${bytesPerChannel()} bytes`);
if (told === 0) throw new Error('nothing was granted');
