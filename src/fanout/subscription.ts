import { invariant } from '../model/invariant.ts';
import { SUBSCRIBED_SERIES_MAX } from '../model/limits.ts';
import { NEVER } from '../model/machine.ts';
import { matchesAny } from '../model/pattern.ts';
import type { MonoMs, Now } from '../model/time.ts';
import type { Series } from '../model/window.ts';
import { Definitions } from './definitions.ts';
import type { Draft, RowShape } from './draft.ts';
import { Fifo } from './fifo.ts';
import { Member, type MemberOwner } from './member.ts';
import { Outbox } from './outbox.ts';
import type { Plan } from './plan.ts';
import type { FanoutPort } from './port.ts';
import { STATE } from './state.ts';
import type { Subscriber } from './subscriber.ts';

/** What all subscriptions of a node share. */
export interface SubscriptionContext {
  readonly port: FanoutPort;
  /** Least time between two flushes just now. Units: ms. */
  flushMs(): number;
  /** How often a full socket is asked again during a picture. Units: ms. */
  readonly askMs: number;
  readonly draft: Draft;
  /** The subscription may have become due. */
  due(subscription: Subscription): void;
}

/** Why a flush ended. */
type Stop = 'drained' | 'credit' | 'pipe';

/**
 * One subscription: its members, what of them is changed and unsent, and the flushes that send it.
 * Guarantee: updates replace, so whatever is left out is superseded; `live` is said only when
 * nothing is unsent. Bounds: O(matched series), whatever the peer's speed. Source: PROTOCOL §11.
 */
export class Subscription implements MemberOwner {
  readonly plan: Plan;
  readonly subscriber: Subscriber;
  readonly outbox: Outbox;
  readonly members = new Set<Member>();
  /** Series that match but have no place, in the order in which they matched. */
  readonly overflow = new Set<Series>();
  /** Windows that the last flush sent. */
  flushed = 0;
  readonly #context: SubscriptionContext;
  readonly #shape: RowShape;
  readonly #definitions: Definitions;
  /** Members that are changed and may be sent, longest-waiting first. */
  readonly #waiting = new Fifo<Member>();
  /** Members sent less than `r` ago, oldest first; only once live, the picture does not rest. */
  #resting = new Fifo<Member>();
  #restingDirty = 0;
  #isLive = false;
  #stop: Stop = 'drained';
  /** The last flush; before it, the `sub`. */
  #flushedAtMs: MonoMs;
  /** Windows that will never be sent, to be told with the next `data`. */
  #lost = 0;

  constructor(subscriber: Subscriber, plan: Plan, context: SubscriptionContext, nowMs: MonoMs) {
    this.plan = plan;
    this.subscriber = subscriber;
    this.outbox = new Outbox(subscriber, context.port, plan.limit, nowMs);
    this.#context = context;
    this.#shape = { ...plan, codec: subscriber.codec };
    this.#definitions = new Definitions(plan.c, subscriber.codec);
    this.#flushedAtMs = nowMs;
  }

  get lengthMs(): number {
    return this.plan.lengthMs;
  }

  /** When a flush is wanted, as far as only time is in its way. */
  get dueMs(): MonoMs {
    if (this.#stop === 'credit' || this.outbox.credit.isAckAwaited) return NEVER;
    if (this.#waiting.length > 0 || this.#definitions.isPending || !this.#isLive) {
      return this.#nextFlushMs;
    }
    const first = this.#resting.peek();
    if (this.#restingDirty === 0 || first === undefined) return NEVER;
    return Math.max(this.#nextFlushMs, first.flushedAtMs + this.plan.restMs) as MonoMs;
  }

  /**
   * A picture goes on as soon as there is credit, whatever the rung; the interval is for updates,
   * and for asking the socket again.
   */
  get #nextFlushMs(): MonoMs {
    const { flushMs, askMs } = this.#context;
    const pauseMs = this.#isLive ? flushMs() : this.#stop === 'pipe' ? askMs : 0;
    return (this.#flushedAtMs + pauseMs) as MonoMs;
  }

  matches(series: Series): boolean {
    const { patterns, reads } = this.plan;
    return matchesAny(patterns, series.levels) && matchesAny(reads, series.levels);
  }

  /** Gives a matching series a number; null if there is no place, then it is counted in `over`. */
  admit(series: Series): Member | null {
    if (this.members.size >= SUBSCRIBED_SERIES_MAX) {
      this.overflow.add(series);
      return null;
    }
    this.overflow.delete(series);
    const member = new Member(this, series, this.subscriber.nextNumber());
    this.members.add(member);
    this.#definitions.add(member);
    member.depict(this.plan.histUs);
    this.#context.due(this);
    return member;
  }

  drop(member: Member): void {
    if (member.place === 'resting' && member.isDirty) this.#restingDirty -= 1;
    member.place = 'removed';
    this.members.delete(member);
    this.#definitions.remove(member);
    this.#context.due(this);
  }

  touched(member: Member): void {
    if (member.place === 'resting') {
      this.#restingDirty += 1;
    } else if (member.place === 'idle') {
      member.place = 'waiting';
      this.#waiting.push(member);
    }
    this.#context.due(this);
  }

  /** Takes an entry of `flow`; false if it acknowledges what was never sent. */
  flow(ack: number, limit: number): boolean {
    if (!this.outbox.credit.take(ack, limit)) return false;
    if (this.#stop === 'credit') this.#stop = 'drained';
    this.#context.due(this);
    return true;
  }

  /** Sends a `state` of this channel; the reset, `live` and beats say how many series are over. */
  tell(st: number, now: Now, echo?: number): void {
    const isTimed = st === STATE.live || st === STATE.beat;
    this.outbox.tell(
      {
        k: 'state',
        c: this.plan.c,
        st,
        now: isTimed ? now.wallUs : undefined,
        echo,
        over: st === STATE.ended ? undefined : this.overflow.size || undefined,
      },
      now.monoMs,
    );
  }

  /** Sends what is changed, as far as credit and the socket allow. */
  flush(now: Now): void {
    this.#endRests(now.monoMs);
    const { credit } = this.outbox;
    const before = credit.n;
    this.outbox.beginFlush(now.monoMs);
    this.flushed = 0;
    this.#stop = this.#pour(now.monoMs);
    credit.endFlush(before);
    if (this.#stop === 'drained' && !this.#isLive) this.#goLive(now);
    this.#flushedAtMs = now.monoMs;
  }

  /** Definitions first, so that no number is used before the peer knows it. */
  #pour(nowMs: MonoMs): Stop {
    for (;;) {
      if (this.outbox.isPipeFull) return 'pipe';
      if (this.#definitions.isPending) {
        const def = this.#definitions.take(this.outbox.roomBytes);
        if (def === null) return this.#outOfCredit();
        this.outbox.define(def, nowMs);
      } else if (this.#waiting.length === 0) {
        return 'drained';
      } else {
        this.#fill(nowMs);
        if (this.#context.draft.rows > 0) this.#send(nowMs);
        else if (this.#waiting.length > 0) return this.#outOfCredit();
      }
    }
  }

  #outOfCredit(): Stop {
    const isShort = this.outbox.credit.roomBytes < this.subscriber.messageBytesMax;
    invariant(isShort, 'an entry is longer than a largest message');
    return 'credit';
  }

  #fill(nowMs: MonoMs): void {
    const { draft } = this.#context;
    draft.begin(this.#shape, this.outbox.roomBytes);
    for (let member = this.#waiting.peek(); member !== undefined; member = this.#waiting.peek()) {
      if (member.place !== 'removed') {
        this.#lost += member.drainInto(draft);
        if (member.isDirty) return;
        this.#rest(member, nowMs);
      }
      this.#waiting.shift();
    }
  }

  #send(nowMs: MonoMs): void {
    this.outbox.update(this.plan.c, this.#lost, this.#context.draft.blocks(), nowMs);
    this.#lost = 0;
    this.flushed += this.#context.draft.rows;
  }

  #rest(member: Member, nowMs: MonoMs): void {
    member.flushedAtMs = nowMs;
    const isResting = this.#isLive && this.plan.restMs > 0;
    member.place = isResting ? 'resting' : 'idle';
    if (isResting) this.#resting.push(member);
  }

  /** Members that have rested for `r` wait if they changed meanwhile. */
  #endRests(nowMs: MonoMs): void {
    const { restMs } = this.plan;
    for (let first = this.#resting.peek(); first !== undefined; first = this.#resting.peek()) {
      if (first.place !== 'removed' && first.flushedAtMs + restMs > nowMs) return;
      this.#resting.shift();
      if (first.place === 'removed') continue;
      first.place = 'idle';
      if (!first.isDirty) continue;
      this.#restingDirty -= 1;
      first.place = 'waiting';
      this.#waiting.push(first);
    }
  }

  /** The picture is complete and nothing is unsent. From here on `r` counts. */
  #goLive(now: Now): void {
    this.#isLive = true;
    this.tell(STATE.live, now);
    if (this.plan.restMs === 0) return;
    const members = [...this.members].sort((a, b) => a.flushedAtMs - b.flushedAtMs);
    for (const member of members) {
      member.place = 'resting';
      this.#resting.push(member);
    }
  }
}
