/**
 * The memory that no session owns: exposure beyond the reserves, and what connections that are gone
 * left in the pipeline. Units: bytes of memory. Source: CREDIT §5.4.
 */
export class Pool {
  readonly size: number;
  readonly #pressedAt: number;
  used = 0;

  constructor(size: number, pressedPart: number) {
    this.size = size;
    this.#pressedAt = size * pressedPart;
  }

  get room(): number {
    return this.size - this.used;
  }

  /** Windows shrink to what is needed. */
  get isPressed(): boolean {
    return this.used > this.#pressedAt;
  }
}
