import { type Breach, breach } from '../model/errors.ts';
import type { FrameRow } from '../model/frame.ts';
import { COST_PER_MESSAGE } from '../model/limits.ts';
import type { Schema } from '../model/reading.ts';
import { RECORD } from '../model/record.ts';
import type { Now } from '../model/time.ts';
import type { Head } from '../wire/cbor-head.ts';
import { encode } from '../wire/encode.ts';
import { FrameReader } from '../wire/frame-reader.ts';
import { Channel } from './channel.ts';
import type { Credit } from './credit.ts';
import type { Device, LaneState } from './device.ts';
import type { Session, SetDefinition } from './session.ts';

const HASH_BYTES = 16;

/** A `data` message on its way in. One object, used again and again. */
export interface Incoming {
  /** The message in CBOR, whatever the session speaks. */
  cbor: Uint8Array;
  /** The payload as it came. */
  payload: Uint8Array;
  head: Head;
}

/** What became of a `data` message. */
export type Verdict = 'admitted' | 'duplicate' | 'dropped' | Breach;

/** Where admitted rows go. */
export interface RowSink {
  admit(row: FrameRow): void;
  /** The log takes rows just now. */
  isOpen(): boolean;
}

/**
 * The server's rule for a frame: checks in the order of [R6.2-1], the cheap ones before anything is
 * decoded. Source: PROTOCOL §6.2.
 */
export class Admitter {
  readonly #reader = new FrameReader();
  readonly #sink: RowSink;
  readonly #credit: Credit;
  /** The distinct sets of the frame, in order of first appearance; two may have one definition. */
  readonly #sets: SetDefinition[] = [];
  readonly #schemas: Schema[] = [];
  readonly #row: FrameRow;
  #hashes = new Uint8Array(HASH_BYTES * 4);

  constructor(sink: RowSink, credit: Credit) {
    this.#sink = sink;
    this.#credit = credit;
    this.#row = emptyRow(this.#schemas);
  }

  /** Judges one message, and hands it on if it is admitted. */
  judge(session: Session, incoming: Incoming, now: Now): Verdict {
    const { head, payload } = incoming;
    const checked = checkHead(session, head, payload.length);
    if (!(checked instanceof Channel)) return checked;
    const channel = checked;
    const cost = payload.length + COST_PER_MESSAGE;
    if (head.n <= channel.adm) return this.#duplicate(channel, cost, now);
    const hole = head.n - head.lost - 1 - channel.adm;
    if (hole > 0 && channel.qos > 0) return breach(4008, `${hole} numbers before n are missing`);
    const bad = this.#reader.read(incoming.cbor);
    if (bad) return bad;
    if (hole > 0) channel.gaps += hole;
    this.#credit.frame(channel, cost, this.#reader.bl, now);
    if (channel.qos === 0 && !this.#sink.isOpen()) {
      this.#credit.dropped(channel, cost, now);
      return drop(session, channel, head.n, now);
    }
    this.#row.recv = now.wallUs;
    this.#row.cost = cost;
    this.#put(session, channel, incoming, now);
    return 'admitted';
  }

  #duplicate(channel: Channel, cost: number, now: Now): Verdict {
    this.#credit.frame(channel, cost, -1, now);
    this.#credit.duplicate(channel, cost);
    return 'duplicate';
  }

  #put(session: Session, channel: Channel, incoming: Incoming, now: Now): void {
    const { head, cbor, payload } = incoming;
    const device = session.device as Device;
    const { lane } = channel;
    const refusal = this.#checkBlocks(session, lane);
    const row = this.#row;
    setDevice(row, session, device);
    row.clockOffset = device.clockOffset.us(now);
    row.lane = lane;
    row.n = head.n;
    row.kind = refusal ? RECORD.stub : RECORD.frame;
    row.refusal = refusal;
    row.payload = payload;
    row.value = refusal ? stubOf(lane, head.n, refusal) : cbor;
    row.readings = refusal ? 0 : this.#countReadings();
    row.hashes = refusal ? this.#hashes.subarray(0, 0) : this.#gatherHashes();
    if (refusal) this.#schemas.length = 0;
    this.#advance(session, channel, device.lanes[lane] as LaneState);
    this.#sink.admit(row);
  }

  /** Moves the lane past this row, and fills in what the header says of the numbers before it. */
  #advance(session: Session, channel: Channel, state: LaneState): void {
    const { epoch } = session;
    const row = this.#row;
    state.enter(epoch, channel.baseAck, channel.qos);
    row.isUncertain = state.uncertainEpoch === epoch;
    row.isQosZero = channel.qos === 0;
    row.lost = row.isQosZero || row.isUncertain ? 0 : row.n - 1 - state.lastRow;
    state.advance(row.n);
    if (row.isUncertain) state.uncertainEpoch = 0;
    state.unsettled += row.cost;
    channel.adm = row.n;
    (session.device as Device).use(row.lane, epoch, row.recv);
  }

  /** Blocks in order, each for 4020, 4021 (4023 comes with scopes). Source: [R5.2-12]. */
  #checkBlocks(session: Session, lane: number): Breach | null {
    const sets = this.#sets;
    // Written over and cut at the end: an array that is emptied gives its memory away, and takes
    // new memory for the next frame.
    let distinct = 0;
    for (let i = 0; i < this.#reader.blockCount; i += 1) {
      const set = session.sets.get(this.#reader.set(i));
      if (!set) return breach(4020, `set ${this.#reader.set(i)} is not defined here`);
      if (set.lane !== lane) return breach(4021, `the set belongs to lane ${set.lane}`);
      const shape = this.#reader.shape(i, set.schema.columns.length);
      if (shape) return shape;
      const at = sets.indexOf(set);
      if (at >= 0 && at < distinct) continue;
      sets[distinct] = set;
      this.#schemas[distinct] = set.schema;
      distinct += 1;
    }
    sets.length = distinct;
    this.#schemas.length = distinct;
    return null;
  }

  #countReadings(): number {
    const reader = this.#reader;
    let readings = 0;
    for (let i = 0; i < reader.blockCount; i += 1) {
      for (let column = 0; column < reader.columnCount(i); column += 1) {
        if (reader.kind(i, column) !== 'absent') readings += reader.rows(i);
      }
    }
    return readings;
  }

  #gatherHashes(): Uint8Array {
    const [only] = this.#schemas;
    if (only && this.#schemas.length === 1) return only.hash;
    const length = this.#schemas.length * HASH_BYTES;
    if (length > this.#hashes.length) this.#hashes = new Uint8Array(length);
    this.#schemas.forEach((schema, i) => {
      this.#hashes.set(schema.hash, i * HASH_BYTES);
    });
    return this.#hashes.subarray(0, length);
  }
}

/** What can be judged without decoding. Source: [R6.2-1]. */
function checkHead(session: Session, head: Head, length: number): Channel | Breach {
  if (head.n < 1) return breach(4000, 'data without n');
  const channel = session.channels[head.c];
  if (!channel) return breach(4001, `lane ${head.c} is not granted`);
  if (length > channel.mf) {
    return breach(4009, `${length} bytes, and the largest frame is ${channel.mf}`);
  }
  if (head.lost >= head.n) return breach(4000, 'lost must be below n');
  const cost = length + COST_PER_MESSAGE;
  if (channel.received + cost <= channel.limit) return channel;
  return breach(4006, `lane ${head.c}: ${channel.received} + ${cost} is over ${channel.limit}`);
}

/** A frame of a lane at QoS 0 while the log takes nothing: it is processed, and goes nowhere. */
function drop(session: Session, channel: Channel, n: number, now: Now): Verdict {
  const device = session.device as Device;
  const state = device.lanes[channel.lane] as LaneState;
  state.enter(session.epoch, channel.baseAck, channel.qos);
  state.adm = n;
  state.process();
  device.use(channel.lane, session.epoch, now.wallUs);
  channel.adm = n;
  channel.dropped += 1;
  return 'dropped';
}

const stubOf = (c: number, n: number, { code, message }: Breach): Uint8Array =>
  encode('cbor', { k: 'reject', c, n, e: code, m: message });

function setDevice(row: FrameRow, session: Session, device: Device): void {
  row.deviceId = device.id;
  row.device = device.path;
  row.key = device.key;
  row.shard = device.shard;
  row.session = session.id;
  row.epoch = session.epoch;
}

function emptyRow(schemas: readonly Schema[]): FrameRow {
  const nothing = new Uint8Array(0);
  return {
    deviceId: 0,
    device: '',
    key: nothing,
    shard: 0,
    session: 0,
    lane: 0,
    kind: RECORD.frame,
    epoch: 0,
    n: 0,
    cost: 0,
    readings: 0,
    lost: 0,
    isUncertain: false,
    isQosZero: false,
    clockOffset: 0,
    recv: 0,
    hashes: nothing,
    schemas,
    refusal: null,
    value: nothing,
    payload: nothing,
  };
}
