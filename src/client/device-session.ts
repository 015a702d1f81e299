import { COST_PER_MESSAGE } from '../model/limits.ts';
import { NEVER } from '../model/machine.ts';
import { LANE } from '../model/reading.ts';
import { type MonoMs, monoMs, type Now, wallUs } from '../model/time.ts';
import type { DeviceBlock } from '../wire/messages.ts';
import { Connection } from './connection.ts';
import type { DeviceEffect, DeviceInput, DeviceOptions, DeviceSet } from './device-io.ts';
import { DeviceMemory } from './device-memory.ts';
import { dropped, Former } from './former.ts';
import type { LaneQueue } from './lane-queue.ts';
import type { Over } from './over.ts';
import { HEAD_BYTES_MAX } from './pump.ts';
import { type Ending, ReconnectPolicy } from './reconnect-policy.ts';
import { HOPS_MAX, mayFollow } from './redirect.ts';
import type { Ring } from './ring.ts';
import type { RingImage } from './ring-image.ts';
import type { SetShape } from './set-book.ts';
import { Thinner } from './thinner.ts';

/** Where a device session stands. */
export type Phase =
  /** Waits until it may connect. */
  | 'offline'
  | 'connecting'
  /** Said `hello`, waits for `welcome`. */
  | 'greeting'
  | 'live'
  /** Finished, left, or stopped by policy A. */
  | 'ended';

/** For less credit than that no frame is cut short. Units: bytes. */
const LEAST_ROOM = 512;
/** A session is healthy after this. Units: ms. Source: [R10.3-4]. */
const HEALTHY_MS = 60_000;

/**
 * The device's side of the protocol on lanes 0 to 2, across connections: epochs and resume,
 * numbers and holes, credit, liveness, and when and where to connect again.
 *
 * Guarantee: every frame formed is sent until it is acked or refused, or is declared lost and
 * reported as dropped; on every lane sent ≤ lim. No I/O, clock or randomness inside; never throws
 * for anything a server can send. Source: PROTOCOL §4–§8, §10, App. B.
 */
export class DeviceSession {
  /** When the session wants a tick at the latest. */
  wakeAtMs: MonoMs = monoMs(0);
  readonly #memory: DeviceMemory;
  readonly #thinner: Thinner;
  readonly #former: Former;
  readonly #policy: ReconnectPolicy;
  #phase: 'offline' | 'connecting' | 'open' | 'ended' = 'offline';
  #connection: Connection | null = null;
  #connectAtMs = 0;
  #target: { readonly url: string; readonly hops: number };
  #effects: DeviceEffect[] = [];

  constructor(options: DeviceOptions) {
    this.#memory = new DeviceMemory(options);
    this.#target = { url: options.url, hops: 0 };
    const { codec, whenFull = 'drop-oldest', keepsBlocks = false } = options;
    this.#thinner = new Thinner(codec, this.ring);
    this.#former = new Former({ codec, whenFull, keepsBlocks }, this.ring, this.#thinner);
    this.#policy = new ReconnectPolicy({
      random: options.random,
      isUnattended: options.isUnattended === true,
      canRenew: options.canRenew === true,
    });
  }

  get phase(): Phase {
    if (this.#phase !== 'open') return this.#phase;
    return this.#connection?.isLive ? 'live' : 'greeting';
  }

  /** What is retained; for looking at, not for changing. */
  get ring(): Ring {
    return this.#memory.ring;
  }

  /** What may still be sent at once, over all lanes. Units: bytes of cost. */
  get credit(): number {
    return this.ring.lanes.reduce((sum, queue) => sum + queue.lim - queue.sent, 0);
  }

  /** Of so many rows one is kept, by the policy `thin`; 1: all are. */
  get thinning(): number {
    return this.#thinner.k;
  }

  /** The number of a set that is measured from now on; the same set has one number. */
  define(shape: SetShape): number {
    return this.#memory.sets.define(shape);
  }

  /** What would have to be restored if the process ended now. */
  get image(): RingImage {
    return this.#memory.image;
  }

  /** A set by its number. */
  setOf(s: number): DeviceSet | undefined {
    return this.#memory.sets.get(s);
  }

  /** Frames of lane 0 or 1 wait for credit. */
  get isBlocked(): boolean {
    return !Number.isNaN(this.#memory.blocked.sinceMs);
  }

  /**
   * How long the blocks of the next frame of a lane may be: a largest frame, or what credit is left
   * for, if there is some. Units: bytes. Source: [R5.3-1].
   */
  roomFor(lane: number): number {
    const queue = this.ring.lane(lane);
    if (!queue) return 0;
    const head = HEAD_BYTES_MAX[this.#memory.options.codec];
    const credit = queue.lim - queue.sent - queue.backlog - COST_PER_MESSAGE;
    return (credit > LEAST_ROOM ? Math.min(queue.mf, credit) : queue.mf) - head;
  }

  /** What this lane may still add to the ring before the policy has to act. Units: bytes. */
  roomIn(lane: number): number {
    return this.#former.roomIn(lane);
  }

  /** How long frames waited for credit, in all. Units: ms. */
  blockedMs(nowMs: number): number {
    return this.#memory.blocked.totalMs(nowMs);
  }

  /** Takes one input. `unflushedBytes`: what the socket has not handed to the network yet. */
  step(input: DeviceInput, now: Now, unflushedBytes = 0): readonly DeviceEffect[] {
    this.#effects = [];
    if (this.phase !== 'live') this.#memory.absence.goesOn(now.monoMs);
    this.#take(input, now);
    const set = this.#effects.find((effect) => effect.kind === 'clockSet');
    const wall = set ? wallUs(now.wallUs + set.byUs) : now.wallUs;
    this.#work({ ...now, wallUs: wall }, unflushedBytes);
    this.wakeAtMs = this.#nextWake(now.monoMs);
    return this.#effects;
  }

  #take(input: DeviceInput, now: Now): void {
    switch (input.kind) {
      case 'tick':
        return;
      case 'form':
        return this.#form(input, now);
      case 'opened':
        return this.#open(input.token, now);
      case 'message':
        return this.#read(input, now);
      case 'closed':
        return this.#closed(input.ending, now);
      case 'finish':
        return this.#memory.mark.set(input.watermarks);
      case 'leave':
        return this.#leave();
    }
  }

  #form(input: Extract<DeviceInput, { kind: 'form' }>, now: Now): void {
    const { lane, blocks, isTaken = false } = input;
    const late = lane === LANE.live ? this.#lateBlocks(blocks, now) : null;
    const queue = late ? this.#memory.backfill.queue : this.ring.lane(lane);
    if (this.#phase === 'ended') this.#effects.push(dropped(blocks, 'session over'));
    else if (!queue || !this.#mayHold(queue)) {
      this.#effects.push(dropped(blocks, 'lane not granted'));
    } else this.#former.form(this.#effects, queue, late ?? blocks, isTaken);
  }

  #mayHold(queue: LaneQueue): boolean {
    return this.phase !== 'live' || queue.isGranted;
  }

  /** The blocks as they go on lane 2, if there has been no session for too long. [R5.3-5] */
  #lateBlocks(blocks: readonly DeviceBlock[], now: Now): readonly DeviceBlock[] | null {
    const { absence, backfill } = this.#memory;
    if (!absence.isLong(now.monoMs) || !backfill.queue) return null;
    backfill.takeFromLive(this.#effects);
    return backfill.translated(blocks);
  }

  #open(token: string | undefined, now: Now): void {
    if (this.#phase !== 'connecting') return;
    this.#phase = 'open';
    this.#connection = new Connection(this.#memory, now.monoMs);
    this.#connection.greet(this.#effects, { hops: this.#target.hops, token }, now);
  }

  #read({ bytes, isText }: Extract<DeviceInput, { kind: 'message' }>, now: Now): void {
    const connection = this.#connection;
    if (!connection) return;
    const wasLive = connection.isLive;
    const over = connection.read(this.#effects, bytes, isText, now);
    if (connection.isLive && !wasLive) this.#policy.welcomed();
    if (over) this.#over(over, now);
  }

  #closed(ending: Ending, now: Now): void {
    if (this.#connection) this.#over(this.#connection.closed(ending, now.monoMs), now);
    else if (this.#phase === 'connecting')
      this.#over({ kind: 'lost', ending, closeCode: null }, now);
  }

  #leave(): void {
    if (this.#phase === 'open' || this.#phase === 'connecting') {
      this.#effects.push({ kind: 'close', code: 1000 });
    }
    this.#phase = 'ended';
    this.#connection = null;
  }

  #work(now: Now, unflushedBytes: number): void {
    const over = this.#connection?.work(this.#effects, now, unflushedBytes);
    if (over) this.#over(over, now);
    if (this.#phase === 'ended' || this.#phase === 'open') return;
    if (this.#memory.mark.isFinishing && this.#hasNothingToSay()) this.#finish();
    else if (this.#phase === 'offline' && now.monoMs >= this.#connectAtMs) {
      this.#phase = 'connecting';
      this.#effects.push({ kind: 'connect', url: this.#target.url });
    }
  }

  #hasNothingToSay(): boolean {
    return this.ring.count === 0 && this.#memory.mark.isTold;
  }

  #finish(): void {
    if (this.#phase === 'connecting') this.#effects.push({ kind: 'close', code: 1000 });
    this.#phase = 'ended';
    this.#effects.push({ kind: 'finished' });
  }

  /** This connection is over: decides whether, when, where and in which epoch the next one begins. */
  #over(over: Over, now: Now): void {
    const { ending, closeCode, kind } = over;
    const welcomedMs = this.#connection?.welcomedMs ?? Number.NaN;
    if (closeCode !== null) this.#effects.push({ kind: 'close', code: closeCode });
    if (now.monoMs - welcomedMs >= HEALTHY_MS) this.#policy.healthy();
    this.#hangUp(now.monoMs);
    if (kind === 'done') return this.#finish();
    const hops = Number.isNaN(welcomedMs) ? this.#target.hops : 0;
    const isLost = over.to !== undefined && hops >= HOPS_MAX;
    this.#aim(isLost ? undefined : over.to, hops);
    if (kind === 'drained') return this.#retry(ending, 0, now.monoMs);
    const judged = isLost ? { ...ending, code: 0 } : ending;
    const verdict = this.#policy.next(judged, now.monoMs, this.#memory.epoch !== null);
    if (verdict.isNewEpoch) this.#startEpoch();
    this.#retry(ending, verdict.waitMs, now.monoMs);
  }

  #hangUp(nowMs: number): void {
    const { ring, blocked, mark, absence } = this.#memory;
    absence.goesOn(nowMs);
    this.#connection = null;
    this.#phase = 'offline';
    mark.disconnected();
    blocked.note(false, false, nowMs);
    for (const queue of ring.lanes) queue.disconnect();
  }

  /** A redirect holds for one connection. Source: [R10.2-3], [R10.2-4]. */
  #aim(to: string | undefined, hops: number): void {
    const { url, trustedHosts } = this.#memory.options;
    const isFollowed = to !== undefined && mayFollow(to, url, trustedHosts ?? []);
    this.#target = isFollowed ? { url: to, hops: hops + 1 } : { url, hops: 0 };
  }

  #startEpoch(): void {
    this.#memory.epoch = null;
    for (const queue of this.ring.lanes) queue.renumber();
    this.#effects.push({ kind: 'renumbered' });
  }

  #retry(ending: Ending, waitMs: number, nowMs: number): void {
    this.#connectAtMs = nowMs + waitMs;
    if (Number.isFinite(waitMs)) {
      this.#effects.push({ kind: 'waiting', ending, waitMs });
      return;
    }
    this.#phase = 'ended';
    this.#effects.push({ kind: 'stopped', ending });
  }

  #nextWake(nowMs: number): MonoMs {
    if (this.#connection) return monoMs(this.#connection.wakeAtMs(nowMs));
    return this.#phase === 'offline' ? monoMs(this.#connectAtMs) : NEVER;
  }
}
