import type { LogKind, LogRecord } from '../model/record.ts';
import type { StatusId } from '../model/window.ts';
import type { ClassState } from './class-state.ts';
import type { Cause } from './sink.ts';
import type { WindowStore } from './window-store.ts';

/** A window whose results are to be given. */
export interface DueWindow {
  readonly target: ClassState;
  readonly start: number;
  readonly stores: readonly WindowStore[];
  readonly status: StatusId;
}

/**
 * How far the results of the last record of a log have been given. Nothing is copied for it: the
 * figures stay in their windows, which do not change before the next record of this log is applied.
 * Bounds: the corrections of one frame, and one window.
 */
export class Emission {
  /** There are more results of the record to give. */
  isPending = false;
  /** The window that is being given, and how many of its series have been. */
  window: DueWindow | null = null;
  given = 0;
  readonly #log: LogKind;
  readonly #shard: number;
  #offset = 0;
  #index = 0;
  #corrections: readonly DueWindow[] = [];
  #corrected = 0;

  constructor(log: LogKind, shard: number) {
    this.#log = log;
    this.#shard = shard;
  }

  /** From here on results are caused by this record; nothing of an earlier one may be pending. */
  begin({ offset }: LogRecord): void {
    this.#offset = offset;
    this.#index = 0;
  }

  /** These windows come before whatever became final. */
  correct(corrections: readonly DueWindow[]): void {
    this.#corrections = corrections;
    this.#corrected = 0;
  }

  /** The next window that was corrected. */
  nextCorrection(): DueWindow | null {
    const next = this.#corrections[this.#corrected];
    if (next === undefined) {
      this.#corrections = [];
      this.#corrected = 0;
      return null;
    }
    this.#corrected += 1;
    return next;
  }

  /** The cause of the next result. */
  cause(): Cause {
    const cause = { log: this.#log, shard: this.#shard, offset: this.#offset, index: this.#index };
    this.#index += 1;
    return cause;
  }

  /** A fault of ours broke it off: what is left of it is given up. */
  clear(): void {
    this.isPending = false;
    this.window = null;
    this.#corrections = [];
    this.#corrected = 0;
  }
}
