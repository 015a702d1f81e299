import { NEVER } from '../model/machine.ts';
import type { MonoMs, Now } from '../model/time.ts';
import type { Subscription } from './subscription.ts';

/** The subscriptions that only time keeps from a flush. Bounds: the node's subscriptions. */
export class Agenda {
  readonly #planned = new Set<Subscription>();
  readonly #onFault: (subscription: Subscription, error: unknown) => void;
  #wakeAtMs: MonoMs = NEVER;

  /** `onFault`: a flush broke off; the subscription is not planned any more. */
  constructor(onFault: (subscription: Subscription, error: unknown) => void) {
    this.#onFault = onFault;
  }

  /** When `run` is wanted; never later than the earliest flush that is due. */
  get wakeAtMs(): MonoMs {
    return this.#wakeAtMs;
  }

  /** The subscription may have become due, or may be due no more. */
  plan(subscription: Subscription): void {
    const { dueMs } = subscription;
    if (dueMs === NEVER) {
      this.#planned.delete(subscription);
    } else {
      this.#planned.add(subscription);
      this.#wakeAtMs = Math.min(this.#wakeAtMs, dueMs) as MonoMs;
    }
  }

  remove(subscription: Subscription): void {
    this.#planned.delete(subscription);
  }

  /** Flushes what is due. */
  run(now: Now): void {
    if (now.monoMs < this.#wakeAtMs) return;
    this.#wakeAtMs = NEVER;
    for (const subscription of [...this.#planned]) {
      if (this.#planned.has(subscription)) this.#flush(subscription, now);
    }
  }

  #flush(subscription: Subscription, now: Now): void {
    try {
      if (subscription.dueMs <= now.monoMs) subscription.flush(now);
      this.plan(subscription);
    } catch (error) {
      this.#planned.delete(subscription);
      this.#onFault(subscription, error);
    }
  }
}
