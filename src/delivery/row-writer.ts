import type { FrameRow } from '../model/frame.ts';
import type { DeadLetter } from '../model/record.ts';
import { LOG, RECORD } from '../model/record.ts';
import { encodeMark, type MarkEntry } from '../wire/mark.ts';
import {
  emptyHeader,
  HEADER_BYTES_MAX,
  type RecordHeader,
  writeHeader,
} from '../wire/record-header.ts';
import { PendingBatch } from './pending-batch.ts';
import type { Tails } from './tails.ts';

const NO_BYTES = new Uint8Array(0);

/** Where a row goes. */
export interface Place {
  readonly batch: PendingBatch;
  readonly shard: number;
  /** Receive time. Units: µs. */
  readonly recv: number;
}

/** What a row is made of besides its header. */
export interface RowBytes {
  readonly shard: number;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** Writes frames, stubs, marks and fences of this owner into batches. Source: PROTOCOL App. D. */
export class RowWriter {
  readonly #tails: Tails;
  readonly #header: RecordHeader = emptyHeader();
  readonly #node: Uint8Array;

  constructor(tails: Tails, node: string) {
    this.#tails = tails;
    this.#header.own = tails.own;
    this.#node = new TextEncoder().encode(node);
  }

  /** A frame, or the stub of a refused one with its dead letter. */
  frame(batch: PendingBatch, row: FrameRow): void {
    const header = this.#header;
    header.kind = row.kind;
    header.uncertain = row.isUncertain;
    header.isQosZero = row.isQosZero;
    header.lane = row.lane;
    header.recv = row.recv;
    header.gen = this.#tails.gen(row.shard);
    header.epoch = row.epoch;
    header.n = row.n;
    header.lost = row.lost;
    header.clockOffset = row.clockOffset;
    header.hashes = row.hashes;
    batch.note(this.#write(batch, header, row), row);
    if (row.refusal) batch.records.deadLetters.push(letterOf(row, row.refusal.code));
  }

  /** A mark. */
  mark(place: Place, entries: readonly MarkEntry[]): void {
    this.#bare(place, RECORD.mark, this.#tails.gen(place.shard), encodeMark(entries));
  }

  /** A fence of every shard, each of the generation that is asked for. `recv` in µs. */
  fences(recv: number, genOf: (shard: number) => number): PendingBatch {
    const batch = new PendingBatch();
    for (let shard = 0; shard < this.#tails.shards; shard += 1) {
      this.#bare({ batch, shard, recv }, RECORD.fence, genOf(shard), this.#node);
    }
    return batch;
  }

  /** A row written before, under the generation that is ours now. Returns its number. */
  again(batch: PendingBatch, header: RecordHeader, bytes: RowBytes): number {
    header.gen = this.#tails.gen(bytes.shard);
    return this.#write(batch, header, bytes);
  }

  #bare(
    { batch, shard, recv }: Place,
    kind: typeof RECORD.mark | typeof RECORD.fence,
    gen: number,
    value: Uint8Array,
  ): void {
    const header = this.#header;
    header.kind = kind;
    header.uncertain = false;
    header.isQosZero = false;
    header.lane = this.#tails.log === LOG.alarms ? 0 : 1;
    header.recv = recv;
    header.gen = gen;
    header.epoch = 0;
    header.n = 0;
    header.lost = 0;
    header.clockOffset = 0;
    header.hashes = NO_BYTES;
    batch.noteNobody(this.#write(batch, header, { shard, key: NO_BYTES, value }));
  }

  /** Key, header and value into the batch's buffer: the one copy of a frame. */
  #write({ records }: PendingBatch, header: RecordHeader, row: RowBytes): number {
    const { key, value } = row;
    const most = 3 + key.length + HEADER_BYTES_MAX + header.hashes.length + value.length;
    let at = records.begin(this.#tails.log, row.shard, most);
    const { bytes } = records;
    bytes[at] = key.length;
    bytes.set(key, at + 1);
    at += 1 + key.length;
    const end = writeHeader(bytes, at + 2, header);
    const length = end - at - 2;
    bytes[at] = length & 0xff;
    bytes[at + 1] = length >>> 8;
    bytes.set(value, end);
    return records.end(end + value.length);
  }
}

const letterOf = (row: FrameRow, code: number): DeadLetter => ({
  shard: row.shard,
  device: row.device,
  lane: row.lane,
  epoch: row.epoch,
  n: row.n,
  code,
  recv: row.recv,
  bytes: row.payload.slice(),
});
