import type { TopicRecord } from '../support/kafka/read-topic.ts';

/** Kinds of a record. Source: PROTOCOL App. D. */
export const KIND = { frame: 0, fence: 1, mark: 2, stub: 3 } as const;

const VERSION = 1;
const HASH_BYTES = 16;

/** The header `tg` of a record, read as App. D gives it and with nothing of src. */
export interface Head {
  readonly kind: number;
  readonly isUncertain: boolean;
  readonly lane: number;
  /** Shape: 16 hex digits. */
  readonly own: string;
  readonly gen: number;
  readonly epoch: number;
  readonly n: number;
  readonly lost: number;
  /** Shape: hex, one per set of the frame. */
  readonly hashes: readonly string[];
}

/** Reads a header. Rejects: throws at a version that App. D does not know. */
export function headOf(tg: Buffer): Head {
  if (tg[0] !== VERSION) throw new Error(`a record of version ${tg[0]}`);
  let at = 20;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = tg.readUInt8(at);
      at += 1;
      value += (byte % 128) * scale;
      if (byte < 128) return value;
    }
  };
  const [gen, epoch, n, lost] = [varint(), varint(), varint(), varint()] as const;
  varint(); // clock offset
  const count = tg.readUInt8(at);
  at += 1;
  const hashes = Array.from({ length: count }, (_, i) => {
    const from = at + i * HASH_BYTES;
    return tg.toString('hex', from, from + HASH_BYTES);
  });
  return {
    kind: tg.readUInt8(1),
    isUncertain: (tg.readUInt8(2) & 1) === 1,
    lane: tg.readUInt8(3),
    own: tg.toString('hex', 4, 12),
    gen,
    epoch,
    n,
    lost,
    hashes,
  };
}

/** A frame that a reader gets. */
export interface ReadFrame {
  readonly device: string;
  readonly head: Head;
  readonly value: Buffer;
}

/** What a reader gets of the topics, and what it skips. */
export interface Filtered {
  /** In log order per partition. */
  readonly frames: readonly ReadFrame[];
  /** Records of somebody who did not own the log any more, fences that did not count among them. */
  readonly voids: number;
  readonly duplicates: number;
  /** Fences that count: how often the logs changed hands, over all partitions. */
  readonly fences: number;
}

/**
 * The filter of PROTOCOL §6.6, written from the page. Takes the records of the readings and alarms
 * topics from the beginning, in the order of their offsets per partition.
 */
export function filtered(records: readonly TopicRecord[]): Filtered {
  const frames: ReadFrame[] = [];
  const counts = { voids: 0, duplicates: 0, fences: 0 };
  const owners = new Map<string, { gen: number; own: string }>();
  const newest = new Map<string, Head>();
  for (const { topic, partition, key, value, headers } of records) {
    const head = headOf(headers['tg'] as Buffer);
    const log = `${topic}/${partition}`;
    const owner = owners.get(log);
    const isCounting = head.kind === KIND.fence && head.gen > (owner?.gen ?? -1);
    if (isCounting) counts.fences += 1;
    if (isCounting || !owner) owners.set(log, { gen: head.gen, own: head.own });
    else if (head.gen !== owner.gen || head.own !== owner.own) {
      counts.voids += 1;
      continue;
    }
    if (head.kind !== KIND.frame && head.kind !== KIND.stub) continue;
    const device = String(key);
    const lane = `${device} ${head.lane}`;
    const before = newest.get(lane);
    if (before && !head.isUncertain && !isNewer(head, before)) {
      counts.duplicates += 1;
      continue;
    }
    newest.set(lane, head);
    if (head.kind === KIND.frame) frames.push({ device, head, value: value as Buffer });
  }
  return { frames, ...counts };
}

/** (epoch, n) is lexicographically greater. */
export const isNewer = (one: Head, other: Head): boolean =>
  one.epoch > other.epoch || (one.epoch === other.epoch && one.n > other.n);
