import type { LogState } from '../log/shard-log.ts';
import type { Logger } from './logger.ts';

/** A reason that others precede is told only if it stands for so long. Units: ms. */
const STANDS_MS = 1000;
/** The first reminder of an outage; each later one comes after twice the time. Units: ms. */
const REMINDER_MS = 30_000;
const REMINDER_MS_MAX = 600_000;
/** Different reasons told of one outage; others appear in reminders alone. */
const REASONS_MAX = 20;

/** A log that takes nothing just now. */
interface Outage {
  readonly sinceMs: number;
  readonly told: Set<string>;
  remindMs: number;
  reason: string;
}

/**
 * Tells whoever reads the process's log how the log of truth is doing: that it takes nothing and
 * why, each reason once per outage, a reminder now and then, and that it is over. A reason may change
 * with every attempt, many times a minute.
 * A failed log is left to whoever ends the process: it is told once, with the exit.
 */
export class LogTeller {
  readonly #logger: Pick<Logger, 'info' | 'error'>;
  #outage: Outage | null = null;
  #standing: NodeJS.Timeout | undefined;
  #reminder: NodeJS.Timeout | undefined;

  constructor(logger: Pick<Logger, 'info' | 'error'>) {
    this.#logger = logger;
  }

  /** The state of the log changed. */
  turn(state: LogState): void {
    clearTimeout(this.#standing);
    if (state.kind === 'stalled') this.#stalled(state.reason);
    else this.#over(state.kind === 'ok');
  }

  #stalled(reason: string): void {
    if (this.#outage) {
      this.#outage.reason = reason;
      this.#standing = later(STANDS_MS, () => this.#tell());
      return;
    }
    const sinceMs = performance.now();
    this.#outage = { sinceMs, told: new Set(), remindMs: REMINDER_MS, reason };
    this.#tell();
    this.#remindLater();
  }

  #over(isGood: boolean): void {
    clearTimeout(this.#reminder);
    const outage = this.#outage;
    this.#outage = null;
    if (!outage || !isGood) return;
    const waitedMs = Math.round(performance.now() - outage.sinceMs);
    this.#logger.info({ waitedMs }, 'the log takes records again');
  }

  #tell(): void {
    if (!this.#outage) return;
    const { told, reason } = this.#outage;
    if (told.has(reason) || told.size >= REASONS_MAX) return;
    told.add(reason);
    const sentence = `${reason}; it is tried again and again, devices keep what they have`;
    this.#logger.error({ state: 'stalled' }, sentence);
  }

  #remindLater(): void {
    this.#reminder = later(this.#outage?.remindMs ?? 0, () => {
      if (!this.#outage) return;
      const { sinceMs, reason } = this.#outage;
      const waitedMs = Math.round(performance.now() - sinceMs);
      this.#logger.error({ state: 'stalled', waitedMs }, `still: ${reason}`);
      this.#outage.remindMs = Math.min(REMINDER_MS_MAX, this.#outage.remindMs * 2);
      this.#remindLater();
    });
  }
}

const later = (ms: number, step: () => void): NodeJS.Timeout => setTimeout(step, ms).unref();
