import type { SessionId } from '../model/machine.ts';
import type { Schema } from '../model/reading.ts';
import type { Sha256 } from '../wire/schema.ts';
import type { Quota } from './credit.ts';
import type { IngestPort } from './port.ts';

/** What went wrong in one session, or with one record. */
export interface SessionFault {
  /** 0: none, a record could not be aggregated. */
  readonly session: SessionId;
  /** Device path; empty if the session did not publish. */
  readonly device: string;
  readonly error: unknown;
}

/** What ingest needs to know of its node. */
export interface IngestOptions {
  readonly shards: number;
  /** Memory promised to devices at most. Units: bytes of cost. */
  readonly budgetBytes: number;
  /** Sessions that a node takes; absent: those whose own part fills four fifths of the budget. */
  readonly sessions?: number | undefined;
  /** Of every device on lanes 1 and 2 together; absent: none. */
  readonly quota?: Quota | undefined;
  /** Open mode: nobody needs a credential. Source: PROTOCOL §2.1. */
  readonly isOpen: boolean;
  readonly port: IngestPort;
  readonly sha256: Sha256;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** The definition with this hash in the schema log, if there is one. */
  readonly knownSchema: (hash: Uint8Array) => Schema | undefined;
  /** A bug of ours ended this session, which was closed and whose device is in quarantine. */
  readonly onFault?: ((fault: SessionFault) => void) | undefined;
}
