import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { Child } from '../../src/cli/child.ts';
import { Browser } from '../support/browser.ts';

const format = new URL('../../src/dashboard/format.js', import.meta.url);
const { formatBytes, formatMs, formatPart } = await import(format.href);

const SLOW_GATEWAY = fileURLToPath(new URL('../../bench/watched-gateway.ts', import.meta.url));

/** How old the newest point of a live chart may be. */
const NEWEST_AGE_MS_MAX = 3000;
const BETWEEN_SHOTS_MS = 5000;
/** Longer than this and a person feels it. */
const FREEZE_MS_MAX = 250;
/** Devices that have gone when they are looked at, first in the list. */
const BRIEFLY = ['--devices', '1', '--prefix', 'aaa', '--duration', '1s'];
/** Longer than the page calls a series live. */
const SILENT_MS = 11_000;
/** Where the pictures go, for those who want to look at them. */
const PICTURES = process.env['PICTURES_DIR'];

let data: string;
let browser: Browser;
let children: Child[];

beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'tidegate-page-'));
  browser = await Browser.open();
  children = [];
  if (PICTURES !== undefined) await mkdir(PICTURES, { recursive: true });
});

afterEach(async () => {
  await browser.close();
  await Promise.all(children.map((child) => child.end('SIGKILL')));
  await rm(data, { recursive: true, force: true });
  await rm(`${data}.yaml`, { force: true });
});

function start(command: string, ...argv: string[]): Child {
  const child = new Child(command, argv, 'lines');
  children.push(child);
  return child;
}

/** Starts a gateway on `address`; returns it with the address of its page. */
async function serve(
  address = '127.0.0.1:0',
  ...more: string[]
): Promise<{ gateway: Child; url: string }> {
  const flags = ['--log', 'file', '--data', data, '--listen', address, '--log-level', 'error'];
  const gateway = start('serve', ...flags, ...more);
  const line = await gateway.firstLine();
  const url = / (http:\/\/\S+)/.exec(line ?? '')?.[1];
  if (url === undefined) throw new Error(`no ready line, but: ${line}`);
  return { gateway, url };
}

/** Devices that send to the gateway until the test ends. */
function simulate(url: string, ...flags: string[]): void {
  start('simulate', '--url', `${url.replace('http', 'ws')}/v1`, '--duration', '100s', ...flags);
}

/** What the page tells of itself. */
const told = (page: Page, name: string): Promise<string | null> =>
  page.locator('html').getAttribute(`data-${name}`);

async function hasAtLeast(page: Page, name: string, least: number): Promise<void> {
  await expect
    .poll(async () => Number(await told(page, name)), { timeout: 15_000 })
    .toBeGreaterThanOrEqual(least);
}

/** A picture of the page, the newest time on the chart, and how old that is. */
async function look(page: Page, name: string) {
  const newestMs = Number(await told(page, 'newest')) / 1000;
  const ageMs = Date.now() - newestMs;
  const chart = await page.locator('#chart').screenshot();
  if (PICTURES !== undefined) await page.screenshot({ path: join(PICTURES, `${name}.png`) });
  return { newestMs, ageMs, chart };
}

test('the page says how to begin, then shows by itself what comes, and moves', async () => {
  const { url } = await serve();
  const page = await browser.page(url);
  await expect.poll(() => page.locator('#empty').isVisible()).toBe(true);
  expect(await page.locator('#command').textContent()).toContain('npm run simulate');
  if (PICTURES !== undefined) await page.screenshot({ path: join(PICTURES, 'empty.png') });

  simulate(url, '--devices', '5', '--rate', '100');
  await hasAtLeast(page, 'points', 4);
  expect(await told(page, 'state')).toBe('open');
  expect(await page.locator('#empty').isVisible()).toBe(false);
  expect(await page.locator('[role=option][aria-selected=true]').count()).toBe(1);

  const first = await look(page, 'moving-1');
  await page.waitForTimeout(BETWEEN_SHOTS_MS);
  const second = await look(page, 'moving-2');
  expect(first.ageMs).toBeLessThanOrEqual(NEWEST_AGE_MS_MAX);
  expect(second.ageMs).toBeLessThanOrEqual(NEWEST_AGE_MS_MAX);
  expect(second.newestMs - first.newestMs).toBeGreaterThan(BETWEEN_SHOTS_MS - 2000);
  expect(second.chart.equals(first.chart)).toBe(false);

  const rates = await page.locator('#gauges').textContent();
  expect(rates).toMatch(/Readings\/s[1-9]/);
  expect(rates).toMatch(/Frames\/s[1-9]/);
  expect(browser.complaints).toEqual([]);
});

test('the page opens with a series that is live, though silent ones come first', async () => {
  const { url } = await serve();
  const before = start('simulate', '--url', `${url.replace('http', 'ws')}/v1`, ...BRIEFLY);
  expect(await before.ended).toBe(0);
  await sleep(SILENT_MS);
  simulate(url, '--devices', '1', '--prefix', 'zzz');
  await expect
    .poll(async () => (await fetch(`${url}/api/stats`)).text(), { timeout: 15_000 })
    .toContain('"sessions":1,');
  // Its first windows are there when the page comes.
  await sleep(3000);
  const page = await browser.page(url);
  await hasAtLeast(page, 'series', 6);
  await expect.poll(() => told(page, 'topic'), { timeout: 5000 }).toMatch(/^zzz\//);
  expect(await page.locator('#rows .row').first().textContent()).toContain('aaa/');
}, 60_000);

test('a series is found by its words, chosen, and can be linked to', async () => {
  const { url } = await serve();
  simulate(url, '--devices', '30', '--rate', '10');
  const page = await browser.page(url);
  await hasAtLeast(page, 'series', 90);
  await page.locator('#filter').fill('sim 0023');
  const found = page.locator('[role=option]:visible');
  await expect.poll(() => found.count()).toBe(3);
  await found.last().click();
  const topic = String(await found.last().getAttribute('title'));
  expect(topic).toContain('sim/0023/');
  expect(await told(page, 'topic')).toBe(topic);
  expect(page.url()).toBe(`${url}/#${topic}`);

  const linked = await browser.page(page.url());
  await hasAtLeast(linked, 'points', 2);
  expect(await told(linked, 'topic')).toBe(topic);
  await expect.poll(() => linked.locator('[aria-selected=true]:visible').count()).toBe(1);
  await expect(linked.locator('[aria-selected=true]').getAttribute('title')).resolves.toBe(topic);

  await page.locator('#filter').fill('no such series');
  await expect.poll(() => page.locator('#none').isVisible()).toBe(true);
  expect(browser.complaints).toEqual([]);
});

test('the page comes back by itself when the gateway was killed, with its past', async () => {
  const { gateway, url } = await serve();
  simulate(url, '--devices', '2', '--rate', '20');
  const page = await browser.page(url);
  await hasAtLeast(page, 'points', 5);
  const chart = await page.locator('#chart').boundingBox();
  await gateway.end('SIGKILL');
  await expect.poll(() => told(page, 'state')).not.toBe('open');
  await expect.poll(() => page.locator('#credit .name').textContent()).toBe('No figures');
  expect(await page.title()).toBe('No figures · Tidegate');
  // Figures that are no more leave their place empty, and nothing below them moves.
  expect(await page.locator('#chart').boundingBox()).toEqual(chart);
  const before = Number(await told(page, 'points'));

  await serve(url.replace('http://', ''));
  await expect.poll(() => told(page, 'state'), { timeout: 20_000 }).toBe('open');
  await hasAtLeast(page, 'points', before + 2);
  const { ageMs } = await look(page, 'after-kill');
  expect(ageMs).toBeLessThanOrEqual(NEWEST_AGE_MS_MAX);
});

/** The credit tiles as they are written: label, figure and note. */
const creditTiles = (page: Page): Promise<string[][]> =>
  page.locator('#credit .gauge').evaluateAll((tiles) =>
    tiles.map((tile) => {
      const texts = [...tile.querySelectorAll('dt, dd:not(.meter, .ladder)')];
      return texts.map(({ textContent }) => textContent ?? '');
    }),
  );

interface CreditStats {
  readonly drainBytesPerSecond: number;
  readonly targetS: number;
  readonly delayS: number;
  readonly queuedBytes: number;
  readonly inPlayMostBytes: number;
  readonly poolUsedBytes: number;
  readonly poolSizeBytes: number;
  readonly waiting: Readonly<Record<'alarms' | 'live' | 'backfill' | 'quota', number>>;
}

/** What the tiles are to say of this answer, but for the first and the last. */
const tilesOf = ({ waiting, ...credit }: CreditStats): string[][] => [
  ['Waiting', String(waiting.quota + waiting.live), waitsOf(waiting)],
  ['Log takes', `${formatBytes(credit.drainBytesPerSecond)}/s`, 'when it is busy'],
  ['Delay', formatMs(credit.delayS * 1000), `target ${formatMs(credit.targetS * 1000)}`],
  ['Queue', formatBytes(credit.queuedBytes), `of ${formatBytes(credit.inPlayMostBytes)}`],
  [
    'Pool',
    formatPart(credit.poolUsedBytes / credit.poolSizeBytes),
    `of ${formatBytes(credit.poolSizeBytes)}`,
  ],
];

const waitsOf = ({ live, quota }: CreditStats['waiting']): string =>
  [live > 0 ? `${live} log` : '', quota > 0 ? `${quota} quota` : ''].filter(Boolean).join(' · ');

/** Pictures in both themes, wide and narrow. */
async function lookAround(page: Page, name: string): Promise<void> {
  if (PICTURES === undefined) return;
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    for (const width of [1200, 900, 390]) {
      await page.setViewportSize({ width, height: 800 });
      await page.waitForTimeout(1200);
      await page.screenshot({ path: join(PICTURES, `${name}-${colorScheme}-${width}.png`) });
    }
  }
  await page.setViewportSize({ width: 1200, height: 800 });
}

/** A gateway whose devices may send little, whatever the log takes. */
async function serveWithQuota(): Promise<string> {
  await writeFile(`${data}.yaml`, 'ingest: { quota: { rate: 1KiB, burst: 16512 } }\n');
  return (await serve('127.0.0.1:0', '--config', `${data}.yaml`)).url;
}

/** A gateway on a disk that takes 60 kB a second. */
async function serveSlowly(): Promise<string> {
  const disk = JSON.stringify({ baseMs: 5, bytesPerSecond: 60_000 });
  const log = ['--log', 'file', '--data', data, '--log-level', 'error'];
  const gateway = spawn(process.execPath, [SLOW_GATEWAY, disk, ...log, '--listen', '127.0.0.1:0']);
  onTestFinished(() => void gateway.kill('SIGKILL'));
  const [line] = await once(gateway.stdout, 'data');
  return / (http:\/\/\S+)/.exec(String(line))?.[1] ?? String(line);
}

test.each([
  ['a quota', serveWithQuota, /^\d+ quota$/, /Holding back/],
  ['a slow log', serveSlowly, /^\d+ log$/, /Holding back|Behind/],
])(
  'that %s holds devices back is seen at a glance, with the figures of /api/stats',
  async (why, begin, waits, says) => {
    const DEVICES = 30;
    const url = await begin();
    const page = await browser.page(url);
    // The answers come from the gateway; once frozen, the page gets the last one again.
    let answer = '';
    let isFrozen = false;
    await page.route('**/api/stats', async (route) => {
      if (!isFrozen) answer = await (await route.fetch()).text();
      await route.fulfill({ contentType: 'application/json', body: answer });
    });
    const name = page.locator('#credit .name');
    await expect.poll(() => name.textContent()).toBe('Calm');
    const calm = await page.locator('#credit').boundingBox();

    simulate(url, '--devices', String(DEVICES), '--series', '8', '--rate', '200');
    await expect.poll(() => name.textContent(), { timeout: 30_000 }).toMatch(says);
    await expect.poll(() => page.title()).toMatch(/^(Holding back|Behind) · Tidegate$/);
    await lookAround(page, why);
    const waiting = () => waitsOf(JSON.parse(answer).credit.waiting);
    await expect.poll(waiting, { timeout: 15_000 }).toMatch(waits);
    isFrozen = true;
    const { credit } = JSON.parse(answer);
    await expect.poll(async () => (await creditTiles(page)).slice(1, -1)).toEqual(tilesOf(credit));
    expect(await page.locator('#credit').boundingBox()).toEqual(calm);
    for (const tile of await page.locator('.gauge').all()) {
      expect((await tile.getAttribute('title'))?.length).toBeGreaterThan(40);
    }

    await page.setViewportSize({ width: 360, height: 740 });
    const overflow = 'document.documentElement.scrollWidth - innerWidth';
    await expect.poll(() => page.evaluate(overflow)).toBeLessThanOrEqual(0);
    expect(browser.complaints).toEqual([]);
  },
);

test('five thousand series do not freeze it', async () => {
  const { url } = await serve();
  simulate(url, '--devices', '100', '--series', '50', '--rate', '1');
  const page = await browser.page(url);
  await hasAtLeast(page, 'series', 5000);
  await page.evaluate(watchFreezes);
  await page.waitForTimeout(BETWEEN_SHOTS_MS);
  const { ageMs } = await look(page, 'five-thousand');
  expect(ageMs).toBeLessThanOrEqual(NEWEST_AGE_MS_MAX);
  const longest = Number(await told(page, 'longest'));
  expect(longest).toBeLessThan(FREEZE_MS_MAX);
  expect(await page.locator('[role=option]').count()).toBeLessThan(100);
  expect(browser.complaints).toEqual([]);
});

/** Runs in the page: keeps the length of the longest task that held it up, in ms. */
const watchFreezes = `
  document.documentElement.dataset.longest = 0;
  new PerformanceObserver((list) => {
    const { dataset } = document.documentElement;
    for (const { duration } of list.getEntries()) {
      dataset.longest = Math.max(Number(dataset.longest), duration);
    }
  }).observe({ type: 'longtask' });
`;
