import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { type CliResult, runCli, startCli } from '../support/run-cli.ts';

const servers: Server[] = [];
const connections = new Set<Socket>();
afterEach(async () => {
  // An upgraded socket is no longer the server's to close.
  for (const socket of connections) socket.destroy();
  connections.clear();
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
});

async function listening(server: Server): Promise<string> {
  servers.push(server);
  server.on('connection', (socket) => connections.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
}

/** A server that answers every upgrade in the same way. Returns its address. */
function serverThat(
  onUpgrade: (answer: (status: string, body: string) => void, server: Server) => void,
): Promise<string> {
  const server = createServer((_request, response: ServerResponse) => response.end());
  server.on('upgrade', (_request, socket) => {
    socket.on('error', () => undefined);
    const answer = (status: string, body: string): void => {
      const head = `HTTP/1.1 ${status}\r\nContent-Length: ${body.length}\r\nConnection: close`;
      socket.end(`${head}\r\n\r\n${body}`);
    };
    onUpgrade(answer, server);
  });
  return listening(server);
}

/** Two signals closer together than this are one Ctrl-C that came by two ways. Units: ms. */
const APART_MS = 400;

/** Runs until stderr says this, then interrupts twice: the second Ctrl-C does not wait for acks. */
async function interruptedAfter(said: string, argv: readonly string[]): Promise<CliResult> {
  const child = startCli(['simulate', ...argv]);
  let stderr = '';
  await new Promise<void>((resolve) => {
    child.process.stderr?.on('data', (text: string) => {
      stderr += text;
      if (stderr.includes(said)) resolve();
    });
  });
  child.process.kill('SIGINT');
  await sleep(APART_MS);
  expect(child.process.exitCode).toBeNull();
  child.process.kill('SIGINT');
  return child.ended;
}

const simulate = (url: string, ...more: string[]) =>
  runCli(['simulate', '--url', url, '--devices', '2', ...more]);

test('HTTP 400: says what the body says and stops at once', async () => {
  const body = '{"error":400,"message":"offer tidegate.v1.cbor or tidegate.v1.json"}';
  const url = await serverThat((answer) => answer('400 Bad Request', body));
  const { code, stderr, stdout } = await simulate(url, '--json');
  expect(code).toBe(1);
  expect(stderr).toContain('HTTP 400 (offer tidegate.v1.cbor or tidegate.v1.json)');
  expect(stderr).toContain('Trying again would not help');
  expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({ devices: 2 });
});

test('HTTP 503 with Retry-After: waits that long, and tries again', async () => {
  const times: number[] = [];
  const url = await serverThat((answer, server) => {
    times.push(performance.now());
    if (times.length < 3) answer('503 Full\r\nRetry-After: 1', 'no room');
    else {
      answer('401 Unauthorized', '{"error":4003,"message":"enough"}');
      server.close();
    }
  });
  const { code, stderr } = await runCli(['simulate', '--url', url, '--devices', '1']);
  expect(code).toBe(1);
  expect(stderr).toContain('HTTP 503 (no room)');
  expect(stderr).toContain('HTTP 401 (enough)');
  expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(1000);
});

test('a server that picks no subprotocol is no gateway, and the sentence says so', async () => {
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => false });
  const server = createServer();
  server.on('upgrade', (request, socket, head) =>
    sockets.handleUpgrade(request, socket, head, () => undefined),
  );
  const url = await listening(server);
  const { code, stderr } = await interruptedAfter('subprotocol', ['--url', url]);
  expect(stderr).toContain('subprotocol');
  expect(code).toBe(1);
});

test('a Ctrl-C that comes twice at once, as through npm, is one', async () => {
  const url = await serverThat(() => undefined);
  const child = startCli(['simulate', '--url', url]);
  await new Promise((resolve) => child.process.once('spawn', resolve));
  await sleep(1000);
  child.process.kill('SIGINT');
  await sleep(20);
  child.process.kill('SIGINT');
  await sleep(APART_MS);
  expect(child.process.exitCode).toBeNull();
  child.process.kill('SIGINT');
  const { code, stderr } = await child.ended;
  expect(stderr.match(/Stopping/g)).toHaveLength(1);
  expect(code).toBe(1);
});

test('nothing listens: says so, keeps what was measured, and ends with 1', async () => {
  const url = await serverThat(() => undefined);
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
  const argv = ['--url', url, '--json'];
  const { code, stdout, stderr } = await interruptedAfter('connection refused', argv);
  expect(stderr).toContain(`cannot connect to ${url}: connection refused`);
  expect(code).toBe(1);
  const report = JSON.parse(stdout.trim()) as { framesSent: number; unacked: number };
  expect(report.framesSent).toBe(0);
  expect(report.unacked).toBeGreaterThan(0);
});
