import type { Timeline } from '../timeline.ts';
import { Lane, type LaneSpec } from './lane.ts';
import type { LaneNumber, Measures } from './measures.ts';
import type { Supply } from './supply.ts';

const MS_PER_SECOND = 1000;
/** Bytes are counted in fractions, because they come at a rate. */
const ROUNDING = 1e-6;
/** A device that is blocked says so once in this time. [R7-12] */
const PING_MS = 1000;
/** From the moment a device wants to connect to its `hello`: TCP and upgrade. */
const ROUND_TRIPS_TO_OPEN = 1.5;
const UNHEARD_OF_BACKLOG = 4e9;

/** What a device says about its backlog. */
export type Telling = 'honest' | 'none' | 'zero' | 'huge';

/** What a device is like. */
export interface DeviceSpec {
  readonly rttMs: number;
  /** Of the round trip, on the average, added to it. */
  readonly jitter?: number;
  readonly linkBytesPerSecond?: number;
  readonly lanes: readonly LaneSpec[];
  readonly group?: string;
  readonly connectAtS?: number;
  readonly pipe?: number;
  readonly quota?: { readonly bytesPerSecond: number; readonly burst: number };
  readonly telling?: Telling;
  /** A Pong takes so many round trips. */
  readonly pongs?: number;
  readonly weight?: number;
}

/** A frame on its way, and what the gateway notes about it. */
export interface SentFrame {
  readonly device: Device;
  /** Of the device's connections. */
  readonly connection: number;
  readonly lane: LaneNumber;
  readonly bytes: number;
  readonly cost: number;
  readonly backlog: number | undefined;
  readonly sentMs: number;
}

/** What `flow` says of a lane: frames acked over this connection, and the limit. */
export interface LaneNews {
  readonly lane: LaneNumber;
  readonly acked: number;
  readonly limit: number;
}

/** What a device has to do with. */
export interface Surroundings {
  readonly timeline: Timeline;
  readonly measures: Measures;
  readonly random: () => number;
  /** The `hello` has come. */
  opened(device: Device): void;
  arrived(frame: SentFrame): void;
  /** `ping.bl`. */
  told(device: Device, lane: LaneNumber, backlog: number): void;
}

/** A device that obeys: it sends what it has within its credit, over a link that takes its time. */
export class Device {
  readonly spec: DeviceSpec;
  readonly group: string;
  /** Payload and cost that settled after the warm-up, payload in all; by lane. Units: bytes. */
  readonly measuredBytes: [number, number, number] = [0, 0, 0];
  readonly measuredCost: [number, number, number] = [0, 0, 0];
  readonly settledBytes: [number, number, number] = [0, 0, 0];
  /** Counts its connections. */
  connection = 0;
  isUp = false;
  /** It stands still, and nobody has told the gateway. */
  isFrozen = false;
  readonly #lanes: readonly Lane[];
  readonly #around: Surroundings;
  #isLinkBusy = false;
  #isPinging = false;
  #wakesAtMs = -1;
  #lastArrivalMs = 0;
  #lastNewsMs = 0;

  constructor(spec: DeviceSpec, around: Surroundings) {
    this.spec = spec;
    this.group = spec.group ?? 'all';
    this.#around = around;
    const nowMs = (spec.connectAtS ?? 0) * MS_PER_SECOND;
    this.#lanes = spec.lanes.map((each) => new Lane(each, nowMs));
  }

  get laneNumbers(): readonly LaneNumber[] {
    return this.#lanes.map(({ lane }) => lane);
  }

  /** What waits on a lane. */
  supply(lane: LaneNumber): Supply {
    return this.#lane(lane).supply;
  }

  /** Something changed in what waits. */
  stir(): void {
    this.#send();
    this.#ping();
  }

  connect(atMs: number): void {
    this.connection += 1;
    const connection = this.connection;
    const { timeline } = this.#around;
    timeline.at(Math.max(atMs, timeline.ms) + ROUND_TRIPS_TO_OPEN * this.spec.rttMs, () => {
      if (connection !== this.connection) return;
      this.isUp = true;
      this.#isLinkBusy = false;
      this.#isPinging = false;
      this.#wakesAtMs = -1;
      this.#lastArrivalMs = timeline.ms;
      this.#around.opened(this);
    });
  }

  disconnect(): void {
    this.isUp = false;
    this.connection += 1;
    for (const lane of this.#lanes) lane.lose();
  }

  /** Vanishes without a word. */
  freeze(): void {
    this.isFrozen = true;
    for (const { supply } of this.#lanes) supply.stop(this.#around.timeline.ms);
  }

  /** A way over the network and back, as a Ping sees it. Units: ms. */
  sampleRttMs(): number {
    return this.#oneWayMs() + this.#oneWayMs();
  }

  /** The gateway sends a `welcome` or `flow`. */
  tell(news: readonly LaneNews[]): void {
    const { timeline } = this.#around;
    const connection = this.connection;
    this.#lastNewsMs = Math.max(this.#lastNewsMs, timeline.ms + this.#oneWayMs());
    timeline.at(this.#lastNewsMs, () => {
      if (connection === this.connection && this.isUp) this.#hear(news);
    });
  }

  /** The longest that a lane is waiting for credit now. Units: ms. */
  get waitsMs(): number {
    const nowMs = this.#around.timeline.ms;
    const waits = this.#lanes.filter((lane) => lane.blockedSinceMs >= 0);
    return Math.max(0, ...waits.map((lane) => nowMs - lane.blockedSinceMs));
  }

  #lane(number: LaneNumber): Lane {
    const lane = this.#lanes.find((each) => each.lane === number);
    if (!lane) throw new Error(`a device without lane ${number}`);
    return lane;
  }

  #hear(news: readonly LaneNews[]): void {
    const { measures, timeline } = this.#around;
    for (const { lane: number, acked, limit } of news) {
      const lane = this.#lane(number);
      for (; lane.acked < acked; lane.acked += 1) {
        measures.acked(number, timeline.ms - (lane.unacked.shift() ?? timeline.ms), timeline.ms);
      }
      lane.limit = Math.max(lane.limit, limit);
    }
    this.stir();
  }

  /** Sends a frame if there is one and its lane has credit: lane 0 first. */
  #send(): void {
    if (!this.isUp || this.#isLinkBusy || this.isFrozen) return;
    const nowMs = this.#around.timeline.ms;
    let wakeMs = Number.POSITIVE_INFINITY;
    for (const lane of this.#lanes) {
      if (!lane.hasFrame(nowMs)) {
        wakeMs = Math.min(wakeMs, nowMs + lane.supply.msUntil(lane.frameBytes, nowMs));
      } else if (lane.hasCredit) {
        this.#sendFrom(lane);
        return;
      } else if (lane.blockedSinceMs < 0) lane.blockedSinceMs = nowMs;
    }
    this.#wakeAt(wakeMs);
  }

  #sendFrom(lane: Lane): void {
    const { timeline, measures } = this.#around;
    const nowMs = timeline.ms;
    if (lane.blockedSinceMs >= 0) measures.blocked(nowMs - lane.blockedSinceMs, nowMs);
    lane.blockedSinceMs = -1;
    lane.supply.add(-lane.frameBytes);
    lane.sent += lane.cost;
    lane.unacked.push(nowMs);
    const { connection } = this;
    const frame: SentFrame = {
      device: this,
      connection,
      lane: lane.lane,
      bytes: lane.frameBytes,
      cost: lane.cost,
      backlog: this.#told(lane),
      sentMs: nowMs,
    };
    this.#isLinkBusy = true;
    const link = this.spec.linkBytesPerSecond ?? 12.5e6;
    const leftMs = nowMs + (lane.frameBytes / link) * MS_PER_SECOND;
    timeline.at(leftMs, () => {
      if (connection !== this.connection) return;
      this.#isLinkBusy = false;
      this.#send();
    });
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, leftMs + this.#oneWayMs());
    timeline.at(this.#lastArrivalMs, () => this.#around.arrived(frame));
  }

  #told(lane: Lane): number | undefined {
    switch (this.spec.telling ?? 'honest') {
      case 'honest':
        return lane.backlog(this.#around.timeline.ms);
      case 'none':
        return undefined;
      case 'zero':
        return 0;
      case 'huge':
        return UNHEARD_OF_BACKLOG;
    }
  }

  #wakeAt(ms: number): void {
    const { timeline } = this.#around;
    if (ms === Number.POSITIVE_INFINITY) return;
    const isPlanned = this.#wakesAtMs >= timeline.ms && this.#wakesAtMs <= ms + ROUNDING;
    if (isPlanned) return;
    const { connection } = this;
    this.#wakesAtMs = ms + ROUNDING;
    timeline.at(this.#wakesAtMs, () => {
      if (connection !== this.connection) return;
      if (this.#wakesAtMs <= timeline.ms) this.#wakesAtMs = -1;
      this.stir();
    });
  }

  /** Lane 2 begins without credit: the gateway has to know that something waits. [R7-12] */
  #ping(): void {
    const { timeline } = this.#around;
    const lane = this.#lanes.find((each) => each.lane === 2);
    if (!lane || !this.isUp || this.#isPinging || lane.hasCredit || !lane.hasFrame(timeline.ms))
      return;
    const { connection } = this;
    this.#isPinging = true;
    timeline.after(this.spec.rttMs / 2, () => {
      if (connection !== this.connection) return;
      this.#around.told(this, 2, lane.backlog(timeline.ms));
    });
    timeline.after(PING_MS, () => {
      if (connection !== this.connection) return;
      this.#isPinging = false;
      this.#ping();
    });
  }

  #oneWayMs(): number {
    const jitter = this.spec.jitter ?? 0.1;
    return (this.spec.rttMs / 2) * (1 + 2 * jitter * this.#around.random());
  }
}
