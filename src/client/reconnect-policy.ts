/** How a connection, or the attempt to open one, ended. */
export interface Ending {
  /** Close code, code of `away`, or 0 if there was neither (no TCP, no TLS, an HTTP answer). */
  readonly code: number;
  /** HTTP status of a refused upgrade; 0 if there was none. */
  readonly status: number;
  /** `w` of `away` or Retry-After. Units: ms; undefined if the server named none. */
  readonly waitMs?: number | undefined;
  /** `away` named a frame, which is dropped: the rest may go on. [R10.1-7] */
  readonly isPoison?: boolean | undefined;
  /** For humans, from the server or the operating system. */
  readonly message: string;
}

/** What to do next. */
export interface Verdict {
  /** Units: ms; Infinity: do not reconnect. */
  readonly waitMs: number;
  /** Forget the epoch and renumber what is retained. Source: [R4.2-6]. */
  readonly isNewEpoch: boolean;
}

/** What a reconnect policy depends on. */
export interface ReconnectOptions {
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Nobody watches: policy A tries again after an hour instead of stopping. */
  readonly isUnattended: boolean;
  /** Each connection gets a new credential, so 4003 is worth one retry. */
  readonly canRenew: boolean;
}

/** The longest and the first step of the exponential back-off. Units: ms. */
const BACKOFF_MS_MAX = 60_000;
const BACKOFF_MS = 1000;
/** Beyond this many doublings the maximum is reached. */
const DOUBLINGS_MAX = 6;
/** Where the server names no `w`. Units: ms. */
const MOVE_SPREAD_MS = 10_000;
/** Policy A of an unattended device: one hour and some minutes. Units: ms. */
const FIX_FIRST_MS = 3_600_000;
const FIX_FIRST_SPREAD_MS = 600_000;
/** After 4104: the first spread, then the first and the longest wait. Units: ms. */
const TAKEN_OVER_SPREAD_MS = 5000;
const TAKEN_OVER_MS = 30_000;
const TAKEN_OVER_MS_MAX = 300_000;
/** A second 4008 within this time is our bug. Units: ms. */
const GAP_ONCE_MS = 3_600_000;

const FIX_FIRST: ReadonlySet<number> = new Set([1002, 1003, 1007, 1009]);
const MOVE: ReadonlySet<number> = new Set([1001, 1012]);

/** The policy of a code by its range. Source: PROTOCOL §10.3; an unknown code: [R13-2]. */
export function policyOf(code: number): 'A' | 'B' | 'C' {
  if (FIX_FIRST.has(code) || (code >= 4000 && code < 4100)) return 'A';
  if (MOVE.has(code) || (code >= 4200 && code < 4300)) return 'C';
  return 'B';
}

/** The code that an HTTP status of a refused upgrade stands for; 0: none, policy B. [R10.3-5] */
export function codeOfStatus(status: number): number {
  if (status === 400) return 4000;
  if (status === 401) return 4003;
  return status === 403 ? 4004 : 0;
}

/**
 * When to connect again.
 * Guarantee: failures in a row wait longer and longer until a session was healthy.
 * Source: PROTOCOL §10.3.
 */
export class ReconnectPolicy {
  readonly #options: ReconnectOptions;
  /** Failures since the last healthy session: `k`. */
  #failures = 0;
  #takeovers = 0;
  #isRenewed = false;
  #gapAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: ReconnectOptions) {
    this.#options = options;
  }

  /** Failures in a row, for a status display. */
  get failures(): number {
    return this.#failures;
  }

  /** The server said `welcome`: the credential is good. */
  welcomed(): void {
    this.#isRenewed = false;
  }

  /** A session lived for 60 s. Source: [R10.3-4]. */
  healthy(): void {
    this.#failures = 0;
    this.#takeovers = 0;
  }

  /** Decides what follows an ending. `hadEpoch`: the device has an epoch to forget. */
  next(ending: Ending, nowMs: number, hadEpoch: boolean): Verdict {
    if (ending.isPoison) return this.#backOff(ending);
    const code = ending.code === 0 ? codeOfStatus(ending.status) : ending.code;
    if (code === 4007) return this.#staleEpoch(ending, hadEpoch);
    if (code === 4008) return this.#gap(nowMs);
    if (code === 4003) return this.#unauthenticated();
    if (code === 4104) return this.#takenOver();
    const policy = policyOf(code);
    if (policy === 'A') return this.#fixFirst();
    return policy === 'B' ? this.#backOff(ending) : this.#move(ending);
  }

  #uniform(belowMs: number): number {
    return this.#options.random() * belowMs;
  }

  #backOff(ending: Ending): Verdict {
    const spread = Math.min(
      BACKOFF_MS_MAX,
      BACKOFF_MS * 2 ** Math.min(this.#failures, DOUBLINGS_MAX),
    );
    this.#failures += 1;
    return { waitMs: (ending.waitMs ?? 0) + this.#uniform(spread), isNewEpoch: false };
  }

  #move(ending: Ending): Verdict {
    return { waitMs: this.#uniform(ending.waitMs ?? MOVE_SPREAD_MS), isNewEpoch: false };
  }

  #fixFirst(): Verdict {
    const waitMs = this.#options.isUnattended
      ? FIX_FIRST_MS + this.#uniform(FIX_FIRST_SPREAD_MS)
      : Number.POSITIVE_INFINITY;
    return { waitMs, isNewEpoch: false };
  }

  /** A server that calls a new epoch stale is broken: retried at once it would be asked for ever. */
  #staleEpoch(ending: Ending, hadEpoch: boolean): Verdict {
    return hadEpoch ? { waitMs: 0, isNewEpoch: true } : this.#backOff(ending);
  }

  #gap(nowMs: number): Verdict {
    const isAgain = nowMs - this.#gapAtMs < GAP_ONCE_MS;
    this.#gapAtMs = nowMs;
    return isAgain ? this.#fixFirst() : { waitMs: 0, isNewEpoch: true };
  }

  #unauthenticated(): Verdict {
    if (!this.#options.canRenew || this.#isRenewed) return this.#fixFirst();
    this.#isRenewed = true;
    return { waitMs: 0, isNewEpoch: false };
  }

  /** Two devices that share a credential must not throw each other out at full speed. [R10.3-7] */
  #takenOver(): Verdict {
    const again = this.#takeovers;
    this.#takeovers += 1;
    const waitMs =
      again === 0
        ? this.#uniform(TAKEN_OVER_SPREAD_MS)
        : Math.min(TAKEN_OVER_MS_MAX, TAKEN_OVER_MS * 2 ** Math.min(again - 1, DOUBLINGS_MAX));
    return { waitMs, isNewEpoch: false };
  }
}
