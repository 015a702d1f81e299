/** The live chart: a min–max band, the mean, and the windows that are still open, dashed. */

import { columnsOf } from './columns.js';
import { colour } from './spark.js';

/** @typedef {import('./columns.js').Columns} Columns */

/** The library comes as a plain script, because it has no form that is minified and a module. */
const Plot = /** @type {typeof globalThis & { uPlot: typeof uPlot }} */ (globalThis).uPlot;

const FRAME_MS = 100;
/** A series that just began is shown this wide, and wider as it goes on. Units: s. */
const SPAN_LEAST_S = 30;
/** How much of the way to its goal the y axis goes in one frame. */
const EASE = 0.3;
const Y_PAD = 0.08;
const FONT = '11px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';
const SERIES = { max: 1, min: 2, settled: 3, open: 4 };
const calm = matchMedia('(prefers-reduced-motion: reduce)');

/** Draws one series at a time and moves on with the server's clock. */
export class Chart {
  #root;
  #clock;
  #plot;
  #spanS = 120;
  /** @type {Columns} */
  #columns = columnsOf([], 1);
  #y = { min: 0, max: 1 };
  #isFresh = true;
  #lastFrameMs = 0;

  /**
   * @param {HTMLElement} root
   * @param {object} options
   * @param {() => number} options.nowUs the server's clock
   * @param {(index: number | null) => void} options.onPoint the row under the pointer
   */
  constructor(root, { nowUs, onPoint }) {
    this.#root = root;
    this.#clock = nowUs;
    this.#plot = new Plot(this.#options(onPoint), [[], [], [], [], []], root);
    new ResizeObserver(() => this.#resize()).observe(root);
    const animate = (/** @type {number} */ ms) => {
      if (ms - this.#lastFrameMs >= (calm.matches ? 10 : 1) * FRAME_MS) this.#frame(ms);
      requestAnimationFrame(animate);
    };
    requestAnimationFrame(animate);
  }

  /** How much time the chart shows. Units: seconds. @param {number} seconds */
  set span(seconds) {
    this.#spanS = seconds;
    this.#isFresh = true;
  }

  /** Drawn points by index, as `onPoint` tells them. */
  get starts() {
    return this.#columns.starts;
  }

  /** Time of the newest point drawn. Units: s. */
  get newestS() {
    return this.#columns.x.at(-1) ?? Number.NaN;
  }

  /**
   * @param {readonly import('./windows.js').Row[]} rows in time order
   * @param {{ lengthUs: number, isOther: boolean }} what `isOther`: not the series of before
   */
  show(rows, { lengthUs, isOther }) {
    this.#columns = columnsOf(rows, lengthUs);
    const { x, max, min, settled, open } = this.#columns;
    this.#plot.setData([x, max, min, settled, open], false);
    if (isOther) this.#isFresh = true;
    this.#frame(performance.now());
  }

  /** @param {number} ms */
  #frame(ms) {
    this.#lastFrameMs = ms;
    const span = this.#visibleSpanS();
    const max = this.#rightEdgeS(span);
    const min = max - span;
    this.#moveY(min, max);
    this.#plot.batch(() => {
      this.#plot.setScale('x', { min, max });
      this.#plot.setScale('y', this.#y);
    });
  }

  /**
   * The right edge is the server's now. It waits for a series that stopped at half the width, so
   * that one can still look at it, and runs ahead with one whose clock does.
   * @param {number} span
   */
  #rightEdgeS(span) {
    const nowS = this.#clock() / 1e6;
    const newest = this.newestS;
    if (Number.isNaN(newest)) return nowS;
    return Math.max(newest, Math.min(nowS, newest + span / 2));
  }

  /** As much as was asked for, or as much as there is. */
  #visibleSpanS() {
    const oldest = this.#columns.x[0] ?? Number.NaN;
    const heldS = Math.max(this.newestS, this.#clock() / 1e6) - oldest;
    if (Number.isNaN(heldS)) return this.#spanS;
    return Math.min(this.#spanS, Math.max(SPAN_LEAST_S, heldS));
  }

  /** @param {number} fromS @param {number} toS */
  #moveY(fromS, toS) {
    const goal = this.#goalOfY(fromS, toS);
    if (goal === null) return;
    const ease = this.#isFresh || calm.matches ? 1 : EASE;
    this.#isFresh = false;
    this.#y = {
      min: this.#y.min + (goal.min - this.#y.min) * ease,
      max: this.#y.max + (goal.max - this.#y.max) * ease,
    };
  }

  /** @param {number} fromS @param {number} toS */
  #goalOfY(fromS, toS) {
    const { x, min, max } = this.#columns;
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    for (const [i, at] of x.entries()) {
      if (at < fromS || at > toS) continue;
      low = Math.min(low, min[i] ?? low);
      high = Math.max(high, max[i] ?? high);
    }
    if (!(low <= high)) return null;
    const pad = high > low ? (high - low) * Y_PAD : Math.abs(high) * Y_PAD || 1;
    return { min: low - pad, max: high + pad };
  }

  #resize() {
    const { clientWidth: width, clientHeight: height } = this.#root;
    if (width > 0 && height > 0) this.#plot.setSize({ width, height });
  }

  /** @param {(index: number | null) => void} onPoint @returns {uPlot.Options} */
  #options(onPoint) {
    const { clientWidth, clientHeight } = this.#root;
    return {
      width: clientWidth || 600,
      height: clientHeight || 300,
      padding: [12, 12, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
      scales: { x: { time: true, auto: false }, y: { auto: false } },
      axes: [axis({ space: spaceOf, size: 30, values: timesOf }), axis({ size: sizeOf })],
      series: seriesOptions(),
      bands: [{ series: [SERIES.max, SERIES.min], fill: () => colour('--band') }],
      hooks: {
        draw: [drawNewest],
        setCursor: [({ cursor }) => onPoint(cursor.idx ?? null)],
      },
    };
  }
}

/** @param {uPlot.Axis} more @returns {uPlot.Axis} */
const axis = (more) => ({
  stroke: () => colour('--muted'),
  grid: { stroke: () => colour('--grid'), width: 1 },
  ticks: { show: false },
  font: FONT,
  gap: 8,
  ...more,
});

/** @returns {uPlot.Series[]} */
function seriesOptions() {
  const edge = { stroke: () => colour('--edge'), width: 1, points: { show: false } };
  const mean = { stroke: () => colour('--accent'), width: 2 };
  return [
    {},
    { label: 'max', ...edge },
    { label: 'min', ...edge },
    { label: 'mean', ...mean, points: lonely() },
    { label: 'provisional', ...mean, dash: [4, 4], points: { show: false } },
  ];
}

/** Points are drawn only where no line reaches them. @returns {uPlot.Series.Points} */
function lonely() {
  return {
    show: true,
    size: 5,
    fill: () => colour('--accent'),
    filter: (plot, seriesIndex) => {
      const values = plot.data[seriesIndex] ?? [];
      const alone = [];
      for (let i = 0; i < values.length; i++) {
        if (values[i] != null && values[i - 1] == null && values[i + 1] == null) alone.push(i);
      }
      return alone;
    },
  };
}

/** Labels of the time axis. @param {uPlot} _plot @param {number[]} splits */
function timesOf(_plot, splits) {
  return splits.map((s) => new Date(s * 1000).toLocaleTimeString('en-GB'));
}

/**
 * How far labels stand apart; a phone has room for fewer, and closer.
 * @type {(plot: uPlot, axis: number, min: number, max: number, width: number) => number}
 */
const spaceOf = (_plot, _axis, _min, _max, width) => (width < 500 ? 56 : 90);

/** The y axis is as wide as its labels. @param {uPlot} plot @param {string[] | null} labels */
function sizeOf(plot, labels) {
  const longest = (labels ?? []).reduce((a, b) => (b.length > a.length ? b : a), '');
  plot.ctx.font = FONT;
  return Math.max(44, Math.ceil(plot.ctx.measureText(longest).width / devicePixelRatio) + 20);
}

/** A dot at the newest point, as long as it is in sight. @param {uPlot} plot */
function drawNewest(plot) {
  const [x, , , settled, open] = plot.data;
  const last = x.length - 1;
  const value = open?.[last] ?? settled?.[last];
  if (value == null) return;
  const left = plot.valToPos(/** @type {number} */ (x[last]), 'x', true);
  const top = plot.valToPos(value, 'y', true);
  if (left < plot.bbox.left) return;
  const { ctx } = plot;
  ctx.save();
  for (const [radius, name] of /** @type {const} */ ([
    [7, '--halo'],
    [3.5, '--accent'],
  ])) {
    ctx.beginPath();
    ctx.fillStyle = colour(name);
    ctx.arc(left, top, radius * devicePixelRatio, 0, 2 * Math.PI);
    ctx.fill();
  }
  ctx.restore();
}
