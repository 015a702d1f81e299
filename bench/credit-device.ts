import { WebSocket } from 'ws';
import { decodeCbor } from '../src/wire/decode.ts';
import { encode } from '../src/wire/encode.ts';
import type { ColumnEntry, FlowEntry } from '../src/wire/messages.ts';
import { CreditLane } from './credit-lane.ts';
import type { FrameTemplate } from './frame.ts';

/** A lane, its frames and their set. */
export interface LaneShape {
  readonly lane: number;
  readonly set: number;
  readonly cols: readonly ColumnEntry[];
  readonly template: FrameTemplate;
}

/** For how long the gateway told a device to stay away. */
export interface Told {
  /** Of an HTTP answer. Units: seconds. */
  readonly retryAfter?: string | undefined;
  /** `w` of an `away`. Units: ms. */
  readonly waitMs?: number | undefined;
}

/** What a device tells its load. */
export interface Listener {
  /** Frames may be sent, for the first time on this connection. */
  onWelcome(device: CreditDevice): void;
  /** Limits may have moved. */
  onFlow(device: CreditDevice): void;
  onAcked(device: CreditDevice, lane: number, ms: number): void;
  /** The connection is over: close code or HTTP status, and for how long, if that was told. */
  onEnd(device: CreditDevice, code: number, told: Told): void;
}

/** Beyond this the socket gets no more: a lane 0 frame must not wait behind it. Units: bytes. */
const UNFLUSHED_BYTES_MAX = 64 * 1024;
/** From being blocked to the first ping, and between two. Source: [R7-18]. Units: ms. */
const PING_MS = 1000;

const OPTIONS = { perMessageDeflate: false, handshakeTimeout: 60_000 } as const;

/**
 * The least that obeys credit: a device of equal frames, cheap enough that thousands of them do not
 * slow the gateway beside them. Its real brother is `src/client`.
 */
export class CreditDevice {
  readonly name: string;
  readonly lanes: readonly CreditLane[];
  readonly #shapes: readonly LaneShape[];
  readonly #url: string;
  readonly #listener: Listener;
  #socket: WebSocket | null = null;
  #epoch: number | undefined;
  #askedUs: number | null = null;
  #pingedMs = 0;
  isLive = false;

  constructor(name: string, url: string, shapes: readonly LaneShape[], listener: Listener) {
    this.name = name;
    this.#url = url;
    this.#shapes = shapes;
    this.#listener = listener;
    this.lanes = shapes.map(({ lane, template }) => new CreditLane(lane, template));
  }

  connect(): void {
    const socket = new WebSocket(this.#url, ['tidegate.v1.cbor'], {
      ...OPTIONS,
      headers: { Authorization: `Bearer ${this.name}` },
    });
    this.#socket = socket;
    let status = 0;
    let retryAfter: string | undefined;
    socket.on('error', () => undefined);
    socket.on('unexpected-response', (request, response) => {
      status = response.statusCode ?? 0;
      retryAfter = response.headers['retry-after'];
      request.destroy();
      socket.emit('close', 1006, Buffer.alloc(0));
    });
    socket.on('open', () => this.#greet());
    socket.on('message', (payload: Buffer) => this.#message(payload));
    socket.on('close', (code) => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      this.isLive = false;
      this.#askedUs = null;
      this.#listener.onEnd(this, status === 0 ? code : status, { retryAfter });
    });
  }

  /** The connection breaks, as a cable does. */
  cut(): void {
    this.#socket?.terminate();
  }

  /** Closes; nothing is told any more. */
  leave(): void {
    const socket = this.#socket;
    this.#socket = null;
    this.isLive = false;
    socket?.close(1000);
  }

  /** The epoch of its frames; 0 before the first welcome. */
  get epoch(): number {
    return this.#epoch ?? 0;
  }

  get isFlushed(): boolean {
    return (this.#socket?.bufferedAmount ?? 0) <= UNFLUSHED_BYTES_MAX;
  }

  /** Sends one frame of a lane, which must have credit; `stepUs` is the event time it stands for. */
  send(lane: CreditLane, nowMs: number, stepUs: number): void {
    const isAgain = lane.cursor < lane.n;
    this.#socket?.send(isAgain ? lane.resend(nowMs) : lane.form(nowMs, stepUs));
  }

  /** Tells the backlog of a lane that has been blocked since then, if it is time to. */
  tellBacklog(lane: CreditLane, bytes: number, sinceMs: number, nowMs: number): void {
    if (this.#askedUs !== null || nowMs - Math.max(sinceMs, this.#pingedMs) < PING_MS) return;
    this.#pingedMs = nowMs;
    this.#askedUs = Date.now() * 1000;
    const bl = [[lane.lane, Math.min(bytes, 0xffffffff)]] as const;
    this.#socket?.send(encode('cbor', { k: 'ping', bl, now: this.#askedUs }));
  }

  #greet(): void {
    const isNew = this.#epoch === undefined;
    const ch = this.lanes.map(({ lane, acked }) => [lane, 1, isNew ? 1 : acked + 1] as const);
    const hello = { k: 'hello', ep: this.#epoch, ch, now: Date.now() * 1000 } as const;
    this.#socket?.send(encode('cbor', hello));
  }

  #message(payload: Buffer): void {
    const decoded = decodeCbor(payload, 'server');
    if ('breach' in decoded) throw new Error(decoded.breach.message);
    const { message } = decoded;
    if (message.k === 'away') this.#away(message.e, message.w);
    if (message.k === 'reject') throw new Error(`a frame was rejected: ${message.m}`);
    if (message.k === 'welcome') {
      this.#epoch = message.ep ?? this.#epoch;
      for (const { lane, set, cols } of this.#shapes) {
        this.#socket?.send(encode('cbor', { k: 'def', c: lane, s: set, cols }));
      }
      for (const [c, ack] of message.f ?? []) this.#laneOf(c)?.welcome(ack);
      this.#take(message.f ?? []);
      this.isLive = true;
      this.#listener.onWelcome(this);
    } else if (message.k === 'flow') {
      if (message.echo === this.#askedUs) this.#askedUs = null;
      this.#take(message.f);
      this.#listener.onFlow(this);
    }
  }

  /** The close follows; its code is that of the `away`. */
  #away(code: number, waitMs: number | undefined): void {
    const socket = this.#socket;
    this.#socket = null;
    this.isLive = false;
    this.#askedUs = null;
    socket?.terminate();
    this.#listener.onEnd(this, code, { waitMs });
  }

  #take(entries: readonly FlowEntry[]): void {
    const nowMs = performance.now();
    for (const [c, ack, limit] of entries) {
      const told = (ms: number): void => this.#listener.onAcked(this, c, ms);
      this.#laneOf(c)?.flow(ack, limit, nowMs, told);
    }
  }

  #laneOf(lane: number): CreditLane | undefined {
    return this.lanes.find((one) => one.lane === lane);
  }
}
