import { type Value as CborValue, referenceDecode } from '../support/cbor-reference.ts';
import { BLOCK_NAMES, KIND_NAMES, MESSAGE_NAMES } from './page.ts';

/** A block as it was heard: typed arrays are plain, NaN is null. */
export interface HeardBlock {
  readonly t: number;
  readonly i: number | readonly number[];
  readonly v: readonly (Scalar | readonly Scalar[])[];
  readonly dt?: number;
  readonly d?: readonly number[];
  readonly st?: number;
  readonly cl?: number;
}

type Scalar = number | string | boolean | null;

/** A message from the server, by the names of §3.4; which keys it has depends on `k`. */
export interface Heard {
  readonly k: string;
  readonly c: number;
  readonly n: number;
  readonly f: readonly (readonly [c: number, ack: number, lim: number, dropped?: number])[];
  readonly ch?: readonly (readonly number[])[];
  readonly e: number;
  readonly m?: string;
  readonly to?: string;
  readonly w?: number;
  readonly dl?: number;
  readonly now: number;
  readonly echo?: number;
  readonly hb: number;
  readonly dur?: number;
  readonly why?: number;
  readonly ep: number;
  readonly sid?: string;
  readonly st: number;
  readonly over?: number;
  readonly lost?: number;
  readonly b: readonly HeardBlock[];
  readonly ser?: readonly (readonly [no: number, topic: string, unit?: string])[];
  readonly gone?: readonly number[];
}

/** Reads a message of the server by the page alone; throws where it breaks §3. */
export function heardFrom(codec: 'cbor' | 'json', payload: Uint8Array): Heard {
  if (codec === 'json')
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  const decoded = referenceDecode(payload, 1);
  if (decoded === null) throw new Error('the server sent bytes outside the CBOR profile of §3.1');
  return messageOf(decoded.value as ReadonlyMap<number | string, CborValue>) as unknown as Heard;
}

function messageOf(map: ReadonlyMap<number | string, CborValue>): Record<string, unknown> {
  const keys = [...map.keys()];
  const wanted = [0, 1, 2, 4].filter((key) => map.has(key));
  if (keys.slice(0, wanted.length).join() !== wanted.join()) {
    throw new Error(`the server sent keys in the order ${keys.join(' ')}, against [R3.1-7]`);
  }
  const message = namedBy(MESSAGE_NAMES, map);
  message['k'] = KIND_NAMES.get(map.get(0) as number) ?? `kind ${map.get(0)}`;
  const blocks = map.get(3) as readonly ReadonlyMap<number, CborValue>[] | undefined;
  if (blocks !== undefined) message['b'] = blocks.map((block) => namedBy(BLOCK_NAMES, block));
  return message;
}

function namedBy(
  names: ReadonlyMap<number, string>,
  map: ReadonlyMap<number | string, CborValue>,
): Record<string, unknown> {
  const pairs = [...map].map(([key, value]) => [
    names.get(key as number) ?? `key ${key}`,
    plain(value),
  ]);
  return Object.fromEntries(pairs);
}

function plain(value: CborValue): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null || value instanceof Map) return value;
  return 'tag' in value ? elementsOf(value.tag, value.bytes) : value;
}

function elementsOf(tag: number, bytes: Uint8Array): (number | null)[] {
  const { buffer } = bytes.slice();
  if (tag === 64) return [...new Uint8Array(buffer)];
  if (tag === 69) return [...new Uint16Array(buffer)];
  if (tag === 70) return [...new Uint32Array(buffer)];
  if (tag === 71) return [...new BigUint64Array(buffer)].map(Number);
  if (tag === 72) return [...new Int8Array(buffer)];
  if (tag === 77) return [...new Int16Array(buffer)];
  if (tag === 78) return [...new Int32Array(buffer)];
  if (tag === 79) return [...new BigInt64Array(buffer)].map(Number);
  const floats = tag === 85 ? new Float32Array(buffer) : new Float64Array(buffer);
  return [...floats].map((one) => (Number.isNaN(one) ? null : one));
}
