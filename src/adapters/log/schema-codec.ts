import type { SchemaRecord } from '../../model/record.ts';
import { ENTRY_HEAD_BYTES, type EntryBytes } from './entry.ts';

const HASH_BYTES = 16;

/** The body of a schema's entry (see `entry.ts`): the 16 bytes of its hash, then its bytes. */
export function writeSchema(schema: SchemaRecord): Uint8Array {
  const body = new Uint8Array(HASH_BYTES + schema.bytes.length);
  body.set(schema.hash);
  body.set(schema.bytes, HASH_BYTES);
  return body;
}

/** The schema at which a scan stands, with bytes of its own; null if it is malformed. */
export function readSchema(scan: EntryBytes): SchemaRecord | null {
  const hash = scan.at + ENTRY_HEAD_BYTES;
  const bytes = hash + HASH_BYTES;
  if (bytes > scan.end) return null;
  return { hash: scan.bytes.slice(hash, bytes), bytes: scan.bytes.slice(bytes, scan.end) };
}
