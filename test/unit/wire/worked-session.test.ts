import { describe, expect, it } from 'vitest';
import { peekHead } from '../../../src/wire/cbor-head.ts';
import { decodeCbor } from '../../../src/wire/decode.ts';
import { encode } from '../../../src/wire/encode.ts';
import type { Sender } from '../../../src/wire/fields.ts';
import { jsonToCbor } from '../../../src/wire/json.ts';
import type { Data, DeviceBlock, Message, ServerBlock } from '../../../src/wire/messages.ts';
import { hex, toHex } from '../../support/bytes.ts';

/** Every example of PROTOCOL §17: what it says, its bytes, its length. */

interface Example {
  readonly name: string;
  readonly from: Sender;
  readonly length: number;
  readonly bytes: string;
  readonly message: Message;
}

const SCALE = Math.fround(9.80665 / 16_384);
const BLOCK: DeviceBlock = {
  s: 1,
  t: 1_761_962_400_123_000,
  dt: 1000,
  v: [Int16Array.of(12, -7), Int16Array.of(3, 4), Int16Array.of(16_384, 16_380)],
};
const BLOCK_HEX = `a4 00 01 01 1b 00 06 42 7e d6 f7 88 78 02 19 03 e8 04 83
  d8 4d 44 0c 00 f9 ff d8 4d 44 03 00 04 00 d8 4d 44 00 40 fc 3f`;

const EXAMPLES: readonly Example[] = [
  {
    name: 'hello, resuming',
    from: 'client',
    length: 60,
    bytes: `a5 00 00 08 1b 00 06 68 f2 da f0 aa c9 09 82 83 00 01 09 83 01 01 1a 00 01 23 41
      0a 1b 00 06 42 7e d6 f5 a8 00 18 1a 74 76 69 62 2d 6e 6f 64 65 2f 31 2e 34 20 65 73 70 33
      32 73 33`,
    message: {
      k: 'hello',
      ep: 1_804_242_124_843_721,
      ch: [
        [0, 1, 9],
        [1, 1, 74_561],
      ],
      now: 1_761_962_400_000_000,
      ua: 'vib-node/1.4 esp32s3',
    },
  },
  {
    name: 'data',
    from: 'client',
    length: 53,
    bytes: `a4 00 03 01 01 02 1a 00 01 23 43 03 81 ${BLOCK_HEX}`,
    message: { k: 'data', c: 1, n: 74_563, b: [BLOCK] },
  },
  {
    name: 'data after three dropped frames',
    from: 'client',
    length: 55,
    bytes: `a5 00 03 01 01 02 1a 00 01 23 47 04 03 03 81 ${BLOCK_HEX}`,
    message: { k: 'data', c: 1, n: 74_567, lost: 3, b: [BLOCK] },
  },
  {
    name: 'flow',
    from: 'server',
    length: 31,
    bytes: `a3 00 04 05 82 83 00 09 19 10 66 83 01 1a 00 01 23 43 19 40 f5
      0a 1b 00 06 42 7e d6 f8 19 00`,
    message: {
      k: 'flow',
      f: [
        [0, 9, 4198],
        [1, 74_563, 16_629],
      ],
      now: 1_761_962_400_160_000,
    },
  },
  {
    name: 'ping, blocked',
    from: 'client',
    length: 20,
    bytes: 'a3 00 05 06 81 82 01 19 bc 53 0a 1b 00 06 42 7e d7 04 ea 40',
    message: { k: 'ping', bl: [[1, 48_211]], now: 1_761_962_401_000_000 },
  },
  {
    name: 'away, drain',
    from: 'server',
    length: 15,
    bytes: 'a4 00 07 0b 19 10 69 0e 19 75 30 0f 19 ea 60',
    message: { k: 'away', e: 4201, w: 30_000, dl: 60_000 },
  },
  {
    name: 'away, naming a frame',
    from: 'server',
    length: 15,
    bytes: 'a4 00 07 01 01 02 1a 00 01 23 4a 0b 19 0f a0',
    message: { k: 'away', c: 1, n: 74_570, e: 4000 },
  },
  {
    name: 'away, to another node',
    from: 'server',
    length: 40,
    bytes: `a3 00 07 0b 19 10 68 0d 78 1e 77 73 73 3a 2f 2f 67 77 2e 65 78 61 6d 70 6c 65 2e 63 6f
      6d 2f 6e 2f 67 77 2d 37 2f 76 31`,
    message: { k: 'away', e: 4200, to: 'wss://gw.example.com/n/gw-7/v1' },
  },
];

/** Its keys are not in canonical order, so it is only read. */
const WELCOME = `a8 00 01 08 1b 00 06 68 f2 da f0 aa c9 0a 1b 00 06 42 7e d6 f6 22 12
  05 82 83 00 08 19 10 00 83 01 1a 00 01 23 42 19 40 80 09 82 83 00 01 19 07 c0 83 01 01 19 20 00
  13 19 4e 20 18 24 66 37 51 6d 32 78 76 18 29 01`;

describe('the worked session of PROTOCOL §17', () => {
  it.each(EXAMPLES)('$name: bytes and message are the same', (example) => {
    const bytes = hex(example.bytes);
    expect(bytes.length).toBe(example.length);
    expect(decodeCbor(bytes, example.from)).toEqual({ message: example.message });
    expect(toHex(encode('cbor', example.message))).toBe(toHex(bytes));
  });

  it('welcome: read, and as long when we write it', () => {
    const bytes = hex(WELCOME);
    const message: Message = {
      k: 'welcome',
      ep: 1_804_242_124_843_721,
      now: 1_761_962_400_031_250,
      f: [
        [0, 8, 4096],
        [1, 74_562, 16_512],
      ],
      ch: [
        [0, 1, 1984],
        [1, 1, 8192],
      ],
      hb: 20_000,
      sid: '7Qm2xv',
      dur: 1,
    };
    expect(bytes.length).toBe(71);
    expect(decodeCbor(bytes, 'server')).toEqual({ message });
    expect(encode('cbor', message).length).toBe(71);
  });

  it('def: three columns, scale as float32, 60 bytes', () => {
    const cols = ['acc/x', 'acc/y', 'acc/z'].map((name) => [name, 'm/s2', SCALE] as const);
    const bytes = encode('cbor', { k: 'def', c: 1, s: 1, cols });
    expect(bytes.length).toBe(60);
    expect(toHex(bytes)).toContain('fa 3a 1c e8 0a');
  });

  it('a head is enough to route', () => {
    const head = { k: 0, c: 0, n: 0, lost: 0 };
    expect(peekHead(hex('a5 00 03 01 01 02 1a 00 01 23 47 04 03 03 81'), head)).toBe(true);
    expect(head).toEqual({ k: 3, c: 1, n: 74_567, lost: 3 });
  });

  it('the JSON flow', () => {
    const text = '{"k":"flow","f":[[0,9,4198],[1,74563,16629]],"now":1761962400160000}';
    const flow = EXAMPLES[3] as Example;
    expect(new TextDecoder().decode(encode('json', flow.message))).toBe(text);
    expect(jsonToCbor(new TextEncoder().encode(text), 'server')).toEqual({
      bytes: hex(flow.bytes),
    });
  });
});

const DASHBOARD: readonly { readonly cost: number; readonly text: string }[] = [
  {
    cost: 209,
    text: `{"k":"def","c":1,"ser":[[4,"plant1/hall2/pump-17/acc/x","m/s2"],[5,"plant1/hall2/pump-17/acc/y","m/s2"],[6,"plant1/hall2/pump-17/acc/z","m/s2"]]}`,
  },
  {
    cost: 233,
    text: `{"k":"data","c":1,"n":1,"b":[{"t":1761962390000000,"dt":1000000,"i":4,"d":[1000000,3000000],"st":1,"v":[[-9.1,-9,-8.7],[9.4,9.3,9.6],[0.02,0.01,0.03],[1000,1000,640]]}]}`,
  },
  {
    cost: 210,
    text: `{"k":"data","c":1,"n":2,"b":[{"t":1761962399000000,"dt":1000000,"st":1,"i":[4,5,6],"v":[[-9.1,-8.1,-7.1],[9.4,10.4,11.4],[0.02,1.02,9.82],1000]}]}`,
  },
];

describe('the dashboard of PROTOCOL §17', () => {
  it.each(DASHBOARD)('costs $cost, read and written again', ({ cost, text }) => {
    const bytes = new TextEncoder().encode(text);
    expect(bytes.length + 64).toBe(cost);
    const transcoded = jsonToCbor(bytes, 'server');
    if ('breach' in transcoded) throw new Error(transcoded.breach.message);
    const decoded = decodeCbor(transcoded.bytes, 'server');
    if ('breach' in decoded) throw new Error(decoded.breach.message);
    const again = encode('json', decoded.message);
    expect(again.length).toBe(bytes.length);
    expect(JSON.parse(new TextDecoder().decode(again))).toEqual(JSON.parse(text));
  });

  it('the window is 122 bytes in CBOR', () => {
    const v = [
      Float64Array.of(-9.1, -8.1, -7.1),
      Float64Array.of(9.4, 10.4, 11.4),
      Float64Array.of(0.02, 1.02, 9.82),
      1000,
    ];
    const block: ServerBlock = { t: 1_761_962_399_000_000, dt: 1_000_000, st: 1, i: [4, 5, 6], v };
    expect(encode('cbor', { k: 'data', c: 1, n: 2, b: [block] }).length).toBe(122);
  });

  it('1 000 series × 4 aggregates are 28 056 bytes', () => {
    const v = [1, 2, 3].map(() => new Float64Array(1000).fill(0.1));
    const block: ServerBlock = {
      t: 1_761_962_399_000_000,
      dt: 1_000_000,
      st: 1,
      i: new Uint16Array(1000).map((_, i) => i),
      v: [...v, new Uint16Array(1000).fill(640)],
    };
    const message: Data<ServerBlock> = { k: 'data', c: 1, n: 2, b: [block] };
    expect(encode('cbor', message).length).toBe(28_056);
  });
});

describe('sizes of protocol-rationale §7', () => {
  const data = (block: DeviceBlock): Message => ({ k: 'data', c: 1, n: 74_563, b: [block] });
  const of = (column: () => DeviceBlock['v'][number]): DeviceBlock => ({
    ...BLOCK,
    v: [column(), column(), column()],
  });
  const { dt: _, ...withoutStep } = of(() => new Int16Array(100));
  it.each([
    ['int16', 644, of(() => new Int16Array(100))],
    ['float32', 1247, of(() => new Float32Array(100))],
    ['float64', 2447, of(() => new Float64Array(100))],
    ['int16, irregular times', 843, { ...withoutStep, d: new Uint16Array(99) }],
  ])('%s: %i bytes', (_name, length, block) => {
    expect(encode('cbor', data(block)).length).toBe(length);
  });
});
