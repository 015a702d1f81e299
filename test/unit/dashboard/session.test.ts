import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

const { Session } = await import(
  new URL('../../../src/dashboard/session.js', import.meta.url).href
);

type Message = { k: string } & Record<string, unknown>;

/** A WebSocket whose other end is the test. */
class FakeSocket {
  static readonly OPEN = 1;
  static opened: FakeSocket[] = [];
  readyState = FakeSocket.OPEN;
  readonly sent: Message[] = [];
  closedWith: number | undefined;
  onopen = () => {};
  onmessage = (_event: { data: string }) => {};
  onclose = (_event: { code: number }) => {};
  readonly protocol: string;

  constructor(_url: string, protocol: string) {
    this.protocol = protocol;
    FakeSocket.opened.push(this);
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  close(code = 1005): void {
    this.closedWith = code;
    this.end(code);
  }

  /** The server says something. Returns what it cost. */
  say(message: object): number {
    const data = JSON.stringify(message);
    this.onmessage({ data });
    return new TextEncoder().encode(data).length + 64;
  }

  end(code: number): void {
    this.readyState = 3;
    this.onclose({ code });
  }
}

const SUB = { p: ['#'], win: 1000, agg: ['n'], lim: 65_536 };
const WELCOME = { k: 'welcome', now: 1e15, hb: 20_000 };
const statuses: { kind: string; code?: number }[] = [];
const tokens = vi.fn(async () => undefined);
const newest = () => FakeSocket.opened.at(-1) as FakeSocket;

/** Lets promises settle without letting time pass. */
const settle = () => vi.advanceTimersByTimeAsync(0);

async function open() {
  const session = new Session({
    url: 'ws://gateway/v1',
    token: tokens,
    onStatus: (status: { kind: string }) => statuses.push(status),
  });
  await session.start();
  newest().onopen();
  return session;
}

async function reopen(): Promise<FakeSocket> {
  await settle();
  newest().onopen();
  newest().say(WELCOME);
  return newest();
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('WebSocket', FakeSocket);
  vi.spyOn(Math, 'random').mockReturnValue(0.999_999);
  FakeSocket.opened = [];
  statuses.length = 0;
  tokens.mockClear();
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe('opening', () => {
  test('says hello, and nothing more until it is welcome', async () => {
    const session = await open();
    session.subscribe(SUB, { onBlock: () => {} });
    expect(newest().protocol).toBe('tidegate.v1.json');
    expect(newest().sent.map(({ k }) => k)).toEqual(['hello']);
    newest().say(WELCOME);
    expect(newest().sent.slice(1)).toEqual([{ k: 'sub', c: 1, ...SUB }]);
  });

  test('tells the time of the server', async () => {
    const session = await open();
    newest().say(WELCOME);
    expect(session.nowUs).toBe(1e15);
    vi.advanceTimersByTime(1500);
    expect(session.nowUs).toBe(1e15 + 1.5e6);
  });
});

describe('a subscription', () => {
  const seen: unknown[] = [];
  const sink = {
    onBlock: (block: object, names: Map<number, object>) => seen.push([block, names.get(7)]),
    onGone: (topic: string) => seen.push(`gone ${topic}`),
    onLive: (names: Map<number, object>, over: number) => seen.push([...names.keys(), over]),
    onEnd: (code: number) => seen.push(`end ${code}`),
  };

  beforeEach(() => {
    seen.length = 0;
  });

  test('grants exactly what def and data cost, and acknowledges what it processed', async () => {
    const session = await open();
    newest().say(WELCOME);
    session.subscribe(SUB, sink);
    const socket = newest();
    let lim = SUB.lim;
    socket.say({ k: 'state', c: 1, st: 0 });
    lim += socket.say({ k: 'def', c: 1, ser: [[7, 'a/µ', 'm']] });
    expect(socket.sent.at(-1)).toEqual({ k: 'flow', f: [[1, 0, lim]] });
    lim += socket.say({ k: 'data', c: 1, n: 1, b: [{ t: 0, i: 7, v: [1] }] });
    expect(socket.sent.at(-1)).toEqual({ k: 'flow', f: [[1, 1, lim]] });
    socket.say({ k: 'state', c: 1, st: 2, now: 1e15, over: 3 });
    const grants = socket.sent.filter(({ k }) => k === 'flow');
    expect(grants).toHaveLength(2);
    expect(seen).toEqual([
      [
        { t: 0, i: 7, v: [1] },
        { topic: 'a/µ', unit: 'm' },
      ],
      [7, 3],
    ]);
  });

  test('forgets numbers that are gone, and all of them at a reset', async () => {
    const session = await open();
    newest().say(WELCOME);
    session.subscribe(SUB, sink);
    newest().say({
      k: 'def',
      c: 1,
      ser: [
        [7, 'a/b'],
        [8, 'a/c'],
      ],
    });
    newest().say({ k: 'def', c: 1, gone: [8] });
    newest().say({ k: 'state', c: 1, st: 2, now: 1e15 });
    newest().say({ k: 'state', c: 1, st: 0 });
    newest().say({ k: 'state', c: 1, st: 2, now: 1e15 });
    expect(seen).toEqual(['gone a/c', [7, 0], [0]]);
  });

  test('is asked for again on every connection, with credit from the start', async () => {
    const session = await open();
    newest().say(WELCOME);
    session.subscribe(SUB, sink);
    newest().say({ k: 'def', c: 1, ser: [[7, 'a/b']] });
    newest().end(1006);
    await vi.advanceTimersByTimeAsync(1000);
    const socket = await reopen();
    expect(socket.sent.slice(1)).toEqual([{ k: 'sub', c: 1, ...SUB }]);
    const cost = socket.say({ k: 'def', c: 1, ser: [[1, 'a/b']] });
    expect(socket.sent.at(-1)).toEqual({ k: 'flow', f: [[1, 0, SUB.lim + cost]] });
  });

  test('that ended is deaf, and its number is not used before its last word', async () => {
    const session = await open();
    newest().say(WELCOME);
    session.unsubscribe(session.subscribe(SUB, sink));
    newest().say({ k: 'data', c: 1, n: 1, b: [{ t: 0, i: 7, v: [1] }] });
    expect(seen).toEqual([]);
    expect(newest().sent.at(-1)).toEqual({ k: 'end', c: 1 });
    for (let c = 2; c <= 65_535; c++) {
      session.unsubscribe(session.subscribe(SUB, {}));
      newest().say({ k: 'state', c, st: 4 });
    }
    expect(session.subscribe(SUB, sink)).toBe(2);
  });

  test('that is refused tells the code, and the session goes on', async () => {
    const session = await open();
    newest().say(WELCOME);
    session.subscribe(SUB, sink);
    newest().say({ k: 'state', c: 1, st: 4, e: 4009 });
    expect(seen).toEqual(['end 4009']);
    expect(newest().closedWith).toBeUndefined();
  });
});

describe('coming back', () => {
  test('backs off by doubling, up to a minute, and starts anew after a healthy one', async () => {
    await open();
    for (const most of [1, 2, 4, 8, 16, 32, 60, 60]) {
      const before = FakeSocket.opened.length;
      newest().end(1006);
      await vi.advanceTimersByTimeAsync(most * 1000 - 10);
      expect(FakeSocket.opened).toHaveLength(before);
      await vi.advanceTimersByTimeAsync(10);
      expect(FakeSocket.opened).toHaveLength(before + 1);
    }
    await reopen();
    for (let s = 0; s < 61; s += 10) {
      await vi.advanceTimersByTimeAsync(10_000);
      newest().say({ k: 'flow', f: [] });
    }
    newest().end(1006);
    await vi.advanceTimersByTimeAsync(1000);
    expect(FakeSocket.opened).toHaveLength(10);
  });

  test('waits at least what the server says', async () => {
    await open();
    newest().say({ k: 'away', e: 4100, w: 5000 });
    newest().end(4100);
    await vi.advanceTimersByTimeAsync(5900);
    expect(FakeSocket.opened).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(100);
    expect(FakeSocket.opened).toHaveLength(2);
  });

  test('leaves a draining node before its deadline, and is back at once', async () => {
    await open();
    newest().say(WELCOME);
    newest().say({ k: 'away', e: 4201, w: 3000, dl: 6000 });
    await vi.advanceTimersByTimeAsync(3000);
    expect(newest().closedWith ?? FakeSocket.opened[0]?.closedWith).toBe(1000);
    await vi.advanceTimersByTimeAsync(2);
    expect(FakeSocket.opened).toHaveLength(2);
  });

  test.each([4000, 4004, 4009, 1003, 1009])('stops at %i, which needs a fix', async (code) => {
    await open();
    newest().end(code);
    await vi.advanceTimersByTimeAsync(120_000);
    expect(FakeSocket.opened).toHaveLength(1);
    expect(statuses.at(-1)).toEqual({ kind: 'stopped', code });
  });

  test('asks for a new token once, then stops', async () => {
    await open();
    newest().say({ k: 'away', e: 4003 });
    newest().end(4003);
    await settle();
    expect(tokens).toHaveBeenCalledTimes(2);
    newest().end(4003);
    await settle();
    expect(FakeSocket.opened).toHaveLength(2);
    expect(statuses.at(-1)).toEqual({ kind: 'stopped', code: 4003 });
  });

  test('hangs up on something malformed, by policy B', async () => {
    await open();
    newest().onmessage({ data: '{"k":' });
    expect(newest().closedWith).toBe(4000);
    expect(statuses.at(-1)).toMatchObject({ kind: 'waiting', code: 1006 });
  });
});

describe('silence', () => {
  test('is answered with one ping after a heartbeat, and with leaving after two and a half', async () => {
    await open();
    newest().say(WELCOME);
    await vi.advanceTimersByTimeAsync(25_000);
    const socket = newest();
    expect(socket.sent.filter(({ k }) => k === 'ping')).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(25_000);
    expect(socket.closedWith).toBeUndefined();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(socket.closedWith).toBe(1005);
  });
});
