import { availableParallelism } from 'node:os';
import { measure, median, type Run, say, spread, startBare, startGateway } from './peers.ts';

/**
 * What a frame costs the gateway (file log, aggregating) next to a ws server that discards the same
 * frames. Both serve the same load one after the other, again and again; medians and spread.
 */
const isQuick = process.argv.includes('--quick');
const SECONDS = isQuick ? 1 : 10;
const REPETITIONS = isQuick ? 2 : 5;
const DEVICES = 50;
const COLUMNS = 3;
/** Rows of three int16 columns: 644-byte and 120-byte frames. */
const SHAPES = [100, 12] as const;

async function compare(rows: number): Promise<void> {
  const gateway = await startGateway('--log', 'file');
  const bare = await startBare('discard', 'flood');
  const load = { rows, devices: DEVICES, seconds: SECONDS };
  const runs: Run[][] = [[], []];
  for (let repetition = 0; repetition < REPETITIONS; repetition += 1) {
    runs[0]?.push(await measure(gateway, load));
    runs[1]?.push(await measure(bare, load));
  }
  const [mine = [], floor = []] = runs;
  say(`\n${mine[0]?.bytes}-byte frames, ${rows} rows × ${COLUMNS} int16, ${DEVICES} devices`);
  for (const [name, these] of [
    ['gateway', mine],
    ['discard', floor],
  ] as const) {
    const frames = spread(these, (run) => run.framesPerSecond, 0);
    const readings = spread(these, (run) => run.framesPerSecond * rows * COLUMNS, 0);
    const cpu = spread(these, (run) => run.cpuUsPerFrame, 2);
    say(`  ${name}  frames/s ${frames}  readings/s ${readings}  CPU-µs/frame ${cpu}`);
  }
  const ratios = mine.map((run, i) => run.cpuUsPerFrame / (floor[i]?.cpuUsPerFrame ?? 1));
  say(`  gateway ÷ discard, CPU per frame: ${median(ratios).toFixed(2)}`);
  await gateway.end();
  await bare.end();
}

const how = `${REPETITIONS} interleaved repetitions of ${SECONDS} s, median (min–max)`;
say(`${how}, ${availableParallelism()} cores, Node ${process.versions.node}`);
for (const rows of SHAPES) await compare(rows);
