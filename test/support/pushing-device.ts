import { decodeCbor } from '../../src/wire/decode.ts';
import { encodeBlocks, encodeData } from '../../src/wire/encode.ts';
import type { Flow, Message } from '../../src/wire/messages.ts';
import { RawClient } from './raw-client.ts';

const LANE = 1;
const COST_PER_MESSAGE = 64;
const POLL_MS = 20;

/** How a device sends. */
export interface PushingOptions {
  readonly device: string;
  /** Absent: as fast as credit allows. Units: ms. */
  readonly everyMs?: number;
  /** Readings per frame. Default: 1. */
  readonly rows?: number;
}

/**
 * A device over a real WebSocket that always has something to send and obeys its credit. It stays on
 * one connection, and writes down when it was told what.
 */
export class PushingDevice {
  readonly device: string;
  /** As `welcome` said. */
  readonly dur: number;
  /** What `welcome` and flows said about it, in order; 0 where `welcome` said nothing. */
  readonly whys: number[];
  sent = 0;
  acked = 0;
  /** Between two acks, so far. Units: ms. */
  longestPauseMs = 0;
  /** The code with which its connection was closed, or null. */
  closedWith: number | null = null;
  readonly #client: RawClient;
  readonly #epoch: number;
  readonly #rows: number;
  readonly #times: number[] = [];
  readonly #timer: NodeJS.Timeout | undefined;
  #limit: number;
  #spent = 0;
  #ackedAtMs = performance.now();
  #isStopped = false;

  private constructor(client: RawClient, welcome: Message, options: PushingOptions) {
    if (welcome.k !== 'welcome') throw new Error('no welcome');
    this.device = options.device;
    this.dur = welcome.dur ?? -1;
    this.whys = [welcome.why ?? 0];
    this.#client = client;
    this.#epoch = welcome.ep ?? 0;
    this.#rows = options.rows ?? 1;
    this.#limit = welcome.f?.find(([lane]) => lane === LANE)?.[2] ?? 0;
    client.socket.on('message', (payload: Buffer) => this.#take(payload));
    void client.closed.then(({ code }) => {
      this.closedWith = code;
      this.stop();
    });
    if (options.everyMs === undefined) this.#pushAll();
    else this.#timer = setInterval(() => this.#push(), options.everyMs);
  }

  /** Connects, is welcomed and begins to send. */
  static async open(url: string, options: PushingOptions): Promise<PushingDevice> {
    const client = await RawClient.publisher(url, options.device);
    return new PushingDevice(client, await client.until('welcome'), options);
  }

  /** Sends nothing more. */
  stop(): void {
    this.#isStopped = true;
    clearInterval(this.#timer);
  }

  /** Stops, and resolves when everything sent is acknowledged. */
  async finish(): Promise<void> {
    this.stop();
    await this.until(() => this.acked === this.sent);
  }

  /** Resolves when this holds; rejects if the connection ends before. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      if (this.closedWith !== null) throw new Error(`${this.device}: closed ${this.closedWith}`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** Leaves without a word. */
  disconnect(): Promise<unknown> {
    this.stop();
    this.#client.socket.terminate();
    return this.#client.closed;
  }

  /** What `simulate --journal` would have written. */
  journal(): string {
    const head = { device: this.device, ep: this.#epoch, c: LANE };
    const lines: object[] = this.#times.map((t, i) => {
      const rows = Array.from({ length: this.#rows }, (_, row) => row);
      return { sent: { ...head, n: i + 1, t: rows.map((row) => t + row), v: [rows.map(() => i)] } };
    });
    lines.push({ acked: { ...head, ack: this.acked } });
    return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
  }

  #take(payload: Buffer): void {
    const decoded = decodeCbor(payload, 'server');
    if ('message' in decoded && decoded.message.k === 'flow') this.#flow(decoded.message);
  }

  #flow({ f, why }: Flow): void {
    if (why !== undefined) this.whys.push(why);
    const entry = f.find(([lane]) => lane === LANE);
    if (!entry) return;
    const [, ack, limit] = entry;
    const now = performance.now();
    if (ack > this.acked) {
      this.longestPauseMs = Math.max(this.longestPauseMs, now - this.#ackedAtMs);
      this.#ackedAtMs = now;
      this.acked = ack;
    }
    this.#limit = limit;
    if (this.#timer === undefined) this.#pushAll();
  }

  #pushAll(): void {
    while (this.#push());
  }

  /** One frame, if it may be sent. */
  #push(): boolean {
    const t = Date.now() * 1000;
    const v = [new Float64Array(this.#rows).fill(this.sent)];
    const blocks = encodeBlocks('cbor', [{ s: 1, t, dt: 1, v }]);
    const frame = encodeData('cbor', { c: LANE, n: this.sent + 1, lost: 0 }, blocks);
    const cost = frame.length + COST_PER_MESSAGE;
    if (this.#isStopped || this.#spent + cost > this.#limit) return false;
    this.#spent += cost;
    this.sent += 1;
    this.#times.push(t);
    this.#client.socket.send(frame);
    return true;
  }
}
