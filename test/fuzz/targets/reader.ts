import type { LogItem } from '../../../src/consumer/log-item.ts';
import { TidegateReader } from '../../../src/consumer/tidegate-reader.ts';
import type { Schema } from '../../../src/model/reading.ts';
import { LOG_NAMES } from '../../../src/model/record.ts';
import { decodeSchema } from '../../../src/wire/schema.ts';
import type { Dice } from '../../sim/random.ts';
import { clockMs } from '../cpu-clock.ts';
import { fromChunks, mutateChunks, toChunks } from '../grow/chunks.ts';
import { logOf, mutateRecord, type TopicRecord, toRecord } from '../grow/log.ts';
import { claim } from '../oracle/finding.ts';
import { claimFrame } from '../oracle/frame-item.ts';
import { headerReference } from '../oracle/header-reference.ts';
import type { Attempt, Target } from './target.ts';

const HASH_BYTES = 16;

/** A consumer's reader, fed with messages of all topics: it throws at unknown headers only. */
export class ReaderTarget implements Target {
  readonly name = 'reader';
  readonly share = 30;
  readonly parts = { split: toChunks, join: fromChunks };

  make(dice: Dice): Uint8Array {
    return logOf(dice);
  }

  mutate(dice: Dice, bytes: Uint8Array, donor: Uint8Array): Uint8Array {
    return mutateChunks(dice, bytes, donor, (chunk) => mutateRecord(dice, chunk));
  }

  attempt(bytes: Uint8Array): Attempt {
    const desk = new Desk();
    for (const chunk of toChunks(bytes)) desk.read(toRecord(chunk));
    desk.finish();
    return { ms: desk.ms, sign: [...desk.kinds].sort().join() };
  }
}

/** A record that was read, and after how many uncertain ones of its lane. */
interface ReadRecord extends TopicRecord {
  readonly era: number;
}

/** A reader and what it has said so far. */
class Desk {
  readonly ms: number[] = [];
  readonly kinds = new Set<string>();
  readonly #reader = new TidegateReader({ heldBytesMax: 4000 });
  readonly #offsets = new Map<string, number>();
  readonly #records = new Map<string, ReadRecord>();
  /** How many uncertain records were read, by device and lane. */
  readonly #eras = new Map<string, number>();
  /** Definitions by hash; the newest counts. */
  readonly #schemas = new Map<string, Schema>();
  /** Epoch and n of the last frame, by partition, device, lane and era. */
  readonly #last = new Map<string, readonly [number, number]>();

  read(record: TopicRecord): void {
    const { topic, shard, step, key, tg, value } = record;
    const queue = `${topic} ${shard}`;
    const offset = (this.#offsets.get(queue) ?? 0) + step;
    this.#offsets.set(queue, offset);
    const place = `${queue} ${offset}`;
    if (!this.#records.has(place))
      this.#records.set(place, { ...record, era: this.#eraOf(record) });
    const schema = topic === 'schemas' ? decodeSchema(value, key) : null;
    if (schema !== null) this.#schemas.set(nameOf(key, 0), schema);
    const begun = clockMs();
    try {
      const items = this.#reader.read(`tidegate.${topic}`, shard, {
        offset,
        key,
        value,
        headers: { tg },
      });
      this.ms.push(clockMs() - begun);
      for (const item of items) this.#claimItem(item);
    } catch (error) {
      this.#claimUnknown(record, error);
    }
  }

  finish(): void {
    for (const item of this.#reader.finish()) this.#claimItem(item);
  }

  /** It throws at a header that it does not know, and at nothing else. */
  #claimUnknown({ topic, tg }: TopicRecord, error: unknown): void {
    const isFrame = topic === LOG_NAMES[0] || topic === LOG_NAMES[1];
    const isUnknown = isFrame && tg.length > 0 && headerReference(tg) === null;
    if (!isUnknown || !String(error).includes('does not know')) throw error;
    this.kinds.add('unknown header');
  }

  #claimItem(item: LogItem): void {
    this.kinds.add(item.kind === 'fault' ? item.sentence.replace(/\d+/g, '0') : item.kind);
    if (item.kind !== 'frame') return;
    const record = this.#records.get(`${item.topic} ${item.shard} ${item.offset}`) as ReadRecord;
    const lane = `${item.topic} ${item.shard} ${item.device} ${item.lane} ${record.era}`;
    const [epoch, n] = this.#last.get(lane) ?? [-1, -1];
    const isNew = item.epoch > epoch || (item.epoch === epoch && item.n > n);
    claim(isNew, `a frame comes out twice, or late: ${lane} ${item.n}`);
    this.#last.set(lane, [item.epoch, item.n]);
    claimFrame(item, record.value, this.#schemasOf(record));
  }

  /** An uncertain record, be it a stub, begins the numbers of its lane anew. */
  #eraOf({ key, tg }: TopicRecord): number {
    const header = headerReference(tg);
    const lane = `${Buffer.from(key).toString()} ${header?.lane}`;
    const era = (this.#eras.get(lane) ?? 0) + (header?.uncertain ? 1 : 0);
    this.#eras.set(lane, era);
    return era;
  }

  #schemasOf({ tg }: TopicRecord): readonly (Schema | undefined)[] {
    const hashes = headerReference(tg)?.hashes ?? new Uint8Array(0);
    const count = hashes.length / HASH_BYTES;
    return Array.from({ length: count }, (_, i) => this.#schemas.get(nameOf(hashes, i)));
  }
}

const nameOf = (hashes: Uint8Array, i: number): string =>
  Buffer.from(hashes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES)).toString('hex');
