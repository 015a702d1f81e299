import { COST_PER_MESSAGE, FRAME_BYTES_MAX, HEARTBEAT_MS } from '../../../src/model/limits.ts';
import type { Timeline } from '../timeline.ts';
import { Appender } from './appender.ts';
import type { Credit, CreditOptions, Row } from './credit-port.ts';
import type { Device, SentFrame } from './device.ts';
import type { LogKind, LogModel } from './log-model.ts';
import type { LaneNumber, Measures } from './measures.ts';
import { type Channel, Session } from './session.ts';

/** A `flow` to a session less than this after the last one waits. [R6.3-3] Units: ms. */
const FLOW_MS = 20;
/** The credit is told how late the event loop is. Units: ms. */
const LATE_MS = 20;
const ROUNDING = 1e-6;

/** What a gateway is like. */
export interface GatewaySpec {
  readonly budgetBytes: number;
  readonly sessions: number | undefined;
  /** CPU for a frame, for an append that comes back, and for a `flow`. Units: ms. */
  readonly frameCpuMs: number;
  readonly flowCpuMs: number;
  /** Every frame in the pipeline comes again after a reconnect. */
  readonly hasDuplicates: boolean;
}

/** What a gateway has to do with. */
export interface GatewayPort {
  readonly timeline: Timeline;
  readonly measures: Measures;
  readonly logs: readonly LogModel[];
  readonly makeCredit: (options: CreditOptions) => Credit;
}

/** A frame that was admitted. */
interface Admitted extends SentFrame {
  readonly channel: Channel;
  readonly arrivedMs: number;
}

/** A gateway reduced to what credit is about: it admits, appends, settles and tells. */
export class Gateway {
  readonly credit: Credit;
  /** How late the event loop was, every 20 ms. Units: ms. */
  readonly lateMs: number[] = [];
  readonly budgetBytes: number;
  /** Σ (limit − settled), and what closed connections left. Units: bytes. */
  exposed = 0;
  readonly #spec: GatewaySpec;
  readonly #port: GatewayPort;
  readonly #appenders: readonly Readonly<Record<LogKind, Appender<Admitted>>>[];
  readonly #sessions = new Map<Device, Session>();
  readonly #channels = new Map<Row, Channel>();
  /** Raised by `open` before anybody knows whose row it is. */
  readonly #early = new Map<Row, number>();
  #opened = 0;
  #changed = new Set<Session>();
  #cpuFreeMs = 0;

  constructor(spec: GatewaySpec, port: GatewayPort) {
    this.#spec = spec;
    this.budgetBytes = spec.budgetBytes;
    this.#port = port;
    this.credit = port.makeCredit({
      nowMs: () => port.timeline.ms,
      budgetBytes: spec.budgetBytes,
      sessions: spec.sessions,
      pipes: port.logs.length,
      raised: (row, limit) => this.#raised(row, limit),
    });
    this.#appenders = port.logs.map((log, pipe) => this.#makeAppenders(log, pipe));
    this.#watchLoop();
  }

  /** The session of a device, or the last one it had. */
  session(device: Device): Session | undefined {
    return this.#sessions.get(device);
  }

  /** `hello` came: the earlier connection is fenced, every lane gets its channel. */
  open(device: Device): void {
    const before = this.#sessions.get(device);
    if (before) this.close(device);
    const session = new Session(device, this.#port.timeline.ms);
    this.#sessions.set(device, session);
    this.#opened += 1;
    for (const lane of device.laneNumbers) {
      this.#openChannel(session, lane, before?.pipelineOf(lane) ?? 0);
    }
    if (this.#spec.hasDuplicates) session.repeatPipeline();
    this.credit.serve();
    session.isWelcomed = true;
    this.#tell(session);
    this.#flush();
    this.#beat(session);
  }

  /** The connection ended, or another takes its place. */
  close(device: Device): void {
    const session = this.#sessions.get(device);
    if (!session || session.isClosed) return;
    session.isClosed = true;
    for (const channel of session.channels) {
      this.credit.close(channel.row);
      this.#channels.delete(channel.row);
      this.exposed -= channel.limit - channel.received;
    }
  }

  /** A message came in; a busy gateway reads it later. */
  arrived(frame: SentFrame): void {
    this.#whenFree(this.#spec.frameCpuMs, () => this.#admit(frame));
  }

  told(device: Device, lane: LaneNumber, backlog: number): void {
    const channel = this.#openSession(device)?.channel(lane);
    if (!channel) return;
    this.credit.backlog(channel.row, backlog);
    this.#serve();
  }

  tick(): void {
    this.#serve();
  }

  /** The log of a pipe is back. */
  resume(pipe: number): void {
    this.#appenders[pipe]?.alarms.resume();
    this.#appenders[pipe]?.readings.resume();
  }

  #openSession(device: Device): Session | undefined {
    const session = this.#sessions.get(device);
    return session?.isClosed ? undefined : session;
  }

  #openChannel(session: Session, lane: LaneNumber, carry: number): void {
    const { pipe = 0, quota, weight = 1 } = session.device.spec;
    const opening = { session: this.#opened, lane, carry, pipe, quota, weight };
    const row = this.credit.open(opening);
    const mf = FRAME_BYTES_MAX[lane] ?? 0;
    const channel = session.add({ row, lane, one: mf + COST_PER_MESSAGE, carry });
    this.#channels.set(row, channel);
    const limit = this.#early.get(row);
    this.#early.delete(row);
    if (limit !== undefined) this.#raised(row, limit);
  }

  #raised(row: Row, limit: number): void {
    const { measures, timeline } = this.#port;
    const channel = this.#channels.get(row);
    if (!channel) {
      this.#early.set(row, limit);
      return;
    }
    if (limit < channel.limit) {
      measures.blame(timeline.ms, `C2: a limit goes from ${channel.limit} to ${limit}`);
    }
    this.exposed += limit - channel.limit;
    channel.limit = limit;
    measures.exposedPeak = Math.max(measures.exposedPeak, this.exposed);
    if (this.exposed > this.#spec.budgetBytes + 1) {
      measures.blame(timeline.ms, `C4: exposed ${this.exposed} of ${this.#spec.budgetBytes}`);
    }
    this.#changed.add(channel.session);
  }

  #admit(frame: SentFrame): void {
    const { measures, timeline } = this.#port;
    const { device, lane, cost } = frame;
    const session = this.#openSession(device);
    if (!session || !device.isUp || frame.connection !== device.connection) return;
    const channel = session.channel(lane);
    if (channel.received + cost > channel.limit + ROUNDING) {
      measures.blame(timeline.ms, `C1: received ${channel.received + cost} of ${channel.limit}`);
    }
    channel.received += cost;
    measures.frames += 1;
    this.credit.frame(channel.row, cost, frame.backlog);
    if (lane === 1 && session.takeDuplicate(cost)) {
      measures.duplicates += 1;
      this.#settle(channel, cost, true);
    } else {
      measures.queuedBytes += cost;
      this.#appender(channel).push({ ...frame, channel, arrivedMs: timeline.ms });
    }
    this.#serve();
  }

  #appender({ session, lane }: Channel): Appender<Admitted> {
    const pair = this.#appenders[session.device.spec.pipe ?? 0];
    if (!pair) throw new Error('a device of a pipe that is not there');
    return lane === 0 ? pair.alarms : pair.readings;
  }

  #settle(channel: Channel, cost: number, isDuplicate: boolean): void {
    this.exposed -= cost;
    channel.settled += cost;
    channel.acked += 1;
    this.credit.settled(channel.row, cost, isDuplicate);
    this.#changed.add(channel.session);
  }

  /** An append came back: its frames settle, then the credit hears of the append. */
  #appended(pipe: number, kind: LogKind, frames: readonly Admitted[], tookMs: number): void {
    const { timeline } = this.#port;
    let bytes = 0;
    for (const frame of frames) {
      bytes += frame.cost;
      this.#settleFrame(frame, timeline.ms);
    }
    this.credit.appended(pipe, kind === 'alarms', bytes, tookMs);
    this.#serve();
    this.#appenders[pipe]?.[kind].next();
  }

  #settleFrame(frame: Admitted, nowMs: number): void {
    const { measures } = this.#port;
    const { device, lane, bytes, cost, channel } = frame;
    measures.queuedBytes -= cost;
    measures.settled(lane, bytes, nowMs - frame.arrivedMs, nowMs);
    device.settledBytes[lane] += bytes;
    if (measures.isWarm(nowMs)) {
      device.measuredBytes[lane] += bytes;
      device.measuredCost[lane] += cost;
    }
    if (channel.session.isClosed) this.#settleOrphan(channel, cost);
    else this.#settle(channel, cost, false);
  }

  #settleOrphan({ session, lane }: Channel, cost: number): void {
    this.exposed -= cost;
    const { pipe = 0 } = session.device.spec;
    const latest = this.#sessions.get(session.device);
    const channel = latest?.channel(lane);
    if (channel) channel.settled += cost;
    if (!latest || latest.isClosed) this.credit.orphanSettled(pipe, lane, undefined, cost);
    else {
      this.credit.orphanSettled(pipe, lane, channel?.row, cost);
      this.#changed.add(latest);
    }
  }

  #serve(): void {
    this.credit.serve();
    this.#flush();
  }

  /** Lane 0 is told at once, the others too unless the session heard less than 20 ms ago. */
  #flush(): void {
    const changed = this.#changed;
    if (changed.size === 0) return;
    this.#changed = new Set();
    for (const session of changed) {
      if (session.isClosed || !session.isWelcomed) continue;
      const news = session.channels.filter((channel) => channel.hasNews);
      if (news.length === 0) continue;
      const isDue = this.#port.timeline.ms - session.toldMs >= FLOW_MS - ROUNDING;
      if (isDue || news.some(({ lane }) => lane === 0)) this.#tellAgain(session);
      else this.#tellLater(session);
    }
  }

  #tellAgain(session: Session): void {
    const { timeline } = this.#port;
    this.#cpuFreeMs = Math.max(this.#cpuFreeMs, timeline.ms) + this.#spec.flowCpuMs;
    this.#tell(session);
  }

  #tellLater(session: Session): void {
    if (session.isToBeTold) return;
    session.isToBeTold = true;
    const toldMs = session.toldMs;
    this.#port.timeline.at(toldMs + FLOW_MS, () => {
      if (!session.isToBeTold || session.toldMs !== toldMs || session.isClosed) return;
      this.#tellAgain(session);
    });
  }

  #tell(session: Session): void {
    session.toldMs = this.#port.timeline.ms;
    session.isToBeTold = false;
    session.device.tell(session.news());
  }

  /** A WebSocket Ping right after `welcome`, then every `hb`. */
  #beat(session: Session): void {
    const { timeline } = this.#port;
    if (session.isClosed) return;
    const ms = session.device.sampleRttMs() * (session.device.spec.pongs ?? 1);
    timeline.after(ms, () => {
      if (!session.isClosed)
        this.credit.pong(
          session.channels.map(({ row }) => row),
          ms,
        );
    });
    timeline.after(HEARTBEAT_MS, () => this.#beat(session));
  }

  #makeAppenders(log: LogModel, pipe: number): Readonly<Record<LogKind, Appender<Admitted>>> {
    const make = (kind: LogKind, beside: () => Appender<Admitted>): Appender<Admitted> => {
      const { timeline } = this.#port;
      const appender: Appender<Admitted> = new Appender<Admitted>(kind, {
        timeline,
        log,
        batchBytesMax: () => this.credit.batchBytesMax(pipe),
        besideBytes: () => beside().inFlightBytes,
        done: (frames, _bytes, tookMs) =>
          this.#whenFree(this.#spec.frameCpuMs, (waitedMs) =>
            this.#appended(pipe, kind, frames, tookMs + waitedMs),
          ),
      });
      return appender;
    };
    const alarms = make('alarms', () => readings);
    const readings: Appender<Admitted> = make('readings', () => alarms);
    return { alarms, readings };
  }

  /** Does something now, or when the CPU has come to it. */
  #whenFree(cpuMs: number, act: (waitedMs: number) => void): void {
    const { timeline } = this.#port;
    if (cpuMs === 0) {
      act(0);
      return;
    }
    const begunMs = timeline.ms;
    this.#cpuFreeMs = Math.max(this.#cpuFreeMs, begunMs) + cpuMs;
    timeline.at(this.#cpuFreeMs, () => act(timeline.ms - begunMs));
  }

  /** A timer of 20 ms, which comes as late as everything else: by that much. */
  #watchLoop(): void {
    if (this.#spec.frameCpuMs === 0) return;
    const { timeline } = this.#port;
    const dueMs = timeline.ms + LATE_MS;
    timeline.at(dueMs, () => {
      timeline.at(this.#cpuFreeMs, () => {
        const ms = timeline.ms - dueMs;
        this.lateMs.push(ms);
        for (const pipe of this.#port.logs.keys()) this.credit.late(pipe, ms);
        this.#watchLoop();
      });
    });
  }
}
