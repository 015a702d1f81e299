import type { DeviceEffect, DeviceInput } from '../../src/client/device-io.ts';
import type { Now } from '../../src/model/time.ts';
import { decodeCbor } from '../../src/wire/decode.ts';
import { encode, encodeBlocks, encodeData } from '../../src/wire/encode.ts';
import type { Message } from '../../src/wire/messages.ts';
import type { Program } from './device.ts';
import { blockOf, SETS } from './habits.ts';
import type { Dice } from './random.ts';

const LANE = 0;
const PAUSE_MS = [5000, 40_000] as const;
/** What it takes to be over any window before the log can answer. */
const FLOOD = 40;
const LONG_ROWS = 200;
const PINGS = 9;

/** A way to break the protocol, and the code that it has to be answered with. */
type Rudeness =
  | 'beyond credit'
  | 'undeclared hole'
  | 'second hello'
  | 'wrong way'
  | 'garbage'
  | 'unknown kind'
  | 'lane not granted'
  | 'too long'
  | 'ping flood'
  | 'no hello'
  | 'lane twice'
  | 'impossible epoch'
  | 'lost beyond n';

/** What each rudeness has to be answered with. Source: PROTOCOL §13. */
const CODE: Readonly<Record<Rudeness, number>> = {
  'beyond credit': 4006,
  'undeclared hole': 4008,
  'second hello': 4001,
  'wrong way': 4001,
  garbage: 4000,
  'unknown kind': 4005,
  'lane not granted': 4001,
  'too long': 4009,
  'ping flood': 4101,
  'no hello': 4102,
  'lane twice': 4001,
  'impossible epoch': 4007,
  'lost beyond n': 4000,
};
const ALL = Object.keys(CODE) as Rudeness[];

/** Sends a few good frames, then breaks a rule on purpose, and comes back to break another. */
export class RudeDevice implements Program {
  wakeAtMs = 0;
  /** It keeps nothing: what it loses is its own fault. */
  readonly retained = 0;
  readonly #dice: Dice;
  readonly #heartbeatMs: number;
  #act: Rudeness = 'garbage';
  #state: 'offline' | 'connecting' | 'open' | 'live' | 'ended' = 'offline';
  #effects: DeviceEffect[] = [];
  #n = 0;
  #content = 0;

  constructor(heartbeatMs: number, dice: Dice) {
    this.#dice = dice;
    this.#heartbeatMs = heartbeatMs;
  }

  /** The code that its present connection has to be closed with. */
  get expects(): number {
    return CODE[this.#act];
  }

  qosOf(): number {
    return 1;
  }

  step(input: DeviceInput, now: Now): readonly DeviceEffect[] {
    this.#effects = [];
    if (input.kind === 'opened') this.#opened(now);
    else if (input.kind === 'message') this.#read(input.bytes, now);
    else if (input.kind === 'closed') this.#pause(now.monoMs);
    else if (input.kind === 'leave') this.#leave();
    else if (input.kind === 'tick' && now.monoMs >= this.wakeAtMs) this.#wake(now.monoMs);
    return this.#effects;
  }

  #wake(ms: number): void {
    if (this.#state === 'ended') return;
    if (this.#state === 'offline') {
      this.#state = 'connecting';
      this.#effects.push({ kind: 'connect', url: '' });
      this.wakeAtMs = ms + PAUSE_MS[1];
      return;
    }
    // Nobody answered: whatever became of it, it begins anew.
    this.#effects.push({ kind: 'close', code: 1000 });
    this.#pause(ms);
  }

  #opened(now: Now): void {
    if (this.#state !== 'connecting') return;
    this.#state = 'open';
    this.#act = this.#dice.pick(ALL);
    this.#n = 0;
    if (this.#act === 'no hello') return;
    const lane = [LANE, 1, 1] as const;
    const ch = this.#act === 'lane twice' ? [lane, lane] : [lane];
    const ep = this.#act === 'impossible epoch' ? Number.MAX_SAFE_INTEGER : undefined;
    this.#say({ k: 'hello', ep, ch, now: now.wallUs, hb: this.#heartbeatMs });
  }

  #read(bytes: Uint8Array, now: Now): void {
    if (this.#state !== 'open') return;
    const decoded = decodeCbor(bytes, 'server');
    if ('breach' in decoded) throw new Error('a gateway sent what does not decode');
    if (decoded.message.k !== 'welcome') return;
    this.#state = 'live';
    this.#effects.push({ kind: 'welcomed', epoch: decoded.message.ep ?? 0, dur: 0 });
    const set = SETS.find(({ lane }) => lane === LANE);
    if (set) this.#say({ k: 'def', c: LANE, s: set.s, cols: set.cols });
    for (let good = this.#dice.below(3); good > 0; good -= 1) this.#frame(now, 1);
    this.#misbehave(now);
  }

  #misbehave(now: Now): void {
    switch (this.#act) {
      case 'beyond credit':
        for (let i = 0; i < FLOOD; i += 1) this.#frame(now, LONG_ROWS / 2);
        return;
      case 'undeclared hole':
        this.#n += 5;
        return this.#frame(now, 1);
      case 'second hello':
        return this.#say({ k: 'hello' });
      case 'wrong way':
        return this.#say({ k: 'welcome', now: 0, hb: 20_000 });
      case 'garbage':
        return this.#raw(Uint8Array.of(0xff, 0xfe, 0xfd));
      case 'unknown kind':
        return this.#raw(Uint8Array.of(0xa1, 0x00, 0x18, 0x63));
      case 'lane not granted':
        return this.#frame(now, 1, { c: 7 });
      case 'too long':
        return this.#frame(now, LONG_ROWS);
      case 'lost beyond n':
        return this.#frame(now, 1, { lost: 1_000_000 });
      case 'ping flood':
        for (let i = 0; i < PINGS; i += 1) this.#say({ k: 'ping' });
        return;
      case 'no hello':
      case 'lane twice':
      case 'impossible epoch':
        return;
    }
  }

  #frame(now: Now, rows: number, head: { c?: number; lost?: number } = {}): void {
    this.#n += 1;
    this.#content += 1;
    const blocks = encodeBlocks('cbor', [blockOf(LANE, this.#content, now.wallUs, rows)]);
    this.#raw(encodeData('cbor', { c: LANE, n: this.#n, lost: 0, ...head }, blocks));
  }

  #pause(ms: number): void {
    if (this.#state === 'ended') return;
    this.#state = 'offline';
    this.wakeAtMs = ms + this.#dice.between(...PAUSE_MS);
  }

  #leave(): void {
    if (this.#state !== 'offline') this.#effects.push({ kind: 'close', code: 1000 });
    this.#state = 'ended';
    this.wakeAtMs = Number.POSITIVE_INFINITY;
  }

  #say(message: Message): void {
    this.#raw(encode('cbor', message));
  }

  #raw(bytes: Uint8Array): void {
    this.#effects.push({ kind: 'send', bytes });
  }
}
