import { FRAME_BYTES_MAX } from '../model/limits.ts';
import { LANE } from '../model/reading.ts';
import type { Now } from '../model/time.ts';
import { WHY, type Why } from '../model/why.ts';
import type { Channel } from './channel.ts';
import { Allocator } from './credit/allocator.ts';
import type { Memory } from './credit/memory.ts';
import { oneOf, reserveOf } from './credit/reserve.ts';
import { NONE } from './credit/rows.ts';
import type { Device } from './device.ts';
import type { Session } from './session.ts';

/** While somebody waits, limits are looked after this often; stopped, lane 0 alone. Units: ms. */
const SERVE_MS = { running: 16, stopped: 100 } as const;

/** A rate that a device may keep up on lanes 1 and 2 together, and what it may send at once. */
export interface Quota {
  /** Units: bytes of cost a second. */
  readonly bytesPerSecond: number;
  /** Units: bytes of cost. */
  readonly burstBytes: number;
}

/** What credit needs to know of its node. */
export interface CreditOptions {
  readonly budgetBytes: number;
  /** Sessions that a node takes; absent: those of which the reserves fill four fifths of the budget. */
  readonly sessions?: number | undefined;
  /** Of every device; absent: none. */
  readonly quota?: Quota | undefined;
  /** A limit of this session advanced: it has to be told. */
  readonly advanced: (session: Session, lane: number, now: Now) => void;
}

/** What lanes own of the memory that is set aside. Units: bytes of cost. */
export const reservesOf = (lanes: readonly number[]): number =>
  lanes.reduce((sum, lane) => sum + reserveOf(lane, FRAME_BYTES_MAX[lane] as number), 0);

/** Whose channel a row of the allocator is. */
interface Holder {
  readonly session: Session;
  readonly channel: Channel;
}

const seconds = (now: Now): number => now.monoMs / 1000;

/**
 * The sessions' side of the allocator: their lanes are its channels, and its limits are theirs.
 *
 * Guarantee: Σ(limit − settled), with JSON at what it may become in CBOR, and the pipeline of
 * connections that are gone stay within the budget; limits never decrease. Source: [R7-9], CREDIT.
 */
export class Credit {
  readonly #options: CreditOptions;
  readonly #allocator: Allocator;
  readonly #holders: (Holder | undefined)[] = [];
  #now: Now | null = null;
  #serveDueMs = Number.POSITIVE_INFINITY;

  constructor(options: CreditOptions) {
    this.#options = options;
    this.#allocator = new Allocator({
      budgetBytes: options.budgetBytes,
      ...(options.sessions === undefined ? {} : { sessions: options.sessions }),
      port: { limit: (row, limit) => this.#advance(row, limit) },
    });
  }

  /** When `serve` is wanted. Units: monotonic ms. */
  get wakeAtMs(): number {
    return this.#serveDueMs;
  }

  /** What waits before the log, in multiples of the target delay. */
  get delayShare(): number {
    const pipe = this.#pipe;
    return pipe.delayS / pipe.drain.targetS;
  }

  /** How long a turn of all live lanes that wait takes. Units: ms. Source: CREDIT §5.8 `ln`. */
  get roundMs(): number {
    const { lists } = this.#allocator.books;
    const one = oneOf(FRAME_BYTES_MAX[LANE.live] as number);
    return (lists.length(this.#pipe.ring1) * one * 1000) / this.#pipe.drain.perSecond;
  }

  /** Σ(limit − settled) over all lanes. Units: bytes of cost. */
  get outstanding(): number {
    let sum = 0;
    for (const holder of this.#holders) {
      if (holder) sum += holder.channel.limit - holder.channel.settled;
    }
    return sum;
  }

  /**
   * Memory that is promised: that, with JSON at what it may become, and what connections that are
   * gone have left in the pipeline. Units: bytes.
   */
  get promisedBytes(): number {
    const { rows } = this.#allocator.books;
    let sum = this.orphanedBytes;
    for (const [row, holder] of this.#holders.entries()) {
      if (!holder) continue;
      const { limit, settled } = holder.channel;
      sum += Math.max(0, limit - settled) * (rows.growth[row] as number);
    }
    return sum;
  }

  /** What connections that are gone have left in the pipeline. Units: bytes of memory. */
  get orphanedBytes(): number {
    const { memory, rows } = this.#allocator.books;
    let sum = memory.used;
    for (const [row, holder] of this.#holders.entries()) if (holder) sum -= rows.over(row);
    return sum;
  }

  /** What is promised, and what is there to be promised. */
  get memory(): Memory {
    return this.#allocator.books.memory;
  }

  /** What the lanes of a session own. Units: bytes. */
  reservedBy(session: Session): number {
    const { rows } = this.#allocator.books;
    return session.channels.reduce(
      (sum, channel) =>
        channel
          ? sum + (rows.reserve[channel.row] as number) * (rows.growth[channel.row] as number)
          : sum,
      0,
    );
  }

  /** The allocator's books, for those who show them. */
  get books(): Allocator['books'] {
    return this.#allocator.books;
  }

  /** The lanes of a session are granted; `hasReserve` false: only lane 0 owns something. */
  open(session: Session, hasReserve: boolean, now: Now): void {
    const device = session.device as Device;
    const before = device.growth;
    // What an earlier connection left in the pipeline may be larger than what this one can send.
    device.growth = device.unsettled > 0 ? Math.max(before, session.growth) : session.growth;
    this.#openQuota(device, now);
    for (const [lane, { unsettled }] of device.lanes.entries()) {
      const channel = session.channels[lane];
      if (channel) this.#openChannel(session, channel, { before, hasReserve }, now);
      else this.#allocator.regrow(unsettled, before, device.growth);
    }
  }

  /** A session is over: what it did not use is free, what is in the pipeline is once it settles. */
  close(session: Session, now: Now): void {
    for (const channel of session.channels) {
      if (!channel) continue;
      this.#allocator.close(channel.row);
      this.#holders[channel.row] = undefined;
    }
    const { device } = session;
    if (device) this.#closeQuota(device, now);
  }

  /** A frame was read. `backlog` is its `bl`; below 0: it told none. */
  frame(channel: Channel, cost: number, backlog: number, now: Now): void {
    channel.received += cost;
    if (backlog >= 0) channel.backlog = backlog;
    this.#allocator.frame(channel.row, cost, backlog, seconds(now));
  }

  /** A frame that was there already: settled at once, and it counts toward no quota. [R6.2-7] */
  duplicate(channel: Channel, cost: number): void {
    channel.settle(cost);
    this.#allocator.duplicate(channel.row, cost);
  }

  /** A frame at QoS 0 that went nowhere, for the log takes nothing: its credit comes back. */
  dropped(channel: Channel, cost: number, now: Now): void {
    this.#now = now;
    channel.settle(cost);
    this.#allocator.dropped(channel.row, cost);
  }

  /** A frame of a device settled; `channel` is the lane's present one. */
  settled(device: Device, lane: number, channel: Channel | undefined, cost: number): void {
    if (channel) {
      channel.settle(cost);
      this.#allocator.settled(channel.row, cost);
    } else this.#allocator.orphanSettled({ pipe: 0, lane, growth: device.growth }, NONE, cost);
  }

  /** A client told what it has waiting. */
  backlog(channel: Channel, bytes: number): void {
    channel.backlog = bytes;
    this.#allocator.backlog(channel.row, bytes);
  }

  /** A Pong came so long after its Ping. */
  pong(session: Session, tookMs: number): void {
    for (const channel of session.channels) {
      if (channel) this.#allocator.pong(channel.row, tookMs / 1000);
    }
  }

  /** An append is done and its frames have settled. */
  appended(isLane0: boolean, cost: number, tookMs: number, now: Now): void {
    const append = { isLane0, bytes: cost, tookS: tookMs / 1000 };
    this.#allocator.appended(0, append, seconds(now));
  }

  /** The next append of bulk should be so small, Infinity: it need not. Units: bytes of cost. */
  batchAtMost(now: Now): number {
    return this.#allocator.batchAtMost(0, seconds(now));
  }

  /** Timers of this node come so late. */
  late(lateMs: number): void {
    this.#allocator.late(0, lateMs / 1000);
  }

  /** No limit moves for this reason; none: they do. */
  turn(why: Why): void {
    if (why === WHY.none) this.#allocator.start(0);
    else this.#allocator.stop(0, why);
  }

  /** Why limits of this session do not advance: the lowest lane that waits. Source: [R3.4-4]. */
  whyOf(session: Session): Why {
    for (const channel of session.channels) {
      const why = channel ? this.#allocator.why(channel.row) : WHY.none;
      if (why !== WHY.none) return why;
    }
    return WHY.none;
  }

  /** Gives out what there is room for; every session whose limits advanced is to be told. */
  serve(now: Now): void {
    this.#now = now;
    this.#allocator.serve(seconds(now));
    const afterMs = SERVE_MS[this.#pipe.stopped === WHY.none ? 'running' : 'stopped'];
    this.#serveDueMs = this.#allocator.isWaiting ? now.monoMs + afterMs : Number.POSITIVE_INFINITY;
  }

  get #pipe() {
    return this.#allocator.books.pipes[0] as Allocator['books']['pipes'][number];
  }

  #openChannel(
    session: Session,
    channel: Channel,
    { before, hasReserve }: { readonly before: number; readonly hasReserve: boolean },
    now: Now,
  ): void {
    const device = session.device as Device;
    const { lane, mf } = channel;
    const opening = {
      lane,
      mf,
      carry: -channel.settled,
      growth: device.growth,
      carryGrowth: before,
      hasReserve: hasReserve || lane === LANE.critical,
      ...(lane === LANE.critical || device.quota === NONE ? {} : { quota: device.quota }),
    };
    channel.row = this.#allocator.open(opening, seconds(now));
    channel.limit = this.#allocator.limit(channel.row);
    this.#holders[channel.row] = { session, channel };
  }

  /** A device that comes back finds its quota as it left it. */
  #openQuota(device: Device, now: Now): void {
    const { quota } = this.#options;
    if (!quota) return;
    const { bytesPerSecond, burstBytes } = quota;
    const awayS = seconds(now) - device.quotaLeftAtS;
    const tokens = Math.min(burstBytes, device.quotaLeft + awayS * bytesPerSecond);
    device.quota = this.#allocator.openQuota(bytesPerSecond, burstBytes, seconds(now), tokens);
  }

  #closeQuota(device: Device, now: Now): void {
    if (device.quota === NONE) return;
    device.quotaLeft = this.#allocator.closeQuota(device.quota, seconds(now));
    device.quotaLeftAtS = seconds(now);
    device.quota = NONE;
  }

  #advance(row: number, limit: number): void {
    const holder = this.#holders[row];
    if (!holder) return;
    const { session, channel } = holder;
    channel.limit = limit;
    // `welcome` tells what the first serve gave.
    if (!session.isWelcomed) return;
    channel.isChanged = true;
    if (this.#now) this.#options.advanced(session, channel.lane, this.#now);
  }
}
