import { Fanout, type FanoutOptions } from '../../src/fanout/fanout.ts';
import type { FanoutPort } from '../../src/fanout/port.ts';
import type { Breach } from '../../src/model/errors.ts';
import type { Identity } from '../../src/model/identity.ts';
import { KEPT_WINDOWS } from '../../src/model/limits.ts';
import type { Codec, SessionId } from '../../src/model/machine.ts';
import type { ClassId } from '../../src/model/reading.ts';
import { monoMs, type Now, wallUs } from '../../src/model/time.ts';
import type { StatusId } from '../../src/model/window.ts';
import type { FlowEntry, ServerMessage, Sub } from '../../src/wire/messages.ts';
import { decodeServerMessage } from './dashboard-client.ts';
import { type FakeFigures, FakeSeries } from './fake-series.ts';

/** No test lets time pass for so long that more are needed. */
const TICKS_MAX = 100_000;

/** A gateway's view of fan-out: everything sent is kept, the socket is as full as a test says. */
class FakePort implements FanoutPort {
  readonly sent: { readonly session: SessionId; readonly bytes: Uint8Array }[] = [];
  readonly breaches: { readonly session: SessionId; readonly breach: Breach }[] = [];
  unsent = 0;

  send(session: SessionId, bytes: Uint8Array): void {
    this.sent.push({ session, bytes });
  }

  unsentBytes(): number {
    return this.unsent;
  }

  breach(session: SessionId, breach: Breach): void {
    this.breaches.push({ session, breach });
  }
}

/** Fan-out on a test rig: series by hand, a clock by hand, messages as values. */
export class FanoutRig {
  readonly port = new FakePort();
  readonly series: FakeSeries[] = [];
  readonly fanout: Fanout;
  readonly codec: Codec;
  ms = 0;

  constructor(codec: Codec = 'json', options: Partial<FanoutOptions> = {}) {
    this.codec = codec;
    this.fanout = new Fanout({
      port: this.port,
      series: () => this.series,
      windowsMs: [1000],
      flushMs: 50,
      pressedFlushMs: 500,
      ...options,
    });
  }

  get now(): Now {
    return { monoMs: monoMs(this.ms), wallUs: wallUs(1_761_962_400_000_000 + this.ms * 1000) };
  }

  /** A series that exists from now on; fan-out hears of it with its first `put`. */
  add(topic: string, unit = '', keep = KEPT_WINDOWS): FakeSeries {
    const series = new FakeSeries(this.series.length, topic, unit, keep);
    this.series.push(series);
    return series;
  }

  /** Writes a window and tells fan-out. */
  put(
    series: FakeSeries,
    second: number,
    figures: FakeFigures,
    { status = 0, classId = 0 }: { status?: StatusId; classId?: ClassId } = {},
  ): void {
    const windows = series.of(classId);
    this.fanout.changed(windows, windows.put(second, figures, status));
  }

  open(session: SessionId, messageBytesMax = 32_768, reads: Identity['reads'] = [['#']]): void {
    const { codec } = this;
    this.fanout.open(session, { codec, messageBytesMax, heartbeatMs: 20_000, reads });
  }

  /** Subscribes channel 1 to everything by 1 s windows, but for what `sub` says. */
  sub(session: SessionId, sub: Partial<Sub> = {}): void {
    this.fanout.sub(session, { k: 'sub', c: 1, p: ['#'], win: 1000, ...sub }, this.now);
  }

  flow(session: SessionId, ...entries: FlowEntry[]): void {
    this.fanout.flow(session, entries, this.now);
  }

  /** Lets time pass, ticking whenever fan-out wants to; `onTick` is told of every tick. */
  advance(ms: number, onTick?: () => void): void {
    const end = this.ms + ms;
    let ticks = 0;
    for (let wakeAtMs: number = this.fanout.wakeAtMs; wakeAtMs <= end; ) {
      this.ms = Math.max(this.ms, wakeAtMs);
      this.fanout.tick(this.now);
      onTick?.();
      wakeAtMs = this.fanout.wakeAtMs;
      ticks += 1;
      if (ticks > TICKS_MAX) throw new Error('fan-out wants to be ticked for ever');
    }
    this.ms = end;
  }

  decode(bytes: Uint8Array): ServerMessage {
    return decodeServerMessage(this.codec, bytes);
  }

  /** Takes what was sent to a session since the last call. */
  taken(session: SessionId): ServerMessage[] {
    return this.takenBytes(session).map((bytes) => this.decode(bytes));
  }

  /** The same, undecoded. */
  takenBytes(session: SessionId): Uint8Array[] {
    const mine = this.port.sent.filter((one) => one.session === session);
    const others = this.port.sent.filter((one) => one.session !== session);
    this.port.sent.splice(0, this.port.sent.length, ...others);
    return mine.map(({ bytes }) => bytes);
  }
}
