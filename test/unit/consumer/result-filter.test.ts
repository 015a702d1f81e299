import { expect, it } from 'vitest';
import { ResultFilter } from '../../../src/consumer/result-filter.ts';
import { LOG } from '../../../src/model/record.ts';
import { encodeCause } from '../../../src/wire/result-cause.ts';

type Row = readonly [
  shard: number,
  log: keyof typeof LOG,
  offset: number,
  index: number,
  is: string,
];

it('a result is a copy if its cause is not above the last one of its shard and log', () => {
  const rows: readonly Row[] = [
    [0, 'readings', 4, 0, 'new'],
    [0, 'readings', 4, 1, 'new'],
    [0, 'readings', 4, 1, 'copy'],
    [0, 'readings', 4, 0, 'copy'],
    [0, 'alarms', 2, 0, 'new'],
    [1, 'readings', 3, 0, 'new'],
    [0, 'readings', 9, 0, 'new'],
    [0, 'readings', 4, 1, 'copy'],
    [0, 'readings', 9, 0, 'copy'],
    [0, 'readings', 9, 1, 'new'],
    [0, 'alarms', 2, 0, 'copy'],
    [1, 'readings', 4, 0, 'new'],
  ];
  const filter = new ResultFilter();
  const found = rows.map(([shard, log, offset, index]) => {
    const tg = encodeCause({ log: LOG[log], shard, offset, index });
    return filter.isCopy(tg, shard) ? 'copy' : 'new';
  });
  expect(found).toEqual(rows.map(([, , , , is]) => is));
});

it('a header that is no cause tells nothing, and moves nothing', () => {
  const filter = new ResultFilter();
  const tg = encodeCause({ log: LOG.readings, shard: 0, offset: 5, index: 0 });
  expect(filter.isCopy(tg, 0)).toBe(false);
  expect(filter.isCopy(tg.with(0, 9), 0)).toBe(false);
  expect(filter.isCopy(tg, 0)).toBe(true);
});
