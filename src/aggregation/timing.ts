import {
  FUTURE_MS,
  GONE_MS,
  IDLE_MS,
  LATENESS_MS,
  WATERMARK_AHEAD_MS,
  WATERMARK_DELAY_MS,
} from '../model/limits.ts';

/** The figures of PROTOCOL §9 that a deployment may choose. Units: ms. */
export interface TimingOptions {
  readonly windowMs?: number;
  readonly delayMs?: number;
  readonly latenessMs?: number;
  readonly futureMs?: number;
  readonly idleMs?: number;
  readonly goneMs?: number;
}

/** The same figures as event time is counted. Units: µs, but for `windowMs`. */
export interface Timing {
  readonly windowMs: number;
  readonly windowUs: number;
  readonly delayUs: number;
  readonly latenessUs: number;
  readonly futureUs: number;
  readonly idleUs: number;
  readonly goneUs: number;
  readonly aheadUs: number;
}

const DEFAULT_WINDOW_MS = 1000;
const US_PER_MS = 1000;

/** Fills in the defaults of PROTOCOL §9 and converts to µs. */
export function timingOf(options: TimingOptions): Timing {
  const windowMs = options.windowMs ?? DEFAULT_WINDOW_MS;
  return {
    windowMs,
    windowUs: windowMs * US_PER_MS,
    delayUs: (options.delayMs ?? WATERMARK_DELAY_MS) * US_PER_MS,
    latenessUs: (options.latenessMs ?? LATENESS_MS) * US_PER_MS,
    futureUs: (options.futureMs ?? FUTURE_MS) * US_PER_MS,
    idleUs: (options.idleMs ?? IDLE_MS) * US_PER_MS,
    goneUs: (options.goneMs ?? GONE_MS) * US_PER_MS,
    aheadUs: WATERMARK_AHEAD_MS * US_PER_MS,
  };
}

/**
 * The start of the window of length `windowUs` that holds `timeUs`; −∞ stays −∞. The remainder of
 * two floats is exact, a quotient is not.
 */
export const windowStart = (timeUs: number, windowUs: number): number =>
  timeUs === Number.NEGATIVE_INFINITY ? timeUs : timeUs - (timeUs % windowUs);
