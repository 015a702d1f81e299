// Without its native part, which refuses some valid texts as "Unexpected end of buffer".
import { Decoder } from 'cbor-x/index-no-eval';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { peekHead } from '../../src/wire/cbor-head.ts';
import { decodeCbor } from '../../src/wire/decode.ts';
import { encode, encodeBlocks, encodeData } from '../../src/wire/encode.ts';
import type { Sender } from '../../src/wire/fields.ts';
import { FrameReader } from '../../src/wire/frame-reader.ts';
import { jsonToCbor } from '../../src/wire/json.ts';
import type { Data, DeviceBlock, Message } from '../../src/wire/messages.ts';
import { concat, hex } from '../support/bytes.ts';
import { damage, type Item, profileItem, write } from '../support/cbor-items.ts';
import { referenceDecode, type Value } from '../support/cbor-reference.ts';
import { deviceBlock, deviceData, fromClient, fromServer } from '../support/messages.ts';
import { asJsonTells, named, plain } from '../support/normal-form.ts';

// `int64AsNumber` and `copyBuffers` are missing in the types of cbor-x.
const ORACLE_OPTIONS = {
  mapsAsObjects: false,
  useTag259ForMaps: false,
  useRecords: false,
  int64AsNumber: true,
  copyBuffers: true,
  variableMapSize: true,
  tagUint8Array: false,
};
const oracle = new Decoder(ORACLE_OPTIONS);

const messages: fc.Arbitrary<readonly [Message, Sender]> = fc.oneof(
  fromClient.map((message) => [message, 'client' as const] as const),
  fromServer.map((message) => [message, 'server' as const] as const),
);
const frames = deviceData.map((message) => encode('cbor', message));

/** An `end` with one key that nobody knows. */
const AROUND = hex('a3 00 0a 01 01 18 63');
const around = (bytes: Uint8Array): Uint8Array => concat(AROUND, bytes);

describe('X1: decode(encode(m)) = m', () => {
  it('in CBOR', () => {
    fc.assert(
      fc.property(messages, ([message, from]) => {
        expect(decodeCbor(encode('cbor', message), from)).toEqual({ message });
      }),
      { numRuns: 2000 },
    );
  });

  it('in JSON, as far as JSON can tell', () => {
    fc.assert(
      fc.property(messages, ([message, from]) => {
        expect(plain(throughJson(message, from))).toEqual(plain(asJsonTells(message)));
      }),
      { numRuns: 2000 },
    );
  });

  it('and what went through JSON twice stays as it is', () => {
    fc.assert(
      fc.property(messages, ([message, from]) => {
        const twice = throughJson(throughJson(message, from), from);
        expect(throughJson(twice, from)).toEqual(twice);
      }),
      { numRuns: 1000 },
    );
  });

  it('a head in front of encoded blocks is the same message', () => {
    const head = fc.record(
      {
        c: fc.nat(3),
        n: fc.integer({ min: 1, max: 2 ** 40 }),
        lost: fc.nat(9),
        bl: fc.nat(),
        wm: fc.maxSafeInteger(),
      },
      { requiredKeys: ['c', 'n', 'lost'] },
    );
    fc.assert(
      fc.property(
        head,
        fc.array(deviceBlock, { minLength: 1 }),
        fc.constantFrom('cbor', 'json'),
        (at, b, codec) => {
          const { lost, ...rest } = at;
          const message: Data<DeviceBlock> = {
            k: 'data',
            ...rest,
            ...(lost > 0 ? { lost } : {}),
            b,
          };
          expect(encodeData(codec, at, encodeBlocks(codec, b))).toEqual(encode(codec, message));
        },
      ),
    );
  });
});

describe('cbor-x agrees', () => {
  it('on what we encode', () => {
    fc.assert(
      fc.property(messages, ([message, from]) => {
        const seen = named(oracle.decode(encode('cbor', message)), from);
        expect(plain(seen)).toEqual(plain(message));
      }),
      { numRuns: 1000 },
    );
  });

  it('on every item of the profile', () => {
    fc.assert(
      fc.property(profileItem(3), (item) => {
        const bytes = write(item);
        const reference = referenceDecode(bytes, 2);
        expect(reference).not.toBeNull();
        expect(untyped(oracle.decode(bytes))).toEqual(untyped(reference?.value));
      }),
      { numRuns: 1000 },
    );
  });
});

describe('X2, X3: the profile, to the letter', () => {
  it('an unknown key may hold any item of the profile', () => {
    fc.assert(
      fc.property(profileItem(4), (item) => {
        const decoded = decodeCbor(around(write(item)), 'client');
        expect(decoded).toEqual({ message: { k: 'end', c: 1 } });
      }),
      { numRuns: 1000 },
    );
  });

  it('what the reference refuses is 4000, damaged items too', () => {
    const items = profileItem(5).map(write);
    fc.assert(
      fc.property(fc.oneof(damage(items), fc.uint8Array({ maxLength: 30 })), (bytes) => {
        const isGood = referenceDecode(bytes, 2) !== null;
        const decoded = decodeCbor(around(bytes), 'client');
        expect('message' in decoded).toBe(isGood);
        if ('breach' in decoded) expect(decoded.breach.code).toBe(4000);
      }),
      { numRuns: 5000 },
    );
  });

  it('unknown keys in a message and in its blocks change nothing', () => {
    fc.assert(
      fc.property(frames, profileItem(2), profileItem(2), (bytes, outer, inner) => {
        const reader = new FrameReader();
        const before = decodeCbor(bytes, 'client');
        const extended = extend(bytes, outer, inner);
        expect(decodeCbor(extended, 'client')).toEqual(before);
        expect(reader.read(extended)).toBeNull();
      }),
      { numRuns: 500 },
    );
  });
});

describe('the frame reader', () => {
  const reader = new FrameReader();

  it('and the decoder accept and refuse the same bytes, and never throw', () => {
    const bytes = fc.oneof(frames, damage(frames), damage(damage(frames)), fc.uint8Array());
    fc.assert(
      fc.property(bytes, (frame) => {
        const decoded = decodeCbor(frame, 'client');
        const fault = reader.read(frame);
        const isData = 'message' in decoded && decoded.message.k === 'data';
        expect(fault === null).toBe(isData);
        if (fault !== null) expect([4000, 4005]).toContain(fault.code);
        if ('breach' in decoded) expect([4000, 4001, 4005]).toContain(decoded.breach.code);
      }),
      { numRuns: 10_000 },
    );
  });

  it('sees the head that the router sees', () => {
    fc.assert(
      fc.property(fc.oneof(frames, damage(frames)), (frame) => {
        const head = { k: 0, c: 0, n: 0, lost: 0 };
        const isHead = peekHead(frame, head);
        if (reader.read(frame) !== null) return;
        expect(isHead).toBe(true);
        expect(head).toEqual({ k: 3, c: reader.c, n: reader.n, lost: reader.lost });
      }),
      { numRuns: 2000 },
    );
  });

  it('peeking never throws, and what it refuses is refused', () => {
    const bytes = fc.oneof(
      messages.map(([message]) => encode('cbor', message)),
      fc.uint8Array(),
    );
    fc.assert(
      fc.property(fc.oneof(bytes, damage(bytes)), (message) => {
        const head = { k: 0, c: 0, n: 0, lost: 0 };
        if (peekHead(message, head)) return;
        expect('breach' in decodeCbor(message, 'client')).toBe(true);
        expect('breach' in decodeCbor(message, 'server')).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('JSON', () => {
  const texts = messages.map(([message]) => encode('json', message));

  it('any bytes are transcoded to CBOR of the profile, or refused', () => {
    const bytes = fc.oneof(
      texts,
      damage(texts),
      fc.json().map((text) => new TextEncoder().encode(text)),
    );
    fc.assert(
      fc.property(bytes, fc.constantFrom('client', 'server'), (text, from) => {
        const transcoded = jsonToCbor(text, from);
        if ('bytes' in transcoded) expect(referenceDecode(transcoded.bytes, 1)).not.toBeNull();
        else expect([4000, 4001, 4005]).toContain(transcoded.breach.code);
      }),
      { numRuns: 5000 },
    );
  });
});

function throughJson(message: Message, from: Sender): Message {
  const transcoded = jsonToCbor(encode('json', message), from);
  if ('breach' in transcoded) throw new Error(transcoded.breach.message);
  const decoded = decodeCbor(transcoded.bytes, from);
  if ('breach' in decoded) throw new Error(decoded.breach.message);
  return decoded.message;
}

/** Typed arrays as their bytes, on both sides: elements are compared elsewhere. */
function untyped(value: unknown): unknown {
  if (value instanceof Map) return new Map([...value].map(([key, of]) => [key, untyped(of)]));
  if (Array.isArray(value)) return value.map(untyped);
  if (ArrayBuffer.isView(value))
    return Array.from(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  if (typeof value === 'object' && value !== null && 'bytes' in value)
    return untyped((value as { bytes: Value }).bytes);
  return value;
}

/** The frame with one more key in the message and one more in each block. */
function extend(frame: Uint8Array, outer: Item, inner: Item): Uint8Array {
  const top = (referenceDecode(frame, 1) as { value: ReadonlyMap<number, Value> }).value;
  const blocks = top.get(3) as readonly ReadonlyMap<number, Value>[];
  const longer = new Map<number, Value | Item>([...top]);
  longer.set(
    3,
    blocks.map(
      (block) => new Map<number, Value | Item>([...block, [77, inner]]),
    ) as unknown as Value,
  );
  longer.set(46, outer);
  return rewrite(longer);
}

const rewrite = (value: unknown): Uint8Array => write(itemOf(value));

function itemOf(value: unknown): Item {
  if (value instanceof Map)
    return {
      kind: 'map',
      pairs: [...value].map(([key, of]) => [itemOf(key), itemOf(of)]),
      width: 0,
    };
  if (Array.isArray(value)) return { kind: 'array', items: value.map(itemOf), width: 0 };
  if (typeof value === 'string') return { kind: 'text', value, width: 0 };
  if (typeof value === 'boolean' || value === null) return { kind: 'simple', value };
  if (typeof value === 'number') {
    const isInt = Number.isSafeInteger(value) && !Object.is(value, -0);
    return isInt ? { kind: 'int', value, width: 0 } : { kind: 'float', value, bits: 64 };
  }
  if (typeof value === 'object' && 'kind' in value) return value as Item;
  const { tag, bytes } = value as { tag: number; bytes: Uint8Array };
  return { kind: 'typed', tag, value: bytes };
}
