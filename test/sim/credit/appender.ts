import { Fifo } from '../../../src/fanout/fifo.ts';
import type { Timeline } from '../timeline.ts';
import { BATCH_BYTES_MAX, type LogKind, type LogModel } from './log-model.ts';

/** Readings wait so long for company when nothing is being appended. */
const LINGER_MS: Readonly<Record<LogKind, number>> = { alarms: 0, readings: 10 };
const ROUNDING_MS = 1e-6;

/** What an appender has to know of a frame. */
interface Waiting {
  readonly cost: number;
  readonly arrivedMs: number;
}

interface Append<Frame> {
  readonly frames: readonly Frame[];
  readonly bytes: number;
  readonly sinceMs: number;
  /** The log is down: it comes back when the log does. */
  isHeld: boolean;
}

/** What an appender has to do with. */
export interface AppenderPort<Frame> {
  readonly timeline: Timeline;
  readonly log: LogModel;
  /** The largest batch that the credit wants now. Units: bytes. */
  batchBytesMax(): number;
  /** What the appender of the other kind is writing now. Units: bytes. */
  besideBytes(): number;
  /** An append came back. It may be taken in some time after, by a busy gateway. */
  done(frames: readonly Frame[], bytes: number, tookMs: number): void;
}

/** Group commit: one append in flight, and a batch that grows meanwhile. */
export class Appender<Frame extends Waiting> {
  readonly kind: LogKind;
  readonly #port: AppenderPort<Frame>;
  readonly #waiting = new Fifo<Frame>();
  #waitingBytes = 0;
  #append: Append<Frame> | undefined;
  #lingersUntilMs = 0;

  constructor(kind: LogKind, port: AppenderPort<Frame>) {
    this.kind = kind;
    this.#port = port;
  }

  /** Being written now. Units: bytes. */
  get inFlightBytes(): number {
    return this.#append?.bytes ?? 0;
  }

  push(frame: Frame): void {
    this.#waiting.push(frame);
    this.#waitingBytes += frame.cost;
    this.#pump();
  }

  /** The append was taken in: the next one may go. */
  next(): void {
    this.#append = undefined;
    this.#pump();
  }

  /** The log is back. */
  resume(): void {
    const append = this.#append;
    if (!append?.isHeld) return;
    append.isHeld = false;
    this.#write(append);
  }

  #pump(): void {
    const oldest = this.#waiting.peek();
    if (this.#append || !oldest) return;
    const { timeline } = this.#port;
    const bytesMax = Math.min(
      BATCH_BYTES_MAX,
      this.kind === 'alarms' ? BATCH_BYTES_MAX : this.#port.batchBytesMax(),
    );
    const dueMs = oldest.arrivedMs + LINGER_MS[this.kind];
    if (this.#waitingBytes < bytesMax && timeline.ms < dueMs - ROUNDING_MS) {
      this.#linger(dueMs);
      return;
    }
    this.#append = this.#take(bytesMax);
    this.#write(this.#append);
  }

  #linger(dueMs: number): void {
    const { timeline } = this.#port;
    if (this.#lingersUntilMs > timeline.ms && this.#lingersUntilMs <= dueMs) return;
    this.#lingersUntilMs = dueMs;
    timeline.at(dueMs, () => this.#pump());
  }

  #take(bytesMax: number): Append<Frame> {
    const frames: Frame[] = [];
    let bytes = 0;
    for (let next = this.#waiting.peek(); next; next = this.#waiting.peek()) {
      if (frames.length > 0 && bytes + next.cost > bytesMax) break;
      this.#waiting.shift();
      frames.push(next);
      bytes += next.cost;
    }
    this.#waitingBytes -= bytes;
    return { frames, bytes, sinceMs: this.#port.timeline.ms, isHeld: false };
  }

  #write(append: Append<Frame>): void {
    const { timeline, log } = this.#port;
    if (log.isDown) {
      append.isHeld = true;
      return;
    }
    timeline.after(log.appendMs(this.kind, append.bytes, this.#port.besideBytes()), () => {
      if (log.isDown) append.isHeld = true;
      else this.#port.done(append.frames, append.bytes, timeline.ms - append.sinceMs);
    });
  }
}
