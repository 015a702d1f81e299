import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { chartOf, type Panel } from './chart.ts';
import { say } from './peers.ts';
import { DISK, floorOf, framesPerSecond, type Seen, spreadOf, textOf, tryOut } from './trial.ts';

/**
 * The overload curve: what is taken, what an ack takes and what memory there is, from half to ten
 * times of what the log drains. Writes the table of docs/performance.md and
 * docs/performance/overload.svg; with `--quick` it only prints.
 */
const isQuick = process.argv.includes('--quick');
const LOADS = isQuick ? [0.5, 10] : [0.5, 1, 2, 5, 10];
const DEVICES = 100;
const ROWS = 300;
const FRAME_BYTES = 2 * ROWS + 40;
/** Frames of lane 0 per second, of all devices. */
const ALARMS = 200;
const TIMES = isQuick
  ? ({ warmS: 1, sliceS: 1, slices: 1 } as const)
  : ({ warmS: 5, sliceS: 4, slices: 6 } as const);
const MIB = 1024 * 1024;

const DOCS = join(import.meta.dirname, '../docs');
const PAGE = join(DOCS, 'performance.md');
const CHART = join(DOCS, 'performance/overload.svg');
const MARKS = /(<!-- curve: .*? -->\n)[\s\S]*?(<!-- \/curve -->)/;

/** One row of the table: medians over slices. */
interface Row {
  readonly load: number;
  readonly cells: readonly string[];
  readonly goodput: number;
  readonly ackMs: number;
  readonly lane0Ms: number;
  readonly rssMib: number;
}

function rowOf(load: number, seen: Seen, capacity: number): Row {
  const goodput = spreadOf(seen.slices, (slice) => framesPerSecond(slice) / capacity);
  const ack = spreadOf(seen.slices, ({ ackMs }) => ackMs.p99);
  const lane0 = spreadOf(seen.slices, ({ lane0Ms }) => lane0Ms.p99);
  const blocked = spreadOf(seen.slices, ({ blockedShare }) => 100 * blockedShare);
  const rss = spreadOf(seen.rss.slice(-TIMES.slices * TIMES.sliceS), (bytes) => bytes / MIB);
  const lost = seen.end.sent - seen.end.acked + seen.end.faults;
  const cells = [
    `${load}`,
    textOf(goodput, 2),
    textOf(ack, 0),
    textOf(lane0, 0),
    blocked.middle.toFixed(0),
    textOf(rss, 0),
    `${seen.end.disconnects}, ${lost}`,
  ];
  const [ackMs, lane0Ms, rssMib] = [ack.middle, lane0.middle, rss.middle];
  return { load, cells, goodput: goodput.middle, ackMs, lane0Ms, rssMib };
}

const HEAD = [
  'offered ÷ drain rate',
  'goodput ÷ drain rate',
  'ack p99, ms',
  'lane 0 p99, ms',
  'blocked, % of the time',
  'RSS, MiB',
  'disconnects, lost',
];

function tableOf(rows: readonly Row[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(HEAD), line(HEAD.map(() => '---:')), ...rows.map(({ cells }) => line(cells))].join(
    '\n',
  );
}

function panelsOf(rows: readonly Row[]): Panel[] {
  const of = (title: string, pick: (row: Row) => number): Panel => ({
    title,
    values: rows.map(pick),
  });
  return [
    of('goodput ÷ drain rate', ({ goodput }) => goodput),
    of('ack p99, ms', ({ ackMs }) => ackMs),
    of('lane 0 p99, ms', ({ lane0Ms }) => lane0Ms),
    of('RSS, MiB', ({ rssMib }) => rssMib),
  ];
}

const capacity = await floorOf(DISK, FRAME_BYTES, isQuick ? 1 : 5);
const rows: Row[] = [];
for (const load of LOADS) {
  const rate = (load * capacity.framesPerSecond) / DEVICES;
  const phase = { name: 'load', rate, firstRate: rate, ...TIMES };
  const shape = { devices: DEVICES, rows: ROWS, alarms: ALARMS / DEVICES, settleS: 60 };
  const seen = await tryOut({ disk: DISK, load: { ...shape, phases: [phase] } });
  const row = rowOf(load, seen, capacity.framesPerSecond);
  say(row.cells.join('  '));
  rows.push(row);
}
const how = `${DEVICES} devices, frames of ${FRAME_BYTES} bytes, a log of ${(capacity.bytesPerSecond / 1e6).toFixed(1)} MB/s; median (least–most) of ${TIMES.slices} slices of ${TIMES.sliceS} s; ${availableParallelism()} cores, Node ${process.versions.node}`;
const table = `${tableOf(rows)}\n\n${how}.`;
say(`\n${table}\n\n${rows.length} loads`);
if (!isQuick) {
  const page = readFileSync(PAGE, 'utf8');
  writeFileSync(PAGE, page.replace(MARKS, `$1\n${table}\n\n$2`));
  mkdirSync(join(DOCS, 'performance'), { recursive: true });
  writeFileSync(CHART, chartOf(LOADS, panelsOf(rows)));
}
