import type { Emit, Source } from '../source.ts';
import { WrappedSource } from '../wrapped-source.ts';

/** Keeps quiet and hands out everything of a period at its end, in step with all the others. */
export class BurstSource extends WrappedSource {
  readonly #periodUs: number;

  constructor(inner: Source, periodUs: number) {
    super(inner);
    this.#periodUs = periodUs;
  }

  override get dueUs(): number {
    return Math.ceil(this.inner.dueUs / this.#periodUs) * this.#periodUs;
  }

  /** Step by step, so that the source does not think it is late. */
  override take(nowUs: number, emit: Emit): void {
    while (this.inner.dueUs <= nowUs) this.inner.take(this.inner.dueUs, emit);
  }

  override stop(nowUs: number, emit: Emit): void {
    this.take(nowUs, emit);
    this.inner.stop(nowUs, emit);
  }
}
