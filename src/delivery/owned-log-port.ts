import type { RecordBatch } from '../model/batch.ts';
import type { Settlement } from '../model/frame.ts';
import type { LogKind, LogRecord } from '../model/record.ts';
import type { Now } from '../model/time.ts';
import type { RecordHeader } from '../wire/record-header.ts';
import type { Gap } from './continuity.ts';

/** Somebody else writes our log, or the log itself takes nothing more. */
export type Broken = 'deposed' | 'log failed';

/** What an owned log asks for and tells. All calls are synchronous. */
export interface OwnedLogPort {
  /** Append this batch; answer with `appended` or `failed`. */
  append(log: LogKind, batch: RecordBatch): void;
  /** Read these offsets; answer with `recordRead` and `readEnd`, or `failed`. */
  read(log: LogKind, gaps: readonly Gap[]): void;
  /** What is under way on old connections is abandoned. */
  renew(log: LogKind): void;
  /** A row of ours became durable. */
  settled(settlement: Settlement): void;
  /** An append is done and its rows are settled: how much they cost, and how long it took. */
  appendDone(log: LogKind, cost: number, tookMs: number): void;
  /**
   * A valid record, in log order: read, or just made durable. False: it takes more than a step may, and
   * is to be told again in a later one; never of what was read, for that has no limit.
   */
  fed(record: LogRecord, header: RecordHeader): boolean;
  /** False: the next record of this shard has to wait for another step. */
  mayFeed(log: LogKind, shard: number): boolean;
  /** Every shard of this log has been read to its own fence, for the first time or again. */
  owned(log: LogKind, now: Now): void;
  /** Nothing may be acknowledged any more. */
  broken(cause: Broken, reason: string): void;
}

/** What an owned log needs to know. */
export interface OwnedLogOptions {
  readonly log: LogKind;
  readonly shards: number;
  readonly node: string;
  readonly own: Uint8Array;
  readonly lingerMs: number;
  /** Rows had better gather than be appended now; absent: never. */
  readonly isBusy?: () => boolean;
  /** After a failed append the start path may be taken again. */
  readonly isRecoverable: () => boolean;
  /** Generation of the fence that makes this shard ours for the first time. */
  readonly firstGen: (shard: number) => number;
  readonly port: OwnedLogPort;
}
