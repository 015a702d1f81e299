import { ReconnectPolicy } from '../src/client/reconnect-policy.ts';
import { CreditDevice, type LaneShape, type Listener, type Told } from './credit-device.ts';
import type { CreditLane } from './credit-lane.ts';
import { alarmLane, waveLane } from './lane-shapes.ts';

const ROWS = 300;
const isStatus = (code: number): boolean => code >= 400 && code < 600;

/** What all devices of a storm have in common. */
export interface StormTerms {
  readonly url: string;
  /** Frames of lane 1 per second. */
  readonly rate: number;
  /** From when frames are due, and until when; NaN: not yet. Units: ms. */
  sinceMs: number;
  untilMs: number;
  readonly onEnd: (device: StormDevice, code: number, told: Told) => void;
  readonly onAcked: (lane: number, ms: number) => void;
}

const shapesOf = (rate: number): readonly LaneShape[] => [
  alarmLane('back'),
  waveLane(ROWS, 1e6 / rate / ROWS),
];

/**
 * A device that comes back by the policy of PROTOCOL §10.3, whatever ended its connection: it says so
 * on lane 0, sends what it held, and goes on.
 */
export class StormDevice {
  readonly io: CreditDevice;
  readonly alarm: CreditLane;
  readonly bulk: CreditLane;
  readonly #terms: StormTerms;
  readonly #phase = Math.random();
  #policy = newPolicy();
  #alarmsDue = 0;
  #liveFrom = 0;
  /** Since the storm began: when it was welcomed, and when each lane was heard again; NaN: not yet. */
  welcomedMs = Number.NaN;
  alarmMs = Number.NaN;
  liveMs = Number.NaN;

  constructor(name: string, terms: StormTerms) {
    this.#terms = terms;
    const listener: Listener = {
      onWelcome: () => this.#welcomed(performance.now()),
      onFlow: () => this.#flowed(performance.now()),
      onAcked: (_device, lane, ms) => terms.onAcked(lane, ms),
      onEnd: (_device, code, told) => this.#ended(code, told),
    };
    this.io = new CreditDevice(name, terms.url, shapesOf(terms.rate), listener);
    [this.alarm, this.bulk] = this.io.lanes as [CreditLane, CreditLane];
  }

  /** A storm begins for a device that was well until now. */
  begin(): void {
    this.#policy = newPolicy();
    this.welcomedMs = Number.NaN;
    this.alarmMs = Number.NaN;
    this.liveMs = Number.NaN;
  }

  /** How many frames of lane 1 it should have formed by then. */
  dueAt(nowMs: number): number {
    const { sinceMs, untilMs, rate } = this.#terms;
    if (Number.isNaN(sinceMs)) return 0;
    return Math.floor(((Math.min(nowMs, untilMs) - sinceMs) * rate) / 1000 + this.#phase);
  }

  /** Everything that was due by then is acked. */
  isAckedTo(due: number): boolean {
    return this.bulk.acked >= due && this.alarm.acked >= this.#alarmsDue;
  }

  /** Sends what may be sent: alarms first, and on each lane what was held first. */
  pump(nowMs: number): void {
    if (!this.io.isLive) return;
    this.#pump(this.alarm, this.#alarmsDue, nowMs);
    this.#pump(this.bulk, this.dueAt(nowMs), nowMs);
  }

  #pump(lane: CreditLane, due: number, nowMs: number): void {
    const stepUs = 1e6 / this.#terms.rate;
    while ((lane.cursor < lane.n || lane.n < due) && lane.hasCredit) {
      this.io.send(lane, nowMs, stepUs);
    }
  }

  #welcomed(nowMs: number): void {
    this.welcomedMs = nowMs;
    this.#alarmsDue += 1;
    this.#liveFrom = this.dueAt(nowMs) + 1;
    this.pump(nowMs);
  }

  #flowed(nowMs: number): void {
    if (Number.isNaN(this.alarmMs) && this.alarm.acked >= this.#alarmsDue) this.alarmMs = nowMs;
    if (Number.isNaN(this.liveMs) && this.bulk.acked >= this.#liveFrom) this.liveMs = nowMs;
    this.pump(nowMs);
  }

  #ended(code: number, told: Told): void {
    this.#terms.onEnd(this, code, told);
    const { retryAfter, waitMs = retryAfter && 1000 * Number(retryAfter) } = told;
    const [closeCode, status] = isStatus(code) ? [0, code] : [code, 0];
    const ending = { code: closeCode, status, waitMs: waitMs || undefined, message: '' };
    const verdict = this.#policy.next(ending, performance.now(), true);
    if (Number.isFinite(verdict.waitMs)) setTimeout(() => this.io.connect(), verdict.waitMs);
  }
}

const newPolicy = (): ReconnectPolicy =>
  new ReconnectPolicy({ random: Math.random, isUnattended: true, canRenew: false });
