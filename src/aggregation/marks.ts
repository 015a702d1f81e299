import type { ClassId } from '../model/reading.ts';
import type { LogKind } from '../model/record.ts';
import type { WallUs } from '../model/time.ts';
import type { MarkEntry } from '../wire/mark.ts';
import type { ClassState } from './class-state.ts';
import type { LogState } from './log-state.ts';
import type { Timing } from './timing.ts';

/** What the gateway knows of the device of a class. */
export type Presence =
  /** Connected; its silence means that it has nothing to say, or it may not speak. [R9.2-4] */
  | { readonly kind: 'connected'; readonly isUnblocked: boolean }
  /** Disconnected since then; after a start, since the fence. */
  | { readonly kind: 'gone'; readonly since: WallUs };

/** Tells what is known of a device's class; called only for classes that have been silent. */
export type PresenceOf = (device: string, classId: ClassId) => Presence;

/** A mark record that is due: the entries go into one record of this log. */
export interface DueMark {
  readonly log: LogKind;
  readonly shard: number;
  readonly entries: readonly MarkEntry[];
}

/**
 * Entries of one mark record; the others are still due a second later.
 * Bounds: a device path takes at most 128 bytes, so a record stays below 150 KiB.
 */
export const MARK_ENTRIES_MAX = 1000;

const NONE = Number.NEGATIVE_INFINITY;
const NEVER = Number.POSITIVE_INFINITY;

/**
 * Knows which classes a mark could move, and when one is due. Wall time comes in here and nowhere
 * else in aggregation, and leaves it only as marks.
 */
export class Marks {
  readonly #timing: Timing;
  /** Classes that had a window which was not final. */
  readonly #open = new Set<ClassState>();
  /** Classes with a wish that no mark has brought yet. */
  readonly #wishes = new Set<ClassState>();

  constructor(timing: Timing) {
    this.#timing = timing;
  }

  /** Notes that a class has a window that is not final. */
  opened(target: ClassState): void {
    this.#open.add(target);
  }

  /** Remembers the greatest watermark told for a class. */
  wish(target: ClassState, timeUs: number): void {
    if (timeUs <= Math.max(target.wishUs, target.uncappedUs)) return;
    target.wishUs = timeUs;
    this.#wishes.add(target);
  }

  /** The marks that are due at `nowUs`: of silent classes, then of wishes. */
  due(nowUs: WallUs, presenceOf: PresenceOf): DueMark[] {
    const marks = new Map<ClassState, number>();
    for (const target of this.#open) {
      if (target.open.count === 0) this.#open.delete(target);
      else {
        const markUs = this.#silenceMark(target, nowUs, presenceOf);
        if (markUs !== NONE) marks.set(target, markUs);
      }
    }
    for (const target of this.#wishes) {
      const { wishUs } = target;
      if (wishUs <= target.uncappedUs) this.#wishes.delete(target);
      else marks.set(target, Math.max(wishUs, marks.get(target) ?? NONE));
    }
    return byLog(marks);
  }

  /**
   * Where silence puts a class's watermark; −∞ if it is not idle or gone, or if that would make no
   * window final. Source: [R9.2-4], [R9.2-7].
   */
  #silenceMark(target: ClassState, nowUs: WallUs, presenceOf: PresenceOf): number {
    const { idleUs, goneUs, delayUs, aheadUs } = this.#timing;
    const silentUs = nowUs - target.lastRecvUs;
    if (silentUs < Math.min(idleUs, goneUs)) return NONE;
    const waitUs = this.#waitUs(presenceOf(target.device.path, target.classId), nowUs);
    if (silentUs < waitUs) return NONE;
    const silenceUs = target.highestUs + silentUs - delayUs - waitUs;
    const markUs = Math.min(silenceUs, target.newestEndUs);
    // The mark is a record too, so it moves the log clock: that alone may free a capped watermark.
    const clockUs = Math.max(target.log.clockUs, nowUs);
    const reachedUs = Math.min(Math.max(markUs, target.uncappedUs), clockUs + aheadUs);
    return reachedUs >= target.oldestEndUs ? markUs : NONE;
  }

  /** How long such a device has to be silent; +∞ if its silence means nothing. */
  #waitUs(presence: Presence, nowUs: WallUs): number {
    const { idleUs, goneUs } = this.#timing;
    if (presence.kind === 'gone') return nowUs - presence.since >= goneUs ? goneUs : NEVER;
    return presence.isUnblocked ? idleUs : NEVER;
  }
}

/** One record per log, in the order of the first entry of each. */
function byLog(marks: ReadonlyMap<ClassState, number>): DueMark[] {
  const entriesOf = new Map<LogState, MarkEntry[]>();
  for (const [{ device, classId, log }, markUs] of marks) {
    const entries = entriesOf.get(log) ?? [];
    if (entries.length >= MARK_ENTRIES_MAX) continue;
    entries.push({ device: device.path, class: classId, watermark: Math.floor(markUs) });
    entriesOf.set(log, entries);
  }
  return [...entriesOf].map(([{ kind: log, shard }, entries]) => ({ log, shard, entries }));
}
