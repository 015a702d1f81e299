import type { Now } from '../model/time.ts';
import { type Decoded, decodeCbor } from '../wire/decode.ts';
import { encode } from '../wire/encode.ts';
import { jsonToCbor } from '../wire/json.ts';
import type {
  Away,
  ClientMessage,
  Flow,
  FlowEntry,
  Message,
  Reject,
  Welcome,
} from '../wire/messages.ts';
import { shiftTimes } from './clock-shift.ts';
import type { DeviceEffect, DropReason } from './device-io.ts';
import type { DeviceMemory } from './device-memory.ts';
import { Drain } from './drain.ts';
import type { LaneQueue } from './lane-queue.ts';
import { broken, type Over, over } from './over.ts';
import { Pinger } from './pinger.ts';
import type { Prober } from './prober.ts';
import { HEAD_BYTES_MAX, Pump } from './pump.ts';
import type { Ending } from './reconnect-policy.ts';
import { Terms } from './terms.ts';

/** When to look again whether the socket's buffer has emptied. Units: ms. */
const THROTTLE_MS = 10;

/** What `hello` says of this attempt. */
export interface Greeting {
  /** Redirects followed so far. */
  readonly hops: number;
  /** The credential, for clients that cannot set headers. */
  readonly token?: string | undefined;
}

/** Our memory is older than what the server has made safe. Source: [R4.2-1]. */
const BEHIND = over(4007, 'the server has acked numbers that this device has not used yet', 1000);
const SILENT = over(1006, 'the server has gone silent', 1000);
const DONE: Over = { ...over(1000, 'done', 1000), kind: 'done' };

/**
 * One open WebSocket as the device sees it, from `hello` to the end.
 * Guarantee: after a method has returned an `Over`, nothing more is asked of this connection.
 */
export class Connection {
  /** NaN until `welcome`. */
  welcomedMs = Number.NaN;
  readonly #memory: DeviceMemory;
  readonly #pump: Pump;
  readonly #pinger: Pinger;
  readonly #terms = new Terms();
  #drain: Drain | null = null;
  #throttledToMs = Number.POSITIVE_INFINITY;

  constructor(memory: DeviceMemory, nowMs: number) {
    this.#memory = memory;
    this.#pump = new Pump(memory.options.codec, memory.ring, memory.sets);
    this.#pinger = new Pinger(memory, nowMs);
  }

  get isLive(): boolean {
    return !Number.isNaN(this.welcomedMs);
  }

  get #prober(): Prober {
    return this.#pinger.prober;
  }

  /** Says `hello`. Source: PROTOCOL §4.1. */
  greet(effects: DeviceEffect[], hello: Greeting, now: Now): void {
    const { hops, token } = hello;
    const { options, ring, epoch, hasClock } = this.#memory;
    this.#send(effects, {
      k: 'hello',
      ep: epoch ?? undefined,
      ch: ring.lanes.map((queue) => [queue.lane, 1, epoch === null ? 1 : queue.first] as const),
      now: hasClock ? now.wallUs : undefined,
      hb: options.heartbeatMs,
      tok: token,
      ua: options.ua,
      hop: hops === 0 ? undefined : hops,
    });
  }

  /** Takes a message from the server. */
  read(effects: DeviceEffect[], bytes: Uint8Array, isText: boolean, now: Now): Over | null {
    this.#prober.heard(now.monoMs);
    const isJson = this.#memory.options.codec === 'json';
    if (isText !== isJson) return broken(1003, 'a message of the wrong opcode');
    const decoded = isJson ? decodeJson(bytes) : decodeCbor(bytes, 'server');
    if ('breach' in decoded) return broken(decoded.breach.code, decoded.breach.message);
    return this.#obey(effects, decoded.message, now);
  }

  /** Does what time and the ring ask for: frames, pings, going away. */
  work(effects: DeviceEffect[], now: Now, unflushedBytes: number): Over | null {
    const nowMs = now.monoMs;
    if (nowMs >= this.#prober.deadAtMs) return SILENT;
    if (!this.isLive) return null;
    if (this.#drain?.isQuiet(nowMs)) return this.#leaveIfDrained(this.#drain, nowMs);
    this.#pumpFrames(effects, nowMs, unflushedBytes);
    if (this.#isDone()) return DONE;
    if (nowMs >= this.#pinger.dueMs) this.#send(effects, this.#pinger.ping(now));
    return null;
  }

  /** When `work` should be called at the latest, if nothing else happens. */
  wakeAtMs(nowMs: number): number {
    const { deadAtMs } = this.#prober;
    if (!this.isLive) return deadAtMs;
    const drain = this.#drain;
    if (drain?.isQuiet(nowMs)) return Math.min(deadAtMs, drain.deadlineMs);
    const quietAtMs = drain?.quietAtMs ?? Number.POSITIVE_INFINITY;
    return Math.min(deadAtMs, this.#throttledToMs, this.#pinger.dueMs, quietAtMs);
  }

  /** The peer, or the network, closed the connection. */
  closed(ending: Ending, nowMs: number): Over {
    const drain = this.#drain;
    if (ending.code !== drain?.ending.code) return { kind: 'lost', ending, closeCode: null };
    const kind = drain.isQuiet(nowMs) ? 'drained' : 'lost';
    return { kind, ending: drain.ending, closeCode: null, to: drain.to };
  }

  #obey(effects: DeviceEffect[], message: Message, now: Now): Over | null {
    switch (message.k) {
      case 'away':
        return this.#away(effects, message, now.monoMs);
      case 'welcome':
        return this.isLive
          ? broken(4001, 'a second welcome')
          : this.#welcome(effects, message, now);
      case 'flow':
        return this.isLive ? this.#flow(effects, message) : broken(4001, 'flow before welcome');
      case 'reject':
        this.#reject(effects, message);
        return null;
      default:
        // What is meant for a dashboard does not concern a device.
        return null;
    }
  }

  #welcome(effects: DeviceEffect[], message: Welcome, now: Now): Over | null {
    const { f = [], ch = [], ep } = message;
    const { ring, backfill, absence } = this.#memory;
    if (ep === undefined) return broken(4000, 'welcome without ep');
    if (this.#isBehind(f)) return BEHIND;
    this.#memory.epoch = ep;
    this.welcomedMs = now.monoMs;
    this.#prober.agree(message.hb);
    this.#terms.begin(message);
    effects.push({ kind: 'welcomed', epoch: ep, dur: this.#terms.dur });
    if (!this.#memory.hasClock) this.#setClock(effects, message.now - now.wallUs);
    if (this.#terms.isUnusual) effects.push(this.#terms.effect);
    for (const [lane, , mf] of ch) ring.lane(lane)?.restart(mf);
    for (const queue of ring.lanes) queue.isOffered = queue.isGranted;
    for (const entry of f) this.#credit(effects, entry);
    if (!backfill.queue) backfill.giveBackToLive(effects);
    else if (absence.isLong(now.monoMs)) backfill.takeFromLive(effects);
    absence.ended();
    for (const queue of ring.lanes) this.#fit(effects, queue);
    return null;
  }

  /** Half a round trip late, which is as near as a welcome can tell it. [R4.3-6] */
  #setClock(effects: DeviceEffect[], byUs: number): void {
    const { options, ring } = this.#memory;
    this.#memory.hasClock = true;
    shiftTimes(options.codec, ring, byUs);
    effects.push({ kind: 'clockSet', byUs });
  }

  /** Drops what this node will not take, before anything is sent. Source: [R5.3-3]. */
  #fit(effects: DeviceEffect[], queue: LaneQueue): void {
    const sure = queue.mf - HEAD_BYTES_MAX[this.#memory.options.codec];
    for (const frame of queue.all()) {
      if (!queue.isGranted) drop(effects, queue, frame.n, 'lane not granted');
      else if (frame.blocks.length > sure && this.#pump.lengthOf(frame) > queue.mf) {
        drop(effects, queue, frame.n, 'too long');
      }
    }
  }

  #flow(effects: DeviceEffect[], message: Flow): Over | null {
    if (this.#isBehind(message.f)) return BEHIND;
    if (this.#terms.update(message)) effects.push(this.#terms.effect);
    for (const entry of message.f) this.#credit(effects, entry);
    if (message.echo !== undefined && this.#prober.answered(message.echo)) {
      this.#memory.mark.answered();
    }
    return null;
  }

  /** True if our memory is older than what the server has made safe. Source: [R4.2-1]. */
  #isBehind(entries: readonly FlowEntry[]): boolean {
    const { ring } = this.#memory;
    return entries.some(([c, ack]) => ack >= (ring.lane(c)?.next ?? Number.POSITIVE_INFINITY));
  }

  #credit(effects: DeviceEffect[], [lane, ack, lim]: FlowEntry): void {
    const { ring, epoch } = this.#memory;
    const queue = ring.lane(lane);
    if (!queue?.isGranted || epoch === null) return;
    const freed = queue.free(ack);
    queue.lim = Math.max(queue.lim, lim);
    effects.push({ kind: 'acked', lane, epoch, ack: queue.ack, dur: this.#terms.dur, freed });
  }

  #reject(effects: DeviceEffect[], { c, n, e, m }: Reject): void {
    const frame = this.#memory.ring.lane(c)?.reject(n);
    if (frame) effects.push({ kind: 'rejected', frame, code: e, message: m ?? '' });
  }

  #away(effects: DeviceEffect[], message: Away, nowMs: number): Over | null {
    const { c, n, e, w, dl, to } = message;
    const isPoison = c !== undefined && n !== undefined;
    const queue = isPoison ? this.#memory.ring.lane(c) : undefined;
    if (queue && n !== undefined) drop(effects, queue, n, 'named by away');
    const ending = { code: e, status: 0, waitMs: w, isPoison, message: message.m ?? '' };
    if (!dl || !this.isLive) return { kind: 'lost', ending, closeCode: 1000, to };
    this.#drain ??= new Drain({ ending, to, dl }, nowMs, this.#memory.options.random);
    return null;
  }

  #leaveIfDrained(drain: Drain, nowMs: number): Over | null {
    const isWaiting = this.#memory.ring.lanes.some((queue) => queue.inFlight > 0);
    if (isWaiting && nowMs < drain.deadlineMs) return null;
    return { kind: 'drained', ending: drain.ending, closeCode: 1000, to: drain.to };
  }

  #pumpFrames(effects: DeviceEffect[], nowMs: number, unflushedBytes: number): void {
    const before = effects.length;
    const sender = { epoch: this.#memory.epoch as number, nowMs, unflushedBytes };
    const pumped = this.#pump.run(effects, sender);
    this.#pinger.note(pumped, effects.length > before, nowMs);
    this.#throttledToMs = pumped.isThrottled ? nowMs + THROTTLE_MS : Number.POSITIVE_INFINITY;
  }

  /** Everything is acked, and the last watermarks have arrived. */
  #isDone(): boolean {
    const { mark, ring } = this.#memory;
    return mark.isFinishing && mark.isTold && ring.count === 0;
  }

  #send(effects: DeviceEffect[], message: ClientMessage): void {
    effects.push({ kind: 'send', bytes: encode(this.#memory.options.codec, message) });
  }
}

function drop(effects: DeviceEffect[], queue: LaneQueue, n: number, reason: DropReason): void {
  const frame = queue.drop(n);
  if (frame) effects.push({ kind: 'dropped', frame, readings: frame.readings, reason });
}

/** The server's JSON takes the same path as CBOR: one decoder, one set of checks. */
function decodeJson(text: Uint8Array): Decoded {
  const transcoded = jsonToCbor(text, 'server');
  return 'bytes' in transcoded ? decodeCbor(transcoded.bytes, 'server') : transcoded;
}
