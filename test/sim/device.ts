import type { DeviceEffect, DeviceInput } from '../../src/client/device-io.ts';
import type { Ending } from '../../src/client/reconnect-policy.ts';
import type { RingFrame } from '../../src/client/ring-frame.ts';
import type { Now } from '../../src/model/time.ts';
import { decodeCbor } from '../../src/wire/decode.ts';
import { jsonToCbor } from '../../src/wire/json.ts';
import type { ClientMessage, ServerMessage } from '../../src/wire/messages.ts';
import type { SimClock } from './clock.ts';
import type { Tell } from './facts.ts';
import { blockOf, type Habits, type Intent, poisoned, spoiled } from './habits.ts';
import type { ClientEnd, Link, Parcel } from './network.ts';
import type { Dice } from './random.ts';
import type { Timeline } from './timeline.ts';
import { contentOfBlocks } from './truth.ts';

/** What runs on a device: the library's session, or something written for the world. */
export interface Program {
  readonly wakeAtMs: number;
  /** Frames that it still has to bring home. */
  readonly retained: number;
  step(input: DeviceInput, now: Now): readonly DeviceEffect[];
  /** The QoS that it asked for. */
  qosOf(lane: number): number;
}

/** What survives a reboot, if the firmware writes it down. */
export interface Flash {
  readonly epoch: number;
  readonly next: Readonly<Record<number, number>>;
}

/** What a device is made of. */
export interface DeviceParts {
  readonly habits: Habits;
  readonly timeline: Timeline;
  readonly clock: SimClock;
  readonly dice: Dice;
  readonly tell: Tell;
  readonly boot: (flash: Flash | null) => Program;
  /** Opens a connection to whatever gateway the balancer picks. */
  readonly dial: (device: SimDevice) => Link;
  readonly strike: (
    name:
      | 'frame refused'
      | 'poison frame'
      | 'ring overflow'
      | 'rows thinned'
      | 'readings refused to the device',
  ) => void;
}

/** A timer is never set for less. Units: ms. */
const TIMER_MS_LEAST = 1;

/** A device: a clock that is wrong, readings, a program, and at most one connection. */
export class SimDevice implements ClientEnd {
  readonly habits: Habits;
  readonly clock: SimClock;
  program: Program;
  link: Link | null = null;
  epoch = 0;
  /** Contents from 1: every frame that was ever formed has one of its own. */
  contents = 0;
  isStopped = false;
  readonly #parts: DeviceParts;
  /** What each block was meant to be, by content number; good ones are left out. */
  readonly #intents = new Map<number, Intent>();
  #isProducing = true;
  #armedForMs = Number.POSITIVE_INFINITY;

  constructor(parts: DeviceParts) {
    this.#parts = parts;
    this.habits = parts.habits;
    this.clock = parts.clock;
    this.program = parts.boot(null);
    for (const lane of [0, 1]) if (this.habits.lanes.includes(lane)) this.#produceLater(lane);
    this.#parts.timeline.after(parts.dice.between(0, 2000), () => this.give({ kind: 'tick' }));
  }

  get path(): string {
    return this.habits.path;
  }

  /** What a frame was meant to be. A block that was cut in two lends its number to both halves. */
  intentOf(content: number): Intent {
    return this.#intents.get(Math.floor(content)) ?? 'good';
  }

  /** No further readings. */
  fallSilent(): void {
    this.#isProducing = false;
  }

  /** Power off and on. What was retained is gone; `flash` is what the firmware wrote down. */
  reboot(flash: Flash | null): void {
    this.link?.clientGone();
    this.link = null;
    this.isStopped = false;
    this.#armedForMs = Number.POSITIVE_INFINITY;
    this.program = this.#parts.boot(flash);
    this.give({ kind: 'tick' });
  }

  give(input: DeviceInput): void {
    for (const effect of this.program.step(input, this.clock.now())) this.#perform(effect);
    this.#arm();
  }

  opened(link: Link): void {
    if (link === this.link) this.give({ kind: 'opened' });
  }

  message(link: Link, { bytes, message }: Parcel<ServerMessage>): void {
    if (link !== this.link) return;
    this.#parts.tell({ kind: 'heard', link, message });
    this.give({ kind: 'message', bytes, isText: link.codec === 'json' });
  }

  closed(link: Link, ending: Ending): void {
    if (link !== this.link) return;
    this.link = null;
    this.give({ kind: 'closed', ending });
  }

  #produceLater(lane: number): void {
    const { dice, timeline } = this.#parts;
    const periodMs = this.habits.periodMs[lane] as number;
    timeline.after(periodMs * dice.between(0.2, 1.8), () => {
      if (!this.#isProducing) return;
      this.#produce(lane);
      this.#produceLater(lane);
    });
  }

  #produce(lane: number): void {
    this.contents += 1;
    const intent = this.#intend();
    if (intent !== 'good') this.#intents.set(this.contents, intent);
    const rows = lane === 0 ? 1 : this.habits.rows;
    const block = blockOf(lane, this.contents, this.clock.now().wallUs, rows);
    this.give({ kind: 'form', lane, blocks: [spoiled(block, intent)] });
  }

  #intend(): Intent {
    const { dice } = this.#parts;
    const { refusedShare, poisonShare } = this.habits;
    if (dice.chance(poisonShare)) return 'poison';
    if (!dice.chance(refusedShare)) return 'good';
    return dice.pick(['unknown set', 'bad shape']);
  }

  #perform(effect: DeviceEffect): void {
    const { tell, dial } = this.#parts;
    switch (effect.kind) {
      case 'connect':
        this.link = dial(this);
        return;
      case 'send':
        return this.#say(effect.bytes);
      case 'sendFrame':
        return this.#sendFrame(effect.bytes, effect.frame, effect.epoch);
      case 'close':
        this.link?.closeByClient();
        this.link = null;
        return;
      case 'welcomed':
        this.epoch = effect.epoch;
        return;
      case 'acked':
        for (const frame of effect.freed) this.#fate('freed', frame);
        return;
      case 'rejected':
        return this.#fate('refused', effect.frame);
      case 'dropped':
        if (effect.reason === 'ring full') this.#parts.strike('ring overflow');
        if (effect.frame) this.#fate('dropped', effect.frame);
        return;
      case 'moved':
        return this.#fate('dropped', effect.left);
      case 'stopped':
        this.isStopped = true;
        return tell({ kind: 'stopped', device: this.path, ending: effect.ending });
      case 'thinned':
        this.#parts.strike('rows thinned');
        if (effect.frame && effect.isGone) this.#fate('dropped', effect.frame);
        return;
      case 'refused':
        return this.#parts.strike('readings refused to the device');
      case 'formed':
      case 'renumbered':
      case 'clockSet':
      case 'terms':
      case 'waiting':
      case 'finished':
        return;
    }
  }

  #say(bytes: Uint8Array): void {
    const { link } = this;
    if (!link) return;
    const message = saidBy(link, bytes);
    if (message) this.#parts.tell({ kind: 'said', link, message });
    link.toServer(bytes, message);
  }

  #sendFrame(bytes: Uint8Array, { lane, n, lost, source }: RingFrame, epoch: number): void {
    const { link } = this;
    if (!link) return;
    const content = contentOfBlocks(source ?? []);
    const frame = { epoch, lane, n, lost, bytes: bytes.length, content };
    this.#parts.tell({ kind: 'sent', link, frame });
    const intent = this.intentOf(content);
    if (intent === 'poison') this.#parts.strike('poison frame');
    else if (intent !== 'good') this.#parts.strike('frame refused');
    link.toServer(intent === 'poison' ? poisoned(bytes, link.codec) : bytes, null);
  }

  #fate(kind: 'freed' | 'refused' | 'dropped', { lane, n, source }: RingFrame): void {
    const content = contentOfBlocks(source ?? []);
    const { epoch, path: device } = this;
    const qos = this.program.qosOf(lane);
    this.#parts.tell({ kind, device, epoch, lane, n, content, qos });
  }

  #arm(): void {
    const { wakeAtMs } = this.program;
    if (!Number.isFinite(wakeAtMs) || wakeAtMs >= this.#armedForMs) return;
    this.#armedForMs = wakeAtMs;
    const delay = Math.max(TIMER_MS_LEAST, this.clock.trueMsUntil(wakeAtMs));
    const { program } = this;
    this.#parts.timeline.after(delay, () => {
      if (program !== this.program || this.#armedForMs !== wakeAtMs) return;
      this.#armedForMs = Number.POSITIVE_INFINITY;
      this.give({ kind: 'tick' });
    });
  }
}

/** The control message that a device sends; null for a frame, and for what is no message. */
function saidBy({ codec }: Link, bytes: Uint8Array): ClientMessage | null {
  const transcoded = codec === 'json' ? jsonToCbor(bytes, 'client') : { bytes };
  if (!('bytes' in transcoded)) return null;
  const decoded = decodeCbor(transcoded.bytes, 'client');
  if ('breach' in decoded || decoded.message.k === 'data') return null;
  return decoded.message as ClientMessage;
}
