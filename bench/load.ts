import { WebSocket } from 'ws';
import { decodeCbor } from '../src/wire/decode.ts';
import { encode } from '../src/wire/encode.ts';

/**
 * A load of equal frames from one process: three int16 columns, 1 kHz, as in PROTOCOL §17.
 * Arguments: URL, `credit` or `flood`, rows per frame, devices, seconds, prefix of the devices.
 * Prints `{"frames", "acked", "rows", "bytes"}` when the time is up.
 */
const [
  url = '',
  mode = 'credit',
  rowsText = '100',
  devicesText = '50',
  secondsText = '10',
  prefix = 'bench',
] = process.argv.slice(2);
const rows = Number(rowsText);
const COLUMNS = 3;
const UNFLUSHED_MAX = 64 * 1024;
const FLOOD_TURN = 16;

/** A frame with `n` and `t` in fixed widths, so that they can be written in place. */
function template(): { readonly bytes: Buffer; readonly nAt: number; readonly tAt: number } {
  // Twelve rows, with quality and backlog said, make exactly 120 bytes.
  const isFull = rows === 12;
  const head = Buffer.from(isFull ? 'a50003010102' : 'a40003010102', 'hex');
  const n = Buffer.from('1a00000000', 'hex');
  const pairs = isFull ? 'a5' : 'a4';
  const block = Buffer.from(`0381${pairs}0001011b0000000000000000021903e80483`, 'hex');
  const tail = Buffer.from(isFull ? '05000600' : '', 'hex');
  const column = (): Buffer => {
    const values = Int16Array.from({ length: rows }, (_, i) => Math.round(1000 * Math.sin(i / 8)));
    const payload = Buffer.from(values.buffer);
    const size =
      payload.length < 24
        ? [0x40 + payload.length]
        : payload.length < 256
          ? [0x58, payload.length]
          : [0x59, payload.length >> 8, payload.length & 255];
    return Buffer.concat([Buffer.from([0xd8, 77, ...size]), payload]);
  };
  const bytes = Buffer.concat([head, n, block, ...Array.from({ length: COLUMNS }, column), tail]);
  return { bytes, nAt: head.length + 1, tAt: head.length + n.length + 7 };
}

const { bytes: FRAME, nAt, tAt } = template();
const COST = FRAME.length + 64;

class Device {
  readonly #socket: WebSocket;
  n = 0;
  acked = 0;
  #sent = 0;
  #limit = mode === 'flood' ? Number.POSITIVE_INFINITY : 0;

  constructor(name: string, onReady: () => void) {
    const headers = { Authorization: `Bearer ${name}` };
    this.#socket = new WebSocket(url, ['tidegate.v1.cbor'], { headers, perMessageDeflate: false });
    this.#socket.on('error', (error) => {
      throw error;
    });
    this.#socket.on('open', () => {
      if (mode === 'flood') onReady();
      else
        this.#socket.send(encode('cbor', { k: 'hello', ch: [[1, 1, 1]], now: Date.now() * 1000 }));
    });
    this.#socket.on('message', (payload: Buffer) => this.#message(payload, onReady));
  }

  pump(): void {
    const turn = mode === 'flood' ? FLOOD_TURN : Number.POSITIVE_INFINITY;
    for (let i = 0; i < turn; i += 1) {
      if (this.#sent + COST > this.#limit || this.#socket.bufferedAmount > UNFLUSHED_MAX) return;
      const frame = Buffer.from(FRAME);
      this.n += 1;
      frame.writeUInt32BE(this.n, nAt);
      frame.writeBigUInt64BE(BigInt(Date.now() * 1000), tAt);
      this.#sent += COST;
      this.#socket.send(frame);
    }
  }

  close(): void {
    this.#socket.terminate();
  }

  #message(payload: Buffer, onReady: () => void): void {
    const decoded = decodeCbor(payload, 'server');
    if ('breach' in decoded) throw new Error(decoded.breach.message);
    const { message } = decoded;
    if (message.k === 'away') throw new Error(`away ${message.e}: ${message.m ?? ''}`);
    if (message.k !== 'welcome' && message.k !== 'flow') return;
    const [, ack, limit] = message.f?.[0] ?? [1, 0, 0];
    this.acked = Math.max(this.acked, ack);
    this.#limit = Math.max(this.#limit, limit);
    if (message.k === 'welcome') {
      const cols = ['x', 'y', 'z'].map(
        (axis) => [`acc/${axis}`, 'm/s2', 9.80665 / 16384, 0] as const,
      );
      this.#socket.send(encode('cbor', { k: 'def', c: 1, s: 1, cols }));
      onReady();
    } else if (isRunning) this.pump();
  }
}

let isRunning = false;
let ready = 0;
const count = Number(devicesText);
const devices = Array.from({ length: count }, (_, i) => new Device(`${prefix}/${i}`, onReady));

function onReady(): void {
  ready += 1;
  if (ready === count) begin();
}

function begin(): void {
  isRunning = true;
  const end = performance.now() + 1000 * Number(secondsText);
  const turn = (): void => {
    if (performance.now() >= end) return finish();
    for (const device of devices) device.pump();
    if (mode === 'flood') setImmediate(turn);
    else setTimeout(turn, 5);
  };
  turn();
}

function finish(): void {
  isRunning = false;
  const sum = (of: (device: Device) => number): number =>
    devices.reduce((all, device) => all + of(device), 0);
  const frames = sum(({ n }) => n);
  const result = {
    frames,
    acked: sum(({ acked }) => acked),
    rows: rows * COLUMNS,
    bytes: FRAME.length,
  };
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
}
