import { runCli } from './run-cli.ts';

/** A line of `tail --json --all` of the readings or alarms log, as INTERFACE gives it. */
export interface LogLine {
  readonly topic: 'readings' | 'alarms';
  readonly shard: number;
  readonly offset: number;
  readonly kind: 'frame' | 'fence' | 'mark' | 'stub';
  readonly device: string;
  readonly lane: number;
  readonly ep: number;
  readonly n: number;
  readonly lost: number;
  readonly gen: number;
  readonly own: string;
  readonly recv: number;
  readonly uncertain: boolean;
  readonly void: boolean;
  readonly duplicate: boolean;
  readonly wm?: number;
  readonly marks?: readonly {
    readonly device: string;
    readonly class: string;
    readonly watermark: number;
  }[];
  readonly blocks: readonly {
    readonly t: readonly number[];
    readonly q: number | readonly number[];
    readonly fid: number;
    readonly cols: readonly {
      readonly topic: string;
      readonly unit: string;
      readonly v: readonly (number | null)[];
    }[];
  }[];
}

/** The objects of an NDJSON text. */
export const linesOf = <T>(text: string): T[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);

/** The flags that name a log; a text is the data directory of a file log. */
export const logFlags = (log: string | readonly string[]): readonly string[] =>
  typeof log === 'string' ? ['--log', 'file', '--data', log] : log;

/** What `tail --json` prints of one topic of a log. */
export async function tailed<T>(
  log: string | readonly string[],
  topic: string,
  ...flags: string[]
): Promise<T[]> {
  const args = ['tail', ...logFlags(log), '--topic', topic, '--json', ...flags];
  const { code, stdout, stderr } = await runCli(args);
  if (code !== 0) throw new Error(`tail ended with ${code}: ${stderr}`);
  return linesOf(stdout);
}

/**
 * The filter of PROTOCOL §6.6, written from the page alone: void by fences, then duplicates by
 * (ep, n) per device and lane. It looks at no verdict that `tail` itself prints.
 */
export function filtered(lines: readonly LogLine[]): LogLine[] {
  const owners = new Map<string, { gen: number; own: string }>();
  const newest = new Map<string, { ep: number; n: number }>();
  return lines.filter((line) => {
    const log = `${line.topic}/${line.shard}`;
    const owner = owners.get(log);
    if (line.kind === 'fence') {
      if (!owner || line.gen > owner.gen) owners.set(log, { gen: line.gen, own: line.own });
      return false;
    }
    if (!owner) owners.set(log, { gen: line.gen, own: line.own });
    else if (line.gen !== owner.gen || line.own !== owner.own) return false;
    if (line.kind !== 'frame') return false;
    const lane = `${line.device} ${line.lane}`;
    const before = newest.get(lane);
    const isNewer = !before || line.ep > before.ep || (line.ep === before.ep && line.n > before.n);
    if (!isNewer && !line.uncertain) return false;
    newest.set(lane, { ep: line.ep, n: line.n });
    return true;
  });
}

/** The rows of one series, in log order. */
export function rowsOf(
  lines: readonly LogLine[],
  topic: string,
): { t: number; v: number | null }[] {
  const rows: { t: number; v: number | null }[] = [];
  for (const { blocks } of lines) {
    for (const { t, cols } of blocks) {
      const column = cols.find((one) => one.topic === topic);
      if (!column) continue;
      for (const [i, time] of t.entries()) rows.push({ t: time, v: column.v[i] ?? null });
    }
  }
  return rows;
}
