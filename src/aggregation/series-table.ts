import { topicOf } from '../model/reading.ts';
import type { Series } from '../model/window.ts';
import type { BoundColumn } from './bound-set.ts';
import type { ClassState } from './class-state.ts';
import type { OwnedSeries } from './device.ts';
import { WindowStore } from './window-store.ts';

/**
 * All series that have a reading, in the order in which they appeared.
 * Bounds: `storesMax` (series, class) per log, decided in the log's order. Source: [R9.1-4].
 */
export class SeriesTable {
  readonly #all: OwnedSeries[] = [];
  readonly #byTopic = new Map<string, OwnedSeries>();
  readonly #storesMax: number;
  readonly #windowMs: number;

  constructor(storesMax: number, windowMs: number) {
    this.#storesMax = storesMax;
    this.#windowMs = windowMs;
  }

  get count(): number {
    return this.#all.length;
  }

  values(): IterableIterator<Series> {
    return this.#all.values();
  }

  /** The series that appeared from the n-th on. */
  from(n: number): readonly Series[] {
    return this.#all.slice(n);
  }

  byTopic(topic: string): Series | undefined {
    return this.#byTopic.get(topic);
  }

  /** The windows of a column's series in a class, new if need be; null if the log's limit is hit. */
  storeOf(target: ClassState, column: BoundColumn): WindowStore | null {
    const known = target.device.series.get(column.name);
    const store = known?.windows[target.classId];
    if (store !== undefined) return store;
    if (target.log.storeCount >= this.#storesMax) return null;
    const series = known ?? this.#add(target, column);
    const added = new WindowStore(series, target.classId, this.#windowMs);
    series.windows[target.classId] = added;
    target.log.storeCount += 1;
    return added;
  }

  #add(target: ClassState, column: BoundColumn): OwnedSeries {
    const { device } = target;
    const topic = topicOf(device.path, '', column.name);
    const series: OwnedSeries = {
      id: this.#all.length,
      topic,
      levels: topic.split('/'),
      device: device.path,
      name: column.name,
      unit: column.unit,
      windows: device.classes.map(() => undefined),
    };
    device.series.set(series.name, series);
    this.#all.push(series);
    this.#byTopic.set(topic, series);
    return series;
  }
}
