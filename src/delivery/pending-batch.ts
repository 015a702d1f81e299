import { RecordBatch } from '../model/batch.ts';
import type { Breach } from '../model/errors.ts';
import type { Settlement } from '../model/frame.ts';
import type { SessionId } from '../model/machine.ts';
import { readFrameName } from '../wire/record-header.ts';

const FIRST_ROWS = 256;
/**
 * A batch that has no room here for a largest row is closed and the next one begun: a row more would
 * double its buffer, and half of that would stay empty. Units: bytes.
 */
const BATCH_BYTES_MAX = 4 * 1024 * 1024;
/** Largest row: a largest frame with its header and its key. Units: bytes. */
const ROW_BYTES_MAX = 16 * 1024;
/** The same for the columns beside the bytes: frames of 40 bytes fill both alike. */
const BATCH_ROWS_MAX = 40_960;

/** No device has this number. */
const NOBODY = 0xffffffff;

/** Why a row is refused, and who is told. */
interface Refused {
  readonly refusal: Breach;
  readonly session: SessionId;
}

/**
 * A batch with what is needed to settle its rows once they are durable.
 * Shape: parallel columns, a row each; rows that settle nothing (marks, fences) have no device.
 * What the row's header says too is read from there, and only refused rows keep their session:
 * 25 bytes less for each frame that waits.
 */
export class PendingBatch {
  readonly records: RecordBatch;
  #deviceId: Uint32Array;
  /** 16 bits: no frame is larger than a message may be. */
  #cost: Uint16Array;
  #readings: Uint32Array;
  readonly #refusals = new Map<number, Refused>();
  readonly #settlement: Settlement = {
    deviceId: 0,
    session: 0,
    lane: 0,
    epoch: 0,
    n: 0,
    cost: 0,
    readings: 0,
    refusal: null,
  };
  /** When the oldest row came. Units: monotonic ms. */
  openedAtMs = 0;
  /** It is closed when it has so many bytes, if not before. */
  bytesMax = BATCH_BYTES_MAX;
  /** Under which ownership of the log the rows are stamped. */
  version = 0;

  /** `isLarge`: it will surely be filled, so it is spared growing there. */
  constructor(isLarge = false) {
    const room = isLarge ? { rows: BATCH_ROWS_MAX, bytes: BATCH_BYTES_MAX } : undefined;
    const rows = room?.rows ?? FIRST_ROWS;
    this.records = new RecordBatch(room);
    this.#deviceId = new Uint32Array(rows);
    this.#cost = new Uint16Array(rows);
    this.#readings = new Uint32Array(rows);
  }

  /** It takes no further row. */
  get isFull(): boolean {
    const { size, rows } = this.records;
    const bytesMost = Math.min(this.bytesMax, BATCH_BYTES_MAX - ROW_BYTES_MAX);
    return rows > 0 && (size >= bytesMost || rows >= BATCH_ROWS_MAX);
  }

  /** Notes who is to be told about the row. */
  note(row: number, frame: Settlement): void {
    this.#fit(row);
    this.#deviceId[row] = frame.deviceId;
    this.#cost[row] = frame.cost;
    this.#readings[row] = frame.readings;
    const { refusal, session } = frame;
    if (refusal) this.#refusals.set(row, { refusal, session });
  }

  /** Notes for a row what another batch notes for one of its rows. */
  copyNote(from: PendingBatch, fromRow: number, row: number): void {
    const settlement = from.settlement(fromRow);
    if (!settlement) {
      this.noteNobody(row);
      return;
    }
    this.note(row, settlement);
  }

  /** Notes that nobody is to be told about the row. */
  noteNobody(row: number): void {
    this.#fit(row);
    this.#deviceId[row] = NOBODY;
  }

  /** The row's settlement, or null if it settles nothing. The object is used again. */
  settlement(row: number): Settlement | null {
    const deviceId = this.#deviceId[row] as number;
    if (deviceId === NOBODY) return null;
    const settlement = this.#settlement;
    settlement.deviceId = deviceId;
    settlement.cost = this.#cost[row] as number;
    settlement.readings = this.#readings[row] as number;
    readFrameName(this.records.bytes, this.records.tgAt(row), settlement);
    const refused = this.#refusals.get(row);
    settlement.session = refused?.session ?? 0;
    settlement.refusal = refused?.refusal ?? null;
    return settlement;
  }

  /** Empties the batch and keeps its memory. */
  clear(): void {
    this.records.clear();
    this.bytesMax = BATCH_BYTES_MAX;
    this.#refusals.clear();
  }

  #fit(row: number): void {
    if (row < this.#deviceId.length) return;
    const rows = this.#deviceId.length * 2;
    this.#deviceId = grown(this.#deviceId, new Uint32Array(rows));
    this.#cost = grown(this.#cost, new Uint16Array(rows));
    this.#readings = grown(this.#readings, new Uint32Array(rows));
  }
}

function grown<Column extends Uint16Array | Uint32Array>(from: Column, to: Column): Column {
  to.set(from);
  return to;
}
