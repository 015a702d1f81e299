import { connect } from 'node:net';
import { expect } from 'vitest';
import { CODES } from '../../src/model/errors.ts';
import { pageOf } from '../support/doc-code.ts';
import { Bed, useBed } from './bed.ts';
import { blockOf, dashboard, Peer, publisher } from './peer.ts';
import { CODECS, CORE, HTTP, JSON_TEXT, rule } from './rule.ts';

/** §13 and §15 where no other section has the row: codes of the WebSocket layer, texts, echoes. */

const bed = useBed();

rule(
  'R13-4',
  'a client that closes with 1000 is answered with 1000, without an away',
  CODECS,
  async (codec) => {
    const peer = await publisher(bed(), codec);
    peer.socket.close(1000);
    expect((await peer.closed).code).toBe(1000);
    expect(peer.heard.map(({ k }) => k)).not.toContain('away');
  },
);

rule('R13-31', 'text that is not UTF-8 ⇒ 1007', JSON_TEXT, async (codec) => {
  const peer = await dashboard(bed(), codec);
  peer.send(Uint8Array.of(0x7b, 0xff, 0x7d), false);
  expect((await peer.closed).code).toBe(1007);
});

/** The close code that follows these raw bytes after an upgrade; NaN if none came. */
function closedAfter(frame: Uint8Array, codec: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect(bed().port, '127.0.0.1', () => {
      const lines = [
        'GET /v1 HTTP/1.1',
        `Host: ${bed().host}`,
        'Upgrade: websocket',
        'Connection: Upgrade',
        'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
        'Sec-WebSocket-Version: 13',
        `Sec-WebSocket-Protocol: tidegate.v1.${codec}`,
        '',
        '',
      ];
      socket.write(lines.join('\r\n'));
    });
    let seen = Buffer.alloc(0);
    let isSent = false;
    socket.on('error', reject);
    socket.on('data', (chunk: Buffer) => {
      seen = Buffer.concat([seen, chunk]);
      const end = seen.indexOf('\r\n\r\n');
      if (end >= 0 && !isSent) {
        isSent = true;
        seen = seen.subarray(end + 4);
        socket.write(frame);
      }
      const close = seen.indexOf(0x88);
      if (isSent && close >= 0 && seen.length >= close + 4) {
        resolve(seen.readUInt16BE(close + 2));
        socket.destroy();
      }
    });
    socket.on('close', () => resolve(Number.NaN));
  });
}

rule('R13-31', 'broken WebSocket framing ⇒ 1002', CODECS, async (codec) => {
  // Not masked; reserved bits set; an opcode that does not exist.
  for (const frame of [
    [0x82, 0x01, 0x00],
    [0xf2, 0x80, 0, 0, 0, 0],
    [0x83, 0x80, 0, 0, 0, 0],
  ]) {
    expect(await closedAfter(Uint8Array.from(frame), codec)).toBe(1002);
  }
});

rule('R13-1', '4020–4039 stand in reject only, the others never', CODECS, async (codec) => {
  const peer = await publisher(bed(), codec);
  peer.frame({ n: 1 }, [{ s: 9, t: 1, v: [1] }]);
  peer.frame({ n: 2 }, [{ ...blockOf(), fid: 0 }]);
  await peer.acked(2);
  peer.sub({ win: 7 });
  await peer.until('state');
  peer.frame({ n: 9 });
  await peer.closed;
  const codes = (k: string): number[] => peer.heard.filter((one) => one.k === k).map(({ e }) => e);
  expect([codes('reject'), codes('state'), codes('away')]).toEqual([[4020, 4021], [4005], [4008]]);
});

rule('R13-30', '4022 and 4024 are not used: neither the code nor the page has them', HTTP, () => {
  expect(Object.keys(CODES)).not.toContain('4022');
  expect(Object.keys(CODES)).not.toContain('4024');
  const table = pageOf('docs/PROTOCOL.md')
    .split('\n')
    .filter((line) => /^\| (4022|4024) /.test(line));
  expect(table).toEqual([]);
});

rule(
  'R13-8',
  '1012 and 1013 are said by nothing: the gateway always has its away',
  CORE,
  async () => {
    const left = await new Bed().open();
    const peer = await dashboard(left, 'json');
    left.driver.input({ kind: 'leave' });
    expect(await peer.until('away')).toMatchObject({ e: 4201 });
    left.close();
  },
);

rule('R15-4', 'reasons, texts and errors never echo payload bytes', CODECS, async (codec) => {
  const secret = 'Zx9-secret';
  const peer = await publisher(bed(), codec);
  peer.frame({ n: 1 }, [{ ...blockOf([1, secret]), dt: 1 }]);
  await peer.until('reject');
  peer.sub({ p: [`#/${secret}`] });
  peer.sub({ c: 2, agg: [secret] });
  await peer.until('state', ({ c }) => c === 2);
  peer.say('def', { c: 1, s: 9, cols: [[`${secret} ${secret}`]] });
  const { reason } = await peer.closed;
  const texts = [...peer.payloads.map((payload) => new TextDecoder().decode(payload)), reason];
  expect(texts.filter((text) => text.includes(secret))).toEqual([]);
  const hello = await Peer.open(bed(), codec);
  hello.say('hello', { tok: `${secret}//` });
  const ended = await hello.closed;
  const said =
    hello.payloads.map((payload) => new TextDecoder().decode(payload)).join() + ended.reason;
  expect(said).not.toContain(secret);
});

rule('R15-4', 'nor do answers over HTTP', HTTP, async () => {
  const secret = 'Zx9-secret';
  for (const path of [`/${secret}`, `/api/${secret}`, `/v1?${secret}`, `/n/${secret}/v1`]) {
    const answer = await fetch(`http://${bed().host}${path}`, {
      headers: { Authorization: `Bearer ${secret}//` },
    });
    expect(await answer.text()).not.toContain(secret);
  }
});

rule('R11.8-1', '/api with the credential as Authorization: Bearer', HTTP, async () => {
  const secured = await new Bed({ isSecured: true }).open();
  const answer = await fetch(`http://${secured.host}/api`);
  expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
  secured.close();
});
