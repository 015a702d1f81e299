import type { Schema } from '../model/reading.ts';
import type { Sha256 } from '../wire/schema.ts';
import type { IngestPort } from './port.ts';

/** What ingest needs to know of its node. */
export interface IngestOptions {
  readonly shards: number;
  /** Memory promised to devices at most. Units: bytes of cost. */
  readonly budgetBytes: number;
  /** Open mode: nobody needs a credential. Source: PROTOCOL §2.1. */
  readonly isOpen: boolean;
  readonly port: IngestPort;
  readonly sha256: Sha256;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** The definition with this hash in the schema log, if there is one. */
  readonly knownSchema: (hash: Uint8Array) => Schema | undefined;
}
