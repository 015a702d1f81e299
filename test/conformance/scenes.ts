import { expect } from 'vitest';
import type { Codec } from '../../src/model/machine.ts';
import type { Data, ServerBlock, ServerMessage } from '../../src/wire/messages.ts';
import type { DeviceBench } from '../support/device-bench.ts';
import type { Bed } from './bed.ts';
import type { Fields } from './encoding.ts';
import type { Heard } from './hearing.ts';
import { blockOf, dashboard, Peer, publisher } from './peer.ts';

/** Time of the rows of `recordScenes`. */
export const T = 1_700_000_000_000_000;

/** Devices whose sessions begin with a history, or are refused. */
export function sessionScenes(bed: () => Bed) {
  /** A device with `count` frames acked on lane 1, and its epoch. */
  async function settled(codec: Codec, count: number): Promise<{ peer: Peer; ep: number }> {
    const peer = await publisher(bed(), codec);
    for (let n = 1; n <= count; n += 1) peer.frame({ n });
    if (count > 0) await peer.acked(count);
    return { peer, ep: (await peer.until('welcome')).ep };
  }

  const resume = (codec: Codec, device: string, hello: Fields): Promise<Peer> =>
    publisher(bed(), codec, { device, hello });

  /** The code with which a `hello` is refused. */
  async function refusal(
    codec: 'cbor' | 'json',
    hello: Fields,
    device = bed().newDevice(),
  ): Promise<number> {
    const peer = await Peer.open(bed(), codec, { bearer: device });
    peer.say('hello', hello);
    const { away, code } = await peer.end();
    expect(away?.e).toBe(code);
    return code;
  }

  return { settled, resume, refusal };
}

/** Devices with readings, and dashboards that ask for them. */
export function subscriptionScenes(bed: () => Bed) {
  /** A device with a reading in each of these columns. */
  async function deviceWith(codec: Codec, ...names: string[]): Promise<Peer> {
    const peer = await publisher(bed(), codec);
    peer.say('def', { c: 1, s: 9, cols: names.map((name) => [name]) });
    peer.frame({ n: 1 }, [{ s: 9, t: Date.now() * 1000, v: names.map((_, i) => i) }]);
    await peer.acked(1);
    return peer;
  }

  /** The `state` that answers this `sub`. */
  async function answer(codec: Codec, sub: Fields): Promise<{ st: number; e: number | undefined }> {
    const peer = await dashboard(bed(), codec);
    peer.sub(sub);
    const { st, e } = await peer.until('state');
    await peer.barrier();
    return { st, e };
  }

  /** A viewer of one device, with its picture taken. */
  async function viewing(codec: Codec, device: Peer, sub: Fields = {}): Promise<Peer> {
    const viewer = await dashboard(bed(), codec);
    viewer.sub({ p: [`${device.device}/#`], ...sub });
    await viewer.until('state', ({ st }) => st === 2);
    return viewer;
  }

  return { deviceWith, answer, viewing };
}

/** A device whose frames leave every kind of record. */
export function recordScenes(bed: () => Bed) {
  /** A device with one frame of two sets and one refused frame in the log. */
  async function device(codec: Codec): Promise<Peer> {
    const peer = await publisher(bed(), codec);
    peer.say('def', { c: 1, s: 5, cols: [['b']] });
    peer.frame({ n: 1 }, [{ s: 5, t: T, v: [1] }, blockOf(2, T), { s: 5, t: T, v: [3] }]);
    peer.frame({ n: 2 }, [{ s: 99, t: T, v: [1] }]);
    peer.frame({ n: 1, c: 0 }, [{ s: 2, t: T, v: [true] }]);
    await peer.acked(2);
    await peer.acked(1, 0);
    return peer;
  }

  return { device };
}

/** What a device was welcomed with. */
export const welcomeOf = (peer: Peer): Promise<Heard> => peer.until('welcome');

/** The topics a dashboard was given numbers for. */
export const topicsOf = (peer: Peer): string[] =>
  peer.heard.flatMap(({ ser = [] }) => ser.map(([, topic]) => topic));

/** The `state` that says a subscription is live. */
export const isLive =
  (c = 1) =>
  (one: { c: number; st: number }) =>
    one.c === c && one.st === 2;

/** The updates among these messages. */
export const datas = (messages: readonly ServerMessage[]): Data<ServerBlock>[] =>
  messages.flatMap((message) => (message.k === 'data' ? [message as Data<ServerBlock>] : []));

/** Loses the connection and opens the next one, up to `hello`. */
export function reconnect(bench: DeviceBench): string[] {
  bench.closes(1006);
  bench.run(60_000);
  return bench.step({ kind: 'opened' });
}

/** Welcomes our own client with this flow state and largest frame. */
export const welcomeWith = (
  bench: DeviceBench,
  f: readonly (readonly [number, number, number])[],
  mf = 8192,
) =>
  bench.says({
    k: 'welcome',
    ep: 7,
    now: 1,
    hb: 20_000,
    f,
    ch: f.map(([c]) => [c, 1, c === 0 ? 1984 : mf] as const),
  });
