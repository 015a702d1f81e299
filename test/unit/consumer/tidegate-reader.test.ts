import { describe, expect, it } from 'vitest';
import { readingsOf } from '../../../src/consumer/frame-decoder.ts';
import type { LogItem } from '../../../src/consumer/log-item.ts';
import { type KafkaMessage, TidegateReader } from '../../../src/consumer/tidegate-reader.ts';
import { LOG } from '../../../src/model/record.ts';
import { encodeCause } from '../../../src/wire/result-cause.ts';
import { type RecordText, recordOf } from '../../support/log-records.ts';
import { frameValue, schemaFor } from '../../support/tail-log.ts';

const T = 1_761_962_400_123_000;
const TEMP = schemaFor('hall', [['temp', 'Cel', 0.5, 1]]);
const SPEED = schemaFor('hall', [['speed']]);

const schemaMessage = (schema = TEMP, offset = 0): KafkaMessage => ({
  offset: `${offset}`,
  key: schema.hash,
  value: schema.bytes,
});

/** A message of a readings or alarms topic, as kafkajs gives it. */
function message(offset: number, text: RecordText): KafkaMessage {
  const n = text.n ?? 1;
  const value = frameValue(n, [{ s: 1, t: T, d: [5], v: [[n, 2 * n]] }]);
  const record = recordOf({ device: 'hall', hashes: TEMP.hash, value, ...text });
  return { offset: `${offset}`, key: record.key, value: record.value, headers: { tg: record.tg } };
}

const resultMessage = (offset: number, cause: number): KafkaMessage => ({
  offset: `${offset}`,
  key: new TextEncoder().encode('hall'),
  value: new TextEncoder().encode(`{"device":"hall","len":${cause}}`),
  headers: { tg: encodeCause({ log: LOG.readings, shard: 0, offset: cause, index: 0 }) },
});

/** What an item is, in a few words. */
function words(item: LogItem): string {
  const place = `${item.topic} ${item.shard}:${item.offset}`;
  if (item.kind === 'frame') return `${place} ${item.device} ${item.epoch}/${item.n}`;
  return item.kind === 'result' ? `${place} ${item.result.len}` : `${place} ${item.sentence}`;
}

describe('a reader of the topics', () => {
  it('gives frames by column and by row, with what the header says', () => {
    const reader = new TidegateReader();
    reader.read('tidegate.schemas', 0, schemaMessage());
    const [frame] = reader.read('tidegate.readings', 3, message(17, { n: 4, ep: 9 }));
    expect(frame).toEqual({
      kind: 'frame',
      topic: 'readings',
      shard: 3,
      offset: 17,
      device: 'hall',
      lane: 1,
      epoch: 9,
      n: 4,
      lost: 0,
      uncertain: false,
      recv: 1_761_962_400_158_000,
      clockOffset: 0,
      wm: undefined,
      blocks: [
        {
          t: Float64Array.of(T, T + 5),
          q: 0,
          fid: 1,
          cols: [{ topic: 'hall/temp', unit: 'Cel', v: Float64Array.of(3, 5) }],
        },
      ],
    });
    expect(frame?.kind === 'frame' && [...readingsOf(frame.blocks)]).toEqual([
      { topic: 'hall/temp', unit: 'Cel', t: T, v: 3, q: 0, fid: 1 },
      { topic: 'hall/temp', unit: 'Cel', t: T + 5, v: 5, q: 0, fid: 1 },
    ]);
  });

  it('leaves out fences, marks, stubs, void and duplicate records', () => {
    const reader = new TidegateReader();
    reader.read('a.b.schemas', 0, schemaMessage());
    const log: readonly RecordText[] = [
      { kind: 'fence' },
      { n: 1 },
      { n: 1 },
      { kind: 'mark' },
      { kind: 'stub', n: 2 },
      { kind: 'fence', gen: 2, own: 'b' },
      { n: 3 },
      { n: 3, gen: 2, own: 'b' },
    ];
    const items = log.flatMap((text, i) => reader.read('a.b.readings', 0, message(i, text)));
    expect(items.map(words)).toEqual(['readings 0:1 hall 1/1', 'readings 0:7 hall 1/3']);
  });

  it('keeps the logs and their partitions apart', () => {
    const reader = new TidegateReader();
    reader.read('x.schemas', 0, schemaMessage());
    const items = [
      ...reader.read('x.readings', 0, message(5, { gen: 3, own: 'c', n: 1 })),
      ...reader.read('x.alarms', 0, message(0, { gen: 3, own: 'd', n: 1, lane: 0 })),
      ...reader.read('x.readings', 1, message(0, { gen: 9, own: 'e', n: 1, device: 'b' })),
    ];
    expect(items.map(words)).toEqual([
      'readings 0:5 hall 1/1',
      'alarms 0:0 hall 1/1',
      'readings 1:0 b 1/1',
    ]);
  });

  it('repeats nothing when its consumer begins again, uncertain frames neither', () => {
    const reader = new TidegateReader();
    reader.read('x.schemas', 0, schemaMessage());
    const log = [message(0, { n: 1 }), message(1, { n: 1, uncertain: true }), message(2, { n: 2 })];
    const read = () => log.flatMap((one) => reader.read('x.readings', 0, one));
    expect(read()).toHaveLength(3);
    expect(read()).toEqual([]);
    expect(reader.read('x.readings', 0, message(3, { n: 3 }))).toHaveLength(1);
  });

  it('gives window results, each once', () => {
    const reader = new TidegateReader();
    const log = [
      resultMessage(0, 7),
      resultMessage(1, 8),
      resultMessage(2, 7),
      resultMessage(3, 9),
    ];
    const items = log.flatMap((one) => reader.read('x.aggregates', 0, one));
    expect(items.map(words)).toEqual(['aggregates 0:0 7', 'aggregates 0:1 8', 'aggregates 0:3 9']);
  });

  it('gives a fault for a window result that is damaged, and goes on', () => {
    const reader = new TidegateReader();
    const values = ['{"n', 'null', '7', ''];
    const log = values.map((text, i) => ({
      ...resultMessage(i, i),
      value: new TextEncoder().encode(text),
    }));
    const items = [...log, resultMessage(4, 4)].flatMap((one) =>
      reader.read('x.aggregates', 0, one),
    );
    const damaged = {
      kind: 'fault',
      sentence: 'the result is damaged: its value is no JSON object',
    };
    expect(items).toEqual([
      ...values.map((_, offset) => expect.objectContaining({ ...damaged, offset })),
      expect.objectContaining({ kind: 'result', offset: 4 }),
    ]);
  });

  it('has nothing to say about other topics', () => {
    const reader = new TidegateReader();
    expect(reader.read('x.rejects', 0, message(0, {}))).toEqual([]);
    expect(reader.read('readings-of-others', 0, message(0, {}))).toEqual([]);
  });
});

describe('a definition that has not come yet', () => {
  it('is waited for, and so are the frames behind it in its partition, in order', () => {
    const reader = new TidegateReader();
    reader.read('x.schemas', 0, schemaMessage(TEMP, 0));
    const speed = { device: 'fan', hashes: SPEED.hash };
    expect(reader.read('x.readings', 0, message(0, { n: 1, ...speed }))).toEqual([]);
    expect(reader.read('x.readings', 0, message(1, { n: 1 }))).toEqual([]);
    expect(reader.read('x.readings', 0, message(2, { n: 2, ...speed }))).toEqual([]);
    expect(reader.read('x.readings', 1, message(0, { n: 1, device: 'b' })).map(words)).toEqual([
      'readings 1:0 b 1/1',
    ]);
    expect(reader.read('x.schemas', 0, schemaMessage(SPEED, 1)).map(words)).toEqual([
      'readings 0:0 fan 1/1',
      'readings 0:1 hall 1/1',
      'readings 0:2 fan 1/2',
    ]);
    expect(reader.read('x.readings', 0, message(3, { n: 2 }))).toHaveLength(1);
  });

  it('releases only as far as the next one that is missing', () => {
    const reader = new TidegateReader();
    reader.read('x.readings', 0, message(0, { n: 1 }));
    reader.read('x.readings', 0, message(1, { n: 1, device: 'fan', hashes: SPEED.hash }));
    reader.read('x.readings', 0, message(2, { n: 2 }));
    expect(reader.read('x.schemas', 0, schemaMessage()).map(words)).toEqual([
      'readings 0:0 hall 1/1',
    ]);
    expect(reader.finish().map(words)).toEqual([
      'readings 0:1 the definition of set 1 is not in the log',
      'readings 0:2 hall 1/2',
    ]);
    expect(reader.finish()).toEqual([]);
  });

  it('is judged when it comes: a copy of a frame that waits is a duplicate', () => {
    const reader = new TidegateReader();
    reader.read('x.readings', 0, message(0, { n: 1 }));
    reader.read('x.readings', 0, message(1, { n: 1 }));
    expect(reader.read('x.schemas', 0, schemaMessage())).toHaveLength(1);
  });

  it('keeps copies: a client may use its buffer again', () => {
    const reader = new TidegateReader();
    const held = message(0, { n: 7 });
    reader.read('x.readings', 0, held);
    for (const bytes of [held.key, held.value, held.headers?.['tg']]) (bytes as Uint8Array).fill(0);
    expect(reader.read('x.schemas', 0, schemaMessage()).map(words)).toEqual([
      'readings 0:0 hall 1/7',
    ]);
  });

  it('is not waited for beyond the bound', () => {
    const reader = new TidegateReader({ heldBytesMax: 100 });
    const log = [1, 2, 3, 4].map((n) => message(n, { n }));
    const sizes = log.map(({ value }) => value?.length ?? 0);
    expect(sizes[0]).toBeGreaterThan(25);
    const items = log.flatMap((one) => reader.read('x.readings', 0, one));
    expect(items.map(({ kind }) => kind)).toEqual(['fault', 'fault', 'fault', 'fault']);
  });
});

describe('what is no good', () => {
  it('a frame that cannot be decoded is a fault, and the rest goes on', () => {
    const reader = new TidegateReader();
    reader.read('x.schemas', 0, schemaMessage());
    const damaged = message(0, { n: 1, value: Uint8Array.of(1, 2) });
    const items = [damaged, message(1, { n: 2 })].flatMap((one) => reader.read('x.alarms', 0, one));
    expect(items).toMatchObject([
      { kind: 'fault', device: 'hall', sentence: expect.stringContaining('damaged') as string },
      { kind: 'frame', n: 2 },
    ]);
  });

  it('bytes that are no definition are passed over', () => {
    const reader = new TidegateReader();
    reader.read('x.readings', 0, message(0, {}));
    const bad = { offset: '0', key: TEMP.hash, value: Uint8Array.of(1) };
    expect(reader.read('x.schemas', 0, bad)).toEqual([]);
    expect(reader.read('x.schemas', 0, { ...bad, value: null })).toEqual([]);
    expect(reader.read('x.schemas', 0, schemaMessage())).toHaveLength(1);
  });

  it('a record without tg is not ours: passed over', () => {
    const reader = new TidegateReader();
    reader.read('x.schemas', 0, schemaMessage());
    const foreign = { ...message(0, { n: 1 }), headers: undefined };
    expect(reader.read('x.readings', 0, foreign)).toEqual([]);
    expect(reader.read('x.readings', 0, message(1, { n: 1 }))).toHaveLength(1);
  });

  it('a header of a later version stops the reader [RD-3]', () => {
    const reader = new TidegateReader();
    const later = { ...message(0, {}), headers: { tg: Uint8Array.of(2) } };
    expect(() => reader.read('x.readings', 4, later)).toThrow(
      'the record at offset 0 of readings, partition 4, has a header tg that this Tidegate does not',
    );
  });
});
