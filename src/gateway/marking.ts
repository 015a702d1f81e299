import type { Aggregation } from '../aggregation/aggregation.ts';
import type { Presence } from '../aggregation/marks.ts';
import type { Delivery } from '../delivery/delivery.ts';
import type { Ingest } from '../ingest/ingest.ts';
import type { ClassId } from '../model/reading.ts';
import type { LogKind, LogRecord } from '../model/record.ts';
import { monoMs, type Now, wallUs } from '../model/time.ts';

/** How often marks are looked for: at most one per log and second. Units: ms. */
const MARK_MS = 1000;

/** The stages that a mark goes through. */
interface Stages {
  readonly aggregation: Aggregation;
  readonly delivery: Delivery;
  readonly ingest: Ingest;
}

/** What moves event time besides readings is a record too. Source: [R9.1-3], [R9.2-4]. */
export class Marking {
  readonly #stages: Stages;
  #dueMs = 0;
  #now: Now = { monoMs: monoMs(0), wallUs: wallUs(0) };
  /** Logs whose last mark has not been read back. Bounds: one per log. */
  readonly #onTheWay = new Set<number>();

  constructor(stages: Stages) {
    this.#stages = stages;
  }

  /** When marks are looked for next. Units: monotonic ms. */
  get wakeAtMs(): number {
    return this.#isWanted ? this.#dueMs : Number.POSITIVE_INFINITY;
  }

  /** Appends the marks that are due. */
  tick(now: Now): void {
    if (!this.#isWanted || now.monoMs < this.#dueMs) return;
    const { aggregation, delivery } = this.#stages;
    this.#dueMs = now.monoMs + MARK_MS;
    this.#now = now;
    for (const { log, shard, entries } of aggregation.dueMarks(now.wallUs, this.#presence)) {
      const place = placeOf(log, shard);
      if (this.#onTheWay.has(place)) continue;
      this.#onTheWay.add(place);
      delivery.mark(log, shard, entries, now);
    }
  }

  /** A mark was read back. */
  fed({ log, shard }: LogRecord): void {
    this.#onTheWay.delete(placeOf(log, shard));
  }

  /** While durable records wait for aggregation, nobody whose records may be among them is silent. */
  get #isWanted(): boolean {
    const { delivery, aggregation } = this.#stages;
    return delivery.isOwner && !delivery.isFeeding && !aggregation.isBehind;
  }

  readonly #presence = (path: string, classId: ClassId): Presence => {
    const { ingest } = this.#stages;
    const device = ingest.devices.find(path);
    if (!device?.session) return { kind: 'gone', since: wallUs(device?.disconnectedSince ?? 0) };
    return { kind: 'connected', isUnblocked: ingest.isUnblocked(device, classId, this.#now) };
  };
}

const placeOf = (log: LogKind, shard: number): number => shard * 2 + log;
