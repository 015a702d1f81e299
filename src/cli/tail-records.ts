import type { LogSource } from '../adapters/log/log-source.ts';
import { StartError } from '../adapters/log/start-error.ts';
import { type DecodedFrame, FrameDecoder, type Undecodable } from '../consumer/frame-decoder.ts';
import { RecordFilter, type Verdict } from '../consumer/record-filter.ts';
import { SchemaCache } from '../consumer/schema-cache.ts';
import { LOG_NAMES, type LogRecord, RECORD } from '../model/record.ts';
import { decodeCbor } from '../wire/decode.ts';
import { decodeMark } from '../wire/mark.ts';
import { emptyHeader, readHeader } from '../wire/record-header.ts';
import { textOf } from '../wire/utf8.ts';
import type { SeriesFilter } from './series-filter.ts';
import type { RecordBody, RecordEntry } from './tail-entry.ts';

/** Which records are shown. */
export interface RecordChoice {
  /** Void and duplicate ones too, and fences, marks and stubs. */
  readonly isAll: boolean;
  /** Only frames with such series, and of these only the matching columns. */
  readonly series: SeriesFilter | null;
}

interface Content {
  readonly body: RecordBody;
  readonly error: string | undefined;
}

/**
 * Turns the records of one log into entries: judged by the consumer filter, decoded, and those that
 * were not chosen left out. Give it every record of the log, in order.
 */
export class RecordTail {
  /** How many of the records that were shown could not be decoded. */
  errors = 0;
  /** How many records were passed over because they have no header: Tidegate did not write them. */
  foreign = 0;
  readonly #reader: LogSource;
  readonly #choice: RecordChoice;
  readonly #schemas = new SchemaCache();
  readonly #decoder = new FrameDecoder(this.#schemas);
  readonly #filter = new RecordFilter();
  readonly #header = emptyHeader();

  constructor(reader: LogSource, choice: RecordChoice) {
    this.#reader = reader;
    this.#choice = choice;
  }

  /** The entry of a record; null if it is not to be shown; a promise only when it has to wait. */
  entry(record: LogRecord): RecordEntry | null | Promise<RecordEntry | null> {
    if (record.tg.length === 0) {
      this.foreign += 1;
      return null;
    }
    if (!readHeader(record.tg, this.#header)) throw unknownHeader(record);
    const verdict = this.#filter.judge(record, this.#header);
    const isFrame = this.#header.kind === RECORD.frame;
    const { isAll, series } = this.#choice;
    if (!isAll && (!isFrame || verdict.void || verdict.duplicate)) return null;
    if (!isFrame)
      return series === null
        ? this.#made(record, verdict, otherContent(record, this.#header.kind))
        : null;
    const decoded = this.#decoder.decode(record, this.#header);
    return 'fault' in decoded && decoded.isSetUnknown
      ? this.#withNewSchemas(record, verdict)
      : this.#made(record, verdict, this.#frame(decoded));
  }

  /** A definition is written before the records that name it, but perhaps after we looked last. */
  async #withNewSchemas(record: LogRecord, verdict: Verdict): Promise<RecordEntry | null> {
    await this.#reader.readSchemas((schema) => this.#schemas.add(schema));
    return this.#made(record, verdict, this.#frame(this.#decoder.decode(record, this.#header)));
  }

  #frame(decoded: DecodedFrame | Undecodable): Content | null {
    if ('fault' in decoded) {
      return { body: { kind: 'frame', blocks: [], wm: undefined }, error: decoded.fault };
    }
    const { series } = this.#choice;
    const blocks = series === null ? decoded.blocks : series.blocks(decoded.blocks);
    if (series !== null && blocks.length === 0) return null;
    return { body: { kind: 'frame', blocks, wm: decoded.wm }, error: undefined };
  }

  #made(record: LogRecord, verdict: Verdict, content: Content | null): RecordEntry | null {
    if (content === null) return null;
    if (content.error !== undefined) this.errors += 1;
    return { record, header: this.#header, verdict, ...content };
  }
}

/** What a fence, mark or stub says. */
function otherContent({ value }: LogRecord, kind: number): Content {
  if (kind === RECORD.fence) {
    return { body: { kind: 'fence', node: textOf(value, 0, value.length) }, error: undefined };
  }
  if (kind === RECORD.mark) {
    const marks = decodeMark(value);
    const error = marks === null ? 'the mark is damaged' : undefined;
    return { body: { kind: 'mark', marks: marks ?? [] }, error };
  }
  const decoded = decodeCbor(value, 'server');
  const code = 'message' in decoded && decoded.message.k === 'reject' ? decoded.message.e : null;
  const error = code === null ? 'the stub is damaged' : undefined;
  return { body: { kind: 'stub', code: code ?? 0 }, error };
}

function unknownHeader({ log, shard, offset }: LogRecord): StartError {
  return new StartError(
    78,
    `the record at offset ${offset} of ${LOG_NAMES[log]}, shard ${shard}, has a header that this ` +
      'Tidegate does not know: read the log with the Tidegate that wrote it, or a newer one',
  );
}
