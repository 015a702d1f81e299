import type { DeviceEffect, DeviceInput } from '../../src/client/device-io.ts';
import { type Ending, ReconnectPolicy } from '../../src/client/reconnect-policy.ts';
import type { RingFrame } from '../../src/client/ring-frame.ts';
import type { Now } from '../../src/model/time.ts';
import { decodeCbor } from '../../src/wire/decode.ts';
import { encode, encodeBlocks } from '../../src/wire/encode.ts';
import type {
  Away,
  ClientMessage,
  DeviceBlock,
  FlowEntry,
  Message,
  Welcome,
} from '../../src/wire/messages.ts';
import type { Flash, Program } from './device.ts';
import type { Habits } from './habits.ts';
import { MinimalLane } from './minimal-lane.ts';
import { MinimalPump } from './minimal-pump.ts';
import type { Dice } from './random.ts';

const HEAD_BYTES_MAX = 32;
const SILENT_HEARTBEATS = 2.5;
/** Frames formed after so long without a session go to lane 2. Units: ms. [R5.3-5] */
const BACKFILL_AFTER_MS = 2000;
const BACKFILL = 2;

const STALE: Ending = { code: 4007, status: 0, message: 'the memory is older than what is acked' };
const SILENT: Ending = { code: 1006, status: 0, message: 'the server is silent' };

/**
 * PROTOCOL App. B, written from the page and from nothing else: no reject, no ping but for lane 2.
 * Its lanes may ask for QoS 0, and what it wrote to its flash survives a reboot.
 */
export class MinimalDevice implements Program {
  wakeAtMs = 0;
  readonly #habits: Habits;
  readonly #dice: Dice;
  readonly #policy: ReconnectPolicy;
  readonly #lanes: readonly MinimalLane[];
  readonly #pump: MinimalPump;
  #epoch: number | null;
  #state: 'offline' | 'connecting' | 'greeting' | 'live' | 'ended' = 'offline';
  #connectAtMs = 0;
  #leaveAtMs = Number.POSITIVE_INFINITY;
  #offlineSinceMs = 0;
  #heardMs = 0;
  #welcomedMs = 0;
  #effects: DeviceEffect[] = [];
  /** It came up with a memory that may be older than what it was told: it forms nothing yet. */
  #isUnsure: boolean;

  constructor(habits: Habits, dice: Dice, flash: Flash | null) {
    this.#habits = habits;
    this.#dice = dice;
    this.#epoch = flash?.epoch ?? null;
    this.#isUnsure = flash !== null;
    this.#lanes = habits.lanes.map((lane) => new MinimalLane(lane, flash?.next[lane] ?? 1));
    this.#pump = new MinimalPump(this.#lanes);
    const random = dice.random;
    this.#policy = new ReconnectPolicy({ random, isUnattended: false, canRenew: false });
  }

  get retained(): number {
    return this.#lanes.reduce((sum, { frames }) => sum + frames.length, 0);
  }

  /** What the firmware could write down now; null before the first epoch. */
  get flash(): Flash | null {
    if (this.#epoch === null) return null;
    const next = Object.fromEntries(this.#lanes.map((lane) => [lane.lane, lane.next]));
    return { epoch: this.#epoch, next };
  }

  /** Everything is acked, and more than `flash` knows of. */
  isStaleFor(flash: Flash): boolean {
    const isAcked = this.#lanes.every(({ ack, next }) => ack === next - 1);
    const isNewer = this.#lanes.some(({ lane, ack }) => ack >= (flash.next[lane] ?? 1));
    return this.#epoch === flash.epoch && isAcked && isNewer;
  }

  qosOf(lane: number): number {
    return this.#lane(lane)?.qos ?? 1;
  }

  step(input: DeviceInput, now: Now): readonly DeviceEffect[] {
    this.#effects = [];
    this.#take(input, now);
    this.#work(now);
    return this.#effects;
  }

  #take(input: DeviceInput, now: Now): void {
    switch (input.kind) {
      case 'form':
        return this.#form(input.lane, input.blocks, now.monoMs);
      case 'opened':
        return this.#greet(now);
      case 'message':
        return this.#read(input.bytes, now);
      case 'closed':
        return this.#over(input.ending, now.monoMs);
      case 'leave':
        if (this.#state !== 'offline') this.#effects.push({ kind: 'close', code: 1000 });
        this.#state = 'ended';
        return;
      case 'finish':
      case 'tick':
        return;
    }
  }

  #work({ monoMs: ms }: Now): void {
    const silentAtMs = this.#heardMs + SILENT_HEARTBEATS * this.#habits.heartbeatMs;
    const isOpen = this.#state === 'live' || this.#state === 'greeting';
    if (isOpen && ms >= silentAtMs) this.#hangUp(SILENT, ms);
    if (this.#state === 'live' && ms >= this.#leaveAtMs) this.#moveOn(ms);
    if (this.#state === 'live') this.#pump.run(this.#effects, this.#epoch as number, ms);
    if (this.#state === 'offline' && ms >= this.#connectAtMs) {
      this.#state = 'connecting';
      this.#effects.push({ kind: 'connect', url: '' });
    }
    this.wakeAtMs = Number.POSITIVE_INFINITY;
    if (this.#state === 'offline') this.wakeAtMs = this.#connectAtMs;
    else if (this.#state === 'live' || this.#state === 'greeting') {
      this.wakeAtMs = Math.min(silentAtMs, this.#leaveAtMs, this.#pump.pingFromMs);
      if (this.wakeAtMs <= ms) this.wakeAtMs = Math.min(silentAtMs, this.#leaveAtMs);
    }
  }

  #form(asked: number, blocks: readonly DeviceBlock[], ms: number): void {
    const isLate = this.#state !== 'live' && ms - this.#offlineSinceMs > BACKFILL_AFTER_MS;
    const backfill = this.#lane(BACKFILL);
    const late = asked === 1 && isLate && backfill?.isOffered ? backfill : undefined;
    const lane = late ?? this.#lane(asked);
    if (!lane || this.#state === 'ended' || this.#isUnsure) return;
    const source = late ? blocks.map((block) => ({ ...block, s: BACKFILL + 1 })) : blocks;
    const bytes = encodeBlocks('cbor', source);
    if (bytes.length + HEAD_BYTES_MAX > lane.mf) return;
    while (this.#bytes + bytes.length > this.#habits.ringBytesMax) if (!this.#dropUnsent()) return;
    lane.form(bytes, source);
  }

  get #bytes(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.bytes, 0);
  }

  #dropUnsent(): boolean {
    for (const lane of this.#lanes.toReversed()) {
      const frame = lane.frames.find(({ n }) => n > lane.last);
      if (frame) this.#drop(lane, frame);
      if (frame) return true;
    }
    return false;
  }

  #drop(lane: MinimalLane, frame: RingFrame): void {
    lane.drop(frame);
    const { readings } = frame;
    this.#effects.push({ kind: 'dropped', frame, readings, reason: 'ring full' });
  }

  #greet(now: Now): void {
    if (this.#state !== 'connecting') return;
    this.#state = 'greeting';
    this.#heardMs = now.monoMs;
    this.#pump.restart();
    for (const lane of this.#lanes) {
      lane.qos = lane.lane > 0 && this.#dice.chance(this.#habits.qos0Share) ? 0 : 1;
      lane.restart();
    }
    const isNew = this.#epoch === null;
    this.#say({
      k: 'hello',
      ep: this.#epoch ?? undefined,
      ch: this.#lanes.map((lane) => [lane.lane, lane.qos, isNew ? 1 : lane.first] as const),
      now: now.wallUs,
      hb: this.#habits.heartbeatMs,
    });
  }

  #read(bytes: Uint8Array, now: Now): void {
    if (this.#state !== 'greeting' && this.#state !== 'live') return;
    this.#heardMs = now.monoMs;
    const decoded = decodeCbor(bytes, 'server');
    if ('breach' in decoded) throw new Error('a gateway sent what does not decode');
    this.#obey(decoded.message, now.monoMs);
  }

  #obey(message: Message, ms: number): void {
    if (message.k === 'away') this.#away(message, ms);
    else if (message.k === 'welcome') this.#welcome(message, ms);
    else if (message.k === 'flow') this.#flow(message.f, ms);
  }

  #welcome({ ep, f = [], ch = [] }: Welcome, ms: number): void {
    this.#isUnsure = false;
    if (this.#isBehind(f)) return this.#forget(ms);
    this.#epoch = ep as number;
    this.#state = 'live';
    this.#welcomedMs = ms;
    this.#effects.push({ kind: 'welcomed', epoch: ep as number, dur: 0 });
    for (const [c, qos, mf] of ch) this.#lane(c)?.grant(qos, mf);
    this.#flow(f, ms);
    for (const lane of this.#lanes) {
      lane.isOffered = lane.isGranted;
      const most = lane.isGranted ? lane.mf : 0;
      for (const frame of [...lane.frames]) {
        if (frame.blocks.length + HEAD_BYTES_MAX > most) this.#drop(lane, frame);
      }
    }
    this.#policy.welcomed();
  }

  #flow(entries: readonly FlowEntry[], ms: number): void {
    if (this.#isBehind(entries)) return this.#forget(ms);
    for (const [c, ack, lim] of entries) {
      const lane = this.#lane(c);
      if (!lane?.isGranted) continue;
      lane.lim = Math.max(lane.lim, lim);
      const freed = lane.free(ack);
      const epoch = this.#epoch as number;
      this.#effects.push({ kind: 'acked', lane: c, epoch, ack: lane.ack, dur: 0, freed });
    }
  }

  #isBehind(entries: readonly FlowEntry[]): boolean {
    return entries.some(([c, ack]) => ack >= (this.#lane(c)?.next ?? Number.POSITIVE_INFINITY));
  }

  #forget(ms: number): void {
    this.#hangUp(STALE, ms);
  }

  #away({ c, n, e, w, dl, m = '' }: Away, ms: number): void {
    const lane = c === undefined ? undefined : this.#lane(c);
    const frame = lane?.frames.find((each) => each.n === n);
    if (lane && frame) this.#drop(lane, frame);
    const isPoison = n !== undefined;
    if (dl && this.#state === 'live') {
      this.#leaveAtMs = ms + this.#dice.between(0, Math.min(w ?? 10_000, dl));
      return;
    }
    this.#hangUp({ code: e, status: 0, waitMs: w, isPoison, message: m }, ms);
  }

  /** An `away` with time to go: it goes, and comes back at once. */
  #moveOn(ms: number): void {
    this.#effects.push({ kind: 'close', code: 1000 });
    this.#disconnect(ms);
    this.#connectAtMs = ms;
  }

  #hangUp(ending: Ending, ms: number): void {
    this.#effects.push({ kind: 'close', code: 1000 });
    this.#over(ending, ms);
  }

  #over(ending: Ending, ms: number): void {
    if (this.#state === 'ended') return;
    if (this.#state === 'live' && ms - this.#welcomedMs > 60_000) this.#policy.healthy();
    this.#disconnect(ms);
    const { waitMs, isNewEpoch } = this.#policy.next(ending, ms, this.#epoch !== null);
    if (isNewEpoch) this.#newEpoch();
    this.#connectAtMs = ms + waitMs;
    if (Number.isFinite(waitMs)) return;
    this.#state = 'ended';
    this.#effects.push({ kind: 'stopped', ending });
  }

  #disconnect(ms: number): void {
    this.#state = 'offline';
    this.#offlineSinceMs = ms;
    this.#leaveAtMs = Number.POSITIVE_INFINITY;
  }

  #newEpoch(): void {
    this.#epoch = null;
    for (const lane of this.#lanes) lane.renumber();
  }

  #lane(lane: number): MinimalLane | undefined {
    return this.#lanes.find((each) => each.lane === lane);
  }

  #say(message: ClientMessage): void {
    this.#effects.push({ kind: 'send', bytes: encode('cbor', message) });
  }
}
