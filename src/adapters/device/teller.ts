import type { DeviceEffect } from '../../client/device-io.ts';
import type { DeviceSession } from '../../client/device-session.ts';
import type { DeviceEvent, LaneName, WaitReason } from './device-event.ts';

const LANES: readonly LaneName[] = ['critical', 'live', 'backfill'];
const REASONS: readonly WaitReason[] = [
  'none',
  'log slow',
  'log down',
  'quota',
  'memory',
  'draining',
];

const laneName = (lane: number): LaneName => LANES[lane] ?? 'live';

/** Turns what a session does into events. */
export class Teller {
  readonly #session: DeviceSession;
  #why: WaitReason = 'none';
  #isBlocked = false;

  constructor(session: DeviceSession) {
    this.#session = session;
  }

  /** The events of one step. */
  eventsOf(effects: readonly DeviceEffect[], nowMs: number): DeviceEvent[] {
    const events = effects.flatMap((effect) => this.#eventsOf(effect, nowMs));
    return [...events, ...summed(effects, this.#session.thinning), ...this.#blocked()];
  }

  #eventsOf(effect: DeviceEffect, nowMs: number): DeviceEvent[] {
    switch (effect.kind) {
      case 'connect':
        return [{ kind: 'connecting', url: effect.url }];
      case 'welcomed':
        this.#why = 'none';
        return [{ kind: 'live', epoch: effect.epoch, durability: effect.dur }];
      case 'terms':
        this.#why = REASONS[effect.why] ?? 'other';
        return [];
      case 'acked':
        return acked(effect, nowMs);
      case 'rejected': {
        const { frame, code, message } = effect;
        const lane = laneName(frame.lane);
        return [{ kind: 'rejected', lane, readings: frame.readings, code, message }];
      }
      case 'dropped':
        return [{ kind: 'dropped', readings: effect.readings, reason: effect.reason }];
      case 'waiting': {
        const { waitMs, ending } = effect;
        const code = ending.code || ending.status;
        return [{ kind: 'waiting', waitMs, code, message: ending.message }];
      }
      case 'stopped': {
        const { code, status, message } = effect.ending;
        return [{ kind: 'stopped', code: code || status, message }];
      }
      default:
        // What is summed up per step, and what is the client's own business.
        return [];
    }
  }

  #blocked(): DeviceEvent[] {
    const { isBlocked } = this.#session;
    if (isBlocked === this.#isBlocked) return [];
    this.#isBlocked = isBlocked;
    return [isBlocked ? { kind: 'blocked', why: this.#why } : { kind: 'unblocked' }];
  }
}

function acked(
  { lane, freed }: Extract<DeviceEffect, { kind: 'acked' }>,
  nowMs: number,
): DeviceEvent[] {
  const newest = freed.at(-1);
  if (!newest) return [];
  const readings = freed.reduce((sum, frame) => sum + frame.readings, 0);
  // A frame of an earlier process was sent first at a time that is not known any more.
  const latencyMs = nowMs - newest.sentAtMs || 0;
  return [{ kind: 'acked', lane: laneName(lane), readings, latencyMs }];
}

/** What comes frame by frame and is told once. */
function summed(effects: readonly DeviceEffect[], keepsOneOf: number): DeviceEvent[] {
  let thinned = 0;
  let deferred = 0;
  for (const effect of effects) {
    if (effect.kind === 'thinned') thinned += effect.readings;
    if (effect.kind === 'moved' && effect.frame.lane > effect.left.lane) {
      deferred += effect.frame.readings;
    }
  }
  const events: DeviceEvent[] = [];
  if (thinned > 0) events.push({ kind: 'thinned', readings: thinned, keepsOneOf });
  if (deferred > 0) events.push({ kind: 'deferred', readings: deferred });
  return events;
}
