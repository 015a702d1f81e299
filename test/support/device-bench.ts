import { countReadings } from '../../src/client/block.ts';
import type { DeviceEffect, DeviceInput, DeviceOptions } from '../../src/client/device-io.ts';
import { DeviceSession } from '../../src/client/device-session.ts';
import { monoMs, type Now, wallUs } from '../../src/model/time.ts';
import { decodeCbor } from '../../src/wire/decode.ts';
import { encode } from '../../src/wire/encode.ts';
import { jsonToCbor } from '../../src/wire/json.ts';
import type { DeviceBlock, Message, ServerMessage } from '../../src/wire/messages.ts';

/** Wall clock of the bench when its monotonic clock shows 0. Units: µs. */
export const START_US = 1_700_000_000_000_000;

const OPTIONS: DeviceOptions = {
  url: 'ws://127.0.0.1:8080/v1',
  codec: 'cbor',
  lanes: [0, 1],
  sets: [
    { s: 1, lane: 0, cols: [['alarm']] },
    { s: 2, lane: 1, cols: [['x', 'm/s2']] },
  ],
  ringBytesMax: 100_000,
  random: () => 0.5,
};

/** A block of `rows` one-byte values, of the set of its lane. */
export const blockOf = (lane: number, rows = 1): DeviceBlock => ({
  s: lane + 1,
  t: START_US,
  dt: rows > 1 ? 1000 : undefined,
  v: [new Uint8Array(rows)],
});

/** A device session with a clock in the hand of the test. What it does comes back as lines. */
export class DeviceBench {
  readonly session: DeviceSession;
  readonly options: DeviceOptions;
  /** The last messages that went out, decoded. */
  readonly sent: Message[] = [];
  #ms = 0;

  constructor(options: Partial<DeviceOptions> = {}) {
    this.options = { ...OPTIONS, ...options };
    this.session = new DeviceSession(this.options);
  }

  get now(): Now {
    return { monoMs: monoMs(this.#ms), wallUs: wallUs(START_US + this.#ms * 1000) };
  }

  get ms(): number {
    return this.#ms;
  }

  step(input: DeviceInput, unflushedBytes = 0): string[] {
    return this.session
      .step(input, this.now, unflushedBytes)
      .map((effect) => this.#lineOf(effect))
      .filter((line) => line !== '');
  }

  /** Lets time pass without looking in between. */
  wait(ms: number): string[] {
    this.#ms += ms;
    return this.step({ kind: 'tick' });
  }

  /** Lets time pass and ticks whenever the session asks for it; fails if it asks for ever. */
  run(ms: number): string[] {
    const end = this.#ms + ms;
    const lines: string[] = [];
    for (let turn = 0; turn < 10_000; turn += 1) {
      const next = Math.max(this.#ms, this.session.wakeAtMs);
      if (next > end) {
        this.#ms = end;
        return lines;
      }
      this.#ms = next;
      const said = this.step({ kind: 'tick' });
      lines.push(...said.map((line) => `${this.#ms}: ${line}`));
    }
    throw new Error('the session asks to be woken again and again without time passing');
  }

  form(lane = 1, rows = 1): string[] {
    return this.step({ kind: 'form', lane, blocks: [blockOf(lane, rows)] });
  }

  says(message: ServerMessage): string[] {
    const bytes = encode(this.options.codec, message);
    return this.step({ kind: 'message', bytes, isText: this.options.codec === 'json' });
  }

  closes(code: number): string[] {
    return this.step({ kind: 'closed', ending: { code, status: 0, message: '' } });
  }

  refuses(status: number, waitMs?: number): string[] {
    return this.step({ kind: 'closed', ending: { code: 0, status, waitMs, message: '' } });
  }

  /** Connects and is welcomed: epoch 7, `lim` per lane, nothing acked unless told. */
  welcome(given: {
    readonly lim?: number;
    readonly why?: number;
    readonly ln?: number;
    readonly acks?: readonly number[];
    readonly mf?: number;
    readonly ep?: number;
    readonly lanes?: readonly number[];
  }): string[] {
    const { lim = 100_000, acks = [], mf = 8192, ep = 7, lanes = [0, 1], why, ln } = given;
    const hello = [...this.step({ kind: 'tick' }), ...this.step({ kind: 'opened' })];
    const said = this.says({
      k: 'welcome',
      ep,
      // Lane 2 begins without credit. [R7-12]
      f: lanes.map((lane) => [lane, acks[lane] ?? 0, lane === 2 ? 0 : lim] as const),
      ch: lanes.map((lane) => [lane, 1, lane === 0 ? 1984 : mf] as const),
      now: 1,
      hb: 20_000,
      dur: 1,
      why,
      ln,
    });
    return [...hello, ...said];
  }

  flow(ack: number, lim: number, lane = 1, echo?: number): string[] {
    return this.says({ k: 'flow', f: [[lane, ack, lim]], echo });
  }

  #lineOf(effect: DeviceEffect): string {
    switch (effect.kind) {
      case 'connect':
        return `connect ${effect.url}`;
      case 'send':
        return lineOfMessage(this.#note(effect.bytes));
      case 'sendFrame':
        return `${lineOfMessage(this.#note(effect.bytes))}${effect.isFirst ? '' : ' again'}`;
      case 'close':
        return `close ${effect.code}`;
      case 'welcomed':
        return `welcomed ${effect.epoch}`;
      case 'terms':
        return `terms why=${effect.why}${option('ln', effect.lingerMs)}`;
      case 'clockSet':
        return `clock ${effect.byUs}`;
      case 'formed':
      case 'renumbered':
        return '';
      case 'refused':
        return `refused ${countReadings(effect.blocks)} readings of lane ${effect.lane}`;
      case 'thinned': {
        const { frame, readings, isGone } = effect;
        const where = frame ? `${frame.lane}:${frame.n}${isGone ? ' whole' : ''}` : 'new';
        return `thinned ${where} ${readings}`;
      }
      case 'moved':
        return `moved ${effect.left.lane}:${effect.left.n} to ${effect.frame.lane}:${effect.frame.n}`;
      case 'acked': {
        const freed = effect.freed.map((frame) => frame.n);
        return freed.length === 0 ? '' : `acked ${effect.lane}: ${freed.join(' ')}`;
      }
      case 'rejected':
        return `rejected ${effect.frame.lane}:${effect.frame.n} ${effect.code}`;
      case 'dropped':
        return effect.frame
          ? `dropped ${effect.frame.lane}:${effect.frame.n} ${effect.reason}`
          : `dropped ${effect.readings} readings ${effect.reason}`;
      case 'waiting':
        return `wait ${effect.waitMs}`;
      case 'stopped':
        return `stopped ${effect.ending.code || effect.ending.status}`;
      case 'finished':
        return 'finished';
    }
  }

  #note(bytes: Uint8Array): Message {
    const cbor = this.options.codec === 'cbor' ? { bytes } : jsonToCbor(bytes, 'client');
    const decoded = 'bytes' in cbor ? decodeCbor(cbor.bytes, 'client') : cbor;
    if ('breach' in decoded) throw new Error(`bad message: ${decoded.breach.message}`);
    this.sent.push(decoded.message);
    return decoded.message;
  }
}

const pairs = (name: string, list: readonly (readonly number[])[] | undefined): string =>
  list ? ` ${name}=${list.map((pair) => pair.join(':')).join(',')}` : '';

const option = (name: string, value: number | undefined): string =>
  value === undefined ? '' : ` ${name}=${value}`;

function lineOfMessage(message: Message): string {
  switch (message.k) {
    case 'hello': {
      const firsts = message.ch?.map(([lane, , first]) => [lane, first]);
      return `hello${option('ep', message.ep)}${pairs('first', firsts)}${option('hop', message.hop)}`;
    }
    case 'def':
      return `def ${message.c}:${message.s}`;
    case 'data':
      return `data ${message.c}:${message.n}${option('lost', message.lost)}${option('bl', message.bl)}`;
    case 'ping':
      return `ping${pairs('bl', message.bl)}${pairs('wm', message.wm)}`;
    default:
      return message.k;
  }
}
