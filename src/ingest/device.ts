import type { SessionId } from '../model/machine.ts';
import { shardOf } from '../model/murmur2.ts';
import { CLASS_OF_LANE, type ClassId, LANE, LANES } from '../model/reading.ts';
import type { RecordHeader } from '../wire/record-header.ts';
import { ClockOffset } from './clock-offset.ts';
import { NONE } from './credit/rows.ts';

/**
 * What the node knows of one lane of a device, in the newest epoch of which something was admitted
 * there. Source: PROTOCOL §4.1, §6. But for `unsettled` and what is in the pipeline it is a function
 * of the log.
 */
export class LaneState {
  /** 0: neither record, stub nor pipeline. */
  epoch = 0;
  /** Highest number admitted, the pipeline and refused frames included. */
  adm = 0;
  /** Highest number that is safe to free. */
  ack = 0;
  /** n of the newest row of this epoch, durable or not: what the header's `lost` counts from. */
  lastRow = 0;
  /** The next record of this epoch carries the *uncertain* mark; 0: none does. [R4.1-19], [R6.2-8] */
  uncertainEpoch = 0;
  /** QoS of the lane's last session, so that a change from 0 to 1 is seen. */
  qos = 1;
  /** Cost in the pipeline of this lane, from whatever session and epoch. */
  unsettled = 0;

  /** Something of this epoch is known from now on; what is below `ack` was before. */
  enter(epoch: number, ack: number, qos: number): void {
    if (this.epoch === epoch) return;
    this.epoch = epoch;
    this.adm = ack;
    this.ack = ack;
    this.lastRow = 0;
    this.qos = qos;
  }

  /** A row was made: what follows is counted from it. */
  advance(n: number): void {
    this.adm = n;
    this.lastRow = n;
  }

  /** A row is durable. */
  settled(n: number): void {
    if (n > this.ack) this.ack = n;
    this.process();
  }

  /** At QoS 0 numbers that went nowhere are processed once the rows before them are. [R6.2-8] */
  process(): void {
    if (this.qos === 0 && this.ack >= this.lastRow) this.ack = Math.max(this.ack, this.adm);
  }
}

/** A device that this node knows. */
export class Device {
  readonly id: number;
  readonly path: string;
  /** Shape: `path` as UTF-8. */
  readonly key: Uint8Array;
  readonly shard: number;
  readonly lanes: readonly LaneState[] = Array.from({ length: LANES }, () => new LaneState());
  readonly clockOffset = new ClockOffset();
  /** Highest epoch of which a frame was admitted on lane 0, 1 or 2; 0 if none. [R4.1-15] */
  known = 0;
  /** The session that may publish; 0 if none. */
  session: SessionId = 0;
  /** Since when no session publishes. Units: µs. */
  disconnectedSince = 0;
  /** When its last row was received. Units: µs. */
  usedUs = 0;
  /** What a cost of its pipeline is in memory at most. */
  growth = 1;
  /** Its quota in the allocator while it is connected. */
  quota = NONE;
  /** What was left of the quota when it went, and when that was. Units: bytes of cost, seconds. */
  quotaLeft = Number.POSITIVE_INFINITY;
  quotaLeftAtS = 0;

  constructor(id: number, path: string, shards: number) {
    this.id = id;
    this.path = path;
    this.key = new TextEncoder().encode(path);
    this.shard = shardOf(this.key, shards);
  }

  /** Cost of its pipeline. */
  get unsettled(): number {
    return this.lanes.reduce((sum, lane) => sum + lane.unsettled, 0);
  }

  /** A frame of this class is on its way to the log. */
  isUnderWay(classId: ClassId): boolean {
    return this.lanes.some(
      ({ unsettled }, lane) => unsettled > 0 && CLASS_OF_LANE[lane] === classId,
    );
  }

  /** Highest epoch of any lane: a new one is above it. [R4.1-16] */
  get newestEpoch(): number {
    return this.lanes.reduce((newest, { epoch }) => Math.max(newest, epoch), this.known);
  }

  /** A row of this epoch was made on a lane. Epochs of lane 3 belong to a source. [R1-5] */
  use(lane: number, epoch: number, recvUs: number): void {
    this.usedUs = Math.max(this.usedUs, recvUs);
    if (lane !== LANE.source) this.known = Math.max(this.known, epoch);
  }

  /** A valid record of this device was read at the start. */
  recover({ lane, epoch, n, recv, isQosZero }: RecordHeader): void {
    const state = this.lanes[lane];
    if (!state || epoch < state.epoch) return;
    const qos = isQosZero ? 0 : 1;
    state.enter(epoch, 0, qos);
    state.qos = qos;
    state.advance(n);
    state.settled(n);
    this.use(lane, epoch, recv);
  }
}

/** The proper prefixes of a path, shortest first. */
function* prefixesOf(path: string): IterableIterator<string> {
  for (let at = path.indexOf('/'); at > 0; at = path.indexOf('/', at + 1)) yield path.slice(0, at);
}

/** All devices of this node, by path and by number. Guarantee: their paths are prefix-free. */
export class DeviceRegistry {
  readonly #shards: number;
  readonly #byPath = new Map<string, Device>();
  readonly #byId: Device[] = [];
  /** Numbers of devices that were dropped. */
  readonly #free: number[] = [];
  /** How many device paths extend this one. */
  readonly #extended = new Map<string, number>();

  constructor(shards: number) {
    this.#shards = shards;
  }

  get size(): number {
    return this.#byPath.size;
  }

  /** The device with this number. */
  byId(id: number): Device {
    return this.#byId[id] as Device;
  }

  /** The device with this path, if the node knows it. */
  find(path: string): Device | undefined {
    return this.#byPath.get(path);
  }

  /** True if the path extends, or is extended by, that of a known device. Source: [R2.2-6]. */
  isTangled(path: string): boolean {
    if (this.#extended.has(path)) return true;
    for (const prefix of prefixesOf(path)) if (this.#byPath.has(prefix)) return true;
    return false;
  }

  /** From now on every device without a session counts as disconnected. */
  disconnectAll(nowUs: number): void {
    for (const device of this.#byPath.values())
      if (device.session === 0) device.disconnectedSince = nowUs;
  }

  /** The device with this path, made if need be. */
  get(path: string): Device {
    const found = this.#byPath.get(path);
    if (found) return found;
    const device = new Device(this.#free.pop() ?? this.#byId.length, path, this.#shards);
    this.#byId[device.id] = device;
    this.#byPath.set(path, device);
    for (const prefix of prefixesOf(path)) {
      this.#extended.set(prefix, (this.#extended.get(prefix) ?? 0) + 1);
    }
    return device;
  }

  /**
   * Forgets a device that is not connected and of which there is neither record, stub nor pipeline:
   * a `hello` alone reserves no path and no memory. Source: [R2.2-6], [R4.1-15].
   */
  drop(device: Device): void {
    if (device.lanes.every(({ epoch }) => epoch === 0)) this.#remove(device);
  }

  /** Forgets what was last used before this and is not in use. Units: µs. Source: [R14-13]. */
  forget(beforeUs: number): void {
    for (const device of this.#byPath.values()) {
      if (device.usedUs < beforeUs && device.unsettled === 0) this.#remove(device);
    }
  }

  #remove(device: Device): void {
    if (device.session !== 0 || !this.#byPath.delete(device.path)) return;
    this.#free.push(device.id);
    for (const prefix of prefixesOf(device.path)) {
      const left = (this.#extended.get(prefix) ?? 0) - 1;
      if (left > 0) this.#extended.set(prefix, left);
      else this.#extended.delete(prefix);
    }
  }
}
