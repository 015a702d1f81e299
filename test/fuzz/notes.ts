import type { Failure } from './fuzzer.ts';

/** What the fuzzing thread is started with. */
export interface Orders {
  readonly inputs: number;
  readonly seed: number;
  /** The input that is being run, see `noteInput`. */
  readonly shared: SharedArrayBuffer;
}

/** What it says. */
export type Note =
  | { readonly kind: 'line'; readonly line: string }
  | { readonly kind: 'failure'; readonly failure: Failure }
  | {
      readonly kind: 'end';
      readonly inputs: number;
      readonly crashes: number;
      readonly slow: number;
      readonly hasGrown: boolean;
    };

/** Shape: how many inputs so far, length of the name, length of the bytes, each 32 bits; both. */
const HEAD_BYTES = 12;
const NAME_BYTES_MAX = 20;
const INPUT_BYTES_MAX = 64 * 1024;

export const sharedInput = (): SharedArrayBuffer =>
  new SharedArrayBuffer(HEAD_BYTES + NAME_BYTES_MAX + INPUT_BYTES_MAX);

const encoder = new TextEncoder();

/** Tells whoever shares the memory which input is run now. */
export function noteInput(shared: SharedArrayBuffer, target: string, bytes: Uint8Array): void {
  const head = new Int32Array(shared, 0, 3);
  const kept = bytes.subarray(0, INPUT_BYTES_MAX);
  encoder.encodeInto(target, new Uint8Array(shared, HEAD_BYTES, NAME_BYTES_MAX));
  new Uint8Array(shared, HEAD_BYTES + NAME_BYTES_MAX).set(kept);
  Atomics.store(head, 1, target.length);
  Atomics.store(head, 2, kept.length);
  Atomics.add(head, 0, 1);
}

/** How many inputs were begun; the last of them. */
export function lastInput(shared: SharedArrayBuffer): {
  readonly count: number;
  readonly target: string;
  readonly bytes: Uint8Array;
} {
  const head = new Int32Array(shared, 0, 3);
  const [name, length] = [Atomics.load(head, 1), Atomics.load(head, 2)];
  const target = Buffer.from(new Uint8Array(shared, HEAD_BYTES, name)).toString('latin1');
  const bytes = new Uint8Array(shared, HEAD_BYTES + NAME_BYTES_MAX, length).slice();
  return { count: Atomics.load(head, 0), target, bytes };
}
