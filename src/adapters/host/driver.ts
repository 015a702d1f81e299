import { setTimeout as sleep } from 'node:timers/promises';
import type { Gap } from '../../delivery/continuity.ts';
import type { Broken } from '../../delivery/owned-log-port.ts';
import type { Effect, GatewayOptions, Input } from '../../gateway/io.ts';
import { Gateway } from '../../gateway.ts';
import type { RecordBatch } from '../../model/batch.ts';
import type { Breach } from '../../model/errors.ts';
import type { Identity } from '../../model/identity.ts';
import type { SessionId } from '../../model/machine.ts';
import { LOG, type LogKind, type LogRecord } from '../../model/record.ts';
import type { Now } from '../../model/time.ts';
import type { ShardLog } from '../log/shard-log.ts';
import { StartError } from '../log/start-error.ts';
import { Clock } from './clock.ts';
import { BATCH_BOUNDS_BYTES, DURATION_BOUNDS_MS, Histogram } from './histogram.ts';

/** After a log that could not be read it is tried again so much later. Units: ms. */
const READ_AGAIN_MS = 1000;
/** How often it is measured how late timers come. Units: ms. */
const LATENESS_MS = 20;
/** The core is told of a lateness that differs by so much from the one told last. Units: ms. */
const LATENESS_STEP_MS = 5;
/** A timer is never armed for longer than this, so that a late clock is noticed. Units: ms. */
const SLEEP_MS_MAX = 1000;

/** The sockets of the sessions. */
export interface Sockets {
  send(session: SessionId, bytes: Uint8Array): void;
  close(session: SessionId, code: number, reason: string): void;
  /** Sends a WebSocket Ping. */
  probe(session: SessionId): void;
  /** Who stands behind a token that this session showed. */
  verify(session: SessionId, token: string): Promise<Identity | Breach>;
  unsentBytes(session: SessionId): number;
}

/** What the driver is made of. */
export interface DriverOptions
  extends Omit<
    GatewayOptions,
    'unsentBytes' | 'onDurable' | 'dur' | 'isRecoverable' | 'isLogBusy'
  > {
  readonly log: ShardLog;
  readonly sockets: Sockets;
  /** The log cannot be read yet; it is tried again. */
  readonly onUnreachable: (reason: string) => void;
  /** The logs are ours: devices are served from now on. */
  readonly onOwned: () => void;
  /** Nothing may be acknowledged any more; the process has to stop. */
  readonly onBroken: (cause: Broken, reason: string) => void;
}

/**
 * The gateway's hands: one clock, one timer, the log and the sockets around the pure core. Every
 * input is one `step`, and every effect of it is done before the next input.
 */
export class Driver {
  readonly gateway: Gateway;
  /** From the call of `append` to its end. Units: ms. */
  readonly appendMs = new Histogram(DURATION_BOUNDS_MS);
  /** From the receipt of a frame to its being durable, when its flow goes out. Units: ms. */
  readonly ackMs = new Histogram(DURATION_BOUNDS_MS);
  /** Size of what was appended together. Units: bytes. */
  readonly batchBytes = new Histogram(BATCH_BOUNDS_BYTES);
  readonly #options: DriverOptions;
  readonly #clock = new Clock();
  #timer: NodeJS.Timeout | undefined;
  #lateness: NodeJS.Timeout | undefined;
  #lateMsTold = 0;
  #armedForMs = Number.POSITIVE_INFINITY;
  /** Who waits for what; at a stop only. */
  readonly #waits: { readonly holds: () => boolean; readonly resolve: () => void }[] = [];
  #isStopped = false;

  constructor(options: DriverOptions) {
    this.#options = options;
    this.gateway = new Gateway({
      ...options,
      isRecoverable: () => options.log.isRecoverable,
      dur: () => options.log.dur,
      isLogBusy: () => options.log.isBusy?.() ?? false,
      unsentBytes: (session) => options.sockets.unsentBytes(session),
      onDurable: (ms) => this.ackMs.observe(ms),
    });
    options.log.onReady = () => this.input({ kind: 'tick' });
  }

  /** Reads the log to its end and fences it: the one start path. */
  async start(): Promise<void> {
    this.#watchLateness(performance.now());
    while (!this.#isStopped && !(await this.#readAll())) await sleep(READ_AGAIN_MS);
    this.input({ kind: 'readEnd', log: null });
  }

  /** One step of the core, and what it wants done. */
  input(input: Input): void {
    if (this.#isStopped) return;
    for (const effect of this.gateway.step(input, this.#clock.now())) this.#perform(effect);
    this.#arm();
    for (const wait of this.#waits) {
      if (wait.holds()) wait.resolve();
    }
  }

  /**
   * Tells every session to go, and resolves when all have left and the log has everything; once
   * they have, the log gets so long. Units: ms. What it does not take by then was not acknowledged
   * either, so the devices still have it.
   */
  async leave(logMsMax: number): Promise<void> {
    const everybodyLeft = this.#until(() => this.gateway.ingest.sessions === 0);
    const drained = this.#until(() => this.gateway.isDrained);
    this.input({ kind: 'leave' });
    await everybodyLeft;
    await Promise.race([drained, sleep(logMsMax, undefined, { ref: false })]);
    this.stop();
  }

  /** The time now, as the core is told it. */
  now(): Now {
    return this.#clock.now();
  }

  #until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => this.#waits.push({ holds, resolve }));
  }

  /** Takes no further input. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#lateness);
  }

  /** A process that has no time reads its sockets and its log late. Source: CREDIT §3 `late`. */
  #watchLateness(armedMs: number): void {
    if (this.#isStopped) return;
    this.#lateness = setTimeout(() => {
      const nowMs = performance.now();
      const lateMs = Math.max(0, nowMs - armedMs - LATENESS_MS);
      if (Math.abs(lateMs - this.#lateMsTold) >= LATENESS_STEP_MS) {
        this.#lateMsTold = lateMs;
        this.input({ kind: 'late', lateMs });
      }
      this.#watchLateness(nowMs);
    }, LATENESS_MS).unref();
  }

  /**
   * Reads the whole log; false if it could not be reached and has to be read again. What was read
   * before is passed over then.
   */
  async #readAll(): Promise<boolean> {
    const { log, onUnreachable } = this.#options;
    try {
      await log.readSchemas((schema) => this.input({ kind: 'schema', schema }));
      await log.read((record) => this.input({ kind: 'record', record }));
      return true;
    } catch (error) {
      if (!log.isRecoverable || error instanceof StartError) throw error;
      onUnreachable(reasonOf(error));
      return false;
    }
  }

  #perform(effect: Effect): void {
    const { sockets } = this.#options;
    switch (effect.kind) {
      case 'send':
        return sockets.send(effect.session, effect.bytes);
      case 'close':
        return sockets.close(effect.session, effect.code, effect.reason);
      case 'probe':
        return sockets.probe(effect.session);
      case 'verify':
        void this.#verify(effect.session, effect.token);
        return;
      case 'append':
        void this.#append(effect.log, effect.batch);
        return;
      case 'read':
        void this.#read(effect.log, effect.gaps);
        return;
      case 'renew':
        return this.#options.log.renew(effect.log);
      case 'owned':
        return this.#options.onOwned();
      case 'broken':
        return this.#options.onBroken(effect.cause, effect.reason);
    }
  }

  async #verify(session: SessionId, token: string): Promise<void> {
    const verdict = await this.#options.sockets.verify(session, token);
    this.input({ kind: 'verified', session, verdict });
  }

  async #append(log: LogKind, batch: RecordBatch): Promise<void> {
    const begun = performance.now();
    this.batchBytes.observe(batch.size);
    const onPart = (offsets: Float64Array): void => this.input({ kind: 'appended', log, offsets });
    // A result is settled by nobody: parts of it are of no use.
    const parts = log === LOG.aggregates ? undefined : onPart;
    const input = await this.#options.log.append(batch, parts).then(
      ({ offsets }): Input => ({ kind: 'appended', log, offsets }),
      (error: unknown): Input => ({ kind: 'failed', log, reason: reasonOf(error) }),
    );
    this.appendMs.observe(performance.now() - begun);
    this.input(input);
  }

  async #read(log: LogKind, gaps: readonly Gap[]): Promise<void> {
    const onRecord = (record: LogRecord): void => this.input({ kind: 'record', record });
    const input = await this.#options.log.read(onRecord, gaps).then(
      (): Input => ({ kind: 'readEnd', log }),
      (error: unknown): Input => ({ kind: 'failed', log, reason: reasonOf(error) }),
    );
    this.input(input);
  }

  #arm(): void {
    const wakeAtMs = this.gateway.wakeAtMs;
    if (this.#isStopped || wakeAtMs >= this.#armedForMs) return;
    clearTimeout(this.#timer);
    if (wakeAtMs === Number.NEGATIVE_INFINITY) {
      // Work was cut into pieces: the sockets get their turn, and then it goes on at once.
      this.#armedForMs = wakeAtMs;
      setImmediate(() => this.#wake());
      return;
    }
    const delay = Math.min(SLEEP_MS_MAX, Math.max(0, wakeAtMs - performance.now()));
    this.#armedForMs = wakeAtMs;
    this.#timer = setTimeout(() => this.#wake(), Math.ceil(delay));
  }

  #wake(): void {
    this.#armedForMs = Number.POSITIVE_INFINITY;
    this.input({ kind: 'tick' });
  }
}

const reasonOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
