import type { KafkaMessage, TopicMessages } from 'kafkajs';
import type { RecordBatch } from '../../model/batch.ts';
import type { SchemaRecord } from '../../model/record.ts';
import { deadLetterMessage } from './kafka-dead-letter.ts';
import type { ReadTarget } from './kafka-read-job.ts';
import { plainBytes } from './kafka-record.ts';
import type { TopicNames } from './kafka-topics.ts';

const HASH_BYTES = 16;

/**
 * Which set definitions are in the schemas topic already, and what else a batch needs there.
 * Bounds: 16 bytes of hash for each definition that this deployment has seen.
 */
export class KnownSchemas {
  readonly #hashes = new Set<string>();

  /** The definitions of a batch that are not known, each once. */
  missing(batch: RecordBatch): SchemaRecord[] {
    const found = new Map<string, SchemaRecord>();
    for (const schema of batch.schemas) {
      const name = nameOf(schema.hash);
      if (!this.#hashes.has(name) && !found.has(name)) found.set(name, schema);
    }
    return [...found.values()];
  }

  /** These are in the topic. */
  add(schemas: readonly SchemaRecord[]): void {
    for (const { hash } of schemas) this.#hashes.add(nameOf(hash));
  }
}

/** What of a batch has to be durable before its rows: definitions, and dead letters. */
export function sideMessages(
  names: TopicNames,
  schemas: readonly SchemaRecord[],
  batch: RecordBatch,
): TopicMessages[] {
  const sends: TopicMessages[] = [];
  if (schemas.length > 0) {
    const messages = schemas.map(({ hash, bytes }) => ({
      partition: 0,
      key: Buffer.from(hash),
      value: Buffer.from(bytes),
    }));
    sends.push({ topic: names.schemas, messages });
  }
  if (batch.deadLetters.length > 0) {
    sends.push({ topic: names.rejects, messages: batch.deadLetters.map(deadLetterMessage) });
  }
  return sends;
}

/** Tells each definition once, in the order in which they were written. */
export class SchemaReading {
  readonly all: SchemaRecord[] = [];
  readonly #names = new Set<string>();
  readonly #onSchema: (schema: SchemaRecord) => void;
  /** Offset from which on nothing was taken yet. */
  #next = 0;

  constructor(onSchema: (schema: SchemaRecord) => void) {
    this.#onSchema = onSchema;
  }

  /** What of these targets was not taken yet; the topic has one partition. */
  unreadOf(targets: readonly ReadTarget[]): ReadTarget[] {
    return targets.map((target) => ({ ...target, from: Math.max(target.from, this.#next) }));
  }

  /** A record of the schemas topic. What is no definition is passed over. */
  take(offset: number, { key, value }: KafkaMessage): void {
    this.#next = offset + 1;
    if (key?.length !== HASH_BYTES || value === null) return;
    const name = nameOf(key);
    if (this.#names.has(name)) return;
    this.#names.add(name);
    const schema = { hash: plainBytes(key), bytes: plainBytes(value) };
    this.all.push(schema);
    this.#onSchema(schema);
  }
}

const nameOf = (hash: Uint8Array): string => Buffer.from(hash).toString('latin1');
