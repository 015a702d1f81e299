import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { decodeCbor } from '../../src/wire/decode.ts';
import {
  type CProgram,
  type CPrograms,
  type CResult,
  compilePrograms,
  startC,
  summaryOf,
} from '../support/c-program.ts';
import { killed, metric, type RunningGateway, startGateway } from '../support/gateway-process.ts';
import { filtered, type LogLine, tailed } from '../support/read-log.ts';
import { vibrationFrame } from '../support/vibration.ts';

const DEVICE = 'c/vibration';
const FUZZ_ROUNDS = Number(process.env['FUZZ_ROUNDS'] ?? 20_000);

/** Less than the time of a test, so that a device that gets no answer tells what it lacks. */
const RUN_TIMEOUT_S = 60;

/** Where the programs are built and the gateways keep their logs. */
let directory: string;
let programs: CPrograms;
let running: { readonly process: CProgram['process'] }[] = [];

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tidegate-c-'));
  programs = await compilePrograms(directory);
});

afterEach(() => {
  for (const { process } of running) process.kill('SIGKILL');
  running = [];
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Starts a gateway that does not outlive the test. */
async function serve(again?: RunningGateway): Promise<RunningGateway> {
  const data = again?.data ?? mkdtempSync(join(directory, 'data-'));
  const gateway = await startGateway(again === undefined ? { data } : { data, port: again.port });
  running.push(gateway.child);
  return gateway;
}

interface Run {
  readonly frames: number;
  readonly rate: number;
  readonly startUs: number;
  readonly flags?: readonly string[];
  readonly program?: string;
}

/** Starts the device against a gateway. */
function stream({ port }: RunningGateway, run: Run): CProgram {
  const { frames, rate, startUs: start } = run;
  const figures = { port, device: DEVICE, frames, rate, start, timeout: RUN_TIMEOUT_S };
  const argv = Object.entries(figures).flatMap(([name, value]) => [`--${name}`, `${value}`]);
  const device = startC(run.program ?? programs.device, [...argv, ...(run.flags ?? [])]);
  running.push(device);
  return device;
}

/** Waits until the gateway has made so many frames durable. */
async function durable({ http }: RunningGateway, least: number): Promise<void> {
  const name = 'tidegate_ingest_frames_settled_total{outcome="durable"}';
  await expect.poll(() => metric(http, name), { timeout: 20_000 }).toBeGreaterThanOrEqual(least);
}

/** The frames that a reader of the log gets, in its order. */
async function framesIn(data: string, topic: 'readings' | 'alarms') {
  const lines = await tailed<LogLine & { lost: number }>(data, topic, '--all');
  return filtered(lines) as typeof lines;
}

/** What one line of the log says, in the form of `vibrationFrame`. */
function framed({ blocks }: LogLine) {
  const [block] = blocks;
  const values = (name: string) =>
    block?.cols.find(({ topic }) => topic === `${DEVICE}/acc/${name}`)?.v;
  return { t: block?.t, x: values('x'), y: values('y'), z: values('z') };
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);

function expectEndedWell({ code, stderr }: CResult): void {
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
}

function expectAllAcked(result: CResult, formed: number): void {
  expectEndedWell(result);
  const none = { rejected: 0, lost: 0, undeclared: 0, unacked: 0 };
  expect(summaryOf(result.stdout)).toMatchObject({ formed, acked: formed, ...none });
}

/** Every frame of the run stands in the log exactly once and in order, with its rows. */
async function expectWholeSignal(data: string, { frames, rate, startUs }: Run): Promise<void> {
  const lines = await framesIn(data, 'readings');
  expect(lines.map(({ n }) => n)).toEqual(numbers(frames));
  expect(new Set(lines.map(({ ep }) => ep)).size).toBe(1);
  const units = lines[0]?.blocks[0]?.cols.map(({ unit }) => unit);
  expect(units).toEqual(['m/s2', 'm/s2', 'm/s2']);
  for (const [i, line] of lines.entries()) {
    expect(line).toMatchObject({ device: DEVICE, lane: 1, lost: 0, uncertain: false });
    expect(framed(line)).toEqual(vibrationFrame(i, startUs, rate));
  }
}

/** Undefined: a device looks less or more closely at this one, because it only publishes. */
function isTakenByGateway(hex: string): boolean | undefined {
  const decoded = decodeCbor(Uint8Array.from(Buffer.from(hex, 'hex')), 'server');
  const kind = hex.slice(2, 6);
  if (['0002', '0003', '0009'].includes(kind)) return undefined;
  if ('breach' in decoded) return false;
  const { message } = decoded;
  if (message.k !== 'welcome') return true;
  const isForPublisher = message.f && message.ep !== undefined && message.ch;
  return isForPublisher ? true : undefined;
}

describe('the pieces of the C device', () => {
  test('give the bytes of PROTOCOL §17 and keep its rules', async () => {
    const { code, stdout, stderr } = await startC(programs.sanitized.check, []).ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^[1-9]\d* checks, 0 failed\n$/);
  });

  test('survive mutated messages, streams and responses under the sanitizers', async () => {
    const fuzz = startC(programs.sanitized.fuzz, [`${FUZZ_ROUNDS}`, '1']);
    const { code, stdout, stderr } = await fuzz.ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [, inputs, understood] = /^(\d+) inputs, (\d+) messages understood\n$/.exec(stdout) ?? [];
    expect(Number(inputs)).toBe(3 * FUZZ_ROUNDS);
    expect(Number(understood)).toBeGreaterThan(FUZZ_ROUNDS / 4);
  });

  /** Two decoders written from the same page by different hands, in different languages. */
  test('take and refuse the same messages as the decoder of the gateway', async () => {
    const fuzz = startC(programs.sanitized.fuzz, [`${FUZZ_ROUNDS}`, '2', 'print']);
    const counts = { taken: 0, refused: 0 };
    for (const line of (await fuzz.ended).stdout.trimEnd().split('\n')) {
      const [hex = '', code] = line.split(' ');
      const isTaken = isTakenByGateway(hex);
      if (isTaken === undefined) continue;
      counts[isTaken ? 'taken' : 'refused'] += 1;
      if ((code === '0') !== isTaken) expect.fail(`${hex}: C says ${code}, we take it: ${isTaken}`);
    }
    expect(Math.min(counts.taken, counts.refused)).toBeGreaterThan(FUZZ_ROUNDS / 10);
  });
});

describe('a vibration signal from the C device', () => {
  test('stands in the log row by row, and its alarms beside it', async () => {
    const gateway = await serve();
    const run = { frames: 200, rate: 10_000, startUs: Date.now() * 1000 };
    expectAllAcked(await stream(gateway, run).ended, 220);
    await expectWholeSignal(gateway.data, run);
    const alarms = await framesIn(gateway.data, 'alarms');
    expect(alarms.map(({ n }) => n)).toEqual(numbers(20));
    for (const [i, { lane, blocks }] of alarms.entries()) {
      const t = run.startUs + (10 * i + 9) * 10_000;
      const cols = [{ topic: `${DEVICE}/alarm`, unit: '', v: ['over-velocity'] }];
      expect({ lane, blocks }).toMatchObject({ lane: 0, blocks: [{ t: [t], cols }] });
    }
    expect((await gateway.stop()).code).toBe(0);
  });

  test('keeps its times where the step between two rows is a fraction', async () => {
    const gateway = await serve();
    const run = { frames: 40, rate: 3000, startUs: Date.now() * 1000 + 1, flags: ['--alarm', '0'] };
    expectAllAcked(await stream(gateway, run).ended, 40);
    await expectWholeSignal(gateway.data, run);
  });

  // Killed, the gateway says nothing; asked to stop, it says `away` with a deadline.
  test.each(['SIGKILL', 'SIGTERM'] as const)(
    'is whole, in order and once when the gateway gets %s in the middle',
    async (signal) => {
      const first = await serve();
      const timing = { frames: 300, rate: 10_000, startUs: Date.now() * 1000 };
      const run = { ...timing, program: programs.sanitized.device };
      const device = stream(first, run);
      await durable(first, 80);
      await killed(first.child, signal);
      await serve(first);
      const result = await device.ended;
      expectAllAcked(result, 330);
      expect(summaryOf(result.stdout)['reconnects']).toBe(1);
      expect(/^session ended with (\d+)/m.exec(result.stderr)?.[1]).toBe(
        signal === 'SIGKILL' ? '1006' : '4201',
      );
      await expectWholeSignal(first.data, run);
      const alarms = await framesIn(first.data, 'alarms');
      expect(alarms.map(({ n }) => n)).toEqual(numbers(30));
    },
  );

  test('loses in an outage longer than its ring what it says, and nothing else', async () => {
    const first = await serve();
    const flags = ['--ring', '8', '--alarm', '0'];
    const run = { frames: 400, rate: 10_000, startUs: Date.now() * 1000, flags };
    const device = stream(first, run);
    await durable(first, 50);
    await killed(first.child, 'SIGKILL');
    await serve(first);
    const result = await device.ended;
    expectEndedWell(result);
    const summary = summaryOf(result.stdout);
    expect(summary).toMatchObject({ formed: 400, unacked: 0, reconnects: 1 });

    const lines = await framesIn(first.data, 'readings');
    let last = 0;
    for (const line of lines) {
      expect(line.lost).toBe(line.n - last - 1);
      expect(framed(line)).toEqual(vibrationFrame(line.n - 1, run.startUs, run.rate));
      last = line.n;
    }
    const declared = lines.reduce((sum, { lost }) => sum + lost, 0);
    expect(declared).toBeGreaterThan(0);
    expect(lines.length + declared + Number(summary['undeclared'])).toBe(400);
    // A frame that was sent before the kill, and dropped after, may have been durable all the same.
    expect(summary['lost']).toBeGreaterThanOrEqual(declared);
  });
});
