import type { Ending } from '../../src/client/reconnect-policy.ts';
import type { Codec, SessionId } from '../../src/model/machine.ts';
import type { ClientMessage, ServerMessage } from '../../src/wire/messages.ts';
import type { Dice } from './random.ts';
import type { Timeline } from './timeline.ts';

/** A message on its way: the bytes, and what they say, decoded once by whoever sent them. */
export interface Parcel<Said> {
  readonly bytes: Uint8Array;
  readonly message: Said;
}

/** The far end of a connection, as its client's program sees it. */
export interface ClientEnd {
  opened(link: Link): void;
  message(link: Link, parcel: Parcel<ServerMessage>): void;
  closed(link: Link, ending: Ending): void;
}

/** The gateway's end. */
export interface ServerEnd {
  connected(link: Link): void;
  /** Null for what no client may say, and for frames. */
  message(link: Link, parcel: Parcel<ClientMessage | null>): void;
  /** A Pong. */
  heard(link: Link): void;
  disconnected(link: Link): void;
}

/** How a connection breaks. */
export type Cut =
  /** Both ends learn of it at once, and lose what is under way. */
  | 'reset'
  /** The client is gone at once; what it had sent still arrives, perhaps after its next connection. */
  | 'client gone'
  /** Nothing gets through any more, and nobody is told. */
  | 'half-open'
  /** What the gateway sends vanishes; it hears its client as before. */
  | 'one way';

/** Who is connected to whom. */
export interface Parties {
  readonly session: SessionId;
  /** Device path, or the name of a dashboard. */
  readonly party: string;
  readonly isDevice: boolean;
  readonly codec: Codec;
  readonly client: ClientEnd;
  readonly server: ServerEnd;
}

const LATENCY_MS = [2, 60] as const;
const SLOW_MS = [300, 6000] as const;
/** What is still in some buffer of the network arrives within this. Units: ms. */
const LINGER_MS_MAX = 20_000;
const RESET_SEEN_MS = 400;
const GONE: Ending = { code: 1006, status: 0, message: 'the connection is gone' };

/** What one direction of a connection is like. */
interface Direction {
  /** Messages arrive in the order in which they were sent: never before this. Units: ms. */
  lastMs: number;
  /** Until then some buffer holds back whatever is under way. Units: ms. */
  heldToMs: number;
  isMute: boolean;
  unsent: number;
}

const direction = (): Direction => ({ lastMs: 0, heldToMs: 0, isMute: false, unsent: 0 });

/** One WebSocket: in order in each direction, with delays, and with all the ways in which it ends. */
export class Link {
  readonly session: SessionId;
  readonly party: string;
  readonly isDevice: boolean;
  readonly codec: Codec;
  readonly server: ServerEnd;
  readonly #client: ClientEnd;
  readonly #timeline: Timeline;
  readonly #dice: Dice;
  readonly #latencyMs: number;
  readonly #up = direction();
  readonly #down = direction();
  /** It was slowed or cut: an end that waits in vain is not to blame. */
  isImpaired = false;
  #slowUntilMs = 0;
  #isClientOpen = true;
  #isServerOpen = true;

  constructor(parties: Parties, timeline: Timeline, dice: Dice) {
    this.session = parties.session;
    this.party = parties.party;
    this.isDevice = parties.isDevice;
    this.codec = parties.codec;
    this.server = parties.server;
    this.#client = parties.client;
    this.#timeline = timeline;
    this.#dice = dice;
    this.#latencyMs = dice.between(...LATENCY_MS);
    this.#arrive(this.#up, () => {
      if (!this.#isServerOpen) return;
      this.server.connected(this);
      this.#arrive(this.#down, () => this.#isClientOpen && this.#client.opened(this));
    });
  }

  /** Bytes that the gateway has sent and that are still under way. */
  get unsentBytes(): number {
    return this.#down.unsent;
  }

  get isClientOpen(): boolean {
    return this.#isClientOpen;
  }

  get isServerOpen(): boolean {
    return this.#isServerOpen;
  }

  /** From the client to the gateway. */
  toServer(bytes: Uint8Array, message: ClientMessage | null): void {
    if (!this.#isClientOpen || this.#up.isMute) return;
    const parcel = { bytes, message };
    this.#arrive(this.#up, () => this.#isServerOpen && this.server.message(this, parcel));
  }

  /** From the gateway to the client. */
  toClient(bytes: Uint8Array, message: ServerMessage): void {
    const down = this.#down;
    if (!this.#isServerOpen || down.isMute) return;
    const parcel = { bytes, message };
    down.unsent += bytes.length;
    this.#arrive(down, () => {
      down.unsent -= bytes.length;
      if (this.#isClientOpen) this.#client.message(this, parcel);
    });
  }

  /** A WebSocket Ping of the gateway; libraries answer it by themselves. */
  probe(): void {
    if (this.#down.isMute || !this.#isServerOpen) return;
    this.#arrive(this.#down, () => {
      if (!this.#isClientOpen || this.#up.isMute) return;
      this.#arrive(this.#up, () => this.#isServerOpen && this.server.heard(this));
    });
  }

  /** The gateway closes: what it sent before arrives first; what was under way to it still comes. */
  closeByServer(code: number, message: string): void {
    if (!this.#down.isMute) {
      this.#arrive(this.#down, () => this.#endClient({ code, status: 0, message }));
    }
    this.#arrive(this.#up, () => this.#endServer());
  }

  closeByClient(): void {
    if (!this.#isClientOpen) return;
    this.#isClientOpen = false;
    if (!this.#up.isMute) this.#arrive(this.#up, () => this.#endServer());
  }

  /** The process of the gateway is gone, and with it its sockets. */
  serverGone(): void {
    this.#isServerOpen = false;
    if (this.#down.isMute) return;
    this.#timeline.after(this.#dice.between(1, RESET_SEEN_MS), () => this.#endClient(GONE));
  }

  /** The client's machine is gone; nobody tells the gateway. */
  clientGone(): void {
    this.isImpaired = true;
    this.#isClientOpen = false;
    this.#linger();
  }

  /** Slower for a while. */
  slow(forMs: number): void {
    this.isImpaired = true;
    this.#slowUntilMs = Math.max(this.#slowUntilMs, this.#timeline.ms + forMs);
  }

  cut(how: Cut): void {
    this.isImpaired = true;
    if (how === 'half-open' || how === 'one way') {
      this.#down.isMute = true;
      if (how === 'half-open') this.#up.isMute = true;
      return;
    }
    if (how === 'client gone') {
      this.#linger();
      this.#endClient(GONE);
      return;
    }
    this.#up.isMute = true;
    this.#down.isMute = true;
    this.#timeline.after(this.#dice.between(0, RESET_SEEN_MS), () => this.#endClient(GONE));
    this.#timeline.after(this.#dice.between(0, RESET_SEEN_MS), () => this.#endServer());
  }

  /** What is under way to the gateway comes late, and then the end of it, or nothing ever again. */
  #linger(): void {
    const up = this.#up;
    up.heldToMs = this.#timeline.ms + this.#dice.between(0, LINGER_MS_MAX);
    up.lastMs = Math.max(up.lastMs, up.heldToMs);
    if (this.#dice.chance(0.5)) this.#arrive(this.#up, () => this.#endServer());
    this.#up.isMute = true;
  }

  #endClient(ending: Ending): void {
    if (!this.#isClientOpen) return;
    this.#isClientOpen = false;
    this.#client.closed(this, ending);
  }

  #endServer(): void {
    if (!this.#isServerOpen) return;
    this.#isServerOpen = false;
    this.server.disconnected(this);
  }

  #arrive(way: Direction, act: () => void): void {
    const { ms } = this.#timeline;
    const slowMs = ms < this.#slowUntilMs ? this.#dice.between(...SLOW_MS) : 0;
    way.lastMs = Math.max(way.lastMs, ms + this.#latencyMs * this.#dice.between(0.8, 1.4) + slowMs);
    this.#timeline.at(way.lastMs, () => this.#hand(way, act));
  }

  #hand(way: Direction, act: () => void): void {
    if (this.#timeline.ms >= way.heldToMs) act();
    else this.#timeline.at(way.heldToMs, act);
  }
}
