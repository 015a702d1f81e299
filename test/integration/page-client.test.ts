import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { stripTypeScriptTypes } from 'node:module';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Browser } from '../support/browser.ts';
import type { RunningGateway } from '../support/gateway-process.ts';
import { type LogLine, tailed } from '../support/read-log.ts';
import { securedPlace, startSecured, tokenOf } from '../support/secured-gateway.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

let gateway: RunningGateway;
let browser: Browser;
let site: Server;

beforeEach(async () => {
  // With tokens the gateway takes pages of every origin, as a site with devices needs it.
  gateway = await startSecured(securedPlace());
  browser = await Browser.open();
  site = createServer((request, response) => {
    void servedAt(request.url ?? '/').then(({ type, body }) => {
      response.setHeader('content-type', type);
      response.end(body);
    });
  });
  site.listen(0, '127.0.0.1');
  await once(site, 'listening');
});
afterEach(async () => {
  await browser.close();
  site.close();
  await gateway.stop();
});

/** The page of a device: what a person would write who has the client. */
const pageFor = (url: string, token: string): string => `<!doctype html><title>device</title>
<link rel="icon" href="data:," />
<script type="module">
  import { connectDevice } from '/src/adapters/device/device-client.ts';
  const device = connectDevice({
    url: '${url}',
    token: async () => '${token}',
    series: { tilt: { unit: 'deg' }, shaken: { lane: 'critical' } },
  });
  const seen = new Set();
  device.on((event) => seen.add(event.kind));
  for (let i = 0; i < 1000; i += 1) device.write({ tilt: i / 8 });
  device.write({ shaken: true });
  await device.flush();
  await device.close();
  document.title = [...seen].join(' ');
</script>`;

/** The page, or a source of this repository as a browser takes it: types taken out, nothing else. */
async function servedAt(path: string): Promise<{ type: string; body: string }> {
  if (path === '/') {
    const token = await tokenOf({ subject: 'phone/1', isPublisher: true });
    return { type: 'text/html', body: pageFor(gateway.ws, token) };
  }
  const source = await readFile(`${ROOT}${path}`, 'utf8');
  return { type: 'text/javascript', body: stripTypeScriptTypes(source) };
}

test('a page is a device: the client runs in a browser as it is', async () => {
  const { port } = site.address() as AddressInfo;
  const page = await browser.page(`http://127.0.0.1:${port}/`);
  await expect.poll(() => page.title()).toBe('connecting live acked closed');
  const lines = await tailed<LogLine>(gateway.data, 'readings');
  const values = lines.flatMap(({ blocks }) => blocks.flatMap(({ cols }) => cols[0]?.v ?? []));
  expect(values).toEqual(Array.from({ length: 1000 }, (_, i) => i / 8));
  expect(browser.complaints).toEqual([]);
});
