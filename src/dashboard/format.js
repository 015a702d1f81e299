/** Numbers and times as a person reads them. Pure. */

const US_PER_SECOND = 1e6;
const NONE = '–';

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** A measured value in as many digits as one takes in at a glance. @param {number} value */
export function formatValue(value) {
  if (!Number.isFinite(value)) return NONE;
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(3);
  if (size >= 1e4) return grouped.format(value).replace('-', '−');
  const digits = size >= 1000 ? 1 : size >= 100 ? 2 : size >= 1 ? 3 : 4;
  return value.toFixed(digits).replace('-', '−');
}

/** A rate or a count: exact when small, with k, M, G when large. @param {number} value */
export function formatCount(value) {
  if (!Number.isFinite(value)) return NONE;
  if (value < 10 && !Number.isInteger(value)) return value.toFixed(1);
  if (value < 10_000) return grouped.format(value);
  for (const [size, unit] of /** @type {const} */ ([
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ])) {
    if (value >= size) return `${(value / size).toFixed(value >= size * 100 ? 0 : 1)}${unit}`;
  }
  return NONE;
}

/** @param {number} bytes */
export function formatBytes(bytes) {
  if (!Number.isFinite(bytes)) return NONE;
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  let i = 0;
  let size = bytes;
  for (; size >= 1000 && i < units.length - 1; i++) size /= 1024;
  return `${i === 0 || size >= 100 ? size.toFixed(0) : size.toFixed(1)} ${units[i]}`;
}

/** A part of a whole. @param {number} part */
export function formatPart(part) {
  if (!Number.isFinite(part)) return NONE;
  const percent = 100 * part;
  if (percent > 0 && percent < 0.1) return '< 0.1 %';
  return `${percent.toFixed(percent > 0 && percent < 10 ? 1 : 0)} %`;
}

/** @param {number} ms */
export function formatMs(ms) {
  if (!Number.isFinite(ms)) return NONE;
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`;
  return `${ms >= 10 ? ms.toFixed(0) : ms.toFixed(1)} ms`;
}

/** How old something is; a clock that runs ahead is told, not hidden. @param {number} us */
export function formatAge(us) {
  const s = us / US_PER_SECOND;
  if (!Number.isFinite(s)) return NONE;
  if (s < -1.5) return `${formatSpan(-s)} ahead`;
  if (s < 10) return `${Math.max(0, s).toFixed(1)} s`;
  return formatSpan(s);
}

/** @param {number} s */
function formatSpan(s) {
  if (s < 120) return `${s.toFixed(0)} s`;
  if (s < 7200) return `${(s / 60).toFixed(0)} min`;
  if (s < 172_800) return `${(s / 3600).toFixed(0)} h`;
  return `${grouped.format(s / 86_400)} d`;
}

/** Local time of day with seconds. @param {number} us */
export function formatTime(us) {
  return new Date(us / 1000).toLocaleTimeString('en-GB');
}
