import { invariant, SharedFault } from '../model/invariant.ts';
import { COLUMNS_MAX, SERIES_PER_LOG_MAX } from '../model/limits.ts';
import { CLASS_OF_LANE, type ClassId, type Schema } from '../model/reading.ts';
import { LOG, type LogKind, type LogRecord, RECORD } from '../model/record.ts';
import type { EventUs, WallUs } from '../model/time.ts';
import type { Series } from '../model/window.ts';
import { decodeMark } from '../wire/mark.ts';
import type { RecordHeader } from '../wire/record-header.ts';
import { BoundFrame } from './bound-frame.ts';
import { Changes } from './changes.ts';
import { ClassState } from './class-state.ts';
import { type Counters, zeroCounters } from './counters.ts';
import { type Device, DeviceTable } from './device.ts';
import { Finalizer } from './finalizer.ts';
import { FramePlacer } from './frame-placer.ts';
import { LogState } from './log-state.ts';
import { type DueMark, Marks, type PresenceOf } from './marks.ts';
import { Pace } from './pace.ts';
import { SeriesTable } from './series-table.ts';
import type { AggregationSink } from './sink.ts';
import { type Timing, type TimingOptions, timingOf } from './timing.ts';

/** 64 bytes of a record are about one unit of work. */
const BYTES_PER_UNIT_LOG2 = 6;
/** What a new series costs besides its first window. */
const NEW_SERIES_UNITS = 2;
/** One frame may be the first of 4096: then a step makes so many, in about a millisecond. */
const NEW_SERIES_PER_STEP = 512;

/** What aggregation needs to know and whom to tell. */
export interface AggregationOptions extends TimingOptions {
  readonly shards: number;
  /**
   * The definition that a hash stands for; it is durable before the first record that uses it.
   * The hash is a view: it holds during the call.
   */
  readonly schemas: (hash: Uint8Array) => Schema | undefined;
  readonly sink: AggregationSink;
  /** How many (series, class) a log may have; readings of more are refused, and counted. */
  readonly seriesPerLogMax?: number;
  /** A fault of ours kept a record from being aggregated. */
  readonly onFault?: (device: string, error: unknown) => void;
}

/**
 * Event time: rows into windows, windows into results. PROTOCOL §9 in code.
 *
 * Guarantee: a function of each log alone. The same records in the same order per (log, shard)
 * give the same results, byte for byte, in the same order.
 */
export class Aggregation {
  readonly counters: Counters = zeroCounters();
  /** Records of which something is not known, a definition say: they are passed over. */
  unreadable = 0;
  readonly #shards: number;
  readonly #sink: AggregationSink;
  readonly #onFault: (device: string, error: unknown) => void;
  readonly #timing: Timing;
  readonly #logs: readonly LogState[];
  readonly #devices = new DeviceTable();
  readonly #series: SeriesTable;
  readonly #changes = new Changes();
  readonly #placer: FramePlacer;
  readonly #finalizer: Finalizer;
  readonly #pace: Pace;
  readonly #marks: Marks;
  readonly #frame: BoundFrame;

  constructor(options: AggregationOptions) {
    this.#shards = options.shards;
    this.#sink = options.sink;
    this.#onFault = options.onFault ?? (() => undefined);
    this.#timing = timingOf(options);
    this.#logs = [LOG.readings, LOG.alarms].flatMap((kind) =>
      Array.from({ length: options.shards }, (_, shard) => new LogState(kind, shard)),
    );
    const seriesMax = options.seriesPerLogMax ?? SERIES_PER_LOG_MAX;
    this.#series = new SeriesTable(seriesMax, this.#timing.windowMs);
    this.#placer = new FramePlacer(this.#series, this.#changes, this.counters, this.#timing);
    this.#finalizer = new Finalizer(options.sink, this.#changes, this.#timing);
    this.#pace = new Pace(this.#finalizer);
    this.#marks = new Marks(this.#timing);
    this.#frame = new BoundFrame(options.schemas);
  }

  /** Counts from zero: what was read to rebuild is not what this process made durable. */
  resetCounters(): void {
    Object.assign(this.counters, zeroCounters());
  }

  /** All series that have a reading, in the order in which they appeared. */
  series(): IterableIterator<Series> {
    return this.#series.values();
  }

  byTopic(topic: string): Series | undefined {
    return this.#series.byTopic(topic);
  }

  /** The watermark of a class; −∞ while it has none. */
  watermark(device: string, classId: ClassId): EventUs {
    const target = this.#devices.at(device)?.classes[classId];
    return (target?.watermarkAt(target.log.clockUs) ?? Number.NEGATIVE_INFINITY) as EventUs;
  }

  /**
   * A new step begins: for the logs of this kind it may do work of so many units, about a microsecond
   * each. Before the first call there is no limit, and `apply` gives all results of its record.
   */
  allow(kind: LogKind, units: number): void {
    this.#pace.allow(kind, units);
  }

  /** Results are pending: `advance` gives more of them in the steps that follow. */
  get isBehind(): boolean {
    return this.#pace.isBehind;
  }

  /** The same, of the logs of one kind. */
  isBehindOn(kind: LogKind): boolean {
    return this.#pace.isBehindOn(kind);
  }

  /** False: the next record of this log has to wait, or it takes more than this step may. */
  mayApply(kind: LogKind, shard: number): boolean {
    return this.#pace.mayApply(this.#log(kind, shard));
  }

  /** Gives what is pending, as far as this step may. */
  advance(): void {
    if (!this.#pace.isBehind) return;
    for (const log of this.#pace.due()) this.#goOn(log, false);
  }

  /**
   * Takes in a valid record of the readings or alarms log. Every kind of record moves the log
   * clock, so none may be left out. What is pending of the record before it is given first. A fault
   * of ours in what one record holds is counted and told, and the next record follows: thrown, it
   * would meet every start at this place of the log.
   * False, where steps have a limit: it is the first of more series than one step makes. Some of
   * them have been made, nothing else has happened, and the same record is to be applied again.
   */
  apply(record: LogRecord, header: RecordHeader): boolean {
    const log = this.#log(record.log, record.shard);
    if (log.emission.isPending) this.#goOn(log, true);
    try {
      return this.#apply(log, record, header);
    } catch (error) {
      this.#failed(log, new TextDecoder().decode(record.key), error);
      return true;
    }
  }

  #log(kind: LogKind, shard: number): LogState {
    const log = this.#logs[kind * this.#shards + shard];
    invariant(log?.kind === kind && log.shard === shard, 'no such log to aggregate');
    return log;
  }

  #goOn(log: LogState, isWhole: boolean): void {
    try {
      if (isWhole) this.#pace.giveRest(log);
      else this.#pace.give(log);
      this.#changes.flush(this.#sink);
    } catch (error) {
      this.#failed(log, log.emission.window?.target.device.path ?? '', error);
    }
  }

  #failed(log: LogState, device: string, error: unknown): void {
    if (error instanceof SharedFault) throw error;
    this.unreadable += 1;
    this.#pace.giveUp(log);
    this.#onFault(device, error);
  }

  #apply(log: LogState, record: LogRecord, header: RecordHeader): boolean {
    const seriesBefore = this.#series.count;
    const isReady = header.kind !== RECORD.frame || this.#prepare(log, record, header);
    if (isReady) {
      this.#take(log, record, header);
      this.#pace.give(log, this.#unitsOf(record, this.#series.count - seriesBefore));
    } else this.#pace.endStep(log);
    if (this.#series.count > seriesBefore) this.#tellNewSeries(seriesBefore);
    this.#changes.flush(this.#sink);
    return isReady;
  }

  /** Reads a frame; false if more series have to be made for it than this step makes. */
  #prepare(log: LogState, { key, value }: LogRecord, header: RecordHeader): boolean {
    const frame = this.#frame;
    frame.read(this.#classOf(log, this.#devices.of(key), header.lane), value, header.hashes);
    const mayBeMany = frame.isKnown && frame.sets.length * COLUMNS_MAX > NEW_SERIES_PER_STEP;
    if (!mayBeMany || !this.#pace.isLimited(log)) return true;
    this.#beginPlacing(frame.target, log.clockUs, log.clockAfter(header.recv));
    return this.#placer.prepare(frame, NEW_SERIES_PER_STEP) < NEW_SERIES_PER_STEP;
  }

  #take(log: LogState, record: LogRecord, header: RecordHeader): void {
    const beforeUs = log.clockUs;
    log.advance(header.recv);
    log.emission.begin(record);
    if (header.kind === RECORD.frame) this.#applyFrame(log, beforeUs, header);
    else if (header.kind === RECORD.mark) this.#applyMark(log, record.value);
    else if (header.kind === RECORD.stub) this.#applyStub(record, header);
  }

  /** What a record took. Units: of a budget. */
  #unitsOf({ value }: LogRecord, newSeries: number): number {
    const bytes = value.length >>> BYTES_PER_UNIT_LOG2;
    return 1 + bytes + this.#changes.count + NEW_SERIES_UNITS * newSeries;
  }

  /**
   * A `ping` told that no later reading of this class has time < `timeUs`: a wish, until a mark
   * brings it. For a class without a frame it is ignored.
   * Bounds: one wish per (device, class), the greatest.
   */
  tellWatermark(device: string, classId: ClassId, timeUs: EventUs): void {
    const target = this.#devices.at(device)?.classes[classId];
    if (target !== undefined) this.#marks.wish(target, timeUs);
  }

  /**
   * The marks that are due: of classes judged idle or gone, and of wishes. To be asked once per
   * second; each is to be appended as one record. A mark stays due until it has been read back, so
   * leave out a log whose last mark is still on its way.
   */
  dueMarks(nowUs: WallUs, presenceOf: PresenceOf): readonly DueMark[] {
    return this.#marks.due(nowUs, presenceOf);
  }

  /** Rows are placed by the watermark before this frame; then it moves. Source: [R9.2-3]. */
  #applyFrame(log: LogState, beforeUs: number, { recv }: RecordHeader): void {
    const { target, isKnown, reader } = this.#frame;
    target.lastRecvUs = recv;
    if (!isKnown) {
      this.unreadable += 1;
      return;
    }
    this.#beginPlacing(target, beforeUs, log.clockUs);
    const wasEmpty = target.open.count === 0;
    const highestUs = this.#placer.place(this.#frame);
    this.#finalizer.correct(target);
    if (wasEmpty && target.open.count > 0) this.#marks.opened(target);
    target.raise(highestUs, reader.wm);
    log.capped.update(target);
  }

  /** The log clock as it was before the frame, and as it is with it. */
  #beginPlacing(target: ClassState, beforeUs: number, clockUs: number): void {
    this.#placer.begin(target.watermarkAt(beforeUs), clockUs + this.#timing.futureUs + 1);
  }

  #classOf(log: LogState, device: Device, lane: number): ClassState {
    const classId = CLASS_OF_LANE[lane] as ClassId;
    const known = device.classes[classId];
    if (known !== undefined) return known;
    const added = new ClassState(device, classId, log, this.#timing);
    device.classes[classId] = added;
    return added;
  }

  /** Source: [R9.1-3]. An entry of a class that has no frame in this log means nothing. */
  #applyMark(log: LogState, value: Uint8Array): void {
    const entries = decodeMark(value);
    if (entries === null) this.unreadable += 1;
    for (const entry of entries ?? []) {
      const target = this.#devices.at(entry.device)?.classes[entry.class];
      if (target?.log !== log) continue;
      target.mark(entry.watermark);
      log.capped.update(target);
    }
  }

  /** A refused frame carries no readings, but its class is not silent. */
  #applyStub({ key }: LogRecord, { lane, recv }: RecordHeader): void {
    const target = this.#devices.find(key)?.classes[CLASS_OF_LANE[lane] as ClassId];
    if (target !== undefined) target.lastRecvUs = recv;
  }

  #tellNewSeries(from: number): void {
    for (const series of this.#series.from(from)) this.#sink.appeared(series);
  }
}
