import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';

/** Debian's Chromium, asked to keep to itself: the tests reach nothing but loopback. */
const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A browser with a profile of its own, as a person has it open. */
export class Browser {
  readonly #context: BrowserContext;
  readonly #profile: string;
  /** Everything that a page complained about: errors, warnings, and breaches of its policy. */
  readonly complaints: string[] = [];

  private constructor(context: BrowserContext, profile: string) {
    this.#context = context;
    this.#profile = profile;
  }

  static async open(viewport = { width: 1200, height: 800 }): Promise<Browser> {
    const profile = await mkdtemp(join(tmpdir(), 'tidegate-browser-'));
    const options = { executablePath: CHROMIUM, headless: true, args: FLAGS, viewport };
    return new Browser(await chromium.launchPersistentContext(profile, options), profile);
  }

  async page(url: string): Promise<Page> {
    const page = await this.#context.newPage();
    page.on('pageerror', (error) => this.complaints.push(`thrown: ${error.message}`));
    page.on('console', (message) => {
      const type = message.type();
      if (type === 'error' || type === 'warning')
        this.complaints.push(`${type}: ${message.text()}`);
    });
    await page.goto(url);
    return page;
  }

  async close(): Promise<void> {
    await this.#context.close();
    await rm(this.#profile, { recursive: true, force: true });
  }
}
