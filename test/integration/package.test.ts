import { globSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { parseSync } from 'oxc-parser';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { LogReader } from '../../src/adapters/log/log-reader.ts';
import { LOG_NAMES } from '../../src/model/record.ts';
import { Browser } from '../support/browser.ts';
import { codeIn, ROOT } from '../support/doc-code.ts';
import { killed, metric } from '../support/gateway-process.ts';
import { ModuleServer } from '../support/module-server.ts';
import { PackedProject } from '../support/packed-project.ts';
import { refusedUpgrade } from '../support/raw-client.ts';
import { type CliChild, NODE } from '../support/run-cli.ts';

/** Twice of what it is: who packs more should have a reason. Units: bytes. */
const PACKED_BYTES_MAX = 800 * 1024;
const UNPACKED_BYTES_MAX = 2.5 * 1024 * 1024;

const OF_THE_PACKAGE = [
  /^(?:package\.json|README\.md|LICENSE|CHANGELOG\.md)$/,
  /^dist\/(?:src|simulators)\/[\w/-]+\.(?:js|d\.ts)$/,
  /^dist\/src\/dashboard\/[\w-]+\.(?:html|css|svg)$/,
];

let project: PackedProject;
let running: CliChild[] = [];

beforeAll(async () => {
  project = await PackedProject.make();
});

afterEach(async () => {
  for (const child of running) child.process.kill('SIGKILL');
  await Promise.all(running.map(({ ended }) => ended));
  running = [];
});

afterAll(() => (project as PackedProject | undefined)?.remove());

/** A gateway of the installed package; returns it with the addresses of its ready line. */
async function serve(...flags: string[]) {
  const gateway = project.tidegate('serve', '--listen', '127.0.0.1:0', ...flags);
  running.push(gateway);
  const ready = await gateway.stdoutWith(/^tidegate ready .*\n/);
  const [, , http = '', ws = ''] = ready.split(' ');
  return { gateway, http, ws };
}

/** Runs a module in the project; what it prints. */
async function run(name: string, text: string, ...argv: string[]): Promise<string> {
  project.write(name, text);
  const { code, stdout, stderr } = await project.start('node', [name, ...argv]).ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

/** Every module of the package that may be imported: the entry of the command ends the process. */
const modules = (): string[] =>
  globSync('dist/{src,simulators}/**/*.js', {
    cwd: project.package,
    exclude: ['dist/src/main.js', 'dist/src/dashboard/**'],
  }).sort();

describe('the tarball', () => {
  test('holds what is needed, nothing else, and is small', async () => {
    const argv = ['pack', '--dry-run', '--json', '--ignore-scripts'];
    const { code, stdout } = await project.start('npm', [...argv, ROOT]).ended;
    expect(code).toBe(0);
    const [{ files, size, unpackedSize }] = JSON.parse(stdout) as [
      { files: { path: string }[]; size: number; unpackedSize: number },
    ];
    const paths = files.map(({ path }) => path);
    expect(paths.filter((path) => !OF_THE_PACKAGE.some((one) => one.test(path)))).toEqual([]);
    expect(size).toBeLessThan(PACKED_BYTES_MAX);
    expect(unpackedSize).toBeLessThan(UNPACKED_BYTES_MAX);
    const expected = [
      ...globSync('{src,simulators}/**/*.ts', { cwd: ROOT }).flatMap((path) => [
        path.replace(/ts$/, 'js'),
        path.replace(/ts$/, 'd.ts'),
      ]),
      ...globSync('src/dashboard/*.{html,css,svg,js}', { cwd: ROOT }),
    ];
    const built = paths.filter((path) => path.startsWith('dist/'));
    expect(built.sort()).toEqual(expected.map((path) => `dist/${path}`).sort());
  });

  test('imports nothing but its dependencies, and names no place of the machine it was built on', () => {
    const { dependencies } = JSON.parse(
      readFileSync(join(project.package, 'package.json'), 'utf8'),
    ) as { dependencies: Record<string, string> };
    const isKnown = (name: string) =>
      name.startsWith('.') || isBuiltin(name) || Object.hasOwn(dependencies, name);
    const foreign: string[] = [];
    for (const path of modules()) {
      const text = readFileSync(join(project.package, path), 'utf8');
      expect(text).not.toContain(ROOT);
      for (const { moduleRequest } of parseSync(path, text).module.staticImports) {
        const { value } = moduleRequest;
        if (!isKnown(value)) foreign.push(`${path}: ${value}`);
      }
    }
    expect(foreign).toEqual([]);
  });

  test('has modules that can all be loaded', async () => {
    const all = JSON.stringify(modules().map((path) => `./node_modules/tidegate/${path}`));
    const text = `let n = 0;\nfor (const path of ${all}) { await import(path); n += 1; }\nconsole.log(n);`;
    expect(await run('load.js', text)).toBe(`${modules().length}\n`);
  });
});

describe('the command', () => {
  test('is there for npx', async () => {
    const { code, stdout } = await project.start('npx', ['tidegate', '--help']).ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Usage: tidegate COMMAND/);
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    expect((await project.tidegate('version').ended).stdout).toContain(`tidegate ${version} (`);
  });

  test('serves, with its page, and ends at SIGTERM', async () => {
    const { gateway, http } = await serve('--log', 'memory');
    const page = await (await fetch(http)).text();
    const parts = [...page.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path);
    expect(parts.length).toBeGreaterThan(3);
    for (const path of parts) expect((await fetch(`${http}${path}`)).status, path).toBe(200);
    expect((await killed(gateway, 'SIGTERM')).code).toBe(0);
  });

  test('says on an older Node what it needs, before it loads anything that would not load', async () => {
    project.write(
      'older.cjs',
      `Object.defineProperty(process.versions, 'node', { value: '18.20.8' });`,
    );
    const main = 'node_modules/tidegate/dist/src/main.js';
    const older = project.start(NODE, ['--require', './older.cjs', main, 'serve']);
    const sentence = 'tidegate needs Node 24 or later, this is Node 18.20.8.\n';
    expect(await older.ended).toEqual({ code: 78, stdout: '', stderr: sentence });
    const text = readFileSync(join(project.directory, main), 'utf8');
    expect(text).toMatch(/^#!\/usr\/bin\/env node\n/);
    expect(text).not.toMatch(/^(?:import|export) [^(]*from /m);
  });
});

/** What somebody writes who reads the topics: here they come from a file log, one message a line. */
const READER = `
import { readFileSync } from 'node:fs';
import { readingsOf, TidegateReader } from 'tidegate/consumer';
const reader = new TidegateReader();
const bytes = (text) => Buffer.from(text, 'base64');
let readings = 0;
let results = 0;
for (const line of readFileSync(process.argv[2], 'utf8').trim().split('\\n')) {
  const { topic, partition, offset, key, value, tg } = JSON.parse(line);
  const message = { offset, key: bytes(key), value: bytes(value), headers: { tg: bytes(tg) } };
  for (const item of reader.read(topic, partition, message)) {
    if (item.kind === 'fault') throw new Error(item.sentence);
    if (item.kind === 'result') results += 1;
    if (item.kind === 'frame') readings += [...readingsOf(item.blocks)].length;
  }
}
console.log(JSON.stringify({ readings, results: results > 0 }));
`;

/** The log of a data directory as the messages that its topics would hold. */
async function messagesOf(data: string): Promise<string[]> {
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
  const log = await LogReader.open(data);
  const lines: string[] = [];
  const add = (topic: string, partition: number, rest: Record<string, string | number>): void => {
    lines.push(JSON.stringify({ topic: `tidegate.${topic}`, partition, ...rest }));
  };
  await log.readSchemas(({ hash, bytes }) => {
    add('schemas', 0, { offset: lines.length, key: text(hash), value: text(bytes), tg: '' });
  });
  for await (const { log: kind, shard, offset, key, value, tg } of log.records()) {
    const content = { key: text(key), value: text(value), tg: text(tg) };
    add(LOG_NAMES[kind], shard, { offset, ...content });
  }
  return lines;
}

describe('tidegate/consumer', () => {
  test('reads what the gateway and the simulator of the package have written', async () => {
    const data = join(project.directory, 'data');
    const { gateway, ws } = await serve('--log', 'file', '--data', data);
    const flags = ['--devices', '2', '--rate', '50', '--duration', '1500ms', '--json'];
    const fleet = await project.tidegate('simulate', '--url', ws, ...flags).ended;
    expect(fleet.code, fleet.stderr).toBe(0);
    const { readingsAcked } = JSON.parse(fleet.stdout.trim().split('\n').at(-1) ?? '{}');
    expect(readingsAcked).toBeGreaterThan(0);
    await expect
      .poll(() => messagesOf(data))
      .toContainEqual(expect.stringContaining('.aggregates"'));
    expect((await killed(gateway, 'SIGTERM')).code).toBe(0);
    project.write('messages.ndjson', (await messagesOf(data)).join('\n'));
    const read = JSON.parse(await run('reader.js', READER, 'messages.ndjson'));
    expect(read).toEqual({ readings: readingsAcked, results: true });
  });
});

describe('tidegate/client', () => {
  test('is the device of the README, in a project that installed the package', async () => {
    const { ws, http } = await serve('--log', 'memory');
    const code = codeIn('README.md', 'js', 'connectDevice').replace('ws://127.0.0.1:8080/v1', ws);
    const said = await run('device.js', code);
    for (const kind of ['connecting', 'live', 'acked', 'closed']) expect(said).toContain(kind);
    const durable = 'tidegate_ingest_frames_settled_total{outcome="durable"}';
    expect(await metric(http, durable)).toBeGreaterThanOrEqual(2);
  });

  test('keeps its ring in a file', async () => {
    const { ws } = await serve('--log', 'memory');
    const said = await run(
      'kept.js',
      `import { existsSync } from 'node:fs';
import { connectDevice } from 'tidegate/client';
import { openRingFile } from 'tidegate/client/ring-file';
const store = openRingFile('./ring');
const series = { heading: { unit: 'deg' } };
const device = connectDevice({ url: ${JSON.stringify(ws)}, token: 'ship/1', series, store });
device.write({ heading: 90 });
await device.flush();
await device.close();
console.log(existsSync('./ring'));
`,
    );
    expect(said).toBe('true\n');
  });
});

/** A page of somebody's site, with the client of the package as it is: no bundler. */
const PAGE = `<!doctype html><title>a device</title><script type="module">
import { connectDevice } from '/dist/src/adapters/device/device-client.js';
const { url, token } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
const device = connectDevice({ url, token, series: { heading: { unit: 'deg' } } });
window.told = { acked: 0, closed: false, others: [] };
device.on((event) => {
  if (event.kind === 'acked') told.acked += event.readings;
  else if (event.kind === 'closed') told.closed = true;
  else if (event.kind !== 'live' && event.kind !== 'connecting') told.others.push(event);
});
window.publish = (heading) => device.write({ heading });
window.finish = () => device.flush().then(() => device.close());
</script>`;

describe('a device in a browser', () => {
  const DEVICE = 'web/phone-1';
  let browser: Browser;
  let site: ModuleServer;

  beforeAll(async () => {
    browser = await Browser.open();
    site = await ModuleServer.start(PAGE, project.package);
  });

  afterAll(async () => {
    await browser.close();
    await site.close();
  });

  /** Opens the page for a device of this gateway. */
  const open = (ws: string, token: string) =>
    browser.page(`${site.url}#${new URLSearchParams({ url: ws, token })}`);

  test('is acked, from a page of any origin, where the gateway asks for tokens', async () => {
    project.write('secret', 'a secret of at least thirty-two bytes, for this test');
    project.write('tokens.yaml', 'auth: {hs256: {secretFile: ./secret}}');
    const secured = ['--config', 'tokens.yaml'];
    const data = join(project.directory, 'web-data');
    const { ws } = await serve('--log', 'file', '--data', data, ...secured);
    const mint = ['token', '--device', DEVICE, '--expires', '1h', ...secured];
    const token = (await project.tidegate(...mint).ended).stdout.trim();
    const page = await open(ws, token);
    for (const value of [90, 91.5, 93]) await page.evaluate(`publish(${value})`);
    await page.evaluate('finish()');
    await expect.poll(() => page.evaluate('told.closed')).toBe(true);
    expect(await page.evaluate('told')).toEqual({ acked: 3, closed: true, others: [] });
    expect({ missing: site.missing, complaints: browser.complaints }).toEqual({
      missing: [],
      complaints: [],
    });
    project.write('web.ndjson', (await messagesOf(data)).join('\n'));
    expect(JSON.parse(await run('reader.js', READER, 'web.ndjson'))).toMatchObject({ readings: 3 });
  });

  test('is refused by an open gateway, whose only page is its own', async () => {
    const { ws, http } = await serve('--log', 'memory');
    const page = await open(ws, DEVICE);
    await expect.poll(() => page.evaluate('told.others.length')).toBeGreaterThan(0);
    expect(await page.evaluate('told.others[0]')).toMatchObject({ kind: 'waiting' });
    const upgrade = refusedUpgrade(ws, ['tidegate.v1.cbor'], { origin: site.url.slice(0, -1) });
    expect(await upgrade).toMatchObject({ status: 403, body: { error: 4004 } });
    expect(await metric(http, 'tidegate_sessions')).toBe(0);
  });
});

/** A program in TypeScript, with the mistakes that its compiler has to see. */
const TYPED = `
import { connectDevice, type DeviceEvent } from 'tidegate/client';
export const device = connectDevice({ url: 'ws://127.0.0.1:8080/v1', token: 'a', series: { x: {} } });
device.on((event: DeviceEvent) => { if (event.kind === 'acked') event.readings.toFixed(); });
// @ts-expect-error: only what exports names can be imported.
export type { Pipe } from 'tidegate/dist/src/ingest/credit/pipe.js';
import { type LogItem, readingsOf, TidegateReader, type WindowResult } from 'tidegate/consumer';
const reader = new TidegateReader({ heldBytesMax: 1024 });
const items: LogItem[] = reader.read('tidegate.readings', 0, { offset: '0', key: null, value: null });
export const times: number[] = [];
export const results: WindowResult[] = [];
for (const item of items) {
  if (item.kind === 'frame') for (const { t } of readingsOf(item.blocks)) times.push(t);
  if (item.kind === 'result') results.push(item.result);
}
// @ts-expect-error: an offset is text or a number.
reader.read('tidegate.readings', 0, { offset: true, key: null, value: null });
// @ts-expect-error: only what exports names can be imported.
export type { LogRecord } from 'tidegate/dist/src/model/record.js';
`;

describe('the types', () => {
  test('are found by a strict project, without those of Node', async () => {
    project.write('typed.ts', TYPED);
    const compilerOptions = {
      module: 'nodenext',
      moduleResolution: 'nodenext',
      target: 'es2024',
      lib: ['es2024', 'dom'],
      types: [],
      strict: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
    };
    project.write('tsconfig.json', JSON.stringify({ compilerOptions, files: ['typed.ts'] }));
    const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
    const { code, stdout } = await project.start('node', [compiler, '-p', '.']).ended;
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
  });
});
