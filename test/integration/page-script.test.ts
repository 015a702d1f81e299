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

let gateway: RunningGateway;
let browser: Browser;
let timer: NodeJS.Timeout | undefined;
const data = temporaryDirectory();

beforeEach(async () => {
  gateway = await startGateway({ data });
  browser = await Browser.open();
});

afterEach(async () => {
  clearInterval(timer);
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
