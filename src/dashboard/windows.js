/**
 * The windows of one series, as updates leave them. Pure: no DOM, no clock.
 * Source: PROTOCOL §9.4 (identity, revision, merge of classes), §11.2 (forms of a block).
 */

/**
 * A result, or several merged. NaN where there is no such figure.
 * @typedef {{ start: number, n: number, st: number, min: number, max: number, mean: number,
 *   tlast: number, last: number | string | null }} Row
 */

/** Classes by number of `cl`; more may come and are ignored until this page knows them. */
const CLASSES = 3;
const PROVISIONAL = 0;

/** A number, or NaN. @param {unknown} value */
const numeric = (value) => (typeof value === 'number' ? value : Number.NaN);

/**
 * Calls `onRow` for every row of a block with the number of its series.
 * @param {import('./session.js').Block} block
 * @param {readonly string[]} aggregates names of the columns, in order
 * @param {(no: number, row: Row) => void} onRow
 */
export function eachRow(block, aggregates, onRow) {
  const columns = new Map(aggregates.map((name, i) => [name, block.v[i]]));
  const { i } = block;
  const rows = rowCount(block);
  let start = block.t;
  for (let r = 0; r < rows; r++) {
    if (r > 0 && typeof i === 'number') start += block.d ? (block.d[r - 1] ?? 0) : (block.dt ?? 0);
    const no = typeof i === 'number' ? i : i[r];
    if (no === undefined) return;
    onRow(no, rowAt(columns, r, start, block.st ?? PROVISIONAL));
  }
}

/** Source: [R11.2-15]. @param {import('./session.js').Block} block */
function rowCount({ i, v, d }) {
  if (typeof i !== 'number') return i.length;
  const column = v.find((values) => Array.isArray(values));
  if (Array.isArray(column)) return column.length;
  return d ? d.length + 1 : 1;
}

/**
 * @param {Map<string, unknown>} columns
 * @param {number} r
 * @param {number} start
 * @param {number} st
 * @returns {Row}
 */
function rowAt(columns, r, start, st) {
  /** @param {string} name */
  const value = (name) => {
    const column = columns.get(name);
    return Array.isArray(column) ? column[r] : column;
  };
  return {
    start,
    st,
    n: numeric(value('n')),
    min: numeric(value('min')),
    max: numeric(value('max')),
    mean: numeric(value('mean')),
    tlast: numeric(value('tlast')),
    last: value('last') ?? null,
  };
}

/** Merges the results of two classes of one window. @param {Row} a @param {Row} b @returns {Row} */
export function merge(a, b) {
  const n = a.n + b.n;
  const [older, newer] = b.tlast > a.tlast ? [a, b] : [b, a];
  if (Number.isNaN(older.mean) || Number.isNaN(newer.mean)) return { ...newer, n };
  return {
    start: a.start,
    n,
    // What one class can still change is not final.
    st: Math.min(a.st, b.st),
    min: Math.min(a.min, b.min),
    max: Math.max(a.max, b.max),
    mean: a.mean + ((b.mean - a.mean) * b.n) / n,
    tlast: newer.tlast,
    last: newer.last,
  };
}

/**
 * Kept windows of one series, by class and start.
 * Bounds: the newest `capacity` window starts of each class.
 */
export class Windows {
  /** @type {Row[][]} rings by class; the place of a window is its number modulo the capacity. */
  #rings = [];
  lengthUs;
  #capacity;
  /** Start of the newest window; −∞ without one. */
  newestStart = Number.NEGATIVE_INFINITY;

  /** @param {number} lengthUs @param {number} capacity */
  constructor(lengthUs, capacity) {
    this.lengthUs = lengthUs;
    this.#capacity = capacity;
  }

  /**
   * Takes a result unless a later revision of the same window is held, or a later lap of the ring.
   * Source: [R9.4-6], [R11.2-1].
   * @param {number} cl
   * @param {Row} row
   */
  put(cl, row) {
    if (cl >= CLASSES) return;
    this.#rings[cl] ??= [];
    const ring = this.#rings[cl];
    const slot = this.#slot(row.start);
    const held = ring[slot];
    if (held && (held.start > row.start || isOlder(row, held))) return;
    ring[slot] = row;
    if (row.start > this.newestStart) this.newestStart = row.start;
  }

  /** The result of the window that starts at `start`, classes merged. @param {number} start */
  at(start) {
    /** @type {Row | undefined} */
    let merged;
    for (const ring of this.#rings) {
      const row = ring?.[this.#slot(start)];
      if (row?.start !== start) continue;
      merged = merged ? merge(merged, row) : row;
    }
    return merged;
  }

  /** The newest window; undefined without one. */
  newest() {
    return Number.isFinite(this.newestStart) ? this.at(this.newestStart) : undefined;
  }

  /** Results that start at `from` or later, in time order. @param {number} from @returns {Row[]} */
  since(from) {
    const oldest = this.newestStart - (this.#capacity - 1) * this.lengthUs;
    const first = Math.max(Math.ceil(from / this.lengthUs) * this.lengthUs, oldest);
    const rows = [];
    for (let start = first; start <= this.newestStart; start += this.lengthUs) {
      const row = this.at(start);
      if (row) rows.push(row);
    }
    return rows;
  }

  /** @param {number} start */
  #slot(start) {
    return Math.round(start / this.lengthUs) % this.#capacity;
  }
}

/** Is `row` an earlier revision than `held` of the same window? @param {Row} row @param {Row} held */
function isOlder(row, held) {
  if (held.start !== row.start) return false;
  return held.n > row.n || (held.n === row.n && held.st > row.st);
}
