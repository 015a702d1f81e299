import { decodeCbor } from '../../../src/wire/decode.ts';
import type { DeviceBlock } from '../../../src/wire/messages.ts';
import { encodeCause } from '../../../src/wire/result-cause.ts';
import type { Dice } from '../../sim/random.ts';
import { fromChunks } from './chunks.ts';
import { messageOf } from './messages.ts';
import { join, mutateBytes } from './mutate-bytes.ts';
import { mutateCbor } from './mutate-cbor.ts';
import { hashOf, headerOf, schemaTree } from './records.ts';
import { writeTree } from './tree.ts';

/**
 * Messages of Kafka's topics as chunks: topic, shard and step of the offset, lengths of key and
 * header, key, header, value. Any chunk is such a message.
 */
export interface TopicRecord {
  readonly topic: string;
  readonly shard: number;
  /** From the last offset of its partition; 0 and −1 are messages that come again. */
  readonly step: number;
  readonly key: Uint8Array;
  readonly tg: Uint8Array;
  readonly value: Uint8Array;
}

const TOPICS = ['readings', 'alarms', 'aggregates', 'schemas'] as const;
const STEPS = [1, 1, 0, -1] as const;
const HEAD_BYTES = 5;
const UTF8 = new TextEncoder();
const NOTHING = new Uint8Array(0);
const DEVICES = ['a', 'plant1/b'] as const;
const OWN = new Uint8Array(8).fill(7);

export function toRecord(chunk: Uint8Array): TopicRecord {
  const [topic = 0, place = 0, keyLength = 0, high = 0, low = 0] = chunk;
  const tgFrom = HEAD_BYTES + keyLength;
  const valueFrom = tgFrom + high * 256 + low;
  return {
    topic: TOPICS[topic & 3] ?? 'readings',
    shard: place & 3,
    step: STEPS[(place >>> 2) & 3] ?? 1,
    key: chunk.slice(HEAD_BYTES, tgFrom),
    tg: chunk.slice(tgFrom, valueFrom),
    value: chunk.slice(valueFrom),
  };
}

function fromRecord({ topic, shard, step, key, tg, value }: TopicRecord): Uint8Array {
  const place = shard | (STEPS.indexOf(step as 1) << 2);
  const number = (TOPICS as readonly string[]).indexOf(topic);
  const head = Uint8Array.of(number, place, key.length, tg.length >>> 8, tg.length);
  return join(head, key, tg, value);
}

/** One part of a message is changed, or all of it. */
export function mutateRecord(dice: Dice, chunk: Uint8Array): Uint8Array {
  const record = toRecord(chunk);
  const kind = dice.below(5);
  if (kind === 0) return mutateBytes(dice, chunk);
  if (kind === 1) return fromRecord({ ...record, tg: mutateBytes(dice, record.tg) });
  if (kind === 2)
    return fromRecord({ ...record, key: mutateBytes(dice, record.key).slice(0, 255) });
  return fromRecord({ ...record, value: mutateCbor(dice, record.value, record.value) });
}

/** A log from its first fence on: definitions, frames, marks, stubs, results. */
export function logOf(dice: Dice): Uint8Array {
  const records = [fence(dice)];
  for (let frames = 1 + dice.below(5); frames > 0; frames -= 1) records.push(...frame(dice));
  if (dice.chance(0.3)) records.push(result(dice));
  if (dice.chance(0.2)) records.push(fence(dice, 2));
  return fromChunks(records.map(fromRecord));
}

const lasting = { shard: 0, step: 1 } as const;

function fence(dice: Dice, gen = 1): TopicRecord {
  const tg = headerOf(dice, { kind: 1, gen, own: OWN, hashes: NOTHING });
  return { ...lasting, topic: 'readings', key: NOTHING, tg, value: UTF8.encode('node') };
}

function result(dice: Dice): TopicRecord {
  const tg = encodeCause({ log: 0, shard: 0, offset: dice.below(3), index: dice.below(3) });
  const value = UTF8.encode('{"device":"a","class":"live","series":{}}');
  return { ...lasting, topic: 'aggregates', key: UTF8.encode('a'), tg, value };
}

/** A frame with the definitions of its sets before it, sometimes behind it, or left out. */
function frame(dice: Dice): TopicRecord[] {
  const value = writeTree([messageOf(dice, 3, 'client')]);
  const definitions = definitionsOf(dice, value);
  const hashes = join(...definitions.map(({ key }) => key));
  const kind = dice.chance(0.9) ? 0 : 2 + dice.below(2);
  const numbers = { gen: 1, epoch: 1, n: 1 + dice.below(6), lane: dice.below(2) };
  const tg = headerOf(dice, { kind: kind as 0, ...numbers, own: OWN, hashes });
  const key = UTF8.encode(dice.pick(DEVICES));
  const record: TopicRecord = { ...lasting, topic: 'readings', key, tg, value };
  if (dice.chance(0.1)) return [record, ...definitions];
  return dice.chance(0.95) ? [...definitions, record] : [record];
}

/** One definition per distinct set, in order of first appearance. */
function definitionsOf(dice: Dice, value: Uint8Array): TopicRecord[] {
  const decoded = decodeCbor(value, 'client');
  if (!('message' in decoded) || decoded.message.k !== 'data') return [];
  const columns = new Map<number, number>();
  for (const { s, v } of decoded.message.b as readonly DeviceBlock[]) {
    if (!columns.has(s)) columns.set(s, v.length);
  }
  return [...columns.values()].slice(0, 64).map((count) => {
    const bytes = writeTree([schemaTree(dice, count)]);
    return { ...lasting, topic: 'schemas', key: hashOf(bytes), tg: NOTHING, value: bytes };
  });
}
