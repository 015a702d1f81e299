import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { EVENT_US_MAX, PATH_BYTES_MAX } from '../src/model/limits.ts';
import { isPath } from '../src/model/pattern.ts';

/** A recording: rows in the order of the file, which need not be that of time. */
export interface Recording {
  /** Device path: the file's name without `.csv`. */
  readonly device: string;
  /** Units: µs. */
  readonly times: Float64Array;
  /** NaN where the file has no value. */
  readonly values: Float64Array;
}

/** Which rows of a recording are wanted: [from, to). Units: µs. */
export interface Span {
  readonly fromUs: number;
  readonly toUs: number;
}

const TIME =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,6}))?)?)?(?:Z|\+00:00)?$/;

/** Reads a UTC time such as `2014-01-07T01:00` or `2014-01-07 01:00:00.5`. Units: µs; NaN if bad. */
export function readTime(text: string): number {
  const parts = TIME.exec(text.trim());
  if (!parts) return Number.NaN;
  const [year, month, day, hour, minute, second] = parts
    .slice(1, 7)
    .map((part) => Number(part ?? 0)) as [number, number, number, number, number, number];
  const ms = Date.UTC(year, month - 1, day, hour, minute, second);
  const date = new Date(ms);
  // Date.UTC rolls February 30 over into March: such a time is a mistake, not March.
  const isReal =
    date.getUTCMonth() === month - 1 && date.getUTCDate() === day && date.getUTCHours() === hour;
  const isClock = minute < 60 && second < 60;
  if (!isReal || !isClock) return Number.NaN;
  return ms * 1000 + Number((parts[7] ?? '').padEnd(6, '0'));
}

/** A recording could not be used. `message` is the end of a sentence. */
export class RecordingError extends Error {
  override readonly name = 'RecordingError';
}

/**
 * Reads `timestamp,value` rows. Rejects (throws `RecordingError`): a file that is not there, a row
 * that is none, a name that is no device path.
 */
export function readRecording(file: string, span: Span): Recording {
  const device = basename(file).replace(/\.csv$/i, '');
  if (!isPath(device, PATH_BYTES_MAX)) {
    throw new RecordingError(`the file name must be a device path, and "${device}" is none`);
  }
  const times: number[] = [];
  const values: number[] = [];
  for (const [index, line] of linesOf(file).entries()) {
    if (index === 0 || line === '') continue;
    const [time, value] = rowOf(line, index + 1);
    if (time < span.fromUs || time >= span.toUs) continue;
    times.push(time);
    values.push(value);
  }
  if (times.length === 0) throw new RecordingError('no row lies between --from and --to');
  return { device, times: Float64Array.from(times), values: Float64Array.from(values) };
}

function linesOf(file: string): string[] {
  try {
    const lines = readFileSync(file, 'utf8').split(/\r?\n/);
    if (/^\uFEFF?timestamp,value$/.test(lines[0]?.trim() ?? '')) return lines;
  } catch (error) {
    throw new RecordingError(`cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  throw new RecordingError('line 1 must be "timestamp,value"');
}

function rowOf(line: string, at: number): readonly [time: number, value: number] {
  const [timeText = '', valueText = '', ...rest] = line.split(',');
  const time = readTime(timeText);
  const value = valueText.trim() === '' ? Number.NaN : Number(valueText);
  const isBad = Number.isNaN(value) && !/^\s*(nan)?\s*$/i.test(valueText);
  if (Number.isNaN(time) || isBad || rest.length > 0) {
    throw new RecordingError(`line ${at} is not "timestamp,value"`);
  }
  if (time < 0 || time >= EVENT_US_MAX) throw new RecordingError(`line ${at} is outside 1970–2200`);
  return [time, value];
}
