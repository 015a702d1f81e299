import { WebSocket } from 'ws';
import { decodeCbor } from '../src/wire/decode.ts';
import { encode } from '../src/wire/encode.ts';
import { frameOf, frameTemplate } from './frame.ts';

/**
 * A load of equal frames from one process. Argument: JSON `LoadOptions`. Prints one JSON line when
 * the time is up: `{"frames", "acked", "bytes", "ackMs": {"p50", "p99"}}`.
 */
interface LoadOptions {
  readonly url: string;
  /**
   * `credit` speaks the protocol; `flood` sends without asking; `window` keeps 20 frames per device
   * on their way to a server that answers with the number of frames finished (u32).
   */
  readonly mode: 'credit' | 'flood' | 'window';
  readonly rows: number;
  readonly devices: number;
  readonly seconds: number;
  readonly prefix: string;
  /** Frames per second and device; absent: as fast as allowed. */
  readonly rate?: number;
}

const options: LoadOptions = JSON.parse(process.argv[2] ?? '{}');
const { url, mode, rows, seconds, prefix, rate } = options;
const UNFLUSHED_MAX = 64 * 1024;
const FLOOD_TURN = 16;
const WINDOW = 20;
const TURN_MS = 5;

const template = frameTemplate(rows);
const COST = template.bytes.length + 64;
const latencies: number[] = [];

class Device {
  readonly #socket: WebSocket;
  n = 0;
  acked = 0;
  #sent = 0;
  #limit = mode === 'flood' ? Number.POSITIVE_INFINITY : 0;
  readonly #sentAt: number[] = [];

  constructor(name: string, onReady: () => void) {
    const headers = { Authorization: `Bearer ${name}` };
    this.#socket = new WebSocket(url, ['tidegate.v1.cbor'], { headers, perMessageDeflate: false });
    this.#socket.on('error', (error) => {
      throw error;
    });
    this.#socket.on('open', () => {
      if (mode === 'credit') {
        this.#socket.send(encode('cbor', { k: 'hello', ch: [[1, 1, 1]], now: Date.now() * 1000 }));
      } else {
        if (mode === 'window') this.#limit = WINDOW * COST;
        onReady();
      }
    });
    this.#socket.on('message', (payload: Buffer) => {
      if (mode === 'window') this.#count(payload.readUInt32BE(0));
      else this.#message(payload, onReady);
    });
  }

  /** Sends at most `most` frames of what is allowed. */
  pump(most: number): void {
    for (let i = 0; i < most; i += 1) {
      if (this.#sent + COST > this.#limit || this.#socket.bufferedAmount > UNFLUSHED_MAX) return;
      this.n += 1;
      this.#sent += COST;
      if (rate !== undefined) this.#sentAt[this.n] = performance.now();
      this.#socket.send(frameOf(template, this.n));
    }
  }

  #count(acked: number): void {
    this.#take(acked, (WINDOW + acked) * COST);
  }

  #take(acked: number, limit: number): void {
    if (rate !== undefined) {
      const now = performance.now();
      for (let n = this.acked + 1; n <= acked; n += 1)
        latencies.push(now - (this.#sentAt[n] ?? now));
    }
    this.acked = Math.max(this.acked, acked);
    this.#limit = Math.max(this.#limit, limit);
    if (isRunning && rate === undefined) this.pump(Number.POSITIVE_INFINITY);
  }

  #message(payload: Buffer, onReady: () => void): void {
    const decoded = decodeCbor(payload, 'server');
    if ('breach' in decoded) throw new Error(decoded.breach.message);
    const { message } = decoded;
    if (message.k === 'away') throw new Error(`away ${message.e}: ${message.m ?? ''}`);
    if (message.k !== 'welcome' && message.k !== 'flow') return;
    if (message.k === 'welcome') {
      const scale = 9.80665 / 16384;
      const cols = ['x', 'y', 'z'].map((axis) => [`acc/${axis}`, 'm/s2', scale, 0] as const);
      this.#socket.send(encode('cbor', { k: 'def', c: 1, s: 1, cols }));
      onReady();
    }
    const [, ack = 0, limit = 0] = message.f?.[0] ?? [];
    this.#take(ack, limit);
  }
}

let isRunning = false;
let ready = 0;
const devices = Array.from(
  { length: options.devices },
  (_, i) => new Device(`${prefix}/${i}`, onReady),
);

function onReady(): void {
  ready += 1;
  if (ready === options.devices) begin();
}

function begin(): void {
  isRunning = true;
  const start = performance.now();
  const turn = (): void => {
    const elapsed = performance.now() - start;
    if (elapsed >= 1000 * seconds) return finish();
    for (const [i, device] of devices.entries()) device.pump(mostOf(device, i, elapsed));
    if (mode === 'flood') setImmediate(turn);
    else setTimeout(turn, TURN_MS);
  };
  turn();
}

/** Devices of a paced load are spread over their interval. */
function mostOf(device: Device, i: number, elapsed: number): number {
  if (rate === undefined) return mode === 'flood' ? FLOOD_TURN : Number.POSITIVE_INFINITY;
  return Math.floor((elapsed * rate) / 1000 + i / devices.length) - device.n;
}

function finish(): void {
  isRunning = false;
  const sum = (of: (device: Device) => number): number =>
    devices.reduce((all, device) => all + of(device), 0);
  latencies.sort((a, b) => a - b);
  const at = (q: number): number => latencies[Math.floor(q * (latencies.length - 1))] ?? 0;
  const result = {
    frames: sum(({ n }) => n),
    acked: sum(({ acked }) => acked),
    bytes: template.bytes.length,
    ackMs: { p50: at(0.5), p99: at(0.99) },
  };
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
}
