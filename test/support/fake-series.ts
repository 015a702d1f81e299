import { KEPT_WINDOWS } from '../../src/model/limits.ts';
import type { ClassId } from '../../src/model/reading.ts';
import { type EventUs, eventUs } from '../../src/model/time.ts';
import type {
  Aggregate,
  AggregateValue,
  Series,
  StatusId,
  WindowSeries,
} from '../../src/model/window.ts';

/** What a window of a fake series holds; an aggregate that is missing is one it does not have. */
export type FakeFigures = { readonly [name in Aggregate]?: AggregateValue };

interface FakeWindow {
  readonly start: EventUs;
  readonly status: StatusId;
  readonly figures: FakeFigures;
}

/** Kept windows that a test writes by hand. Keeps the newest ones, as aggregation does. */
export class FakeWindows implements WindowSeries {
  readonly series: Series;
  readonly classId: ClassId;
  readonly lengthMs = 1000;
  dropped = 0;
  readonly #keep: number;
  readonly #kept: FakeWindow[] = [];

  constructor(series: Series, classId: ClassId, keep: number) {
    this.series = series;
    this.classId = classId;
    this.#keep = keep;
  }

  get count(): number {
    return this.#kept.length;
  }

  startAt(i: number): EventUs {
    return this.#at(i).start;
  }

  indexFrom(start: EventUs): number {
    const i = this.#kept.findIndex((window) => window.start >= start);
    return i < 0 ? this.#kept.length : i;
  }

  statusAt(i: number): StatusId {
    return this.#at(i).status;
  }

  valueAt(i: number, aggregate: Aggregate): AggregateValue {
    return this.#at(i).figures[aggregate] ?? null;
  }

  /** Writes the window of a second; returns its start, for `Fanout.changed`. */
  put(second: number, figures: FakeFigures, status: StatusId = 0): EventUs {
    const start = eventUs(second * 1_000_000);
    const i = this.indexFrom(start);
    const isKept = i < this.count && this.startAt(i) === start;
    this.#kept.splice(i, isKept ? 1 : 0, { start, status, figures });
    while (this.#kept.length > this.#keep) {
      this.#kept.shift();
      this.dropped += 1;
    }
    return start;
  }

  #at(i: number): FakeWindow {
    const window = this.#kept[i];
    if (window === undefined) throw new RangeError(`window ${i} of ${this.#kept.length}`);
    return window;
  }
}

/** A series that a test made up. */
export class FakeSeries implements Series {
  readonly id: number;
  readonly topic: string;
  readonly levels: readonly string[];
  readonly device: string;
  readonly name: string;
  unit: string;
  readonly windows: (FakeWindows | undefined)[] = [undefined, undefined, undefined];
  readonly #keep: number;

  constructor(id: number, topic: string, unit = '', keep = KEPT_WINDOWS) {
    this.#keep = keep;
    this.id = id;
    this.topic = topic;
    this.levels = topic.split('/');
    this.device = this.levels.slice(0, -1).join('/');
    this.name = this.levels.at(-1) ?? '';
    this.unit = unit;
  }

  /** The windows of a class, made at first use. */
  of(classId: ClassId): FakeWindows {
    const windows = this.windows[classId] ?? new FakeWindows(this, classId, this.#keep);
    this.windows[classId] = windows;
    return windows;
  }
}
