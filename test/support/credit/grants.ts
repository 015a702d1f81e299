import type { Allocator } from '../../../src/ingest/credit/allocator.ts';
import type { CreditPort } from '../../../src/ingest/credit/books.ts';
import { CREDIT } from '../../../src/ingest/credit/constants.ts';
import type { Pipe } from '../../../src/ingest/credit/pipe.ts';
import { LANE } from '../../../src/model/reading.ts';
import { WHY } from '../../../src/model/why.ts';
import type { Account, Lane } from './history.ts';

const LARGEST_BULK = 8256;
const LARGEST_CRITICAL = 2048;

/** Stands where ingest stands, and looks at every limit that is told. */
export class Grants implements CreditPort {
  readonly accounts = new Set<Account>();
  allocator: Allocator | null = null;
  readonly #lanes: ReadonlyMap<number, Lane>;
  readonly #told = new Map<Lane, number>();
  /** Granted to live, and to backfill while live waited, by pipe. */
  readonly #live: number[] = [];
  readonly #backfill: number[] = [];
  /** What the log takes while live waits, by pipe. */
  readonly #drained: number[] = [];
  #auditedAt = 0;

  constructor(lanes: ReadonlyMap<number, Lane>) {
    this.#lanes = lanes;
  }

  limit(channel: number, limit: number): void {
    const lane = this.#lanes.get(channel);
    if (!lane) throw new Error('C16: a grant to a channel that is not open');
    const before = this.#told.get(lane) ?? 0;
    if (!(limit > before)) throw new Error(`C2: a limit went from ${before} to ${limit}`);
    this.#told.set(lane, limit);
    const pipe = this.allocator?.books.pipes[lane.pipe] as Pipe;
    const isStopped = pipe.stopped !== WHY.none && lane.lane !== LANE.critical;
    if (isStopped) throw new Error('C9: a grant while its pipe is stopped');
    lane.granted += limit - before;
    if (lane.account) lane.account.granted += limit - before;
    this.#share(lane, limit - before, pipe);
  }

  /** C10: what the quotas let through is within burst + rate × time. */
  audit(now: number): void {
    for (const { granted, returned, rate, burst, since } of this.accounts) {
      const most = burst + rate * (now - since) + returned;
      if (granted > most + 1) throw new Error(`C10: a device was granted ${granted} of ${most}`);
    }
    for (const { lane, granted, returned, openedAt } of this.#lanes.values()) {
      if (lane !== LANE.critical) continue;
      const most = 2 * LARGEST_CRITICAL + CREDIT.criticalPerSecond * (now - openedAt) + returned;
      if (granted > most + 1) throw new Error(`C6: lane 0 was granted ${granted} of ${most}`);
    }
    for (const [at, { ring1, drain }] of this.allocator?.books.pipes.entries() ?? []) {
      if (this.allocator?.books.lists.length(ring1) === 0) continue;
      this.#drained[at] = (this.#drained[at] ?? 0) + drain.perSecond * (now - this.#auditedAt);
    }
    this.#auditedAt = now;
  }

  /** C11: while live waits, backfill gets its trickle and no more. */
  #share({ lane, pipe: at }: Lane, bytes: number, pipe: Pipe): void {
    if (lane === LANE.live) this.#live[at] = (this.#live[at] ?? 0) + bytes;
    if (lane !== LANE.backfill || this.allocator?.books.lists.length(pipe.ring1) === 0) return;
    const sum = (this.#backfill[at] ?? 0) + bytes;
    this.#backfill[at] = sum;
    const waited = (this.#live[at] ?? 0) + (this.#drained[at] ?? 0);
    const most = CREDIT.backfillSavedBytes + LARGEST_BULK + CREDIT.backfillTrickle * waited;
    if (sum > most + 1) throw new Error(`C11: backfill was granted ${sum} of ${most}`);
  }
}
