import type { Ending } from '../../src/client/reconnect-policy.ts';
import { encode } from '../../src/wire/encode.ts';
import type { ClientMessage, ServerMessage } from '../../src/wire/messages.ts';
import { DashboardClient } from '../support/dashboard-client.ts';
import type { Tell } from './facts.ts';
import type { ClientEnd, Link, Parcel } from './network.ts';
import type { DashboardHabits } from './plan.ts';
import type { Dice } from './random.ts';
import type { Timeline } from './timeline.ts';

/** The aggregates of every dashboard, in the order of its columns. */
export const COLUMNS = ['n', 'mean', 'last', 'tlast'] as const;
const CHANNEL = 1;
const CREDIT = 65_536;
const HISTORY_MS = 3_600_000;
const HEARTBEAT_MS = 5000;
const SILENT_HEARTBEATS = 2.5;
const LOOK_MS = 1000;
const RETRY_MS = [100, 3000] as const;

/** What a dashboard is made of. */
export interface DashboardParts {
  readonly habits: DashboardHabits;
  readonly timeline: Timeline;
  readonly dice: Dice;
  readonly tell: Tell;
  readonly dial: (dashboard: SimDashboard) => Link;
}

/** A page that shows everything, comes back whenever it is cut off, and at times does not grant. */
export class SimDashboard implements ClientEnd {
  readonly client: DashboardClient;
  link: Link | null = null;
  readonly #parts: DashboardParts;
  #heardMs = 0;
  #pingedMs = 0;
  #stalledUntilMs = 0;
  #isSubscribed = false;
  #isStopped = false;

  constructor(parts: DashboardParts) {
    this.#parts = parts;
    this.client = new DashboardClient(parts.habits.codec, CHANNEL, COLUMNS, CREDIT);
    this.#connectSoon();
    this.#lookSoon();
  }

  get name(): string {
    return this.#parts.habits.name;
  }

  /** It does not grant for a while: nobody looks at the page. */
  stall(forMs: number): void {
    this.#stalledUntilMs = this.#parts.timeline.ms + forMs;
  }

  stop(): void {
    this.#isStopped = true;
    this.link?.closeByClient();
    this.link = null;
  }

  opened(link: Link): void {
    if (link !== this.link) return;
    this.client.reconnect();
    this.#heardMs = this.#parts.timeline.ms;
    this.#say({ k: 'hello', hb: HEARTBEAT_MS });
  }

  message(link: Link, { bytes, message }: Parcel<ServerMessage>): void {
    if (link !== this.link) return;
    this.#heardMs = this.#parts.timeline.ms;
    this.#parts.tell({ kind: 'heard', link, message });
    if (message.k === 'welcome') return this.#subscribe();
    if (message.k === 'away') return this.#hangUp();
    this.client.apply(message, bytes.length);
    if (message.k === 'data' || message.k === 'def') this.#grant();
  }

  closed(link: Link, _ending: Ending): void {
    if (link !== this.link) return;
    this.link = null;
    this.#connectSoon();
  }

  #subscribe(): void {
    const { hasCredit, minimumIntervalMs: r } = this.#parts.habits;
    const lim = hasCredit ? CREDIT : undefined;
    const agg = [...COLUMNS];
    this.#isSubscribed = true;
    this.#say({ k: 'sub', c: CHANNEL, p: ['#'], win: 1000, agg, r, hist: HISTORY_MS, lim });
  }

  #grant(): void {
    const isStalled = this.#parts.timeline.ms < this.#stalledUntilMs;
    if (!this.#parts.habits.hasCredit || isStalled) return;
    this.#say({ k: 'flow', f: [this.client.flowEntry()] });
  }

  /** Silence, and the end of a stall. */
  #look(): void {
    const { ms } = this.#parts.timeline;
    if (this.#isStopped) return;
    this.#lookSoon();
    if (!this.link?.isClientOpen) return;
    if (ms - this.#heardMs > SILENT_HEARTBEATS * HEARTBEAT_MS) return this.#hangUp();
    if (this.#stalledUntilMs > 0 && ms >= this.#stalledUntilMs) {
      this.#stalledUntilMs = 0;
      if (this.#isSubscribed) this.#grant();
    }
    if (ms - Math.max(this.#heardMs, this.#pingedMs) > HEARTBEAT_MS) {
      this.#pingedMs = ms;
      if (this.#isSubscribed) this.#say({ k: 'ping' });
    }
  }

  #hangUp(): void {
    this.link?.closeByClient();
    this.link = null;
    this.#connectSoon();
  }

  #connectSoon(): void {
    const { timeline, dice, dial } = this.#parts;
    timeline.after(dice.between(...RETRY_MS), () => {
      if (this.#isStopped || this.link !== null) return;
      this.#isSubscribed = false;
      this.link = dial(this);
    });
  }

  #lookSoon(): void {
    this.#parts.timeline.after(LOOK_MS, () => this.#look());
  }

  #say(message: ClientMessage): void {
    const { link } = this;
    if (!link) return;
    this.#parts.tell({ kind: 'said', link, message });
    link.toServer(encode(link.codec, message), message);
  }
}
