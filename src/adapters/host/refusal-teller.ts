import { CODES } from '../../model/errors.ts';
import type { Logger } from './logger.ts';

/** How often the counts are looked at. Units: ms. */
const LOOK_MS = 1000;
/** A reason is told again not before this, however often it comes up. Units: ms. */
const AGAIN_MS = 60_000;

/** What was refused since the start, by code. Plain counts that only grow. */
export interface Refusals {
  /** Frames that became dead letters. */
  readonly frames: ReadonlyMap<number, number>;
  /** Upgrades that were refused, and sessions that were ended. */
  readonly connections: ReadonlyMap<number, number>;
}

type Kind = keyof Refusals;

/** A reason that was told. */
interface Told {
  count: number;
  atMs: number;
}

const SENTENCES: Readonly<Record<Kind, string>> = {
  frames: 'frames are refused, `tidegate tail --topic rejects` shows them',
  connections: 'connections are refused or ended',
};

/**
 * Tells whoever reads the process's log what is refused: one line for each reason, with how many
 * there were since the last one. It looks at counts, so no device can flood the log.
 * Bounds: a line a minute for each code of the protocol and kind.
 */
export class RefusalTeller {
  readonly #logger: Pick<Logger, 'info' | 'warn'>;
  readonly #read: () => Refusals;
  readonly #told = new Map<string, Told>();
  #timer: NodeJS.Timeout | undefined;

  constructor(logger: Pick<Logger, 'info' | 'warn'>, read: () => Refusals) {
    this.#logger = logger;
    this.#read = read;
  }

  /** Looks at the counts from now on. */
  start(): void {
    this.#timer = setInterval(() => this.#look(AGAIN_MS), LOOK_MS).unref();
  }

  /** Tells what is still to be told, and ends. */
  stop(): void {
    clearInterval(this.#timer);
    this.#look(0);
  }

  #look(againMs: number): void {
    const refusals = this.#read();
    for (const kind of ['frames', 'connections'] as const) {
      for (const [code, count] of refusals[kind]) this.#turn(kind, code, { count, againMs });
    }
  }

  #turn(kind: Kind, code: number, { count, againMs }: { count: number; againMs: number }): void {
    const level = levelOf(code);
    const key = `${kind} ${code}`;
    const nowMs = performance.now();
    const told = this.#told.get(key) ?? { count: 0, atMs: Number.NEGATIVE_INFINITY };
    if (level === null || count === told.count || nowMs - told.atMs < againMs) return;
    const more = count - told.count;
    this.#told.set(key, { count, atMs: nowMs });
    this.#logger[level]({ code, [kind]: more }, `${SENTENCES[kind]}: ${reasonOf(code)}`);
  }
}

const isCode = (code: number): code is keyof typeof CODES => Object.hasOwn(CODES, code);

/** What a peer has to mend is a warning; that one moves on, or says goodbye, is not worth a line. */
function levelOf(code: number): 'warn' | 'info' | null {
  const policy = isCode(code) ? CODES[code].policy : 'A';
  if (policy === 'A' || policy === 'drop') return 'warn';
  return policy === 'B' ? 'info' : null;
}

const reasonOf = (code: number): string => (isCode(code) ? CODES[code].sentence : `HTTP ${code}`);
