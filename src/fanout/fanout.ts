import { type Breach, breach } from '../model/errors.ts';
import type { Identity } from '../model/identity.ts';
import { SUBSCRIBER_BYTES_MAX } from '../model/limits.ts';
import { NEVER, type SessionId } from '../model/machine.ts';
import type { Rung } from '../model/rung.ts';
import type { SubscriberTerms } from '../model/subscriber-terms.ts';
import type { EventUs, MonoMs, Now } from '../model/time.ts';
import type { Series, WindowSeries } from '../model/window.ts';
import { encode } from '../wire/encode.ts';
import type { FlowEntry, State, Sub } from '../wire/messages.ts';
import { Agenda } from './agenda.ts';
import { Draft } from './draft.ts';
import { type Plan, planOf } from './plan.ts';
import type { FanoutPort } from './port.ts';
import { SeriesIndex, type Watch } from './series-index.ts';
import { STATE } from './state.ts';
import { Subscriber } from './subscriber.ts';
import { Subscription, type SubscriptionContext } from './subscription.ts';

/** A series without a reading for this long is gone. Units: ms. Source: [R11.2-14]. */
const GONE_MS = 86_400_000;
/** How often silent series are looked for; also how fresh "now" is when a change comes in. */
const SWEEP_MS = 60_000;
/** Beats of a node are looked for at most this often. */
const BEAT_SCAN_MS = 500;
/** Beats are sent this part of the heartbeat early, so that a busy moment delays none too far. */
const BEAT_EARLY = 0.2;
const CHANNEL_MAX = 65_535;

/** How a node fans out. */
export interface FanoutOptions {
  readonly port: FanoutPort;
  /** The series that aggregation has. */
  readonly series: () => Iterable<Series>;
  /** Window lengths that are computed. Units: ms. */
  readonly windowsMs: readonly number[];
  /** Least time between two flushes of a subscription, on rung 0. Units: ms. */
  readonly flushMs: number;
  /** The same on every other rung. Units: ms. */
  readonly pressedFlushMs: number;
  /** A series without a reading for this long is gone. Units: ms. */
  readonly goneMs?: number;
}

interface Session {
  readonly subscriber: Subscriber;
  /** Units: ms. */
  readonly heartbeatMs: number;
  readonly reads: Identity['reads'];
  readonly subscriptions: Map<number, Subscription>;
}

/**
 * The dashboards' half: subscriptions of all sessions, fed by changed windows, drained by ticks.
 * It reads windows where aggregation keeps them and copies none.
 * Bounds: O(matched series) per subscription. Source: PROTOCOL §11, DESIGN §8.
 */
export class Fanout {
  readonly #options: FanoutOptions;
  readonly #goneMs: number;
  readonly #index = new SeriesIndex();
  readonly #sessions = new Map<SessionId, Session>();
  readonly #subscriptions = new Set<Subscription>();
  readonly #context: SubscriptionContext;
  readonly #agenda: Agenda;
  /** Least time between two flushes, as of the rung. Units: ms. */
  #flushMs: number;
  #beatWakeMs: MonoMs = NEVER;
  #sweepWakeMs = 0 as MonoMs;
  /** The last time heard; NaN before the first. */
  #nowMs = Number.NaN;

  constructor(options: FanoutOptions) {
    this.#options = options;
    this.#goneMs = options.goneMs ?? GONE_MS;
    this.#agenda = new Agenda(({ subscriber }, error) => this.#fault(subscriber.session, error));
    this.#flushMs = options.flushMs;
    this.#context = {
      port: options.port,
      flushMs: () => this.#flushMs,
      askMs: options.flushMs,
      draft: new Draft(),
      due: (subscription) => this.#agenda.plan(subscription),
    };
  }

  /** When `tick` is wanted next. */
  get wakeAtMs(): MonoMs {
    return Math.min(this.#agenda.wakeAtMs, this.#beatWakeMs, this.#sweepWakeMs) as MonoMs;
  }

  /** Subscriptions of all sessions. */
  get subscriptionCount(): number {
    return this.#subscriptions.size;
  }

  /** Where the node stands on its ladder: above rung 0 updates come more seldom. Source: DESIGN §9. */
  climb(rung: Rung): void {
    const { flushMs, pressedFlushMs } = this.#options;
    const wantedMs = rung === 0 ? flushMs : pressedFlushMs;
    if (wantedMs === this.#flushMs) return;
    this.#flushMs = wantedMs;
    this.#agenda.replan();
  }

  /** A session was welcomed. */
  open(session: SessionId, terms: SubscriberTerms): void {
    const { codec, messageBytesMax, heartbeatMs, reads } = terms;
    const bytesMax = Math.min(messageBytesMax, SUBSCRIBER_BYTES_MAX);
    const subscriber = new Subscriber(session, codec, bytesMax);
    this.#sessions.set(session, { subscriber, heartbeatMs, reads, subscriptions: new Map() });
  }

  /** A session ended; nothing more is sent to it. */
  close(session: SessionId): void {
    for (const subscription of this.#subscriptionsOf(session)) this.#forget(subscription);
    this.#sessions.delete(session);
  }

  /** How many subscriptions a session has. */
  subscriptions(session: SessionId): number {
    return this.#sessions.get(session)?.subscriptions.size ?? 0;
  }

  /** Rejects: 4000 and 4001 for the channel as a breach, else what `planOf` says, as `state` 4. */
  sub(session: SessionId, message: Sub, now: Now): void {
    this.#nowMs = now.monoMs;
    const peer = this.#sessions.get(session);
    if (peer === undefined) return;
    if (message.c < 1 || message.c > CHANNEL_MAX) {
      this.#options.port.breach(session, breach(4000, 'c is outside 1 to 65535'));
    } else if (peer.subscriptions.has(message.c)) {
      this.#options.port.breach(session, breach(4001, 'c is a subscription already'));
    } else {
      const plan = planOf(message, {
        windowsMs: this.#options.windowsMs,
        messageBytesMax: peer.subscriber.messageBytesMax,
        subscriptions: peer.subscriptions.size,
        reads: peer.reads,
      });
      if ('refusal' in plan) this.#refuse(peer.subscriber, message.c, plan.refusal);
      else this.#subscribe(peer, plan, now);
    }
  }

  /** Ends a subscription; one that is not open is ignored. [R11.1-7] */
  end(session: SessionId, c: number, now: Now): void {
    this.#nowMs = now.monoMs;
    const subscription = this.#sessions.get(session)?.subscriptions.get(c);
    if (subscription === undefined) return;
    this.#forget(subscription);
    subscription.tell(STATE.ended, now);
  }

  /** Credit and acks; entries of channels that are not open are ignored. Rejects: 4001. */
  flow(session: SessionId, entries: readonly FlowEntry[], now: Now): void {
    this.#nowMs = now.monoMs;
    for (const [c, ack, limit] of entries) {
      const subscription = this.#sessions.get(session)?.subscriptions.get(c);
      if (subscription !== undefined && !subscription.flow(ack, limit)) {
        this.#options.port.breach(session, breach(4001, 'ack above the last n sent'));
        return;
      }
    }
  }

  /** Answers a `ping` with a beat per subscription. [R8-4] */
  ping(session: SessionId, echo: number | undefined, now: Now): void {
    this.#nowMs = now.monoMs;
    for (const subscription of this.#subscriptionsOf(session)) {
      subscription.tell(STATE.beat, now, echo);
    }
  }

  /** A series has its first reading. */
  appeared(series: Series): void {
    if (this.#index.get(series) === undefined) this.#watch(series);
  }

  /** A kept window changed. Costs O(subscriptions that hold the series). */
  changed(windows: WindowSeries, start: EventUs): void {
    const watch = this.#index.get(windows.series) ?? this.#watch(windows.series);
    watch.heardMs = this.#nowMs;
    for (const member of watch.members) member.changed(windows, start);
  }

  /** Flushes what is due, beats, and removes series that fell silent. */
  tick(now: Now): void {
    this.#nowMs = now.monoMs;
    if (now.monoMs >= this.#sweepWakeMs) this.#sweep(now.monoMs);
    this.#agenda.run(now);
    if (now.monoMs >= this.#beatWakeMs) this.#beat(now);
  }

  #fault(session: SessionId, error: unknown): void {
    const { port } = this.#options;
    if (!port.fault) throw error;
    port.fault(session, error);
  }

  #subscriptionsOf(session: SessionId): readonly Subscription[] {
    return [...(this.#sessions.get(session)?.subscriptions.values() ?? [])];
  }

  #refuse({ session, codec }: Subscriber, c: number, { code, message }: Breach): void {
    const state: State = { k: 'state', c, st: STATE.ended, e: code, m: message };
    this.#options.port.send(session, encode(codec, state));
  }

  #subscribe(peer: Session, plan: Plan, now: Now): void {
    const subscription = new Subscription(peer.subscriber, plan, this.#context, now.monoMs);
    peer.subscriptions.set(plan.c, subscription);
    const matched: Series[] = [];
    for (const series of this.#options.series()) {
      if (!this.#index.isGone(series) && subscription.matches(series)) matched.push(series);
    }
    // The index and the listeners of a series seen for the first time come before our own members.
    for (const series of matched) this.appeared(series);
    this.#subscriptions.add(subscription);
    matched.sort((a, b) => (a.topic < b.topic ? -1 : 1));
    for (const series of matched) this.#admit(subscription, series);
    subscription.tell(STATE.reset, now);
    this.#agenda.plan(subscription);
    const beatMs = now.monoMs + peer.heartbeatMs * (1 - BEAT_EARLY);
    this.#beatWakeMs = Math.min(this.#beatWakeMs, beatMs) as MonoMs;
  }

  #forget(subscription: Subscription): void {
    for (const member of subscription.members) this.#index.detach(member);
    this.#sessions.get(subscription.subscriber.session)?.subscriptions.delete(subscription.plan.c);
    this.#subscriptions.delete(subscription);
    this.#agenda.remove(subscription);
  }

  #admit(subscription: Subscription, series: Series): void {
    const member = subscription.admit(series);
    if (member !== null) this.#index.attach(member);
  }

  #watch(series: Series): Watch {
    const predecessor = this.#index.predecessorOf(series);
    if (predecessor !== undefined) this.#remove(predecessor);
    const watch = this.#index.add(series, this.#nowMs);
    for (const subscription of this.#subscriptions) {
      if (subscription.matches(series)) this.#admit(subscription, series);
    }
    return watch;
  }

  #remove(watch: Watch): void {
    for (const member of watch.members) member.owner.drop(member);
    this.#index.remove(watch);
    for (const subscription of this.#subscriptions) {
      subscription.overflow.delete(watch.series);
      const [next] = subscription.overflow;
      // One place became free at most, and the next in line gets it.
      if (next !== undefined) this.#admit(subscription, next);
    }
  }

  #sweep(nowMs: MonoMs): void {
    this.#sweepWakeMs = (nowMs + Math.min(SWEEP_MS, this.#goneMs)) as MonoMs;
    for (const watch of this.#index.silent(nowMs, this.#goneMs)) this.#remove(watch);
  }

  #beat(now: Now): void {
    let nextMs: number = NEVER;
    for (const { subscriptions, heartbeatMs } of this.#sessions.values()) {
      const quietMs = heartbeatMs * (1 - BEAT_EARLY);
      for (const subscription of subscriptions.values()) {
        const isQuiet = subscription.outbox.lastMessageMs + quietMs <= now.monoMs;
        if (isQuiet) subscription.tell(STATE.beat, now);
        nextMs = Math.min(nextMs, subscription.outbox.lastMessageMs + quietMs);
      }
    }
    this.#beatWakeMs = Math.max(nextMs, now.monoMs + BEAT_SCAN_MS) as MonoMs;
  }
}
