import { readingsOf } from '../../src/consumer/frame-decoder.ts';
import type { FrameItem } from '../../src/consumer/log-item.ts';
import { TidegateReader } from '../../src/consumer/tidegate-reader.ts';
import { LOG_NAMES } from '../../src/model/record.ts';
import type { KeptLog } from './kept-log.ts';

/** The frames of a device as a reader of the whole log gets them: no session, no gateway. */
export function framesOf(log: KeptLog, device: string): FrameItem[] {
  const reader = new TidegateReader();
  const items = [
    ...log.schemas.flatMap(({ hash, bytes }, offset) =>
      reader.read('schemas', 0, { offset, key: hash, value: bytes }),
    ),
    ...log.records.flatMap(({ log: kind, shard, offset, key, tg, value }) =>
      reader.read(LOG_NAMES[kind], shard, { offset, key, value, headers: { tg } }),
    ),
    ...reader.finish(),
  ];
  return items.filter(
    (item): item is FrameItem => item.kind !== 'result' && item.device === device,
  );
}

/** Times and values of a device's readings, as `topic t v`, in log order. */
export const rowsOf = (log: KeptLog, device: string): string[] =>
  framesOf(log, device).flatMap(({ blocks }) =>
    [...readingsOf(blocks)].map(({ topic, t, v }) => `${topic.slice(device.length + 1)} ${t} ${v}`),
  );

/** Times of the rows of a device's last frame. */
export const timesOf = (log: KeptLog, device: string): number[] =>
  (framesOf(log, device).at(-1)?.blocks ?? []).flatMap(({ t }) => [...t]);

/** Values of the first column of a device's last frame. */
export const valuesOf = (log: KeptLog, device: string): unknown[] => {
  const [column] = framesOf(log, device).at(-1)?.blocks[0]?.cols ?? [];
  return column === undefined ? [] : [...column.v];
};
