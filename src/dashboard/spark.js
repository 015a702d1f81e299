/** Tiny line charts without axes. */

/** The custom properties of the page's theme, read once per scheme. @type {Map<string, string>} */
const colours = new Map();

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => colours.clear());

/** A colour of the theme in force. @param {string} name */
export function colour(name) {
  let value = colours.get(name);
  if (value === undefined) {
    value = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    colours.set(name, value);
  }
  return value;
}

/**
 * Draws `values` left to right, newest at the right edge; NaN leaves a gap.
 * `top`: the height is at least so much. `line`: a dashed one lies there.
 * @param {HTMLCanvasElement} canvas
 * @param {ArrayLike<number>} values
 * @param {{ stroke: string, fill?: string, fromZero?: boolean, top?: number | undefined,
 *   line?: number | undefined, faint?: string }} look
 */
export function drawSpark(canvas, values, look) {
  const context = prepare(canvas);
  if (!context) return;
  const [low, highest] = extent(values, look.fromZero ?? false);
  const high = Math.max(highest, look.top || highest);
  if (!(high >= low)) return;
  const { clientWidth: width, clientHeight: height } = canvas;
  const step = width / Math.max(1, values.length - 1);
  const inner = height - 3;
  // A value that never changed lies in the middle, and nothing at all on the ground.
  const level = look.fromZero ? 0 : 0.5;
  /** @param {number} value */
  const y = (value) => 1.5 + inner * (1 - (high === low ? level : (value - low) / (high - low)));
  for (const run of runsOf(values)) {
    const line = run.map((i) => /** @type {const} */ ([i * step, y(values[i] ?? low)]));
    drawRun(context, line, look, height);
  }
  if (look.line && look.faint) drawLine(context, [width, y(look.line)], look.faint);
}

/** @param {CanvasRenderingContext2D} context @param {[number, number]} end @param {string} stroke */
function drawLine(context, [x, y], stroke) {
  context.setLineDash([2, 3]);
  context.beginPath();
  context.moveTo(0, y);
  context.lineTo(x, y);
  context.lineWidth = 1;
  context.strokeStyle = stroke;
  context.stroke();
  context.setLineDash([]);
}

/** Indices of values that follow each other without a gap. @param {ArrayLike<number>} values */
function runsOf(values) {
  /** @type {number[][]} */
  const runs = [];
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i])) continue;
    if (i === 0 || Number.isNaN(values[i - 1])) runs.push([]);
    runs.at(-1)?.push(i);
  }
  return runs;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {(readonly [number, number])[]} line
 * @param {{ stroke: string, fill?: string }} look
 * @param {number} ground
 */
function drawRun(context, line, { stroke, fill }, ground) {
  context.beginPath();
  for (const [x, y] of line) context.lineTo(x, y);
  context.lineWidth = 1.25;
  context.lineJoin = 'round';
  context.strokeStyle = stroke;
  context.stroke();
  if (fill === undefined) return;
  context.lineTo(line.at(-1)?.[0] ?? 0, ground);
  context.lineTo(line[0]?.[0] ?? 0, ground);
  context.fillStyle = fill;
  context.fill();
}

/** Sizes the canvas for this screen and wipes it. @param {HTMLCanvasElement} canvas */
function prepare(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const ratio = devicePixelRatio;
  if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
  if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
  const context = canvas.getContext('2d');
  if (width === 0 || context === null) return null;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

/** @param {ArrayLike<number>} values @param {boolean} fromZero @returns {[number, number]} */
function extent(values, fromZero) {
  let low = fromZero ? 0 : Number.POSITIVE_INFINITY;
  let high = fromZero ? 0 : Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    const value = /** @type {number} */ (values[i]);
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}
