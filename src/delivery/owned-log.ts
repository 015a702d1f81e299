import type { FrameRow } from '../model/frame.ts';
import { LOG, type LogRecord, RECORD } from '../model/record.ts';
import type { Now } from '../model/time.ts';
import type { MarkEntry } from '../wire/mark.ts';
import { emptyHeader, type RecordHeader, readHeader } from '../wire/record-header.ts';
import { gapsBefore } from './continuity.ts';
import { Feed } from './feed.ts';
import type { Broken, OwnedLogOptions, OwnedLogPort } from './owned-log-port.ts';
import { PendingBatch } from './pending-batch.ts';
import { Pipeline } from './pipeline.ts';
import { restamped } from './restamp.ts';
import { RowWriter } from './row-writer.ts';
import { Tails } from './tails.ts';
import { Undecided } from './undecided.ts';

/** After a start path that failed the next one begins so much later, doubling. Units: ms. */
const REST_MS = 50;
const REST_MS_MAX = 1000;

type Phase = 'idle' | 'fencing' | 'resting' | 'owned' | 'broken';

/** An append that came back, waiting for the gap before it to be read. */
interface Landing {
  readonly batch: PendingBatch;
  readonly offsets: Float64Array;
}

/**
 * One log of every shard, from rows to settlement, and the one path by which it becomes ours: fence,
 * read to the own fence, append what is missing. Start, crash, an ambiguous append and a takeover all
 * take it. Source: DESIGN §5, PROTOCOL App. E.
 */
export class OwnedLog {
  readonly tails: Tails;
  /** Records that were void when read. */
  voids = 0;
  /** How often the start path was taken again. */
  recoveries = 0;
  readonly #options: OwnedLogOptions;
  readonly #port: OwnedLogPort;
  readonly #pipeline: Pipeline;
  readonly #writer: RowWriter;
  readonly #header: RecordHeader = emptyHeader();
  readonly #feed: Feed;
  #phase: Phase = 'idle';
  #wasOwned = false;
  #sawForeignFence = false;
  #attempts = 0;
  #restUntilMs = 0;
  /** Counts ownerships: rows stamped under an older one are written anew before they go out. */
  #version = 0;
  #fence: PendingBatch | null = null;
  #landing: Landing | null = null;
  /** When the append in flight began. Units: monotonic ms. */
  #begunMs = 0;
  #undecided: Undecided | null = null;

  constructor(options: OwnedLogOptions) {
    this.#options = options;
    this.#port = options.port;
    this.tails = new Tails(options.log, options.shards, options.own);
    this.#writer = new RowWriter(this.tails, options.node);
    this.#pipeline = new Pipeline(options.lingerMs);
    this.#feed = new Feed(options.log, this.tails, this.#port);
  }

  /** Rows can be appended. */
  get isOwned(): boolean {
    return this.#phase === 'owned';
  }

  /** It was ours, and the log has to be reached again before anything is acknowledged. */
  get isRecovering(): boolean {
    return this.#wasOwned && (this.#phase === 'fencing' || this.#phase === 'resting');
  }

  get isIdle(): boolean {
    return this.#pipeline.isEmpty;
  }

  /** Durable rows wait for aggregation. */
  get isFeeding(): boolean {
    return this.#feed.isUnderWay;
  }

  /** Durable readings that wait for aggregation. */
  get unreadReadings(): number {
    return this.#feed.readings;
  }

  get wakeAtMs(): number {
    if (this.#phase === 'resting') return this.#restUntilMs;
    return this.isOwned ? this.#pipeline.wakeAtMs : Number.POSITIVE_INFINITY;
  }

  /** Fences every shard: the start path begins. */
  acquire(now: Now): void {
    const { log, shards, firstGen } = this.#options;
    this.#phase = 'fencing';
    this.#attempts += 1;
    const fence = new PendingBatch();
    for (let shard = 0; shard < shards; shard += 1) {
      // One above what we know, at every try: a fence of whoever missed a newer one is void. [R6.6-1]
      const gen = this.#wasOwned ? this.tails.gen(shard) + 1 : firstGen(shard);
      this.#writer.fence({ batch: fence, shard, recv: now.wallUs }, gen);
    }
    this.#fence = fence;
    this.#port.append(log, fence.records);
  }

  /** Takes a row. */
  admit(row: FrameRow, now: Now): PendingBatch {
    const batch = this.#batch(now);
    this.#writer.frame(batch, row);
    return batch;
  }

  /** Takes a mark. */
  mark(shard: number, entries: readonly MarkEntry[], now: Now): void {
    this.#writer.mark({ batch: this.#batch(now), shard, recv: now.wallUs }, entries);
  }

  /** Starts what is due: the next append, or the start path after a rest. */
  tick(now: Now): void {
    if (this.#phase === 'resting' && now.monoMs >= this.#restUntilMs) this.acquire(now);
    if (!this.isOwned) return;
    this.#feedOn(false);
    let batch = this.#pipeline.take(now);
    if (!batch) return;
    if (batch.version !== this.#version) {
      batch = this.#pipeline.replace(restamped(batch, this.#writer, () => true));
    }
    this.#begunMs = now.monoMs;
    this.#port.append(this.#options.log, batch.records);
  }

  /** The next append is one of about so many bytes, however much waits. */
  probe(bytes: number): void {
    this.#pipeline.probe(bytes);
  }

  /** An append came back with these offsets. */
  appended(offsets: Float64Array, now: Now): void {
    const batch = this.#fence ?? this.#pipeline.inFlight;
    if (!batch || this.isFeeding || this.#phase === 'broken') return;
    const gaps = gapsBefore(batch.records, offsets, this.tails);
    if (gaps === null) {
      this.break('log failed', 'records that were acknowledged are gone from the log');
      return;
    }
    this.#landing = { batch, offsets };
    if (gaps.length > 0) this.#port.read(this.#options.log, gaps);
    else this.#land(now);
  }

  /** The gap was read. */
  readEnd(now: Now): void {
    if (this.#landing && this.#phase !== 'broken') this.#land(now);
  }

  /** An append, or the reading of a gap, failed: what is in the log is unknown. */
  failed(reason: string, now: Now): void {
    if (this.#phase === 'broken') return;
    if (!this.#options.isRecoverable()) {
      this.break('log failed', `an append failed: ${reason}`);
      return;
    }
    this.#port.renew(this.#options.log);
    // What is being fed is durable: nobody has to find out.
    this.#feedOn(true);
    const isFirst = this.#phase === 'owned';
    if (isFirst) this.#attempts = 0;
    const { inFlight } = this.#pipeline;
    if (inFlight && !this.#undecided) this.#undecided = new Undecided(inFlight);
    if (this.#landing) this.tails.rewind(this.#landing.batch.records, this.#landing.offsets);
    this.#fence = null;
    this.#landing = null;
    this.#phase = 'resting';
    const rest = Math.min(REST_MS_MAX, REST_MS * 2 ** Math.max(0, this.#attempts - 1));
    this.#restUntilMs = isFirst ? now.monoMs : now.monoMs + rest;
  }

  /** A record was read, at the start or in a gap. */
  recordRead(record: LogRecord): void {
    const header = this.#header;
    if (record.offset < this.tails.next(record.shard)) return;
    if (record.tg.length === 0) {
      // Somebody else's tool wrote it: no owner, so it is void like any other owner's record.
      this.tails.skip(record);
      this.voids += 1;
      return;
    }
    if (!readHeader(record.tg, header)) {
      this.break('log failed', `${placeOf(record)} has no header that this version knows`);
      return;
    }
    const isValid = this.tails.judge(record, header);
    if (!isValid) {
      this.voids += 1;
      return;
    }
    if (header.kind === RECORD.fence && !this.tails.isOurs(record.shard))
      this.#sawForeignFence = true;
    // Deposed: what the new owner wrote is not ours to count, and nothing is acknowledged any more.
    // Nor is there a further fence, which would depose the new owner.
    if (this.#isDeposed) {
      this.break('deposed', 'another gateway has fenced this log');
      return;
    }
    const row = this.#undecided?.find(record, header) ?? null;
    const settlement = row === null ? null : this.#undecided?.batch.settlement(row);
    if (settlement) this.#port.settled(settlement);
    this.#port.fed(record, header);
  }

  /** Nothing is appended or acknowledged any more. */
  break(cause: Broken, reason: string): void {
    if (this.#phase === 'broken') return;
    this.#phase = 'broken';
    this.#port.broken(cause, reason);
  }

  /** It was ours, and somebody else's fence counts since. */
  get #isDeposed(): boolean {
    return this.#wasOwned && this.#sawForeignFence;
  }

  #batch(now: Now): PendingBatch {
    const batch = this.#pipeline.batch(now);
    if (batch.records.rows === 0) batch.version = this.#version;
    return batch;
  }

  #land(now: Now): void {
    const landing = this.#landing as Landing;
    this.#landing = null;
    if (this.#fence) this.#landFence(landing, now);
    else this.#landRows(landing, now);
  }

  #landFence({ batch, offsets }: Landing, now: Now): void {
    this.#fence = null;
    this.#sawForeignFence = false;
    this.#feed.begin(batch, offsets);
    this.#feed.goOn(true);
    const { shards, firstGen } = this.#options;
    const all = Array.from({ length: shards }, (_, shard) => shard);
    const lost = all.filter((shard) => !this.tails.isOurs(shard));
    if (lost.some((shard) => firstGen(shard) <= this.tails.gen(shard))) {
      this.break('deposed', 'another gateway took the log while this one was taking it');
      return;
    }
    if (lost.length > 0) {
      this.#attempts = 0;
      this.acquire(now);
      return;
    }
    this.#phase = 'owned';
    this.#version += 1;
    this.#attempts = 0;
    if (this.#wasOwned) this.recoveries += 1;
    this.#wasOwned = true;
    this.#decide();
    this.#port.owned(this.#options.log, now);
  }

  /** What was not found before the fence is appended again, ahead of everything else. */
  #decide(): void {
    const undecided = this.#undecided;
    if (!undecided) return;
    this.#undecided = null;
    const again = restamped(undecided.batch, this.#writer, (row) => undecided.isMissing(row));
    again.version = this.#version;
    this.#pipeline.landed(again.records.rows > 0 ? again : null);
  }

  #landRows({ batch, offsets }: Landing, now: Now): void {
    const { records } = batch;
    let cost = 0;
    for (let row = 0; row < records.rows; row += 1) {
      const settlement = batch.settlement(row);
      if (!settlement) continue;
      cost += settlement.cost;
      this.#port.settled(settlement);
    }
    this.#port.appendDone(this.#options.log, cost, now.monoMs - this.#begunMs);
    this.#feed.begin(batch, offsets);
    this.#feedOn(false);
  }

  /** The next append begins when all rows of this one have been fed. */
  #feedOn(isWhole: boolean): void {
    if (!this.isFeeding) return;
    this.#feed.goOn(isWhole);
    if (!this.isFeeding) this.#pipeline.landed(null);
  }
}

const placeOf = ({ log, shard, offset }: LogRecord): string =>
  `the record at offset ${offset} of shard ${shard} (${log === LOG.alarms ? 'alarms' : 'readings'})`;
