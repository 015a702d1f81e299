import type { ClassId } from '../model/reading.ts';
import type { EventUs } from '../model/time.ts';
import type { Series, WindowSeries } from '../model/window.ts';
import type { Draft } from './draft.ts';

/** Nothing of a class changed since the last flush. */
const CLEAN = Number.POSITIVE_INFINITY;
const CLASSES: readonly ClassId[] = [0, 1, 2];

/** The subscription of a member, as far as the member knows it. */
export interface MemberOwner {
  /** Window length. Units: ms. */
  readonly lengthMs: number;
  /** The member was clean and is changed now. */
  touched(member: Member): void;
  /** The series is no more. */
  drop(member: Member): void;
}

/**
 * A series under its number on one subscription. Per class it keeps one number, the start of the
 * oldest window changed since the last flush, and no queue. Source: [R11.2-3].
 */
export class Member {
  readonly owner: MemberOwner;
  readonly series: Series;
  /** Number of the series on the connection. */
  readonly number: number;
  /** Where it stands in the list of its series, kept by `SeriesIndex`. */
  slot = -1;
  /** Waiting: changed, and `r` has passed. Resting: `r` may not have passed since the last flush. */
  place: 'idle' | 'waiting' | 'resting' | 'removed' = 'idle';
  /** The peer knows its number. */
  isDefined = false;
  isDirty = false;
  /** When its last change was sent. Units: monotonic ms. */
  flushedAtMs = Number.NEGATIVE_INFINITY;
  readonly #from: [number, number, number] = [CLEAN, CLEAN, CLEAN];
  /** Which window that is, counted over all the store ever kept: what was dropped since is lost. */
  readonly #ordinal: [number, number, number] = [0, 0, 0];

  constructor(owner: MemberOwner, series: Series, number: number) {
    this.owner = owner;
    this.series = series;
    this.number = number;
  }

  /** A kept window changed. The one call that every changed window of every record makes. */
  changed(windows: WindowSeries, start: EventUs): void {
    if (windows.lengthMs !== this.owner.lengthMs) return;
    if (start < this.#from[windows.classId]) {
      this.#from[windows.classId] = start;
      this.#ordinal[windows.classId] = windows.dropped + windows.indexFrom(start);
    }
    if (this.isDirty) return;
    this.isDirty = true;
    this.owner.touched(this);
  }

  /** Marks the picture: per class the newest window and those at most `histUs` before it. [R11.1-4] */
  depict(histUs: number): void {
    for (const windows of this.series.windows) {
      if (windows === undefined || windows.count === 0) continue;
      const newest = windows.startAt(windows.count - 1);
      const first = windows.indexFrom((newest - histUs) as EventUs);
      this.changed(windows, windows.startAt(first));
    }
  }

  /**
   * Passes the changed windows to the draft, oldest first; what does not fit stays changed.
   * Returns how many windows are not kept any more and are lost to this subscriber.
   */
  drainInto(draft: Draft): number {
    let lost = 0;
    this.isDirty = false;
    for (const classId of CLASSES) {
      const windows = this.series.windows[classId];
      if (this.#from[classId] === CLEAN) continue;
      if (windows !== undefined && windows.count > 0) {
        lost += this.#skipForgotten(windows);
        this.#from[classId] = this.#drainClass(windows, draft);
      } else {
        this.#from[classId] = CLEAN;
      }
      if (this.#from[classId] !== CLEAN) {
        this.isDirty = true;
        break;
      }
    }
    return lost;
  }

  /** Moves on to the kept windows; returns how many are passed over. */
  #skipForgotten(windows: WindowSeries): number {
    const lost = windows.dropped - this.#ordinal[windows.classId];
    if (lost <= 0) return 0;
    this.#from[windows.classId] = windows.startAt(0);
    this.#ordinal[windows.classId] = windows.dropped;
    return lost;
  }

  /** Returns the start of the first window that did not fit, or `CLEAN`. */
  #drainClass(windows: WindowSeries, draft: Draft): number {
    const from = this.#from[windows.classId] as EventUs;
    for (let i = windows.indexFrom(from); i < windows.count; i += 1) {
      if (draft.add(windows, i, this.number)) continue;
      this.#ordinal[windows.classId] = windows.dropped + i;
      return windows.startAt(i);
    }
    return CLEAN;
  }
}
