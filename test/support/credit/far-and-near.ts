import { Allocator } from '../../../src/ingest/credit/allocator.ts';

const CHANNELS = 30;
const FRAME = 708;
const DRAIN_PER_SECOND = 4e6;
const STEP_S = 0.002;
const LASTS_S = 14;
const WARM_S = 4;

interface Due {
  readonly at: number;
  act(): void;
}

/**
 * C14: channels with round trips from 2 to 300 ms, half of them without a word on their backlog, that
 * never run out of data: Jain's index of what each got once it has settled in. 1 is equal shares.
 */
export function fairnessOf(): number {
  const due: Due[] = [];
  const limits = new Float64Array(CHANNELS);
  const sent = new Float64Array(CHANNELS);
  const got = new Float64Array(CHANNELS);
  const halfOf = (index: number) => 0.001 + (0.149 * index) / (CHANNELS - 1);
  let now = 0;
  const later = (seconds: number, act: () => void) => due.push({ at: now + seconds, act });
  const queue: number[] = [];
  const port = {
    limit: (channel: number, limit: number) =>
      later(halfOf(channel), () => {
        limits[channel] = limit;
      }),
  };
  const allocator = new Allocator({ budgetBytes: 64 << 20, port });
  for (let index = 0; index < CHANNELS; index += 1) {
    allocator.open({ lane: 1, mf: 8192, carry: 0 }, 0);
    allocator.pong(index, 2 * halfOf(index));
  }
  const arrive = (index: number) => {
    allocator.frame(index, FRAME, index % 2 === 0 ? -1 : 1e6, now);
    queue.push(index);
  };
  for (; now < LASTS_S; now += STEP_S) {
    for (const { act } of take(due, now)) act();
    for (let index = 0; index < CHANNELS; index += 1) {
      while ((sent[index] as number) + FRAME <= (limits[index] as number)) {
        sent[index] = (sent[index] as number) + FRAME;
        later(halfOf(index), () => arrive(index));
      }
    }
    const done = queue.splice(0, Math.floor((DRAIN_PER_SECOND * STEP_S) / FRAME));
    for (const index of done) {
      allocator.settled(index, FRAME);
      if (now > WARM_S) got[index] = (got[index] as number) + FRAME;
    }
    const bytes = done.length * FRAME;
    if (bytes > 0) allocator.appended(0, { isLane0: false, bytes, tookS: STEP_S }, now);
    allocator.serve(now);
  }
  return jain(got);
}

function take(due: Due[], now: number): Due[] {
  const ready = due.filter(({ at }) => at <= now);
  const rest = due.filter(({ at }) => at > now);
  due.splice(0, due.length, ...rest);
  return ready.sort((a, b) => a.at - b.at);
}

const jain = (shares: Float64Array): number => {
  const sum = shares.reduce((total, share) => total + share, 0);
  const squares = shares.reduce((total, share) => total + share * share, 0);
  return sum ** 2 / (shares.length * squares);
};
