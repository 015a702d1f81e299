import { type ClientOptions, WebSocket } from 'ws';
import type { Codec } from '../../src/model/machine.ts';
import type { Bed } from './bed.ts';
import { type Fields, type Value, type Words, written } from './encoding.ts';
import { type Heard, heardFrom } from './hearing.ts';

/** What server messages broke that no row looks for; a row that ends with any of it fails. */
export const MANNERS: string[] = [];

/** Largest message to a client that named no `rx`, and to one that subscribes. [R14-4] */
const BYTES_MAX = 1024;
const SUBSCRIBER_BYTES_MAX = 32 * 1024;
const TEXT_BYTES_MAX = 120;
const REASON_BYTES_MAX = 123;
/** Keys that version 1 never sends. [R3.4-5] */
const RESERVED = [
  'lm',
  'x',
  'pos',
  'clk',
  'trace',
  'key 20',
  'key 21',
  'key 23',
  'key 24',
  'key 44',
];

/** How to open a connection. */
export interface PeerOptions {
  /** Sent as `Authorization: Bearer`. */
  readonly bearer?: string;
  readonly headers?: Record<string, string>;
  readonly path?: string;
  readonly offers?: readonly string[];
  readonly isDeflateOffered?: boolean;
}

/** How a connection ended. */
export interface Ending {
  readonly code: number;
  readonly reason: string;
}

/** A client that may say anything, and looks at everything the server says. */
export class Peer {
  readonly codec: Codec;
  readonly socket: WebSocket;
  /** Everything heard, oldest first, and as it came. */
  readonly heard: Heard[] = [];
  readonly payloads: Uint8Array[] = [];
  /** WebSocket Pings of the server. */
  pings = 0;
  readonly closed: Promise<Ending>;
  /** The device path of the credential. */
  device = '';
  bytesMax = BYTES_MAX;
  #barriers = 0;
  #ending: Ending | null = null;
  #waiting: (() => void)[] = [];

  private constructor(socket: WebSocket, codec: Codec) {
    this.socket = socket;
    this.codec = codec;
    socket.on('message', (payload: Buffer, isBinary) => this.#take(payload, isBinary));
    socket.on('ping', () => {
      this.pings += 1;
      this.#wake();
    });
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => {
        this.#ending = { code, reason: reason.toString() };
        this.#checkEnding(this.#ending);
        resolve(this.#ending);
        this.#wake();
      });
    });
  }

  /** Opens a connection that speaks `codec`. */
  static open(bed: Bed, codec: Codec, options: PeerOptions = {}): Promise<Peer> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(
        `ws://${bed.host}${options.path ?? '/v1'}`,
        [...(options.offers ?? [`tidegate.v1.${codec}`])],
        optionsOf(options),
      );
      socket.on('error', reject);
      const peer = new Peer(socket, codec);
      peer.device = options.bearer ?? '';
      socket.on('open', () => resolve(peer));
    });
  }

  /** Sends a message by the names of the page, good or bad. */
  say(k: string, fields: Fields = {}): void {
    this.sayWords({ k, ...fields });
  }

  sayWords(words: Words): void {
    this.send(written(this.codec, words));
  }

  /** Sends bytes or text; the opcode fits what is sent unless `isBinary` says otherwise. */
  send(payload: Uint8Array | string, isBinary = typeof payload !== 'string'): void {
    this.socket.send(payload, { binary: isBinary });
  }

  /** Says `hello` and waits for its answer. */
  async hello(fields: Fields = {}): Promise<Heard> {
    this.say('hello', fields);
    return await this.until('welcome');
  }

  /** Sends a frame of one row on lane 1 unless told otherwise. Returns its payload length. */
  frame(fields: Fields & { readonly n: number }, b: Value = [blockOf()]): number {
    const { c = 1, n, lost, ...rest } = fields;
    const payload = written(this.codec, { k: 'data', c, n, lost, b, ...rest });
    this.send(payload);
    return Buffer.byteLength(payload);
  }

  sub(fields: Fields = {}): void {
    this.bytesMax = SUBSCRIBER_BYTES_MAX;
    this.say('sub', { c: 1, p: ['#'], win: 1000, ...fields });
  }

  /** The first message of this kind that passes, heard already or later. */
  async until(k: string, passes: (heard: Heard) => boolean = () => true): Promise<Heard> {
    for (;;) {
      const found = this.heard.find((one) => one.k === k && passes(one));
      if (found !== undefined) return found;
      if (this.#ending !== null) throw new Error(`${this.#gone()} before such a ${k}`);
      await this.event();
    }
  }

  /** The next thing that happens on this connection. */
  event(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Everything sent so far has been processed: a `ping` is answered after it. Five at once. */
  async barrier(): Promise<Heard> {
    this.#barriers += 1;
    const now = 1_000_000 + this.#barriers;
    this.say('ping', { now });
    for (;;) {
      const found = this.heard.find(({ echo }) => echo === now);
      if (found !== undefined) return found;
      if (this.#ending !== null) throw new Error(`${this.#gone()} instead of answering a ping`);
      await this.event();
    }
  }

  /** All frames up to n of this lane are acked. */
  acked(n: number, lane = 1): Promise<Heard> {
    return this.until('flow', ({ f }) => f.some(([c, ack]) => c === lane && ack >= n));
  }

  /** What was told last of a lane. */
  lane(lane: number): { readonly ack: number; readonly lim: number; readonly dropped: number } {
    const entries = this.heard.flatMap(({ f }) => f ?? []).filter(([c]) => c === lane);
    const [, ack = -1, lim = -1, dropped = 0] = entries.at(-1) ?? [];
    return { ack, lim, dropped };
  }

  /** The last words of the server and the close code. */
  async end(): Promise<{ readonly away: Heard | undefined; readonly code: number }> {
    const { code } = await this.closed;
    return { away: this.heard.findLast(({ k }) => k === 'away'), code };
  }

  #gone(): string {
    const away = this.heard.findLast(({ k }) => k === 'away');
    return `closed with ${this.#ending?.code}: ${away?.m ?? this.#ending?.reason}`;
  }

  #take(payload: Buffer, isBinary: boolean): void {
    if (isBinary !== (this.codec === 'cbor'))
      MANNERS.push(`[R2.1-7] wrong opcode on ${this.codec}`);
    try {
      const bytes = Uint8Array.from(payload);
      const heard = heardFrom(this.codec, bytes);
      this.heard.push(heard);
      this.payloads.push(bytes);
      this.#check(heard, payload.length);
    } catch (error) {
      MANNERS.push(String(error));
    }
    this.#wake();
  }

  #check(heard: Heard, length: number): void {
    if (length > this.bytesMax) MANNERS.push(`[R14-4] ${heard.k} of ${length} B`);
    if (Buffer.byteLength(heard.m ?? '') > TEXT_BYTES_MAX) MANNERS.push('[R3.4-1] m over 120 B');
    const reserved = RESERVED.filter((name) => name in heard);
    if (reserved.length > 0) MANNERS.push(`[R3.4-5] ${heard.k} with ${reserved}`);
    if ((heard.w ?? 0) > (heard.dl ?? Number.POSITIVE_INFINITY))
      MANNERS.push('[R10.1-4] w over dl');
  }

  /** The server's own closes are announced, but for those of the WebSocket layer. [R10.1-1] */
  #checkEnding({ code, reason }: Ending): void {
    if (Buffer.byteLength(reason) > REASON_BYTES_MAX) MANNERS.push('[R13-3] reason over 123 B');
    if (code < 4000) return;
    const last = this.heard.findLast(({ k }) => k === 'away');
    if (last?.e !== code) MANNERS.push(`[R10.1-1] closed with ${code} after away ${last?.e}`);
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

function optionsOf({ bearer, headers = {}, isDeflateOffered }: PeerOptions): ClientOptions {
  const credential = bearer === undefined ? {} : { Authorization: `Bearer ${bearer}` };
  return {
    headers: { ...credential, ...headers },
    perMessageDeflate: isDeflateOffered === true,
    // Rows send whatever they like, and see what becomes of it.
    skipUTF8Validation: true,
  };
}

/** One row of one value of set 1, now. */
export const blockOf = (v: Value = 21.5, t = Date.now() * 1000): Fields => ({ s: 1, t, v: [v] });

/** By lane. */
const SETS: readonly Fields[] = [
  { s: 2, cols: [['alarm']] },
  { s: 1, cols: [['temp', 'Cel']] },
  { s: 3, cols: [['temp', 'Cel']] },
];

/**
 * A device that has been welcomed on lanes 0 and 1, if `hello` does not say otherwise, with set 1 =
 * `temp` on lane 1, set 2 = `alarm` on lane 0 and set 3 = `temp` on lane 2.
 */
export async function publisher(
  bed: Bed,
  codec: Codec,
  { device = bed.newDevice(), hello = {} }: { device?: string; hello?: Fields } = {},
): Promise<Peer> {
  const peer = await Peer.open(bed, codec, { bearer: device });
  const ch = [
    [0, 1, 1],
    [1, 1, 1],
  ];
  const welcome = await peer.hello({ ch, ...hello });
  for (const [lane = 0] of welcome.ch ?? []) peer.say('def', { c: lane, ...SETS[lane] });
  // A node that had no time just now grants nothing yet, and says that it is slow. [R7-10]
  if (welcome.why === 1) await peer.until('flow', ({ f }) => f.some(([, , lim]) => lim > 0));
  return peer;
}

/** A dashboard that has been welcomed. */
export async function dashboard(bed: Bed, codec: Codec, fields: Fields = {}): Promise<Peer> {
  const peer = await Peer.open(bed, codec);
  await peer.hello(fields);
  return peer;
}

/** What becomes of a publisher that does this: the code and the frame that `away` names. */
export async function afterwards(
  bed: Bed,
  codec: Codec,
  act: (peer: Peer) => void,
): Promise<{ readonly code: number; readonly named: readonly [number, number] | null }> {
  const peer = await publisher(bed, codec);
  act(peer);
  const { away, code } = await peer.end();
  return { code, named: away?.n === undefined ? null : [away.c, away.n] };
}

/** True if a publisher that does this is served on. */
export async function isTaken(bed: Bed, codec: Codec, act: (peer: Peer) => void): Promise<boolean> {
  const peer = await publisher(bed, codec);
  act(peer);
  return await peer.barrier().then(
    () => true,
    () => false,
  );
}
