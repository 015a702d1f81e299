/** A backlog that nobody told. */
export const UNTOLD = 0xffff_ffff;
/** No row. */
export const NONE = -1;
/** Rows at first; they double when they are used up. */
const ROWS_FIRST = 1024;

type Column = Float64Array | Float32Array | Uint32Array | Int32Array | Uint16Array | Uint8Array;

/**
 * One row per channel, as typed arrays: an object of 20 000 sessions' channels each would be some
 * 500 bytes of heap. A closed row is used again once the list in which it stands lets go of it.
 * Units: bytes, seconds. Costs are cumulative over the connection. Source: CREDIT §4.
 */
export class ChannelRows {
  received = new Float64Array(ROWS_FIRST);
  /** Starts below 0 by what earlier connections left in the pipeline. */
  settled = new Float64Array(ROWS_FIRST);
  limit = new Float64Array(ROWS_FIRST);
  /** When the channel's round began, and what it had received then. */
  roundAt = new Float64Array(ROWS_FIRST);
  roundFrom = new Float64Array(ROWS_FIRST);
  window = new Uint32Array(ROWS_FIRST);
  backlog = new Uint32Array(ROWS_FIRST);
  /** What its turns have given it and it could not take. */
  deficit = new Uint32Array(ROWS_FIRST);
  /** Cost of a largest frame. */
  one = new Uint32Array(ROWS_FIRST);
  /** Exposure that is its own; what is beyond comes from the pool. */
  reserve = new Uint32Array(ROWS_FIRST);
  /** What a byte of cost is in memory at most. */
  growth = new Uint8Array(ROWS_FIRST);
  /** Row of its quota, or NONE. */
  quota = new Int32Array(ROWS_FIRST);
  roundTrip = new Float32Array(ROWS_FIRST);
  weight = new Uint16Array(ROWS_FIRST);
  lane = new Uint8Array(ROWS_FIRST);
  pipe = new Uint8Array(ROWS_FIRST);
  isOpen = new Uint8Array(ROWS_FIRST);
  /** A Pong was heard. */
  isHeard = new Uint8Array(ROWS_FIRST);
  /** The kind of list in which it stands. */
  list = new Uint8Array(ROWS_FIRST);
  /** Its successor there. */
  next = new Int32Array(ROWS_FIRST);
  readonly #free: number[] = [];
  #used = 0;

  /** Rows that are in use, closed ones in a list among them. */
  get inUse(): number {
    return this.#used - this.#free.length;
  }

  /** Rows that were ever in use: all numbers are below this. */
  get size(): number {
    return this.#used;
  }

  /** A row that nobody uses; what it holds is left over. */
  take(): number {
    const row = this.#free.pop();
    if (row !== undefined) return row;
    if (this.#used === this.next.length) this.#double();
    this.#used += 1;
    return this.#used - 1;
  }

  /** Nobody uses this row any more. */
  give(row: number): void {
    this.#free.push(row);
  }

  /** What may still come. */
  credit(row: number): number {
    return (this.limit[row] as number) - (this.received[row] as number);
  }

  /** Memory of its exposure beyond its reserve. */
  over(row: number): number {
    const exposed = (this.limit[row] as number) - (this.settled[row] as number);
    return Math.max(0, exposed - (this.reserve[row] as number)) * (this.growth[row] as number);
  }

  #double(): void {
    const columns = this as unknown as Record<string, Column>;
    for (const [name, column] of Object.entries(columns)) {
      if (!ArrayBuffer.isView(column)) continue;
      const larger = new (column.constructor as new (length: number) => Column)(column.length * 2);
      larger.set(column);
      columns[name] = larger;
    }
  }
}
