import { createHash } from 'node:crypto';
import { openFileLog } from '../../src/adapters/log/file-log.ts';
import { RecordBatch } from '../../src/model/batch.ts';
import type { Schema } from '../../src/model/reading.ts';
import type { DeadLetter, LogRecord } from '../../src/model/record.ts';
import { encodeBlocks, encodeData } from '../../src/wire/encode.ts';
import type { ColumnEntry, DeviceBlock } from '../../src/wire/messages.ts';
import { schemaOf } from '../../src/wire/schema.ts';

/** The definition that a device would send. */
export function schemaFor(device: string, cols: readonly ColumnEntry[], of?: string): Schema {
  const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();
  const made = schemaOf({ k: 'def', c: 1, s: 1, cols, of }, device, sha256);
  if ('breach' in made) throw new Error(made.breach.message);
  return made.schema;
}

/** The value of a frame record. */
export const frameValue = (n: number, blocks: readonly DeviceBlock[], wm?: number): Uint8Array =>
  encodeData('cbor', { c: 1, n, lost: 0, wm }, encodeBlocks('cbor', blocks));

/** What goes into a log that a test reads. */
export interface Append {
  readonly schemas?: readonly Schema[];
  readonly records?: readonly LogRecord[];
  readonly deadLetters?: readonly DeadLetter[];
}

/** Appends to the file log of a directory, as a gateway would, and lets it go. */
export async function appendTo(directory: string, shards: number, append: Append): Promise<void> {
  const log = await openFileLog({ directory, shards, warn: () => undefined });
  const batch = new RecordBatch();
  batch.schemas.push(...(append.schemas ?? []));
  batch.deadLetters.push(...(append.deadLetters ?? []));
  for (const { log: kind, shard, key, tg, value } of append.records ?? []) {
    batch.add(kind, shard, key, tg, value);
  }
  await log.append(batch);
  await log.close();
}
