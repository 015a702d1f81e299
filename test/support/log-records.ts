import { LOG, type LogKind, type LogRecord, RECORD } from '../../src/model/record.ts';
import {
  emptyHeader,
  HEADER_BYTES_MAX,
  type RecordHeader,
  writeHeader,
} from '../../src/wire/record-header.ts';

/** What a test says of a record; the rest has defaults. */
export interface RecordText {
  readonly kind?: keyof typeof RECORD;
  readonly log?: LogKind;
  readonly shard?: number;
  readonly offset?: number;
  readonly device?: string;
  readonly lane?: number;
  readonly gen?: number;
  /** One letter; an owner is eight of them. */
  readonly own?: string;
  readonly ep?: number;
  readonly n?: number;
  readonly uncertain?: boolean;
  readonly hashes?: Uint8Array;
  readonly value?: Uint8Array;
}

/** The header that goes with it. */
export function headerOf(text: RecordText): RecordHeader {
  const kind = text.kind ?? 'frame';
  const isNumbered = kind === 'frame' || kind === 'stub';
  return {
    ...emptyHeader(),
    kind: RECORD[kind],
    uncertain: text.uncertain ?? false,
    lane: text.lane ?? 1,
    own: new TextEncoder().encode((text.own ?? 'a').repeat(8)),
    recv: 1_761_962_400_158_000,
    gen: text.gen ?? 1,
    epoch: isNumbered ? (text.ep ?? 1) : 0,
    n: isNumbered ? (text.n ?? 1) : 0,
    hashes: text.hashes ?? new Uint8Array(0),
  };
}

/** A record as a log would give it. */
export function recordOf(text: RecordText): LogRecord {
  const tg = new Uint8Array(HEADER_BYTES_MAX);
  const isKeyed = text.kind !== 'fence' && text.kind !== 'mark';
  return {
    log: text.log ?? LOG.readings,
    shard: text.shard ?? 0,
    offset: text.offset ?? 0,
    key: new TextEncoder().encode(isKeyed ? (text.device ?? 'a') : ''),
    tg: tg.subarray(0, writeHeader(tg, 0, headerOf(text))),
    value: text.value ?? new Uint8Array(0),
  };
}
