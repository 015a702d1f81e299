import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { CLASS_NAMES, type ClassId } from '../../src/model/reading.ts';
import type { WindowResult } from '../../src/model/window.ts';
import { bruteForce } from './brute-force.ts';
import type { RunningGateway } from './gateway-process.ts';
import { type LogLine, linesOf, tailed } from './read-log.ts';
import { AMBIENT, fileOf, MACHINE, recordedRows, replayed } from './recordings.ts';
import { runCli } from './run-cli.ts';

const SECOND_US = 1_000_000;
const FINAL_MS_MAX = 10_000;

/** A line of `tail --topic aggregates --json`. */
export type ShardResult = WindowResult & { readonly shard: number; readonly offset: number };

/** Both recordings. */
export const RECORDED = [MACHINE, AMBIENT] as const;

/** Replays both at once into a gateway; everything has to be acknowledged. */
export async function replay(
  gateway: RunningGateway,
  codec: string,
  speedup: number,
): Promise<{ readonly framesAcked: number }> {
  const args = ['--replay', ...RECORDED.map(fileOf), '--speedup', `${speedup}`, '--codec', codec];
  const { code, stdout, stderr } = await runCli([
    'simulate',
    '--url',
    gateway.ws,
    ...args,
    '--json',
  ]);
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  const [summary] = linesOf<{ framesAcked: number }>(stdout).slice(-1);
  expect(summary).toMatchObject({ unacked: 0, framesLost: 0 });
  return summary ?? { framesAcked: 0 };
}

/** The devices' last `ping` told that nothing older will come: a second later all is final. */
export async function everythingFinal(log: readonly string[]): Promise<void> {
  const all = RECORDED.reduce((n, name) => n + recordedRows(name).length, 0);
  const deadline = performance.now() + FINAL_MS_MAX;
  for (let sum = 0; sum !== all; ) {
    expect(performance.now()).toBeLessThan(deadline);
    await sleep(300);
    const results = await tailed<ShardResult>(log, 'aggregates');
    sum = results.reduce((n, { series }) => n + Number(series['value']?.n ?? 0), 0);
  }
}

/** The rows of one recording as a reader gave them out. */
export type RowsOf = (name: string) => readonly { readonly t: number; readonly v: unknown }[];

/** Every (t′, value) of the recordings came out, in order, as the same float64. */
export function expectRecordedRows(rowsOf: RowsOf, speedup: number): void {
  const starts = RECORDED.map((name) => rowsOf(name)[0]?.t ?? 0);
  expect(starts[0]).toBe(starts[1]);
  expect((starts[0] ?? 1) % SECOND_US).toBe(0);
  for (const name of RECORDED) {
    const expected = replayed(recordedRows(name), starts[0] ?? 0, speedup);
    const found = rowsOf(name);
    expect(found.length).toBe(expected.length);
    const differs = found.findIndex(
      ({ t, v }, i) => t !== expected[i]?.t || !Object.is(v, expected[i]?.v),
    );
    expect(differs).toBe(-1);
  }
}

/** Every record of the aggregates log equals what a brute force makes of the logs, in log order. */
export function expectBruteForce(lines: readonly LogLine[], results: readonly ShardResult[]): void {
  expect(results.length).toBeGreaterThan(0);
  expect(foundResults(results)).toEqual(expectedResults(lines));
}

function expectedResults(lines: readonly LogLine[]): Map<number, unknown[]> {
  const byShard = new Map<number, unknown[]>();
  for (const { shard, result } of bruteForce(lines.map(withClassNumbers)).results) {
    byShard.set(shard, [...(byShard.get(shard) ?? []), result]);
  }
  return byShard;
}

/** `tail` spells classes as words; marks carry numbers. */
function withClassNumbers({ marks = [], ...line }: LogLine) {
  const numbers = CLASS_NAMES as readonly string[];
  const entries = marks.map((mark) => ({ ...mark, class: numbers.indexOf(mark.class) as ClassId }));
  return { ...line, marks: entries };
}

function foundResults(results: readonly ShardResult[]): Map<number, unknown[]> {
  const byShard = new Map<number, unknown[]>();
  for (const { shard, offset, ...result } of results) {
    const found = byShard.get(shard) ?? [];
    expect(offset).toBe(found.length);
    byShard.set(shard, [...found, result]);
  }
  return byShard;
}
