import type { Gap } from '../../src/delivery/continuity.ts';
import type { Input } from '../../src/gateway/io.ts';
import type { RecordBatch } from '../../src/model/batch.ts';
import { LOG_NAMES, type LogKind, type LogRecord } from '../../src/model/record.ts';
import { type Row, rowsOf, type SharedLog } from './log.ts';
import type { Dice } from './random.ts';
import type { Timeline } from './timeline.ts';

/** What may become of an append. */
export type AppendFault =
  | 'log slow'
  /** Nothing is written, and the answer says that it failed. */
  | 'log refuses'
  /** Everything is written, and the answer says that it failed. */
  | 'log writes, then times out'
  /** It fails, and what it wanted to write lands later, whoever owns the log by then. */
  | 'log request lands late'
  /** It fails, and each shard has a fate of its own. */
  | 'log writes in part';

/** What the log does to a gateway just now. */
export interface LogWeather {
  faultOf(): AppendFault | null;
  readFails(): boolean;
}

/** How long things take. Units: ms. */
const WRITE_MS = [1, 15] as const;
const ANSWER_MS = [0.5, 5] as const;
const SLOW_MS = [500, 9000] as const;
const TIMEOUT_MS = [300, 3000] as const;
const LATE_MS = [0, 12_000] as const;
const GAP_READ_MS = [2, 60] as const;
const START_READ_MS = [50, 1500] as const;
const READ_AGAIN_MS = 1000;

/** The rows of one shard on their way. */
interface Part {
  readonly indexes: readonly number[];
  state: 'under way' | 'landed' | 'abandoned';
}

interface Request {
  readonly rows: readonly Row[];
  readonly offsets: Float64Array;
  readonly parts: readonly Part[];
}

/** What a client of the log is made of. */
export interface LogClientParts {
  readonly log: SharedLog;
  readonly timeline: Timeline;
  readonly dice: Dice;
  readonly weather: LogWeather;
  /** An embedded file: nothing lands after its process, and no request overtakes another. */
  readonly isFile: boolean;
  readonly answer: (input: Input) => void;
}

/** One gateway's way to the shared log: it may be slow, refuse, or say one thing and do another. */
export class LogClient {
  readonly #parts: LogClientParts;
  readonly #underWay = new Set<Request>();
  /** How many definitions were told. */
  #schemasTold = 0;

  constructor(parts: LogClientParts) {
    this.#parts = parts;
  }

  append(log: LogKind, batch: RecordBatch): void {
    const fault = this.#parts.weather.faultOf();
    const request = requestOf(log, batch);
    // Definitions and dead letters are durable before the first row is sent.
    this.#parts.log.schemas.push(...batch.schemas.map(({ hash, bytes }) => ({ hash, bytes })));
    this.#parts.log.letters.push(...batch.deadLetters);
    this.#underWay.add(request);
    if (fault === null) this.#write(log, request, this.#between(WRITE_MS));
    else if (fault === 'log slow') this.#write(log, request, this.#between(SLOW_MS));
    else this.#fail(log, request, fault);
  }

  /** Reads offsets of one log, or says that it cannot. */
  read(log: LogKind, gaps: readonly Gap[]): void {
    const { timeline, weather } = this.#parts;
    const isFailing = weather.readFails();
    timeline.after(this.#between(GAP_READ_MS), () => {
      if (isFailing) {
        this.#parts.answer({ kind: 'failed', log, reason: 'the gap cannot be read' });
        return;
      }
      this.#tellSchemas(this.#parts.log.schemas.length);
      for (const { shard, from, to } of gaps) {
        this.#give(this.#parts.log.records(log, shard).slice(from, to + 1));
      }
      this.#parts.answer({ kind: 'readEnd', log });
    });
  }

  /** Reads everything there is at this moment: the first half of the start path. */
  start(): void {
    const { log, timeline, weather, dice } = this.#parts;
    if (weather.readFails()) {
      timeline.after(READ_AGAIN_MS, () => this.start());
      return;
    }
    const schemas = log.schemas.length;
    const shards = Array.from({ length: log.shards }, (_, shard) => shard);
    const kinds = LOG_NAMES.map((_, kind) => kind as LogKind);
    const order = dice.chance(0.5) ? kinds : kinds.toReversed();
    const records = order.flatMap((kind) =>
      shards.map((shard) => log.records(kind, shard).slice()),
    );
    timeline.after(this.#between(START_READ_MS), () => {
      this.#tellSchemas(schemas);
      for (const list of records) this.#give(list);
      this.#parts.answer({ kind: 'readEnd', log: null });
    });
  }

  /** The process ends here. Returns how many appends were under way. */
  crash(): number {
    for (const request of this.#underWay) {
      for (const part of request.parts)
        if (part.state === 'under way') this.#abandon(request, part);
    }
    return this.#underWay.size;
  }

  #between([from, to]: readonly [number, number]): number {
    return this.#parts.dice.between(from, to);
  }

  /** A record that was written meanwhile may need a definition that was, too. */
  #tellSchemas(count: number): void {
    const { answer, log } = this.#parts;
    const untold = log.schemas.slice(this.#schemasTold, count);
    this.#schemasTold = count;
    for (const schema of untold) answer({ kind: 'schema', schema });
  }

  #give(records: readonly LogRecord[]): void {
    for (const record of records) this.#parts.answer({ kind: 'record', record });
  }

  #write(log: LogKind, request: Request, writeMs: number): void {
    const { timeline } = this.#parts;
    timeline.after(writeMs, () => {
      for (const part of request.parts) this.#land(request, part);
      timeline.after(this.#between(ANSWER_MS), () => {
        this.#underWay.delete(request);
        this.#parts.answer({ kind: 'appended', log, offsets: request.offsets });
      });
    });
  }

  #fail(log: LogKind, request: Request, fault: AppendFault): void {
    const { timeline, dice } = this.#parts;
    const failMs = this.#between(TIMEOUT_MS);
    for (const part of request.parts) {
      const fate =
        fault === 'log writes in part'
          ? dice.pick(['log refuses', 'log writes, then times out', 'log request lands late'])
          : fault;
      if (fate === 'log refuses') part.state = 'abandoned';
      else if (fate === 'log writes, then times out' || this.#parts.isFile) {
        timeline.after(dice.between(0, failMs), () => this.#land(request, part));
      } else timeline.after(failMs + this.#between(LATE_MS), () => this.#land(request, part));
    }
    timeline.after(failMs, () => {
      this.#underWay.delete(request);
      this.#parts.answer({ kind: 'failed', log, reason: fault });
    });
  }

  #land(request: Request, part: Part): void {
    if (part.state !== 'under way') return;
    part.state = 'landed';
    for (const index of part.indexes) {
      request.offsets[index] = this.#parts.log.land(request.rows[index] as Row);
    }
  }

  /** Nobody waits for these rows any more. A file has all of them, some, or none; a cluster is free. */
  #abandon(request: Request, part: Part): void {
    const { isFile, dice, timeline } = this.#parts;
    if (dice.chance(0.4)) part.state = 'abandoned';
    else if (isFile) this.#land(request, part);
    else timeline.after(this.#between(LATE_MS), () => this.#land(request, part));
  }
}

function requestOf(log: LogKind, batch: RecordBatch): Request {
  const rows = rowsOf(log, batch);
  const byShard = new Map<number, number[]>();
  rows.forEach(({ shard }, index) => {
    const indexes = byShard.get(shard);
    if (indexes) indexes.push(index);
    else byShard.set(shard, [index]);
  });
  const parts = [...byShard.values()].map((indexes): Part => ({ indexes, state: 'under way' }));
  return { rows, offsets: new Float64Array(rows.length), parts };
}
