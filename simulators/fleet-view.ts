import type { FleetDevice } from './fleet-device.ts';
import type { Tally } from './tally.ts';

/** What a fleet looks like at one moment. */
export interface FleetView {
  readonly devices: number;
  readonly live: number;
  readonly stopped: number;
  /** Devices that are done: all acked, connection closed. */
  readonly done: number;
  /** Frames on their way: sent and not acked. */
  readonly inFlight: number;
  /** Frames retained: sent or not, and not acked. */
  readonly unacked: number;
  /** What waits for credit or a connection. Units: bytes of cost. */
  readonly backlog: number;
  /** What may be sent at once, over all devices. Units: bytes of cost. */
  readonly credit: number;
  /** Time without credit, summed over the devices. Units: ms. */
  readonly blockedMs: number;
  readonly skipped: number;
  readonly tally: Tally;
}

/** Sums up a fleet. */
export function viewOf(devices: readonly FleetDevice[], tally: Tally, nowMs: number): FleetView {
  const sum = (of: (device: FleetDevice) => number): number =>
    devices.reduce((total, device) => total + of(device), 0);
  return {
    devices: devices.length,
    live: sum(({ session }) => (session.phase === 'live' ? 1 : 0)),
    stopped: tally.stopped,
    done: sum((device) => (device.isOver ? 1 : 0)) - tally.stopped,
    inFlight: sum(({ session }) => session.ring.lanes.reduce((n, lane) => n + lane.inFlight, 0)),
    unacked: sum(({ session }) => session.ring.count),
    backlog: sum(({ session }) => session.ring.backlog),
    credit: sum(({ session }) => session.credit),
    blockedMs: sum(({ session }) => session.blockedMs(nowMs)),
    skipped: sum(({ source }) => source.skipped),
    tally,
  };
}
