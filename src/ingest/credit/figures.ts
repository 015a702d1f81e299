import { LANE } from '../../model/reading.ts';
import type { Books } from './books.ts';

/** What was granted since the start, by kind of lane. Units: bytes of cost. */
export interface GrantedBytes {
  readonly alarms: number;
  readonly live: number;
  readonly backfill: number;
}

/** What credit is made of just now, for `/metrics` and the page. Units: bytes and seconds. */
export interface CreditFigures {
  /** What the log takes a second. */
  readonly drainBytesPerSecond: number;
  /** The delay before the log that saturation keeps. */
  readonly targetS: number;
  /** The delay before the log now. */
  readonly delayS: number;
  /** Bulk that waits for the log or is in its append. */
  readonly queuedBytes: number;
  /** Bulk that was granted less than a round trip ago. */
  readonly comingBytes: number;
  /** How much of both there may be. */
  readonly inPlayMostBytes: number;
  readonly poolUsedBytes: number;
  readonly poolSizeBytes: number;
  /** Lanes that wait for credit, by where. */
  readonly waiting: {
    readonly alarms: number;
    readonly live: number;
    readonly backfill: number;
    readonly quota: number;
  };
  /** What was granted since the start. */
  readonly granted: GrantedBytes;
}

/** The figures of these books. */
export function figuresOf(books: Books): CreditFigures {
  const { pipes, memory, lists } = books;
  const [pipe] = pipes;
  if (!pipe) throw new Error('an allocator has at least one pipe');
  const [alarms, live, backfill] = [pipe.ring0, pipe.ring1, pipe.ring2].map((ring) =>
    lists.length(ring),
  ) as [number, number, number];
  return {
    drainBytesPerSecond: pipe.drain.perSecond,
    targetS: pipe.drain.targetS,
    delayS: pipe.delayS,
    queuedBytes: pipe.queued,
    comingBytes: pipe.arrivals.bytes,
    inPlayMostBytes: pipe.inPlayMost,
    poolUsedBytes: memory.used,
    poolSizeBytes: memory.size,
    waiting: { alarms, live, backfill, quota: lists.total - alarms - live - backfill },
    granted: grantedOf(books),
  };
}

/** Lane 3, other sources, is live too. */
function grantedOf({ grantedBytes }: Books): GrantedBytes {
  const of = (lane: number) => grantedBytes[lane] as number;
  return {
    alarms: of(LANE.critical),
    live: of(LANE.live) + of(LANE.source),
    backfill: of(LANE.backfill),
  };
}
