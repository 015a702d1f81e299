/** What `finish` asked for: watermarks to be told once everything before them was sent. */
export class FinalMark {
  #watermarks: readonly (readonly [lane: number, t: number])[] | null = null;
  #state: 'untold' | 'asked' | 'told' = 'untold';

  /** No more readings come; from now on there is something to tell, perhaps nothing. */
  set(watermarks: readonly (readonly [lane: number, t: number])[]): void {
    this.#watermarks = watermarks;
  }

  get isFinishing(): boolean {
    return this.#watermarks !== null;
  }

  /** What the next ping should carry: a newer ping takes the place of one not answered yet. */
  get untold(): readonly (readonly [lane: number, t: number])[] | null {
    return this.isTold ? null : this.#watermarks;
  }

  /** There is something to tell that no ping of this connection carries. */
  get isDue(): boolean {
    return this.#state === 'untold' && this.untold !== null;
  }

  /** Nothing is left to tell. */
  get isTold(): boolean {
    return this.#state === 'told' || this.#watermarks?.length === 0;
  }

  asked(): void {
    this.#state = 'asked';
  }

  /** The ping was answered, so the server has read the watermarks. */
  answered(): void {
    if (this.#state === 'asked') this.#state = 'told';
  }

  /** The connection ended: an unanswered ping may never have arrived. */
  disconnected(): void {
    if (this.#state === 'asked') this.#state = 'untold';
  }
}
