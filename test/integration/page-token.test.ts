import { rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Child } from '../../src/cli/child.ts';
import { Browser } from '../support/browser.ts';
import { type SecuredPlace, securedPlace, tokenOf } from '../support/secured-gateway.ts';

/** Where the pictures go, for those who want to look at them. */
const PICTURES = process.env['PICTURES_DIR'];

let place: SecuredPlace;
let browser: Browser;
let children: Child[];

beforeEach(async () => {
  place = securedPlace();
  browser = await Browser.open();
  children = [];
  if (PICTURES !== undefined) await mkdir(PICTURES, { recursive: true });
});

afterEach(async () => {
  await browser.close();
  await Promise.all(children.map((child) => child.end('SIGKILL')));
  rmSync(place.directory, { recursive: true });
});

function start(command: string, ...argv: string[]): Child {
  const child = new Child(command, argv, 'lines');
  children.push(child);
  return child;
}

/** Starts a gateway that asks for tokens, and devices that have some; returns its address. */
async function serve(address = '127.0.0.1:0'): Promise<{ gateway: Child; url: string }> {
  const data = join(place.directory, 'data');
  const flags = ['--data', data, '--config', place.config, '--log-level', 'error'];
  const gateway = start('serve', '--log', 'file', '--listen', address, ...flags);
  const url = / (http:\/\/\S+)/.exec((await gateway.firstLine()) ?? '')?.[1];
  if (url === undefined) throw new Error('no ready line');
  return { gateway, url };
}

const simulate = (url: string): Child =>
  start(
    'simulate',
    ...['--url', `${url.replace('http', 'ws')}/v1`, '--duration', '100s', '--devices', '2'],
    ...['--secret-file', place.secretFile],
  );

const told = (page: Page, name: string): Promise<string | null> =>
  page.locator('html').getAttribute(`data-${name}`);

const isAsking = (page: Page): Promise<boolean> => page.locator('#ask').isVisible();

async function enter(page: Page, token: string): Promise<void> {
  await page.locator('#token').fill(token);
  await page.locator('#ask-form button').click();
}

/** The only complaints that a browser should have: that requests were refused. */
const others = (): string[] => browser.complaints.filter((one) => !/status of 40[13]/.test(one));

test('the page asks for a token, says what is wrong with one, and shows what it allows', async () => {
  const { url } = await serve();
  simulate(url);
  const page = await browser.page(url);
  await expect.poll(() => isAsking(page)).toBe(true);
  expect(await page.locator('#ask-why').isVisible()).toBe(false);
  expect(await page.locator('#list').isVisible()).toBe(false);
  expect(await told(page, 'state')).toBe('stopped');
  if (PICTURES !== undefined) await page.screenshot({ path: join(PICTURES, 'asks.png') });

  const why = (): Promise<string | null> => page.locator('#ask-why').textContent();
  await enter(page, await tokenOf({ reads: ['#'] }, 'w'.repeat(32)));
  await expect.poll(why).toContain('not signed with the secret of this gateway');
  if (PICTURES !== undefined) await page.screenshot({ path: join(PICTURES, 'asks-again.png') });
  await enter(page, await tokenOf({ isMetricsReader: true }));
  await expect.poll(why).toContain('this token has no read scope');
  await enter(page, 'ключ');
  await expect.poll(why).toContain('a token is made of letters');

  await enter(page, await tokenOf({ reads: ['sim/0002/#'] }));
  await expect.poll(() => told(page, 'state')).toBe('open');
  expect(await isAsking(page)).toBe(false);
  await expect.poll(() => told(page, 'series')).toBe('3');
  await expect.poll(async () => Number(await told(page, 'points'))).toBeGreaterThan(1);
  const titles = page.locator('[role=option]:visible');
  expect(await titles.first().getAttribute('title')).toMatch(/^sim\/0002\//);
  await expect.poll(() => page.locator('#gauges').textContent()).toMatch(/Frames\/s[1-9]/);
  if (PICTURES !== undefined) await page.screenshot({ path: join(PICTURES, 'let-in.png') });

  // The tab keeps it over a reload; another tab has none, and nothing is left in cookies or the URL.
  await page.reload();
  await expect.poll(() => told(page, 'state')).toBe('open');
  expect(await isAsking(page)).toBe(false);
  expect(await page.evaluate('document.cookie + Object.keys(localStorage)')).toBe('');
  expect(page.url()).not.toContain('eyJ');
  const another = await browser.page(url);
  await expect.poll(() => isAsking(another)).toBe(true);
  expect(others()).toEqual([]);
});

test('a token that expires is asked for again, and the page goes on', async () => {
  const { url } = await serve();
  simulate(url);
  const page = await browser.page(url);
  await expect.poll(() => isAsking(page)).toBe(true);
  await enter(page, await tokenOf({ reads: ['#'], lifetimeS: 5 }));
  await expect.poll(() => told(page, 'series')).toBe('6');
  await expect.poll(() => isAsking(page), { timeout: 15_000 }).toBe(true);
  expect(await page.locator('#ask-why').textContent()).toContain('the token has expired');
  await enter(page, await tokenOf({ reads: ['#'] }));
  await expect.poll(() => told(page, 'state')).toBe('open');
  expect(await page.locator('#list').isVisible()).toBe(true);
  const before = Number(await told(page, 'points'));
  await expect.poll(async () => Number(await told(page, 'points'))).toBeGreaterThan(before);
  expect(others()).toEqual([]);
});

test('another secret throws the page out', async () => {
  const { gateway, url } = await serve();
  const page = await browser.page(url);
  await expect.poll(() => isAsking(page)).toBe(true);
  await enter(page, await tokenOf({ reads: ['#'] }));
  await expect.poll(() => told(page, 'state')).toBe('open');
  expect(await page.locator('#command').textContent()).toContain('--secret-file FILE');
  await gateway.end('SIGTERM');
  writeFileSync(place.secretFile, 'v'.repeat(32));
  await serve(url.replace('http://', ''));
  await expect.poll(() => isAsking(page), { timeout: 20_000 }).toBe(true);
  expect(await page.locator('#ask-why').textContent()).toContain('not signed with the secret');
  await enter(page, await tokenOf({ reads: ['#'] }, 'v'.repeat(32)));
  await expect.poll(() => told(page, 'state')).toBe('open');
});
