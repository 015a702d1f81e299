import { MemoryLog } from '../../src/adapters/log/memory-log.ts';
import type { Appended, LogState, Range, ShardLog } from '../../src/adapters/log/shard-log.ts';
import type { RecordBatch } from '../../src/model/batch.ts';
import type { DeadLetter, LogKind, LogRecord, SchemaRecord } from '../../src/model/record.ts';

/** A record as the log has it, with bytes of its own. */
export interface KeptRecord extends LogRecord {
  /** The device path; empty for fence and mark. */
  readonly device: string;
  /** How many definitions the log had when the record was written. */
  readonly schemasBefore: number;
}

/** A memory log that a row can look into, and stop. */
export class KeptLog implements ShardLog {
  readonly kind = 'memory';
  readonly isRecoverable = false;
  readonly shards: number;
  readonly state: LogState = { kind: 'ok' };
  readonly records: KeptRecord[] = [];
  readonly letters: DeadLetter[] = [];
  readonly schemas: SchemaRecord[] = [];
  readonly dur: 0 | 1 | 2;
  onState: ((state: LogState) => void) | null = null;
  readonly #log: MemoryLog;
  #held: Promise<void> | null = null;
  #free: () => void = () => undefined;
  #isHeld: (log: LogKind) => boolean = () => true;

  constructor(shards: number, dur: 0 | 1 | 2 = 0) {
    this.shards = shards;
    this.dur = dur;
    this.#log = new MemoryLog(shards);
  }

  /** Runs `work` while appends of these logs, all by default, do not come back. */
  async holding<Result>(
    work: (release: () => void) => Promise<Result>,
    isHeld: (log: LogKind) => boolean = () => true,
  ): Promise<Result> {
    this.#isHeld = isHeld;
    this.#held = new Promise((resolve) => {
      this.#free = resolve;
    });
    const release = (): void => {
      this.#held = null;
      this.#free();
    };
    try {
      return await work(release);
    } finally {
      release();
    }
  }

  /** The records of a device, oldest first. */
  of(device: string): KeptRecord[] {
    return this.records.filter((record) => record.device === device);
  }

  readSchemas(onSchema: (schema: SchemaRecord) => void): Promise<void> {
    return this.#log.readSchemas(onSchema);
  }

  read(onRecord: (record: LogRecord) => void, ranges?: readonly Range[]): Promise<void> {
    return this.#log.read(onRecord, ranges);
  }

  async append(batch: RecordBatch): Promise<Appended> {
    if (this.#held !== null && this.#isHeld(batch.log[0] as LogKind)) await this.#held;
    const appended = await this.#log.append(batch);
    this.schemas.push(
      ...batch.schemas.map(({ hash, bytes }) => ({ hash: hash.slice(), bytes: bytes.slice() })),
    );
    this.letters.push(
      ...batch.deadLetters.map((letter) => ({ ...letter, bytes: letter.bytes.slice() })),
    );
    for (let row = 0; row < batch.rows; row += 1)
      this.#keep(batch, row, appended.offsets[row] as number);
    return appended;
  }

  renew(): void {
    this.#log.renew();
  }

  nextOffset(log: LogKind, shard: number): number {
    return this.#log.nextOffset(log, shard);
  }

  close(): Promise<void> {
    return this.#log.close();
  }

  #keep(batch: RecordBatch, row: number, offset: number): void {
    const key = batch.key(row).slice();
    this.records.push({
      log: batch.log[row] as LogKind,
      shard: batch.shard[row] as number,
      offset,
      key,
      tg: batch.tg(row).slice(),
      value: batch.value(row).slice(),
      device: new TextDecoder().decode(key),
      schemasBefore: this.schemas.length,
    });
  }
}
