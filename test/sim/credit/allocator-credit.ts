import { Allocator } from '../../../src/ingest/credit/allocator.ts';
import { oneOf } from '../../../src/ingest/credit/reserve.ts';
import { FRAME_BYTES_MAX } from '../../../src/model/limits.ts';
import type { Credit, CreditOptions, Opening, Row } from './credit-port.ts';
import type { LaneNumber } from './measures.ts';

const MS_PER_SECOND = 1000;
const NONE = -1;
const ONE_LIVE = oneOf(FRAME_BYTES_MAX[1] as number);
const mfOf = (lane: LaneNumber): number => FRAME_BYTES_MAX[lane] ?? 0;

/** The allocator that ships, told what ingest would tell it. */
export const makeCredit = (options: CreditOptions): Credit => new AllocatorCredit(options);

class AllocatorCredit implements Credit {
  readonly #allocator: Allocator;
  readonly #nowMs: () => number;
  /** Quotas of sessions, shared by their bulk lanes. */
  readonly #quotas = new Map<number, number>();
  readonly #quotaOf = new Map<Row, number>();

  constructor({ nowMs, pipes, raised, budgetBytes, sessions }: CreditOptions) {
    this.#nowMs = nowMs;
    const port = { limit: raised };
    const given = sessions === undefined ? {} : { sessions };
    this.#allocator = new Allocator({ budgetBytes, ...given, pipes, port });
  }

  open(opening: Opening): Row {
    const { lane, carry, pipe, weight } = opening;
    const quota = this.#quota(opening);
    const channel = this.#allocator.open(
      { lane, mf: mfOf(lane), carry, pipe, weight, ...(quota === undefined ? {} : { quota }) },
      this.#nowS,
    );
    if (quota !== undefined) this.#quotaOf.set(channel, quota);
    return channel;
  }

  close(row: Row): void {
    this.#allocator.close(row);
    const quota = this.#quotaOf.get(row);
    this.#quotaOf.delete(row);
    if (quota === undefined || [...this.#quotaOf.values()].includes(quota)) return;
    this.#allocator.closeQuota(quota, this.#nowS);
  }

  frame(row: Row, cost: number, backlog: number | undefined): void {
    this.#allocator.frame(row, cost, backlog ?? NONE, this.#nowS);
  }

  settled(row: Row, cost: number, isDuplicate: boolean): void {
    if (isDuplicate) this.#allocator.duplicate(row, cost);
    else this.#allocator.settled(row, cost);
  }

  orphanSettled(pipe: number, lane: LaneNumber, successor: Row | undefined, cost: number): void {
    this.#allocator.orphanSettled({ pipe, lane, growth: 1 }, successor ?? NONE, cost);
  }

  appended(pipe: number, isLane0: boolean, bytes: number, tookMs: number): void {
    const append = { isLane0, bytes, tookS: tookMs / MS_PER_SECOND };
    this.#allocator.appended(pipe, append, this.#nowS);
  }

  backlog(row: Row, bytes: number): void {
    this.#allocator.backlog(row, bytes);
  }

  pong(rows: readonly Row[], ms: number): void {
    for (const row of rows) this.#allocator.pong(row, ms / MS_PER_SECOND);
  }

  late(pipe: number, ms: number): void {
    this.#allocator.late(pipe, ms / MS_PER_SECOND);
  }

  serve(): void {
    this.#allocator.serve(this.#nowS);
  }

  batchBytesMax(pipe: number): number {
    return this.#allocator.batchAtMost(pipe, this.#nowS);
  }

  /** T, or what the least amount in play and a frame take to drain if that is longer. CREDIT §8. */
  get targetMs(): number {
    const { pipes, constants } = this.#allocator.books;
    const all = pipes.map(({ drain }) => {
      return Math.max(drain.targetS, (constants.leastBytes + ONE_LIVE) / drain.perSecond);
    });
    return Math.max(...all) * MS_PER_SECOND;
  }

  get #nowS(): number {
    return this.#nowMs() / MS_PER_SECOND;
  }

  #quota({ session, lane, quota }: Opening): number | undefined {
    if (!quota || lane === 0) return undefined;
    const { bytesPerSecond, burst } = quota;
    const row =
      this.#quotas.get(session) ?? this.#allocator.openQuota(bytesPerSecond, burst, this.#nowS);
    this.#quotas.set(session, row);
    return row;
  }
}
