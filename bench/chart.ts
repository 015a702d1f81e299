/** One small chart: a value for each load. */
export interface Panel {
  readonly title: string;
  readonly values: readonly number[];
}

const [WIDTH, HEIGHT, COLUMNS] = [360, 200, 2] as const;
const FRAME = { left: 56, right: 20, top: 40, bottom: 36 } as const;
const TICKS = 4;

/** Grey that is read on white and on black alike; where the reader tells which it is, a better one. */
const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #767d86; }
  .title { font-weight: 600; }
  .end { text-anchor: end; } .middle { text-anchor: middle; }
  .grid { stroke: #8b949e; stroke-opacity: 0.35; }
  .curve { fill: none; stroke: #2f81f7; stroke-width: 2; }
  .point { fill: #2f81f7; }
  @media (prefers-color-scheme: light) { text { fill: #3d444d; } }
  @media (prefers-color-scheme: dark) { text { fill: #c9d1d9; } }
`;

/**
 * The panels as one SVG, over the same loads at equal distances. It brings no background, so that it
 * stands on a light page and on a dark one.
 */
export function chartOf(loads: readonly number[], panels: readonly Panel[]): string {
  const lines = Math.ceil(panels.length / COLUMNS);
  const [width, height] = [WIDTH * COLUMNS, HEIGHT * lines];
  const drawn = panels.map((panel, i) => {
    const [x, y] = [WIDTH * (i % COLUMNS), HEIGHT * Math.floor(i / COLUMNS)];
    return `<g transform="translate(${x} ${y})">${drawPanel(loads, panel)}</g>`;
  });
  const label = panels.map(({ title }) => title).join('; ');
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${label}, by offered load">`,
    `<style>${STYLE}</style>`,
    ...drawn,
    '</svg>\n',
  ].join('\n');
}

function drawPanel(loads: readonly number[], { title, values }: Panel): string {
  const top = niceTop(Math.max(...values));
  const [inner, down] = [WIDTH - FRAME.left - FRAME.right, HEIGHT - FRAME.top - FRAME.bottom];
  const x = (i: number): number => round(FRAME.left + (inner * i) / (loads.length - 1));
  const y = (value: number): number => round(FRAME.top + down * (1 - value / top));
  const grid = Array.from({ length: TICKS + 1 }, (_, i) => {
    const [value, at] = [(top * i) / TICKS, y((top * i) / TICKS)];
    return `<line class="grid" x1="${FRAME.left}" x2="${WIDTH - FRAME.right}" y1="${at}" y2="${at}"/><text class="end" x="${FRAME.left - 8}" y="${at + 4}">${Number(value.toPrecision(3))}</text>`;
  });
  const bottom = HEIGHT - FRAME.bottom + 18;
  const names = loads.map(
    (load, i) => `<text class="middle" x="${x(i)}" y="${bottom}">${load}×</text>`,
  );
  const points = values.map((value, i) => [x(i), y(value)] as const);
  return [
    `<text class="title" x="${FRAME.left}" y="22">${title}</text>`,
    ...grid,
    ...names,
    `<polyline class="curve" points="${points.map((point) => point.join(',')).join(' ')}"/>`,
    ...points.map(([cx, cy]) => `<circle class="point" cx="${cx}" cy="${cy}" r="3.5"/>`),
  ].join('\n');
}

/** A round number a little above the greatest value. */
function niceTop(most: number): number {
  const power = 10 ** Math.floor(Math.log10(most));
  const step = [1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8, 10].find((one) => one * power >= most * 1.02);
  return (step ?? 12) * power;
}

const round = (value: number): number => Math.round(10 * value) / 10;
