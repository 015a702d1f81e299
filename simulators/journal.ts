import { closeSync, openSync, writeSync } from 'node:fs';
import { isRows, rowsOf, timesOf } from '../src/client/block.ts';
import type { DeviceEffect, DeviceSet } from '../src/client/device-io.ts';
import type { ColumnValues, DeviceBlock, Scalar } from '../src/wire/messages.ts';

/** Lines are written together when there are so many characters, and at every `flush`. */
const CHUNK_CHARS = 64 * 1024;

/** A set of a device by its number: the session defines some itself. */
export type SetOf = (s: number) => DeviceSet | undefined;

/**
 * What was sent and what was acked, as NDJSON, for a program that compares it with the log.
 *
 * Shape: `{"sent":{"device","ep","c","n","t","v"}}` at the first transmission of (ep, c, n), with
 * physical values, and `{"acked":{"device","ep","c","ack","dur"}}` when a flow or welcome moved it.
 * Guarantee: an ack stands after the frames it covers; numbers read back to the same bits.
 * Source: INTERFACE, simulate.
 */
export class Journal {
  readonly #file: number;
  #text = '';
  /** The last ack written, by device and lane: a flow that repeats it says nothing new. */
  readonly #acks = new Map<string, string>();

  constructor(path: string) {
    this.#file = openSync(path, 'w');
  }

  /** Takes note of one effect of a device session. */
  note(device: string, setOf: SetOf, effect: DeviceEffect): void {
    if (effect.kind === 'sendFrame' && effect.isFirst) {
      const { frame, epoch } = effect;
      const blocks = frame.source ?? [];
      const set = setOf(frame.sets[0] as number);
      const head = `"device":${JSON.stringify(device)},"ep":${epoch},"c":${frame.lane},"n":${frame.n}`;
      const t = blocks.flatMap(timesOf).join();
      const v = (set?.cols ?? [])
        .map((_, i) => `[${physical(set as DeviceSet, blocks, i)}]`)
        .join();
      this.#line(`{"sent":{${head},"t":[${t}],"v":[${v}]}}`);
    } else if (effect.kind === 'acked') {
      const { epoch, lane, ack, dur } = effect;
      const acked = JSON.stringify({ device, ep: epoch, c: lane, ack, dur });
      const key = `${device} ${lane}`;
      if (this.#acks.get(key) === acked) return;
      this.#acks.set(key, acked);
      this.#line(`{"acked":${acked}}`);
    }
  }

  /** Writes what has been noted: at once, so that it outlives this process too. */
  flush(): void {
    let rest = Buffer.from(this.#text);
    this.#text = '';
    while (rest.length > 0) rest = rest.subarray(writeSync(this.#file, rest));
  }

  close(): void {
    this.flush();
    closeSync(this.#file);
  }

  #line(text: string): void {
    this.#text += `${text}\n`;
    if (this.#text.length >= CHUNK_CHARS) this.flush();
  }
}

/** The values of one column over all blocks, as JSON numbers; null for "no value". */
function physical(set: DeviceSet, blocks: readonly DeviceBlock[], column: number): string {
  const [, , scale = 1, offset = 0] = set.cols[column] ?? [''];
  return blocks
    .flatMap((block) => rawOf(block, column))
    .map((raw) => textOf(raw * scale + offset))
    .join();
}

/** Raw values as numbers, NaN for "no value"; a simulated device has no text. */
function rawOf(block: DeviceBlock, column: number): number[] {
  const values = block.v[column] as ColumnValues;
  if (!isRows(values)) return Array<number>(rowsOf(block)).fill(numberOf(values));
  return Array.from<Scalar | bigint, number>(values, numberOf);
}

const numberOf = (value: Scalar | bigint): number => (value === null ? Number.NaN : Number(value));

/** The shortest digits that read back to the same bits; JSON.stringify would make −0 a 0. */
function textOf(value: number): string {
  if (!Number.isFinite(value)) return 'null';
  return Object.is(value, -0) ? '-0' : String(value);
}
