/**
 * A grid of rows at a fixed rate, taken out in batches: when the next batch is complete, and which
 * rows it has. Rates need not divide a second: row i lies at origin + floor(i × period).
 */
export class Ticker {
  readonly originUs: number;
  readonly periodUs: number;
  readonly rowsPerBatch: number;
  /** The first row that was not taken yet. */
  next = 0;

  constructor(originUs: number, ratePerSecond: number, rowsPerBatch: number) {
    this.originUs = originUs;
    this.periodUs = 1e6 / ratePerSecond;
    this.rowsPerBatch = rowsPerBatch;
  }

  /** Event time of row i. Units: µs. */
  timeOf(row: number): number {
    return this.originUs + Math.floor(row * this.periodUs);
  }

  /** When the last row of the next batch is there. Units: µs. */
  get dueUs(): number {
    return this.timeOf(this.next + this.rowsPerBatch - 1);
  }

  /** How many rows are there by now and were not taken. */
  waiting(nowUs: number): number {
    const rows = Math.floor((nowUs - this.originUs) / this.periodUs) + 1;
    return Math.max(0, Math.min(this.rowsPerBatch, rows - this.next));
  }

  /** Leaves out whole batches that are older than `lagUs`; returns how many rows. */
  skip(nowUs: number, lagUs: number): number {
    const behind = nowUs - this.dueUs;
    if (behind <= lagUs) return 0;
    const batches = Math.floor(behind / (this.rowsPerBatch * this.periodUs));
    this.next += batches * this.rowsPerBatch;
    return batches * this.rowsPerBatch;
  }
}
