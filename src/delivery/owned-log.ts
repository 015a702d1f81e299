import type { FrameRow } from '../model/frame.ts';
import { type LogRecord, RECORD } from '../model/record.ts';
import type { Now } from '../model/time.ts';
import type { MarkEntry } from '../wire/mark.ts';
import { emptyHeader, type RecordHeader } from '../wire/record-header.ts';
import { gapsBefore } from './continuity.ts';
import { Feed } from './feed.ts';
import { isWhole, type Landing, settleRows } from './landing.ts';
import type { Broken, OwnedLogOptions, OwnedLogPort } from './owned-log-port.ts';
import type { PendingBatch } from './pending-batch.ts';
import { Pipeline } from './pipeline.ts';
import { Rest } from './rest.ts';
import { restamped } from './restamp.ts';
import { RowWriter } from './row-writer.ts';
import { Tails } from './tails.ts';
import { Undecided } from './undecided.ts';

type Phase = 'idle' | 'fencing' | 'resting' | 'owned' | 'broken';

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
  readonly #rest = new Rest();
  /** Counts ownerships: rows stamped under an older one are written anew before they go out. */
  #version = 0;
  #fence: PendingBatch | null = null;
  #landing: Landing | null = null;
  /** The landing waits for the next step, so that the next append is on its way before. */
  #due: 'no' | 'after this step' | 'now' = 'no';
  /** Rows of the append in flight that landed. */
  #landed = 0;
  /** When the append in flight, or what is left of it, began. Units: monotonic ms. */
  #begunMs = 0;
  #undecided: Undecided | null = null;

  constructor(options: OwnedLogOptions) {
    this.#options = options;
    this.#port = options.port;
    this.tails = new Tails(options.log, options.shards, options.own);
    this.#writer = new RowWriter(this.tails, options.node);
    this.#pipeline = new Pipeline(options.lingerMs, options.isBusy);
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
    return this.#pipeline.isEmpty && !this.isFeeding && !this.#landing;
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
    if (this.#due !== 'no') return Number.NEGATIVE_INFINITY;
    if (this.#phase === 'resting') return this.#rest.untilMs;
    return this.isOwned ? this.#pipeline.wakeAtMs : Number.POSITIVE_INFINITY;
  }

  /** Fences every shard: the start path begins. */
  acquire(now: Now): void {
    const { log, firstGen } = this.#options;
    this.#phase = 'fencing';
    // One above what we know, at every try: a fence of whoever missed a newer one is void. [R6.6-1]
    this.#fence = this.#writer.fences(now.wallUs, (shard) =>
      this.#wasOwned ? this.tails.gen(shard) + 1 : firstGen(shard),
    );
    this.#port.append(log, this.#fence.records);
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
    if (this.#phase === 'resting' && now.monoMs >= this.#rest.untilMs) this.acquire(now);
    if (!this.isOwned) return;
    if (this.#due === 'now') this.#land(now);
    this.#feedOn(false, now);
    this.#send(now);
    if (this.#due !== 'no') this.#due = 'now';
  }

  /** Begins the next append, if one is due. */
  #send(now: Now): boolean {
    let batch = this.#pipeline.take(now);
    if (!batch) return false;
    if (batch.version !== this.#version) {
      batch = this.#pipeline.replace(restamped(batch, this.#writer, () => true));
    }
    this.#begunMs = now.monoMs;
    this.#port.append(this.#options.log, batch.records);
    return true;
  }

  /** The next append is one of about so many bytes, however much waits. */
  probe(bytes: number): void {
    this.#pipeline.probe(bytes);
  }

  /** An append came back with these offsets, or its first rows did. */
  appended(offsets: Float64Array, now: Now): void {
    if (this.#due !== 'no') this.#land(now);
    const batch = this.#fence ?? this.#pipeline.inFlight;
    if (!batch || this.#landing || this.#phase === 'broken') return;
    const landing = { batch, from: this.#landed, offsets, tookMs: now.monoMs - this.#begunMs };
    const isNext = this.#feed.extend(landing);
    // Rows of another batch go first; what comes next brings these too.
    if (this.isFeeding && !isNext && !isWhole(landing)) return;
    this.#landed = isWhole(landing) ? 0 : offsets.length;
    this.#begunMs = now.monoMs;
    if (!isNext) this.#landing = landing;
    if (!this.isFeeding) this.#arrive(now);
    if (!isNext) return;
    if (isWhole(landing)) this.#pipeline.landed(null);
    this.#send(now);
    settleRows(landing, this.#options.log, this.#port);
  }

  /** The rows before were fed: an append that came back is next. */
  #arrive(now: Now): void {
    const landing = this.#landing;
    if (!landing) return;
    const { batch, offsets, from } = landing;
    const gaps = gapsBefore(batch.records, offsets, this.tails, from);
    if (gaps === null) this.break('log failed', 'acknowledged records are gone from the log');
    else if (gaps.length > 0) this.#port.read(this.#options.log, gaps);
    else this.#follow(landing, now);
  }

  /** The next append goes first, and these rows a step later: the log would stand idle meanwhile. */
  #follow(landing: Landing, now: Now): void {
    const isNext = !this.#fence && isWhole(landing);
    if (isNext) this.#pipeline.landed(null);
    if (isNext && this.#send(now)) this.#due = 'after this step';
    else this.#land(now);
  }

  /** The gap was read. */
  readEnd(now: Now): void {
    if (this.#landing && this.#phase !== 'broken') this.#follow(this.#landing, now);
  }

  /** An append, or the reading of a gap, failed: what is in the log is unknown. */
  failed(reason: string, now: Now): void {
    if (this.#phase === 'broken') return;
    if (!this.#options.isRecoverable()) {
      this.break('log failed', `an append failed: ${reason}`);
      return;
    }
    this.#port.renew(this.#options.log);
    // What landed or is being fed is durable: nobody has to find out.
    if (this.#due !== 'no') this.#land(now);
    this.#feedOn(true, now);
    if (this.#phase === 'owned') this.#rest.end(now);
    else this.#rest.begin(now);
    const { inFlight } = this.#pipeline;
    if (inFlight && !this.#undecided) this.#undecided = new Undecided(inFlight);
    if (this.#landing) this.tails.rewind(this.#landing.batch.records, this.#landing.offsets);
    this.#fence = null;
    this.#landing = null;
    this.#phase = 'resting';
  }

  /** A record was read, at the start or in a gap. */
  recordRead(record: LogRecord): void {
    const header = this.#header;
    const kind = this.tails.read(record, header);
    if (kind === 'strange') {
      const place = this.tails.placeOf(record);
      this.break('log failed', `${place} has no header that this version knows`);
    }
    if (kind === 'void') this.voids += 1;
    if (kind !== 'valid') return;
    if (header.kind === RECORD.fence && !this.tails.isOurs(record.shard))
      this.#sawForeignFence = true;
    // Deposed: what the new owner wrote is not ours to count, and nothing is acknowledged any more.
    // Nor is there a further fence, which would depose the new owner.
    if (this.#wasOwned && this.#sawForeignFence) {
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

  #batch(now: Now): PendingBatch {
    const batch = this.#pipeline.batch(now);
    if (batch.records.rows === 0) batch.version = this.#version;
    return batch;
  }

  #land(now: Now): void {
    const landing = this.#landing as Landing;
    this.#landing = null;
    this.#due = 'no';
    if (this.#fence) this.#landFence(landing, now);
    else this.#landRows(landing, now);
  }

  #landFence(landing: Landing, now: Now): void {
    this.#fence = null;
    this.#sawForeignFence = false;
    this.#feed.begin(landing);
    this.#feed.goOn(true);
    const { firstGen } = this.#options;
    const lost = this.tails.foreign();
    if (lost.some((shard) => firstGen(shard) <= this.tails.gen(shard))) {
      this.break('deposed', 'another gateway took the log while this one was taking it');
      return;
    }
    if (lost.length > 0) {
      this.#rest.end(now);
      this.acquire(now);
      return;
    }
    this.#phase = 'owned';
    this.#version += 1;
    this.#rest.end(now);
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
    this.#pipeline.done(undecided.batch);
  }

  #landRows(landing: Landing, now: Now): void {
    settleRows(landing, this.#options.log, this.#port);
    this.#feed.begin(landing);
    this.#feedOn(false, now);
  }

  #feedOn(isWhole: boolean, now: Now): void {
    const fed = this.#feed.goOn(isWhole);
    if (fed === null) return;
    if (fed !== this.#pipeline.inFlight) this.#pipeline.done(fed);
    this.#arrive(now);
  }
}
