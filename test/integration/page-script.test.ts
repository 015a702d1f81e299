import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { encodeBlocks, encodeData } from '../../src/wire/encode.ts';
import { Browser } from '../support/browser.ts';
import {
  killed,
  type RunningGateway,
  startGateway,
  temporaryDirectory,
} from '../support/gateway-process.ts';
import { RawClient } from '../support/raw-client.ts';
import { filtered, type LogLine, tailed } from '../support/read-log.ts';
import { type CliChild, startCli } from '../support/run-cli.ts';

const PAGE = readFileSync(join(import.meta.dirname, '../../docs/PROTOCOL.md'), 'utf8');
/** The script of PROTOCOL App. C, exactly as it stands there. */
const SCRIPT = /\n## App\. C\.[^\n]*\n\n```js\n([\s\S]*?)\n```/.exec(PAGE)?.[1] ?? '';
const DEVICE = 'plant1/pump-17';
const VALUE = 21.5;
const SEND_EVERY_MS = 200;

/** What the script has told, as the test keeps it in the page. */
interface Told {
  readonly resets: number;
  readonly lives: number;
  readonly topics: readonly { readonly topic: string; readonly unit: string }[];
  /** Start (µs), mean and n of every window told. */
  readonly windows: readonly (readonly [start: number, mean: number, n: number])[];
}

const KEEP = `
  window.told = { resets: 0, lives: 0, topics: [], windows: [] };
  const keep = ({ block, names, reset, live }) => {
    if (reset) told.resets += 1;
    if (live) told.lives += 1;
    if (names) told.topics = [...names.values()];
    if (!block) return;
    const columns = block.v.map((column) => (Array.isArray(column) ? column : [column]));
    const rows = Math.max(...columns.map(({ length }) => length));
    for (let row = 0; row < rows; row += 1) {
      const start = block.t + (block.d ? block.d.slice(0, row).reduce((a, b) => a + b, 0) : row * (block.dt ?? 0));
      const value = (column) => (column.length === 1 ? column[0] : column[row]);
      told.windows.push([Array.isArray(block.i) ? block.t : start, ...columns.map(value)]);
    }
  };`;

/** A window as the page holds it at last: class, start (µs), status, and its aggregates. */
interface Held {
  readonly topic: string;
  readonly cl: number;
  readonly start: number;
  readonly st: number;
  readonly values: readonly number[];
}

/** Overwrites as [R11.2-1] says, by all three forms of blocks; the last aggregate is `n`. */
const HOLD = `
  window.held = { resets: 0, lives: 0, errors: [], windows: new Map() };
  const hold = ({ block: b, names, reset, live, error }) => {
    if (reset) held.resets += 1;
    if (live) held.lives += 1;
    if (error) held.errors.push(error);
    if (!b) return;
    const many = Array.isArray(b.i);
    const list = b.v.find(Array.isArray);
    const rows = many ? b.i.length : list ? list.length : (b.d ?? []).length + 1;
    for (let r = 0, start = b.t; r < rows; r += 1) {
      if (!many && r > 0) start = b.d ? start + b.d[r - 1] : b.t + r * b.dt;
      const { topic } = names.get(many ? b.i[r] : b.i);
      const values = b.v.map((column) => (Array.isArray(column) ? column[r] : column));
      const one = { topic, cl: b.cl ?? 0, start, st: b.st ?? 0, values };
      const key = [topic, one.cl, start].join(' ');
      const before = held.windows.get(key);
      const more = before ? values.at(-1) - before.values.at(-1) : 1;
      if (more > 0 || (more === 0 && one.st >= before.st)) held.windows.set(key, one);
    }
  };`;

let gateway: RunningGateway;
let browser: Browser;
let fleet: CliChild | undefined;
let timer: NodeJS.Timeout | undefined;
const data = temporaryDirectory();

beforeEach(async () => {
  gateway = await startGateway({ data });
  browser = await Browser.open();
});

afterEach(async () => {
  clearInterval(timer);
  fleet?.process.kill('SIGKILL');
  await browser.close();
  await gateway.stop();
});

/** A device that sends the same value five times a second. */
async function publish(): Promise<void> {
  const client = await RawClient.publisher(gateway.ws, DEVICE);
  let n = 0;
  clearInterval(timer);
  timer = setInterval(() => {
    n += 1;
    const blocks = encodeBlocks('cbor', [{ s: 1, t: Date.now() * 1000, v: [[VALUE]] }]);
    client.socket.send(encodeData('cbor', { c: 1, n, lost: 0 }, blocks));
  }, SEND_EVERY_MS);
}

const toldBy = (page: Page): Promise<Told> => page.evaluate<Told>('window.told');

test('the page script of PROTOCOL App. C, as it stands, shows live windows and comes back', async () => {
  expect(SCRIPT).toMatch(/^function live\(/);
  await publish();
  const page = await browser.page(gateway.http);
  const sub = { p: ['plant1/#'], win: 1000, agg: ['mean', 'n'], hist: 10_000 };
  const call = `live('${gateway.ws}', async () => undefined, ${JSON.stringify(sub)}, keep);`;
  await page.evaluate(`(() => { ${SCRIPT}\n${KEEP}\n${call} })()`);
  await expect
    .poll(async () => (await toldBy(page)).windows.length, { timeout: 10_000 })
    .toBeGreaterThan(5);
  const first = await toldBy(page);
  expect(first.resets).toBe(1);
  expect(first.lives).toBe(1);
  expect(first.topics).toEqual([{ topic: `${DEVICE}/temp`, unit: 'Cel' }]);
  for (const [start, mean, n] of first.windows) {
    expect(start % 1_000_000).toBe(0);
    expect(mean).toBe(VALUE);
    expect(n).toBeGreaterThanOrEqual(1);
    expect(n).toBeLessThanOrEqual(6);
  }

  await killed(gateway.child, 'SIGKILL');
  gateway = await startGateway({ data, port: gateway.port });
  await publish();
  const restartedUs = Date.now() * 1000;
  const newest = async (): Promise<number> =>
    Math.max(...(await toldBy(page)).windows.map(([start]) => start));
  await expect.poll(newest, { timeout: 20_000 }).toBeGreaterThan(restartedUs);
  expect((await toldBy(page)).resets).toBeGreaterThanOrEqual(2);
});

/** Classes of the lanes 0 to 3, as `cl` spells them. */
const CLASS_OF_LANE = [2, 0, 1, 0] as const;

/** Every window of one second that the rows of the log make, by the key of `HOLD`. */
function windowsOf(lines: readonly LogLine[]): Map<string, number[]> {
  const windows = new Map<string, { values: number[]; sum: number }>();
  for (const { lane, blocks } of lines) {
    for (const { t, cols } of blocks) {
      for (const { topic, v } of cols) {
        for (const [i, value] of v.entries()) {
          const start = Math.floor((t[i] ?? 0) / 1e6) * 1e6;
          const key = `${topic} ${CLASS_OF_LANE[lane] ?? 0} ${start}`;
          const window = windows.get(key) ?? { values: [], sum: 0 };
          if (value === null) continue;
          window.values.push(value);
          window.sum += value;
          windows.set(key, window);
        }
      }
    }
  }
  const aggregates = ({ values, sum }: { values: number[]; sum: number }): number[] => {
    const n = values.length;
    return [Math.min(...values), Math.max(...values), sum / n, n];
  };
  return new Map([...windows].map(([key, window]) => [key, aggregates(window)]));
}

const heldBy = (page: Page): Promise<Held[]> =>
  page.evaluate<Held[]>('[...window.held.windows.values()]');

const countBy = (page: Page, name: string): Promise<number> =>
  page.evaluate<number>(`window.held.${name}`);

/** How many final windows start at or after a time. */
async function finalSince(page: Page, startUs: number): Promise<number> {
  return (await heldBy(page)).filter(({ st, start }) => st >= 1 && start >= startUs).length;
}

test('what the page script shows of a fleet is what its readings in the log make, across a restart', async () => {
  const argv = ['--devices', '3', '--series', '2', '--rate', '50', '--prefix', 'fleet'];
  fleet = startCli(['simulate', '--url', gateway.ws, ...argv, '--signal', 'walk']);
  const page = await browser.page(gateway.http);
  const sub = { p: ['fleet/+/#'], win: 1000, agg: ['min', 'max', 'mean', 'n'], hist: 300_000 };
  const call = `live('${gateway.ws}', async () => undefined, ${JSON.stringify(sub)}, hold);`;
  await page.evaluate(`(() => { ${SCRIPT}\n${HOLD}\n${call} })()`);
  await expect.poll(() => finalSince(page, 0), { timeout: 20_000 }).toBeGreaterThanOrEqual(12);

  // Asked to stop, the gateway says `away` with a deadline: the other way out of the script.
  expect((await killed(gateway.child, 'SIGTERM')).code).toBe(0);
  gateway = await startGateway({ data, port: gateway.port });
  const restartedUs = Date.now() * 1000;
  const after = { timeout: 40_000 };
  await expect.poll(() => finalSince(page, restartedUs), after).toBeGreaterThanOrEqual(12);
  expect(await countBy(page, 'resets')).toBe(2);
  expect(await countBy(page, 'lives')).toBe(2);
  expect(await countBy(page, 'errors.length')).toBe(0);

  const held = (await heldBy(page)).filter(({ st }) => st >= 1);
  const made = windowsOf(filtered(await tailed<LogLine>(data, 'readings', '--all')));
  for (const { topic, cl, start, values } of held) {
    expect({ topic, start, values }).toEqual({
      topic,
      start,
      values: made.get(`${topic} ${cl} ${start}`),
    });
  }
  expect(new Set(held.map(({ topic }) => topic)).size).toBe(6);
});
