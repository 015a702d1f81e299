import type { DeviceSet } from '../src/client/device-io.ts';
import type { Emit, Source } from './source.ts';

/** A source that behaves like another one but for something. */
export abstract class WrappedSource implements Source {
  protected readonly inner: Source;

  constructor(inner: Source) {
    this.inner = inner;
  }

  get device(): string {
    return this.inner.device;
  }

  get sets(): readonly DeviceSet[] {
    return this.inner.sets;
  }

  get lanes(): readonly number[] {
    return this.inner.lanes;
  }

  get dueUs(): number {
    return this.inner.dueUs;
  }

  get skipped(): number {
    return this.inner.skipped;
  }

  get newest(): ReadonlyMap<number, number> {
    return this.inner.newest;
  }

  get skewUs(): number {
    return this.inner.skewUs ?? 0;
  }

  take(nowUs: number, emit: Emit): void {
    this.inner.take(nowUs, emit);
  }

  stop(nowUs: number, emit: Emit): void {
    this.inner.stop(nowUs, emit);
  }
}
