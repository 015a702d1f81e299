import type { LogState } from './shard-log.ts';

/**
 * How the Kafka log is doing: several parties (the start, the reader, each producer) may each have a
 * reason why appends wait. The first of them is told, until it is gone.
 */
export class KafkaState {
  /** Called when the state changes. */
  onState: ((state: LogState) => void) | null = null;
  readonly #reasons = new Map<string, string>();
  #state: LogState = { kind: 'ok' };

  get state(): LogState {
    return this.#state;
  }

  /** Another party waits. */
  isStalledBeside(party: string): boolean {
    return this.#reasons.size > (this.#reasons.has(party) ? 1 : 0);
  }

  /** This party waits, for this reason. */
  stall(party: string, reason: string): void {
    this.#reasons.set(party, reason);
    this.#turn();
  }

  /** This party goes on. */
  clear(party: string): void {
    if (this.#reasons.delete(party)) this.#turn();
  }

  /** Nothing will ever be appended again. */
  fail(reason: string): void {
    if (this.#state.kind === 'failed') return;
    this.#state = { kind: 'failed', reason };
    this.onState?.(this.#state);
  }

  #turn(): void {
    if (this.#state.kind === 'failed') return;
    const [reason] = this.#reasons.values();
    const before = this.#state.kind === 'stalled' ? this.#state.reason : undefined;
    if (reason === before) return;
    this.#state = reason === undefined ? { kind: 'ok' } : { kind: 'stalled', reason };
    this.onState?.(this.#state);
  }
}
