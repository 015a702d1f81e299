import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { CLASS_NAMES, type ClassId } from '../../src/model/reading.ts';
import type { WindowResult } from '../../src/model/window.ts';
import { bruteForce } from '../support/brute-force.ts';
import { type RunningGateway, startGateway } from '../support/gateway-process.ts';
import { filtered, type LogLine, linesOf, rowsOf, tailed } from '../support/read-log.ts';
import { AMBIENT, fileOf, MACHINE, recordedRows, replayed } from '../support/recordings.ts';
import { runCli } from '../support/run-cli.ts';

/** Fast enough for a test: the longer recording takes 3.3 s. The issue's own speed is 500 000. */
const SPEEDUP = Number(process.env['REPLAY_SPEEDUP'] ?? 8_000_000);
const SECOND_US = 1_000_000;

type ShardResult = WindowResult & { readonly shard: number; readonly offset: number };

/** What has to stand in the aggregates log, computed from the rows in log order alone. */
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

/** The devices' last `ping` told that nothing older will come: a second later all is final. */
async function everythingFinal(data: string): Promise<void> {
  const all = recordedRows(MACHINE).length + recordedRows(AMBIENT).length;
  const deadline = performance.now() + 10_000;
  for (let sum = 0; sum !== all; ) {
    expect(performance.now()).toBeLessThan(deadline);
    await sleep(300);
    const results = await tailed<ShardResult>(data, 'aggregates');
    sum = results.reduce((n, { series }) => n + Number(series['value']?.n ?? 0), 0);
  }
}

async function replay(gateway: RunningGateway, codec: string): Promise<{ unacked: number }> {
  const files = [fileOf(MACHINE), fileOf(AMBIENT)];
  const args = ['--replay', ...files, '--speedup', `${SPEEDUP}`, '--codec', codec, '--json'];
  const { code, stdout, stderr } = await runCli(['simulate', '--url', gateway.ws, ...args]);
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  return linesOf<{ unacked: number }>(stdout).at(-1) ?? { unacked: -1 };
}

describe.each(['cbor', 'json'])('both recordings at once, replayed in %s', (codec) => {
  test('stand in the log bit for bit, and every window result equals a brute force', async () => {
    const gateway = await startGateway();
    expect(await replay(gateway, codec)).toMatchObject({ unacked: 0, framesLost: 0 });
    await everythingFinal(gateway.data);
    const lines = await tailed<LogLine>(gateway.data, 'readings', '--all');
    const results = await tailed<ShardResult>(gateway.data, 'aggregates');
    await gateway.stop();

    const rows = filtered(lines);
    const starts = [MACHINE, AMBIENT].map((name) => rowsOf(rows, `${name}/value`)[0]?.t ?? 0);
    expect(starts[0]).toBe(starts[1]);
    expect((starts[0] ?? 1) % SECOND_US).toBe(0);
    for (const name of [MACHINE, AMBIENT]) {
      const expected = replayed(recordedRows(name), starts[0] ?? 0, SPEEDUP);
      const found = rowsOf(rows, `${name}/value`);
      expect(found.length).toBe(expected.length);
      const differs = found.findIndex(
        ({ t, v }, i) => t !== expected[i]?.t || !Object.is(v, expected[i]?.v),
      );
      expect(differs).toBe(-1);
    }
    const expected = expectedResults(lines);
    expect(results.length).toBeGreaterThan(0);
    expect(foundResults(results)).toEqual(expected);
  });
});
