import type { StoredDeadLetter } from '../adapters/log/dead-letter-codec.ts';
import type { DecodedBlock, DecodedColumn } from '../consumer/frame-decoder.ts';
import { CODES } from '../model/errors.ts';
import { CLASS_NAMES } from '../model/reading.ts';
import { LOG_NAMES } from '../model/record.ts';
import type { SeriesResult, WindowResult } from '../model/window.ts';
import { textOf } from '../wire/utf8.ts';
import type { RecordBody, RecordEntry, ResultEntry, TailFormat } from './tail-entry.ts';

/** So many values of a column are shown; nobody reads more of them in a line. */
const VALUES_SHOWN = 6;
/** Enough digits to see a sensor move. `--json` has them all. */
const DIGITS = 7;

/** Lines for humans: short, aligned where it helps, cut where it is too much. */
export const TAIL_TEXT: TailFormat = {
  record({ record, header, verdict, body, error }: RecordEntry): string {
    const device = textOf(record.key, 0, record.key.length);
    const isNumbered = body.kind === 'frame' || body.kind === 'stub';
    const words = [
      timeText(header.recv),
      `${LOG_NAMES[record.log]} ${record.shard}:${record.offset}`,
      body.kind,
      ...(isNumbered ? [device, `lane ${header.lane} ep ${header.epoch} n ${header.n}`] : []),
      ...(header.lost > 0 ? [`lost ${header.lost}`] : []),
      ...(header.uncertain ? ['uncertain'] : []),
      ...(verdict.void ? ['VOID'] : []),
      ...(verdict.duplicate ? ['DUPLICATE'] : []),
      ...wordsOf(body),
      ...(error === undefined ? [] : [`ERROR: ${error}`]),
    ];
    return [words.join('  '), ...linesOf(body)].join('\n');
  },

  result({ shard, offset, json, isCopy }: ResultEntry): string {
    const {
      device,
      class: className,
      start,
      len,
      status,
      series,
    } = JSON.parse(json) as WindowResult;
    const place = `aggregates ${shard}:${offset}${isCopy ? '  DUPLICATE' : ''}`;
    const head = [timeText(start), `${len} ms`, status, className, device, place].join('  ');
    const lines = Object.entries(series).map(([name, figures]) => seriesLine(name, figures));
    return [head, ...lines].join('\n');
  },

  deadLetter({
    shard,
    offset,
    device,
    lane,
    epoch,
    n,
    code,
    recv,
    bytes,
  }: StoredDeadLetter): string {
    const why = `${code} ${nameOf(code)}`;
    const where = `lane ${lane} ep ${epoch} n ${n}`;
    const place = `rejects ${shard}:${offset}`;
    return [timeText(recv), place, device, where, why, `${bytes.length} bytes`].join('  ');
  },
};

function wordsOf(body: RecordBody): string[] {
  if (body.kind === 'fence') return [`node ${body.node}`];
  return body.kind === 'stub' ? [`${body.code} ${nameOf(body.code)}`] : [];
}

function linesOf(body: RecordBody): string[] {
  if (body.kind === 'frame') return body.blocks.flatMap(blockLines);
  if (body.kind !== 'mark') return [];
  return body.marks.map(
    ({ device, class: classId, watermark }) =>
      `    ${device}  ${CLASS_NAMES[classId]}  watermark ${timeText(watermark)}`,
  );
}

function blockLines(block: DecodedBlock): string[] {
  const { t, q, fid, cols } = block;
  const first = t[0] as number;
  const span = (t[t.length - 1] as number) - first;
  const rows = t.length === 1 ? '1 row' : `${t.length} rows in ${(span / 1000).toFixed(1)} ms`;
  const quality = q === 0 ? '' : `  q ${typeof q === 'number' ? q : shown(q)}`;
  const thinned = fid === 1 ? '' : `  fid ${fid}`;
  return [`    ${timeText(first)}  ${rows}${quality}${thinned}`, ...cols.map(columnLine)];
}

const columnLine = ({ topic, unit, v }: DecodedColumn): string =>
  `      ${topic}  ${shown(v)}${unit === '' ? '' : ` ${unit}`}`;

function shown(values: DecodedColumn['v'] | Uint8Array): string {
  const texts: string[] = [];
  for (const value of values.slice(0, VALUES_SHOWN)) texts.push(valueText(value));
  return `${texts.join(' ')}${values.length > VALUES_SHOWN ? ' …' : ''}`;
}

function seriesLine(name: string, { unit, ...figures }: SeriesResult): string {
  const isTime = (aggregate: string): boolean => /^t(min|max|first|last)$/.test(aggregate);
  const words = Object.entries(figures).map(([aggregate, value]) =>
    isTime(aggregate) && typeof value === 'number'
      ? `${aggregate}=${timeText(value).slice('2026-01-01T'.length)}`
      : `${aggregate}=${valueText(value)}`,
  );
  return `    ${name}  ${words.join(' ')}${unit === '' ? '' : ` ${unit}`}`;
}

function valueText(value: DecodedColumn['v'][number]): string {
  if (value === null || Number.isNaN(value)) return '–';
  if (typeof value === 'number') return `${Number(value.toPrecision(DIGITS))}`;
  return typeof value === 'bigint' ? `${value}` : JSON.stringify(value);
}

const nameOf = (code: number): string => CODES[code as keyof typeof CODES]?.name ?? 'unknown';

/** Microseconds since 1970 as ISO 8601 with six decimals. */
function timeText(us: number): string {
  const date = new Date(Math.floor(us / 1000));
  if (Number.isNaN(date.getTime())) return `${us} µs`;
  const rest = us - Math.floor(us / 1000) * 1000;
  return `${date.toISOString().slice(0, -1)}${String(rest).padStart(3, '0')}Z`;
}
