import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createConnection, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openAccess } from '../../src/adapters/auth/access.ts';
import { WsServer } from '../../src/adapters/in/ws-server.ts';
import type { Input } from '../../src/gateway/io.ts';
import { type Breach, breach } from '../../src/model/errors.ts';

let server: Server;
let sockets: WsServer;
let peer: Socket;
let inputs: Input[] = [];
let refusal: Breach | null = null;

const port = (): number => (server.address() as AddressInfo).port;
const kinds = (): string[] => inputs.map(({ kind }) => kind);

beforeEach(async () => {
  const heard: Input[] = [];
  inputs = heard;
  refusal = null;
  server = createServer();
  sockets = new WsServer({
    node: 'n',
    port,
    access: openAccess(),
    refusalOf: () => refusal,
    input: (input) => heard.push(input),
  });
  sockets.attach(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  peer = createConnection(port(), '127.0.0.1');
});

afterEach(async () => {
  peer.destroy();
  sockets.terminate();
  server.close();
  await once(server, 'close');
});

/** Asks for the upgrade by hand, and gives the head of the answer. */
async function upgrade(): Promise<string> {
  peer.write(
    `GET /v1 HTTP/1.1\r\nHost: 127.0.0.1:${port()}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n' +
      'Sec-WebSocket-Protocol: tidegate.v1.cbor\r\nAuthorization: Bearer d\r\n\r\n',
  );
  const [bytes] = (await once(peer, 'data')) as [Buffer];
  return bytes.toString();
}

/** A heartbeat of the server: when its Ping has arrived, what it found out is told. */
async function heartbeat(): Promise<void> {
  sockets.probe(1);
  await once(peer, 'data');
  await new Promise((resolve) => setImmediate(resolve));
}

describe('the server side of a WebSocket', () => {
  test('tells whether the peer is on this machine', async () => {
    expect(await upgrade()).toMatch(/^HTTP\/1\.1 101 /);
    expect(inputs).toMatchObject([{ kind: 'connected', session: 1, isLocal: true }]);
  });

  test('hears of a peer that is in the middle of a long message, and of silence nothing', async () => {
    await upgrade();
    await heartbeat();
    expect(kinds()).toEqual(['connected']);
    // The head of a masked binary message of 1000 bytes, and a few of them.
    peer.write(Buffer.from('82fe03e800000000aabbcc', 'hex'));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await heartbeat();
    expect(kinds()).toEqual(['connected', 'heard']);
    await heartbeat();
    expect(kinds()).toEqual(['connected', 'heard']);
  });

  test('refuses the upgrade of a device that has to wait, and says how long', async () => {
    refusal = { ...breach(4101), waitMs: 5500 };
    const answer = await upgrade();
    expect(answer).toMatch(/^HTTP\/1\.1 429 /);
    expect(answer).toContain('Retry-After: 6\r\n');
    refusal = breach(4100);
    peer = createConnection(port(), '127.0.0.1');
    expect(await upgrade()).toMatch(/^HTTP\/1\.1 503 [\s\S]*Retry-After: 5\r\n/);
    expect(inputs).toEqual([]);
  });
});
