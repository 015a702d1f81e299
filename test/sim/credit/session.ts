import type { Row } from './credit-port.ts';
import type { Device, LaneNews } from './device.ts';
import type { LaneNumber } from './measures.ts';

/** What a channel begins with. */
interface Beginning {
  readonly row: Row;
  readonly lane: LaneNumber;
  /** Cost of a largest frame. */
  readonly one: number;
  readonly carry: number;
}

/** One lane on one connection, as the gateway counts it: cumulative costs. */
export class Channel {
  readonly session: Session;
  readonly row: Row;
  readonly lane: LaneNumber;
  readonly one: number;
  received = 0;
  settled: number;
  limit = 0;
  /** Frames. */
  acked = 0;
  #toldLimit = 0;
  #toldSettled: number;

  constructor(session: Session, { row, lane, one, carry }: Beginning) {
    this.session = session;
    this.row = row;
    this.lane = lane;
    this.one = one;
    this.settled = -carry;
    this.#toldSettled = this.settled;
  }

  get hasNews(): boolean {
    return this.limit > this.#toldLimit || this.settled > this.#toldSettled;
  }

  news(): LaneNews {
    this.#toldLimit = this.limit;
    this.#toldSettled = this.settled;
    return { lane: this.lane, acked: this.acked, limit: this.limit };
  }
}

/** A connection, as the gateway sees it. */
export class Session {
  readonly device: Device;
  readonly channels: Channel[] = [];
  isWelcomed = false;
  isClosed = false;
  /** When the last `flow` went out. */
  toldMs: number;
  /** A `flow` is planned. */
  isToBeTold = false;
  /** Cost of lane 1 that comes a second time over this connection. */
  #comesAgain = 0;

  constructor(device: Device, nowMs: number) {
    this.device = device;
    this.toldMs = nowMs;
  }

  add(beginning: Beginning): Channel {
    const channel = new Channel(this, beginning);
    this.channels.push(channel);
    return channel;
  }

  channel(lane: LaneNumber): Channel {
    const channel = this.channels.find((each) => each.lane === lane);
    if (!channel) throw new Error(`a session without lane ${lane}`);
    return channel;
  }

  /** Cost that is still before the log, also from earlier connections. */
  pipelineOf(lane: LaneNumber): number {
    const { received, settled } = this.channel(lane);
    return received - settled;
  }

  /** The pipeline of lane 1 is sent once more. */
  repeatPipeline(): void {
    this.#comesAgain = this.pipelineOf(1);
  }

  /** Whether a frame of lane 1 is one of those that come again. */
  takeDuplicate(cost: number): boolean {
    if (this.#comesAgain < cost) return false;
    this.#comesAgain -= cost;
    return true;
  }

  news(): LaneNews[] {
    return this.channels.map((channel) => channel.news());
  }
}
