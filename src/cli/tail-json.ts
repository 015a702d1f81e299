import type { StoredDeadLetter } from '../adapters/log/dead-letter-codec.ts';
import type { DecodedBlock, PhysicalValues } from '../consumer/frame-decoder.ts';
import { CLASS_NAMES } from '../model/reading.ts';
import { LOG_NAMES } from '../model/record.ts';
import type { MarkEntry } from '../wire/mark.ts';
import { textOf } from '../wire/utf8.ts';
import type { RecordBody, RecordEntry, ResultEntry, TailFormat } from './tail-entry.ts';

const quoted = JSON.stringify as (text: string) => string;

/**
 * One JSON object per record, its keys in the order of INTERFACE. Written by hand: it is half the
 * work of `JSON.stringify` over objects that would have to be made first.
 * Guarantee: NaN and ±Infinity are null, 64-bit integers beyond 2⁵³ are text.
 * Source: INTERFACE, tail.
 */
export const TAIL_JSON: TailFormat = {
  record({ record, header, verdict, body, error }: RecordEntry): string {
    const device = textOf(record.key, 0, record.key.length);
    const own = Buffer.from(header.own).toString('hex');
    return (
      `{"topic":"${LOG_NAMES[record.log]}","shard":${record.shard},"offset":${record.offset},` +
      `"kind":"${body.kind}","device":${quoted(device)},"lane":${header.lane},` +
      `"ep":${header.epoch},"n":${header.n},"lost":${header.lost},` +
      `"gen":${header.gen},"own":"${own}","recv":${header.recv},` +
      `"clockOffset":${header.clockOffset},"uncertain":${header.uncertain},` +
      `"void":${verdict.void},"duplicate":${verdict.duplicate},${bodyJson(body)}` +
      `${error === undefined ? '' : `,"error":${quoted(error)}`}}`
    );
  },

  result({ shard, offset, json, isCopy }: ResultEntry): string {
    const rest = isCopy ? `${json.slice(1, -1)},"duplicate":true}` : json.slice(1);
    return `{"shard":${shard},"offset":${offset},${rest}`;
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
    const base64 = Buffer.from(bytes).toString('base64');
    const letter = { topic: 'rejects', shard, offset, device, lane, ep: epoch, n, code, recv };
    return JSON.stringify({ ...letter, bytes: base64 });
  },
};

function bodyJson(body: RecordBody): string {
  switch (body.kind) {
    case 'frame': {
      const wm = body.wm === undefined ? '' : `,"wm":${body.wm}`;
      return `"blocks":[${body.blocks.map(blockJson).join(',')}]${wm}`;
    }
    case 'fence':
      return `"blocks":[],"node":${quoted(body.node)}`;
    case 'mark':
      return `"blocks":[],"marks":[${body.marks.map(markJson).join(',')}]`;
    case 'stub':
      return `"blocks":[],"code":${body.code}`;
  }
}

const markJson = ({ device, class: classId, watermark }: MarkEntry): string =>
  `{"device":${quoted(device)},"class":"${CLASS_NAMES[classId]}","watermark":${watermark}}`;

function blockJson({ t, q, fid, cols }: DecodedBlock): string {
  const quality = typeof q === 'number' ? `${q}` : `[${q.join(',')}]`;
  const columns = cols.map(
    ({ topic, unit, v }) =>
      `{"topic":${quoted(topic)},"unit":${quoted(unit)},"v":[${valuesJson(v)}]}`,
  );
  return `{"t":[${t.join(',')}],"q":${quality},"fid":${fid},"cols":[${columns.join(',')}]}`;
}

function valuesJson(values: PhysicalValues): string {
  let json = '';
  for (let row = 0; row < values.length; row += 1) {
    if (row > 0) json += ',';
    json += valueJson(values[row] as PhysicalValues[number]);
  }
  return json;
}

function valueJson(value: PhysicalValues[number]): string {
  if (typeof value === 'number') return Number.isFinite(value) ? `${value}` : 'null';
  if (typeof value === 'bigint') return `"${value}"`;
  return value === null ? 'null' : quoted(value);
}
