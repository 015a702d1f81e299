/** Token buckets by row. Units: bytes and seconds. Source: CREDIT §5.6. */
export class QuotaRows {
  readonly #rate: number[] = [];
  readonly #burst: number[] = [];
  readonly #tokens: number[] = [];
  readonly #at: number[] = [];
  readonly #free: number[] = [];

  /** Buckets in use. */
  get inUse(): number {
    return this.#rate.length - this.#free.length;
  }

  /** A new bucket with these tokens in it. */
  open(rate: number, burst: number, tokens: number, now: number): number {
    const row = this.#free.pop() ?? this.#rate.length;
    this.#rate[row] = rate;
    this.#burst[row] = burst;
    this.#tokens[row] = Math.min(tokens, burst);
    this.#at[row] = now;
    return row;
  }

  /** Nobody uses the bucket any more. */
  close(row: number): void {
    this.#free.push(row);
  }

  /** Another rate or burst from now on. */
  change(row: number, rate: number, burst: number, now: number): void {
    this.tokens(row, now);
    this.#rate[row] = rate;
    this.#burst[row] = burst;
  }

  /** The tokens there are now. */
  tokens(row: number, now: number): number {
    const since = Math.max(0, now - (this.#at[row] as number));
    const refilled = (this.#tokens[row] as number) + since * (this.#rate[row] as number);
    this.#tokens[row] = Math.min(this.#burst[row] as number, refilled);
    this.#at[row] = now;
    return this.#tokens[row];
  }

  /** Takes tokens out; they may go below 0. */
  charge(row: number, bytes: number): void {
    this.#tokens[row] = (this.#tokens[row] as number) - bytes;
  }

  /** How long until there are so many. Units: seconds. */
  wait(row: number, tokens: number): number {
    return Math.max(0, tokens - (this.#tokens[row] as number)) / (this.#rate[row] as number);
  }
}
