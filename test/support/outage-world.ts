import type { DeviceEffect, DeviceInput } from '../../src/client/device-io.ts';
import { DeviceSession } from '../../src/client/device-session.ts';
import type { SessionId } from '../../src/model/machine.ts';
import { LANE } from '../../src/model/reading.ts';
import { encode } from '../../src/wire/encode.ts';
import { emptyDisk, VirtualNode } from './virtual-node.ts';

/** A cut of the network. */
export interface Outage {
  /** How long it was there before. Units: ms. */
  readonly afterMs: number;
  readonly awayMs: number;
  /** Neither end is told: what is sent is gone, and whoever connects gets no answer. */
  readonly isSilent: boolean;
}

/** What an outage world is made of. */
export interface OutageWorldOptions {
  readonly everyMs: number;
  readonly ringBytes: number;
  /** The log takes this long. Units: ms. */
  readonly logMs: number;
  /** Uniform in [0, 1): spreads reconnects. */
  readonly random: () => number;
}

const PATH = 'plant/oven';
const TURN_MS = 5;
/** A server that does not answer is given up. Units: ms. */
const HANDSHAKE_MS = 10_000;
/** Until everything has come home, and is final. Units: ms. */
const HOME_MS = 300_000;
const FINAL_MS = 30_000;

/** The device's way to the gateway: at most one. */
interface Link {
  readonly session: SessionId;
  /** Messages that were delivered. */
  heard: number;
  /** Nothing passes any more. */
  isDead: boolean;
}

/**
 * The real core and the real device session under a virtual clock, with a network that goes away and
 * comes back. The device makes a frame of every sample: number k, taken at `timeUs(k)`, is `valueOf(k)`.
 */
export class OutageWorld {
  readonly node = new VirtualNode(emptyDisk()).start();
  readonly events: DeviceEffect[] = [];
  samples = 0;
  readonly #options: OutageWorldOptions;
  readonly device: DeviceSession;
  readonly #startUs = this.node.now.wallUs;
  #link: Link | null = null;
  #network: 'there' | 'silent' | 'loud' = 'there';
  /** When a connection attempt over a silent network is given up. Units: ms. */
  #givenUpMs = Number.POSITIVE_INFINITY;
  #landMs = 0;
  #isOpening = false;

  constructor(options: OutageWorldOptions) {
    const { ringBytes, random } = options;
    this.#options = options;
    const sets = [{ s: 1, lane: LANE.live, cols: [['x', 'Cel'] as const] }];
    const own = { url: 'ws://gateway/v1', codec: 'cbor', lanes: [1, 2], sets } as const;
    this.device = new DeviceSession({ ...own, ringBytesMax: ringBytes, random });
    this.node.isPrompt = false;
  }

  timeUs(k: number): number {
    return this.#startUs + k * this.#options.everyMs * 1000;
  }

  /** Eighths: their sums have no rounding. */
  valueOf(k: number): number {
    return (((k * 37) % 801) - 400) / 8;
  }

  /** Lives through these outages, and until everything is home and final. */
  run(outages: readonly Outage[]): void {
    for (const { afterMs, awayMs, isSilent } of outages) {
      this.#pass(afterMs);
      this.#goAway(isSilent);
      this.#pass(awayMs);
      this.#network = 'there';
    }
    this.#pass(HOME_MS);
    const last = this.timeUs(this.samples - 1) + 1;
    this.#give({ kind: 'finish', watermarks: [1, 2].map((lane) => [lane, last] as const) });
    this.#pass(FINAL_MS, false);
  }

  get #nowMs(): number {
    return this.node.now.monoMs;
  }

  #pass(ms: number, isSampling = true): void {
    for (const end = this.#nowMs + ms; this.#nowMs < end; ) {
      this.node.pass(TURN_MS);
      this.#turn();
      const dueUs = this.timeUs(this.samples);
      if (isSampling && dueUs <= this.node.now.wallUs) this.#sample();
    }
  }

  #sample(): void {
    const k = this.samples;
    this.samples += 1;
    const block = { s: 1, t: this.timeUs(k), v: [Float64Array.of(this.valueOf(k))] };
    this.#give({ kind: 'form', lane: LANE.live, blocks: [block] });
  }

  #turn(): void {
    if (this.#nowMs >= this.#landMs) {
      this.node.land();
      this.#landMs = this.#nowMs + this.#options.logMs;
    }
    if (this.#isOpening) this.#opened();
    this.#deliver();
    if (this.#nowMs >= this.#givenUpMs) this.#fail(0);
    if (this.#nowMs >= this.device.wakeAtMs) this.#give({ kind: 'tick' });
  }

  /** What the gateway said meanwhile. */
  #deliver(): void {
    const link = this.#link;
    if (!link || link.isDead) return;
    const { messages } = this.node.heard.get(link.session) ?? { messages: [] };
    this.node.step({ kind: 'heard', session: link.session });
    while (link.heard < messages.length && this.#link === link) {
      const message = messages[link.heard];
      link.heard += 1;
      if (message) this.#give({ kind: 'message', bytes: encode('cbor', message), isText: false });
    }
    const code = this.node.closed(link.session);
    if (code !== null && this.#link === link) this.#fail(code);
  }

  #goAway(isSilent: boolean): void {
    this.#network = isSilent ? 'silent' : 'loud';
    const link = this.#link;
    if (!link) return;
    link.isDead = true;
    if (isSilent) return;
    this.node.disconnect(link.session);
    this.#fail(1006);
  }

  #fail(code: number): void {
    this.#link = null;
    this.#isOpening = false;
    this.#givenUpMs = Number.POSITIVE_INFINITY;
    this.#give({ kind: 'closed', ending: { code, status: 0, message: '' } });
  }

  #give(input: DeviceInput): void {
    for (const effect of this.device.step(input, this.node.now)) {
      this.events.push(effect);
      this.#perform(effect);
    }
  }

  #perform(effect: DeviceEffect): void {
    if (effect.kind === 'connect') this.#connect();
    else if (effect.kind === 'close') this.#hangUp();
    else if (effect.kind === 'send' || effect.kind === 'sendFrame') {
      if (this.#link && !this.#link.isDead) this.node.sendBytes(this.#link.session, effect.bytes);
    }
  }

  /** The device is told in a turn to come, not from within what it asked for. */
  #connect(): void {
    if (this.#network === 'there') {
      this.#link = { session: this.node.connect('cbor', PATH), heard: 0, isDead: false };
      this.#isOpening = true;
      return;
    }
    this.#givenUpMs = this.#nowMs + (this.#network === 'silent' ? HANDSHAKE_MS : 0);
  }

  #opened(): void {
    this.#isOpening = false;
    if (this.#link) this.#give({ kind: 'opened' });
  }

  #hangUp(): void {
    const link = this.#link;
    this.#link = null;
    this.#isOpening = false;
    this.#givenUpMs = Number.POSITIVE_INFINITY;
    if (link && !link.isDead) this.node.disconnect(link.session);
  }
}
