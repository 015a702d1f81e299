import { RecordBatch } from '../model/batch.ts';
import type { Breach } from '../model/errors.ts';
import type { Settlement } from '../model/frame.ts';

const FIRST_ROWS = 256;
/** A batch larger than this is closed and the next one begun. Units: bytes. */
const BATCH_BYTES_MAX = 4 * 1024 * 1024;

/**
 * A batch with what is needed to settle its rows once they are durable.
 * Shape: parallel columns, a row each; rows that settle nothing (marks, fences) have session −1.
 */
export class PendingBatch {
  readonly records = new RecordBatch();
  #deviceId = new Uint32Array(FIRST_ROWS);
  #session = new Float64Array(FIRST_ROWS);
  #lane = new Uint8Array(FIRST_ROWS);
  #cost = new Uint32Array(FIRST_ROWS);
  #readings = new Uint32Array(FIRST_ROWS);
  #epoch = new Float64Array(FIRST_ROWS);
  #n = new Float64Array(FIRST_ROWS);
  readonly #refusals = new Map<number, Breach>();
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
  /** It is closed when it has so many bytes. */
  bytesMax = BATCH_BYTES_MAX;
  /** Under which ownership of the log the rows are stamped. */
  version = 0;

  /** Notes who is to be told about the row. */
  note(row: number, frame: Settlement): void {
    this.#fit(row);
    this.#deviceId[row] = frame.deviceId;
    this.#session[row] = frame.session;
    this.#lane[row] = frame.lane;
    this.#cost[row] = frame.cost;
    this.#readings[row] = frame.readings;
    this.#epoch[row] = frame.epoch;
    this.#n[row] = frame.n;
    if (frame.refusal) this.#refusals.set(row, frame.refusal);
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
    this.#session[row] = -1;
  }

  /** The row's settlement, or null if it settles nothing. The object is used again. */
  settlement(row: number): Settlement | null {
    const session = this.#session[row] as number;
    if (session < 0) return null;
    const settlement = this.#settlement;
    settlement.deviceId = this.#deviceId[row] as number;
    settlement.session = session;
    settlement.lane = this.#lane[row] as number;
    settlement.cost = this.#cost[row] as number;
    settlement.readings = this.#readings[row] as number;
    settlement.epoch = this.#epoch[row] as number;
    settlement.n = this.#n[row] as number;
    settlement.refusal = this.#refusals.get(row) ?? null;
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
    this.#session = grown(this.#session, new Float64Array(rows));
    this.#lane = grown(this.#lane, new Uint8Array(rows));
    this.#cost = grown(this.#cost, new Uint32Array(rows));
    this.#readings = grown(this.#readings, new Uint32Array(rows));
    this.#epoch = grown(this.#epoch, new Float64Array(rows));
    this.#n = grown(this.#n, new Float64Array(rows));
  }
}

function grown<Column extends Uint8Array | Uint32Array | Float64Array>(
  from: Column,
  to: Column,
): Column {
  to.set(from);
  return to;
}
