import type { Ending } from './reconnect-policy.ts';

/** Where the server names no `w`. Units: ms. Source: [R10.1-5]. */
const SPREAD_MS = 10_000;

/** An `away` with `dl`: the server serves on for a while, and the client picks its moment to go. */
export class Drain {
  readonly ending: Ending;
  /** Where the server wants the client to go next. */
  readonly to: string | undefined;
  /** From then on no frame is sent. */
  readonly quietAtMs: number;
  /** Acks are waited for until then. */
  readonly deadlineMs: number;

  constructor(
    away: { readonly ending: Ending; readonly to: string | undefined; readonly dl: number },
    nowMs: number,
    random: () => number,
  ) {
    this.ending = away.ending;
    this.to = away.to;
    this.quietAtMs = nowMs + random() * Math.min(away.ending.waitMs ?? SPREAD_MS, away.dl);
    this.deadlineMs = nowMs + away.dl;
  }

  isQuiet(nowMs: number): boolean {
    return nowMs >= this.quietAtMs;
  }
}
