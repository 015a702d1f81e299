import type { TokenMint } from '../src/adapters/auth/token-mint.ts';
import { Clock } from '../src/adapters/host/clock.ts';
import type { DeviceEffect } from '../src/client/device-io.ts';
import type { Ending } from '../src/client/reconnect-policy.ts';
import type { Codec } from '../src/model/machine.ts';
import type { Now } from '../src/model/time.ts';
import { type DeviceListener, FleetDevice } from './fleet-device.ts';
import { type FleetView, viewOf } from './fleet-view.ts';
import type { Journal } from './journal.ts';
import { Notices } from './notices.ts';
import type { Scenario } from './scenarios.ts';
import type { Source } from './source.ts';
import { StatusDisplay } from './status-display.ts';
import { Tally } from './tally.ts';
import { Weather } from './weather.ts';
import { wordsOf } from './words.ts';

/** What a fleet is made of. */
export interface FleetOptions {
  readonly url: string;
  readonly codec: Codec;
  readonly sources: readonly Source[];
  /** Absent: until the sources end or `stop`. Units: ms. */
  readonly durationMs?: number | undefined;
  readonly journal: Journal | null;
  readonly ua: string;
  /** Signs a token for every connection; null: devices show their path, as open mode wants it. */
  readonly mint: TokenMint | null;
  /** Links and weather; what it changes in the sources has been done already. */
  readonly scenario?: Scenario | undefined;
}

/** How a run ended. */
export interface FleetResult {
  readonly view: FleetView;
  readonly elapsedMs: number;
  /** Everything was acked and no device had to stop. */
  readonly isGood: boolean;
}

/** After the last reading, so long for the last acks. Units: ms. Source: INTERFACE, simulate. */
const LAST_ACKS_MS = 30_000;
/** Turns are not closer together than this: frames of many devices share a turn. Units: ms. */
const TURN_MS = 2;
/** Without anything due, look around this often: journal, status, notices. Units: ms. */
const IDLE_MS = 100;
/** What the journal gathers is written this often. Units: ms. */
const JOURNAL_MS = 200;
/** Connections are opened at this rate, so that a large fleet does not arrive as one blow. */
const CONNECTS_PER_MS = 2;
/** All rings together, and the least and most for one device. Units: bytes. */
const RINGS_BYTES = 1024 ** 3;
const RING_BYTES_MIN = 256 * 1024;
const RING_BYTES_MAX = 64 * 1024 ** 2;

/** What a token of a device is good for. Units: s. */
const TOKEN_S = 3600;

/** Many devices in one process, driven by one timer. */
export class Fleet implements DeviceListener {
  readonly #options: FleetOptions;
  readonly #clock = new Clock();
  readonly #tally = new Tally();
  readonly #devices: readonly FleetDevice[];
  readonly #display: StatusDisplay;
  readonly #notices: Notices;
  readonly #startMs: number;
  readonly #weather: Weather | null;
  #state: 'running' | 'finishing' = 'running';
  #deadlineMs: number;
  #journalDueMs = 0;
  #timer: NodeJS.Timeout | null = null;
  #timerAtMs = Number.POSITIVE_INFINITY;
  #onDone: ((result: FleetResult) => void) | null = null;

  constructor(options: FleetOptions, out: NodeJS.WriteStream) {
    const nowMs = this.#clock.now().monoMs;
    const ringBytesMax = RINGS_BYTES / Math.max(1, options.sources.length);
    this.#options = options;
    this.#startMs = nowMs;
    this.#deadlineMs = nowMs + (options.durationMs ?? Number.POSITIVE_INFINITY);
    this.#display = new StatusDisplay(out, nowMs);
    this.#notices = new Notices((line) => this.#display.say(line));
    const { weather, link } = options.scenario ?? {};
    this.#weather = weather ? new Weather(weather, nowMs) : null;
    const session = {
      url: options.url,
      codec: options.codec,
      ua: options.ua,
      ringBytesMax: Math.max(RING_BYTES_MIN, Math.min(RING_BYTES_MAX, ringBytesMax)),
      random: Math.random,
      keepsBlocks: options.journal !== null,
      canRenew: options.mint !== null,
      credentialOf: credentialsOf(options.mint),
      link,
      isUp: () => this.#weather?.isUp(this.#clock.now().monoMs) ?? true,
    };
    this.#devices = options.sources.map(
      (source, i) => new FleetDevice(source, session, nowMs + i / CONNECTS_PER_MS, this),
    );
  }

  /** Runs until everything is acked, or 30 s after the last reading. */
  run(): Promise<FleetResult> {
    return new Promise((resolve) => {
      this.#onDone = resolve;
      this.#turn();
    });
  }

  /** Stops measuring; the run ends when everything is acked. A second call ends it at once. */
  stop(): void {
    if (this.#state === 'finishing') {
      this.#end();
      return;
    }
    this.#display.say('Stopping: waits for the last acks. Ctrl-C again leaves at once.');
    this.#finish(this.#clock.now());
  }

  now(): Now {
    return this.#clock.now();
  }

  onWake(wakeAtMs: number): void {
    if (wakeAtMs < this.#timerAtMs) this.#wakeAt(wakeAtMs, this.#clock.now().monoMs);
  }

  onEffect(device: FleetDevice, effect: DeviceEffect, now: Now): void {
    const { source } = device;
    this.#tally.note(effect, now.monoMs);
    this.#options.journal?.note(source.device, (s) => device.session.setOf(s), effect);
    if (effect.kind === 'welcomed') this.#welcomed(device);
    else if (effect.kind === 'waiting') {
      this.#notices.add(source.device, this.#waitingWords(effect.ending, effect.waitMs));
    } else if (effect.kind === 'stopped') {
      this.#notices.add(source.device, this.#stoppedWords(effect.ending));
    } else if (effect.kind === 'rejected') {
      this.#notices.add(source.device, `a frame was refused with ${effect.code} ${effect.message}`);
    } else if (effect.kind === 'dropped') {
      this.#notices.add(source.device, `readings are dropped: ${effect.reason}`);
    }
  }

  #stoppedWords(ending: Ending): string {
    const isUnknown = ending.code === 4003 || ending.status === 401;
    const hint = ' With --secret-file FILE the devices show tokens.';
    const words = `stopped: ${wordsOf(ending)}. Trying again would not help.`;
    return isUnknown && this.#options.mint === null ? words + hint : words;
  }

  #waitingWords(ending: Ending, waitMs: number): string {
    const isUnreached = ending.code === 0 && ending.status === 0;
    const words = isUnreached ? `cannot connect to ${this.#options.url}: ` : '';
    const pause = waitMs < 1 ? 'at once' : 'after a growing, random pause';
    return `${words}${wordsOf(ending)}; tries again ${pause}`;
  }

  #welcomed(device: FleetDevice): void {
    device.welcomes += 1;
    if (device.welcomes === 1) return;
    this.#tally.reconnects += 1;
    this.#notices.add(device.source.device, 'connected again');
  }

  #turn(): void {
    this.#timerAtMs = Number.NEGATIVE_INFINITY;
    const now = this.#clock.now();
    if (this.#state === 'running' && this.#weather?.isCutDue(now.monoMs)) this.#cut();
    for (const device of this.#devices) device.turn(now);
    if (now.monoMs >= this.#deadlineMs) {
      if (this.#state === 'finishing') return this.#end();
      this.#finish(now);
    }
    if (this.#devices.every((device) => device.isOver)) return this.#end();
    this.#lookAround(now);
    this.#wakeAt(this.#nextDueMs(now), this.#clock.now().monoMs);
  }

  #cut(): void {
    this.#display.say('The network is cut (scenario).');
    for (const device of this.#devices) device.cut();
  }

  #finish(now: Now): void {
    this.#state = 'finishing';
    this.#deadlineMs = now.monoMs + LAST_ACKS_MS;
    for (const device of this.#devices) device.finish(now);
  }

  #lookAround(now: Now): void {
    if (now.monoMs >= this.#journalDueMs) {
      this.#journalDueMs = now.monoMs + JOURNAL_MS;
      this.#options.journal?.flush();
    }
    this.#notices.flush(now.monoMs);
    const isMeasuring = this.#devices.some((device) => device.isSampling && !device.isOver);
    if (this.#state === 'running' && !isMeasuring) this.#finish(now);
    if (now.monoMs >= this.#display.dueMs) this.#show(now.monoMs);
  }

  #show(nowMs: number): void {
    const { url, durationMs } = this.#options;
    const progress = { url, durationMs, state: this.#state, elapsedMs: nowMs - this.#startMs };
    this.#display.show(viewOf(this.#devices, this.#tally, nowMs), progress, nowMs);
  }

  #nextDueMs(now: Now): number {
    const wallAheadUs = now.wallUs - now.monoMs * 1000;
    let dueMs = Math.min(this.#deadlineMs, now.monoMs + IDLE_MS);
    for (const device of this.#devices) dueMs = Math.min(dueMs, device.dueMs(wallAheadUs));
    return dueMs;
  }

  #wakeAt(dueMs: number, nowMs: number): void {
    if (this.#timer) clearTimeout(this.#timer);
    const delay = Math.max(TURN_MS, Math.ceil(dueMs - nowMs));
    this.#timerAtMs = nowMs + delay;
    this.#timer = setTimeout(() => this.#turn(), delay);
  }

  #end(): void {
    const nowMs = this.#clock.now().monoMs;
    const view = viewOf(this.#devices, this.#tally, nowMs);
    if (this.#timer) clearTimeout(this.#timer);
    this.#timerAtMs = Number.NEGATIVE_INFINITY;
    for (const device of this.#devices) if (!device.isOver) device.step({ kind: 'leave' });
    this.#notices.end();
    this.#display.clear();
    this.#options.journal?.close();
    const isGood = view.unacked === 0 && view.stopped === 0;
    this.#onDone?.({ view, elapsedMs: nowMs - this.#startMs, isGood });
    this.#onDone = null;
  }
}

const credentialsOf =
  (mint: TokenMint | null) =>
  (subject: string): Promise<string> =>
    mint?.mint({
      subject,
      isPublisher: true,
      reads: [],
      isMetricsReader: false,
      lifetimeS: TOKEN_S,
    }) ?? Promise.resolve(subject);
