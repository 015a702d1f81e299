import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Directory of the recordings. */
export const RECORDINGS = join(import.meta.dirname, '../fixtures/nab');

/** Names of the two recordings, which are their devices' names too. */
export const MACHINE = 'machine_temperature_system_failure';
export const AMBIENT = 'ambient_temperature_system_failure';

/** A row of a recording. Units: µs. */
export interface RecordedRow {
  readonly t: number;
  readonly v: number;
}

/** The file of a recording. */
export const fileOf = (name: string): string => join(RECORDINGS, `${name}.csv`);

/** The rows of a recording, read as the page says: times are UTC. */
export function recordedRows(name: string): RecordedRow[] {
  const [, ...lines] = readFileSync(fileOf(name), 'utf8').trim().split(/\r?\n/);
  return lines.map((line) => {
    const [time = '', value = ''] = line.split(',');
    return { t: Date.parse(`${time.replace(' ', 'T')}Z`) * 1000, v: Number(value) };
  });
}

/** t′ of every row: `start + floor((t − t0)/N)`. Units: µs. */
export function replayed(
  rows: readonly RecordedRow[],
  start: number,
  speedup: number,
): RecordedRow[] {
  const t0 = rows[0]?.t ?? 0;
  return rows.map(({ t, v }) => ({ t: start + Math.floor((t - t0) / speedup), v }));
}
