import fc from 'fast-check';
import type {
  ColumnValues,
  DeviceBlock,
  Message,
  ServerBlock,
  Uints,
} from '../../src/wire/messages.ts';

/** Arbitrary messages of every kind, valid by App. A, and by §5.2 only as far as they like. */

const uint = fc.oneof(fc.nat(300), fc.maxSafeNat());
const small = fc.nat(70_000);
const num = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const int = fc.maxSafeInteger();
/** Integers, and floats that CBOR keeps apart from them. */
const number = fc.oneof(
  int,
  fc.double({ noNaN: true, noDefaultInfinity: true }).filter((x) => !Number.isInteger(x)),
  fc.float({ noNaN: true, noDefaultInfinity: true }).filter((x) => !Number.isInteger(x)),
);
const text = fc.string({ unit: 'binary', maxLength: 20 });
const scalar = fc.oneof(number, text, fc.boolean(), fc.constant(null));

const column: fc.Arbitrary<ColumnValues> = fc.oneof(
  fc.uint8Array({ maxLength: 6 }),
  fc.uint16Array({ maxLength: 6 }),
  fc.uint32Array({ maxLength: 6 }),
  fc.bigUint64Array({ maxLength: 6 }),
  fc.int8Array({ maxLength: 6 }),
  fc.int16Array({ maxLength: 6 }),
  fc.int32Array({ maxLength: 6 }),
  fc.bigInt64Array({ maxLength: 6 }),
  fc.float32Array({ maxLength: 6 }),
  fc.float64Array({ maxLength: 6 }),
  fc.array(fc.oneof(int, fc.constant(null)), { maxLength: 6 }),
  fc.array(fc.oneof(number, fc.constant(null)), { maxLength: 6 }),
  fc.array(fc.oneof(text, fc.constant(null)), { maxLength: 6 }),
  fc.array(scalar, { maxLength: 6 }),
  scalar,
);
const uints: fc.Arbitrary<Uints> = fc.oneof(
  fc.array(uint, { maxLength: 6 }),
  fc.uint8Array({ maxLength: 6 }),
  fc.uint16Array({ maxLength: 6 }),
  fc.uint32Array({ maxLength: 6 }),
);
const columns = fc.array(column, { minLength: 1, maxLength: 4 });

export const deviceBlock: fc.Arbitrary<DeviceBlock> = fc.record(
  { s: uint, t: int, dt: number, d: uints, v: columns, q: fc.oneof(uint, uints), fid: uint },
  { requiredKeys: ['s', 't', 'v'] },
);
export const serverBlock: fc.Arbitrary<ServerBlock> = fc.record(
  {
    t: int,
    dt: number,
    i: fc.oneof(uint, uints),
    d: uints,
    v: columns,
    q: fc.oneof(uint, uints),
    st: uint,
    o: uints,
    cl: uint,
  },
  { requiredKeys: ['t', 'i', 'v'] },
);

const flowEntry = fc.oneof(fc.tuple(small, uint, uint), fc.tuple(small, uint, uint, uint));
const lanes = fc.array(fc.tuple(small, small, num), { minLength: 1, maxLength: 4 });
const shortText = fc.string({ maxLength: 15 });
const columnEntry = fc.oneof(
  fc.tuple(text),
  fc.tuple(text, shortText),
  fc.tuple(text, shortText, number),
  fc.tuple(text, shortText, number, number),
);
const seriesEntry = fc.oneof(fc.tuple(small, text), fc.tuple(small, text, shortText));
const list = <T>(element: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc.array(element, { minLength: 1, maxLength: 4 });
const k = <K extends string>(name: K): fc.Arbitrary<K> => fc.constant(name);

/** `lost` below `n`, as a client must have it. */
export const deviceData: fc.Arbitrary<Message> = fc
  .record(
    {
      k: k('data'),
      c: small,
      n: num,
      lost: uint,
      b: fc.array(deviceBlock, { minLength: 1, maxLength: 3 }),
      bl: uint,
      wm: int,
    },
    { requiredKeys: ['k', 'c', 'n', 'b'] },
  )
  .map((data) => (data.lost === undefined ? data : { ...data, lost: data.lost % data.n }));

export const fromClient: fc.Arbitrary<Message> = fc.oneof(
  fc.record(
    {
      k: k('hello'),
      ep: num,
      ch: lanes,
      now: int,
      hb: uint,
      tok: text,
      rx: uint,
      ua: shortText,
      hop: uint,
    },
    { requiredKeys: ['k'] },
  ),
  fc.record(
    { k: k('def'), c: small, s: small, cols: list(columnEntry), of: text },
    { requiredKeys: ['k', 'c', 's', 'cols'] },
  ),
  deviceData,
  fc.record(
    { k: k('flow'), f: fc.array(flowEntry, { maxLength: 4 }), now: int },
    { requiredKeys: ['k', 'f'] },
  ),
  fc.record(
    { k: k('ping'), bl: list(fc.tuple(small, uint)), wm: list(fc.tuple(small, int)), now: int },
    { requiredKeys: ['k'] },
  ),
  fc.record(
    {
      k: k('sub'),
      c: fc.integer({ min: 1, max: 65_535 }),
      p: list(text),
      win: uint,
      agg: list(text),
      r: uint,
      hist: uint,
      md: uint,
      lim: uint,
      grp: uint,
    },
    { requiredKeys: ['k', 'c', 'p', 'win'] },
  ),
  fc.record({ k: k('end'), c: small }),
);

export const fromServer: fc.Arbitrary<Message> = fc.oneof(
  fc.record(
    {
      k: k('welcome'),
      ep: num,
      f: fc.array(flowEntry, { maxLength: 4 }),
      ch: lanes,
      now: int,
      hb: uint,
      ln: uint,
      sid: text,
      dur: uint,
      why: uint,
    },
    { requiredKeys: ['k', 'now', 'hb'] },
  ),
  fc
    .record(
      { k: k('def'), c: small, gone: list(uint), ser: list(seriesEntry) },
      { requiredKeys: ['k', 'c'] },
    )
    .filter((def) => def.gone !== undefined || def.ser !== undefined),
  fc.record(
    { k: k('data'), c: small, n: num, lost: uint, b: list(serverBlock), bl: uint, wm: int },
    { requiredKeys: ['k', 'c', 'n', 'b'] },
  ),
  fc.record(
    {
      k: k('flow'),
      f: fc.array(flowEntry, { maxLength: 4 }),
      now: int,
      echo: int,
      ln: uint,
      dur: uint,
      why: uint,
    },
    { requiredKeys: ['k', 'f'] },
  ),
  fc.record(
    { k: k('reject'), c: small, n: num, e: uint, m: text },
    { requiredKeys: ['k', 'c', 'n', 'e'] },
  ),
  fc.record(
    { k: k('away'), c: small, n: num, e: uint, m: text, to: text, w: uint, dl: uint },
    { requiredKeys: ['k', 'e'] },
  ),
  fc.record(
    { k: k('state'), c: small, st: uint, now: int, e: uint, m: text, echo: int, over: uint },
    { requiredKeys: ['k', 'c', 'st'] },
  ),
);
