import { invariant, SharedFault } from '../model/invariant.ts';
import { SERIES_PER_LOG_MAX } from '../model/limits.ts';
import { CLASS_OF_LANE, type ClassId, type Schema } from '../model/reading.ts';
import { LOG, type LogKind, type LogRecord, RECORD } from '../model/record.ts';
import type { EventUs, WallUs } from '../model/time.ts';
import type { Series } from '../model/window.ts';
import { FrameReader } from '../wire/frame-reader.ts';
import { decodeMark } from '../wire/mark.ts';
import type { RecordHeader } from '../wire/record-header.ts';
import { type BoundSet, bindSet, hashOf, isBoundTo } from './bound-set.ts';
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
  readonly #schemas: (hash: Uint8Array) => Schema | undefined;
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
  readonly #reader = new FrameReader();
  /** Set ids of the current frame, in order of first appearance: the order of its hashes. */
  readonly #setIds: number[] = [];
  /** Sets of the current frame's blocks. */
  readonly #sets: BoundSet[] = [];

  constructor(options: AggregationOptions) {
    this.#shards = options.shards;
    this.#schemas = options.schemas;
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
    for (const log of this.#pace.due()) this.#goOn(log, false);
  }

  /**
   * Takes in a valid record of the readings or alarms log. Every kind of record moves the log
   * clock, so none may be left out. What is pending of the record before it is given first. A fault
   * of ours in what one record holds is counted and told, and the next record follows: thrown, it
   * would meet every start at this place of the log.
   */
  apply(record: LogRecord, header: RecordHeader): void {
    const log = this.#log(record.log, record.shard);
    if (log.emission.isPending) this.#goOn(log, true);
    try {
      this.#apply(log, record, header);
    } catch (error) {
      this.#failed(log, new TextDecoder().decode(record.key), error);
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

  #apply(log: LogState, record: LogRecord, header: RecordHeader): void {
    const beforeUs = log.clockUs;
    const seriesBefore = this.#series.count;
    log.advance(header.recv);
    log.emission.begin(record);
    if (header.kind === RECORD.frame) this.#applyFrame(log, beforeUs, record, header);
    else if (header.kind === RECORD.mark) this.#applyMark(log, record.value);
    else if (header.kind === RECORD.stub) this.#applyStub(record, header);
    this.#pace.give(log, this.#unitsOf(record, this.#series.count - seriesBefore));
    if (this.#series.count > seriesBefore) this.#tellNewSeries(seriesBefore);
    this.#changes.flush(this.#sink);
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
  #applyFrame(log: LogState, beforeUs: number, record: LogRecord, header: RecordHeader): void {
    const target = this.#classOf(log, this.#devices.of(record.key), header.lane);
    target.lastRecvUs = header.recv;
    if (!this.#read(target, record.value, header.hashes)) {
      this.unreadable += 1;
      return;
    }
    this.#placer.begin(target.watermarkAt(beforeUs), log.clockUs + this.#timing.futureUs + 1);
    const wasEmpty = target.open.count === 0;
    const highestUs = this.#placeBlocks(target);
    this.#finalizer.correct(target);
    if (wasEmpty && target.open.count > 0) this.#marks.opened(target);
    target.raise(highestUs, this.#reader.wm);
    log.capped.update(target);
  }

  /**
   * Reads a frame and finds its sets, in the order of its blocks; false if something of it is not
   * known. Then nothing of it is aggregated: it stays in the log, and sessions need its header only.
   */
  #read(target: ClassState, value: Uint8Array, hashes: Uint8Array): boolean {
    const reader = this.#reader;
    this.#setIds.length = 0;
    this.#sets.length = 0;
    if (reader.read(value) !== null) return false;
    for (let b = 0; b < reader.blockCount; b += 1) {
      const set = this.#setOf(target, reader.set(b), hashes);
      if (set === null || reader.shape(b, set.columns.length) !== null) return false;
      this.#sets.push(set);
    }
    return true;
  }

  /** Returns the frame's highest event time that is not future, or −∞. */
  #placeBlocks(target: ClassState): number {
    let highestUs = Number.NEGATIVE_INFINITY;
    for (let b = 0; b < this.#sets.length; b += 1) {
      const set = this.#sets[b] as BoundSet;
      highestUs = Math.max(highestUs, this.#placer.block(this.#reader, b, target, set));
    }
    return highestUs;
  }

  /** Null: the definition of the set is not known. */
  #setOf(target: ClassState, id: number, hashes: Uint8Array): BoundSet | null {
    let k = this.#setIds.indexOf(id);
    if (k < 0) k = this.#setIds.push(id) - 1;
    const bound = target.sets.get(id);
    if (bound !== undefined && isBoundTo(bound, hashes, k)) return bound;
    const schema = this.#schemas(hashOf(hashes, k));
    return schema === undefined ? null : bindSet(target, id, schema);
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
