import { Aggregation } from './aggregation/aggregation.ts';
import type { AggregationSink } from './aggregation/sink.ts';
import { Delivery, type DeliveryPort } from './delivery/delivery.ts';
import { Fanout } from './fanout/fanout.ts';
import type { Effect, GatewayOptions, Input } from './gateway/io.ts';
import { Marking } from './gateway/marking.ts';
import { Turns } from './gateway/turns.ts';
import { Ingest } from './ingest/ingest.ts';
import type { IngestPort, SubscriberPort } from './ingest/port.ts';
import { breach } from './model/errors.ts';
import { shared } from './model/invariant.ts';
import { FLUSH_MS, FLUSH_PRESSED_MS, UNITS_PER_STEP, WINDOWS_MS } from './model/limits.ts';
import { CLASS, CLASS_OF_LANE } from './model/reading.ts';
import { LOG, type LogKind, RECORD } from './model/record.ts';
import { eventUs, type MonoMs, monoMs, type Now, wallUs } from './model/time.ts';
import { WHY } from './model/why.ts';

/** Within what time devices come back when the log is no longer ours. Units: ms. */
const LEAVE_SPREAD_MS = 1000;

/**
 * THE ARROWS: which stage feeds which, and the one way back (settled → credit).
 *
 *   message → ingest → delivery → (append, durable) → aggregation → fan-out, aggregates log
 *                ↑________settled________|
 *
 * Guarantee: synchronous and deterministic; it reads no clock and does no I/O. Whatever a peer
 * sends, `step` does not throw.
 */
export class Gateway {
  readonly ingest: Ingest;
  readonly delivery: Delivery;
  readonly aggregation: Aggregation;
  readonly fanout: Fanout;
  readonly #options: GatewayOptions;
  #effects: Effect[] = [];
  #now: Now = { monoMs: monoMs(0), wallUs: wallUs(0) };
  /** When the last append of a log came back. Units: wall µs. */
  readonly #landedUs: number[] = [];
  readonly #marking: Marking;
  readonly #turns: Turns;
  #isLeaving = false;

  constructor(options: GatewayOptions) {
    this.#options = options;
    const { shards } = options;
    this.delivery = new Delivery({ ...options, port: this.#deliveryPort() });
    const schemas = (hash: Uint8Array) => this.delivery.schemas.find(hash);
    this.aggregation = new Aggregation({
      shards,
      schemas,
      sink: this.#aggregationSink(),
      onFault: (device, error) => options.onFault?.({ session: 0, device, error }),
    });
    this.fanout = new Fanout({
      port: {
        send: (session, bytes) => this.#do({ kind: 'send', session, bytes }),
        unsentBytes: options.unsentBytes,
        breach: (session, why) => this.ingest.breachById(session, why, this.#now),
        fault: (session, error) => this.ingest.fault(session, error, this.#now),
      },
      series: () => this.aggregation.series(),
      windowsMs: WINDOWS_MS,
      flushMs: FLUSH_MS,
      pressedFlushMs: FLUSH_PRESSED_MS,
    });
    this.ingest = new Ingest({ ...options, port: this.#ingestPort(), knownSchema: schemas });
    this.#marking = new Marking(this);
    this.#turns = new Turns(this);
  }

  /** Takes one input and says what is to be done about it. */
  step(input: Input, now: Now): readonly Effect[] {
    this.#now = now;
    if (this.#effects.length > 0) this.#effects = [];
    this.#beginTurn(input);
    this.#take(input, now);
    this.#tick(now);
    return this.#effects;
  }

  /** When a `tick` is wanted at the latest. */
  get wakeAtMs(): MonoMs {
    if (this.#turns.isNext) return monoMs(Number.NEGATIVE_INFINITY);
    const { ingest, delivery, fanout } = this;
    const wakeAtMs = Math.min(ingest.wakeAtMs, delivery.wakeAtMs, fanout.wakeAtMs);
    return monoMs(Math.min(wakeAtMs, this.#marking.wakeAtMs));
  }

  /** The node was told to leave, everybody has gone, and the log has everything. */
  get isDrained(): boolean {
    const isEmpty = this.ingest.sessions === 0 && this.delivery.isIdle;
    return this.#isLeaving && isEmpty && !this.aggregation.isBehind;
  }

  /**
   * Aggregation begins with what an append brings, and goes on once in a turn of the event loop:
   * many messages may come in one, and leave it alone. What is read at the start has no peer that
   * waits, and is needed whole.
   */
  #beginTurn(input: Input): void {
    if (input.kind === 'record') return this.#turns.allowAll();
    const isRows = input.kind === 'appended' && input.log !== LOG.aggregates;
    const goesOn = isRows || input.kind === 'tick' || input.kind === 'readEnd';
    this.#turns.allow(goesOn ? (this.#options.unitsPerStep ?? UNITS_PER_STEP) : 0);
  }

  #take(input: Input, now: Now): void {
    const { ingest, delivery } = this;
    switch (input.kind) {
      case 'connected':
        return ingest.connected(input, now);
      case 'verified':
        return ingest.verified(input.session, input.verdict, now);
      case 'message':
        return ingest.message(input.session, input.payload, input.isBinary, now);
      case 'heard':
        return ingest.heard(input.session, now);
      case 'pong':
        return ingest.pong(input.session, input.tookMs, now);
      case 'late':
        return ingest.credit.late(input.lateMs);
      case 'disconnected':
        return ingest.disconnected(input.session, now);
      case 'schema':
        return delivery.schemaRead(input.schema);
      case 'record':
        return delivery.recordRead(input.record);
      case 'readEnd':
        return delivery.readEnd(input.log, now);
      case 'appended':
        return delivery.appended(input.log, input.offsets, now);
      case 'failed':
        return delivery.failed(input.log, input.reason, now);
      case 'leave':
        this.#isLeaving = true;
        return ingest.drain(now);
      case 'tick':
        return;
    }
  }

  #tick(now: Now): void {
    this.ingest.tick(now);
    this.aggregation.advance();
    this.#marking.tick(now);
    this.delivery.tick(now);
    this.fanout.climb(this.ingest.rung);
    this.fanout.tick(now);
  }

  /** What appends take is what credit is made of. Source: CREDIT §5.1. */
  #appendDone(log: LogKind, cost: number, tookMs: number): void {
    this.#landedUs[log] = this.#now.wallUs;
    const { credit } = this.ingest;
    credit.appended(log === LOG.alarms, cost, tookMs, this.#now);
    const most = credit.batchAtMost(this.#now);
    if (Number.isFinite(most)) this.delivery.probe(most);
  }

  #do(effect: Effect): void {
    this.#effects.push(effect);
  }

  #ingestPort(): IngestPort {
    return {
      send: (session, bytes) => this.#do({ kind: 'send', session, bytes }),
      close: (session, code, reason) => this.#do({ kind: 'close', session, code, reason }),
      probe: (session) => this.#do({ kind: 'probe', session }),
      verify: (session, token) => this.#do({ kind: 'verify', session, token }),
      admit: (row) => this.delivery.admit(row, this.#now),
      refusalOf: () =>
        this.delivery.isOwner ? null : breach(this.delivery.isBroken ? 4103 : 4203),
      dur: this.#options.dur,
      why: () => (this.delivery.isWaiting ? WHY.logDown : WHY.none),
      tellWatermark: (device, lane, t) =>
        this.aggregation.tellWatermark(device, CLASS_OF_LANE[lane] ?? CLASS.live, eventUs(t)),
      subscribers: this.#subscriberPort(),
    };
  }

  #subscriberPort(): SubscriberPort {
    const fanout = () => this.fanout;
    return {
      open: (session, terms) => fanout().open(session, terms),
      close: (session) => fanout().close(session),
      sub: (session, message, now) => fanout().sub(session, message, now),
      end: (session, message, now) => fanout().end(session, message.c, now),
      flow: (session, entries, now) => fanout().flow(session, entries, now),
      ping: (session, echo, now) => fanout().ping(session, echo, now),
      subscriptions: (session) => fanout().subscriptions(session),
    };
  }

  #deliveryPort(): DeliveryPort {
    return {
      append: (log, batch) => this.#do({ kind: 'append', log, batch }),
      settled: (settlement) => this.ingest.settle(settlement, this.#now),
      appendDone: (log, cost, tookMs) => this.#appendDone(log, cost, tookMs),
      read: (log, gaps) => this.#do({ kind: 'read', log, gaps }),
      renew: (log) => this.#do({ kind: 'renew', log }),
      waiting: () => this.ingest.tellWhy(this.#now),
      fed: (record, header) => {
        if (!this.aggregation.apply(record, header)) return false;
        if (this.delivery.isOwner) {
          const landedUs = this.#landedUs[record.log] as number;
          this.#options.onDurable?.((landedUs - header.recv) / 1000);
        } else this.ingest.recovered(record, header);
        if (header.kind === RECORD.mark) this.#marking.fed(record);
        return true;
      },
      mayFeed: (log, shard) => this.aggregation.mayApply(log, shard),
      owned: () => {
        // What was read so far was durable before: this process counts what it makes durable itself.
        this.aggregation.resetCounters();
        this.ingest.disconnectAll(this.#now);
        this.#do({ kind: 'owned' });
      },
      broken: (cause, reason) => {
        this.ingest.leaveAll(cause === 'deposed' ? 4203 : 4103, LEAVE_SPREAD_MS, this.#now);
        this.#do({ kind: 'broken', cause, reason });
      },
    };
  }

  #aggregationSink(): AggregationSink {
    return {
      result: (cause, result) => shared(() => this.delivery.result({ cause, result }, this.#now)),
      changed: (windows, start) => shared(() => this.fanout.changed(windows, start)),
      appeared: (series) => shared(() => this.fanout.appeared(series)),
    };
  }
}
