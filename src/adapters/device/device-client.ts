import type { DeviceEffect, DeviceInput } from '../../client/device-io.ts';
import { DeviceSession } from '../../client/device-session.ts';
import type { RingFrame } from '../../client/ring-frame.ts';
import { LANE } from '../../model/reading.ts';
import { type Now, wallUs } from '../../model/time.ts';
import type { Scalar } from '../../wire/messages.ts';
import { Clock } from '../host/clock.ts';
import {
  type DeviceOptions,
  ringRefusal,
  seriesOf,
  sessionOptionsOf,
  tokenOf,
} from './client-options.ts';
import type { DeviceEvent } from './device-event.ts';
import { DeviceSocket, type OpenWebSocket } from './device-socket.ts';
import { type DeviceEndedError, endedBy } from './ended-error.ts';
import { EventFeed } from './event-feed.ts';
import { Flushes } from './flushes.ts';
import { bytesOf, Intake, type ReadyBlocks } from './intake.ts';
import { checkOptions } from './option-check.ts';
import { Room } from './room.ts';
import { Teller } from './teller.ts';

export type { DeviceOptions, SeriesOptions } from './client-options.ts';
export type { DeviceEvent, LaneName, WaitReason } from './device-event.ts';
export type { OpenWebSocket, WebSocketLike } from './device-socket.ts';
export type { DeviceEndedError } from './ended-error.ts';
export type { RingStore, StoredRing } from './ring-store.ts';

/** `close` waits so long for the last acks. Units: ms. */
const CLOSE_MS = 10_000;
/** A timer longer than this would fire at once. Units: ms. */
const TIMER_MS_MAX = 2_000_000_000;
/** A device without a clock counts from here until it knows better: the same width on the wire. */
const NO_CLOCK_US = 1_000_000_000_000_000;

const openWebSocket: OpenWebSocket = (url, protocol) =>
  new WebSocket(url, protocol) as unknown as ReturnType<OpenWebSocket>;

/**
 * A device: takes readings, keeps them until they are safe, and brings them home across outages.
 * Bounds: `ringBytes`, one largest frame per lane that waits for its rows, 1000 events.
 * Guarantee: every reading that `write` took is acked, refused by the gateway, or told as dropped
 * or thinned; acked readings are in the log exactly once for readers that apply PROTOCOL §6.6.
 */
export class DeviceClient {
  readonly #options: DeviceOptions;
  readonly #session: DeviceSession;
  readonly #intake: Intake;
  readonly #socket: DeviceSocket;
  readonly #teller: Teller;
  readonly #clock = new Clock();
  readonly #feed = new EventFeed();
  readonly #flushes = new Flushes();
  readonly #room: Room;
  /** A device without a clock: what it counts is so much behind. Units: µs. */
  #aheadUs = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #storageError: string | null = null;
  #ended: DeviceEndedError | null = null;
  #hasEnded = false;
  /** Nothing was left unsafe when the device ended. */
  #hasEndedSafely = false;
  #onClosed: (() => void)[] = [];

  /** Use `connectDevice`. */
  constructor(options: DeviceOptions) {
    checkOptions(options);
    const table = seriesOf(options);
    const { codec = 'cbor' } = options;
    this.#options = options;
    this.#session = new DeviceSession(sessionOptionsOf(options, table));
    this.#intake = new Intake(table, this.#session, options.latencyMs);
    this.#teller = new Teller(this.#session);
    this.#room = new Room(this.#session, codec, (event) => this.#feed.tell(event));
    const parts = {
      codec,
      openWebSocket: options.openWebSocket ?? openWebSocket,
      tokenOf: () => tokenOf(options),
      refusalOf: (token: string | undefined) => ringRefusal(options, token),
    };
    this.#socket = new DeviceSocket(parts, (input) => this.#step(input));
    // Whoever called comes to listen first.
    queueMicrotask(() => this.#step({ kind: 'tick' }));
  }

  /** Readings that are retained or wait to be formed are not safe yet. */
  get isAllSafe(): boolean {
    return this.#session.ring.count === 0 && this.#intake.isEmpty;
  }

  /** `live`, or why not. */
  get phase(): DeviceSession['phase'] {
    return this.#session.phase;
  }

  /**
   * Takes the values of some series (null: no reading) at one time (absent: now; a number counts ms
   * since 1970, and fractions count). False: nothing was taken, because the device has ended, or
   * because there is no room and the policy is `block`; `ready` waits, or says why there is nothing
   * to wait for. Throws for what is none of this device's series.
   */
  write(values: Readonly<Record<string, Scalar>>, time?: Date | number): boolean {
    const now = this.#now();
    if (time !== undefined && this.#options.clock === 'server') {
      throw new TypeError('a device with the clock of the server measures now');
    }
    const timeUs = time === undefined ? now.wallUs : Math.round(Number(time) * 1000);
    this.#intake.check(values, timeUs);
    // A caller that never lets go of the thread keeps the timer from firing.
    if (this.#intake.dueMs <= now.monoMs) this.#formAll();
    if (this.#ended) return false;
    const lanes = this.#intake.lanesOf(values);
    const hasBulk = lanes.some((lane) => lane !== LANE.critical);
    if (hasBulk && !this.#hasRoomFor(values)) return false;
    if (lanes[0] === LANE.critical && !this.#writeAlarms(values, timeUs)) return false;
    if (hasBulk) {
      for (const ready of this.#intake.add(values, timeUs, now.monoMs)) this.#form(ready);
      this.#arm();
    }
    return true;
  }

  /**
   * Resolves when `write` takes readings; at once, unless it has just returned false. Rejects with a
   * `DeviceEndedError` that says why, when the device has ended or ends meanwhile.
   */
  ready(): Promise<void> {
    if (this.#ended) return Promise.reject(this.#ended);
    return this.#room.ready();
  }

  /** Tells every event from now on; returns how to stop that. */
  on(listener: (event: DeviceEvent) => void): () => void {
    return this.#feed.on(listener);
  }

  /** The events from now on, until the device has ended. */
  events(): AsyncGenerator<DeviceEvent, void, void> {
    return this.#feed.events();
  }

  /**
   * Resolves when everything written so far has met its end: it is safe, refused or dropped. Rejects
   * with a `DeviceEndedError` where the device ends before that, or has.
   */
  async flush(): Promise<void> {
    if (this.#ended && this.#hasEndedSafely) return;
    if (this.#ended) throw this.#ended;
    this.#formAll();
    await this.#flushes.wait(this.#retained);
  }

  /** Sends what is left, waits for the acks, at most `timeoutMs`, and ends the device. */
  async close(timeoutMs = CLOSE_MS): Promise<void> {
    if (this.phase === 'ended') return;
    this.#formAll();
    const isClosed = new Promise<void>((resolve) => this.#onClosed.push(resolve));
    const timer = setTimeout(() => this.#step({ kind: 'leave' }), timeoutMs);
    this.#step({ kind: 'finish', watermarks: this.#watermarks });
    await isClosed;
    clearTimeout(timer);
  }

  /** Nothing older comes on any lane: windows up to here may be final. */
  get #watermarks(): readonly (readonly [number, number])[] {
    const { newest } = this.#intake;
    const live = newest.get(LANE.live);
    const hasBackfill = live !== undefined && this.#session.ring.lane(LANE.backfill);
    const late = hasBackfill ? [[LANE.backfill, live] as const] : [];
    return [...late, ...newest].map(([lane, t]) => [lane, t + 1] as const);
  }

  get #retained(): readonly RingFrame[] {
    return this.#session.ring.lanes.flatMap((queue) => queue.all());
  }

  #now(): Now {
    const { monoMs, wallUs: wall } = this.#clock.now();
    if (this.#options.clock !== 'server') return { monoMs, wallUs: wall };
    return { monoMs, wallUs: wallUs(NO_CLOCK_US + Math.floor(monoMs * 1000) + this.#aheadUs) };
  }

  /** False if there is no room for them. */
  #writeAlarms(values: Readonly<Record<string, Scalar>>, timeUs: number): boolean {
    const blocks = this.#intake.alarms(values, timeUs);
    const effects = this.#step({ kind: 'form', lane: LANE.critical, blocks });
    if (effects.every(({ kind }) => kind !== 'refused')) return true;
    // So that what was taken is in the ring wherever `write` says no.
    this.#formAll();
    this.#room.refuse(LANE.critical, bytesOf(values, 1));
    return false;
  }

  /** By the policy `block` nothing is taken that the ring may not hold. */
  #hasRoomFor(values: Readonly<Record<string, Scalar>>): boolean {
    if (this.#options.whenFull !== 'block') return true;
    if (this.#room.fits(this.#intake.bytesWith(values))) return true;
    // Nothing comes to share the frame of what waits; and what it takes is known once it is formed.
    this.#formAll();
    const bytes = this.#intake.bytesWith(values);
    if (this.#session.ring.count === 0 || this.#room.fits(bytes)) return true;
    this.#room.refuse(LANE.live, bytes);
    return false;
  }

  #formAll(): void {
    for (const ready of this.#intake.take()) this.#form(ready);
  }

  /** `write` said yes to these, so that they are retained in any case. */
  #form(ready: ReadyBlocks): void {
    this.#step({ ...ready, kind: 'form', isTaken: true });
  }

  #step(input: DeviceInput): readonly DeviceEffect[] {
    const effects = this.#perform(input);
    if (!this.#ended) this.#room.look();
    // The newest readings need not wait for others while backfill is asked for.
    if (effects.some(({ kind }) => kind === 'welcomed')) this.#formAll();
    this.#arm();
    return effects;
  }

  /** Gives the session an input, stores what changed, and only then does what the session wants. */
  #perform(input: DeviceInput): readonly DeviceEffect[] {
    const now = this.#now();
    const effects = this.#session.step(input, now, this.#socket.unflushedBytes);
    if (this.phase === 'ended') this.#ended ??= endedBy(effects);
    this.#store(effects);
    for (const effect of effects) this.#carryOut(effect);
    this.#flushes.note(effects);
    for (const event of this.#teller.eventsOf(effects, now.monoMs)) this.#feed.tell(event);
    if (this.#ended) this.#end(this.#ended);
    return effects;
  }

  #store(effects: readonly DeviceEffect[]): void {
    const error = this.#options.store?.note(effects, this.#session) ?? null;
    if (error === this.#storageError) return;
    this.#storageError = error;
    this.#feed.tell({ kind: 'storage', error });
  }

  #carryOut(effect: DeviceEffect): void {
    if (effect.kind === 'send' || effect.kind === 'sendFrame') this.#socket.send(effect.bytes);
    else if (effect.kind === 'connect') this.#socket.connect(effect.url);
    else if (effect.kind === 'close') this.#socket.close(effect.code);
    else if (effect.kind === 'terms') this.#intake.lingerMs = effect.lingerMs;
    else if (effect.kind === 'welcomed') this.#intake.lingerMs = undefined;
    else if (effect.kind === 'clockSet') {
      this.#aheadUs += effect.byUs;
      this.#intake.shift(effect.byUs);
    }
  }

  #end(why: DeviceEndedError): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#hasEndedSafely = this.isAllSafe;
    clearTimeout(this.#timer);
    // They are told as dropped: nothing that was taken disappears without a word.
    this.#formAll();
    const unackedReadings = this.#retained.reduce((sum, { readings }) => sum + readings, 0);
    this.#flushes.fail(why);
    this.#room.fail(why);
    this.#options.store?.close();
    this.#feed.tell({ kind: 'closed', unackedReadings });
    this.#feed.end();
    for (const resolve of this.#onClosed.splice(0)) resolve();
  }

  /** One timer, for whatever is due first. */
  #arm(): void {
    clearTimeout(this.#timer);
    if (this.phase === 'ended') return;
    const nowMs = this.#clock.now().monoMs;
    const dueMs = Math.min(this.#session.wakeAtMs, this.#intake.dueMs);
    const delayMs = Math.min(TIMER_MS_MAX, Math.max(0, Math.ceil(dueMs - nowMs)));
    this.#timer = setTimeout(() => this.#turn(), delayMs);
  }

  #turn(): void {
    if (this.#intake.dueMs <= this.#clock.now().monoMs) this.#formAll();
    this.#step({ kind: 'tick' });
  }
}

/**
 * Connects a device: it goes on by itself, across outages, until it is closed. Throws a TypeError or
 * RangeError for options that are none.
 */
export const connectDevice = (options: DeviceOptions): DeviceClient => new DeviceClient(options);
