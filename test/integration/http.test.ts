import { createServer, request, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Access, openAccess } from '../../src/adapters/auth/access.ts';
import { refusal } from '../../src/adapters/host/guard.ts';
import { createHttp, type Readiness } from '../../src/adapters/host/http.ts';
import { breach } from '../../src/model/errors.ts';
import { ANYBODY } from '../../src/model/identity.ts';

const READY: Readiness = {
  ready: true,
  log: { kind: 'memory', state: 'ok' },
  rung: 0,
  reasons: [],
};
const RECOVERING: Readiness = {
  ready: false,
  log: { kind: 'file', state: 'ok' },
  rung: 0,
  reasons: ['the log is being read'],
};

let server: Server;
let access: Access = openAccess();
let ready = READY;
let metrics: () => string = () => 'tidegate_sessions 3\n';
const faults: unknown[] = [];
const portOf = () => (server.address() as AddressInfo).port;

beforeAll(async () => {
  const listener = createHttp({
    node: 'gw-7',
    port: portOf,
    access: {
      get isOpen() {
        return access.isOpen;
      },
      get counts() {
        return access.counts;
      },
      verify: (token, address) => access.verify(token, address),
    },
    ready: () => ready,
    metrics: () => metrics(),
    api: () => ({ windows: [1000], D: 2000 }),
    stats: () => ({ sessions: 3 }),
    onFault: (error) => faults.push(error),
  });
  server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterAll(() => new Promise((resolve) => server.close(resolve)));

interface Got {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: string;
}

interface Asked {
  readonly method?: string;
  readonly headers?: Record<string, string>;
}

function ask(path: string, { method = 'GET', headers = {} }: Asked = {}): Promise<Got> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: portOf(), path, method, headers, agent: false };
    const asking = request(options, (answer) => {
      let body = '';
      answer.setEncoding('utf8');
      answer.on('data', (text: string) => {
        body += text;
      });
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body }),
      );
    });
    asking.on('error', reject);
    asking.end();
  });
}

/** Sends these very bytes and returns the status line of the answer. */
function askRaw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(portOf(), '127.0.0.1', () => socket.end(text));
    socket.once('data', (bytes) => resolve(bytes.toString('latin1').split('\r\n')[0] ?? ''));
    socket.on('error', reject);
  });
}

describe('the guard of open mode', () => {
  const PORT = 8080;
  const own = '127.0.0.1:8080';
  test.each([
    ['127.0.0.1', undefined],
    ['127.0.0.1:8080', undefined],
    ['127.0.0.1:9000', undefined],
    ['localhost:8080', undefined],
    ['LOCALHOST', undefined],
    ['[::1]:8080', undefined],
    ['[::1]', undefined],
    [own, 'http://127.0.0.1:8080'],
    [own, 'http://localhost:8080'],
    [own, 'http://[::1]:8080'],
  ])('lets Host %s with Origin %s in', (host, origin) => {
    expect(refusal({ headers: { host, ...(origin && { origin }) } }, PORT)).toBeNull();
  });

  test.each([
    [undefined, undefined],
    ['', undefined],
    ['gateway.example:8080', undefined],
    ['127.0.0.1.example.com', undefined],
    ['localhost.example', undefined],
    ['localhost.', undefined],
    ['127.0.0.2', undefined],
    ['2130706433', undefined],
    ['0.0.0.0:8080', undefined],
    ['::1', undefined],
    ['127.0.0.1:8080@evil.example', undefined],
    ['127.0.0.1:', undefined],
    ['127.0.0.1:8080, evil.example', undefined],
    [own, ''],
    [own, 'null'],
    [own, 'https://127.0.0.1:8080'],
    [own, 'http://127.0.0.1:8081'],
    [own, 'http://127.0.0.1'],
    [own, 'http://evil.example'],
    [own, 'http://evil.example:8080'],
    [own, 'http://localhost.evil.example:8080'],
    [own, 'http://127.0.0.1:8080/'],
    [own, 'http://127.0.0.1:8080, http://evil.example'],
    [own, 'file://'],
    [own, 'chrome-extension://abcdef'],
  ])('keeps Host %s with Origin %s out', (host, origin) => {
    const headers = {
      ...(host !== undefined && { host }),
      ...(origin !== undefined && { origin }),
    };
    expect(refusal({ headers }, PORT)).toMatchObject({ status: 403, code: 4004 });
  });

  test('takes an origin without a port for port 80', () => {
    const headers = { host: 'localhost', origin: 'http://localhost' };
    expect(refusal({ headers }, 80)).toBeNull();
  });

  test.each(['/', '/healthz', '/metrics', '/api/stats', '/v1', '/nothing'])(
    'stands before everything: %s of a foreign name',
    async (path) => {
      const got = await ask(path, { headers: { Host: 'evil.example' } });
      expect(got.status).toBe(403);
      expect(JSON.parse(got.body)).toEqual({ error: 4004, message: expect.any(String) });
      expect(got.body).not.toContain('evil');
    },
  );

  test('refuses the page of another origin over the wire', async () => {
    const got = await ask('/api/stats', { headers: { Origin: 'http://evil.example' } });
    expect(got.status).toBe(403);
  });

  test('refuses a request without Host', async () => {
    expect(await askRaw('GET /healthz HTTP/1.0\r\n\r\n')).toBe('HTTP/1.1 403 Forbidden');
  });
});

describe('refusals say why, in one shape', () => {
  test.each([
    ['GET', '/v1', 426, 426],
    ['GET', '/v1?x=1', 426, 426],
    ['POST', '/v1', 426, 426],
    ['GET', '/n/gw-7/v1', 426, 426],
    ['GET', '/n/gw-8/v1', 421, 4200],
    ['GET', '/n/bad_name/v1', 404, 404],
    ['GET', '/n/gw-7', 404, 404],
    ['GET', '/v2', 404, 404],
    ['GET', '/../package.json', 404, 404],
    ['GET', '/%2e%2e/package.json', 404, 404],
    ['GET', '/tsconfig.json', 404, 404],
    ['POST', '/nothing', 404, 404],
    ['POST', '/', 405, 405],
    ['PUT', '/metrics', 405, 405],
    ['DELETE', '/api/stats', 405, 405],
    ['OPTIONS', '/healthz', 405, 405],
  ])('%s %s: %i', async (method, path, status, error) => {
    const got = await ask(path, { method });
    expect(got.status).toBe(status);
    expect(JSON.parse(got.body)).toEqual({ error, message: expect.stringMatching(/\w+ \w+/) });
    expect(got.headers['content-type']).toBe('application/json; charset=utf-8');
  });

  test('a target that is no path is 400', async () => {
    const line = await askRaw('GET http://localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n');
    expect(line).toBe('HTTP/1.1 400 Bad Request');
  });

  test('405 names what is allowed, 426 what to upgrade to', async () => {
    expect((await ask('/', { method: 'POST' })).headers['allow']).toBe('GET, HEAD');
    expect((await ask('/v1')).headers['upgrade']).toBe('websocket');
  });
});

describe('what is served', () => {
  test('the page, with headers that keep strangers out', async () => {
    const { status, headers, body } = await ask('/');
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    expect(headers['content-security-policy']).toContain("default-src 'self'");
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['referrer-policy']).toBe('no-referrer');
    expect(body).toContain('<title>Tidegate</title>');
  });

  test('every file that the page names, and every module that those import', async () => {
    const seen = new Map<string, number>();
    const todo = ['/'];
    for (let path = todo.pop(); path !== undefined; path = todo.pop()) {
      if (seen.has(path)) continue;
      const { status, body } = await ask(path);
      seen.set(path, status);
      const names = body.matchAll(/(?:src|href)="(\/[^"]+)"|from '\.(\/[^']+)'/g);
      for (const [, linked, imported] of names) todo.push(linked ?? imported ?? '/');
    }
    expect([...seen.values()].every((status) => status === 200)).toBe(true);
    expect([...seen.keys()]).toEqual(expect.arrayContaining(['/uplot.js', '/windows.js']));
  });

  test('nothing inline, which the policy would forbid', async () => {
    const { body } = await ask('/');
    expect(body).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son[a-z]+=/i);
  });

  test('a file that the browser has is not sent again', async () => {
    const first = await ask('/page.js');
    const etag = String(first.headers['etag']);
    const again = await ask('/page.js', { headers: { 'If-None-Match': etag } });
    expect(again).toMatchObject({ status: 304, body: '' });
    const other = await ask('/page.js', { headers: { 'If-None-Match': '"other"' } });
    expect(other.status).toBe(200);
  });

  test('HEAD is GET without the body', async () => {
    const got = await ask('/page.js');
    const head = await ask('/page.js', { method: 'HEAD' });
    expect(head).toMatchObject({ status: 200, body: '' });
    expect(head.headers['content-length']).toBe(String(Buffer.byteLength(got.body)));
  });

  test('health, readiness, metrics and figures', async () => {
    expect(await ask('/healthz')).toMatchObject({ status: 200 });
    expect(JSON.parse((await ask('/readyz')).body)).toEqual(READY);
    const text = await ask('/metrics');
    expect(text).toMatchObject({ status: 200, body: 'tidegate_sessions 3\n' });
    expect(text.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(JSON.parse((await ask('/api')).body)).toEqual({ windows: [1000], D: 2000 });
    const stats = await ask('/api/stats?t=1');
    expect(JSON.parse(stats.body)).toEqual({ sessions: 3 });
    expect(stats.headers['cache-control']).toBe('no-store');
  });

  test('503 with the reasons while not ready', async () => {
    ready = RECOVERING;
    const got = await ask('/readyz');
    ready = READY;
    expect(got.status).toBe(503);
    expect(JSON.parse(got.body)).toEqual(RECOVERING);
  });

  test('a bug of ours is 500 and told, and the next request is served', async () => {
    metrics = () => {
      throw new Error('planted');
    };
    const got = await ask('/metrics');
    metrics = () => 'tidegate_sessions 3\n';
    expect(got.status).toBe(500);
    expect(JSON.parse(got.body)).toMatchObject({ error: 1011 });
    expect(faults).toEqual([new Error('planted')]);
    expect((await ask('/metrics')).status).toBe(200);
  });
});

describe('outside open mode', () => {
  const tokens: Access = {
    isOpen: false,
    counts: { verified: 0, known: 0, refused: new Map() },
    verify: (token) => Promise.resolve(token === 'reader' ? READER : breach(4101)),
  };
  const READER = { ...ANYBODY, isMetricsReader: false };

  beforeAll(() => {
    access = tokens;
  });
  afterAll(() => {
    access = openAccess();
  });

  test.each<[string, number, number]>([
    ['/', 200, 200],
    ['/page.js', 200, 200],
    ['/healthz', 200, 200],
    ['/readyz', 200, 200],
    ['/v1', 426, 426],
    ['/nothing', 404, 404],
    ['/apis', 404, 404],
    ['/api', 401, 200],
    ['/api?p=x', 401, 200],
    ['/api/stats', 401, 200],
    // What comes later below /api is guarded before it is there.
    ['/api/series/a/b', 401, 404],
    ['/api/', 401, 404],
    ['/metrics', 401, 403],
    ['/metrics?x', 401, 403],
    ['/metrics/', 404, 404],
    ['/%61pi', 404, 404],
  ])('%s is %d without a token and %d for a reader', async (path, without, reader) => {
    const foreign = { Host: 'gateway.example', Origin: 'https://other.example' };
    expect((await ask(path, { headers: foreign })).status).toBe(without);
    const headers = { ...foreign, Authorization: 'Bearer reader' };
    expect((await ask(path, { headers })).status).toBe(reader);
    expect((await ask(path, { headers, method: 'HEAD' })).status).toBe(reader);
  });

  test('who showed too many bad tokens is told when to come back', async () => {
    const got = await ask('/api', { headers: { Authorization: 'Bearer bad' } });
    expect(got).toMatchObject({ status: 429, headers: { 'retry-after': '5' } });
    expect(JSON.parse(got.body)).toMatchObject({ error: 4101 });
  });
});
