import { invariant } from '../model/invariant.ts';
import type { Series } from '../model/window.ts';
import type { Member } from './member.ts';

/** A series and the subscriptions that hold it. */
export interface Watch {
  readonly series: Series;
  /** In no order. */
  readonly members: Member[];
  /** When its last change was heard of; NaN if no clock was known yet. Units: monotonic ms. */
  heardMs: number;
}

/**
 * The series that fan-out knows, by number and by topic.
 * Bounds: the series that aggregation has, and one small integer for each one gone.
 */
export class SeriesIndex {
  readonly #byId: (Watch | undefined)[] = [];
  readonly #byTopic = new Map<string, Watch>();
  /** Numbers of the series that were removed for silence; aggregation may still list them. */
  readonly #gone = new Set<number>();

  /** The watch of a series, if there is one. */
  get(series: Series): Watch | undefined {
    return this.#byId[series.id];
  }

  /** The series was removed and has not been heard of since. */
  isGone(series: Series): boolean {
    return this.#gone.has(series.id);
  }

  /** Another series that has the same topic: an earlier life of this one. */
  predecessorOf(series: Series): Watch | undefined {
    const watch = this.#byTopic.get(series.topic);
    return watch?.series === series ? undefined : watch;
  }

  add(series: Series, nowMs: number): Watch {
    const watch: Watch = { series, members: [], heardMs: nowMs };
    this.#gone.delete(series.id);
    this.#byId[series.id] = watch;
    this.#byTopic.set(series.topic, watch);
    return watch;
  }

  remove(watch: Watch): void {
    this.#byId[watch.series.id] = undefined;
    this.#byTopic.delete(watch.series.topic);
    this.#gone.add(watch.series.id);
  }

  /** The series that were not heard of for `goneMs`. */
  silent(nowMs: number, goneMs: number): readonly Watch[] {
    const silent: Watch[] = [];
    for (const watch of this.#byTopic.values()) {
      if (Number.isNaN(watch.heardMs)) watch.heardMs = nowMs;
      else if (watch.heardMs + goneMs <= nowMs) silent.push(watch);
    }
    return silent;
  }

  /** Enters a member in the list of its series. */
  attach(member: Member): void {
    const watch = this.get(member.series);
    invariant(watch !== undefined, 'a member of a series that is not watched');
    member.slot = watch.members.length;
    watch.members.push(member);
  }

  /** Takes a member out of the list of its series, in O(1). */
  detach(member: Member): void {
    const members = this.get(member.series)?.members;
    const last = members?.pop();
    if (members === undefined || last === undefined || last === member) return;
    members[member.slot] = last;
    last.slot = member.slot;
  }
}
