import type { DeviceEffect, DeviceInput } from '../../src/client/device-io.ts';
import type { DeviceSession } from '../../src/client/device-session.ts';
import { monoMs, type Now, wallUs } from '../../src/model/time.ts';
import { decodeCbor } from '../../src/wire/decode.ts';
import { encode } from '../../src/wire/encode.ts';
import type {
  Data,
  DeviceBlock,
  Hello,
  Message,
  Ping,
  ServerMessage,
} from '../../src/wire/messages.ts';
import { START_US } from './device-bench.ts';

const MF = [1984, 8192, 8192] as const;
const BACKFILL = 2;

interface ServerLane {
  /** Highest number admitted, and the highest that is safe. */
  adm: number;
  ack: number;
  lim: number;
  received: number;
  /** Admitted and not yet settled: numbers with their cost. */
  pending: { n: number; cost: number }[];
  /** Cost settled on this connection. */
  settled: number;
  /** The backlog told last. */
  told: number;
  /** How many values the frame admitted last has. */
  newest: number;
}

/**
 * A server with a memory and no mercy: it checks every message of a device session against
 * PROTOCOL §4, §5.3, §6 and §7, and throws where the device breaks a rule.
 */
export class ModelServer {
  /** What readings arrived, by (epoch, lane, n): the bytes of the blocks must never change. */
  readonly contents = new Map<string, string>();
  session: DeviceSession;
  /** Values of the readings admitted, in order, by lane. */
  readonly admitted: number[][] = [[], [], []];
  /** Lanes that it does not grant from the next `welcome` on. */
  readonly refuses = new Set<number>();
  #refused: ReadonlySet<number> = new Set();
  readonly events: DeviceEffect[] = [];
  #ms = 0;
  #epoch = 1000;
  #lanes: ServerLane[] = [];
  #defined = new Set<number>();
  #socket: 'none' | 'connecting' | 'open' | 'welcomed' = 'none';
  #pings: number[] = [];
  #pingedMs = Number.NEGATIVE_INFINITY;

  constructor(session: DeviceSession) {
    this.session = session;
  }

  /** The device's process ended, and another one took its place. */
  replace(session: DeviceSession): void {
    this.#hangUp();
    this.session = session;
  }

  get isWelcomed(): boolean {
    return this.#socket === 'welcomed';
  }

  /** Lets time pass, then ticks. */
  pass(ms: number): void {
    this.#ms += ms;
    this.give({ kind: 'tick' });
  }

  /** Time jumps to where the session wants to be woken, at most a minute. */
  passToWake(): void {
    this.pass(Math.max(0, Math.min(60_000, this.session.wakeAtMs - this.#ms)));
  }

  give(input: DeviceInput): void {
    for (const effect of this.session.step(input, this.#now())) this.#see(effect);
  }

  /** Accepts the connection that the device wants and welcomes it. */
  welcome(window: number): void {
    if (this.#socket !== 'connecting') return;
    this.#socket = 'open';
    this.give({ kind: 'opened' });
    this.#socket = 'welcomed';
    this.#refused = new Set(this.refuses);
    this.#say({
      k: 'welcome',
      ep: this.#epoch,
      now: START_US,
      hb: 20_000,
      dur: 1,
      ch: this.#granted.map(([c]) => [c, 1, MF[c] as number] as const),
      f: this.#granted.map(([c, lane]) => {
        // Lane 2 begins without credit, until its backlog is told. [R7-12]
        lane.lim = c === BACKFILL ? 0 : window;
        return [c, lane.ack, lane.lim] as const;
      }),
    });
  }

  /** Settles some of what is pending and tells it, or does not tell it. */
  settle(share: number, window: number, isTold: boolean): void {
    if (!this.isWelcomed) return;
    for (const [c, lane] of this.#granted) {
      const count = Math.ceil(lane.pending.length * share);
      for (const { n, cost } of lane.pending.splice(0, count)) {
        lane.ack = Math.max(lane.ack, n);
        lane.settled += cost;
      }
      const isWaiting = c !== BACKFILL || lane.told > 0 || lane.lim > 0;
      if (isWaiting) lane.lim = Math.max(lane.lim, lane.settled + window);
    }
    const echo = this.#pings.at(-1);
    if (isTold) this.#pings = [];
    if (isTold) this.#say({ k: 'flow', echo, f: this.#granted.map(([c, l]) => [c, l.ack, l.lim]) });
  }

  /** Refuses the frame that would be settled next. */
  reject(c: number): void {
    const frame = this.isWelcomed ? this.#lanes[c]?.pending[0] : undefined;
    if (frame) this.#say({ k: 'reject', c, n: frame.n, e: 4021 });
  }

  /** Names the newest admitted frame as the one that broke everything; it was not admitted then. */
  poison(c: number): void {
    const lane = this.#lanes[c];
    if (!this.isWelcomed || !lane || lane.pending.length === 0) return;
    const { n } = lane.pending.pop() as { n: number };
    this.admitted[c]?.splice(-lane.newest);
    lane.adm = lane.pending.at(-1)?.n ?? lane.ack;
    this.#say({ k: 'away', e: 4000, c, n });
  }

  /** Tells any ack and limit, true or not. */
  tell(c: number, ack: number, lim: number): void {
    this.#say({ k: 'flow', f: [[c, ack, lim]] });
  }

  away(e: number): void {
    if (this.isWelcomed) this.#say({ k: 'away', e, w: 1000 });
  }

  cut(): void {
    if (this.#socket === 'none') return;
    this.#hangUp();
    this.give({ kind: 'closed', ending: { code: 1006, status: 0, message: '' } });
  }

  get #granted(): readonly (readonly [number, ServerLane])[] {
    const all = this.#lanes.map((lane, c) => [c, lane] as const);
    return all.filter(([c, lane]) => lane !== undefined && !this.#refused.has(c));
  }

  #now(): Now {
    return { monoMs: monoMs(this.#ms), wallUs: wallUs(START_US + Math.round(this.#ms * 1000)) };
  }

  #say(message: ServerMessage): void {
    this.give({ kind: 'message', bytes: encode('cbor', message), isText: false });
  }

  #hangUp(): void {
    this.#socket = 'none';
    this.#defined = new Set();
    this.#pings = [];
    this.#pingedMs = Number.NEGATIVE_INFINITY;
  }

  #see(effect: DeviceEffect): void {
    this.events.push(effect);
    if (effect.kind === 'connect') {
      demand(this.#socket === 'none', 'connects twice');
      this.#socket = 'connecting';
    } else if (effect.kind === 'close') this.#hangUp();
    else if (effect.kind === 'send' || effect.kind === 'sendFrame') {
      const decoded = decodeCbor(effect.bytes, 'client');
      demand('message' in decoded, 'sends garbage');
      if ('message' in decoded) this.#read(decoded.message, effect.bytes.length);
    }
  }

  #read(message: Message, length: number): void {
    if (message.k === 'hello') this.#hello(message);
    else {
      demand(this.#socket === 'welcomed', `sends ${message.k} before welcome`);
      if (message.k === 'def') this.#defined.add(message.s as number);
      else if (message.k === 'ping') this.#ping(message);
      else if (message.k === 'data') this.#data(message as Data<DeviceBlock>, length + 64);
    }
  }

  #ping({ now, bl = [] }: Ping): void {
    const nowUs = now as number;
    const last = this.#pings.at(-1);
    const late = this.#lanes[BACKFILL];
    const isNewBacklog = late?.told === 0 && bl.some(([c, bytes]) => c === BACKFILL && bytes > 0);
    demand(this.#ms - this.#pingedMs >= 1000, 'pings twice within a second');
    const isEarly = last !== undefined && nowUs - last < 20_000_000;
    demand(!isEarly || isNewBacklog, 'pings again before the answer');
    for (const [c, bytes] of bl) (this.#lanes[c] as ServerLane).told = bytes;
    this.#pingedMs = this.#ms;
    this.#pings.push(nowUs);
  }

  #hello({ ep, ch = [] }: Hello): void {
    demand(this.#socket === 'open', 'says hello twice');
    demand(ep === undefined || ep === this.#epoch, 'continues a foreign epoch');
    if (ep === undefined) {
      this.#epoch += 1;
      this.#lanes = [];
      for (const lane of this.admitted) lane.push(Number.NaN);
    }
    for (const [c, , first] of ch) {
      const lane = this.#lanes[c] ?? {
        adm: 0,
        ack: 0,
        lim: 0,
        received: 0,
        pending: [],
        settled: 0,
        told: 0,
        newest: 0,
      };
      demand(ep !== undefined || first === 1, 'begins an epoch beyond 1');
      // What is in the pipeline of an earlier connection becomes durable before anything else.
      lane.ack = lane.pending.at(-1)?.n ?? lane.ack;
      lane.adm = Math.max(lane.adm, first - 1);
      lane.ack = Math.max(lane.ack, first - 1);
      Object.assign(lane, { received: 0, settled: 0, pending: [], told: 0, lim: 0 });
      this.#lanes[c] = lane;
    }
  }

  #data({ c, n, lost = 0, b, bl }: Data<DeviceBlock>, cost: number): void {
    const lane = this.#lanes[c] as ServerLane;
    demand(!this.#refused.has(c), 'uses a lane that was not granted');
    lane.told = bl ?? lane.told;
    demand(cost - 64 <= (MF[c] as number), 'sends more than mf');
    demand(lane.received + cost <= lane.lim, 'sends beyond its credit');
    demand(lost < n, 'declares more lost than there is');
    demand(
      b.every(({ s }) => this.#defined.has(s)),
      'uses a set before its def',
    );
    const key = `${this.#epoch} ${c} ${n}`;
    const content = JSON.stringify(b.map((block) => [block.s, block.t, [...(block.v as [])]]));
    demand((this.contents.get(key) ?? content) === content, 'changes a frame');
    this.contents.set(key, content);
    lane.received += cost;
    if (n <= lane.adm) {
      lane.settled += cost;
      return;
    }
    demand(n - lost - 1 <= lane.adm, 'leaves a hole undeclared');
    lane.adm = n;
    lane.pending.push({ n, cost });
    this.admitted[c]?.push(...b.flatMap(({ v }) => [...(v[0] as Float64Array)]));
    lane.newest = b.flatMap(({ v }) => [...(v[0] as Float64Array)]).length;
  }
}

function demand(holds: boolean, what: string): void {
  if (!holds) throw new Error(`the device ${what}`);
}
