import type { StoredDeadLetter } from '../adapters/log/dead-letter-codec.ts';
import type { DecodedBlock } from '../consumer/frame-decoder.ts';
import type { Verdict } from '../consumer/record-filter.ts';
import type { LogRecord } from '../model/record.ts';
import type { MarkEntry } from '../wire/mark.ts';
import type { RecordHeader } from '../wire/record-header.ts';

/** What a record says besides its header. */
export type RecordBody =
  | {
      readonly kind: 'frame';
      readonly blocks: readonly DecodedBlock[];
      readonly wm: number | undefined;
    }
  | { readonly kind: 'fence'; readonly node: string }
  | { readonly kind: 'mark'; readonly marks: readonly MarkEntry[] }
  | { readonly kind: 'stub'; readonly code: number };

/** A record of a readings or alarms log, ready to be shown. It holds only until the next one. */
export interface RecordEntry {
  readonly record: LogRecord;
  readonly header: RecordHeader;
  readonly verdict: Verdict;
  readonly body: RecordBody;
  /** Why the body is empty, where it should not be. */
  readonly error: string | undefined;
}

/** A window result, with its place in the aggregates log. */
export interface ResultEntry {
  readonly shard: number;
  readonly offset: number;
  /** The result as it stands in the log: a `WindowResult`. */
  readonly json: string;
  /** It was read before: an append whose answer was lost is made again. */
  readonly isCopy: boolean;
}

/** How `tail` shows what it finds: as JSON or for humans. One line or several, without the last newline. */
export interface TailFormat {
  record(entry: RecordEntry): string;
  result(entry: ResultEntry): string;
  deadLetter(letter: StoredDeadLetter): string;
}
