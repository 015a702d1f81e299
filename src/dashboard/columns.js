/** Rows as the aligned columns that the chart draws. Pure. */

/** @typedef {import('./windows.js').Row} Row */
/** @typedef {(number | null)[]} Column */
/**
 * @typedef {{ x: number[], max: Column, min: Column, settled: Column, open: Column,
 *   starts: number[] }} Columns `x` in seconds; `settled` the mean of windows that are final or
 *   corrected, `open` that of provisional ones and of their neighbours, so that the line goes on
 */

const US_PER_SECOND = 1e6;
/** A hole is drawn as one from this many usual distances on. */
const GAP_DISTANCES = 3;

/** @param {readonly Row[]} rows in time order @param {number} lengthUs @returns {Columns} */
export function columnsOf(rows, lengthUs) {
  /** @type {Columns} */
  const columns = { x: [], max: [], min: [], settled: [], open: [], starts: [] };
  const gapUs = GAP_DISTANCES * usualDistance(rows, lengthUs);
  rows.forEach((row, i) => {
    const before = rows[i - 1];
    if (before && row.start - before.start > gapUs) addHole(columns, before.start + lengthUs);
    addRow(columns, row, before?.st === 0 || rows[i + 1]?.st === 0);
  });
  return columns;
}

/** The median distance of successive windows. @param {readonly Row[]} rows @param {number} lengthUs */
function usualDistance(rows, lengthUs) {
  const distances = rows.slice(1).map((row, i) => row.start - /** @type {Row} */ (rows[i]).start);
  distances.sort((a, b) => a - b);
  return distances[distances.length >> 1] ?? lengthUs;
}

/** @param {Columns} columns @param {Row} row @param {boolean} isBeside a provisional one */
function addRow(columns, row, isBeside) {
  const isOpen = row.st === 0;
  const mean = valueOrNull(row.mean);
  columns.x.push(middleUs(row) / US_PER_SECOND);
  columns.starts.push(row.start);
  columns.max.push(valueOrNull(row.max));
  columns.min.push(valueOrNull(row.min));
  columns.settled.push(isOpen ? null : mean);
  columns.open.push(isOpen || isBeside ? mean : null);
}

/** @param {Columns} columns @param {number} us */
function addHole(columns, us) {
  columns.x.push(us / US_PER_SECOND);
  columns.starts.push(us);
  for (const column of [columns.max, columns.min, columns.settled, columns.open]) column.push(null);
}

/**
 * Where a window is drawn: in the middle of what it holds, so that the newest one, still half
 * empty, does not stand in the future.
 * @param {Row} row
 */
export function middleUs({ start, tlast }) {
  return Number.isNaN(tlast) ? start : (start + tlast) / 2;
}

/** @param {number} value */
const valueOrNull = (value) => (Number.isNaN(value) ? null : value);
