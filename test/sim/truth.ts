import { LOG, type LogKind, type LogRecord, RECORD } from '../../src/model/record.ts';
import { decodeCbor } from '../../src/wire/decode.ts';
import type { Data, DeviceBlock } from '../../src/wire/messages.ts';
import { emptyHeader, type RecordHeader, readHeader } from '../../src/wire/record-header.ts';

/** A record of the readings or alarms log, with what is true of it from the moment it landed. */
export interface Entry {
  readonly record: LogRecord;
  readonly header: RecordHeader;
  readonly owner: string;
  /** False: a fence that does not count, or a record of an owner that is not the log's. [R6.6-2] */
  readonly isValid: boolean;
  /** Empty for fence and mark. */
  readonly device: string;
  /** n of the lane's valid record or stub before this one, in the same epoch; 0 without one. */
  readonly before: number;
}

/** Bytes as a name. */
export const nameOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** A lane of a device in an epoch, as a name. */
export const laneName = (device: string, lane: number, epoch: number): string =>
  `${device} ${lane} ${epoch}`;

/**
 * What the logs really say: written from PROTOCOL §6.6, not from src, so that a bug there is not
 * here too. Nobody in the world reads it but the checkers.
 */
export class Truth {
  readonly entries: Entry[] = [];
  readonly #owners = new Map<number, { gen: number; owner: string }>();
  readonly #last = new Map<string, number>();
  readonly #known = new Map<string, number>();
  readonly #utf8 = new TextDecoder();

  /** A record landed; null for the aggregates log, which has no owner. */
  landed(record: LogRecord): Entry | null {
    if (record.log === LOG.aggregates) return null;
    const header = emptyHeader();
    if (!readHeader(record.tg, header)) throw new Error('a record with a header nobody knows');
    const owner = nameOf(header.own);
    const isValid = this.#judge(record, header, owner);
    const device = this.#utf8.decode(record.key);
    const isNumbered = header.kind === RECORD.frame || header.kind === RECORD.stub;
    const lane = laneName(device, header.lane, header.epoch);
    const before = this.#last.get(lane) ?? 0;
    const entry = { record, header, owner, isValid, device, before };
    this.entries.push(entry);
    if (isValid && isNumbered) {
      this.#last.set(lane, Math.max(before, header.n));
      this.#known.set(device, Math.max(this.known(device), header.epoch));
    }
    return entry;
  }

  /** Highest n of a valid record or stub; 0 without one. */
  last(device: string, lane: number, epoch: number): number {
    return this.#last.get(laneName(device, lane, epoch)) ?? 0;
  }

  /** Highest epoch of a valid record; 0 without one. */
  known(device: string): number {
    return this.#known.get(device) ?? 0;
  }

  /** Whose fence counts in this log of this shard; empty before the first. */
  ownerOf(log: LogKind, shard: number): string {
    return this.#owners.get(shard * 2 + log)?.owner ?? '';
  }

  /** This owner's fence is the one that counts, in both logs of every shard. */
  isOwner(owner: string, shards: number): boolean {
    for (let shard = 0; shard < shards; shard += 1) {
      if (this.ownerOf(LOG.readings, shard) !== owner) return false;
      if (this.ownerOf(LOG.alarms, shard) !== owner) return false;
    }
    return true;
  }

  #judge({ log, shard }: LogRecord, { kind, gen }: RecordHeader, owner: string): boolean {
    const place = shard * 2 + log;
    const last = this.#owners.get(place);
    if (kind !== RECORD.fence || (last && gen <= last.gen)) {
      return last?.gen === gen && last.owner === owner;
    }
    this.#owners.set(place, { gen, owner });
    return true;
  }
}

/** The content number of a frame: the first value of its first column. NaN if it has none. */
export function contentOf(value: Uint8Array): number {
  const decoded = decodeCbor(value, 'client');
  if ('breach' in decoded || decoded.message.k !== 'data') return Number.NaN;
  return contentOfBlocks((decoded.message as Data<DeviceBlock>).b);
}

/** The content number that stands in these blocks. */
export function contentOfBlocks(blocks: readonly DeviceBlock[]): number {
  const column = blocks[0]?.v[0];
  if (typeof column === 'number') return column;
  if (typeof column !== 'object' || column === null) return Number.NaN;
  return Number(column[0]);
}
