import type { logCreator } from 'kafkajs';
import { logLevel, protocolText } from './kafka-library.ts';

/** The same text again is kept back for this long. Units: ms. */
const QUIET_MS = 30_000;
const TEXTS_MAX = 100;
/** Topics and their leaders are there by then, or there is something to tell. Units: ms. */
const NEW_TOPICS_MS = 10_000;
/** What brokers answer while topics are made, and their own for groups at the first join of all. */
const NEW_TOPICS: ReadonlySet<string> = new Set(
  [
    'UNKNOWN_TOPIC_OR_PARTITION',
    'LEADER_NOT_AVAILABLE',
    'NOT_LEADER_FOR_PARTITION',
    'GROUP_COORDINATOR_NOT_AVAILABLE',
    'NOT_COORDINATOR_FOR_GROUP',
    'GROUP_LOAD_IN_PROGRESS',
  ].map(protocolText),
);

/**
 * Passes on what kafkajs says at level warn and above. A broker that is away makes it say the same
 * several times a second: each text comes at most once per half minute.
 * Bounds: 100 texts are remembered.
 */
export class ClientLog {
  readonly #warn: (sentence: string) => void;
  readonly #monoMs: () => number;
  readonly #said = new Map<string, number>();
  #newTopicsUntilMs: number | null = null;

  constructor(warn: (sentence: string) => void, monoMs = () => performance.now()) {
    this.#warn = warn;
    this.#monoMs = monoMs;
  }

  /**
   * A cluster has answered for the first time, and topics may have to be made: what is no trouble
   * then is not told for ten seconds. Later calls change nothing, so trouble that lasts is told.
   */
  expectNewTopics(): void {
    this.#newTopicsUntilMs ??= this.#monoMs() + NEW_TOPICS_MS;
  }

  /** For one client; what it says while `isMuted` is nobody's business. */
  creator(isMuted: () => boolean): logCreator {
    return () =>
      ({ level, log }) => {
        if (level > logLevel.WARN || isMuted()) return;
        const detail: unknown = log['error'];
        if (typeof detail === 'string' && this.#isExpected(detail)) return;
        this.say(typeof detail === 'string' ? `${log.message}: ${detail}` : log.message);
      };
  }

  /** Says it unless it was said a moment ago. */
  say(text: string): void {
    const now = this.#monoMs();
    const before = this.#said.get(text);
    if (before !== undefined && now - before < QUIET_MS) return;
    if (this.#said.size >= TEXTS_MAX) this.#said.clear();
    this.#said.set(text, now);
    this.#warn(`kafkajs: ${text}`);
  }

  #isExpected(detail: string): boolean {
    const untilMs = this.#newTopicsUntilMs;
    return untilMs !== null && this.#monoMs() < untilMs && NEW_TOPICS.has(detail);
  }
}
